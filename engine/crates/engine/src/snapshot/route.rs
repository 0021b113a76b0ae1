//! `plan::route` made ready: filters and an action.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::Arc;

use plan::route::{Buffering, HeaderValue, Jump, Proxy, Target};
use plan::Origin;
use wire::field::{known, Known, KnownSet};

use super::destination::Destination;
use super::files::{FilesRun, TryFilesRun};
use super::links::Links;
use super::listener::FaultsRun;
use super::service::{RetryRun, TransportRun};
use crate::control::error::CallError;
use crate::exchange::location::LocationRun;
use crate::filter::FilterRun;
use crate::observe::access::LogRun;
use crate::template::Text;

/// In this order: what every request reads stands together, for among ten thousand routes it is in no cache.
#[repr(C)]
pub struct RouteRun {
    pub internal: bool,
    pub filters: Box<[Arc<FilterRun>]>,
    pub action: ActionRun,
    pub body_bytes: Option<u64>,
    pub logs: Box<[Arc<LogRun>]>,
    pub faults: Arc<FaultsRun>,
    pub id: String,
    pub origin: Origin,
}

/// As small as the commonest: the others stand elsewhere.
pub enum ActionRun {
    Proxy(ProxyRun),
    Respond(Box<RespondRun>),
    Redirect(Box<RedirectRun>),
    Files(Box<FilesRun>),
    TryFiles(Box<TryFilesRun>),
    Ping { terminating_status: u16 },
    Fail(plan::fault::FaultKind),
    Close,
    Jump(Box<JumpRun>),
}

/// Where the search begins again.
pub enum JumpRun {
    /// With another target (a path, and a query after `?`) in the table of this number.
    Uri { table: u32, uri: Text },
    /// At the route of this number; what is searched later is searched in the table.
    Named { table: u32, route: u32 },
}

/// Where requests go, and how.
pub struct ProxyRun {
    pub service: Destination,
    pass: Arc<PassRun>,
}

impl Deref for ProxyRun {
    type Target = PassRun;

    #[inline]
    fn deref(&self) -> &PassRun {
        &self.pass
    }
}

/// How requests are passed on; routes that do it alike share it.
pub struct PassRun {
    /// Instead of the service's.
    pub transport: Option<Arc<TransportRun>>,
    pub retry: Option<RetryRun>,
    pub target: TargetRun,
    pub host: Option<Text>,
    pub upgrade: bool,
    pub trailers: bool,
    pub informational: bool,
    pub hide: HideSet,
    pub method: Option<Text>,
    /// The client's fields go upstream; else only those that filters have set.
    pub pass_headers: bool,
    /// Its body does.
    pub pass_body: bool,
    /// The request's body is whole before it goes on; so many bytes of it in memory.
    pub hold: Option<u64>,
    /// The response is read ahead of the client: so many bytes in memory, so many in a file.
    pub ahead: Option<(u64, u64)>,
    /// X-Accel-Redirect and its family are honoured.
    pub accel: bool,
    pub rewrite_location: Vec<LocationRun>,
    pub intercept_errors: bool,
}

pub enum TargetRun {
    Raw,
    Current,
    ReplacePrefix { prefix: Vec<u8>, with: Vec<u8> },
    Template(Text),
}

pub struct RespondRun {
    pub status: u16,
    pub headers: Vec<(String, Text)>,
    pub body: Text,
}

pub struct RedirectRun {
    pub status_get: u16,
    pub status_other: u16,
    pub location: Text,
}

/// Fields that are not passed on.
#[derive(Default)]
pub struct HideSet {
    pub known: KnownSet,
    pub others: Vec<Vec<u8>>,
}

impl HideSet {
    #[must_use]
    pub fn build(names: &[String]) -> Self {
        let mut set = Self::default();
        for name in names {
            match known(name.as_bytes()) {
                Known::Other => set.others.push(name.clone().into_bytes()),
                is => set.known.add(is),
            }
        }
        set
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty() && self.known == KnownSet::EMPTY
    }
}

/// Templates of header values.
///
/// # Errors
/// A template that cannot be run, or a name that is no field name.
pub fn header_values(headers: &[HeaderValue], links: &Links<'_>) -> Result<Vec<(String, Text)>, CallError> {
    headers
        .iter()
        .map(|h| {
            if !wire::field::is_token(h.name.as_bytes()) {
                return Err(CallError::new("bad_plan", &format!("`{}` is no field name", h.name), ""));
            }
            Ok((h.name.clone(), Text::build(&h.value, links)?))
        })
        .collect()
}

