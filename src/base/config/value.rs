//! The values of the configuration table: how each kind is read, checked and printed.

use std::borrow::Cow;
use std::fmt::Write;

use super::events::KeyspaceEvents;
use super::table::Kind;
use crate::base::number::{format_f64, format_i64, format_u64, parse_f64, parse_i64};

/// Why a value was refused, in Redis's words.
pub(super) type Reason = Cow<'static, str>;

/// Limits of the output buffer of one class of clients; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Above it a client is closed at once, in bytes.
    pub hard_bytes: u64,
    /// Above it a client is closed after a while, in bytes.
    pub soft_bytes: u64,
    /// How long it may stay above the soft limit.
    pub soft_seconds: u64,
}

/// Client classes in the order of [`Value::OutputLimits`], with the names that are read.
const OUTPUT_CLASSES: [&[&str]; 3] = [&["normal"], &["slave", "replica"], &["pubsub"]];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Octal(u32),
    Memory(u64),
    Percent(u64),
    Flag(bool),
    Choice(&'static str),
    Choices(Vec<&'static str>),
    Text(Vec<u8>),
    Words(Vec<Vec<u8>>),
    Save(Vec<(u64, u64)>),
    OutputLimits([OutputLimit; 3]),
    KeyspaceEvents(KeyspaceEvents),
    OomScores([i64; 3]),
    Percentiles(Vec<f64>),
}

impl Kind {
    /// Whether the value consists of several words, which `CONFIG SET` gets as one text with spaces.
    pub(super) fn takes_words(self) -> bool {
        use Kind::{Choices, OomScores, OutputLimits, Percentiles, Save, Words};
        matches!(self, Choices(_) | OomScores | OutputLimits | Percentiles | Save | Words)
    }

    /// Reads a value; `current` is what a partial value (one class of clients) leaves as it is.
    pub(super) fn read(self, words: &[&[u8]], current: &Value) -> Result<Value, Reason> {
        let single = || match words {
            [word] => Ok(*word),
            _ => Err(Cow::Borrowed("wrong number of arguments")),
        };
        match self {
            Kind::Integer { min, max } => read_integer(single()?, min, max).map(Value::Integer),
            Kind::Frequency => {
                read_integer(single()?, 0, i64::from(i32::MAX)).map(|hz| Value::Integer(hz.clamp(1, 500)))
            }
            Kind::Octal => read_octal(single()?).map(Value::Octal),
            Kind::Memory { min, max } => read_memory_between(single()?, min, max).map(Value::Memory),
            Kind::MemoryOrPercent => read_memory_or_percent(single()?),
            Kind::Flag => match find(&["yes", "no"], single()?) {
                Some(word) => Ok(Value::Flag(word == "yes")),
                None => Err("argument must be 'yes' or 'no'".into()),
            },
            Kind::Choice(choices) => find(choices, single()?).map(Value::Choice).ok_or_else(|| not_one_of(choices)),
            Kind::Choices(choices) => {
                let chosen = words.iter().map(|word| find(choices, word).ok_or_else(|| not_one_of(choices)));
                chosen.collect::<Result<_, _>>().map(|chosen| in_order(choices, chosen))
            }
            Kind::Text => Ok(Value::Text(single()?.to_vec())),
            Kind::Words => Ok(Value::Words(words.iter().filter(|w| !w.is_empty()).map(|w| w.to_vec()).collect())),
            Kind::Save => read_save(words).map(Value::Save),
            Kind::OutputLimits => read_output_limits(words, current),
            Kind::KeyspaceEvents => match KeyspaceEvents::parse(single()?) {
                Some(events) => Ok(Value::KeyspaceEvents(events)),
                None => Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into()),
            },
            Kind::OomScores => read_oom_scores(words).map(Value::OomScores),
            Kind::Percentiles => read_percentiles(words).map(Value::Percentiles),
        }
    }
}

impl Value {
    /// The text that `CONFIG GET` shows.
    pub(super) fn print(&self) -> Vec<u8> {
        match self {
            Value::Integer(value) => format_i64(*value).to_vec(),
            Value::Octal(mode) => format!("{mode:o}").into_bytes(),
            Value::Memory(bytes) => format_u64(*bytes).to_vec(),
            Value::Percent(percent) => format!("{percent}%").into_bytes(),
            Value::Flag(on) => if *on { "yes" } else { "no" }.into(),
            Value::Choice(word) => (*word).into(),
            Value::Choices(words) => words.join(" ").into_bytes(),
            Value::Text(text) => text.clone(),
            Value::Words(words) => words.join(&b' '),
            Value::Save(points) => {
                let words = points.iter().map(|(seconds, changes)| format!("{seconds} {changes}"));
                words.collect::<Vec<_>>().join(" ").into_bytes()
            }
            Value::OutputLimits(limits) => {
                let mut text = String::new();
                for (names, limit) in OUTPUT_CLASSES.iter().zip(limits) {
                    let gap = if text.is_empty() { "" } else { " " };
                    let OutputLimit { hard_bytes, soft_bytes, soft_seconds } = limit;
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{gap}{} {hard_bytes} {soft_bytes} {soft_seconds}", names[0]);
                }
                text.into_bytes()
            }
            Value::KeyspaceEvents(events) => events.to_string().into_bytes(),
            Value::OomScores(scores) => scores.map(|score| score.to_string()).join(" ").into_bytes(),
            Value::Percentiles(list) => list.iter().map(|p| format_f64(*p).to_vec()).collect::<Vec<_>>().join(&b' '),
        }
    }
}

