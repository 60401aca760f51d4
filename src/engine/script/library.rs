//! The globals that scripts see: the libraries, the language's own functions, and the table `redis`. They are made once
//! per thread, and nothing changes them.

use std::cell::RefCell;
use std::rc::Rc;

use super::convert::until_nul;
use super::lib::{self, LIBRARIES, number};
use super::value::{Api, Arguments, Builtin, Host, NativeFunction, ScriptError, Table, Value, Values, live_bytes, one};
use crate::base::limits::SCRIPT_UNPACKED_MAX;
use crate::engine::commands::connection::REDIS_VERSION;

/// The globals of a thread.
pub struct Globals {
    /// The table of all.
    pub table: Table,
    string: Table,
}

impl Drop for Globals {
    /// The table is part of itself.
    fn drop(&mut self) {
        self.table.set_text(b"_G", Value::Nil);
    }
}

thread_local! {
    static GLOBALS: RefCell<Option<Rc<Globals>>> = const { RefCell::new(None) };
}

/// The globals of this thread.
pub fn globals() -> Rc<Globals> {
    GLOBALS.with_borrow_mut(|globals| Rc::clone(globals.get_or_insert_with(|| Rc::new(Globals::of_scripts()))))
}

impl Globals {
    /// What scripts see.
    pub fn of_scripts() -> Globals {
        make(api(API))
    }

    /// What the functions of libraries see.
    pub fn of_functions() -> Globals {
        let is_shared = |(name, _): &&(&str, Builtin)| !SCRIPTS_ONLY.contains(name);
        make(api(&API.iter().filter(is_shared).copied().collect::<Vec<_>>()))
    }

    /// What a library sees while it is being loaded: little more than how to register a function.
    pub fn of_load() -> Globals {
        let loading = api(&[LOG, ("register_function", Builtin::Api(Api::RegisterFunction))]);
        loading.make_global();
        let table = Table::new();
        table.set_text(b"redis", Value::Table(loading.clone()));
        table.set_text(b"server", Value::Table(loading));
        table.make_readonly();
        table.make_global();
        Globals { table, string: lib::string::LIBRARY.table() }
    }

    /// Empties the table of all, which refers to itself.
    pub(super) fn clear(&self) {
        self.table.downgrade().clear();
    }

    /// What `value[key]` is where the value is no table: a string's methods.
    pub(super) fn method(&self, value: &Value, key: &Value) -> Option<Value> {
        match value {
            Value::Text(_) => Some(self.string.get(key)),
            _ => None,
        }
    }
}

const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("assert", assert),
    ("collectgarbage", collectgarbage),
    ("ipairs", ipairs),
    ("next", next),
    ("pairs", pairs),
    ("rawequal", rawequal),
    ("rawget", rawget),
    ("rawset", rawset),
    ("select", select),
    ("tonumber", tonumber),
    ("tostring", tostring),
    ("type", type_of),
    ("unpack", unpack),
    ("gcinfo", |_, _| one((live_bytes() / 1024) as f64)),
];

const BUILTINS: &[(&str, Builtin)] =
    &[("pcall", Builtin::ProtectedCall), ("xpcall", Builtin::HandledCall), ("error", Builtin::Error)];

const LOG: (&str, Builtin) = ("log", Builtin::Api(Api::Log));

/// What functions of libraries have not.
const SCRIPTS_ONLY: &[&str] = &["replicate_commands", "breakpoint", "debug"];

const API: &[(&str, Builtin)] = &[
    ("call", Builtin::Command),
    ("pcall", Builtin::ProtectedCommand),
    ("sha1hex", Builtin::Api(Api::Sha1Hex)),
    ("error_reply", Builtin::Api(Api::ErrorReply)),
    ("status_reply", Builtin::Api(Api::StatusReply)),
    LOG,
    ("replicate_commands", Builtin::Api(Api::ReplicateCommands)),
    ("set_repl", Builtin::Api(Api::SetRepl)),
    ("setresp", Builtin::Api(Api::SetResp)),
    ("breakpoint", Builtin::Api(Api::Breakpoint)),
    ("debug", Builtin::Api(Api::Debug)),
    ("acl_check_cmd", Builtin::Api(Api::AclCheckCmd)),
];

