//! The commands as a grammar, and the generator that draws from it.
//!
//! A row's text reads like a synopsis: upper case stands for itself, `[x]` is left out half of the time, `(a|b)` is a
//! choice, `x…` repeats one to four times, and a lower-case word is drawn from its universe (`fn word`), and
//! `A%B` are two literal arguments. Universes are
//! small, so that commands meet the same keys, fields and members again.

#[path = "grammar/bitmaps.rs"]
mod bitmaps;
#[path = "grammar/geo.rs"]
mod geo;
#[path = "grammar/sorting.rs"]
mod sorting;
#[path = "grammar/streams.rs"]
mod streams;

use std::collections::BTreeSet;
use std::fmt;

use crate::compare::Rule;
use crate::support::Random;

/// A group of rows; a test mixes some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Connection,
    Keys,
    Strings,
    Hashes,
    Lists,
    Sets,
    SortedSets,
    HyperLogLog,
    Bitmaps,
    Streams,
    Geo,
    Sorting,
    Transactions,
}

impl Family {
    /// The families of data, a key of which is of any type.
    pub const OF_DATA: &[Family] = &[
        Family::Transactions,
        Family::Keys,
        Family::Keys,
        Family::Strings,
        Family::Hashes,
        Family::Lists,
        Family::Sets,
        Family::SortedSets,
        Family::HyperLogLog,
        Family::Bitmaps,
        Family::Streams,
        Family::Geo,
        Family::Sorting,
    ];

    /// First letter of the family's keys.
    fn prefix(self) -> Option<char> {
        Some(match self {
            Family::Strings | Family::Bitmaps => 's',
            Family::Hashes => 'h',
            Family::Streams => 'x',
            Family::Lists => 'l',
            Family::Sets => 'u',
            Family::SortedSets => 'z',
            Family::HyperLogLog => 'p',
            Family::Geo => 'g',
            Family::Connection | Family::Keys | Family::Sorting | Family::Transactions => return None,
        })
    }
}

/// One command on one of the two connections, or (without arguments) a comparison of everything stored.
#[derive(Clone, Debug)]
pub struct Step {
    pub connection: usize,
    pub arguments: Vec<Vec<u8>>,
    pub rule: Rule,
}

impl Step {
    /// The command's name in capitals; empty for a comparison of everything stored.
    pub fn name(&self) -> Vec<u8> {
        self.arguments.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.arguments.is_empty() {
            return f.write_str("(compare everything stored)");
        }
        write!(f, "client {}:", self.connection)?;
        for argument in &self.arguments {
            match argument.len() {
                0..=400 => write!(f, " \"{}\"", argument.escape_ascii())?,
                n => write!(f, " \"{}…\"({n} bytes)", argument[..20].escape_ascii())?,
            }
        }
        Ok(())
    }
}

/// Whether a command of this name may wait; see the engine's rows.
pub fn waits(name: &[u8]) -> bool {
    let waiting: [&[u8]; 12] = [
        b"BLPOP",
        b"BRPOP",
        b"BLMOVE",
        b"BRPOPLPUSH",
        b"BLMPOP",
        b"BZPOPMIN",
        b"BZPOPMAX",
        b"BZMPOP",
        b"WAIT",
        b"WAITAOF",
        b"XREAD",
        b"XREADGROUP",
    ];
    waiting.contains(&name)
}

