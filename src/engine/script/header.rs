//! The first line of a script, `#!lua flags=…`: what it asks for.

use std::borrow::Cow;

use crate::base::words;
use crate::protocol::error::CommandError;
use crate::protocol::error::scripting;

/// What a script's first line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// There is such a line.
    pub is_there: bool,
    /// `no-writes`
    pub no_writes: bool,
    /// `allow-oom`
    pub allow_oom: bool,
    /// `allow-stale`
    pub allow_stale: bool,
    /// `no-cluster`
    pub no_cluster: bool,
    /// `allow-cross-slot-keys`
    pub allow_cross_slot_keys: bool,
}

/// A flag by its name: whether it is set, and how to set it.
type Flag = (&'static str, fn(&Header) -> bool, fn(&mut Header));

/// The flags, in the order in which they are shown.
pub const FLAGS: [Flag; 5] = [
    ("no-writes", |header| header.no_writes, |header| header.no_writes = true),
    ("allow-oom", |header| header.allow_oom, |header| header.allow_oom = true),
    ("allow-stale", |header| header.allow_stale, |header| header.allow_stale = true),
    ("no-cluster", |header| header.no_cluster, |header| header.no_cluster = true),
    ("allow-cross-slot-keys", |header| header.allow_cross_slot_keys, |header| header.allow_cross_slot_keys = true),
];

impl Header {
    /// Takes note of a flag; false where it is not known.
    pub fn set(&mut self, flag: &[u8]) -> bool {
        match FLAGS.iter().find(|(name, ..)| name.as_bytes() == flag) {
            Some((_, _, set)) => {
                set(self);
                true
            }
            None => false,
        }
    }

    /// The flags that are set.
    pub fn flags(&self) -> Vec<&'static str> {
        FLAGS.iter().filter(|(_, is_set, _)| is_set(self)).map(|(name, ..)| *name).collect()
    }
}

/// The only option of a library's first line.
const NAME: &[u8] = b"name=";

/// The header of a script, and the script with that line emptied, so that lines keep their numbers.
pub fn parse(text: &[u8]) -> Result<(Header, Cow<'_, [u8]>), CommandError> {
    if !text.starts_with(b"#!") {
        return Ok((Header::default(), Cow::Borrowed(text)));
    }
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return Err(error(b"Invalid script shebang", b""));
    };
    let parts = words::split(&text[..end]).unwrap_or_default();
    let Some((engine, options)) = parts.split_first() else {
        return Err(error(b"Invalid engine in script shebang", b""));
    };
    if engine != b"#!lua" {
        return Err(error(b"Unexpected engine in script shebang: ", engine));
    }
    let mut header = Header { is_there: true, ..Header::default() };
    for option in options {
        let Some(flags) = option.strip_prefix(b"flags=") else {
            return Err(error(b"Unknown lua shebang option: ", option));
        };
        for flag in flags.split(|byte| *byte == b',').filter(|flag| !flag.is_empty()) {
            if !header.set(flag) {
                return Err(error(b"Unexpected flag in script shebang: ", flag));
            }
        }
    }
    Ok((header, Cow::Borrowed(&text[end..])))
}

/// What a library's first line says, and the text with that line emptied.
#[derive(Debug)]
pub struct Metadata<'t> {
    /// Its name.
    pub name: Vec<u8>,
    /// The language that it is written in.
    pub engine: Vec<u8>,
    /// The text.
    pub body: &'t [u8],
}

/// Reads a library's first line.
///
/// # Errors
/// What is wrong with that line.
pub fn library(text: &[u8]) -> Result<Metadata<'_>, Vec<u8>> {
    let error = |parts: &[&[u8]]| scripting::with_code(&parts.concat());
    if !text.starts_with(b"#!") {
        return Err(error(&[b"Missing library metadata"]));
    }
    let end = text.iter().position(|byte| matches!(byte, b'\n' | 0)).filter(|end| text[*end] == b'\n');
    let parts = end.and_then(|end| words::split(&text[..end]));
    let (Some(end), Some(parts)) = (end, parts) else { return Err(error(&[b"Invalid library metadata"])) };
    let mut name: Option<Vec<u8>> = None;
    for part in parts.iter().skip(1) {
        match part.split_at_checked(NAME.len()) {
            Some((key, given)) if key.eq_ignore_ascii_case(NAME) => {
                if name.replace(given.to_vec()).is_some() {
                    return Err(error(&[b"Invalid metadata value, name argument was given multiple times"]));
                }
            }
            _ => return Err(error(&[b"Invalid metadata value given: ", part])),
        }
    }
    let name = name.ok_or_else(|| error(&[b"Library name was not given"]))?;
    let engine = parts.first().and_then(|part| part.get(2..)).unwrap_or_default().to_vec();
    Ok(Metadata { name, engine, body: &text[end..] })
}

fn error(text: &[u8], what: &[u8]) -> CommandError {
    CommandError::quoted_line(&scripting::with_code(&[text, what].concat()))
}
