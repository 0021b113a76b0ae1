//! `plan::service` as a route sees it: a balanced service, shares of others, or one whose endpoint the request names.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use plan::service::{Endpoint as PlanEndpoint, Rest, Strategy, UpstreamScheme};

use super::service::{RetryRun, ServiceRun, TransportRun};
use crate::balance::{Address, Balancer, Endpoint, Seat};
use crate::fault::Fault;
use crate::template::Text;

/// Endpoints that requests have named, kept for their connections and counts; the idle ones of more are let go.
const KEPT: usize = 1024;

#[derive(Clone)]
pub enum Destination {
    Balanced(Arc<ServiceRun>),
    Shares(Arc<SharesRun>),
    Named(Arc<NamedRun>),
}

/// Shares of traffic to other services.
pub struct SharesRun {
    pub id: String,
    pub name: String,
    shares: Mutex<Vec<Share>>,
}

struct Share {
    to: Destination,
    weight: i64,
    /// Smooth weighted round robin's.
    current: i64,
}

/// The endpoint is made from the request.
pub struct NamedRun {
    pub id: String,
    pub name: String,
    pub address: Text,
    scheme: UpstreamScheme,
    transport: Arc<TransportRun>,
    retry: RetryRun,
    known: Known,
}

/// Endpoints by address; a Snapshot hands them on to the next.
type Known = Arc<Mutex<HashMap<String, Arc<Endpoint>>>>;

impl Destination {
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Balanced(service) => &service.id,
            Self::Shares(shares) => &shares.id,
            Self::Named(named) => &named.id,
        }
    }

    /// The user's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Balanced(service) => &service.name,
            Self::Shares(shares) => &shares.name,
            Self::Named(named) => &named.name,
        }
    }

    /// The service of one exchange, when that takes a choice. `render` makes the address of a named one.
    ///
    /// # Errors
    /// What the template makes of the request is no address.
    pub fn choose(&self, render: &mut dyn FnMut(&Text) -> Vec<u8>) -> Result<Arc<ServiceRun>, Fault> {
        match self {
            Self::Balanced(service) => Ok(Arc::clone(service)),
            Self::Shares(shares) => {
                let chosen = shares.next().ok_or_else(|| no_endpoint("every share is nothing"))?;
                chosen.choose(render)
            }
            Self::Named(named) => named.service(&render(&named.address)),
        }
    }
}

impl SharesRun {
    #[must_use]
    pub fn new(id: &str, name: String, shares: Vec<(Destination, u32)>) -> Arc<Self> {
        let share = |(to, weight)| Share { to, weight: i64::from(weight), current: 0 };
        Arc::new(Self { id: id.to_owned(), name, shares: Mutex::new(shares.into_iter().map(share).collect()) })
    }

    /// Smooth weighted round robin: exact over all threads.
    fn next(&self) -> Option<Destination> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let total: i64 = shares.iter().map(|share| share.weight).sum();
        shares.iter_mut().for_each(|share| share.current += share.weight);
        // Of equal ones the first.
        let best = shares.iter_mut().filter(|share| share.weight > 0).reduce(|best, share| {
            if share.current > best.current {
                share
            } else {
                best
            }
        })?;
        best.current -= total;
        Some(best.to.clone())
    }
}

impl NamedRun {
    /// `before` is what had its id.
    #[must_use]
    pub fn new(
        (id, name): (&str, String),
        address: Text,
        scheme: UpstreamScheme,
        transport: Arc<TransportRun>,
        retry: RetryRun,
        before: Option<&Arc<Self>>,
    ) -> Arc<Self> {
        let kept = before.filter(|before| before.scheme == scheme).map(|before| Arc::clone(&before.known));
        Arc::new(Self { id: id.to_owned(), name, address, scheme, transport, retry, known: kept.unwrap_or_default() })
    }

    fn service(&self, address: &[u8]) -> Result<Arc<ServiceRun>, Fault> {
        let endpoint = self.endpoint(address)?;
        let of = seat_of(endpoint.address_text(), self.scheme);
        let seats = vec![Seat::new(endpoint, &of, 0)];
        Ok(ServiceRun::of_request(&self.id, &self.name, Balancer::new(Strategy::RoundRobin, 0, seats), self.terms()))
    }

    /// Nobody names its endpoints any more: their connections are not kept.
    pub fn forget(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().for_each(|endpoint| endpoint.removed.store(true, Ordering::Relaxed));
    }

    fn terms(&self) -> (Arc<TransportRun>, RetryRun) {
        (Arc::clone(&self.transport), self.retry.clone())
    }

    fn endpoint(&self, address: &[u8]) -> Result<Arc<Endpoint>, Fault> {
        let no_address = || no_endpoint("what the template makes of the request is no address");
        let text = std::str::from_utf8(address).map_err(|_| no_address())?;
        let with_port = match text.rsplit_once(':') {
            Some((_, port)) if !text.ends_with(']') && port.bytes().all(|b| b.is_ascii_digit()) => text.to_owned(),
            _ if text.starts_with("unix:") => text.to_owned(),
            _ if self.scheme == UpstreamScheme::Https => format!("{text}:443"),
            _ => format!("{text}:80"),
        };
        let with_port = with_port.to_ascii_lowercase();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = known.get(&with_port) {
            return Ok(Arc::clone(endpoint));
        }
        let at = Address::parse(&with_port).ok_or_else(no_address)?;
        if known.len() >= KEPT {
            known.retain(|_, endpoint| {
                let stays = endpoint.in_flight() > 0;
                if !stays {
                    endpoint.removed.store(true, Ordering::Relaxed);
                }
                stays
            });
        }
        let mut of = seat_of(&with_port, self.scheme);
        text.clone_into(&mut of.url);
        let endpoint = Endpoint::new(at, &of, never_rests());
        known.insert(with_port, Arc::clone(&endpoint));
        Ok(endpoint)
    }
}

fn seat_of(address: &str, scheme: UpstreamScheme) -> PlanEndpoint {
    PlanEndpoint {
        address: address.to_owned(),
        scheme,
        ordinal: 0,
        weight: 1,
        max_connections: 0,
        backup: false,
        down: false,
        url: String::new(),
        rest: None,
    }
}

/// There is nobody to go to instead.
fn never_rests() -> Rest {
    Rest { failures: 0, window_ms: 0, rest_ms: 0, spare_single: true, early_ms: 0 }
}

fn no_endpoint(cause: &str) -> Fault {
    Fault::new(plan::fault::FaultKind::NoEndpoint, cause)
}
