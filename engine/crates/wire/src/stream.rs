//! A request head that came over HTTP/2, taken over into [`Head`]: frames and HPACK are behind it.
//!
//! Facts (RFC 9113): names are in lower case (8.2.1); a value neither begins nor ends with white space (8.2.1); fields
//! of the connection, and TE other than `trailers`, make a request malformed (8.2.2); `:path` is a path or `*`
//! (8.3.1); `:authority` and Host must not differ (8.3.1); several Cookie lines are one, joined by `; ` (8.2.3).
//!
//! Decisions: what is malformed is refused here even where the frames' codec has looked already; a request without
//! authority is refused, for what goes on over HTTP/1 needs a Host.

use crate::field::{is_token, is_value, known, Known, KnownSet};
use crate::head::{Head, Span};
use crate::request::{names_none, valid_host, EMPTY_HOST};
use crate::{HeadLimits, Refusal};

/// The longest registered method has 17 bytes.
const METHOD_BYTES: usize = 32;

/// They belong to an HTTP/1 connection.
const OF_A_CONNECTION: KnownSet = KnownSet::of(&[
    Known::Connection,
    Known::KeepAlive,
    Known::ProxyConnection,
    Known::TransferEncoding,
    Known::Upgrade,
]);

/// The pseudo-header fields of a request; the scheme says nothing about the connection and is not asked.
#[derive(Debug, Clone, Copy)]
pub struct Pseudo<'a> {
    pub method: &'a [u8],
    /// None for CONNECT.
    pub path: Option<&'a [u8]>,
    pub authority: Option<&'a [u8]>,
}

/// Takes a request over into `head`, which is empty when it is refused. `open`: DATA or trailers follow it.
///
/// # Errors
/// Why the request is refused; its connection can be used on.
pub fn take<'a>(
    head: &mut Head,
    pseudo: &Pseudo<'_>,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    open: bool,
    limits: &HeadLimits,
) -> Result<(), Refusal> {
    head.clear();
    let result = read(head, pseudo, fields, limits);
    if result.is_err() {
        head.clear();
    }
    head.http2 = true;
    head.open = open;
    result
}

fn read<'a>(
    head: &mut Head,
    pseudo: &Pseudo<'_>,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    limits: &HeadLimits,
) -> Result<(), Refusal> {
    start(head, pseudo, limits)?;
    let mut cookies: Option<(Vec<u8>, bool)> = None;
    let mut host = pseudo.authority;
    for (name, value) in fields {
        check(name, value, limits)?;
        let is = known(name);
        if OF_A_CONNECTION.has(is) {
            return Err(Refusal::Malformed("a field of the connection in HTTP/2"));
        }
        match is {
            Known::Te if value != b"trailers" => return Err(Refusal::Malformed("TE is not `trailers`")),
            Known::Host => {
                if host.is_some_and(|host| !host.eq_ignore_ascii_case(value)) {
                    return Err(Refusal::Malformed("Host differs from :authority"));
                }
                host = host.or(Some(value));
                continue;
            }
            Known::Other if name == b"cookie" => {
                cookies = Some(match cookies {
                    None => (value.to_vec(), false),
                    Some((mut all, _)) => {
                        all.extend_from_slice(b"; ");
                        all.extend_from_slice(value);
                        (all, true)
                    }
                });
            }
            _ => {}
        }
        head.add_known(is, name, value);
        if head.fields.len() > limits.fields || head.bytes.len() > limits.head_bytes {
            return Err(Refusal::HeadTooLarge);
        }
    }
    if let Some((joined, true)) = cookies {
        head.set(b"cookie", &joined);
    }
    let Some(host) = host else { return Err(Refusal::Malformed("neither :authority nor Host")) };
    if !valid_host(host) {
        return Err(Refusal::Malformed("the authority is malformed"));
    }
    if !limits.empty_host && names_none(host) {
        return Err(EMPTY_HOST);
    }
    head.add_known(Known::Host, b"host", host);
    Ok(())
}

