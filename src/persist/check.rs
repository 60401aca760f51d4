//! `pipkin check FILE…`: is a file sound, and what is in it.
//!
//! What a file is shows in how it begins, not in its name: [`Kind::of`] is where another format joins.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::aof;
use super::rdb::{Item, RdbError, Reader};
use super::storage::Disk;
use crate::value::table::Basis;
use crate::value::{ValueLimits, ValueType};

/// How much of a file tells what it is.
const HEAD_BYTES: usize = 9;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rdb,
    /// Append-only: commands.
    Log,
    /// Append-only: which files.
    Manifest,
    Unknown,
}

impl Kind {
    fn of(head: &[u8]) -> Kind {
        match head {
            [b'R', b'E', b'D', b'I', b'S', ..] | [b'V', b'A', b'L', b'K', b'E', b'Y', ..] => Kind::Rdb,
            [b'*', ..] | [b'#', b'T', b'S', b':', ..] => Kind::Log,
            [b'f', b'i', b'l', b'e', b' ', ..] | [b'#', ..] => Kind::Manifest,
            _ => Kind::Unknown,
        }
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything can be loaded.
    Sound,
    /// Something cannot; the report says where.
    Damaged,
}

/// Reads a file to its end and reports what is in it, or what is wrong with it and at which offset.
///
/// # Errors
/// When the report cannot be written. A file that cannot be read is damaged.
pub fn check(path: &Path, report: &mut impl Write) -> std::io::Result<Verdict> {
    let name = path.display();
    let opened = File::open(path).and_then(|mut file| {
        let mut head = Vec::new();
        Read::by_ref(&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok((head, file))
    });
    let (head, file) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            writeln!(report, "{name}: cannot be read: {error}")?;
            return Ok(Verdict::Damaged);
        }
    };
    match Kind::of(&head) {
        Kind::Rdb => {
            let (verdict, more) = check_rdb(&name.to_string(), head.chain(file), report)?;
            // An append-only file may begin with a snapshot.
            if more { check_log(path, report) } else { Ok(verdict) }
        }
        Kind::Log | Kind::Manifest => check_log(path, report),
        Kind::Unknown => {
            writeln!(report, "{name}: damaged at offset 0: it begins like no file that this program writes or reads")?;
            Ok(Verdict::Damaged)
        }
    }
}

/// Keys, how many of them have a deadline, and bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    keys: u64,
    volatile: u64,
    bytes: u64,
}

/// What an RDB file consists of, as far as it was read.
#[derive(Default)]
struct Contents {
    fields: Vec<String>,
    types: BTreeMap<ValueType, Sum>,
    databases: BTreeMap<usize, Sum>,
    functions: u64,
}

impl Contents {
    fn read<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<(), RdbError> {
        while let Some(item) = reader.next()? {
            match item {
                Item::Entry(entry) => {
                    let by_type = self.types.entry(entry.value.view().value_type()).or_default();
                    for sum in [by_type, self.databases.entry(entry.database).or_default()] {
                        sum.keys += 1;
                        sum.volatile += u64::from(entry.deadline.is_some());
                        sum.bytes += entry.bytes;
                    }
                }
                Item::Auxiliary { name, value } => {
                    // Names and values are short words; what else comes is cut, and shown without its controls.
                    let shown = [name, value].map(|text| text[..text.len().min(80)].escape_ascii().to_string());
                    self.fields.push(shown.join(" "));
                }
                Item::Function(_) => self.functions += 1,
                Item::Sizes { .. } => {}
            }
        }
        Ok(())
    }

    fn report(&self, out: &mut impl Write) -> std::io::Result<()> {
        for field in &self.fields {
            writeln!(out, "  {field}")?;
        }
        for (database, sum) in &self.databases {
            let Sum { keys, volatile, bytes } = sum;
            writeln!(out, "  database {database}: {keys} keys, {volatile} of them with a deadline, {bytes} bytes")?;
        }
        for (kind, sum) in &self.types {
            let Sum { keys, volatile, bytes } = sum;
            writeln!(out, "  {:<6} {keys:>12} keys {volatile:>12} with a deadline {bytes:>15} bytes", kind.name())?;
        }
        if self.functions > 0 {
            writeln!(out, "  libraries of functions: {}", self.functions)?;
        }
        Ok(())
    }
}

/// Checks an RDB file, and tells whether anything is behind it.
fn check_rdb(name: &str, source: impl Read, report: &mut impl Write) -> std::io::Result<(Verdict, bool)> {
    let mut contents = Contents::default();
    // No table outlives the check: any seed will do.
    let opened = Reader::new(source, ValueLimits::default(), Basis::new(0, 0));
    let result = opened.and_then(|mut reader| {
        contents.read(&mut reader)?;
        Ok((reader.version(), reader.offset(), reader.empty_keys(), has_more(reader)))
    });
    match result {
        Ok((version, offset, empty, more)) => {
            writeln!(report, "{name}: an RDB file of version {version}, {offset} bytes, sound")?;
            contents.report(report)?;
            if empty > 0 {
                writeln!(report, "  {empty} collections without elements, which are left out")?;
            }
            if more {
                writeln!(report, "  behind it, from offset {offset} on, there is something else")?;
            }
            Ok((Verdict::Sound, more))
        }
        Err(error) => {
            writeln!(report, "{name}: {error}")?;
            writeln!(report, "before that:")?;
            contents.report(report)?;
            Ok((Verdict::Damaged, false))
        }
    }
}

/// Checks an append-only file, or a manifest with all its files.
fn check_log(path: &Path, report: &mut impl Write) -> std::io::Result<Verdict> {
    let checked = aof::check::check(&Disk, path, &mut |source| {
        let mut reader = Reader::new(source, ValueLimits::default(), Basis::new(0, 0)).map_err(|e| e.to_string())?;
        Contents::default().read(&mut reader).map_err(|e| e.to_string())?;
        Ok(reader.into_rest().0)
    });
    match checked {
        Ok(found) => {
            write!(report, "{found}")?;
            Ok(if found.is_whole() { Verdict::Sound } else { Verdict::Damaged })
        }
        Err(error) => {
            writeln!(report, "{}: cannot be read: {error}", path.display())?;
            Ok(Verdict::Damaged)
        }
    }
}

fn has_more<R: Read>(reader: Reader<R>) -> bool {
    let (rest, mut source) = reader.into_rest();
    !rest.is_empty() || matches!(source.read(&mut [0]), Ok(1))
}
