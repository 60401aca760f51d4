//! A server from outside: closed-loop load over TCP on whatever speaks RESP, so that servers are compared by the same
//! client.
//!
//! `PIPKIN_BENCH_SERVER=HOST:PORT cargo bench --bench end_to_end` (127.0.0.1:6379 unless said), with
//! `PIPKIN_BENCH_CONNECTIONS` (50) and `PIPKIN_BENCH_KEYS` (1000000). One thread writes a pipeline to every connection,
//! then reads all replies, and begins anew: as many commands are on their way as connections times pipeline. It touches
//! keys that begin with `pipkin-bench:` in database 0, and removes them in the end.
//!
//! Server CPU per operation is the kernel's count for the threads of the server's process, so that the client and a
//! noisy neighbour leave it alone; it is shown where the server runs on this machine and `/proc` tells.
#![allow(clippy::expect_used, clippy::unwrap_used)] // A failure here is to be loud.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const ROW_TIME: Duration = Duration::from_secs(1);
/// A server that is silent for so long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(10);
const PIPELINES: [usize; 3] = [1, 16, 64];
const VALUE: [u8; 64] = [b'x'; 64];
/// Lists, hashes and sorted sets that the load is spread over.
const COLLECTIONS: usize = 1_000;
/// Commands of one write while keys are filled in or removed.
const BULK: usize = 1_000;

/// Writes one command about the key, field or member of this number.
type Workload = fn(&mut Vec<u8>, usize);

const WORKLOADS: [(&str, Workload); 6] = [
    ("SET", |out, number| command(out, &[b"SET", &key("key", number), &VALUE])),
    ("GET", |out, number| command(out, &[b"GET", &key("key", number)])),
    ("INCR", |out, number| command(out, &[b"INCR", &key("counter", number)])),
    ("HSET", |out, number| command(out, &[b"HSET", &key("hash", number % COLLECTIONS), &key("field", number), &VALUE])),
    ("LPUSH", |out, number| command(out, &[b"LPUSH", &key("list", number % COLLECTIONS), &VALUE])),
    ("ZADD", |out, number| {
        let score = (number * 7919 % 1_000_003).to_string();
        command(out, &[b"ZADD", &key("zset", number % COLLECTIONS), score.as_bytes(), &key("member", number)]);
    }),
];

fn key(kind: &str, number: usize) -> Vec<u8> {
    format!("pipkin-bench:{kind}:{number:09}").into_bytes()
}

fn command(out: &mut Vec<u8>, arguments: &[&[u8]]) {
    write!(out, "*{}\r\n", arguments.len()).expect("a vector takes all");
    for argument in arguments {
        write!(out, "${}\r\n", argument.len()).expect("a vector takes all");
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// A connection with the bytes that it has received and not used.
struct Connection {
    stream: TcpStream,
    arrived: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection { stream, arrived: Vec::new() })
    }

    /// Reads so many replies; an error among them ends the run.
    fn read_replies(&mut self, count: usize) -> Result<()> {
        let (mut at, mut left) = (0, count);
        loop {
            while left > 0
                && let Some(end) = reply_end(&self.arrived, at)
            {
                assert_ne!(self.arrived[at], b'-', "{}", String::from_utf8_lossy(&self.arrived[at..end]));
                (at, left) = (end, left - 1);
            }
            if left == 0 {
                self.arrived.drain(..at);
                return Ok(());
            }
            let mut chunk = [0; 16 << 10];
            match self.stream.read(&mut chunk)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                read => self.arrived.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// Runs many commands, as fast as one connection can.
    fn run_all(&mut self, mut numbers: impl Iterator<Item = usize>, workload: Workload) -> Result<()> {
        loop {
            let (mut out, mut count) = (Vec::new(), 0);
            for number in numbers.by_ref().take(BULK) {
                workload(&mut out, number);
                count += 1;
            }
            if count == 0 {
                return Ok(());
            }
            self.stream.write_all(&out)?;
            self.read_replies(count)?;
        }
    }

    /// The server's process, if it is one of this machine.
    fn local_process(&mut self) -> Result<Option<u32>> {
        let mut out = Vec::new();
        command(&mut out, &[b"INFO", b"server"]);
        self.stream.write_all(&out)?;
        let end = loop {
            if let Some(end) = reply_end(&self.arrived, 0) {
                break end;
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                read => self.arrived.extend_from_slice(&chunk[..read]),
            }
        };
        let info = String::from_utf8_lossy(&self.arrived[..end]).into_owned();
        self.arrived.clear();
        let process = info.lines().find_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok());
        Ok(process.filter(|_| self.stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback())))
    }
}

