//! Client-side caching on both servers: what every connection is told because of each command.
//!
//! Commands go one at a time to one of several connections; then every connection is asked to PING, and what it receives
//! in front of the answer belongs to the step. Redis tells several readers of a key in the order of its own table: the
//! frames of one step are compared sorted. One more connection tracks all the time: when nobody does any more, Pipkin
//! forgets who has read what, and Redis remembers it for whoever begins anew.

use crate::support::{Client, Random, Reply, Server, oracle, words};

/// Connections of each server.
const CONNECTIONS: usize = 4;
/// Steps of a round, after which all connections are new.
const STEPS: usize = 500;

/// What is drawn, commands of one step behind each other: `k` stands for a key, `#` for the id of a connection, `p` for
/// a prefix.
const COMMANDS: &[(usize, &str)] = &[
    (4, "CLIENT TRACKING ON"),
    (2, "CLIENT TRACKING ON NOLOOP"),
    (2, "CLIENT TRACKING ON OPTIN"),
    (2, "CLIENT TRACKING ON OPTOUT NOLOOP"),
    (2, "CLIENT TRACKING ON BCAST"),
    (2, "CLIENT TRACKING ON BCAST PREFIX p"),
    (2, "CLIENT TRACKING ON BCAST NOLOOP PREFIX p PREFIX p"),
    (3, "CLIENT TRACKING ON REDIRECT #"),
    (1, "CLIENT TRACKING ON REDIRECT # BCAST PREFIX p"),
    (1, "CLIENT TRACKING ON PREFIX p"),
    (1, "CLIENT TRACKING ON BCAST OPTIN"),
    (1, "CLIENT TRACKING ON OPTOUT OPTIN"),
    (1, "CLIENT TRACKING ON REDIRECT 999999"),
    (1, "CLIENT TRACKING ON REDIRECT # REDIRECT #"),
    (1, "CLIENT TRACKING ON nonsense"),
    (4, "CLIENT TRACKING OFF"),
    (3, "CLIENT CACHING YES; GET k"),
    (3, "CLIENT CACHING NO; GET k; GET k"),
    (1, "CLIENT CACHING YES; MULTI; MGET k k; EXEC; GET k"),
    (1, "CLIENT CACHING nonsense"),
    (3, "CLIENT TRACKINGINFO"),
    (1, "CLIENT GETREDIR"),
    (12, "GET k"),
    (5, "MGET k k k"),
    (3, "EXISTS k k"),
    (2, "LRANGE k 0 -1"),
    (2, "MULTI; GET k; SET k v; EXEC"),
    (10, "SET k v"),
    (4, "MSET k v k v k v"),
    (3, "DEL k k"),
    (2, "RENAME k k"),
    (2, "COPY k k REPLACE"),
    (2, "APPEND k v"),
    (1, "EXPIRE k 100"),
    (1, "EXPIRE k -1"),
    (1, "SETEX k 100 v"),
    (1, "SELECT 1"),
    (1, "SELECT 0"),
    (1, "MOVE k 1"),
    (1, "FLUSHALL"),
    (1, "FLUSHDB"),
    (3, "HELLO 2"),
    (5, "HELLO 3"),
    (1, "RESET"),
    (3, "SUBSCRIBE __redis__:invalidate"),
    (2, "UNSUBSCRIBE __redis__:invalidate"),
    (1, "(new)"),
];

#[test]
fn tracking() {
    let Some(oracle) = oracle("differential::tracking::tracking") else { return };
    let subject = Server::pipkin(&["--io-threads", "2"]);
    for seed in crate::seeds(40_000) {
        round(seed, &subject, &oracle);
    }
}

struct Side<'a> {
    server: &'a Server,
    clients: Vec<Client>,
    /// All ids that there ever were, by connection and the times that it was made new.
    ids: Vec<(i64, String)>,
    /// Tracks all the time.
    _keeper: Client,
}

