//! The loop over the instructions.

use std::rc::Rc;

use super::super::plan::{CaptureFrom, Op, Operand};
use super::super::syntax::Operator;
use super::super::value::{Closure, Host, ScriptError, Table, Value};
use super::call::Called;
use super::{ANY, BYTES_PER_STEP, LONG_TEXT_BYTES, Machine, put_number};

impl Machine<'_> {
    /// Runs until the frames are down to `floor`; an error that a frame above it catches goes on there.
    pub(super) fn execute_to(&mut self, floor: usize) -> Result<(), ScriptError> {
        loop {
            match self.execute(floor) {
                Ok(()) => return Ok(()),
                Err(error) => self.catch(error, floor)?,
            }
        }
    }

    /// Runs until the frames are down to `floor`.
    fn execute(&mut self, floor: usize) -> Result<(), ScriptError> {
        while self.frames.len() > floor {
            let frame = &self.frames[self.frames.len() - 1];
            let (closure, base, next) = (Rc::clone(&frame.closure), frame.base, frame.next);
            self.execute_frame(&closure, base, next)?;
        }
        Ok(())
    }

    /// Runs the innermost frame until it ends or calls another one.
    // long: the loop over instructions, one arm for each
    fn execute_frame(&mut self, closure: &Rc<Closure>, base: usize, mut next: usize) -> Result<(), ScriptError> {
        let proto = &*closure.proto;
        let depth = self.frames.len() - 1;
        macro_rules! or_fail {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(error) => {
                        if let Some(frame) = self.frames.get_mut(depth) {
                            frame.next = next;
                        }
                        return Err(error);
                    }
                }
            };
        }
        loop {
            let op = proto.code[next];
            next += 1;
            match op {
                Op::Jump { to } => {
                    if (to as usize) < next {
                        or_fail!(self.step());
                    }
                    next = to as usize;
                }
                Op::Compare { operator, expected, a, b } => {
                    let a = self.operand(base, &proto.constants, a);
                    let b = self.operand(base, &proto.constants, b);
                    let is_so = match (a, b) {
                        (Value::Text(long), Value::Text(other)) if long.len().min(other.len()) > LONG_TEXT_BYTES => {
                            let (a, b) = (a.clone(), b.clone());
                            or_fail!(self.compare_long(operator, &a, &b))
                        }
                        _ => or_fail!(compare(operator, a, b)),
                    };
                    if is_so != expected {
                        next += 1;
                    }
                }
                Op::Test { from, expected, to } => {
                    if self.register(base, from).is_true() == expected {
                        if (to as usize) < next {
                            or_fail!(self.step());
                        }
                        next = to as usize;
                    }
                }
                Op::Call { base: at, arguments, results } => {
                    self.frames[depth].next = next;
                    let function = base + usize::from(at);
                    let count = self.argument_count(function, arguments);
                    if self.call_at(function, count, function, results)? == Called::Script {
                        return Ok(());
                    }
                }
                Op::TailCall { base: at, arguments } => {
                    self.frames[depth].next = next;
                    let function = base + usize::from(at);
                    let count = self.argument_count(function, arguments);
                    if self.tail_call(function, count)? == Called::Script {
                        return Ok(());
                    }
                }
                Op::Return { from, count } => {
                    let from = base + usize::from(from);
                    let count = if count == ANY { self.top - from } else { usize::from(count) - 1 };
                    self.return_from_frame(from, count);
                    return Ok(());
                }
                Op::ForPrepare { base: at, to } => {
                    or_fail!(self.for_prepare(base + usize::from(at)));
                    next = to as usize;
                }
                Op::ForLoop { base: at, to } => {
                    if self.for_loop(base + usize::from(at)) {
                        or_fail!(self.step());
                        next = to as usize;
                    }
                }
                Op::GenericFor { base: at, results } => {
                    or_fail!(self.step());
                    self.frames[depth].next = next;
                    if self.call_iterator(base + usize::from(at), results)? == Called::Script {
                        return Ok(());
                    }
                }
                Op::GenericNext { base: at, to } => {
                    let at = base + usize::from(at);
                    if !self.stack[at + 3].is_nil() {
                        self.stack[at + 2] = self.stack[at + 3].clone();
                        next = to as usize;
                    }
                }
                other => or_fail!(self.compute(other, base, closure)),
            }
        }
    }

    /// Where a key is found it has been compared.
    #[inline(always)]
    fn pay_for_key(&mut self, base: usize, constants: &[Value], key: Operand) -> Result<(), ScriptError> {
        match self.operand(base, constants, key) {
            Value::Text(text) if text.len() > LONG_TEXT_BYTES => {
                let bytes = text.len();
                self.pay_for(bytes)
            }
            _ => Ok(()),
        }
    }

    /// Texts that take their time.
    #[cold]
    fn compare_long(&mut self, operator: Operator, a: &Value, b: &Value) -> Result<bool, ScriptError> {
        if let (Value::Text(a), Value::Text(b)) = (a, b)
            && !a.is_same(b)
        {
            self.tick((a.len().min(b.len()) / BYTES_PER_STEP) as u64)?;
        }
        compare(operator, a, b)
    }

    fn argument_count(&self, function: usize, arguments: u16) -> usize {
        if arguments == ANY { self.top - function - 1 } else { usize::from(arguments) - 1 }
    }

    /// Instructions that only move and compute values.
    #[inline(always)]
    fn compute(&mut self, op: Op, base: usize, closure: &Rc<Closure>) -> Result<(), ScriptError> {
        let constants = &closure.proto.constants;
        match op {
            Op::Move { to, from } => {
                let value = self.register(base, from);
                match value {
                    Value::Number(number) => self.set_number(base, to, *number),
                    other => self.set(base, to, other.clone()),
                }
            }
            Op::Constant { to, constant } => match &constants[constant as usize] {
                Value::Number(number) => self.set_number(base, to, *number),
                other => self.set(base, to, other.clone()),
            },
            Op::Nil { from, count } => {
                let from = base + usize::from(from);
                self.stack[from..from + usize::from(count)].fill(Value::Nil);
            }
            Op::Boolean { to, value } => self.set(base, to, Value::Boolean(value)),
            Op::Inputs { to, which } => {
                let table = self.input_table(which);
                self.set(base, to, Value::Table(table));
            }
            Op::Input { to, which, index } => {
                let value = self.input(which, usize::from(index));
                self.set(base, to, value);
            }
            Op::InputCount { to, which } => {
                let count = match &self.inputs[which as usize] {
                    Some(table) => table.length(),
                    None => self.server.input_len(which),
                };
                self.set(base, to, Value::Number(count as f64));
            }
            Op::Index { to, object, key } => {
                self.pay_for_key(base, constants, key)?;
                let key = self.operand(base, constants, key);
                let value = match self.register(base, object) {
                    Value::Table(table) => match table.get(key) {
                        Value::Nil if table.is_global() => return Err(no_global(key)),
                        value => value,
                    },
                    other => self.globals.method(other, key).ok_or_else(|| not_indexable(other))?,
                };
                self.set(base, to, value);
            }
            Op::SetIndex { object, key, value } => {
                self.pay_for_key(base, constants, key)?;
                let key = self.operand(base, constants, key).clone();
                let value = self.operand(base, constants, value).clone();
                match self.register(base, object) {
                    Value::Table(table) => table.set(key, value)?,
                    other => return Err(not_indexable(other)),
                }
            }
            Op::Arithmetic { operator, to, a, b } => {
                let value = match (self.operand(base, constants, a), self.operand(base, constants, b)) {
                    (Value::Number(a), Value::Number(b)) => super::arithmetic::apply(operator, *a, *b),
                    (a, b) => super::arithmetic::apply_to_values(operator, a, b)?,
                };
                self.set_number(base, to, value);
            }
            Op::Not { to, from } => {
                let truth = self.register(base, from).is_true();
                self.set(base, to, Value::Boolean(!truth));
            }
            other => return self.compute_more(other, base, closure),
        }
        Ok(())
    }

    /// The less frequent ones.
    fn compute_more(&mut self, op: Op, base: usize, closure: &Rc<Closure>) -> Result<(), ScriptError> {
        let constants = &closure.proto.constants;
        match op {
            Op::GetCell { to, cell } => {
                let value = read_cell(self.register(base, cell));
                self.set(base, to, value);
            }
            Op::SetCell { cell, from } => {
                let value = self.operand(base, constants, from).clone();
                write_cell(self.register(base, cell), value);
            }
            Op::NewCell { at } => {
                let value = std::mem::take(&mut self.stack[base + usize::from(at)]);
                let cell = self.new_cell(value);
                self.set(base, at, cell);
            }
            Op::GetUpvalue { to, index } => {
                let value = closure.upvalues[usize::from(index)].borrow().clone();
                self.set(base, to, value);
            }
            Op::SetUpvalue { index, from } => {
                let value = self.operand(base, constants, from).clone();
                let old = closure.upvalues[usize::from(index)].replace(value);
                drop(old);
            }
            Op::Negate { to, from } => {
                let value = self.register(base, from);
                let number = value
                    .as_number()
                    .ok_or_else(|| ScriptError::Operand("perform arithmetic on", false, value.type_name()))?;
                self.set(base, to, Value::Number(-number));
            }
            Op::Length { to, from } => {
                let length = match self.register(base, from) {
                    Value::Text(text) => text.len(),
                    Value::Table(table) => table.length(),
                    other => return Err(ScriptError::Operand("get length of", false, other.type_name())),
                };
                self.set(base, to, Value::Number(length as f64));
            }
            Op::Concatenate { to, from, count } => {
                let value = self.concatenate(base + usize::from(from), usize::from(count))?;
                self.set(base, to, value);
            }
            Op::Method { to, object, key } => {
                let key = self.operand(base, constants, key).clone();
                let object = self.register(base, object).clone();
                let value = match &object {
                    Value::Table(table) => table.get(&key),
                    other => self.globals.method(other, &key).ok_or_else(|| not_indexable(other))?,
                };
                self.set(base, to, value);
                self.set(base, to + 1, object);
            }
            other => return self.construct(other, base, closure),
        }
        Ok(())
    }

    /// Instructions that make tables and functions, and those of globals.
    fn construct(&mut self, op: Op, base: usize, closure: &Rc<Closure>) -> Result<(), ScriptError> {
        match op {
            Op::NewTable { to, array, hash } => {
                let table = Table::with_capacity(usize::from(array), usize::from(hash));
                let table = self.keep(table);
                self.set(base, to, table);
            }
            Op::SetList { table, count, start } => self.set_list(base + usize::from(table), count, start as usize),
            Op::Closure { to, index } => {
                let function = self.closure(base, closure, usize::from(index));
                self.set(base, to, function);
            }
            Op::Varargs { to, count } => self.varargs(base + usize::from(to), count)?,
            Op::ArgumentTable { to } => {
                let (from, count) = self.frames.last().map_or((0, 0), |frame| frame.varargs);
                let table = Table::from_list(self.stack[from..from + count].to_vec());
                table.set_text(b"n", Value::Number(count as f64));
                let table = self.keep(table);
                self.set(base, to, table);
            }
            Op::GetGlobal { to, name } => {
                let name = &closure.proto.constants[name as usize];
                match self.globals.table.get(name) {
                    Value::Nil => return Err(no_global(name)),
                    value => self.set(base, to, value),
                }
            }
            Op::SetGlobal { .. } => return Err(ScriptError::message("Attempt to modify a readonly table")),
            _ => {}
        }
        Ok(())
    }

    fn closure(&mut self, base: usize, around: &Rc<Closure>, index: usize) -> Value {
        let proto = Rc::clone(&around.proto.protos[index]);
        let upvalues = proto.captures.iter().map(|from| match from {
            CaptureFrom::Register(register) => match self.register(base, *register) {
                Value::Cell(cell) => Rc::clone(cell),
                other => Rc::new(std::cell::RefCell::new(other.clone())),
            },
            CaptureFrom::Upvalue(index) => Rc::clone(&around.upvalues[usize::from(*index)]),
        });
        let upvalues = upvalues.collect();
        Value::Function(Rc::new(Closure::new(proto, upvalues)))
    }

    fn varargs(&mut self, to: usize, count: u16) -> Result<(), ScriptError> {
        let (from, given) = self.frames.last().map_or((0, 0), |frame| frame.varargs);
        let wanted = if count == ANY { given } else { usize::from(count) - 1 };
        self.tick(wanted as u64 / 16)?;
        self.grow_stack(to + wanted)?;
        for index in 0..wanted {
            self.stack[to + index] = if index < given { self.stack[from + index].clone() } else { Value::Nil };
        }
        if count == ANY {
            self.top = to + wanted;
        }
        Ok(())
    }

    fn set_list(&mut self, at: usize, count: u16, start: usize) {
        let count = if count == ANY { self.top - at - 1 } else { usize::from(count) - 1 };
        let Value::Table(table) = self.stack[at].clone() else { return };
        table.reserve_array(start + count);
        // From the last to the first, as Lua does it: it shows in the order of what goes to the hash.
        for index in (0..count).rev() {
            let value = std::mem::take(&mut self.stack[at + 1 + index]);
            table.set_index(start + index + 1, value);
        }
    }

    /// Checks the three numbers of a loop and takes one step back: the loop's end takes it again.
    fn for_prepare(&mut self, at: usize) -> Result<(), ScriptError> {
        for (index, what) in ["initial value", "limit", "step"].into_iter().enumerate() {
            let Some(number) = self.stack[at + index].as_number() else {
                return Err(ScriptError::message(format!("'for' {what} must be a number")));
            };
            self.stack[at + index] = Value::Number(number);
        }
        if let (Value::Number(index), Value::Number(step)) = (&self.stack[at], &self.stack[at + 2]) {
            self.stack[at] = Value::Number(index - step);
        }
        Ok(())
    }

    fn for_loop(&mut self, at: usize) -> bool {
        let [Value::Number(index), Value::Number(limit), Value::Number(step)] = &self.stack[at..at + 3] else {
            return false;
        };
        let (next, step, limit) = (index + step, *step, *limit);
        let goes_on = if step > 0.0 { next <= limit } else { limit <= next };
        if goes_on {
            put_number(&mut self.stack[at], next);
            put_number(&mut self.stack[at + 3], next);
        }
        goes_on
    }

    /// Strings and numbers, one behind the other.
    fn concatenate(&mut self, from: usize, count: usize) -> Result<Value, ScriptError> {
        let values = &self.stack[from..from + count];
        let is_joinable = |value: &Value| matches!(value, Value::Text(_) | Value::Number(_));
        // Lua joins from the right, and blames the left one of two first.
        let order = [count - 2, count - 1].into_iter().chain((0..count - 2).rev());
        for index in order {
            if !is_joinable(&values[index]) {
                return Err(ScriptError::Part(index, values[index].type_name()));
            }
        }
        let mut length = 0usize;
        for value in values {
            length += if let Value::Text(text) = value { text.len() } else { 24 };
        }
        self.reserve(length)?;
        if length > LONG_TEXT_BYTES {
            self.tick((length / BYTES_PER_STEP) as u64)?;
        }
        let mut joined = Vec::with_capacity(length);
        for value in &self.stack[from..from + count] {
            match value {
                Value::Text(text) => joined.extend_from_slice(text),
                Value::Number(number) => super::super::lib::number::write(*number, &mut joined),
                _ => {}
            }
        }
        Ok(Value::text(&joined))
    }

    /// Makes room on the stack.
    pub(super) fn grow_stack(&mut self, end: usize) -> Result<(), ScriptError> {
        if end > super::STACK_MAX {
            return Err(ScriptError::message("stack overflow"));
        }
        if end > self.stack.len() {
            self.stack.resize(end, Value::Nil);
        }
        Ok(())
    }
}

