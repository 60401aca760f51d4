//! The values that scripts compute with.
//!
//! A run is confined to one thread, so that strings, tables and functions are counted references without locks. What
//! they take is counted per thread ([`live_bytes`]), against the run's memory budget. Cycles cannot free themselves:
//! the machine keeps a list of the tables and cells of a run and empties them at its end. Chains are freed without
//! recursion, however long.
//!
//! A library's function is a [`NativeFunction`]: it gets the machine as a [`Host`], and its arguments as a slice, and
//! returns all its results. Arguments are checked through [`Arguments`], whose errors carry the number of the argument:
//! the machine adds the name that the script used, and the line. A function that has state ([`Value::Stateful`]) is a
//! Rust closure; `string.gmatch` returns one. Whoever loops over what a script can make long calls [`Host::tick`] with
//! the steps that it takes; whoever builds a long string calls [`Host::reserve`] before it does.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use smallvec::SmallVec;

use super::lib::number;
use super::plan::Proto;
pub use super::table::Table;
use crate::protocol::error::CommandError;

thread_local! {
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Bytes that the strings, tables and functions of this thread's scripts take.
pub fn live_bytes() -> usize {
    LIVE_BYTES.get()
}

/// Counts for another owner from now on, who has so many; returns what the one before has.
pub(super) fn exchange_live_bytes(bytes: usize) -> usize {
    LIVE_BYTES.replace(bytes)
}

/// Something was allocated.
pub(super) fn allocated(bytes: usize) {
    LIVE_BYTES.set(LIVE_BYTES.get().wrapping_add(bytes));
}

/// Something was freed. A thread that ends may have no counter left.
pub(super) fn freed(bytes: usize) {
    let _ = LIVE_BYTES.try_with(|live| live.set(live.get().wrapping_sub(bytes)));
}

/// Bytes that count for as long as this is kept: what a function of a library that has state takes.
#[derive(Debug)]
pub struct Charge(usize);

impl Charge {
    /// Counts so many bytes.
    pub fn new(bytes: usize) -> Charge {
        allocated(bytes);
        Charge(bytes)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        freed(self.0);
    }
}

/// The results of a function, mostly one.
pub type Values = SmallVec<[Value; 2]>;

/// A function of a library.
pub type NativeFunction = fn(&mut dyn Host, &[Value]) -> Result<Values, ScriptError>;

/// A function that has state.
pub type StatefulFunction = Rc<RefCell<dyn FnMut(&mut dyn Host, &[Value]) -> Result<Values, ScriptError>>>;

/// What the machine does for a library.
pub trait Host {
    /// Calls a function of the script (or of a library) to its end.
    fn call(&mut self, function: &Value, arguments: &[Value]) -> Result<Values, ScriptError>;

    /// Takes so many steps from the run's budget; fails when it is used up or the script is being killed.
    fn tick(&mut self, steps: u64) -> Result<(), ScriptError>;

    /// Whether so many more bytes fit the memory budget; fails with `not enough memory`.
    fn reserve(&mut self, bytes: usize) -> Result<(), ScriptError>;

    /// Keeps a new table, so that it is emptied at the run's end. [`Table::new`] alone would leak if it became part of a
    /// cycle: a library calls this for each table that it hands to a script.
    fn keep(&mut self, table: Table) -> Value;

    /// A random number of the run's generator, from 0 up to, but not including 2^31, as C's `rand` of Redis gives.
    fn random(&mut self) -> i32;

    /// Restarts the generator.
    fn seed_random(&mut self, seed: i32);

    /// What the libraries keep between two calls of this run; a run begins with the default.
    fn library_state(&mut self) -> &mut super::lib::State;
}

/// What a script asks of the server.
pub trait Server {
    /// Runs a command; its reply as RESP, an error among them, or why it cannot run at all.
    fn command(&mut self, arguments: &[&[u8]]) -> Result<&[u8], CommandError>;

    /// Forgets the last command's reply.
    fn done(&mut self);

    /// `redis.setresp`: 2 or 3.
    fn set_protocol(&mut self, version: u8);

    /// `redis.log`: 0 is debug, 3 a warning.
    fn log(&mut self, level: i64, message: &[u8]);

    /// `redis.acl_check_cmd`.
    fn may_run(&mut self, arguments: &[Text]) -> Option<bool>;

    /// `redis.register_function`.
    fn register_function(&mut self, arguments: &[Value]) -> Result<(), String>;

    /// Looks whether the script is to end: once in a while.
    fn check(&mut self) -> Result<(), ScriptError>;

    /// Where `math.random` has come to when the run ends.
    fn leave_random(&mut self, _: super::lib::math::Random) {}

    /// How long KEYS or ARGV is.
    fn input_len(&self, which: Inputs) -> usize;

    /// An element of KEYS or ARGV, counted from 0.
    fn input(&self, which: Inputs, index: usize) -> &[u8];
}

/// One of the two lists that a script is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// `KEYS`
    Keys,
    /// `ARGV`
    Arguments,
}

