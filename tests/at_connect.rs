//! What stock clients and tools send when they connect, byte for byte, and what they need to read.
//!
//! Each test is one client or tool; commands that it sends and lives without are answered with errors that it expects.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use support::{Client, Reply, Scratch, Server, encode, eventually};

/// Requests as a client pipelines them.
fn pipelined(requests: &[&[&str]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    requests.iter().for_each(|request| encode(request, &mut bytes));
    bytes
}

/// Sends requests at once and reads a reply for each.
fn exchange(client: &mut Client, requests: &[&[&str]]) -> Vec<Reply> {
    client.pipeline(&pipelined(requests), requests.len()).unwrap()
}

/// INFO as the fields of all sections.
fn info(client: &mut Client, section: &str) -> BTreeMap<String, String> {
    let text = client.call(&["INFO", section]).text();
    text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.into(), value.into())).collect()
}

/// The value of a field of a map, which is an array of pairs in RESP2.
fn field(reply: &Reply, name: &str) -> Reply {
    match reply {
        Reply::Map(pairs) => pairs.iter().find(|(key, _)| key.text() == name).map(|(_, value)| value.clone()),
        other => other.items().chunks(2).find(|pair| pair[0].text() == name).map(|pair| pair[1].clone()),
    }
    .unwrap_or_else(|| panic!("no {name} in {reply:?}"))
}

fn is_ok(reply: &Reply) -> bool {
    reply.text() == "OK"
}

#[test]
fn redis_cli_and_valkey_cli() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let docs = client.line("COMMAND DOCS");
    assert!(docs.items().len() > 300, "names and documentation of more than 150 commands");
    client.write(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
    assert_eq!(field(&client.read(), "proto"), Reply::Integer(3));
    // --stat, --latency.
    assert!(client.line("INFO").text().starts_with("# Server\r\nredis_version:7."));
    assert_eq!(client.line("PING").text(), "PONG");
    // --pipe: whatever comes, an empty inline line, then the echo that marks the end.
    client.write(b"SET piped 1\r\n\r\n*2\r\n$4\r\nECHO\r\n$20\r\n\0\x01\xff\r\n456789012345678\r\n");
    assert!(is_ok(&client.read()));
    assert_eq!(client.read().bytes(), b"\0\x01\xff\r\n456789012345678");
}

#[test]
fn redis_cli_finds_the_hottest_keys() {
    let Some(cli) = support::tool("at_connect::redis_cli_finds_the_hottest_keys", "redis-cli") else { return };
    let server = Server::pipkin(&["--maxmemory-policy", "allkeys-lfu"]);
    let mut client = server.connect();
    for number in 0..50 {
        client.line(&format!("SET cold:{number} x"));
    }
    client.line("SET hot x");
    for _ in 0..2_000 {
        client.line("GET hot");
    }
    let output = cli.run(&server, &["--hotkeys"], b"");
    let said = String::from_utf8_lossy(&output.stdout);
    let first = said.lines().find(|line| line.starts_with("hot key found with counter"));
    assert!(first.is_some_and(|line| line.ends_with("keyname: hot") || line.ends_with("keyname: \"hot\"")), "{said}");
    client.line("CONFIG SET maxmemory-policy noeviction");
    let output = cli.run(&server, &["--hotkeys"], b"");
    let said = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("LFU maxmemory policy is not selected"));
}

#[test]
fn redis_benchmark_and_memtier() {
    let server = Server::pipkin(&["--requirepass", "secret"]);
    let mut client = server.connect();
    let replies = exchange(&mut client, &[&["AUTH", "secret"], &["SELECT", "3"], &["CONFIG", "GET", "save"]]);
    assert!(is_ok(&replies[0]) && is_ok(&replies[1]));
    assert_eq!(replies[2].items()[0].text(), "save");
    assert_eq!(client.line("CONFIG GET appendonly").items()[1].text(), "no");
    client.write(b"PING\r\n");
    assert_eq!(client.read().text(), "PONG");
    client.write(b"HELLO 3 AUTH default secret\r\n");
    assert_eq!(field(&client.read(), "proto"), Reply::Integer(3));
}

