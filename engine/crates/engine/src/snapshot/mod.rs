//! A Snapshot: a Plan made ready to run. Built whole beside the running one, then swapped; what must survive
//! is carried over by identity (DESIGN.md, law 4).
//!
//! In the order of a request: [`http`] how its bytes are judged, [`listener`] hosts and tables, [`route`] what
//! happens to it, [`service`] where it goes. [`build`] puts them together and says what cannot be run, by name.

pub mod build;
pub mod http;
pub mod listener;
pub mod route;
pub mod service;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use self::listener::ListenerRun;
use self::service::ServiceRun;

pub struct Snapshot {
    /// By [`crate::listen::ListenerState::key`].
    pub listeners: FxHashMap<u64, Arc<ListenerRun>>,
    pub services: BTreeMap<String, Arc<ServiceRun>>,
    /// Ids of all routes, to know whether a long-lived exchange's is still there.
    pub routes: FxHashSet<String>,
    pub removed_route_ms: u64,
}

impl Snapshot {
    #[must_use]
    pub fn empty() -> Self {
        Self {
            listeners: FxHashMap::default(),
            services: BTreeMap::new(),
            routes: FxHashSet::default(),
            removed_route_ms: 0,
        }
    }
}
