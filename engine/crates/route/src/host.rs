//! The virtual host behind a listener.
//!
//! Facts (nginx, server names): exact and wildcard names, then the first regex, then the default.
//! Decisions: of two hosts with one name the first keeps it, as nginx does with a warning.

use plan::listener::{Hosts, NamePattern};

use crate::captures::Captures;
use crate::error::{Problem, RouteError, StepLimit};
use crate::names::Names;
use crate::pattern::CompiledPattern;
use crate::table::RouteIds;

/// A listener's names, indexed.
#[derive(Debug)]
pub struct HostIndex {
    hosts: Vec<String>,
    default: u32,
    names: Names,
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
            names: Names::default(),
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
            NamePattern::Exact(name) => self.names.add_exact(name, host),
            NamePattern::Suffix(name) if name.starts_with('.') => self.names.add_suffix(name, host),
            NamePattern::Prefix(name) if name.ends_with('.') => self.names.add_prefix(name, host),
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
        if let Some(host) = self.names.find(name.as_bytes()) {
            return Ok(host);
        }
        for (pattern, host) in &self.regexes {
            if pattern.capture(name.as_bytes(), captures)? {
                return Ok(*host);
            }
        }
        Ok(self.default)
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
