//! A request that the engine makes for itself while another waits, or beside it (nginx's sub-requests): a copy of that
//! request goes to the target of a jump, as an exchange of its own on the same thread and Snapshot.
//!
//! Facts (nginx's source): access and mirrors are not looked at again, and it is not logged.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::connection::Next;
use super::course::{Course, Decision};
use super::downstream::{Downstream, Side};
use super::inner::Inner;
use super::record::Record;
use super::route::{run, Place};
use crate::buffer::Scratch;
use crate::snapshot::route::JumpRun;

/// Its method and body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GET, whatever the method of the request is; no body.
    Get,
    /// The request's method, and its body, which was held.
    Copy,
    /// Its method only.
    Bare,
}

/// Makes one, and gives what it ran on: its response's head, and what it wrote.
pub async fn ask(
    downstream: &Downstream,
    scratch: &Scratch,
    place: Place<'_>,
    to: &JumpRun,
    kind: Kind,
) -> Box<Scratch> {
    let mut inner = begin(downstream, scratch, kind);
    let mut side = client(downstream);
    go(&mut side, &mut inner, place, to).await;
    inner
}

/// What it runs on.
pub fn begin(downstream: &Downstream, scratch: &Scratch, kind: Kind) -> Box<Scratch> {
    let worker = &downstream.worker;
    let mut inner = worker.scratches.borrow_for_stream();
    inner.request = scratch.request.for_subrequest();
    match kind {
        Kind::Get => inner.request.become_get(),
        Kind::Copy => inner.held.clone_from(&scratch.held),
        Kind::Bare => {}
    }
    inner.captures.get_mut().clone_from(&scratch.captures.borrow());
    inner.looked_up.clear();
    inner.response.clear();
    inner.record =
        Record::new(worker.clock.turn(), scratch.record.id, scratch.record.connection_requests, scratch.record.count);
    inner
}

/// Nobody, who comes from where the client comes from.
#[must_use]
pub fn client(downstream: &Downstream) -> Downstream {
    let worker = Rc::clone(&downstream.worker);
    Downstream {
        side: Side::Inner(Inner::default()),
        client: Rc::clone(&downstream.client),
        alarm: worker.clock.alarm(),
        worker,
        ended: false,
    }
}

/// Runs it.
pub async fn go(side: &mut Downstream, inner: &mut Scratch, place: Place<'_>, to: &JumpRun) {
    let mut course = Course::new(place.host);
    let place = Place { route: None, ..place };
    let mut exchange = place.exchange(side, inner);
    let decided = match course.jump(&mut exchange, to) {
        Ok(()) => course.decide(&mut exchange),
        Err(fault) => Decision::Answer(exchange.fault(fault)),
    };
    let place = Place { route: exchange.route, ..place };
    // One exchange within another: its size is not known before it is there.
    let running: Pin<Box<dyn Future<Output = Next> + '_>> = Box::pin(run(side, inner, place, course, decided, false));
    running.await;
}
