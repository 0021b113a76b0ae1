//! Request heads: what is accepted and in which form it goes on, what is refused and how (issue "The gate opens",
//! section "The engine"). Every case is fed whole, in two parts and byte by byte.
#![allow(clippy::unwrap_used)]

mod feed;

use feed::{every_way, text, LIMITS, TOLERANT};
use wire::framing::{self, Framing};
use wire::head::Head;
use wire::request::{parse, valid_host};
use wire::{HeadLimits, Refusal};

/// The framing of an accepted head, or why it or its framing is refused.
fn judge(input: &[u8], limits: &HeadLimits) -> Result<Framing, Refusal> {
    every_way(parse, input, limits)?.unwrap_or_else(|| panic!("a whole head was not taken: {:?}", text(input)));
    let mut head = Head::default();
    parse(&mut head, input, 0, limits)?;
    framing::of_request(&head)
}

fn kind(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed(_) => "400",
        Refusal::TargetTooLong => "414",
        Refusal::HeadTooLarge => "431",
        Refusal::NotImplemented(_) => "501",
        Refusal::Version => "505",
    }
}

/// Accepted heads and where their bodies end.
#[test]
fn accepted() {
    for (head, framing) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::None),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Framing::None),
        ("GET / HTTP/1.0\r\n\r\n", Framing::None),
        ("GET /a?b=c HTTP/1.1\r\nhost: [::1]:80\r\n\r\nnext", Framing::None),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::None),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Framing::None),
        ("GET http://b:81/x HTTP/1.1\r\nHost: a\r\n\r\n", Framing::None),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Framing::Length(0)),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", Framing::Length(5)),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length:5 \r\n\r\n", Framing::Length(5)),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
            Framing::Length(9_999_999_999_999_999_999),
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Chunked),
        ("POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:\t Chunked\t \r\n\r\n", Framing::Chunked),
        ("PROPPATCH / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: \"\x7e\"\t\u{80}\r\n\r\n", Framing::None),
    ] {
        let head: Vec<u8> = head.chars().map(|c| c as u8).collect();
        assert_eq!(judge(&head, &LIMITS), Ok(framing), "{:?}", text(&head));
    }
}

/// Everything the issue lists as refused, and its neighbours.
#[test]
fn refused() {
    let one = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    for (head, expected) in [
        // Framing.
        (one("Content-Length: 5\r\nTransfer-Encoding: chunked"), "400"),
        (one("Transfer-Encoding: chunked\r\nContent-Length: 5"), "400"),
        (one("Content-Length: 5\r\nContent-Length: 6"), "400"),
        (one("Content-Length: 5, 5"), "400"),
        (one("Content-Length: +5"), "400"),
        (one("Content-Length: -5"), "400"),
        (one("Content-Length: 5 5"), "400"),
        (one("Content-Length: 0x5"), "400"),
        (one("Content-Length: 5;"), "400"),
        (one("Content-Length:"), "400"),
        (one("Content-Length: 99999999999999999999"), "400"),
        (one("Content-Length: 18446744073709551616"), "400"),
        (one("Content-Length: \u{b2}"), "400"),
        (one("Transfer-Encoding: gzip"), "400"),
        (one("Transfer-Encoding: identity"), "400"),
        (one("Transfer-Encoding: gzip, chunked"), "400"),
        (one("Transfer-Encoding: chunked, chunked"), "400"),
        (one("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "400"),
        (one("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), "400"),
        (one("Transfer-Encoding: chunked;q=1"), "400"),
        (one("Transfer-Encoding: xchunked"), "400"),
        (one("Transfer-Encoding: \"chunked\""), "400"),
        (one("Transfer-Encoding: chunked,"), "400"),
        (one("Transfer-Encoding:"), "400"),
        (one("Transfer-Encoding: \x0bchunked"), "400"),
        (one("Transfer-Encoding : chunked"), "400"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into(), "400"),
        // Lines.
        (one("A: b\rc: d"), "400"),
        (one("A: b\r\r\nC: d"), "400"),
        (one("A: b\nC: d"), "400"),
        (one("A: \nC: d"), "400"),
        (one("A:\nC: d"), "400"),
        (one("A: b \t\nC: d"), "400"),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n".into(), "400"),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        (format!("{}GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n".repeat(20)), "400"),
        (one("A : b"), "400"),
        (one("A\t: b"), "400"),
        (one(" A: b"), "400"),
        (one("A: b\r\n folded"), "400"),
        (one("A: b\r\n\tfolded"), "400"),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n".into(), "400"),
        (one("A"), "400"),
        (one(": b"), "400"),
        (one("A(b): c"), "400"),
        (one("A\u{e9}: c"), "400"),
        (one("A: b\0c"), "400"),
        (one("A\0: b"), "400"),
        (one("A: b\x08"), "400"),
        (one("A: b\x7f"), "400"),
        (one("A: b\x0c"), "400"),
        // Host.
        ("GET / HTTP/1.1\r\n\r\n".into(), "400"),
        (one("Host: a"), "400"),
        (one("HOST: b"), "400"),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n".into(), "400"),
        ("GET http://b/ HTTP/1.1\r\n\r\n".into(), "400"),
        // The request line.
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n".into(), "400"),
        ("GET /\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/11\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET / http/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.x\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET /\u{ff} HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/1.1\rHost: a\r\n\r\n".into(), "400"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n".into(), "505"),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n".into(), "505"),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n".into(), "505"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), "505"),
        (format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(40)), "501"),
        (format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(1000)), "501"),
        // Limits.
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(256)), "414"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(1900)), "414"),
        (format!("\r\nGET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(1900)), "414"),
        (one(&format!("A: {}", "v".repeat(512))), "431"),
        (one(&vec!["A: b"; 60].join("\r\n")), "431"),
        (one(&vec!["A: b"; 70].join("\r\n")), "431"),
        (one(&vec![format!("A: {}", "v".repeat(500)); 5].join("\r\n")), "431"),
    ] {
        let head: Vec<u8> = head.chars().map(|c| c as u8).collect();
        let outcome = judge(&head, &LIMITS).map_err(kind);
        assert_eq!(outcome, Err(expected), "{:?}", text(&head));
    }
}

/// At a limit a head is accepted, with more fields than are read without an allocation too.
#[test]
fn at_limits() {
    let fields = "A: b\r\n".repeat(59);
    for head in [
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "t".repeat(255)),
        format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(32)),
        format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "v".repeat(511)),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"),
    ] {
        assert_eq!(judge(head.as_bytes(), &LIMITS), Ok(Framing::None), "{head:?}");
    }
    let head = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
    let exact = HeadLimits { head_bytes: head.len(), ..LIMITS };
    assert_eq!(judge(head.as_bytes(), &exact), Ok(Framing::None));
    let less = HeadLimits { head_bytes: head.len() - 1, ..LIMITS };
    assert_eq!(judge(head.as_bytes(), &less), Err(Refusal::HeadTooLarge));
}