impl<'a> Side<'a> {
    fn new(server: &'a Server) -> Side<'a> {
        server.connect().line("FLUSHALL");
        let mut keeper = server.connect();
        keeper.line("HELLO 3");
        assert_eq!(keeper.line("CLIENT TRACKING ON").text(), "OK");
        let mut side = Side { server, clients: Vec::new(), ids: Vec::new(), _keeper: keeper };
        (0..CONNECTIONS).for_each(|at| side.connect(at));
        side
    }

    fn connect(&mut self, at: usize) {
        let mut client = self.server.connect();
        self.ids.push((client.line("CLIENT ID").integer(), format!("#{at}.{}", self.ids.len())));
        if at < self.clients.len() {
            self.clients[at] = client;
            // The end of the one before is known once nobody has its id.
            let all: Vec<String> = (0..CONNECTIONS).map(|at| self.id_of(at).to_string()).collect();
            let mut observer = self.server.connect();
            crate::support::eventually("an end of the connection before", || {
                (observer.line("CLIENT LIST").text().lines().count() == all.len() + 2).then_some(())
            });
        } else {
            self.clients.push(client);
        }
    }

    fn id_of(&self, at: usize) -> i64 {
        let prefix = format!("#{at}.");
        self.ids.iter().rev().find(|(_, name)| name.starts_with(&prefix)).expect("its id").0
    }

    /// What each connection receives when these lines are sent to one of them.
    fn step(&mut self, at: usize, lines: &[String], word: &str) -> Vec<Vec<Reply>> {
        let mut all = vec![Vec::new(); CONNECTIONS];
        for line in lines {
            if line == "(new)" {
                self.connect(at);
                continue;
            }
            let line: Vec<String> = line
                .split(' ')
                .map(|word| {
                    word.strip_prefix('#').map_or(word.into(), |at| self.id_of(at.parse().unwrap()).to_string())
                })
                .collect();
            self.clients[at].send(&words(&line.join(" ")));
        }
        // Once more: what Pipkin sends to the caller itself comes behind the whole batch.
        all[at].extend(self.until_pong(at, word));
        all[at].extend(self.until_pong(at, word));
        for (other, frames) in all.iter_mut().enumerate() {
            frames.extend(self.until_pong(other, word));
            // Redis 7.0 puts a push to the caller into EXEC's array, 7.2 behind it.
            if lines.iter().any(|line| line == "EXEC") {
                *frames = frames.iter().flat_map(Reply::leaves).cloned().collect();
            }
            frames.sort();
        }
        all
    }

    fn until_pong(&mut self, at: usize, word: &str) -> Vec<Reply> {
        self.clients[at].send(&["PING", word]);
        let mut frames = Vec::new();
        loop {
            let frame = self.clients[at].read();
            if frame.leaves().iter().any(|leaf| leaf.text() == word) {
                return frames;
            }
            let tells = frame.leaves().iter().any(|leaf| leaf.text() == "server");
            frames.push(if tells { Reply::Simple(b"HELLO".to_vec()) } else { self.named(frame) });
        }
    }

    /// The frame with names in the place of the ids of connections.
    fn named(&self, frame: Reply) -> Reply {
        match frame {
            Reply::Integer(id) => match self.ids.iter().find(|(known, _)| *known == id && id > 1) {
                Some((_, name)) => Reply::Simple(name.clone().into_bytes()),
                None => Reply::Integer(id),
            },
            Reply::Array(items) => Reply::Array(items.into_iter().map(|item| self.named(item)).collect()),
            Reply::Push(items) => Reply::Push(items.into_iter().map(|item| self.named(item)).collect()),
            Reply::Set(items) => Reply::Set(items.into_iter().map(|item| self.named(item)).collect()),
            Reply::Map(pairs) => Reply::Map(pairs.into_iter().map(|(k, v)| (self.named(k), self.named(v))).collect()),
            other => other,
        }
    }
}

fn round(seed: u64, subject: &Server, oracle: &Server) {
    let mut random = Random::new(seed);
    let (mut ours, mut theirs) = (Side::new(subject), Side::new(oracle));
    let mut history = Vec::new();
    for step in 0..STEPS {
        let at = random.below(CONNECTIONS);
        let lines = draw(&mut random);
        history.push(format!("    {at}> {}\n", lines.join("; ")));
        let word = format!("word-{step}");
        let [us, them] = [&mut ours, &mut theirs].map(|side| side.step(at, &lines, &word));
        let history = history.concat();
        assert!(us == them, "Pipkin {us:?}\nRedis  {them:?}\n{history}  again with: PIPKIN_SEED={seed}");
    }
}

fn draw(random: &mut Random) -> Vec<String> {
    let command = random.pick_weighted(COMMANDS);
    let mut fill = |word: &str| match word {
        "k" => random.pick(&["a", "ab", "b", "c", "prefix:1", "prefix:2"]).to_string(),
        "p" => random.pick(&["a", "ab", "b", "prefix:", "z"]).to_string(),
        "#" => format!("#{}", random.below(CONNECTIONS)),
        word => word.to_string(),
    };
    command.split("; ").map(|line| line.split(' ').map(&mut fill).collect::<Vec<_>>().join(" ")).collect()
}
