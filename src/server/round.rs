//! A worker's round of deliveries: what its connections published in one pass over the ready ones, sent together.
//!
//! Fifty publishers that are ready at the same time reach some subscribers several times. Sending at the end of the
//! round instead of behind each publisher's batch joins those messages into one write (a third fewer system calls at
//! 800 messages for 1,000 subscribers). The deliverer is a task like any other: woken by the first publisher, it runs
//! when the tasks that were ready before it have had their turn.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::engine::instance::Engine;
use crate::engine::session::Session;
use crate::engine::stats::Counter;
use crate::pubsub::outbox::Outbox;

/// What waits for the end of the round.
struct Round {
    waker: Waker,
    outboxes: Vec<Arc<Outbox>>,
}

thread_local! {
    /// There is one on the threads of workers only.
    static ROUND: RefCell<Option<Round>> = const { RefCell::new(None) };
}

/// Has what a session published sent: at the end of the worker's round, or at once where there is none.
#[inline]
pub fn post(engine: &Engine, session: &mut Session) {
    if session.touched.is_empty() {
        return;
    }
    ROUND.with_borrow_mut(|round| match round {
        Some(round) => {
            if round.outboxes.is_empty() {
                round.waker.wake_by_ref();
            }
            round.outboxes.append(&mut session.touched);
        }
        None => session.flush_touched(engine),
    });
}

/// A worker's deliverer; runs until the worker ends.
pub async fn deliver(engine: Arc<Engine>) {
    std::future::poll_fn(|cx| {
        let mut outboxes = ROUND.with_borrow_mut(|round| match round {
            Some(round) => std::mem::take(&mut round.outboxes),
            None => {
                *round = Some(Round { waker: cx.waker().clone(), outboxes: Vec::new() });
                Vec::new()
            }
        });
        for outbox in &outboxes {
            engine.stats.add(Counter::OutputBytes, outbox.flush().bytes as u64);
        }
        outboxes.clear();
        ROUND.with_borrow_mut(|round| {
            // The list's memory serves the next round.
            if let Some(round) = round.as_mut().filter(|round| round.outboxes.is_empty()) {
                round.outboxes = outboxes;
            }
        });
        Poll::<()>::Pending
    })
    .await
}
