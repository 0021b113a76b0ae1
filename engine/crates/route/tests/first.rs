//! Ordered rules from outside: priority over hosts, captures, explanation, errors, and that nothing but the
//! candidates is tried.

use daemun_route::{Captures, Compiled, Found, Outcome, Problem, Request, TableIndex};
use plan::matching::{Dialect, Match, Pattern};
use plan::table::{Rule, Table};

fn rule(route: &str, matches: Match) -> Rule {
    Rule { matches, route: route.into() }
}

fn regex(regex: &str, slot: Option<u16>) -> Pattern {
    Pattern { regex: regex.into(), dialect: Dialect::Re2, ignore_case: false, slot }
}

fn index(rules: Vec<Rule>) -> TableIndex {
    TableIndex::build(&Table::First(rules)).expect("the table is right")
}

fn find<'a>(index: &'a TableIndex, request: &Request, captures: &mut Captures) -> Option<&'a str> {
    match index.find(request, captures) {
        Found::Route(route) => index.routes().get(route as usize).map(String::as_str),
        _ => None,
    }
}

/// Rules enough for an index, all for other hosts.
fn others(count: usize) -> impl Iterator<Item = Rule> {
    (0..count).map(|at| rule(&format!("other-{at}"), Match::Host(format!("other{at}.org"))))
}

#[test]
fn a_path_before_a_host_wins() {
    let mut rules = vec![rule("path", Match::PathPrefix("/longer".into())), rule("host", Match::Host("a.org".into()))];
    rules.extend(others(20));
    let index = index(rules);
    assert_eq!(find(&index, &Request::get("a.org", "/longer/x"), &mut Captures::new()), Some("path"));
    assert_eq!(find(&index, &Request::get("a.org", "/"), &mut Captures::new()), Some("host"));
    assert_eq!(find(&index, &Request::get("b.org", "/"), &mut Captures::new()), None);
    assert_eq!(index.named("path"), None);
}

#[test]
fn only_the_winner_writes_slots() {
    let path = |pattern: &str, slot| Match::PathRegex(regex(pattern, Some(slot)));
    let index = index(vec![
        rule("fails", Match::All(vec![path("^/(a)", 0), Match::Tls(true)])),
        rule(
            "wins",
            Match::Any(vec![
                Match::All(vec![path("^/(.)", 1), Match::Tls(true)]),
                Match::All(vec![path("^/(?P<x>..)", 2), Match::Not(Box::new(path("^/(b)", 3)))]),
            ]),
        ),
    ]);
    let mut captures = Captures::new();
    assert_eq!(find(&index, &Request::get("", "/abc"), &mut captures), Some("wins"));
    assert_eq!((0..4).map(|slot| captures.group(slot, 1)).collect::<Vec<_>>(), [None, None, Some(&b"ab"[..]), None]);
    assert_eq!(captures.named(2, "x"), Some(&b"ab"[..]));
    let mut captures = Captures::new();
    assert_eq!(find(&index, &Request::get("", "/b"), &mut captures), None);
    assert!(captures.is_empty());
}

#[test]
fn a_request_asks_only_its_candidates() {
    let mut rules: Vec<Rule> = others(10_000).collect();
    rules.extend((0..200).map(|at| rule("regex", Match::HostRegex(regex(&format!(r"^[a-z]+-t{at}-\.org$"), None)))));
    rules.extend((0..5_000).map(|at| {
        let parts = vec![Match::Host("same.org".into()), Match::PathPrefix(format!("/p{at}/"))];
        rule(&format!("same-{at}"), Match::All(parts))
    }));
    rules.push(rule("last", Match::Always));
    let index = index(rules);
    for (host, path, route, tried) in [
        ("other77.org", "/", "other-77", 1),
        ("same.org", "/p4321/x", "same-4321", 1),
        ("same.org", "/p4321", "last", 1),
        ("x-t17-.org", "/", "regex", 1),
        ("nobody", "/", "last", 1),
    ] {
        let told = index.explain(&Request::get(host, path));
        assert_eq!(told.outcome, Outcome::Route(route.into()), "{host}{path}");
        assert_eq!(told.tried.len(), tried, "{host}{path}: {:?}", told.tried);
    }
}

#[test]
fn explain_names_the_part_that_failed() {
    let index = index(vec![
        rule("post", Match::All(vec![Match::Host("a.org".into()), Match::Method("POST".into())])),
        rule("deep", Match::Not(Box::new(Match::Any(vec![Match::Host("a.org".into()), Match::Tls(true)])))),
        rule("a", Match::HostOneLabel(".org".into())),
    ]);
    let told = index.explain(&Request::get("a.org", "/"));
    let why: Vec<&str> = told.tried.iter().map(|step| step.why.as_str()).collect();
    assert_eq!(
        why,
        ["Method(`POST`) does not hold", "!(Tls || Host(`a.org`)) does not hold", "the first rule that matches"]
    );
    assert_eq!(told.outcome, Outcome::Route("a".into()));
    assert_eq!(index.explain(&Request::get("a.b", "/")).outcome, Outcome::Route("deep".into()));
}

#[test]
fn every_error_names_its_route() {
    let wrong = vec![
        rule("a", Match::All(vec![Match::HostRegex(regex("(", None)), Match::PathRegex(regex("[", None))])),
        rule("b", Match::Always),
        rule("c", Match::Not(Box::new(Match::ClientIp(vec!["10.0.0.0/33".into()])))),
    ];
    let errors = TableIndex::build(&Table::First(wrong)).expect_err("three are wrong");
    assert_eq!(errors.iter().map(|error| error.id.as_str()).collect::<Vec<_>>(), ["a", "a", "c"]);
    assert_eq!(errors[2].problem, Problem::Network { text: "10.0.0.0/33".into() });
    assert_eq!(errors[2].to_string(), "c: `10.0.0.0/33` is neither an address nor a CIDR");
}

#[test]
fn a_condition_runs_alone() {
    let condition = Compiled::new(&Match::Query { key: "a".into(), value: "x y".into() }).expect("it is right");
    let mut request = Request::get("", "/");
    assert_eq!(condition.matches(&request), Ok(false));
    request.query = b"a=x+y".to_vec();
    assert_eq!(condition.matches(&request), Ok(true));
    assert_eq!(condition.to_string(), "Query(`a`, `x y`)");
}