/// Why a script does not go on.
#[derive(Debug, Clone)]
pub enum ScriptError {
    /// A library's message; the machine puts the script's name and line before it.
    Message(Vec<u8>),
    /// `bad argument #position to 'name' (message)`: the machine knows the name. Counted from 1.
    Argument(usize, Vec<u8>),
    /// `attempt to index local 'x' (a nil value)`: what was tried, whether on the second operand, and its type. The
    /// machine knows the name.
    Operand(&'static str, bool, &'static str),
    /// A part of a concatenation that is no string: its place, and its type.
    Part(usize, &'static str),
    /// A complete value, as `error` raises it.
    Raised(Value),
    /// Nothing in the script can catch this: it was killed, or used up a budget.
    Ended(&'static str),
}

impl ScriptError {
    /// A message to which the position in the script is added.
    pub fn message(text: impl AsRef<[u8]>) -> ScriptError {
        ScriptError::Message(text.as_ref().to_vec())
    }

    /// An argument is not what the function takes; counted from 1.
    pub fn argument(position: usize, text: impl AsRef<[u8]>) -> ScriptError {
        ScriptError::Argument(position, text.as_ref().to_vec())
    }
}

/// An immutable byte string.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Rc<[u8]>);

/// What the allocator and the counts take for each string.
const TEXT_OVERHEAD: usize = 32;

impl Text {
    /// A copy of these bytes.
    pub fn new(bytes: &[u8]) -> Text {
        allocated(bytes.len() + TEXT_OVERHEAD);
        Text(Rc::from(bytes))
    }

    /// Whether both are the same allocation; equal strings may still be two.
    #[inline]
    pub fn is_same(&self, other: &Text) -> bool {
        std::ptr::addr_eq(Rc::as_ptr(&self.0), Rc::as_ptr(&other.0))
    }
}

impl Clone for Text {
    #[inline]
    fn clone(&self) -> Text {
        Text(Rc::clone(&self.0))
    }
}

impl Drop for Text {
    #[inline]
    fn drop(&mut self) {
        if Rc::strong_count(&self.0) == 1 {
            freed(self.0.len() + TEXT_OVERHEAD);
        }
    }
}

impl Deref for Text {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// A local variable that a closure shares.
pub type SharedCell = Rc<RefCell<Value>>;

/// A function of the script, with the variables of its surroundings.
pub struct Closure {
    /// Its code.
    pub proto: Rc<Proto>,
    /// The variables, in the order in which the code numbers them.
    pub upvalues: Box<[SharedCell]>,
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("function")
    }
}

/// What the allocator and the counts take for a function, and for each of its variables.
const CLOSURE_BYTES: usize = 48;

impl Closure {
    /// A function with these variables.
    pub fn new(proto: Rc<Proto>, upvalues: Box<[SharedCell]>) -> Closure {
        allocated(CLOSURE_BYTES + size_of_val(&*upvalues));
        Closure { proto, upvalues }
    }
}

impl Drop for Closure {
    fn drop(&mut self) {
        freed(CLOSURE_BYTES + size_of_val(&*self.upvalues));
        let upvalues = std::mem::take(&mut self.upvalues);
        super::table::free(upvalues.into_iter().map(Value::Cell));
    }
}

/// Functions that need the machine's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// `pcall`
    ProtectedCall,
    /// `xpcall`
    HandledCall,
    /// `error`
    Error,
    /// `redis.call`
    Command,
    /// `redis.pcall`
    ProtectedCommand,
    /// Another function of the table `redis`.
    Api(Api),
}

impl Builtin {
    /// Tells them apart.
    fn number(self) -> usize {
        match self {
            Builtin::ProtectedCall => 1,
            Builtin::HandledCall => 2,
            Builtin::Error => 3,
            Builtin::Command => 4,
            Builtin::ProtectedCommand => 5,
            Builtin::Api(api) => 16 + api as usize,
        }
    }
}

/// Each of them has an address, as everything has that can be compared.
static BUILTIN_PLACES: [u64; 32] = [0; 32];

/// Functions of the table `redis` that run no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is named as in the table.
pub enum Api {
    Sha1Hex,
    ErrorReply,
    StatusReply,
    Log,
    ReplicateCommands,
    SetRepl,
    SetResp,
    Breakpoint,
    Debug,
    AclCheckCmd,
    RegisterFunction,
}

/// A value of a script.
#[derive(Clone, Default)]
pub enum Value {
    /// No value.
    #[default]
    Nil,
    /// True or false.
    Boolean(bool),
    /// The only kind of number there is.
    Number(f64),
    /// Bytes.
    Text(Text),
    /// An associative array, by reference.
    Table(Table),
    /// A function of the script.
    Function(Rc<Closure>),
    /// A function of a library.
    Native(NativeFunction),
    /// A function that the machine itself is.
    Builtin(Builtin),
    /// A function of a library that has state.
    Stateful(StatefulFunction),
    /// JSON's null (`cjson.null`): equal to itself, and true. A light userdata.
    Null,
    /// Never seen by a script or a library: where a local variable lives that closures share.
    #[doc(hidden)]
    Cell(SharedCell),
}

impl Value {
    /// A string of these bytes.
    pub fn text(bytes: impl AsRef<[u8]>) -> Value {
        Value::Text(Text::new(bytes.as_ref()))
    }

