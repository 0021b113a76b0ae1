//! Opens files and asks about them, with or without following symbolic links.
//!
//! Facts: a name is opened without waiting for a FIFO's other end. Where links are looked at, the name is walked one
//! part at a time from a directory that stays open, so that what was looked at is what is opened. Opening blocks the
//! thread for as long as the disk takes, as in nginx: of what a server has at hand that is nothing.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, CWD};
use rustix::io::Errno;

use crate::exchange::Exchange;
use crate::snapshot::files::{FilesRun, SymlinksRun};

/// How a file is opened.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
/// A directory on the way to it.
const WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Why there is no file, as far as an answer makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Absent,
    /// Something on the way is a file: there is no such directory.
    NotDirectory,
    Forbidden,
    /// What the kernel said is nobody's fault but ours.
    Broken(Errno),
}

impl From<Errno> for Missing {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT => Self::Absent,
            // A name with a NUL, or too long for any file.
            Errno::NOTDIR | Errno::NAMETOOLONG | Errno::INVAL => Self::NotDirectory,
            Errno::ACCESS | Errno::PERM | Errno::LOOP | Errno::MLINK => Self::Forbidden,
            error => Self::Broken(error),
        }
    }
}

/// An open file or directory.
pub struct Opened {
    pub file: OwnedFd,
    pub stat: Stat,
}

impl Opened {
    #[must_use]
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    #[must_use]
    #[allow(clippy::cast_sign_loss)] // A file's size.
    pub fn size(&self) -> u64 {
        self.stat.st_size as u64
    }
}

/// Which links may be in a name.
pub struct Links {
    /// Bytes of the name that are not looked at.
    from: usize,
    same_owner: bool,
}

impl Links {
    /// What the Plan says of links in `name`; none where they are followed.
    #[must_use]
    pub fn of(exchange: &Exchange<'_, '_>, run: &FilesRun, name: &[u8]) -> Option<Self> {
        let SymlinksRun::Guard { from, same_owner } = &run.symlinks else { return None };
        let from = from.render(&exchange.scope());
        let leads = !from.is_empty()
            && name.starts_with(&from)
            && (from.ends_with(b"/") || matches!(name.get(from.len()), None | Some(b'/')));
        Some(Self { from: if leads { from.len() } else { 0 }, same_owner: *same_owner })
    }
}

/// Opens a file or directory.
///
/// # Errors
/// Why there is none.
pub fn open(name: &[u8], links: Option<&Links>) -> Result<Opened, Missing> {
    let file = match links {
        None => rustix::fs::open(name, READ, Mode::empty())?,
        Some(links) => walk(name, links, READ)?,
    };
    let stat = rustix::fs::fstat(&file)?;
    Ok(Opened { file, stat })
}

/// What there is of this name.
///
/// # Errors
/// Why there is nothing.
pub fn look(name: &[u8], links: Option<&Links>) -> Result<FileType, Missing> {
    let stat = match links {
        None => rustix::fs::stat(name)?,
        Some(links) => rustix::fs::fstat(walk(name, links, OFlags::PATH | OFlags::CLOEXEC)?)?,
    };
    Ok(FileType::from_raw_mode(stat.st_mode))
}

/// Opens the last part of a name, every part before it looked at.
fn walk(name: &[u8], links: &Links, last: OFlags) -> Result<OwnedFd, Missing> {
    let (trusted, rest) = name.split_at(links.from);
    let start: &[u8] = match trusted {
        b"" if rest.starts_with(b"/") => b"/",
        b"" => b".",
        trusted => trusted,
    };
    let mut parts = rest.split(|&b| b == b'/').filter(|part| !part.is_empty()).peekable();
    if parts.peek().is_none() {
        return Ok(rustix::fs::open(start, last, Mode::empty())?);
    }
    let mut at = rustix::fs::open(start, WAY, Mode::empty())?;
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_some() { WAY } else { last };
        at = step(&at, part, flags, links.same_owner)?;
    }
    if name.ends_with(b"/") && FileType::from_raw_mode(rustix::fs::fstat(&at)?.st_mode) != FileType::Directory {
        return Err(Missing::NotDirectory);
    }
    Ok(at)
}

fn step(at: &OwnedFd, part: &[u8], flags: OFlags, same_owner: bool) -> Result<OwnedFd, Missing> {
    let link = rustix::fs::statat(at, part, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(link.st_mode) != FileType::Symlink {
        // Should it have become a link meanwhile, it is not followed.
        return Ok(rustix::fs::openat(at, part, flags | OFlags::NOFOLLOW, Mode::empty())?);
    }
    if !same_owner {
        return Err(Missing::Forbidden);
    }
    let next = rustix::fs::openat(at, part, flags, Mode::empty())?;
    if rustix::fs::fstat(next.as_fd())?.st_uid == link.st_uid {
        Ok(next)
    } else {
        Err(Missing::Forbidden)
    }
}

/// Whether a file passes a test of the rewrite phase (nginx `-f`, `-d`, `-e`, `-x`).
#[must_use]
pub fn file_test(path: &[u8], test: plan::script::FileTest) -> bool {
    use plan::script::FileTest;
    let Ok(stat) = rustix::fs::statat(CWD, path, AtFlags::empty()) else { return false };
    match test {
        FileTest::Exists => true,
        FileTest::File => FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
        FileTest::Directory => FileType::from_raw_mode(stat.st_mode) == FileType::Directory,
        // Of its owner, as nginx asks.
        FileTest::Executable => stat.st_mode & 0o100 != 0,
    }
}
