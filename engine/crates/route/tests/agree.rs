//! The index finds what a plain walk over the rules finds, for random rules and requests.
//!
//! The walk is written anew from the Plan's words, not from the crate's code; only patterns are shared. A
//! failure prints its seed; `ROUTE_SEED=<seed> cargo test -p daemun-route --test agree` replays it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use daemun_route::{Captures, CompiledPattern, Found, Request, TableIndex};
use plan::matching::{Dialect, Match, Pattern};
use plan::table::{Rule, Table};

const SETS: u64 = 10_000;
const REQUESTS: usize = 8;

/// SplitMix64: enough for choices, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const HOSTS: &[&str] = &["a.org", "b.org", "x.a.org", "y.a.org", "z.x.a.org", "tenant-7.b.org", "org", "", ".a.org"];
const SUFFIXES: &[&str] = &[".a.org", ".b.org", ".org", ".x.a.org", "org", "."];
const HOST_REGEXES: &[&str] = &[
    r"^x\.",
    r"\.org$",
    r"^tenant-[0-9]+\.b\.org$",
    r"^[a-z]\.org$",
    "^$",
    "a|b",
    r"^(x|y)\.a\.org$",
    "z",
    r"^.+\.a\.",
    "x.a",
];
const PATHS: &[&str] = &["/", "/a", "/ab", "/a/", "/a/b", "/a/b/c", "/abc", "/b", "/b/a", "", "/a/é", "/A"];
const PATH_REGEXES: &[&str] = &["^/a", "b$", "^/(a|b)/", "/a/b", "^/[a-z]+$", "c", "^/a/(b|é)", "", "^/a|b", "a/b|bc"];
const VALUES: &[&str] = &["", "1", "2", "a b"];
const QUERIES: &[&str] = &["", "k", "k=1", "k=2&k=1", "j=1", "k=a+b", "%6b=%31", "k=%zz", "j=1&k=a%20b"];
const NETWORKS: &[&str] = &["10.0.0.0/8", "10.1.0.0/16", "::1", "192.168.0.1"];
const ADDRESSES: &[&str] = &["10.1.2.3", "10.2.0.1", "::ffff:10.9.9.9", "::1", "192.168.0.1", "8.8.8.8"];

fn pattern(random: &mut Random, list: &[&str]) -> Pattern {
    let dialect = if random.below(2) == 0 { Dialect::Re2 } else { Dialect::Pcre };
    Pattern { regex: random.of(list).into(), dialect, ignore_case: random.below(6) == 0, slot: None }
}

fn condition(random: &mut Random, depth: usize) -> Match {
    let choices = if depth == 0 { 14 } else { 22 };
    match random.below(choices) {
        0 | 1 => Match::Host(random.of(HOSTS).into()),
        2 => Match::HostOneLabel(random.of(SUFFIXES).into()),
        3 => Match::HostRegex(pattern(random, HOST_REGEXES)),
        4 => Match::Path(random.of(PATHS).into()),
        5 | 6 => Match::PathPrefix(random.of(PATHS).into()),
        7 => Match::PathRegex(pattern(random, PATH_REGEXES)),
        8 => Match::Header { name: "x-h".into(), value: random.of(VALUES).into() },
        9 => Match::HeaderRegex { name: "x-h".into(), pattern: pattern(random, &["1", "^a", "^$"]) },
        10 => Match::Method(random.of(&["GET", "POST"]).into()),
        11 => match random.below(2) {
            0 => Match::Query { key: "k".into(), value: random.of(VALUES).into() },
            _ => Match::QueryRegex { key: "k".into(), pattern: pattern(random, &["1", "^a b$"]) },
        },
        12 => Match::ClientIp((0..1 + random.below(2)).map(|_| random.of(NETWORKS).into()).collect()),
        13 if random.below(4) == 0 => Match::Always,
        13 => Match::Tls(random.below(2) == 0),
        14..=16 => Match::All(conditions(random, depth - 1)),
        17..=19 => Match::Any(conditions(random, depth - 1)),
        _ => Match::Not(Box::new(condition(random, depth - 1))),
    }
}

fn conditions(random: &mut Random, depth: usize) -> Vec<Match> {
    let count = if random.below(12) == 0 { 0 } else { 1 + random.below(3) };
    (0..count).map(|_| condition(random, depth)).collect()
}

fn request(random: &mut Random) -> Request {
    let mut path = random.of(PATHS).as_bytes().to_vec();
    if random.below(8) == 0 {
        path.push(0xFF);
    }
    Request {
        host: random.of(HOSTS).into(),
        path,
        method: random.of(&["GET", "POST", "get"]).into(),
        headers: (0..random.below(3)).map(|_| ("x-h".into(), random.of(VALUES).into())).collect(),
        query: random.of(QUERIES).into(),
        client_ip: random.of(ADDRESSES).parse::<IpAddr>().expect("an address of the list"),
        tls: random.below(2) == 0,
    }
}

