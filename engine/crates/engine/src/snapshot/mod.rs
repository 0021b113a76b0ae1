//! A Snapshot: a Plan made ready to run. Built whole beside the running one, then swapped; what must survive
//! is carried over by identity (DESIGN.md, law 4).
//!
//! [`links`] are the numbers by which its parts find each other. In the order of a request: [`http`] how its bytes are judged, [`listener`] hosts and tables, [`route`] what
//! happens to it, [`destination`] and [`service`] where it goes. [`build`] puts them together and says what cannot be run, by name.

pub mod build;
pub mod destination;
pub mod files;
pub mod http;
pub mod links;
pub mod listener;
pub mod route;
pub mod service;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use self::destination::NamedRun;
use self::listener::ListenerRun;
use self::service::ServiceRun;
use crate::clock::{Clock, Moment, NEVER};
use crate::listen::ListenerState;

pub struct Snapshot {
    /// By [`crate::listen::ListenerState::key`].
    pub listeners: FxHashMap<u64, Arc<ListenerRun>>,
    /// Balanced services.
    pub services: BTreeMap<String, Arc<ServiceRun>>,
    /// Services whose endpoints requests name.
    pub named: BTreeMap<String, Arc<NamedRun>>,
    /// Ids of all routes, to know whether a long-lived exchange's is still there.
    pub routes: FxHashSet<String>,
    pub removed_route_ms: u64,
    pub life: Arc<Life>,
}

/// How long exchanges may hold a Snapshot that was replaced: the Plan's `snapshot_ms`, 0 being no limit.
#[derive(Default)]
pub struct Life {
    longest_ms: u64,
    replaced: OnceLock<Instant>,
}

impl Life {
    #[must_use]
    pub fn new(longest_ms: u64) -> Arc<Self> {
        Arc::new(Self { longest_ms, replaced: OnceLock::new() })
    }

    /// Another Snapshot has taken its place; to be said before tasks are woken to look.
    pub fn replace(&self) {
        self.replaced.get_or_init(Instant::now);
    }

    /// When what runs on it must end.
    #[must_use]
    #[inline]
    pub fn end(&self, clock: &Clock) -> Moment {
        match self.replaced.get() {
            Some(at) if self.longest_ms != 0 => clock.moment(*at + Duration::from_millis(self.longest_ms)),
            _ => NEVER,
        }
    }
}

impl Snapshot {
    /// What a listener is here; one that this Plan does not have, what it was in the last that had it.
    #[must_use]
    #[inline]
    pub fn listener<'a>(&'a self, of: &'a ListenerState) -> Option<&'a Arc<ListenerRun>> {
        self.listeners.get(&of.key).or(of.last.get())
    }

    #[must_use]
    pub fn empty() -> Self {
        Self {
            listeners: FxHashMap::default(),
            services: BTreeMap::new(),
            named: BTreeMap::new(),
            routes: FxHashSet::default(),
            removed_route_ms: 0,
            life: Arc::default(),
        }
    }
}
