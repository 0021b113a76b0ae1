//! One request and its response. In the order of the flow: [`connection`] waits and reads heads of HTTP/1
//! ([`crate::http2`] has streams), [`downstream`] is the client's side of either, [`request`] judges a head, [`route`] runs
//! the exchange, [`course`] finds what is to be done, [`page`] what is answered instead, [`prepare`] writes the request anew, [`forward`] asks an endpoint,
//! [`upload`] and [`download`] move bodies, [`hold`] and [`ahead`] keep what of them must wait, [`location`] changes where
//! a response sends the client, [`answer`] writes heads, [`tunnel`] carries an upgraded connection, [`removal`] ends what outlives
//! its route, [`record`] is what logs say.

pub mod accel;
pub mod admit;
pub mod ahead;
pub mod answer;
pub mod ask;
pub mod burst;
pub mod connection;
pub mod course;
pub mod deliver;
pub mod download;
pub mod downstream;
pub mod forward;
pub mod hold;
pub mod inner;
pub mod location;
pub mod mirroring;
pub mod page;
pub mod prepare;
pub mod record;
pub mod removal;
pub mod request;
pub mod route;
pub mod subrequest;
pub mod tunnel;
pub mod upload;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ::route::Captures;
use wire::head::Head;

use self::downstream::Client;
use self::record::Record;
use self::request::Request;
use crate::files::body::FileBody;
use crate::filter::FilterRun;
use crate::lookup::{Kept, LookupRun};
use crate::snapshot::destination::Destination;
use crate::snapshot::links::Routing;
use crate::snapshot::listener::{AnswerRun, FaultsRun, HostRun};
use crate::snapshot::route::{ActionRun, RedirectRun, RespondRun, RouteRun};
use crate::worker::Worker;

/// What templates and conditions see.
pub struct Scope<'a> {
    pub request: &'a Request,
    pub response: Option<&'a Head>,
    pub captures: &'a RefCell<Captures>,
    pub lookups: &'a [LookupRun],
    pub looked_up: &'a Kept,
    pub record: &'a Record,
    pub client: &'a Client,
    pub listener: &'a str,
    pub hostname: &'a str,
    pub server_name: &'a str,
    pub route_name: &'a str,
    pub service_name: &'a str,
    /// What the service is reached as (nginx's `$proxy_host`): its id, or the address the request has named.
    pub service_host: &'a str,
}

/// An exchange between its head and its response: borrowed from its connection (`'a`) and its Snapshot (`'p`).
pub struct Exchange<'a, 'p> {
    pub worker: &'a Rc<Worker>,
    pub client: &'a Client,
    pub listener: &'p str,
    pub routing: &'p Routing,
    pub host: &'p HostRun,
    pub route: Option<&'p RouteRun>,
    pub request: &'a mut Request,
    pub response: &'a mut Head,
    pub captures: &'a mut RefCell<Captures>,
    pub looked_up: &'a mut Kept,
    pub record: &'a mut Record,
}

/// A service's id without its scheme and what stands behind a space; a Unix socket has no name (nginx's `$proxy_host`).
fn reached_as(id: &str) -> &str {
    let host = id.split_once("://").map_or(id, |(_, host)| host);
    match host.split_once(' ') {
        _ if host.starts_with("unix:") => "localhost",
        Some((host, _)) => host,
        None => host,
    }
}

/// Appends text that was put together as one word of a start line or a field: what would end or split it is
/// percent-encoded.
pub fn write_word(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        if b <= b' ' || matches!(b, 0x7f | b'"' | b'<' | b'>') {
            out.extend_from_slice(format!("%{b:02X}").as_bytes());
        } else {
            out.push(b);
        }
    }
}

/// The body of an answer.
pub enum Body {
    Bytes(Vec<u8>),
    /// Boxed: most answers are bytes.
    File(Box<FileBody>),
}

