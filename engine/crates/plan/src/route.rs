//! A route: filters in order, then an action.

use serde::{Deserialize, Serialize};

use crate::fault::FaultKind;
use crate::files::Files;
use crate::matching::Pattern;
use crate::service::Retry;
use crate::template::Template;
use crate::{Id, Origin};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub origin: Origin,
    /// Reached by jumps only; a client that asks for it gets the no-route fault.
    pub internal: bool,
    /// In order on the request, in reverse on the response.
    pub filters: Vec<Id>,
    pub action: Action,
    pub faults: Id,
    pub logs: Vec<Id>,
    /// Body limit of this route, bytes (413); the HTTP policy's when absent, 0 for no limit.
    #[serde(deserialize_with = "crate::explicit")]
    pub body_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    Proxy(Proxy),
    Respond(Respond),
    Redirect(Redirect),
    Files(Files),
    TryFiles(TryFiles),
    Jump(Jump),
    /// The engine answers for itself: 200 `OK`, while terminating `terminating_status`.
    Ping {
        terminating_status: u16,
    },
    /// The fault is answered.
    Fail(FaultKind),
    /// The connection is closed without a word (nginx 444).
    Close,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    pub service: Id,
    pub target: Target,
    /// The Host that goes upstream; the client's own when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub host: Option<Template>,
    /// The client's fields go upstream (nginx `proxy_pass_request_headers`).
    pub pass_headers: bool,
    /// Its body goes upstream (nginx `proxy_pass_request_body`).
    pub pass_body: bool,
    /// Trailers go on, both ways.
    pub trailers: bool,
    /// 1xx responses go on; 100 and 101 are the engine's own matter.
    pub informational: bool,
    pub request_body: Buffering,
    pub response_body: Buffering,
    pub upgrade: bool,
    /// Fields of the upstream's response that are not passed on; lower-case.
    pub hide: Vec<String>,
    /// X-Accel-Redirect and its family are honoured.
    pub accel: bool,
    /// Statuses of 300 and above are answered by this route's error pages.
    pub intercept_errors: bool,
    /// Location and Refresh of the response: a prefix and what replaces it (nginx `proxy_redirect`).
    pub rewrite_location: Vec<LocationRewrite>,
    /// Instead of the service's: timeouts and retries belong to the route (nginx), counts to the service.
    #[serde(deserialize_with = "crate::explicit")]
    pub transport: Option<Id>,
    #[serde(deserialize_with = "crate::explicit")]
    pub retry: Option<Retry>,
    /// The method that goes upstream, when it is not the client's; the client's too where it is no token.
    #[serde(deserialize_with = "crate::explicit")]
    pub method: Option<Template>,
    /// Milliseconds between flushes of a body of unknown kind; 0 flushes at once.
    pub flush_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationRewrite {
    /// A prefix of the location; not read when there is a pattern.
    pub from: Template,
    /// Searched in the location instead; `to` then replaces the whole of it.
    #[serde(deserialize_with = "crate::explicit")]
    pub pattern: Option<Pattern>,
    /// Before `to` in Location, which is absolute; a Refresh does without.
    pub base: Template,
    pub to: Template,
}

/// What goes upstream as the request target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// As received (nginx `proxy_pass` without URI), unless the path was rewritten.
    Raw,
    /// The current path and query.
    Current,
    /// The matched prefix of the current path is replaced, the rest encoded again (nginx with URI). Once a
    /// rewrite has ended in `break` it is `Current` instead.
    ReplacePrefix { prefix: String, with: String },
    /// The whole target.
    Template(Template),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Buffering {
    Stream,
    /// Goes on as it comes, but is read ahead of who takes it slowly: so many bytes in memory, then so many in
    /// a file, then it waits (nginx's response buffering).
    Ahead {
        memory: u64,
        file: u64,
    },
    /// Whole before it goes on; `memory` bytes in memory, the rest in a file.
    Buffer {
        memory: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    pub status: u16,
    pub headers: Vec<HeaderValue>,
    pub body: Template,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderValue {
    pub name: String,
    pub value: Template,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// For GET.
    pub status_get: u16,
    /// For every other method, HEAD among them.
    pub status_other: u16,
    pub location: Template,
}

/// The first candidate that exists is served; else `otherwise`. The path becomes the candidate's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TryFiles {
    /// Where candidates are looked for, and how one is served.
    pub files: Files,
    /// Paths; one whose last literal ends in `/` asks for a directory.
    pub candidates: Vec<Template>,
    /// A candidate that was found goes through the action of this route (nginx: `try_files` beside `proxy_pass`);
    /// `files` serves it when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub found: Option<Id>,
    pub otherwise: Otherwise,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Otherwise {
    Jump(Jump),
    /// Answered as this route answers the fault.
    Fail(FaultKind),
    /// Any other status, with its answer.
    Respond(Respond),
}

/// Search again, at most ten times an exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Jump {
    /// With another target (path, and query after `?`).
    Uri { table: Id, uri: Template },
    /// To a named route of a table.
    Name { table: Id, name: String },
}
