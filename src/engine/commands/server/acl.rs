//! `ACL`, as far as it has an answer with one user: `default`, who may do everything once authenticated.

use sha2::{Digest as _, Sha256};

use super::write_help;
use crate::base::random;
use crate::command::Args;
use crate::command::spec::Categories;
use crate::engine::commands::connection::DEFAULT_USER;
use crate::engine::instance::Engine;
use crate::engine::registry::REGISTRY;
use crate::engine::{Call, Outcome};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;

/// What the user may do, in the terms of an ACL file.
const COMMANDS: &str = "+@all";
const KEYS: &str = "~*";
const CHANNELS: &str = "&*";

/// The SHA-256 of the password, in hexadecimal digits.
fn password_digest(engine: &Engine) -> Option<String> {
    let password = engine.password()?;
    Some(Sha256::digest(password).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The state of the user, a word each.
fn flags(password: Option<&String>) -> Vec<&'static str> {
    let mut flags = vec!["on"];
    flags.extend(password.is_none().then_some("nopass"));
    flags.push("sanitize-payload");
    flags
}

/// `ACL WHOAMI`
pub fn acl_whoami(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.bulk(DEFAULT_USER);
    Ok(Outcome::Done)
}

/// `ACL USERS`
pub fn acl_users(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    call.context.reply.array(1);
    call.context.reply.bulk(DEFAULT_USER);
    Ok(Outcome::Done)
}

/// `ACL LIST`
pub fn acl_list(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    let password = password_digest(call.engine);
    let mut words = flags(password.as_ref()).join(" ");
    if let Some(digest) = password {
        words.push_str(&format!(" #{digest}"));
    }
    let line = format!("user default {words} {KEYS} {CHANNELS} {COMMANDS}");
    call.context.reply.array(1);
    call.context.reply.bulk(line.as_bytes());
    Ok(Outcome::Done)
}

/// `ACL GETUSER username`
pub fn acl_getuser(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.next_bytes()? != DEFAULT_USER {
        call.context.reply.null();
        return Ok(Outcome::Done);
    }
    let password = password_digest(call.engine);
    let flags = flags(password.as_ref());
    let reply = &mut call.context.reply;
    reply.map(6);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    reply.array(password.iter().len());
    password.iter().for_each(|digest| reply.bulk(digest.as_bytes()));
    for (field, rules) in [("commands", COMMANDS), ("keys", KEYS), ("channels", CHANNELS)] {
        reply.bulk(field.as_bytes());
        reply.bulk(rules.as_bytes());
    }
    reply.bulk(b"selectors");
    reply.array(0);
    Ok(Outcome::Done)
}

/// `ACL CAT [category]`
pub fn acl_cat(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    if args.remaining() > 1 {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let reply = &mut call.context.reply;
    let Ok(name) = args.next_bytes() else {
        write_names(reply, Categories::NAMES.iter().map(|(_, name)| *name));
        return Ok(Outcome::Done);
    };
    let known = Categories::NAMES.iter().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name));
    let (category, _) = known.ok_or_else(|| CommandError::unknown_category(name))?;
    let commands = REGISTRY.all.iter().filter(|command| command.categories.has(*category));
    write_names(reply, commands.map(|command| command.full_name.as_str()));
    Ok(Outcome::Done)
}

fn write_names<'a>(reply: &mut Reply, names: impl Iterator<Item = &'a str> + Clone) {
    reply.array(names.clone().count());
    names.for_each(|name| reply.bulk(name.as_bytes()));
}

/// `ACL GENPASS [bits]`
pub fn acl_genpass(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    const BITS_DEFAULT: i64 = 256;
    const BITS_MAX: i64 = 4096;
    if args.remaining() > 1 {
        return Err(CommandError::subcommand_syntax(args.at(0), args.at(1)));
    }
    let bits = if args.remaining() == 0 { BITS_DEFAULT } else { args.next_i64()? };
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(CommandError::GenpassBits);
    }
    let digits = (bits as usize).div_ceil(4);
    let token = random::token(digits.div_ceil(2));
    call.context.reply.bulk(&token.as_bytes()[..digits]);
    Ok(Outcome::Done)
}

/// `ACL DRYRUN username command [arg [arg ...]]`
pub fn acl_dryrun(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    let user = args.next_bytes()?;
    if user != DEFAULT_USER {
        return Err(CommandError::user_not_found(user));
    }
    let words: Vec<&[u8]> = args.rest().collect();
    let command = REGISTRY.find_call(&words).ok_or_else(|| CommandError::command_not_found(words[0]))?;
    if !command.arity.accepts(words.len()) {
        return Err(CommandError::wrong_arity(&command.full_name));
    }
    call.context.reply.ok();
    Ok(Outcome::Done)
}

/// `ACL HELP`
pub fn acl_help(call: &mut Call<'_, '_>, _: Args<'_>) -> CommandResult<Outcome> {
    write_help(&mut call.context.reply, "acl");
    Ok(Outcome::Done)
}
