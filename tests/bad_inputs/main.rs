//! The bad inputs: each test bears the number of its row in the project's list of them.
//!
//! [`attack`] wraps every one of them: while it runs another connection's PINGs must be answered, afterwards the
//! process is up, the dataset's digest is what it was, memory is back at its baseline, the counter that belongs to the
//! input rose, and the log holds no secret. What stock Redis does not promise is asked of Pipkin only.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod numbers;
mod payloads;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod waiting;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::{Client, Random, Reply, Server, encode, eventually, info_number};

/// The password of the servers that have one; it must not appear in a log.
const PASSWORD: &str = "correct-horse-battery";
/// Longest time that another client may wait for its PONG.
const PONG_PATIENCE: Duration = Duration::from_secs(5);
/// What memory may be above its baseline afterwards: caches of the allocator and of connections.
const MEMORY_SLACK_BYTES: i64 = 4 << 20;
/// Memory that bounded output may take at its peak, far above any sensible limit and far below what was asked for.
const OUTPUT_PEAK_BYTES: i64 = 700 << 20;

const MIN: &str = "-9223372036854775808";
const MAX: &str = "9223372036854775807";

/// A server under attack.
struct Target {
    server: Server,
    password: Option<&'static str>,
    /// PING may be told that a script is busy: at once, and only for as long as one is.
    may_be_busy: bool,
}

impl Target {
    fn connect(&self) -> Client {
        let mut client = self.server.connect();
        if let Some(password) = self.password {
            assert_eq!(client.call(&["AUTH", password]).text(), "OK");
        }
        client
    }

    /// Sends bytes on a connection of their own and returns what comes back until the server closes it.
    fn until_closed(&self, bytes: &[u8]) -> String {
        let mut client = self.server.connect();
        // The server may close before it has read everything.
        client.try_write(bytes).ok();
        String::from_utf8_lossy(&client.read_to_close()).into_owned()
    }

    fn number(&self, section: &str, field: &str) -> Option<i64> {
        info_number(&mut self.connect(), section, field)
    }
}

/// A figure of INFO's section `stats`.
type Counter = &'static str;

/// Runs an attack on a server that holds some data, and asserts what has to hold during and after it.
fn attack(flags: &[&str], counter: Counter, run: impl FnOnce(&Target)) {
    let password = flags.contains(&"--requirepass").then_some(PASSWORD);
    let everything_is_logged = [&["--loglevel", "debug"], flags].concat();
    let target = Target {
        server: Server::pipkin(&everything_is_logged),
        password,
        may_be_busy: flags.contains(&"--busy-reply-threshold"),
    };
    attack_on(target, counter, run);
}

/// The same on a server that was started by hand.
fn attack_on(mut target: Target, counter: Counter, run: impl FnOnce(&Target)) {
    let mut client = target.connect();
    fill(&mut client);
    tell_secrets(&target);
    let digest = digest(&mut client);
    let memory = used_memory(&mut client);
    let count = target.number("stats", counter);
    with_pings(&target, || run(&target));
    assert!(target.server.is_running(), "the process is up");
    // Not the connection from before: it may have been idle for too long.
    let mut client = target.connect();
    let leftovers: Vec<Vec<u8>> = client.line("KEYS attack*").items().iter().map(|key| key.bytes().to_vec()).collect();
    leftovers.iter().for_each(|key| drop(client.call(&[b"UNLINK", key.as_slice()])));
    assert_eq!(self::digest(&mut client), digest, "the dataset is what it was");
    eventually("memory back at its baseline", || {
        client.line("MEMORY PURGE");
        (used_memory(&mut client) <= memory + MEMORY_SLACK_BYTES).then_some(())
    });
    // Stock Redis counts less.
    if let Some(before) = count.or_else(|| is_pipkin(&target).then(|| panic!("there is no {counter}"))) {
        eventually("a rising counter", || (target.number("stats", counter)? > before).then_some(()));
    }
    assert!(!target.server.log().contains(PASSWORD), "no secret in the log");
}

/// Sends the password in ways that go wrong, which might bring it into the log.
fn tell_secrets(target: &Target) {
    for bytes in [
        format!("AUTH stranger {PASSWORD}\r\n"),
        format!("HELLO 3 AUTH stranger {PASSWORD}\r\n"),
        format!("AUTH default \"{PASSWORD}\r\n"),
        format!("*3\r\n$4\r\nAUTH\r\n${}\r\n{PASSWORD}\r\n$-7\r\n", PASSWORD.len()),
        format!("{PASSWORD}\r\n"),
    ] {
        let mut client = target.server.connect();
        client.try_write(bytes.as_bytes()).ok();
        client.finish_writing();
        client.read_to_close();
    }
}

/// Runs something while another connection's PINGs must be answered in time.
fn with_pings(target: &Target, run: impl FnOnce()) {
    let over = AtomicBool::new(false);
    let pongs = AtomicU64::new(0);
    let mut client = target.connect();
    thread::scope(|scope| {
        let _guard = Over(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                let start = Instant::now();
                let reply = client.line("PING").text();
                let is_busy = target.may_be_busy && reply.starts_with("BUSY ");
                assert!(reply == "PONG" || is_busy, "{reply}");
                assert!(start.elapsed() < PONG_PATIENCE, "PING took {:?} during the attack", start.elapsed());
                pongs.fetch_add(u64::from(!is_busy), Ordering::Release);
                thread::park_timeout(Duration::from_millis(1));
            }
        });
        run();
        let before = pongs.load(Ordering::Acquire);
        eventually("a PONG", || (pongs.load(Ordering::Acquire) > before).then_some(()));
    });
}

