//! `cjson`: lua-cjson 2.1 as Redis has it. Settings belong to the run; `cjson.new()` returns a library with its own.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use super::super::convert::until_nul;
use super::super::value::{Arguments, Charge, Host, ScriptError, Table, Value, Values, one};
use super::{Constant, Library, many, number};

/// The library as scripts see it.
pub const LIBRARY: Library = Library {
    name: "cjson",
    functions: &[
        ("decode", |host, a| with_settings(host, decode::decode, a)),
        ("decode_invalid_numbers", |host, a| with_settings(host, decode_invalid_numbers, a)),
        ("decode_max_depth", |host, a| with_settings(host, decode_max_depth, a)),
        ("encode", |host, a| with_settings(host, encode::encode, a)),
        ("encode_invalid_numbers", |host, a| with_settings(host, encode_invalid_numbers, a)),
        ("encode_keep_buffer", |host, a| with_settings(host, encode_keep_buffer, a)),
        ("encode_max_depth", |host, a| with_settings(host, encode_max_depth, a)),
        ("encode_number_precision", |host, a| with_settings(host, encode_number_precision, a)),
        ("encode_sparse_array", |host, a| with_settings(host, encode_sparse_array, a)),
        ("new", new),
    ],
    constants: &[("_NAME", Constant::Text("cjson")), ("_VERSION", Constant::Text("2.1.0")), ("null", Constant::Null)],
};

/// The functions that go by settings.
const MEMBERS: &[(&str, Member)] = &[
    ("decode", decode::decode),
    ("decode_invalid_numbers", decode_invalid_numbers),
    ("decode_max_depth", decode_max_depth),
    ("encode", encode::encode),
    ("encode_invalid_numbers", encode_invalid_numbers),
    ("encode_keep_buffer", encode_keep_buffer),
    ("encode_max_depth", encode_max_depth),
    ("encode_number_precision", encode_number_precision),
    ("encode_sparse_array", encode_sparse_array),
];

type Member = fn(&mut dyn Host, &mut Settings, &[Value]) -> Result<Values, ScriptError>;

/// What a function with settings of its own takes.
const MEMBER_BYTES: usize = 64;
/// However deep the settings allow data to nest: what real servers have a stack for.
const NESTING_MAX: i32 = 2_600;
/// Most significant digits of an encoded number.
const PRECISION_MAX: i32 = 14;

/// What to do with numbers that JSON has no text for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InvalidNumbers {
    #[default]
    Refused,
    Taken,
    Null,
}

/// What a script can set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    sparse_convert: bool,
    sparse_ratio: i32,
    sparse_safe: i32,
    encode_depth_max: i32,
    decode_depth_max: i32,
    encode_invalid: InvalidNumbers,
    decode_invalid: InvalidNumbers,
    keep_buffer: bool,
    precision: i32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth_max: 1_000,
            decode_depth_max: 1_000,
            encode_invalid: InvalidNumbers::Refused,
            decode_invalid: InvalidNumbers::Taken,
            keep_buffer: true,
            precision: PRECISION_MAX,
        }
    }
}

/// Calls a function with the settings of the run.
fn with_settings(host: &mut dyn Host, member: Member, arguments: &[Value]) -> Result<Values, ScriptError> {
    let mut settings = host.library_state().json;
    let result = member(host, &mut settings, arguments);
    host.library_state().json = settings;
    result
}

fn new(host: &mut dyn Host, _: &[Value]) -> Result<Values, ScriptError> {
    let settings = Rc::new(RefCell::new(Settings::default()));
    let table = Table::with_capacity(0, MEMBERS.len() + LIBRARY.constants.len() + 1);
    for (name, member) in MEMBERS {
        let settings = Rc::clone(&settings);
        let charge = Charge::new(MEMBER_BYTES);
        let function = move |host: &mut dyn Host, arguments: &[Value]| {
            let _ = &charge;
            let mut current = *settings.borrow();
            let result = member(host, &mut current, arguments);
            *settings.borrow_mut() = current;
            result
        };
        table.set_text(name.as_bytes(), Value::Stateful(Rc::new(RefCell::new(function))));
    }
    for (name, constant) in LIBRARY.constants {
        table.set_text(name.as_bytes(), constant.value());
    }
    table.set_text(b"new", Value::Native(new));
    let table = host.keep(table);
    one(table)
}

