//! The fields a proxy treats specially, recognised once when a head is read.

/// A field name that means something to the proxy; everything else is `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Known {
    Other = 0,
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    KeepAlive,
    ProxyConnection,
    Te,
    Trailer,
    Upgrade,
    Expect,
    Date,
    Server,
    ContentType,
    XRealIp,
    XForwardedFor,
    XForwardedProto,
    XForwardedHost,
    XForwardedPort,
    XForwardedServer,
    XForwardedUri,
    XForwardedMethod,
    XForwardedPrefix,
    XForwardedTlsClientCert,
    XForwardedTlsClientCertInfo,
}

/// A set of [`Known`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownSet(u32);

impl KnownSet {
    pub const EMPTY: Self = Self(0);

    #[must_use]
    pub const fn of(names: &[Known]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < names.len() {
            bits |= 1 << names[i] as u32;
            i += 1;
        }
        Self(bits)
    }

    #[must_use]
    #[inline]
    pub const fn has(self, name: Known) -> bool {
        self.0 & (1 << name as u32) != 0
    }

    pub fn add(&mut self, name: Known) {
        self.0 |= 1 << name as u32;
    }

    /// Whether the sets share a name.
    #[must_use]
    #[inline]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Never forwarded: they belong to one connection (RFC 9110 section 7.6.1), or the engine writes them anew.
pub const HOP_BY_HOP: KnownSet = KnownSet::of(&[
    Known::Connection,
    Known::KeepAlive,
    Known::ProxyConnection,
    Known::TransferEncoding,
    Known::ContentLength,
    Known::Te,
    Known::Upgrade,
]);

/// Recognises a name, whatever its case.
#[must_use]
#[inline]
pub fn known(name: &[u8]) -> Known {
    /// Lower-case letters and hyphens; a token, which a name is, holds no other character that this takes for them.
    fn same<const N: usize>(name: &[u8], text: &[u8; N]) -> bool {
        let Ok(name) = <&[u8; N]>::try_from(name) else { return false };
        name.iter().zip(text).fold(0, |other, (a, b)| other | ((a | 0x20) ^ b)) == 0
    }
    macro_rules! one {
        ($text:literal, $is:expr) => {
            if same(name, $text) {
                $is
            } else {
                Known::Other
            }
        };
    }
    match name.len() {
        2 => one!(b"te", Known::Te),
        4 => match name[0] | 0x20 {
            b'h' => one!(b"host", Known::Host),
            b'd' => one!(b"date", Known::Date),
            _ => Known::Other,
        },
        6 => match name[0] | 0x20 {
            b'e' => one!(b"expect", Known::Expect),
            b's' => one!(b"server", Known::Server),
            _ => Known::Other,
        },
        7 => match name[0] | 0x20 {
            b'u' => one!(b"upgrade", Known::Upgrade),
            b't' => one!(b"trailer", Known::Trailer),
            _ => Known::Other,
        },
        9 => one!(b"x-real-ip", Known::XRealIp),
        10 => match name[0] | 0x20 {
            b'c' => one!(b"connection", Known::Connection),
            b'k' => one!(b"keep-alive", Known::KeepAlive),
            _ => Known::Other,
        },
        12 => one!(b"content-type", Known::ContentType),
        14 => one!(b"content-length", Known::ContentLength),
        15 => match name[14] | 0x20 {
            b'r' => one!(b"x-forwarded-for", Known::XForwardedFor),
            b'i' => one!(b"x-forwarded-uri", Known::XForwardedUri),
            _ => Known::Other,
        },
        16 => match name[12] | 0x20 {
            b'h' => one!(b"x-forwarded-host", Known::XForwardedHost),
            b'p' => one!(b"x-forwarded-port", Known::XForwardedPort),
            b't' => one!(b"proxy-connection", Known::ProxyConnection),
            _ => Known::Other,
        },
        17 => match name[0] | 0x20 {
            b't' => one!(b"transfer-encoding", Known::TransferEncoding),
            b'x' => one!(b"x-forwarded-proto", Known::XForwardedProto),
            _ => Known::Other,
        },
        18 => match name[12] | 0x20 {
            b's' => one!(b"x-forwarded-server", Known::XForwardedServer),
            b'm' => one!(b"x-forwarded-method", Known::XForwardedMethod),
            b'p' => one!(b"x-forwarded-prefix", Known::XForwardedPrefix),
            _ => Known::Other,
        },
        27 => one!(b"x-forwarded-tls-client-cert", Known::XForwardedTlsClientCert),
        32 => one!(b"x-forwarded-tls-client-cert-info", Known::XForwardedTlsClientCertInfo),
        _ => Known::Other,
    }
}

/// Whether `token` stands in a comma-separated list (RFC 9110 section 5.6.1), whatever its case.
#[must_use]
pub fn lists_token(list: &[u8], token: &[u8]) -> bool {
    tokens(list).any(|item| item.eq_ignore_ascii_case(token))
}

/// The items of a comma-separated list, trimmed, empty ones left out.
pub fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&b| b == b',').map(trim).filter(|item| !item.is_empty())
}

/// Without optional white space (RFC 9110 section 5.6.3) on both sides.
#[must_use]
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// A field name is a token (RFC 9110 section 5.6.2).
#[must_use]
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// A field value holds no control character but HTAB (RFC 9110 section 5.5).
#[must_use]
pub fn is_value(text: &[u8]) -> bool {
    text.iter().all(|&b| b == b'\t' || (b >= 0x20 && b != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every recognised name is found in any case, and a name that differs in one letter is not.
    #[test]
    fn names() {
        for (name, is) in [
            ("Host", Known::Host),
            ("DATE", Known::Date),
            ("te", Known::Te),
            ("Expect", Known::Expect),
            ("Server", Known::Server),
            ("upgrade", Known::Upgrade),
            ("Trailer", Known::Trailer),
            ("X-Real-IP", Known::XRealIp),
            ("Connection", Known::Connection),
            ("Keep-Alive", Known::KeepAlive),
            ("Content-Type", Known::ContentType),
            ("content-LENGTH", Known::ContentLength),
            ("X-Forwarded-For", Known::XForwardedFor),
            ("X-Forwarded-Uri", Known::XForwardedUri),
            ("X-Forwarded-Host", Known::XForwardedHost),
            ("X-Forwarded-Port", Known::XForwardedPort),
            ("Proxy-Connection", Known::ProxyConnection),
            ("Transfer-Encoding", Known::TransferEncoding),
            ("X-Forwarded-Proto", Known::XForwardedProto),
            ("X-Forwarded-Server", Known::XForwardedServer),
            ("X-Forwarded-Method", Known::XForwardedMethod),
            ("X-Forwarded-Prefix", Known::XForwardedPrefix),
            ("X-Forwarded-Tls-Client-Cert", Known::XForwardedTlsClientCert),
            ("X-Forwarded-Tls-Client-Cert-Info", Known::XForwardedTlsClientCertInfo),
        ] {
            assert_eq!(known(name.as_bytes()), is, "{name}");
            let mut other = name.as_bytes().to_vec();
            if let Some(last) = other.last_mut() {
                *last = b'0';
            }
            assert_eq!(known(&other), Known::Other, "{name}");
        }
    }

    /// Lists are split at commas and compared without case.
    #[test]
    fn lists() {
        assert!(lists_token(b" close ,\tUpgrade", b"upgrade"));
        assert!(!lists_token(b"closed", b"close"));
    }
}
