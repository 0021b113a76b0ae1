//! Location and Refresh of an endpoint's response, as the client can follow them (nginx's `proxy_redirect`): the first
//! rule that fits replaces its prefix, or with a pattern the whole.

use ::route::CompiledPattern;
use plan::route::LocationRewrite;

use super::Exchange;
use crate::control::error::CallError;
use crate::snapshot::links::Links;
use crate::template::Text;

/// A rule, ready.
pub struct LocationRun {
    from: Text,
    pattern: Option<CompiledPattern>,
    base: Text,
    to: Text,
}

impl LocationRun {
    /// Makes a rule ready.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(rule: &LocationRewrite, links: &Links<'_>) -> Result<Self, CallError> {
        Ok(Self {
            from: Text::build(&rule.from, links)?,
            pattern: rule.pattern.as_ref().map(|pattern| links.pattern(pattern)).transpose()?,
            base: Text::build(&rule.base, links)?,
            to: Text::build(&rule.to, links)?,
        })
    }
}

/// Rewrites both fields of the response.
pub fn rewrite(exchange: &mut Exchange<'_, '_>, rules: &[LocationRun]) {
    for name in [&b"Location"[..], b"Refresh"] {
        let Some(value) = exchange.response.get_all(name).next().map(<[u8]>::to_vec) else { continue };
        let refresh = name == b"Refresh";
        let from = if refresh {
            match value.windows(4).position(|part| part.eq_ignore_ascii_case(b"url=")) {
                Some(at) => at + 4,
                None => continue,
            }
        } else {
            0
        };
        let (before, location) = value.split_at(from);
        if let Some(new) = rewritten(exchange, rules, location, !refresh) {
            let new = [before, &new].concat();
            if wire::field::is_value(&new) {
                exchange.response.set(name, &new);
            }
        }
    }
}

/// What the first rule that fits makes of a location, with its base when it is to be `absolute`.
fn rewritten(
    exchange: &mut Exchange<'_, '_>,
    rules: &[LocationRun],
    location: &[u8],
    absolute: bool,
) -> Option<Vec<u8>> {
    let whole = |exchange: &Exchange<'_, '_>, rule: &LocationRun| {
        let scope = exchange.scope();
        let mut new = if absolute { rule.base.render(&scope) } else { Vec::new() };
        new.extend_from_slice(&rule.to.render(&scope));
        new
    };
    rules.iter().find_map(|rule| match &rule.pattern {
        // A pattern that gives up has not matched.
        Some(pattern) => {
            let found = pattern.capture(location, exchange.captures.get_mut()).unwrap_or(false);
            found.then(|| whole(exchange, rule))
        }
        None => {
            let rest = location.strip_prefix(rule.from.render(&exchange.scope()).as_slice())?;
            let mut new = whole(exchange, rule);
            new.extend_from_slice(rest);
            Some(new)
        }
    })
}
