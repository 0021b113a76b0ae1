//! TLS. What is secret comes apart from the Plan ([`store`]); a Plan's options are made ready once a Snapshot
//! ([`terms`]), and so is the choice of a certificate ([`choose`]); [`accept`] does the handshake with a client,
//! [`upstream`] the one with an endpoint. [`pem`] reads what was handed over.
//!
//! Nothing here issues, renews or stores on disk: the control plane does. No key is written anywhere.

pub mod accept;
pub mod choose;
pub mod pem;
pub mod store;
pub mod terms;
pub mod upstream;

use plan::Plan;

use self::store::Store;
use self::terms::Tickets;
use self::upstream::Upstreams;

/// What belongs to the process and is used by one Snapshot after another, found again by its value.
#[derive(Default)]
pub struct Kept {
    pub tickets: Tickets,
    pub upstreams: Upstreams,
}

impl Kept {
    /// Forgets what the Plan does not use.
    pub fn keep_only(&self, plan: &Plan) {
        self.tickets.keep_only(plan);
        self.upstreams.keep_only(plan);
    }
}

/// What a Snapshot is built with besides its Plan.
#[derive(Clone, Copy)]
pub struct HandedOver<'a> {
    pub store: &'a Store,
    pub kept: &'a Kept,
}
