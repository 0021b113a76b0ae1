//! Binding a listening socket.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use plan::listener::Bind;
use socket2::{Domain, Protocol, Type};

/// A bound socket, not yet part of a runtime.
pub enum Socket {
    Tcp(std::net::TcpListener),
    /// With its file's device and number: another's in its place is left alone.
    Unix {
        listener: std::os::unix::net::UnixListener,
        path: String,
        file: Option<(u64, u64)>,
    },
}

impl Socket {
    /// Binds plainly, so that a second process is told `address in use`.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn bind(bind: &Bind, backlog: u32) -> io::Result<Self> {
        Self::bind_beside(bind, backlog, false)
    }

    /// As [`Socket::bind`]; `shared`: a socket of this process that is about to go has the address too, and was
    /// told so ([`Socket::share`]).
    ///
    /// # Errors
    /// What the kernel said.
    pub fn bind_beside(bind: &Bind, backlog: u32, shared: bool) -> io::Result<Self> {
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
                match tcp(SocketAddr::new(ip, *port), any, backlog, shared) {
                    // A machine without IPv6.
                    Err(e)
                        if any
                            && e.kind() != io::ErrorKind::AddrInUse
                            && e.kind() != io::ErrorKind::PermissionDenied =>
                    {
                        tcp(SocketAddr::new(IpAddr::from([0, 0, 0, 0]), *port), false, backlog, shared)
                    }
                    result => result,
                }
            }
            Bind::Unix { path, mode } => unix(path, *mode, backlog),
        }
    }

    /// Whether a second socket of this process may have the address too: only while one gives way to the other.
    pub fn share(&self, shared: bool) {
        if let Self::Tcp(listener) = self {
            // Refused: then the second is told that the address is in use.
            let _ = socket2::SockRef::from(listener).set_reuse_port(shared);
        }
    }

    /// Gives the file of a Unix socket this mode.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        match self {
            Self::Unix { path, file, .. } if *file == identity(path.as_ref()) => {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            }
            _ => Ok(()),
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

fn tcp(address: SocketAddr, both: bool, backlog: i32, shared: bool) -> io::Result<Socket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!both)?;
    }
    // Connections of an earlier process in TIME_WAIT do not hold the address.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    if shared {
        socket.set_reuse_port(false)?;
    }
    Ok(Socket::Tcp(socket.into()))
}

fn unix(path: &str, mode: u32, backlog: i32) -> io::Result<Socket> {
    let address = socket2::SockAddr::unix(path)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = socket.bind(&address) {
        if error.kind() != io::ErrorKind::AddrInUse {
            return Err(error);
        }
        remove_stale(path.as_ref())?;
        socket.bind(&address)?;
    }
    let file = identity(path.as_ref());
    let bound = Socket::Unix { listener: socket.into(), path: path.to_owned(), file };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    if let Socket::Unix { listener, .. } = &bound {
        listener.set_nonblocking(true)?;
        socket2::SockRef::from(listener).listen(backlog)?;
    }
    Ok(bound)
}

/// Removes a socket that a process left behind which is gone: nobody answers there. Never what is no socket.
///
/// # Errors
/// `AddrInUse` when somebody answers, or it is another kind of file.
pub fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path)?.file_type().is_socket();
    if !is_socket || std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    std::fs::remove_file(path)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix { path, file, .. } = self {
            if file.is_some() && *file == identity(path.as_ref()) {
                // It may be gone already.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}
