//! When two replies count as equal: one rule per row of the grammar.

use crate::support::Reply;

/// How the replies of a command are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Type and bytes.
    Exact,
    /// Type and bytes, but texts that are the same double are equal.
    Doubles,
    /// Elements in any order.
    Unordered,
    /// Pairs in any order: a map, or an array of alternating keys and values.
    Pairs,
    /// A distance or a date in seconds that may have moved on by [`DRIFT_MS`].
    Seconds,
    /// The same in milliseconds.
    Milliseconds,
    /// The same type, and as many elements.
    Shape,
    /// A payload of DUMP or none: the bytes may differ, `rdb_exchange.rs` compares what they restore.
    Dumped,
    /// The encoding's name; `permitted.rs` knows the names that differ.
    Encoding,
    /// Pending entries of a stream: the time since each was delivered may differ.
    PendingEntries,
    /// What XINFO tells: times may differ, and fields that came with 7.2.
    StreamInfo,
    /// A greeting: the same fields, the same protocol.
    Hello,
    /// Drawn at random from the reply to the command in front of it, which was `from`.
    Drawn { from: &'static str },
    /// The same for members with their values.
    DrawnPairs { from: &'static str },
    /// An iteration, run to its end: all elements, in any order. The cursor is this argument.
    Scan { cursor_at: usize },
    /// Members taken at random by Pipkin, which the oracle then must have to remove.
    Pop,
}

/// How far apart the two servers may run a command that reads or sets a deadline.
const DRIFT_MS: i64 = 60_000;

/// Whether the replies are equal under the rule; `previous` is the oracle's reply to the command in front.
pub fn equal(rule: Rule, subject: &Reply, oracle: &Reply, previous: Option<&Reply>) -> bool {
    if oracle.is_error() || subject.is_error() {
        return subject == oracle;
    }
    match rule {
        Rule::Exact | Rule::Encoding | Rule::Scan { .. } | Rule::Pop => subject == oracle,
        Rule::Doubles => subject == oracle || doubles(subject) == doubles(oracle),
        Rule::Unordered => sorted(&doubles(subject)) == sorted(&doubles(oracle)),
        Rule::Pairs => pairs(subject) == pairs(oracle),
        Rule::Seconds => within(subject, oracle, DRIFT_MS / 1000),
        Rule::Milliseconds => within(subject, oracle, DRIFT_MS),
        Rule::Shape | Rule::Dumped => same_shape(subject, oracle),
        Rule::PendingEntries => without_idle(subject) == without_idle(oracle),
        Rule::StreamInfo => stream_info(subject) == stream_info(oracle),
        Rule::Hello => greeting(subject) == greeting(oracle),
        Rule::Drawn { .. } => same_shape(subject, oracle) && drawn(subject, previous, 1),
        Rule::DrawnPairs { .. } => same_shape(subject, oracle) && drawn(subject, previous, 2),
    }
}

/// The reply with each text that is a number replaced by the number's bits.
pub fn doubles(reply: &Reply) -> Reply {
    let canonical = |text: &[u8]| match std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()) {
        // A zero without its sign: see `permitted.rs`.
        Some(number) => format!("{:016x}", (number + 0.0).to_bits()).into_bytes(),
        None => text.to_vec(),
    };
    match reply {
        Reply::Bulk(text) => Reply::Bulk(canonical(text)),
        Reply::Double(text) => Reply::Double(canonical(text)),
        Reply::Array(items) => Reply::Array(items.iter().map(doubles).collect()),
        Reply::Map(pairs) => Reply::Map(pairs.iter().map(|(k, v)| (doubles(k), doubles(v))).collect()),
        other => other.clone(),
    }
}

/// The reply with the elements of its outermost array or set in byte order.
pub fn sorted(reply: &Reply) -> Reply {
    let order = |items: &[Reply]| {
        let mut items = items.to_vec();
        items.sort();
        items
    };
    match reply {
        Reply::Array(items) => Reply::Array(order(items)),
        Reply::Set(items) => Reply::Set(order(items)),
        other => other.clone(),
    }
}

