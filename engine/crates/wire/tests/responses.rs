//! Response heads: as strict as requests, since what is wrong here would split or smuggle responses.
//! Every case is fed whole, in two parts and byte by byte.
#![allow(clippy::unwrap_used)]

mod feed;

use feed::{every_way, text, LIMITS, TOLERANT};
use wire::framing::{of_response, Framing};
use wire::head::Head;
use wire::response::parse;
use wire::{HeadLimits, Refusal};

fn judge(input: &[u8], method: &[u8]) -> Result<Framing, Refusal> {
    every_way(parse, input, &LIMITS)?.unwrap_or_else(|| panic!("a whole head was not taken: {:?}", text(input)));
    let mut head = Head::default();
    parse(&mut head, input, 0, &LIMITS)?;
    of_response(&head, method)
}

/// Where a body ends, by method, status and fields (RFC 9112 section 6.3).
#[test]
fn framing() {
    for (method, head, framing) in [
        ("GET", "HTTP/1.1 200 OK\r\n\r\n", Framing::UntilClose),
        ("GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", Framing::Length(3)),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Framing::Length(0)),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Chunked),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Framing::None),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::None),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", Framing::None),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", Framing::None),
        ("GET", "HTTP/1.1 100 Continue\r\n\r\n", Framing::None),
        ("GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", Framing::Length(0)),
    ] {
        assert_eq!(judge(head.as_bytes(), method.as_bytes()), Ok(framing), "{head:?}");
    }
}

/// The reason stands between the code and the end of its line.
#[test]
fn reasons() {
    for (line, reason) in [
        ("HTTP/1.1 200 OK", "OK"),
        ("HTTP/1.1 200 ", ""),
        ("HTTP/1.1 200", ""),
        ("HTTP/1.0 404 Not  Found\there ", "Not  Found\there "),
        ("HTTP/1.1 200 \u{e9}t\u{e9}", "\u{e9}t\u{e9}"),
        ("HTTP/1.1 200 HTTP/1.1 201 x", "HTTP/1.1 201 x"),
    ] {
        for (end, limits) in [("\r\n", &LIMITS), ("\n", &TOLERANT)] {
            let head: Vec<u8> = format!("{line}{end}A: b{end}{end}").chars().map(|c| c as u8).collect();
            let seen = every_way(parse, &head, limits).unwrap().unwrap();
            assert_eq!(seen.start.3, reason, "{line:?}");
            assert_eq!(seen.written, "A: b\r\n");
        }
    }
}

/// What is no response, or an ambiguous one: 502.
#[test]
fn refused() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: a\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\n",
        "HTTP/1.1 200\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\rSet-Cookie: a=b\r\n\r\n",
        "HTTP/1.1 200 O\0K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "\nHTTP/1.1 200 OK\r\n\r\n",
        "\rHTTP/1.1 200 OK\r\n\r\n",
        "<html>\r\n\r\n",
    ] {
        let outcome = judge(head.as_bytes(), b"GET");
        assert!(matches!(outcome, Err(Refusal::Malformed(_))), "{head:?}: {outcome:?}");
    }
}

/// Limits hold for responses too.
#[test]
fn limits() {
    for head in [
        format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "v".repeat(600)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(61)),
        format!("HTTP/1.1 200 {}\r\n\r\n", "r".repeat(2100)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", format!("A: {}\r\n", "v".repeat(400)).repeat(6)),
    ] {
        assert_eq!(every_way(parse, head.as_bytes(), &LIMITS), Err(Refusal::HeadTooLarge), "{head:?}");
    }
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(60));
    assert!(every_way(parse, head.as_bytes(), &LIMITS).is_ok());
    let huge = HeadLimits { fields: usize::MAX, ..LIMITS };
    assert!(every_way(parse, head.as_bytes(), &huge).is_ok());
}

/// A bare LF may be tolerated; what goes on has CRLF.
#[test]
fn bare_lf_tolerated() {
    let seen = every_way(parse, b"HTTP/1.1 200 OK\nA:b\nC: d\r\n\n", &TOLERANT).unwrap().unwrap();
    assert_eq!((seen.start.3.as_str(), seen.written.as_str()), ("OK", "A: b\r\nC: d\r\n"));
}

/// An interim head ends where the final one begins.
#[test]
fn interim() {
    let first = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let both = [&first[..], b"HTTP/1.1 200 OK\r\n\r\n"].concat();
    assert_eq!(every_way(parse, &both, &LIMITS).unwrap().unwrap().len, first.len());
}

/// What came is known whatever became of it since; what was added did not come.
#[test]
fn fields_as_received() {
    let mut head = Head::default();
    let input = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\nx-a: 3\r\n\r\n";
    parse(&mut head, input, 0, &LIMITS).unwrap();
    head.remove(b"x-a");
    head.add(b"X-B", b"4");
    head.add(b"X-C", b"5");
    let came = |name: &[u8]| head.joined_as_received(name);
    assert_eq!(came(b"x-a"), Some(b"1, 3".to_vec()));
    assert_eq!(came(b"x-b"), Some(b"2".to_vec()));
    assert_eq!(came(b"x-c"), None);
    assert_eq!(head.joined(b"x-b"), Some(b"2, 4".to_vec()));
    head.clear();
    assert_eq!(head.joined_as_received(b"x-b"), None);
}
