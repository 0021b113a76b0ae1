//! A rule's condition, compiled: strings, patterns and networks are read once, then it only runs.
//!
//! Decisions: the cheap parts of `All` and `Any` stand first (the answer is the same in any order), unless a
//! pattern writes a slot or may give up. Only what took part in the winning rule writes slots, in the order
//! written; nothing below a `Not` does.

use std::fmt;

use plan::matching::{Dialect, Match, Pattern};

use crate::captures::Captures;
use crate::cidr::Cidrs;
use crate::error::{Problem, StepLimit};
use crate::pattern::CompiledPattern;
use crate::query;
use crate::subject::Subject;

/// A condition on a request.
#[derive(Debug, Clone)]
pub struct Compiled {
    node: Node,
    captures: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Always,
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Host(Box<str>),
    HostOneLabel(Box<str>),
    HostRegex(Box<CompiledPattern>),
    Path(Box<str>),
    PathPrefix(Box<str>),
    PathRegex(Box<CompiledPattern>),
    Header(Box<(String, String)>),
    HeaderRegex(Box<(String, CompiledPattern)>),
    Method(Box<str>),
    Query(Box<(String, String)>),
    QueryRegex(Box<(String, CompiledPattern)>),
    ClientIp(Box<(Cidrs, Vec<String>)>),
    Tls(bool),
}

impl Compiled {
    /// Compiles it, or says everything that is wrong in it.
    pub fn new(matches: &Match) -> Result<Self, Vec<Problem>> {
        let mut compiler = Compiler { problems: Vec::new(), in_order: in_order(matches), captures: false };
        let node = compiler.node(matches, false);
        if compiler.problems.is_empty() {
            Ok(Self { node, captures: compiler.captures })
        } else {
            Err(compiler.problems)
        }
    }

    /// The request is what the condition asks for.
    pub fn matches<S: Subject>(&self, subject: &S) -> Result<bool, StepLimit<'_>> {
        self.node.matches(subject)
    }

    /// The same, and slots are written when it matches.
    pub fn capture<S: Subject>(&self, subject: &S, captures: &mut Captures) -> Result<bool, StepLimit<'_>> {
        Ok(self.node.matches(subject)? && (!self.captures || self.node.capture(subject, captures)?))
    }

    pub(crate) const fn node(&self) -> &Node {
        &self.node
    }
}

impl Node {
    #[inline]
    pub(crate) fn matches<S: Subject>(&self, subject: &S) -> Result<bool, StepLimit<'_>> {
        Ok(match self {
            Self::Always => true,
            Self::All(parts) => {
                for part in parts {
                    if !part.matches(subject)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.matches(subject)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(part) => !part.matches(subject)?,
            Self::Host(host) => subject.host() == &**host,
            Self::HostOneLabel(suffix) => one_label(subject.host(), suffix),
            Self::HostRegex(pattern) => pattern.is_match(subject.host().as_bytes())?,
            Self::Path(path) => subject.path() == path.as_bytes(),
            Self::PathPrefix(prefix) => subject.path().starts_with(prefix.as_bytes()),
            Self::PathRegex(pattern) => pattern.is_match(subject.path())?,
            Self::Header(of) => subject.header(&of.0, &mut |value| value == of.1.as_bytes()),
            Self::HeaderRegex(of) => search(|each| subject.header(&of.0, each), |value| of.1.is_match(value))?,
            Self::Method(method) => subject.method() == method.as_bytes(),
            Self::Query(of) => query::has(subject.query(), &of.0, &of.1),
            Self::QueryRegex(of) => {
                search(|each| query::any_value(subject.query(), &of.0, each), |value| of.1.is_match(value))?
            }
            Self::ClientIp(of) => of.0.contains(subject.client_ip()),
            Self::Tls(tls) => subject.tls() == *tls,
        })
    }

    /// `matches`, writing slots on the way.
    fn capture<S: Subject>(&self, subject: &S, captures: &mut Captures) -> Result<bool, StepLimit<'_>> {
        match self {
            Self::All(parts) => {
                for part in parts {
                    if !part.capture(subject, captures)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    // A branch that fails half-way must not leave its slots behind.
                    if part.matches(subject)? {
                        return part.capture(subject, captures);
                    }
                }
                Ok(false)
            }
            Self::HostRegex(pattern) => pattern.capture(subject.host().as_bytes(), captures),
            Self::PathRegex(pattern) => pattern.capture(subject.path(), captures),
            Self::HeaderRegex(of) => search(|each| subject.header(&of.0, each), |value| of.1.capture(value, captures)),
            Self::QueryRegex(of) => {
                search(|each| query::any_value(subject.query(), &of.0, each), |value| of.1.capture(value, captures))
            }
            other => other.matches(subject),
        }
    }