/// Ends the PINGs, also when the attack fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Some keys of each type.
fn fill(client: &mut Client) {
    for line in [
        "MSET s:1 a s:2 b s:3 12",
        "RPUSH l a b c",
        "SADD u a b c",
        "SADD u:ints 1 2 3",
        "HSET h f v g w",
        "ZADD z 1 a 2 b 3 c",
        "PFADD p a b c",
        "EXPIRE s:1 100000",
    ] {
        assert!(!client.line(line).is_error(), "{line}");
    }
}

/// `DEBUG DIGEST`.
fn digest(client: &mut Client) -> String {
    let reply = client.line("DEBUG DIGEST");
    assert!(!reply.is_error(), "{reply:?}");
    reply.text()
}

/// What the server counts as used, or what its allocator says where that is more.
fn used_memory(client: &mut Client) -> i64 {
    let counted = info_number(client, "memory", "used_memory").expect("INFO tells the memory");
    info_number(client, "memory", "allocator_allocated").map_or(counted, |allocated| counted.max(allocated))
}

/// Whether the server under test is Pipkin, of which more is asked than of stock Redis.
fn is_pipkin(target: &Target) -> bool {
    target.connect().line("INFO server").text().contains("server_name:pipkin")
}

const ERRORS: Counter = "total_error_replies";
const PROTOCOL_ERRORS: Counter = "protocol_errors";
const COMMANDS: Counter = "total_commands_processed";

#[test]
fn bad_input_01_oversized_requests_before_auth() {
    attack(&["--requirepass", PASSWORD], PROTOCOL_ERRORS, |target| {
        let arguments = target.until_closed(b"*11\r\n");
        assert_eq!(arguments, "-ERR Protocol error: unauthenticated multibulk length\r\n");
        let bulk = target.until_closed(b"*2\r\n$16385\r\n");
        assert_eq!(bulk, "-ERR Protocol error: unauthenticated bulk length\r\n");
        let mut client = target.connect();
        assert_eq!(client.call(&["ECHO", &"x".repeat(20_000)]).bytes().len(), 20_000, "after AUTH it is allowed");
    });
}

#[test]
fn bad_input_02_pipelining_without_reading_before_auth() {
    attack(&["--requirepass", PASSWORD], "unauthenticated_commands", |target| {
        if is_pipkin(target) {
            let client = target.server.connect();
            let request = b"*1\r\n$4\r\nPING\r\n".repeat(5_000);
            let peak = flood(target, &client, &request, 2_000);
            assert!(peak < OUTPUT_PEAK_BYTES / 10, "the output of {peak} bytes is capped");
        }
        let mut client = target.server.connect();
        assert!(client.line("GET s:1").text().starts_with("NOAUTH"));
    });
}

#[test]
fn bad_input_03_a_reader_that_never_reads() {
    attack(&[], "total_net_input_bytes", |target| {
        if is_pipkin(target) {
            let mut client = target.connect();
            assert_eq!(client.call(&["SET", "attack:big", &"x".repeat(1 << 20)]).text(), "OK");
            let request = b"*2\r\n$3\r\nGET\r\n$10\r\nattack:big\r\n".repeat(100);
            let peak = flood(target, &client, &request, 100);
            assert!(peak < OUTPUT_PEAK_BYTES, "the output of {peak} bytes is bounded");
        }
    });
    let limit = ["--client-output-buffer-limit", "normal 2mb 0 0"];
    attack(&limit, "client_output_buffer_limit_disconnections", |target| {
        let mut client = target.connect();
        assert_eq!(client.call(&["SET", "attack:big", &"x".repeat(20 << 20)]).text(), "OK");
        client.send(&["GET", "attack:big"]);
        let closed = || target.number("stats", "client_output_buffer_limit_disconnections") == Some(1);
        eventually("the end of the connection", || closed().then_some(()));
    });
    attack(&["--maxmemory-clients", "40mb"], "evicted_clients", |target| {
        if !is_pipkin(target) {
            return;
        }
        let mut client = target.connect();
        assert_eq!(client.call(&["SET", "attack:big", &"x".repeat(12 << 20)]).text(), "OK");
        let mut greedy: Vec<Client> = (0..10).map(|_| target.connect()).collect();
        greedy.iter_mut().for_each(|client| client.send(&["GET", "attack:big"]));
        let held = || info_number(&mut target.connect(), "memory", "mem_clients_normal").expect("it is told");
        eventually("a bearable sum", || (held() < 50 << 20).then_some(()));
    });
}

/// Sends a request over and over without reading, until the server closes or takes no more; returns how far its
/// memory rose meanwhile.
fn flood(target: &Target, client: &Client, request: &[u8], times: usize) -> i64 {
    let mut socket = client.socket();
    socket.set_write_timeout(Some(Duration::from_secs(2))).expect("a timeout can be set");
    let mut observer = target.connect();
    let before = used_memory(&mut observer);
    let mut peak = 0;
    for _ in 0..times {
        let outcome = socket.write_all(request);
        peak = peak.max(used_memory(&mut observer) - before);
        if outcome.is_err() {
            break;
        }
    }
    peak
}

#[test]
fn bad_input_04_huge_multibulk() {
    attack(&[], "total_net_input_bytes", |target| {
        let mut observer = target.connect();
        let before = used_memory(&mut observer);
        let clients: Vec<Client> = (0..20)
            .map(|_| {
                let mut client = target.connect();
                client.write(b"*1048576\r\n$3\r\nDEL\r\n$1\r\na\r\n");
                client
            })
            .collect();
        observer.line("PING");
        let risen = used_memory(&mut observer) - before;
        let most = if is_pipkin(target) { 4 << 20 } else { i64::MAX };
        assert!(risen < most, "{risen} bytes for 20 requests that have hardly begun");
        drop(clients);
    });
    attack(&["--requirepass", PASSWORD], PROTOCOL_ERRORS, |target| {
        let answer = target.until_closed(b"*1048576\r\n$3\r\nDEL\r\n");
        assert_eq!(answer, "-ERR Protocol error: unauthenticated multibulk length\r\n");
    });
}