impl Body {
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// A response of the engine's own; its head stands in [`Exchange::response`].
pub struct Answer {
    pub body: Body,
    /// The connection is closed after it.
    pub close: bool,
    /// Nothing is said, the connection is closed.
    pub silent: bool,
    /// No error page stands for it.
    pub stands: bool,
}

impl<'p> Exchange<'_, 'p> {
    /// The filters that see the answer: of the route, or where there is none yet, of the host.
    #[must_use]
    pub fn filters(&self) -> &'p [Arc<FilterRun>] {
        self.route.map_or(&self.host.filters, |route| &route.filters)
    }

    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        let (service, host) = match self.route.map(|r| &r.action) {
            Some(ActionRun::Proxy(proxy)) => match &proxy.service {
                Destination::Named(named) => (named.name.as_str(), self.record.upstream_url()),
                service => (service.name(), service.id()),
            },
            _ => ("", ""),
        };
        Scope {
            request: self.request,
            response: Some(self.response),
            captures: self.captures,
            lookups: &self.routing.lookups,
            looked_up: self.looked_up,
            record: self.record,
            client: self.client,
            listener: self.listener,
            hostname: &self.worker.shared.hostname,
            server_name: &self.host.server_name,
            route_name: self.route.map_or("", |r| {
                if r.origin.name.is_empty() {
                    r.id.as_str()
                } else {
                    r.origin.name.as_str()
                }
            }),
            service_name: service,
            service_host: reached_as(host),
        }
    }

    /// Puts an answer's head together.
    pub fn respond(&mut self, respond: &RespondRun) -> Answer {
        // It may name its own status.
        self.response.status = respond.status;
        let body = respond.body.render(&self.scope());
        self.own_head(respond.status, &respond.headers);
        Answer { body: body.into(), close: false, silent: false, stands: false }
    }

    /// Puts a redirect's head together. What would break the line is percent-encoded.
    pub fn redirect(&mut self, redirect: &RedirectRun) -> Answer {
        let location = redirect.location.render(&self.scope());
        let get = self.request.head.method() == b"GET";
        self.redirect_to(if get { redirect.status_get } else { redirect.status_other }, &location)
    }

    /// The same to a location that is known.
    pub fn redirect_to(&mut self, status: u16, location: &[u8]) -> Answer {
        let mut word = Vec::with_capacity(location.len());
        write_word(location, &mut word);
        self.own_head(status, &[]);
        self.response.add(b"Location", &word);
        Answer { body: Vec::new().into(), close: false, silent: false, stands: false }
    }

    /// Puts an answer's head together, with a location that is known.
    pub fn respond_from(&mut self, respond: &RespondRun, location: &[u8]) -> Answer {
        let answer = self.respond(respond);
        let mut word = Vec::with_capacity(location.len());
        write_word(location, &mut word);
        self.response.add(b"Location", &word);
        answer
    }

    fn own_head(&mut self, status: u16, headers: &[(String, crate::template::Text)]) {
        let values: Vec<_> = headers.iter().map(|(name, value)| (name, value.render(&self.scope()))).collect();
        self.response.clear();
        self.response.status = status;
        for (name, value) in values {
            if wire::field::is_value(&value) {
                if !value.is_empty() {
                    self.response.add(name.as_bytes(), &value);
                }
            } else if name.eq_ignore_ascii_case("location") {
                // A redirect without it would lead nowhere.
                let mut word = Vec::with_capacity(value.len());
                write_word(&value, &mut word);
                self.response.add(name.as_bytes(), &word);
            }
        }
    }

    /// The answer to a fault, in the words of the route's language or the host's.
    pub fn fault(&mut self, fault: crate::fault::Fault) -> Answer {
        self.worker.shared.faults.count(fault.kind);
        let kind = fault.kind;
        self.record.fault = Some(fault);
        self.answer(kind)
    }

    /// The same of what is nobody's fault, such as a redirect.
    pub fn answer(&mut self, kind: plan::fault::FaultKind) -> Answer {
        let answer = self.faults().answer(kind);
        self.record.log_status = Some(answer.log_status);
        self.record.failed = Some(kind);
        self.put(answer)
    }

    /// The answer with a status, in the words of the first fault that is answered with it; without words when none is.
    pub fn status(&mut self, status: u16) -> Answer {
        if let Some(answer) = self.faults().of_status(status) {
            return self.put(answer);
        }
        self.own_head(status, &[]);
        Answer { body: Vec::new().into(), close: false, silent: false, stands: false }
    }

    fn faults(&self) -> &'p FaultsRun {
        self.route.map_or(&self.host.faults, |route| &route.faults)
    }

    fn put(&mut self, answer: &AnswerRun) -> Answer {
        let body = answer.body.render(&self.scope());
        self.own_head(answer.status, &answer.headers);
        Answer { body: body.into(), close: answer.close, silent: false, stands: false }
    }
}
