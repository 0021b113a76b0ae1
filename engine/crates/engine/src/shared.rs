//! What all threads share: the running Snapshot, sockets' states, counters and the events for the control plane.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::fault::FaultCounters;
use crate::observe::events::Events;
use crate::observe::sink::Sinks;
use crate::password::desk::Desk;
use crate::snapshot::Snapshot;
use crate::tls::accept::Handshakes;
use crate::tls::store::Store;
use crate::tls::Kept;
use crate::upstream::resolve::Resolver;
use crate::worker::WorkerHandle;

pub struct Shared {
    snapshot: Mutex<Arc<Snapshot>>,
    /// Raised with every swap; threads compare it before each exchange.
    version: AtomicU64,
    /// Ping answers its terminating status.
    pub draining: AtomicBool,
    /// No new connections are accepted.
    pub paused: AtomicBool,
    /// Connections end after their current exchange.
    pub stopping: AtomicBool,
    pub faults: FaultCounters,
    pub panics: AtomicU64,
    pub requests: AtomicU64,
    pub events: Events,
    pub sinks: Sinks,
    pub resolver: Resolver,
    pub hostname: String,
    /// Where temporary files stand.
    pub temporary: PathBuf,
    pub passwords: Desk,
    /// Certificates and secrets, handed over apart from the Plan.
    pub tls: Store,
    pub kept: Kept,
    pub handshakes: Handshakes,
    workers: Mutex<Vec<Arc<WorkerHandle>>>,
    next_connection: AtomicUsize,
}

impl Shared {
    #[must_use]
    pub fn new(events: Events, sinks: Sinks, resolver: Resolver, hostname: String, temporary: PathBuf) -> Self {
        Self {
            snapshot: Mutex::new(Arc::new(Snapshot::empty())),
            version: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            faults: FaultCounters::default(),
            panics: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            events,
            sinks,
            resolver,
            hostname,
            temporary,
            passwords: Desk::default(),
            tls: Store::default(),
            kept: Kept::default(),
            handshakes: Handshakes::default(),
            workers: Mutex::new(Vec::new()),
            next_connection: AtomicUsize::new(1),
        }
    }

    #[must_use]
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a Snapshot in the place of the running one, which is given back to be dropped by the caller.
    pub fn swap(&self, new: Arc<Snapshot>) -> Arc<Snapshot> {
        let old = std::mem::replace(&mut *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner), new);
        self.version.fetch_add(1, Ordering::AcqRel);
        old
    }

    pub fn add_worker(&self, worker: Arc<WorkerHandle>) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    #[must_use]
    pub fn workers(&self) -> Vec<Arc<WorkerHandle>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every task looks again at what has changed.
    pub fn wake_all(&self) {
        for worker in self.workers() {
            worker.wake();
        }
    }

    #[must_use]
    pub fn connection_id(&self) -> usize {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }
}
