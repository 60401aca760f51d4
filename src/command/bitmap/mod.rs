//! Handlers of the bitmap commands: strings as vectors of bits, see [`crate::value::bits`].

mod field;
pub mod spec;
#[cfg(test)]
mod tests;

pub use field::{bitfield, bitfield_ro};

use std::borrow::Cow;
use std::ops::Range;

use crate::base::number::parse_i64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, Record, StringRef};
use crate::value::bits::{self, Operator};

/// The text of a record that holds a string.
fn text_of(record: &Record) -> CommandResult<Cow<'_, [u8]>> {
    record.string().map(StringRef::text).ok_or(CommandError::WrongType)
}

/// The place of a bit in a string of the longest length there may be.
fn bit_offset(ctx: &Context<'_>, number: Option<i64>) -> CommandResult<usize> {
    let offset = number.and_then(|number| usize::try_from(number).ok());
    offset.filter(|offset| offset / 8 < ctx.settings.string_bytes()).ok_or(CommandError::BitOffset)
}

/// Edits the string at `key`, padded to `len` bytes or made first if it must be; `edit` is told whether it was.
fn edit<R>(ctx: &mut Context<'_>, key: &[u8], len: usize, edit: impl FnOnce(&mut [u8], bool) -> R) -> CommandResult<R> {
    let known = ctx.keys.peek(key).map(text_of).transpose()?.map(|text| text.len());
    let grown = known.is_none_or(|known| known < len);
    let mut record = ctx.keys.find_or_insert(key, NewValue::Edited(b""));
    if let (false, Some(bytes)) = (grown, record.string_mut()) {
        return Ok(edit(bytes, false));
    }
    let edited = record.edit_string(|text| {
        if grown {
            text.resize(len, 0);
        }
        edit(text, grown)
    });
    edited.ok_or(CommandError::WrongType)
}

/// `SETBIT key offset value`
pub fn setbit(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, offset) = (args.next_bytes()?, parse_i64(args.next_bytes()?));
    let offset = bit_offset(ctx, offset)?;
    let on = match args.next_i64_or(CommandError::BitValue)? {
        0 => false,
        1 => true,
        _ => return Err(CommandError::BitValue),
    };
    let (at, mask) = (offset / 8, 0x80 >> (offset % 8));
    let (old, changed) = edit(ctx, key, at + 1, |bytes, grown| {
        let old = bytes[at] & mask != 0;
        bytes[at] = if on { bytes[at] | mask } else { bytes[at] & !mask };
        (old, grown || old != on)
    })?;
    if changed {
        ctx.keys.changed(EventClass::String, "setbit", key);
    }
    ctx.reply.integer(old as i64);
    Ok(())
}

/// `GETBIT key offset`
pub fn getbit(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, offset) = (args.next_bytes()?, parse_i64(args.next_bytes()?));
    let offset = bit_offset(ctx, offset)?;
    let byte = match ctx.keys.find(key) {
        Some(record) => text_of(record)?.get(offset / 8).copied().unwrap_or(0),
        None => 0,
    };
    ctx.reply.integer((byte >> (7 - offset % 8) & 1) as i64);
    Ok(())
}

/// Start and end as a command gives them, counted from the end of the string where negative.
#[derive(Clone, Copy, Debug)]
struct Section {
    start: i64,
    /// Included; the last one if it is not said.
    end: Option<i64>,
    in_bits: bool,
}

impl Section {
    /// `start end [BYTE | BIT]`, or nothing.
    fn read_closed(mut args: Args<'_>) -> CommandResult<Option<Section>> {
        match args.remaining() {
            0 => return Ok(None),
            2 | 3 => {}
            _ => return Err(CommandError::Syntax),
        }
        let (start, end) = (args.next_i64()?, args.next_i64()?);
        Ok(Some(Section { start, end: Some(end), in_bits: read_unit(args)? }))
    }

    /// `start [end [BYTE | BIT]]`, or nothing; Redis reads the unit before the end.
    fn read_open(mut args: Args<'_>) -> CommandResult<Option<Section>> {
        match args.remaining() {
            0 => return Ok(None),
            1..=3 => {}
            _ => return Err(CommandError::Syntax),
        }
        let start = args.next_i64()?;
        let mut behind = args;
        behind.skip(1);
        let in_bits = read_unit(behind)?;
        let end = if args.remaining() > 0 { Some(args.next_i64()?) } else { None };
        Ok(Some(Section { start, end, in_bits }))
    }

