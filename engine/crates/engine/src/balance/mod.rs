//! Which endpoint takes a request. Picking and counting are one step under a short lock, so that the choice is
//! exact over all threads; the count goes down without it.

pub mod endpoint;
mod hash;
mod nginx_hash;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use plan::service::Strategy;

pub use endpoint::{Address, Endpoint, InFlight};
use nginx_hash::Ring;

/// What a choice may depend on.
pub struct Asking<'a> {
    pub client: IpAddr,
    /// What `hash` makes its choice by; empty for every other strategy.
    pub key: &'a [u8],
    /// A random number.
    pub random: u64,
    /// Keys of endpoints that were tried already.
    pub tried: &'a [u64],
}

/// One endpoint's place in a service.
#[derive(Clone)]
pub struct Seat {
    pub endpoint: Arc<Endpoint>,
    pub weight: u32,
    pub max_connections: u32,
    pub backup: bool,
    pub down: bool,
    /// Smooth weighted round robin's current weight.
    current: i64,
}

impl Seat {
    #[must_use]
    pub fn new(endpoint: Arc<Endpoint>, of: &plan::service::Endpoint, current: i64) -> Self {
        Self {
            endpoint,
            weight: of.weight,
            max_connections: of.max_connections,
            backup: of.backup,
            down: of.down,
            current,
        }
    }

    fn is_free(&self, asking: &Asking<'_>, now: &mut Option<Instant>) -> bool {
        !self.down
            && self.weight > 0
            && !asking.tried.contains(&self.endpoint.key)
            && self.has_room()
            && self.endpoint.may_try(now)
    }

    fn has_room(&self) -> bool {
        self.max_connections == 0 || self.endpoint.in_flight() < self.max_connections
    }

    fn load(&self) -> f64 {
        f64::from(self.endpoint.in_flight()) / f64::from(self.weight.max(1))
    }

    /// What a further request is likely to wait (Traefik's leasttime); one without answers yet comes first.
    #[allow(clippy::cast_precision_loss)]
    fn expected_nanos(&self) -> f64 {
        self.endpoint.usual_nanos() as f64 * f64::from(self.endpoint.in_flight() + 1) / f64::from(self.weight.max(1))
    }
}

/// A service's endpoints and how they are chosen from.
pub struct Balancer {
    strategy: Strategy,
    seats: Mutex<Seats>,
}

struct Seats {
    generation: u64,
    list: Vec<Seat>,
    /// Of the list, where the strategy has one.
    ring: Ring,
    /// Where ties of least connections begin, so that they are taken in order.
    next: usize,
}

impl Balancer {
    #[must_use]
    pub fn new(strategy: Strategy, generation: u64, list: Vec<Seat>) -> Self {
        let ring = ring(&strategy, &list);
        Self { strategy, seats: Mutex::new(Seats { generation, list, ring, next: 0 }) }
    }

    /// An endpoint, its request already counted; none when no one lives or all were tried.
    #[must_use]
    pub fn pick(&self, asking: &Asking<'_>) -> Option<InFlight> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = None;
        let at = seats.choose(&self.strategy, asking, false, &mut now).or_else(|| {
            seats.list.iter().any(|s| s.backup).then(|| seats.choose(&self.strategy, asking, true, &mut now)).flatten()
        });
        let at = at.or_else(|| seats.resting(asking))?;
        let endpoint = Arc::clone(&seats.list[at].endpoint);
        endpoint.begin_try(now);
        Some(InFlight::new(endpoint))
    }