impl JumpRun {
    /// Makes a jump ready.
    ///
    /// # Errors
    /// It leads nowhere, or its target cannot be made.
    pub fn build(jump: &Jump, links: &Links<'_>) -> Result<Self, CallError> {
        links.note_jump();
        Ok(match jump {
            Jump::Uri { table, uri } => Self::Uri { table: links.table(table)?, uri: Text::build(uri, links)? },
            Jump::Name { table, name } => Self::Named { table: links.table(table)?, route: links.named(table, name)? },
        })
    }
}

impl RespondRun {
    /// Makes an answer ready.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(respond: &plan::route::Respond, links: &Links<'_>) -> Result<Self, CallError> {
        Ok(Self {
            status: respond.status,
            headers: header_values(&respond.headers, links)?,
            body: Text::build(&respond.body, links)?,
        })
    }
}

impl RedirectRun {
    /// Makes a redirect ready.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(redirect: &plan::route::Redirect, links: &Links<'_>) -> Result<Self, CallError> {
        Ok(Self {
            status_get: redirect.status_get,
            status_other: redirect.status_other,
            location: Text::build(&redirect.location, links)?,
        })
    }
}

/// The last few ways of passing on while a Snapshot is built: whatever the service, most routes have one of them.
#[derive(Default)]
pub struct Passes(RefCell<VecDeque<(Proxy, Arc<PassRun>)>>);

impl Passes {
    const KEPT: usize = 16;

    /// The one that is written like this, or what `make` makes of it.
    fn like(
        &self,
        proxy: &Proxy,
        make: impl FnOnce() -> Result<PassRun, CallError>,
    ) -> Result<Arc<PassRun>, CallError> {
        let of_any = Proxy { service: String::new(), ..proxy.clone() };
        let mut known = self.0.borrow_mut();
        if let Some((_, pass)) = known.iter().find(|(like, _)| *like == of_any) {
            return Ok(Arc::clone(pass));
        }
        let pass = Arc::new(make()?);
        known.truncate(Self::KEPT - 1);
        known.push_front((of_any, Arc::clone(&pass)));
        Ok(pass)
    }
}

impl ProxyRun {
    /// Makes a proxy action ready. `transport` is the route's own.
    ///
    /// # Errors
    /// What in it this engine cannot run yet, by name.
    pub fn build(
        proxy: &Proxy,
        service: Destination,
        transport: Option<Arc<TransportRun>>,
        passes: &Passes,
        links: &Links<'_>,
    ) -> Result<Self, CallError> {
        let pass = passes.like(proxy, || PassRun::build(proxy, transport, links))?;
        Ok(Self { service, pass })
    }
}

impl PassRun {
    fn build(proxy: &Proxy, transport: Option<Arc<TransportRun>>, links: &Links<'_>) -> Result<Self, CallError> {
        let unsupported = [
            ("request_body ahead", matches!(proxy.request_body, Buffering::Ahead { .. })),
            ("response_body buffer", matches!(proxy.response_body, Buffering::Buffer { .. })),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, used)| *used) {
            return Err(CallError::unsupported("", name));
        }
        if proxy.accel {
            links.note_jump();
        }
        Ok(Self {
            retry: proxy.retry.as_ref().map(RetryRun::build),
            transport,
            target: match &proxy.target {
                Target::Raw => TargetRun::Raw,
                Target::Current => TargetRun::Current,
                Target::ReplacePrefix { prefix, with } => {
                    TargetRun::ReplacePrefix { prefix: prefix.clone().into_bytes(), with: with.clone().into_bytes() }
                }
                Target::Template(template) => TargetRun::Template(Text::build(template, links)?),
            },
            host: proxy.host.as_ref().map(|host| Text::build(host, links)).transpose()?,
            upgrade: proxy.upgrade,
            trailers: proxy.trailers,
            informational: proxy.informational,
            hide: HideSet::build(&proxy.hide),
            method: proxy.method.as_ref().map(|method| Text::build(method, links)).transpose()?,
            pass_headers: proxy.pass_headers,
            pass_body: proxy.pass_body,
            hold: if let Buffering::Buffer { memory } = proxy.request_body { Some(memory) } else { None },
            ahead: if let Buffering::Ahead { memory, file } = proxy.response_body {
                Some((memory, file))
            } else {
                None
            },
            accel: proxy.accel,
            rewrite_location: rewrites(&proxy.rewrite_location, links)?,
            intercept_errors: proxy.intercept_errors,
        })
    }
}

fn rewrites(all: &[plan::route::LocationRewrite], links: &Links<'_>) -> Result<Vec<LocationRun>, CallError> {
    all.iter().map(|rule| LocationRun::build(rule, links)).collect()
}
