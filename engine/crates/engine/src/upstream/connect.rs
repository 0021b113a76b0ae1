//! Makes a connection to an endpoint: resolves its name, tries its addresses in turn, and
//! over https does the handshake.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;

use plan::service::UpstreamScheme;
use socket2::SockAddr;

use super::pool::Upstream;
use crate::balance::{Address, Endpoint};
use crate::clock::{Alarm, Moment};
use crate::io::Io;
use crate::snapshot::service::TransportRun;
use crate::socket::Socket;
use crate::worker::Worker;

/// Why there is no connection.
#[derive(Debug)]
pub enum Failed {
    Timeout,
    /// The endpoint was removed meanwhile.
    Removed,
    Error(io::Error),
}

/// How long a connection is waited for before it is asked again whether the endpoint is still there. Whoever has gone
/// with its network answers nothing, and the kernel says so after seconds only.
const LOOK_MS: u64 = 50;

/// Connects within the transport's time, and while the endpoint is in its service.
///
/// # Errors
/// [`Failed`]; nothing of the request has been sent then.
pub async fn connect(
    worker: &Worker,
    endpoint: &Endpoint,
    transport: &TransportRun,
    alarm: &Alarm,
) -> Result<Upstream, Failed> {
    let until = worker.clock.after(transport.connect_ms);
    let mut opening = pin!(open(worker, endpoint, transport));
    let opened = loop {
        let look = worker.clock.after(LOOK_MS).min(until);
        if let Some(opened) = within(alarm, look, opening.as_mut()).await {
            break opened;
        }
        if endpoint.removed.load(Ordering::Relaxed) {
            return Err(Failed::Removed);
        }
        if worker.clock.now() >= until {
            return Err(Failed::Timeout);
        }
    };
    let (io, peer) = opened.map_err(Failed::Error)?;
    Ok(Upstream { io, born: worker.clock.now(), uses: 0, peer, is_watched: false })
}

async fn open(worker: &Worker, endpoint: &Endpoint, transport: &TransportRun) -> io::Result<(Io, Option<SocketAddr>)> {
    let (socket, peer) = socket(worker, &endpoint.address, transport).await?;
    if endpoint.scheme != UpstreamScheme::Https {
        return Ok((Io::Plain(socket), peer));
    }
    let tls =
        transport.tls.as_ref().ok_or_else(|| io::Error::other("the transport has no TLS for an https endpoint"))?;
    let host = match &endpoint.address {
        Address::Unix(_) => "localhost".to_owned(),
        Address::Ip(address) => address.ip().to_string(),
        Address::Name { host, .. } => host.clone(),
    };
    Ok((Box::pin(tls.connect(socket, &host)).await?, peer))
}

/// The connection, and which address of a name it leads to.
async fn socket(
    worker: &Worker,
    address: &Address,
    transport: &TransportRun,
) -> io::Result<(Socket, Option<SocketAddr>)> {
    match address {
        Address::Unix(path) => Ok((Socket::connect(&SockAddr::unix(path)?).await?, None)),
        Address::Ip(address) => Ok((Socket::connect(&SockAddr::from(*address)).await?, None)),
        Address::Name { host, port } => {
            let addresses = worker.shared.resolver.lookup(host, transport.resolve_ms).await?;
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            for &ip in addresses.iter() {
                let peer = SocketAddr::from((ip, *port));
                match Socket::connect(&peer.into()).await {
                    Ok(socket) => return Ok((socket, Some(peer))),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}

/// A future's value, or none when `until` has passed before.
pub async fn within<F: Future>(alarm: &Alarm, until: Moment, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if alarm.poll(cx, until) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
