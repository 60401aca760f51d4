//! A keyspace with one caller, for the tests of handlers: no dispatcher, no gates, every shard held.

use super::settings::Settings;
use super::{Args, Context, FAMILIES};
use crate::base::random::Random;
use crate::protocol::reply::{Protocol, Reply};
use crate::protocol::request::{Batch, OwnedRequest, Parser};
use crate::store::keys::Keys;
use crate::store::keyspace::Keyspace;
use crate::value::table::Basis;

/// When commands run, Unix time in ms.
pub const NOW_MS: u64 = 1_700_000_000_000;

/// The keyspace and what handlers are given with it.
pub struct Bench {
    keyspace: Keyspace,
    settings: Settings,
    random: Random,
    pub protocol: Protocol,
}

impl Bench {
    /// An empty keyspace; random numbers follow from `seed`.
    pub fn new(seed: u64) -> Bench {
        let keyspace = Keyspace::new(Basis::new(seed, NOW_MS), 16).expect("a thread to free values");
        let (settings, random) = (Settings::default(), Random::from_seed(seed));
        Bench { keyspace, settings, random, protocol: Protocol::Resp2 }
    }

    /// Bytes that all records account for.
    pub fn record_bytes(&self) -> usize {
        self.keyspace.record_bytes()
    }

    /// Runs a command while somebody listens; returns its reply and what is logged in its place.
    pub fn run<A: AsRef<[u8]>>(&self, arguments: &[A]) -> (Vec<u8>, Vec<Logged>) {
        let name = |at: usize| String::from_utf8_lossy(arguments[at].as_ref()).to_lowercase();
        let mut rows = FAMILIES.iter().copied().flatten();
        let row = rows.find(|row| row.name == name(0)).expect("a command of a data family");
        let subcommand = || row.subcommands.iter().find(|row| row.name == name(1)).and_then(|row| row.handler);
        let (handler, first) = row.handler.map_or_else(|| (subcommand(), 2), |handler| (Some(handler), 1));
        let handler = handler.expect("a command that can be called");
        let mut keys = Keys::new(&self.keyspace);
        keys.enter_exclusively(NOW_MS);
        keys.effects.logging = true;
        let reply = Reply::new(self.protocol);
        let mut ctx = Context {
            keys,
            reply,
            settings: &self.settings,
            random: &self.random,
            may_block: false,
            in_script: false,
            script_us: None,
        };
        let request = OwnedRequest::new(arguments).expect("arguments of bounded length");
        let mark = ctx.reply.mark();
        if let Err(error) = handler(&mut ctx, Args::from(request.request(), first)) {
            ctx.reply.truncate(mark);
            ctx.reply.error(&error);
        }
        let logged = ctx.keys.effects.records().iter().map(decoded).collect();
        ctx.keys.commit();
        ctx.keys.leave();
        (ctx.reply.take(), logged)
    }

    /// Runs a command of words without blanks; returns the reply as text.
    pub fn text(&self, line: &str) -> String {
        String::from_utf8_lossy(&self.run(&line.split_whitespace().collect::<Vec<_>>()).0).into_owned()
    }

    /// Runs a command, and returns the bulk strings of its reply in ascending order.
    pub fn bulks<A: AsRef<[u8]>>(&self, arguments: &[A]) -> Vec<String> {
        let reply = String::from_utf8_lossy(&self.run(arguments).0).into_owned();
        let mut lines = reply.split("\r\n");
        let mut bulks = Vec::new();
        while let Some(line) = lines.next() {
            if line.starts_with('$') {
                bulks.extend(lines.next().map(str::to_owned));
            }
        }
        bulks.sort();
        bulks
    }
}

/// A logged command: its database and its arguments.
pub type Logged = (usize, Vec<Vec<u8>>);

/// A logged command, decoded.
pub fn decoded((database, record): (usize, &[u8])) -> Logged {
    let mut batch = Batch::new();
    Parser::default().parse(record, 0, &mut batch, 1).expect("what is logged is a request");
    (database, batch.request(0, record).iter().map(<[u8]>::to_vec).collect())
}
