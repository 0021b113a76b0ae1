//! An upgraded connection (RFC 9110 section 7.8): bytes both ways until both sides have ended. Idle, it holds
//! no buffer and no Snapshot; when its route is removed it may live on for the Plan's drain time.

use std::io;
use std::task::{Context, Poll};

use crate::balance::InFlight;
use crate::buffer::{Buffer, Scratch, ScratchPool};
use crate::clock::Moment;
use crate::io::Io;
use crate::upstream::pool::Upstream;

use super::downstream::Downstream;
use super::removal::Removal;

/// A connection whose endpoint has switched protocols.
pub struct Tunnel {
    pub upstream: Upstream,
    pub in_flight: InFlight,
    pub removal: Removal,
    pub idle_ms: u64,
}

/// One direction.
struct Flow {
    /// Its source has ended.
    ended: bool,
    /// And its target was told.
    shut: bool,
    /// What was written has not all gone to the kernel.
    unflushed: bool,
}

/// What a turn has done.
enum Turn {
    Over,
    Moved,
    Still,
}

impl Tunnel {
    /// Runs until both sides have ended, one has failed, or its time is over. `scratch` holds what came with the
    /// heads; it goes back to its thread as soon as it is empty.
    pub async fn run(self, downstream: &mut Downstream, scratch: Box<Scratch>) {
        let Self { mut upstream, in_flight, mut removal, idle_ms } = self;
        let Downstream { side, alarm, worker, ended, .. } = downstream;
        // Only HTTP/1 is upgraded.
        let Some(client) = side.http1() else { return };
        let mut up = Flow { ended: *ended, shut: false, unflushed: false };
        let mut down = Flow { ended: false, shut: false, unflushed: false };
        let mut idle: Moment = worker.clock.after(idle_ms);
        let mut borrowed = Some(scratch);
        std::future::poll_fn(|cx| {
            loop {
                let readable = (!up.ended && client.poll_readable(cx).is_ready())
                    | (!down.ended && upstream.io.poll_readable(cx).is_ready());
                let half_done = [&up, &down].iter().any(|flow| flow.ended != flow.shut || flow.unflushed);
                if !readable && borrowed.is_none() && !half_done {
                    break;
                }
                let scratch = borrowed.get_or_insert_with(|| worker.scratches.borrow());
                let turn = turn(cx, [&mut up, &mut down], scratch, client, &mut upstream.io, &worker.scratches);
                if scratch.client.is_empty() && scratch.upstream.is_empty() {
                    if let Some(scratch) = borrowed.take() {
                        worker.scratches.give_back(scratch);
                    }
                }
                match turn {
                    Turn::Over => return Poll::Ready(()),
                    Turn::Moved => idle = worker.clock.after(idle_ms),
                    Turn::Still => break,
                }
            }
            upstream.look_after(&in_flight, false);
            let removed = removal.deadline(worker, &in_flight);
            if alarm.poll(cx, idle.min(removed)) {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }
}

/// Moves what can be moved, both ways.
fn turn(
    cx: &mut Context<'_>,
    [up, down]: [&mut Flow; 2],
    scratch: &mut Scratch,
    client: &mut Io,
    upstream: &mut Io,
    pool: &ScratchPool,
) -> Turn {
    let up_moved = flow(cx, up, &mut scratch.client, [client, upstream], pool);
    let down_moved = flow(cx, down, &mut scratch.upstream, [upstream, client], pool);
    match (up_moved, down_moved) {
        (Ok(_), Ok(_)) if up.shut && down.shut => Turn::Over,
        (Ok(false), Ok(false)) => Turn::Still,
        (Ok(_), Ok(_)) => Turn::Moved,
        _ => Turn::Over,
    }
}

/// Moves bytes one way until a side would block; true when any moved.
fn flow(
    cx: &mut Context<'_>,
    flow: &mut Flow,
    buffer: &mut Buffer,
    [from, to]: [&mut Io; 2],
    pool: &ScratchPool,
) -> io::Result<bool> {
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
        match to.poll_flush(cx)? {
            Poll::Ready(()) => flow.unflushed = false,
            Poll::Pending => {
                flow.unflushed = true;
                return Ok(moved);
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
        match buffer.poll_from(cx, from, pool) {
            Poll::Ready(Ok(0)) => flow.ended = true,
            Poll::Ready(Ok(_)) => moved = true,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(moved),
        }
    }
}
