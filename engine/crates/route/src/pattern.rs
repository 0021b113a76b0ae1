//! A regex with its dialect, compiled once.
//!
//! Facts: Go's `regexp` (Traefik) takes an invalid UTF-8 byte for U+FFFD; its perl classes are ASCII. PCRE as
//! nginx calls it works on bytes, its classes are ASCII, and `$` also stands before a last newline.
//! Decisions: `dialect` rewrites both into the `regex` crate's language. PCRE that needs backtracking (look
//! around, back references, possessive and atomic groups) goes to `fancy-regex` with a step limit; the rest
//! runs in linear time, with the same leftmost-first answer.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use plan::matching::{Dialect, Pattern};

use crate::captures::{Captures, GroupNames};
use crate::dialect::{self, Rewritten};
use crate::error::{Problem, StepLimit};

/// Backtracking steps before a pattern gives up: tens of milliseconds of one thread.
const STEP_LIMIT: usize = 1_000_000;

/// Bytes a compiled regex may take: room for Go's largest count (1,000) of a Unicode class, and an end.
const SIZE_LIMIT: usize = 16 << 20;

/// A compiled pattern of a Plan.
#[derive(Clone)]
pub struct CompiledPattern {
    text: String,
    ignore_case: bool,
    slot: Option<u16>,
    engine: Engine,
    unicode: bool,
    /// Of the groups; only kept when a slot is written.
    names: GroupNames,
    subject: SubjectRule,
}

#[derive(Clone)]
enum Engine {
    Linear(regex::bytes::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// What is done to the subject before the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SubjectRule {
    AsIs,
    /// Invalid bytes become U+FFFD (Go).
    Lossy,
    /// When nothing matches, once more without the last newline (PCRE's `$`).
    LastNewline,
}

impl CompiledPattern {
    /// Compiles it, or says why not.
    pub fn new(pattern: &Pattern) -> Result<Self, Problem> {
        let problem = |message: String| Problem::Pattern { regex: pattern.regex.clone(), message };
        let (engine, unicode, subject) = match pattern.dialect {
            Dialect::Re2 => {
                let regex = dialect::re2(&pattern.regex)
                    .and_then(|rewritten| linear(&rewritten.regex, pattern.ignore_case, true))
                    .map_err(problem)?;
                (Engine::Linear(regex), true, SubjectRule::Lossy)
            }
            Dialect::Pcre => pcre(&pattern.regex, pattern.ignore_case).map_err(problem)?,
        };
        let names = if pattern.slot.is_some() { engine.names() } else { Arc::from([]) };
        let (text, ignore_case, slot) = (pattern.regex.clone(), pattern.ignore_case, pattern.slot);
        Ok(Self { text, ignore_case, slot, engine, unicode, names, subject })
    }

    /// The regex as the Plan wrote it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Letters match in either case.
    #[must_use]
    pub const fn ignore_case(&self) -> bool {
        self.ignore_case
    }

    /// The slot its groups are written to.
    #[must_use]
    pub const fn slot(&self) -> Option<u16> {
        self.slot
    }

    /// Its groups go to another slot, or nowhere.
    #[must_use]
    pub(crate) fn without_slot(mut self) -> Self {
        self.slot = None;
        self
    }

    /// The regex that really runs, in the `regex` crate's language, and whether it is Unicode; None when it
    /// backtracks.
    pub(crate) fn linear(&self) -> Option<(&str, bool)> {
        match &self.engine {
            Engine::Linear(regex) => Some((regex.as_str(), self.unicode)),
            Engine::Backtracking(_) => None,
        }
    }