    /// What it costs to ask, roughly; only the order counts.
    fn cost(&self) -> u32 {
        match self {
            Self::Always | Self::Tls(_) => 0,
            Self::Method(_) | Self::Host(_) | Self::Path(_) | Self::PathPrefix(_) => 1,
            Self::HostOneLabel(_) | Self::ClientIp(_) => 2,
            Self::Header(_) | Self::Query(_) => 5,
            Self::HostRegex(_) | Self::PathRegex(_) | Self::HeaderRegex(_) | Self::QueryRegex(_) => 20,
            Self::Not(part) => part.cost(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).sum::<u32>().max(1),
        }
    }
}

/// Exactly one label before the suffix.
pub(crate) fn one_label(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

/// Any value a pattern matches; a pattern that gives up ends the search.
fn search<'a>(
    values: impl FnOnce(&mut dyn FnMut(&[u8]) -> bool) -> bool,
    mut is_match: impl FnMut(&[u8]) -> Result<bool, StepLimit<'a>>,
) -> Result<bool, StepLimit<'a>> {
    let mut gave_up = None;
    let found = values(&mut |value| match is_match(value) {
        Ok(found) => found,
        Err(limit) => {
            gave_up = Some(limit);
            true
        }
    });
    gave_up.map_or(Ok(found), Err)
}

/// The order of the parts can be seen: slots are written, or a backtracking pattern may give up.
fn in_order(matches: &Match) -> bool {
    let seen = |pattern: &Pattern| pattern.slot.is_some() || pattern.dialect == Dialect::Pcre;
    match matches {
        Match::All(parts) | Match::Any(parts) => parts.iter().any(in_order),
        Match::Not(part) => in_order(part),
        Match::HostRegex(pattern) | Match::PathRegex(pattern) => seen(pattern),
        Match::HeaderRegex { pattern, .. } | Match::QueryRegex { pattern, .. } => seen(pattern),
        _ => false,
    }
}

struct Compiler {
    problems: Vec<Problem>,
    in_order: bool,
    captures: bool,
}

impl Compiler {
    fn node(&mut self, matches: &Match, negated: bool) -> Node {
        match matches {
            Match::Always => Node::Always,
            Match::All(parts) => Node::All(self.parts(parts, negated)),
            Match::Any(parts) => Node::Any(self.parts(parts, negated)),
            Match::Not(part) => Node::Not(Box::new(self.node(part, true))),
            Match::Host(host) => Node::Host(host.as_str().into()),
            Match::HostOneLabel(suffix) => Node::HostOneLabel(suffix.as_str().into()),
            Match::HostRegex(pattern) => self.pattern(pattern, negated, |it| Node::HostRegex(Box::new(it))),
            Match::Path(path) => Node::Path(path.as_str().into()),
            Match::PathPrefix(prefix) => Node::PathPrefix(prefix.as_str().into()),
            Match::PathRegex(pattern) => self.pattern(pattern, negated, |it| Node::PathRegex(Box::new(it))),
            Match::Header { name, value } => Node::Header(Box::new((name.clone(), value.clone()))),
            Match::HeaderRegex { name, pattern } => {
                self.pattern(pattern, negated, |it| Node::HeaderRegex(Box::new((name.clone(), it))))
            }
            Match::Method(method) => Node::Method(method.as_str().into()),
            Match::Query { key, value } => Node::Query(Box::new((key.clone(), value.clone()))),
            Match::QueryRegex { key, pattern } => {
                self.pattern(pattern, negated, |it| Node::QueryRegex(Box::new((key.clone(), it))))
            }
            Match::ClientIp(networks) => match Cidrs::parse(networks) {
                Ok(cidrs) => Node::ClientIp(Box::new((cidrs, networks.clone()))),
                Err(problem) => self.wrong(problem),
            },
            Match::Tls(tls) => Node::Tls(*tls),
        }
    }

