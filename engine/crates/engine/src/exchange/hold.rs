//! A request's body that is whole before it goes on (nginx's request buffering): so many bytes behind the head in the
//! out-buffer, the rest in a file without a name. An endpoint never waits for a slow client, gets the length even of
//! a chunked body, and the whole can be sent again to another.
//!
//! A body that came with its head costs nothing of this.

use std::io;
use std::rc::Rc;
use std::task::{ready, Context, Poll};

use plan::fault::FaultKind;
use wire::framing::Framing;

use super::downstream::{Downstream, Side};
use super::prepare;
use super::route::Place;
use super::upload::{Source, Stopped, Upload};
use crate::buffer::{Scratch, UPSTREAM_BUFFER};
use crate::fault::Fault;
use crate::io::Io;
use crate::spill::Unnamed;

/// What becomes of a collected body.
#[derive(Clone, Copy)]
pub struct Keep {
    /// Bytes the out-buffer holds at most.
    pub memory: usize,
    /// Nothing of it is kept: the body does not go upstream.
    pub discard: bool,
}

/// A whole body that several exchanges send.
pub struct Held {
    memory: Vec<u8>,
    file: Option<Rc<Unnamed>>,
    pub length: u64,
}

impl Held {
    /// Puts it behind the head of a request.
    pub fn put(&self, out: &mut Vec<u8>, upload: &mut Upload) {
        out.extend_from_slice(&self.memory);
        upload.rest = self.file.as_ref().map(|file| Rest::new(Rc::clone(file)));
        upload.body_bytes = self.length;
    }
}

/// The part of a whole body that memory did not take.
pub struct Rest {
    /// Copies of the request read it too.
    file: Rc<Unnamed>,
    /// Bytes that were sent.
    pub at: u64,
    /// A part of the file, and where in it `at` is.
    piece: Vec<u8>,
    taken: usize,
    filled: usize,
}

impl Rest {
    fn new(file: Rc<Unnamed>) -> Self {
        Self { file, at: 0, piece: Vec::new(), taken: 0, filled: 0 }
    }

    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.at == self.file.length
    }

    pub fn rewind(&mut self) {
        self.at = 0;
        self.taken = 0;
        self.filled = 0;
    }

    /// Sends it; ready when all of it was.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, upstream: &mut Io) -> Poll<Result<(), Stopped>> {
        while !self.is_sent() {
            if self.taken == self.filled {
                self.piece.resize(UPSTREAM_BUFFER, 0);
                self.taken = 0;
                self.filled = match self.file.read(self.at, &mut self.piece) {
                    Ok(n) if n > 0 => n,
                    Ok(_) => return Poll::Ready(Err(Stopped::Client(internal(&io::ErrorKind::UnexpectedEof.into())))),
                    Err(error) => return Poll::Ready(Err(Stopped::Client(internal(&error)))),
                };
            }
            match ready!(upstream.poll_write(cx, &self.piece[self.taken..self.filled], &[])) {
                Ok(n) if n > 0 => {
                    self.taken += n;
                    self.at += n as u64;
                }
                _ => return Poll::Ready(Err(Stopped::Upstream)),
            }
        }
        self.piece = Vec::new();
        self.taken = 0;
        self.filled = 0;
        Poll::Ready(Ok(()))
    }
}

impl Upload {
    /// Moves what is over the memory's share to the file, or drops it.
    fn spill(&mut self, out: &mut Vec<u8>, keep: Keep, directory: &std::path::Path) -> Result<(), Fault> {
        if out.len() <= keep.memory {
            return Ok(());
        }
        if !keep.discard {
            let rest = match &mut self.rest {
                Some(rest) => rest,
                none => none.insert(Rest::new(Rc::new(Unnamed::new(directory).map_err(|e| internal(&e))?))),
            };
            if let Some(file) = Rc::get_mut(&mut rest.file) {
                file.append(&out[keep.memory..]).map_err(|e| internal(&e))?;
            }
        }
        out.truncate(keep.memory);
        Ok(())
    }
}

/// Collects what is still to come of the body; what has come stands in `scratch.to_upstream`.
///
/// # Errors
/// The client's fault, or it left; or the disk's.
pub async fn collect(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    upload: &mut Upload,
    keep: Keep,
) -> Result<(), Fault> {
    let worker = Rc::clone(&downstream.worker);
    let clock = &worker.clock;
    if std::mem::take(&mut scratch.request.expects_continue) && upload.body_bytes == 0 {
        downstream.go_on(&mut scratch.to_client)?;
    }
    std::future::poll_fn(|cx| {
        let Scratch { client: buffer, to_upstream: out, to_client, trailers, .. } = &mut *scratch;
        downstream.flush(cx, to_client)?;
        loop {
            upload.spill(out, keep, &worker.shared.temporary)?;
            if upload.body_done() {
                if let Side::Http2(stream) = &mut downstream.side {
                    stream.release();
                }
                return Poll::Ready(Ok(()));
            }
            let mut source = Source { side: &mut downstream.side, buffer, trailers };
            match upload.poll_client(cx, clock, &mut source, out, false) {
                Poll::Ready(result) => result?,
                Poll::Pending => break,
            }
        }
        if let Poll::Ready(fault) = downstream.poll_gone(cx, buffer, false) {
            return Poll::Ready(Err(fault));
        }
        let life = place.listener.life.end(clock);
        if downstream.alarm.poll(cx, upload.deadline().min(life)) {
            let fault = if upload.is_client_late(clock.now()) {
                Fault::new(FaultKind::BodyTimeout, "the request body did not come in time")
            } else {
                Fault::new(FaultKind::ResponseTimeout, "its configuration was replaced too long ago")
            };
            return Poll::Ready(Err(fault));
        }
        Poll::Pending
    })
    .await
}

/// Collects the body for several exchanges, so many bytes of it in memory: it stands in `scratch.held` then.
///
/// # Errors
/// As [`collect`].
pub async fn hold(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    memory: usize,
) -> Result<(), Fault> {
    if matches!(scratch.request.framing, Framing::None | Framing::Length(0) | Framing::UntilClose) {
        return Ok(());
    }
    let mut upload = prepare::upload(downstream, scratch, place, (0, false));
    upload.bare = true;
    scratch.to_upstream.clear();
    scratch.trailers.clear();
    prepare::take_what_came(downstream, scratch, &mut upload)?;
    if !upload.body_done() {
        collect(downstream, scratch, place, &mut upload, Keep { memory, discard: false }).await?;
    }
    scratch.request.head.remove(b"expect");
    scratch.request.framing = Framing::None;
    let file = upload.rest.take().map(|rest| rest.file);
    let memory = std::mem::take(&mut scratch.to_upstream);
    scratch.held = Some(Rc::new(Held { memory, file, length: upload.body_bytes }));
    Ok(())
}

/// What was kept cannot be kept or read.
fn internal(error: &io::Error) -> Fault {
    Fault::new(FaultKind::Internal, error.to_string())
}
