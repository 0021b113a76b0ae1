//! How HTTP messages from clients are read and judged, per listener and per virtual host.
//! Tolerances live here and never touch framing (DESIGN.md, law 9).

use serde::{Deserialize, Serialize};

use crate::Millis;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpPolicy {
    pub limits: Limits,
    pub tolerate: Tolerances,
    pub path: PathPolicy,
    pub forwarded: Forwarded,
    pub timeouts: ClientTimeouts,
    pub keepalive: KeepAlive,
    pub http2: Http2Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Request line and fields together, bytes (431).
    pub head_bytes: u32,
    /// The request target, bytes (414).
    pub target_bytes: u32,
    /// One field line, bytes (431).
    pub field_bytes: u32,
    /// Fields in one head, and in one trailer section (431).
    pub fields: u32,
    /// A body, bytes (413); 0 for no limit.
    pub body_bytes: u64,
    /// Chunk-size line with its extensions, bytes (400).
    pub chunk_line_bytes: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerances {
    /// A bare LF ends a head line (RFC 9112 section 2.2); it goes on as CRLF. Never in chunk framing.
    pub bare_lf: bool,
    /// Field names with an underscore.
    pub underscores: Underscores,
    /// Field names that hold anything but letters, digits, hyphens and underscores, though HTTP allows it
    /// (nginx `ignore_invalid_headers`).
    pub odd_names: OddNames,
    /// A Host that is there and names none (RFC 9112 section 3.2 allows it); else 400.
    pub empty_host: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Underscores {
    Keep,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddNames {
    Keep,
    Drop,
}

/// What becomes of the request target before routing. The raw target is always kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathPolicy {
    pub form: PathForm,
    /// `//` becomes `/`.
    pub merge_slashes: bool,
    /// `.` and `..` segments are resolved (RFC 3986 section 5.2.4).
    pub resolve_dots: bool,
    /// `..` above the root is refused (nginx) instead of ending at the root.
    pub refuse_above_root: bool,
    /// `#` in the target is refused with 400; else it ends the path, and only the raw target keeps it.
    pub refuse_fragment: bool,
    /// `;` in the query becomes `&`.
    pub query_semicolons: QuerySemicolons,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathForm {
    /// Percent-encoded: unreserved characters decoded, hex upper-cased (Traefik). Matching sees it with
    /// everything but reserved characters decoded.
    Encoded,
    /// Percent-decoded whole (nginx); encoded again when it goes upstream.
    Decoded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuerySemicolons {
    Keep,
    /// `;` separates like `&` and goes on as `&`.
    Ampersand,
    /// `;` goes on as `%3B`.
    Encode,
}

/// Who may say where a request came from, and what is said upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarded {
    /// Every peer is believed.
    pub trust_all: bool,
    /// Peers that are believed (CIDR or address).
    pub trusted: Vec<String>,
    /// Fields removed when the peer is not believed; lower-case. Their underscore spellings go too.
    pub strip: Vec<String>,
    /// Adds the X-Forwarded family as Traefik does; nothing when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub add: Option<ForwardedAdd>,
    /// Fields that stay although `Connection` names them; lower-case.
    pub keep_listed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardedAdd {
    /// The value of X-Forwarded-Server.
    pub server: String,
    /// The peer's address is appended to X-Forwarded-For.
    pub append_for: bool,
    /// X-Forwarded-Proto says ws or wss for WebSocket upgrades.
    pub websocket_proto: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTimeouts {
    /// From the first byte of a head to its end (408).
    pub head_ms: Millis,
    /// Between two reads of a body (408).
    pub body_idle_ms: Millis,
    /// A body slower than this, averaged over `body_idle_ms`, counts as idle; bytes a second, 0 for none.
    pub body_min_rate: u64,
    /// Between two writes to a client that takes nothing.
    pub write_idle_ms: Millis,
    /// Between two requests, and before the first.
    pub keepalive_ms: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepAlive {
    /// Requests on one connection; 0 for no limit.
    pub max_requests: u64,
    /// A connection older than this ends after its current response; 0 for no limit.
    pub max_age_ms: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http2Limits {
    pub max_concurrent_streams: u32,
    pub max_header_list_bytes: u32,
    pub initial_stream_window: u32,
    pub initial_connection_window: u32,
}
