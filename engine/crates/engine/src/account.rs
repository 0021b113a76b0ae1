//! Gives up root's account for the one that was named (docs/decisions/account.md).
//!
//! Called while the process has one thread: accounts and rights are a thread's, and those that are made later inherit
//! them.

use std::io;

use rustix::process::{Gid, Uid};
use rustix::thread::{
    set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid, CapabilitySet,
};

use crate::rights;

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

    /// Its user.
    #[must_use]
    pub fn user(&self) -> Uid {
        Uid::from_raw(self.user)
    }

    /// The same one, in these groups too; root's is not for anybody else.
    #[must_use]
    pub fn with_groups(mut self, groups: &[Gid]) -> Self {
        let more = groups.iter().filter(|group| !group.is_root()).map(|group| group.as_raw());
        self.groups.extend(more);
        self
    }

    /// Becomes this account, for good. Of root's rights it keeps these, as far as it has them: a container may have
    /// taken them away before.
    ///
    /// # Errors
    /// What the kernel said; the process is then to end.
    pub fn assume(&self, kept: CapabilitySet) -> io::Result<()> {
        let (user, group) = (self.user(), Gid::from_raw(self.group));
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        set_keep_capabilities(true)?;
        set_thread_groups(&groups)?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
        rights::keep_only(kept)?;
        set_keep_capabilities(false)?;
        set_no_new_privs(true)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Gid};

    #[test]
    fn is_read() {
        let account = Account { user: 33, group: 34, groups: vec![34, 4] };
        assert_eq!(Account::parse("33:34,4"), Some(account));
    }

    #[test]
    fn keeps_the_groups_it_is_given_but_roots() {
        let given = [0, 999].map(Gid::from_raw);
        let account = Account { user: 33, group: 34, groups: vec![34, 999] };
        assert_eq!(Account::parse("33:34").map(|account| account.with_groups(&given)), Some(account));
    }

    #[test]
    fn is_never_root_and_never_half() {
        for text in ["0:0", "33", "33:", ":33", "33:a", "33:1,", "-1:1", "4294967295:1", "33:4294967295"] {
            assert_eq!(Account::parse(text), None, "{text}");
        }
    }
}