#[test]
fn redis_py() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    assert_eq!(field(&client.line("HELLO 3"), "server").text(), "redis");
    let maintenance = client.line("CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type external-ip");
    assert!(maintenance.is_error(), "it goes on without");
    let replies = exchange(
        &mut client,
        &[&["CLIENT", "SETINFO", "LIB-NAME", "redis-py"], &["CLIENT", "SETINFO", "LIB-VER", "8.1.0"], &["SELECT", "2"]],
    );
    assert!(replies.iter().all(is_ok), "{replies:?}");
    assert!(client.line("CLIENT INFO").text().contains(" lib-name=redis-py lib-ver=8.1.0"));
}

#[test]
fn node_redis_and_ioredis() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    // Both open with a pipeline that the first command follows at once.
    let replies = exchange(
        &mut client,
        &[
            &["HELLO", "3"],
            &["CLIENT", "SETINFO", "LIB-NAME", "node-redis"],
            &["CLIENT", "SETINFO", "LIB-VER", "5.0.0"],
            &["SELECT", "0"],
            &["INFO"],
        ],
    );
    assert!(replies[1..4].iter().all(is_ok), "{replies:?}");
    assert!(replies[4].text().contains("\r\nloading:0\r\n"), "ioredis waits until nothing is being loaded");
    assert!(is_ok(&client.line("QUIT")));
    assert_eq!(client.read_to_close(), b"");
}

#[test]
fn go_redis() {
    let server = Server::pipkin(&["--requirepass", "secret"]);
    let mut client = server.connect();
    assert_eq!(field(&client.line("HELLO 3 AUTH default secret"), "role").text(), "master");
    let replies = exchange(&mut client, &[&["SELECT", "1"], &["READONLY"], &["CLIENT", "SETNAME", "app"]]);
    assert!(is_ok(&replies[0]) && is_ok(&replies[2]));
    assert_eq!(replies[1].text(), "ERR This instance has cluster support disabled");
    let replies = exchange(
        &mut client,
        &[&["CLIENT", "SETINFO", "LIB-NAME", "go-redis(,go1.25)"], &["CLIENT", "SETINFO", "LIB-VER", "9.7.0"]],
    );
    assert!(replies.iter().all(is_ok), "{replies:?}");
}

#[test]
fn jedis_lettuce_and_redisson() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    // Lettuce falls back to the second protocol on either of these.
    assert!(client.line("HELLO 9").text().starts_with("NOPROTO"));
    assert_eq!(field(&client.line("HELLO 3"), "proto"), Reply::Integer(3));
    assert!(is_ok(&client.line("CLIENT SETINFO lib-name Lettuce")));
    assert!(is_ok(&client.line("CLIENT SETINFO lib-ver 6.5.0.RELEASE/b1234")));
    // Redisson takes a server for a proxy if keys of two slots are refused.
    let probe = client.call(&["EVAL", "return 0", "2", "a", "b"]);
    assert!(!probe.text().contains("CROSSSLOT"), "{probe:?}");
    assert_eq!(client.line("PING").text(), "PONG");
}

#[test]
fn stack_exchange_redis() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let id = client.line("CLIENT ID").integer();
    assert!(id > 0);
    assert!(is_ok(&client.line("CLIENT SETNAME machine")));
    for (name, expected) in
        [("timeout", "0"), ("replica-read-only", "yes"), ("slave-read-only", "yes"), ("databases", "16")]
    {
        let reply = client.call(&["CONFIG", "GET", name]);
        assert_eq!((reply.items()[0].text(), reply.items()[1].text()), (name.into(), expected.into()));
    }
    assert_eq!(info(&mut client, "replication")["role"], "master");
    let about = info(&mut client, "server");
    assert!(about["redis_version"].starts_with("7.2") && about["redis_mode"] == "standalone");
    assert_eq!(client.line("CLUSTER NODES").text(), "ERR This instance has cluster support disabled");
    assert!(client.line("GET __Booksleeve_TieBreak").is_nil());
    // Sixteen raw bytes mark the end of the handshake.
    let marker: [u8; 16] = *b"\x00\xff\r\n\x80$*+-:\x7f\x01\x02\x03\x04\x05";
    assert_eq!(client.call(&[b"ECHO".as_slice(), &marker]).bytes(), marker);
    let mut subscriber = server.connect();
    let reply = subscriber.line("SUBSCRIBE __Booksleeve_MasterChanged");
    assert_eq!(reply.items()[2], Reply::Integer(1));
    assert_eq!(subscriber.line("PING").items()[0].text(), "pong");
}

