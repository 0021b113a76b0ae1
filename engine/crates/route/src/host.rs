//! The virtual host behind a listener.
//!
//! Facts (nginx, server names): exact, then the longest leading wildcard (`*.example.org`, any number of
//! labels), then the longest trailing one (`www.*`), then the first regex, then the default.
//! Decisions: of two hosts with one name the first keeps it, as nginx does with a warning.

use plan::listener::{Hosts, NamePattern};
use rustc_hash::FxHashMap;

use crate::captures::Captures;
use crate::error::{Problem, RouteError, StepLimit};
use crate::pattern::CompiledPattern;
use crate::table::RouteIds;

/// A listener's names, indexed.
#[derive(Debug)]
pub struct HostIndex {
    hosts: Vec<String>,
    default: u32,
    exact: FxHashMap<Box<str>, u32>,
    /// With the leading dot.
    suffixes: FxHashMap<Box<str>, u32>,
    /// With the trailing dot.
    prefixes: FxHashMap<Box<str>, u32>,
    regexes: Vec<(CompiledPattern, u32)>,
}

impl HostIndex {
    /// Indexes the names, or says everything that is wrong in them, by host.
    pub fn build(hosts: &Hosts) -> Result<Self, Vec<RouteError>> {
        let mut ids = RouteIds::default();
        let mut errors = Vec::new();
        let mut index = Self {
            default: ids.number(&hosts.default),
            hosts: Vec::new(),
            exact: FxHashMap::default(),
            suffixes: FxHashMap::default(),
            prefixes: FxHashMap::default(),
            regexes: Vec::new(),
        };
        for entry in &hosts.names {
            let host = ids.number(&entry.host);
            if let Err(problem) = index.add(&entry.name, host) {
                errors.push(RouteError::of(&entry.host, problem));
            }
        }
        index.hosts = ids.into_ids();
        if errors.is_empty() {
            Ok(index)
        } else {
            Err(errors)
        }
    }

    fn add(&mut self, name: &NamePattern, host: u32) -> Result<(), Problem> {
        match name {
            NamePattern::Exact(name) => {
                self.exact.entry(name.as_str().into()).or_insert(host);
            }
            NamePattern::Suffix(name) if name.starts_with('.') => {
                self.suffixes.entry(name.as_str().into()).or_insert(host);
            }
            NamePattern::Prefix(name) if name.ends_with('.') => {
                self.prefixes.entry(name.as_str().into()).or_insert(host);
            }
            NamePattern::Suffix(name) | NamePattern::Prefix(name) => {
                return Err(Problem::Wildcard { name: name.clone() });
            }
            NamePattern::Regex(pattern) => self.regexes.push((CompiledPattern::new(pattern)?, host)),
        }
        Ok(())
    }

    /// The host for a name (lower-case, no port, no trailing dot, empty when there is none), as a place in
    /// [`HostIndex::hosts`]. A regex that wins writes its slot.
    #[inline]
    pub fn find(&self, name: &str, captures: &mut Captures) -> Result<u32, StepLimit<'_>> {
        if !self.exact.is_empty() {
            if let Some(host) = self.exact.get(name) {
                return Ok(*host);
            }
        }
        if let Some(host) = self.wildcard(name) {
            return Ok(host);
        }
        for (pattern, host) in &self.regexes {
            if pattern.capture(name.as_bytes(), captures)? {
                return Ok(*host);
            }
        }
        Ok(self.default)
    }

    fn wildcard(&self, name: &str) -> Option<u32> {
        // A label stands on either side of a dot that counts.
        let dots = || name.bytes().enumerate().filter(|(at, byte)| *byte == b'.' && *at > 0 && at + 1 < name.len());
        if !self.suffixes.is_empty() {
            let longest = dots().find_map(|(at, _)| self.suffixes.get(&name[at..]));
            if longest.is_some() {
                return longest.copied();
            }
        }
        if self.prefixes.is_empty() {
            return None;
        }
        dots().filter_map(|(at, _)| self.prefixes.get(&name[..=at])).next_back().copied()
    }

    /// The ids of the hosts, each once, the default first.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plan::listener::HostName;
    use plan::matching::{Dialect, Pattern};

    fn regex(regex: &str, slot: Option<u16>) -> NamePattern {
        NamePattern::Regex(Pattern { regex: regex.into(), dialect: Dialect::Pcre, ignore_case: true, slot })
    }

    fn index(names: &[(NamePattern, &str)]) -> Result<HostIndex, Vec<RouteError>> {
        let names = names.iter().map(|(name, host)| HostName { name: name.clone(), host: (*host).into() }).collect();
        HostIndex::build(&Hosts { names, default: "default".into() })
    }

    #[test]
    fn follows_nginx_order() {
        let index = index(&[
            (regex(r"^www\.(?<site>.+)\.net$", Some(0)), "regex"),
            (regex("net", None), "second-regex"),
            (NamePattern::Prefix("www.".into()), "www.*"),
            (NamePattern::Prefix("www.example.".into()), "www.example.*"),
            (NamePattern::Suffix(".example.org".into()), "*.example.org"),
            (NamePattern::Suffix(".deep.example.org".into()), "*.deep.example.org"),
            (NamePattern::Exact("example.org".into()), "exact"),
            (NamePattern::Exact("example.org".into()), "twice"),
            (NamePattern::Exact(String::new()), "none"),
        ])
        .unwrap();
        for (name, host) in [
            ("example.org", "exact"),
            ("", "none"),
            ("a.example.org", "*.example.org"),
            ("a.b.example.org", "*.example.org"),
            (".example.org", "default"),
            ("a.deep.example.org", "*.deep.example.org"),
            ("deep.example.org", "*.example.org"),
            ("www.example.org", "*.example.org"),
            ("www.example.com", "www.example.*"),
            ("www.site.com", "www.*"),
            ("www.", "default"),
            ("x.net", "second-regex"),
            ("badexample.org", "default"),
        ] {
            let found = index.find(name, &mut Captures::new()).unwrap();
            assert_eq!(index.hosts()[found as usize], host, "{name}");
        }
    }

    #[test]
    fn a_regex_writes_its_slot() {
        let index = index(&[(regex(r"^(?<user>\w+)\.site$", Some(2)), "user")]).unwrap();
        let mut captures = Captures::new();
        assert_eq!(index.find("ann.site", &mut captures).unwrap(), 1);
        assert_eq!(captures.named(2, "user"), Some(&b"ann"[..]));
    }

    #[test]
    fn every_error_is_reported() {
        let wrong =
            [(regex("(", None), "a"), (NamePattern::Suffix("org".into()), "b"), (NamePattern::Prefix("x".into()), "c")];
        let errors = index(&wrong).unwrap_err();
        assert_eq!(errors.iter().map(|error| error.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
