//! `table`: the whole library of Lua 5.1, with what it kept of 5.0.

#[cfg(test)]
mod tests;

use super::super::value::{Arguments, Host, ScriptError, Table, Value, Values, one};
use super::{Library, none, number, set, sort};

/// The library as scripts see it.
pub const LIBRARY: Library = Library {
    name: "table",
    functions: &[
        ("concat", concat),
        ("foreach", foreach),
        ("foreachi", foreachi),
        ("getn", getn),
        ("insert", insert),
        ("maxn", maxn),
        ("remove", remove),
        ("setn", setn),
        ("sort", sort),
    ],
    constants: &[],
};

fn index(at: i64) -> Value {
    Value::Number(at as f64)
}

fn length(table: &Table) -> i64 {
    table.length() as i64
}

/// An integer argument as C's `int`.
fn int(arguments: &Arguments<'_>, at: usize) -> Result<i64, ScriptError> {
    arguments.number(at).map(|number| i64::from(number::to_i32(number)))
}

fn int_or(arguments: &Arguments<'_>, at: usize, default: i64) -> Result<i64, ScriptError> {
    if arguments.get(at).is_nil() { Ok(default) } else { int(arguments, at) }
}

fn getn(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    one(length(Arguments(arguments).table(1)?) as f64)
}

fn setn(_: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    Arguments(arguments).table(1)?;
    Err(ScriptError::message("'setn' is obsolete"))
}

/// The largest positive key that is a number.
fn maxn(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let table = Arguments(arguments).table(1)?;
    let (mut most, mut position) = (0.0, 0);
    while let Some((next, key, _)) = table.entry_from(position) {
        host.tick(1)?;
        match key {
            Value::Number(number) if number > most => most = number,
            _ => {}
        }
        position = next;
    }
    one(most)
}

fn insert(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let table = checked.table(1)?;
    let end = length(table) + 1;
    let (at, value) = match arguments {
        [_, value] => (end, value),
        [_, _, value] => (int(&checked, 2)?, value),
        _ => return Err(ScriptError::message("wrong number of arguments to 'insert'")),
    };
    let mut hole = end.max(at);
    while hole > at {
        host.tick(1)?;
        set(table, index(hole), table.get(&index(hole - 1)))?;
        hole -= 1;
    }
    set(table, index(at), value.clone())?;
    none()
}

fn remove(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let table = arguments.table(1)?;
    let end = length(table);
    let at = int_or(&arguments, 2, end)?;
    if !(1..=end).contains(&at) {
        return none();
    }
    let removed = table.get(&index(at));
    for hole in at..end {
        host.tick(1)?;
        set(table, index(hole), table.get(&index(hole + 1)))?;
    }
    set(table, index(end), Value::Nil)?;
    one(removed)
}

/// The memory budget is asked each time the result has grown by so many bytes.
const BYTES_PER_QUESTION: usize = 16 << 10;

fn concat(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let arguments = Arguments(arguments);
    let separator = if arguments.get(2).is_nil() { None } else { Some(arguments.text(2)?) };
    let separator = separator.as_deref().unwrap_or(b"");
    let table = arguments.table(1)?;
    let first = int_or(&arguments, 3, 1)?;
    let last = int_or(&arguments, 4, length(table))?;
    let (mut out, mut asked) = (Vec::new(), 0);
    for at in first..=last {
        host.tick(1)?;
        match table.get(&index(at)) {
            Value::Text(text) => {
                if out.len() + text.len() + separator.len() >= asked + BYTES_PER_QUESTION {
                    asked = out.len() + text.len() + separator.len();
                    host.reserve(asked)?;
                }
                out.extend_from_slice(&text);
            }
            Value::Number(value) => number::write(value, &mut out),
            other => {
                let text = format!("invalid value ({}) at index {at} in table for 'concat'", other.type_name());
                return Err(ScriptError::message(text));
            }
        }
        if at < last {
            out.extend_from_slice(separator);
        }
    }
    one(Value::text(out))
}

fn foreach(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let (table, function) = (checked.table(1)?, checked.function(2)?);
    let mut key = Value::Nil;
    while let Some((next, value)) = table.next(&key)? {
        let result = host.call(function, &[next.clone(), value])?.into_iter().next().unwrap_or_default();
        if !result.is_nil() {
            return one(result);
        }
        key = next;
    }
    none()
}

fn foreachi(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let (table, function) = (checked.table(1)?, checked.function(2)?);
    for at in 1..=length(table) {
        let result = host.call(function, &[index(at), table.get(&index(at))])?.into_iter().next().unwrap_or_default();
        if !result.is_nil() {
            return one(result);
        }
    }
    none()
}

fn sort(host: &mut dyn Host, arguments: &[Value]) -> Result<Values, ScriptError> {
    let checked = Arguments(arguments);
    let table = checked.table(1)?;
    let order = if checked.get(2).is_nil() { None } else { Some(checked.function(2)?) };
    sort::sort(host, table, order)?;
    none()
}
