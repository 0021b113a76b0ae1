//! Filters at work, one file each: on the request in a route's order, on the response in reverse.

pub mod access;
pub mod error_pages;
mod expires;
mod headers;
mod mirror;
mod path;
pub(crate) mod real_ip;
mod script;

use plan::fault::FaultKind;
use plan::filter::Filter;

use self::access::AccessRun;
use self::error_pages::PageRun;
use self::mirror::MirrorRun;
use self::real_ip::RealIpRun;
use crate::condition::Test;
use crate::control::error::CallError;
use crate::exchange::{Answer, Exchange};
use crate::fault::Fault;
use crate::snapshot::links::Links;
use crate::snapshot::route::{RedirectRun, RespondRun};

pub use headers::Change;
pub use script::StepRun;

pub enum FilterRun {
    AddPrefix(Vec<u8>),
    StripPrefix(Vec<Vec<u8>>),
    ReplacePath(Vec<u8>),
    RequestHeaders(Vec<Change>),
    ResponseHeaders { statuses: Vec<u16>, changes: Vec<Change> },
    Redirect(Test, RedirectRun),
    Respond(Test, RespondRun),
    Script(Vec<StepRun>),
    ErrorPages(Vec<PageRun>),
    Access(AccessRun),
    Mirror(MirrorRun),
    RealIp(RealIpRun),
}

/// What becomes of an exchange after a filter has seen its request.
pub enum Turn {
    /// The next filter.
    Go,
    /// It ends here.
    Answer(Answer),
    /// The path is another: the table is searched again.
    Search,
    /// The route of this number takes the place of the present one.
    Route(u32),
    /// Something must be waited for; then the next filter.
    Wait,
}

impl FilterRun {
    /// Makes a filter ready.
    ///
    /// # Errors
    /// The name of what this engine cannot run yet.
    pub fn build(filter: &Filter, links: &Links<'_>) -> Result<Self, CallError> {
        Ok(match filter {
            Filter::AddPrefix { prefix } => Self::AddPrefix(prefix.clone().into_bytes()),
            Filter::StripPrefix { prefixes } => {
                Self::StripPrefix(prefixes.iter().map(|p| p.clone().into_bytes()).collect())
            }
            Filter::ReplacePath { path } => Self::ReplacePath(path.clone().into_bytes()),
            Filter::RequestHeaders(ops) => Self::RequestHeaders(headers::build(ops, links)?),
            Filter::ResponseHeaders(of) => {
                Self::ResponseHeaders { statuses: of.statuses.clone(), changes: headers::build(&of.ops, links)? }
            }
            Filter::Redirect { when, redirect } => {
                Self::Redirect(Test::build(when, links)?, RedirectRun::build(redirect, links)?)
            }
            Filter::Respond { when, respond } => {
                Self::Respond(Test::build(when, links)?, RespondRun::build(respond, links)?)
            }
            Filter::Script(steps) => Self::Script(script::build(steps, links)?),
            Filter::ErrorPages(pages) => Self::ErrorPages(error_pages::build(pages, links)?),
            Filter::Access(access) => Self::Access(AccessRun::build(access, links)?),
            Filter::Mirror { to, body } => Self::Mirror(MirrorRun::build(to, *body, links)?),
            Filter::RealIp { trusted, header, recursive } => Self::RealIp(
                RealIpRun::build(trusted, header, *recursive).map_err(|e| CallError::new("bad_plan", &e, ""))?,
            ),
        })
    }

    /// Changes the request, and says how it goes on.
    ///
    /// # Errors
    /// A fault that is answered instead.
    pub fn on_request(&self, exchange: &mut Exchange<'_, '_>) -> Result<Turn, Fault> {
        match self {
            Self::AddPrefix(prefix) => path::add_prefix(exchange, prefix),
            Self::StripPrefix(prefixes) => path::strip_prefix(exchange, prefixes)?,
            Self::ReplacePath(new) => path::replace(exchange, new),
            Self::RequestHeaders(changes) => headers::on_request(exchange, changes),
            Self::Redirect(test, redirect) if test.holds(&exchange.scope()) => {
                return Ok(Turn::Answer(exchange.redirect(redirect)));
            }
            Self::Respond(test, respond) if test.holds(&exchange.scope()) => {
                return Ok(Turn::Answer(exchange.respond(respond)));
            }
            Self::Script(steps) => return script::run(exchange, steps),
            Self::RealIp(run) => run.on_request(exchange),
            // A sub-request is neither asked nor copied again.
            Self::Access(access) if !exchange.request.is_subrequest => return Ok(access.on_request(exchange)),
            Self::Mirror(_) if !exchange.request.is_subrequest => return Ok(Turn::Wait),
            Self::ResponseHeaders { .. }
            | Self::Redirect(..)
            | Self::Respond(..)
            | Self::ErrorPages(_)
            | Self::Access(_)
            | Self::Mirror(_) => {}
        }
        Ok(Turn::Go)
    }

    /// The page that stands for a status or a fault.
    #[must_use]
    pub fn page(&self, status: u16, fault: Option<FaultKind>) -> Option<&PageRun> {
        match self {
            Self::ErrorPages(pages) => pages.iter().find(|page| page.is_for(status, fault)),
            _ => None,
        }
    }

    /// Changes the response head.
    pub fn on_response(&self, exchange: &mut Exchange<'_, '_>) {
        if let Self::ResponseHeaders { statuses, changes } = self {
            if statuses.is_empty() || statuses.contains(&exchange.response.status) {
                headers::on_response(exchange, changes);
            }
        }
    }
}
