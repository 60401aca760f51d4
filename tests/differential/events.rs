//! Keyspace notifications on both servers: which events each command causes, and in which order.
//!
//! The commands are those of the families' grammar, one at a time; in front of each comparison the connection that ran
//! it and the subscriber are asked to PING. What removes keys at random or at a time of its own is left out.

use std::collections::BTreeSet;

use crate::compare::Rule;
use crate::grammar::{Family, Generator, Step};
use crate::support::{Client, Reply, Server, oracle, words};

/// Commands of a round.
const STEPS: usize = 1_500;
/// Events of which time or chance decides: `expired` of a key that one server met a moment earlier.
const CLASSES: &str = "KEg$lshzetdmn";

/// Commands that the grammar has no row for, or rarely draws in full.
const SINGLE: &[&str] = &[
    "SET a 1",
    "SET a 2 EX 100",
    "SET a 2 KEEPTTL GET",
    "SETRANGE a 0 x",
    "SETRANGE b 0 \"\"",
    "GETEX a PERSIST",
    "GETEX a EX 100",
    "GETEX a PXAT 1",
    "GETDEL a",
    "MSET a 1 b 2 a 3",
    "MSETNX a 1 c 2",
    "MSETNX c 1 d 2",
    "INCRBYFLOAT a 1",
    "EXPIRE a -1",
    "EXPIRE b 100",
    "PERSIST b",
    "RENAME b c",
    "COPY c d REPLACE",
    "MOVE d 1",
    "PFADD p 1 2",
    "PFADD p 1",
    "PFMERGE q p",
    "PFCOUNT p q",
    "PFCOUNT none",
    "SETBIT bits 5 1",
    "BITOP NOT dest bits",
    "BITOP AND dest none",
    "BITFIELD bits SET u8 0 5",
    "HSET h a 1 b 2",
    "HINCRBY h a 1",
    "HINCRBYFLOAT h a 1",
    "HSETNX h c 1",
    "HDEL h a b c",
    "SADD s 1 2 3",
    "SMOVE s t 1",
    "SPOP t",
    "SPOP s 5",
    "SINTERSTORE s none",
    "ZADD z 1 a 2 b 3 c",
    "ZADD z 1 a",
    "ZADD z INCR 1 a",
    "ZINCRBY z 1 a",
    "ZADD z CH 5 a",
    "ZREMRANGEBYRANK z 0 0",
    "ZPOPMIN z",
    "ZMPOP 1 z MAX COUNT 5",
    "ZRANGESTORE y z 0 -1",
    "RPUSH l 1 2 3 4 5",
    "LINSERT l BEFORE 1 0",
    "LSET l 0 x",
    "LTRIM l 1 -1",
    "LREM l 0 2",
    "LMOVE l m LEFT RIGHT",
    "LMOVE l l LEFT RIGHT",
    "LMPOP 1 l LEFT COUNT 10",
    "BLMOVE m l LEFT RIGHT 0",
    "BRPOP l 0",
    "SORT s STORE dest",
    "RPUSH l 3 1 2",
    "SORT l STORE dest",
    "SORT none STORE dest",
    "OBJECT ENCODING none",
    "TYPE none",
    "TTL none",
    "EXISTS none",
    "TOUCH none",
    "DUMP none",
    "STRLEN none",
    "GETRANGE none 0 1",
    "LLEN none",
    "LRANGE none 0 1",
    "HGET none f",
    "SCARD none",
    "ZCARD none",
    "APPEND none x",
    "SWAPDB 0 1",
    "FLUSHALL",
];