fn find(choices: &[&'static str], word: &[u8]) -> Option<&'static str> {
    choices.iter().copied().find(|choice| choice.as_bytes().eq_ignore_ascii_case(word))
}

fn not_one_of(choices: &[&str]) -> Reason {
    format!("argument(s) must be one of the following: {}", choices.join(", ")).into()
}

/// The chosen words once each, in the order of the choices; the first choice stands for none.
fn in_order(choices: &[&'static str], chosen: Vec<&'static str>) -> Value {
    let (none, others) = (&choices[..1], &choices[1..]);
    let kept: Vec<_> = others.iter().copied().filter(|choice| chosen.contains(choice)).collect();
    Value::Choices(if kept.is_empty() { none.to_vec() } else { kept })
}

fn not_between(min: impl std::fmt::Display, max: impl std::fmt::Display) -> Reason {
    format!("argument must be between {min} and {max} inclusive").into()
}

fn read_integer(word: &[u8], min: i64, max: i64) -> Result<i64, Reason> {
    let value = parse_i64(word).ok_or("argument couldn't be parsed into an integer")?;
    if (min..=max).contains(&value) { Ok(value) } else { Err(not_between(min, max)) }
}

fn read_octal(word: &[u8]) -> Result<u32, Reason> {
    let text = std::str::from_utf8(word).unwrap_or_default();
    let mode = u32::from_str_radix(text, 8).map_err(|_| "argument couldn't be parsed as an octal number")?;
    if mode <= 0o777 { Ok(mode) } else { Err(not_between(0, 0o777)) }
}

/// Bytes with an optional unit; what does not fit is the largest number, as with C's own conversion.
pub fn read_memory(word: &[u8]) -> Option<u64> {
    let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, unit) = word.split_at(digits);
    let unit: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let value = digits.iter().fold(0u64, |sum, b| sum.saturating_mul(10).saturating_add(u64::from(b - b'0')));
    Some(value.saturating_mul(unit))
}

fn read_memory_between(word: &[u8], min: u64, max: u64) -> Result<u64, Reason> {
    let bytes = read_memory(word).ok_or("argument must be a memory value")?;
    if (min..=max).contains(&bytes) { Ok(bytes) } else { Err(not_between(min, max)) }
}

fn read_memory_or_percent(word: &[u8]) -> Result<Value, Reason> {
    const REFUSED: &str = "argument must be a memory or percent value";
    let Some(percent) = word.strip_suffix(b"%") else {
        return read_memory(word).map(Value::Memory).ok_or(REFUSED.into());
    };
    match parse_i64(percent).and_then(|percent| u64::try_from(percent).ok()) {
        None => Err(REFUSED.into()),
        Some(101..) => Err("percentage argument must be less or equal to 100".into()),
        Some(percent) => Ok(Value::Percent(percent)),
    }
}

fn read_save(words: &[&[u8]]) -> Result<Vec<(u64, u64)>, Reason> {
    if words.iter().all(|word| word.is_empty()) {
        return Ok(Vec::new());
    }
    let refused = || Cow::Borrowed("Invalid save parameters");
    let number = |word: &[u8], min| {
        parse_i64(word).and_then(|n| u64::try_from(n).ok()).filter(|n| *n >= min).ok_or_else(refused)
    };
    let (pairs, []) = words.as_chunks::<2>() else { return Err(refused()) };
    pairs.iter().map(|[seconds, changes]| Ok((number(seconds, 1)?, number(changes, 0)?))).collect()
}

fn read_output_limits(words: &[&[u8]], current: &Value) -> Result<Value, Reason> {
    let Value::OutputLimits(mut limits) = *current else { return Err("no limits to change".into()) };
    if let [b""] = words {
        return Ok(current.clone());
    }
    let (groups, []) = words.as_chunks::<4>() else {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    };
    for [class, hard, soft, seconds] in groups {
        let class = OUTPUT_CLASSES
            .iter()
            .position(|names| find(names, class).is_some())
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        let seconds = parse_i64(seconds).and_then(|seconds| u64::try_from(seconds).ok());
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)) = (read_memory(hard), read_memory(soft), seconds)
        else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".into());
        };
        limits[class] = OutputLimit { hard_bytes, soft_bytes, soft_seconds };
    }
    Ok(Value::OutputLimits(limits))
}

fn read_oom_scores(words: &[&[u8]]) -> Result<[i64; 3], Reason> {
    const REFUSED: &str = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    let words: &[&[u8]; 3] = words.try_into().map_err(|_| "wrong number of arguments")?;
    let mut scores = [0; 3];
    for (score, word) in scores.iter_mut().zip(words) {
        *score = parse_i64(word).filter(|score| (-2000..=2000).contains(score)).ok_or(REFUSED)?;
    }
    Ok(scores)
}

fn read_percentiles(words: &[&[u8]]) -> Result<Vec<f64>, Reason> {
    let mut list = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        let percentile = parse_f64(word).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&percentile) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        list.push(percentile);
    }
    Ok(list)
}
