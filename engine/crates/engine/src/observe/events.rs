//! The engine's own events: JSON lines on standard error, and frames to whoever holds the control socket.

use std::sync::Arc;
use std::time::SystemTime;

use plan::log::Sink as Target;
use serde_json::{json, Map, Value};
use tokio::sync::broadcast;

use super::sink::Sink;

/// Lines of the engine's own log that may wait.
const QUEUE: u32 = 10_000;

/// How much of the engine's own log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    /// Reads a level by name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "info" => Some(Self::Info),
            "warning" => Some(Self::Warning),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[derive(Clone)]
pub struct Events {
    least: Level,
    stderr: Arc<Sink>,
    listeners: broadcast::Sender<Value>,
}

impl Events {
    /// Starts the thread that writes standard error.
    ///
    /// # Errors
    /// When the kernel gives no thread.
    pub fn start(least: Level) -> std::io::Result<Self> {
        let stderr = Arc::new(Sink::new("stderr".to_owned()));
        let writing = Arc::clone(&stderr);
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writing.write_out(Box::new(std::io::stderr()), &Target::Stdout))?;
        Ok(Self { least, stderr, listeners: broadcast::channel(1024).0 })
    }

    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Value> {
        self.listeners.subscribe()
    }

    /// Writes a line to standard error.
    pub fn log(&self, level: Level, event: &str, fields: &[(&str, &str)]) {
        self.write(level, event, fields.iter().map(|(name, value)| (*name, Value::String((*value).to_owned()))));
    }

    /// Writes a line and tells the control plane.
    pub fn tell(&self, level: Level, event: &str, fields: &[(&str, Value)]) {
        self.write(level, event, fields.iter().map(|(name, value)| (*name, value.clone())));
        let mut frame = Map::new();
        frame.insert("event".to_owned(), json!(event));
        frame.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        // Nobody listens when the control plane is gone.
        let _ = self.listeners.send(Value::Object(frame));
    }

    fn write<'a>(&self, level: Level, event: &str, fields: impl Iterator<Item = (&'a str, Value)>) {
        if level >= self.least {
            self.stderr.line(line(level, event, fields).as_bytes(), QUEUE);
        }
    }

    /// Waits until standard error has it all, at most `limit`.
    pub fn flush(&self, limit: std::time::Duration) {
        self.stderr.flush(limit);
    }
}

/// One JSON line.
#[must_use]
pub fn line<'a>(level: Level, event: &str, fields: impl Iterator<Item = (&'a str, Value)>) -> String {
    let mut time = Vec::new();
    super::time::utc(SystemTime::now(), &mut time);
    let mut line = Map::new();
    line.insert("time".to_owned(), json!(String::from_utf8_lossy(&time)));
    line.insert("level".to_owned(), json!(level.name()));
    line.insert("event".to_owned(), json!(event));
    line.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    format!("{}\n", Value::Object(line))
}