#[test]
fn events() {
    let Some(oracle) = oracle("differential::events::events") else { return };
    let subject = Server::pipkin(&["--io-threads", "2"]);
    let failures_max = crate::number("PIPKIN_FAILURES").unwrap_or(1) as usize;
    let mut culprits = BTreeSet::new();
    let mut report = String::new();
    for seed in crate::seeds(80_000) {
        if let Some((culprit, text)) = round(seed, &subject, &oracle)
            && culprits.insert(culprit)
        {
            report.push_str(&text);
        }
        if culprits.len() >= failures_max {
            break;
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn events_of_single_commands() {
    let Some(oracle) = oracle("differential::events::events_of_single_commands") else { return };
    let subject = Server::pipkin(&[]);
    let (mut ours, mut theirs) = (Side::new(&subject), Side::new(&oracle));
    let mut report = String::new();
    for line in SINGLE {
        let step = Step { connection: 0, arguments: crate::support::words(line), rule: Rule::Shape };
        let [us, them] = [&mut ours, &mut theirs].map(|side| side.step(&step));
        let is_unknown = us.1.text().contains("unknown command");
        if !is_unknown && us != them {
            report.push_str(&format!("{line}\nPipkin {:?} {:?}\nRedis  {:?} {:?}\n", us.1, us.0, them.1, them.0));
        }
    }
    assert!(report.is_empty(), "{report}");
}

struct Side {
    clients: [Client; 2],
    subscriber: Client,
}

impl Side {
    fn new(server: &Server) -> Side {
        let [mut client, other, mut subscriber] = [(); 3].map(|()| server.connect());
        client.line("FLUSHALL");
        client.line(&format!("CONFIG SET notify-keyspace-events {CLASSES}"));
        subscriber.line("PSUBSCRIBE __key*__:*");
        Side { clients: [client, other], subscriber }
    }

    /// The channels and messages that a step causes, and its reply.
    fn step(&mut self, step: &Step) -> (Vec<String>, Reply) {
        let client = &mut self.clients[step.connection];
        let reply = client.call(&step.arguments);
        // Behind this answer the messages are on their way.
        client.line("CLIENT GETNAME");
        self.subscriber.send(&words("PING end"));
        let mut events = Vec::new();
        loop {
            let frame = self.subscriber.read();
            match frame.items() {
                [kind, ..] if kind.text() == "pong" => return (events, reply),
                [_, _, channel, message] => events.push(format!("{} {}", channel.text(), message.text())),
                _ => panic!("neither a message nor an answer: {frame:?}"),
            }
        }
    }
}

/// Whether a command causes the same on both servers each time. To Redis it is no change that a BITFIELD of which every
/// part fails makes a key, or a longer one; a log without it would end in other data. 7.2 finds errors of BITCOUNT
/// and BITPOS before it misses a key.
fn is_certain(step: &Step) -> bool {
    let chance = matches!(step.rule, Rule::Pop | Rule::Scan { .. } | Rule::Drawn { .. } | Rule::DrawnPairs { .. });
    let uncertain: [&[u8]; 6] = [b"DEBUG", b"RANDOMKEY", b"SPOP", b"BITFIELD", b"BITCOUNT", b"BITPOS"];
    !chance && !step.arguments.is_empty() && !uncertain.contains(&&*step.name())
}

fn round(seed: u64, subject: &Server, oracle: &Server) -> Option<(Vec<u8>, String)> {
    let (mut ours, mut theirs) = (Side::new(subject), Side::new(oracle));
    // The keys that SORT misses come in the order of a set.
    let families: Vec<Family> = Family::OF_DATA.iter().copied().filter(|family| *family != Family::Sorting).collect();
    let steps = Generator::new(seed, &families).round(STEPS, STEPS);
    let mut history: Vec<String> = Vec::new();
    for step in steps.iter().filter(|step| is_certain(step)) {
        history.push(format!("    {step}\n"));
        let [us, them] = [&mut ours, &mut theirs].map(|side| side.step(step));
        if us.0 != them.0 {
            let last = history[history.len().saturating_sub(12)..].concat();
            let (ours, theirs) = (format!("{:?} {:?}", us.0, us.1), format!("{:?} {:?}", them.0, them.1));
            let again = format!("again with: PIPKIN_SEED={seed}\n");
            return Some((step.name(), format!("Pipkin {ours}\nRedis  {theirs}\n{last}  {again}")));
        }
    }
    None
}
