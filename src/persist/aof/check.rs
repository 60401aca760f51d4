//! Verifying append-only files without loading them: what is whole, up to where, and what it consists of.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::load::{OpenError, SnapshotReader, open_commands};
use super::manifest::Manifest;
use super::reader::{Commands, Next, ReadError, Torn};
use crate::base::limits::MANIFEST_BYTES_MAX;
use crate::persist::storage::{Storage, read_bounded};

/// Names of commands that are told apart.
const NAMES_MAX: usize = 512;
/// Longest name of a command that is shown.
const NAME_BYTES_MAX: usize = 64;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong with the manifest, where one was checked.
    pub manifest_problem: Option<String>,
    /// The files in order.
    pub files: Vec<FileReport>,
}

/// What was found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Up to where it is whole.
    pub whole_bytes: u64,
    /// Size of the snapshot that it begins with.
    pub snapshot_bytes: u64,
    /// Number of commands.
    pub commands: u64,
    /// Number of transactions.
    pub transactions: u64,
    /// Count and bytes by name of the command, in capitals.
    pub by_name: BTreeMap<String, Usage>,
    /// The last annotated time, in Unix seconds.
    pub annotated_s: Option<u64>,
    /// Whether it is whole.
    pub condition: Condition,
}

/// How much of a file one kind of command makes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many there are.
    pub count: u64,
    /// Bytes of their arguments.
    pub bytes: u64,
}

/// The state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whole.
    Whole,
    /// It ends within a record or a transaction.
    Torn(Torn),
    /// It is damaged.
    Damaged {
        /// Where; `None` for the snapshot, whose text says it.
        offset: Option<u64>,
        /// How.
        reason: String,
    },
    /// The manifest names it, but it is not there.
    Missing,
}

impl Report {
    /// Whether everything is whole.
    pub fn is_whole(&self) -> bool {
        self.manifest_problem.is_none() && self.files.iter().all(|file| file.condition == Condition::Whole)
    }

    /// Whether a server would start on it, if need be after cutting off a torn end.
    pub fn is_loadable(&self) -> bool {
        let torn = |file: &FileReport| matches!(file.condition, Condition::Torn(_));
        let last = self.files.iter().rposition(|file| file.bytes > 0);
        let files = self.files.iter().enumerate();
        self.manifest_problem.is_none()
            && files
                .clone()
                .all(|(index, file)| file.condition == Condition::Whole || (torn(file) && Some(index) == last))
    }
}

/// Checks a manifest with its files, or one append-only file.
///
/// # Errors
/// When a file cannot be read; what is wrong in a file is in the report.
pub fn check(storage: &dyn Storage, path: &Path, snapshot: SnapshotReader<'_>) -> io::Result<Report> {
    if path.extension().is_none_or(|extension| extension != "manifest") {
        return Ok(Report { manifest_problem: None, files: vec![check_file(storage, path, snapshot)?] });
    }
    let manifest = match Manifest::parse(&read_bounded(storage, path, MANIFEST_BYTES_MAX)?) {
        Ok(manifest) => manifest,
        Err(error) => return Ok(Report { manifest_problem: Some(error.to_string()), files: Vec::new() }),
    };
    let mut report = Report::default();
    for file in manifest.files() {
        report.files.push(check_file(storage, &path.with_file_name(&file.name), snapshot)?);
    }
    Ok(report)
}

fn check_file(storage: &dyn Storage, path: &Path, snapshot: SnapshotReader<'_>) -> io::Result<FileReport> {
    let mut report = FileReport {
        path: path.to_owned(),
        bytes: 0,
        whole_bytes: 0,
        snapshot_bytes: 0,
        commands: 0,
        transactions: 0,
        by_name: BTreeMap::new(),
        annotated_s: None,
        condition: Condition::Whole,
    };
    let Some(bytes) = storage.len(path)? else {
        report.condition = Condition::Missing;
        return Ok(report);
    };
    report.bytes = bytes;
    let mut reader = match open_commands(storage, path, snapshot) {
        Ok(reader) => reader,
        Err(OpenError::Io(error)) => return Err(error),
        Err(OpenError::Snapshot(reason)) => {
            report.condition = Condition::Damaged { offset: None, reason };
            return Ok(report);
        }
    };
    report.snapshot_bytes = reader.offset();
    report.condition = loop {
        match reader.next_commands() {
            Ok(Next::Commands(commands)) => report.count(&commands),
            Ok(Next::End) => break Condition::Whole,
            Ok(Next::Torn(torn)) => break Condition::Torn(torn),
            Err(ReadError::Damaged { offset, reason }) => break Condition::Damaged { offset: Some(offset), reason },
            Err(ReadError::Io { source, .. }) => return Err(source),
        }
    };
    report.whole_bytes = reader.offset();
    report.annotated_s = reader.annotated_s();
    Ok(report)
}

impl FileReport {
    fn count(&mut self, commands: &Commands<'_>) {
        self.commands += commands.len() as u64;
        self.transactions += u64::from(commands.is_transaction());
        for command in commands.iter() {
            let name = &command.name()[..command.name().len().min(NAME_BYTES_MAX)];
            let mut name = name.to_ascii_uppercase().escape_ascii().to_string();
            if self.by_name.len() >= NAMES_MAX && !self.by_name.contains_key(&name) {
                name = "(others)".into();
            }
            let usage = self.by_name.entry(name).or_default();
            usage.count += 1;
            usage.bytes += command.iter().map(|argument| argument.len() as u64).sum::<u64>();
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = &self.manifest_problem {
            writeln!(f, "the manifest is damaged, {problem}")?;
        }
        self.files.iter().try_for_each(|file| file.fmt(f))
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.condition {
            Condition::Whole => writeln!(f, "whole, {} bytes", self.bytes)?,
            Condition::Torn(torn) => {
                let what = if torn.is_transaction { "transaction" } else { "record" };
                let Torn { offset, bytes, .. } = torn;
                writeln!(
                    f,
                    "ends within a {what}: {bytes} of {} bytes, from offset {offset} on, are incomplete",
                    self.bytes
                )?;
            }
            Condition::Damaged { offset: Some(offset), reason } => {
                writeln!(f, "damaged at offset {offset} of {}: {reason}", self.bytes)?;
            }
            Condition::Damaged { offset: None, reason } => writeln!(f, "the snapshot is damaged: {reason}")?,
            Condition::Missing => writeln!(f, "missing")?,
        }
        if self.snapshot_bytes > 0 {
            writeln!(f, "  snapshot: {} bytes", self.snapshot_bytes)?;
        }
        if self.commands > 0 {
            writeln!(f, "  commands: {}, transactions: {}", self.commands, self.transactions)?;
        }
        for (name, Usage { count, bytes }) in &self.by_name {
            writeln!(f, "  {name:<16} {count:>12} commands {bytes:>15} bytes")?;
        }
        self.annotated_s.map_or(Ok(()), |time_s| writeln!(f, "  last annotated time: {time_s}"))
    }
}
