//! The two servers side by side: runs steps on both and stops at the first difference.
//!
//! Steps of one connection travel in one pipeline. Replies of queued commands are compared when EXEC brings them.

use std::fmt;
use std::io;

use crate::compare::{Rule, doubles, equal, sorted};
use crate::grammar::Step;
use crate::permitted;
use crate::state;
use crate::support::{Client, Reply, Server, encode};

/// Commands that one pipeline carries.
const PIPELINE: usize = 200;
/// Bytes of requests that one pipeline carries.
const PIPELINE_BYTES: usize = 1 << 20;
/// SPOP builds a new set when what stays is this many times smaller than what it takes.
const REBUILD_RATIO: i64 = 5;
/// Calls after which an iteration counts as endless.
const SCAN_CALLS_MAX: usize = 100_000;

/// The first difference of a run.
pub struct Failure {
    /// Index of the step that showed it.
    pub at: usize,
    /// What differs.
    pub message: String,
}

impl Failure {
    /// What tells this difference from others: the command that showed it.
    pub fn culprit(&self, steps: &[Step]) -> Vec<u8> {
        steps[self.at].name()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// One server with its connections: two for the steps, one to look at the state.
struct Side<'a> {
    server: &'a Server,
    clients: [Client; 2],
    observer: Client,
}

impl<'a> Side<'a> {
    fn new(server: &'a Server) -> Side<'a> {
        let mut observer = server.connect();
        let reply = observer.line("FLUSHALL");
        assert_eq!(reply, Reply::Simple(b"OK".to_vec()), "FLUSHALL is answered with OK");
        Side { server, clients: [server.connect(), server.connect()], observer }
    }
}

/// Pipkin and the oracle.
pub struct Pair<'a> {
    subject: Side<'a>,
    oracle: Side<'a>,
    /// The queued commands of each connection, while it has an open MULTI.
    queued: [Option<Vec<Step>>; 2],
    /// The oracle's last reply on each connection.
    previous: [Option<Reply>; 2],
    /// A permitted difference has parted the states.
    is_over: bool,
}

impl<'a> Pair<'a> {
    /// Connects to both.
    pub fn new(subject: &'a Server, oracle: &'a Server) -> Pair<'a> {
        Pair {
            subject: Side::new(subject),
            oracle: Side::new(oracle),
            queued: [None, None],
            previous: [None, None],
            is_over: false,
        }
    }

    /// Runs the steps on two empty servers.
    pub fn run(&mut self, steps: &[Step]) -> Result<(), Failure> {
        *self = Pair::new(self.subject.server, self.oracle.server);
        let mut at = 0;
        while at < steps.len() && !self.is_over {
            let length = pipeline_length(&steps[at..]);
            if length > 0 {
                self.pipeline(at, &steps[at..at + length])?;
                at += length;
                continue;
            }
            let step = &steps[at];
            let outcome = match step.rule {
                _ if step.arguments.is_empty() => self.compare_state(),
                _ if self.queued[step.connection].is_some() => Ok(()),
                Rule::Pop => self.pop(step),
                Rule::Scan { cursor_at } => self.scan(step, cursor_at),
                _ => unreachable!("a plain step is part of a pipeline"),
            };
            outcome.map_err(|message| Failure { at, message })?;
            at += 1;
        }
        Ok(())
    }

    fn pipeline(&mut self, first: usize, steps: &[Step]) -> Result<(), Failure> {
        let connection = steps[0].connection;
        let mut bytes = Vec::new();
        steps.iter().for_each(|step| encode(&step.arguments, &mut bytes));
        let fail = |at: usize, message: String| Failure { at: first + at, message };
        let oracle = self.oracle.clients[connection]
            .pipeline(&bytes, steps.len())
            .map_err(|e| fail(0, format!("the oracle does not answer: {e}\n  at: {}", steps[0])))?;
        let mut subject = Vec::new();
        // One by one, so that a reply that never comes is blamed on its own command.
        let outcome = self.subject.clients[connection].pipeline_into(&bytes, steps.len(), &mut subject);
        let last = self.previous[connection].take();
        let mut previous = last.as_ref();
        for (at, (step, reply)) in steps.iter().zip(&oracle).enumerate() {
            let Some(answer) = subject.get(at) else {
                let error = outcome.err().map_or_else(String::new, |e| e.to_string());
                return Err(fail(at, format!("no reply from Pipkin ({error}), Redis says {reply:?}\n  at: {step}")));
            };
            if let Err(message) = self.compare_reply(step, answer, reply, previous) {
                return Err(fail(at, message));
            }
            if self.is_over {
                return Ok(());
            }
            previous = Some(reply);
        }
        self.previous[connection] = oracle.last().cloned();
        Ok(())
    }