const LEVELS: &[(&str, f64)] = &[("LOG_DEBUG", 0.0), ("LOG_VERBOSE", 1.0), ("LOG_NOTICE", 2.0), ("LOG_WARNING", 3.0)];

const REPLICATION: &[(&str, f64)] =
    &[("REPL_NONE", 0.0), ("REPL_AOF", 1.0), ("REPL_SLAVE", 2.0), ("REPL_REPLICA", 2.0), ("REPL_ALL", 3.0)];

fn make(api: Table) -> Globals {
    let table = Table::new();
    for (name, function) in FUNCTIONS {
        table.set_text(name.as_bytes(), Value::Native(*function));
    }
    for (name, builtin) in BUILTINS {
        table.set_text(name.as_bytes(), Value::Builtin(*builtin));
    }
    let mut string = Table::new();
    for library in LIBRARIES {
        let members = library.table();
        if library.name == "string" {
            string = members.clone();
        }
        table.set_text(library.name.as_bytes(), Value::Table(members));
    }
    let os = Table::new();
    os.set_text(b"clock", Value::Native(clock));
    os.make_readonly();
    table.set_text(b"os", Value::Table(os));
    table.set_text(b"redis", Value::Table(api.clone()));
    table.set_text(b"server", Value::Table(api));
    table.set_text(b"_VERSION", Value::text("Lua 5.1"));
    table.set_text(b"_G", Value::Table(table.clone()));
    table.make_readonly();
    table.make_global();
    Globals { table, string }
}

/// The table `redis` with these functions.
fn api(functions: &[(&str, Builtin)]) -> Table {
    let api = Table::new();
    for (name, builtin) in functions {
        api.set_text(name.as_bytes(), Value::Builtin(*builtin));
    }
    let replication = if functions.iter().any(|(name, _)| *name == "set_repl") { REPLICATION } else { &[] };
    for (name, number) in LEVELS.iter().chain(replication) {
        api.set_text(name.as_bytes(), Value::Number(*number));
    }
    api.set_text(b"REDIS_VERSION", Value::text(REDIS_VERSION));
    let mut parts = REDIS_VERSION.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let number = parts.by_ref().take(3).fold(0, |number, part| number << 8 | part);
    api.set_text(b"REDIS_VERSION_NUM", Value::Number(f64::from(number)));
    api.make_readonly();
    api
}

type Results = Result<Values, ScriptError>;

fn assert(_: &mut dyn Host, given: &[Value]) -> Results {
    if Arguments(given).any(1)?.is_true() {
        return Ok(given.iter().cloned().collect());
    }
    match given.get(1) {
        None => Err(ScriptError::message("assertion failed!")),
        Some(Value::Table(table)) => Err(ScriptError::Raised(Value::Table(table.clone()))),
        Some(_) => Err(ScriptError::Message(until_nul(&Arguments(given).text(2)?).to_vec())),
    }
}

/// There is nothing to collect: what nobody refers to is gone at once.
fn collectgarbage(_: &mut dyn Host, given: &[Value]) -> Results {
    /// What `setpause` and `setstepmul` were before, in percent.
    const UNCHANGED: f64 = 200.0;
    let arguments = Arguments(given);
    if arguments.get(1).is_nil() {
        return one(0.0);
    }
    let option = arguments.text(1)?;
    arguments.integer_or(2, 0)?;
    match &option[..] {
        b"count" => one(live_bytes() as f64 / 1024.0),
        b"collect" | b"stop" | b"restart" => one(0.0),
        b"step" => one(true),
        b"setpause" | b"setstepmul" => one(UNCHANGED),
        other => Err(ScriptError::argument(1, [b"invalid option '", until_nul(other), b"'"].concat())),
    }
}

fn clock(_: &mut dyn Host, _: &[Value]) -> Results {
    let times = crate::base::process::cpu_times();
    one((times.own.user_us + times.own.system_us) as f64 / 1e6)
}

