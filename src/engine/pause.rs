//! CLIENT PAUSE: the commands of connections wait until a moment, all of them or those that write. Callers in this process
//! go on.
//!
//! While there is a pause nothing expires and nothing is evicted; what is past its deadline is not shown. A command that
//! has to wait is not begun: its connection waits as for a key ([`super::blocking`]), and looks again when the pause is
//! over, or another one.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::blocking::{Wait, Waiter, enqueue};
use super::dispatch::gates;
use super::instance::{Engine, Hindrance};
use super::registry::Command;
use super::session::Session;
use crate::command::Context;
use crate::command::spec::Flags;

/// The pause, if there is one.
#[derive(Default)]
pub struct Pause(Mutex<State>);

#[derive(Default)]
struct State {
    /// Unix time in ms; over from there on.
    end_ms: u64,
    everything: bool,
    waiting: Vec<Weak<Waiter>>,
}

/// What writes without being a write itself, or would on replicas.
const REPLICATED: [&str; 6] = ["publish", "spublish", "pfcount", "eval", "evalsha", "fcall"];

/// Whether a command writes, or does what replicas would have to hear of.
pub fn replicates(command: &Command) -> bool {
    command.flags.has(Flags::WRITE) || REPLICATED.contains(&command.full_name.as_str())
}

impl Engine {
    /// Lets commands wait until a moment, those that do not write only if `everything` is to wait. A pause of everything
    /// that is under way stays one, and one that is longer its length.
    pub fn pause(&self, end_ms: u64, everything: bool, now_ms: u64) {
        let mut state = self.pause.0.lock();
        state.everything = everything || state.everything && state.end_ms > now_ms;
        state.end_ms = state.end_ms.max(end_ms);
        self.hinder(Hindrance::Paused, state.end_ms > now_ms);
        self.look_again(state);
    }

    /// Ends the pause.
    pub fn unpause(&self) {
        let mut state = self.pause.0.lock();
        (state.end_ms, state.everything) = (0, false);
        self.hinder(Hindrance::Paused, false);
        self.look_again(state);
    }

    /// Lets everybody who waits look again.
    fn look_again(&self, mut state: parking_lot::MutexGuard<'_, State>) {
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waiter in waiting.into_iter().filter_map(|waiter| waiter.upgrade()) {
            waiter.time_out(self);
        }
    }

    /// Whether there is a pause now; to be asked where [`Hindrance::Paused`] is there.
    #[cold]
    pub fn is_paused(&self, now_ms: u64) -> bool {
        let state = self.pause.0.lock();
        if state.end_ms <= now_ms {
            self.hinder(Hindrance::Paused, false);
        }
        state.end_ms > now_ms
    }

    /// Has a command wait if it has to: what its connection waits with.
    #[cold]
    pub fn wait_for_end_of_pause(
        &self,
        context: &mut Context<'_>,
        session: &Session,
        command: &'static Command,
    ) -> Option<Arc<Waiter>> {
        let mut state = self.pause.0.lock();
        let writes = gates::writes(session, command, replicates);
        if state.end_ms <= context.keys.now_ms || !(state.everything || writes) {
            return None;
        }
        // Nothing to reply: the command runs then.
        let wait = Wait::for_nothing(Some(state.end_ms), Box::new(|_| {}));
        let waiter = enqueue(context, self, Wait { is_held: true, ..wait }, true, None);
        state.waiting.retain(|waiter| waiter.strong_count() > 0);
        state.waiting.push(Arc::downgrade(&waiter));
        Some(waiter)
    }
}

#[cfg(test)]
mod tests;
