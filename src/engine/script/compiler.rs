//! From a syntax tree to [code](super::plan), and what can be proven about its keys.
//!
//! Globals never change, so that `redis.call` and `string.sub` are constants. `KEYS[1]` does not make a table. Locals
//! take registers from below, temporaries stand above them, as on a stack. A temporary that something is computed into
//! is never a register that a script can still read.

mod expression;
mod statement;

use std::collections::HashMap;
use std::rc::Rc;

use super::lexer::SyntaxError;
use super::plan::{CaptureFrom, Description, Op, Operand, Proto, Register};
use super::syntax::{Expression, Function, LocalId, Suffix, Variable};
use super::value::{Table, Text, Value};

/// Registers of a function.
const REGISTERS_MAX: u8 = 250;
/// Instructions, constants and inner functions that fit their fields.
const CONSTANTS_MAX: usize = 1 << 18;
const PROTOS_MAX: usize = 1 << 16;

/// What a script is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// EVAL: KEYS and ARGV are there.
    Script,
    /// FUNCTION LOAD: they are not.
    Library,
}

/// A compiled script.
#[derive(Debug)]
pub struct Compiled {
    /// Its code.
    pub main: Rc<Proto>,
    /// All the keys that it touches are in KEYS, and it cannot take long.
    pub touches_only_declared: bool,
}

/// Compiles a whole script.
///
/// # Errors
/// Where a function is too big.
pub fn compile(function: &Function, globals: &Table, purpose: Purpose) -> Result<Compiled, SyntaxError> {
    let mut facts = Facts { touches_only_declared: purpose == Purpose::Script };
    let mut code = Code::new(function, globals, purpose, &mut facts, Vec::new());
    let main = code.function()?;
    Ok(Compiled { main: Rc::new(main), touches_only_declared: facts.touches_only_declared })
}

/// What has been found out about the whole script.
struct Facts {
    touches_only_declared: bool,
}

type Done<T = ()> = Result<T, SyntaxError>;

/// What is known of a local that nothing is assigned to behind its declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is an element of KEYS.
    Key,
}

/// A constant as it is looked up.
#[derive(PartialEq, Eq, Hash)]
enum ConstantKey {
    Number(u64),
    Text(Rc<[u8]>),
    Address(usize),
}

/// A function that is being compiled.
struct Code<'a> {
    function: &'a Function,
    globals: &'a Table,
    purpose: Purpose,
    facts: &'a mut Facts,
    code: Vec<Op>,
    lines: Vec<u32>,
    line: u32,
    constants: Vec<Value>,
    constant_places: HashMap<ConstantKey, u32>,
    protos: Vec<Rc<Proto>>,
    names: Vec<(u32, bool, Description)>,
    /// The registers of the locals that are declared.
    slots: Vec<Register>,
    known: HashMap<LocalId, Known>,
    /// What is known of the variables that are captured.
    known_captures: Vec<Option<Known>>,
    /// Registers below hold visible locals.
    locals_end: Register,
    /// Registers from here on are free.
    free: Register,
    most: Register,
    /// For each loop around, the jumps that leave it.
    breaks: Vec<Vec<usize>>,
}

