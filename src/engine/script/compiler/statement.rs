//! Statements.

use super::super::plan::{Op, Operand, Register};
use super::super::syntax::{Block, Expression, LocalId, Prefix, Statement, StatementKind, Suffix, Variable};
use super::expression::ANY;
use super::{Code, Done, Known};

/// What an assignment sets, once everything that it depends on is computed.
enum Target {
    Local(LocalId),
    Upvalue(u8),
    Global(u32),
    Element(Register, Operand, u32),
}

impl Code<'_> {
    /// Statements in a scope of their own.
    pub(super) fn block(&mut self, block: &Block) -> Done {
        let (free, locals_end) = (self.free, self.locals_end);
        for statement in block {
            self.statement(statement)?;
        }
        (self.free, self.locals_end) = (free, locals_end);
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Done {
        self.line = statement.line;
        let mark = self.free;
        match &statement.kind {
            StatementKind::Local(ids, values) => return self.local(ids, values),
            StatementKind::LocalFunction(id, function) => {
                let captured = self.function.locals[*id as usize].is_captured;
                if captured {
                    self.emit(Op::Nil { from: self.free, count: 1 });
                }
                let register = self.declare(*id)?;
                if captured {
                    let temporary = self.allocate(1)?;
                    self.closure(function, temporary)?;
                    self.emit(Op::SetCell { cell: register, from: Operand::register(temporary) });
                    self.free = temporary;
                } else {
                    self.closure(function, register)?;
                }
                return Ok(());
            }
            StatementKind::Assign(targets, values) => self.assign(targets, values, statement.last_line)?,
            StatementKind::Call(call) => {
                self.multiple(call, 1)?;
            }
            StatementKind::Do(body) => self.block(body)?,
            StatementKind::While(condition, body) => self.while_loop(condition, body)?,
            StatementKind::Repeat(body, condition) => self.repeat_loop(body, condition)?,
            StatementKind::If(branches, otherwise) => self.branches(branches, otherwise.as_ref())?,
            StatementKind::NumericFor(id, bounds, body, do_line) => self.numeric_for(*id, bounds, body, *do_line)?,
            StatementKind::GenericFor(ids, values, body, in_line) => self.generic_for(ids, values, body, *in_line)?,
            StatementKind::Return(values) => self.return_values(values)?,
            StatementKind::Break => {
                let jump = self.emit(Op::Jump { to: 0 });
                if let Some(breaks) = self.breaks.last_mut() {
                    breaks.push(jump);
                }
            }
        }
        self.free = mark;
        Ok(())
    }

    /// Computes exactly so many values into the next registers.
    fn values(&mut self, values: &[Expression], count: usize) -> Done<Register> {
        let first = self.free;
        for (index, value) in values.iter().enumerate() {
            let is_last = index + 1 == values.len();
            if is_last && value.is_multiple() && count > index {
                let missing = count - index;
                let at = self.multiple(value, missing as u16 + 1)?;
                self.free = at;
                self.allocate(missing)?;
                return Ok(first);
            }
            let mark = self.free;
            let to = self.allocate(1)?;
            self.into(value, to)?;
            // What is too much is computed, and dropped.
            if index >= count {
                self.free = mark;
            }
        }
        if values.len() < count {
            let missing = count - values.len();
            let from = self.allocate(missing)?;
            self.emit(Op::Nil { from, count: missing as u8 });
        }
        Ok(first)
    }

    fn local(&mut self, ids: &[LocalId], values: &[Expression]) -> Done {
        let first = self.values(values, ids.len())?;
        self.free = first;
        for (index, id) in ids.iter().enumerate() {
            self.declare(*id)?;
            let is_fixed = !self.function.locals[*id as usize].is_assigned;
            if is_fixed && values.get(index).is_some_and(|value| self.is_key(value)) {
                self.known.insert(*id, Known::Key);
            }
        }
        Ok(())
    }

    fn assign(&mut self, targets: &[Expression], values: &[Expression], last_line: u32) -> Done {
        if let ([target], [value]) = (targets, values) {
            return self.assign_one(target, value, last_line);
        }
        let mut prepared = Vec::with_capacity(targets.len());
        for target in targets {
            prepared.push(self.target(target, true)?);
        }
        let first = self.values(values, targets.len())?;
        self.line = last_line;
        for (index, target) in prepared.into_iter().enumerate().rev() {
            self.store(target, Operand::register(first + index as Register), &targets[index]);
        }
        Ok(())
    }

    fn assign_one(&mut self, target: &Expression, value: &Expression, last_line: u32) -> Done {
        if let Expression::Variable(Variable::Local(id)) = target
            && !self.function.locals[*id as usize].is_captured
        {
            let to = self.slots[*id as usize];
            return self.into(value, to);
        }
        let prepared = self.target(target, false)?;
        let value = self.operand(value)?;
        self.line = last_line;
        self.store(prepared, value, target);
        Ok(())
    }

    /// Computes what an assignment's target depends on; `copies` where a local may change before it is used.
    fn target(&mut self, target: &Expression, copies: bool) -> Done<Target> {
        match target {
            Expression::Variable(Variable::Local(id)) => Ok(Target::Local(*id)),
            Expression::Variable(Variable::Upvalue(index)) => Ok(Target::Upvalue(*index)),
            Expression::Variable(Variable::Global(name)) => self.text_constant(name).map(Target::Global),
            Expression::Suffixed(first, suffixes) => {
                let Some((Suffix::Index(key, line), before)) = suffixes.split_last() else {
                    return Err(self.error("syntax error"));
                };
                let mut object = self.object(first, before)?;
                let mut key = self.operand(key)?;
                if copies {
                    object = self.copied(object)?;
                    if key.0 < Operand::REGISTERS {
                        key = Operand::register(self.copied(key.0 as Register)?);
                    }
                }
                Ok(Target::Element(object, key, *line))
            }
            _ => Err(self.error("syntax error")),
        }
    }

    fn copied(&mut self, from: Register) -> Done<Register> {
        if from >= self.locals_end {
            return Ok(from);
        }
        let to = self.allocate(1)?;
        self.emit(Op::Move { to, from });
        Ok(to)
    }

    fn store(&mut self, target: Target, value: Operand, written: &Expression) {
        match target {
            Target::Local(id) => {
                let to = self.slots[id as usize];
                let is_captured = self.function.locals[id as usize].is_captured;
                self.emit(match value.0.checked_sub(Operand::REGISTERS) {
                    _ if is_captured => Op::SetCell { cell: to, from: value },
                    None => Op::Move { to, from: value.0 as Register },
                    Some(constant) => Op::Constant { to, constant: u32::from(constant) },
                });
            }
            Target::Upvalue(index) => self.put(Op::SetUpvalue { index, from: value }),
            Target::Global(name) => self.put(Op::SetGlobal { name }),
            Target::Element(object, key, line) => {
                self.line = line.max(self.line);
                if let Expression::Suffixed(first, suffixes) = written {
                    let description = self.describe_suffixed(first, &suffixes[..suffixes.len() - 1]);
                    self.note_name(false, description);
                }
                self.emit(Op::SetIndex { object, key, value });
            }
        }
    }

    fn while_loop(&mut self, condition: &Expression, body: &Block) -> Done {
        self.may_take_long();
        let start = self.here();
        let exits = self.condition(condition, false)?;
        self.breaks.push(Vec::new());
        self.block(body)?;
        self.emit(Op::Jump { to: start });
        self.patch_all(exits);
        self.end_loop();
        Ok(())
    }

    fn repeat_loop(&mut self, body: &Block, condition: &Expression) -> Done {
        self.may_take_long();
        let start = self.here();
        let (free, locals_end) = (self.free, self.locals_end);
        self.breaks.push(Vec::new());
        for statement in body {
            self.statement(statement)?;
        }
        for jump in self.condition(condition, false)? {
            self.patch_to(jump, start);
        }
        (self.free, self.locals_end) = (free, locals_end);
        self.end_loop();
        Ok(())
    }

    /// Whether a loop, within no other, has no more rounds than a command has arguments.
    fn is_short_loop(&self, [from, to, step]: &[Expression; 3]) -> bool {
        const ROUNDS_MAX: f64 = 1000.0;
        let is_counted = match to {
            Expression::Number(limit) => *limit <= ROUNDS_MAX,
            Expression::Prefixed(Prefix::Length, list, _) => self.inputs_of(list).is_some(),
            _ => false,
        };
        let starts_low = matches!(from, Expression::Number(from) if *from >= 0.0);
        let is_single_step = matches!(step, Expression::Number(step) if *step == 1.0);
        self.breaks.is_empty() && is_counted && starts_low && is_single_step
    }

    fn end_loop(&mut self) {
        if let Some(breaks) = self.breaks.pop() {
            self.patch_all(breaks);
        }
    }

    fn branches(&mut self, branches: &[(Expression, Block)], otherwise: Option<&Block>) -> Done {
        let mut ends = Vec::new();
        for (index, (condition, body)) in branches.iter().enumerate() {
            let skips = self.condition(condition, false)?;
            self.block(body)?;
            if index + 1 < branches.len() || otherwise.is_some() {
                ends.push(self.emit(Op::Jump { to: 0 }));
            }
            self.patch_all(skips);
        }
        if let Some(body) = otherwise {
            self.block(body)?;
        }
        self.patch_all(ends);
        Ok(())
    }

    /// Three hidden registers, index, limit and step, and the variable behind them.
    fn numeric_for(&mut self, id: LocalId, bounds: &[Expression; 3], body: &Block, do_line: u32) -> Done {
        let (line, locals_end) = (self.line, self.locals_end);
        let base = self.free;
        if !self.is_short_loop(bounds) {
            self.may_take_long();
        }
        for bound in bounds {
            let to = self.allocate(1)?;
            self.into(bound, to)?;
        }
        self.locals_end = self.free;
        self.line = do_line;
        let prepare = self.emit(Op::ForPrepare { base, to: 0 });
        let start = self.here();
        self.breaks.push(Vec::new());
        self.declare(id)?;
        self.block(body)?;
        self.patch(prepare);
        self.line = line;
        self.emit(Op::ForLoop { base, to: start });
        self.end_loop();
        self.locals_end = locals_end;
        Ok(())
    }

    /// Three hidden registers, iterator, state and control, and the variables behind them.
    fn generic_for(&mut self, ids: &[LocalId], values: &[Expression], body: &Block, in_line: u32) -> Done {
        let (line, locals_end) = (self.line, self.locals_end);
        let base = self.values(values, 3)?;
        self.locals_end = self.free;
        match (values, ids) {
            ([only], [_, element, ..]) if self.is_library_call_on_keys(only, b"ipairs") && self.breaks.is_empty() => {
                if !self.function.locals[*element as usize].is_assigned {
                    self.known.insert(*element, Known::Key);
                }
            }
            _ => self.may_take_long(),
        }
        // The iterator's call needs room for itself and its two arguments.
        let mark = self.free;
        self.allocate(ids.len().max(3))?;
        self.free = mark;
        self.line = line;
        let prepare = self.emit(Op::Jump { to: 0 });
        let start = self.here();
        self.breaks.push(Vec::new());
        for id in ids {
            self.declare(*id)?;
        }
        self.block(body)?;
        self.patch(prepare);
        self.line = in_line;
        self.emit(Op::GenericFor { base, results: ids.len() as u8 });
        self.emit(Op::GenericNext { base, to: start });
        self.end_loop();
        self.locals_end = locals_end;
        Ok(())
    }

    fn return_values(&mut self, values: &[Expression]) -> Done {
        if let [only] = values {
            if let Expression::Suffixed(first, suffixes) = only
                && only.is_multiple()
            {
                let base = self.open_call(first, suffixes, ANY)?;
                if let Some(Op::Call { base, arguments, .. }) = self.code.last().copied() {
                    let at = self.code.len() - 1;
                    self.code[at] = Op::TailCall { base, arguments };
                }
                self.emit(Op::Return { from: base, count: ANY });
                return Ok(());
            }
            if !only.is_multiple() {
                let from = self.register(only)?;
                self.emit(Op::Return { from, count: 2 });
                return Ok(());
            }
        }
        let from = self.free;
        let is_open = self.list(values)?;
        let count = if is_open { ANY } else { values.len() as u16 + 1 };
        self.emit(Op::Return { from, count });
        Ok(())
    }
}
