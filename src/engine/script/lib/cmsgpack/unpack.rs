//! MessagePack as values. Tables that are being read stand on a list, not on the call stack, and what a length claims
//! is believed element by element only.

use super::super::super::value::{Arguments, Host, ScriptError, Table, Value, Values};
use super::super::{number, set};

/// Most values of one call, and half of it the deepest nesting: what real servers have a stack for.
const VALUES_MAX: usize = 7_999;
const NESTING_MAX: usize = 4_000;
/// The memory budget is asked each time so many values have been read.
const VALUES_PER_QUESTION: u64 = 256;

/// All values.
pub(super) fn unpack(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    run(host, arguments, 0, 0)
}

/// One value from an offset on, behind the offset of the next one.
pub(super) fn unpack_one(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let offset = Arguments(arguments).number_or(2, 0.0)?;
    run(host, arguments, 1, number::to_i64(offset))
}

/// So many values from an offset on, behind the offset of the next one.
pub(super) fn unpack_limit(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let limit = number::to_i64(checked.number(2)?);
    let offset = checked.number_or(3, 0.0)?;
    run(host, arguments, limit, number::to_i64(offset))
}

/// With neither a limit nor an offset everything is read, and no offset returned.
fn run(host: &mut dyn Host, arguments: &[Value], limit: i64, offset: i64) -> Result<Values, ScriptError> {
    let text = Arguments(arguments).text(1)?;
    let length = text.len();
    let all = limit == 0 && offset == 0;
    let (Ok(count_max), Ok(start)) = (usize::try_from(limit), usize::try_from(offset)) else {
        let text = format!("Invalid request to unpack with offset of {offset} and limit of {length}.");
        return Err(ScriptError::message(text));
    };
    let Some(rest) = text.get(start..) else {
        return Err(ScriptError::message(format!("Start offset {start} greater than input length {length}.")));
    };
    let count_max = if all { usize::MAX } else { count_max };
    let mut reader = Reader { rest, values: 0 };
    let mut values = Values::new();
    if !all {
        values.push(Value::Nil);
    }
    let mut count = 0;
    while !reader.rest.is_empty() && count < count_max {
        if count >= VALUES_MAX {
            return Err(ScriptError::message(
                "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)",
            ));
        }
        values.push(reader.value(host)?);
        count += 1;
    }
    if !all {
        // No offset is left when everything has been read.
        let next = if reader.rest.is_empty() { -1.0 } else { (length - reader.rest.len()) as f64 };
        values[0] = Value::Number(next);
    }
    Ok(values)
}

/// A table of which not all members are read.
struct Open {
    table: Table,
    /// Members that are missing.
    missing: u32,
    next: NextMember,
}

enum NextMember {
    /// An array's next element.
    Element(usize),
    /// A map's next key.
    Key,
    /// The value of this key.
    Value(Value),
}

/// What a type byte begins.
enum Item {
    Value(Value),
    Array(u32),
    Map(u32),
}

struct Reader<'a> {
    rest: &'a [u8],
    values: u64,
}

impl Reader<'_> {
    fn value(&mut self, host: &mut dyn Host) -> Result<Value, ScriptError> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.values += 1;
            if self.values.is_multiple_of(VALUES_PER_QUESTION) {
                host.tick(VALUES_PER_QUESTION)?;
                host.reserve(0)?;
            }
            let mut done = match self.item()? {
                Item::Value(value) => value,
                Item::Array(0) | Item::Map(0) => host.keep(Table::new()),
                Item::Array(_) | Item::Map(_) if open.len() >= NESTING_MAX => {
                    return Err(ScriptError::message("stack overflow (in function mp_decode_to_lua_array)"));
                }
                Item::Array(missing) => {
                    open.push(Open { table: Table::new(), missing, next: NextMember::Element(1) });
                    continue;
                }
                Item::Map(missing) => {
                    open.push(Open { table: Table::new(), missing, next: NextMember::Key });
                    continue;
                }
            };
            loop {
                let Some(mut innermost) = open.pop() else { return Ok(done) };
                innermost.add(done)?;
                if innermost.missing > 0 {
                    open.push(innermost);
                    break;
                }
                done = host.keep(innermost.table);
            }
        }
    }

    fn item(&mut self) -> Result<Item, ScriptError> {
        let kind = self.array::<1>()?[0];
        let number = match kind {
            0..=0x7f => f64::from(kind),
            0xe0..=0xff => f64::from(kind as i8),
            0x80..=0x8f => return Ok(Item::Map(u32::from(kind & 0xf))),
            0x90..=0x9f => return Ok(Item::Array(u32::from(kind & 0xf))),
            0xa0..=0xbf => return self.text(usize::from(kind & 0x1f)),
            0xc0 => return Ok(Item::Value(Value::Nil)),
            0xc2 | 0xc3 => return Ok(Item::Value(Value::Boolean(kind == 0xc3))),
            0xca => f64::from(f32::from_be_bytes(self.array()?)),
            0xcb => f64::from_be_bytes(self.array()?),
            0xcc => f64::from(u8::from_be_bytes(self.array()?)),
            0xcd => f64::from(u16::from_be_bytes(self.array()?)),
            0xce => f64::from(u32::from_be_bytes(self.array()?)),
            // Of 64 bits without a sign Lua 5.1 makes an integer with one.
            0xcf | 0xd3 => i64::from_be_bytes(self.array()?) as f64,
            0xd0 => f64::from(i8::from_be_bytes(self.array()?)),
            0xd1 => f64::from(i16::from_be_bytes(self.array()?)),
            0xd2 => f64::from(i32::from_be_bytes(self.array()?)),
            0xd9 => {
                let length = usize::from(u8::from_be_bytes(self.array()?));
                return self.text(length);
            }
            0xda => {
                let length = usize::from(u16::from_be_bytes(self.array()?));
                return self.text(length);
            }
            0xdb => {
                let length = u32::from_be_bytes(self.array()?) as usize;
                return self.text(length);
            }
            0xdc => return Ok(Item::Array(u32::from(u16::from_be_bytes(self.array()?)))),
            0xdd => return Ok(Item::Array(u32::from_be_bytes(self.array()?))),
            0xde => return Ok(Item::Map(u32::from(u16::from_be_bytes(self.array()?)))),
            0xdf => return Ok(Item::Map(u32::from_be_bytes(self.array()?))),
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(ScriptError::message("Bad data format in input.")),
        };
        Ok(Item::Value(Value::Number(number)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ScriptError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(missing_bytes)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn text(&mut self, length: usize) -> Result<Item, ScriptError> {
        let (text, rest) = self.rest.split_at_checked(length).ok_or_else(missing_bytes)?;
        self.rest = rest;
        Ok(Item::Value(Value::text(text)))
    }
}

impl Open {
    fn add(&mut self, value: Value) -> Result<(), ScriptError> {
        self.next = match std::mem::replace(&mut self.next, NextMember::Key) {
            NextMember::Element(at) => {
                self.table.set_index(at, value);
                self.missing -= 1;
                NextMember::Element(at + 1)
            }
            NextMember::Key => NextMember::Value(value),
            NextMember::Value(key) => {
                set(&self.table, key, value)?;
                self.missing -= 1;
                NextMember::Key
            }
        };
        Ok(())
    }
}

fn missing_bytes() -> ScriptError {
    ScriptError::message("Missing bytes in input.")
}