#[test]
fn bad_input_05_impossible_lengths() {
    attack(&[], PROTOCOL_ERRORS, |target| {
        let mut observer = target.connect();
        let before = used_memory(&mut observer);
        for (bytes, answer) in [
            ("*2147483648\r\n", "invalid multibulk length"),
            ("*99999999999999999999\r\n", "invalid multibulk length"),
            ("*1\r\n$-5\r\n", "invalid bulk length"),
            ("*1\r\n$9000000000000000000\r\n", "invalid bulk length"),
            ("*1\r\n$536870913\r\n", "invalid bulk length"),
            ("*1\r\n#t\r\n", "expected '$', got '#'"),
        ] {
            assert_eq!(
                target.until_closed(bytes.as_bytes()),
                format!("-ERR Protocol error: {answer}\r\n"),
                "{bytes:?}"
            );
        }
        if !is_pipkin(target) {
            return;
        }
        // A million arguments at most: 2^31 - 1 is refused before any of them arrives.
        assert_eq!(target.until_closed(b"*2147483647\r\n"), "-ERR Protocol error: invalid multibulk length\r\n");
        // Redis skips two bytes behind a bulk string whatever they are; here they are checked.
        for bytes in ["*1\r\n$4\r\nPINGxy", "*1\rX$4\r\nPING\r\n", "*1\r\n$4\rXPING\r\n"] {
            let answer = target.until_closed(bytes.as_bytes());
            assert!(answer.starts_with("-ERR Protocol error"), "{bytes:?} is answered with {answer:?}");
        }
        let mut clients: Vec<Client> = (0..20).map(|_| target.connect()).collect();
        clients.iter_mut().for_each(|client| client.write(b"*2\r\n$4\r\nECHO\r\n$536870912\r\nabc"));
        observer.line("PING");
        let risen = used_memory(&mut observer) - before;
        assert!(risen < 4 << 20, "{risen} bytes for 20 bulk strings that have hardly begun");
    });
}

#[test]
fn bad_input_06_empty_requests() {
    attack(&[], COMMANDS, |target| {
        let mut client = target.connect();
        let empty = ["*0\r\n", "*-1\r\n", "\r\n", "\n", "*-2147483648\r\n", "   \r\n"];
        for request in empty {
            client.write(request.as_bytes());
            assert_eq!(client.line("PING").text(), "PONG", "after {request:?}");
        }
        client.write(empty.concat().repeat(1_000).as_bytes());
        assert_eq!(client.line("PING").text(), "PONG", "after many of them");
    });
}

#[test]
fn bad_input_07_bad_lines() {
    attack(&[], PROTOCOL_ERRORS, |target| {
        let too_big = "-ERR Protocol error: too big inline request\r\n";
        assert_eq!(target.until_closed(&b"x".repeat((64 << 10) + 1)), too_big);
        for line in ["SET attack \"x\r\n", "SET attack 'x\r\n", "SET attack \"x\"y\r\n", "SET attack \"x\\\"\r\n"] {
            let answer = target.until_closed(line.as_bytes());
            assert_eq!(answer, "-ERR Protocol error: unbalanced quotes in request\r\n", "{line:?}");
        }
        let mut client = target.connect();
        client.write(b"SET attack:nul a\0b\r\n");
        client.write(b"\0\0\0\r\nPING\r\n");
        client.finish_writing();
        client.read_to_close();
        assert_eq!(target.connect().line("EXISTS attack").integer(), 0, "nothing of a bad line is executed");
    });
}

#[test]
fn bad_input_08_http_on_the_resp_port() {
    attack(&[], ERRORS, |target| {
        let body = "SET attack 1\r\n";
        for request in [
            format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n{body}"),
            format!("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n{body}"),
            format!("post /\r\n{body}"),
            format!("hOsT: localhost\r\n{body}"),
        ] {
            let answer = target.until_closed(request.as_bytes());
            assert!(!answer.contains("OK"), "{answer:?}");
        }
        assert_eq!(target.connect().line("EXISTS attack").integer(), 0, "the body is not executed");
        eventually("the log's line", || {
            let log = target.server.log().to_lowercase();
            (log.contains("http") || log.contains("post")).then_some(())
        });
    });
}

#[test]
fn bad_input_09_no_file_descriptors_left() {
    let server = Server::pipkin_with_open_files(80, &["--operator-clients", "0"]);
    attack_on(Target { server, password: None, may_be_busy: false }, "accept_errors", |target| {
        let connections: Vec<TcpStream> =
            (0..200).filter_map(|_| TcpStream::connect(target.server.address()).ok()).collect();
        assert!(connections.len() > 80, "more connections than the server has descriptors");
        drop(connections);
        eventually("connections again", || {
            let mut client = Client::try_connect(target.server.address()).ok()?;
            client.send(&["PING"]);
            client.try_read().ok().filter(|reply| !reply.is_error())
        });
    });
}

#[test]
fn bad_input_10_more_than_maxclients() {
    attack(&["--maxclients", "20"], "rejected_connections", |target| {
        let mut clients: Vec<Client> = (0..40).map(|_| target.server.connect()).collect();
        let mut served = 0;
        for client in &mut clients {
            // A refused connection may already be closed when the request is sent.
            if client.try_write(b"PING\r\n").is_err() {
                continue;
            }
            match client.try_read() {
                Ok(Reply::Error(text)) => assert_eq!(text, b"ERR max number of clients reached"),
                Ok(reply) => {
                    assert_eq!(reply.text(), "PONG");
                    served += 1;
                }
                Err(_) => {}
            }
        }
        assert!((10..=20).contains(&served), "{served} clients were served");
        drop(clients);
        eventually("room for new clients", || {
            let mut client = Client::try_connect(target.server.address()).ok()?;
            client.send(&["PING"]);
            client.try_read().ok().filter(|reply| !reply.is_error())
        });
    });
}

