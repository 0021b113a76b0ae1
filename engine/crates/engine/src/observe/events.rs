//! The engine's own events: JSON lines on standard error, and frames to whoever holds the control socket.

use std::sync::Arc;
use std::time::SystemTime;

use plan::log::Sink as Target;
use serde_json::{json, Map, Value};
use tokio::sync::broadcast;

use super::sink::Sink;

/// Lines of the engine's own log that may wait.
const QUEUE: u32 = 10_000;

#[derive(Clone)]
pub struct Events {
    stderr: Arc<Sink>,
    listeners: broadcast::Sender<Value>,
}

impl Events {
    /// Starts the thread that writes standard error.
    ///
    /// # Errors
    /// When the kernel gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let stderr = Arc::new(Sink::new("stderr".to_owned()));
        let writing = Arc::clone(&stderr);
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writing.write_out(Box::new(std::io::stderr()), &Target::Stdout, &|_, _| {}))?;
        Ok(Self { stderr, listeners: broadcast::channel(1024).0 })
    }

    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Value> {
        self.listeners.subscribe()
    }

    /// Writes a line to standard error.
    pub fn log(&self, level: &str, event: &str, fields: &[(&str, &str)]) {
        let mut time = Vec::new();
        super::time::utc(SystemTime::now(), &mut time);
        let mut line = Map::new();
        line.insert("time".to_owned(), Value::String(String::from_utf8_lossy(&time).into_owned()));
        line.insert("level".to_owned(), Value::String(level.to_owned()));
        line.insert("event".to_owned(), Value::String(event.to_owned()));
        for (name, value) in fields {
            line.insert((*name).to_owned(), Value::String((*value).to_owned()));
        }
        self.stderr.line(format!("{}\n", Value::Object(line)).as_bytes(), QUEUE);
    }

    /// Writes a line and tells the control plane.
    pub fn tell(&self, level: &str, event: &str, fields: &[(&str, &str)]) {
        self.log(level, event, fields);
        let mut frame = json!({"event": event});
        if let Value::Object(frame) = &mut frame {
            for (name, value) in fields {
                frame.insert((*name).to_owned(), Value::String((*value).to_owned()));
            }
        }
        // Nobody listens when the control plane is gone.
        let _ = self.listeners.send(frame);
    }

    /// Waits until standard error has it all, at most `limit`.
    pub fn flush(&self, limit: std::time::Duration) {
        self.stderr.flush(limit);
    }
}
