//! `plan::route` made ready: filters and an action.

use std::sync::Arc;

use plan::route::{Buffering, HeaderValue, Jump, Proxy, Target};
use plan::Origin;
use wire::field::{known, Known, KnownSet};

use super::files::{FilesRun, TryFilesRun};
use super::links::Links;
use super::listener::FaultsRun;
use super::service::{RetryRun, ServiceRun, TransportRun};
use crate::control::error::CallError;
use crate::filter::FilterRun;
use crate::observe::access::LogRun;
use crate::template::Text;

pub struct RouteRun {
    pub id: String,
    pub origin: Origin,
    pub internal: bool,
    pub filters: Vec<Arc<FilterRun>>,
    pub action: ActionRun,
    pub faults: Arc<FaultsRun>,
    pub logs: Vec<Arc<LogRun>>,
    pub body_bytes: Option<u64>,
}

pub enum ActionRun {
    Proxy(ProxyRun),
    Respond(RespondRun),
    Redirect(RedirectRun),
    Files(Box<FilesRun>),
    TryFiles(Box<TryFilesRun>),
    Ping { terminating_status: u16 },
    Fail(plan::fault::FaultKind),
    Close,
    Jump(JumpRun),
}

/// Where the search begins again.
pub enum JumpRun {
    /// With another target (a path, and a query after `?`) in the table of this number.
    Uri { table: u32, uri: Text },
    /// At the route of this number; what is searched later is searched in the table.
    Named { table: u32, route: u32 },
}

pub struct ProxyRun {
    pub service: Arc<ServiceRun>,
    pub transport: Arc<TransportRun>,
    pub retry: RetryRun,
    pub target: TargetRun,
    pub host: Option<Text>,
    pub upgrade: bool,
    pub trailers: bool,
    pub informational: bool,
    pub hide: HideSet,
    pub method: Option<Vec<u8>>,
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
            Jump::Name { table, name } => {
                Self::Named { table: links.table(table)?, route: links.named(table, name)? }
            }
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

impl ProxyRun {
    /// Makes a proxy action ready. `transport` is the route's own or the service's.
    ///
    /// # Errors
    /// What in it this engine cannot run yet, by name.
    pub fn build(
        proxy: &Proxy,
        service: Arc<ServiceRun>,
        transport: Arc<TransportRun>,
        links: &Links<'_>,
    ) -> Result<Self, CallError> {
        let unsupported = [
            ("request_body buffering", proxy.request_body != Buffering::Stream),
            ("response_body buffering", proxy.response_body != Buffering::Stream),
            ("accel", proxy.accel),
            ("rewrite_location", !proxy.rewrite_location.is_empty()),
            ("pass_headers off", !proxy.pass_headers),
            ("pass_body off", !proxy.pass_body),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, used)| *used) {
            return Err(CallError::unsupported("", name));
        }
        Ok(Self {
            retry: proxy.retry.as_ref().map_or_else(|| service.retry.clone(), RetryRun::build),
            service,
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
            method: proxy.method.as_ref().map(|m| m.clone().into_bytes()),
            intercept_errors: proxy.intercept_errors,
        })
    }
}
