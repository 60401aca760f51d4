//! Values as bytes that another server takes: DUMP, RESTORE.

use crate::base::number::format_i64;
use crate::command::{Args, Context};
use crate::persist::rdb::dump::{self, DumpError, Payload};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::eviction;
use crate::store::keys::AccessPolicy;
use crate::store::record::Record;

/// `DUMP key`
pub fn dump(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let compresses = ctx.settings.compresses();
    let payload = ctx.keys.find(args.next_bytes()?).map(|record| dump::dump(record.view(), compresses));
    ctx.reply.bulk_or_null(payload.as_deref());
    Ok(())
}

/// The options of RESTORE.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_seconds: Option<u64>,
    frequency: Option<u8>,
}

impl Options {
    fn read(mut args: Args<'_>) -> CommandResult<Options> {
        let mut options = Options::default();
        while args.remaining() > 0 {
            if args.take("REPLACE") {
                options.replace = true;
            } else if args.take("ABSTTL") {
                options.absolute = true;
            } else if options.frequency.is_none() && args.take_with_value("IDLETIME") {
                let seconds = u64::try_from(args.next_i64()?).map_err(|_| CommandError::RestoreIdleTime)?;
                options.idle_seconds = Some(seconds);
            } else if options.idle_seconds.is_none() && args.take_with_value("FREQ") {
                let counter = u8::try_from(args.next_i64()?).map_err(|_| CommandError::RestoreFrequency)?;
                options.frequency = Some(counter);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }

    /// What a record with these options shows of its last use; `None` where they say nothing that counts.
    fn access(&self, policy: AccessPolicy, now_ms: u64) -> Option<u16> {
        match policy {
            AccessPolicy::Frequency { .. } => {
                self.frequency.map(|counter| eviction::frequency_of_counter(counter, now_ms))
            }
            _ => self.idle_seconds.map(|seconds| eviction::recency_of_idle(seconds, now_ms)),
        }
    }
}

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub fn restore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let words = args.rest();
    let (key, mut ttl, payload) = (args.next_bytes()?, args, args.at(3));
    args.skip(2);
    let options = Options::read(args)?;
    if !options.replace && ctx.keys.exists(key) {
        return Err(CommandError::BusyKey);
    }
    let ttl = ttl.next_i64()?;
    if ttl < 0 {
        return Err(CommandError::RestoreTtl);
    }
    let payload = Payload::read(payload, ctx.settings.values(), ctx.keys.keyspace().basis().clone());
    let payload = payload.map_err(|error| match error {
        DumpError::Footer => CommandError::DumpChecksum,
        DumpError::Value => CommandError::DumpFormat,
    })?;
    // A sum beyond 64 bits wraps around in Redis, and is long over then.
    let now = i64::try_from(ctx.keys.now_ms).unwrap_or(i64::MAX);
    let at = if ttl == 0 || options.absolute { ttl } else { now.wrapping_add(ttl) };
    let database = ctx.keys.database;
    if ttl != 0 && at <= now {
        ctx.keys.delete_as_such(key);
        ctx.reply.ok();
        return Ok(());
    }
    ctx.keys.remove(key);
    let deadline = u64::try_from(at).ok().filter(|deadline| *deadline > 0);
    let mut record = payload.hand_over(|value| Record::new(key, value, deadline));
    match options.access(ctx.keys.access, ctx.keys.now_ms) {
        Some(access) => {
            record.set_access(access);
            ctx.keys.insert_record(record);
        }
        None => ctx.keys.insert_new(record),
    }
    if deadline.is_some() && !options.absolute {
        let at = format_i64(at);
        let mut log: Vec<&[u8]> = std::iter::once(&b"RESTORE"[..]).chain(words).chain([&b"ABSTTL"[..]]).collect();
        log[2] = &at;
        ctx.keys.effects.log_instead(database, &log);
    }
    ctx.keys.changed(EventClass::Generic, "restore", key);
    ctx.reply.ok();
    Ok(())
}
