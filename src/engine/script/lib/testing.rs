//! A host for the libraries' own tests: a budget of steps and of bytes, and functions that are Rust closures.

use std::cell::RefCell;
use std::rc::Rc;

use super::State;
use super::math::Random;
use crate::engine::script::value::{Host, NativeFunction, ScriptError, Table, Value, Values};

/// A host with budgets.
pub struct TestHost {
    pub steps: u64,
    pub bytes: usize,
    pub random: Random,
    pub state: State,
}

impl Default for TestHost {
    fn default() -> TestHost {
        TestHost { steps: 10_000_000, bytes: 64 << 20, random: Random::default(), state: State::default() }
    }
}

impl Host for TestHost {
    fn call(&mut self, function: &Value, arguments: &[Value]) -> Result<Values, ScriptError> {
        match function {
            Value::Native(function) => function(self, arguments),
            Value::Stateful(function) => (Rc::clone(function).borrow_mut())(self, arguments),
            other => Err(ScriptError::message(format!("attempt to call a {} value", other.type_name()))),
        }
    }

    fn tick(&mut self, steps: u64) -> Result<(), ScriptError> {
        self.steps = self.steps.checked_sub(steps).ok_or(ScriptError::Ended("steps"))?;
        Ok(())
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), ScriptError> {
        if bytes > self.bytes {
            return Err(ScriptError::message("not enough memory"));
        }
        Ok(())
    }

    fn keep(&mut self, table: Table) -> Value {
        Value::Table(table)
    }

    fn random(&mut self) -> i32 {
        self.random.draw()
    }

    fn seed_random(&mut self, seed: i32) {
        self.random = Random::seeded(seed);
    }

    fn library_state(&mut self) -> &mut State {
        &mut self.state
    }
}

/// A function of the script.
pub fn function(body: impl FnMut(&mut dyn Host, &[Value]) -> Result<Values, ScriptError> + 'static) -> Value {
    Value::Stateful(Rc::new(RefCell::new(body)))
}

/// Calls a library's function, and writes its results, or its error, as one text.
pub fn call(function: NativeFunction, arguments: &[Value]) -> String {
    call_on(&mut TestHost::default(), function, arguments)
}

/// As [`call`], with this host.
pub fn call_on(host: &mut TestHost, function: NativeFunction, arguments: &[Value]) -> String {
    match function(host, arguments) {
        Ok(values) => values.iter().map(|value| show(value, 0)).collect::<Vec<_>>().join(" "),
        Err(error) => show_error(&error),
    }
}

/// An error as one text.
pub fn show_error(error: &ScriptError) -> String {
    match error {
        ScriptError::Message(text) => format!("error: {}", text.escape_ascii()),
        ScriptError::Argument(position, text) => format!("error: #{position} {}", text.escape_ascii()),
        ScriptError::Raised(value) => format!("raised: {}", show(value, 0)),
        ScriptError::Operand(what, ..) => format!("error: {what}"),
        ScriptError::Part(at, kind) => format!("error: part {at} is {kind}"),
        ScriptError::Ended(why) => format!("ended: {why}"),
    }
}

/// A value as one text; tables in the order of `next`.
pub fn show(value: &Value, depth: usize) -> String {
    match value {
        Value::Text(text) => format!("'{}'", text.escape_ascii()),
        Value::Number(number) => String::from_utf8_lossy(&super::number::text(*number)).into_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Null => "null".into(),
        Value::Table(_) if depth > 8 => "…".into(),
        Value::Table(table) => {
            let (mut position, mut members) = (0, Vec::new());
            while let Some((next, key, value)) = table.entry_from(position) {
                members.push(format!("{}={}", show(&key, depth + 1), show(&value, depth + 1)));
                position = next;
            }
            format!("{{{}}}", members.join(","))
        }
        other => other.type_name().into(),
    }
}

/// A list.
pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Table(Table::from_list(values.into_iter().collect()))
}
