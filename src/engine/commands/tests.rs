//! The engine's rows keep the rules of all rows, and no name is declared on two floors.

use std::collections::HashSet;
use std::time::Duration;

use crate::command;
use crate::command::spec::tests::check_rows;

#[test]
fn rows_are_well_formed() {
    check_rows(super::FAMILIES);
}

#[test]
fn no_command_is_declared_on_two_floors() {
    let data: HashSet<_> = command::FAMILIES.iter().copied().flatten().map(|row| row.name).collect();
    for row in super::FAMILIES.iter().copied().flatten() {
        assert!(!data.contains(row.name), "{} is declared twice", row.name);
    }
}

mod diagnosis;
pub(crate) mod harness;

use harness::Instance;

#[test]
fn logging_in() {
    let server = Instance::with(&[("requirepass", "secret")]);
    let mut stranger = server.remote();
    for (command, reply) in [
        ("PING", "-NOAUTH Authentication required.\r\n"),
        ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        ("AUTH somebody secret", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        ("HELLO 3 AUTH default secret EXTRA", "-ERR Syntax error in HELLO option 'EXTRA'\r\n"),
        ("PING", "-NOAUTH Authentication required.\r\n"),
        ("AUTH secret", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
        ("RESET", "+RESET\r\n"),
        ("PING", "-NOAUTH Authentication required.\r\n"),
        ("AUTH default secret", "+OK\r\n"),
        ("CONFIG SET requirepass \"\"", "+OK\r\n"),
        ("RESET", "+RESET\r\n"),
        ("PING", "+PONG\r\n"),
    ] {
        assert_eq!(stranger.ask(command), reply, "{command}");
    }
    let refused = server.remote().ask("HELLO 2 AUTH nobody x");
    assert_eq!(refused, "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    assert!(stranger.ask("INFO stats").contains("acl_access_denied_auth:3\r\n"));
}

#[test]
fn hello_switches_the_protocol_of_its_own_reply() {
    let server = Instance::new();
    let mut client = server.remote();
    let greeting = client.ask("HELLO 3 SETNAME me");
    assert!(
        greeting
            .starts_with("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:3\r\n")
    );
    assert_eq!(client.ask("CLIENT GETNAME"), "$2\r\nme\r\n");
    assert_eq!(client.ask("GET nothing"), "_\r\n");
    assert!(client.ask("HELLO 2").starts_with("*14\r\n"));
    assert_eq!(client.ask("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
    assert_eq!(client.ask("GET nothing"), "$-1\r\n");
}

#[test]
fn select_and_reset() {
    let server = Instance::new();
    let mut client = server.remote();
    for (command, reply) in [
        ("SELECT 3", "+OK\r\n"),
        ("SET k 3", "+OK\r\n"),
        ("SELECT 16", "-ERR DB index is out of range\r\n"),
        ("GET k", "$1\r\n3\r\n"),
        ("WATCH k", "+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        ("RESET", "+RESET\r\n"),
        ("GET k", "$-1\r\n"),
        ("EXEC", "-ERR EXEC without MULTI\r\n"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
}

#[test]
fn a_transaction_sees_what_it_watches() {
    let server = Instance::new();
    let (mut a, mut b) = (server.remote(), server.remote());
    a.ask("SET k 1");
    let mut outcome = |between: &[&str], theirs: &str| {
        a.ask("WATCH k k");
        between.iter().for_each(|command| {
            a.ask(command);
        });
        b.ask(theirs);
        a.ask("MULTI");
        a.ask("GET k");
        let reply = a.ask("EXEC");
        assert_eq!(a.ask("EXEC"), "-ERR EXEC without MULTI\r\n");
        reply
    };
    assert_eq!(outcome(&[], "SET k 2"), "*-1\r\n");
    assert_eq!(outcome(&[], "GET k"), "*1\r\n$1\r\n2\r\n");
    assert_eq!(outcome(&["UNWATCH"], "SET k 3"), "*1\r\n$1\r\n3\r\n");
    assert_eq!(outcome(&["MULTI", "DISCARD"], "SET k 4"), "*1\r\n$1\r\n4\r\n");
    assert_eq!(outcome(&["SET k 5"], "PING"), "*-1\r\n");
    assert_eq!(outcome(&["SELECT 1", "SET k 6", "SELECT 0"], "PING"), "*1\r\n$1\r\n5\r\n");
    // Watching leaves nothing behind, whatever ended it.
    a.session.end(&server.engine);
    for index in 0..crate::base::limits::SHARDS {
        let mut shard = server.engine.keyspace.shard(index).lock();
        shard.touch_database(0, |_, key| unreachable!("{key:?} is still watched"));
    }
}

#[test]
fn a_watched_key_that_expires_is_a_change() {
    let server = Instance::new();
    let mut client = server.remote();
    client.ask("SET k 1 PX 10");
    client.ask("WATCH k");
    server.engine.clock.advance(std::time::Duration::from_millis(20));
    client.ask("MULTI");
    client.ask("PING");
    assert_eq!(client.ask("EXEC"), "*-1\r\n");
}

#[test]
fn a_refused_command_spoils_its_transaction() {
    let server = Instance::new();
    let mut client = server.remote();
    for (command, reply) in [
        ("MULTI", "+OK\r\n"),
        ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
        ("WATCH k", "-ERR WATCH inside MULTI is not allowed\r\n"),
        ("SET k x", "+QUEUED\r\n"),
        ("INCR k", "+QUEUED\r\n"),
        ("SELECT 1", "+QUEUED\r\n"),
        ("SET k 1", "+QUEUED\r\n"),
        ("EXEC", "*4\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n+OK\r\n"),
        ("GET k", "$1\r\n1\r\n"),
        ("MULTI", "+OK\r\n"),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ("DISCARD", "-ERR DISCARD without MULTI\r\n"),
        ("MULTI", "+OK\r\n"),
        ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n"),
        ("EXEC", "-ERR EXEC without MULTI\r\n"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
}

#[test]
fn a_transaction_that_would_need_memory_is_discarded() {
    let server = Instance::new();
    let mut client = server.remote();
    for (command, reply) in [
        ("MULTI", "+OK\r\n"),
        ("SET k v", "+QUEUED\r\n"),
        ("CONFIG SET maxmemory 1", "+QUEUED\r\n"),
        ("EXEC", "*2\r\n+OK\r\n+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        ("GET k", "+QUEUED\r\n"),
        ("EXEC", "*1\r\n$1\r\nv\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET k w", "-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ("CONFIG SET maxmemory 0", "+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET k w", "+QUEUED\r\n"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
    server.remote().ask("CONFIG SET maxmemory 1");
    assert_eq!(
        client.ask("EXEC"),
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n"
    );
    assert_eq!(client.ask("GET k"), "$1\r\nv\r\n");
}

#[test]
fn subscribing_and_publishing() {
    let server = Instance::new();
    let (mut listener, mut speaker) = (server.remote(), server.remote());
    assert_eq!(
        listener.ask("SUBSCRIBE a b a"),
        "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n\
         *3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n"
    );
    assert_eq!(listener.ask("PSUBSCRIBE a*"), "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3\r\n");
    assert_eq!(listener.ask("PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    assert!(listener.ask("GET k").starts_with("-ERR Can't execute 'get': only (P|S)SUBSCRIBE"));
    assert_eq!(speaker.ask("PUBLISH a hi"), ":2\r\n");
    assert_eq!(speaker.ask("PUBLISH c hi"), ":0\r\n");
    assert_eq!(
        listener.messages(),
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$2\r\nhi\r\n"
    );
    assert!(listener.ask("HELLO 3").starts_with("-ERR Can't execute 'hello'"));
    for command in ["RESET", "HELLO 3", "SUBSCRIBE a b", "PSUBSCRIBE a*"] {
        listener.ask(command);
    }
    speaker.ask("PUBLISH b hi");
    assert_eq!(listener.messages(), ">3\r\n$7\r\nmessage\r\n$1\r\nb\r\n$2\r\nhi\r\n");
    assert_eq!(listener.ask("PING"), "+PONG\r\n");
    assert_eq!(speaker.ask("PUBSUB NUMSUB a c"), "*4\r\n$1\r\na\r\n:1\r\n$1\r\nc\r\n:0\r\n");
    assert_eq!(speaker.ask("PUBSUB NUMPAT"), ":1\r\n");
    assert_eq!(speaker.ask("PUBSUB CHANNELS b*"), "*1\r\n$1\r\nb\r\n");
    assert_eq!(
        listener.ask("UNSUBSCRIBE"),
        ">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n>3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n"
    );
    assert_eq!(listener.ask("UNSUBSCRIBE"), ">3\r\n$11\r\nunsubscribe\r\n_\r\n:1\r\n");
    listener.ask("HELLO 2");
    speaker.ask("PUBLISH ab hi");
    assert_eq!(listener.messages(), "*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$2\r\nhi\r\n");
    assert_eq!(listener.ask("RESET"), "+RESET\r\n");
    assert_eq!(speaker.ask("PUBLISH a hi"), ":0\r\n");
    assert_eq!(speaker.ask("PUBSUB NUMPAT"), ":0\r\n");
}

#[test]
fn channels_of_shards_are_apart_from_the_others() {
    let server = Instance::new();
    let (mut listener, mut other) = (server.remote(), server.remote());
    let confirmed = |kind: &str, count: u32| format!("*3\r\n${}\r\n{kind}\r\n$1\r\na\r\n:{count}\r\n", kind.len());
    assert_eq!(listener.ask("SUBSCRIBE a"), confirmed("subscribe", 1));
    assert_eq!(listener.ask("SSUBSCRIBE a"), confirmed("ssubscribe", 1));
    assert_eq!((other.ask("SPUBLISH a x"), other.ask("SPUBLISH b x")), (":1\r\n".into(), ":0\r\n".into()));
    assert_eq!(listener.messages(), "*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
    assert!(other.ask("CLIENT LIST TYPE pubsub").contains(" sub=1 psub=0 ssub=1 "));
    assert_eq!(listener.ask("UNSUBSCRIBE a"), confirmed("unsubscribe", 0));
    assert!(listener.ask("GET k").starts_with("-ERR Can't execute"), "still subscribed");
    assert_eq!(listener.ask("RESET"), "+RESET\r\n");
    assert_eq!(other.ask("PUBSUB SHARDCHANNELS"), "*0\r\n");
    for command in ["MULTI", "SSUBSCRIBE a"] {
        other.ask(command);
    }
    assert_eq!(other.ask("EXEC"), "*1\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n");
}

#[test]
fn replies_are_switched_off_and_on() {
    let server = Instance::new();
    let mut client = server.remote();
    for (command, reply) in [
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", "+PONG\r\n"),
        ("CLIENT REPLY SKIP", ""),
        ("CLIENT REPLY ON", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
        ("CLIENT REPLY OFF", ""),
        ("PING", ""),
        ("NONSENSE", ""),
        ("CLIENT REPLY SKIP", ""),
        ("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
        ("UNSUBSCRIBE a", "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n"),
        ("CLIENT REPLY ON", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
}

#[test]
fn clients_are_listed_and_killed() {
    let server = Instance::new();
    let (mut a, mut b) = (server.remote(), server.remote());
    assert_eq!(a.ask("CLIENT ID"), ":1\r\n");
    a.ask("CLIENT SETINFO LIB-NAME lib");
    a.ask("CLIENT SETNAME first");
    assert_eq!(
        a.ask("CLIENT SETINFO lib-Ver \"1 2\""),
        "-ERR lib-Ver cannot contain spaces, newlines or special characters.\r\n"
    );
    b.ask("MULTI");
    let line = |id: u32, name: &str, multi: i32, command: &str, flags: &str, library: &str| {
        let qbuf = if command == "client|list" { 26 } else { 0 };
        format!(
            "id={id} addr=10.0.0.1:{id} laddr=10.0.0.9:6379 fd=-1 name={name} age=0 idle=0 flags={flags} db=0 sub=0 psub=0 \
             ssub=0 multi={multi} qbuf={qbuf} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem={} \
             events=r cmd={command} user=default redir=-1 resp=2 lib-name={library} lib-ver=\n",
            crate::engine::clients::CONNECTION_BYTES
        )
    };
    let (first, second) = (line(1, "first", -1, "client|list", "N", "lib"), line(2, "", 0, "multi", "x", ""));
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    assert_eq!(a.ask("CLIENT LIST"), bulk(&[first.as_str(), &second].concat()));
    assert_eq!(a.ask("CLIENT LIST ID 2 9 2"), bulk(&[second.as_str(), &second].concat()));
    assert_eq!(a.ask("CLIENT LIST TYPE pubsub"), "$0\r\n\r\n");
    assert_eq!(a.ask("CLIENT KILL 10.0.0.1:3"), "-ERR No such client\r\n");
    assert_eq!(a.ask("CLIENT KILL ID 1"), ":0\r\n");
    assert_eq!(a.ask("CLIENT KILL MAXAGE 1"), ":0\r\n");
    assert_eq!(a.ask("CLIENT KILL TYPE normal LADDR 10.0.0.9:6379"), ":1\r\n");
    assert!(b.session.client.outbox.is_closed() && !a.session.closing);
    assert_eq!(a.ask("CLIENT KILL 10.0.0.1:1"), "+OK\r\n");
    assert!(a.session.closing && !a.session.client.outbox.is_closed());
}

#[test]
fn callers_in_process_are_killed_by_id_only() {
    let server = Instance::new();
    let (local, mut remote) = (server.local(), server.remote());
    assert_eq!(remote.ask("CLIENT KILL TYPE normal SKIPME yes"), ":0\r\n");
    assert_eq!(remote.ask("CLIENT KILL ID 1"), ":1\r\n");
    assert!(local.session.client.outbox.is_closed());
}

#[test]
fn info_shows_what_is_asked_for() {
    let server = Instance::new();
    let mut client = server.remote();
    client.ask("SET k v PX 1000");
    client.ask("SET l v");
    client.ask("GET l");
    client.ask("INCR l");
    assert_eq!(client.ask("INFO keyspace"), "$47\r\n# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=1000\r\n\r\n");
    assert_eq!(client.ask("INFO nothing"), "$0\r\n\r\n");
    assert_eq!(client.ask("INFO cluster MODULES"), "$43\r\n# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n");
    let titles = |text: &str| text.lines().filter(|line| line.starts_with("# ")).collect::<Vec<_>>().concat();
    let by_default =
        "# Server# Clients# Memory# Persistence# Stats# Replication# CPU# Modules# Errorstats# Cluster# Keyspace";
    assert_eq!(titles(&client.ask("INFO")), by_default);
    assert_eq!(titles(&client.ask("INFO default")), by_default);
    assert_eq!(
        titles(&client.ask("INFO everything")),
        by_default.replace("# Errorstats", "# Commandstats# Errorstats# Latencystats")
    );
    let all = client.ask("INFO all");
    for line in [
        "redis_version:7.2.4",
        "tcp_port:0",
        "total_commands_processed:10",
        "keyspace_hits:1",
        "total_error_replies:1",
        "errorstat_ERR:count=1",
        "maxmemory_policy:noeviction",
        "loading:0",
        "role:master",
    ] {
        assert!(all.contains(&format!("\r\n{line}\r\n")), "{line} in {all}");
    }
    assert!(all.contains("cmdstat_incr:calls=1,") && all.contains("failed_calls=1\r\n"));
    client.ask("CONFIG RESETSTAT");
    assert!(!client.ask("INFO errorstats").contains("errorstat_"));
}

#[test]
fn settings_are_shown_and_changed_together() {
    let server = Instance::new();
    let mut client = server.remote();
    for (command, reply) in [
        ("CONFIG GET maxmemory nothing", "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n"),
        (
            "CONFIG SET maxmemory 1mb nothing x",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nothing'\r\n",
        ),
        ("CONFIG SET maxmemory", "-ERR wrong number of arguments for 'config|set' command\r\n"),
        ("CONFIG SET maxmemory 1mb hz", "-ERR syntax error\r\n"),
        (
            "CONFIG SET databases 1",
            "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config\r\n",
        ),
        ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n"),
        ("CONFIG SET maxmemory 1mb maxmemory-samples 7", "+OK\r\n"),
        ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$7\r\n1048576\r\n"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
    assert!(server.engine.memory.is_limited());
}

#[test]
fn slow_commands_are_logged() {
    let server = Instance::with(&[("slowlog-log-slower-than", "0")]);
    let mut client = server.remote();
    client.ask("SET k v");
    assert_eq!(client.ask("SLOWLOG LEN"), ":1\r\n");
    let log = client.ask("SLOWLOG GET 1");
    assert!(log.starts_with("*1\r\n*6\r\n:1\r\n:1000\r\n") && log.contains("SLOWLOG"), "{log}");
    assert_eq!(client.ask("SLOWLOG GET -2"), "-ERR count should be greater than or equal to -1\r\n");
    assert_eq!(client.ask("SLOWLOG RESET"), "+OK\r\n");
    assert!(client.ask("SLOWLOG GET -1").contains("RESET"));
}

#[test]
fn shutdown_stops_without_a_word() {
    let server = Instance::with(&[("dir", "/nowhere/to/save/to")]);
    let mut client = server.remote();
    assert_eq!(client.ask("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    assert_eq!(client.ask("SHUTDOWN ABORT"), "-ERR No shutdown in progress.\r\n");
    assert_eq!(client.ask("SHUTDOWN SAVE NOSAVE"), "-ERR syntax error\r\n");
    assert!(!server.engine.stopping.is_wished());
    let mut other = server.remote();
    assert_eq!(other.ask("SET k v"), "+OK\r\n");
    assert_eq!(client.ask("SHUTDOWN NOSAVE"), "");
    assert_eq!(other.ask("SET k w"), "-ERR The server is shutting down\r\n");
    assert!(client.session.closing && client.session.shutdown && server.engine.stopping.is_wished());
}

#[test]
fn debug_is_refused_unless_it_is_enabled() {
    assert!(Instance::new().remote().ask("DEBUG DIGEST").starts_with("-ERR DEBUG command not allowed."));
    let server = Instance::with(&[("enable-debug-command", "local")]);
    assert!(server.remote().ask("DEBUG DIGEST").starts_with("-ERR DEBUG command not allowed."));
    assert_eq!(server.local().ask("DEBUG DIGEST"), format!("+{}\r\n", "0".repeat(40)));
}

#[test]
fn the_clock_is_moved_from_within() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.remote();
    for (command, reply) in [
        ("DEBUG CLOCK NOW", ":1000000\r\n"),
        ("SET k v PX 500", "+OK\r\n"),
        ("DEBUG CLOCK ADVANCE 400", "+OK\r\n"),
        ("GET k", "$1\r\nv\r\n"),
        ("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n"),
        ("DEBUG CLOCK SET 1000700", "+OK\r\n"),
        ("INFO keyspace", "$44\r\n# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=0\r\n\r\n"),
        ("DEBUG SET-ACTIVE-EXPIRE 1", "+OK\r\n"),
        ("DEBUG SLEEP 0.3", "+OK\r\n"),
        ("INFO keyspace", "$12\r\n# Keyspace\r\n\r\n"),
        ("DEBUG CLOCK NOW", ":1001000\r\n"),
        ("TIME", "*2\r\n$4\r\n1001\r\n$1\r\n0\r\n"),
        ("DEBUG CLOCK ADVANCE -1", "-ERR value is out of range, must be positive\r\n"),
        ("MULTI", "+OK\r\n"),
        ("DEBUG CLOCK ADVANCE 1", "+QUEUED\r\n"),
        ("EXEC", "*1\r\n-ERR Command not allowed inside a transaction\r\n"),
    ] {
        assert_eq!(client.ask(command), reply, "{command}");
    }
}

#[test]
fn a_panic_latches_the_instance() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.remote();
    assert!(client.ask("DEBUG PANIC").starts_with("-MISCONF "));
    assert!(client.ask("SET k v").starts_with("-MISCONF "));
    assert_eq!(client.ask("GET k"), "$-1\r\n");
    assert!(client.ask("INFO stats").contains("read_only_since_failure:1\r\n"));
}

#[test]
fn a_walk_removes_the_expired_keys_that_it_meets() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    assert_eq!(client.ask("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK\r\n");
    client.ask("SET live 1");
    client.ask("SET a 1 PX 1");
    client.ask("SET b 1 PX 1");
    server.engine.clock.advance(Duration::from_millis(5));
    assert_eq!(client.ask("DBSIZE"), ":3\r\n");
    client.ask("KEYS *");
    assert_eq!(client.ask("DBSIZE"), ":3\r\n");
    assert_eq!(client.ask("SCAN 0 COUNT 100000"), "*2\r\n$1\r\n0\r\n*1\r\n$4\r\nlive\r\n");
    assert_eq!(client.ask("DBSIZE"), ":1\r\n");
}

#[test]
fn what_had_expired_is_no_change_of_a_watched_key_when_databases_are_swapped() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    assert_eq!(client.ask("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK\r\n");
    let mut outcome = |before: &[&str], after: &[&str]| {
        client.ask("FLUSHALL");
        client.ask("SELECT 0");
        before.iter().for_each(|command| _ = client.ask(command));
        server.engine.clock.advance(Duration::from_millis(5));
        after.iter().chain(&["MULTI", "PING"]).for_each(|command| _ = client.ask(command));
        client.ask("EXEC")
    };
    let ran = "*1\r\n+PONG\r\n";
    assert_eq!(outcome(&["SET x 1 PX 1"], &["SELECT 1", "WATCH x", "SWAPDB 0 1"]), ran, "x is stale in the other");
    assert_eq!(outcome(&["SET x 1 PX 1"], &["WATCH x", "SWAPDB 0 1"]), ran, "x is stale here");
    let both = ["SET x 1 PX 1", "SELECT 1", "SET x 2 PX 1"];
    assert_eq!(outcome(&both, &["WATCH x", "SWAPDB 0 1"]), ran, "x is stale in both");
    assert_eq!(outcome(&both, &["WATCH x", "SWAPDB 0 1", "SWAPDB 0 1"]), ran, "and back");
    let lives = "*-1\r\n";
    assert_eq!(outcome(&["SET x 1 PX 9"], &["SELECT 1", "WATCH x", "SWAPDB 0 1"]), lives, "x comes");
    assert_eq!(outcome(&["SET x 1 PX 9"], &["WATCH x", "SWAPDB 0 1"]), lives, "x goes");
}

#[test]
fn who_asks_for_connections_has_its_question_in_its_query_buffer() {
    let server = Instance::new();
    let (mut client, _other) = (server.remote(), server.remote());
    assert!(client.ask("CLIENT INFO").contains(" qbuf=26 "));
    let list = client.ask("CLIENT LIST");
    assert_eq!((list.matches(" qbuf=26 ").count(), list.matches(" qbuf=0 ").count()), (1, 1), "{list}");
}

#[test]
fn values_that_are_freed_elsewhere_count_once_each_and_anew_after_a_reset() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    client.ask("DEBUG POPULATE 1000 k");
    let mut freed = |expected: u64| {
        // The thread that frees tells nobody when it has.
        while server.engine.keyspace.reclaimer.pending() > 0 {
            std::thread::yield_now();
        }
        let info = client.ask("INFO memory");
        assert!(info.contains(&format!("lazyfreed_objects:{expected}\r\n")), "{expected}: {info}");
        assert!(info.contains("lazyfree_pending_objects:0\r\n"));
        client.ask("CONFIG RESETSTAT");
    };
    freed(0);
    server.local().ask("FLUSHALL");
    freed(1000);
    let numbers: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    server.local().ask(&format!("RPUSH big {}", numbers.join(" ")));
    server.local().ask("UNLINK big");
    freed(1);
}
