//! LATENCY, MEMORY, ACL, LOLWUT and the harmless part of DEBUG.

use std::time::Duration;

use super::harness::Instance;

#[test]
fn slow_moments_are_noted_by_event_when_a_threshold_is_set() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    let slow = || server.engine.latency.note("command", &server.engine.clock, 150_000_000);
    slow();
    assert_eq!(client.ask("LATENCY LATEST"), "*0\r\n");
    assert!(client.ask("LATENCY DOCTOR").contains("is off"));
    client.ask("CONFIG SET latency-monitor-threshold 100");
    assert!(client.ask("LATENCY DOCTOR").contains("Nothing took 100 ms"));
    slow();
    assert_eq!(client.ask("LATENCY LATEST"), "*1\r\n*4\r\n$7\r\ncommand\r\n:1000\r\n:150\r\n:150\r\n");
    assert_eq!(client.ask("LATENCY HISTORY command"), "*1\r\n*2\r\n:1000\r\n:150\r\n");
    assert_eq!(client.ask("LATENCY HISTORY COMMAND"), "*0\r\n");
    assert!(client.ask("LATENCY GRAPH command").contains("high 150 ms, low 150 ms (all time high 150 ms)"));
    assert_eq!(client.ask("LATENCY GRAPH nosuch"), "-ERR No samples available for event 'nosuch'\r\n");
    assert!(client.ask("LATENCY DOCTOR").contains("1 slow seconds, 150 ms on average"));
    assert_eq!(client.ask("LATENCY RESET nosuch COMMAND"), ":1\r\n");
    assert_eq!(client.ask("LATENCY RESET"), ":0\r\n");
}

#[test]
fn with_a_threshold_a_hanging_command_is_an_event_of_its_own_kind() {
    let server = Instance::with(&[("enable-debug-command", "yes"), ("latency-monitor-threshold", "1")]);
    let mut client = server.local();
    // So many keys take their time, whatever the machine.
    client.ask("DEBUG POPULATE 300000");
    let latest = client.ask("LATENCY LATEST");
    assert!(latest.contains("$7\r\ncommand\r\n"), "{latest}");
}

#[test]
fn histograms_tell_how_many_calls_took_at_most_so_long() {
    let server = Instance::new();
    let mut client = server.local();
    let get = crate::engine::registry::REGISTRY.find(b"get").unwrap().id;
    server.engine.stats.took(get, 3, 900);
    server.engine.stats.took(get, 1, 3_000);
    assert_eq!(
        client.ask("LATENCY HISTOGRAM get nosuch"),
        "*2\r\n$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:4\r\n$14\r\nhistogram_usec\r\n*4\r\n:1\r\n:3\r\n:4\r\n:4\r\n"
    );
    client.ask("CONFIG GET port");
    assert!(client.ask("LATENCY HISTOGRAM config").contains("config|get"));
    client.ask("CONFIG RESETSTAT");
    assert_eq!(client.ask("LATENCY HISTOGRAM get"), "*0\r\n");
}

#[test]
fn memory_stats_add_up() {
    let server = Instance::new();
    let mut client = server.local();
    client.ask("HELLO 3");
    client.ask("SET key value");
    let stats = client.ask("MEMORY STATS");
    assert!(stats.starts_with("%28\r\n$14\r\npeak.allocated\r\n:"), "{stats}");
    assert!(stats.contains("$10\r\nkeys.count\r\n:1\r\n"), "{stats}");
    assert!(stats.contains("$4\r\ndb.0\r\n%3\r\n$23\r\noverhead.hashtable.main\r\n:"), "{stats}");
    assert!(client.ask("MEMORY DOCTOR").contains("too little to judge by"));
    assert!(client.ask("MEMORY MALLOC-STATS").contains("not supported"));
}