    /// It is found somewhere in `subject`.
    pub fn is_match(&self, subject: &[u8]) -> Result<bool, StepLimit<'_>> {
        let once = |text: &[u8]| match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(text).map_err(|_| StepLimit { pattern: &self.text }),
        };
        match self.subject {
            SubjectRule::AsIs => once(subject),
            SubjectRule::Lossy => once(&lossy(subject)),
            SubjectRule::LastNewline => match subject.strip_suffix(b"\n") {
                None => once(subject),
                Some(line) => Ok(once(subject)? || once(line)?),
            },
        }
    }

    /// The same, and a slot is written when the pattern names one.
    pub fn capture(&self, subject: &[u8], captures: &mut Captures) -> Result<bool, StepLimit<'_>> {
        let Some(slot) = self.slot else { return self.is_match(subject) };
        let Some(ranges) = self.ranges(subject)? else { return Ok(false) };
        captures.write(slot, subject, ranges, Arc::clone(&self.names));
        Ok(true)
    }

    /// The ranges of the groups in `subject`, the whole match first; None when nothing matches.
    pub fn ranges(&self, subject: &[u8]) -> Result<Option<Vec<Option<Range<usize>>>>, StepLimit<'_>> {
        match self.subject {
            SubjectRule::AsIs => self.ranges_once(subject),
            SubjectRule::Lossy => match lossy(subject) {
                Cow::Borrowed(text) => self.ranges_once(text),
                Cow::Owned(text) => Ok(self.ranges_once(&text)?.map(|ranges| original(subject, ranges))),
            },
            SubjectRule::LastNewline => match (self.ranges_once(subject)?, subject.strip_suffix(b"\n")) {
                (None, Some(line)) => self.ranges_once(line),
                (found, _) => Ok(found),
            },
        }
    }

    fn ranges_once(&self, text: &[u8]) -> Result<Option<Vec<Option<Range<usize>>>>, StepLimit<'_>> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex
                .captures(text)
                .map(|groups| groups.iter().map(|group| group.map(|found| found.range())).collect())),
            Engine::Backtracking(regex) => Ok(regex
                .captures(text)
                .map_err(|_| StepLimit { pattern: &self.text })?
                .map(|groups| groups.iter().map(|group| group.map(|found| found.start()..found.end())).collect())),
        }
    }
}

impl Engine {
    fn names(&self) -> GroupNames {
        match self {
            Self::Linear(regex) => regex.capture_names().map(|name| name.map(Box::from)).collect(),
            Self::Backtracking(regex) => regex.capture_names().map(|name| name.map(Box::from)).collect(),
        }
    }
}

fn linear(regex: &str, ignore_case: bool, unicode: bool) -> Result<regex::bytes::Regex, String> {
    regex::bytes::RegexBuilder::new(regex)
        .case_insensitive(ignore_case)
        .unicode(unicode)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| error.to_string())
}

fn pcre(regex: &str, ignore_case: bool) -> Result<(Engine, bool, SubjectRule), String> {
    let Rewritten { regex: simple, dollar, unicode, backtracks } = dialect::pcre(regex, dialect::Target::Linear)?;
    let tried = if backtracks { None } else { linear(&simple, ignore_case, unicode).ok() };
    if let Some(regex) = tried {
        let subject = if dollar { SubjectRule::LastNewline } else { SubjectRule::AsIs };
        return Ok((Engine::Linear(regex), unicode, subject));
    }
    let rewritten = dialect::pcre(regex, dialect::Target::Backtracking)?;
    let mode = if unicode { fancy_regex::BytesMode::UnicodeBytes } else { fancy_regex::BytesMode::Ascii };
    fancy_regex::RegexBuilder::new(&rewritten.regex)
        .case_insensitive(ignore_case)
        .bytes_mode(mode)
        .backtrack_limit(STEP_LIMIT)
        .delegate_size_limit(SIZE_LIMIT)
        .build()
        .map(|regex| (Engine::Backtracking(Box::new(regex)), unicode, SubjectRule::AsIs))
        .map_err(|error| error.to_string())
}

/// Each invalid byte becomes one U+FFFD.
fn lossy(subject: &[u8]) -> Cow<'_, [u8]> {
    if subject.is_ascii() || std::str::from_utf8(subject).is_ok() {
        return Cow::Borrowed(subject);
    }
    let mut out = Vec::with_capacity(subject.len() + 16);
    for chunk in subject.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    Cow::Owned(out)
}

/// Ranges of the lossy text, as ranges of the subject it was made from.
fn original(subject: &[u8], ranges: Vec<Option<Range<usize>>>) -> Vec<Option<Range<usize>>> {
    let mut places = Vec::with_capacity(subject.len() * 3 + 1);
    let mut at = 0;
    for chunk in subject.utf8_chunks() {
        places.extend(at..at + chunk.valid().len());
        at += chunk.valid().len();
        for _ in chunk.invalid() {
            places.extend([at; '\u{FFFD}'.len_utf8()]);
            at += 1;
        }
    }
    places.push(at);
    let place = |from: usize| places.get(from).copied().unwrap_or(at);
    ranges.into_iter().map(|range| range.map(|range| place(range.start)..place(range.end))).collect()
}

impl fmt::Display for CompiledPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", if self.ignore_case { "(?i)" } else { "" }, self.text)
    }
}

impl fmt::Debug for CompiledPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CompiledPattern({self})")
    }
}
