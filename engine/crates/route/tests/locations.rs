//! nginx's locations: the examples of its documentation, nesting, redirects and captures.
//!
//! Each table is written as nginx would: `= /x`, `/x`, `^~ /x`, `~ re`, `~* re`, `/x/ 301` (wants its slash).
//! The route is named as the location is written; nested levels are indented below.

use daemun_route::{Captures, Found, Outcome, Request, TableIndex};
use plan::matching::{Dialect, Pattern};
use plan::table::{Exact, Locations, Named, Prefix, Regex, Table};

fn empty() -> Locations {
    Locations { exact: vec![], prefixes: vec![], regexes: vec![], named: vec![], otherwise: None }
}

/// Reads an indented list of locations.
fn level(lines: &[&str]) -> Locations {
    let mut out = empty();
    let mut rest = lines;
    while let Some((line, after)) = rest.split_first() {
        let nested = after.iter().take_while(|line| line.starts_with("  ")).count();
        let inner: Vec<&str> = after[..nested].iter().map(|line| &line[2..]).collect();
        rest = &after[nested..];
        let children = (nested > 0).then(|| Box::new(level(&inner)));
        let route = (*line).to_owned();
        let (sign, name) = line.split_once(' ').unwrap_or(("", line));
        match sign {
            "=" => out.exact.push(Exact { path: name.into(), route }),
            "@" => out.named.push(Named { name: name.into(), route }),
            "~" | "~*" => {
                let (regex, slot) = (name.to_owned(), Some(0));
                let pattern = Pattern { regex, dialect: Dialect::Pcre, ignore_case: sign == "~*", slot };
                out.regexes.push(Regex { pattern, route, children });
            }
            _ => {
                let redirect_without_slash = line.ends_with(" 301");
                let path = line.trim_start_matches("^~ ").trim_end_matches(" 301").to_owned();
                out.prefixes.push(Prefix { path, stop: sign == "^~", route, redirect_without_slash, children });
            }
        }
    }
    out
}

fn index(lines: &[&str]) -> TableIndex {
    TableIndex::build(&Table::Locations(level(lines))).expect("the table is right")
}

fn find(index: &TableIndex, path: &str) -> String {
    match index.find(&Request::get("", path), &mut Captures::new()) {
        Found::Route(route) => index.routes()[route as usize].clone(),
        Found::RedirectSlash { location, .. } => format!("301 {location}"),
        Found::Nothing => "nothing".into(),
        Found::StepLimit { pattern } => format!("limit {pattern}"),
    }
}

fn check(lines: &[&str], cases: &[(&str, &str)]) {
    let index = index(lines);
    for (path, expected) in cases {
        assert_eq!(find(&index, path), *expected, "{path} in {lines:#?}");
    }
}

#[test]
fn the_documentation_of_nginx() {
    let table = ["= /", "/", "/documents/", "^~ /images/", r"~* \.(gif|jpg|jpeg)$"];
    check(
        &table,
        &[
            ("/", "= /"),
            ("/index.html", "/"),
            ("/documents/document.html", "/documents/"),
            ("/images/1.gif", "^~ /images/"),
            ("/documents/1.jpg", r"~* \.(gif|jpg|jpeg)$"),
            ("/documents/1.JPG", r"~* \.(gif|jpg|jpeg)$"),
        ],
    );
}

#[test]
fn order_and_length() {
    check(
        &["/a", "/a/b", "~ b$", "~ ^/a/b", "~ c"],
        &[
            ("/a/b", "~ b$"),
            ("/a/bx", "~ ^/a/b"),
            ("/a/x", "/a"),
            ("/ax", "/a"),
            ("/c", "~ c"),
            ("/x", "nothing"),
            ("/", "nothing"),
            ("", "nothing"),
        ],
    );
}

#[test]
fn nested_levels_come_before_outer_regexes() {
    let table = ["/", "/app/", "  /app/static/", r"  ~ \.css$", "^~ /raw/", r"  ~ \.php$", r"~ \.php$", "~ static"];
    check(
        &table,
        &[
            ("/app/x.css", r"~ \.css$"),
            ("/app/static/x.css", r"~ \.css$"),
            ("/app/static/x.php", r"~ \.php$"),
            ("/app/static/x", "~ static"),
            ("/app/x", "/app/"),
            ("/x.css", "/"),
            // `^~` skips the regexes beside it, not those within.
            ("/raw/x.php", r"~ \.php$"),
            ("/raw/static", "^~ /raw/"),
        ],
    );
}

