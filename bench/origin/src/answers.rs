//! The answers, made once: head and body in one piece, so that each is a single `write`.

use crate::request::Request;
use crate::Counters;

/// As an application server sends them; proxies pass, drop or replace the first two.
const HEAD: &str = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: origin\r\n\
                    Content-Type: text/plain\r\n";

pub(crate) struct Answers {
    small: Vec<u8>,
    medium: Vec<u8>,
    chunked: Vec<u8>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            small: sized(&[b'x'; 128]),
            medium: sized(&[b'x'; 16 * 1024]),
            chunked: chunked(),
        }
    }

    pub(crate) fn write(&self, request: &Request<'_>, counters: &Counters, out: &mut Vec<u8>) {
        let path = request
            .target
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default();
        match path.rsplit(|byte| *byte == b'/').next().unwrap_or_default() {
            b"128" | b"echo-size" => out.extend_from_slice(&self.small),
            b"16k" => out.extend_from_slice(&self.medium),
            b"chunked" => out.extend_from_slice(&self.chunked),
            b"headers" => out.extend_from_slice(&sized(request.head)),
            b"stats" => out.extend_from_slice(&sized(stats(counters).as_bytes())),
            _ => out.extend_from_slice(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        }
    }
}

fn stats(counters: &Counters) -> String {
    format!(
        r#"{{"connections": {}, "requests": {}}}"#,
        counters.connections, counters.requests
    )
}

fn sized(body: &[u8]) -> Vec<u8> {
    let mut answer = format!("{HEAD}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// Four chunks of 256 bytes.
fn chunked() -> Vec<u8> {
    let mut answer = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..4 {
        answer.extend_from_slice(b"100\r\n");
        answer.extend_from_slice(&[b'x'; 256]);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}