fn start(head: &mut Head, pseudo: &Pseudo<'_>, limits: &HeadLimits) -> Result<(), Refusal> {
    if !is_token(pseudo.method) {
        return Err(Refusal::Malformed("the method is malformed"));
    }
    if pseudo.method.len() > METHOD_BYTES {
        return Err(Refusal::NotImplemented("the method is too long"));
    }
    let target = match pseudo.path {
        Some(path) if path.first() == Some(&b'/') || path == b"*" => path,
        Some(_) => return Err(Refusal::Malformed(":path is no path")),
        None if pseudo.method == b"CONNECT" => pseudo.authority.unwrap_or_default(),
        None => return Err(Refusal::Malformed("no :path")),
    };
    if target.len() > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    if target.iter().any(|&b| b <= b' ' || b == 0x7f) {
        return Err(Refusal::Malformed(":path holds a space or a control character"));
    }
    head.bytes.extend_from_slice(pseudo.method);
    head.method = Span::new(0, head.bytes.len());
    let from = head.bytes.len();
    head.bytes.extend_from_slice(target);
    head.target = Span::new(from, head.bytes.len());
    Ok(())
}

fn check(name: &[u8], value: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
    if name.len() + value.len() > limits.field_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    if !is_token(name) || name.iter().any(u8::is_ascii_uppercase) {
        return Err(Refusal::Malformed("a field name is malformed"));
    }
    let padded = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    if !is_value(value) || padded(value.first()) || padded(value.last()) {
        return Err(Refusal::Malformed("a field value is malformed"));
    }
    Ok(())
}

