//! The order of each strategy, and that picking is exact whatever runs beside it.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use std::collections::BTreeMap;

use plan::service::{Endpoint as PlanEndpoint, Rest, Strategy, UpstreamScheme};

use super::*;

/// Weight, `max_connections`, backup.
type Of = (u32, u32, bool);

const PLAIN: Of = (1, 0, false);

fn seat(number: usize, (weight, max_connections, backup): Of, rest_ms: u64) -> Seat {
    let text = format!("127.0.0.1:{}", 9000 + number);
    let of = PlanEndpoint {
        address: text.clone(),
        scheme: UpstreamScheme::Http,
        ordinal: 0,
        weight,
        max_connections,
        backup,
        down: false,
        url: format!("http://{text}"),
        rest: None,
    };
    let rest = Rest { failures: 1, window_ms: 10_000, rest_ms, spare_single: false, early_ms: 1_000 };
    Seat::new(Endpoint::new(Address::parse(&text).unwrap(), &of, rest), &of, 0)
}

fn balancer(strategy: Strategy, all: &[Of]) -> Balancer {
    Balancer::new(strategy, 1, all.iter().enumerate().map(|(at, of)| seat(at, *of, 60_000)).collect())
}

fn asking(client: u32, random: u64, tried: &[u64]) -> Asking<'_> {
    Asking { client: std::net::Ipv4Addr::from(client).into(), key: &[], random, tried }
}

/// Ports of what was picked, 0 being the first endpoint.
fn at(picked: &InFlight) -> usize {
    match picked.address {
        Address::Ip(address) => usize::from(address.port()) - 9000,
        _ => unreachable!("made from an address"),
    }
}

fn order(balancer: &Balancer, count: usize) -> Vec<usize> {
    (0..count).map(|_| at(&balancer.pick(&asking(1, 0, &[])).unwrap())).collect()
}

