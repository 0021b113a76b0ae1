//! The right to bind ports below 1024, where the program's file has it (`setcap cap_net_bind_service=p`).
//!
//! Facts (capabilities(7)): a file whose rights are marked effective cannot even be run where one of them is out of
//! reach, as in a container with `cap_drop: ALL`; one that only permits them runs everywhere, and the program raises
//! what it was given. Called while the process has one thread: rights are a thread's.

use std::io;

use rustix::thread::{capabilities, set_capabilities, CapabilitySet};

/// Makes the right effective if it is permitted.
///
/// # Errors
/// What the kernel said; it lets a process raise what it is permitted.
pub fn raise() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    let right = sets.permitted & CapabilitySet::NET_BIND_SERVICE;
    if !sets.effective.contains(right) {
        sets.effective |= right;
        set_capabilities(None, sets)?;
    }
    Ok(())
}
