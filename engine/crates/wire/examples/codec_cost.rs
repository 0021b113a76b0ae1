//! What the codec costs a proxied request: nanoseconds for reading a browser's head and writing its fields, for a
//! small API client's head, and for a response head. Run it with `--release`; the best of several rounds counts.

use std::hint::black_box;
use std::time::Instant;

use wire::field::HOP_BY_HOP;
use wire::head::Head;
use wire::{request, response, HeadLimits, Refusal};

type Parse = fn(&mut Head, &[u8], usize, &HeadLimits) -> Result<Option<usize>, Refusal>;

const LIMITS: HeadLimits = HeadLimits {
    head_bytes: 65_536,
    target_bytes: 8192,
    field_bytes: 16_384,
    fields: 100,
    bare_lf: false,
    empty_host: true,
};

const BROWSER: &[u8] = b"GET /products/list?page=2&sort=price HTTP/1.1\r\n\
Host: shop.example.com\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Accept-Language: en-US,en;q=0.5\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Connection: keep-alive\r\n\
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n\
Upgrade-Insecure-Requests: 1\r\n\
Sec-Fetch-Dest: document\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-Site: same-origin\r\n\
Priority: u=0, i\r\n\r\n";

const CLIENT: &[u8] = b"GET /client-info HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ndate: Tue, 01 Jul 2025 10:00:00 GMT\r\nserver: uvicorn\r\n\
content-length: 128\r\ncontent-type: application/json\r\n\r\n";

fn main() {
    let cases: [(&str, Parse, &[u8]); 3] = [
        ("browser request", request::parse, BROWSER),
        ("client request", request::parse, CLIENT),
        ("response", response::parse, RESPONSE),
    ];
    for (name, parse, input) in cases {
        let (read, both) = (best(parse, input, false), best(parse, input, true));
        println!("{name:16} {:4} bytes  parse {read:6.1} ns  parse + write_fields {both:6.1} ns", input.len());
    }
}

/// Nanoseconds per head in the best of 20 rounds.
fn best(parse: Parse, input: &[u8], write: bool) -> f64 {
    const TIMES: u32 = 20_000;
    let (mut head, mut out) = (Head::default(), Vec::with_capacity(4096));
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..TIMES {
            let parsed = parse(&mut head, black_box(input), 0, &LIMITS);
            assert_eq!(parsed, Ok(Some(input.len())));
            if write {
                out.clear();
                head.write_fields(&mut out, HOP_BY_HOP);
                black_box(&out);
            }
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
    }
    best
}