/// Functions of one value refuse more and fewer.
fn only_argument(arguments: &[Value]) -> Result<&Value, ScriptError> {
    match arguments {
        [value] => Ok(value),
        _ => Err(ScriptError::argument(1, "expected 1 argument")),
    }
}

fn at_most(arguments: &[Value], count: usize) -> Result<(), ScriptError> {
    let fits = arguments.len() <= count;
    fits.then_some(()).ok_or_else(|| ScriptError::argument(count + 1, "found too many arguments"))
}

/// Reads a setting that is a number, unless nil is given.
fn integer(
    arguments: &[Value],
    position: usize,
    (least, most): (i32, i32),
    setting: &mut i32,
) -> Result<Value, ScriptError> {
    let arguments = Arguments(arguments);
    if !arguments.get(position).is_nil() {
        let value = number::to_i32(arguments.number(position)?);
        if !(least..=most).contains(&value) {
            return Err(ScriptError::argument(1, format!("expected integer between {least} and {most}")));
        }
        *setting = value;
    }
    Ok(Value::Number(f64::from(*setting)))
}

/// Reads a setting that is on or off, in words or as a truth value, unless nil is given. `null` is a third word.
fn switch(
    arguments: &[Value],
    position: usize,
    has_null: bool,
    setting: &mut InvalidNumbers,
) -> Result<Value, ScriptError> {
    let arguments = Arguments(arguments);
    match arguments.get(position) {
        Value::Nil => {}
        Value::Boolean(false) => *setting = InvalidNumbers::Refused,
        Value::Boolean(true) => *setting = InvalidNumbers::Taken,
        _ => {
            let word = arguments.text(position)?;
            *setting = match &word[..] {
                b"off" => InvalidNumbers::Refused,
                b"on" => InvalidNumbers::Taken,
                b"null" if has_null => InvalidNumbers::Null,
                other => {
                    let text = [b"invalid option '", until_nul(other), b"'"].concat();
                    return Err(ScriptError::argument(position, text));
                }
            };
        }
    }
    Ok(match setting {
        InvalidNumbers::Refused => Value::Boolean(false),
        InvalidNumbers::Taken => Value::Boolean(true),
        InvalidNumbers::Null => Value::text("null"),
    })
}

fn flag(arguments: &[Value], setting: &mut bool) -> Result<Value, ScriptError> {
    let mut read = if *setting { InvalidNumbers::Taken } else { InvalidNumbers::Refused };
    let result = switch(arguments, 1, false, &mut read);
    *setting = read == InvalidNumbers::Taken;
    result
}

fn encode_sparse_array(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 3)?;
    let convert = flag(arguments, &mut s.sparse_convert)?;
    let ratio = integer(arguments, 2, (0, i32::MAX), &mut s.sparse_ratio)?;
    let safe = integer(arguments, 3, (0, i32::MAX), &mut s.sparse_safe)?;
    many([convert, ratio, safe])
}

fn encode_max_depth(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 1)?;
    one(integer(arguments, 1, (1, i32::MAX), &mut s.encode_depth_max)?)
}

fn decode_max_depth(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 1)?;
    one(integer(arguments, 1, (1, i32::MAX), &mut s.decode_depth_max)?)
}

fn encode_number_precision(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 1)?;
    one(integer(arguments, 1, (1, PRECISION_MAX), &mut s.precision)?)
}

/// Accepted without effect: no buffer outlives a call.
fn encode_keep_buffer(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 1)?;
    one(flag(arguments, &mut s.keep_buffer)?)
}

fn encode_invalid_numbers(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 1)?;
    one(switch(arguments, 1, true, &mut s.encode_invalid)?)
}

fn decode_invalid_numbers(_: &mut dyn Host, s: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    at_most(arguments, 1)?;
    one(switch(arguments, 1, false, &mut s.decode_invalid)?)
}
