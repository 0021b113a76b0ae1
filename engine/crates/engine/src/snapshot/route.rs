//! `plan::route` made ready: filters and an action.

use std::sync::Arc;

use plan::route::{Action, Buffering, HeaderValue, Proxy, Target};
use plan::Origin;
use wire::field::{known, Known, KnownSet};

use super::files::{FilesRun, TryFilesRun};
use super::listener::FaultsRun;
use super::service::{RetryRun, ServiceRun, TransportRun};
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
pub fn header_values(headers: &[HeaderValue]) -> Result<Vec<(String, Text)>, String> {
    headers
        .iter()
        .map(|h| {
            if !wire::field::is_token(h.name.as_bytes()) {
                return Err(format!("`{}` is no field name", h.name));
            }
            Ok((h.name.clone(), Text::build(&h.value)?))
        })
        .collect()
}

impl RespondRun {
    /// Makes an answer ready.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(respond: &plan::route::Respond) -> Result<Self, String> {
        Ok(Self {
            status: respond.status,
            headers: header_values(&respond.headers)?,
            body: Text::build(&respond.body)?,
        })
    }
}

impl RedirectRun {
    /// Makes a redirect ready.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(redirect: &plan::route::Redirect) -> Result<Self, String> {
        Ok(Self {
            status_get: redirect.status_get,
            status_other: redirect.status_other,
            location: Text::build(&redirect.location)?,
        })
    }
}

impl ProxyRun {
    /// Makes a proxy action ready. `transport` is the route's own or the service's.
    ///
    /// # Errors
    /// What in it this engine cannot run yet, by name.
    pub fn build(proxy: &Proxy, service: Arc<ServiceRun>, transport: Arc<TransportRun>) -> Result<Self, String> {
        let unsupported = [
            ("request_body buffering", proxy.request_body != Buffering::Stream),
            ("response_body buffering", proxy.response_body != Buffering::Stream),
            ("accel", proxy.accel),
            ("intercept_errors", proxy.intercept_errors),
            ("rewrite_location", !proxy.rewrite_location.is_empty()),
            ("pass_headers off", !proxy.pass_headers),
            ("pass_body off", !proxy.pass_body),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, used)| *used) {
            return Err((*name).to_owned());
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
                Target::Template(template) => TargetRun::Template(Text::build(template)?),
            },
            host: proxy.host.as_ref().map(Text::build).transpose()?,
            upgrade: proxy.upgrade,
            trailers: proxy.trailers,
            informational: proxy.informational,
            hide: HideSet::build(&proxy.hide),
            method: proxy.method.as_ref().map(|m| m.clone().into_bytes()),
        })
    }
}

/// The name of an action this engine cannot run yet.
#[must_use]
pub fn unsupported(action: &Action) -> Option<&'static str> {
    match action {
        Action::Jump(_) => Some("jump"),
        _ => None,
    }
}