    /// The bits of a string of `len` bytes that are meant; may be empty.
    fn bits(self, len: usize) -> Range<usize> {
        let unit = if self.in_bits { 1 } else { 8 };
        let total = (len * 8 / unit) as i64;
        let (start, end) = (self.start, self.end.unwrap_or(total - 1));
        let from_front = |offset: i64| if offset < 0 { (offset + total).max(0) } else { offset };
        let (start, end) = (from_front(start), from_front(end).min(total - 1));
        if start > end { 0..0 } else { start as usize * unit..(end + 1) as usize * unit }
    }
}

/// Whether offsets are bits: `[BYTE | BIT]`.
fn read_unit(mut args: Args<'_>) -> CommandResult<bool> {
    let in_bits = args.take("BIT");
    if !in_bits {
        args.take("BYTE");
    }
    args.finish()?;
    Ok(in_bits)
}

/// `BITCOUNT key [start end [BYTE | BIT]]`
pub fn bitcount(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let section = Section::read_closed(args)?;
    let count = match ctx.keys.find(key) {
        None => 0,
        Some(record) => {
            let text = text_of(record)?;
            match section {
                None => bits::count(&text),
                // Where BITPOS still looks at the first bit.
                Some(Section { start, end: Some(end), .. }) if start < 0 && end < start => 0,
                Some(section) => bits::count_range(&text, section.bits(text.len())),
            }
        }
    };
    ctx.reply.count(count as usize);
    Ok(())
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
pub fn bitpos(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let bit = match args.next_i64()? {
        0 => false,
        1 => true,
        _ => return Err(CommandError::BitArgument),
    };
    let section = Section::read_open(args)?;
    let Some(record) = ctx.keys.find(key) else {
        // Zeroes without end.
        ctx.reply.integer(-(bit as i64));
        return Ok(());
    };
    let text = text_of(record)?;
    let range = section.map_or(0..text.len() * 8, |section| section.bits(text.len()));
    let position = match bits::position(&text, bit, range.clone()) {
        Some(at) => at as i64,
        // Without an end the string is followed by zeroes.
        None if !bit && !range.is_empty() && section.is_none_or(|section| section.end.is_none()) => range.end as i64,
        None => -1,
    };
    ctx.reply.integer(position);
    Ok(())
}

const OPERATORS: [(&str, Operator); 8] = [
    ("AND", Operator::And),
    ("OR", Operator::Or),
    ("XOR", Operator::Xor),
    ("NOT", Operator::Not),
    ("DIFF", Operator::Diff),
    ("DIFF1", Operator::Diff1),
    ("ANDOR", Operator::AndOr),
    ("ONE", Operator::One),
];

/// `BITOP (AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE) destkey key [key ...]`
pub fn bitop(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let Some((name, operator)) = OPERATORS.into_iter().find(|(name, _)| args.take(name)) else {
        return Err(CommandError::Syntax);
    };
    let destination = args.next_bytes()?;
    match operator {
        Operator::Not if args.remaining() != 1 => return Err(CommandError::BitopNotKeys),
        Operator::Diff | Operator::Diff1 | Operator::AndOr if args.remaining() < 2 => {
            return Err(CommandError::BitopKeys(name));
        }
        _ => {}
    }
    let keys = args.rest();
    for key in keys.clone() {
        ctx.keys.find(key).map(text_of).transpose()?;
    }
    let view = |key| ctx.keys.view(key).map_or(Ok(Cow::Borrowed(&[][..])), text_of);
    let texts = keys.map(view).collect::<CommandResult<Vec<_>>>()?;
    let result = bits::combine(operator, &texts.iter().map(|text| &text[..]).collect::<Vec<_>>());
    drop(texts);
    if !result.is_empty() {
        ctx.keys.set(destination, NewValue::Edited(&result), None);
        ctx.keys.changed(EventClass::String, "set", destination);
    } else {
        ctx.keys.delete(destination);
    }
    ctx.reply.count(result.len());
    Ok(())
}
