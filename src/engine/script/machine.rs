//! The machine that runs [code](super::plan).
//!
//! Frames and registers stand on stacks of its own, not on Rust's: a script may recurse as deep as in Lua. Calls that go
//! through a library (a comparison for `table.sort`) do take Rust's stack, and are limited as in Lua. Backward jumps and
//! calls cost a step of the budget; every so often the machine looks at the clock and at what the script has allocated.

mod api;
pub(super) mod arithmetic;
mod call;
mod execute;
mod failure;
mod remains;

pub use api::sha1_hex;
pub use remains::Remains;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::convert;
use super::lib;
use super::library::{Globals, globals};
use super::plan::{Operand, Proto, Register};
use super::table::WeakTable;
use super::value::{Closure, Inputs, Server, Table, Value, Values, allocated, freed, live_bytes};
use super::value::{Host, ScriptError};
use crate::base::limits::{SCRIPT_BYTES_MAX, SCRIPT_STEPS_MAX};
use crate::protocol::error::scripting;

/// Frames of functions of the script.
const FRAMES_MAX: usize = 16_384;
/// Registers of all frames.
const STACK_MAX: usize = 1 << 20;
/// Calls through libraries.
const NESTED_MAX: usize = 100;
/// Steps between two looks at the clock and the memory.
const STEPS_UNWATCHED: u64 = 1024;
/// Longer texts cost steps wherever they are copied or compared,
const LONG_TEXT_BYTES: usize = 4096;
/// one for so many bytes.
const BYTES_PER_STEP: usize = 64;
/// What a cell and its place on the list take.
const CELL_BYTES: usize = 64;
/// A longer element of KEYS or ARGV is not copied twice.
const INPUT_COPIED_BYTES: usize = 128;
/// Any number of values, in counts plus one.
const ANY: u16 = 0;

/// Where a function that runs stands.
struct Frame {
    closure: Rc<Closure>,
    base: usize,
    next: usize,
    /// Where `...` stands on the stack.
    varargs: (usize, usize),
    /// Where its results go, and how many are wanted, plus one.
    results_at: usize,
    wanted: u16,
    /// Functions whose place it took by tail calls.
    tails: u32,
    /// It was a tail call, and the frame below had to stay for what becomes of the results.
    hides_caller: bool,
    kind: FrameKind,
}

/// What becomes of a frame's results.
enum FrameKind {
    /// They go to the caller.
    Plain,
    /// They go to a library.
    Entry,
    /// They follow `true`; an error goes no further. With `xpcall` its handler is told.
    Protected(Option<Value>),
}

/// A run of a script.
pub struct Machine<'s> {
    stack: Vec<Value>,
    frames: Vec<Frame>,
    /// The end of an open list of values.
    top: usize,
    server: &'s mut dyn Server,
    globals: Rc<Globals>,
    /// The tables of the run, to be emptied at its end.
    tables: Vec<WeakTable>,
    cells: Vec<Weak<RefCell<Value>>>,
    kept_max: usize,
    inputs: [Option<Table>; 2],
    steps_left: u64,
    unwatched: u64,
    nested: usize,
    bytes_max: usize,
    random: lib::math::Random,
    state: lib::State,
    /// The line where the error was raised that ended the script.
    failed_line: Option<u32>,
    /// The name of the script in messages: `user_script`.
    name: &'static str,
}

/// How a script ended that failed.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: ScriptError,
    /// The line of the innermost function of the script.
    pub line: Option<u32>,
}

impl Failure {
    /// What was raised, as the text of an error.
    pub fn text(&self) -> Vec<u8> {
        match &self.error {
            ScriptError::Raised(Value::Table(table)) => match table.get_text(b"err") {
                Value::Text(text) => convert::until_nul(&text).to_vec(),
                _ => scripting::UNKNOWN.to_vec(),
            },
            ScriptError::Raised(value) => scripting::with_code(convert::until_nul(&shown(value))),
            ScriptError::Ended(text) => scripting::with_code(text.as_bytes()),
            ScriptError::Message(text) => scripting::with_code(text),
            other => scripting::with_code(format!("{other:?}").as_bytes()),
        }
    }
}

fn shown(value: &Value) -> Vec<u8> {
    match value {
        Value::Nil => b"nil".to_vec(),
        Value::Boolean(truth) => truth.to_string().into_bytes(),
        other => other.as_text().map_or_else(|| other.type_name().as_bytes().to_vec(), |text| text.to_vec()),
    }
}