impl<'a> Code<'a> {
    fn new(
        function: &'a Function,
        globals: &'a Table,
        purpose: Purpose,
        facts: &'a mut Facts,
        known_captures: Vec<Option<Known>>,
    ) -> Code<'a> {
        Code {
            function,
            globals,
            purpose,
            facts,
            code: Vec::new(),
            lines: Vec::new(),
            line: function.line.max(1),
            constants: Vec::new(),
            constant_places: HashMap::new(),
            protos: Vec::new(),
            names: Vec::new(),
            slots: vec![0; function.locals.len()],
            known: HashMap::new(),
            known_captures,
            locals_end: 0,
            free: 0,
            most: 0,
            breaks: Vec::new(),
        }
    }

    fn function(&mut self) -> Done<Proto> {
        let function = self.function;
        for id in 0..function.parameters {
            self.declare(id)?;
        }
        if let Some(id) = function.argument_table {
            let to = self.free;
            self.allocate(1)?;
            self.free = to;
            self.emit(Op::ArgumentTable { to });
            self.declare(id)?;
        } else if function.is_variadic && function.locals.len() > function.parameters as usize && function.line > 0 {
            self.nothing_in(function.parameters)?;
        }
        self.block(&function.body)?;
        self.line = function.last_line;
        self.emit(Op::Return { from: 0, count: 1 });
        let captures = function.captures.iter().map(|capture| self.capture_from(&capture.from)).collect();
        Ok(Proto {
            code: std::mem::take(&mut self.code),
            lines: std::mem::take(&mut self.lines),
            constants: std::mem::take(&mut self.constants),
            protos: std::mem::take(&mut self.protos),
            captures,
            registers: self.most,
            parameters: function.parameters as u8,
            is_variadic: function.is_variadic,
            names: std::mem::take(&mut self.names),
            line: function.line,
        })
    }

    /// The local `arg` of a function that uses `...`: nil.
    fn nothing_in(&mut self, id: LocalId) -> Done {
        let to = self.free;
        self.allocate(1)?;
        self.free = to;
        self.emit(Op::Nil { from: to, count: 1 });
        self.declare(id).map(drop)
    }

    /// Placeholder for the registers of the function around, which it replaces ([`Code::closure`]).
    fn capture_from(&self, from: &Variable) -> CaptureFrom {
        match from {
            Variable::Upvalue(index) => CaptureFrom::Upvalue(*index),
            _ => CaptureFrom::Register(0),
        }
    }

    fn error(&self, message: impl Into<Vec<u8>>) -> SyntaxError {
        SyntaxError { line: self.line, message: message.into() }
    }

    fn emit(&mut self, op: Op) -> usize {
        self.code.push(op);
        self.lines.push(self.line);
        self.code.len() - 1
    }

    fn put(&mut self, op: Op) {
        self.emit(op);
    }

    fn here(&self) -> u32 {
        self.code.len() as u32
    }

    fn allocate(&mut self, count: usize) -> Done<Register> {
        let first = self.free;
        let end = usize::from(first) + count;
        if end > usize::from(REGISTERS_MAX) {
            return Err(self.error("function or expression too complex"));
        }
        self.free = end as Register;
        self.most = self.most.max(self.free);
        Ok(first)
    }

    /// The next register becomes a local; a captured one gets its cell, into which the register's value moves.
    fn declare(&mut self, id: LocalId) -> Done<Register> {
        let register = self.allocate(1)?;
        self.locals_end = self.free;
        self.slots[id as usize] = register;
        if self.function.locals[id as usize].is_captured {
            self.emit(Op::NewCell { at: register });
        }
        Ok(register)
    }

    fn patch(&mut self, at: usize) {
        let here = self.here();
        self.patch_to(at, here);
    }

    fn patch_to(&mut self, at: usize, target: u32) {
        match &mut self.code[at] {
            Op::Jump { to } | Op::Test { to, .. } | Op::ForPrepare { to, .. } | Op::ForLoop { to, .. } => *to = target,
            Op::GenericNext { to, .. } => *to = target,
            _ => {}
        }
    }

    fn patch_all(&mut self, jumps: Vec<usize>) {
        for at in jumps {
            self.patch(at);
        }
    }

    fn constant(&mut self, key: ConstantKey, value: impl FnOnce() -> Value) -> Done<u32> {
        if let Some(place) = self.constant_places.get(&key) {
            return Ok(*place);
        }
        if self.constants.len() >= CONSTANTS_MAX {
            return Err(self.error("constant table overflow"));
        }
        let place = self.constants.len() as u32;
        self.constants.push(value());
        self.constant_places.insert(key, place);
        Ok(place)
    }

    fn number_constant(&mut self, number: f64) -> Done<u32> {
        // As in Lua, 0 and -0 are one constant: the one that a function names first.
        let key = if number == 0.0 { 0.0 } else { number };
        self.constant(ConstantKey::Number(key.to_bits()), || Value::Number(number))
    }

    fn text_constant(&mut self, text: &Rc<[u8]>) -> Done<u32> {
        self.constant(ConstantKey::Text(Rc::clone(text)), || Value::Text(Text::new(text)))
    }

    /// A value of the libraries.
    fn value_constant(&mut self, value: Value) -> Done<u32> {
        match &value {
            Value::Number(number) => self.number_constant(*number),
            Value::Text(text) => self.text_constant(&Rc::from(&text[..])),
            other => self.constant(ConstantKey::Address(other.address()), || value.clone()),
        }
    }

    fn note_name(&mut self, second: bool, description: Option<Description>) {
        if let Some(description) = description {
            self.names.push((self.here(), second, description));
        }
    }

    /// How messages name the value of an expression.
    fn describe(&self, expression: &Expression) -> Option<Description> {
        match expression {
            Expression::Variable(variable) => Some(match variable {
                Variable::Local(id) => {
                    Description { kind: "local", name: Rc::clone(&self.function.locals[*id as usize].name) }
                }
                Variable::Upvalue(index) => {
                    Description { kind: "upvalue", name: Rc::clone(&self.function.captures[usize::from(*index)].name) }
                }
                Variable::Global(name) => Description { kind: "global", name: Rc::clone(name) },
            }),
            Expression::Parenthesised(inner) => self.describe(inner),
            Expression::Or(parts) => self.describe_choice(parts, false),
            Expression::And(parts) => self.describe_choice(parts, true),
            Expression::Suffixed(first, suffixes) => self.describe_suffixed(first, suffixes),
            _ => None,
        }
    }

    /// Lua names what it finds on the way that takes every jump: the last part, if every part before it is a constant or
    /// a choice of the other kind that leads there. `passed` is the truth that goes on to the next part.
    fn describe_choice(&self, parts: &[Expression], passed: bool) -> Option<Description> {
        let (last, before) = parts.split_last()?;
        if before.iter().all(|part| leads_on(part, passed)) { self.describe(last) } else { None }
    }

    fn describe_suffixed(&self, first: &Expression, suffixes: &[Suffix]) -> Option<Description> {
        match suffixes.last() {
            None => self.describe(first),
            Some(Suffix::Index(Expression::Text(name), _)) => {
                Some(Description { kind: "field", name: Rc::clone(name) })
            }
            Some(Suffix::Index(..)) => Some(Description { kind: "field", name: Rc::from(&b"?"[..]) }),
            Some(_) => None,
        }
    }

    /// A function inside of this one.
    fn closure(&mut self, function: &Rc<Function>, to: Register) -> Done {
        if self.protos.len() >= PROTOS_MAX {
            return Err(self.error("function or expression too complex"));
        }
        self.may_take_long();
        let known = function.captures.iter().map(|capture| self.known(&capture.from)).collect();
        let mut inner = Code::new(function, self.globals, self.purpose, self.facts, known);
        let mut proto = inner.function()?;
        for (capture, from) in function.captures.iter().zip(&mut proto.captures) {
            if let Variable::Local(id) = capture.from {
                *from = CaptureFrom::Register(self.slots[id as usize]);
            }
        }
        self.protos.push(Rc::new(proto));
        let index = (self.protos.len() - 1) as u16;
        self.emit(Op::Closure { to, index });
        Ok(())
    }

    /// Nobody waits for shards that a long script holds: such a script holds everything, and others are told.
    fn may_take_long(&mut self) {
        self.facts.touches_only_declared = false;
    }

    /// What is known of a variable.
    fn known(&self, variable: &Variable) -> Option<Known> {
        match variable {
            Variable::Local(id) => self.known.get(id).copied(),
            Variable::Upvalue(index) => self.known_captures.get(usize::from(*index)).copied().flatten(),
            Variable::Global(_) => None,
        }
    }

    /// The script may touch keys that it was not called with.
    fn touches_others(&mut self) {
        self.facts.touches_only_declared = false;
    }

    fn register_operand(register: Register) -> Operand {
        Operand::register(register)
    }
}

/// Whether a part of a choice leads to the next one, when every jump is taken.
fn leads_on(part: &Expression, passed: bool) -> bool {
    let (parts, goes_on) = match part.bare() {
        Expression::And(parts) => (parts, true),
        Expression::Or(parts) => (parts, false),
        part => return part.constant_truth() == Some(passed),
    };
    let Some((last, before)) = parts.split_last() else { return false };
    match before.iter().all(|part| part.constant_truth() == Some(goes_on)) {
        true => leads_on(last, passed),
        false => goes_on != passed,
    }
}
