//! An upgraded connection (RFC 9110 section 7.8): bytes both ways until both sides have ended. Idle, it holds
//! no buffer and no Snapshot; when its route is removed it may live on for the Plan's drain time.

use std::io;
use std::task::{Context, Poll};

use crate::balance::InFlight;
use crate::buffer::{Buffer, Scratch};
use crate::clock::{Moment, NEVER};
use crate::io::Io;
use crate::upstream::pool::Upstream;

use super::connection::Connection;

/// Where the tunnel came from, to see whether that is still there.
pub struct Place {
    pub listener: u64,
    pub route: String,
}

/// One direction: what was read from one side and not yet written to the other.
struct Flow {
    ended: bool,
    shut: bool,
}

/// Runs until both sides have ended, one has failed, or its time is over.
pub async fn run(
    connection: &mut Connection,
    scratch: &mut Scratch,
    mut upstream: Upstream,
    in_flight: InFlight,
    place: &Place,
    idle_ms: u64,
) {
    let worker = std::rc::Rc::clone(&connection.worker);
    let mut up = Flow { ended: connection.ended, shut: false };
    let mut down = Flow { ended: false, shut: false };
    let mut version = worker.shared.version();
    let mut removed: Moment = NEVER;
    let mut idle = worker.clock.after(idle_ms);
    let mut borrowed = None;
    // What came with the heads goes first, from the buffers it is in.
    let first = std::future::poll_fn(|cx| {
        let client = &mut connection.io;
        let both = [
            flow(cx, &mut up, &mut scratch.client, client, &mut upstream.io),
            flow(cx, &mut down, &mut scratch.upstream, &mut upstream.io, client),
        ];
        let empty = scratch.client.is_empty() && scratch.upstream.is_empty();
        match both {
            [Err(_), _] | [_, Err(_)] => Poll::Ready(false),
            _ if up.shut && down.shut => Poll::Ready(false),
            _ if empty => Poll::Ready(true),
            _ if connection.alarm.poll(cx, idle) => Poll::Ready(false),
            _ => Poll::Pending,
        }
    })
    .await;
    if !first {
        return;
    }
    std::future::poll_fn(|cx| {
        loop {
            let readable = (!up.ended && connection.io.poll_readable(cx).is_ready())
                | (!down.ended && upstream.io.poll_readable(cx).is_ready());
            let half_shut = up.ended != up.shut || down.ended != down.shut;
            if !readable && borrowed.is_none() && !half_shut {
                break;
            }
            let scratch = borrowed.get_or_insert_with(|| worker.scratches.borrow());
            let client = &mut connection.io;
            let up_moved = flow(cx, &mut up, &mut scratch.client, client, &mut upstream.io);
            let down_moved = flow(cx, &mut down, &mut scratch.upstream, &mut upstream.io, client);
            let (Ok(a), Ok(b)) = (up_moved, down_moved) else { return Poll::Ready(()) };
            if up.shut && down.shut {
                return Poll::Ready(());
            }
            if a || b {
                idle = worker.clock.after(idle_ms);
            }
            if scratch.client.is_empty() && scratch.upstream.is_empty() {
                if let Some(scratch) = borrowed.take() {
                    worker.scratches.give_back(scratch);
                }
            }
            if !(a || b) {
                break;
            }
        }
        if worker.shared.version() != version {
            version = worker.shared.version();
            let snapshot = worker.shared.snapshot();
            let there = snapshot.listeners.contains_key(&place.listener) && snapshot.routes.contains(&place.route);
            let gone = !there || in_flight.removed.load(std::sync::atomic::Ordering::Relaxed);
            removed = if gone { removed.min(worker.clock.after(snapshot.removed_route_ms.max(1))) } else { NEVER };
        }
        if connection.alarm.poll(cx, idle.min(removed)) {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

/// Moves bytes one way until a side would block; true when any moved.
fn flow(cx: &mut Context<'_>, flow: &mut Flow, buffer: &mut Buffer, from: &mut Io, to: &mut Io) -> io::Result<bool> {
    let mut moved = false;
    loop {
        while !buffer.is_empty() {
            match to.poll_write(cx, buffer.filled(), &[]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    buffer.consume(n);
                    moved = true;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(moved),
            }
        }
        if flow.ended {
            if !flow.shut {
                match to.poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => flow.shut = true,
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => {}
                }
            }
            return Ok(moved);
        }
        match from.poll_read(cx, buffer) {
            Poll::Ready(Ok(0)) => flow.ended = true,
            Poll::Ready(Ok(_)) => moved = true,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(moved),
        }
    }
}