/// The pairs of a map or of a flat array, in byte order; the type is kept.
pub fn pairs(reply: &Reply) -> (bool, Vec<(Reply, Reply)>) {
    let (is_map, mut pairs) = match reply {
        Reply::Map(pairs) => (true, pairs.clone()),
        other => (false, other.items().chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()),
    };
    pairs.sort();
    (is_map, pairs)
}

/// Pending entries without their idle times.
fn without_idle(reply: &Reply) -> Reply {
    let entry = |entry: &Reply| match entry {
        Reply::Array(fields) if fields.len() == 4 => {
            Reply::Array([&fields[..2], &[Reply::Null], &fields[3..]].concat())
        }
        other => other.clone(),
    };
    match reply {
        Reply::Array(entries) => Reply::Array(entries.iter().map(entry).collect()),
        other => other.clone(),
    }
}

/// What XINFO tells of streams, without times, and without what only one of the versions has.
pub fn stream_info(reply: &Reply) -> Reply {
    /// Unix times in ms are above this, other numbers below.
    const TIME_MIN: i64 = 100_000_000_000;
    const LEFT_OUT: [&[u8]; 5] = [b"idle", b"inactive", b"seen-time", b"active-time", b"radix-tree-nodes"];
    let is_kept = |name: &Reply| !LEFT_OUT.contains(&name.bytes());
    match reply {
        Reply::Integer(TIME_MIN..) => Reply::Null,
        Reply::Array(items) if matches!(&items[..], [Reply::Bulk(name), ..] if [&b"name"[..], b"length"].contains(&&name[..])) =>
        {
            let pairs = items.chunks(2).filter(|pair| is_kept(&pair[0]));
            Reply::Array(pairs.flatten().map(stream_info).collect())
        }
        Reply::Array(items) => Reply::Array(items.iter().map(stream_info).collect()),
        Reply::Map(pairs) => {
            let pairs = pairs.iter().filter(|(name, _)| is_kept(name));
            Reply::Map(pairs.map(|(name, value)| (name.clone(), stream_info(value))).collect())
        }
        other => other.clone(),
    }
}

/// Negative answers ("no key", "no deadline") are exact.
fn within(subject: &Reply, oracle: &Reply, drift: i64) -> bool {
    match (subject, oracle) {
        (Reply::Integer(a), Reply::Integer(b)) if *a >= 0 && *b >= 0 => a.abs_diff(*b) <= drift.unsigned_abs(),
        _ => subject == oracle,
    }
}

fn same_shape(subject: &Reply, oracle: &Reply) -> bool {
    std::mem::discriminant(subject) == std::mem::discriminant(oracle)
        && subject.items().len() == oracle.items().len()
        && subject.items().iter().zip(oracle.items()).all(|(a, b)| same_shape(a, b))
}

fn greeting(reply: &Reply) -> Vec<(Reply, Option<Reply>)> {
    let (is_map, all) = pairs(reply);
    let telling = |name: &Reply| matches!(name.bytes(), b"proto" | b"mode" | b"role");
    let mut fields: Vec<_> = all.into_iter().map(|(k, v)| (k.clone(), telling(&k).then_some(v))).collect();
    let kind = if let Reply::Error(_) = reply { reply.clone() } else { Reply::Boolean(is_map) };
    fields.push((kind, None));
    fields
}

/// Whether every element (of `width` scalars) occurs in what it was drawn from. Shrinking may have dropped that.
fn drawn(subject: &Reply, from: Option<&Reply>, width: usize) -> bool {
    let Some(from @ (Reply::Array(_) | Reply::Set(_) | Reply::Map(_))) = from else { return true };
    if subject.is_nil() {
        return from.leaves().is_empty();
    }
    let all = from.leaves();
    let elements = subject.leaves();
    elements.len().is_multiple_of(width)
        && elements.chunks(width).all(|element| {
            all.chunks(width).any(|candidate| {
                candidate.iter().zip(element).all(|(a, b)| a == b || doubles(a).bytes() == doubles(b).bytes())
            })
        })
}
