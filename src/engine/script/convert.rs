//! Between replies and values: what a command answers becomes a value of the script, and what a script returns becomes
//! a reply.

use super::value::{Table, Text, Value, live_bytes};
use crate::base::limits::SCRIPT_BYTES_MAX;
use crate::base::number::{format_i64, parse_i64};
use crate::protocol::error::scripting;
use crate::protocol::reply::{Protocol, Reply};

/// What marks an error that has been counted.
const COUNTED: &[u8] = b"ignore_error_stats_update";
/// Levels of tables that a reply may have.
const DEPTH_MAX: usize = 1000;

/// A number as an argument of a command: an integer where it is one, else `%.17g`.
pub fn command_number(number: f64) -> Vec<u8> {
    const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        return format_i64(number as i64).to_vec();
    }
    let mut out = Vec::new();
    super::lib::number::write_digits(number, 17, &mut out);
    out
}

/// A reply as a value; an error is a table of its own. Each table is shown to `keep`. Nothing more is read once the
/// thread's values take more than `bytes_max`: the caller has to look.
pub fn to_value(reply: &[u8], bytes_max: usize, keep: &mut dyn FnMut(&Table)) -> Result<Value, Table> {
    if let [b'-', text @ ..] = reply {
        return Err(reply_error(text.strip_suffix(b"\r\n").unwrap_or(text)));
    }
    Ok(Reader { rest: reply, bytes_max, keep }.value())
}

/// `{err = text, ignore_error_stats_update = true}`
pub fn reply_error(text: &[u8]) -> Table {
    let table = Table::with_capacity(0, 2);
    table.set_text(b"err", Value::text(text));
    table.set_text(COUNTED, Value::Boolean(true));
    table
}

struct Reader<'r, 'k> {
    rest: &'r [u8],
    bytes_max: usize,
    keep: &'k mut dyn FnMut(&Table),
}

impl<'r> Reader<'r, '_> {
    fn line(&mut self) -> &'r [u8] {
        let end = self.rest.windows(2).position(|pair| pair == b"\r\n").unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 2..).unwrap_or_default();
        line
    }

    fn bytes(&mut self, count: usize) -> &'r [u8] {
        let count = count.min(self.rest.len());
        let bytes = &self.rest[..count];
        self.rest = self.rest.get(count + 2..).unwrap_or_default();
        bytes
    }

    /// A table with one field.
    fn field(&mut self, name: &[u8], value: Value) -> Value {
        let table = Table::with_capacity(0, 1);
        table.set_text(name, value);
        (self.keep)(&table);
        Value::Table(table)
    }

    fn value(&mut self) -> Value {
        let Some((kind, rest)) = self.rest.split_first() else { return Value::Nil };
        self.rest = rest;
        let line = self.line();
        if *kind == b'|' {
            // What is said of the reply behind it.
            for _ in 0..2 * parse_i64(line).unwrap_or_default() {
                self.value();
            }
            return self.value();
        }
        match kind {
            b'+' => self.field(b"ok", Value::text(line)),
            b'-' => {
                let table = reply_error(line);
                (self.keep)(&table);
                Value::Table(table)
            }
            b':' => Value::Number(parse_i64(line).unwrap_or_default() as f64),
            b'$' | b'*' | b'~' | b'%' | b'=' | b'>' => match usize::try_from(parse_i64(line).unwrap_or(-1)) {
                Ok(count) => self.sized(*kind, count),
                Err(_) => Value::Boolean(false),
            },
            b'#' => Value::Boolean(line == b"t"),
            b',' => {
                let number = super::lib::number::parse(line).unwrap_or_else(|| infinity(line));
                self.field(b"double", Value::Number(number))
            }
            b'(' => self.field(b"big_number", Value::text(line)),
            _ => Value::Nil,
        }
    }

    fn sized(&mut self, kind: u8, count: usize) -> Value {
        match kind {
            b'$' => Value::text(self.bytes(count)),
            b'=' => {
                let bytes = self.bytes(count);
                let table = Table::new();
                table.set_text(b"format", Value::text(bytes.get(..3).unwrap_or_default()));
                table.set_text(b"string", Value::text(bytes.get(4..).unwrap_or_default()));
                (self.keep)(&table);
                self.field(b"verbatim_string", Value::Table(table))
            }
            b'%' => {
                let table = Table::new();
                (self.keep)(&table);
                for _ in 0..count {
                    let key = self.value();
                    let value = self.value();
                    let _ = table.set(key, value);
                }
                self.field(b"map", Value::Table(table))
            }
            b'~' => {
                let table = Table::new();
                (self.keep)(&table);
                for _ in 0..count {
                    let key = self.value();
                    let _ = table.set(key, Value::Boolean(true));
                }
                self.field(b"set", Value::Table(table))
            }
            _ => {
                let room = count.saturating_mul(size_of::<Value>());
                if live_bytes().saturating_add(room) > self.bytes_max {
                    self.rest = &[];
                    return Value::Nil;
                }
                let mut values = Vec::with_capacity(count);
                for _ in 0..count {
                    if live_bytes().saturating_add(room) > self.bytes_max {
                        self.rest = &[];
                        break;
                    }
                    values.push(self.value());
                }
                let table = Table::from_list(values);
                (self.keep)(&table);
                Value::Table(table)
            }
        }
    }
}

