//! The engine's own events: JSON lines on standard error or text in a file, and frames to whoever holds the control
//! socket.

use std::sync::Arc;
use std::time::SystemTime;

use plan::log::Sink as Target;
use serde_json::{json, Map, Value};
use tokio::sync::broadcast;

use super::sink::Sink;

/// Lines of the engine's own log that may wait.
const QUEUE: u32 = 10_000;

/// Of a file that is made for them: they hold no secrets.
const FILE_MODE: u32 = 0o644;

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

    /// Its name in a line of text.
    fn word(self) -> &'static str {
        match self {
            Self::Info => "notice",
            Self::Warning => "warn",
            Self::Error => "error",
        }
    }
}

/// How an event becomes a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Text,
}

#[derive(Clone)]
pub struct Events {
    least: Level,
    sink: Arc<Sink>,
    form: Form,
    /// A file of our own, which can be opened again.
    file: bool,
    listeners: broadcast::Sender<Value>,
}

impl Events {
    /// Starts the thread that writes: JSON to standard error, or text to a file; `-` is standard error.
    ///
    /// # Errors
    /// When the kernel gives no thread, or the file cannot be opened.
    pub fn start(least: Level, text: Option<&str>) -> std::io::Result<Self> {
        let listeners = broadcast::channel(1024).0;
        let form = if text.is_some() { Form::Text } else { Form::Json };
        if let Some(path) = text.filter(|path| *path != "-") {
            let sink = Sink::start(&Target::File { path: path.to_owned(), mode: FILE_MODE })?;
            return Ok(Self { least, sink, form, file: true, listeners });
        }
        let sink = Arc::new(Sink::new("stderr".to_owned()));
        let writing = Arc::clone(&sink);
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writing.write_out(Box::new(std::io::stderr()), &Target::Stdout))?;
        Ok(Self { least, sink, form, file: false, listeners })
    }

    /// Opens the file again, after someone has moved it away. (Standard error is whoever's who gave it.)
    pub fn reopen(&self) {
        if self.file {
            self.sink.reopen();
        }
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
            let line = match self.form {
                Form::Json => line(level, event, fields),
                Form::Text => text(level, event, fields),
            };
            self.sink.line(line.as_bytes(), QUEUE);
        }
    }

    /// Waits until all is written, at most `limit`.
    pub fn flush(&self, limit: std::time::Duration) {
        self.sink.flush(limit);
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

/// One line of text: `2006/01/02 15:04:05 [warn] 4711#0: endpoint_down, service: api, cause: refused`.
fn text<'a>(level: Level, event: &str, fields: impl Iterator<Item = (&'a str, Value)>) -> String {
    let mut time = Vec::new();
    super::time::plain(SystemTime::now(), &mut time);
    let time = String::from_utf8_lossy(&time);
    let mut line = format!("{time} [{}] {}#0: {event}", level.word(), std::process::id());
    for (name, value) in fields {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // What a peer sent may hold anything: a line stays a line.
        let plain: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.push_str(&format!(", {name}: {plain}"));
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field cannot begin a line of its own.
    #[test]
    fn text_stays_one_line() {
        let fields = [("cause", json!("a\nb")), ("lines", json!(3))];
        let line = text(Level::Warning, "log_dropped", fields.into_iter());
        assert!(line.ends_with(&format!(" [warn] {}#0: log_dropped, cause: a b, lines: 3\n", std::process::id())));
        assert_eq!(line.matches('\n').count(), 1);
    }
}
