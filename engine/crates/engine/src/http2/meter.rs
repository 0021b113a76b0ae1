//! What a connection may ask of the engine beside its requests: every frame that brings nothing costs, what is done for
//! the client pays. A flood of them runs out of credit, whatever its frames are called: PING, SETTINGS, PRIORITY,
//! WINDOW_UPDATE, RST_STREAM, empty DATA, CONTINUATION, unknown ones. Looks at frame heads as they pass (RFC 9113
//! section 4.1); what they say is the codec's.

use std::cell::Cell;

use crate::clock::{Clock, Moment, NEVER};

/// Frames that bring nothing a client may send at once. A browser opens with fewer than ten; one that tears a
/// page of 100 resources down sends 100 resets.
const CREDIT: i64 = 10_000;
/// What a reset costs: it made the engine begin an exchange (CVE-2023-44487). So 1000 at once, and then
/// no more than are paid for.
const RESET: i64 = 10;
/// A second pays for so many frames: keep-alive PINGs and the like.
const A_SECOND: i64 = 100;
/// What an exchange that ended pays: its window updates, a few settings.
const AN_EXCHANGE: i64 = 8;
/// Body bytes, either way, that pay for one frame.
const BYTES: usize = 256;
/// Bytes read from a client before its requests are looked at: what they turn into in memory is many times as much.
pub const READ_AT_ONCE: usize = 64 * 1024;

/// The flag of padding, and how much of it there may be with the byte that says so (RFC 9113 section 6.1). A frame
/// that may be padding only brings nothing.
const PADDED: u8 = 8;
const LONGEST_PADDING: usize = 256;

/// A frame's head.
const HEAD: usize = 9;

mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
}

/// Shared by what carries a connection's bytes and what drives it.
pub struct Meter {
    clock: Clock,
    credit: Cell<i64>,
    paid_at: Cell<Moment>,
    frame: Cell<Frame>,
    /// Bytes that may still be read in this turn.
    pub turn: Cell<usize>,
    /// Since when the client has taken nothing although something waits for it.
    pub stuck_since: Cell<Moment>,
}

/// Where in the frames the reading stands.
#[derive(Clone, Copy)]
struct Frame {
    head: [u8; HEAD],
    /// Bytes of the head that have come.
    have: usize,
    /// Bytes of the payload still to come.
    left: usize,
}

impl Meter {
    /// `skip` bytes of the connection preface stand before the first frame.
    #[must_use]
    pub fn new(clock: &Clock, skip: usize) -> Self {
        Self {
            clock: clock.clone(),
            credit: Cell::new(CREDIT),
            paid_at: Cell::new(clock.now()),
            frame: Cell::new(Frame { head: [0; HEAD], have: 0, left: skip }),
            turn: Cell::new(READ_AT_ONCE),
            stuck_since: Cell::new(NEVER),
        }
    }

    /// The client has spent more than it had.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.credit.get() < 0
    }

    /// An exchange has ended as it should.
    pub fn served(&self) {
        self.pay(AN_EXCHANGE);
    }

    /// A DATA frame was made for the client, which may update two windows for it.
    pub fn sent(&self, n: usize) {
        self.pay(2);
        self.pay_bytes(n);
    }

    /// Bytes went to the client.
    pub fn wrote(&self) {
        self.stuck_since.set(NEVER);
    }

    /// The client takes nothing.
    pub fn stuck(&self) {
        if self.stuck_since.get() == NEVER {
            self.stuck_since.set(self.clock.now());
        }
    }

    /// Bytes came from the client.
    pub fn read(&self, mut bytes: &[u8]) {
        self.turn.set(self.turn.get().saturating_sub(bytes.len()));
        let mut frame = self.frame.get();
        while !bytes.is_empty() {
            if frame.left > 0 {
                let n = frame.left.min(bytes.len());
                frame.left -= n;
                bytes = &bytes[n..];
                continue;
            }
            let n = (HEAD - frame.have).min(bytes.len());
            frame.head[frame.have..frame.have + n].copy_from_slice(&bytes[..n]);
            frame.have += n;
            bytes = &bytes[n..];
            if frame.have == HEAD {
                frame.have = 0;
                let [a, b, c, kind, flags, ..] = frame.head;
                frame.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                let is_padding = flags & PADDED != 0 && frame.left <= LONGEST_PADDING;
                self.count(kind, if is_padding { 0 } else { frame.left });
            }
        }
        self.frame.set(frame);
    }

    fn count(&self, kind: u8, len: usize) {
        match kind {
            // Requests are limited by their number at once.
            kind::HEADERS => {}
            kind::DATA if len > 0 => self.pay_bytes(len),
            kind::RST_STREAM => self.spend(RESET),
            _ => self.spend(1),
        }
    }

    fn spend(&self, cost: i64) {
        if self.credit.get() < cost {
            let now = self.clock.now();
            let seconds = (now - self.paid_at.get()) / 1000;
            self.paid_at.set(self.paid_at.get() + seconds * 1000);
            self.pay(i64::try_from(seconds).unwrap_or(CREDIT).saturating_mul(A_SECOND));
        }
        self.credit.set(self.credit.get() - cost);
    }

    fn pay_bytes(&self, n: usize) {
        self.pay(i64::try_from(n / BYTES).unwrap_or(CREDIT));
    }

    fn pay(&self, credit: i64) {
        if !self.is_over() {
            self.credit.set(self.credit.get().saturating_add(credit).min(CREDIT));
        }
    }
}