    fn compare_reply(
        &mut self,
        step: &Step,
        subject: &Reply,
        oracle: &Reply,
        previous: Option<&Reply>,
    ) -> Result<(), String> {
        let queue = &mut self.queued[step.connection];
        let name = step.arguments[0].to_ascii_uppercase();
        let queued = match (queue.as_mut(), name.as_slice()) {
            (None, b"MULTI") if !oracle.is_error() => {
                *queue = Some(Vec::new());
                None
            }
            (Some(_), b"EXEC" | b"DISCARD" | b"RESET") if !is_arity_error(oracle) => queue.take(),
            (Some(queued), _) if matches!(oracle, Reply::Simple(text) if text == b"QUEUED") => {
                queued.push(step.clone());
                return exact(step, subject, oracle);
            }
            _ => None,
        };
        match queued {
            Some(queued) if queued.len() == oracle.items().len() && queued.len() == subject.items().len() => {
                let mut previous = None;
                for ((step, subject), oracle) in queued.iter().zip(subject.items()).zip(oracle.items()) {
                    if permitted::ends_round(&step.arguments, subject, oracle) {
                        self.is_over = true;
                        return Ok(());
                    }
                    check(step, step.rule, subject, oracle, previous)?;
                    previous = Some(oracle);
                }
                Ok(())
            }
            _ if permitted::ends_round(&step.arguments, subject, oracle) => {
                self.is_over = true;
                Ok(())
            }
            _ => check(step, step.rule, subject, oracle, previous),
        }
    }

    /// SPOP takes members at random: Pipkin does it, and the oracle removes the same ones.
    fn pop(&mut self, step: &Step) -> Result<(), String> {
        let (subject, oracle) = (&mut self.subject.clients[step.connection], &mut self.oracle.clients[step.connection]);
        let size = step.arguments.get(1).map(|key| oracle.call(&[b"SCARD".as_slice(), key]));
        let count = match step.arguments.get(2) {
            None => Some(1),
            Some(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()),
        };
        let (Some(Reply::Integer(size @ 1..)), Some(count @ 0..), ..=3) = (size, count, step.arguments.len()) else {
            return exact(step, &subject.call(&step.arguments), &oracle.call(&step.arguments));
        };
        let answer = subject.call(&step.arguments);
        if answer.is_error() || count >= size && step.arguments.len() == 3 {
            let reply = oracle.call(&step.arguments);
            return check(step, Rule::Unordered, &sorted(&answer), &sorted(&reply), None);
        }
        let members: Vec<Vec<u8>> = answer.leaves().iter().map(|leaf| leaf.bytes().to_vec()).collect();
        let key = &step.arguments[1];
        let taken = if members.is_empty() { 0 } else { oracle.call(&with_key("SREM", key, &members)).integer() };
        if taken != count.min(size) {
            return Err(format!("Pipkin: {answer:?}, of which the oracle's {size} members hold {taken}\n  at: {step}"));
        }
        if (size - taken) * REBUILD_RATIO <= count {
            let encoding = subject.call(&[b"OBJECT".as_slice(), b"ENCODING", key]).text();
            rebuild(oracle, key, &encoding);
        }
        Ok(())
    }

    fn scan(&mut self, step: &Step, cursor_at: usize) -> Result<(), String> {
        let subject =
            iterate(&mut self.subject.clients[step.connection], step, cursor_at).map_err(|e| e.to_string())?;
        let oracle = iterate(&mut self.oracle.clients[step.connection], step, cursor_at).map_err(|e| e.to_string())?;
        check(step, Rule::Doubles, &subject, &oracle, None)
    }

