//! Flushing and swapping databases keeps the accounts, and tells those who watch or wait.

use std::sync::Arc;

use super::*;
use crate::store::keyspace::{Keyspace, Waiter, WatchFlag};
use crate::store::record::NewValue;
use crate::value::table::Basis;

/// Somebody who waits for ever.
struct Patient;

impl Waiter for Patient {
    fn is_settled(&self) -> bool {
        false
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn touches(&self) -> &[Vec<u8>] {
        &[]
    }
}

fn keyspace() -> Keyspace {
    Keyspace::new(Basis::new(7, 0), 4).expect("a thread can be started")
}

fn fill(keys: &mut Keys<'_>, database: usize, count: usize) {
    keys.database = database;
    for number in 0..count {
        let key = format!("key:{number}");
        let deadline = (number % 3 == 0).then_some(1_000_000);
        keys.insert(key.as_bytes(), NewValue::Bytes(&vec![b'v'; number * 7]), deadline);
    }
}

#[test]
fn flushing_returns_every_byte() {
    let keyspace = keyspace();
    let mut keys = Keys::new(&keyspace);
    keys.enter_exclusively(1000);
    fill(&mut keys, 1, 500);
    keys.settle_bytes();
    let of_one = keyspace.record_bytes();
    fill(&mut keys, 3, 300);
    keys.settle_bytes();
    assert!(keyspace.record_bytes() > of_one);
    assert_eq!(keys.flush(3..4), 300);
    keys.settle_bytes();
    assert_eq!(keyspace.record_bytes(), of_one, "another database keeps its own");
    assert_eq!(
        (keys.count(), {
            keys.database = 1;
            keys.count()
        }),
        (0, 500)
    );
    assert_eq!(keys.flush(0..4), 500);
    keys.leave();
    assert_eq!(keyspace.record_bytes(), 0);
}

#[test]
fn only_watchers_of_keys_that_go_are_told_of_a_flush() {
    let keyspace = keyspace();
    let mut keys = Keys::new(&keyspace);
    keys.enter_exclusively(1000);
    fill(&mut keys, 0, 10);
    let [present, absent] = [&b"key:1"[..], b"nothing"].map(|key| {
        let flag = Arc::new(WatchFlag::default());
        keys.watch(key, flag.clone());
        flag
    });
    keys.flush(1..4);
    assert!(!present.is_raised());
    keys.flush(0..1);
    assert!(present.is_raised() && !absent.is_raised());
}

#[test]
fn a_swap_takes_values_along_and_wakes_who_waits_for_them() {
    let keyspace = keyspace();
    let mut keys = Keys::new(&keyspace);
    keys.enter_exclusively(1000);
    fill(&mut keys, 2, 10);
    keys.settle_bytes();
    let bytes = keyspace.record_bytes();
    let watched = Arc::new(WatchFlag::default());
    keys.database = 0;
    keys.watch(b"key:2", watched.clone());
    for key in [&b"key:4"[..], b"nothing"] {
        keys.with_shard_of(key, |shard| shard.enqueue_waiter((0, key.into()), 1, Arc::new(Patient)));
    }
    keys.swap_databases(0, 2);
    assert_eq!(keys.count(), 10);
    assert!(watched.is_raised());
    let mut ready = keys.effects.ready.to_vec();
    ready.sort();
    assert_eq!(ready, [(0, b"key:4".to_vec()), (0, b"nothing".to_vec())]);
    // The count of keys with a deadline went along: else the last of them would take it below zero.
    for number in 0..10 {
        assert!(keys.remove(format!("key:{number}").as_bytes()));
    }
    assert_eq!(keys.count(), 0);
    keys.leave();
    assert!(keyspace.record_bytes() < bytes);
}

#[test]
fn a_scan_meets_every_key_and_random_keys_are_live() {
    let keyspace = keyspace();
    let mut keys = Keys::new(&keyspace);
    keys.enter_exclusively(1000);
    assert_eq!(keys.random_key(&Random::from_seed(1)), None);
    fill(&mut keys, 0, 2000);
    keys.insert(b"expired", NewValue::Integer(1), Some(10));
    let (mut at, mut met) = (Some((0, 0)), std::collections::BTreeSet::new());
    while let Some(place) = at {
        at = keys.scan(place, |record| {
            met.insert(record.key().to_vec());
        });
    }
    assert_eq!((met.len(), keys.count()), (2000, 2000), "what has expired is gone");
    keys.insert(b"expired", NewValue::Integer(1), Some(10));
    let mut visited = 0;
    keys.each_record(|_| visited += 1);
    assert_eq!((visited, keys.count()), (2000, 2001));
    for seed in 0..100 {
        let key = keys.random_key(&Random::from_seed(seed)).expect("there are keys");
        assert!(met.contains(&key));
    }
}
