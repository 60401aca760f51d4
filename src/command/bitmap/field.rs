//! BITFIELD: reading and writing integers of any width at any bit, several in one command.
//!
//! All operations are parsed, and the string is made long enough for all of them, before the first one runs.

use smallvec::SmallVec;

use super::{bit_offset, edit, text_of};
use crate::base::number::{parse_i64, parse_u64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::value::bits::field::{Field, Overflow};

/// What is done with a field.
#[derive(Clone, Copy, Debug)]
enum Action {
    Get,
    Set(i64),
    Add(i64),
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    field: Field,
    /// Its first bit.
    at: usize,
    action: Action,
    overflow: Overflow,
}

impl Operation {
    /// Bytes of the shortest string that holds the field.
    fn reach(&self) -> usize {
        (self.at + self.field.bits()).div_ceil(8)
    }

    /// What is written and what is replied; `None` where the number does not fit and must.
    fn outcome(&self, bytes: &[u8]) -> Option<(i64, i64)> {
        let old = self.field.get(bytes, self.at);
        match self.action {
            Action::Get => Some((old, old)),
            Action::Set(number) => self.field.take(number, self.overflow).map(|new| (new, old)),
            Action::Add(by) => self.field.add(old, by, self.overflow).map(|new| (new, new)),
        }
    }
}

type Operations = SmallVec<[Operation; 4]>;

fn read_operations(ctx: &Context<'_>, mut args: Args<'_>) -> CommandResult<Operations> {
    let mut operations = Operations::new();
    let mut overflow = Overflow::default();
    while let Some(name) = args.peek() {
        let behind = args.remaining() - 1;
        let is = |keyword: &str, values: usize| name.eq_ignore_ascii_case(keyword.as_bytes()) && behind >= values;
        let (get, set) = (is("GET", 2), is("SET", 3));
        if is("OVERFLOW", 1) {
            args.skip(1);
            overflow = read_overflow(&mut args)?;
            continue;
        }
        if !get && !set && !is("INCRBY", 3) {
            return Err(CommandError::Syntax);
        }
        args.skip(1);
        let field = read_field(args.next_bytes()?)?;
        let at = read_offset(ctx, args.next_bytes()?, field)?;
        let action = match (get, set) {
            (true, _) => Action::Get,
            (_, true) => Action::Set(args.next_i64()?),
            _ => Action::Add(args.next_i64()?),
        };
        let operation = Operation { field, at, action, overflow };
        // Redis lets the last field that begins within the longest string end behind it.
        if !get && operation.reach() > ctx.settings.string_bytes() {
            return Err(CommandError::BitOffset);
        }
        operations.push(operation);
    }
    Ok(operations)
}

fn read_overflow(args: &mut Args<'_>) -> CommandResult<Overflow> {
    let kinds = [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
    let kind = kinds.into_iter().find(|(name, _)| args.take(name));
    kind.map(|(_, kind)| kind).ok_or(CommandError::FieldOverflow)
}

/// `u8`, `i64`.
fn read_field(text: &[u8]) -> CommandResult<Field> {
    let parsed = text.split_first().and_then(|(sign, bits)| {
        let signed = match sign {
            b'i' => true,
            b'u' => false,
            _ => return None,
        };
        Field::new(signed, parse_u64(bits)?)
    });
    parsed.ok_or(CommandError::FieldType)
}

/// A bit, or behind `#` the number of a field in a row of such fields.
fn read_offset(ctx: &Context<'_>, text: &[u8], field: Field) -> CommandResult<usize> {
    let number = match text.strip_prefix(b"#") {
        Some(index) => parse_i64(index).and_then(|index| index.checked_mul(field.bits() as i64)),
        None => parse_i64(text),
    };
    bit_offset(ctx, number)
}

/// Replies what the fields hold.
fn read_only(ctx: &mut Context<'_>, key: &[u8], operations: &Operations) -> CommandResult {
    let text = match ctx.keys.find(key) {
        Some(record) => text_of(record)?,
        None => Default::default(),
    };
    ctx.reply.array(operations.len());
    operations.iter().for_each(|operation| ctx.reply.integer(operation.field.get(&text, operation.at)));
    Ok(())
}

/// `BITFIELD key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] (SET encoding offset value | INCRBY encoding offset increment) ...]`
pub fn bitfield(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let operations = read_operations(ctx, args)?;
    let writes = operations.iter().filter(|operation| !matches!(operation.action, Action::Get));
    let Some(len) = writes.map(Operation::reach).max() else { return read_only(ctx, key, &operations) };
    let (replies, changes) = edit(ctx, key, len, |bytes, grown| {
        let mut changes = 0;
        let mut replies = SmallVec::<[Option<i64>; 4]>::new();
        for operation in &operations {
            let outcome = operation.outcome(bytes);
            replies.push(outcome.map(|(_, reply)| reply));
            if let (Some((new, _)), Action::Set(_) | Action::Add(_)) = (outcome, operation.action) {
                changes += usize::from(grown || new != operation.field.get(bytes, operation.at));
                operation.field.set(bytes, operation.at, new);
            }
        }
        (replies, changes.max(usize::from(grown)))
    })?;
    if changes > 0 {
        ctx.keys.changed_by(changes, EventClass::String, "setbit", key);
    }
    ctx.reply.array(replies.len());
    for reply in replies {
        match reply {
            Some(number) => ctx.reply.integer(number),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

/// `BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]`
pub fn bitfield_ro(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let operations = read_operations(ctx, args)?;
    if operations.iter().any(|operation| !matches!(operation.action, Action::Get)) {
        return Err(CommandError::FieldReadOnly);
    }
    read_only(ctx, key, &operations)
}
