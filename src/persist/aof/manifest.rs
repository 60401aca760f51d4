//! The manifest of the append-only files, as Redis 7 writes it.
//!
//! ```text
//! file appendonly.aof.2.base.rdb seq 2 type b
//! file appendonly.aof.1.incr.aof seq 1 type h
//! file appendonly.aof.2.incr.aof seq 2 type i
//! ```
//!
//! A line is a list of keys and values; unknown keys are left to later versions. Type `b` is the base, at most one; `i`
//! are the increments, loaded in this order, with growing numbers; `h` are files that a rewrite has replaced and that
//! may be removed. Names are quoted where they have to be, and lie in the manifest's own directory. A line that begins
//! with `#` is a comment; an empty one is an error.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use crate::base::limits::MANIFEST_LINE_BYTES_MAX;
use crate::base::number::parse_i64;
use crate::base::words;

/// A file of the append-only log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its name in the manifest's directory.
    pub name: String,
    /// Its number.
    pub seq: i64,
}

/// Which files make up the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The dataset at some moment, as RDB or as commands.
    pub base: Option<LogFile>,
    /// What happened since, in order.
    pub increments: Vec<LogFile>,
    /// Files that are no longer needed.
    pub history: Vec<LogFile>,
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ManifestError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// What a line says the file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Base,
    Increment,
    History,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// On everything that Redis refuses: the log is not to be guessed.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        let refuse = |line: usize, reason: String| ManifestError { line, reason };
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        if text.is_empty() {
            return Err(refuse(1, "the manifest is empty".into()));
        }
        let mut manifest = Manifest::default();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.first() == Some(&b'#') {
                continue;
            }
            let (kind, file) = parse_line(line).map_err(|reason| refuse(index + 1, reason))?;
            manifest.add(kind, file).map_err(|reason| refuse(index + 1, reason))?;
        }
        Ok(manifest)
    }

    /// The text of the file.
    pub fn format(&self) -> String {
        let mut text = String::new();
        let base = self.base.iter().map(|file| (file, 'b'));
        let history = self.history.iter().map(|file| (file, 'h'));
        let increments = self.increments.iter().map(|file| (file, 'i'));
        for (file, kind) in base.chain(history).chain(increments) {
            // Writing to a string cannot fail.
            let name = words::written(file.name.as_bytes());
            writeln!(text, "file {} seq {} type {kind}", String::from_utf8_lossy(&name), file.seq).ok();
        }
        text
    }

    /// The files to load, in order.
    pub fn files(&self) -> impl Iterator<Item = &LogFile> {
        self.base.iter().chain(&self.increments)
    }

    /// Whether no data is named.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.increments.is_empty()
    }

    /// Puts `base` in the place of everything in front of the increment that is called `first`.
    pub fn replace_base(&mut self, base: LogFile, first: &LogFile) {
        self.history.extend(self.base.replace(base));
        let at = self.increments.iter().position(|file| file == first).unwrap_or(self.increments.len());
        self.history.extend(self.increments.drain(..at));
    }

    fn add(&mut self, kind: Kind, file: LogFile) -> Result<(), String> {
        match kind {
            Kind::Base if self.base.is_some() => return Err("there is a second base".into()),
            Kind::Base => self.base = Some(file),
            Kind::History => self.history.push(file),
            Kind::Increment => {
                if let Some(last) = self.increments.last().filter(|last| last.seq >= file.seq) {
                    return Err(format!("number {} of an increment comes after {}", file.seq, last.seq));
                }
                self.increments.push(file);
            }
        }
        Ok(())
    }
}

/// What the name of an increment ends with.
pub(super) const INCREMENT_SUFFIX: &str = ".incr.aof";

/// How a base is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseFormat {
    /// As a snapshot.
    Rdb,
    /// As commands (`aof-use-rdb-preamble no`).
    Aof,
}

impl BaseFormat {
    /// What its name ends with.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            BaseFormat::Rdb => ".base.rdb",
            BaseFormat::Aof => ".base.aof",
        }
    }
}

fn parse_line(line: &[u8]) -> Result<(Kind, LogFile), String> {
    if line.len() >= MANIFEST_LINE_BYTES_MAX {
        return Err(format!("the line is longer than {MANIFEST_LINE_BYTES_MAX} bytes"));
    }
    let words = words::split(line).ok_or("a quote is not closed")?;
    let pairs = words.chunks_exact(2);
    if words.len() < 6 || !pairs.remainder().is_empty() {
        return Err("expected: file NAME seq NUMBER type b, i or h".into());
    }
    let (mut name, mut seq, mut kind) = (None, None, None);
    for pair in pairs {
        let [key, value] = pair else { continue };
        match key.to_ascii_lowercase().as_slice() {
            b"file" => name = Some(parse_name(value)?),
            b"seq" => {
                let number = parse_i64(value).filter(|number| *number > 0);
                seq = Some(number.ok_or_else(|| format!("'{}' is no number of a file", value.escape_ascii()))?);
            }
            b"type" => {
                kind = Some(match value.as_slice() {
                    b"b" => Kind::Base,
                    b"i" => Kind::Increment,
                    b"h" => Kind::History,
                    other => return Err(format!("unknown type '{}' of a file", other.escape_ascii())),
                });
            }
            _ => {}
        }
    }
    let missing = |key: &str| format!("'{key}' is missing");
    let file = LogFile { name: name.ok_or_else(|| missing("file"))?, seq: seq.ok_or_else(|| missing("seq"))? };
    Ok((kind.ok_or_else(|| missing("type"))?, file))
}

/// A name that stays in its directory.
fn parse_name(value: &[u8]) -> Result<String, String> {
    let name = std::str::from_utf8(value).map_err(|_| "the name of a file is no text".to_owned())?;
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        return Err(format!("'{}' is no plain name of a file", name.escape_debug()));
    }
    Ok(name.to_owned())
}
