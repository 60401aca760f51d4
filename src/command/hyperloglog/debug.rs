//! What tests of servers ask of HyperLogLogs: PFDEBUG, PFSELFTEST.

use super::counters;
use crate::base::random::Random;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::value::hyperloglog::{self, Corrupt, REGISTERS};

/// Elements that PFSELFTEST counts.
const TESTED_ELEMENTS: u64 = 100_000;
/// Standard errors that an estimate may be off.
const ERRORS_MAX: f64 = 6.0;

/// Makes a HyperLogLog dense; false if it is.
fn make_dense(ctx: &mut Context<'_>, key: &[u8]) -> CommandResult<bool> {
    let Some(mut record) = ctx.keys.find_mut(key) else { return Ok(false) };
    if hyperloglog::is_dense(counters(&record)?) {
        return Ok(false);
    }
    record.edit_string(hyperloglog::make_dense).unwrap_or(Err(Corrupt))?;
    drop(record);
    ctx.keys.touched(key);
    Ok(true)
}

/// `PFDEBUG DECODE | ENCODING | GETREG | TODENSE key`
pub fn pfdebug(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.at(2);
    let bytes = counters(ctx.keys.peek(key).ok_or(CommandError::NoSuchHyperLogLog)?)?;
    if args.take("ENCODING") {
        ctx.reply.simple(if hyperloglog::is_dense(bytes) { "dense" } else { "sparse" });
    } else if args.take("DECODE") {
        ctx.reply.bulk(hyperloglog::runs(bytes).ok_or(CommandError::HyperLogLogNotSparse)?.as_bytes());
    } else if args.take("TODENSE") {
        let made = make_dense(ctx, key)?;
        ctx.reply.integer(made.into());
    } else if args.take("GETREG") {
        make_dense(ctx, key)?;
        let bytes = ctx.keys.peek(key).map_or(Err(CommandError::NoSuchHyperLogLog), counters)?;
        let ranks = hyperloglog::ranks(bytes)?;
        ctx.reply.array(REGISTERS);
        ranks.iter().for_each(|rank| ctx.reply.integer((*rank).into()));
    } else {
        return Err(CommandError::unknown_pfdebug(args.at(1)));
    }
    Ok(())
}

/// `PFSELFTEST`
pub fn pfselftest(ctx: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    check(ctx.random, ctx.settings.hyperloglog_sparse_bytes())?;
    ctx.reply.ok();
    Ok(())
}

/// Counts random elements in both encodings: they must agree, and be about right.
fn check(random: &Random, sparse_max: usize) -> CommandResult {
    let seed = random.next_u64();
    let (mut sparse, mut dense) = (hyperloglog::create(), hyperloglog::create());
    hyperloglog::make_dense(&mut dense)?;
    let mut checkpoint = 1;
    for number in 1..=TESTED_ELEMENTS {
        let element = (number ^ seed).to_le_bytes();
        hyperloglog::add(&mut sparse, &element, sparse_max)?;
        hyperloglog::add_dense(&mut dense, &element);
        if number != checkpoint {
            continue;
        }
        let estimate = hyperloglog::estimated_count(&dense)?;
        if estimate != hyperloglog::estimated_count(&sparse)? {
            return Err(CommandError::HyperLogLogsDisagree);
        }
        let off_max = (ERRORS_MAX * 1.04 / (REGISTERS as f64).sqrt() * number as f64).ceil();
        if estimate.abs_diff(number) as f64 > off_max {
            return Err(CommandError::HyperLogLogOff(number, estimate));
        }
        checkpoint *= 10;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_drawn_the_test_of_oneself_passes() {
        for seed in 0..8 {
            assert_eq!(check(&Random::from_seed(seed), 3000), Ok(()));
        }
    }
}
