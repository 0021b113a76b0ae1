//! What is removed under a long-lived exchange: its route, its listener or its endpoint. It may live on for the
//! Plan's `removed_route_ms`, 0 being no limit, and goes on as if nothing had been when they come back.

use std::sync::atomic::Ordering;

use crate::balance::Endpoint;
use crate::clock::{Moment, NEVER};
use crate::worker::Worker;

/// Where a long-lived exchange came from.
pub struct Removal {
    listener: u64,
    route: String,
    version: u64,
    /// Route and listener stand in the running Plan.
    there: bool,
    until: Moment,
}

impl Removal {
    #[must_use]
    pub fn new(worker: &Worker, listener: u64, route: &str) -> Self {
        Self { listener, route: route.to_owned(), version: worker.shared.version(), there: true, until: NEVER }
    }

    /// When it is to end; looked at again after each swap and each change of endpoints, which wake every task.
    pub fn deadline(&mut self, worker: &Worker, endpoint: &Endpoint) -> Moment {
        let version = worker.shared.version();
        if version != self.version {
            self.version = version;
            let snapshot = worker.view();
            self.there = snapshot.listeners.contains_key(&self.listener) && snapshot.routes.contains(&self.route);
        }
        if self.there && !endpoint.removed.load(Ordering::Relaxed) {
            self.until = NEVER;
        } else if self.until == NEVER {
            self.until = worker.clock.after(worker.view().removed_route_ms);
        }
        self.until
    }
}