#[test]
fn bad_input_10_the_operator_has_seats_beyond_maxclients() {
    attack(&["--maxclients", "20", "--operator-clients", "2"], "rejected_connections", |target| {
        if !is_pipkin(target) {
            return;
        }
        let mut clients: Vec<Client> = Vec::new();
        eventually("every seat is taken", || {
            let mut client = Client::try_connect(target.server.address()).ok()?;
            client.try_write(b"PING\r\n").ok()?;
            let refused = client.try_read().ok()?.is_error();
            clients.push(client);
            refused.then_some(())
        });
        let mut operator = eventually("a seat for the operator", || {
            let mut client = Client::try_connect(target.server.address()).ok()?;
            client.try_write(b"CLIENT LIST\r\n").ok()?;
            client.try_read().ok().filter(|reply| reply.text().lines().count() >= 20).map(|_| client)
        });
        assert!(info_number(&mut operator, "clients", "connected_clients") >= Some(20));
        assert!(!operator.line("SLOWLOG GET").is_error() && !operator.line("COMMAND COUNT").is_error());
        // The seat is for finding out and mending, not for work.
        let mut worker = eventually("the other seat", || {
            let mut client = Client::try_connect(target.server.address()).ok()?;
            client.try_write(b"CLIENT ID\r\n").ok()?;
            client.try_read().ok().filter(|reply| !reply.is_error()).map(|_| client)
        });
        assert_eq!(worker.line("GET s:1").text(), "ERR max number of clients reached");
        assert_eq!(worker.read_to_close(), b"");
        assert_eq!(operator.line("CONFIG SET maxclients 30").text(), "OK");
        assert_eq!(target.server.connect().line("GET s:2").text(), "b");
    });
}

#[test]
fn bad_input_11_a_stranger_has_a_minute() {
    attack(&["--requirepass", PASSWORD, "--clock", "manual"], "overdue_clients", |target| {
        let mut strangers: Vec<Client> = (0..10).map(|_| target.server.connect()).collect();
        for (number, client) in strangers.iter_mut().enumerate() {
            // Silent, half a request, and busy with what is allowed and what is not.
            match number % 3 {
                0 => client.write(b"*2\r\n$4\r\nAU"),
                1 => assert!(client.line("GET s:1").is_error()),
                _ => client.write(b""),
            }
        }
        let mut operator = target.connect();
        let known = || info_number(&mut target.connect(), "clients", "connected_clients").unwrap_or(0);
        eventually("their arrival", || (known() >= 12).then_some(()));
        assert_eq!(operator.line("DEBUG CLOCK ADVANCE 59000").text(), "OK");
        strangers.iter_mut().for_each(|client| assert!(client.is_silent(Duration::from_millis(1)), "not yet"));
        assert_eq!(operator.line("DEBUG CLOCK ADVANCE 2000").text(), "OK");
        strangers.iter_mut().for_each(|client| assert_eq!(client.read_to_close(), b""));
        assert_eq!(operator.line("PING").text(), "PONG", "who has authenticated stays");
    });
}

#[test]
fn bad_input_11_slow_requests_before_auth() {
    // `timeout` closes whoever is silent, whether authenticated or not.
    attack(&["--requirepass", PASSWORD, "--timeout", "1"], "overdue_clients", |target| {
        let mut clients: Vec<Client> = (0..10).map(|_| target.server.connect()).collect();
        clients.iter_mut().for_each(|client| client.write(b"*2\r\n$4\r\nAU"));
        for client in &mut clients {
            assert_eq!(client.read_to_close(), b"", "an unfinished request is not answered, but closed");
        }
    });
}

#[test]
fn bad_input_12_offsets_near_the_end() {
    attack(&["--proto-max-bulk-len", "1mb"], ERRORS, |target| {
        let mut client = target.connect();
        let too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        for offset in ["1048576", "4294967295", "9223372036854775806", MAX] {
            assert_eq!(client.call(&["SETRANGE", "attack", offset, "x"]).text(), too_long, "at {offset}");
        }
        assert_eq!(client.call(&["SETRANGE", "attack", MIN, "x"]).text(), "ERR offset is out of range");
        assert_eq!(client.call(&["SETRANGE", "attack", MAX, ""]).integer(), 0, "nothing is nowhere");
        assert_eq!(client.line("EXISTS attack").integer(), 0);
        assert_eq!(client.call(&["SETRANGE", "attack", "1048575", "x"]).integer(), 1 << 20);
        assert_eq!(client.line("APPEND attack x").text(), too_long);
        assert_eq!(client.line("STRLEN attack").integer(), 1 << 20);
        assert_eq!(client.call(&["GETRANGE", "attack", MIN, MAX]).bytes().len(), 1 << 20);
        assert_eq!(client.call(&["GETRANGE", "attack", MAX, MIN]).bytes(), b"");
    });
}

