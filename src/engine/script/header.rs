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
    /// `name=`, of a library.
    pub name: Option<Vec<u8>>,
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

impl Header {
    /// Takes note of a flag; false where it is not known.
    pub fn set(&mut self, flag: &[u8]) -> bool {
        match flag {
            b"no-writes" => self.no_writes = true,
            b"allow-oom" => self.allow_oom = true,
            b"allow-stale" => self.allow_stale = true,
            b"no-cluster" => self.no_cluster = true,
            b"allow-cross-slot-keys" => self.allow_cross_slot_keys = true,
            _ => return false,
        }
        true
    }
}

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

fn error(text: &[u8], what: &[u8]) -> CommandError {
    CommandError::quoted_line(&scripting::with_code(&[text, what].concat()))
}
