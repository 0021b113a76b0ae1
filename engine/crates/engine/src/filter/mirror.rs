//! A copy of the request goes elsewhere, and what comes back is dropped (nginx's `mirror`): [`crate::exchange::mirroring`]
//! sends it.

use crate::control::error::CallError;
use crate::snapshot::links::Links;
use crate::snapshot::route::JumpRun;

pub struct MirrorRun {
    pub to: JumpRun,
    /// With the body, which is then whole before it goes on.
    pub body: bool,
}

impl MirrorRun {
    /// Makes it ready.
    ///
    /// # Errors
    /// It leads nowhere.
    pub fn build(to: &plan::route::Jump, body: bool, links: &Links<'_>) -> Result<Self, CallError> {
        Ok(Self { to: JumpRun::build(to, links)?, body })
    }
}
