//! `redis.register_function`: what a library says of a function.

use super::super::header::Header;
use super::super::value::{Table, Value};

/// A function as it was registered.
#[derive(Debug)]
pub struct Registration {
    /// Its name.
    pub name: Box<[u8]>,
    /// What it is said to do.
    pub description: Option<Box<[u8]>>,
    /// Its flags.
    pub flags: Header,
}

/// Reads the arguments of a call: a name and a function, or a table of named ones.
///
/// # Errors
/// What is wrong with them.
pub fn read(arguments: &[Value]) -> Result<(Registration, Value), &'static str> {
    match arguments {
        [Value::Table(named)] => read_named(named),
        [_] => Err("calling redis.register_function with a single argument is only applicable to Lua table \
            (representing named arguments)."),
        [name, callback] => {
            let name = text(name).ok_or("first argument to redis.register_function must be a string")?;
            if callback.type_name() != "function" {
                return Err("second argument to redis.register_function must be a function");
            }
            let flags = Header { is_there: true, ..Header::default() };
            Ok((Registration { name, description: None, flags }, callback.clone()))
        }
        _ => Err("wrong number of arguments to redis.register_function"),
    }
}

fn read_named(named: &Table) -> Result<(Registration, Value), &'static str> {
    let (mut name, mut description, mut callback) = (None, None, None);
    let mut flags = Header { is_there: true, ..Header::default() };
    let mut position = 0;
    while let Some((next, key, value)) = named.entry_from(position) {
        position = next;
        let Some(key) = text(&key) else {
            return Err("named argument key given to redis.register_function is not a string");
        };
        match key.to_ascii_lowercase().as_slice() {
            b"function_name" => {
                let given = text(&value);
                name = Some(given.ok_or("function_name argument given to redis.register_function must be a string")?);
            }
            b"description" => {
                let given = text(&value);
                description =
                    Some(given.ok_or("description argument given to redis.register_function must be a string")?);
            }
            b"callback" if value.type_name() == "function" => callback = Some(value),
            b"callback" => return Err("callback argument given to redis.register_function must be a function"),
            b"flags" => {
                let Value::Table(given) = value else {
                    return Err(
                        "flags argument to redis.register_function must be a table representing function flags",
                    );
                };
                read_flags(&given, &mut flags)?;
            }
            _ => return Err("unknown argument given to redis.register_function"),
        }
    }
    let name = name.ok_or("redis.register_function must get a function name argument")?;
    let callback = callback.ok_or("redis.register_function must get a callback argument")?;
    Ok((Registration { name, description, flags }, callback))
}

fn read_flags(given: &Table, flags: &mut Header) -> Result<(), &'static str> {
    let mut index = 1;
    loop {
        let flag = given.get_index(index);
        if flag.is_nil() {
            return Ok(());
        }
        let is_known = text(&flag).is_some_and(|flag| flags.set(&flag.to_ascii_lowercase()));
        if !is_known {
            return Err("unknown flag given");
        }
        index += 1;
    }
}

/// A string, or a number as one.
fn text(value: &Value) -> Option<Box<[u8]>> {
    value.as_text().map(|text| Box::from(&text[..]))
}