/// Limits as large as their types allow neither overflow nor take memory beforehand.
#[test]
fn huge_limits() {
    let max = usize::MAX;
    let limits = HeadLimits { head_bytes: max, target_bytes: max, field_bytes: max, fields: max, ..LIMITS };
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(100));
    assert_eq!(judge(head.as_bytes(), &limits), Ok(Framing::None));
}

/// Connection options are few: each is looked for among all fields.
#[test]
fn many_connection_options() {
    let limits = HeadLimits { head_bytes: 65_536, field_bytes: 65_536, ..LIMITS };
    for connection in [format!("Connection: {}", "a,".repeat(2000)), vec!["Connection: a,b,c,d,e,f,g"; 59].join("\r\n")]
    {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{connection}\r\n\r\n");
        let outcome = if connection.len() > 3000 { Err(Refusal::HeadTooLarge) } else { Ok(Framing::None) };
        let mut read = Head::default();
        assert_eq!(
            parse(&mut read, head.as_bytes(), 0, &limits).and_then(|_| framing::of_request(&read)),
            outcome,
            "{head:?}"
        );
    }
}

/// Fields go on as `name: value CRLF`, whatever white space stood around the value.
#[test]
fn canonical_lines() {
    let input =
        b"GET / HTTP/1.1\r\nHost: a\r\nA:b\r\nC: d\r\nE:   f\t \r\nG:\r\nI: \r\nJ: k  l\r\nM:  n\r\nO:\tp\r\n\r\n";
    let seen = every_way(parse, input, &LIMITS).unwrap().unwrap();
    assert_eq!(seen.written, "Host: a\r\nA: b\r\nC: d\r\nE: f\r\nG: \r\nI: \r\nJ: k  l\r\nM: n\r\nO: p\r\n");
    assert_eq!(seen.len, input.len());
}

/// A listener that tolerates bare LF passes the head on with CRLF; a bare CR stays refused.
#[test]
fn bare_lf_tolerated() {
    for input in [
        "GET /x HTTP/1.1\nHost: a\nA:b \nC:\n\n",
        "\nGET /x HTTP/1.1\r\nHost: a\nA: b\r\nC: \n\r\n",
        "\r\n\nGET /x HTTP/1.1\nHost: a\r\nA: b\nC: \r\n\n",
    ] {
        let seen = every_way(parse, input.as_bytes(), &TOLERANT).unwrap().unwrap();
        assert_eq!(seen.written, "Host: a\r\nA: b\r\nC: \r\n", "{input:?}");
        assert_eq!(seen.start.1, "/x");
    }
    for input in ["GET / HTTP/1.1\nHost: a\rB: c\n\n", "GET / HTTP/1.1\nHost: a\nA: b\n c\n\n"] {
        assert!(matches!(judge(input.as_bytes(), &TOLERANT), Err(Refusal::Malformed(_))), "{input:?}");
    }
}

