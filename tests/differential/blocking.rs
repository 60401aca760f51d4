//! Commands that wait, on both servers: who is served with what by each command, and who goes on waiting.
//!
//! Commands go one at a time to one of several connections that do not wait. Once the command has been answered, or is
//! known to wait, each server is asked who waits still: whoever does not any more has its reply.
//!
//! Redis 7.0 serves a client by the key that became ready, 7.2 and Pipkin run its whole command again. The difference
//! shows with two keys that become ready at once, or one of another type: keys of several types (`k`) are waited for
//! alone, a list that is waited for beside another (`o`) is nobody's destination, transactions touch one key, and there
//! is no SWAPDB.

use std::time::Duration;

use crate::support::{Client, Random, Reply, Server, eventually, oracle, words};

/// Connections of each server.
const CONNECTIONS: usize = 6;
/// Steps of a round.
const STEPS: usize = 600;
/// Steps between two looks at what is stored.
const STATE_EVERY: usize = 25;

/// What is drawn, commands of one step behind each other: `l` stands for a list's key, `z` for a sorted set's, `a` for
/// any key, `e` for an element, `w` for an end, `m` for an extreme, `n` for a small number; `f` is a stream, `v` and `u` are known ones, `i` and `j` ids
/// newer than all before.
const COMMANDS: &[(usize, &str)] = &[
    (6, "BLPOP l o 0"),
    (4, "BRPOP l 0"),
    (4, "BLMPOP 0 2 o l w COUNT n"),
    (5, "BLMOVE l l w w 0"),
    (2, "BRPOPLPUSH l l 0"),
    (4, "BZPOPMIN z z 0"),
    (4, "BZPOPMAX z 0"),
    (4, "BZMPOP 0 2 z z m COUNT n"),
    (2, "BLPOP k 0"),
    (2, "BLMOVE k l w w 0"),
    (2, "BZPOPMIN k 0"),
    (1, "WAIT n 0"),
    (6, "LPUSH l e"),
    (6, "RPUSH l e e e"),
    (2, "RPUSH o e e"),
    (1, "DEL o"),
    (2, "LPUSHX l e"),
    (6, "ZADD z n e n e"),
    (2, "ZADD z GT n e"),
    (2, "ZINCRBY z n e"),
    (2, "SET k e"),
    (2, "LPUSH k e e"),
    (2, "ZADD k n e"),
    (3, "DEL a"),
    (2, "RENAME l l"),
    (1, "RENAME l k"),
    (1, "RENAMENX z z"),
    (2, "COPY l l REPLACE"),
    (1, "COPY z z DB 1 REPLACE"),
    (1, "MOVE a 1"),
    (2, "LMOVE l l w w"),
    (1, "RPOPLPUSH l l"),
    (1, "LINSERT l BEFORE e e"),
    (2, "ZUNIONSTORE z 2 z z"),
    (1, "ZRANGESTORE z z 0 -1"),
    (1, "ZDIFFSTORE z 2 z z"),
    (2, "MULTI; RPUSH x e e; LPOP x; LPUSH x e; EXEC"),
    (1, "MULTI; RPUSH x e; DEL x; EXEC"),
    (1, "MULTI; ZADD z n e; EXEC"),
    (2, "MULTI; BLPOP l l 0; BLMOVE l l w w 0; BRPOPLPUSH l l 0; BLMPOP 0 1 l w; EXEC"),
    (1, "MULTI; BZPOPMIN z 0; BZMPOP 0 1 z m; WAIT 1 0; EXEC"),
    (1, "SELECT 0"),
    (1, "SELECT 1"),
    (1, "FLUSHDB"),
    (1, "HELLO 2"),
    (1, "HELLO 3"),
    (4, "XREAD BLOCK 0 STREAMS f $"),
    (3, "XREAD BLOCK 0 COUNT n STREAMS f i"),
    (3, "XREAD BLOCK 0 STREAMS v u $ $"),
    (4, "XREADGROUP GROUP r c BLOCK 0 STREAMS f >"),
    (3, "XREADGROUP GROUP r c COUNT n BLOCK 0 NOACK STREAMS f >"),
    (5, "XGROUP CREATE f r $ MKSTREAM"),
    (5, "XGROUP CREATE g r $ MKSTREAM"),
    (8, "XADD f i e e"),
    (3, "XADD g i e e"),
    (2, "MULTI; XADD v i e e; XADD v j e e; EXEC"),
    (1, "MULTI; XREAD BLOCK 0 STREAMS f $; XREADGROUP GROUP r c BLOCK 0 STREAMS f >; EXEC"),
    (1, "MULTI; XADD v i e e; DEL v; EXEC"),
    (1, "XREADGROUP GROUP r c STREAMS f 0"),
    (1, "XACK f r 1-1 2-1 3-1"),
    (1, "XGROUP SETID f r 0"),
    (1, "XGROUP DESTROY f r"),
    (1, "XDEL f i"),
    (1, "XTRIM f MAXLEN n"),
    (1, "DEL f"),
    (2, "XREADGROUP GROUP r c BLOCK 0 STREAMS p >"),
    (2, "XGROUP CREATE p r $ MKSTREAM"),
    (1, "XADD p i e e"),
    (2, "SET p e"),
    (1, "DEL p"),
    (1, "RENAME f g"),
    (1, "MOVE f 1"),
    (3, "(unblock) TIMEOUT"),
    (3, "(unblock) ERROR"),
    (1, "(unblock)"),
];

