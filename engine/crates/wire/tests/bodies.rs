//! Chunked bodies: sizes, extensions, limits, bare LF and CR, trailers. Every case is fed whole, in two parts and
//! byte by byte.
#![allow(clippy::unwrap_used)]

mod feed;

use feed::{decode_every_way, text, LIMITS};
use wire::chunk::{write_chunk, write_end, write_size, Decoder, Piece};
use wire::head::Head;
use wire::Refusal;

const LINE: usize = 64;

/// Bodies that end, with their data and the last chunk as it goes on.
#[test]
fn accepted() {
    for (body, data, end) in [
        ("0\r\n\r\n", "", "0\r\n\r\n"),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", "0\r\n\r\n"),
        ("5\r\nhello\r\n6\r\n world\r\n00\r\n\r\nGET / HTTP/1.1", "hello world", "0\r\n\r\n"),
        ("A\r\n0123456789\r\n000\r\n\r\n", "0123456789", "0\r\n\r\n"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "0\r\n\r\n"),
        ("0000000000000001\r\nx\r\n0\r\n\r\n", "x", "0\r\n\r\n"),
        ("2;a=b\r\n\r\n\r\n0;last\r\n\r\n", "\r\n", "0\r\n\r\n"),
        ("2 ;a=\"b;c\"\r\nhi\r\n0 \t; x\r\n\r\n", "hi", "0\r\n\r\n"),
        ("1\r\nx\r\n0\r\nA: b\r\n\r\n", "x", "0\r\nA: b\r\n\r\n"),
        ("1\r\nx\r\n0\r\nA:b \r\nC: d\r\n\r\nrest", "x", "0\r\nA: b\r\nC: d\r\n\r\n"),
    ] {
        let decoded = decode_every_way(body.as_bytes(), LINE).unwrap();
        assert!(decoded.ended, "{body:?}");
        assert_eq!((text(&decoded.data).as_str(), decoded.end.as_str()), (data, end), "{body:?}");
        let rest = &body[decoded.used..];
        assert!(["", "GET / HTTP/1.1", "rest"].contains(&rest), "{body:?} leaves {rest:?}");
    }
}

/// Wrong framing is refused and never repaired.
#[test]
fn refused() {
    for body in [
        "\r\n0\r\n\r\n",
        "\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\rhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5h\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "5,5\r\nhello\r\n0\r\n\r\n",
        ";a\r\nhello\r\n0\r\n\r\n",
        "\u{b2}\r\nhi\r\n0\r\n\r\n",
        "10000000000000000\r\nx\r\n0\r\n\r\n",
        "00000000000000001\r\nx\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nx",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\0\r\nhello\r\n0\r\n\r\n",
        "5;a\x7f\r\nhello\r\n0\r\n\r\n",
        "0\n\r\n",
        "0\r\n\n",
        "0\r\n\rX\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\r\n\n",
        "0\r\nA: b\rc\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA\r\n\r\n",
        "0\r\nA: \0\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        let body: Vec<u8> = body.chars().map(|c| c as u8).collect();
        let outcome = decode_every_way(&body, LINE);
        assert!(matches!(outcome, Err(Refusal::Malformed(_))), "{:?}: {outcome:?}", text(&body));
    }
}

/// The line of a size with its extensions is bounded, its CRLF not counted.
#[test]
fn line_limit() {
    let body = |n: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(n - 2));
    assert!(decode_every_way(body(LINE).as_bytes(), LINE).unwrap().ended);
    for n in [LINE + 1, LINE + 2, LINE + 3, 10 * LINE] {
        assert_eq!(
            decode_every_way(body(n).as_bytes(), LINE),
            Err(Refusal::Malformed("a chunk-size line is too long")),
            "{n}"
        );
    }
    assert!(decode_every_way(body(LINE).as_bytes(), usize::MAX).unwrap().ended);
}

/// The trailer section has the limits of a head, whether or not it ends.
#[test]
fn trailer_limits() {
    for trailers in [
        "A: b\r\n".repeat(LIMITS.fields + 1),
        format!("A: {}\r\n", "v".repeat(LIMITS.field_bytes)),
        format!("A: {}\r\n", "v".repeat(400)).repeat(6),
    ] {
        let body = format!("0\r\n{trailers}\r\n");
        assert_eq!(decode_every_way(body.as_bytes(), LINE), Err(Refusal::HeadTooLarge), "{body:?}");
    }
    let endless = format!("0\r\nA: {}", "v".repeat(LIMITS.head_bytes));
    assert_eq!(decode_every_way(endless.as_bytes(), LINE), Err(Refusal::HeadTooLarge));
}

