//! Values as MessagePack: the shortest form of integers, 32 bits for floats that fit them, lists as arrays and all other
//! tables as maps. Tables nest sixteen deep; what is deeper, and what has no form, is nil.

use super::super::super::value::{Host, ScriptError, Table, Value, Values, one};
use super::super::number;

/// From this depth on a table is packed as nil, which also ends cycles.
const NESTING_MAX: usize = 16;

pub(super) fn pack(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    if arguments.is_empty() {
        return Err(ScriptError::argument(0, "MessagePack pack needs input."));
    }
    let mut packer = Packer { host, out: Vec::new(), asked: 0 };
    for value in arguments {
        packer.value(value, 0)?;
    }
    packer.host.reserve(packer.out.len())?;
    one(Value::text(packer.out))
}

/// The memory budget is asked each time the result has grown by so many bytes.
const BYTES_PER_QUESTION: usize = 16 << 10;

struct Packer<'a> {
    host: &'a mut dyn Host,
    out: Vec<u8>,
    asked: usize,
}

impl Packer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), ScriptError> {
        self.host.tick(1)?;
        match value {
            Value::Text(text) => self.text(text)?,
            Value::Boolean(truth) => self.out.push(if *truth { 0xc3 } else { 0xc2 }),
            Value::Number(value) => self.number(*value),
            Value::Table(table) if depth < NESTING_MAX => self.table(table, depth)?,
            _ => self.out.push(0xc0),
        }
        if self.out.len() >= self.asked + BYTES_PER_QUESTION {
            self.asked = self.out.len();
            self.host.reserve(2 * self.asked)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Result<(), ScriptError> {
        self.host.reserve(self.out.len() + text.len())?;
        match text.len() {
            length @ 0..32 => self.out.push(0xa0 | length as u8),
            length @ 32..=0xff => self.out.extend_from_slice(&[0xd9, length as u8]),
            length => self.length(length, 0xda),
        }
        self.out.extend_from_slice(text);
        Ok(())
    }

    /// A length in two bytes behind `kind`, or in four behind the kind after it.
    fn length(&mut self, length: usize, kind: u8) {
        match u16::try_from(length) {
            Ok(length) => {
                self.out.push(kind);
                self.out.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                self.out.push(kind + 1);
                self.out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            }
        }
    }

    fn number(&mut self, value: f64) {
        let integer = number::to_i64(value);
        // The bounds of i64 are beside each other as doubles: 2^63 is no integer here, -2^63 is one.
        if value.is_finite() && integer as f64 == value {
            self.integer(integer);
        } else if f64::from(value as f32) == value {
            self.out.push(0xca);
            self.out.extend_from_slice(&(value as f32).to_be_bytes());
        } else {
            self.out.push(0xcb);
            self.out.extend_from_slice(&value.to_be_bytes());
        }
    }

    fn integer(&mut self, value: i64) {
        let bytes = value.to_be_bytes();
        let (kind, length) = match value {
            -32..=127 => return self.out.push(bytes[7]),
            128..=0xff => (0xcc, 1),
            0x100..=0xffff => (0xcd, 2),
            0x1_0000..=0xffff_ffff => (0xce, 4),
            0x1_0000_0000.. => (0xcf, 8),
            -0x80..-32 => (0xd0, 1),
            -0x8000..-0x80 => (0xd1, 2),
            -0x8000_0000..-0x8000 => (0xd2, 4),
            ..-0x8000_0000 => (0xd3, 8),
        };
        self.out.push(kind);
        self.out.extend_from_slice(&bytes[8 - length..]);
    }

    fn table(&mut self, table: &Table, depth: usize) -> Result<(), ScriptError> {
        let (is_list, members) = self.shape(table)?;
        if is_list {
            match members {
                0..16 => self.out.push(0x90 | members as u8),
                _ => self.length(members, 0xdc),
            }
            for at in 1..=members {
                self.value(&table.get_index(at), depth + 1)?;
            }
            return Ok(());
        }
        match members {
            0..16 => self.out.push(0x80 | members as u8),
            _ => self.length(members, 0xde),
        }
        let mut position = 0;
        while let Some((next, key, value)) = table.entry_from(position) {
            self.value(&key, depth + 1)?;
            self.value(&value, depth + 1)?;
            position = next;
        }
        Ok(())
    }

    /// Whether the keys are those from 1 to their number, and this number.
    fn shape(&mut self, table: &Table) -> Result<(bool, usize), ScriptError> {
        let (mut count, mut most, mut position, mut only_indices) = (0usize, 0.0, 0, true);
        while let Some((next, key, _)) = table.entry_from(position) {
            self.host.tick(1)?;
            count += 1;
            match key {
                Value::Number(key) if key > 0.0 && key <= f64::from(i32::MAX) && key == key.floor() => {
                    most = f64::max(most, key);
                }
                _ => only_indices = false,
            }
            position = next;
        }
        Ok((only_indices && most == count as f64, count))
    }
}
