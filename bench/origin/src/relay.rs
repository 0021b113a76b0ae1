//! The floor: a relay that parses nothing. What it costs a request, no proxy on epoll can go below.
//!
//! One thread, one epoll, one connection to the origin for each client: one `read` and one `write` for a request,
//! the same for its answer, no forwarded fields, no pool, no timeouts. It is measured, never used.
//!
//! `bench-relay LISTEN ORIGIN` binds and prints `listening ADDRESS` once it is ready.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as Blocking};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);
/// Larger than any message of the benchmark, so that a short read means that the socket is empty.
const SCRATCH: usize = 64 * 1024;

struct Side {
    stream: TcpStream,
    other: Token,
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut listener = TcpListener::bind(address(arguments.next())?)?;
    let origin = address(arguments.next())?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening {}", listener.local_addr()?);
    let mut events = Events::with_capacity(512);
    let mut sides: HashMap<Token, Side> = HashMap::new();
    let mut scratch = vec![0; SCRATCH];
    let mut next = 0;
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() != LISTENER {
                if pass_on(&mut sides, event.token(), &mut scratch).is_err() {
                    if let Some(ended) = sides.remove(&event.token()) {
                        sides.remove(&ended.other);
                    }
                }
                continue;
            }
            while let Ok((mut client, _)) = listener.accept() {
                let upstream = Blocking::connect(origin)?;
                upstream.set_nonblocking(true)?;
                let mut upstream = TcpStream::from_std(upstream);
                for (stream, token) in [(&mut client, Token(next)), (&mut upstream, Token(next + 1))] {
                    stream.set_nodelay(true)?;
                    poll.registry().register(stream, token, Interest::READABLE)?;
                }
                sides.insert(Token(next), Side { stream: client, other: Token(next + 1) });
                sides.insert(Token(next + 1), Side { stream: upstream, other: Token(next) });
                next += 2;
            }
        }
    }
}

/// What came is written to the other side; messages fit the socket's buffer, so what it does not take is an error.
fn pass_on(sides: &mut HashMap<Token, Side>, token: Token, scratch: &mut [u8]) -> io::Result<()> {
    loop {
        let Some(side) = sides.get_mut(&token) else { return Ok(()) };
        let count = match side.stream.read(scratch) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let other = side.other;
        let Some(other) = sides.get_mut(&other) else { return Ok(()) };
        other.stream.write_all(&scratch[..count])?;
        if count < scratch.len() {
            return Ok(());
        }
    }
}

fn address(argument: Option<String>) -> io::Result<SocketAddr> {
    let text = argument.unwrap_or_default();
    text.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("not an address: {text}")))
}
