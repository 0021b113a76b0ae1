//! One upstream address: its counts, and whether it rests. It lives as long as its identity
//! (service, address, ordinal) stands in a Plan, over all applies.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plan::service::{Rest, UpstreamScheme};

static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Ip(SocketAddr),
    Name { host: String, port: u16 },
    Unix(String),
}

impl Address {
    /// Reads `host:port`, `[v6]:port` or `unix:/path`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(path.to_owned()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Ip(address));
        }
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok()?;
        (!host.is_empty() && !host.contains([':', '/', ' '])).then(|| Self::Name { host: host.to_owned(), port })
    }
}

pub struct Endpoint {
    /// Unique in this process.
    pub key: u64,
    pub address: Address,
    text: String,
    pub ordinal: u32,
    /// As the user wrote it; for logs only.
    pub url: String,
    pub scheme: UpstreamScheme,
    in_flight: AtomicU32,
    pub requests: AtomicU64,
    pub failures: AtomicU64,
    /// A moving average of the time to a response head.
    nanos: AtomicU64,
    /// Idle connections in all threads' pools.
    pub idle: AtomicU32,
    /// Not in the Plan any more: its connections are not kept.
    pub removed: AtomicBool,
    rest: Rest,
    /// `Health` has something to say.
    troubled: AtomicBool,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    failed: u32,
    since: Option<Instant>,
    rests_until: Option<Instant>,
    /// When it was last tried or failed.
    tried: Option<Instant>,
}

/// What a failure or success changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    Down,
    Up,
}

impl Endpoint {
    #[must_use]
    pub fn new(address: Address, of: &plan::service::Endpoint, rest: Rest) -> Arc<Self> {
        Arc::new(Self {
            key: NEXT_KEY.fetch_add(1, Ordering::Relaxed),
            address,
            text: of.address.clone(),
            ordinal: of.ordinal,
            url: of.url.clone(),
            scheme: of.scheme,
            in_flight: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            idle: AtomicU32::new(0),
            removed: AtomicBool::new(false),
            rest,
            troubled: AtomicBool::new(false),
            health: Mutex::new(Health::default()),
        })
    }

    #[must_use]
    pub fn is(&self, address: &str, ordinal: u32) -> bool {
        self.text == address && self.ordinal == ordinal
    }

    #[must_use]
    pub fn address_text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The usual time to a response head; 0 before the first.
    #[must_use]
    pub fn usual_nanos(&self) -> u64 {
        self.nanos.load(Ordering::Relaxed)
    }

    /// A response head came after so long: an eighth of the average from now on.
    pub fn note_time(&self, nanos: u64) {
        let before = self.nanos.load(Ordering::Relaxed);
        let after = if before == 0 { nanos } else { before - before / 8 + nanos / 8 };
        self.nanos.store(after.max(1), Ordering::Relaxed);
    }

    /// Not resting, or its rest is over and one may try.
    #[must_use]
    pub fn may_try(&self, now: &mut Option<Instant>) -> bool {
        if !self.troubled.load(Ordering::Acquire) {
            return true;
        }
        let now = *now.get_or_insert_with(Instant::now);
        self.lock().rests_until.is_none_or(|until| until <= now)
    }

    /// For whom nobody else is there: how long it was left alone in its rest, if that is long enough.
    #[must_use]
    pub fn left_alone(&self, now: Instant) -> Option<Duration> {
        let alone = self.lock().tried.map_or(Duration::MAX, |tried| now.duration_since(tried));
        (alone >= Duration::from_millis(self.rest.early_ms)).then_some(alone)
    }

    /// It was picked: after a rest, it rests on for everyone else until this try has ended.
    pub fn begin_try(&self, now: Option<Instant>) {
        if self.troubled.load(Ordering::Acquire) {
            let mut health = self.lock();
            if health.rests_until.is_some() {
                let now = now.unwrap_or_else(Instant::now);
                health.tried = Some(now);
                health.rests_until = Some(now + Duration::from_millis(self.rest.rest_ms));
            }
        }
    }

    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.troubled.load(Ordering::Acquire) && self.lock().rests_until.is_some()
    }

    /// A request failed for its fault.
    pub fn failed(&self, alone: bool) -> Change {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if self.rest.failures == 0 || (alone && self.rest.spare_single) {
            return Change::None;
        }
        let now = Instant::now();
        let mut health = self.lock();
        let window = Duration::from_millis(self.rest.window_ms);
        if health.since.is_none_or(|since| now.duration_since(since) > window) {
            health.since = Some(now);
            health.failed = 0;
        }
        health.failed += 1;
        health.tried = Some(now);
        let resting = health.rests_until.is_some();
        let change = if resting || health.failed >= self.rest.failures {
            health.rests_until = Some(now + Duration::from_millis(self.rest.rest_ms));
            if resting {
                Change::None
            } else {
                Change::Down
            }
        } else {
            Change::None
        };
        drop(health);
        self.troubled.store(true, Ordering::Release);
        change
    }

    /// A request was answered.
    #[inline]
    pub fn answered(&self) -> Change {
        if !self.troubled.load(Ordering::Acquire) {
            return Change::None;
        }
        let mut health = self.lock();
        let rested = health.rests_until.is_some();
        *health = Health::default();
        self.troubled.store(false, Ordering::Release);
        if rested {
            Change::Up
        } else {
            Change::None
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request counted on its endpoint, until dropped.
pub struct InFlight(Arc<Endpoint>);

impl InFlight {
    #[must_use]
    pub fn new(endpoint: Arc<Endpoint>) -> Self {
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        endpoint.requests.fetch_add(1, Ordering::Relaxed);
        Self(endpoint)
    }
}

impl std::ops::Deref for InFlight {
    type Target = Arc<Endpoint>;

    fn deref(&self) -> &Arc<Endpoint> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