#[test]
fn redis_rs_and_fred() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    let replies = exchange(
        &mut client,
        &[
            &["HELLO", "3"],
            &["CLIENT", "SETINFO", "LIB-NAME", "redis-rs"],
            &["CLIENT", "SETINFO", "LIB-VER", "0.32.0"],
            &["CLIENT", "ID"],
        ],
    );
    assert!(replies[3].integer() > 0 && is_ok(&replies[1]) && is_ok(&replies[2]));
    // What an older server is known by.
    let unknown = client.line("HELLOO 3").text();
    assert_eq!(unknown, "ERR unknown command 'HELLOO', with args beginning with: '3' ");
}

#[test]
fn redis_insight() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    client.line("SELECT 1");
    client.line("SET k v");
    let all = info(&mut client, "default");
    for name in ["redis_version", "used_memory", "connected_clients", "total_commands_processed", "uptime_in_days"] {
        assert!(all.contains_key(name), "{name}");
    }
    assert_eq!(all["db1"], "keys=1,expires=0,avg_ttl=0");
    assert_eq!(client.line("MODULE LIST").items(), []);
    let commands = client.line("COMMAND INFO get json.get ft.search ts.add");
    let known: Vec<bool> = commands.items().iter().map(|command| !command.is_nil()).collect();
    assert_eq!(known, [true, false, false, false], "what modules bring is not there");
    assert_eq!(client.line("CONFIG GET databases").items()[1].text(), "16");
    assert_eq!(client.line("CLIENT LIST").text().lines().count(), 1);
    assert_eq!(client.line("DBSIZE").integer(), 1);
    assert!(client.line("MEMORY USAGE k SAMPLES 0").integer() > 0);
}

#[test]
fn sidekiq_and_bullmq() {
    let server = Server::pipkin(&[]);
    let all = info(&mut server.connect(), "default");
    let major: u32 = all["redis_version"].split('.').next().unwrap().parse().unwrap();
    assert!(major >= 7);
    assert_eq!(all["maxmemory_policy"], "noeviction");
}

/// The fields from which the exporter makes its metrics.
const EXPORTED: &[&str] = &[
    "used_memory",
    "used_memory_rss",
    "maxmemory",
    "connected_clients",
    "blocked_clients",
    "total_commands_processed",
    "keyspace_hits",
    "keyspace_misses",
    "expired_keys",
    "evicted_keys",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "mem_fragmentation_ratio",
    "uptime_in_seconds",
    "rdb_last_save_time",
    "aof_enabled",
    "connected_slaves",
    "master_repl_offset",
    "used_cpu_sys",
    "rejected_connections",
];