#[test]
fn bad_input_14_ranges_of_the_smallest_and_largest_integers() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        let all = ["a", "b", "c"];
        let texts = |reply: Reply| reply.items().iter().map(Reply::text).collect::<Vec<_>>();
        for command in ["LRANGE l", "ZRANGE z", "ZREVRANGE z"] {
            let ask = |client: &mut Client, from: &str, to: &str| texts(client.line(&format!("{command} {from} {to}")));
            assert_eq!(ask(&mut client, MIN, MAX).len(), all.len(), "{command}");
            assert_eq!(ask(&mut client, "0", MAX).len(), all.len(), "{command}");
            assert_eq!(ask(&mut client, MIN, MIN), [""; 0], "{command}");
            assert_eq!(ask(&mut client, MAX, MIN), [""; 0], "{command}");
            assert_eq!(ask(&mut client, MAX, MAX), [""; 0], "{command}");
        }
        for limit in [format!("{MAX} {MAX}"), format!("{MAX} -1"), format!("{MIN} {MAX}")] {
            for command in ["ZRANGE z -inf +inf BYSCORE", "ZRANGEBYSCORE z -inf +inf", "ZRANGEBYLEX z - +"] {
                assert_eq!(texts(client.line(&format!("{command} LIMIT {limit}"))), [""; 0], "{command} LIMIT {limit}");
            }
        }
        let everything = client.line(&format!("ZRANGE z -inf +inf BYSCORE LIMIT 0 {MIN}"));
        assert_eq!(texts(everything), all, "a negative count is no limit");
        assert!(client.line(&format!("LINDEX l {MIN}")).is_nil() && client.line(&format!("LINDEX l {MAX}")).is_nil());
        assert_eq!(client.line(&format!("LSET l {MAX} x")).text(), "ERR index out of range");
        assert_eq!(client.line(&format!("LSET l {MIN} x")).text(), "ERR index out of range");
        client.line("COPY l attack:l");
        client.line("COPY z attack:z");
        assert_eq!(client.line(&format!("LTRIM attack:l {MIN} {MAX}")).text(), "OK");
        assert_eq!(client.line("LLEN attack:l").integer(), 3);
        assert_eq!(client.line(&format!("ZREMRANGEBYRANK attack:z {MAX} {MIN}")).integer(), 0);
        assert_eq!(client.line(&format!("ZREMRANGEBYRANK attack:z {MIN} {MAX}")).integer(), 3);
        assert_eq!(client.line(&format!("LREM attack:l {MAX} a")).integer(), 1);
        let rank = client.line(&format!("LPOS attack:l b RANK {MIN}"));
        assert!(rank.is_error() || !is_pipkin(target), "an error since 7.2: {rank:?}");
        for option in ["COUNT", "MAXLEN"] {
            assert!(client.line(&format!("LPOS attack:l b {option} {MIN}")).is_error());
            assert!(!client.line(&format!("LPOS attack:l b {option} {MAX}")).is_error());
        }
    });
}

#[test]
fn bad_input_15_huge_negative_counts() {
    attack(&[], ERRORS, |target| {
        let commands = ["SRANDMEMBER u", "HRANDFIELD h", "ZRANDMEMBER z"];
        let mut client = target.connect();
        for command in commands {
            let reply = client.line(&format!("{command} {MIN}"));
            assert!(reply.text().starts_with("ERR value is out of range"), "{command}: {reply:?}");
            assert!(!client.line(&format!("{command} {MAX}")).is_error(), "{command}");
            assert_eq!(client.line(&format!("{command} -1000")).items().len(), 1000, "{command}");
        }
        for command in ["HRANDFIELD h", "ZRANDMEMBER z"] {
            let values = if command.starts_with('H') { "WITHVALUES" } else { "WITHSCORES" };
            for count in [MIN, MAX, "-9223372036854775807", "4611686018427387904"] {
                let reply = client.line(&format!("{command} {count} {values}"));
                assert!(reply.text().starts_with("ERR value is out of range"), "{command} {count}: {reply:?}");
            }
        }
        if is_pipkin(target) {
            // Stock Redis would answer this until its memory ends.
            let before = used_memory(&mut client);
            for command in commands {
                let mut victim = target.connect();
                victim.write(format!("{command} -9223372036854775807\r\n").as_bytes());
                // An error, or as much as there is patience for.
                let mut socket = victim.socket();
                let mut chunk = [0; 1 << 16];
                let mut taken = 0;
                while let (Ok(count @ 1..), true) = (socket.read(&mut chunk), taken < 16 << 20) {
                    taken += count;
                    if chunk[0] == b'-' {
                        break;
                    }
                }
                assert!(used_memory(&mut client) - before < OUTPUT_PEAK_BYTES, "{command}");
            }
        }
    });
}

#[test]
fn bad_input_16_pops_from_no_or_too_many_keys() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        client.line("COPY l attack:l");
        client.line("COPY z attack:z");
        let whiches = [("LMPOP", "LEFT", "attack:l"), ("ZMPOP", "MIN", "attack:z")];
        for (command, which, key) in whiches {
            for number in ["0", "-1", MIN, "abc", "9223372036854775808"] {
                let reply = client.line(&format!("{command} {number} {key} {which}"));
                assert_eq!(reply.text(), "ERR numkeys should be greater than 0", "{command} {number}");
            }
            for number in ["2", "1000000", MAX] {
                assert!(client.line(&format!("{command} {number} {key} {which}")).is_error(), "{command} {number}");
            }
            for count in ["0", "-1", MIN, "abc"] {
                let reply = client.line(&format!("{command} 1 {key} {which} COUNT {count}"));
                assert_eq!(reply.text(), "ERR count should be greater than 0", "{command} COUNT {count}");
            }
            let popped = client.line(&format!("{command} 1 {key} {which} COUNT {MAX}"));
            assert_eq!(popped.items()[1].items().len(), 3, "{command} takes all there is");
        }
        for command in ["SINTERCARD", "ZINTERCARD", "ZUNION", "ZINTER", "ZDIFF"] {
            for number in ["0", "-1", MIN, "5", MAX] {
                assert!(client.line(&format!("{command} {number} z")).is_error(), "{command} {number}");
            }
        }
        for number in ["0", "-1", "5", MAX] {
            assert!(client.line(&format!("ZUNIONSTORE attack:d {number} z")).is_error(), "ZUNIONSTORE {number}");
        }
    });
}

