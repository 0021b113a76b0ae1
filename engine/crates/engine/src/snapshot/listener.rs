//! `plan::listener`, `plan::table` and `plan::fault` made ready: which host, which route, which answer.

use std::sync::Arc;

use plan::fault::{FaultAnswers, FaultKind};
use plan::Origin;
use route::{HostIndex, TableIndex};

use super::http::HttpRun;
use super::links::{Links, Routing};
use super::route::RouteRun;
use super::Life;
use crate::control::error::CallError;
use crate::filter::FilterRun;
use crate::observe::access::LogRun;
use crate::template::Text;
use crate::tls::terms::TlsRun;

pub struct ListenerRun {
    pub id: String,
    pub http: Arc<HttpRun>,
    pub index: HostIndex,
    /// As the index numbers them.
    pub hosts: Box<[Arc<HostRun>]>,
    pub closing: plan::listener::Closing,
    pub http1: bool,
    pub http2: bool,
    pub tls: Option<Arc<TlsRun>>,
    /// Of the Snapshot this belongs to.
    pub life: Arc<Life>,
    pub routing: Arc<Routing>,
}

pub struct HostRun {
    pub origin: Origin,
    pub server_name: String,
    pub http: Arc<HttpRun>,
    pub filters: Box<[Arc<FilterRun>]>,
    pub table: Arc<TableRun>,
    pub faults: Arc<FaultsRun>,
    pub logs: Box<[Arc<LogRun>]>,
}

pub struct TableRun {
    pub index: TableIndex,
    /// As the index numbers them.
    pub routes: Box<[Arc<RouteRun>]>,
    /// Routes that are reached by name, by their numbers.
    pub named: Vec<(String, u32)>,
}

pub struct FaultsRun(Vec<AnswerRun>);

/// An answer of the engine's own.
pub struct AnswerRun {
    pub status: u16,
    pub log_status: u16,
    pub headers: Vec<(String, Text)>,
    pub body: Text,
    pub close: bool,
}

impl FaultsRun {
    /// Makes the answers ready.
    ///
    /// # Errors
    /// A kind without an answer, or a template that cannot be run.
    pub fn build(answers: &FaultAnswers, links: &Links<'_>) -> Result<Arc<Self>, CallError> {
        FaultKind::ALL
            .iter()
            .map(|kind| {
                let answer = answers.get(kind).ok_or_else(|| {
                    CallError::new("bad_plan", &format!("no answer for {}", crate::fault::name(*kind)), "")
                })?;
                Ok(AnswerRun {
                    status: answer.status,
                    log_status: answer.log_status,
                    headers: super::route::header_values(&answer.headers, links)?,
                    body: Text::build(&answer.body, links)?,
                    close: answer.close,
                })
            })
            .collect::<Result<Vec<_>, CallError>>()
            .map(|all| {
                let mut by_kind: Vec<(FaultKind, AnswerRun)> = FaultKind::ALL.into_iter().zip(all).collect();
                by_kind.sort_by_key(|(kind, _)| *kind as usize);
                Arc::new(Self(by_kind.into_iter().map(|(_, answer)| answer).collect()))
            })
    }

    #[must_use]
    pub fn answer(&self, kind: FaultKind) -> &AnswerRun {
        &self.0[kind as usize]
    }

    /// The first that is answered with this status.
    #[must_use]
    pub fn of_status(&self, status: u16) -> Option<&AnswerRun> {
        self.0.iter().find(|answer| answer.status == status)
    }
}
