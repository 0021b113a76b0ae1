//! The path before it goes upstream: a prefix added or cut, or the whole replaced (Traefik's addPrefix,
//! stripPrefix, replacePath).

use plan::fault::FaultKind;

use crate::exchange::Exchange;
use crate::fault::Fault;

pub(super) fn add_prefix(exchange: &mut Exchange<'_, '_>, prefix: &[u8]) {
    let mut path = Vec::with_capacity(prefix.len() + exchange.request.path.len() + 1);
    path.extend_from_slice(prefix);
    path.extend_from_slice(&exchange.request.path);
    exchange.request.set_path(rooted(path));
}

/// Cuts the first prefix that fits and says which in X-Forwarded-Prefix. What is left must mean the same after
/// normalisation, or the backend would see a path no rule has seen.
pub(super) fn strip_prefix(exchange: &mut Exchange<'_, '_>, prefixes: &[Vec<u8>]) -> Result<(), Fault> {
    let Some((prefix, rest)) =
        prefixes.iter().find_map(|p| Some((p, exchange.request.path.strip_prefix(p.as_slice())?)))
    else {
        return Ok(());
    };
    let path = rooted(rest.to_vec());
    let mut normal = Vec::new();
    let changes = wire::target::normalise_path(&path, &exchange.host.http.path, &mut normal).is_err() || normal != path;
    if changes {
        return Err(Fault::new(FaultKind::BadRequest, "the path changes its meaning when its prefix is cut"));
    }
    exchange.request.head.add(b"X-Forwarded-Prefix", prefix);
    exchange.request.set_path(path);
    Ok(())
}

/// Replaces the path and says in X-Replaced-Path what it was.
pub(super) fn replace(exchange: &mut Exchange<'_, '_>, new: &[u8]) {
    let old = std::mem::take(&mut exchange.request.path);
    if wire::field::is_value(&old) {
        exchange.request.head.add(b"X-Replaced-Path", &old);
    }
    exchange.request.set_path(rooted(new.to_vec()));
}

fn rooted(mut path: Vec<u8>) -> Vec<u8> {
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    path
}
