//! The libraries that scripts see: functions over [values](super::value), a file for each.
//!
//! A function checks its arguments, asks the [host](super::value::Host) before it takes long or much, and returns its
//! results. It knows no keyspace, no client and no clock. What a library keeps between two calls of one run stands in
//! [`State`]. The texts of errors are Lua's, LuaBitOp's, lua-cjson's, lua-cmsgpack's and struct's, since scripts match on
//! them.

pub mod bit;
pub mod cjson;
pub mod cmsgpack;
pub mod format;
pub mod math;
pub mod number;
pub mod pattern;
pub mod sort;
pub mod string;
pub mod structure;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;

use super::value::{NativeFunction, ScriptError, Table, Value, Values};

/// What the libraries keep from one call of a run to the next.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The settings of the table `cjson`.
    pub json: cjson::Settings,
}

/// A library: a table of functions and constants.
pub struct Library {
    /// The global variable that holds it.
    pub name: &'static str,
    /// Its functions by name.
    pub functions: &'static [(&'static str, NativeFunction)],
    /// Its other members.
    pub constants: &'static [(&'static str, Constant)],
}

/// A member of a library that is no function.
#[derive(Clone, Copy, Debug)]
pub enum Constant {
    /// A number.
    Number(f64),
    /// A string.
    Text(&'static str),
    /// JSON's null.
    Null,
}

/// All libraries of this folder; those of the language itself and of the server are the machine's.
pub const LIBRARIES: &[&Library] = &[
    &string::LIBRARY,
    &table::LIBRARY,
    &math::LIBRARY,
    &bit::LIBRARY,
    &cjson::LIBRARY,
    &cmsgpack::LIBRARY,
    &structure::LIBRARY,
];

impl Library {
    /// The table that scripts see; read-only from the start.
    pub fn table(&self) -> Table {
        let table = Table::with_capacity(0, self.functions.len() + self.constants.len());
        for (name, function) in self.functions {
            table.set_text(name.as_bytes(), Value::Native(*function));
        }
        for (name, constant) in self.constants {
            table.set_text(name.as_bytes(), constant.value());
        }
        table.make_readonly();
        table
    }
}

impl Constant {
    /// The constant as a script sees it.
    pub fn value(self) -> Value {
        match self {
            Constant::Number(number) => Value::Number(number),
            Constant::Text(text) => Value::text(text),
            Constant::Null => Value::Null,
        }
    }
}

/// No results.
fn none() -> Result<Values, ScriptError> {
    Ok(Values::new())
}

/// Several results.
fn many<const N: usize>(values: [Value; N]) -> Result<Values, ScriptError> {
    Ok(Values::from_iter(values))
}

/// Room for a result that is about to be built.
fn buffer(host: &mut dyn super::value::Host, bytes: usize) -> Result<Vec<u8>, ScriptError> {
    host.reserve(bytes)?;
    Ok(Vec::with_capacity(bytes))
}

/// An error of the language itself that a library runs into: the position in the script is not put before it.
fn without_position(text: impl AsRef<[u8]>) -> ScriptError {
    ScriptError::Raised(Value::text(text))
}

/// Sets a key of a script's table.
pub(super) fn set(table: &Table, key: Value, value: Value) -> Result<(), ScriptError> {
    table.set(key, value).map_err(|error| match error {
        ScriptError::Message(text) => without_position(text),
        other => other,
    })
}
