//! The memory limit: how much is used, and what goes when it is too much.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};

use parking_lot::RwLock;

use super::instance::{Engine, Hindrance};
use super::stats::Counter;
use crate::base::config::EvictionPolicy;
use crate::base::gauge::Gauge;
use crate::base::glob::Glob;
use crate::command::Context;
use crate::store::eviction::{self, Order};
use crate::store::keys::AccessPolicy;

/// What an allocator says of itself, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocatorFigures {
    /// Its name and version.
    pub name: &'static str,
    /// Allocated by the program.
    pub allocated: u64,
    /// In pages that hold anything.
    pub active: u64,
    /// In pages that it holds in RAM.
    pub resident: u64,
}

/// `maxmemory` and its companions.
pub struct Memory {
    /// `maxmemory`, in bytes; 0 is none.
    pub limit: AtomicUsize,
    /// Bytes that all connections' buffers may hold; 0 is no limit. `maxmemory-clients`, and without it half of the RAM.
    pub clients_limit: AtomicUsize,
    /// Bytes that the allocator had handed out when the start was over and that nothing else counts; see
    /// [`Engine::measure_base`].
    base: AtomicUsize,
    /// Bytes of the buffers that worker threads keep.
    pub worker_buffers: Gauge,
    /// `maxmemory-samples`.
    pub samples: AtomicUsize,
    /// `lfu-log-factor`.
    pub log_factor: AtomicU32,
    /// `lfu-decay-time`, in minutes.
    pub decay_minutes: AtomicU32,
    policy: RwLock<EvictionPolicy>,
    /// Whether the policy counts uses; read for every batch, unlike the policy itself.
    counts_uses: AtomicBool,
    /// Keys that are never evicted.
    pub pinned: RwLock<Vec<Glob>>,
    /// Asks the process's allocator; the binary, which chooses the allocator, sets it.
    pub allocator: RwLock<Option<fn() -> AllocatorFigures>>,
    /// Has the allocator give unused memory back, true if it could; set by the binary.
    pub purge: RwLock<Option<fn() -> bool>>,
    /// The allocator's own account of itself; set by the binary.
    pub allocator_report: RwLock<Option<fn() -> String>>,
    /// The most that was in use whenever somebody looked.
    peak: AtomicUsize,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            limit: AtomicUsize::new(0),
            clients_limit: AtomicUsize::new(0),
            base: AtomicUsize::new(BASE_BYTES),
            worker_buffers: Gauge::default(),
            samples: AtomicUsize::new(5),
            log_factor: AtomicU32::new(10),
            decay_minutes: AtomicU32::new(1),
            policy: RwLock::new(EvictionPolicy::NoEviction),
            counts_uses: AtomicBool::new(false),
            pinned: RwLock::default(),
            allocator: RwLock::default(),
            purge: RwLock::default(),
            allocator_report: RwLock::default(),
            peak: AtomicUsize::new(0),
        }
    }
}

impl Memory {
    /// Whether there is a limit.
    #[inline]
    pub fn is_limited(&self) -> bool {
        self.limit.load(Relaxed) != 0
    }

    /// The policy.
    pub fn policy(&self) -> EvictionPolicy {
        *self.policy.read()
    }

    /// Sets the policy.
    pub fn set_policy(&self, policy: EvictionPolicy) {
        *self.policy.write() = policy;
        self.counts_uses.store(policy.is_lfu(), Relaxed);
    }

    /// How uses of keys are noted under the policy.
    #[inline]
    pub fn access_policy(&self) -> AccessPolicy {
        if !self.counts_uses.load(Relaxed) {
            return AccessPolicy::Recency;
        }
        AccessPolicy::Frequency {
            log_factor: self.log_factor.load(Relaxed),
            decay_minutes: self.decay_minutes.load(Relaxed),
        }
    }

    fn order(&self) -> Option<Order> {
        use EvictionPolicy::*;
        Some(match self.policy() {
            NoEviction => return None,
            AllkeysLru | VolatileLru => Order::LeastRecent,
            AllkeysLfu | VolatileLfu => Order::LeastFrequent { decay_minutes: self.decay_minutes.load(Relaxed) },
            AllkeysRandom | VolatileRandom => Order::Any,
            VolatileTtl => Order::SoonestExpiry,
        })
    }
}

