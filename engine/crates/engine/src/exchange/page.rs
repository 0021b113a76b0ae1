//! Error pages: what is answered instead of a failure (nginx's `error_page`).
//!
//! Facts (nginx): a page under a URI is got with GET, HEAD stays; one by name is asked for as the request came. The
//! client sees the status that led there unless the page says otherwise, but an answer of the engine's own that fails
//! in turn is seen as it is. A page that stands for 401 still asks for credentials.

use std::sync::Arc;

use plan::fault::FaultKind;
use plan::filter::StatusOverride;
use wire::framing::Framing;
use wire::head::{Head, Span};

use super::course::Course;
use super::record::Record;
use super::{Answer, Exchange};
use crate::filter::error_pages::{PageAnswerRun, PageRun};
use crate::filter::FilterRun;
use crate::snapshot::route::JumpRun;

/// The page that one of these filters has for a status or a fault.
pub fn find(filters: &[Arc<FilterRun>], status: u16, fault: Option<FaultKind>) -> Option<&PageRun> {
    filters.iter().find_map(|filter| filter.page(status, fault))
}

/// The engine's own answer with the status of a response that is not passed on, until a page stands for it.
pub fn intercepted(exchange: &mut Exchange<'_, '_>) -> Answer {
    let status = exchange.response.status;
    keep_challenges(exchange);
    let answer = exchange.status(status);
    exchange.record.log_status = None;
    answer
}

/// The head of a page that stands for an answer says so.
pub fn dress(response: &mut Head, record: &Record) {
    if let Some(status) = record.page_status {
        response.status = status;
        response.reason = Span::default();
    }
    for challenge in &record.challenges {
        response.add(b"WWW-Authenticate", challenge);
    }
}

/// Takes them over from a response that is given up.
fn keep_challenges(exchange: &mut Exchange<'_, '_>) {
    if exchange.response.status == 401 {
        let all = exchange.response.get_all(b"www-authenticate");
        let kept: Vec<_> = all.map(<[u8]>::to_vec).collect();
        exchange.record.challenges.extend(kept);
    }
}

impl<'p> Course<'p> {
    /// Gives the answer back when it stays; none when a page stands for it, which is to be decided.
    pub fn page(&mut self, exchange: &mut Exchange<'_, 'p>, answer: Answer) -> Option<Answer> {
        let status = exchange.response.status;
        let fault = exchange.record.failed.take();
        if answer.silent || answer.stands || status < 300 {
            return Some(answer);
        }
        exchange.record.page_status = None;
        if self.paged || self.is_exhausted() || fault == Some(FaultKind::ClientGone) {
            return Some(answer);
        }
        let Some(page) = find(exchange.filters(), status, fault) else { return Some(answer) };
        let jump = match &page.answer {
            PageAnswerRun::Redirect { location, respond } => {
                let location = location.render(&exchange.scope());
                exchange.record.log_status = None;
                let redirect = exchange.respond_from(respond, &location);
                return Some(Answer { close: answer.close, ..redirect });
            }
            PageAnswerRun::Jump(jump) => jump,
        };
        let is_uri = matches!(jump, JumpRun::Uri { .. });
        if self.unjudged {
            // Its path may be none; and where its body ends nobody knows.
            if !is_uri {
                return Some(answer);
            }
            exchange.request.framing = Framing::UntilClose;
        } else if fault == Some(FaultKind::BodyTooLarge) {
            // Of a body that is refused nothing goes on.
            exchange.request.framing = Framing::UntilClose;
        }
        self.paged = !page.recursive;
        keep_challenges(exchange);
        exchange.record.log_status = None;
        exchange.record.page_status = match page.status {
            Some(StatusOverride::Original) => Some(status),
            Some(StatusOverride::Fixed(status)) => Some(status),
            Some(StatusOverride::Answered) | None => None,
        };
        match self.jump(exchange, jump) {
            Ok(()) => {
                if is_uri {
                    exchange.request.become_get();
                }
                None
            }
            Err(fault) => {
                exchange.record.page_status = None;
                Some(exchange.fault(fault))
            }
        }
    }
}
