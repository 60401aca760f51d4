//! A value as JSON. Tables that are being written stand on a list, not on the call stack.

use super::super::super::value::{Host, ScriptError, Table, Value, Values, one};
use super::super::number;
use super::{InvalidNumbers, NESTING_MAX, Settings, only_argument};

/// The memory budget is asked each time the text has grown by so many bytes.
const BYTES_PER_QUESTION: usize = 16 << 10;
/// A step of the script's budget is worth so many bytes of a text.
const BYTES_PER_STEP: usize = 64;

pub(super) fn encode(host: &mut dyn Host, settings: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    let value = only_argument(arguments)?;
    let mut encoder = Encoder { settings, out: Vec::new(), open: Vec::new() };
    encoder.value(host, value)?;
    let mut asked = 0;
    while encoder.member(host)? {
        host.tick(1)?;
        if encoder.out.len() >= asked + BYTES_PER_QUESTION {
            asked = encoder.out.len();
            host.reserve(2 * asked)?;
        }
    }
    host.reserve(encoder.out.len())?;
    one(Value::text(encoder.out))
}

/// A table of which not all members are written.
enum Open {
    Array { table: Table, length: usize, written: usize },
    Object { table: Table, position: usize },
}

struct Encoder<'a> {
    settings: &'a Settings,
    out: Vec<u8>,
    open: Vec<Open>,
}

fn failure(value: &Value, reason: &str) -> ScriptError {
    ScriptError::message(format!("Cannot serialise {}: {reason}", value.type_name()))
}

impl Encoder<'_> {
    /// Writes a value, of a table no more than the opening bracket.
    fn value(&mut self, host: &mut dyn Host, value: &Value) -> Result<(), ScriptError> {
        match value {
            Value::Nil | Value::Null => self.out.extend_from_slice(b"null"),
            Value::Boolean(truth) => self.out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Value::Number(number) => self.number(*number)?,
            Value::Text(text) => {
                self.text(host, text)?;
            }
            Value::Table(table) => self.table(host, table, value)?,
            _ => return Err(failure(value, "type not supported")),
        }
        Ok(())
    }

    fn table(&mut self, host: &mut dyn Host, table: &Table, value: &Value) -> Result<(), ScriptError> {
        let depth = self.open.len() as i32 + 1;
        if depth > self.settings.encode_depth_max.min(NESTING_MAX) {
            return Err(ScriptError::message(format!("Cannot serialise, excessive nesting ({depth})")));
        }
        let length = self.array_length(host, table, value)?;
        let table = table.clone();
        self.open.push(if length > 0 {
            self.out.push(b'[');
            Open::Array { table, length, written: 0 }
        } else {
            self.out.push(b'{');
            Open::Object { table, position: 0 }
        });
        Ok(())
    }

    /// Writes the next member of the innermost table, or closes it; false when none is open.
    fn member(&mut self, host: &mut dyn Host) -> Result<bool, ScriptError> {
        match self.open.last_mut() {
            None => return Ok(false),
            Some(Open::Array { table, length, written }) if *written < *length => {
                if *written > 0 {
                    self.out.push(b',');
                }
                *written += 1;
                let value = table.get_index(*written);
                self.value(host, &value)?;
            }
            Some(Open::Array { .. }) => {
                self.out.push(b']');
                self.open.pop();
            }
            Some(Open::Object { table, position }) => match table.entry_from(*position) {
                None => {
                    self.out.push(b'}');
                    self.open.pop();
                }
                Some((next, key, value)) => {
                    if *position > 0 {
                        self.out.push(b',');
                    }
                    *position = next;
                    self.key(host, &key)?;
                    self.value(host, &value)?;
                }
            },
        }
        Ok(true)
    }

    fn key(&mut self, host: &mut dyn Host, key: &Value) -> Result<(), ScriptError> {
        match key {
            Value::Number(number) => {
                self.out.push(b'"');
                self.number(*number)?;
                self.out.push(b'"');
            }
            Value::Text(text) => {
                self.text(host, text)?;
            }
            _ => return Err(failure(key, "table key must be a number or string")),
        }
        self.out.push(b':');
        Ok(())
    }

    /// The length as an array, 0 for an object: all keys are positive integers, and not too many are missing.
    fn array_length(&self, host: &mut dyn Host, table: &Table, value: &Value) -> Result<usize, ScriptError> {
        let (mut most, mut items, mut position) = (0i32, 0i64, 0);
        while let Some((next, key, _)) = table.entry_from(position) {
            host.tick(1)?;
            match key {
                Value::Number(key) if key >= 1.0 && key == key.floor() => {
                    if key > f64::from(most) {
                        // C's conversion: what is too large turns negative, and makes an object.
                        most = if key <= f64::from(i32::MAX) { key as i32 } else { i32::MIN };
                    }
                    items += 1;
                }
                _ => return Ok(0),
            }
            position = next;
        }
        let (ratio, safe) = (i64::from(self.settings.sparse_ratio), self.settings.sparse_safe);
        if ratio > 0 && i64::from(most) > items * ratio && most > safe {
            if !self.settings.sparse_convert {
                return Err(failure(value, "excessively sparse array"));
            }
            return Ok(0);
        }
        Ok(usize::try_from(most).unwrap_or(0))
    }

    fn number(&mut self, value: f64) -> Result<(), ScriptError> {
        if value.is_finite() {
            number::write_digits(value, self.settings.precision as usize, &mut self.out);
            return Ok(());
        }
        self.out.extend_from_slice(match self.settings.encode_invalid {
            InvalidNumbers::Refused => return Err(failure(&Value::Number(value), "must not be NaN or Inf")),
            InvalidNumbers::Null => b"null",
            InvalidNumbers::Taken if value.is_nan() => b"nan",
            InvalidNumbers::Taken if value > 0.0 => b"inf",
            InvalidNumbers::Taken => b"-inf",
        });
        Ok(())
    }

    /// Writes a text piece by piece, each of which is paid for before: a byte may become six.
    fn text(&mut self, host: &mut dyn Host, text: &[u8]) -> Result<(), ScriptError> {
        self.out.push(b'"');
        for piece in text.chunks(BYTES_PER_QUESTION) {
            host.tick((piece.len() / BYTES_PER_STEP) as u64)?;
            host.reserve(self.out.len() + piece.len())?;
            self.piece(piece);
        }
        self.out.push(b'"');
        Ok(())
    }

    fn piece(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
            self.out.extend_from_slice(&rest[..at]);
            self.escape(rest[at]);
            rest = &rest[at + 1..];
        }
        self.out.extend_from_slice(rest);
    }

    fn escape(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' | b'/' => byte,
            8 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            12 => b'f',
            b'\r' => b'r',
            _ => {
                let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
                self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                return;
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }
}

fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..32 | b'"' | b'\\' | b'/' | 127)
}
