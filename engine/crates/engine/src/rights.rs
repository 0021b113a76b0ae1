//! Which of root's rights (capabilities(7)) a process keeps, and which it hands on to what it starts.
//!
//! Facts: a file whose rights are marked effective cannot even be run where one of them is out of reach, as in a
//! container with `cap_drop: ALL`; one that only permits them (`setcap cap_net_bind_service=p`) runs everywhere, and the
//! program raises what it was given. What a program starts has only the rights that are ambient, and a file with rights
//! of its own not even those. Rights are a thread's: all of this is for a process that has one.

use std::io;

use rustix::process::geteuid;
use rustix::thread::{
    capabilities, configure_capability_in_ambient_set, set_capabilities, CapabilitySet, CapabilitySets,
};

/// To bind ports below 1024.
pub const PORTS: CapabilitySet = CapabilitySet::NET_BIND_SERVICE;
/// What root may do with files: open those of others, and give them away.
pub const FILES: CapabilitySet = CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::CHOWN);

/// Whether this process may do all of that.
///
/// # Errors
/// What the kernel said.
pub fn has(wanted: CapabilitySet) -> io::Result<bool> {
    Ok(capabilities(None)?.permitted.contains(wanted))
}

/// Keeps of these what is permitted, makes it effective, and gives up everything else, for good.
///
/// # Errors
/// What the kernel said; it lets a process raise what it is permitted, and give up anything.
pub fn keep_only(wanted: CapabilitySet) -> io::Result<()> {
    let kept = capabilities(None)?.permitted & wanted;
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() })?;
    Ok(())
}

/// Hands on what it has to whatever is started from now on.
///
/// # Errors
/// What the kernel said; those older than 4.3 cannot.
pub fn hand_on() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    sets.inheritable = sets.permitted;
    set_capabilities(None, sets)?;
    for right in sets.permitted.iter() {
        configure_capability_in_ambient_set(right, true)?;
    }
    Ok(())
}

/// What the engine has: root's rights if it is root, otherwise none but that to ports.
///
/// # Errors
/// What the kernel said.
pub fn settle() -> io::Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    keep_only(PORTS)
}