impl<'s> Machine<'s> {
    /// A machine for one run; `name` is how messages call the script.
    pub fn new(server: &'s mut dyn Server, name: &'static str, seed: u64) -> Machine<'s> {
        Machine::with(server, name, seed, globals())
    }

    /// As [`Machine::new`], with globals of the caller's.
    pub fn with(server: &'s mut dyn Server, name: &'static str, seed: u64, globals: Rc<Globals>) -> Machine<'s> {
        Machine {
            stack: Vec::with_capacity(64),
            frames: Vec::with_capacity(4),
            top: 0,
            server,
            globals,
            tables: Vec::new(),
            cells: Vec::new(),
            kept_max: 1024,
            inputs: [None, None],
            steps_left: SCRIPT_STEPS_MAX,
            unwatched: STEPS_UNWATCHED,
            nested: 0,
            bytes_max: live_bytes().saturating_add(SCRIPT_BYTES_MAX),
            random: lib::math::Random::from_state(seed),
            state: lib::State::default(),
            failed_line: None,
            name,
        }
    }

    /// Runs a whole script; its first result.
    ///
    /// # Errors
    /// What the script raised and did not catch.
    pub fn run(&mut self, main: &Rc<Proto>) -> Result<Value, Failure> {
        let closure = Rc::new(Closure::new(Rc::clone(main), Box::default()));
        self.run_function(&Value::Function(closure), &[])
    }

    /// Runs a function; its first result.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn run_function(&mut self, function: &Value, arguments: &[Value]) -> Result<Value, Failure> {
        match self.call(function, arguments) {
            Ok(values) => Ok(values.into_iter().next().unwrap_or_default()),
            Err(error) => Err(Failure { error, line: self.failed_line }),
        }
    }

    /// Runs a function with KEYS and ARGV as its arguments; its first result.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn run_with_inputs(&mut self, function: &Value) -> Result<Value, Failure> {
        let inputs = [Inputs::Keys, Inputs::Arguments].map(|which| Value::Table(self.input_table(which)));
        self.run_function(function, &inputs)
    }

    /// Ends the run; its values can be read for as long as what it leaves is kept.
    pub fn finish(self) -> Remains {
        self.server.leave_random(self.random);
        Remains { tables: self.tables, cells: self.cells }
    }

    /// The strings, tables and functions of the thread's scripts may take so many bytes.
    pub fn limit_bytes(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Gives a table to the script; see [`Host::keep`].
    pub fn adopt(&mut self, table: &Table) {
        self.tables.push(table.downgrade());
        if self.tables.len() + self.cells.len() > self.kept_max {
            self.forget_freed();
        }
    }

    fn new_cell(&mut self, value: Value) -> Value {
        let cell = Rc::new(RefCell::new(value));
        self.cells.push(Rc::downgrade(&cell));
        allocated(CELL_BYTES);
        if self.tables.len() + self.cells.len() > self.kept_max {
            self.forget_freed();
        }
        Value::Cell(cell)
    }

    /// Gives up what the script has given up; cells count until then.
    #[cold]
    fn forget_freed(&mut self) {
        self.tables.retain(|table| !table.is_gone());
        let before = self.cells.len();
        self.cells.retain(|cell| cell.strong_count() > 0);
        freed((before - self.cells.len()) * CELL_BYTES);
        self.kept_max = 2 * (self.tables.len() + self.cells.len()) + 1024;
    }

    fn operand<'v>(&'v self, base: usize, constants: &'v [Value], operand: Operand) -> &'v Value {
        match operand.0.checked_sub(Operand::REGISTERS) {
            None => &self.stack[base + usize::from(operand.0)],
            Some(constant) => &constants[usize::from(constant)],
        }
    }

    fn register(&self, base: usize, register: Register) -> &Value {
        &self.stack[base + usize::from(register)]
    }

    fn set(&mut self, base: usize, register: Register, value: Value) {
        self.stack[base + usize::from(register)] = value;
    }

    #[inline(always)]
    fn set_number(&mut self, base: usize, register: Register, number: f64) {
        put_number(&mut self.stack[base + usize::from(register)], number);
    }

    /// KEYS or ARGV as a table, which is made when it is first wanted.
    fn input_table(&mut self, which: Inputs) -> Table {
        if let Some(table) = &self.inputs[which as usize] {
            return table.clone();
        }
        let values = (0..self.server.input_len(which)).map(|index| Value::text(self.server.input(which, index)));
        let table = Table::from_list(values.collect());
        self.adopt(&table);
        self.inputs[which as usize] = Some(table.clone());
        table
    }

    fn input(&mut self, which: Inputs, index: usize) -> Value {
        if let Some(table) = &self.inputs[which as usize] {
            return table.get_index(index);
        }
        if index > self.server.input_len(which) {
            return Value::Nil;
        }
        let bytes = self.server.input(which, index - 1);
        match bytes.len() > INPUT_COPIED_BYTES {
            true => self.input_table(which).get_index(index),
            false => Value::text(bytes),
        }
    }

    fn step(&mut self) -> Result<(), ScriptError> {
        self.unwatched -= 1;
        if self.unwatched == 0 { self.watch() } else { Ok(()) }
    }

    #[cold]
    fn watch(&mut self) -> Result<(), ScriptError> {
        self.unwatched = STEPS_UNWATCHED;
        self.steps_left = self.steps_left.saturating_sub(STEPS_UNWATCHED);
        if self.steps_left == 0 {
            return Err(ScriptError::Ended("the script used up its budget of instructions"));
        }
        self.reserve(0)?;
        self.server.check()
    }
}

/// Puts a number where mostly one is already: to write all of a value, and read all of it back soon, makes the processor
/// wait until the parts that were written have met.
#[inline(always)]
fn put_number(slot: &mut Value, number: f64) {
    match slot {
        Value::Number(known) => *known = number,
        other => *other = Value::Number(number),
    }
}

impl Host for Machine<'_> {
    fn call(&mut self, function: &Value, arguments: &[Value]) -> Result<Values, ScriptError> {
        self.call_nested(function, arguments)
    }

    fn tick(&mut self, steps: u64) -> Result<(), ScriptError> {
        if steps < self.unwatched {
            self.unwatched -= steps;
            return Ok(());
        }
        self.steps_left = self.steps_left.saturating_sub(steps);
        self.watch()
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), ScriptError> {
        if live_bytes().saturating_add(bytes) > self.bytes_max {
            return Err(ScriptError::Raised(Value::text("not enough memory")));
        }
        Ok(())
    }

    fn keep(&mut self, table: Table) -> Value {
        self.adopt(&table);
        Value::Table(table)
    }

    fn random(&mut self) -> i32 {
        self.random.draw()
    }

    fn seed_random(&mut self, seed: i32) {
        self.random = lib::math::Random::seeded(seed);
    }

    fn library_state(&mut self) -> &mut lib::State {
        &mut self.state
    }
}
