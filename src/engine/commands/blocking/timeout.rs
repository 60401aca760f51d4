//! Timeouts as arguments, in seconds or milliseconds, and when they are over.

use crate::base::long_double::LongDouble;
use crate::base::number::{parse_f64, parse_f64_lenient};
use crate::command::Args;
use crate::protocol::error::{CommandError, CommandResult};

/// The next argument as a timeout in seconds; see [`deadline_of`].
///
/// # Errors
/// As there.
pub fn next_deadline(args: &mut Args<'_>, now_ms: u64) -> CommandResult<Option<u64>> {
    deadline_of(args.next_bytes()?, now_ms)
}

/// When a timeout in seconds that begins now is over, Unix time in ms; `None` for a timeout of 0, which is never.
///
/// # Errors
/// When it is no number, negative, or beyond what 64 bits of milliseconds can say.
pub fn deadline_of(timeout: &[u8], now_ms: u64) -> CommandResult<Option<u64>> {
    // Redis reads it as a long double: what only that can hold is a number, and out of range.
    let beyond_f64 = || LongDouble::parse(timeout).and_then(|_| parse_f64_lenient(timeout));
    let seconds = parse_f64(timeout).or_else(beyond_f64).ok_or(CommandError::TimeoutNotFloat)?;
    let ms = (seconds * 1000.0).ceil();
    // The first double beyond what fits.
    if ms >= i64::MAX as f64 {
        return Err(CommandError::TimeoutOutOfRange);
    }
    if ms < 0.0 {
        return Err(CommandError::TimeoutNegative);
    }
    after(ms as u64, now_ms)
}

/// The next argument as a timeout in milliseconds: when it is over, as [`deadline_of`] says it.
///
/// # Errors
/// When it is no integer, negative, or beyond what 64 bits of milliseconds can say.
pub fn next_deadline_of_ms(args: &mut Args<'_>, now_ms: u64) -> CommandResult<Option<u64>> {
    let ms = args.next_i64_or(CommandError::TimeoutNotInteger)?;
    after(u64::try_from(ms).map_err(|_| CommandError::TimeoutNegative)?, now_ms)
}

fn after(ms: u64, now_ms: u64) -> CommandResult<Option<u64>> {
    if ms == 0 {
        return Ok(None);
    }
    let deadline_ms = ms.saturating_add(now_ms);
    if i64::try_from(deadline_ms).is_err() {
        return Err(CommandError::TimeoutOutOfRange);
    }
    Ok(Some(deadline_ms))
}