#[test]
fn blocking() {
    let Some(oracle) = oracle("differential::blocking::blocking") else { return };
    let subject = Server::pipkin(&["--io-threads", "2"]);
    for seed in crate::seeds(40_000) {
        round(seed, &subject, &oracle);
    }
}

/// The connections to one server.
struct Side {
    clients: Vec<Client>,
    ids: Vec<i64>,
    waiting: Vec<bool>,
    observer: Client,
}

impl Side {
    fn new(server: &Server) -> Side {
        let mut observer = server.connect();
        observer.line("FLUSHALL");
        let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| server.connect()).collect();
        let ids = clients.iter_mut().map(|client| client.line("CLIENT ID").integer()).collect();
        Side { clients, ids, waiting: vec![false; CONNECTIONS], observer }
    }

    fn waits(&mut self, at: usize) -> bool {
        let line = self.observer.line(&format!("CLIENT LIST ID {}", self.ids[at])).text();
        line.split(' ').any(|field| field.strip_prefix("flags=").is_some_and(|flags| flags.contains('b')))
    }

    /// Runs the lines on a connection that does not wait, or on that of the observer; what each connection received.
    fn step(&mut self, at: usize, lines: &[String]) -> Vec<Vec<Reply>> {
        let mut received = vec![Vec::new(); CONNECTIONS];
        for line in lines {
            if let Some(reason) = line.strip_prefix("(unblock)") {
                let unblocked = self.observer.line(&format!("CLIENT UNBLOCK {} {reason}", self.ids[at]));
                received[at].push(unblocked);
                continue;
            }
            self.clients[at].send(&words(line));
            let waits = eventually("an answer or a wait", || {
                if !self.clients[at].is_silent(Duration::from_millis(1)) {
                    return Some(false);
                }
                self.waits(at).then_some(true)
            });
            self.waiting[at] = waits;
            if !waits {
                received[at].push(greeting_apart(self.clients[at].read()));
            }
        }
        for (other, received) in received.iter_mut().enumerate() {
            if self.waiting[other] && !self.waits(other) {
                self.waiting[other] = false;
                received.push(self.clients[other].read());
            }
        }
        received
    }

    fn state(&mut self) -> Vec<Reply> {
        let lines = ["SELECT 1", "LRANGE x 0 -1", "LRANGE y 0 -1", "KEYS *", "SELECT 0", "LRANGE x 0 -1"];
        let more = ["LRANGE y 0 -1", "TYPE k", "ZRANGE s 0 -1 WITHSCORES", "ZRANGE t 0 -1 WITHSCORES", "DBSIZE"];
        let replies = lines.iter().chain(&more).map(|line| self.observer.line(line));
        replies.map(|reply| crate::compare::sorted(&crate::compare::doubles(&reply))).collect()
    }
}

