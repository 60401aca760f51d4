//! `CONFIG` and its subcommands.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use super::write_help;
use crate::base::config::{Config, ConfigError};
use crate::command::Args;
use crate::engine::persistence::Job;
use crate::engine::{Call, Outcome};
use crate::persist::atomic_file::AtomicFile;
use crate::persist::storage::Disk;
use crate::protocol::error::{CommandError, CommandResult};

/// `CONFIG GET parameter [parameter ...]`
pub fn config_get(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let patterns: Vec<&[u8]> = args.rest().collect();
    let found = call.engine.config.read().get(&patterns);
    let reply = &mut call.context.reply;
    reply.map(found.len());
    for (name, value) in &found {
        reply.bulk(name);
        reply.bulk(value);
    }
    Ok(Outcome::Done)
}

/// `CONFIG SET parameter value [parameter value ...]`
pub fn config_set(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if !args.remaining().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let mut pairs = Vec::with_capacity(args.remaining() / 2);
    while args.remaining() > 0 {
        pairs.push((args.next_bytes()?, args.next_bytes()?));
    }
    call.engine.set_config(&pairs).map_err(|error| match error {
        ConfigError::Unknown { name } => CommandError::unknown_setting(&name),
        ConfigError::Refused { name, reason } => CommandError::setting_failed(&name, &reason),
    })?;
    call.engine.observe_as_needed(&mut call.context.keys);
    call.engine.tracking.forget_excess(None, &mut call.context.keys.effects.touched);
    // A lower limit holds from now on, not from the next command on; within EXEC others may hold what is to go.
    if call.context.may_block && call.engine.memory.is_limited() {
        call.engine.evict_as_needed(call.context);
    }
    // The log's beginning is a rewrite, which is under way as soon as this has answered.
    let persistence = &call.engine.persistence;
    if call.engine.config.read().settings().appendonly && persistence.log().is_none() {
        persistence.schedule(Job::Rewrite);
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `CONFIG REWRITE`
pub fn config_rewrite(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let path = call.engine.config_file.get().ok_or(CommandError::NoConfigFile)?;
    rewrite(&call.engine.config.read(), path).map_err(|error| {
        tracing::warn!("CONFIG REWRITE: {}: {error}", path.display());
        CommandError::ConfigRewrite(error.to_string().into())
    })?;
    tracing::info!("CONFIG REWRITE: {} has the settings of now", path.display());
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// Puts the settings of now into a file, which keeps its permissions. A file that is gone begins anew.
fn rewrite(config: &Config, path: &Path) -> io::Result<()> {
    let old = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let mut file = AtomicFile::create(Arc::new(Disk), path)?;
    if let Ok(metadata) = fs::metadata(path) {
        fs::set_permissions(file.temporary_path(), metadata.permissions())?;
    }
    file.write_all(&config.rewritten(&old))?;
    file.commit()
}

/// `CONFIG RESETSTAT`
pub fn config_resetstat(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.engine.stats.reset();
    call.engine.keyspace.reclaimer.reset();
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `CONFIG HELP`
pub fn config_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "config");
    Ok(Outcome::Done)
}
