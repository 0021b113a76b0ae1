//! TLS towards clients. Keys and certificates come apart from the Plan (law 7).

use serde::{Deserialize, Serialize};

use crate::Origin;

/// A certificate known by name; its bytes come by `put_certificate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pub origin: Origin,
    /// Names it serves, as SNI asks for them.
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsOptions {
    pub min_version: TlsVersion,
    pub max_version: TlsVersion,
    /// IANA names in order of preference; the library's own when empty.
    pub cipher_suites: Vec<String>,
    /// Named groups in order of preference; the library's own when empty.
    pub groups: Vec<String>,
    pub alpn: Vec<String>,
    /// No certificate for the SNI ends the handshake.
    pub sni_strict: bool,
    /// The handshake is always refused (nginx `ssl_reject_handshake`).
    pub reject: bool,
    pub session_tickets: bool,
    #[serde(deserialize_with = "crate::explicit")]
    pub client_auth: Option<ClientAuth>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    #[serde(rename = "1.2")]
    V12,
    #[serde(rename = "1.3")]
    V13,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientAuth {
    /// A certificate must be shown and verified.
    pub required: bool,
    /// Secrets that hold roots in PEM.
    pub roots: Vec<String>,
}
