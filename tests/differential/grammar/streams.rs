//! Rows of the streams. Ids are explicit, and mostly newer than those before: two servers have two clocks.

use super::{Row, Step, words};
use crate::compare::Rule::{self, *};
use crate::support::Random;

pub const ROWS: &[Row] = &[
    (20, "XADD key newid (member value)…", Exact),
    (6, "XADD key newid f1 value f2 value", Exact),
    (6, "XADD key newid f1 int", Exact),
    (3, "XADD key [NOMKSTREAM] streamid (member value)…", Exact),
    (3, "XADD key NOMKSTREAM newid f1 value", Exact),
    (6, "XADD key MAXLEN [(=|~)] (0|1|3|5|10|20|50|-1|x) newid f1 value", Exact),
    (3, "XADD key MINID [(=|~)] streamid newid f1 value", Exact),
    (3, "XADD key (MAXLEN|MINID) ~ (5|10|20) LIMIT (0|1|3|5|10|-1) newid f1 value", Exact),
    (1, "XADD key (MAXLEN ~ 5|MAXLEN = 5|MINID 5|LIMIT 5|LIMIT 0|NOMKSTREAM)… newid f1 value", Exact),
    (2, "XTRIM key MAXLEN [(=|~)] (0|1|3|5|10|20|50|-1)", Exact),
    (2, "XTRIM key MINID [(=|~)] streamid", Exact),
    (2, "XTRIM key (MAXLEN|MINID) [~] (0|3|5|10|20) [LIMIT (0|1|3|5|10|-1)]", Exact),
    (8, "XDEL key streamid…", Exact),
    (2, "XLEN key", Exact),
    (6, "XRANGE key start end [COUNT count]", Exact),
    (5, "XREVRANGE key end start [COUNT count]", Exact),
    (1, "(XRANGE|XREVRANGE) key - + (COUNT count|COUNT)…", Exact),
    (6, "XREAD [COUNT count] STREAMS key (streamid|$)", Exact),
    (4, "XREAD [COUNT count] STREAMS key key (streamid|$) (streamid|$)", Exact),
    (1, "XREAD [COUNT count] [BLOCK (1|2|-1|x)] STREAMS key (streamid|$)", Exact),
    (1, "XREAD (COUNT count|NOACK|GROUP g1 c1|x)… STREAMS key 0", Exact),
    (8, "XGROUP CREATE key group (0|$|streamid) [MKSTREAM] [ENTRIESREAD (0|1|5|-1|-2|x)]", Exact),
    (3, "XGROUP SETID key group (0|$|streamid|-|+) [ENTRIESREAD (0|1|5|-1|-2)]", Exact),
    (2, "XGROUP DESTROY key group", Exact),
    (3, "XGROUP CREATECONSUMER key group consumer", Exact),
    (3, "XGROUP DELCONSUMER key group consumer", Exact),
    (1, "XGROUP (CREATE|SETID|DESTROY|NOSUCH) key", Exact),
    (12, "XREADGROUP GROUP group consumer [COUNT count] STREAMS key >", Exact),
    (4, "XREADGROUP GROUP group consumer [COUNT count] [NOACK] STREAMS key (>|0|streamid)", Exact),
    (3, "XREADGROUP GROUP group consumer [COUNT count] STREAMS key key (>|0|streamid|$) (>|0|streamid)", Exact),
    (1, "XREADGROUP GROUP group consumer [BLOCK (1|2|-1)] STREAMS key >", Exact),
    (8, "XACK key group streamid…", Exact),
    (3, "XPENDING key group", Exact),
    (5, "XPENDING key group [IDLE (0|100000000|-1)] start end count [consumer]", PendingEntries),
    (1, "XPENDING key group (IDLE 0|start|end|count)…", PendingEntries),
    (6, "XCLAIM key group consumer (0|100000000|-1|x) streamid…", Exact),
    (
        5,
        "XCLAIM key group consumer (0|100000000) streamid… (IDLE (0|5|200000000|x)|TIME (0|5|-1)|RETRYCOUNT (0|3|-1)|FORCE|JUSTID|LASTID streamid)…",
        Exact,
    ),
    (4, "XCLAIM key group consumer 0 streamid FORCE [JUSTID] [RETRYCOUNT (0|3)]", Exact),
    (1, "XCLAIM key group consumer 0 streamid… (JUSTID|NOSUCH|TIME)…", Exact),
    (6, "XAUTOCLAIM key group consumer (0|100000000|-1) start [COUNT (1|2|5|100|0|x)] [JUSTID]", Exact),
    (3, "XINFO STREAM key", StreamInfo),
    (3, "XINFO STREAM key FULL [COUNT (0|1|2|5|-1|x)]", StreamInfo),
    (1, "XINFO STREAM key (FULL|COUNT|1)…", StreamInfo),
    (4, "XINFO GROUPS key", StreamInfo),
    (3, "XINFO CONSUMERS key group", StreamInfo),
    (1, "XSETID key 18446744073709551615-18446744073709551615 [ENTRIESADDED (0|5|1000|-1)]", Exact),
    (1, "CONFIG SET stream-node-max-entries (2|4|7|100)", Exact),
];