#[test]
fn redis_exporter() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    client.line("SET k v EX 1000");
    client.line("GET k");
    client.line("GET");
    let text = client.line("INFO ALL").text();
    // It goes by the headers of the sections, each on a line of its own behind an empty one.
    for title in ["Clients", "Memory", "Stats", "Replication", "CPU", "Commandstats", "Errorstats", "Keyspace"] {
        assert!(text.contains(&format!("\r\n\r\n# {title}\r\n")), "{title}");
    }
    let fields = info(&mut client, "ALL");
    for name in EXPORTED {
        let value = &fields[*name];
        assert!(value.parse::<f64>().is_ok(), "{name} is a number, not {value:?}");
    }
    assert_eq!(fields["db0"].split(',').take(2).collect::<Vec<_>>(), ["keys=1", "expires=1"]);
    let get: Vec<&str> = fields["cmdstat_get"].split(',').map(|part| part.split('=').next().unwrap()).collect();
    assert_eq!(get, ["calls", "usec", "usec_per_call", "rejected_calls", "failed_calls"]);
    assert!(fields["latency_percentiles_usec_get"].starts_with("p50="));
    assert_eq!(fields["errorstat_ERR"], "count=1");
    let settings = client.line("CONFIG GET *");
    assert!(settings.items().len().is_multiple_of(2) && settings.items().len() > 300);
    assert_eq!(client.line("LATENCY LATEST").items(), []);
    let histograms = client.line("LATENCY HISTOGRAM");
    let of_get = field(&histograms, "get");
    assert_eq!(field(&of_get, "calls"), Reply::Integer(1));
    assert_eq!(field(&of_get, "histogram_usec").items().len(), 2);
    assert_eq!(client.line("SLOWLOG LEN").integer(), 0);
    assert_eq!(client.line("SLOWLOG GET").items(), []);
    assert!(client.line("CLIENT LIST").text().starts_with("id="));
}

#[test]
fn sentinel() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    assert!(is_ok(&client.line("CLIENT SETNAME sentinel-1a2b3c4d-cmd")));
    assert_eq!(client.line("PING").text(), "PONG");
    let all = info(&mut client, "default");
    assert_eq!(all["run_id"].len(), 40);
    assert_eq!((all["role"].as_str(), all["connected_slaves"].as_str()), ("master", "0"));
    let mut subscriber = server.connect();
    subscriber.line("SUBSCRIBE __sentinel__:hello");
    let hello = "127.0.0.1,26379,1a2b3c4d,0,mymaster,127.0.0.1,6379,0";
    assert_eq!(client.call(&["PUBLISH", "__sentinel__:hello", hello]).integer(), 1);
    assert_eq!(subscriber.read().items()[2].text(), hello);
    // What a failover sends, but for the replication that is not there.
    let replies = exchange(
        &mut client,
        &[
            &["MULTI"],
            &["CONFIG", "REWRITE"],
            &["CLIENT", "KILL", "TYPE", "normal"],
            &["CLIENT", "KILL", "TYPE", "pubsub"],
            &["EXEC"],
        ],
    );
    let results = replies[4].items();
    assert_eq!(results[0].text(), "ERR The server is running without a config file");
    assert_eq!((results[1].integer(), results[2].integer()), (0, 1), "the sentinel spares itself");
    assert_eq!(subscriber.read_to_close(), b"");
}

/// A program that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_real_sentinel_watches_the_server() {
    let Some(tool) = support::tool("at_connect::a_real_sentinel_watches_the_server", "redis-server") else { return };
    let server = Server::pipkin(&[]);
    let scratch = Scratch::new();
    let file = scratch.path().join("sentinel.conf");
    let socket = scratch.path().join("sentinel.sock");
    let monitored =
        format!("port 0\nunixsocket {}\nsentinel monitor mymaster 127.0.0.1 {} 1\n", socket.display(), server.port());
    std::fs::write(&file, monitored).unwrap();
    let mut command = Command::new(&tool.path);
    command.args([file.to_str().unwrap(), "--sentinel"]).stdout(Stdio::null()).stderr(Stdio::null());
    let _sentinel = Process(command.spawn().unwrap());
    let ask = || {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).ok()?;
        std::io::Write::write_all(&mut stream, &pipelined(&[&["SENTINEL", "MASTER", "mymaster"]])).ok()?;
        Reply::read(&mut std::io::BufReader::new(stream)).ok()
    };
    let run_id = info(&mut server.connect(), "server")["run_id"].clone();
    let seen =
        eventually("a sentinel that knows the server", || ask().filter(|reply| field(reply, "runid").text() == run_id));
    assert_eq!(field(&seen, "flags").text(), "master", "it is neither down nor disconnected");
}
