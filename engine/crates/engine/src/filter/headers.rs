//! Sets, adds and removes fields. A value that would break a line is not written.

use plan::filter::{ExpiresFrom, HeaderOp};
use wire::field::{is_token, is_value, known, Known};

use super::expires;
use crate::control::error::CallError;
use crate::exchange::Exchange;
use crate::snapshot::links::Links;
use crate::template::Text;

/// One change of a field.
pub enum Change {
    Set(Vec<u8>, Text),
    Add(Vec<u8>, Text),
    Remove(Vec<u8>),
    Expires(Text, ExpiresFrom),
}

pub(super) fn build(ops: &[HeaderOp], links: &Links<'_>) -> Result<Vec<Change>, CallError> {
    let name = |name: &str| {
        if is_token(name.as_bytes()) {
            Ok(name.as_bytes().to_vec())
        } else {
            Err(CallError::new("bad_plan", &format!("`{name}` is no field name"), ""))
        }
    };
    ops.iter()
        .map(|op| {
            Ok(match op {
                HeaderOp::Set(of) => Change::Set(name(&of.name)?, Text::build(&of.value, links)?),
                HeaderOp::Add(of) => Change::Add(name(&of.name)?, Text::build(&of.value, links)?),
                HeaderOp::Remove(of) => Change::Remove(name(of)?),
                HeaderOp::Expires { after, from } => Change::Expires(Text::build(after, links)?, *from),
            })
        })
        .collect()
}

pub(super) fn on_request(exchange: &mut Exchange<'_, '_>, changes: &[Change]) {
    for change in changes {
        let Some((name, value, replace)) = evaluated(change, exchange) else { continue };
        if known(name) == Known::Host {
            // Host is written apart: the last word on it.
            if let Some(value) = value.filter(|v| !v.is_empty() && wire::request::valid_host(v)) {
                exchange.request.host_field = value;
            }
            continue;
        }
        if known(name) == Known::Connection {
            // Only ours is written; what it may say is that it ends.
            let close = |value: &Vec<u8>| wire::field::tokens(value).any(|token| token.eq_ignore_ascii_case(b"close"));
            exchange.request.ends_upstream = value.as_ref().is_some_and(close);
        }
        apply(&mut exchange.request.head, name, value, replace);
    }
}

pub(super) fn on_response(exchange: &mut Exchange<'_, '_>, changes: &[Change]) {
    for change in changes {
        if let Change::Expires(after, from) = change {
            let after = after.render(&exchange.scope());
            expires::apply(exchange.response, &after, *from);
        }
        let Some((name, value, replace)) = evaluated(change, exchange) else { continue };
        apply(exchange.response, name, value, replace);
    }
}

/// Name, value (none removes) and whether it replaces.
type Evaluated<'a> = (&'a [u8], Option<Vec<u8>>, bool);

/// Name, value (none removes) and whether it replaces; None for what is more than one field.
fn evaluated<'a>(change: &'a Change, exchange: &Exchange<'_, '_>) -> Option<Evaluated<'a>> {
    match change {
        Change::Set(name, value) => Some((name, Some(value.render(&exchange.scope())), true)),
        Change::Add(name, value) => Some((name, Some(value.render(&exchange.scope())), false)),
        Change::Remove(name) => Some((name, None, true)),
        Change::Expires(..) => None,
    }
}

fn apply(head: &mut wire::head::Head, name: &[u8], value: Option<Vec<u8>>, replace: bool) {
    if replace {
        head.remove(name);
    }
    // White space around a value is no part of it (RFC 9110 section 5.5): a template may end in a line break.
    let value = value.as_deref().map(<[u8]>::trim_ascii);
    if let Some(value) = value.filter(|v| !v.is_empty() && is_value(v)) {
        head.add(name, value);
    }
}
