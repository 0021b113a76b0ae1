//! An endpoint hands its response over (nginx's X-Accel-Redirect): what it names is looked up as a jump would, and some
//! of its fields go with the answer.
//!
//! Facts (nginx's source): the URI is decoded, one with a segment `..` is not found; `@name` is a named
//! location; for a URI the method becomes GET, HEAD stays; the body stays the request's; Content-Type stays that of the endpoint where the engine itself answers; Set-Cookie,
//! Content-Disposition, Cache-Control, Expires and Accept-Ranges go along.

use plan::fault::FaultKind;
use wire::head::Head;

use super::course::Course;
use super::record::Record;
use super::Exchange;
use crate::fault::Fault;

/// Fields that go with the answer.
const CARRIED: [&[u8]; 6] =
    [b"Content-Type", b"Set-Cookie", b"Content-Disposition", b"Cache-Control", b"Expires", b"Accept-Ranges"];

/// Where a response leads, if it hands over.
#[must_use]
pub fn target(response: &Head) -> Option<Vec<u8>> {
    response.get_all(b"x-accel-redirect").next().filter(|target| !target.is_empty()).map(<[u8]>::to_vec)
}

/// Keeps what goes with the answer.
pub fn carry(response: &Head, record: &mut Record) {
    for name in CARRIED {
        let lines = response.get_all(name).map(|value| (name, value.to_vec()));
        record.carried.extend(lines);
    }
}

/// Puts it into the head of the answer; `is_own`: the engine makes it.
pub fn put(response: &mut Head, record: &Record, is_own: bool) {
    // Its cookies stand before those of the answer.
    let cookies: Vec<_> = response.get_all(b"set-cookie").map(<[u8]>::to_vec).collect();
    response.remove(b"set-cookie");
    for (name, value) in &record.carried {
        match *name {
            b"Content-Type" if !is_own => {}
            b"Set-Cookie" => response.add(name, value),
            name => response.set(name, value),
        }
    }
    cookies.iter().for_each(|cookie| response.add(b"Set-Cookie", cookie));
}

impl<'p> Course<'p> {
    /// Goes where an endpoint has sent the exchange.
    ///
    /// # Errors
    /// It leads nowhere, or it is one search too many.
    pub fn hand_over(&mut self, exchange: &mut Exchange<'_, 'p>, target: &[u8]) -> Result<(), Fault> {
        if let Some(name) = target.strip_prefix(b"@") {
            return self.go_to_named(exchange, name);
        }
        let nowhere = || Fault::new(FaultKind::NotFound, "what X-Accel-Redirect names is no path");
        let mark = target.iter().position(|b| *b == b'?').unwrap_or(target.len());
        let policy = wire::target::Policy { resolve_dots: false, ..exchange.host.http.path };
        let mut path = Vec::with_capacity(target.len());
        wire::target::normalise_path(&target[..mark], &policy, &mut path).map_err(|_| nowhere())?;
        if target.first() != Some(&b'/') || path.split(|b| *b == b'/').any(|segment| segment == b"..") {
            return Err(nowhere());
        }
        exchange.request.become_get();
        self.search_for(exchange, path, target.get(mark + 1..).unwrap_or_default())
    }
}
