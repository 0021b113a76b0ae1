//! What a look-up costs, by the size and the kind of the table. Run it with
//! `cargo run --release -p daemun-route --example route_cost`; nanoseconds, the median of nine rounds.

use std::hint::black_box;
use std::time::Instant;

use daemun_route::{Captures, Found, Request, TableIndex};
use plan::matching::{Dialect, Match, Pattern};
use plan::table::{Rule, Table};

const ROUTES: usize = 10_000;
const LOOKUPS: usize = 100_000;

fn host_and_prefix(host: String, prefix: String) -> Match {
    Match::All(vec![Match::Host(host), Match::PathPrefix(prefix)])
}

fn host_regex(regex: String) -> Match {
    Match::HostRegex(Pattern { regex, dialect: Dialect::Re2, ignore_case: false, slot: None })
}

fn mix(at: usize) -> Match {
    match at % 50 {
        // 200 of 10,000.
        0 => host_regex(format!(r"^[a-z]+-t{at}\.example\.(com|org)$")),
        1..=5 => Match::Any(vec![
            host_and_prefix(format!("a{at}.example.com"), "/app".into()),
            Match::Host(format!("b{at}.example.com")),
        ]),
        6..=10 => Match::All(vec![
            Match::Host(format!("h{at}.example.com")),
            Match::Not(Box::new(Match::PathPrefix("/private".into()))),
            Match::Header { name: "x-version".into(), value: "2".into() },
        ]),
        11..=15 => Match::All(vec![
            Match::PathPrefix(format!("/query{at}")),
            Match::Query { key: "kind".into(), value: format!("v{at}") },
        ]),
        _ => host_and_prefix(format!("h{at}.example.com"), "/app".into()),
    }
}

fn table(count: usize, rule: impl Fn(usize) -> Match) -> Option<TableIndex> {
    let rules = (0..count).map(|at| Rule { matches: rule(at), route: format!("route-{at}") }).collect();
    let start = Instant::now();
    let index = TableIndex::build(&Table::First(rules)).map_err(|errors| eprintln!("{errors:?}")).ok();
    eprintln!("  {count} rules indexed in {:?}", start.elapsed());
    index
}

/// Nanoseconds for one look-up, asking `requests` in turn.
fn measure(index: &TableIndex, requests: &[Request]) -> f64 {
    let mut rounds: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            for request in requests.iter().cycle().take(LOOKUPS) {
                let found = index.find(black_box(request), &mut Captures::new());
                assert!(matches!(black_box(found), Found::Route(_)), "{request:?}");
            }
            start.elapsed().as_nanos() as f64 / LOOKUPS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn main() {
    let distinct = |at: usize| host_and_prefix(format!("h{at}.example.com"), "/app".into());
    let same = |at: usize| host_and_prefix("www.example.com".into(), format!("/app{at}/"));
    let spread = |make: &dyn Fn(usize) -> Request| -> Vec<Request> { (0..64).map(|at| make(20 + at * 150)).collect() };
    let cases: [(&str, Option<TableIndex>, Vec<Request>); 6] = [
        ("1 rule", table(1, distinct), vec![Request::get("h0.example.com", "/app/x")]),
        ("10 rules, distinct hosts", table(10, distinct), vec![Request::get("h7.example.com", "/app/x")]),
        (
            "10,000 rules, distinct hosts",
            table(ROUTES, distinct),
            spread(&|at| Request::get(&format!("h{at}.example.com"), "/app/x")),
        ),
        (
            "10,000 rules, one host",
            table(ROUTES, same),
            spread(&|at| Request::get("www.example.com", &format!("/app{at}/x"))),
        ),
        (
            "mix, a Host && PathPrefix rule wins",
            table(ROUTES, mix),
            spread(&|at| Request::get(&format!("h{at}.example.com"), "/app/x")),
        ),
        (
            "mix, a HostRegexp rule wins",
            table(ROUTES, mix),
            spread(&|at| Request::get(&format!("tenant-t{}.example.com", at / 50 * 50), "/app/x")),
        ),
    ];
    for (name, index, requests) in cases {
        if let Some(index) = index {
            println!("{name:40} {:8.1} ns", measure(&index, &requests));
        }
    }
}
