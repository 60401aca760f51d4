//! What subscribers read of changes, with a manual clock.

use std::time::Duration;

use crate::engine::commands::tests::harness::{Connection, Instance};

/// What a subscriber read since, one word per message: the event, and the database and key or the key alone.
fn read(subscriber: &mut Connection) -> Vec<String> {
    let text = subscriber.messages().replace("\r\n", "\n");
    let parts = text.split("$8\npmessage\n").skip(1);
    let words =
        |part: &str| part.lines().filter(|line| !line.starts_with(['$', '*'])).skip(1).collect::<Vec<_>>().join(" ");
    parts.map(words).collect()
}

fn subscriber(instance: &Instance) -> Connection {
    let mut subscriber = instance.local();
    subscriber.ask("PSUBSCRIBE __key*__:*");
    subscriber
}

#[test]
fn both_channels_name_database_key_and_event() {
    let instance = Instance::with(&[("notify-keyspace-events", "KEA")]);
    let mut subscriber = subscriber(&instance);
    let mut client = instance.local();
    client.ask("SELECT 3");
    client.ask("SET k v");
    assert_eq!(read(&mut subscriber), ["__keyspace@3__:k set", "__keyevent@3__:set k"]);
}

#[test]
fn only_the_classes_that_are_wanted_are_announced() {
    let instance = Instance::new();
    let mut subscriber = subscriber(&instance);
    let mut client = instance.local();
    let mut after = |setting: &str| {
        client.ask(&format!("CONFIG SET notify-keyspace-events {setting}"));
        client.ask("DEL k l");
        client.ask("SET k v EX 10");
        client.ask("RPUSH l 1");
        client.ask("GET none");
        read(&mut subscriber)
    };
    assert!(after("\"\"").is_empty());
    assert!(after("A").is_empty(), "without a channel there is nothing to announce on");
    assert_eq!(after("El"), ["__keyevent@0__:rpush l"]);
    assert_eq!(after("E$m"), ["__keyevent@0__:set k", "__keyevent@0__:keymiss none"]);
    assert_eq!(after("Kn"), ["__keyspace@0__:k new", "__keyspace@0__:l new"]);
    let generic = ["__keyevent@0__:del k", "__keyevent@0__:del l", "__keyevent@0__:expire k"];
    assert_eq!(after("Eg"), generic);
    assert!(after("\"\"").is_empty());
}

#[test]
fn a_transaction_is_announced_in_its_order() {
    let instance = Instance::with(&[("notify-keyspace-events", "KEA")]);
    let mut subscriber = subscriber(&instance);
    let mut client = instance.local();
    for command in ["MULTI", "CONFIG SET notify-keyspace-events E$l", "RPUSH q 1 2", "SET k v", "LPOP q", "EXEC"] {
        client.ask(command);
    }
    let events = ["__keyevent@0__:rpush q", "__keyevent@0__:set k", "__keyevent@0__:lpop q"];
    assert_eq!(read(&mut subscriber), events);
}

#[test]
fn what_waits_and_what_expires_is_announced() {
    let instance = Instance::with(&[("notify-keyspace-events", "EA")]);
    let mut subscriber = subscriber(&instance);
    let (mut client, mut waiter) = (instance.local(), instance.local());
    assert_eq!(waiter.ask("BLPOP q 0"), "");
    client.ask("RPUSH q 1");
    assert_eq!(read(&mut subscriber), ["__keyevent@0__:rpush q", "__keyevent@0__:lpop q", "__keyevent@0__:del q"]);
    client.ask("SET gone v PX 10");
    client.ask("SET met v PX 10");
    read(&mut subscriber);
    instance.engine.active_expiry.store(false, std::sync::atomic::Ordering::Relaxed);
    instance.engine.clock.advance(Duration::from_millis(11));
    assert!(read(&mut subscriber).is_empty());
    client.ask("GET met");
    assert_eq!(read(&mut subscriber), ["__keyevent@0__:expired met"]);
    instance.engine.active_expiry.store(true, std::sync::atomic::Ordering::Relaxed);
    instance.engine.clock.advance(Duration::from_secs(1));
    assert_eq!(read(&mut subscriber), ["__keyevent@0__:expired gone"]);
}

#[test]
fn what_is_evicted_is_announced() {
    let instance = Instance::with(&[("notify-keyspace-events", "Ee"), ("maxmemory-policy", "allkeys-lru")]);
    let mut subscriber = subscriber(&instance);
    let mut client = instance.local();
    client.ask("SET a 1");
    client.ask("CONFIG SET maxmemory 1");
    client.ask("GET a");
    assert_eq!(read(&mut subscriber), ["__keyevent@0__:evicted a"]);
}

/// Without waiting for the next command.
#[test]
fn what_a_lower_limit_evicts_is_announced_at_once() {
    let instance = Instance::with(&[("notify-keyspace-events", "Ee"), ("maxmemory-policy", "allkeys-lru")]);
    let mut subscriber = subscriber(&instance);
    let mut client = instance.local();
    client.ask("SET k v");
    client.ask("CONFIG SET maxmemory 1");
    assert_eq!(read(&mut subscriber), ["__keyevent@0__:evicted k"]);
}
