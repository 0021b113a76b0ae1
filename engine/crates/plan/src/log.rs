//! Access logs.

use serde::{Deserialize, Serialize};

use crate::script::Condition;
use crate::template::Template;
use crate::Millis;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessLog {
    pub sink: Sink,
    pub format: Format,
    /// Lines kept while the reader does not take them; more are dropped and counted.
    pub queue_lines: u32,
    /// Only lines for which this holds; all when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub when: Option<Condition>,
    pub filter: LogFilter,
}

/// Kept when any of these says so; every line when all are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFilter {
    /// Inclusive ranges.
    pub statuses: Vec<(u16, u16)>,
    /// 0 for none.
    pub min_duration_ms: Millis,
    pub retried: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sink {
    /// The engine's own standard output, which it inherits.
    Stdout,
    /// Opened for appending; opened again on `reopen_logs`.
    File { path: String, mode: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Format {
    /// One JSON object a line, fields in this order.
    Json(Vec<Field>),
    /// A line of text; values escaped as `escape` says.
    Text { line: Template, escape: Escape },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    pub value: Template,
    pub kind: FieldKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    /// Text, left out when empty.
    OptionalText,
    /// A number; 0 when empty.
    Number,
    /// A number, left out when empty.
    OptionalNumber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// nginx's default: `"`, `\` and control characters as `\xXX`; a value that is not there is `-`.
    Default,
    Json,
    None,
    /// Quotes and control characters as Go does; empty is `-`.
    Common,
}