fn infinity(text: &[u8]) -> f64 {
    match text {
        b"inf" => f64::INFINITY,
        b"-inf" => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

/// Writes what a script returned; false where that would be longer than `bytes_max`. A table may be part of many others, so that what
/// takes little room for the script can take any amount as a reply.
/// Truths are those of the protocol that the script chose. Errors within it are told to `on_error`, and whether they
/// have been counted.
#[must_use]
pub fn write_reply(value: &Value, reply: &mut Reply, protocol: Protocol, on_error: &mut OnError<'_>) -> bool {
    let end = reply.len().saturating_add(SCRIPT_BYTES_MAX);
    write_level(value, &mut Room { reply, end, protocol, on_error }, 0);
    reply.len() <= end
}

/// The text of an error, if a value is one, and whether it has been counted.
pub fn as_error(value: &Value) -> Option<(Text, bool)> {
    let Value::Table(table) = value else { return None };
    let Value::Text(text) = table.get_text(b"err") else { return None };
    Some((Text::new(until_nul(&text)), table.get_text(COUNTED).is_true()))
}

/// What is told of an error: its text, and whether it has been counted.
type OnError<'a> = dyn FnMut(&[u8], bool) + 'a;

/// A reply, and how long it may become.
struct Room<'r> {
    reply: &'r mut Reply,
    end: usize,
    protocol: Protocol,
    on_error: &'r mut OnError<'r>,
}

impl Room<'_> {
    fn is_full(&self) -> bool {
        self.reply.len() > self.end
    }
}

fn write_level(value: &Value, room: &mut Room<'_>, depth: usize) {
    let reply = &mut *room.reply;
    if depth > DEPTH_MAX {
        write_error(scripting::STACK_LIMIT, reply);
        return;
    }
    match value {
        Value::Text(text) => reply.bulk(text),
        Value::Number(number) => reply.integer(super::lib::number::to_i64(*number)),
        Value::Boolean(truth) if room.protocol == Protocol::Resp3 => reply.boolean(*truth),
        Value::Boolean(true) => reply.integer(1),
        Value::Table(table) => write_table(table, room, depth),
        _ => reply.null(),
    }
}

/// A table is an error, a status, one of the kinds of RESP3, or a list that ends at its first nil.
fn write_table(table: &Table, room: &mut Room<'_>, depth: usize) {
    let reply = &mut *room.reply;
    if let Value::Text(text) = table.get_text(b"err") {
        (room.on_error)(&text, table.get_text(COUNTED).is_true());
        return write_error(until_nul(&text), reply);
    }
    if let Value::Text(text) = table.get_text(b"ok") {
        let line: Vec<u8> = one_line(until_nul(&text));
        reply.raw(&[b"+", &line[..], b"\r\n"].concat());
        return;
    }
    if let Value::Number(number) = table.get_text(b"double") {
        return reply.double(number);
    }
    if let Value::Table(map) = table.get_text(b"map") {
        let entries = entries(&map);
        reply.map(entries.len());
        for (key, value) in entries {
            write_level(&key, room, depth + 1);
            write_level(&value, room, depth + 1);
            if room.is_full() {
                return;
            }
        }
        return;
    }
    if let Value::Table(set) = table.get_text(b"set") {
        let entries = entries(&set);
        reply.set(entries.len());
        for (key, _) in entries {
            write_level(&key, room, depth + 1);
            if room.is_full() {
                return;
            }
        }
        return;
    }
    if let Value::Text(digits) = table.get_text(b"big_number") {
        return reply.big_number(&one_line(&digits));
    }
    if let Value::Table(verbatim) = table.get_text(b"verbatim_string")
        && let (Value::Text(format), Value::Text(text)) = (verbatim.get_text(b"format"), verbatim.get_text(b"string"))
    {
        let format: String = format.iter().map(|byte| char::from(byte & 0x7F)).chain("   ".chars()).take(3).collect();
        return reply.verbatim(&format, &text);
    }
    let mark = reply.deferred_array();
    let mut count = 0;
    loop {
        let value = table.get_index(count + 1);
        if value.is_nil() || room.is_full() {
            break;
        }
        count += 1;
        write_level(&value, room, depth + 1);
    }
    room.reply.finish_array(mark, count);
}

fn entries(table: &Table) -> Vec<(Value, Value)> {
    let mut entries = Vec::new();
    let mut position = 0;
    while let Some((next, key, value)) = table.entry_from(position) {
        entries.push((key, value));
        position = next;
    }
    entries
}

/// What C takes for the whole of a text.
pub fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Without what would end the line.
pub fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

/// An error as a reply.
pub fn write_error(text: &[u8], reply: &mut Reply) {
    reply.raw(&[b"-", &one_line(text)[..], b"\r\n"].concat());
}