#[test]
fn bad_input_18_any_cursor() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        let many: Vec<Vec<String>> = (0..500)
            .flat_map(|n| {
                let n = n.to_string();
                [vec!["SADD".into(), "attack:u".into(), format!("m{n}")], vec!["SET".into(), format!("attack:{n}"), n]]
            })
            .collect();
        client.batch(&many);
        let mut random = Random::new(18);
        let mut cursors: Vec<u64> = (0..64).flat_map(|bit| [1 << bit, (1 << bit) - 1, u64::MAX >> bit]).collect();
        cursors.extend((0..300).map(|_| random.next()));
        for cursor in cursors {
            for command in ["SCAN", "SSCAN attack:u", "SSCAN u:ints", "HSCAN h", "ZSCAN z"] {
                let reply = client.line(&format!("{command} {cursor} COUNT 7"));
                assert_eq!(reply.items().len(), 2, "{command} {cursor}: {reply:?}");
            }
        }
        for cursor in ["abc", "1.5", "0x1", "18446744073709551616", "99999999999999999999999"] {
            assert_eq!(client.call(&["SCAN", cursor]).text(), "ERR invalid cursor", "{cursor:?}");
        }
        for count in ["0", "-1", MIN] {
            assert_eq!(client.call(&["SCAN", "0", "COUNT", count]).text(), "ERR syntax error", "COUNT {count}");
        }
        assert_eq!(client.call(&["SCAN", "0", "COUNT", MAX]).items()[0].text(), "0", "everything at once");
    });
}

#[test]
fn bad_input_19_pending_entries_without_bounds() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        for n in 1..=300 {
            client.line(&format!("XADD attack {n}-1 field value"));
        }
        client.line("XGROUP CREATE attack g 0");
        assert_eq!(client.line("XREADGROUP GROUP g c STREAMS attack >").leaves().len(), 1 + 300 * 3);
        let top = "18446744073709551615-18446744073709551615";
        for count in [MAX, "1152921504606846975", "0", "-1", MIN, "x"] {
            let reply = client.line(&format!("XAUTOCLAIM attack g d 0 0 COUNT {count} JUSTID"));
            assert!(reply.is_error() || reply.items()[1].items().len() == 300, "COUNT {count}: {reply:?}");
            let reply = client.line(&format!("XPENDING attack g - + {count}"));
            assert!(reply.is_error() || reply.items().len() <= 300, "{count}: {reply:?}");
            for idle in [MAX, MIN] {
                client.line(&format!("XPENDING attack g IDLE {idle} - + {count} c"));
                client.line(&format!("XCLAIM attack g c {idle} 5-1 IDLE {count} TIME {count} RETRYCOUNT {count}"));
                client.line(&format!("XAUTOCLAIM attack g c {idle} ({top} COUNT {count}"));
                client.line(&format!("XAUTOCLAIM attack g c {idle} {top} COUNT {count}"));
            }
            client.line(&format!("XINFO STREAM attack FULL COUNT {count}"));
            client.line(&format!("XREADGROUP GROUP g c COUNT {count} STREAMS attack {top}"));
            client.line(&format!("XREAD COUNT {count} BLOCK 1 STREAMS attack {top}"));
            client.line(&format!("XTRIM attack MAXLEN ~ 5000 LIMIT {count}"));
        }
        let ids: Vec<String> = (0..20_000).map(|n| format!("{n}-1")).collect();
        let with = |head: &str, tail: &str| {
            let words = head.split(' ').chain(ids.iter().map(String::as_str)).chain(tail.split_terminator(' '));
            words.map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(client.call(&with("XCLAIM attack g e 0", "FORCE JUSTID")).items().len(), 300);
        assert_eq!(client.call(&with("XACK attack g", "")).integer(), 300);
        assert_eq!(client.call(&with("XDEL attack", "")).integer(), 300);
        assert_eq!(client.line(&format!("XADD attack {top} f v")).text(), top);
        assert!(
            client.line("XADD attack * f v").text().starts_with("ERR The stream has exhausted the last possible ID")
        );
        assert!(client.line(&format!("XRANGE attack ({top} +")).is_error());
        assert!(client.line("XREVRANGE attack (0-0 -").is_error());
    });
}

#[test]
fn bad_input_20_thousands_of_keys_in_one_command() {
    attack(&[], COMMANDS, |target| {
        let mut client = target.connect();
        let keys: Vec<String> = (0..50_000).map(|n| format!("attack:{n}")).collect();
        let with = |head: &[&'static str], tail: &[&'static str]| {
            let mut command: Vec<&str> = head.to_vec();
            command.extend(keys.iter().map(String::as_str));
            command.extend(tail);
            command
        };
        let pairs: Vec<&str> = ["MSET"].into_iter().chain(keys.iter().flat_map(|key| [key.as_str(), "x"])).collect();
        assert_eq!(client.call(&pairs).text(), "OK");
        assert_eq!(client.call(&with(&["MGET"], &[])).items().len(), keys.len());
        assert_eq!(client.call(&with(&["EXISTS"], &[])).integer(), keys.len() as i64);
        assert_eq!(client.call(&with(&["TOUCH"], &[])).integer(), keys.len() as i64);
        // Redis looks through all watched keys for each further one.
        let watch: Vec<&str> = ["WATCH"].into_iter().chain(keys.iter().take(3_000).map(String::as_str)).collect();
        assert_eq!(client.call(&watch).text(), "OK");
        assert_eq!(client.call(&with(&["DEL"], &[])).integer(), keys.len() as i64);
        assert_eq!(client.line("MULTI").text(), "OK");
        assert!(client.line("EXEC").is_nil(), "the watched keys are gone");
        assert_eq!(client.call(&with(&["SADD", "attack"], &[])).integer(), keys.len() as i64);
        assert_eq!(client.call(&with(&["SUNION", "attack"], &[])).leaves().len(), keys.len());
        assert_eq!(client.call(&with(&["SINTER", "attack"], &[])).leaves().len(), 0);
        assert_eq!(client.call(&with(&["PFCOUNT", "p"], &[])).integer(), 3);
        assert_eq!(client.call(&with(&["ZUNION", "50000"], &[])).items().len(), 0);
        assert!(client.call(&with(&["BLPOP"], &["0.001"])).is_nil());
        assert_eq!(client.call(&with(&["RPUSH", "attack:list"], &[])).integer(), keys.len() as i64);
        client.send(&with(&["SUBSCRIBE"], &[]));
        (0..keys.len()).for_each(|_| assert_eq!(client.read().items().len(), 3));
        drop(client);
        let mut client = target.connect();
        client.call(&["UNLINK", "attack", "attack:list"]);
    });
}