    /// Whether any endpoint could be asked but for what was tried.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.lock().list.len()
    }

    /// How many may be asked at all.
    #[must_use]
    pub fn askable(&self) -> usize {
        self.lock().list.iter().filter(|s| !s.down && s.weight > 0).count()
    }

    /// Every endpoint, in order.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.lock().list.iter().map(|s| Arc::clone(&s.endpoint)).collect()
    }

    /// Endpoint and current weight by identity, for the next Snapshot.
    #[must_use]
    pub fn find(&self, address: &str, ordinal: u32) -> Option<(Arc<Endpoint>, i64)> {
        let seats = self.lock();
        let seat = seats.list.iter().find(|s| s.endpoint.is(address, ordinal))?;
        Some((Arc::clone(&seat.endpoint), seat.current))
    }

    #[must_use]
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Generation and seats when they are newer than this generation.
    #[must_use]
    pub fn newer_than(&self, generation: u64) -> Option<(u64, Vec<Seat>)> {
        let seats = self.lock();
        (seats.generation > generation).then(|| (seats.generation, seats.list.clone()))
    }

    /// Replaces the endpoints; false when the generation is not newer.
    pub fn replace(&self, generation: u64, list: Vec<Seat>) -> bool {
        let mut seats = self.lock();
        if generation <= seats.generation {
            return false;
        }
        for gone in seats.list.iter().filter(|s| !list.iter().any(|n| Arc::ptr_eq(&n.endpoint, &s.endpoint))) {
            gone.endpoint.removed.store(true, Ordering::Relaxed);
        }
        seats.generation = generation;
        seats.ring = ring(&self.strategy, &list);
        seats.list = list;
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    /// When nobody is free: of those that rest the one that was left alone for longest, if that was long enough. A
    /// service whose instances were all restarted is back as soon as one of them is.
    fn resting(&self, asking: &Asking<'_>) -> Option<usize> {
        let now = Instant::now();
        let alone = |seat: &Seat| {
            let usable = !seat.down && seat.weight > 0 && !asking.tried.contains(&seat.endpoint.key);
            (usable && seat.has_room() && seat.endpoint.is_resting()).then(|| seat.endpoint.left_alone(now)).flatten()
        };
        let resting = self.list.iter().enumerate().filter_map(|(at, seat)| Some((alone(seat)?, at)));
        resting.max_by_key(|&(alone, at)| (alone, std::cmp::Reverse(at))).map(|(_, at)| at)
    }

    fn choose(
        &mut self,
        strategy: &Strategy,
        asking: &Asking<'_>,
        backup: bool,
        now: &mut Option<Instant>,
    ) -> Option<usize> {
        match strategy {
            Strategy::LeastConnections => self.lowest(asking, backup, now, Seat::load),
            Strategy::IpHash => hash::rendezvous(&self.list, asking, backup, now),
            Strategy::PowerOfTwo => self.power_of_two(asking, backup, now),
            Strategy::LeastTime => self.lowest(asking, backup, now, Seat::expected_nanos),
            Strategy::RoundRobin => self.round_robin(asking, backup, now),
            // nginx's hashes know no backups, and take the next in turn when they find nobody.
            _ if backup => self.round_robin(asking, backup, now),
            Strategy::NginxIpHash => {
                nginx_hash::by_address(&self.list, asking, now).or_else(|| self.round_robin(asking, backup, now))
            }
            Strategy::Hash { .. } if asking.key.is_empty() => self.round_robin(asking, backup, now),
            Strategy::Hash { consistent: true, .. } => {
                self.ring.by_key(&mut self.list, asking, now).or_else(|| self.round_robin(asking, backup, now))
            }
            Strategy::Hash { .. } => {
                nginx_hash::by_key(&self.list, asking, now).or_else(|| self.round_robin(asking, backup, now))
            }
        }
    }

    fn round_robin(&mut self, asking: &Asking<'_>, backup: bool, now: &mut Option<Instant>) -> Option<usize> {
        smooth(&mut self.list, |_, seat| seat.backup == backup && seat.is_free(asking, now))
    }

    /// The free seat whose measure is lowest; ties are taken in order.
    fn lowest(
        &mut self,
        asking: &Asking<'_>,
        backup: bool,
        now: &mut Option<Instant>,
        measure: fn(&Seat) -> f64,
    ) -> Option<usize> {
        let count = self.list.len();
        let mut best: Option<usize> = None;
        for step in 0..count {
            let at = (self.next + step) % count;
            if self.list[at].backup != backup || !self.list[at].is_free(asking, now) {
                continue;
            }
            if best.is_none_or(|b| measure(&self.list[at]) < measure(&self.list[b])) {
                best = Some(at);
            }
        }
        if let Some(best) = best {
            self.next = (best + 1) % count;
        }
        best
    }

    fn power_of_two(&mut self, asking: &Asking<'_>, backup: bool, now: &mut Option<Instant>) -> Option<usize> {
        let free: Vec<usize> = (0..self.list.len())
            .filter(|&at| self.list[at].backup == backup && self.list[at].is_free(asking, now))
            .collect();
        let count = free.len() as u64;
        if count < 2 {
            return free.first().copied();
        }
        let first = asking.random % count;
        let second = (first + 1 + (asking.random >> 32) % (count - 1)) % count;
        let (a, b) = (free[usize::try_from(first).ok()?], free[usize::try_from(second).ok()?]);
        Some(if self.list[b].load() < self.list[a].load() { b } else { a })
    }
}

/// nginx's smooth weighted round robin: every free seat gains its weight, the highest is taken and pays the sum.
/// Equal weights come out in order.
fn smooth(list: &mut [Seat], mut is_free: impl FnMut(usize, &Seat) -> bool) -> Option<usize> {
    let mut total = 0i64;
    let mut best: Option<usize> = None;
    for at in 0..list.len() {
        if !is_free(at, &list[at]) {
            continue;
        }
        let weight = i64::from(list[at].weight);
        list[at].current += weight;
        total += weight;
        if best.is_none_or(|b| list[at].current > list[b].current) {
            best = Some(at);
        }
    }
    if let Some(best) = best {
        list[best].current -= total;
    }
    best
}

fn ring(strategy: &Strategy, list: &[Seat]) -> Ring {
    match strategy {
        Strategy::Hash { consistent: true, .. } => Ring::of(list),
        _ => Ring::default(),
    }
}
