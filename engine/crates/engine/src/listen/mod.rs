//! Listening sockets: they belong to the process, outlive every apply that keeps their address, and are
//! accepted on by one thread each, which hands the connection to the emptiest (docs/decisions).

pub mod acceptor;
pub mod socket;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plan::listener::Bind;
use tokio::sync::Notify;

use crate::snapshot::listener::ListenerRun;
pub use socket::Socket;

/// A listener that is bound. Its socket lives from bind to removal, the rest as long as a connection of it.
pub struct ListenerState {
    /// Tells listeners apart over all applies.
    pub key: u64,
    pub bind: Bind,
    /// None once it is closed: who removes a listener wants its address back, whatever is still connected.
    socket: Mutex<Option<Socket>>,
    /// What it was in the last Plan that had it: what is connected at its removal is still served.
    pub last: OnceLock<Arc<ListenerRun>>,
    /// Where it really listens.
    pub address: Option<SocketAddr>,
    pub connections: AtomicUsize,
    /// Of the running Plan; 0 for no limit.
    pub max_connections: AtomicU32,
    /// Removed, or the engine stops: what waits is accepted, then the socket is closed.
    pub closing: AtomicBool,
    /// `closing` was set, a place became free or the limit is another.
    pub changed: Notify,
}

impl ListenerState {
    #[must_use]
    pub fn new(key: u64, bind: Bind, socket: Socket) -> Arc<Self> {
        let address = socket.address();
        Arc::new(Self {
            key,
            bind,
            socket: Mutex::new(Some(socket)),
            last: OnceLock::new(),
            address,
            connections: AtomicUsize::new(0),
            max_connections: AtomicU32::new(0),
            closing: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    /// The address as text: `127.0.0.1:80` or `unix:/path`.
    #[must_use]
    pub fn display(&self) -> String {
        match (&self.address, &self.bind) {
            (Some(address), _) => address.to_string(),
            (None, Bind::Unix { path, .. }) => format!("unix:{path}"),
            (None, Bind::Tcp { host, port }) => format!("{host}:{port}"),
        }
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        let limit = self.max_connections.load(Ordering::Relaxed) as usize;
        limit != 0 && self.connections.load(Ordering::Relaxed) >= limit
    }

    pub fn connection_ended(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
        if self.max_connections.load(Ordering::Relaxed) != 0 {
            self.changed.notify_one();
        }
    }

    /// What `of` gives for the socket; none when it is closed.
    pub fn with_socket<T>(&self, of: impl FnOnce(&Socket) -> T) -> Option<T> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(of)
    }

    /// The queue is empty: the address is free from here on.
    pub fn release(&self) {
        drop(self.socket.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Ends accepting; what waits in the queue is still taken.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.changed.notify_one();
    }
}