#[test]
fn bad_input_21_the_same_key_twice() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        assert_eq!(client.line("MSET attack 1 attack 2 attack 3").text(), "OK");
        assert_eq!(client.line("GET attack").text(), "3");
        assert_eq!(client.line("MSETNX attack:n 1 attack:n 2").integer(), 1);
        assert_eq!(client.line("GET attack:n").text(), "2");
        assert_eq!(client.line("MSETNX attack:m 1 attack:n 2").integer(), 0);
        assert_eq!(client.line("EXISTS attack:m").integer(), 0);
        assert_eq!(client.line("MGET attack attack").items().len(), 2);
        assert_eq!(client.line("EXISTS attack attack attack").integer(), 3);
        assert_eq!(client.line("SINTERSTORE attack:u u u").integer(), 3);
        assert_eq!(client.line("ZUNIONSTORE z2 2 z z").integer(), 3);
        assert_eq!(client.line("ZSCORE z2 c").text(), "6");
        assert_eq!(client.line("RENAME z2 z2").text(), "OK");
        assert_eq!(client.line("COPY z2 z2").text(), "ERR source and destination objects are the same");
        assert_eq!(client.line("LMOVE attack:l attack:l LEFT RIGHT"), Reply::NilBulk);
        assert_eq!(client.line("DEL z2 z2 attack attack").integer(), 2);
        assert_eq!(client.line("MSET attack 1 attack").text(), "ERR wrong number of arguments for 'mset' command");
    });
}

#[test]
fn bad_input_22_sums_that_are_no_numbers() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        client.line("SET attack 1e308");
        client.line("HSET attack:h f 1e308");
        client.line("ZADD attack:z inf m");
        for increment in ["nan", "-nan", "abc", "1e5000", "", " 1", "1 "] {
            for command in [&["INCRBYFLOAT", "attack"] as &[&str], &["HINCRBYFLOAT", "attack:h", "f"]] {
                let mut command = command.to_vec();
                command.push(increment);
                let reply = client.call(&command);
                assert_eq!(reply.text(), "ERR value is not a valid float", "{command:?}");
            }
        }
        for increment in ["inf", "-inf"] {
            for command in ["INCRBYFLOAT attack", "HINCRBYFLOAT attack:h f"] {
                let reply = client.line(&format!("{command} {increment}"));
                let text = reply.text();
                let refused = ["ERR increment would produce NaN or Infinity", "ERR value is NaN or Infinity"];
                assert!(refused.contains(&text.as_str()), "{command} {increment}: {text}");
            }
        }
        assert_eq!(client.line("GET attack").text(), "1e308", "unchanged");
        assert_eq!(client.line("HGET attack:h f").text(), "1e308", "unchanged");
        assert_eq!(client.line("ZINCRBY attack:z -inf m").text(), "ERR resulting score is not a number (NaN)");
        assert_eq!(client.line("ZADD attack:z INCR -inf m").text(), "ERR resulting score is not a number (NaN)");
        assert_eq!(client.line("ZSCORE attack:z m").text(), "inf", "unchanged");
        assert_eq!(client.line("ZADD attack:z nan n").text(), "ERR value is not a valid float");
        client.line(&format!("SET attack {MAX}"));
        for command in ["INCR attack", "INCRBY attack 1", "DECRBY attack -1"] {
            assert_eq!(client.line(command).text(), "ERR increment or decrement would overflow", "{command}");
        }
        assert_eq!(client.line(&format!("DECRBY attack {MIN}")).text(), "ERR decrement would overflow");
        assert_eq!(client.line("GET attack").text(), MAX, "unchanged");
        client.line(&format!("HSET attack:h n {MIN}"));
        assert_eq!(client.line("HINCRBY attack:h n -1").text(), "ERR increment or decrement would overflow");
    });
}

#[test]
fn bad_input_23_crafted_hyperloglogs() {
    let name = "bad_inputs::bad_input_23_crafted_hyperloglogs";
    let oracle = support::oracle(name);
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        client.line("PFADD attack:dense x");
        for crafted in crafted_hyperloglogs() {
            for command in ["PFCOUNT attack", "PFADD attack a b c", "PFMERGE attack p", "PFMERGE attack:d p attack"] {
                let ask = |client: &mut Client| {
                    client.line("DEL attack:d");
                    client.line("PFADD p a b c");
                    client.call(&[b"SET".as_slice(), b"attack", &crafted]);
                    client.line(command)
                };
                let reply = ask(&mut client);
                let shown = format!("{command} of \"{}\"", crafted[..crafted.len().min(40)].escape_ascii());
                let text = reply.text();
                let refused = text.starts_with("WRONGTYPE") || text.starts_with("INVALIDOBJ");
                // What Redis does not notice may be refused, what it refuses is refused with the same words.
                let expected = oracle.as_ref().map(|oracle| ask(&mut oracle.connect())).filter(Reply::is_error);
                assert!(expected.is_none_or(|expected| reply == expected), "{shown}: {reply:?}");
                assert!(refused || !reply.is_error(), "{shown}: {reply:?}");
            }
        }
    });
}

