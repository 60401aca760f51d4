//! `Writer`: an RDB file from its head to its checksum.

use std::io::{Result, Write};

use super::Usage;
use super::encode::{Encoder, Sink, put_integer, put_length};
use super::format::{MAGIC, VERSION, VERSION_WITH_FIELD_DEADLINES, opcode};
use crate::base::crc64::Crc64;
use crate::value::ValueRef;

/// What is written at once.
const PORTION_BYTES: usize = 256 << 10;

/// What the head of a file says about it.
#[derive(Clone, Copy, Debug)]
pub struct Auxiliary<'a> {
    /// The version of Redis whose behaviour the writer has.
    pub redis_version: &'a str,
    /// Unix time in seconds.
    pub created: u64,
    /// Bytes in use.
    pub used_memory: u64,
    /// Whether incremental files of an AOF follow.
    pub is_aof_base: bool,
    /// Whether fields of hashes have deadlines, which older versions cannot read.
    pub has_field_deadlines: bool,
}

/// Writes a file in portions. A database's [`Writer::select`] and [`Writer::sizes`] come before its keys.
pub struct Writer<W> {
    sink: W,
    buffer: Vec<u8>,
    /// `None` where no checksum is wanted (`rdbchecksum no`).
    sum: Option<Crc64>,
    written: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// The sink's.
    pub fn new(sink: W, with_checksum: bool, head: Auxiliary<'_>) -> Result<Writer<W>> {
        let mut writer = Writer {
            sink,
            buffer: Vec::with_capacity(PORTION_BYTES),
            sum: with_checksum.then(Crc64::default),
            written: 0,
        };
        writer.buffer.extend_from_slice(MAGIC);
        let version = if head.has_field_deadlines { VERSION_WITH_FIELD_DEADLINES } else { VERSION };
        writer.buffer.extend_from_slice(format!("{version:04}").as_bytes());
        writer.field("redis-ver", |out| {
            put_length(head.redis_version.len() as u64, out);
            out.extend_from_slice(head.redis_version.as_bytes());
        });
        let numbers = [
            ("redis-bits", 64),
            ("ctime", head.created),
            ("used-mem", head.used_memory),
            ("aof-base", head.is_aof_base.into()),
        ];
        for (name, value) in numbers {
            writer.field(name, |out| put_integer(i64::try_from(value).unwrap_or(i64::MAX), out));
        }
        Ok(writer)
    }

    fn field(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.push(opcode::AUXILIARY);
        put_length(name.len() as u64, &mut self.buffer);
        self.buffer.extend_from_slice(name.as_bytes());
        value(&mut self.buffer);
    }

    /// Begins a database.
    pub fn select(&mut self, database: usize) {
        self.buffer.push(opcode::SELECT);
        put_length(database as u64, &mut self.buffer);
    }

    /// Tells how many keys come, and how many of them with a deadline: a hint for whoever loads the file.
    pub fn sizes(&mut self, keys: usize, volatile: usize) {
        self.buffer.push(opcode::SIZES);
        put_length(keys as u64, &mut self.buffer);
        put_length(volatile as u64, &mut self.buffer);
    }

    /// Writes one key.
    ///
    /// # Errors
    /// The sink's.
    pub fn entry(
        &mut self,
        encoder: &mut Encoder,
        key: &[u8],
        value: ValueRef<'_>,
        deadline: Option<u64>,
        usage: Usage,
    ) -> Result<()> {
        encoder.entry(key, value, deadline, usage, self)
    }

    /// Writes what an [`Encoder`] made elsewhere.
    ///
    /// # Errors
    /// The sink's.
    pub fn append(&mut self, encoded: &[u8]) -> Result<()> {
        if self.buffer.len() + encoded.len() > PORTION_BYTES {
            self.flush()?;
        }
        if encoded.len() >= PORTION_BYTES {
            return self.write(encoded);
        }
        self.buffer.extend_from_slice(encoded);
        Ok(())
    }

    /// Bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// What the file is written to: to sync it in between, for example.
    pub fn sink(&mut self) -> &mut W {
        &mut self.sink
    }

    /// Ends the file. It is not synced.
    ///
    /// # Errors
    /// The sink's.
    pub fn finish(mut self) -> Result<W> {
        self.buffer.push(opcode::END);
        self.flush()?;
        let sum = self.sum.take().map_or(0, |sum| sum.value());
        self.write(&sum.to_le_bytes())?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    /// Hands the buffer over.
    fn flush(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.write(&buffer);
        buffer.clear();
        // One huge string must not be paid for until the end.
        buffer.shrink_to(4 * PORTION_BYTES);
        self.buffer = buffer;
        result
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(sum) = &mut self.sum {
            sum.update(bytes);
        }
        self.sink.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write> Sink for Writer<W> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    fn relieve(&mut self) -> Result<()> {
        if self.buffer.len() >= PORTION_BYTES { self.flush() } else { Ok(()) }
    }
}
