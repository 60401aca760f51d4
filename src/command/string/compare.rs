//! Values compared before they are overwritten or deleted: the conditions of SET and DELEX, DELIFEQ, DIGEST.
//!
//! What a client has read it gives back, as it was or as a digest, and something happens only if that is still there:
//! the check of a lock's token and its release are one command. The digest is XXH3 with 64 bits, in hexadecimal.

use xxhash_rust::xxh3::xxh3_64;

use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::record::{Record, StringRef};

/// Digits of a digest.
const DIGEST_DIGITS: usize = 16;

/// The digest of a value, in hexadecimal digits.
fn digest_of(value: StringRef<'_>) -> String {
    format!("{:016x}", xxh3_64(&value.text()))
}

/// A condition on the value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test<'a> {
    operand: &'a [u8],
    is_digest: bool,
    /// Whether it must be equal, and so be there.
    equal: bool,
}

impl<'a> Test<'a> {
    /// Takes one of the four conditions with its operand.
    ///
    /// # Errors
    /// When a digest has not as many digits as digests have.
    pub fn take(args: &mut Args<'a>) -> CommandResult<Option<Test<'a>>> {
        for (keyword, is_digest, equal) in
            [("IFEQ", false, true), ("IFNE", false, false), ("IFDEQ", true, true), ("IFDNE", true, false)]
        {
            if args.take_with_value(keyword) {
                let operand = args.next_bytes()?;
                if is_digest && (operand.len() != DIGEST_DIGITS || !operand.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(CommandError::InvalidDigest);
                }
                return Ok(Some(Test { operand, is_digest, equal }));
            }
        }
        Ok(None)
    }

    /// Whether the condition is met by what is there, if anything.
    ///
    /// # Errors
    /// When the key holds another type.
    pub fn holds(&self, record: Option<&Record>) -> CommandResult<bool> {
        let Some(record) = record else { return Ok(!self.equal) };
        let value = record.string().ok_or(CommandError::WrongType)?;
        let is_equal = match self.is_digest {
            true => digest_of(value).as_bytes().eq_ignore_ascii_case(self.operand),
            false => *value.text() == *self.operand,
        };
        Ok(is_equal == self.equal)
    }
}

/// Deletes a key that exists, and replies that one was.
fn delete(ctx: &mut Context<'_>, key: &[u8]) {
    ctx.keys.delete_as_such(key);
    ctx.reply.integer(1);
}

/// `DELIFEQ key value`
pub fn delifeq(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, operand) = (args.next_bytes()?, args.next_bytes()?);
    let test = Test { operand, is_digest: false, equal: true };
    match test.holds(ctx.keys.peek(key))? {
        true => delete(ctx, key),
        false => ctx.reply.integer(0),
    }
    Ok(())
}

/// `DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]`
pub fn delex(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let test = match args.remaining() {
        0 => None,
        2 => Some(Test::take(&mut args)?.ok_or(CommandError::InvalidCondition)?),
        _ => return Err(CommandError::wrong_arity("delex")),
    };
    let met = match (ctx.keys.peek(key), test) {
        (None, _) => false,
        (Some(_), None) => true,
        (record, Some(test)) => test.holds(record).map_err(|_| CommandError::ConditionOnOtherType)?,
    };
    match met {
        true => delete(ctx, key),
        false => ctx.reply.integer(0),
    }
    Ok(())
}

/// `DIGEST key`
pub fn digest(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    match ctx.keys.find(args.next_bytes()?) {
        Some(record) => {
            let digest = digest_of(record.string().ok_or(CommandError::WrongType)?);
            ctx.reply.bulk(digest.as_bytes());
        }
        None => ctx.reply.null(),
    }
    Ok(())
}
