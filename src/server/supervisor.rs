//! What has to be looked at now and then: idle clients, clients that never authenticate, steps of the wall clock.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::Notify;

use crate::base::limits::AUTHENTICATION_SECONDS_MAX;
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
        close_idle(&engine);
        let step = engine.clock.wall_step_ms();
        if (step - known_step).abs() > STEP_MS {
            tracing::warn!("the wall clock was moved by {} ms; deadlines keep running on", step - known_step);
            engine.stats.add(Counter::ClockSteps, 1);
            known_step = step;
        }
    }
}

fn close_idle(engine: &Engine) {
    let now_ms = engine.clock.now_ms();
    let timeout_ms = engine.idle_seconds_max().saturating_mul(1000);
    for client in engine.clients.all() {
        if client.origin.in_process {
            continue;
        }
        let idle_ms = now_ms.saturating_sub(client.active_ms.load(Relaxed));
        let exempt = client.is_subscriber() || client.blocked.load(Relaxed);
        let is_idle = timeout_ms > 0 && idle_ms > timeout_ms && !exempt;
        let age_ms = now_ms.saturating_sub(client.connected_ms);
        let is_stranger = !client.authenticated.load(Relaxed) && age_ms > AUTHENTICATION_SECONDS_MAX * 1000;
        if is_idle || is_stranger && engine.has_password() {
            client.outbox.close();
        }
    }
}
