//! Which page stands for a failure (nginx's `error_page`). What comes of it is [`crate::exchange::page`]'s.

use plan::fault::FaultKind;
use plan::filter::{ErrorPage, PageAnswer, StatusOverride};

use crate::control::error::CallError;
use crate::snapshot::links::Links;
use crate::snapshot::route::{JumpRun, RespondRun};
use crate::template::Text;

/// A page, and what it stands for.
pub struct PageRun {
    statuses: Vec<u16>,
    faults: Vec<FaultKind>,
    /// It may stand for what another page answers.
    pub recursive: bool,
    pub answer: PageAnswerRun,
    /// What the client sees instead of the page's own status.
    pub status: Option<StatusOverride>,
}

pub enum PageAnswerRun {
    Jump(JumpRun),
    Redirect { location: Text, respond: RespondRun },
}

/// Makes pages ready.
pub(super) fn build(pages: &[ErrorPage], links: &Links<'_>) -> Result<Vec<PageRun>, CallError> {
    let page = |page: &ErrorPage| {
        Ok(PageRun {
            statuses: page.statuses.clone(),
            faults: page.faults.clone(),
            recursive: page.recursive,
            answer: match &page.answer {
                PageAnswer::Jump(jump) => PageAnswerRun::Jump(JumpRun::build(jump, links)?),
                PageAnswer::Redirect { location, respond } => PageAnswerRun::Redirect {
                    location: Text::build(location, links)?,
                    respond: RespondRun::build(respond, links)?,
                },
            },
            status: page.status,
        })
    };
    pages.iter().map(page).collect()
}

impl PageRun {
    /// Whether it stands for this status, or for this fault.
    #[must_use]
    pub fn is_for(&self, status: u16, fault: Option<FaultKind>) -> bool {
        self.statuses.contains(&status) || fault.is_some_and(|fault| self.faults.contains(&fault))
    }
}