#[inline(always)]
fn compare(operator: Operator, a: &Value, b: &Value) -> Result<bool, ScriptError> {
    match (operator, a, b) {
        (Operator::Equal, a, b) => Ok(a == b),
        (Operator::Less, Value::Number(a), Value::Number(b)) => Ok(a < b),
        (_, Value::Number(a), Value::Number(b)) => Ok(a <= b),
        (Operator::Less, Value::Text(a), Value::Text(b)) => Ok(**a < **b),
        (_, Value::Text(a), Value::Text(b)) => Ok(**a <= **b),
        (_, a, b) => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(ScriptError::message(match a == b {
                true => format!("attempt to compare two {a} values"),
                false => format!("attempt to compare {a} with {b}"),
            }))
        }
    }
}

#[cold]
fn not_indexable(value: &Value) -> ScriptError {
    ScriptError::Operand("index", false, value.type_name())
}

#[cold]
fn no_global(name: &Value) -> ScriptError {
    let name = name.as_text();
    let before = b"Script attempted to access nonexistent global variable '";
    ScriptError::Message([before, name.as_deref().unwrap_or_default(), b"'"].concat())
}

fn read_cell(value: &Value) -> Value {
    match value {
        Value::Cell(cell) => cell.borrow().clone(),
        other => other.clone(),
    }
}

fn write_cell(cell: &Value, value: Value) {
    if let Value::Cell(cell) = cell {
        let old = cell.replace(value);
        drop(old);
    }
}