/// Draws ids; those of new entries ascend.
#[derive(Default)]
pub struct Ids {
    /// Thirds of the millisecond of the newest.
    newest: usize,
}

impl Ids {
    /// A word of these rows.
    pub fn word(&mut self, word: &str, random: &mut Random) -> Option<Vec<u8>> {
        let text = match word {
            "newid" => {
                self.newest += random.below(4);
                match random.below(20) {
                    0 => format!("{}", self.newest / 3 + 1),
                    1..4 => format!("{}-*", self.newest / 3),
                    4 => "0-0".to_owned(),
                    _ => format!("{}-{}", self.newest / 3, self.newest % 3),
                }
            }
            "streamid" => self.known(random),
            "start" | "end" => match random.below(10) {
                0..3 => if word == "start" { "-" } else { "+" }.to_owned(),
                3 => {
                    random.pick(&["+", "-", "(-", "(", "(0-0", "(18446744073709551615-18446744073709551615"]).to_owned()
                }
                4..6 => format!("({}", self.known(random)),
                _ => self.known(random),
            },
            "group" => format!("g{}", random.below(3)),
            "consumer" => format!("c{}", random.below(4)),
            _ => return None,
        };
        Some(text.into_bytes())
    }

    fn known(&self, random: &mut Random) -> String {
        let reach = if random.chance(20) { 400 } else { 60 };
        let back = random.below(reach);
        let third = self.newest.saturating_sub(back);
        match random.below(30) {
            0 => format!("{}", third / 3),
            1 => "0".to_owned(),
            2 => random.pick(&["18446744073709551615-18446744073709551615", "x", "1-x", "1-2-3", "+", "-"]).to_owned(),
            _ => format!("{}-{}", third / 3, third % 3),
        }
    }
}

/// What is to run in front of a command so that 7.0 knows the consumer that 7.2 creates whatever is read or claimed.
pub fn consumers_of(connection: usize, arguments: &[Vec<u8>]) -> Vec<Step> {
    let at = |word: &[u8]| arguments.iter().position(|argument| argument.eq_ignore_ascii_case(word));
    let name = arguments[0].to_ascii_uppercase();
    let (group, keys) = match name.as_slice() {
        b"XREADGROUP" => {
            let (Some(group), Some(streams)) = (at(b"GROUP"), at(b"STREAMS")) else { return Vec::new() };
            let names = &arguments[streams + 1..];
            (group + 1, names[..names.len() / 2].to_vec())
        }
        b"XCLAIM" | b"XAUTOCLAIM" if arguments.len() > 3 => (2, vec![arguments[1].clone()]),
        _ => return Vec::new(),
    };
    let [Some(group), Some(consumer)] = [arguments.get(group), arguments.get(group + 1)] else { return Vec::new() };
    let create = |key: Vec<u8>| {
        let arguments = [words("XGROUP CREATECONSUMER"), vec![key, group.clone(), consumer.clone()]].concat();
        Step { connection, arguments, rule: Rule::Exact }
    };
    keys.into_iter().map(create).collect()
}
