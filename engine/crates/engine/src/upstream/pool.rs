//! Idle upstream connections of one thread.
//!
//! An application server closes idle connections when it likes (uvicorn after 5 s), so a connection is looked
//! at before it is used again; methods that must not be sent twice use only young ones (DESIGN.md, section 2).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{Context, Waker};

use plan::service::UpstreamScheme;
use rustc_hash::FxHashMap;

use crate::balance::Endpoint;
use crate::clock::{Clock, Moment, TICK_MS};
use crate::io::Io;
use crate::snapshot::service::TransportRun;

/// A connection to an endpoint.
pub struct Upstream {
    pub io: Io,
    pub born: Moment,
    /// Requests sent on it before this one.
    pub uses: u64,
    /// Which of the addresses of an endpoint's name it leads to.
    pub peer: Option<SocketAddr>,
    /// Its kernel asks whether the peer is there.
    pub is_watched: bool,
}

impl Upstream {
    /// An endpoint that was removed may go with its network: no packet says so then, and an exchange that still waits for
    /// it would wait forever. From its removal on, which wakes every task, the kernel asks. `small`: what was sent fits
    /// into any window, so that silence cannot be an endpoint that reads slowly.
    #[inline]
    pub fn look_after(&mut self, endpoint: &Endpoint, small: bool) {
        if endpoint.removed.load(Ordering::Relaxed) && !self.is_watched {
            self.is_watched = true;
            self.io.watch(small);
        }
    }
}

struct Idle {
    upstream: Upstream,
    since: Moment,
    until: Moment,
}

struct Shelf {
    endpoint: Arc<Endpoint>,
    /// The one used last at the back.
    idle: VecDeque<Idle>,
}

#[derive(Default)]
pub struct Pools(RefCell<FxHashMap<Place, Shelf>>);

/// Endpoint and, over https, on which terms: a connection that was not verified is none for who verifies.
type Place = (u64, u32);

fn place(endpoint: &Endpoint, transport: &TransportRun) -> Place {
    let terms = match (endpoint.scheme, &transport.tls) {
        (UpstreamScheme::Https, Some(tls)) => tls.key,
        _ => 0,
    };
    (endpoint.key, terms)
}

impl Pools {
    /// The connection used last that is still good. `unsafe_method`: it must be young, and the kernel is asked.
    pub fn take(
        &self,
        endpoint: &Endpoint,
        transport: &TransportRun,
        unsafe_method: bool,
        clock: &Clock,
    ) -> Option<Upstream> {
        let policy = &transport.pool;
        let mut shelves = self.0.borrow_mut();
        let shelf = shelves.get_mut(&place(endpoint, transport))?;
        let mut noop = Context::from_waker(Waker::noop());
        while let Some(mut idle) = shelf.idle.pop_back() {
            endpoint.idle.fetch_sub(1, Ordering::Relaxed);
            let now = clock.now();
            let good = now < idle.until && idle.upstream.io.seems_silent(&mut noop);
            if !good {
                continue;
            }
            if unsafe_method {
                // The clock is up to a tick behind.
                let young = now - idle.since + 2 * TICK_MS < policy.unsafe_idle_ms;
                if !young {
                    // Older ones lie below: they stay for safe methods.
                    endpoint.idle.fetch_add(1, Ordering::Relaxed);
                    shelf.idle.push_back(idle);
                    return None;
                }
                if !idle.upstream.io.is_silent() {
                    continue;
                }
            }
            return Some(idle.upstream);
        }
        None
    }

    /// Keeps a connection whose last response ended cleanly.
    pub fn give_back(&self, endpoint: &Arc<Endpoint>, mut upstream: Upstream, transport: &TransportRun, clock: &Clock) {
        let policy = &transport.pool;
        upstream.uses += 1;
        let worn = (policy.max_requests != 0 && upstream.uses >= policy.max_requests)
            || (policy.max_age_ms != 0 && clock.now() - upstream.born > policy.max_age_ms);
        if worn || endpoint.removed.load(Ordering::Relaxed) {
            return;
        }
        let mut shelves = self.0.borrow_mut();
        let shelf = shelves
            .entry(place(endpoint, transport))
            .or_insert_with(|| Shelf { endpoint: Arc::clone(endpoint), idle: VecDeque::new() });
        if endpoint.idle.fetch_add(1, Ordering::Relaxed) >= policy.max_idle {
            endpoint.idle.fetch_sub(1, Ordering::Relaxed);
            // The oldest gives way: unsafe methods could not use it, and it would keep its place for long.
            if shelf.idle.pop_front().is_none() {
                return;
            }
        }
        shelf.idle.push_back(Idle { upstream, since: clock.now(), until: clock.after(policy.idle_ms) });
    }

    /// Closes what is too old, closed by its peer, or of an endpoint that is gone.
    pub fn sweep(&self, clock: &Clock) {
        let now = clock.now();
        let mut noop = Context::from_waker(Waker::noop());
        self.0.borrow_mut().retain(|_, shelf| {
            let before = shelf.idle.len();
            if shelf.endpoint.removed.load(Ordering::Relaxed) {
                shelf.idle.clear();
            } else {
                shelf.idle.retain_mut(|idle| now < idle.until && idle.upstream.io.seems_silent(&mut noop));
            }
            let closed = u32::try_from(before - shelf.idle.len()).unwrap_or(0);
            shelf.endpoint.idle.fetch_sub(closed, Ordering::Relaxed);
            !shelf.idle.is_empty()
        });
    }
}
