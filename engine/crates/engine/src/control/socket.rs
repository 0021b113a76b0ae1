//! The Unix socket and its frames: a big-endian u32 length, then JSON. Each client is served on its own;
//! events go to all of them.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{json, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc};

use super::calls;
use crate::engine::Engine;
use crate::listen::socket::remove_stale;
use crate::observe::events::Level;

/// The largest frame.
const LARGEST: u32 = 256 << 20;

/// What a call may ask of the main thread.
pub enum Wish {
    /// Grace in milliseconds; the listeners' when absent.
    Shutdown(Option<u64>),
    /// A Plan was applied.
    Applied,
}

/// Binds the socket, mode 0600. One left behind by a process that is gone is replaced.
///
/// # Errors
/// When another engine answers there, or what the kernel said.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if std::fs::symlink_metadata(path).is_ok() {
        remove_stale(path).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                io::Error::new(error.kind(), "another engine answers there, or it is no socket")
            }
            _ => error,
        })?;
    }
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = UnixListener::bind(path);
    rustix::process::umask(old);
    let listener = bound?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Accepts clients for ever.
pub async fn serve(listener: UnixListener, engine: Arc<Engine>, wishes: mpsc::UnboundedSender<Wish>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(client(stream, Arc::clone(&engine), wishes.clone()));
            }
            Err(error) => {
                engine.shared.events.log(Level::Error, "control_failed", &[("error", &error.to_string())]);
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    }
}

async fn client(stream: UnixStream, engine: Arc<Engine>, wishes: mpsc::UnboundedSender<Wish>) {
    let events = engine.shared.events.subscribe();
    let (reader, writer) = stream.into_split();
    let (answers, outbox) = mpsc::unbounded_channel();
    let _ = answers.send(engine.hello());
    let writing = tokio::spawn(write(writer, outbox, events));
    read(reader, &engine, &answers, &wishes).await;
    drop(answers);
    // The last answers are written before the client is let go.
    let _ = writing.await;
}

async fn read(
    mut reader: OwnedReadHalf,
    engine: &Arc<Engine>,
    answers: &mpsc::UnboundedSender<Value>,
    wishes: &mpsc::UnboundedSender<Wish>,
) {
    while let Ok(length) = reader.read_u32().await {
        if length > LARGEST {
            let _ = answers.send(
                json!({"id": null, "error": {"kind": "bad_frame", "message": "the frame is too large", "where": ""}}),
            );
            return;
        }
        let mut frame = vec![0; length as usize];
        if reader.read_exact(&mut frame).await.is_err() {
            return;
        }
        // The id first: whatever is wrong with the rest is answered under it.
        let id = serde_json::from_slice::<calls::Envelope>(&frame).map(|envelope| envelope.id).unwrap_or_default();
        let answer = match calls::read(&frame).and_then(|request| calls::run(request, engine, wishes)) {
            Ok(ok) => json!({"id": id, "ok": ok}),
            Err(error) => json!({"id": id, "error": error.to_json()}),
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

async fn write(
    mut writer: OwnedWriteHalf,
    mut answers: mpsc::UnboundedReceiver<Value>,
    mut events: broadcast::Receiver<Value>,
) {
    loop {
        let frame = tokio::select! {
            answer = answers.recv() => match answer {
                Some(answer) => answer,
                None => return,
            },
            event = events.recv() => match event {
                Ok(event) => event,
                Err(broadcast::error::RecvError::Lagged(missed)) => json!({"event": "events_missed", "count": missed}),
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        let text = frame.to_string();
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if writer.write_u32(length).await.is_err() || writer.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}
