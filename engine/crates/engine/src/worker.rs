//! One thread: a tokio runtime, its connections, pools and scratches. Nothing here is shared but the handle.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::buffer::ScratchPool;
use crate::clock::{Clock, TICK_MS};
use crate::exchange::burst::Bursts;
use crate::exchange::connection;
use crate::http2::tasks::Tasks;
use crate::listen::{acceptor, ListenerState};
use crate::observe::events::Level;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::upstream::pool::Pools;

/// A socket a listener accepted.
pub enum Accepted {
    Tcp(std::net::TcpStream, SocketAddr, SocketAddr),
    Unix(std::os::unix::net::UnixStream),
}

/// What a thread is asked to do from outside.
pub enum Order {
    Serve(Accepted, Arc<ListenerState>),
    /// Accept on this listener from now on.
    Accept(Arc<ListenerState>),
    /// Look again: the Snapshot or a flag changed.
    Look,
    End,
}

/// The thread as others see it.
pub struct WorkerHandle {
    orders: mpsc::UnboundedSender<Order>,
    /// Client connections open now, those on the way included.
    pub connections: AtomicUsize,
    pub accepted: AtomicU64,
    pub requests: Tally,
    pub exchanges: Tally,
}

/// A number that one thread writes and others read: nothing is locked for it.
#[derive(Default)]
pub struct Tally(AtomicU64);

impl Tally {
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.get() + n, Ordering::Relaxed);
    }

    #[inline]
    pub fn sub(&self, n: u64) {
        self.0.store(self.get() - n, Ordering::Relaxed);
    }

    #[must_use]
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl WorkerHandle {
    pub fn wake(&self) {
        self.order(Order::Look);
    }

    pub fn order(&self, order: Order) {
        // A thread that has ended takes no orders, and needs none.
        let _ = self.orders.send(order);
    }
}

pub struct Worker {
    pub handle: Arc<WorkerHandle>,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub pools: Pools,
    pub scratches: ScratchPool,
    pub bursts: Bursts,
    pub stream_tasks: Tasks,
    snapshot: RefCell<View>,
    version: Cell<u64>,
    random: Cell<u64>,
}

/// A Snapshot held by an exchange; cloning costs no atomic operation.
#[allow(clippy::redundant_allocation)] // The outer count is the thread's own.
pub type View = Rc<Arc<Snapshot>>;

impl Worker {
    /// The running Snapshot.
    #[inline]
    pub fn view(&self) -> View {
        let version = self.shared.version();
        if version != self.version.get() {
            *self.snapshot.borrow_mut() = Rc::new(self.shared.snapshot());
            self.version.set(version);
        }
        Rc::clone(&self.snapshot.borrow())
    }

    /// A number for balancing and ids, not for secrets (xorshift64*).
    pub fn random(&self) -> u64 {
        let mut x = self.random.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random.set(x);
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Takes a connection over: counted when it was handed out.
    pub fn serve(self: &Rc<Self>, accepted: Accepted, listener: Arc<ListenerState>) {
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move { connection::run(worker, accepted, listener).await });
    }
}

/// Starts a thread and gives its handle.
///
/// # Errors
/// When the kernel gives no thread.
pub fn start(index: usize, shared: &Arc<Shared>) -> std::io::Result<(Arc<WorkerHandle>, std::thread::JoinHandle<()>)> {
    let (orders, inbox) = mpsc::unbounded_channel();
    let handle = Arc::new(WorkerHandle {
        orders,
        connections: AtomicUsize::new(0),
        accepted: AtomicU64::new(0),
        requests: Tally::default(),
        exchanges: Tally::default(),
    });
    let shared = Arc::clone(shared);
    let own = Arc::clone(&handle);
    let thread =
        std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || run(index, own, shared, inbox))?;
    Ok((handle, thread))
}

fn run(index: usize, handle: Arc<WorkerHandle>, shared: Arc<Shared>, inbox: mpsc::UnboundedReceiver<Order>) {
    // What takes long and cannot wait (a slow signature) is done beside the thread, one after the other.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().max_blocking_threads(1).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            shared.events.log(Level::Error, "worker_failed", &[("error", &error.to_string())]);
            return;
        }
    };
    let seed = std::collections::hash_map::RandomState::new();
    let seed = std::hash::BuildHasher::hash_one(&seed, index) | 1;
    let worker = Rc::new(Worker {
        handle,
        clock: Clock::new(),
        pools: Pools::default(),
        scratches: ScratchPool::default(),
        bursts: Bursts::default(),
        stream_tasks: Tasks::default(),
        snapshot: RefCell::new(Rc::new(shared.snapshot())),
        version: Cell::new(shared.version()),
        shared,
        random: Cell::new(seed),
    });
    let local = LocalSet::new();
    local.block_on(&runtime, work(&worker, inbox));
    // Tasks that still run are dropped with the set: the grace time is over.
}

async fn work(worker: &Rc<Worker>, mut inbox: mpsc::UnboundedReceiver<Order>) {
    tokio::task::spawn_local(tick(Rc::clone(worker)));
    // Polled first in each turn of the thread.
    let mut next = async || {
        std::future::poll_fn(|cx| {
            worker.clock.begin_turn();
            inbox.poll_recv(cx)
        })
        .await
    };
    while let Some(order) = next().await {
        match order {
            Order::Serve(accepted, listener) => worker.serve(accepted, listener),
            Order::Accept(listener) => {
                tokio::task::spawn_local(acceptor::accept(Rc::clone(worker), listener));
            }
            Order::Look => {
                // The old Snapshot is let go even where nothing is asked for.
                drop(worker.view());
                worker.clock.wake_all();
            }
            Order::End => return,
        }
    }
}

/// Moves the thread's clock, and throws out idle upstream connections that are too old.
async fn tick(worker: Rc<Worker>) {
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)
        .and_then(|fd| {
            let every = Timespec { tv_sec: 0, tv_nsec: TICK_MS as i64 * 1_000_000 };
            let spec = Itimerspec { it_interval: every, it_value: every };
            rustix::time::timerfd_settime(&fd, TimerfdTimerFlags::empty(), &spec).map(|_| fd)
        })
        .map_err(std::io::Error::from)
        .and_then(|fd| {
            // SAFETY: the `AsyncFd` owns the descriptor, so it stays open and the same as long as it is registered.
            unsafe { AsyncFd::register(fd) }.map_err(std::io::Error::from)
        });
    let timer = match timer {
        Ok(timer) => timer,
        Err(error) => {
            worker.shared.events.log(Level::Error, "clock_failed", &[("error", &error.to_string())]);
            return;
        }
    };
    let mut ticks = 0u64;
    loop {
        let Ok(mut ready) = timer.readable().await else { return };
        let mut count = [0u8; 8];
        let _ = ready.try_io(|fd| rustix::io::read(fd, &mut count).map_err(std::io::Error::from));
        worker.clock.sweep();
        ticks += 1;
        if ticks % 5 == 0 {
            worker.pools.sweep(&worker.clock);
        }
    }
}

/// Counts a connection down when it ends, however it ends.
pub struct Open {
    pub handle: Arc<WorkerHandle>,
    pub listener: Arc<ListenerState>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.handle.connections.fetch_sub(1, Ordering::Relaxed);
        self.listener.connection_ended();
    }
}
