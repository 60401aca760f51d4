//! What a script is compiled to: code for a machine with registers.
//!
//! A function's locals are registers, unless a function inside of it uses them: then the register holds a cell. An
//! [`Operand`] is a register or a constant. Variable numbers of arguments and results are counts plus one; 0 says that
//! they reach up to the top.

use std::rc::Rc;

use super::syntax::Operator;
use super::value::{Inputs, Value};

/// A register of the function's frame.
pub type Register = u8;

/// A register, or behind [`Operand::REGISTERS`] a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operand(pub u16);

impl Operand {
    /// Numbers below are registers.
    pub const REGISTERS: u16 = 256;
    /// Constants that an operand can name.
    pub const CONSTANTS: u32 = (u16::MAX - Operand::REGISTERS) as u32;

    /// A register.
    pub fn register(register: Register) -> Operand {
        Operand(u16::from(register))
    }
}

/// An instruction; eight bytes.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // The fields of all follow one pattern: the target, then what it is made of.
pub enum Op {
    /// A copy.
    Move { to: Register, from: Register },
    /// A constant.
    Constant { to: Register, constant: u32 },
    /// Nil into so many registers.
    Nil { from: Register, count: u8 },
    /// A truth.
    Boolean { to: Register, value: bool },
    /// The value of a captured local.
    GetCell { to: Register, cell: Register },
    /// Sets a captured local.
    SetCell { cell: Register, from: Operand },
    /// Moves a register's value into a new cell there.
    NewCell { at: Register },
    /// The value of a variable of the surroundings.
    GetUpvalue { to: Register, index: u8 },
    /// Sets a variable of the surroundings.
    SetUpvalue { index: u8, from: Operand },
    /// A global; raises where there is none.
    GetGlobal { to: Register, name: u32 },
    /// Raises: globals are read-only.
    SetGlobal { name: u32 },
    /// The table KEYS or ARGV.
    Inputs { to: Register, which: Inputs },
    /// An element of them.
    Input { to: Register, which: Inputs, index: u16 },
    /// The length of them.
    InputCount { to: Register, which: Inputs },
    /// `object[key]`
    Index { to: Register, object: Register, key: Operand },
    /// `object[key] = value`
    SetIndex { object: Register, key: Operand, value: Operand },
    /// `object[key]` into `to`, and the object behind it.
    Method { to: Register, object: Register, key: Operand },
    /// `a + b` and its kin.
    Arithmetic { operator: Operator, to: Register, a: Operand, b: Operand },
    /// `-a`
    Negate { to: Register, from: Register },
    /// `not a`
    Not { to: Register, from: Register },
    /// `#a`
    Length { to: Register, from: Register },
    /// `a .. b .. c`
    Concatenate { to: Register, from: Register, count: u8 },
    /// Goes on elsewhere.
    Jump { to: u32 },
    /// Skips the next instruction unless `a < b` and its kin is `expected`.
    Compare { operator: Operator, expected: bool, a: Operand, b: Operand },
    /// Goes on elsewhere if the register's truth is `expected`.
    Test { from: Register, expected: bool, to: u32 },
    /// Calls what is in `base` with what is behind it; results go to `base` and behind.
    Call { base: Register, arguments: u16, results: u16 },
    /// Returns what the call returns.
    TailCall { base: Register, arguments: u16 },
    /// Ends the function.
    Return { from: Register, count: u16 },
    /// `...`
    Varargs { to: Register, count: u16 },
    /// A function inside of this one.
    Closure { to: Register, index: u16 },
    /// Checks index, limit and step at `base`, and jumps to the loop's end.
    ForPrepare { base: Register, to: u32 },
    /// The next round, if there is one; the visible index is behind the three.
    ForLoop { base: Register, to: u32 },
    /// Calls the iterator at `base`; its results go behind the three.
    GenericFor { base: Register, results: u8 },
    /// The next round, unless the iterator's first result is nil.
    GenericNext { base: Register, to: u32 },
    /// An empty table with room.
    NewTable { to: Register, array: u16, hash: u16 },
    /// Appends the registers behind the table's to it, from an index on.
    SetList { table: Register, count: u16, start: u32 },
    /// The table `arg` of a function that declares `...` and does not use it.
    ArgumentTable { to: Register },
}

/// What a name of a [`Description`] takes, about.
const NAME_BYTES: usize = 32;

/// How a script names a value, for messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// `local`, `global`, `field`, `upvalue`, `method`
    pub kind: &'static str,
    /// Its name.
    pub name: Rc<[u8]>,
}

/// Where a closure's variable comes from.
#[derive(Debug, Clone, Copy)]
pub enum CaptureFrom {
    /// A cell in a register.
    Register(Register),
    /// One that the surrounding closure has.
    Upvalue(u8),
}

/// A compiled function.
#[derive(Debug)]
pub struct Proto {
    /// Instructions.
    pub code: Vec<Op>,
    /// For each instruction its line.
    pub lines: Vec<u32>,
    /// Constants.
    pub constants: Vec<Value>,
    /// Functions inside of it.
    pub protos: Vec<Rc<Proto>>,
    /// What a closure of it captures.
    pub captures: Vec<CaptureFrom>,
    /// Registers that a frame has.
    pub registers: u8,
    /// The first registers.
    pub parameters: u8,
    /// Takes any number of arguments.
    pub is_variadic: bool,
    /// For instructions that may fail: how the script names their first or second operand.
    pub names: Vec<(u32, bool, Description)>,
    /// Where the function begins; 0 for a whole script.
    pub line: u32,
}

impl Proto {
    /// What it takes, with the functions inside of it, about.
    pub fn bytes(&self) -> usize {
        let own = size_of_val(&*self.code) + size_of_val(&*self.lines) + size_of_val(&*self.constants);
        let texts: usize =
            self.constants.iter().map(|value| if let Value::Text(text) = value { text.len() } else { 0 }).sum();
        let names = self.names.len() * (size_of::<(u32, bool, Description)>() + NAME_BYTES);
        own + texts + names + self.protos.iter().map(|proto| proto.bytes()).sum::<usize>()
    }

    /// How the script names an operand of an instruction: the first one, or the second.
    pub fn describe(&self, at: usize, second: bool) -> Option<&Description> {
        let found = self.names.iter().find(|(pc, is_second, _)| *pc as usize == at && *is_second == second);
        found.map(|(_, _, description)| description)
    }
}
