//! The future of a burst of exchanges, kept by its thread for the next burst.
//!
//! Facts: the future of one burst is some 2 KB. Made anew for each, it was allocated, copied and freed with every
//! request: 3% of the instructions of one. Decision: a future that never ends takes one
//! connection after another from its desk. Between two it holds nothing of either.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::connection::{self, Next};
use super::downstream::Downstream;
use crate::buffer::Scratch;

/// Futures a thread keeps; more are freed.
const KEPT: usize = 64;

/// A connection with something to read, and what its exchanges work with.
pub struct Job {
    pub connection: Box<Downstream>,
    pub scratch: Box<Scratch>,
}

/// Where a job is left, and taken away when it is done.
#[derive(Default)]
struct Desk {
    job: Cell<Option<Job>>,
    done: Cell<Option<(Job, Next)>>,
}

struct Kept {
    desk: Rc<Desk>,
    future: Pin<Box<dyn Future<Output = Infallible>>>,
}

impl Kept {
    fn new() -> Self {
        let desk = Rc::new(Desk::default());
        let at = Rc::clone(&desk);
        let future = Box::pin(async move {
            loop {
                let mut job = std::future::poll_fn(|_| match at.job.take() {
                    Some(job) => Poll::Ready(job),
                    // Whoever brings the next one polls at once.
                    None => Poll::Pending,
                })
                .await;
                let next = connection::burst(&mut job.connection, &mut job.scratch).await;
                at.done.set(Some((job, next)));
            }
        });
        Self { desk, future }
    }
}

/// A thread's futures that wait for a connection.
#[derive(Default)]
pub struct Bursts(RefCell<Vec<Kept>>);

impl Bursts {
    /// Runs exchanges until nothing more of the client's is buffered.
    pub async fn run(&self, job: Job) -> (Job, Next) {
        let mut kept = self.0.borrow_mut().pop().unwrap_or_else(Kept::new);
        kept.desk.job.set(Some(job));
        let done = std::future::poll_fn(|cx| {
            match kept.future.as_mut().poll(cx) {
                Poll::Ready(never) => match never {},
                Poll::Pending => {}
            }
            match kept.desk.done.take() {
                Some(done) => Poll::Ready(done),
                None => Poll::Pending,
            }
        })
        .await;
        let mut all = self.0.borrow_mut();
        if all.len() < KEPT {
            all.push(kept);
        }
        done
    }
}
