//! Room for bodies beyond memory: a file without a name, and a queue that goes on into one.
//!
//! The file is unlinked before its first byte, so nothing is left behind whatever ends the process. Reads and writes
//! are made on the thread itself: they are the page cache's (docs/decisions/buffering.md).

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::buffer::ScratchPool;

/// A file that has no name.
pub struct Unnamed {
    file: File,
    /// Bytes in it.
    pub length: u64,
}

/// Tells the names apart that files have for a moment, where the file system knows no others.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Unnamed {
    /// Makes one in this directory.
    ///
    /// # Errors
    /// The directory is missing or may not be written to.
    pub fn new(directory: &Path) -> io::Result<Self> {
        let mode = Mode::RUSR | Mode::WUSR;
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let file = match rustix::fs::open(directory, flags | OFlags::TMPFILE, mode) {
            // File systems without O_TMPFILE, some overlays among them.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let path = directory.join(format!(".daemun-{}-{number}", std::process::id()));
                let file =
                    rustix::fs::open(&path, flags | OFlags::CREATE | OFlags::EXCL, mode).map_err(named(directory))?;
                rustix::fs::unlink(&path).map_err(named(directory))?;
                file
            }
            result => result.map_err(named(directory))?,
        };
        Ok(Self { file: file.into(), length: 0 })
    }

    /// Appends.
    ///
    /// # Errors
    /// The disk is full, or fails.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Reads from `at` on; how many bytes, 0 at the end only.
    ///
    /// # Errors
    /// The disk fails.
    pub fn read(&self, at: u64, room: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(room, at)
    }
}

fn named(directory: &Path) -> impl Fn(Errno) -> io::Error + '_ {
    |error| {
        let cause = io::Error::from(error);
        io::Error::new(cause.kind(), format!("a temporary file in {}: {cause}", directory.display()))
    }
}

/// Where temporary files stand: `$TMPDIR`, else `/var/tmp`, which is on a disk where `/tmp` may be memory.
#[must_use]
pub fn usual_directory() -> PathBuf {
    match std::env::var_os("TMPDIR") {
        Some(named) if !named.is_empty() => named.into(),
        _ if Path::new("/var/tmp").is_dir() => "/var/tmp".into(),
        _ => "/tmp".into(),
    }
}

/// Bytes in order: so many in memory that is the thread's pool's, then so many in a file.
pub struct Queue {
    memory: VecDeque<Segment>,
    /// Bytes in memory.
    held: u64,
    most_held: u64,
    most_filed: u64,
    file: Option<Unnamed>,
    /// Bytes of the file that were taken out again.
    read: u64,
}

struct Segment {
    data: Vec<u8>,
    start: usize,
    end: usize,
}

impl Queue {
    #[must_use]
    pub fn new(memory: u64, file: u64) -> Self {
        Self { memory: VecDeque::new(), held: 0, most_held: memory, most_filed: file, file: None, read: 0 }
    }