/// RFC 9110 section 6.5.1: framing, routing, authentication, controls and content codings are no trailers;
/// nor is what the proxy itself says of the client.
#[test]
fn forbidden_trailers() {
    let forbidden = "Transfer-Encoding Content-Length Host Connection Keep-Alive TE Trailer Upgrade Cache-Control \
        Expect Max-Forwards Pragma Range If-Match If-None-Match If-Modified-Since If-Range Authorization \
        Proxy-Authorization Proxy-Authenticate WWW-Authenticate Cookie Set-Cookie Age Expires Date Location \
        Retry-After Vary Warning Content-Encoding Content-Type Content-Range Forwarded X-Real-IP X-Forwarded-For \
        X-Forwarded-Proto X-Forwarded-Anything X_Forwarded_For Content_Length X_Real_Ip AUTHORIZATION";
    for name in forbidden.split_ascii_whitespace() {
        let body = format!("0\r\nA: b\r\n{name}: 1\r\nC: d\r\n\r\n");
        assert_eq!(decode_every_way(body.as_bytes(), LINE).unwrap().end, "0\r\nA: b\r\nC: d\r\n\r\n", "{name}");
    }
    for name in ["Grpc-Status", "grpc-status-details-bin", "Server-Timing", "Content-Digest", "ETag", "X-Checksum"] {
        let body = format!("0\r\n{name}: 1\r\n\r\n");
        assert_eq!(decode_every_way(body.as_bytes(), LINE).unwrap().end, format!("0\r\n{name}: 1\r\n\r\n"));
    }
}

/// Data longer than memory is handed on as it comes; the largest size does not overflow.
#[test]
fn largest_size() {
    let mut decoder = Decoder::new(LINE, &LIMITS);
    let mut trailers = Head::default();
    let step = decoder.next(b"ffffffffffffffff\r\nabc", &mut trailers).unwrap();
    assert_eq!((step.skip, step.piece), (18, Piece::Data(3)));
    assert_eq!(decoder.next(b"", &mut trailers).unwrap().piece, Piece::More);
    assert_eq!(decoder.next(b"de", &mut trailers).unwrap().piece, Piece::Data(2));
    assert!(!decoder.done());
}

/// After the end nothing is taken.
#[test]
fn after_the_end() {
    let mut decoder = Decoder::new(LINE, &LIMITS);
    let mut trailers = Head::default();
    let step = decoder.next(b"0\r\n\r\n5\r\n", &mut trailers).unwrap();
    assert_eq!((step.skip, step.piece, decoder.done()), (5, Piece::End, true));
    let step = decoder.next(b"5\r\n", &mut trailers).unwrap();
    assert_eq!((step.skip, step.piece), (0, Piece::End));
}

/// What is written decodes to the same; no data is no chunk, which would end the body.
#[test]
fn written() {
    for size in [0usize, 1, 15, 16, 255, 256, 65_535, 65_536, usize::MAX] {
        let mut out = Vec::new();
        write_size(&mut out, size);
        assert_eq!(text(&out), format!("{size:x}\r\n"));
    }
    let mut out = Vec::new();
    write_chunk(&mut out, b"hello");
    write_chunk(&mut out, b"");
    write_chunk(&mut out, &[b'x'; 300]);
    let mut trailers = Head::default();
    trailers.add(b"A", b"b");
    write_end(&mut out, &trailers);
    let decoded = decode_every_way(&out, LINE).unwrap();
    assert_eq!((decoded.data.len(), decoded.end.as_str(), decoded.used), (305, "0\r\nA: b\r\n\r\n", out.len()));
}

/// Whoever adds a trailer cannot add one that stays on a connection.
#[test]
fn added_trailers() {
    let mut trailers = Head::default();
    trailers.add(b"Transfer-Encoding", b"chunked");
    let mut out = Vec::new();
    write_end(&mut out, &trailers);
    assert_eq!(text(&out), "0\r\n\r\n");
}

/// A size that is too long is refused before its line ends, however it comes.
#[test]
fn unfinished_size() {
    for line in ["fffffffffffffffff", "fffffffffffffffff\r", "fffffffffffffffff;a"] {
        assert!(decode_every_way(line.as_bytes(), LINE).is_err(), "{line:?}");
    }
    for line in ["ffffffffffffffff", "ffffffffffffffff\r", "f;a\"", "f \t"] {
        assert_eq!(decode_every_way(line.as_bytes(), LINE).unwrap().used, 0, "{line:?}");
    }
}
