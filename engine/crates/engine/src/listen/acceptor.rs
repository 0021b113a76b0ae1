//! Accepts on one listener, on one thread, and hands each connection to the thread that has the fewest.

use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::{TcpListener, UnixListener};

use super::{ListenerState, Socket};
use crate::observe::events::Level;
use crate::worker::{Accepted, Order, Worker, WorkerHandle};

enum Source {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Source {
    fn open(socket: &Socket) -> io::Result<Self> {
        Ok(match socket {
            Socket::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener.try_clone()?)?),
            Socket::Unix { listener, .. } => Self::Unix(UnixListener::from_std(listener.try_clone()?)?),
        })
    }

    /// What waits in the kernel's queue now; `WouldBlock` when nothing does. The runtime may not yet know of it.
    fn accept_queued(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = SockRef::from(listener).accept()?;
                stream.set_nonblocking(true)?;
                let _ = stream.set_tcp_nodelay(true);
                let stream = std::net::TcpStream::from(stream);
                let peer = peer.as_socket().ok_or(io::ErrorKind::InvalidData)?;
                let local = stream.local_addr().unwrap_or(peer);
                Ok(Accepted::Tcp(stream, plain(peer), plain(local)))
            }
            Self::Unix(listener) => {
                let stream = SockRef::from(listener).accept()?.0;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Unix(stream.into()))
            }
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // The answer to a small request must not wait for an acknowledgement.
                let _ = stream.set_nodelay(true);
                let local = stream.local_addr().unwrap_or(peer);
                Ok(Accepted::Tcp(stream.into_std()?, plain(peer), plain(local)))
            }
            Self::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0.into_std()?)),
        }
    }
}

/// An IPv4 client of an IPv6 socket is an IPv4 client.
fn plain(mut address: std::net::SocketAddr) -> std::net::SocketAddr {
    address.set_ip(address.ip().to_canonical());
    address
}

/// Runs until the listener is removed; then takes what still waits in the queue and ends.
pub async fn accept(worker: Rc<Worker>, listener: Arc<ListenerState>) {
    let source = match listener.with_socket(Source::open) {
        Some(Ok(source)) => source,
        None => return,
        Some(Err(error)) => {
            worker.shared.events.log(
                Level::Error,
                "listener_failed",
                &[("address", &listener.display()), ("error", &error.to_string())],
            );
            return;
        }
    };
    let workers = worker.shared.workers();
    loop {
        if listener.closing.load(Ordering::Acquire) {
            take_queue(&worker, &workers, &source, &listener);
            drop(source);
            return listener.release();
        }
        if listener.is_full() || worker.shared.paused.load(Ordering::Relaxed) {
            listener.changed.notified().await;
            continue;
        }
        let accepted = tokio::select! {
            biased;
            accepted = source.accept() => accepted,
            () = listener.changed.notified() => continue,
        };
        match accepted {
            Ok(accepted) => hand_out(&worker, &workers, accepted, &listener),
            Err(error) if is_fleeting(&error) => {}
            Err(error) => {
                // Out of descriptors, most likely: a moment for connections to end.
                worker.shared.events.log(
                    Level::Error,
                    "accept_failed",
                    &[("address", &listener.display()), ("error", &error.to_string())],
                );
                crate::clock::pause(&worker.clock, 200).await;
            }
        }
    }
}

/// Accepts what waits, until nothing does.
fn take_queue(worker: &Rc<Worker>, workers: &[Arc<WorkerHandle>], source: &Source, listener: &Arc<ListenerState>) {
    loop {
        match source.accept_queued() {
            Ok(accepted) => hand_out(worker, workers, accepted, listener),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && is_fleeting(&error) => {}
            Err(_) => return,
        }
    }
}

fn hand_out(worker: &Rc<Worker>, workers: &[Arc<WorkerHandle>], accepted: Accepted, listener: &Arc<ListenerState>) {
    let own = &worker.handle;
    let emptiest = workers.iter().min_by_key(|w| w.connections.load(Ordering::Relaxed)).unwrap_or(own);
    let target = if emptiest.connections.load(Ordering::Relaxed) < own.connections.load(Ordering::Relaxed) {
        emptiest
    } else {
        own
    };
    target.connections.fetch_add(1, Ordering::Relaxed);
    target.accepted.fetch_add(1, Ordering::Relaxed);
    listener.connections.fetch_add(1, Ordering::Relaxed);
    if Arc::ptr_eq(target, own) {
        worker.serve(accepted, Arc::clone(listener));
    } else {
        target.order(Order::Serve(accepted, Arc::clone(listener)));
    }
}

/// The client was gone before it was accepted.
fn is_fleeting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
    )
}
