//! Cluster mode: one node that serves all slots, side by side with a redis-server that does the same; and what all of
//! it answers where cluster mode is off.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use support::{Client, Reply, Server, eventually};

/// Commands whose replies must be the same, once what names the node is taken out.
const SAME: &[&str] = &[
    "CLUSTER",
    "CLUSTER NOSUCH",
    "CLUSTER INFO",
    "CLUSTER INFO x",
    "CLUSTER LINKS",
    "CLUSTER KEYSLOT",
    "CLUSTER KEYSLOT a",
    "CLUSTER KEYSLOT {a}b",
    "CLUSTER KEYSLOT {}b",
    "CLUSTER KEYSLOT x{a}{b}",
    "CLUSTER COUNTKEYSINSLOT 3",
    "CLUSTER COUNTKEYSINSLOT 16384",
    "CLUSTER COUNTKEYSINSLOT -1",
    "CLUSTER COUNTKEYSINSLOT x",
    "CLUSTER GETKEYSINSLOT 3 3",
    "CLUSTER GETKEYSINSLOT 3 -1",
    "CLUSTER GETKEYSINSLOT 3 x",
    "CLUSTER GETKEYSINSLOT 16384 1",
    "CLUSTER GETKEYSINSLOT 16384 x",
    "SET a 1",
    "CLUSTER COUNTKEYSINSLOT 15495",
    "CLUSTER GETKEYSINSLOT 15495 10",
    "CLUSTER GETKEYSINSLOT 15495 0",
    "CLUSTER REPLICAS nosuch",
    "CLUSTER SLAVES nosuch",
    "CLUSTER COUNT-FAILURE-REPORTS nosuch",
    "READONLY",
    "READONLY x",
    "READWRITE",
    "ASKING",
    "SELECT 0",
    "SELECT 1",
    "SELECT x",
    "SWAPDB 0 1",
    "SWAPDB 0 x",
    "MOVE a 1",
    "MOVE a",
    "COPY a b DB 1",
    "COPY {a}1 {a}2 DB 1",
    "COPY {a}1 {a}2 DB 99",
    "COPY {a}1 {a}2 DB 0",
    "COPY {a} {a} DB 1",
    "MGET a b",
    "MGET {a}1 a{a}",
    "MSET a 1 b 2",
    "DEL a b",
    "EXISTS a b",
    "RENAME a b",
    "SUNIONSTORE a b c",
    "LMPOP 2 a b LEFT",
    "LMPOP x a b LEFT",
    "ZUNIONSTORE {a}d 2 {a}1 b",
    "PFMERGE a b",
    "BLPOP a b 0",
    "WATCH a b",
    "WATCH a",
    "UNWATCH",
    "PUBLISH a b",
    "RANDOMKEY",
    "MULTI",
    "SET a 1",
    "SET b 2",
    "EXEC",
    "MULTI",
    "MGET a b",
    "EXEC",
    "MULTI",
    "SET {a}1 1",
    "MGET a {a}1",
    "SELECT 1",
    "EXEC",
    "MGET a {a}1",
    "COMMAND GETKEYS MGET a b",
    "FLUSHALL",
    "DBSIZE",
    "RPUSH l 2 1",
    "SORT l BY nosort",
    "SORT l BY w_*",
    "SORT l GET #",
    "SORT l GET x_* NOPE",
    "SORT l NOPE",
    "SORT l STORE other",
    "SORT l STORE {l}other",
    "SORT nosuch BY w_*",
    "SORT_RO l BY w_*",
    "GEORADIUS {l}g 0 0 1 m STORE other",
    "SPUBLISH a x",
    "SSUBSCRIBE a b",
    "SSUBSCRIBE {a}1",
    "SUNSUBSCRIBE {a}1",
    "SUNSUBSCRIBE a b",
    "SUBSCRIBE a",
    "UNSUBSCRIBE a",
    "FLUSHALL",
];

