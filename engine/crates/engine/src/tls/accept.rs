//! The handshake with a client: the first byte tells TLS from clear text, the ClientHello chooses the terms.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use plan::listener::PlainOnTls;
use rustls::server::Acceptor;
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig, SignatureAlgorithm};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{Accept, LazyConfigAcceptor, StartHandshake};

use super::terms::{iana_name, TlsRun, ACME_TLS};
use crate::clock::Alarm;
use crate::io::Io;
use crate::snapshot::listener::ListenerRun;
use crate::socket::Socket;
use crate::upstream::connect::within;
use crate::worker::Worker;

/// The first byte of a TLS record that holds a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// A fatal alert in clear text, as before any key (RFC 8446 sections 5.1 and 6): nobody of this name is here.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// What a handshake came to.
pub struct Session {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// IANA's name.
    pub cipher: String,
    /// The name that was asked for, empty when none was.
    pub server_name: String,
    /// The Plan's options it was made on.
    pub options: Arc<str>,
    /// HTTP/2 was agreed upon.
    pub http2: bool,
    /// What was agreed upon by ALPN.
    pub alpn: Vec<u8>,
    /// The key exchange's group.
    pub group: String,
    pub resumed: bool,
}

/// A client's connection, ready for its first request.
pub struct Opened {
    pub io: Io,
    pub session: Option<Box<Session>>,
    /// It is in clear text where that is refused.
    pub refused: bool,
}

/// Handshakes since the start.
#[derive(Default)]
pub struct Handshakes {
    pub full: AtomicU64,
    pub resumed: AtomicU64,
    pub failed: AtomicU64,
}

/// Takes a connection over on a listener with TLS; none when there is nothing to go on with.
pub async fn open(worker: &Worker, listener: &ListenerRun, socket: Socket, alarm: &Alarm) -> Option<Opened> {
    let tls = listener.tls.as_ref()?;
    let until = worker.clock.after(listener.http.timeouts.head_ms);
    let counters = &worker.shared.handshakes;
    let result = within(alarm, until, async {
        if std::future::poll_fn(|cx| socket.poll_peek(cx)).await? != Some(HANDSHAKE) {
            let refused = tls.plain == PlainOnTls::Refuse;
            return Ok(Opened { io: Io::Plain(socket), session: None, refused });
        }
        handshake(worker, listener, tls, socket).await
    })
    .await;
    match result {
        Some(Ok(opened)) => Some(opened),
        Some(Err(_)) | None => {
            counters.failed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

async fn handshake(worker: &Worker, listener: &ListenerRun, tls: &TlsRun, socket: Socket) -> io::Result<Opened> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    let hello = start.client_hello();
    let server_name = hello.server_name().unwrap_or_default().to_owned();
    let is_challenge = hello.alpn().is_some_and(|mut names| names.next() == Some(ACME_TLS) && names.next().is_none());
    if is_challenge {
        if let Some(config) = worker.shared.tls.challenge(&server_name) {
            return challenge(start, config).await;
        }
    }
    let terms = tls.of_name(&listener.index, &server_name);
    if terms.reject {
        let mut socket = start.io;
        socket.write_all(&UNRECOGNIZED_NAME).await?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let stream = shown(start, Arc::clone(&terms.config)).await?.await?;
    let connection = stream.get_ref().1;
    let counters = &worker.shared.handshakes;
    let kind = connection.handshake_kind();
    let counter = if kind == Some(HandshakeKind::Resumed) { &counters.resumed } else { &counters.full };
    counter.fetch_add(1, Ordering::Relaxed);
    let session = Session {
        version: if connection.protocol_version() == Some(ProtocolVersion::TLSv1_2) { "1.2" } else { "1.3" },
        cipher: connection.negotiated_cipher_suite().map(|suite| iana_name(suite.suite())).unwrap_or_default(),
        server_name,
        options: Arc::clone(&terms.options),
        http2: connection.alpn_protocol() == Some(b"h2"),
        alpn: connection.alpn_protocol().unwrap_or_default().to_vec(),
        group: connection.negotiated_key_exchange_group().map(|of| format!("{:?}", of.name())).unwrap_or_default(),
        resumed: kind == Some(HandshakeKind::Resumed),
    };
    Ok(Opened { io: Io::Tls(Box::new(stream.into())), session: Some(Box::new(session)), refused: false })
}

/// Answers the ClientHello. An RSA signature takes many times as long as any other (4096 bits: 3.3 ms), so it is
/// made aside, one at a time, while the thread's other connections go on.
async fn shown(start: StartHandshake<Socket>, config: Arc<ServerConfig>) -> io::Result<Accept<Socket>> {
    let key = config.cert_resolver.resolve(start.client_hello());
    if key.is_some_and(|shown| shown.key.algorithm() == SignatureAlgorithm::RSA) {
        let mut aside = Aside(tokio::task::spawn_blocking(|| start.into_stream(config)));
        return (&mut aside.0).await.map_err(io::Error::other);
    }
    Ok(start.into_stream(config))
}

/// Work that nobody waits for any more is not begun.
struct Aside<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aside<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Shows the challenge's certificate; nothing follows it (RFC 8737 section 3).
async fn challenge(start: StartHandshake<Socket>, config: Arc<ServerConfig>) -> io::Result<Opened> {
    use tokio::io::AsyncWriteExt;
    start.into_stream(config).await?.shutdown().await?;
    Err(io::Error::other("a challenge was answered"))
}