thread_local! {
    /// Compiling costs far more than the rest of the test.
    static COMPILED: RefCell<HashMap<String, CompiledPattern>> = RefCell::default();
}

fn searched(pattern: &Pattern, subject: &[u8]) -> bool {
    COMPILED.with_borrow_mut(|known| {
        let compiled = known
            .entry(format!("{pattern:?}"))
            .or_insert_with(|| CompiledPattern::new(pattern).expect("a pattern of the list"));
        compiled.is_match(subject).expect("no backtracking")
    })
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &tail[2..];
            }
            byte => out.push(*byte),
        }
    }
    Some(out)
}

fn query_values(request: &Request, key: &str) -> Vec<Vec<u8>> {
    let query = String::from_utf8(request.query.clone()).expect("a query of the list");
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let found = pairs.filter(|(name, _)| decoded(name).as_deref() == Some(key.as_bytes()));
    found.filter_map(|(_, value)| decoded(value)).collect()
}

fn holds(matches: &Match, request: &Request) -> bool {
    let header = |name: &str, test: &dyn Fn(&[u8]) -> bool| {
        request.headers.iter().filter(|(known, _)| known == name).any(|(_, value)| test(value))
    };
    match matches {
        Match::Always => true,
        Match::All(parts) => parts.iter().all(|part| holds(part, request)),
        Match::Any(parts) => parts.iter().any(|part| holds(part, request)),
        Match::Not(part) => !holds(part, request),
        Match::Host(host) => request.host == *host,
        Match::HostOneLabel(suffix) => {
            let cut = request.host.len().checked_sub(suffix.len());
            cut.is_some_and(|cut| cut > 0 && request.host[cut..] == **suffix && !request.host[..cut].contains('.'))
        }
        Match::HostRegex(pattern) => searched(pattern, request.host.as_bytes()),
        Match::Path(path) => request.path == path.as_bytes(),
        Match::PathPrefix(prefix) => request.path.starts_with(prefix.as_bytes()),
        Match::PathRegex(pattern) => searched(pattern, &request.path),
        Match::Header { name, value } => header(name, &|found| found == value.as_bytes()),
        Match::HeaderRegex { name, pattern } => header(name, &|found| searched(pattern, found)),
        Match::Method(method) => request.method == method.as_bytes(),
        Match::Query { key, value } => query_values(request, key).iter().any(|found| found == value.as_bytes()),
        Match::QueryRegex { key, pattern } => query_values(request, key).iter().any(|found| searched(pattern, found)),
        Match::ClientIp(networks) => networks.iter().any(|network| {
            let octets = match request.client_ip.to_canonical() {
                IpAddr::V4(address) => address.octets(),
                IpAddr::V6(address) => return network == "::1" && address.is_loopback(),
            };
            match network.as_str() {
                "10.0.0.0/8" => octets[0] == 10,
                "10.1.0.0/16" => octets[..2] == [10, 1],
                "192.168.0.1" => octets == [192, 168, 0, 1],
                _ => false,
            }
        }),
        Match::Tls(tls) => request.tls == *tls,
    }
}

fn agree(seed: u64) {
    let random = &mut Random(seed);
    let count = 1 + random.below(if seed % 8 == 0 { 60 } else { 16 });
    let mut rules: Vec<Rule> = Vec::new();
    for at in 0..count {
        let again = random.below(10) == 0 && at > 0;
        let matches = if again { rules[random.below(at)].matches.clone() } else { condition(random, 3) };
        rules.push(Rule { matches, route: at.to_string() });
    }
    let table = Table::First(rules.clone());
    let index = TableIndex::build(&table).unwrap_or_else(|errors| panic!("ROUTE_SEED={seed}: {errors:?}"));
    for _ in 0..REQUESTS {
        let request = request(random);
        let walked = rules.iter().find(|rule| holds(&rule.matches, &request)).map(|rule| rule.route.as_str());
        let found = match index.find(&request, &mut Captures::new()) {
            Found::Route(route) => Some(index.routes()[route as usize].as_str()),
            Found::Nothing => None,
            other => panic!("ROUTE_SEED={seed}: {other:?}"),
        };
        assert_eq!(found, walked, "ROUTE_SEED={seed}\n{request:?}\n{rules:#?}\n{:#?}", index.explain(&request));
    }
}

#[test]
fn index_and_walk_agree() {
    if let Ok(seed) = std::env::var("ROUTE_SEED") {
        return agree(seed.parse().expect("ROUTE_SEED is a number"));
    }
    let start = 0;
    println!("seeds {start} to {}", start + SETS);
    (start..start + SETS).for_each(agree);
}