/// A row: how often relative to the others of its family, the synopsis, how replies are compared.
type Row = (usize, &'static str, Rule);

use Rule::*;

const CONNECTION: &[Row] = &[
    (2, "PING [value]", Exact),
    (2, "ECHO value", Exact),
    (2, "SELECT db", Exact),
    (2, "HELLO (2|3)", Hello),
    (1, "HELLO (1|4|x)", Hello),
    (1, "RESET", Exact),
    (1, "CLIENT SETNAME member", Exact),
    (1, "CLIENT GETNAME", Exact),
    (1, "CLIENT ID", Shape),
    (1, "CLIENT NO-EVICT (ON|OFF|x)", Exact),
    (1, "CLIENT UNBLOCK (0|x|999999) [(TIMEOUT|ERROR|x)]", Exact),
    (1, "WAIT (0|x|-1) (1|x|2)", Exact),
    (1, "CLIENT SETNAME value", Exact),
    (2, "PUBLISH member value", Exact),
    (1, "PUBSUB CHANNELS [pattern]", Exact),
    (1, "PUBSUB NUMSUB [member…]", Exact),
    (1, "PUBSUB NUMPAT", Exact),
    (1, "NOSUCHCOMMAND value…", Exact),
    (1, "OBJECT NOSUCH key", Exact),
    (1, "CLIENT NOSUCH", Exact),
    (1, "CONFIG GET (maxmemory-policy|hash-max-listpack-entries|nosuchparameter)", Exact),
    (1, "COMMAND COUNT", Shape),
];

const KEYS: &[Row] = &[
    (6, "SELECT db", Exact),
    (6, "DEL key…", Exact),
    (4, "UNLINK key…", Exact),
    (4, "EXISTS key…", Exact),
    (2, "TOUCH key…", Exact),
    (4, "TYPE key", Exact),
    (6, "RENAME key key", Exact),
    (4, "RENAMENX key key", Exact),
    (8, "COPY key key [DB db] [REPLACE]", Exact),
    (6, "MOVE key db", Exact),
    (4, "DUMP key", Dumped),
    (6, "RESTORE key restorems payload [REPLACE] [REPLACE]", Exact),
    (2, "RESTORE key atms payload ABSTTL [REPLACE] [(IDLETIME|FREQ) count]", Exact),
    (2, "SWAPDB db db", Exact),
    (2, "DBSIZE", Exact),
    (2, "KEYS pattern", Unordered),
    (2, "RANDOMKEY", Drawn { from: "KEYS *" }),
    (1, "(FLUSHDB|FLUSHDB|FLUSHALL) [(ASYNC|SYNC)]", Exact),
    (6, "OBJECT ENCODING key", Encoding),
    (1, "OBJECT REFCOUNT key", Shape),
    (1, "OBJECT IDLETIME key", Shape),
    (1, "OBJECT FREQ key", Exact),
    (6, "EXPIRE key secs [(NX|XX|GT|LT|NX%GT|GT%LT|XX%LT|XX%GT|NX%XX)]", Exact),
    (4, "PEXPIRE key ms [(NX|XX|GT|LT|XX%GT)]", Exact),
    (4, "EXPIREAT key at [(NX|XX|GT|LT|XX%GT)]", Exact),
    (4, "PEXPIREAT key atms [(NX|XX|GT|LT|XX%LT)]", Exact),
    (4, "PERSIST key", Exact),
    (3, "TTL key", Seconds),
    (3, "PTTL key", Milliseconds),
    (3, "EXPIRETIME key", Seconds),
    (3, "PEXPIRETIME key", Milliseconds),
    (2, "SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]", Scan { cursor_at: 1 }),
    (1, "PING [value]", Exact),
];

const STRINGS: &[Row] = &[
    (10, "SET key value [(EX secs|PX ms|EXAT later|PXAT laterms|KEEPTTL)] [(NX|XX)] [GET]", Exact),
    (6, "SET key int", Exact),
    (3, "SET key float", Exact),
    (3, "SET key value (EX secs|PX ms|GET|KEEPTTL|NX|XX|PERSIST)…", Exact),
    (6, "GET key", Exact),
    (3, "GETSET key value", Exact),
    (3, "GETDEL key", Exact),
    (5, "GETEX key [(EX secs|PX ms|EXAT at|PXAT atms|PERSIST)]", Exact),
    (3, "SETNX key value", Exact),
    (3, "SETEX key secs value", Exact),
    (3, "PSETEX key ms value", Exact),
    (3, "MSET (key value)…", Exact),
    (3, "MSETNX (key value)…", Exact),
    (3, "MGET key…", Exact),
    (6, "INCR key", Exact),
    (4, "DECR key", Exact),
    (6, "INCRBY key delta", Exact),
    (4, "DECRBY key delta", Exact),
    (6, "INCRBYFLOAT key float", Exact),
    (6, "APPEND key value", Exact),
    (4, "STRLEN key", Exact),
    (5, "SETRANGE key offset value", Exact),
    (5, "GETRANGE key index index", Exact),
    (2, "SUBSTR key index index", Exact),
    (3, "LCS key key [LEN] [IDX] [MINMATCHLEN count] [WITHMATCHLEN]", Exact),
    (4, "OBJECT ENCODING key", Encoding),
];

const HASHES: &[Row] = &[
    (12, "HSET key (field value)…", Exact),
    (2, "HSET key manypairs", Exact),
    (3, "HMSET key (field value)…", Exact),
    (4, "HSETNX key field value", Exact),
    (6, "HGET key field", Exact),
    (4, "HMGET key field…", Exact),
    (4, "HGETALL key", Pairs),
    (3, "HKEYS key", Unordered),
    (3, "HVALS key", Unordered),
    (3, "HLEN key", Exact),
    (3, "HSTRLEN key field", Exact),
    (3, "HEXISTS key field", Exact),
    (8, "HDEL key field…", Exact),
    (1, "HDEL key manyfields", Exact),
    (5, "HINCRBY key field delta", Exact),
    (5, "HINCRBYFLOAT key field float", Exact),
    (2, "HSET key field int", Exact),
    (3, "HRANDFIELD key [draws]", Drawn { from: "HKEYS" }),
    (3, "HRANDFIELD key draws WITHVALUES", DrawnPairs { from: "HGETALL" }),
    (3, "HSCAN key cursor [MATCH pattern] [COUNT count]", Scan { cursor_at: 2 }),
    (3, "OBJECT ENCODING key", Encoding),
];

const LISTS: &[Row] = &[
    (8, "LPUSH key element…", Exact),
    (8, "RPUSH key element…", Exact),
    (1, "RPUSH key manyelements", Exact),
    (2, "LPUSHX key element…", Exact),
    (2, "RPUSHX key element…", Exact),
    (5, "LPOP key [count]", Exact),
    (5, "RPOP key [count]", Exact),
    (3, "LLEN key", Exact),
    (5, "LRANGE key index index", Exact),
    (4, "LINDEX key index", Exact),
    (5, "LSET key index element", Exact),
    (5, "LINSERT key (BEFORE|AFTER) element element", Exact),
    (4, "LREM key index element", Exact),
    (4, "LTRIM key index index", Exact),
    (5, "LMOVE key key (LEFT|RIGHT) (LEFT|RIGHT)", Exact),
    (3, "RPOPLPUSH key key", Exact),
    (5, "LPOS key element [RANK index] [COUNT count] [MAXLEN count]", Exact),
    (4, "LMPOP numbered (LEFT|RIGHT) [COUNT count]", Exact),
    (1, "BLPOP key… timeout", Exact),
    (1, "BRPOP key… timeout", Exact),
    (1, "BLMOVE key key (LEFT|RIGHT) (LEFT|RIGHT) timeout", Exact),
    (1, "BRPOPLPUSH key key timeout", Exact),
    (1, "BLMPOP timeout numbered (LEFT|RIGHT) [COUNT count]", Exact),
    (3, "OBJECT ENCODING key", Encoding),
];

const SETS: &[Row] = &[
    (10, "SADD key (member|int)…", Exact),
    (4, "SADD key int…", Exact),
    (2, "SADD key manyints", Exact),
    (1, "SADD key manyfields", Exact),
    (1, "SREM key manyints", Exact),
    (6, "SREM key (member|int)…", Exact),
    (3, "SISMEMBER key member", Exact),
    (3, "SMISMEMBER key (member|int)…", Exact),
    (4, "SMEMBERS key", Unordered),
    (3, "SCARD key", Exact),
    (4, "SMOVE key key member", Exact),
    (4, "SPOP key [count]", Pop),
    (1, "SPOP key 100000", Unordered),
    (3, "SRANDMEMBER key [draws]", Drawn { from: "SMEMBERS" }),
    (4, "(SINTER|SUNION|SDIFF) key…", Unordered),
    (5, "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) key key…", Exact),
    (3, "SINTERCARD numbered [LIMIT count]", Exact),
    (3, "SSCAN key cursor [MATCH pattern] [COUNT count]", Scan { cursor_at: 2 }),
    (3, "OBJECT ENCODING key", Encoding),
];

const SORTED_SETS: &[Row] = &[
    (10, "ZADD key (score member)…", Exact),
    (6, "ZADD key [(NX|XX)] [(GT|LT)] [CH] (score member)…", Exact),
    (4, "ZADD key [(NX|XX)] [(GT|LT)] [CH] INCR score member", Doubles),
    (2, "ZADD key manyscored", Exact),
    (4, "ZADD lexkey sharedscore", Exact),
    (2, "ZADD lexkey [(NX|XX)] [CH] (0 member)…", Exact),
    (5, "ZINCRBY key score member", Doubles),
    (3, "ZSCORE key member", Doubles),
    (3, "ZMSCORE key member…", Doubles),
    (3, "ZRANK key member", Exact),
    (3, "ZREVRANK key member", Exact),
    (3, "ZCARD key", Exact),
    (4, "ZCOUNT key bound bound", Exact),
    (3, "ZLEXCOUNT lexkey lex lex", Exact),
    (4, "ZRANGE key index index [REV] [WITHSCORES]", Doubles),
    (4, "ZRANGE key bound bound BYSCORE [REV] [LIMIT index count] [WITHSCORES]", Doubles),
    (3, "ZRANGE lexkey lex lex BYLEX [REV] [LIMIT index count]", Exact),
    (1, "ZRANGE lexkey lex lex (BYLEX|BYSCORE|REV|WITHSCORES|LIMIT index count)…", Doubles),
    (3, "ZRANGESTORE key key index index [REV]", Exact),
    (3, "ZRANGESTORE key key bound bound BYSCORE [REV] [LIMIT index count]", Exact),
    (2, "ZRANGESTORE key lexkey lex lex BYLEX [REV] [LIMIT index count]", Exact),
    (3, "ZREVRANGE key index index [WITHSCORES]", Doubles),
    (3, "ZRANGEBYSCORE key bound bound [WITHSCORES] [LIMIT index count]", Doubles),
    (3, "ZREVRANGEBYSCORE key bound bound [WITHSCORES] [LIMIT index count]", Doubles),
    (3, "ZRANGEBYLEX lexkey lex lex [LIMIT index count]", Exact),
    (3, "ZREVRANGEBYLEX lexkey lex lex [LIMIT index count]", Exact),
    (6, "ZREM key member…", Exact),
    (1, "ZREM lexkey member…", Exact),
    (2, "ZREMRANGEBYRANK key index index", Exact),
    (2, "ZREMRANGEBYSCORE key bound bound", Exact),
    (2, "ZREMRANGEBYLEX lexkey lex lex", Exact),
    (3, "(ZPOPMIN|ZPOPMAX) key [count]", Doubles),
    (3, "ZMPOP numbered (MIN|MAX) [COUNT count]", Doubles),
    (1, "(BZPOPMIN|BZPOPMAX) key… timeout", Doubles),
    (1, "BZMPOP timeout numbered (MIN|MAX) [COUNT count]", Doubles),
    (4, "(ZUNION|ZINTER) numbered [WEIGHTS weights] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", Doubles),
    (2, "ZDIFF numbered [WITHSCORES]", Doubles),
    (5, "(ZUNIONSTORE|ZINTERSTORE) key numbered [WEIGHTS weights] [AGGREGATE (SUM|MIN|MAX)]", Exact),
    (2, "ZDIFFSTORE key numbered", Exact),
    (3, "ZINTERCARD numbered [LIMIT count]", Exact),
    (3, "ZRANDMEMBER key [draws]", Drawn { from: "ZRANGE 0 -1" }),
    (3, "ZRANDMEMBER key draws WITHSCORES", DrawnPairs { from: "ZRANGE 0 -1 WITHSCORES" }),
    (3, "ZSCAN key cursor [MATCH pattern] [COUNT count]", Scan { cursor_at: 2 }),
    (3, "OBJECT ENCODING key", Encoding),
];

const HYPERLOGLOG: &[Row] = &[
    (10, "PFADD key member…", Exact),
    (6, "PFADD key anything…", Exact),
    (2, "PFADD key", Exact),
    (4, "PFADD key manyelements", Exact),
    (6, "PFCOUNT key…", Exact),
    (5, "PFMERGE key key…", Exact),
    (1, "PFMERGE key", Exact),
    (3, "PFDEBUG (ENCODING|DECODE|TODENSE|NOSUCH) key", Exact),
    (1, "PFDEBUG GETREG key", Exact),
    (5, "GET key", Exact),
    (2, "STRLEN key", Exact),
    (1, "SET key value", Exact),
    (2, "OBJECT ENCODING key", Encoding),
];

const TRANSACTIONS: &[Row] = &[
    (8, "MULTI", Exact),
    (8, "EXEC", Exact),
    (2, "DISCARD", Exact),
    (6, "WATCH key…", Exact),
    (1, "UNWATCH", Exact),
    (4, "SET key value", Exact),
];

/// Arguments that are wrong nearly everywhere.
const NASTY: &[&[u8]] = &[
    b"",
    b"abc",
    b"-1",
    b"0",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"1.5",
    b"nan",
    b"inf",
    b" 1",
    b"1 ",
    b"+1",
    b"-0",
    b"01",
    b"0x10",
    b"1e5000",
    b"\0",
    b"\xff\xfe",
    b"*",
    b"(",
    b"[",
    b"LIMIT",
    b"1\r\n2",
    b"-",
    b"--5",
];

const SMALLEST: &[u8] = b"-9223372036854775808";

/// Bodies of payloads, in encodings of several ages. Such as only Pipkin
/// looks into (a field twice) are missing.
const BODIES: &[&[u8]] = &[
    b"\x00\xc0\x07",
    b"\x00\x05value",
    b"\x00\xc3\x04\x14\x00a\xe0\x0a\x00",
    b"\x01\x03\x01a\xc0\x07\x01b",
    b"\x02\x02\xc0\x07\xc1\x10\x27",
    b"\x02\x03\x02f1\x02f2\x02f3",
    b"\x03\x02\x02f1\x031.5\x02f2\xff",
    b"\x04\x02\x02f1\x01a\x02f2\xc0\x07",
    b"\x05\x01\x02f1\0\0\0\0\0\0\xf8\x3f",
    b"\x0a\x16\x16\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf6\x02\x01b\x03\xfe\xff\xff",
    b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0",
    b"\x0d\x16\x16\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf6\x02\x01b\x03\xfe\xff\xff",
    b"\x10\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff",
    b"\x11\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff",
    b"\x12\x02\x02\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff\x01\x03abc",
    b"\x12\x00",
    b"\x00\x25valu",
    b"\x63\x01a",
];

/// A payload for each body, and one with another checksum.
fn payloads() -> Vec<Vec<u8>> {
    let signed = BODIES.iter().map(|body| pipkin::persist::rdb::dump::signed(body));
    signed.chain([b"\x00\x01a\x0a\x00notright".to_vec()]).collect()
}

/// A parsed synopsis.
enum Node {
    Literal(String),
    Word(String),
    Optional(Vec<Node>),
    Choice(Vec<Vec<Node>>),
    Repeat(Box<Node>),
}

/// A row with its synopsis parsed.
type Parsed = (usize, Vec<Node>, Rule);

/// Draws the steps of a round.
pub struct Generator {
    random: Random,
    rows: Vec<(Family, Vec<Parsed>)>,
    /// Whether each connection has an open MULTI.
    in_multi: [bool; 2],
    /// Keys that the last `numbered` named, for `weights`.
    numbered: usize,
    /// What RESTORE is given: a value of every type, and bodies that contradict themselves.
    payloads: Vec<Vec<u8>>,
    /// Of entries in streams.
    ids: streams::Ids,
}

impl Generator {
    /// A generator that picks among these families, as often as each is named.
    pub fn new(seed: u64, families: &[Family]) -> Generator {
        let parse = |&(weight, text, rule): &Row| (weight, parse_sequence(&mut text.chars().peekable()), rule);
        let rows = families.iter().map(|&family| (family, rows(family).iter().map(parse).collect())).collect();
        Generator {
            random: Random::new(seed),
            rows,
            in_multi: [false; 2],
            numbered: 0,
            payloads: payloads(),
            ids: streams::Ids::default(),
        }
    }

    /// The steps of one round, with a comparison of everything stored after every `state_every` commands.
    pub fn round(&mut self, commands: usize, state_every: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        for connection in 0..2 {
            if self.random.chance(50) {
                steps.push(Step { connection, arguments: words("HELLO 3"), rule: Hello });
            }
        }
        let mut connection = 0;
        for number in 1..=commands {
            if self.random.chance(1) {
                connection = 1 - connection;
            }
            self.step(connection, &mut steps);
            if number % state_every == 0 || number == commands {
                steps.push(Step { connection, arguments: Vec::new(), rule: Exact });
            }
        }
        steps
    }

    fn step(&mut self, connection: usize, steps: &mut Vec<Step>) {
        if self.in_multi[connection] && self.random.chance(12) {
            self.in_multi[connection] = false;
            let name = if self.random.chance(85) { "EXEC" } else { "DISCARD" };
            steps.push(Step { connection, arguments: words(name), rule: Exact });
            return;
        }
        let (family, mut arguments, rule) = self.draw();
        // A command that both sides answer at random is kept in step from outside, which a transaction does not allow.
        if self.in_multi[connection] && matches!(rule, Scan { .. } | Pop) {
            return;
        }
        match arguments[0].as_slice() {
            b"MULTI" => self.in_multi[connection] = true,
            b"EXEC" | b"DISCARD" | b"RESET" => self.in_multi[connection] = false,
            _ => {}
        }
        if let Drawn { from } | DrawnPairs { from } = rule {
            let rule_before = if from == "HGETALL" { Pairs } else { Unordered };
            steps.push(Step { connection, arguments: everything(from, &arguments), rule: rule_before });
            steps.push(Step { connection, arguments, rule });
            return;
        }
        // Damaged, these could block for ever, stop the replies, leave the transaction's state unknown, list every
        // command or setting in any order, sort by what leaves the order open, spoil the transaction by an arity that
        // 7.2 allows, or mix the scores of a key for ranges by name.
        let name = arguments[0].as_slice();
        let fragile = family == Family::Sorting
            || waits(name)
            || matches!(name, b"CLIENT" | b"COMMAND" | b"CONFIG" | b"RESET")
            || matches!(name, b"ZRANK" | b"ZREVRANK") && self.in_multi[connection]
            || name == b"SPOP" && rule == Unordered
            || matches!(name, b"ZADD" | b"ZRANGESTORE") && arguments.iter().any(|a| a.starts_with(b"lex:"));
        if !fragile && family != Family::Transactions && self.random.chance(7) {
            self.damage(&mut arguments);
        }
        let by_lex = arguments.iter().any(|a| a.ends_with(b"BYLEX")) || arguments[0] == b"ZLEXCOUNT";
        match arguments[0].as_slice() {
            // Damage must not lead a range by name to a key of mixed scores.
            _ if by_lex && arguments.len() > 1 && !arguments.iter().any(|a| a.starts_with(b"lex:")) => {
                arguments[1] = b"lex:0".to_vec();
            }
            // An error in 7.2, a count from the tail in 7.0.
            b"LREM" | b"LPOS" => {
                arguments.iter_mut().filter(|a| *a == SMALLEST).for_each(|a| *a = b"-9223372036854775807".to_vec());
            }
            // Two servers have two clocks.
            b"XSETID" if arguments.get(2).is_some_and(|id| id.starts_with(b"0") || id == b"-0") => {
                arguments.truncate(2)
            }
            b"XADD" => arguments.iter_mut().filter(|a| *a == b"*").for_each(|a| *a = b"x".to_vec()),
            // A fourth word is an option in 7.2, too many for 7.0.
            b"ZRANK" | b"ZREVRANK" if arguments.len() == 4 => arguments.truncate(3),
            _ => {}
        }
        if self.random.chance(3) {
            let at = self.random.below(arguments.len());
            arguments[at] = arguments[at].iter().map(|&b| self.other_case(b)).collect();
        }
        steps.extend(streams::consumers_of(connection, &arguments));
        steps.push(Step { connection, arguments, rule });
    }

    fn other_case(&mut self, byte: u8) -> u8 {
        if self.random.chance(50) { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() }
    }

    fn draw(&mut self) -> (Family, Vec<Vec<u8>>, Rule) {
        let rows = std::mem::take(&mut self.rows);
        let (family, choices) = &rows[self.random.below(rows.len())];
        let mut left = self.random.below(choices.iter().map(|row| row.0).sum());
        let (_, nodes, rule) = choices
            .iter()
            .find(|row| match left.checked_sub(row.0) {
                Some(rest) => {
                    left = rest;
                    false
                }
                None => true,
            })
            .expect("the weights add up");
        let mut arguments = Vec::new();
        self.expand(*family, nodes, &mut arguments);
        let drawn = (*family, arguments, *rule);
        self.rows = rows;
        drawn
    }

    fn expand(&mut self, family: Family, nodes: &[Node], out: &mut Vec<Vec<u8>>) {
        for node in nodes {
            self.expand_node(family, node, out);
        }
    }

    fn expand_node(&mut self, family: Family, node: &Node, out: &mut Vec<Vec<u8>>) {
        match node {
            Node::Literal(text) => {
                out.extend(text.split('%').map(|part| part.as_bytes().to_vec()));
            }
            Node::Word(word) => self.word(family, word, out),
            Node::Optional(inner) => {
                if self.random.chance(40) {
                    self.expand(family, inner, out);
                }
            }
            Node::Choice(branches) => {
                let branch = self.random.below(branches.len());
                self.expand(family, &branches[branch], out);
            }
            Node::Repeat(inner) => {
                for _ in 0..=self.random.below(4) {
                    self.expand_node(family, inner, out);
                }
            }
        }
    }

    /// Drops, adds, repeats, swaps or replaces arguments behind the command's name.
    fn damage(&mut self, arguments: &mut Vec<Vec<u8>>) {
        let at = self.random.below(arguments.len());
        let nasty = NASTY[self.random.below(NASTY.len())].to_vec();
        match self.random.below(6) {
            0 if at > 0 => drop(arguments.remove(at)),
            1 => arguments.push(nasty),
            2 if at > 0 => arguments.insert(at, arguments[at].clone()),
            3 if at > 1 => arguments.swap(at, at - 1),
            4 => arguments.truncate(at.max(1)),
            _ if at > 0 => arguments[at] = nasty,
            _ => {}
        }
    }

    fn word(&mut self, family: Family, word: &str, out: &mut Vec<Vec<u8>>) {
        let one = match word {
            "key" => self.key(family),
            // Ranges by name are defined where all scores are equal; no other command writes to these keys.
            "lexkey" => format!("lex:{}", self.random.below(2)).into_bytes(),
            "geokey" => format!("geo:{}", self.random.below(3)).into_bytes(),
            "field" | "member" => self.member(),
            "element" => self.element(),
            "value" => self.value(),
            "anything" => format!("{}", self.random.next()).into_bytes(),
            "int" => self.int(),
            "delta" => self.delta(),
            "float" => self.float(),
            "score" => self.score(),
            "bound" => self.bound(),
            "lex" => self.lex(),
            "index" => {
                self.choose("0 0 1 2 3 -1 -1 -2 -3 5 7 -7 10 50 100 -100 200 9223372036854775807 -9223372036854775808")
            }
            "offset" => self.choose("0 0 1 2 5 10 43 44 45 100 -1 9223372036854775807 536870912"),
            "count" => self.choose("0 1 1 2 2 3 3 5 5 10 10 100 1000 -1 -2 9223372036854775807"),
            "draws" => self.choose("0 1 2 3 5 10 1000 -1 -2 -3 -20 abc -9223372036854775808 9223372036854775807"),
            "cursor" => self.choose("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 abc -1 18446744073709551616"),
            "restorems" => self.choose("0 0 0 0 100000 4000000 -1 abc 9223372036854775807"),
            "payload" => {
                let known = self.random.below(self.payloads.len());
                self.payloads[known].clone()
            }
            "timeout" => self.choose("0.001 0.001 0.002 -1 abc"),
            "type" => self.choose("string list set zset hash stream STRING nosuch"),
            "pattern" => self.choose("* * s* ?:1 [hl]* *:* f1* f[0-5] [^s]* h:[1-2] \\* s:\\1 e* m? *5 [a [^a f?"),
            "db" => self.choose("0 0 0 0 0 0 1 1 2 15 16 -1 abc"),
            "secs" => self.relative(1),
            "ms" => self.relative(1000),
            "at" => self.absolute(1, "0 1 -1 1000 -9223372036854775808"),
            "atms" => self.absolute(1000, "0 1 -1 1000 -9223372036854775808"),
            // SET lets a key expire that never was there: Redis counts it until it comes across it.
            "later" => self.absolute(1, "0 -1 -9223372036854775808"),
            "laterms" => self.absolute(1000, "0 -1 -9223372036854775808"),
            "numbered" => return self.keys_with_number(family, out),
            "weights" => return out.extend((0..self.numbered).map(|_| self.choose("1 2 0.5 -1 0 3 inf 1.5"))),
            "longitude" | "latitude" => geo::degrees(word, &mut self.random),
            _ => match bitmaps::word(word).or_else(|| geo::word(word)).or_else(|| sorting::word(word)) {
                Some(texts) => self.choose(texts),
                None => match self.ids.word(word, &mut self.random) {
                    Some(text) => text,
                    None => return self.many(word, out),
                },
            },
        };
        out.push(one);
    }

    fn choose(&mut self, texts: &str) -> Vec<u8> {
        let all: Vec<&str> = texts.split(' ').collect();
        self.random.pick(&all).as_bytes().to_vec()
    }

    fn key(&mut self, family: Family) -> Vec<u8> {
        let all = ['s', 'h', 'l', 'u', 'z', 'p', 'g', 'x'];
        let used: Vec<char> = self.rows.iter().filter_map(|(family, _)| family.prefix()).collect();
        let prefix = match (family.prefix(), self.random.below(100)) {
            (_, 0) => return Vec::new(),
            (_, 1) => return b"\0\xff\r\n".to_vec(),
            (Some(prefix), 2..90) => prefix,
            (None, 2..90) if !used.is_empty() => used[self.random.below(used.len())],
            _ => all[self.random.below(all.len())],
        };
        format!("{prefix}:{}", self.random.below(4)).into_bytes()
    }

    fn keys_with_number(&mut self, family: Family, out: &mut Vec<Vec<u8>>) {
        self.numbered = 1 + self.random.below(4);
        if self.random.chance(4) {
            out.push(self.choose("0 -1 5 1 abc 9223372036854775807"));
        } else {
            out.push(self.numbered.to_string().into_bytes());
        }
        out.extend((0..self.numbered).map(|_| self.key(family)));
    }

    fn member(&mut self) -> Vec<u8> {
        match self.random.below(100) {
            0 => Vec::new(),
            1 => b"\0\xff\r\n".to_vec(),
            2 => self.filler(64),
            3 if self.random.chance(30) => self.filler(65),
            4..8 => self.int(),
            _ => format!("f{}", self.random.below(12)).into_bytes(),
        }
    }

    fn element(&mut self) -> Vec<u8> {
        match self.random.below(100) {
            0..70 => format!("e{}", self.random.below(8)).into_bytes(),
            70..80 => self.int(),
            _ => self.value(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        match self.random.below(100) {
            0..5 => Vec::new(),
            5..15 => self.int(),
            15..20 => {
                let length = 39 + self.random.below(8);
                self.filler(length)
            }
            20..25 => {
                let length = 62 + self.random.below(5);
                self.filler(length)
            }
            25..28 => {
                let length = 100 + self.random.below(200);
                self.filler(length)
            }
            28 if self.random.chance(30) => {
                let length = 2000 + self.random.below(7000);
                self.filler(length)
            }
            29 => b"line\r\nbreak\0\xff".to_vec(),
            _ => {
                let length = 1 + self.random.below(12);
                self.filler(length)
            }
        }
    }

    fn filler(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| b'a' + self.random.below(4) as u8).collect()
    }

    fn int(&mut self) -> Vec<u8> {
        match self.random.below(20) {
            0 => self.choose("9223372036854775807 -9223372036854775808 2147483648 -2147483649 32768 -32769 65536 128"),
            1 => self.choose("007 -0 +5 9223372036854775808 12345678901234567890"),
            2..5 => format!("-{}", self.random.below(20)).into_bytes(),
            5..8 => self.random.below(100_000).to_string().into_bytes(),
            _ => self.random.below(24).to_string().into_bytes(),
        }
    }

    fn delta(&mut self) -> Vec<u8> {
        self.choose("1 2 10 -1 -5 100 0 9223372036854775807 -9223372036854775808 -9223372036854775807 1.5 abc 4611686018427387904")
    }

    fn float(&mut self) -> Vec<u8> {
        match self.random.below(10) {
            0 => self.choose("inf -inf nan 1e5000 abc 1e-10 1e17 5e-3 1e20 -1e15 .5 5. 1e2 0x1p3"),
            1..4 => self.random.below(1000).to_string().into_bytes(),
            _ => {
                let sign = if self.random.chance(30) { "-" } else { "" };
                let (whole, part) = (self.random.below(1000), self.random.below(1000));
                format!("{sign}{whole}.{part}").into_bytes()
            }
        }
    }

    fn score(&mut self) -> Vec<u8> {
        match self.random.below(20) {
            0 => self.choose("inf -inf +inf nan abc 1e300 -1e300 1e-300 -0 9007199254740993 1e17 0.1 3.14159 1e21 123456789012345678"),
            1..5 => format!("{}.{}", self.random.below(20), [25, 5, 75][self.random.below(3)]).into_bytes(),
            5..7 => format!("-{}", self.random.below(20)).into_bytes(),
            _ => self.random.below(20).to_string().into_bytes(),
        }
    }

    fn bound(&mut self) -> Vec<u8> {
        let mut bound = if self.random.chance(30) { self.choose("-inf +inf inf -inf +inf") } else { self.score() };
        if self.random.chance(25) {
            bound.insert(0, b'(');
        }
        bound
    }

    fn lex(&mut self) -> Vec<u8> {
        match self.random.below(10) {
            0..2 => b"-".to_vec(),
            2..4 => b"+".to_vec(),
            n => {
                let mut bound = self.member();
                bound.insert(0, if n < 7 { b'[' } else { b'(' });
                bound
            }
        }
    }

    /// A distance in time that is over at once, far away, or out of range: never one that ends during the test.
    /// Far ones are drawn from so many that two never are so close that GT and LT would depend on the moment.
    fn relative(&mut self, unit: u64) -> Vec<u8> {
        match self.random.below(20) {
            0 => self.choose("0 -1 -100 -9223372036854775808 -9223372036854775807"),
            1 => self.choose("9223372036854775807 9223372036854775 9223372036854776 abc 1.5"),
            _ => ((100_000 + self.random.next() % 1_000_000_000) * unit).to_string().into_bytes(),
        }
    }

    fn absolute(&mut self, unit: u64, past: &str) -> Vec<u8> {
        match self.random.below(20) {
            0 => self.choose(past),
            1 => self.choose("9223372036854775807 9223372036854775 9223372036854776 abc"),
            // Equal deadlines are possible here: a few dates beyond 2096.
            _ => ((4_000_000_000 + self.random.next() % 8 * 1000) * unit).to_string().into_bytes(),
        }
    }

    /// Arguments by the dozen, which carry a collection over the thresholds of its encodings.
    fn many(&mut self, word: &str, out: &mut Vec<Vec<u8>>) {
        let first = self.random.below(600);
        let count = 60 + self.random.below(140);
        for number in first..first + count {
            match word {
                "manypairs" => {
                    out.push(format!("f{number}").into_bytes());
                    out.push(number.to_string().into_bytes());
                }
                "manyscored" => {
                    out.push((number % 50).to_string().into_bytes());
                    out.push(format!("f{number}").into_bytes());
                }
                "sharedscore" => {
                    out.push(b"0".to_vec());
                    out.push(format!("f{}", number % 250).into_bytes());
                }
                "manyfields" => out.push(format!("f{number}").into_bytes()),
                "manyones" => {
                    out.push(vec![0xff; count]);
                    return;
                }
                "manyints" => out.push(number.to_string().into_bytes()),
                "manyelements" => out.push(format!("element-{number}").into_bytes()),
                unknown => panic!("the grammar has no word {unknown:?}"),
            }
        }
    }
}

fn rows(family: Family) -> &'static [Row] {
    match family {
        Family::Connection => CONNECTION,
        Family::Keys => KEYS,
        Family::Strings => STRINGS,
        Family::Hashes => HASHES,
        Family::Lists => LISTS,
        Family::Sets => SETS,
        Family::SortedSets => SORTED_SETS,
        Family::HyperLogLog => HYPERLOGLOG,
        Family::Bitmaps => bitmaps::ROWS,
        Family::Streams => streams::ROWS,
        Family::Geo => geo::ROWS,
        Family::Sorting => sorting::ROWS,
        Family::Transactions => TRANSACTIONS,
    }
}

/// Names of the commands that have a row.
pub fn commands() -> BTreeSet<String> {
    let first = |row: &Row| match parse_sequence(&mut row.1.chars().peekable()).into_iter().next() {
        Some(Node::Literal(name)) => vec![name],
        Some(Node::Choice(branches)) => branches
            .iter()
            .filter_map(|branch| match branch.as_slice() {
                [Node::Literal(name)] => Some(name.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    [Family::Connection]
        .iter()
        .chain(Family::OF_DATA)
        .flat_map(|&family| rows(family))
        .flat_map(first)
        .map(|name| name.to_lowercase())
        .collect()
}

/// The command that lists what a random draw can yield: `from`, with the draw's key behind the name.
fn everything(from: &str, draw: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut arguments = words(from);
    if from != "KEYS *" {
        arguments.insert(1, draw[1].clone());
    }
    arguments
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Parses up to a closing bracket, a bar or the end.
fn parse_sequence(text: &mut Characters<'_>) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some(&c) = text.peek() {
        let node = match c {
            ')' | ']' | '|' => break,
            ' ' => {
                text.next();
                continue;
            }
            '[' => {
                text.next();
                let inner = parse_sequence(text);
                assert_eq!(text.next(), Some(']'), "the grammar closes what it opens");
                Node::Optional(inner)
            }
            '(' => parse_choice(text),
            _ => parse_word(text),
        };
        nodes.push(if text.next_if_eq(&'…').is_some() { Node::Repeat(Box::new(node)) } else { node });
    }
    nodes
}

fn parse_choice(text: &mut Characters<'_>) -> Node {
    let mut branches = Vec::new();
    loop {
        text.next();
        branches.push(parse_sequence(text));
        if text.peek() != Some(&'|') {
            break;
        }
    }
    assert_eq!(text.next(), Some(')'), "the grammar closes what it opens");
    Node::Choice(branches)
}

fn parse_word(text: &mut Characters<'_>) -> Node {
    let mut word = String::new();
    while let Some(c) = text.next_if(|c| !" ()[]|…".contains(*c)) {
        word.push(c);
    }
    let is_name = word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    let literals = ["nosuchparameter"];
    if is_name && !literals.contains(&word.as_str()) { Node::Word(word) } else { Node::Literal(word) }
}
