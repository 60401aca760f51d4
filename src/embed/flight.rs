//! `get_or_compute`: a value from the cache, or computed once however many ask for it.
//!
//! The first who misses a key becomes its leader and computes; the others wait for the same flight. The leader writes
//! the value before it lands, so that whoever comes later finds it in the keyspace. A leader that fails or is cancelled
//! hands over: its followers look again, and one of them leads.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use super::park::block_on;
use super::{Client, Error, Result, SetOptions};

/// Database and key.
type FlightKey = (usize, Box<[u8]>);

/// The computations under way.
#[derive(Default)]
pub(super) struct Flights(DashMap<FlightKey, Arc<Flight>>);

#[derive(Default)]
struct Flight(Mutex<Progress>);

#[derive(Default)]
struct Progress {
    ended: Option<Ended>,
    waiting: Vec<Waker>,
}

#[derive(Clone)]
enum Ended {
    Landed(Bytes),
    /// The leader failed, or was cancelled.
    HandedOver,
}

impl Flight {
    fn end(&self, ended: Ended) {
        let mut progress = self.0.lock();
        if progress.ended.is_none() {
            progress.ended = Some(ended);
        }
        let waiting = std::mem::take(&mut progress.waiting);
        drop(progress);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut progress = self.0.lock();
        if let Some(ended) = &progress.ended {
            return Poll::Ready(ended.clone());
        }
        if !progress.waiting.iter().any(|known| known.will_wake(cx.waker())) {
            progress.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Whoever computes; handing over is what happens to a leader that is dropped before it has landed.
struct Leader<'f> {
    flights: &'f Flights,
    key: FlightKey,
    flight: Arc<Flight>,
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.flights.0.remove(&self.key);
        self.flight.end(Ended::HandedOver);
    }
}

/// What somebody who missed a key becomes.
enum Role<'f> {
    Leader(Leader<'f>),
    Follower(Arc<Flight>),
}

impl Flights {
    fn join(&self, key: FlightKey) -> Role<'_> {
        match self.0.entry(key) {
            Entry::Occupied(flight) => Role::Follower(flight.get().clone()),
            Entry::Vacant(free) => {
                let (key, flight) = (free.key().clone(), Arc::<Flight>::default());
                free.insert(flight.clone());
                Role::Leader(Leader { flights: self, key, flight })
            }
        }
    }
}

impl Client {
    /// `GET`, or where there is no key: awaits `compute`, stores its value for `ttl` (`None` for ever), and returns it.
    ///
    /// Of all clients of the instance that miss the same key at the same time one computes; the others wait for it. An
    /// error goes to the one who computed and is not stored: the next one in line computes then. So it does when the
    /// computing future is dropped.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use std::time::Duration;
    /// let server = pipkin::Server::open()?;
    /// let mut client = server.client();
    /// let load = async { Ok::<_, pipkin::Error>("from the database") };
    /// let value = client.get_or_compute("user:1", Duration::from_secs(60), load).await?;
    /// assert_eq!(value, "from the database");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What `compute` returns, or `WRONGTYPE` where the key holds no string.
    pub async fn get_or_compute<V, E, F>(
        &mut self,
        key: impl AsRef<[u8]>,
        ttl: impl Into<Option<Duration>>,
        compute: F,
    ) -> Result<Bytes, E>
    where
        V: AsRef<[u8]>,
        E: From<Error>,
        F: Future<Output = Result<V, E>>,
    {
        let (key, ttl) = (key.as_ref(), ttl.into());
        let shared = self.shared.clone();
        let leader = loop {
            if let Some(value) = self.get(key)? {
                return Ok(value);
            }
            match shared.flights.join((self.session.database, key.into())) {
                Role::Leader(leader) => break leader,
                Role::Follower(flight) => {
                    if let Ended::Landed(value) = poll_fn(|cx| flight.poll_ended(cx)).await {
                        return Ok(value);
                    }
                }
            }
        };
        // Another flight may have landed between our look and our becoming its successor.
        if let Some(value) = self.get(key)? {
            return Ok(value);
        }
        let value = compute.await?;
        let options = ttl.map_or_else(SetOptions::new, |ttl| SetOptions::new().expires_in(ttl));
        self.set_with(key, &value, options)?;
        let value = Bytes::copy_from_slice(value.as_ref());
        leader.flight.end(Ended::Landed(value.clone()));
        Ok(value)
    }

    /// [`Client::get_or_compute`] with a closure, on a thread of one's own.
    ///
    /// # Errors
    /// As there.
    pub fn get_or_compute_with<V, E>(
        &mut self,
        key: impl AsRef<[u8]>,
        ttl: impl Into<Option<Duration>>,
        compute: impl FnOnce() -> Result<V, E>,
    ) -> Result<Bytes, E>
    where
        V: AsRef<[u8]>,
        E: From<Error>,
    {
        block_on(self.get_or_compute(key, ttl, async { compute() }))
    }
}