/// What cannot become a request line is refused when that line ends, not when the head does.
#[test]
fn refused_early() {
    for input in ["GET /\r\n", "\x16\x03\x01\x02", "GET / HTTP/3.0\r\n", "GET / x\r\n", "\r\nGET / HTTP/1.5\r\n"] {
        assert!(every_way(parse, input.as_bytes(), &LIMITS).is_err(), "{input:?}");
    }
    assert_eq!(every_way(parse, &[b'M'; 400], &LIMITS), Err(Refusal::NotImplemented("the method is too long")));
    assert_eq!(every_way(parse, &[b"GET /", &[b't'; 400][..]].concat(), &LIMITS), Err(Refusal::TargetTooLong));
    assert!(every_way(parse, &[b'\r', b'\n'].repeat(20), &LIMITS).is_err());
}

/// An unfinished head waits for more.
#[test]
fn unfinished() {
    let input = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r";
    for len in 0..=input.len() {
        if len > 0 {
            assert_eq!(every_way(parse, &input[..len], &LIMITS), Ok(None), "{len}");
        }
        assert_eq!(parse(&mut Head::default(), &input[..len], 0, &LIMITS), Ok(None), "{len}");
    }
}

/// The head of one request ends where the next begins.
#[test]
fn pipelined() {
    let first = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let both = [&first[..], b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    assert_eq!(every_way(parse, &both, &LIMITS).unwrap().unwrap().len, first.len());
}

/// A head that is used again keeps nothing of the message before.
#[test]
fn used_again() {
    let mut head = Head::default();
    let first = b"POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\n";
    parse(&mut head, first, 0, &LIMITS).unwrap();
    head.set(b"X", b"changed");
    parse(&mut head, b"GET / HTTP/1.0\r\n\r\n", 0, &LIMITS).unwrap();
    assert_eq!((head.method(), head.target(), head.minor, head.fields.len()), (&b"GET"[..], &b"/"[..], 0, 0));
    assert_eq!(framing::of_request(&head), Ok(Framing::None));
    assert!(parse(&mut head, b"GET / HTTP/1.1\r\nA: b\r\n\r\n", 0, &LIMITS).is_err());
    assert_eq!((head.method(), head.fields.len()), (&b""[..], 0));
}

/// Added, replaced and removed fields are written in order, runs of lines and single ones alike.
#[test]
fn changed_fields() {
    let mut head = Head::default();
    parse(&mut head, b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB:2\r\nC: 3\r\nA: 4\r\n\r\n", 0, &LIMITS).unwrap();
    assert!(head.remove(b"a"));
    assert!(!head.remove(b"a"));
    head.add(b"D", b"5");
    head.set(b"c", b"6");
    let mut out = Vec::new();
    head.write_fields(&mut out, wire::field::KnownSet::of(&[wire::field::Known::Host]));
    assert_eq!(text(&out), "B: 2\r\nD: 5\r\nc: 6\r\n");
    assert_eq!(head.joined(b"A"), None);
}

/// A Host that names none is allowed by RFC 9112 section 3.2, and may be refused.
#[test]
fn empty_hosts() {
    let strict = HeadLimits { empty_host: false, ..LIMITS };
    for host in ["", ":80"] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let mut read = Head::default();
        assert!(parse(&mut read, head.as_bytes(), 0, &LIMITS).is_ok());
        assert!(matches!(parse(&mut read, head.as_bytes(), 0, &strict), Err(Refusal::Malformed(_))));
    }
    let mut read = Head::default();
    assert!(parse(&mut read, b"GET / HTTP/1.0\r\n\r\n", 0, &strict).is_ok());
}

/// `uri-host [ ":" port ]`.
#[test]
fn hosts() {
    for host in ["", "a", "a.b:", "a:80", "127.0.0.1:65535", "[::1]", "[fe80::1]:1", "xn--e1a.example", "a_b"] {
        assert!(valid_host(host.as_bytes()), "{host}");
    }
    for host in ["a:b", "a:80:80", "[::1", "::1", "[::1]a", "[::1]a:80", "a]:80", "[]", "[]:80", "a:65536", "a:080808"]
    {
        assert!(!valid_host(host.as_bytes()), "{host}");
    }
}
