//! Keys by the database: KEYS, RANDOMKEY, SCAN. They hold every shard.

use crate::base::glob::Glob;
use crate::base::limits::SHARDS;
use crate::command::scan::{self, ScanOptions};
use crate::command::{Args, Context};
use crate::protocol::error::CommandResult;

/// Bits of a cursor that say where in a shard a walk stands; the shard's number is above them.
const POSITION_BITS: u32 = 36;
/// How a cursor gives a position in a shard's table.
const POSITION_SHIFT: u32 = 64 - POSITION_BITS;
const _: () = assert!(SHARDS <= 1 << (46 - POSITION_BITS), "a script's `tostring` keeps fourteen digits of a cursor");

/// `KEYS pattern`
pub fn keys(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let pattern = Glob::new(args.next_bytes()?);
    let everything = pattern.is_everything();
    let (mark, mut count) = (ctx.reply.deferred_array(), 0);
    let reply = &mut ctx.reply;
    ctx.keys.each_record(|record| {
        if everything || pattern.matches(record.key()) {
            reply.bulk(record.key());
            count += 1;
        }
    });
    reply.finish_array(mark, count);
    Ok(())
}

/// `RANDOMKEY`
pub fn randomkey(ctx: &mut Context<'_>, _: Args<'_>) -> CommandResult {
    let key = ctx.keys.random_key(ctx.random);
    ctx.reply.bulk_or_null(key.as_deref());
    Ok(())
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub fn scan(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let cursor = scan::read_cursor(&mut args)?;
    let options = ScanOptions::read_with_type(args)?;
    let Context { keys, reply, .. } = ctx;
    scan::walk(reply, cursor, &options, |cursor, page| {
        let shard = usize::try_from(cursor >> POSITION_BITS).ok().filter(|shard| *shard < SHARDS)?;
        let next = keys.scan((shard, cursor << POSITION_SHIFT), |record| {
            let wanted = |name: &[u8]| record.value_type().name().as_bytes().eq_ignore_ascii_case(name);
            if page.meets(record.key()) && options.type_name.is_none_or(wanted) {
                page.put(record.key());
            }
        });
        // Where buckets are narrower than a cursor's positions, the walk goes on all the same.
        next.map(|(shard, position)| ((shard as u64) << POSITION_BITS | position >> POSITION_SHIFT).max(cursor + 1))
    });
    Ok(())
}
