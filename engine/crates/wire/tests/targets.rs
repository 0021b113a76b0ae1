//! Request targets: their forms, and paths and queries as they go on.
#![allow(clippy::unwrap_used)]

use wire::target::{
    encode_path, is_target, matching_form, normalise_path, normalise_query, quote_argument, quote_location, split,
    Parts, Policy, Semicolons,
};
use wire::Refusal;

const TRAEFIK: Policy = Policy {
    decode: false,
    merge_slashes: true,
    resolve_dots: true,
    refuse_above_root: false,
    refuse_fragment: true,
    semicolons: Semicolons::Ampersand,
};
const NGINX: Policy =
    Policy { decode: true, refuse_above_root: true, refuse_fragment: false, semicolons: Semicolons::Keep, ..TRAEFIK };
const RAW: Policy = Policy { merge_slashes: false, resolve_dots: false, refuse_fragment: false, ..TRAEFIK };

fn path(text: &str, policy: &Policy) -> Result<String, Refusal> {
    let mut out = b"left over".to_vec();
    normalise_path(text.as_bytes(), policy, &mut out)?;
    Ok(out.iter().map(|&b| char::from(b)).collect())
}

/// COMPAT.md (run): `/aa/%7Ex//y` reaches the backend as `/aa/~x/y`; reserved escapes stay, upper-cased.
#[test]
fn traefik() {
    for (from, to) in [
        ("/aa/%7Ex//y", "/aa/~x/y"),
        ("/a%2fb", "/a%2Fb"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/../x", "/x"),
        ("/a/.", "/a/"),
        ("/a//", "/a/"),
        ("//", "/"),
        ("/", "/"),
        ("/.hidden", "/.hidden"),
        ("/a/%2e%2e/b", "/b"),
        ("/x.y/", "/x.y/"),
    ] {
        assert_eq!(path(from, &TRAEFIK).unwrap(), to, "{from}");
    }
    assert!(path("/a%zz", &TRAEFIK).is_err());
    assert!(path("/a%4", &TRAEFIK).is_err());
    assert!(path("/a#b", &TRAEFIK).is_err());
}

/// COMPAT.md (run): `/b/z%2Fw//k` is `/b/z/w/k` to nginx; above the root and NUL are refused.
#[test]
fn nginx() {
    assert_eq!(path("/b/z%2Fw//k", &NGINX).unwrap(), "/b/z/w/k");
    assert!(path("/../x", &NGINX).is_err());
    assert!(path("/a%00", &NGINX).is_err());
}

/// Rules see everything decoded but reserved characters.
#[test]
fn matching_of_paths() {
    assert_eq!(matching_form(b"/plain"), None);
    assert_eq!(matching_form(b"/%C3%A9%2F%25").unwrap(), "/é%2F%25".as_bytes());
}

/// The four forms of RFC 9112 section 3.2.
#[test]
fn forms() {
    let absolute = split(b"GET", b"HTTP://ex.org:81/a?b").unwrap();
    assert_eq!(absolute, Parts { authority: Some(b"ex.org:81"), path: b"/a", query: Some(b"b") });
    assert_eq!(split(b"GET", b"http://ex.org?b").unwrap().path, b"/");
    assert_eq!(split(b"OPTIONS", b"*").unwrap().path, b"*");
    assert!(matches!(split(b"GET", b"*"), Err(Refusal::Malformed(_))));
    assert!(matches!(split(b"GET", b"http://u@ex.org/"), Err(Refusal::Malformed(_))));
    assert!(matches!(split(b"GET", b"ex.org"), Err(Refusal::Malformed(_))));
    assert!(matches!(split(b"CONNECT", b"ex.org:1"), Err(Refusal::NotImplemented(_))));
}

/// COMPAT.md (run): `q=1;2` goes on as `q=1&2` in Traefik's language.
#[test]
fn semicolons_of_traefik() {
    let mut out = Vec::new();
    normalise_query(b"q=1;2", &TRAEFIK, &mut out).unwrap();
    assert_eq!(out, b"q=1&2");
}

/// RFC 9112 section 3.2.4: absolute-form of OPTIONS without path and query goes on as `*`, of others as `/`.
#[test]
fn empty_path() {
    for (method, target, path) in [
        ("OPTIONS", "http://ex.org:8001", "*"),
        ("OPTIONS", "http://ex.org/", "/"),
        ("OPTIONS", "http://ex.org?q", "/"),
        ("OPTIONS", "http://ex.org?", "/"),
        ("GET", "http://ex.org", "/"),
        ("options", "http://ex.org", "/"),
    ] {
        assert_eq!(split(method.as_bytes(), target.as_bytes()).unwrap().path, path.as_bytes(), "{method} {target}");
    }
}

/// Absolute-form is cut at the first `/`, `?` or `#`; everything else in it must be a host and a port.
#[test]
fn absolute() {
    let parts = |authority, path, query| Parts { authority: Some(authority), path, query };
    for (target, expected) in [
        ("http://a", parts(&b"a"[..], &b"/"[..], None)),
        ("https://a:443/b//c?d?e", parts(b"a:443", b"/b//c", Some(b"d?e"))),
        ("hTTp://[::1]:8/", parts(b"[::1]:8", b"/", None)),
        ("http://a?b/c", parts(b"a", b"/", Some(b"b/c"))),
        ("http://a/?", parts(b"a", b"/", Some(b""))),
    ] {
        assert_eq!(split(b"GET", target.as_bytes()).unwrap(), expected, "{target}");
    }
    for target in [
        "http://",
        "http:///a",
        "http://?a",
        "http://u:p@a/",
        "http://a:b/",
        "http://a\\b/",
        "http://a:80:80/",
        "http:/a",
        "http:a",
        "ftp://a/",
        "//a",
        "a",
        "",
        "?",
        "#",
        "*a",
    ] {
        let refused = matches!(split(b"GET", target.as_bytes()), Err(Refusal::Malformed(_)));
        assert_eq!(refused, target != "//a", "{target:?}");
    }
}

/// A `?` behind a `#` begins no query: the fragment reaches to the end.
#[test]
fn fragments() {
    for target in ["/a#b?c", "http://h/a#b?c"] {
        let parts = split(b"GET", target.as_bytes()).unwrap();
        assert_eq!(parts.query, None, "{target}");
        let text = String::from_utf8(parts.path.to_vec()).unwrap();
        assert_eq!(path(&text, &NGINX).unwrap(), "/a");
        assert!(path(&text, &TRAEFIK).is_err());
    }
    for policy in [NGINX, RAW] {
        let parts = split(b"GET", b"http://h#b").unwrap();
        assert_eq!(path(std::str::from_utf8(parts.path).unwrap(), &policy).unwrap(), "/");
        let mut out = Vec::new();
        normalise_query(b"a#b", &policy, &mut out).unwrap();
        assert_eq!(out, b"a");
    }
    assert!(normalise_query(b"a#b", &TRAEFIK, &mut Vec::new()).is_err());
}

/// RFC 3986 section 5.2.4, and escapes that hide dots and slashes.
#[test]
fn dots() {
    for (from, traefik, nginx) in [
        ("/a/b/../../c", Some("/c"), Some("/c")),
        ("/a/b/..", Some("/a/"), Some("/a/")),
        ("/a/b/../", Some("/a/"), Some("/a/")),
        ("/./././", Some("/"), Some("/")),
        ("/...", Some("/..."), Some("/...")),
        ("/a/..b/.c./d", Some("/a/..b/.c./d"), Some("/a/..b/.c./d")),
        ("/a/%2E%2e/b", Some("/b"), Some("/b")),
        ("/a/.%2e/b", Some("/b"), Some("/b")),
        ("/a%2f..%2fb", Some("/a%2F..%2Fb"), Some("/b")),
        ("/a/..%2fb", Some("/a/..%2Fb"), Some("/b")),
        ("/..", Some("/"), None),
        ("/a/../../b", Some("/b"), None),
        ("/%2e%2e/b", Some("/b"), None),
        ("//../b", Some("/b"), None),
        ("/a///b", Some("/a/b"), Some("/a/b")),
        ("/a//../b", Some("/b"), Some("/b")),
        ("/a%252e", Some("/a%252e"), Some("/a%2e")),
        ("/a%00", Some("/a%00"), None),
        ("/a%0d%0ab", Some("/a%0D%0Ab"), Some("/a\r\nb")),
        ("/a%3fb%23c", Some("/a%3Fb%23c"), Some("/a?b#c")),
        ("/a;b=c", Some("/a;b=c"), Some("/a;b=c")),
    ] {
        assert_eq!(path(from, &TRAEFIK).ok().as_deref(), traefik, "Traefik {from}");
        assert_eq!(path(from, &NGINX).ok().as_deref(), nginx, "nginx {from}");
    }
}

/// Without merging and resolving, a path stays as it is but for its escapes.
#[test]
fn raw() {
    for (from, to) in [("/a//b/../c", "/a//b/../c"), ("/%7e/%2f", "/~/%2F"), ("/", "/")] {
        assert_eq!(path(from, &RAW).unwrap(), to);
    }
}

/// A second normalisation changes nothing where nothing is decoded: `%25` stays.
#[test]
fn stable() {
    for text in ["/a%25%32%65/../b", "/%2e%2E//c", "/a/b/../../..", "/%7e%7E", "/.%2e"] {
        let once = path(text, &TRAEFIK).unwrap();
        assert_eq!(path(&once, &TRAEFIK).unwrap(), once, "{text}");
    }
}

/// What is decoded is encoded again for a request line: nothing in it ends the line or the path.
#[test]
fn encoded() {
    let all: Vec<u8> = (0..=255).collect();
    let mut out = Vec::new();
    encode_path(&all, &mut out);
    assert!(is_target(&out));
    assert!(!out.iter().any(|b| b"?# \r\n\"<>".contains(b)));
    let mut back = Vec::new();
    let policy = Policy { decode: true, ..RAW };
    normalise_path(&out[3..], &policy, &mut back).unwrap();
    assert_eq!(back, all[1..]);
}

/// A request line takes no control character, no space and nothing empty.
#[test]
fn targets() {
    for (text, is) in [("/", true), ("*", true), ("/\u{e9}", true), ("", false), ("/ ", false), ("/a\r\nb", false)] {
        assert_eq!(is_target(text.as_bytes()), is, "{text:?}");
    }
    assert!(!is_target(b"/\x7f") && !is_target(b"/\t") && !is_target(b"/\0"));
}

/// Rules see reserved characters encoded, everything else decoded; what is no escape stays.
#[test]
fn matching() {
    for (from, to) in [("/%20%41", "/ A"), ("/%2F%3a%5B", "/%2F%3a%5B"), ("/%zz%4", "/%zz%4"), ("/%25%32", "/%252")] {
        assert_eq!(matching_form(from.as_bytes()).unwrap(), to.as_bytes(), "{from}");
    }
}

/// Semicolons in a query: kept, a separator, or encoded.
#[test]
fn semicolons() {
    for (semicolons, to) in
        [(Semicolons::Keep, "a;b&c"), (Semicolons::Ampersand, "a&b&c"), (Semicolons::Encode, "a%3Bb&c")]
    {
        let mut out = Vec::new();
        normalise_query(b"a;b&c", &Policy { semicolons, ..TRAEFIK }, &mut out).unwrap();
        assert_eq!(out, to.as_bytes());
    }
}

/// What is taken out of a path ends neither an argument nor a location, as nginx quotes it.
#[test]
fn quoted() {
    let from = b"a b&c+d?e%f#g\"/\x01\x7f\xc3";
    for (quote, to) in [
        (quote_argument as fn(&[u8], &mut Vec<u8>), "a%20b%26c%2Bd%3Fe%25f%23g\"/%01%7F%C3"),
        (quote_location, "a%20b&c+d?e%25f%23g\"/%01%7F%C3"),
    ] {
        let mut out = Vec::new();
        quote(from, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), to);
    }
}