    fn parts(&mut self, parts: &[Match], negated: bool) -> Box<[Node]> {
        let mut nodes: Vec<Node> = parts.iter().map(|part| self.node(part, negated)).collect();
        if !self.in_order {
            nodes.sort_by_key(Node::cost);
        }
        nodes.into()
    }

    fn pattern(&mut self, pattern: &Pattern, negated: bool, make: impl FnOnce(CompiledPattern) -> Node) -> Node {
        match CompiledPattern::new(pattern) {
            Ok(compiled) if negated => make(compiled.without_slot()),
            Ok(compiled) => {
                self.captures |= compiled.slot().is_some();
                make(compiled)
            }
            Err(problem) => self.wrong(problem),
        }
    }

    fn wrong(&mut self, problem: Problem) -> Node {
        self.problems.push(problem);
        Node::Always
    }
}

/// As a Traefik rule would be written.
impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |out: &mut fmt::Formatter<'_>, parts: &[Self], sign: &str| {
            for (at, part) in parts.iter().enumerate() {
                let group = matches!(part, Self::All(_) | Self::Any(_));
                write!(out, "{}", if at == 0 { "" } else { sign })?;
                if group {
                    write!(out, "({part})")?
                } else {
                    write!(out, "{part}")?
                }
            }
            Ok(())
        };
        match self {
            Self::Always => write!(out, "Always"),
            Self::All(parts) => list(out, parts, " && "),
            Self::Any(parts) => list(out, parts, " || "),
            Self::Not(part) if matches!(**part, Self::All(_) | Self::Any(_)) => write!(out, "!({part})"),
            Self::Not(part) => write!(out, "!{part}"),
            Self::Host(host) => write!(out, "Host(`{host}`)"),
            Self::HostOneLabel(suffix) => write!(out, "Host(`*{suffix}`)"),
            Self::HostRegex(pattern) => write!(out, "HostRegexp(`{pattern}`)"),
            Self::Path(path) => write!(out, "Path(`{path}`)"),
            Self::PathPrefix(prefix) => write!(out, "PathPrefix(`{prefix}`)"),
            Self::PathRegex(pattern) => write!(out, "PathRegexp(`{pattern}`)"),
            Self::Header(of) => write!(out, "Header(`{}`, `{}`)", of.0, of.1),
            Self::HeaderRegex(of) => write!(out, "HeaderRegexp(`{}`, `{}`)", of.0, of.1),
            Self::Method(method) => write!(out, "Method(`{method}`)"),
            Self::Query(of) => write!(out, "Query(`{}`, `{}`)", of.0, of.1),
            Self::QueryRegex(of) => write!(out, "QueryRegexp(`{}`, `{}`)", of.0, of.1),
            Self::ClientIp(of) => write!(out, "ClientIP(`{}`)", of.1.join("`, `")),
            Self::Tls(true) => write!(out, "Tls"),
            Self::Tls(false) => write!(out, "!Tls"),
        }
    }
}

impl fmt::Display for Compiled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(out)
    }
}