/// Bytes of an instance beside its keyspace: counters, configuration, what its threads need.
const BASE_BYTES: usize = 256 << 10;

/// Keys that one command evicts at the most; the next command goes on.
const EVICTIONS_MAX: usize = 1024;

impl Engine {
    /// Bytes in use by keys, values, their tables, connections and their buffers, and by the instance itself.
    pub fn used_memory(&self) -> usize {
        self.base_bytes() + self.counted_bytes()
    }

    /// What is counted as it comes and goes.
    fn counted_bytes(&self) -> usize {
        let connections = self.clients.connection_bytes() + self.clients.buffer_bytes();
        let workers = self.memory.worker_buffers.sum() + self.stats.latency_bytes();
        self.keyspace.record_bytes() + connections + workers + self.scripts.bytes() + self.functions.bytes()
    }

    /// Bytes of the instance while it is empty.
    pub fn base_bytes(&self) -> usize {
        self.keyspace.base_bytes() + self.memory.base.load(Relaxed)
    }

    /// Takes what the allocator has handed out so far as the instance's own. For a program that is nothing but this
    /// instance; where others use the same allocator a constant stands for it.
    pub fn measure_base(&self) {
        let Some(figures) = *self.memory.allocator.read() else { return };
        let allocated = usize::try_from(figures().allocated).unwrap_or(usize::MAX);
        let counted = self.counted_bytes() + self.keyspace.base_bytes();
        self.memory.base.store(allocated.saturating_sub(counted).max(BASE_BYTES), Relaxed);
    }

    /// The most that [`Engine::used_memory`] was, as far as anybody looked.
    pub fn peak_memory(&self) -> usize {
        let used = self.used_memory();
        self.memory.peak.fetch_max(used, Relaxed).max(used)
    }

    /// Whether more is in use than allowed.
    pub fn is_over_limit(&self) -> bool {
        let limit = self.memory.limit.load(Relaxed);
        limit != 0 && self.used_memory() > limit
    }

    /// Makes room for a command that is about to run. What its client is told because of that comes before its reply.
    #[cold]
    pub fn make_room(&self, context: &mut Context<'_>) -> bool {
        let evicted = self.stats.get(Counter::Evicted);
        let has_room = self.evict_as_needed(context);
        if context.keys.effects.tracking
            && evicted != self.stats.get(Counter::Evicted)
            && let Some(client) = self.clients.get(context.keys.effects.by)
        {
            // One that fell too far behind is found out when it is written to.
            let mut messages = Vec::new();
            client.outbox.drain(&mut messages);
            context.reply.raw_for_good(&messages);
        }
        has_room
    }

    /// Evicts until the limit holds; false if it cannot be made to hold. No shard may be held.
    pub fn evict_as_needed(&self, context: &mut Context<'_>) -> bool {
        context.keys.settle_bytes();
        let is_paused = self.is_hindered(Hindrance::Paused) && self.is_paused(context.keys.now_ms);
        if is_paused || !self.is_over_limit() {
            return true;
        }
        let Some(order) = self.memory.order() else { return false };
        let pinned = self.memory.pinned.read();
        let volatile_only = self.memory.policy().is_volatile();
        let samples = self.memory.samples.load(Relaxed).clamp(1, 64);
        let watch = self.latency.watch();
        for _ in 0..EVICTIONS_MAX {
            let is_pinned = |key: &[u8]| pinned.iter().any(|glob| glob.matches(key));
            let random = self.random.next_u64();
            if !eviction::evict_one(&mut context.keys, random, order, volatile_only, samples, is_pinned) {
                break;
            }
            self.stats.add(Counter::Evicted, 1);
            context.keys.settle_bytes();
            if !self.is_over_limit() {
                break;
            }
        }
        self.latency.note_watch("eviction-cycle", &self.clock, watch);
        !self.is_over_limit()
    }
}
