//! Binding a listening socket.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;

use plan::listener::Bind;
use socket2::{Domain, Protocol, Type};

/// A bound socket, not yet part of a runtime.
pub enum Socket {
    Tcp(std::net::TcpListener),
    Unix { listener: std::os::unix::net::UnixListener, path: String },
}

impl Socket {
    /// Binds plainly, so that a second process is told `address in use`.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn bind(bind: &Bind, backlog: u32) -> io::Result<Self> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        match bind {
            Bind::Tcp { host, port } => {
                let any = host.is_empty();
                let ip: IpAddr = if any {
                    Ipv6Addr::UNSPECIFIED.into()
                } else {
                    host.parse()
                        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("`{host}` is no address")))?
                };
                match tcp(SocketAddr::new(ip, *port), any, backlog) {
                    // A machine without IPv6.
                    Err(e)
                        if any
                            && e.kind() != io::ErrorKind::AddrInUse
                            && e.kind() != io::ErrorKind::PermissionDenied =>
                    {
                        tcp(SocketAddr::new(IpAddr::from([0, 0, 0, 0]), *port), false, backlog)
                    }
                    result => result,
                }
            }
            Bind::Unix { path, mode } => unix(path, *mode, backlog),
        }
    }

    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix { .. } => None,
        }
    }
}

fn tcp(address: SocketAddr, both: bool, backlog: i32) -> io::Result<Socket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!both)?;
    }
    // Connections of an earlier process in TIME_WAIT do not hold the address.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(Socket::Tcp(socket.into()))
}

fn unix(path: &str, mode: u32, backlog: i32) -> io::Result<Socket> {
    let address = socket2::SockAddr::unix(path)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if socket.bind(&address).is_err() {
        // Left behind by a process that is gone: nobody answers there.
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        std::fs::remove_file(path)?;
        socket.bind(&address)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    socket.set_nonblocking(true)?;
    socket.listen(backlog)?;
    Ok(Socket::Unix { listener: socket.into(), path: path.to_owned() })
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix { path, .. } = self {
            // It may be gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}
