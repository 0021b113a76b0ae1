//! Where requests go: services, their endpoints, and how the engine talks to them.

use serde::{Deserialize, Serialize};

use crate::template::Template;
use crate::{Id, Millis, Origin};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub origin: Origin,
    pub kind: ServiceKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ServiceKind {
    Balanced(Balanced),
    /// Shares of traffic to other services.
    Weighted(Vec<WeightedService>),
    /// The endpoint is made from the request (`proxy_pass http://$host`).
    Dynamic {
        address: Template,
        scheme: UpstreamScheme,
        transport: Id,
        retry: Retry,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedService {
    pub service: Id,
    pub weight: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balanced {
    pub strategy: Strategy,
    pub endpoints: Vec<Endpoint>,
    /// Of the list of endpoints; `set_endpoints` with an older one is refused.
    pub generation: u64,
    pub transport: Id,
    pub rest: Rest,
    pub retry: Retry,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Strategy {
    /// Smooth weighted round robin: in order when the weights are equal.
    RoundRobin,
    /// The fewest running requests per weight; ties in order.
    LeastConnections,
    /// The client's address, by rendezvous hashing: a server that leaves moves only its own clients.
    IpHash,
    /// nginx's `ip_hash`: three octets of IPv4, the whole of IPv6.
    NginxIpHash,
    /// A key; `consistent` is ketama's ring.
    Hash { key: Template, consistent: bool },
    /// Two at random, the one with fewer running requests.
    PowerOfTwo,
    /// The lowest response time times running requests.
    LeastTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// `host:port` or `unix:/path`.
    pub address: String,
    pub scheme: UpstreamScheme,
    /// Tells endpoints of the same address apart; identity is (service, address, ordinal).
    pub ordinal: u32,
    pub weight: u32,
    /// Requests at once; 0 for no limit.
    pub max_connections: u32,
    /// Used when no other lives.
    pub backup: bool,
    /// Never used, but keeps its place in hashes.
    pub down: bool,
    /// As the user wrote it (a URL); given to logs.
    pub url: String,
    /// Instead of the service's (nginx `max_fails`, `fail_timeout` of one server).
    #[serde(deserialize_with = "crate::explicit")]
    pub rest: Option<Rest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamScheme {
    Http,
    Https,
    H2c,
}

/// When an endpoint is left alone (nginx `max_fails`, `fail_timeout`; Traefik passive health).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// Failures within `window_ms` that send it to rest; 0 never.
    pub failures: u32,
    pub window_ms: Millis,
    pub rest_ms: Millis,
    /// A service of one endpoint never rests.
    pub spare_single: bool,
    /// When every endpoint rests, one that was left alone for so long is asked all the same; 0: at once.
    pub early_ms: Millis,
}

/// When a request goes to another endpoint. Nothing is sent again once the client got a byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    pub on: Vec<RetryOn>,
    /// Endpoints tried in all; 0 for every one.
    pub tries: u32,
    /// No new try after this; 0 for no limit.
    pub timeout_ms: Millis,
    /// Requests with unsafe methods that were sent may be sent again.
    pub non_idempotent: bool,
    /// A bodyless GET, HEAD, OPTIONS or TRACE whose reused connection dies before the first byte is sent again.
    pub resend_on_stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RetryOn {
    /// Provably unsent: refused, unreachable, connect timeout.
    Unsent,
    /// Reset or closed before a response head.
    Error,
    /// No response head in time.
    Timeout,
    /// A response head that cannot be read.
    InvalidResponse,
    Status(u16),
}

/// How the engine talks to endpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transport {
    pub protocol: UpstreamProtocol,
    pub connect_ms: Millis,
    /// From the end of the request to the response head.
    pub response_head_ms: Millis,
    /// Between two reads of a response.
    pub read_idle_ms: Millis,
    /// Between two writes of a request.
    pub write_idle_ms: Millis,
    pub pool: Pool,
    pub limits: ResponseLimits,
    /// How long a resolved name holds at most; the record's TTL if it is shorter. At least one second.
    pub resolve_ms: Millis,
    #[serde(deserialize_with = "crate::explicit")]
    pub tls: Option<UpstreamTls>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamProtocol {
    Http10,
    Http11,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Idle connections an endpoint, over all threads; 0 for no reuse.
    pub max_idle: u32,
    pub idle_ms: Millis,
    /// Methods that are not safe reuse only connections idle for less than this.
    pub unsafe_idle_ms: Millis,
    /// Requests on one connection; 0 for no limit.
    pub max_requests: u64,
    pub max_age_ms: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseLimits {
    pub head_bytes: u32,
    pub fields: u32,
    pub chunk_line_bytes: u32,
    /// A bare LF ends a head line; it goes on as CRLF.
    pub bare_lf: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamTls {
    pub verify: bool,
    /// The name goes into the handshake (SNI).
    pub send_name: bool,
    /// The name to ask for and to verify; the endpoint's host when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub server_name: Option<Template>,
    /// Secrets that hold roots in PEM; the system's when empty.
    pub roots: Vec<Id>,
    /// A certificate to show.
    #[serde(deserialize_with = "crate::explicit")]
    pub certificate: Option<Id>,
}
