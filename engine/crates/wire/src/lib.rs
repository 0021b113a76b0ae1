//! HTTP on the wire: bytes in, values out. No sockets, no clock, no configuration.
//!
//! A message is parsed strictly once and written out anew in canonical form (DESIGN.md, law 9); what
//! RFC 9112 calls ambiguous is refused here and nowhere else. In the order of a message:
//! [`field`] names what the proxy treats specially, [`head`] owns a head as offsets into one buffer,
//! [`request`] and [`response`] read one of HTTP/1, [`stream`] takes one that HTTP/2 brought, [`framing`] says where its body ends, [`chunk`] walks a chunked body and
//! [`trailer`] reads what stands behind it, [`target`] normalises the request target, [`forwarded`] says upstream who the client was. Of files: [`precondition`], [`range`], [`coding`] and
//! [`date`] read what is asked about one.
//!
//! It does not decide what is answered: a [`Refusal`] is turned into a status by the engine's Plan.

#![forbid(unsafe_code)]

pub mod chunk;
pub mod coding;
pub mod date;
pub mod field;
pub mod forwarded;
pub mod framing;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod head;
pub mod precondition;
pub mod range;
pub mod request;
pub mod response;
pub mod stream;
pub mod target;
pub mod trailer;

/// Why a message is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Malformed or ambiguous; what was wrong.
    Malformed(&'static str),
    /// The request target is over its limit.
    TargetTooLong,
    /// The head is over a limit of bytes or fields.
    HeadTooLarge,
    /// An HTTP version that is not spoken here.
    Version,
    /// A method or coding this proxy does not implement.
    NotImplemented(&'static str),
}

impl Refusal {
    /// The reason in words, for logs.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed(why) | Self::NotImplemented(why) => why,
            Self::TargetTooLong => "the request target is too long",
            Self::HeadTooLarge => "the head is too large",
            Self::Version => "the HTTP version is not spoken here",
        }
    }
}

/// Bounds on a head, and the one tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    pub head_bytes: usize,
    pub target_bytes: usize,
    /// Of a name with its value.
    pub field_bytes: usize,
    pub fields: usize,
    /// A bare LF ends a line (RFC 9112 section 2.2).
    pub bare_lf: bool,
    /// Of a request: a Host that names none (RFC 9112 section 3.2).
    pub empty_host: bool,
}
