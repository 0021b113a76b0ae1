//! Filters at work, one file each: on the request in a route's order, on the response in reverse.

mod expires;
mod headers;
mod path;

use plan::filter::Filter;

use crate::condition::Test;
use crate::exchange::{Answer, Exchange};
use crate::fault::Fault;
use crate::snapshot::route::{RedirectRun, RespondRun};

pub use headers::Change;

pub enum FilterRun {
    AddPrefix(Vec<u8>),
    StripPrefix(Vec<Vec<u8>>),
    ReplacePath(Vec<u8>),
    RequestHeaders(Vec<Change>),
    ResponseHeaders { statuses: Vec<u16>, changes: Vec<Change> },
    Redirect(Test, RedirectRun),
    Respond(Test, RespondRun),
}

impl FilterRun {
    /// Makes a filter ready.
    ///
    /// # Errors
    /// The name of what this engine cannot run yet.
    pub fn build(filter: &Filter) -> Result<Self, String> {
        Ok(match filter {
            Filter::AddPrefix { prefix } => Self::AddPrefix(prefix.clone().into_bytes()),
            Filter::StripPrefix { prefixes } => {
                Self::StripPrefix(prefixes.iter().map(|p| p.clone().into_bytes()).collect())
            }
            Filter::ReplacePath { path } => Self::ReplacePath(path.clone().into_bytes()),
            Filter::RequestHeaders(ops) => Self::RequestHeaders(headers::build(ops)?),
            Filter::ResponseHeaders(of) => {
                Self::ResponseHeaders { statuses: of.statuses.clone(), changes: headers::build(&of.ops)? }
            }
            Filter::Redirect { when, redirect } => Self::Redirect(Test::build(when)?, RedirectRun::build(redirect)?),
            Filter::Respond { when, respond } => Self::Respond(Test::build(when)?, RespondRun::build(respond)?),
            Filter::Script(_) => return Err("script".to_owned()),
            Filter::Access(_) => return Err("access".to_owned()),
            Filter::Mirror { .. } => return Err("mirror".to_owned()),
            Filter::ErrorPages(_) => return Err("error_pages".to_owned()),
            Filter::RealIp { .. } => return Err("real_ip".to_owned()),
        })
    }

    /// Changes the request; an answer ends the exchange here.
    ///
    /// # Errors
    /// A fault that is answered instead.
    pub fn on_request(&self, exchange: &mut Exchange<'_, '_>) -> Result<Option<Answer>, Fault> {
        match self {
            Self::AddPrefix(prefix) => path::add_prefix(exchange, prefix),
            Self::StripPrefix(prefixes) => path::strip_prefix(exchange, prefixes)?,
            Self::ReplacePath(new) => path::replace(exchange, new),
            Self::RequestHeaders(changes) => headers::on_request(exchange, changes),
            Self::ResponseHeaders { .. } => {}
            Self::Redirect(test, redirect) if test.holds(&exchange.scope()) => {
                return Ok(Some(exchange.redirect(redirect)));
            }
            Self::Respond(test, respond) if test.holds(&exchange.scope()) => {
                return Ok(Some(exchange.respond(respond)))
            }
            Self::Redirect(..) | Self::Respond(..) => {}
        }
        Ok(None)
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
