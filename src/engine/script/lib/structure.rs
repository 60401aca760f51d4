//! `struct`: binary records, described by a format of one letter per field.
//!
//! ```text
//! b B  h H  l L T  iN IN   integers of 1, 2, 8, 8 and N bytes (4 where N is left out), signed and unsigned
//! f d                      floats of 4 and 8 bytes
//! cN s                     N bytes (c0: as many as the number before says), bytes up to a NUL
//! x > < !N blank           a byte of padding, the byte orders, the largest alignment, nothing
//! ```
//!
//! A field begins at a multiple of its size, or of the largest alignment where that is smaller; it is 1 from the start.

#[cfg(test)]
mod tests;

use super::super::value::{Arguments, Host, ScriptError, Text, Value, Values, one};
use super::{Library, number};

/// The library as scripts see it.
pub const LIBRARY: Library =
    Library { name: "struct", functions: &[("pack", pack), ("size", size), ("unpack", unpack)], constants: &[] };

/// Largest integer, in bytes.
const INTEGER_BYTES_MAX: usize = 32;
/// What `!` without a number stands for.
const ALIGNMENT_DEFAULT: usize = 8;
/// Most results that fit the stack, with what is on it.
const STACK_MAX: usize = 8_000;

/// A format that is read letter by letter; it ends at a NUL.
struct Format<'a> {
    rest: &'a [u8],
    big_endian: bool,
    alignment: usize,
}

/// A letter with the size that it has, 0 for what has none.
#[derive(Clone, Copy)]
struct Field {
    letter: u8,
    size: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a Text) -> Format<'a> {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Format { rest: &text[..end], big_endian: false, alignment: 1 }
    }

    fn field(&mut self) -> Result<Option<Field>, ScriptError> {
        let Some((&letter, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match letter {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.number(1)?,
            b'i' | b'I' => {
                let size = self.number(4)?;
                if size > INTEGER_BYTES_MAX {
                    let text = format!("integral size {size} is larger than limit of {INTEGER_BYTES_MAX}");
                    return Err(ScriptError::message(text));
                }
                size
            }
            _ => 0,
        };
        Ok(Some(Field { letter, size }))
    }

    /// The number that stands next, or `default` where none does.
    fn number(&mut self, default: usize) -> Result<usize, ScriptError> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let mut value = 0i32;
        for digit in &self.rest[..digits] {
            let next = value.checked_mul(10).and_then(|value| value.checked_add(i32::from(digit - b'0')));
            value = next.ok_or_else(|| ScriptError::message("integral size overflow"))?;
        }
        self.rest = &self.rest[digits..];
        Ok(usize::try_from(value).unwrap_or(0))
    }

    /// Bytes to skip so that a field which would begin at `at` is aligned.
    fn padding(&self, at: usize, field: Field) -> usize {
        if field.size == 0 || field.letter == b'c' {
            return 0;
        }
        let size = field.size.min(self.alignment);
        // As in C also where the size is no power of two.
        size.wrapping_sub(at & (size - 1)) & (size - 1)
    }

    /// A letter that is no field.
    fn control(&mut self, letter: u8) -> Result<(), ScriptError> {
        match letter {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let alignment = self.number(ALIGNMENT_DEFAULT)?;
                if !alignment.is_power_of_two() {
                    return Err(ScriptError::message(format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment;
            }
            other => {
                return Err(ScriptError::argument(1, [b"invalid format option '", &[other][..], b"'"].concat()));
            }
        }
        Ok(())
    }

    /// The bytes in the order that holds, from the little-endian one or back.
    fn order(&self, bytes: &mut [u8]) {
        if self.big_endian {
            bytes.reverse();
        }
    }
}

/// The memory budget is asked each time the result has grown by so many bytes.
const BYTES_PER_QUESTION: usize = 16 << 10;

fn pack(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let text = arguments.text(1)?;
    let mut format = Format::new(&text);
    let (mut out, mut at, mut asked) = (Vec::new(), 2, 0);
    while let Some(field) = format.field()? {
        out.extend(std::iter::repeat_n(0, format.padding(out.len(), field)));
        if pack_field(host, &arguments, at, &mut format, field, &mut out)? {
            at += 1;
        }
        if out.len() >= asked + BYTES_PER_QUESTION {
            asked = out.len();
            host.reserve(2 * asked)?;
        }
    }
    host.tick(text.len() as u64 / 8)?;
    host.reserve(out.len())?;
    one(Value::text(out))
}

/// Appends a field, and says whether it took the argument.
fn pack_field(
    host: &mut dyn Host,
    arguments: &Arguments<'_>,
    at: usize,
    format: &mut Format<'_>,
    field: Field,
    out: &mut Vec<u8>,
) -> Result<bool, ScriptError> {
    // Behind the last argument the original finds a nil of its own.
    let missing = |expected| ScriptError::argument(at, format!("{expected} expected, got nil"));
    let is_given = at <= arguments.0.len();
    let number = || if is_given { arguments.number(at) } else { Err(missing("number")) };
    let start = out.len();
    match field.letter {
        b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
            let value = number()?;
            let value = if value < 0.0 { number::to_i64(value) as u64 } else { number::to_u64(value) };
            let mut bytes = [0; INTEGER_BYTES_MAX];
            bytes[..8].copy_from_slice(&value.to_le_bytes());
            out.extend_from_slice(&bytes[..field.size]);
        }
        b'f' => out.extend_from_slice(&(number()? as f32).to_le_bytes()),
        b'd' => out.extend_from_slice(&number()?.to_le_bytes()),
        b'x' => {
            out.push(0);
            return Ok(false);
        }
        b'c' | b's' => {
            let text = if is_given { arguments.text(at)? } else { return Err(missing("string")) };
            let size = if field.size == 0 { text.len() } else { field.size };
            let part = text.get(..size).ok_or_else(|| ScriptError::argument(at + 1, "string too short"))?;
            host.reserve(out.len() + size)?;
            out.extend_from_slice(part);
            if field.letter == b's' {
                out.push(0);
            }
            return Ok(true);
        }
        other => {
            format.control(other)?;
            return Ok(false);
        }
    }
    format.order(&mut out[start..]);
    Ok(true)
}

fn unpack(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let (text, data) = (checked.text(1)?, checked.text(2)?);
    let from = number::to_i64(checked.number_or(3, 1.0)?);
    if from == 0 {
        return Err(ScriptError::argument(3, "offset must be 1 or greater"));
    }
    let too_short = || ScriptError::argument(2, "data string too short");
    let mut at = usize::try_from(from.saturating_sub(1)).map_err(|_| too_short())?;
    let mut format = Format::new(&text);
    let mut values = Values::new();
    while let Some(Field { letter, size }) = format.field()? {
        at = at.saturating_add(format.padding(at, Field { letter, size }));
        let rest = data.get(at..).filter(|rest| size <= rest.len()).ok_or_else(too_short)?;
        if values.len() + arguments.len() + 2 > STACK_MAX {
            return Err(ScriptError::message("stack overflow (too many results)"));
        }
        at += size;
        match letter {
            b'x' => {}
            b'c' => {
                let counted = if size == 0 { previous_size(&mut values)? } else { 0 };
                at = at.saturating_add(counted);
                values.push(Value::text(rest.get(..size + counted).ok_or_else(too_short)?));
            }
            b's' => {
                let end = rest.iter().position(|byte| *byte == 0);
                let end = end.ok_or_else(|| ScriptError::message("unfinished string in data"))?;
                at += end + 1;
                values.push(Value::text(&rest[..end]));
            }
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' | b'f' | b'd' => {
                let mut bytes = [0; INTEGER_BYTES_MAX];
                let field = &mut bytes[..size];
                field.copy_from_slice(&rest[..size]);
                format.order(field);
                values.push(Value::Number(number_of(letter, field)));
            }
            other => format.control(other)?,
        }
    }
    host.tick(text.len() as u64 / 8)?;
    values.push(Value::Number((at + 1) as f64));
    Ok(values)
}

