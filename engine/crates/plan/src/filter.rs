//! Filters: what happens to an exchange between its route and its action, each once and by id.

use serde::{Deserialize, Serialize};

use crate::fault::FaultKind;
use crate::route::{HeaderValue, Jump, Redirect, Respond};
use crate::script::{Condition, Step};
use crate::template::Template;
use crate::Id;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter {
    /// Puts a prefix before the path.
    AddPrefix { prefix: String },
    /// Cuts the first prefix that fits; X-Forwarded-Prefix says which.
    StripPrefix { prefixes: Vec<String> },
    /// Replaces the path; X-Replaced-Path says what it was.
    ReplacePath { path: String },
    /// Changes request fields.
    RequestHeaders(Vec<HeaderOp>),
    /// Changes response fields.
    ResponseHeaders(ResponseHeaders),
    /// Answers with a redirect when the condition holds.
    Redirect { when: Condition, redirect: Redirect },
    /// Answers when the condition holds.
    Respond { when: Condition, respond: Respond },
    /// nginx's rewrite phase.
    Script(Vec<Step>),
    /// Admission: address lists, passwords, sub-requests; all of the gates or any (nginx `satisfy`).
    Access(Access),
    /// A copy of the request, its method too, goes there; its response is dropped.
    Mirror { to: Jump, body: bool },
    /// Statuses that are answered by another route: under a URI with GET (HEAD stays), by name as they came.
    ErrorPages(Vec<ErrorPage>),
    /// The client's address is taken from a field when the peer is trusted (nginx realip): CIDR, address, or `unix:`.
    RealIp { trusted: Vec<String>, header: String, recursive: bool },
}

/// One change of a field, done in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HeaderOp {
    /// Replaces every line of it; an empty value removes it.
    Set(HeaderValue),
    /// Adds a line.
    Add(HeaderValue),
    Remove(String),
    /// Sets Expires and Cache-Control (nginx `expires`); of responses only.
    Expires {
        /// A whole number of seconds, `past` (never to be kept), `max` (ten years), or nothing: both stay as they are.
        after: Template,
        from: ExpiresFrom,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresFrom {
    /// From now on.
    Access,
    /// From Last-Modified on, where there is one.
    Modified,
    /// From midnight on, local time: the next time it is so late.
    Midnight,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseHeaders {
    /// Only on these statuses; on every one when empty.
    pub statuses: Vec<u16>,
    pub ops: Vec<HeaderOp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    pub satisfy: Satisfy,
    pub gates: Vec<Gate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Satisfy {
    All,
    Any,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Gate {
    /// Ordered; the first that holds the client's address decides; allowed when none does.
    Address(Vec<AddressRule>),
    /// Users stand in a secret (htpasswd lines).
    Basic {
        realm: Template,
        users: Id,
        /// Everyone is admitted where this does not hold; always asked when absent.
        #[serde(deserialize_with = "crate::explicit")]
        when: Option<Condition>,
    },
    /// A sub-request, always a GET: 2xx admits, 401 and 403 refuse, else 500. Its response fields may be kept in slots.
    Subrequest { to: Jump, set: Vec<SlotValue> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRule {
    pub allow: bool,
    /// CIDR, address, `all`, or `unix:` for clients on a Unix socket.
    pub network: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotValue {
    pub slot: u16,
    pub value: Template,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorPage {
    /// Of the engine's own answers; of the upstream's too where the route intercepts errors.
    pub statuses: Vec<u16>,
    /// Faults that are meant whatever their status is (nginx's 494 to 497).
    pub faults: Vec<FaultKind>,
    /// Holds also for what an error page answers; else at most one page answers an exchange.
    pub recursive: bool,
    pub answer: PageAnswer,
    /// The status the client sees: the page's own when absent. A redirect has its own.
    #[serde(deserialize_with = "crate::explicit")]
    pub status: Option<StatusOverride>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PageAnswer {
    Jump(Jump),
    /// This answer, with this location.
    Redirect {
        location: Template,
        respond: Respond,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StatusOverride {
    /// The status that led here.
    Original,
    /// This one.
    Fixed(u16),
    /// What the page answers (`error_page 404 = /page`).
    Answered,
}

/// An id a filter list may name.
pub type FilterId = Id;