/// Commands that ask for the cluster, whatever mode the server is in.
const OFF: &[&str] = &[
    "CLUSTER",
    "CLUSTER INFO",
    "CLUSTER NODES",
    "CLUSTER SLOTS",
    "CLUSTER SHARDS",
    "CLUSTER MYID",
    "CLUSTER LINKS",
    "CLUSTER KEYSLOT a",
    "CLUSTER KEYSLOT",
    "CLUSTER COUNTKEYSINSLOT x",
    "CLUSTER GETKEYSINSLOT 1 1",
    "CLUSTER REPLICAS x",
    "CLUSTER SLAVES x",
    "CLUSTER COUNT-FAILURE-REPORTS x",
    "CLUSTER ADDSLOTS 1",
    "CLUSTER ADDSLOTSRANGE 1 2",
    "CLUSTER BUMPEPOCH",
    "CLUSTER DELSLOTS 1",
    "CLUSTER DELSLOTSRANGE 1 2",
    "CLUSTER FAILOVER",
    "CLUSTER FLUSHSLOTS",
    "CLUSTER FORGET x",
    "CLUSTER MEET a 1",
    "CLUSTER REPLICATE x",
    "CLUSTER RESET",
    "CLUSTER SAVECONFIG",
    "CLUSTER SET-CONFIG-EPOCH 1",
    "CLUSTER SETSLOT 1 STABLE",
    "CLUSTER HELP",
    "CLUSTER NOSUCH",
    "READONLY",
    "READWRITE",
    "ASKING",
    "MGET a b",
    "SELECT 1",
    "SELECT 0",
    "INFO cluster",
];

/// A redis-server in cluster mode with all slots.
fn oracle(test: &str) -> Option<Server> {
    let oracle = support::oracle_with(test, &["--cluster-enabled", "yes"])?;
    let mut client = oracle.connect();
    assert_eq!(client.line("CLUSTER ADDSLOTSRANGE 0 16383").text(), "OK");
    eventually("a cluster that is up", || {
        client.line("CLUSTER INFO").text().contains("cluster_state:ok").then_some(())
    });
    Some(oracle)
}

fn compare(subject: &Server, oracle: &Server, lines: &[&str]) {
    for protocol in [2, 3] {
        let (mut ours, mut theirs) = (subject.connect_with(protocol), oracle.connect_with(protocol));
        for line in lines {
            assert_eq!(ours.line(line), theirs.line(line), "{line} (RESP{protocol})");
        }
    }
}

#[test]
fn in_cluster_mode_replies_are_those_of_redis() {
    let Some(oracle) = oracle("cluster::in_cluster_mode_replies_are_those_of_redis") else { return };
    compare(&Server::pipkin(&["--cluster-enabled", "yes"]), &oracle, SAME);
}

const LIBRARY: &str = "#!lua name=slots
local function both() redis.call('set', 'a', '1') return redis.call('set', 'b', '1') end
redis.register_function('both', both)
redis.register_function{function_name = 'anywhere', callback = both, flags = {'allow-cross-slot-keys'}}
redis.register_function{function_name = 'alone', callback = both, flags = {'no-cluster'}}
redis.register_function('read', function(keys) return redis.call('get', keys[1]) end)";

/// Scripts and functions, and how they are called.
const IN_SCRIPTS: &[&[&str]] = &[
    &["FUNCTION", "LOAD", "REPLACE", LIBRARY],
    &["FCALL", "read", "1", "a"],
    &["FCALL", "read", "2", "a", "b"],
    &["FCALL", "read", "1", "b"],
    &["FCALL", "both", "0"],
    &["FCALL", "both", "1", "a"],
    &["FCALL", "both", "1", "b"],
    &["FCALL", "anywhere", "0"],
    &["FCALL", "anywhere", "1", "a"],
    &["FCALL", "alone", "0"],
    &["EVAL", "redis.call('set', 'a', '1') return redis.call('set', 'b', '1')", "0"],
    &["EVAL", "return redis.call('get', KEYS[1])", "2", "a", "b"],
    &["EVAL", "return redis.call('mget', 'a', 'b')", "0"],
    &["EVAL", "return redis.pcall('mget', 'a', 'b')", "1", "a"],
    &["EVAL", "return redis.call('mget', '{a}1', 'a')", "1", "b"],
    &["EVAL", "#!lua\nredis.call('set', 'a', '1') return redis.call('set', 'b', '1')", "0"],
    &["EVAL", "#!lua\nredis.call('ping') return redis.call('set', 'b', '1')", "1", "a"],
    &["EVAL", "#!lua flags=allow-cross-slot-keys\nredis.call('set', 'a', '1') return redis.call('set', 'b', '1')", "0"],
    &["EVAL", "#!lua flags=allow-cross-slot-keys\nreturn redis.call('mget', 'a', 'b')", "0"],
    &["EVAL", "#!lua flags=no-cluster\nreturn 1", "0"],
];

