//! Gives up root's rights: whoever faces the network runs as the account that was named (docs/decisions/account.md).
//!
//! Called while the process has one thread: rights are a thread's, and those that are made later inherit them. What is
//! kept is the right to bind ports below 1024, for a Plan that comes later may name one.

use std::io;

use rustix::process::{Gid, Uid};
use rustix::thread::{
    capabilities, set_capabilities, set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid, CapabilitySet, CapabilitySets,
};

/// Numbers of a user, of his group, and of all groups he is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    user: u32,
    group: u32,
    groups: Vec<u32>,
}

impl Account {
    /// Reads `UID:GID`, or `UID:GID,GID…` with the groups he is in beside his own. Root is no account to become.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, rest) = text.split_once(':')?;
        // The highest number means "no change" to the kernel.
        let number = |word: &str| word.parse().ok().filter(|number| *number != u32::MAX);
        let groups = rest.split(',').map(number).collect::<Option<Vec<u32>>>()?;
        let user = number(user).filter(|user| *user != 0)?;
        Some(Self { user, group: *groups.first()?, groups })
    }

    /// Becomes this account, for good.
    ///
    /// # Errors
    /// What the kernel said; the process is then to end.
    pub fn assume(&self) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        // A container may have taken it away before.
        let kept = capabilities(None)?.permitted & CapabilitySet::NET_BIND_SERVICE;
        set_keep_capabilities(true)?;
        set_thread_groups(&groups)?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
        set_capabilities(
            None,
            CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
        )?;
        set_keep_capabilities(false)?;
        set_no_new_privs(true)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn is_read() {
        let account = Account { user: 33, group: 34, groups: vec![34, 4] };
        assert_eq!(Account::parse("33:34,4"), Some(account));
    }

    #[test]
    fn is_never_root_and_never_half() {
        for text in ["0:0", "33", "33:", ":33", "33:a", "33:1,", "-1:1", "4294967295:1", "33:4294967295"] {
            assert_eq!(Account::parse(text), None, "{text}");
        }
    }
}