#[test]
fn a_nested_stop_does_not_stop_outer_regexes() {
    let table = ["/a/", "  ^~ /a/b/", "  ~ inner", "~ outer"];
    check(
        &table,
        &[("/a/b/inner", "^~ /a/b/"), ("/a/b/outer", "~ outer"), ("/a/inner-outer", "~ inner"), ("/a/b/", "^~ /a/b/")],
    );
}

#[test]
fn a_regex_may_be_refined() {
    let table = ["/", "~ ^/u/", "  = /u/me", "  /u/a", "  ~ z$", "  /u/dir/ 301", "~ z"];
    check(
        &table,
        &[
            ("/u/me", "= /u/me"),
            ("/u/abc", "/u/a"),
            ("/u/xz", "~ z$"),
            ("/u/x", "~ ^/u/"),
            ("/z", "~ z"),
            // Below a regex nginx does not redirect: the location answers.
            ("/u/dir", "/u/dir/ 301"),
        ],
    );
}

#[test]
fn the_missing_slash() {
    check(
        &["/", "/app/ 301", "/both/ 301", "= /both", "/pre/ 301", "/pre", "/no/", "~ app", "/n/", "  /n/app/ 301"],
        &[
            ("/app", "301 /app/"),
            ("/app/", "~ app"),
            ("/ap", "/"),
            ("/both", "= /both"),
            ("/pre", "/pre"),
            ("/pre/x", "/pre/ 301"),
            ("/no", "/"),
            ("/n/app", "301 /n/app/"),
        ],
    );
    check(&["/app/ 301"], &[("/app", "301 /app/"), ("/x", "nothing")]);
}

#[test]
fn captures_are_the_winners() {
    let index = index(&["/", r"~ ^/u/(?<name>\w+)/(x)?"]);
    let mut captures = Captures::new();
    index.find(&Request::get("", "/u/ann/"), &mut captures);
    assert_eq!(captures.named(0, "name"), Some(&b"ann"[..]));
    assert_eq!(captures.group(0, 0), Some(&b"/u/ann/"[..]));
    assert_eq!(captures.group(0, 2), None);
    let mut captures = Captures::new();
    index.find(&Request::get("", "/"), &mut captures);
    assert!(captures.is_empty());
}

#[test]
fn named_and_otherwise() {
    let index = index(&["/", "@ fallback", "/a/", "  @ deep"]);
    let id = |name: &str| index.named(name).map(|route| index.routes()[route as usize].as_str());
    assert_eq!(id("fallback"), Some("@ fallback"));
    assert_eq!(id("deep"), Some("@ deep"));
    assert_eq!(id("none"), None);
    let table = Locations { otherwise: Some("server".into()), ..level(&["/a"]) };
    let index = TableIndex::build(&Table::Locations(table)).expect("the table is right");
    assert_eq!(find(&index, "/b"), "server");
    assert_eq!(find(&index, "/a"), "/a");
}

#[test]
fn a_pattern_that_gives_up_is_no_answer() {
    let index = index(&["/", r"~ ^/(?!x)(a|aa)+\1$"]);
    assert_eq!(find(&index, &format!("/{}!", "a".repeat(60))), r"limit ^/(?!x)(a|aa)+\1$");
}

#[test]
fn explain_tells_the_search() {
    let index = index(&["/", "/api/", r"~ \.php$", r"~* ^/API/V1"]);
    let told = index.explain(&Request::get("", "/api/v1"));
    assert_eq!(told.outcome, Outcome::Route(r"~* ^/API/V1".into()));
    let steps: Vec<(&str, bool, &str)> =
        told.tried.iter().map(|step| (step.condition.as_str(), step.matched, step.why.as_str())).collect();
    assert_eq!(
        steps,
        [
            ("/api/", true, "the longest prefix"),
            (r"~ \.php$", false, "the path does not match"),
            (r"~* ^/API/V1", true, "the first regex that matches"),
        ]
    );
    assert_eq!(told.passed_over, 1);
}

#[test]
fn every_error_names_its_route() {
    let wrong = TableIndex::build(&Table::Locations(level(&["~ (", "/", "  ~ [", "~ ok"])));
    let errors = wrong.expect_err("two patterns are wrong");
    assert_eq!(errors.iter().map(|error| error.id.as_str()).collect::<Vec<_>>(), ["~ [", "~ ("]);
}