/// The number that stands last among the results: it is taken as the size of what follows.
fn previous_size(values: &mut Values) -> Result<usize, ScriptError> {
    let size = values.last().and_then(Value::as_number);
    let size = size.ok_or_else(|| ScriptError::message("format 'c0' needs a previous size"))?;
    values.pop();
    // C's conversion: what is negative becomes larger than any data.
    Ok(usize::try_from(number::to_u64(size)).unwrap_or(usize::MAX).min(isize::MAX as usize))
}

/// The number of a field in little-endian order; of integers with more than eight bytes the lowest eight count.
fn number_of(letter: u8, field: &[u8]) -> f64 {
    let mut low = [0; 8];
    let length = field.len().min(8);
    low[..length].copy_from_slice(&field[..length]);
    let value = u64::from_le_bytes(low);
    match letter {
        b'f' => f64::from(f32::from_bits(value as u32)),
        b'd' => f64::from_bits(value),
        b'b' | b'h' | b'l' | b'i' => {
            let unused = 64 - 8 * length as u32;
            ((value << (unused & 63)) as i64 >> (unused & 63)) as f64
        }
        _ => value as f64,
    }
}

fn size(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let text = Arguments(arguments).text(1)?;
    let mut format = Format::new(&text);
    let mut sum = 0usize;
    while let Some(field) = format.field()? {
        sum += format.padding(sum, field);
        match field.letter {
            b's' => return Err(ScriptError::argument(1, "option 's' has no fixed size")),
            b'c' if field.size == 0 => return Err(ScriptError::argument(1, "option 'c0' has no fixed size")),
            letter if letter.is_ascii_alphanumeric() => {}
            other => format.control(other)?,
        }
        sum += field.size;
    }
    one(sum as f64)
}
