//! `init --user`: from root to the account that was named, before anything is started.
//!
//! Facts: pipes that a container engine made for root's outputs are root's, and /dev/stdout is opened anew by its path.
//! Decisions: what root may do with files goes on to the control plane, for a mounted socket, key or acme.json is root's
//! (docs/decisions/container.md); the engine gives it up when it starts. Groups that were added stay. Whoever is not
//! root was chosen to be somebody else, and stays so; a root whose right to become somebody was taken away is left with
//! what he has.

use std::io;

use rustix::fs::{fchown, fstat, FileType};
use rustix::process::{geteuid, getgroups};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::thread::CapabilitySet;
use serde_json::json;

use crate::account::Account;
use crate::observe::events::{line, Level};
use crate::rights;

/// Becomes the account, where that is possible.
///
/// # Errors
/// What the kernel said; the process is then to end.
pub(super) fn step_down(account: Account) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    if !rights::has(CapabilitySet::SETUID | CapabilitySet::SETGID)? {
        let remedy = "cap_add: [SETUID, SETGID]";
        eprint!("{}", line(Level::Warning, "stays_root", std::iter::once(("remedy", json!(remedy)))));
        return Ok(());
    }
    for output in [stdin(), stdout(), stderr()] {
        if fstat(output).is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Fifo) {
            let _ = fchown(output, Some(account.user()), None);
        }
    }
    account.with_groups(&getgroups()?).assume(rights::FILES | rights::PORTS)?;
    rights::hand_on()
}
