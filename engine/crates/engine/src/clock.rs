//! Deadlines of one thread, coarse and cheap: setting one writes a number, no timer is armed.
//!
//! A timer descriptor ticks every [`TICK_MS`]; the sweep then wakes tasks whose deadline has passed. So a
//! deadline is kept up to two ticks late and never early, and a request pays nothing for its timeouts.
//!
//! What is measured of a request counts from turn to turn of its thread: the system's clock is read once for all that
//! has happened meanwhile, not four times a request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Instant, SystemTime};

use http::HeaderValue;
use slab::Slab;

/// Milliseconds between sweeps.
pub const TICK_MS: u64 = 100;

/// A moment on this thread's clock in milliseconds.
pub type Moment = u64;

/// Never.
pub const NEVER: Moment = u64::MAX;

#[derive(Clone)]
pub struct Clock(Rc<Inner>);

struct Inner {
    base: Instant,
    /// When the thread's present turn began.
    turn: Cell<Instant>,
    now: Cell<Moment>,
    date: RefCell<Vec<u8>>,
    date_value: RefCell<HeaderValue>,
    entries: RefCell<Slab<Entry>>,
}

struct Entry {
    at: Moment,
    waker: Option<Waker>,
}

/// One task's alarm.
pub struct Alarm {
    clock: Clock,
    key: usize,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    #[must_use]
    pub fn new() -> Self {
        let base = Instant::now();
        let clock = Self(Rc::new(Inner {
            base,
            turn: Cell::new(base),
            now: Cell::new(0),
            date: RefCell::new(Vec::new()),
            date_value: RefCell::new(HeaderValue::from_static("")),
            entries: RefCell::new(Slab::new()),
        }));
        clock.write_date();
        clock
    }

    /// The thread looks at what has happened since it did so last.
    #[inline]
    pub fn begin_turn(&self) {
        self.0.turn.set(Instant::now());
    }

    /// When the present turn began: what came in it was there by then.
    #[must_use]
    #[inline]
    pub fn turn(&self) -> Instant {
        self.0.turn.get()
    }

    /// Nanoseconds from then to the present turn.
    #[must_use]
    #[inline]
    pub fn nanos_since(&self, then: Instant) -> u64 {
        u64::try_from(self.turn().saturating_duration_since(then).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The time of the last sweep.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.now.get()
    }

    /// `ms` from now, never early; [`NEVER`] for 0.
    #[must_use]
    pub fn after(&self, ms: u64) -> Moment {
        if ms == 0 {
            NEVER
        } else {
            self.now().saturating_add(ms).saturating_add(TICK_MS)
        }
    }

    /// An instant as a moment of this clock; one before its start is 0.
    #[must_use]
    pub fn moment(&self, at: Instant) -> Moment {
        u64::try_from(at.saturating_duration_since(self.0.base).as_millis()).unwrap_or(NEVER - 1)
    }

    /// An alarm for the calling task.
    #[must_use]
    pub fn alarm(&self) -> Alarm {
        let key = self.0.entries.borrow_mut().insert(Entry { at: NEVER, waker: None });
        Alarm { clock: self.clone(), key }
    }

    /// Moves the time on and wakes who waits for a moment that has passed.
    pub fn sweep(&self) {
        self.move_to(u64::try_from(self.0.base.elapsed().as_millis()).unwrap_or(NEVER - 1));
    }

    fn move_to(&self, elapsed: Moment) {
        let second = self.now() / 1000 != elapsed / 1000;
        self.0.now.set(elapsed);
        if second {
            self.write_date();
        }
        for (_, entry) in self.0.entries.borrow_mut().iter_mut() {
            if entry.at <= elapsed {
                if let Some(waker) = entry.waker.take() {
                    waker.wake();
                }
            }
        }
    }

    /// Wakes every task that has an alarm: something it should look at has changed.
    pub fn wake_all(&self) {
        for (_, entry) in self.0.entries.borrow_mut().iter_mut() {
            if let Some(waker) = entry.waker.take() {
                waker.wake();
            }
        }
    }

    /// Appends a whole Date line (RFC 9110 section 6.6.1), at most a second old.
    pub fn put_date(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.date.borrow());
    }

