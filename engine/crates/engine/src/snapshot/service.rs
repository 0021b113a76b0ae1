//! `plan::service` made ready: balancers with the endpoints they keep from Snapshot to Snapshot, and transports.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use plan::service::{Balanced, Endpoint as PlanEndpoint, Rest, Retry, RetryOn, Strategy, UpstreamScheme};
use wire::HeadLimits;

use super::links::Links;
use crate::balance::{Address, Balancer, Endpoint, Seat};
use crate::control::error::CallError;
use crate::template::Text;
use crate::tls::upstream::UpstreamTlsRun;
use crate::tls::HandedOver;

pub struct ServiceRun {
    pub id: String,
    /// The user's name for it.
    pub name: String,
    pub balancer: Balancer,
    pub transport: Arc<TransportRun>,
    pub retry: RetryRun,
    /// What a hash makes its choice by.
    pub key: Option<Text>,
    rest: Rest,
}

/// How endpoints are talked to.
pub struct TransportRun {
    pub http10: bool,
    pub connect_ms: u64,
    pub response_head_ms: u64,
    pub read_idle_ms: u64,
    pub write_idle_ms: u64,
    pub pool: plan::service::Pool,
    pub limits: HeadLimits,
    pub chunk_line_bytes: usize,
    pub resolve_ms: u64,
    /// For endpoints that are asked by https.
    pub tls: Option<Arc<UpstreamTlsRun>>,
}

/// When a request goes to another endpoint.
#[derive(Debug, Clone)]
pub struct RetryRun {
    pub unsent: bool,
    pub error: bool,
    pub timeout: bool,
    pub invalid: bool,
    pub statuses: Vec<u16>,
    pub tries: u32,
    pub timeout_ms: u64,
    pub non_idempotent: bool,
    pub resend_on_stale: bool,
}

impl RetryRun {
    #[must_use]
    pub fn build(retry: &Retry) -> Self {
        let has = |on: RetryOn| retry.on.contains(&on);
        Self {
            unsent: has(RetryOn::Unsent),
            error: has(RetryOn::Error),
            timeout: has(RetryOn::Timeout),
            invalid: has(RetryOn::InvalidResponse),
            statuses: retry
                .on
                .iter()
                .filter_map(|on| if let RetryOn::Status(s) = on { Some(*s) } else { None })
                .collect(),
            tries: retry.tries,
            timeout_ms: retry.timeout_ms,
            non_idempotent: retry.non_idempotent,
            resend_on_stale: retry.resend_on_stale,
        }
    }
}

impl TransportRun {
    /// Makes a transport ready.
    ///
    /// # Errors
    /// What this engine cannot run yet.
    pub fn build(transport: &plan::service::Transport, secrets: &HandedOver<'_>) -> Result<Arc<Self>, String> {
        let tls = transport.tls.as_ref().map(|tls| secrets.kept.upstreams.of(tls, secrets)).transpose()?;
        Ok(Arc::new(Self {
            tls,
            http10: transport.protocol == plan::service::UpstreamProtocol::Http10,
            connect_ms: transport.connect_ms,
            response_head_ms: transport.response_head_ms,
            read_idle_ms: transport.read_idle_ms,
            write_idle_ms: transport.write_idle_ms,
            pool: transport.pool.clone(),
            limits: HeadLimits {
                head_bytes: transport.limits.head_bytes as usize,
                target_bytes: 0,
                field_bytes: transport.limits.head_bytes as usize,
                fields: transport.limits.fields as usize,
                bare_lf: transport.limits.bare_lf,
                empty_host: false,
            },
            chunk_line_bytes: transport.limits.chunk_line_bytes as usize,
            resolve_ms: transport.resolve_ms,
        }))
    }
}

impl ServiceRun {
    /// Makes a service ready; `before` is what had its id.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(
        (id, service): (&str, &plan::service::Service),
        balanced: &Balanced,
        transport: &Arc<TransportRun>,
        before: Option<&Arc<Self>>,
        links: &Links<'_>,
    ) -> Result<Arc<Self>, CallError> {
        let key = match &balanced.strategy {
            Strategy::Hash { key, .. } => Some(Text::build(key, links)?),
            _ => None,
        };
        let mut seats = seats(id, &balanced.endpoints, &balanced.rest, before)?;
        let mut generation = balanced.generation;
        if let Some((newer, list)) = before.and_then(|b| b.balancer.newer_than(generation)) {
            // It was given endpoints since: the Plan's are older.
            generation = newer;
            seats = list;
        }
        Ok(Arc::new(Self {
            id: id.to_owned(),
            name: if service.origin.name.is_empty() { id.to_owned() } else { service.origin.name.clone() },
            balancer: Balancer::new(balanced.strategy.clone(), generation, seats),
            transport: Arc::clone(transport),
            retry: RetryRun::build(&balanced.retry),
            key,
            rest: balanced.rest.clone(),
        }))
    }

    /// Of one endpoint that a request has named.
    #[must_use]
    pub fn of_request(
        id: &str,
        name: &str,
        balancer: Balancer,
        (transport, retry): (Arc<TransportRun>, RetryRun),
    ) -> Arc<Self> {
        let rest = Rest { failures: 0, window_ms: 0, rest_ms: 0, spare_single: true, early_ms: 0 };
        Arc::new(Self { id: id.to_owned(), name: name.to_owned(), balancer, transport, retry, key: None, rest })
    }

    /// Other endpoints, without an apply.
    ///
    /// # Errors
    /// `stale` when the generation is not newer, or what cannot be run.
    pub fn set_endpoints(self: &Arc<Self>, generation: u64, endpoints: &[PlanEndpoint]) -> Result<(), CallError> {
        let seats = seats(&self.id, endpoints, &self.rest, Some(self))?;
        if self.balancer.replace(generation, seats) {
            Ok(())
        } else {
            let message = format!("generation {generation} is not newer than {}", self.balancer.generation());
            Err(CallError::new("stale", &message, &format!("services.{}", self.id)))
        }
    }
}

fn seats(
    id: &str,
    endpoints: &[PlanEndpoint],
    rest: &Rest,
    before: Option<&Arc<ServiceRun>>,
) -> Result<Vec<Seat>, CallError> {
    endpoints
        .iter()
        .map(|of| {
            let place = || format!("services.{id}.endpoints.{}", of.address);
            if of.scheme == UpstreamScheme::H2c {
                return Err(CallError::unsupported(&place(), &format!("scheme {:?}", of.scheme)));
            }
            let address = Address::parse(&of.address)
                .ok_or_else(|| CallError::new("bad_plan", "neither host:port nor unix:/path", &place()))?;
            let kept = before.and_then(|b| b.balancer.find(&of.address, of.ordinal));
            let rest = of.rest.as_ref().unwrap_or(rest);
            Ok(match kept {
                Some((endpoint, current))
                    if endpoint.rest() == rest && endpoint.url == of.url && endpoint.scheme == of.scheme =>
                {
                    endpoint.removed.store(false, Ordering::Relaxed);
                    Seat::new(endpoint, of, current)
                }
                _ => Seat::new(Endpoint::new(address, of, rest.clone()), of, 0),
            })
        })
        .collect()
}
