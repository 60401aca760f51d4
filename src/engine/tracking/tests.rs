//! What clients that cache are told, with a manual clock.

use std::time::Duration;

use crate::engine::commands::tests::harness::{Connection, Instance};

/// A connection of RESP3 that tracks with these options.
fn tracker(instance: &Instance, options: &str) -> Connection {
    let mut tracker = instance.remote();
    tracker.ask("HELLO 3");
    assert_eq!(tracker.ask(&format!("CLIENT TRACKING ON {options}")), "+OK\r\n");
    tracker
}

/// What it was told since: `key key …`, or `*` for everything, for each message.
fn told(connection: &mut Connection) -> Vec<String> {
    let text = connection.messages().replace("\r\n", "\n");
    let parts: Vec<&str> = text.split("$10\ninvalidate\n").collect();
    let keys = |part: &&str| match part.starts_with('_') {
        true => "*".to_owned(),
        false => part.lines().filter(|line| !line.starts_with(['*', '$', '>'])).collect::<Vec<_>>().join(" "),
    };
    parts.iter().skip(1).map(keys).collect()
}

fn info(connection: &mut Connection) -> Vec<String> {
    let text = connection.ask("INFO");
    let fields = text.lines().filter(|line| line.starts_with("tracking_"));
    fields.map(|line| line.split(':').nth(1).unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_was_read_is_told_of_once() {
    let instance = Instance::new();
    let (mut client, mut writer) = (tracker(&instance, ""), instance.remote());
    client.ask("MGET a b");
    client.ask("GET none");
    writer.ask("SET other 1");
    assert!(told(&mut client).is_empty());
    for command in ["MSET a 1 none 1", "SET a 2"] {
        writer.ask(command);
    }
    assert_eq!(told(&mut client), ["a", "none"]);
    client.ask("GET a");
    client.ask("SET a 3");
    assert_eq!(told(&mut client), ["a"], "of its own changes, too");
    client.ask("CLIENT TRACKING OFF");
    writer.ask("SET b 1");
    assert!(told(&mut client).is_empty());
    assert_eq!(info(&mut client), ["0", "0", "0", "0"]);
}

#[test]
fn a_prefix_is_enough_with_bcast() {
    let instance = Instance::new();
    let (mut client, mut writer) = (tracker(&instance, "BCAST PREFIX a PREFIX b"), instance.remote());
    let mut all = tracker(&instance, "BCAST NOLOOP");
    writer.ask("MSET b1 1 a2 1 c 1 a1 1 a2 2");
    assert_eq!(told(&mut client), ["a1 a2", "b1"]);
    assert_eq!(told(&mut all), ["a1 a2 b1 c"]);
    all.ask("SET a1 1");
    assert_eq!(told(&mut client), ["a1"]);
    assert!(told(&mut all).is_empty(), "of its own change");
    assert_eq!(info(&mut writer), ["2", "0", "0", "3"]);
    drop(all);
    client.ask("RESET");
    assert_eq!(client.ask("CLIENT GETREDIR"), ":-1\r\n");
    assert_eq!(instance.engine.tracking.trackers(), 1, "a dropped harness does not end its session");
}

#[test]
fn reads_count_as_caching_says() {
    let instance = Instance::new();
    let mut writer = instance.remote();
    let (mut yes, mut no) = (tracker(&instance, "OPTIN"), tracker(&instance, "OPTOUT"));
    for command in
        ["GET a", "CLIENT CACHING YES", "GET b", "GET c", "CLIENT CACHING YES", "MULTI", "GET d", "EXEC", "GET e"]
    {
        yes.ask(command);
    }
    for command in ["GET a", "CLIENT CACHING NO", "CLIENT ID", "GET b", "GET c"] {
        no.ask(command);
    }
    writer.ask("MSET a 1 b 1 c 1 d 1 e 1");
    assert_eq!(told(&mut yes), ["b", "d"]);
    assert_eq!(told(&mut no), ["a", "c"]);
}

#[test]
fn everything_is_one_message() {
    let instance = Instance::new();
    let mut writer = instance.remote();
    let (mut a, mut b) = (tracker(&instance, ""), tracker(&instance, "BCAST PREFIX x"));
    a.ask("GET k");
    for command in ["FLUSHDB", "FLUSHALL"] {
        writer.ask(command);
        assert_eq!((told(&mut a), told(&mut b)), (vec!["*".into()], vec!["*".into()]), "{command}");
    }
    writer.ask("SET k 1");
    assert!(told(&mut a).is_empty());
}

#[test]
fn what_expires_and_what_is_evicted_is_told_of() {
    let instance = Instance::with(&[("maxmemory-policy", "allkeys-lru")]);
    let (mut client, mut writer) = (tracker(&instance, ""), instance.remote());
    writer.ask("SET gone 1 PX 10");
    writer.ask("SET victim 1");
    client.ask("MGET gone victim");
    instance.engine.clock.advance(Duration::from_secs(1));
    assert_eq!(told(&mut client), ["gone"]);
    writer.ask("CONFIG SET maxmemory 1");
    writer.ask("GET victim");
    assert_eq!(told(&mut client), ["victim"]);
}

#[test]
fn a_full_table_forgets_and_says_so() {
    let instance = Instance::with(&[("tracking-table-max-keys", "10")]);
    let (mut client, mut writer) = (tracker(&instance, ""), instance.remote());
    let mut forgotten = Vec::new();
    for n in 0..2000 {
        client.ask(&format!("GET key:{n}"));
        forgotten.extend(told(&mut client));
    }
    let noted = instance.engine.tracking.sizes().0;
    assert_eq!(forgotten.len() + noted, 2000);
    assert_eq!(noted, 10);
    writer.ask("FLUSHALL");
    assert_eq!(instance.engine.tracking.sizes(), (0, 0, 0));
}

#[test]
fn somebody_else_may_be_told() {
    let instance = Instance::new();
    let (mut writer, mut target) = (instance.remote(), instance.remote());
    let mut client = instance.remote();
    let id = target.session.client.id;
    client.ask(&format!("CLIENT TRACKING ON REDIRECT {id}"));
    assert_eq!(client.ask("CLIENT GETREDIR"), format!(":{id}\r\n"));
    let mut read_and_write = || {
        client.ask("GET k");
        writer.ask("SET k 1");
    };
    read_and_write();
    assert_eq!(target.messages(), "", "it could not tell this from a reply");
    target.ask("SUBSCRIBE __redis__:invalidate");
    read_and_write();
    assert_eq!(target.messages(), "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n");
    target.ask("RESET");
    target.ask("HELLO 3");
    read_and_write();
    assert_eq!(told(&mut target), ["k"]);
    target.session.end(&instance.engine);
    read_and_write();
    assert!(client.ask("CLIENT TRACKINGINFO").contains("broken_redirect"));
    assert!(client.ask("CLIENT INFO").contains(" flags=tR "));
    client.ask("HELLO 3");
    client.ask("GET k");
    writer.ask("SET k 1");
    assert_eq!(client.messages(), format!(">2\r\n$21\r\ntracking-redir-broken\r\n:{id}\r\n"));
}

#[test]
fn tracking_begins_within_a_transaction() {
    let instance = Instance::new();
    let (mut client, mut writer) = (instance.remote(), instance.remote());
    for command in ["HELLO 3", "MULTI", "CLIENT TRACKING ON", "GET k", "EXEC"] {
        client.ask(command);
    }
    writer.ask("SET k 1");
    assert_eq!(told(&mut client), ["k"]);
}

#[test]
fn what_is_read_behind_a_change_in_the_same_transaction_is_told_of_later() {
    let instance = Instance::new();
    let (mut client, mut writer) = (tracker(&instance, ""), instance.remote());
    for command in ["MULTI", "SET a 1", "GET a", "EXEC"] {
        client.ask(command);
    }
    assert!(told(&mut client).is_empty(), "nothing of it was known before");
    writer.ask("SET a 2");
    assert_eq!(told(&mut client), ["a"]);
    client.ask("EVAL \"redis.call('set', KEYS[1], 1) return redis.call('get', KEYS[1])\" 1 b");
    assert!(told(&mut client).is_empty());
    writer.ask("SET b 2");
    assert_eq!(told(&mut client), ["b"]);
}

#[test]
fn what_goes_by_itself_is_told_of_whoever_meets_it() {
    let instance = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = tracker(&instance, "NOLOOP");
    client.ask("DEBUG SET-ACTIVE-EXPIRE 0");
    client.ask("SET a 1 PX 1");
    client.ask("GET a");
    instance.engine.clock.advance(Duration::from_millis(5));
    assert_eq!(client.ask("GET a"), "_\r\n");
    assert_eq!(told(&mut client), ["a"]);
    client.ask("SET a 1");
    assert!(told(&mut client).is_empty(), "it was read again, but its own change it knows");
}

#[test]
fn what_is_evicted_for_a_command_is_told_of_before_its_reply() {
    let instance = Instance::with(&[("maxmemory-policy", "volatile-ttl")]);
    let mut client = tracker(&instance, "");
    client.ask("SETEX volatile 10000 x");
    client.ask("GET volatile");
    let limit = instance.engine.used_memory() + (100 << 10);
    assert_eq!(client.ask(&format!("CONFIG SET maxmemory {limit}")), "+OK\r\n");
    assert_eq!(client.ask("SETBIT big 1600000 0"), ":0\r\n");
    assert_eq!(client.ask("GETBIT big 0"), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\nvolatile\r\n:0\r\n");
    assert!(told(&mut client).is_empty());
    let mut restore = || {
        for command in ["CONFIG SET maxmemory 0", "SETEX volatile 10000 x", "GET volatile"] {
            client.ask(command);
        }
        assert!(told(&mut client).is_empty());
    };
    restore();
    instance.engine.memory.limit.store(limit, std::sync::atomic::Ordering::Relaxed);
    let refused = client.ask("SET more 1");
    assert!(refused.starts_with(">2\r\n$10\r\ninvalidate\r\n"), "a refusal takes nothing back: {refused}");
    assert!(refused.ends_with("-OOM command not allowed when used memory > 'maxmemory'.\r\n"), "{refused}");
}

#[test]
fn no_more_keys_are_noted_than_allowed() {
    let instance = Instance::new();
    let mut client = tracker(&instance, "");
    client.ask("CONFIG SET tracking-table-max-keys 1");
    for number in 0..20 {
        client.ask(&format!("GET {number}"));
        assert_eq!(info(&mut client)[1..3], ["1", "1"], "keys and readers");
        let expected: &[String] = if number == 0 { &[] } else { &[(number - 1).to_string()] };
        assert_eq!(told(&mut client), expected);
    }
    client.ask("CONFIG SET tracking-table-max-keys 30");
    (100..129).for_each(|number| _ = client.ask(&format!("GET {number}")));
    assert!(told(&mut client).is_empty());
    client.ask("CONFIG SET tracking-table-max-keys 2");
    assert_eq!((told(&mut client).len(), &info(&mut client)[1]), (28, &"2".to_owned()), "and at once");
}