#[test]
fn scripts_keep_to_a_slot_as_in_redis() {
    let Some(oracle) = oracle("cluster::scripts_keep_to_a_slot_as_in_redis") else { return };
    let subject = Server::pipkin(&["--cluster-enabled", "yes"]);
    let (mut ours, mut theirs) = (subject.connect(), oracle.connect());
    for call in IN_SCRIPTS {
        assert_eq!(ours.call(call), theirs.call(call), "{call:?}");
    }
}

#[test]
fn with_cluster_mode_off_replies_are_those_of_redis() {
    let Some(oracle) = support::oracle("cluster::with_cluster_mode_off_replies_are_those_of_redis") else { return };
    compare(&Server::pipkin(&[]), &oracle, OFF);
}

/// The reply as text, the node's own id, address and port replaced.
fn anonymous(client: &mut Client, server: &Server, line: &str) -> String {
    let id = client.line("CLUSTER MYID").text();
    assert!(id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let text = format!("{:?}", client.line(line));
    let text = text.replace(&id, "ID").replace("127.0.0.1", "");
    text.replace(&(server.port() + 10_000).to_string(), "0").replace(&server.port().to_string(), "PORT")
}

#[test]
fn the_node_is_described_as_redis_describes_itself() {
    let Some(oracle) = oracle("cluster::the_node_is_described_as_redis_describes_itself") else { return };
    let subject = Server::pipkin(&["--cluster-enabled", "yes"]);
    for protocol in [2, 3] {
        let (mut ours, mut theirs) = (subject.connect_with(protocol), oracle.connect_with(protocol));
        for line in ["CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER NODES"] {
            let (ours, theirs) = (anonymous(&mut ours, &subject, line), anonymous(&mut theirs, &oracle, line));
            assert_eq!(ours, theirs, "{line} (RESP{protocol})");
        }
    }
}

#[test]
fn clients_are_sent_to_where_they_are_or_to_what_is_announced() {
    let server = Server::pipkin(&["--cluster-enabled", "yes"]);
    let mut client = server.connect();
    let endpoint = |reply: &Reply| reply.items()[0].items()[2].items()[..2].to_vec();
    let [host, port] = endpoint(&client.line("CLUSTER SLOTS")).try_into().unwrap();
    assert_eq!((host.text().as_str(), port.integer()), ("127.0.0.1", server.port().into()));
    assert!(client.line("HELLO").items().iter().any(|item| item.text() == "cluster"));
    assert!(client.line("INFO server").text().contains("redis_mode:cluster\r\n"));
    for (name, value) in [
        ("cluster-announce-ip", "192.0.2.7"),
        ("cluster-announce-port", "7000"),
        ("cluster-announce-bus-port", "17000"),
        ("cluster-announce-hostname", "node.example"),
        ("cluster-preferred-endpoint-type", "hostname"),
    ] {
        assert_eq!(client.call(&["CONFIG", "SET", name, value]).text(), "OK");
    }
    let slots = client.line("CLUSTER SLOTS");
    let node = slots.items()[0].items()[2].items();
    assert_eq!((node[0].text().as_str(), node[1].integer()), ("node.example", 7000));
    let others: Vec<String> = node[3].items().iter().map(Reply::text).collect();
    assert_eq!(others, ["ip", "192.0.2.7"]);
    assert!(client.line("CLUSTER NODES").text().contains(" 192.0.2.7:7000@17000,node.example myself,master "));
    assert_eq!(
        client.line("CLUSTER RESET").text(),
        "ERR This node serves all slots by itself: its cluster cannot be changed"
    );
    let id = client.line("CLUSTER MYID").text();
    assert_eq!(client.call(&["CLUSTER", "REPLICAS", &id]).items().len(), 0);
    assert_eq!(client.call(&["CLUSTER", "COUNT-FAILURE-REPORTS", &id]).integer(), 0);
    assert_eq!(client.line("CLUSTER MYSHARDID").text().len(), 40);
}
