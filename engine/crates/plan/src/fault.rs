//! What can go wrong, and what the engine then answers: Plan data, for each language says it differently.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::route::HeaderValue;
use crate::template::Template;

/// Every way an exchange can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request cannot be read, or is refused by RFC 9112.
    BadRequest,
    /// The target is longer than the limit.
    TargetTooLong,
    /// The head is larger than the limits.
    HeadTooLarge,
    /// The head did not come in time.
    HeadTimeout,
    /// The body did not come in time.
    BodyTimeout,
    BodyTooLarge,
    /// An Expect other than 100-continue.
    ExpectationFailed,
    /// CONNECT, or a transfer coding that is not known.
    NotImplemented,
    /// An HTTP version that is not spoken.
    VersionNotSupported,
    /// Plain HTTP on a listener that speaks only TLS (nginx 497).
    PlainOnTls,
    /// Host and SNI disagree.
    Misdirected,
    NoRoute,
    /// No such file.
    NotFound,
    /// A directory was asked for without its slash: the engine says where it is in Location.
    DirectoryRedirect,
    /// A method that files do not have.
    MethodNotAllowed,
    /// If-Match or If-Unmodified-Since does not hold.
    PreconditionFailed,
    /// None of the ranges is in the file: the engine says how long it is in Content-Range.
    RangeNotSatisfiable,
    Forbidden,
    Unauthorized,
    /// No endpoint lives.
    NoEndpoint,
    /// Refused, unreachable, not resolved, TLS failure.
    ConnectFailed,
    ConnectTimeout,
    /// Reset or closed before a response head.
    UpstreamClosed,
    /// A response that cannot be read, or is refused by RFC 9112.
    UpstreamInvalid,
    /// No response head in time.
    ResponseTimeout,
    /// The client left.
    ClientGone,
    /// More than ten jumps.
    TooManyJumps,
    /// Our own fault.
    Internal,
}

impl FaultKind {
    /// All of them, in order.
    pub const ALL: [Self; 28] = [
        Self::BadRequest,
        Self::TargetTooLong,
        Self::HeadTooLarge,
        Self::HeadTimeout,
        Self::BodyTimeout,
        Self::BodyTooLarge,
        Self::ExpectationFailed,
        Self::NotImplemented,
        Self::VersionNotSupported,
        Self::PlainOnTls,
        Self::Misdirected,
        Self::NoRoute,
        Self::NotFound,
        Self::DirectoryRedirect,
        Self::MethodNotAllowed,
        Self::PreconditionFailed,
        Self::RangeNotSatisfiable,
        Self::Forbidden,
        Self::Unauthorized,
        Self::NoEndpoint,
        Self::ConnectFailed,
        Self::ConnectTimeout,
        Self::UpstreamClosed,
        Self::UpstreamInvalid,
        Self::ResponseTimeout,
        Self::ClientGone,
        Self::TooManyJumps,
        Self::Internal,
    ];
}

/// One answer for each kind; a Plan that leaves one out is refused.
pub type FaultAnswers = BTreeMap<FaultKind, FaultAnswer>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultAnswer {
    /// What the client gets.
    pub status: u16,
    /// What the log says, when it is another (499 for a client that left).
    pub log_status: u16,
    pub headers: Vec<HeaderValue>,
    pub body: Template,
    /// The connection is closed after it.
    pub close: bool,
}
