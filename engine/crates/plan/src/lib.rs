//! The Plan: what the engine is to do, as types and nothing else.
//!
//! The control plane lowers every configuration language into one `Plan`; the engine executes it and has no
//! defaults of its own, so every field is explicit and an unknown one is refused (DESIGN.md, law 1).
//! Modules stand in the order of a request: where it arrives ([`listener`]), how its bytes are judged
//! ([`http`]), which route it takes ([`table`], [`matching`]), what happens to it ([`filter`], [`route`]),
//! where it goes ([`service`], [`files`]), what is said when it fails ([`fault`]) and what is written down ([`log`]).
//! [`template`] is the one language for text made from a request. Nothing here does I/O or checks that ids
//! exist: that is the engine's, which reports what it cannot run by name.
//!
//! The Python twin is `daemun.plan`; `tests/golden/plan/` is parsed by both.

#![forbid(unsafe_code)]

pub mod fault;
pub mod files;
pub mod filter;
pub mod http;
pub mod listener;
pub mod log;
pub mod matching;
pub mod route;
pub mod script;
pub mod service;
pub mod table;
pub mod template;
pub mod tls;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// The only version this engine speaks. A control plane with another one starts its own engine.
pub const VERSION: u32 = 1;

/// A name within one kind of object; unique there, opaque to the engine.
pub type Id = String;

/// Milliseconds. 0 means "no limit" wherever a limit is meant.
pub type Millis = u64;

/// Where an object was written, given back by explain, logs and faults. The engine reads nothing from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The user's name for it, such as `api@file`.
    pub name: String,
    /// The file, empty when there is none.
    pub file: String,
    /// The line, counted from 1; 0 when there is none.
    pub line: u32,
}

/// A whole configuration of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always [`VERSION`].
    pub version: u32,
    /// How long things of an earlier Plan may live on.
    pub lifetimes: Lifetimes,
    /// Listening addresses (Traefik: entry points; nginx: `listen`).
    pub listeners: BTreeMap<Id, listener::Listener>,
    /// Virtual hosts (nginx: `server`; Traefik has one a listener).
    pub hosts: BTreeMap<Id, listener::Host>,
    /// How HTTP messages from clients are read and judged.
    pub http: BTreeMap<Id, http::HttpPolicy>,
    /// Certificates by name; their bytes come by `put_certificate`.
    pub certificates: BTreeMap<Id, tls::Certificate>,
    /// TLS settings towards clients.
    pub tls_options: BTreeMap<Id, tls::TlsOptions>,
    /// Route tables.
    pub tables: BTreeMap<Id, table::Table>,
    /// Routes.
    pub routes: BTreeMap<Id, route::Route>,
    /// Filters.
    pub filters: BTreeMap<Id, filter::Filter>,
    /// Services.
    pub services: BTreeMap<Id, service::Service>,
    /// How the engine talks to endpoints.
    pub transports: BTreeMap<Id, service::Transport>,
    /// What the engine itself answers when something fails.
    pub faults: BTreeMap<Id, fault::FaultAnswers>,
    /// Tables of media types.
    pub mime_types: BTreeMap<Id, files::MimeTypes>,
    /// map, geo, `split_clients`.
    pub lookups: BTreeMap<Id, template::Lookup>,
    /// Access logs.
    pub logs: BTreeMap<Id, log::AccessLog>,
    /// Names of the slots that `set`, regex matches and sub-requests write and templates read; a slot is
    /// an index into this list.
    pub slots: Vec<String>,
}

/// Bounds on what a swap leaves behind (DESIGN.md, law 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// A tunnel or event stream whose route is gone is closed after this.
    pub removed_route_ms: Millis,
    /// The longest life of a Snapshot that exchanges still hold.
    pub snapshot_ms: Millis,
}

/// Reads an `Option` that must be written out: serde takes an absent one for `None` unless its reader is named.
pub(crate) fn explicit<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(from)
}

impl Plan {
    /// Reads a Plan from JSON.
    ///
    /// # Errors
    /// What serde found (unknown field, missing field, wrong type; with line and column), or a version other
    /// than [`VERSION`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let plan: Self = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if plan.version == VERSION {
            Ok(plan)
        } else {
            Err(format!("this engine speaks Plan version {VERSION}, this Plan has version {}", plan.version))
        }
    }
}
