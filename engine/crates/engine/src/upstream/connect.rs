//! Makes a connection to an endpoint: resolves its name, tries its addresses in turn, and
//! over https does the handshake.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
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
    Error(io::Error),
}

/// Connects within the transport's time.
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
    let io = within(alarm, until, open(worker, endpoint, transport)).await.ok_or(Failed::Timeout)?;
    Ok(Upstream { io: io.map_err(Failed::Error)?, born: worker.clock.now(), uses: 0 })
}

async fn open(worker: &Worker, endpoint: &Endpoint, transport: &TransportRun) -> io::Result<Io> {
    let socket = socket(worker, &endpoint.address, transport).await?;
    if endpoint.scheme != UpstreamScheme::Https {
        return Ok(Io::Plain(socket));
    }
    let tls =
        transport.tls.as_ref().ok_or_else(|| io::Error::other("the transport has no TLS for an https endpoint"))?;
    let host = match &endpoint.address {
        Address::Unix(_) => "localhost".to_owned(),
        Address::Ip(address) => address.ip().to_string(),
        Address::Name { host, .. } => host.clone(),
    };
    Box::pin(tls.connect(socket, &host)).await
}

async fn socket(worker: &Worker, address: &Address, transport: &TransportRun) -> io::Result<Socket> {
    match address {
        Address::Unix(path) => Socket::connect(&SockAddr::unix(path)?).await,
        Address::Ip(address) => Socket::connect(&SockAddr::from(*address)).await,
        Address::Name { host, port } => {
            let addresses = worker.shared.resolver.lookup(host, transport.resolve_ms).await?;
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            for &ip in addresses.iter() {
                match Socket::connect(&SocketAddr::from((ip, *port)).into()).await {
                    Ok(socket) => return Ok(socket),
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