fn ipairs(_: &mut dyn Host, given: &[Value]) -> Results {
    let table = Arguments(given).table(1)?.clone();
    Ok(Values::from_iter([Value::Native(next_element), Value::Table(table), Value::Number(0.0)]))
}

fn next_element(_: &mut dyn Host, given: &[Value]) -> Results {
    let index = Arguments(given).integer(2)? + 1;
    let value = Arguments(given).table(1)?.get(&Value::Number(index as f64));
    if value.is_nil() {
        return Ok(Values::from_iter([Value::Nil]));
    }
    Ok(Values::from_iter([Value::Number(index as f64), value]))
}

fn pairs(_: &mut dyn Host, given: &[Value]) -> Results {
    let table = Arguments(given).table(1)?.clone();
    Ok(Values::from_iter([Value::Native(next), Value::Table(table), Value::Nil]))
}

fn next(host: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    let (skipped, entry) = arguments.table(1)?.next_behind(arguments.get(2))?;
    host.tick(skipped as u64 / 16)?;
    Ok(match entry {
        Some((key, value)) => Values::from_iter([key, value]),
        None => Values::from_iter([Value::Nil]),
    })
}

fn rawequal(_: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    one(arguments.any(1)? == arguments.any(2)?)
}

fn rawget(_: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    one(arguments.table(1)?.get(arguments.any(2)?))
}

fn rawset(_: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    let table = arguments.table(1)?;
    lib::set(table, arguments.any(2)?.clone(), arguments.any(3)?.clone())?;
    one(Value::Table(table.clone()))
}

fn select(_: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    if let Value::Text(text) = arguments.get(1)
        && text.first() == Some(&b'#')
    {
        return one((given.len() - 1) as f64);
    }
    let index = arguments.integer(1)?;
    let count = given.len() as i64;
    let from = match index {
        ..0 => count + index,
        index => index.min(count),
    };
    if from < 1 {
        return Err(ScriptError::argument(1, "index out of range"));
    }
    Ok(given[from as usize..].iter().cloned().collect())
}

fn tonumber(_: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    let base = arguments.integer_or(2, 10)?;
    if base == 10 {
        return one(arguments.any(1)?.as_number().map_or(Value::Nil, Value::Number));
    }
    let text = arguments.text(1)?;
    if !(2..=36).contains(&base) {
        return Err(ScriptError::argument(2, "base out of range"));
    }
    one(number::parse_in_base(&text, base as u32).map_or(Value::Nil, Value::Number))
}

fn tostring(_: &mut dyn Host, given: &[Value]) -> Results {
    let value = Arguments(given).any(1)?;
    one(match value {
        Value::Nil => Value::text("nil"),
        Value::Boolean(truth) => Value::text(if *truth { "true" } else { "false" }),
        Value::Null => Value::text("userdata: (nil)"),
        other => match other.as_text() {
            Some(text) => Value::Text(text),
            None => Value::text(format!("{}: {:#x}", other.type_name(), other.address())),
        },
    })
}

fn type_of(_: &mut dyn Host, given: &[Value]) -> Results {
    one(Value::text(Arguments(given).any(1)?.type_name()))
}

fn unpack(host: &mut dyn Host, given: &[Value]) -> Results {
    let arguments = Arguments(given);
    let table = arguments.table(1)?;
    let from = arguments.integer_or(2, 1)?;
    let to = if arguments.get(3).is_nil() { table.length() as i64 } else { arguments.integer(3)? };
    if from > to {
        return Ok(Values::new());
    }
    let count = to.checked_sub(from).and_then(|count| count.checked_add(1));
    let Some(count) = count.filter(|count| *count < i64::from(i32::MAX)) else {
        return Err(ScriptError::message("too many results to unpack"));
    };
    if count as usize + given.len() > SCRIPT_UNPACKED_MAX {
        return Err(ScriptError::message("too many results to unpack"));
    }
    host.tick(count as u64 / 16)?;
    Ok((from..=to).map(|index| table.get(&Value::Number(index as f64))).collect())
}
