//! The one template language (DESIGN.md, law 3): header values, redirects, rewrites, answers, hash keys and
//! access logs are all lists of parts.

use serde::{Deserialize, Serialize};

use crate::matching::Pattern;
use crate::Id;

pub type Template = Vec<Part>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    Literal(String),
    Variable(Variable),
    /// A request field's lines, joined by `, `; name in lower case.
    Header(String),
    /// A field of the response as it goes to the client.
    ResponseHeader(String),
    /// A field of the response as it came from upstream.
    UpstreamHeader(String),
    /// Whatever the case of its name.
    Cookie(String),
    /// A query argument, whatever the case of its name; not decoded.
    Argument(String),
    /// Group 0 is the whole match; a `set` slot has only that.
    Capture {
        slot: u16,
        group: u16,
    },
    /// The same by the group's name.
    NamedCapture {
        slot: u16,
        group: String,
    },
    /// Evaluated when first asked for, once an exchange.
    Lookup {
        table: Id,
        key: Template,
    },
    Secret(Id),
}

/// What the engine knows. The comment gives the earliest phase; before it the value is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    // accept
    ClientIp,
    ClientPort,
    /// `address:port`
    ClientAddress,
    /// The peer before realip changed it.
    PeerIp,
    PeerPort,
    ServerIp,
    ServerPort,
    ListenerId,
    ConnectionId,
    ConnectionRequests,
    /// `p` for a request that came before the response to the one before it was sent, else `.`.
    Pipelined,
    TlsVersion,
    TlsCipher,
    TlsServerName,
    /// The protocol agreed on by ALPN.
    TlsAlpn,
    /// The key exchange's group.
    TlsGroup,
    /// `1` when the session was resumed.
    TlsResumed,
    Hostname,
    ProcessId,
    /// `http` or `https`
    Scheme,
    /// `on` over TLS.
    Https,
    /// `:8080`, the listener's port; nothing when it is the scheme's own.
    PortSuffix,
    // head
    RequestId,
    Method,
    /// As received.
    RequestTarget,
    /// As received, in origin form: absolute-form targets without scheme and authority.
    RequestUri,
    /// The whole request line.
    RequestLine,
    /// The current path (PathPolicy's form).
    Path,
    /// What stands after the last dot of its last segment, lower-case; nothing for a name that begins with it.
    PathExtension,
    /// The current query, without `?`.
    Query,
    /// `?` when there is a query.
    QueryMark,
    /// `HTTP/1.1`
    Protocol,
    /// `h2` over TLS, `h2c` in clear text; nothing for HTTP/1.
    Http2,
    /// Host as sent, with port.
    HostField,
    /// Host without port, lower-case; the server name when there is none.
    Host,
    /// Host without port, as sent.
    HostName,
    /// Host without port, lower-case; the address that was asked when there is none.
    HostOrAddress,
    /// Content-Length as sent.
    RequestLength,
    /// XFF as received and the client's address, joined by `, `.
    ProxyAddForwardedFor,
    RemoteUser,
    /// The body as it went upstream, when all of it was in memory before the request was sent; else empty.
    RequestBody,
    // routed
    ServerName,
    RouteName,
    ServiceName,
    // upstream
    /// What the service is reached as: its id up to a space and without a scheme, or the address the request named.
    ProxyHost,
    ProxyPort,
    UpstreamAddress,
    UpstreamUrl,
    UpstreamStatus,
    /// Every endpoint that was asked, and the status of each, joined by `, `; by ` : ` where another service was.
    UpstreamAddresses,
    UpstreamStatuses,
    UpstreamConnectNanos,
    UpstreamHeaderNanos,
    UpstreamResponseNanos,
    /// The same three in seconds, with milliseconds.
    UpstreamConnectSeconds,
    UpstreamHeaderSeconds,
    UpstreamResponseSeconds,
    UpstreamResponseBytes,
    /// Heads and body of the response; head and body of the request. Without what frames chunks.
    UpstreamReceivedBytes,
    UpstreamSentBytes,
    Retries,
    // response
    Status,
    ResponseBodyBytes,
    ResponseBytes,
    // log
    RequestBodyBytes,
    RequestBytes,
    StartUtc,
    StartLocal,
    TimeCommon,
    TimeIso8601,
    TimeMsec,
    DurationNanos,
    DurationMillis,
    /// In seconds, with milliseconds.
    DurationSeconds,
    OverheadNanos,
    /// Requests this process has taken.
    RequestCount,
    /// Why an exchange failed; empty when it did not.
    Fault,
}

/// A table that turns a key into text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Lookup {
    /// nginx `map`, whatever the case of the key: exact, then wildcard names when `hostnames`, then regexes in order.
    Map { hostnames: bool, exact: Vec<Entry>, regexes: Vec<RegexEntry>, default: Template, volatile: bool },
    /// nginx `geo`: the narrowest network that holds the key, an address.
    Geo {
        networks: Vec<Entry>,
        default: Template,
        /// Instead of the address of one of these, what it says in X-Forwarded-For.
        #[serde(deserialize_with = "crate::explicit")]
        proxies: Option<Proxies>,
    },
    /// nginx `split_clients`: the key's hash falls into shares, in 1/100 of a percent.
    Split { shares: Vec<Share>, default: Template },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    /// CIDR or address.
    pub trusted: Vec<String>,
    /// The last address that is not trusted, instead of the last.
    pub recursive: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub key: String,
    pub value: Template,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegexEntry {
    pub pattern: Pattern,
    pub value: Template,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub basis_points: u32,
    pub value: Template,
}
