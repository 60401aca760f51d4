//! What an instance does about its connections without being asked by any of them: it closes those that are silent for
//! too long, that never authenticate, that let their output pile up, and, where all of them together hold too much
//! memory, the biggest.
//!
//! [`Engine::look_after_clients`] is called about once a second, or by whoever moves a manual clock;
//! [`Engine::limit_buffers`] by a connection whose buffers have grown.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::clients::Client;
use super::instance::Engine;
use super::stats::Counter;
use crate::base::config::OutputLimit;
use crate::base::limits::{AUTHENTICATION_SECONDS_MAX, RESERVED_IDLE_SECONDS_MAX};

/// For so many calls the peak of an output buffer is remembered.
const PEAK_CALLS: u64 = 5;

impl Engine {
    /// Closes the connections whose time is over.
    pub fn look_after_clients(&self, now_ms: u64) {
        if self.pauses_upkeep.load(Relaxed) {
            return;
        }
        let calls = self.stats.sample(self.clock.monotonic_us());
        let limits = *self.output_limits.read();
        for client in self.clients.all() {
            if client.origin.in_process || client.outbox.is_closed() {
                continue;
            }
            if self.is_overdue(&client, now_ms) {
                self.stats.add(Counter::OverdueClients, 1);
                client.outbox.close();
            } else if is_over_soft_limit(&client, &limits, now_ms) {
                self.stats.add(Counter::OutputLimitDisconnections, 1);
                tracing::warn!("{} does not read its output; closed", client.origin.peer);
                client.outbox.close();
            }
            if calls.is_multiple_of(PEAK_CALLS) {
                client.held.output_room_peak.store(client.held.output_room.get() as u64, Relaxed);
            }
        }
    }

    fn is_overdue(&self, client: &Client, now_ms: u64) -> bool {
        let timeout_ms = self.idle_seconds_max().saturating_mul(1000);
        let idle_ms = now_ms.saturating_sub(client.active_ms.load(Relaxed));
        let exempt = client.is_subscriber() || client.is_blocked() || client.monitors.load(Relaxed);
        let is_idle = timeout_ms > 0 && idle_ms > timeout_ms && !exempt;
        let age_ms = now_ms.saturating_sub(client.connected_ms);
        let is_stranger = !client.authenticated.load(Relaxed) && age_ms > AUTHENTICATION_SECONDS_MAX * 1000;
        let keeps_a_seat = client.is_reserved.load(Relaxed) && idle_ms > RESERVED_IDLE_SECONDS_MAX * 1000;
        is_idle || keeps_a_seat || is_stranger && self.has_password()
    }

    /// Where all connections' buffers exceed their budget, closes the biggest until they do not.
    #[inline]
    pub fn limit_buffers(&self) {
        let budget = self.memory.clients_limit.load(Relaxed);
        if budget != 0 && self.clients.buffer_bytes() > budget {
            self.close_biggest(budget);
        }
    }

    #[cold]
    fn close_biggest(&self, budget: usize) {
        // Those that are closed already are about to give back what they hold.
        let mut open: Vec<(usize, Arc<Client>)> =
            self.clients.all().into_iter().map(|c| (c.memory_bytes(), c)).collect();
        open.retain(|(_, client)| !client.outbox.is_closed());
        let mut sum: usize = open.iter().map(|(bytes, _)| bytes).sum();
        open.retain(|(_, client)| !client.origin.in_process && !client.no_evict.load(Relaxed));
        open.sort_unstable_by_key(|(bytes, _)| *bytes);
        while sum > budget
            && let Some((bytes, client)) = open.pop()
        {
            tracing::warn!("{} holds {bytes} bytes, all connections {sum}: closed", client.origin.peer);
            self.stats.add(Counter::EvictedClients, 1);
            client.outbox.close();
            sum -= bytes;
        }
    }
}

