//! What is known of an exchange when it is logged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use plan::fault::FaultKind;

use crate::balance::Endpoint;
use crate::fault::Fault;

/// An endpoint that was asked in vain, or for an answer that another one stood for.
pub struct Attempt {
    pub address: String,
    pub status: u16,
    /// What stands between it and the next: `, ` of the same service, ` : ` of another one.
    pub separator: &'static str,
}

pub struct Record {
    /// The turn in which its head was there.
    pub started: Instant,
    pub id: (u64, u64),
    pub connection_requests: u64,
    pub count: u64,
    pub status: u16,
    /// Instead of `status` in logs, such as 499.
    pub log_status: Option<u16>,
    pub body_bytes: u64,
    pub sent_bytes: u64,
    pub request_bytes: u64,
    pub request_body_bytes: u64,
    pub endpoint: Option<Arc<Endpoint>>,
    pub upstream_status: u16,
    /// Which address of the endpoint's name was asked.
    pub peer: Option<SocketAddr>,
    /// What was asked before `endpoint`.
    pub earlier: Vec<Attempt>,
    /// How asking `endpoint` went: its status, or that of the fault.
    pub attempt_status: u16,
    /// The request's body as it went upstream, when it was in memory as a whole and a template shows it.
    pub request_body: Vec<u8>,
    /// The service that had nobody left to ask.
    pub nobody: Option<String>,
    pub upstream_bytes: u64,
    /// Of the response's heads, and of the request with its body; chunks are counted without what frames them.
    pub upstream_head_bytes: u64,
    pub upstream_sent_bytes: u64,
    pub connect_nanos: u64,
    pub header_nanos: u64,
    pub response_nanos: u64,
    pub retries: u32,
    pub fault: Option<Fault>,
    /// Fields of a response that was handed over, for the answer.
    pub carried: Vec<(&'static [u8], Vec<u8>)>,
    /// The fault that the engine's present answer is for.
    pub failed: Option<FaultKind>,
    /// The status of an error page, instead of the one it is answered with.
    pub page_status: Option<u16>,
    /// What a page that stands for 401 still says (RFC 9110 section 11.6.1).
    pub challenges: Vec<Vec<u8>>,
}

impl Record {
    #[must_use]
    pub fn new(started: Instant, id: (u64, u64), connection_requests: u64, count: u64) -> Self {
        Self {
            started,
            id,
            connection_requests,
            count,
            status: 0,
            log_status: None,
            body_bytes: 0,
            sent_bytes: 0,
            request_bytes: 0,
            request_body_bytes: 0,
            endpoint: None,
            upstream_status: 0,
            peer: None,
            earlier: Vec::new(),
            attempt_status: 0,
            nobody: None,
            request_body: Vec::new(),
            upstream_bytes: 0,
            upstream_head_bytes: 0,
            upstream_sent_bytes: 0,
            connect_nanos: 0,
            header_nanos: 0,
            response_nanos: 0,
            retries: 0,
            fault: None,
            carried: Vec::new(),
            failed: None,
            page_status: None,
            challenges: Vec::new(),
        }
    }

    /// When it began, by the wall's clock.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        SystemTime::now() - self.started.elapsed()
    }

    #[must_use]
    pub fn duration_nanos(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    #[must_use]
    pub fn upstream_address(&self) -> &str {
        self.endpoint.as_ref().map_or("", |e| e.address_text())
    }

    /// Whom to ask next: what was asked before is kept.
    pub fn moves_on(&mut self, separator: &'static str) {
        if let Some(endpoint) = self.endpoint.take() {
            let address = self.peer.take().map_or_else(|| endpoint.address_text().to_owned(), |peer| peer.to_string());
            self.earlier.push(Attempt { address, status: self.attempt_status, separator });
        } else if let Some(address) = self.nobody.take() {
            self.earlier.push(Attempt { address, status: self.attempt_status, separator });
        }
        self.attempt_status = 0;
    }

    #[must_use]
    pub fn upstream_url(&self) -> &str {
        self.endpoint.as_ref().map_or("", |e| e.url.as_str())
    }
}