/// Takes trailers over into `trailers`, which hold nothing of them when they are refused; what may not stand
/// there is left out ([`crate::trailer`]).
///
/// # Errors
/// As for heads.
pub fn take_trailers<'a>(
    trailers: &mut Head,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    limits: &HeadLimits,
) -> Result<(), Refusal> {
    trailers.clear();
    for (name, value) in fields {
        check(name, value, limits)?;
        if crate::trailer::may_stand(name) {
            trailers.add(name, value);
        }
        if trailers.fields.len() > limits.fields || trailers.bytes.len() > limits.head_bytes {
            trailers.clear();
            return Err(Refusal::HeadTooLarge);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits {
        head_bytes: 1000,
        target_bytes: 100,
        field_bytes: 200,
        fields: 8,
        bare_lf: false,
        empty_host: false,
    };

    fn read(pseudo: (&str, Option<&str>, Option<&str>), fields: &[(&str, &str)]) -> Result<Head, Refusal> {
        let mut head = Head::default();
        let pseudo = Pseudo {
            method: pseudo.0.as_bytes(),
            path: pseudo.1.map(str::as_bytes),
            authority: pseudo.2.map(str::as_bytes),
        };
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let result = take(&mut head, &pseudo, fields, false, &LIMITS);
        assert!(result.is_ok() || head.fields.is_empty());
        result.map(|()| head)
    }

    fn written(head: &Head) -> String {
        let mut out = Vec::new();
        head.write_fields(&mut out, KnownSet::EMPTY);
        String::from_utf8_lossy(&out).into_owned()
    }

    const GET: (&str, Option<&str>, Option<&str>) = ("GET", Some("/a?b"), Some("example.org:8080"));

    /// Method, target and lines stand in the head as HTTP/1 would have brought them; the authority becomes Host.
    #[test]
    fn a_request() {
        let head = read(GET, &[("accept", "*/*"), ("te", "trailers")]).unwrap_or_default();
        assert_eq!((head.method(), head.target()), (&b"GET"[..], &b"/a?b"[..]));
        assert_eq!(written(&head), "accept: */*\r\nte: trailers\r\nhost: example.org:8080\r\n");
        assert!(head.http2 && head.minor == 1);
    }

    /// Host may say what :authority says, in another case; it may stand alone; one of them must be there.
    #[test]
    fn hosts() {
        assert!(read(GET, &[("host", "EXAMPLE.org:8080")]).is_ok());
        assert!(read(GET, &[("host", "example.org")]).is_err());
        let alone = read(("GET", Some("/"), None), &[("host", "a.test")]).unwrap_or_default();
        assert_eq!(alone.get_known(Known::Host), Some(&b"a.test"[..]));
        assert!(read(("GET", Some("/"), None), &[("host", "a.test"), ("host", "b.test")]).is_err());
        assert!(read(("GET", Some("/"), None), &[]).is_err());
        assert!(read(("GET", Some("/"), Some("user@a.test")), &[]).is_err());
        assert!(read(("GET", Some("/"), Some("")), &[]).is_err());
        assert!(read(("GET", Some("/"), Some(":80")), &[]).is_err());
    }

    /// The crumbs of a cookie are one line again, and no crumb is left beside it.
    #[test]
    fn cookies() {
        let head = read(GET, &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]);
        let head = head.unwrap_or_default();
        assert_eq!(head.get_all(b"cookie").collect::<Vec<_>>(), [b"a=1; b=2; c=3"]);
    }

    /// What RFC 9113 calls malformed is refused.
    #[test]
    fn malformed() {
        for fields in [
            ("connection", "close"),
            ("keep-alive", "1"),
            ("proxy-connection", "close"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("te", "gzip"),
            ("Accept", "*/*"),
            ("a b", "c"),
            ("", "c"),
            ("a", " b"),
            ("a", "b\t"),
            ("a", "b\r\nc: d"),
            ("a", "b\0"),
        ] {
            assert!(matches!(read(GET, &[fields]), Err(Refusal::Malformed(_))), "{fields:?}");
        }
        for pseudo in [
            ("GET", None, Some("a")),
            ("GET", Some(""), Some("a")),
            ("GET", Some("a"), Some("a")),
            ("GET", Some("http://b/"), Some("a")),
            ("GET", Some("/a b"), Some("a")),
            ("GET", Some("/\r\n"), Some("a")),
            ("G T", Some("/"), Some("a")),
            ("", Some("/"), Some("a")),
        ] {
            assert!(matches!(read(pseudo, &[]), Err(Refusal::Malformed(_))), "{pseudo:?}");
        }
    }

    /// Every limit of a head holds here too.
    #[test]
    fn limits() {
        let long = "x".repeat(250);
        assert_eq!(read(GET, &[("a", &long)]).err(), Some(Refusal::HeadTooLarge));
        let path = format!("/{long}");
        assert_eq!(read(("GET", Some(&path), Some("a")), &[]).err(), Some(Refusal::TargetTooLong));
        // Pseudo-header fields are none (nginx counts so too).
        assert!(read(GET, &[("a", "b"); 8]).is_ok());
        assert_eq!(read(GET, &[("a", "b"); 9]).err(), Some(Refusal::HeadTooLarge));
        assert_eq!(read(GET, &[("a", &long[..190]); 6]).err(), Some(Refusal::HeadTooLarge));
        let method = "M".repeat(33);
        assert!(matches!(read((&method, Some("/"), Some("a")), &[]).err(), Some(Refusal::NotImplemented(_))));
    }

    /// Fields that may not stand in trailers are left out.
    #[test]
    fn trailers() {
        let mut head = Head::default();
        let fields = [(&b"x-sum"[..], &b"1"[..]), (b"content-length", b"5"), (b"authorization", b"me")];
        assert!(take_trailers(&mut head, fields.into_iter(), &LIMITS).is_ok());
        assert_eq!(written(&head), "x-sum: 1\r\n");
        assert!(take_trailers(&mut head, [(&b"X"[..], &b"1"[..])].into_iter(), &LIMITS).is_err());
    }
}