/// Whether the output of a connection has been above the soft limit of its class for too long.
fn is_over_soft_limit(client: &Client, limits: &[OutputLimit; 3], now_ms: u64) -> bool {
    let limit = limits[if client.is_subscriber() { 2 } else { 0 }];
    let since_ms = &client.held.over_soft_limit_ms;
    if limit.soft_bytes == 0 || client.unsent_bytes() <= limit.soft_bytes {
        since_ms.store(0, Relaxed);
        return false;
    }
    let since = since_ms.load(Relaxed);
    if since == 0 {
        since_ms.store(now_ms, Relaxed);
        return false;
    }
    now_ms.saturating_sub(since) > limit.soft_seconds.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::base::config::Config;
    use crate::engine::clients::Origin;
    use crate::engine::dispatch;
    use crate::engine::session::Session;
    use crate::protocol::request::OwnedRequest;

    fn engine(settings: &[&str]) -> Arc<Engine> {
        let mut config = Config::new();
        config.load_arguments(settings).expect("settings");
        Engine::new(config, Clock::manual(1_000_000)).expect("an instance")
    }

    fn connect(engine: &Engine) -> Session {
        let origin = Origin { in_process: false, peer: "192.0.2.1:1".into(), ..Origin::in_process() };
        let session = engine.connect(origin, None);
        session.publish_state();
        session
    }

    fn is_closed_after(engine: &Engine, session: &Session, ms: u64) -> bool {
        engine.look_after_clients(engine.clock.now_ms() + ms);
        session.client.outbox.is_closed()
    }

    #[test]
    fn who_does_not_authenticate_in_time_is_closed() {
        let engine = engine(&["--requirepass", "secret"]);
        let mut stranger = connect(&engine);
        let mut friend = connect(&engine);
        friend.authenticated = true;
        friend.publish_state();
        assert!(!is_closed_after(&engine, &stranger, AUTHENTICATION_SECONDS_MAX * 1000));
        assert!(is_closed_after(&engine, &stranger, AUTHENTICATION_SECONDS_MAX * 1000 + 1));
        assert!(!is_closed_after(&engine, &friend, u64::from(u32::MAX)));
        assert_eq!(engine.stats.get(Counter::OverdueClients), 1);
        stranger.end(&engine);
        friend.end(&engine);
    }

    #[test]
    fn silence_is_allowed_for_the_timeout_and_without_end_to_those_who_wait() {
        let engine = engine(&["--timeout", "10"]);
        let (mut idle, mut waiting) = (connect(&engine), connect(&engine));
        let request = OwnedRequest::new(&["BLPOP", "nothing", "0"]).expect("a request");
        dispatch::run_request(&engine, &mut waiting, request.request(), Vec::new());
        assert!(!is_closed_after(&engine, &idle, 10_000));
        assert!(is_closed_after(&engine, &idle, 10_001));
        assert!(!is_closed_after(&engine, &waiting, u64::from(u32::MAX)));
        idle.end(&engine);
        waiting.end(&engine);
    }

    #[test]
    fn a_soft_limit_may_be_exceeded_for_a_while() {
        let engine = engine(&["--client-output-buffer-limit", "normal 0 1000 5"]);
        let mut slow = connect(&engine);
        slow.client.held.show_buffers((0, 0), (1001, 2000));
        assert!(!is_closed_after(&engine, &slow, 0));
        assert!(!is_closed_after(&engine, &slow, 5_000));
        slow.client.held.show_buffers((0, 0), (1000, 2000));
        assert!(!is_closed_after(&engine, &slow, 6_000), "below the limit again: the count begins anew");
        slow.client.held.show_buffers((0, 0), (1001, 2000));
        assert!(!is_closed_after(&engine, &slow, 7_000));
        assert!(is_closed_after(&engine, &slow, 12_001));
        slow.end(&engine);
    }

    #[test]
    fn the_biggest_connections_go_when_all_hold_too_much() {
        let engine = engine(&["--maxmemory-clients", "1mb"]);
        let mut sessions: Vec<Session> = (0..4).map(|_| connect(&engine)).collect();
        for (session, kib) in sessions.iter().zip([100, 300, 400, 500]) {
            session.client.held.show_buffers((0, kib << 10), (0, 0));
        }
        sessions[3].client.no_evict.store(true, Relaxed);
        engine.limit_buffers();
        let closed: Vec<bool> = sessions.iter().map(|session| session.client.outbox.is_closed()).collect();
        assert_eq!(closed, [false, false, true, false], "the biggest of those that may go, and no more than needed");
        engine.limit_buffers();
        assert_eq!(engine.stats.get(Counter::EvictedClients), 1, "who is on the way out counts no more");
        sessions.iter_mut().for_each(|session| session.end(&engine));
        drop(sessions);
        assert_eq!(engine.clients.buffer_bytes(), 0);
    }
}