    /// Everything is true but nil and false.
    #[inline]
    pub fn is_true(&self) -> bool {
        !matches!(self, Value::Nil | Value::Boolean(false))
    }

    /// Whether it is nil.
    #[inline]
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The name of its type, as `type` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Boolean(_) => "boolean",
            Value::Number(_) => "number",
            Value::Text(_) => "string",
            Value::Table(_) => "table",
            Value::Function(_) | Value::Native(_) | Value::Builtin(_) | Value::Stateful(_) => "function",
            Value::Null => "userdata",
            Value::Cell(_) => "cell",
        }
    }

    /// As a number: numbers, and strings that read as one.
    #[inline]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => number::parse(text),
            _ => None,
        }
    }

    /// As bytes: strings, and numbers as `%.14g` prints them.
    pub fn as_text(&self) -> Option<Text> {
        match self {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => {
                let mut out = Vec::with_capacity(24);
                number::write(*number, &mut out);
                Some(Text::new(&out))
            }
            _ => None,
        }
    }

    /// An address that tells objects apart, as `tostring` prints it.
    pub fn address(&self) -> usize {
        match self {
            Value::Table(table) => table.address(),
            Value::Function(function) => Rc::as_ptr(function).addr(),
            Value::Native(function) => *function as usize,
            Value::Builtin(function) => (&raw const BUILTIN_PLACES[function.number()]).addr(),
            Value::Stateful(function) => Rc::as_ptr(function).cast::<u8>().addr(),
            _ => 0,
        }
    }
}

/// Equality without conversion (`rawequal`).
impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) | (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Table(a), Value::Table(b)) => a.is_same(b),
            (Value::Function(a), Value::Function(b)) => Rc::ptr_eq(a, b),
            (Value::Native(_), Value::Native(_)) => self.address() == other.address(),
            (Value::Builtin(a), Value::Builtin(b)) => a == b,
            (Value::Stateful(_), Value::Stateful(_)) => self.address() == other.address(),
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(truth) => truth.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => text.fmt(f),
            other => f.write_str(other.type_name()),
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Boolean(truth)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::text(bytes)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Value {
        Value::Text(text)
    }
}

/// One result.
#[inline]
pub fn one(value: impl Into<Value>) -> Result<Values, ScriptError> {
    let mut values = Values::new();
    values.push(value.into());
    Ok(values)
}

/// The arguments of a call, checked one by one; positions count from 1.
#[derive(Clone, Copy)]
pub struct Arguments<'a>(pub &'a [Value]);

impl<'a> Arguments<'a> {
    /// The argument, or nil where there is none.
    #[inline]
    pub fn get(&self, position: usize) -> &'a Value {
        self.0.get(position - 1).unwrap_or(&Value::Nil)
    }

    /// Any value, but one has to be given.
    pub fn any(&self, position: usize) -> Result<&'a Value, ScriptError> {
        self.0.get(position - 1).ok_or_else(|| ScriptError::argument(position, "value expected"))
    }

    /// A number, or a string that reads as one.
    pub fn number(&self, position: usize) -> Result<f64, ScriptError> {
        self.get(position).as_number().ok_or_else(|| self.mismatch(position, "number"))
    }

    /// An integer: a number without its fraction.
    pub fn integer(&self, position: usize) -> Result<i64, ScriptError> {
        self.number(position).map(|number| number as i64)
    }

    /// A number, or this where nil or nothing is given.
    pub fn number_or(&self, position: usize, default: f64) -> Result<f64, ScriptError> {
        if self.get(position).is_nil() { Ok(default) } else { self.number(position) }
    }

    /// An integer, or this where nil or nothing is given.
    pub fn integer_or(&self, position: usize, default: i64) -> Result<i64, ScriptError> {
        if self.get(position).is_nil() { Ok(default) } else { self.integer(position) }
    }

    /// A string; numbers are printed.
    pub fn text(&self, position: usize) -> Result<Text, ScriptError> {
        self.get(position).as_text().ok_or_else(|| self.mismatch(position, "string"))
    }

    /// A table.
    pub fn table(&self, position: usize) -> Result<&'a Table, ScriptError> {
        match self.get(position) {
            Value::Table(table) => Ok(table),
            _ => Err(self.mismatch(position, "table")),
        }
    }

    /// A function.
    pub fn function(&self, position: usize) -> Result<&'a Value, ScriptError> {
        match self.get(position) {
            function if function.type_name() == "function" => Ok(function),
            _ => Err(self.mismatch(position, "function")),
        }
    }

    /// `number expected, got nil`.
    pub fn mismatch(&self, position: usize, expected: &str) -> ScriptError {
        let found = self.0.get(position - 1).map_or("no value", Value::type_name);
        ScriptError::argument(position, format!("{expected} expected, got {found}"))
    }
}