/// Whoever waits for a group that is gone is told so in other words by 7.0; 7.2 runs the command again.
fn told_apart(reply: &Reply) -> Reply {
    let texts = [&b"NOGROUP "[..], b"UNBLOCKED the stream key no longer exists", b"WRONGTYPE "];
    match reply {
        Reply::Error(text) if texts.iter().any(|start| text.starts_with(start)) => Reply::Error(b"gone".to_vec()),
        other => other.clone(),
    }
}

/// HELLO tells version and id, which differ.
fn greeting_apart(reply: Reply) -> Reply {
    let tells = reply.leaves().iter().any(|leaf| leaf.text() == "server");
    if tells { Reply::Simple(b"HELLO".to_vec()) } else { reply }
}

fn round(seed: u64, subject: &Server, oracle: &Server) {
    let mut random = Random::new(seed);
    let (mut ours, mut theirs) = (Side::new(subject), Side::new(oracle));
    let mut history = String::new();
    for step in 0..STEPS {
        let (at, mut lines) = draw(&mut random, &theirs.waiting);
        for line in &mut lines {
            *line = line.replace(" i", &format!(" {step}-1")).replace(" j", &format!(" {step}-2"));
        }
        history.push_str(&format!("    {at}> {}\n", lines.join("; ")));
        let again = format!("{history}  again with: PIPKIN_SEED={seed}");
        let [us, them] = [&mut ours, &mut theirs].map(|side| side.step(at, &lines));
        let canonical = |all: &[Vec<Reply>]| -> Vec<Vec<Reply>> {
            all.iter()
                .map(|replies| replies.iter().map(|reply| crate::compare::doubles(&told_apart(reply))).collect())
                .collect()
        };
        assert!(canonical(&us) == canonical(&them), "Pipkin {us:?}\nRedis  {them:?}\n{again}");
        assert_eq!(ours.waiting, theirs.waiting, "who waits\n{again}");
        if step % STATE_EVERY == 0 {
            assert_eq!(ours.state(), theirs.state(), "what is stored\n{again}");
        }
    }
}

/// A connection that may run something, and what; or one that waits, and how its wait ends.
fn draw(random: &mut Random, waiting: &[bool]) -> (usize, Vec<String>) {
    let [free, blocked] =
        [false, true].map(|waits| (0..CONNECTIONS).filter(|at| waiting[*at] == waits).collect::<Vec<_>>());
    loop {
        let command = random.pick_weighted(COMMANDS);
        let candidates = if command.starts_with("(unblock)") { &blocked } else { &free };
        // Somebody has to be left for whom the others wait.
        let begins_to_wait = command.starts_with('B') || command.starts_with("WAIT") || command.starts_with("XREAD");
        if candidates.is_empty() || begins_to_wait && free.len() == 1 {
            continue;
        }
        let who = candidates[random.below(candidates.len())];
        let lines = command.split("; ").map(|line| {
            let words: Vec<String> = line.split(' ').map(|word| fill(random, word)).collect();
            words.join(" ")
        });
        return (who, lines.collect());
    }
}

fn fill(random: &mut Random, word: &str) -> String {
    match word {
        "l" => random.pick(&["x", "y"]).into(),
        "z" => random.pick(&["s", "t"]).into(),
        "a" => random.pick(&["x", "y", "s", "t", "k"]).into(),
        "e" => random.pick(&["1", "2", "3", "4", "word"]).into(),
        "w" => random.pick(&["LEFT", "RIGHT"]).into(),
        "m" => random.pick(&["MIN", "MAX"]).into(),
        "f" => random.pick(&["f", "f", "g"]).into(),
        "v" => "f".into(),
        "u" => "g".into(),
        "c" => random.pick(&["ann", "bob"]).into(),
        "n" => random.pick(&["1", "2", "3"]).into(),
        word => word.into(),
    }
}