#[test]
fn equal_weights_come_in_order() {
    assert_eq!(order(&balancer(Strategy::RoundRobin, &[PLAIN; 3]), 7), [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn weights_are_spread_smoothly() {
    // nginx's own example.
    let weighted = balancer(Strategy::RoundRobin, &[(5, 0, false), (1, 0, false), (1, 0, false)]);
    assert_eq!(order(&weighted, 14), [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn weight_zero_and_down_are_never_picked() {
    let mut seats: Vec<_> = [(0, 0, false), PLAIN, PLAIN].iter().enumerate().map(|(n, of)| seat(n, *of, 1)).collect();
    seats[2].down = true;
    for strategy in [Strategy::RoundRobin, Strategy::LeastConnections, Strategy::IpHash, Strategy::PowerOfTwo] {
        assert_eq!(order(&Balancer::new(strategy, 1, seats.clone()), 5), [1; 5]);
    }
}

#[test]
fn what_was_tried_is_not_picked_again() {
    let three = balancer(Strategy::RoundRobin, &[PLAIN; 3]);
    let mut tried = Vec::new();
    while let Some(picked) = three.pick(&asking(1, 0, &tried)) {
        tried.push(picked.key);
    }
    assert_eq!(tried.len(), 3);
}

#[test]
fn least_connections_takes_ties_in_order() {
    let three = balancer(Strategy::LeastConnections, &[PLAIN; 3]);
    let held: Vec<_> = (0..6).map(|_| three.pick(&asking(1, 0, &[])).unwrap()).collect();
    assert_eq!(held.iter().map(at).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    let mut held = held;
    drop(held.remove(4));
    assert_eq!(at(&three.pick(&asking(1, 0, &[])).unwrap()), 1);
}

#[test]
fn least_connections_counts_by_weight() {
    let two = balancer(Strategy::LeastConnections, &[(2, 0, false), PLAIN]);
    let held: Vec<_> = (0..6).map(|_| two.pick(&asking(1, 0, &[])).unwrap()).collect();
    assert_eq!(held.iter().filter(|p| at(p) == 0).count(), 4);
}

#[test]
fn power_of_two_takes_the_emptier_of_any_two() {
    let three = balancer(Strategy::PowerOfTwo, &[PLAIN; 3]);
    let endpoints = three.endpoints();
    let _held: Vec<_> = (0..5).map(|_| InFlight::new(Arc::clone(&endpoints[0]))).collect();
    for random in 0..1000u64 {
        // Of any two of three the loaded one never wins.
        assert_ne!(at(&three.pick(&asking(1, random << 32 | random, &[])).unwrap()), 0);
    }
    let one = balancer(Strategy::PowerOfTwo, &[PLAIN]);
    assert_eq!(order(&one, 3), [0; 3]);
}

#[test]
fn rendezvous_moves_only_the_clients_of_who_leaves() {
    let five: Vec<_> = (0..5).map(|n| seat(n, PLAIN, 1)).collect();
    let four: Vec<_> = five.iter().filter(|s| s.endpoint.address_text() != "127.0.0.1:9002").cloned().collect();
    let (before, after) = (Balancer::new(Strategy::IpHash, 1, five), Balancer::new(Strategy::IpHash, 1, four));
    let mut shares = BTreeMap::new();
    for client in 0..5_000 {
        let was = at(&before.pick(&asking(client, 0, &[])).unwrap());
        let is = at(&after.pick(&asking(client, 0, &[])).unwrap());
        assert!(was == 2 || was == is, "client {client} moved from {was} to {is}");
        assert_eq!(was, at(&before.pick(&asking(client, 7, &[])).unwrap()));
        *shares.entry(was).or_insert(0) += 1;
    }
    assert!(shares.values().all(|n| (800..1200).contains(n)), "{shares:?}");
}

#[test]
fn rendezvous_follows_weights_and_takes_mapped_addresses_for_the_same() {
    let two = balancer(Strategy::IpHash, &[(3, 0, false), PLAIN]);
    let first = (0..4_000).filter(|&client| at(&two.pick(&asking(client, 0, &[])).unwrap()) == 0).count();
    assert!((2_800..3_200).contains(&first), "{first}");
    let mapped = Asking { client: "::ffff:0.0.0.9".parse().unwrap(), key: &[], random: 0, tried: &[] };
    assert_eq!(at(&two.pick(&mapped).unwrap()), at(&two.pick(&asking(9, 0, &[])).unwrap()));
}

#[test]
fn a_backup_serves_when_no_other_can() {
    let two = balancer(Strategy::RoundRobin, &[(1, 1, false), (1, 0, true)]);
    let held = two.pick(&asking(1, 0, &[])).unwrap();
    assert_eq!(at(&held), 0);
    assert_eq!(order(&two, 2), [1, 1]);
    drop(held);
    assert_eq!(order(&two, 2), [0, 0]);
}

#[test]
fn one_that_failed_rests_and_is_tried_by_one() {
    let seats = vec![seat(0, PLAIN, 0), seat(1, PLAIN, 60_000)];
    let two = Balancer::new(Strategy::RoundRobin, 1, seats);
    let endpoints = two.endpoints();
    assert_eq!(endpoints[1].failed(false), endpoint::Change::Down);
    assert_eq!(order(&two, 3), [0; 3]);
    assert!(endpoints[1].is_resting());
    // A rest of nothing is over at once.
    assert_eq!(endpoints[0].failed(false), endpoint::Change::Down);
    let tried = two.pick(&asking(1, 0, &[])).unwrap();
    assert_eq!(at(&tried), 0);
    assert_eq!(tried.answered(), endpoint::Change::Up);
    assert!(!endpoints[0].is_resting());
    assert_eq!(tried.answered(), endpoint::Change::None);
}

#[test]
fn all_at_rest_is_nobody_at_once() {
    let two = balancer(Strategy::RoundRobin, &[PLAIN; 2]);
    assert!(two.endpoints().iter().all(|e| e.failed(false) == endpoint::Change::Down));
    assert!(two.pick(&asking(1, 0, &[])).is_none());
}

#[test]
fn newer_endpoints_replace_older_ones() {
    let one = balancer(Strategy::RoundRobin, &[PLAIN]);
    let gone = Arc::clone(&one.endpoints()[0]);
    assert!(!one.replace(1, vec![seat(1, PLAIN, 1)]));
    assert!(one.newer_than(1).is_none());
    assert!(one.replace(2, vec![seat(1, PLAIN, 1)]));
    assert!(gone.removed.load(Ordering::Relaxed));
    assert_eq!(one.newer_than(1).unwrap().0, 2);
    assert_eq!(order(&one, 2), [1, 1]);
}

#[test]
fn picks_are_exact_over_threads() {
    let three = balancer(Strategy::RoundRobin, &[(3, 0, false), (2, 0, false), PLAIN]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..3_000).for_each(|_| drop(three.pick(&asking(1, 0, &[])))));
        }
    });
    let counts: Vec<_> = three.endpoints().iter().map(|e| e.requests.load(Ordering::Relaxed)).collect();
    assert_eq!(counts, [6_000, 4_000, 2_000]);
    assert!(three.endpoints().iter().all(|e| e.in_flight() == 0));
}

#[test]
fn a_limit_is_exact_over_threads() {
    let one = balancer(Strategy::LeastConnections, &[(1, 3, false), (1, 2, false)]);
    let most = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3_000 {
                    let held: Vec<_> = (0..3).filter_map(|_| one.pick(&asking(1, 0, &[]))).collect();
                    let flights: Vec<_> = one.endpoints().iter().map(|e| e.in_flight()).collect();
                    assert!(flights[0] <= 3 && flights[1] <= 2, "{flights:?}");
                    most.fetch_max(flights[0] + flights[1], Ordering::Relaxed);
                    drop(held);
                }
            });
        }
    });
    assert!(most.load(Ordering::Relaxed) >= 3);
}

#[test]
fn addresses_are_read() {
    let name = |host: &str, port| Some(Address::Name { host: host.to_owned(), port });
    assert_eq!(Address::parse("app:80"), name("app", 80));
    assert_eq!(Address::parse("[::1]:80"), Some(Address::Ip("[::1]:80".parse().unwrap())));
    assert_eq!(Address::parse("unix:/run/app.sock"), Some(Address::Unix("/run/app.sock".to_owned())));
    for bad in ["", "app", "app:", ":80", "app:65536", "::1:80", "a b:80", "a/b:80", "unix:"] {
        assert_eq!(Address::parse(bad), None, "{bad}");
    }
}
