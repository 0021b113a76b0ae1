//! Access logs: one line an exchange, rendered on its thread, written by the sink's.

use std::sync::Arc;

use plan::log::{AccessLog, Escape, FieldKind, Format, LogFilter};
use plan::template::{Part, Variable};

use super::sink::Sink;
use crate::condition::Test;
use crate::control::error::CallError;
use crate::exchange::Scope;
use crate::json;
use crate::snapshot::links::Links;
use crate::template::Text;

pub struct LogRun {
    sink: Arc<Sink>,
    queue_lines: u32,
    format: Form,
    when: Option<Test>,
    filter: LogFilter,
}

enum Form {
    /// `"name":` ready to be written, the value, its kind.
    Json(Vec<(Vec<u8>, Text, FieldKind)>),
    /// Parts apart, for each value is escaped by itself.
    Line(Vec<(Text, Of)>, Escape),
}

/// What a part of a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Literal,
    /// Where it is empty there is none.
    Value,
    /// It is always there, and may be empty.
    Given,
}

impl Of {
    /// Facts (nginx): what a lookup or `set` has made, `$is_args` and `$https` are there though they be empty.
    fn part(part: &Part) -> Self {
        match part {
            Part::Literal(_) => Self::Literal,
            Part::Lookup { .. } | Part::Capture { group: 0, .. } => Self::Given,
            Part::Variable(Variable::QueryMark | Variable::Https | Variable::Http2) => Self::Given,
            _ => Self::Value,
        }
    }
}

impl LogRun {
    /// Makes a log ready; its sink is open.
    ///
    /// # Errors
    /// What in it this engine cannot run yet.
    pub fn build(log: &AccessLog, sink: Arc<Sink>, links: &Links<'_>) -> Result<Self, CallError> {
        let format = match &log.format {
            Format::Json(fields) => Form::Json(
                fields
                    .iter()
                    .map(|f| {
                        let mut name = Vec::new();
                        write_json(f.name.as_bytes(), &mut name);
                        name.push(b':');
                        Ok((name, Text::build(&f.value, links)?, f.kind))
                    })
                    .collect::<Result<_, CallError>>()?,
            ),
            Format::Text { line, escape } => Form::Line(
                line.iter()
                    .map(|part| Ok((Text::build(&vec![part.clone()], links)?, Of::part(part))))
                    .collect::<Result<_, CallError>>()?,
                *escape,
            ),
        };
        let when = log.when.as_ref().map(|when| Test::build(when, links)).transpose()?;
        Ok(Self { sink, queue_lines: log.queue_lines, format, when, filter: log.filter.clone() })
    }

    pub fn write(&self, scope: &Scope<'_>) {
        if !self.wants(scope) {
            return;
        }
        let mut line = Vec::with_capacity(512);
        match &self.format {
            Form::Json(fields) => write_object(fields, scope, &mut line),
            Form::Line(parts, escape) => {
                for (part, of) in parts {
                    let text = part.render(scope);
                    match of {
                        Of::Literal => line.extend_from_slice(&text),
                        Of::Given if text.is_empty() && *escape == Escape::Default => {}
                        Of::Given | Of::Value => write_escaped(&text, *escape, &mut line),
                    }
                }
            }
        }
        line.push(b'\n');
        self.sink.line(&line, self.queue_lines);
    }

    fn wants(&self, scope: &Scope<'_>) -> bool {
        if self.when.as_ref().is_some_and(|test| !test.holds(scope)) {
            return false;
        }
        let LogFilter { statuses, min_duration_ms, retried } = &self.filter;
        if statuses.is_empty() && *min_duration_ms == 0 && !retried {
            return true;
        }
        let status = scope.record.status;
        statuses.iter().any(|&(from, to)| (from..=to).contains(&status))
            || (*min_duration_ms > 0 && scope.record.duration_nanos() >= min_duration_ms * 1_000_000)
            || (*retried && scope.record.retries > 0)
    }
}

fn write_object(fields: &[(Vec<u8>, Text, FieldKind)], scope: &Scope<'_>, line: &mut Vec<u8>) {
    line.push(b'{');
    let mut first = true;
    let mut value = Vec::new();
    for (name, text, kind) in fields {
        value.clear();
        text.write(scope, &mut value);
        let optional = matches!(kind, FieldKind::OptionalText | FieldKind::OptionalNumber);
        if optional && value.is_empty() {
            continue;
        }
        if !first {
            line.push(b',');
        }
        first = false;
        line.extend_from_slice(name);
        match kind {
            FieldKind::Text | FieldKind::OptionalText => write_json(&value, line),
            FieldKind::Number | FieldKind::OptionalNumber if is_number(&value) => line.extend_from_slice(&value),
            FieldKind::Number | FieldKind::OptionalNumber => line.push(b'0'),
        }
    }
    line.push(b'}');
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|b| b.is_ascii_digit() || b".-".contains(b))
}

/// A JSON string; bytes that are no UTF-8 become the replacement character.
fn write_json(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

fn write_escaped(text: &[u8], escape: Escape, out: &mut Vec<u8>) {
    match escape {
        Escape::None => out.extend_from_slice(text),
        Escape::Json => json::escape(text, out),
        Escape::Default | Escape::Common if text.is_empty() => out.push(b'-'),
        Escape::Default => {
            for &b in text {
                if !(0x20..0x7f).contains(&b) || b == b'"' || b == b'\\' {
                    out.extend_from_slice(format!("\\x{b:02X}").as_bytes());
                } else {
                    out.push(b);
                }
            }
        }
        Escape::Common => {
            for &b in text {
                match b {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
                    b if b < 0x20 || b == 0x7f => out.extend_from_slice(format!("\\x{b:02x}").as_bytes()),
                    b => out.push(b),
                }
            }
        }
    }
}
