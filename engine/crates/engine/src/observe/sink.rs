//! Where lines are written: a bounded queue and a thread a sink, so that a reader that stops delays no request.
//! What does not fit is dropped and counted; the main thread says how much, once a second.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plan::log::Sink as Target;

/// Bytes written in one call.
const BATCH: usize = 256 * 1024;

#[derive(Clone, Default)]
pub struct Sinks(Arc<Open>);

#[derive(Default)]
struct Open {
    sinks: Mutex<BTreeMap<Target, Arc<Sink>>>,
    /// Lines dropped by sinks that are closed.
    dropped: AtomicU64,
}

impl Sinks {
    /// The sink for a target, opened when it is new.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub fn open(&self, target: &Target) -> io::Result<Arc<Sink>> {
        let mut all = self.lock();
        if let Some(sink) = all.get(target) {
            return Ok(Arc::clone(sink));
        }
        let sink = Sink::start(target)?;
        all.insert(target.clone(), Arc::clone(&sink));
        Ok(sink)
    }

    /// Closes what no log writes to any more: its writer ends when all is written.
    pub fn close_unused(&self) {
        self.lock().retain(|_, sink| {
            // Two hold it: this map and its writer. A log gets it through the map only.
            let used = Arc::strong_count(sink) > 2;
            // What was dropped is told first.
            let told = sink.told.load(Ordering::Relaxed) == sink.dropped.load(Ordering::Relaxed);
            if !used && told {
                self.0.dropped.fetch_add(sink.dropped.load(Ordering::Relaxed), Ordering::Relaxed);
                sink.close();
            }
            used || !told
        });
    }

    /// Files are opened anew before their next line.
    pub fn reopen(&self) {
        for sink in self.all() {
            sink.reopen();
        }
    }

    /// Waits until what is queued is written, at most `limit`.
    pub fn flush(&self, limit: Duration) {
        let end = Instant::now() + limit;
        for sink in self.all() {
            sink.flush(end.saturating_duration_since(Instant::now()));
        }
    }

    /// Gives each sink's name and how many lines it has dropped since the last call.
    pub fn tell_dropped(&self, tell: impl Fn(&str, u64)) {
        for sink in self.all() {
            let total = sink.dropped.load(Ordering::Relaxed);
            let told = sink.told.swap(total, Ordering::Relaxed);
            if total > told {
                tell(&sink.name, total - told);
            }
        }
    }

    #[must_use]
    pub fn dropped(&self) -> u64 {
        let open: u64 = self.all().iter().map(|s| s.dropped.load(Ordering::Relaxed)).sum();
        open + self.0.dropped.load(Ordering::Relaxed)
    }

    fn all(&self) -> Vec<Arc<Sink>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Target, Arc<Sink>>> {
        self.0.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One queue and its writer.
pub struct Sink {
    pub name: String,
    queue: Mutex<Queue>,
    filled: Condvar,
    written: Condvar,
    reopen: AtomicBool,
    /// Lines dropped since the start, and how many of them were told.
    dropped: AtomicU64,
    told: AtomicU64,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    lines: u32,
    writing: bool,
    /// The writer ends when nothing waits.
    closed: bool,
}

impl Sink {
    #[must_use]
    pub fn new(name: String) -> Self {
        Self {
            name,
            queue: Mutex::default(),
            filled: Condvar::new(),
            written: Condvar::new(),
            reopen: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }

    /// Opens a target and starts the thread that writes to it.
    ///
    /// # Errors
    /// When its file cannot be opened, or the kernel gives no thread.
    pub fn start(target: &Target) -> io::Result<Arc<Self>> {
        let out = open(target)?;
        let sink = Arc::new(Self::new(name(target)));
        let writing = Arc::clone(&sink);
        let again = target.clone();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_out(out, &again))?;
        Ok(sink)
    }

    /// Its file is opened anew before its next line.
    pub fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
    }

    /// Queues a line, which brings its own newline; dropped when `limit` lines wait.
    pub fn line(&self, line: &[u8], limit: u32) {
        let mut queue = self.lock();
        if queue.lines >= limit.max(1) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes.extend_from_slice(line);
        queue.lines += 1;
        let first = queue.lines == 1;
        drop(queue);
        if first {
            self.filled.notify_one();
        }
    }

    /// Waits until what is queued is written, at most `limit`.
    pub fn flush(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let mut queue = self.lock();
        while queue.lines > 0 || queue.writing {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self.written.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// The writer's thread: takes all that waits and writes it, until the sink is closed.
    pub fn write_out(&self, mut out: Box<dyn Write + Send>, target: &Target) {
        let mut batch = Vec::new();
        loop {
            {
                let mut queue = self.lock();
                queue.writing = false;
                self.written.notify_all();
                while queue.lines == 0 {
                    if queue.closed {
                        return;
                    }
                    queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                std::mem::swap(&mut batch, &mut queue.bytes);
                queue.lines = 0;
                queue.writing = true;
            }
            if self.reopen.swap(false, Ordering::AcqRel) {
                if let Ok(new) = open(target) {
                    out = new;
                }
            }
            for part in batch.chunks(BATCH) {
                // A sink that is broken loses lines; there is nowhere to say it.
                if out.write_all(part).is_err() {
                    break;
                }
            }
            let _ = out.flush();
            batch.clear();
            batch.shrink_to(BATCH);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(target: &Target) -> String {
    match target {
        Target::Stdout => "stdout".to_owned(),
        Target::File { path, .. } => path.clone(),
    }
}

fn open(target: &Target) -> io::Result<Box<dyn Write + Send>> {
    match target {
        Target::Stdout => Ok(Box::new(io::stdout())),
        Target::File { path, mode } => {
            // A FIFO is opened for reading too: so opening does not wait for its reader, and writing needs none.
            let fifo = std::fs::metadata(path).is_ok_and(|m| m.file_type().is_fifo());
            let file: File = OpenOptions::new().append(true).read(fifo).create(true).mode(*mode).open(path)?;
            Ok(Box::new(file))
        }
    }
}
