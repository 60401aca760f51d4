//! Pub/sub on both servers: what every connection receives because of each command, replies and messages alike.
//!
//! Commands go one at a time to one of several connections; then every connection is asked to PING with a word of its
//! own, and what it receives in front of the answer belongs to the step. Redis leaves some orders to its hash tables
//! (the patterns that a message matches, what UNSUBSCRIBE without names ends): frames of one step are compared sorted.

use crate::support::{Client, Random, Reply, Server, eventually, oracle, words};

/// Connections of each server.
const CONNECTIONS: usize = 4;
/// Steps of a round, after which all connections are new.
const STEPS: usize = 400;

/// What is drawn: `c` stands for a channel, `p` for a pattern, `?` for either a protocol or nonsense.
const COMMANDS: &[(usize, &str)] = &[
    (8, "SUBSCRIBE c"),
    (3, "SUBSCRIBE c c c"),
    (4, "UNSUBSCRIBE c"),
    (2, "UNSUBSCRIBE c c"),
    (1, "UNSUBSCRIBE"),
    (6, "PSUBSCRIBE p"),
    (2, "PSUBSCRIBE p p"),
    (3, "PUNSUBSCRIBE p"),
    (1, "PUNSUBSCRIBE"),
    (20, "PUBLISH c message"),
    (1, "PUBLISH c"),
    (5, "SSUBSCRIBE c"),
    (1, "SSUBSCRIBE c c c"),
    (2, "SUNSUBSCRIBE c"),
    (1, "SUNSUBSCRIBE c c"),
    (1, "SUNSUBSCRIBE"),
    (8, "SPUBLISH c message"),
    (2, "PUBSUB SHARDNUMSUB c c"),
    (1, "PUBSUB SHARDCHANNELS"),
    (1, "PUBSUB SHARDCHANNELS p"),
    (1, "PUBSUB SHARDCHANNELS p p"),
    (1, "SUBSCRIBE"),
    (3, "PUBSUB NUMSUB c c"),
    (2, "PUBSUB NUMPAT"),
    (2, "PUBSUB CHANNELS"),
    (2, "PUBSUB CHANNELS p"),
    (1, "PUBSUB CHANNELS p p"),
    (1, "PUBSUB NOSUCH"),
    (2, "HELLO ?"),
    (1, "RESET"),
    (3, "GET c"),
    (1, "MULTI"),
    (1, "PING c"),
    (1, "PING"),
    (1, "CLIENT REPLY ON"),
];
const CHANNELS: [&str; 7] = ["a", "b", "ab", "abc", "news", "news.x", "[a]"];
const PATTERNS: [&str; 9] = ["*", "a*", "?", "[ab]", "news.*", "n[^a]ws", "\\[a\\]", "ab?", "nothing*"];
const PROTOCOLS: [&str; 3] = ["2", "3", "x"];

#[test]
fn pubsub() {
    let Some(oracle) = oracle("differential::messages::pubsub") else { return };
    let subject = Server::pipkin(&["--io-threads", "2"]);
    for seed in crate::seeds(24_000) {
        round(seed, &subject, &oracle);
    }
}

fn round(seed: u64, subject: &Server, oracle: &Server) {
    let mut random = Random::new(seed);
    let connect = |server: &Server| -> Vec<Client> {
        let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| server.connect()).collect();
        eventually("an end of the subscriptions of the last round", || {
            let channels = clients[0].line("PUBSUB CHANNELS");
            let shard_channels = clients[0].line("PUBSUB SHARDCHANNELS");
            let patterns = clients[0].line("PUBSUB NUMPAT");
            let is_quiet = channels.items().is_empty() && shard_channels.items().is_empty();
            (is_quiet && patterns.integer() == 0).then_some(())
        });
        clients
    };
    let (mut ours, mut theirs) = (connect(subject), connect(oracle));
    let mut history = String::new();
    for step in 0..STEPS {
        let (at, command) = (random.below(CONNECTIONS), draw(&mut random));
        // Behind MULTI a PING would only be queued: the command goes with its end.
        let lines = if command == "MULTI" {
            vec![command, format!("PUBLISH {} m", random.pick(&CHANNELS)), "EXEC".into()]
        } else {
            vec![command]
        };
        history.push_str(&format!("    {at}> {}\n", lines.join("; ")));
        let word = format!("word-{step}");
        let [us, them] = [&mut ours, &mut theirs].map(|clients| received(clients, at, &lines, &word));
        assert!(us == them, "Pipkin {us:?}\nRedis  {them:?}\n{history}  again with: PIPKIN_SEED={seed}");
    }
}

fn draw(random: &mut Random) -> String {
    let command = random.pick_weighted(COMMANDS);
    let fill = |word: &str| match word {
        "c" => random.pick(&CHANNELS).to_string(),
        "p" => random.pick(&PATTERNS).to_string(),
        "?" => random.pick(&PROTOCOLS).to_string(),
        word => word.to_string(),
    };
    command.split(' ').map(fill).collect::<Vec<_>>().join(" ")
}

/// What each connection receives when these lines are sent to one of them.
fn received(clients: &mut [Client], at: usize, lines: &[String], word: &str) -> Vec<Vec<Reply>> {
    lines.iter().for_each(|line| clients[at].send(&words(line)));
    // Once this is answered the command has run. What Pipkin sends to the caller itself comes behind the whole batch,
    // this PING included, and so belongs in front of the next one's answer.
    let mut own = until_pong(&mut clients[at], word);
    own.extend(until_pong(&mut clients[at], word));
    let mut all: Vec<Vec<Reply>> = Vec::new();
    for (index, client) in clients.iter_mut().enumerate() {
        all.push(if index == at { own.clone() } else { until_pong(client, word) });
    }
    // Redis 7.0 puts a push to the caller into EXEC's array, 7.2 behind it.
    if lines.iter().any(|line| line.ends_with("UNSUBSCRIBE") || line == "EXEC") {
        all[at] = apart(&all[at]);
    }
    all.iter_mut().for_each(|frames| frames.sort());
    all
}

fn until_pong(client: &mut Client, word: &str) -> Vec<Reply> {
    client.send(&["PING", word]);
    let mut frames = Vec::new();
    loop {
        let frame = client.read();
        let is_pong = frame.leaves().iter().any(|leaf| leaf.text() == word);
        if is_pong {
            return frames;
        }
        // HELLO tells version and id, which differ.
        let tells = frame.leaves().iter().any(|leaf| leaf.text() == "server");
        frames.push(if tells { Reply::Simple(b"HELLO".to_vec()) } else { sorted(frame) });
    }
}

/// The channels that PUBSUB lists are in no order.
fn sorted(frame: Reply) -> Reply {
    match frame {
        Reply::Array(mut items) if items.iter().all(|item| matches!(item, Reply::Bulk(_))) => {
            let is_message =
                items.first().is_some_and(|kind| ["message", "pmessage", "smessage", "pong"].contains(&&*kind.text()));
            if !is_message {
                items.sort();
            }
            Reply::Array(items)
        }
        frame => frame,
    }
}

/// The parts of frames, in which nothing tells any more what belonged together: which name comes with which number in
/// the confirmations of UNSUBSCRIBE is left to the order of the names.
fn apart(frames: &[Reply]) -> Vec<Reply> {
    frames.iter().flat_map(Reply::leaves).cloned().collect()
}