/// Where the reply that begins at `at` ends, once all of it is there: lines and bulks, which is all that comes here.
fn reply_end(bytes: &[u8], at: usize) -> Option<usize> {
    let line = at + bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")?;
    if bytes[at] != b'$' {
        return Some(line + 2);
    }
    let len: i64 = std::str::from_utf8(&bytes[at + 1..line]).ok()?.parse().expect("a bulk's length");
    let end = usize::try_from(len).map_or(line + 2, |len| line + 2 + len + 2);
    (end <= bytes.len()).then_some(end)
}

/// Processor time of all threads of a process.
fn processor_time(process: u32) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for thread in std::fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        total += Duration::from_nanos(text.split(' ').next()?.parse().ok()?);
    }
    Some(total)
}

/// Even enough for drawing keys, and the same on every run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

/// What one row is measured with.
struct Load {
    connections: Vec<Connection>,
    random: Random,
    keys: usize,
    process: Option<u32>,
}

impl Load {
    fn measure(&mut self, name: &str, workload: Workload, pipeline: usize) -> Result<()> {
        let before = self.process.and_then(processor_time);
        let (start, mut count, mut out) = (Instant::now(), 0_u64, Vec::new());
        while start.elapsed() < ROW_TIME {
            for connection in &mut self.connections {
                out.clear();
                (0..pipeline).for_each(|_| workload(&mut out, self.random.below(self.keys)));
                connection.stream.write_all(&out)?;
            }
            for connection in &mut self.connections {
                connection.read_replies(pipeline)?;
                count += pipeline as u64;
            }
        }
        let rate = count as f64 / start.elapsed().as_secs_f64();
        let spent =
            self.process.and_then(processor_time).zip(before).map(|(after, before)| after.saturating_sub(before));
        let each = spent.map_or("-".into(), |spent| format!("{:.2}", spent.as_secs_f64() * 1e6 / count as f64));
        println!("| {name} | {pipeline} | {rate:.0} | {each} |");
        Ok(())
    }

    fn run(&mut self, address: &str) -> Result<()> {
        let keys = self.keys;
        self.connections[0].run_all(0..keys, WORKLOADS[0].1)?;
        println!("{address}: {} connections, {keys} keys, values of {} bytes", self.connections.len(), VALUE.len());
        println!("| command | pipeline | operations/s | server CPU, us per operation |\n|---|---|---|---|");
        for (name, workload) in WORKLOADS {
            PIPELINES.iter().try_for_each(|pipeline| self.measure(name, workload, *pipeline))?;
        }
        let first = &mut self.connections[0];
        first
            .run_all(0..keys, |out, number| command(out, &[b"UNLINK", &key("key", number), &key("counter", number)]))?;
        first.run_all(0..COLLECTIONS, |out, number| {
            command(out, &[b"UNLINK", &key("hash", number), &key("list", number), &key("zset", number)]);
        })
    }
}

fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn main() -> Result<()> {
    // `cargo test` runs benches too, without this flag: it must not load a server that somebody uses.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("end_to_end is skipped: it loads a server under `cargo bench` only");
        return Ok(());
    }
    let address = std::env::var("PIPKIN_BENCH_SERVER").unwrap_or_else(|_| "127.0.0.1:6379".into());
    let mut first = match Connection::open(&address) {
        Ok(first) => first,
        Err(error) => {
            println!(
                "end_to_end is skipped: nothing answers on {address} ({error}); PIPKIN_BENCH_SERVER names a server"
            );
            return Ok(());
        }
    };
    let process = first.local_process()?;
    let mut connections = vec![first];
    for _ in 1..setting("PIPKIN_BENCH_CONNECTIONS", 50) {
        connections.push(Connection::open(&address)?);
    }
    let keys = setting("PIPKIN_BENCH_KEYS", 1_000_000).max(1);
    Load { connections, random: Random(0x5eed), keys, process }.run(&address)
}