/// Strings that look like HyperLogLogs and are none, or broken ones.
fn crafted_hyperloglogs() -> Vec<Vec<u8>> {
    let header = |encoding: u8| [b"HYLL".as_slice(), &[encoding, 0, 0, 0], &[0; 8]].concat();
    let with = |encoding: u8, body: &[u8]| [header(encoding), body.to_vec()].concat();
    vec![
        b"".to_vec(),
        b"HYLL".to_vec(),
        b"HYLX".repeat(8),
        header(0),
        header(1),
        header(2),
        with(0, &[0; 12287]),
        with(0, &[0; 12288]),
        with(0, &[0xff; 12288]),
        with(0, &[0; 12289]),
        // Sparse: too short, too long, cut within a code of two bytes, values beyond the registers.
        with(1, &[0x7f, 0xfe]),
        with(1, &[0x7f, 0xff]),
        with(1, &[0x7f, 0xff, 0x00]),
        with(1, &[0x7f]),
        with(1, &[0x80; 100]),
        with(1, &[0xff; 20_000]),
        with(1, &[0x00; 300]),
        with(1, &[0x7f, 0xff, 0xff]),
    ]
}

#[test]
fn bad_input_24_patterns_that_backtrack() {
    attack(&[], COMMANDS, |target| {
        let mut client = target.connect();
        let key = format!("attack:{}", "a".repeat(5_000));
        client.call(&["SET", &key, "x"]);
        let pattern = format!("attack:{}b", "a*".repeat(200));
        assert_eq!(client.call(&["KEYS", &pattern]).items().len(), 0);
        assert_eq!(client.call(&["SCAN", "0", "COUNT", "1000", "MATCH", &pattern]).items()[1].items().len(), 0);
        let pattern = format!("attack:{}a", "a*".repeat(200));
        assert_eq!(client.call(&["KEYS", &pattern]).items().len(), 1);
        let mut subscriber = target.connect();
        subscriber.call(&["PSUBSCRIBE", &format!("{}b", "*a".repeat(200))]);
        assert_eq!(client.call(&["PUBLISH", &"a".repeat(5_000), "x"]).integer(), 0);
        assert_eq!(client.call(&["PUBLISH", &format!("{}b", "a".repeat(5_000)), "x"]).integer(), 1);
    });
}

#[test]
fn bad_input_25_long_and_deep_patterns() {
    attack(&[], COMMANDS, |target| {
        let mut client = target.connect();
        client.call(&["SET", &format!("attack{}", "a".repeat(10_000)), "x"]);
        for part in ["*", "?", "[", "[a", "[^", "\\", "[a-", "*?", "[]", "**a", "[\\"] {
            for length in [1, 1_000, 100_000] {
                let reply = client.call(&["KEYS", &part.repeat(length)]);
                assert!(matches!(reply, Reply::Array(_)), "{length} times {part:?}: {reply:?}");
            }
        }
    });
}

#[test]
fn bad_input_45_secrets_in_the_slow_log() {
    attack(&["--requirepass", PASSWORD, "--slowlog-log-slower-than", "0"], COMMANDS, |target| {
        let mut client = target.connect();
        assert!(!client.call(&["HELLO", "3", "AUTH", "default", PASSWORD, "SETNAME", "n"]).is_error());
        assert!(client.call(&["AUTH", "default", "a-wrong-one"]).is_error());
        assert_eq!(client.call(&["CONFIG", "SET", "MasterAuth", PASSWORD, "maxmemory", "0"]).text(), "OK");
        client.batch(&[vec!["MULTI"], vec!["CONFIG", "SET", "requirepass", PASSWORD], vec!["EXEC"]]);
        let log = client.line("SLOWLOG GET -1");
        let words: Vec<String> = log.leaves().iter().map(|leaf| leaf.text()).collect();
        for secret in [PASSWORD, "a-wrong-one"] {
            assert!(!words.iter().any(|word| word.contains(secret)), "{words:?}");
        }
        assert!(words.iter().filter(|word| *word == "(redacted)").count() >= 5, "{words:?}");
        assert!(words.iter().any(|word| word == "maxmemory"), "what is no secret is shown: {words:?}");
    });
}

#[test]
fn bad_input_48_open_to_the_network_without_a_password() {
    let name = "bad_inputs::bad_input_48_open_to_the_network_without_a_password";
    let Some(address) = own_address() else {
        writeln!(std::io::stderr(), "SKIPPED {name}: this machine has no address but the loopback").ok();
        return;
    };
    attack(&["--bind", "0.0.0.0"], "rejected_connections", |target| {
        let place = SocketAddr::new(address, target.server.port());
        let mut outsider = Client::try_connect(place).expect("the port is open");
        outsider.try_write(b"PING\r\n").ok();
        let answer = String::from_utf8_lossy(&outsider.read_to_close()).into_owned();
        assert!(answer.starts_with("-DENIED "), "{answer:?}");
        assert_eq!(target.connect().line("PING").text(), "PONG", "from the loopback it works");
    });
    attack(&["--bind", "0.0.0.0", "--requirepass", PASSWORD], COMMANDS, |target| {
        let mut outsider =
            Client::try_connect(SocketAddr::new(address, target.server.port())).expect("the port is open");
        assert_eq!(outsider.call(&["AUTH", PASSWORD]).text(), "OK", "with a password it is allowed");
    });
}

/// The address of this machine in its network, found without sending anything.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn random_bytes_close_or_answer_but_never_hang() {
    attack(&[], PROTOCOL_ERRORS, |target| {
        let mut random = Random::new(7);
        let pieces: [&[u8]; 16] = [
            b"*", b"$", b"\r\n", b"\n", b"\r", b"1", b"3", b"-1", b"SET", b"attack", b"GET", b"\0", b"\"", b"\\x4",
            b" ", b"x",
        ];
        for _ in 0..300 {
            let mut bytes = Vec::new();
            for _ in 0..random.below(60) {
                bytes.extend_from_slice(random.pick(&pieces));
            }
            let mut good = Vec::new();
            encode(&["PING"], &mut good);
            let mut client = target.server.connect();
            client.try_write(&bytes).ok();
            client.try_write(&good).ok();
            client.socket().shutdown(std::net::Shutdown::Write).ok();
            client.read_to_close();
        }
    });
}
