//! What has to be looked at now and then: clients whose time is over, steps of the wall clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::instance::Engine;
use crate::engine::stats::Counter;

/// How often connections are looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// A difference between wall clock and ours that counts as a step, in ms.
const STEP_MS: i64 = 500;

/// Notified once when the instance stops.
pub fn stopped(engine: &Engine) -> Arc<Notify> {
    let notify = Arc::new(Notify::new());
    let listener = notify.clone();
    engine.stopping.listen(move || listener.notify_one());
    notify
}

/// Closes connections whose time is over, until the runtime ends.
pub async fn watch(engine: Arc<Engine>) {
    let mut known_step = 0;
    loop {
        tokio::time::sleep(PERIOD).await;
        engine.look_after_clients(engine.clock.now_ms());
        let step = engine.clock.wall_step_ms();
        if (step - known_step).abs() > STEP_MS {
            tracing::warn!("the wall clock was moved by {} ms; deadlines keep running on", step - known_step);
            engine.stats.add(Counter::ClockSteps, 1);
            known_step = step;
        }
    }
}
