//! Where connections arrive, and the virtual hosts behind one address.

use serde::{Deserialize, Serialize};

use crate::{Id, Millis, Origin};

/// One listening address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub origin: Origin,
    pub bind: Bind,
    /// Length of the kernel's accept queue.
    pub backlog: u32,
    /// Connections at once on this listener; 0 for no limit. Over it a connection waits in the accept queue.
    pub max_connections: u32,
    /// The PROXY protocol before anything else; none when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Terminates TLS; plain when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub tls: Option<ListenerTls>,
    /// What is spoken; over TLS chosen by ALPN, in clear text by the first bytes.
    pub protocols: Vec<Protocol>,
    /// The HTTP policy until a virtual host is known.
    pub http: Id,
    pub hosts: Hosts,
    pub closing: Closing,
}

/// What to bind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Bind {
    /// `host` is an address literal; empty means every address, IPv6 and IPv4 in one socket. Port 0 lets the
    /// kernel choose; the engine then says which.
    Tcp { host: String, port: u16 },
    /// A Unix socket, made with this mode (octal as a number, such as 384 for 0600).
    Unix { path: String, mode: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Http1,
    Http2,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyProtocol {
    /// Peers whose PROXY header is believed (CIDR); others are refused.
    pub trusted: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerTls {
    /// TLS options when no host's name matches the SNI.
    pub options: Id,
    /// Certificates to choose from by SNI, in order of preference.
    pub certificates: Vec<Id>,
    /// The certificate when none matches; refused when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub default_certificate: Option<Id>,
    /// What becomes of a connection that does not begin with a TLS handshake.
    pub plain: PlainOnTls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlainOnTls {
    /// Served like any other (Traefik); rules tell them apart by `tls`.
    Serve,
    /// Its first request is answered with the fault `plain_on_tls` (nginx).
    Refuse,
}

/// How a listener's virtual host is chosen from Host (and SNI).
/// Order: exact, longest leading wildcard, longest trailing wildcard, first regex (nginx's rule).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    pub names: Vec<HostName>,
    /// The host when no name matches.
    pub default: Id,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostName {
    pub name: NamePattern,
    pub host: Id,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NamePattern {
    /// Lower-case, without port; empty for a request without Host.
    Exact(String),
    /// `*.example.org` is `.example.org`: one or more labels before it.
    Suffix(String),
    /// `www.*` is `www.`: one or more labels after it.
    Prefix(String),
    Regex(crate::matching::Pattern),
}

/// A virtual host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub origin: Origin,
    /// Its first name (nginx's `$server_name`), empty when it has none.
    pub server_name: String,
    /// Replaces the listener's policy once the host is known.
    pub http: Id,
    /// TLS options when this host's name matches the SNI; the listener's when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub tls_options: Option<Id>,
    /// Certificates shown when this host's name matches the SNI, in order of preference; chosen as the
    /// listener says when empty. nginx asks the server, not the names in the certificate.
    pub certificates: Vec<Id>,
    /// Filters that run before the table is searched (nginx's server-level rewrite phase).
    pub filters: Vec<Id>,
    pub table: Id,
    /// Answers and logs where no route was found.
    pub faults: Id,
    pub logs: Vec<Id>,
}

/// How a listener goes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Still accepted for this long after a shutdown was asked for (ping already says 503).
    pub accept_grace_ms: Millis,
    /// What runs may end within this.
    pub grace_ms: Millis,
}