    /// The value of that line.
    #[must_use]
    pub fn date_value(&self) -> HeaderValue {
        self.0.date_value.borrow().clone()
    }

    fn write_date(&self) {
        let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or_default();
        let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
        let line = format!("Date: {}\r\n", zoned.strftime("%a, %d %b %Y %H:%M:%S GMT"));
        if let Ok(value) = HeaderValue::from_str(line.trim_start_matches("Date: ").trim_end()) {
            *self.0.date_value.borrow_mut() = value;
        }
        *self.0.date.borrow_mut() = line.into_bytes();
    }
}

impl Alarm {
    /// Asks to be woken when `at` has passed; true when it has already.
    #[inline]
    pub fn poll(&self, cx: &Context<'_>, at: Moment) -> bool {
        if at <= self.clock.now() {
            return true;
        }
        if let Some(entry) = self.clock.0.entries.borrow_mut().get_mut(self.key) {
            entry.at = at;
            match &mut entry.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                other => *other = Some(cx.waker().clone()),
            }
        }
        false
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clock.0.entries.borrow_mut().try_remove(self.key);
    }
}

/// Waits; for the rare task that has nothing else to wait for.
pub async fn pause(clock: &Clock, ms: u64) {
    let alarm = clock.alarm();
    let until = clock.after(ms);
    std::future::poll_fn(
        |cx| if alarm.poll(cx, until) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending },
    )
    .await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A test that cannot go on fails.
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn woken() -> (Arc<Woken>, Waker) {
        let woken = Arc::new(Woken::default());
        (Arc::clone(&woken), Waker::from(woken))
    }

    #[test]
    fn an_alarm_is_never_early_and_rings_once() {
        let clock = Clock::new();
        let (woken, waker) = woken();
        let alarm = clock.alarm();
        let cx = Context::from_waker(&waker);
        let at = clock.after(500);
        assert!(!alarm.poll(&cx, at));
        clock.move_to(500);
        // The clock may be a tick behind when a deadline is set.
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        assert!(!alarm.poll(&cx, at));
        clock.move_to(500 + TICK_MS);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(alarm.poll(&cx, at));
        clock.move_to(10_000);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_alarm_keeps_the_last_moment_it_was_asked_for() {
        let clock = Clock::new();
        let (woken, waker) = woken();
        let alarm = clock.alarm();
        let cx = Context::from_waker(&waker);
        assert!(!alarm.poll(&cx, 200));
        assert!(!alarm.poll(&cx, 900));
        clock.move_to(300);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        clock.move_to(900);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn zero_is_never_and_wakes_with_all_only() {
        let clock = Clock::new();
        let (woken, waker) = woken();
        let alarm = clock.alarm();
        let cx = Context::from_waker(&waker);
        assert_eq!(clock.after(0), NEVER);
        assert_eq!(clock.after(u64::MAX), NEVER);
        assert!(!alarm.poll(&cx, NEVER));
        clock.move_to(NEVER - 1);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        clock.wake_all();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_alarm_that_is_gone_wakes_nobody() {
        let clock = Clock::new();
        let (woken, waker) = woken();
        let alarm = clock.alarm();
        assert!(!alarm.poll(&Context::from_waker(&waker), 100));
        drop(alarm);
        clock.move_to(1_000);
        clock.wake_all();
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        assert!(clock.0.entries.borrow().is_empty());
    }

    #[test]
    fn the_date_is_a_whole_line() {
        let mut line = Vec::new();
        Clock::new().put_date(&mut line);
        let line = String::from_utf8(line).unwrap();
        assert!(line.starts_with("Date: ") && line.ends_with(" GMT\r\n"), "{line}");
        assert_eq!(line.len(), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".len());
    }
}
