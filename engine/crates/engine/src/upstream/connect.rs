//! Makes a connection to an endpoint: resolves its name, tries its addresses in turn.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::Poll;

use tokio::net::{TcpStream, UnixStream};

use super::pool::Upstream;
use crate::balance::{Address, Endpoint};
use crate::clock::{Alarm, Moment};
use crate::io::Io;
use crate::snapshot::service::TransportRun;
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
    let io = within(alarm, until, open(worker, &endpoint.address, transport)).await.ok_or(Failed::Timeout)?;
    Ok(Upstream { io: io.map_err(Failed::Error)?, born: worker.clock.now(), uses: 0 })
}

async fn open(worker: &Worker, address: &Address, transport: &TransportRun) -> io::Result<Io> {
    match address {
        Address::Unix(path) => Ok(Io::Unix(UnixStream::connect(path).await?)),
        Address::Ip(address) => tcp(*address).await,
        Address::Name { host, port } => {
            let addresses = worker.shared.resolver.lookup(host, transport.resolve_ms).await?;
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            for &ip in addresses.iter() {
                match tcp((ip, *port).into()).await {
                    Ok(io) => return Ok(io),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}

async fn tcp(address: std::net::SocketAddr) -> io::Result<Io> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(Io::Tcp(stream))
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