    fn compare_state(&mut self) -> Result<(), String> {
        let subject = state::read(&mut self.subject.observer);
        let oracle = state::read(&mut self.oracle.observer);
        state::compare(&subject, &oracle)?;
        state::compare_digests(&oracle, &mut self.subject.observer, &mut self.oracle.observer)
    }
}

/// Builds a set anew from its members, as SPOP does where it takes most of them: 7.0 then starts from an intset, 7.2
/// only where the set was one. A word that comes and goes turns the oracle's into a hash table.
fn rebuild(client: &mut Client, key: &[u8], encoding: &str) {
    let members: Vec<Vec<u8>> = client.call(&[b"SMEMBERS", key]).leaves().iter().map(|m| m.bytes().to_vec()).collect();
    let deadline = client.call(&[b"PEXPIRETIME", key]).integer();
    let mut commands = vec![with_key("DEL", key, &[]), with_key("SADD", key, &members)];
    if encoding != "intset" {
        let word = [b"a word".to_vec()];
        commands.extend([with_key("SADD", key, &word), with_key("SREM", key, &word)]);
    }
    if deadline >= 0 {
        commands.push(with_key("PEXPIREAT", key, &[deadline.to_string().into_bytes()]));
    }
    client.batch(&commands);
}

fn with_key(name: &str, key: &[u8], arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut command = vec![name.as_bytes().to_vec(), key.to_vec()];
    command.extend_from_slice(arguments);
    command
}

/// How many steps from here on go into one pipeline: plain ones, of one connection.
fn pipeline_length(steps: &[Step]) -> usize {
    let mut bytes = 0;
    let fits = |step: &&Step| {
        bytes += step.arguments.iter().map(Vec::len).sum::<usize>();
        let plain = !matches!(step.rule, Rule::Pop | Rule::Scan { .. }) && !step.arguments.is_empty();
        plain && step.connection == steps[0].connection && bytes < PIPELINE_BYTES
    };
    steps.iter().take(PIPELINE).take_while(fits).count()
}

fn check(step: &Step, rule: Rule, subject: &Reply, oracle: &Reply, previous: Option<&Reply>) -> Result<(), String> {
    if equal(rule, subject, oracle, previous) || permitted::reply(&step.arguments, subject, oracle) {
        return Ok(());
    }
    Err(format!("  Pipkin: {subject:?}\n  Redis:  {oracle:?}\n  at: {step} (compared: {rule:?})"))
}

fn exact(step: &Step, subject: &Reply, oracle: &Reply) -> Result<(), String> {
    check(step, Rule::Exact, subject, oracle, None)
}

fn is_arity_error(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(text) if text.starts_with(b"ERR wrong number"))
}

/// All elements of an iteration, sorted and each once; or the error; for an odd cursor only that there is a reply.
fn iterate(client: &mut Client, step: &Step, cursor_at: usize) -> io::Result<Reply> {
    let mut arguments = step.arguments.clone();
    let mut elements = Vec::new();
    for _ in 0..SCAN_CALLS_MAX {
        client.send(&arguments);
        let reply = client.try_read()?;
        let [cursor, Reply::Array(page)] = reply.items() else { return Ok(reply) };
        if step.arguments[cursor_at] != b"0" {
            return Ok(Reply::Null);
        }
        let name = step.arguments[0].to_ascii_uppercase();
        let width = if matches!(&name[..], b"HSCAN" | b"ZSCAN") { 2 } else { 1 };
        let of_page = page.chunks(width).map(|element| Reply::Array(element.to_vec()));
        // Scores of small sorted sets have 17 digits before 7.2.
        elements.extend(of_page.map(|element| if name == b"ZSCAN" { doubles(&element) } else { element }));
        if cursor.bytes() == b"0" {
            elements.sort();
            elements.dedup();
            return Ok(Reply::Array(elements));
        }
        arguments[cursor_at] = cursor.bytes().to_vec();
    }
    Err(io::Error::other(format!("the iteration does not end: {step}")))
}
