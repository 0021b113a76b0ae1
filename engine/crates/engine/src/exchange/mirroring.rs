//! Sends copies of a request elsewhere, beside the exchange that answers it: nobody waits for them.

use std::rc::Rc;
use std::sync::Arc;

use super::downstream::Downstream;
use super::hold;
use super::route::Place;
use super::subrequest::{self, Kind};
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::filter::FilterRun;

/// What of a body is held in memory for its copies.
const MEMORY: usize = 16 * 1024;

/// Sends one.
///
/// # Errors
/// The body cannot be had whole.
pub async fn mirror(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    filter: &Arc<FilterRun>,
) -> Result<(), Fault> {
    let FilterRun::Mirror(run) = &**filter else { return Ok(()) };
    if run.body {
        hold::hold(downstream, scratch, place, MEMORY).await?;
    }
    let kind = if run.body { Kind::Copy } else { Kind::Bare };
    let mut inner = subrequest::begin(downstream, scratch, kind);
    let mut side = subrequest::client(downstream);
    // The copy may outlive the exchange, and the Plan.
    let (listener, filter) = (Arc::clone(place.listener), Arc::clone(filter));
    let host = listener.hosts.iter().position(|host| std::ptr::eq(&**host, place.host));
    let worker = Rc::clone(&downstream.worker);
    tokio::task::spawn_local(async move {
        let FilterRun::Mirror(run) = &*filter else { return };
        if let Some(host) = host.and_then(|at| listener.hosts.get(at)) {
            let place = Place { listener: &listener, host, route: None };
            subrequest::go(&mut side, &mut inner, place, &run.to).await;
        }
        worker.scratches.give_back(inner);
    });
    Ok(())
}