#[test]
fn the_only_user_is_described() {
    let server = Instance::new();
    let mut client = server.local();
    assert_eq!(client.ask("ACL WHOAMI"), "$7\r\ndefault\r\n");
    assert_eq!(client.ask("ACL LIST"), "*1\r\n$51\r\nuser default on nopass sanitize-payload ~* &* +@all\r\n");
    client.ask("CONFIG SET requirepass foo");
    let digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    assert!(client.ask("ACL LIST").contains(&format!("user default on sanitize-payload #{digest} ~* &* +@all")));
    assert!(client.ask("ACL GETUSER default").contains(&format!("passwords\r\n*1\r\n$64\r\n{digest}\r\n")));
    assert_eq!(client.ask("ACL GENPASS 5").len(), "$2\r\nxx\r\n".len());
    assert_eq!(client.ask("ACL GENPASS 12").len(), "$3\r\nxxx\r\n".len());
    assert_ne!(client.ask("ACL GENPASS"), client.ask("ACL GENPASS"));
    assert_eq!(client.ask("ACL SETUSER x"), "-ERR unknown subcommand 'SETUSER'. Try ACL HELP.\r\n");
}

#[test]
fn lolwut_ends_with_the_version() {
    let server = Instance::new();
    let text = server.local().ask("LOLWUT VERSION 5 20 3");
    assert!(text.trim_end().ends_with("Redis ver. 7.2.4"), "{text}");
}

#[test]
fn the_replication_id_is_drawn_anew() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    let before = client.ask("INFO replication");
    assert_eq!(client.ask("INFO replication"), before);
    assert_eq!(client.ask("DEBUG CHANGE-REPL-ID"), "+OK\r\n");
    assert_ne!(client.ask("INFO replication"), before);
}

#[test]
fn debug_populate_leaves_what_is_there() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    client.ask("SET k:1 mine");
    assert_eq!(client.ask("DEBUG POPULATE 3 k 10"), "+OK\r\n");
    assert_eq!(client.ask("MGET k:0 k:1 k:2"), "*3\r\n$10\r\nvalue:0\0\0\0\r\n$4\r\nmine\r\n$10\r\nvalue:2\0\0\0\r\n");
    assert_eq!(client.ask("DEBUG POPULATE x"), "-ERR value is out of range, must be positive\r\n");
    let line = client.ask("DEBUG OBJECT k:1");
    assert!(line.contains(" refcount:1 encoding:embstr serializedlength:5 lru:"), "{line}");
    assert_eq!(client.ask("DEBUG OBJECT nosuch"), "-ERR no such key\r\n");
    assert_eq!(client.ask("DEBUG STRINGMATCH-LEN a*b a---b"), ":1\r\n");
}

#[test]
fn debug_accepts_what_sets_sizes_that_nothing_here_has() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    for command in [
        "QUICKLIST-PACKED-THRESHOLD 1b",
        "QUICKLIST-PACKED-THRESHOLD 0",
        "REPLYBUFFER PEAK-RESET-TIME never",
        "REPLYBUFFER peak-reset-time 100",
        "REPLYBUFFER RESIZING 0",
        "PAUSE-CRON 1",
    ] {
        assert_eq!(client.ask(&format!("DEBUG {command}")), "+OK\r\n", "{command}");
    }
    let refused = "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n";
    assert_eq!(client.ask("DEBUG QUICKLIST-PACKED-THRESHOLD 4gb"), refused);
    assert_eq!(client.ask("DEBUG QUICKLIST-PACKED-THRESHOLD x"), refused);
    let unknown = "-ERR unknown subcommand or wrong number of arguments for 'replybuffer'. Try DEBUG HELP.\r\n";
    assert_eq!(client.ask("DEBUG replybuffer nosuch 1"), unknown);
}

#[test]
fn upkeep_can_be_paused() {
    let server = Instance::with(&[("enable-debug-command", "yes")]);
    let mut client = server.local();
    assert_eq!(client.ask("DEBUG PAUSE-CRON 1"), "+OK\r\n");
    client.ask("SET k v PX 100");
    server.engine.clock.advance(Duration::from_secs(1));
    assert_eq!(client.ask("DBSIZE"), ":1\r\n");
    assert_eq!(client.ask("DEBUG PAUSE-CRON 0"), "+OK\r\n");
    server.engine.clock.advance(Duration::from_secs(1));
    assert_eq!(client.ask("DBSIZE"), ":0\r\n");
}