    /// Bytes of the file that wait.
    fn filed(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.length - self.read)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.filed() == 0
    }

    /// Nothing more should be put into it; what is put nevertheless is kept.
    #[must_use]
    pub fn is_full(&self) -> bool {
        if self.filed() > 0 || self.held >= self.most_held {
            self.file.as_ref().map_or(0, |file| file.length) >= self.most_filed
        } else {
            false
        }
    }

    /// Puts bytes behind the others.
    ///
    /// # Errors
    /// There is no file, or it cannot take them.
    pub fn push(&mut self, mut bytes: &[u8], pool: &ScratchPool, directory: &Path) -> io::Result<()> {
        if self.filed() == 0 {
            let fits = if self.most_filed == 0 { u64::MAX } else { self.most_held.saturating_sub(self.held) };
            let (now, later) = bytes.split_at(usize::try_from(fits).unwrap_or(usize::MAX).min(bytes.len()));
            self.keep(now, pool);
            bytes = later;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Unnamed::new(directory)?),
        };
        file.append(bytes)
    }

    fn keep(&mut self, mut bytes: &[u8], pool: &ScratchPool) {
        self.held += bytes.len() as u64;
        while !bytes.is_empty() {
            let last = match self.memory.back_mut() {
                Some(last) if last.end < last.data.len() => last,
                _ => {
                    self.memory.push_back(Segment { data: pool.lend(), start: 0, end: 0 });
                    continue;
                }
            };
            let n = bytes.len().min(last.data.len() - last.end);
            last.data[last.end..last.end + n].copy_from_slice(&bytes[..n]);
            last.end += n;
            bytes = &bytes[n..];
        }
    }

    /// The first bytes, some of them; none when it is empty.
    ///
    /// # Errors
    /// The file fails.
    pub fn front(&mut self, pool: &ScratchPool) -> io::Result<&[u8]> {
        if let (true, Some(file)) = (self.memory.is_empty(), &mut self.file) {
            if file.length > self.read {
                let mut data = pool.lend();
                // What stood in its room before may stand behind its end.
                let most = data.len().min(usize::try_from(file.length - self.read).unwrap_or(usize::MAX));
                let n = file.read(self.read, &mut data[..most])?;
                if n == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.read += n as u64;
                self.held += n as u64;
                self.memory.push_back(Segment { data, start: 0, end: n });
                if self.read == file.length {
                    // Its room is used again.
                    file.length = 0;
                    self.read = 0;
                }
            }
        }
        Ok(self.memory.front().map_or(&[], |first| &first.data[first.start..first.end]))
    }

    /// Takes out the first bytes, no more than [`Queue::front`] gave.
    pub fn consume(&mut self, n: usize, pool: &ScratchPool) {
        let Some(first) = self.memory.front_mut() else { return };
        first.start += n;
        self.held -= n as u64;
        if first.start == first.end {
            if let Some(empty) = self.memory.pop_front() {
                pool.take_back(empty.data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue, pool: &ScratchPool, most: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < most {
            let front = queue.front(pool).unwrap_or_default();
            let n = front.len().min(most - out.len());
            if n == 0 {
                break;
            }
            out.extend_from_slice(&front[..n]);
            queue.consume(n, pool);
        }
        out
    }

    /// Bytes come out as they went in, whatever part of them lay in the file.
    #[test]
    fn in_order_over_memory_and_file() {
        let pool = ScratchPool::default();
        let directory = std::env::temp_dir();
        let mut queue = Queue::new(40_000, 100_000);
        let all: Vec<u8> = (0..400_000u32).map(|n| (n % 251) as u8).collect();
        let (mut put, mut got) = (0, Vec::new());
        while got.len() < all.len() {
            while put < all.len() && !queue.is_full() {
                let n = 7_001.min(all.len() - put);
                assert!(queue.push(&all[put..put + n], &pool, &directory).is_ok());
                put += n;
            }
            assert!(put - got.len() <= 40_000 + 100_000 + 2 * 7_001 + crate::buffer::UPSTREAM_BUFFER);
            got.extend(drain(&mut queue, &pool, 13_003));
        }
        assert!(got == all);
        assert!(queue.is_empty());
    }

    /// Without a file it is full when its memory is.
    #[test]
    fn memory_only() {
        let pool = ScratchPool::default();
        let mut queue = Queue::new(10, 0);
        assert!(!queue.is_full());
        assert!(queue.push(b"0123456789ab", &pool, Path::new("/nowhere")).is_ok());
        assert!(queue.is_full());
        assert_eq!(drain(&mut queue, &pool, 100), b"0123456789ab");
        assert!(queue.is_empty() && !queue.is_full());
    }

    /// The error of a directory that is not there names it.
    #[test]
    fn a_missing_directory_is_named() {
        let pool = ScratchPool::default();
        let mut queue = Queue::new(1, 10);
        let error = queue.push(b"abc", &pool, Path::new("/nowhere/at/all")).err().map(|e| e.to_string());
        assert!(error.is_some_and(|e| e.contains("/nowhere/at/all")));
    }
}
