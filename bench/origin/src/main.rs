//! The origin of the benchmark: one thread, one epoll, answers made once at start.
//!
//! It must never be the bottleneck, so it does the least a correct HTTP/1.1 server can: one `epoll_wait`
//! for many events, one `read` and one `write` for a request. The last segment of the path chooses the
//! answer (`/128`, `/16k`, `/chunked`, `/echo-size`, `/headers`, `/stats`), whatever stands before it, so
//! that the same origin serves ten thousand prefixes. It trusts its peers: it is no server for the internet.
//!
//! `bench-origin [ADDRESS]` binds (port 0 by default) and prints `listening ADDRESS` once it is ready.

mod answers;
mod request;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

use answers::Answers;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use request::{parse, Parsed};

const LISTENER: Token = Token(0);
/// Larger than any request of the benchmark, so a short read means that the socket is empty.
const SCRATCH: usize = 64 * 1024;

struct Connection {
    stream: TcpStream,
    /// The beginning of a request whose rest has not come yet.
    input: Vec<u8>,
    /// What the socket did not take at once.
    output: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) connections: u64,
    pub(crate) requests: u64,
}

struct Origin {
    poll: Poll,
    listener: TcpListener,
    connections: HashMap<Token, Connection>,
    next: usize,
    answers: Answers,
    counters: Counters,
    scratch: Vec<u8>,
    reply: Vec<u8>,
}

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address: SocketAddr = address.parse().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("not an address: {address}"),
        )
    })?;
    let mut origin = Origin::bind(address)?;
    println!("listening {}", origin.listener.local_addr()?);
    io::stdout().flush()?;
    origin.run()
}

impl Origin {
    fn bind(address: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: HashMap::new(),
            next: 1,
            answers: Answers::new(),
            counters: Counters::default(),
            scratch: vec![0; SCRATCH],
            reply: Vec::with_capacity(SCRATCH),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let alive = self.flush(event.token())
                    && (!event.is_readable() || self.serve(event.token()));
                if !alive {
                    self.connections.remove(&event.token());
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The peer went away between its connect and our accept: nothing to serve.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let token = Token(self.next);
            self.next += 1;
            self.counters.connections += 1;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut stream, token, interest)?;
            self.connections.insert(
                token,
                Connection {
                    stream,
                    input: Vec::new(),
                    output: Vec::new(),
                },
            );
        }
    }

    /// Writes what is left of an answer; false when the connection is over.
    fn flush(&mut self, token: Token) -> bool {
        let Some(connection) = self.connections.get_mut(&token) else {
            return true;
        };
        while !connection.output.is_empty() {
            match connection.stream.write(&connection.output) {
                Ok(0) => return false,
                Ok(count) => drop(connection.output.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        true
    }

    /// Reads until the socket is empty and answers every whole request; false when the connection is over.
    fn serve(&mut self, token: Token) -> bool {
        let Some(connection) = self.connections.get_mut(&token) else {
            return true;
        };
        loop {
            let count = match connection.stream.read(&mut self.scratch) {
                Ok(0) => return false,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            };
            let mut kept = std::mem::take(&mut connection.input);
            let mut rest: &[u8] = if kept.is_empty() {
                &self.scratch[..count]
            } else {
                kept.extend_from_slice(&self.scratch[..count]);
                &kept
            };
            self.reply.clear();
            loop {
                match parse(rest) {
                    Parsed::Whole { request, length } => {
                        self.counters.requests += 1;
                        self.answers
                            .write(&request, &self.counters, &mut self.reply);
                        rest = &rest[length..];
                    }
                    Parsed::Partial => break,
                    Parsed::Malformed => return false,
                }
            }
            connection.input = rest.to_vec();
            if !send(connection, &self.reply) {
                return false;
            }
            if count < SCRATCH {
                return true;
            }
        }
    }
}

/// Sends at once what the socket takes and keeps the rest for `flush`.
fn send(connection: &mut Connection, mut bytes: &[u8]) -> bool {
    while connection.output.is_empty() && !bytes.is_empty() {
        match connection.stream.write(bytes) {
            Ok(0) => return false,
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(_) => return false,
        }
    }
    connection.output.extend_from_slice(bytes);
    true
}
