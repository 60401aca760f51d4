//! What DEBUG has for tests of clients: replies of every type, and keys to try things on.

use crate::command::Args;
use crate::engine::Call;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::effects::EventClass;
use crate::value::NewValue;

/// `DEBUG PROTOCOL type`: a reply of this type.
#[allow(clippy::approx_constant, reason = "the number is Redis's, which clients' tests expect")]
pub(super) fn protocol(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult {
    let kind = args.next_bytes()?.to_ascii_lowercase();
    let reply = &mut call.context.reply;
    match kind.as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(3.141),
        b"bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"array" => numbers(reply, Reply::array),
        b"set" => numbers(reply, Reply::set),
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => {
            if reply.is_resp3() {
                reply.raw(b"|1\r\n");
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" => {
            if !reply.is_resp3() {
                return Err(CommandError::NeedsResp3);
            }
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => return Err(CommandError::ProtocolTypeName),
    }
    Ok(())
}

fn numbers(reply: &mut Reply, begin: fn(&mut Reply, usize)) {
    begin(reply, 3);
    (0..3).for_each(|number| reply.integer(number));
}

/// `DEBUG POPULATE count [prefix] [size]`: strings under `<prefix>:<number>`, where there is none yet. The caller is
/// alone.
pub(super) fn populate(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult {
    let count = read_positive(&mut args)?;
    let prefix = if args.remaining() > 0 { args.next_bytes()? } else { b"key" };
    let size = if args.remaining() > 0 { read_positive(&mut args)? } else { 0 };
    let size = usize::try_from(size).ok().filter(|size| *size <= call.context.settings.string_bytes());
    let size = size.ok_or(CommandError::NotPositive)?;
    let keys = &mut call.context.keys;
    let database = keys.database;
    // What it does is logged key by key: another server has no such command.
    keys.effects.log_nothing();
    for number in 0..count {
        let key = [prefix, b":", number.to_string().as_bytes()].concat();
        if keys.exists(&key) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        keys.set(&key, NewValue::Bytes(&value), None);
        keys.changed(EventClass::String, "set", &key);
        keys.effects.log_also(database, &[b"SET", &key, &value]);
    }
    call.context.reply.ok();
    Ok(())
}

fn read_positive(args: &mut Args<'_>) -> CommandResult<u64> {
    let number = args.next_i64_or(CommandError::NotPositive)?;
    u64::try_from(number).map_err(|_| CommandError::NotPositive)
}
