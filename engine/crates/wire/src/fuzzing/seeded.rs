//! Short runs of the invariants on mutated messages. The seed is printed; `WIRE_SEED=… cargo test` replays it, and
//! `WIRE_ROUNDS` makes a run longer.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{chunked_body, file_fields, request_head, request_target, response_head};

const REQUESTS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /a%2fb/../c?d=e;f HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 5\r\nX-A:b \r\n\r\nhello",
    b"PUT http://b/c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n0\r\n\r\n",
    b"\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]:8\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET //x/./y/..//%2E%2e/ HTTP/1.0\r\nA:\r\nB: \r\nC: \t d\te \r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"GET /lf HTTP/1.1\nHost: a\nX-Forwarded-For: 1.1.1.1\n\n",
];
const RESPONSES: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Tue\r\n\r\nhello",
    b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\nA:b \r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 304 \r\n\r\n",
    b"HTTP/1.1 204 x\nA: b\n\n",
];
const BODIES: &[&[u8]] = &[
    b"........0\r\n\r\n",
    b"\x01\x02\x03\x04\x05\x06\x07\x085\r\nhello\r\nA;a=\"b\"\r\n0123456789\r\n0\r\n\r\nrest",
    b"\x00\x00\x00\x00\x00\x00\x00\x0110 ;x\r\n0123456789abcdef\r\n000;y\r\nA: b\r\nHost: c\r\nD:e\r\n\r\n",
    b"\x05\x00\x09\x00\x01\xff\x02\x03ffffffffffffffff\r\nabc",
];
const TARGETS: &[&[u8]] = &[
    b"/a/../b//c/./d?e#f",
    b"/%2e%2E/%2F%25%00%zz/a;b=c",
    b"http://h:80/a?b",
    b"https://[::1]#x",
    b"/.../..a/.b/..",
    b"*",
];
const FILE_FIELDS: &[&[u8]] = &[
    b"bytes=0-4,10-14 , -3,99-",
    b"bytes=9223372036854775807-",
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"Sunday, 06-Nov-94 08:49:37 GMT",
    b"Sun Nov  6 08:49:37 1994",
    b"gzip;q=0.123, br;q=1.000, *;q=0",
];
/// What matters to a codec stands in messages more often than chance would put it there.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b": ",
    b";",
    b",",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: a\r\n",
    b"0\r\n\r\n",
    b"5\r\n",
    b"0",
    b"f",
    b"%2e",
    b"%2F",
    b"%0d%0a",
    b"..",
    b"/",
    b"//",
    b"#",
    b"?",
    b"\x7f",
    b"\x80",
    b"\xc3\xa9",
];

/// SplitMix64: any seed will do.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }

    fn pick<'a>(&mut self, of: &[&'a [u8]]) -> &'a [u8] {
        of[self.below(of.len())]
    }

    /// One of the corpus, changed in up to six places.
    fn message(&mut self, corpus: &[&[u8]]) -> Vec<u8> {
        let mut text = self.pick(corpus).to_vec();
        for _ in 0..self.below(7) {
            let at = self.below(text.len() + 1);
            let end = text.len().min(at + 1 + self.below(12));
            match self.below(7) {
                0 => drop(text.drain(at..end)),
                1 => drop(text.splice(at..at, self.pick(TOKENS).iter().copied())),
                2 => drop(text.splice(at..end, self.pick(TOKENS).iter().copied())),
                3 => {
                    let again = text[at..end].repeat(1 + self.below(40));
                    text.splice(at..at, again);
                }
                4 => {
                    let other = self.pick(corpus);
                    let from = self.below(other.len() + 1);
                    text.truncate(at);
                    text.extend_from_slice(&other[from..]);
                }
                5 if at < text.len() => text[at] ^= 1 << self.below(8),
                _ if at < text.len() => text[at] = self.next().to_le_bytes()[0],
                _ => {}
            }
        }
        text
    }
}

/// Feeds mutated messages to an invariant; a failing test shows the seed.
fn run(corpus: &[&[u8]], rounds: u32, invariant: impl Fn(&[u8])) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| u64::from(d.subsec_nanos()));
    let seed = number("WIRE_SEED").unwrap_or(now);
    println!("WIRE_SEED={seed}");
    corpus.iter().for_each(|text| invariant(text));
    let mut random = Random(seed);
    for _ in 0..number("WIRE_ROUNDS").unwrap_or(u64::from(rounds)) {
        invariant(&random.message(corpus));
    }
}

/// [`request_head`] on mutated requests.
#[test]
fn requests() {
    run(REQUESTS, 80_000, request_head);
}

/// [`response_head`] on mutated responses.
#[test]
fn responses() {
    run(RESPONSES, 80_000, response_head);
}

/// [`chunked_body`] on mutated bodies.
#[test]
fn bodies() {
    run(BODIES, 200_000, chunked_body);
}

/// [`request_target`] on mutated targets.
#[test]
fn targets() {
    run(TARGETS, 200_000, |target| request_target(b"OPTIONS", target));
}

/// [`file_fields`] on mutated fields.
#[test]
fn fields_of_files() {
    run(FILE_FIELDS, 200_000, file_fields);
}

/// The corpus is accepted as it stands, or the mutations would test refusals only.
#[test]
fn corpus() {
    let limits = super::TOLERANT;
    let mut head = crate::head::Head::default();
    for text in REQUESTS {
        assert!(matches!(crate::request::parse(&mut head, text, 0, &limits), Ok(Some(_))), "{}", text.escape_ascii());
    }
    for text in RESPONSES {
        assert!(matches!(crate::response::parse(&mut head, text, 0, &limits), Ok(Some(_))), "{}", text.escape_ascii());
    }
    for text in BODIES {
        assert!(!super::decode(&text[8..], &[u8::MAX], &limits).refused, "{}", text.escape_ascii());
    }
}
