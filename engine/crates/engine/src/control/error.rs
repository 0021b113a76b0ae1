//! The one error type at the border: what a call on the control socket answers when it fails.

use serde_json::{json, Value};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    pub kind: &'static str,
    pub message: String,
    /// The path of the Plan's object, empty when there is none.
    pub place: String,
}

impl CallError {
    #[must_use]
    pub fn new(kind: &'static str, message: &str, place: &str) -> Self {
        Self { kind, message: message.to_owned(), place: place.to_owned() }
    }

    /// It parses, and this engine cannot run it yet.
    #[must_use]
    pub fn unsupported(place: &str, what: &str) -> Self {
        Self::new("unsupported", &format!("this engine cannot run {what} yet"), place)
    }

    /// An id that names nothing.
    #[must_use]
    pub fn reference(place: &str, kind: &str, id: &str) -> Self {
        Self::new("bad_reference", &format!("there is no {kind} `{id}`"), place)
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"kind": self.kind, "message": self.message, "where": self.place})
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.place.is_empty() {
            write!(out, "{}: {}", self.kind, self.message)
        } else {
            write!(out, "{}: {}: {}", self.kind, self.place, self.message)
        }
    }
}

impl std::error::Error for CallError {}
