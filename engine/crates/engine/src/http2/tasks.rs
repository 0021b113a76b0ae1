//! The tasks that run streams' exchanges, kept by their thread for the next stream.
//!
//! Facts: the future of one exchange is some 2 KB. Spawned anew for each stream it was allocated, copied twice and freed:
//! 3% of the time of a small request. Decision: a task that has served a stream waits for another one. Between two it
//! holds nothing of either.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Exchange;
use crate::worker::Worker;

/// Tasks a thread keeps; more end.
const KEPT: usize = 512;

/// Where a task is handed its next stream.
#[derive(Default)]
struct Desk {
    next: Cell<Option<Exchange>>,
    /// Of the task, while it waits.
    waker: RefCell<Option<Waker>>,
}

/// A thread's tasks that wait for a stream.
#[derive(Default)]
pub struct Tasks(RefCell<Vec<Rc<Desk>>>);

impl Tasks {
    /// Runs a stream's exchange beside what runs already.
    pub(super) fn run(worker: &Rc<Worker>, exchange: Exchange) {
        let waiting = worker.stream_tasks.0.borrow_mut().pop();
        let desk = waiting.unwrap_or_else(|| Self::spawn(worker));
        desk.next.set(Some(exchange));
        let waker = desk.waker.borrow();
        if let Some(waker) = &*waker {
            waker.wake_by_ref();
        }
    }

    fn spawn(worker: &Rc<Worker>) -> Rc<Desk> {
        let desk = Rc::new(Desk::default());
        let (at, worker) = (Rc::clone(&desk), Rc::clone(worker));
        tokio::task::spawn_local(async move {
            loop {
                let exchange = std::future::poll_fn(|cx| match at.next.take() {
                    Some(exchange) => Poll::Ready(exchange),
                    None => {
                        at.waker.borrow_mut().get_or_insert_with(|| cx.waker().clone());
                        Poll::Pending
                    }
                })
                .await;
                exchange.run().await;
                let mut waiting = worker.stream_tasks.0.borrow_mut();
                if waiting.len() >= KEPT {
                    return;
                }
                waiting.push(Rc::clone(&at));
            }
        });
        desk
    }
}
