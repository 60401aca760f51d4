//! Expressions: values into registers, conditions into jumps, calls.

use std::rc::Rc;

use super::super::plan::{Description, Op, Operand, Register};
use super::super::syntax::{Expression, Field, Link, Operator, Prefix, Suffix, Variable};
use super::super::value::{Inputs, Value};
use super::{Code, Done, Known, Purpose};
use crate::engine::registry::REGISTRY;

/// Elements of a constructor that wait in registers.
const FLUSHED: usize = 50;
/// Any number, as counts plus one say it.
pub(super) const ANY: u16 = 0;

impl Code<'_> {
    /// Computes an expression into a register.
    pub(super) fn into(&mut self, expression: &Expression, to: Register) -> Done {
        match expression {
            Expression::Nil => self.put(Op::Nil { from: to, count: 1 }),
            Expression::Boolean(value) => self.put(Op::Boolean { to, value: *value }),
            Expression::Number(number) => {
                let constant = self.number_constant(*number)?;
                self.emit(Op::Constant { to, constant });
            }
            Expression::Text(text) => {
                let constant = self.text_constant(text)?;
                self.emit(Op::Constant { to, constant });
            }
            Expression::Varargs => self.put(Op::Varargs { to, count: 2 }),
            Expression::Function(function) => self.closure(function, to)?,
            Expression::Variable(variable) => self.variable(variable, to)?,
            Expression::Parenthesised(inner) => self.into(inner, to)?,
            Expression::Suffixed(first, suffixes) => self.suffixed(first, suffixes, to)?,
            Expression::Chain(first, links) => self.chain(first, links, to)?,
            Expression::Concatenation(parts, line) => self.concatenation(parts, *line, to)?,
            Expression::Prefixed(prefix, operand, line) => self.prefixed(*prefix, operand, *line, to)?,
            Expression::And(_) | Expression::Or(_) | Expression::Table(..) if to < self.locals_end => {
                let mark = self.free;
                let temporary = self.allocate(1)?;
                self.into(expression, temporary)?;
                self.emit(Op::Move { to, from: temporary });
                self.free = mark;
            }
            Expression::And(parts) => self.choice(parts, false, to)?,
            Expression::Or(parts) => self.choice(parts, true, to)?,
            Expression::Table(fields, line) => self.table(fields, *line, to)?,
        }
        Ok(())
    }

    /// An operand: a constant, a local where it is, or a new temporary.
    pub(super) fn operand(&mut self, expression: &Expression) -> Done<Operand> {
        let constant = match expression {
            Expression::Number(number) => Some(self.number_constant(*number)?),
            Expression::Text(text) => Some(self.text_constant(text)?),
            _ => None,
        };
        match constant {
            Some(constant) if constant < Operand::CONSTANTS => Ok(Operand(Operand::REGISTERS + constant as u16)),
            _ => self.register(expression).map(Code::register_operand),
        }
    }

    /// A register that holds the value: a local's own, or a new temporary.
    pub(super) fn register(&mut self, expression: &Expression) -> Done<Register> {
        if let Expression::Variable(Variable::Local(id)) = expression
            && !self.function.locals[*id as usize].is_captured
        {
            return Ok(self.slots[*id as usize]);
        }
        let to = self.allocate(1)?;
        self.into(expression, to)?;
        Ok(to)
    }

    fn variable(&mut self, variable: &Variable, to: Register) -> Done {
        match variable {
            Variable::Local(id) => {
                let from = self.slots[*id as usize];
                if self.function.locals[*id as usize].is_captured {
                    self.emit(Op::GetCell { to, cell: from });
                } else if from != to {
                    self.emit(Op::Move { to, from });
                }
            }
            Variable::Upvalue(index) => self.put(Op::GetUpvalue { to, index: *index }),
            Variable::Global(name) => return self.global(name, to),
        }
        Ok(())
    }

    fn global(&mut self, name: &Rc<[u8]>, to: Register) -> Done {
        if let Some(which) = self.inputs(name) {
            self.touches_others();
            self.emit(Op::Inputs { to, which });
            return Ok(());
        }
        if matches!(&**name, b"redis" | b"server" | b"_G" | b"string" | b"table") {
            self.touches_others();
        }
        match self.folded_global(name) {
            Value::Nil => {
                let name = self.text_constant(name)?;
                self.emit(Op::GetGlobal { to, name });
            }
            value => {
                let constant = self.value_constant(value)?;
                self.emit(Op::Constant { to, constant });
            }
        }
        Ok(())
    }

    /// A global of a script, which never changes; a library sees other ones while it is being loaded than later.
    fn folded_global(&self, name: &[u8]) -> Value {
        match self.purpose {
            Purpose::Script => self.globals.get_text(name),
            Purpose::Library => Value::Nil,
        }
    }

    /// Which of the two lists a global is.
    fn inputs(&self, name: &[u8]) -> Option<Inputs> {
        match (self.purpose, name) {
            (Purpose::Script, b"KEYS") => Some(Inputs::Keys),
            (Purpose::Script, b"ARGV") => Some(Inputs::Arguments),
            _ => None,
        }
    }

    pub(super) fn inputs_of(&self, expression: &Expression) -> Option<Inputs> {
        match expression {
            Expression::Variable(Variable::Global(name)) => self.inputs(name),
            _ => None,
        }
    }

    /// `and` stops at the first false value, `or` at the first true one.
    fn choice(&mut self, parts: &[Expression], stops_at: bool, to: Register) -> Done {
        let mut ends = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 < parts.len() && part.constant_truth() == Some(!stops_at) {
                continue;
            }
            self.into(part, to)?;
            if index + 1 < parts.len() {
                ends.push(self.emit(Op::Test { from: to, expected: stops_at, to: 0 }));
            }
        }
        self.patch_all(ends);
        Ok(())
    }

    fn prefixed(&mut self, prefix: Prefix, operand: &Expression, line: u32, to: Register) -> Done {
        let mark = self.free;
        if let (Prefix::Length, Some(which)) = (prefix, self.inputs_of(operand)) {
            self.emit(Op::InputCount { to, which });
            return Ok(());
        }
        let from = self.register(operand)?;
        self.line = line;
        let description = self.describe(operand);
        self.note_name(false, description);
        self.emit(match prefix {
            Prefix::Negate => Op::Negate { to, from },
            Prefix::Not => Op::Not { to, from },
            Prefix::Length => Op::Length { to, from },
        });
        self.free = mark;
        Ok(())
    }

    fn concatenation(&mut self, parts: &[Expression], line: u32, to: Register) -> Done {
        let mark = self.free;
        let from = self.allocate(parts.len())?;
        let names: Vec<Option<Description>> = parts.iter().map(|part| self.describe(part)).collect();
        for (index, part) in parts.iter().enumerate() {
            let at = from + index as Register;
            self.into(part, at)?;
        }
        self.line = line;
        // Any of them may be at fault; the machine finds the name by the place among them.
        for (index, name) in names.into_iter().enumerate() {
            if let Some(Description { kind, name }) = name {
                self.names.push((self.here(), true, Description { kind, name: numbered(index, &name) }));
            }
        }
        self.emit(Op::Concatenate { to, from, count: parts.len() as u8 });
        self.free = mark;
        Ok(())
    }

    /// `a + b - c`: what is in between goes through a temporary.
    fn chain(&mut self, first: &Expression, links: &[Link], to: Register) -> Done {
        let Some((last, before)) = links.split_last() else { return self.into(first, to) };
        let mark = self.free;
        let (left, right) = self.operands(first, before, last)?;
        self.line = last.line;
        if last.operator.is_comparison() {
            self.comparison(last.operator, to, left, right);
        } else {
            self.arithmetic(last, to, (left, first, before), right);
        }
        self.free = mark;
        Ok(())
    }

    /// Both sides of the last operator of a chain. A number on the left becomes a constant behind what is on the right,
    /// as in Lua: the order of constants tells 0 from -0.
    fn operands(&mut self, first: &Expression, before: &[Link], last: &Link) -> Done<(Operand, Operand)> {
        if before.is_empty() && !last.operator.is_comparison() && first.numeral().is_some() {
            let right = self.operand(&last.right)?;
            return Ok((self.operand(first.bare())?, right));
        }
        let left = self.chain_operand(first, before)?;
        Ok((left, self.operand(&last.right)?))
    }

    /// The value of a chain, as an operand.
    fn chain_operand(&mut self, first: &Expression, links: &[Link]) -> Done<Operand> {
        let Some((second, behind)) = links.split_first() else { return self.operand(first) };
        let (mut left, mut right) = self.operands(first, &[], second)?;
        // What is below is free once the first operator has its operands, but a register of its own is as good.
        let to = self.allocate(1)?;
        for (index, link) in links.iter().enumerate() {
            let mark = self.free;
            if index > 0 {
                right = self.operand(&behind[index - 1].right)?;
            }
            self.line = link.line;
            if link.operator.is_comparison() {
                self.comparison(link.operator, to, left, right);
            } else {
                self.arithmetic(link, to, (left, first, &links[..index]), right);
            }
            self.free = mark;
            left = Operand::register(to);
        }
        Ok(left)
    }

    /// A comparison as a value.
    fn comparison(&mut self, operator: Operator, to: Register, left: Operand, right: Operand) {
        let holds = self.compare(operator, true, left, right);
        self.emit(Op::Boolean { to, value: false });
        let end = self.emit(Op::Jump { to: 0 });
        self.patch(holds);
        self.emit(Op::Boolean { to, value: true });
        self.patch(end);
    }

    fn arithmetic(&mut self, link: &Link, to: Register, left: (Operand, &Expression, &[Link]), right: Operand) {
        let (a, first, before) = left;
        if before.is_empty() {
            let description = self.describe(first);
            self.note_name(false, description);
        }
        let description = self.describe(&link.right);
        self.note_name(true, description);
        self.emit(Op::Arithmetic { operator: link.operator, to, a, b: right });
    }

    /// A comparison and a jump that is taken when it is as expected.
    fn compare(&mut self, operator: Operator, expected: bool, a: Operand, b: Operand) -> usize {
        let (operator, expected, a, b) = match operator {
            Operator::Unequal => (Operator::Equal, !expected, a, b),
            Operator::Greater => (Operator::Less, expected, b, a),
            Operator::GreaterOrEqual => (Operator::LessOrEqual, expected, b, a),
            other => (other, expected, a, b),
        };
        self.emit(Op::Compare { operator, expected, a, b });
        self.emit(Op::Jump { to: 0 })
    }

    /// Jumps where the truth of an expression is `when`; returns the jumps.
    pub(super) fn condition(&mut self, expression: &Expression, when: bool) -> Done<Vec<usize>> {
        match expression {
            Expression::Boolean(_) | Expression::Nil | Expression::Number(_) | Expression::Text(_) => {
                let truth = !matches!(expression, Expression::Nil | Expression::Boolean(false));
                Ok(if truth == when { vec![self.emit(Op::Jump { to: 0 })] } else { Vec::new() })
            }
            Expression::Parenthesised(inner) => self.condition(inner, when),
            Expression::Prefixed(Prefix::Not, inner, _) => self.condition(inner, !when),
            Expression::And(parts) => self.condition_list(parts, false, when),
            Expression::Or(parts) => self.condition_list(parts, true, when),
            Expression::Chain(first, links) if links.last().is_some_and(|link| link.operator.is_comparison()) => {
                let Some((last, before)) = links.split_last() else { return Ok(Vec::new()) };
                let mark = self.free;
                let left = self.chain_operand(first, before)?;
                let right = self.operand(&last.right)?;
                self.line = last.line;
                self.free = mark;
                Ok(vec![self.compare(last.operator, when, left, right)])
            }
            other => {
                let mark = self.free;
                let from = self.register(other)?;
                self.free = mark;
                Ok(vec![self.emit(Op::Test { from, expected: when, to: 0 })])
            }
        }
    }

    /// A list of `and` is false at its first false part; a list of `or` is true at its first true part.
    fn condition_list(&mut self, parts: &[Expression], decides: bool, when: bool) -> Done<Vec<usize>> {
        let mut jumps = Vec::new();
        let mut falls = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() || decides == when {
                jumps.extend(self.condition(part, when)?);
            } else {
                falls.extend(self.condition(part, decides)?);
            }
        }
        self.patch_all(falls);
        Ok(jumps)
    }

    /// A library's value that is known already, and how many suffixes it takes: `redis.call`.
    fn folded(&self, first: &Expression, suffixes: &[Suffix]) -> Option<(Value, &'static str)> {
        let Expression::Variable(Variable::Global(name)) = first else { return None };
        let Some(Suffix::Index(Expression::Text(field), _)) = suffixes.first() else { return None };
        let Value::Table(library) = self.folded_global(name) else { return None };
        let value = library.get_text(field);
        let is_server = matches!(&**name, b"redis" | b"server");
        let kind = match (&**name, &**field) {
            (b"_G", _) => return None,
            (_, b"call" | b"pcall") if is_server => "call",
            (b"string", b"rep" | b"find" | b"match" | b"gmatch" | b"gsub" | b"gfind") => "long",
            (b"table", b"sort" | b"foreach" | b"foreachi") => "long",
            _ => "",
        };
        (!value.is_nil()).then_some((value, kind))
    }

    /// The value behind all suffixes.
    fn suffixed(&mut self, first: &Expression, suffixes: &[Suffix], to: Register) -> Done {
        let mark = self.free;
        match suffixes.split_last() {
            None => self.into(first, to)?,
            Some((Suffix::Index(key, line), before)) => self.index(first, (before, suffixes), key, *line, to)?,
            Some(_) => {
                let base = self.open_call(first, suffixes, 2)?;
                self.emit(Op::Move { to, from: base });
            }
        }
        self.free = mark;
        Ok(())
    }

    fn index(
        &mut self,
        first: &Expression,
        (before, all): (&[Suffix], &[Suffix]),
        key: &Expression,
        line: u32,
        to: Register,
    ) -> Done {
        if before.is_empty()
            && let Some((value, kind)) = self.folded(first, all)
        {
            match kind {
                "call" => self.touches_others(),
                "long" => self.may_take_long(),
                _ => {}
            }
            let constant = self.value_constant(value)?;
            self.emit(Op::Constant { to, constant });
            return Ok(());
        }
        if before.is_empty()
            && let Some(which) = self.inputs_of(first)
        {
            if let Expression::Number(number) = key
                && *number >= 1.0
                && *number <= f64::from(u16::MAX)
                && number.fract() == 0.0
            {
                self.emit(Op::Input { to, which, index: *number as u16 });
                return Ok(());
            }
            let object = self.allocate(1)?;
            self.emit(Op::Inputs { to: object, which });
            let key = self.operand(key)?;
            self.line = line;
            self.emit(Op::Index { to, object, key });
            return Ok(());
        }
        let object = self.object(first, before)?;
        let key = self.operand(key)?;
        self.line = line;
        let description = self.describe_suffixed(first, before);
        self.note_name(false, description);
        self.emit(Op::Index { to, object, key });
        Ok(())
    }

    /// The register of what something is taken from.
    pub(super) fn object(&mut self, first: &Expression, suffixes: &[Suffix]) -> Done<Register> {
        if suffixes.is_empty() {
            return self.register(first);
        }
        let to = self.allocate(1)?;
        let mut done = 0;
        if self.folded(first, suffixes).is_some() || self.inputs_of(first).is_some() {
            self.suffixed(first, &suffixes[..1], to)?;
            done = 1;
        } else {
            self.into(first, to)?;
        }
        for (index, suffix) in suffixes.iter().enumerate().skip(done) {
            let mark = self.free;
            match suffix {
                Suffix::Index(key, line) => {
                    let key = self.operand(key)?;
                    self.line = *line;
                    let description = self.describe_suffixed(first, &suffixes[..index]);
                    self.note_name(false, description);
                    self.emit(Op::Index { to, object: to, key });
                }
                suffix => {
                    let description = self.describe_suffixed(first, &suffixes[..index]);
                    let base = self.allocate(1)?;
                    self.emit(Op::Move { to: base, from: to });
                    self.call_suffix(suffix, base, description, 2)?;
                    self.emit(Op::Move { to, from: base });
                }
            }
            self.free = mark;
        }
        Ok(to)
    }

    /// The call that ends a chain of suffixes; returns the register of its first result.
    pub(super) fn open_call(&mut self, first: &Expression, suffixes: &[Suffix], results: u16) -> Done<Register> {
        let base = self.allocate(1)?;
        let Some((last, before)) = suffixes.split_last() else { return Ok(base) };
        if before.len() == 1
            && let (Some((value, "call")), Suffix::Call(arguments, line)) = (self.folded(first, before), last)
        {
            self.note_command(arguments);
            let constant = self.value_constant(value)?;
            self.emit(Op::Constant { to: base, constant });
            let description = self.describe_suffixed(first, before);
            self.arguments_and_call(base, 0, arguments, *line, description, results)?;
            return Ok(base);
        }
        if let (Expression::Variable(Variable::Global(name)), [], Suffix::Call(arguments, line)) = (first, before, last)
            && matches!(&**name, b"unpack" | b"ipairs")
            && let [only] = &arguments[..]
            && let Some(which) = self.inputs_of(only)
        {
            // The list stays as it is: nothing is lost of what is known about it.
            self.global(name, base)?;
            let to = self.allocate(1)?;
            self.emit(Op::Inputs { to, which });
            self.line = *line;
            self.emit(Op::Call { base, arguments: 2, results });
            self.free = base + 1;
            return Ok(base);
        }
        let description = self.describe_suffixed(first, before);
        self.suffixed(first, before, base)?;
        self.call_suffix(last, base, description, results)?;
        Ok(base)
    }

    /// Calls what is in `base`.
    fn call_suffix(&mut self, suffix: &Suffix, base: Register, description: Option<Description>, results: u16) -> Done {
        match suffix {
            Suffix::Call(arguments, line) => self.arguments_and_call(base, 0, arguments, *line, description, results),
            Suffix::Method(name, arguments, line) => {
                self.may_take_long();
                self.allocate(1)?;
                let key = self.operand(&Expression::Text(Rc::clone(name)))?;
                self.line = *line;
                self.note_name(false, description);
                self.emit(Op::Method { to: base, object: base, key });
                self.free = base + 2;
                let description = Some(Description { kind: "method", name: Rc::clone(name) });
                self.arguments_and_call(base, 1, arguments, *line, description, results)
            }
            Suffix::Index(..) => Ok(()),
        }
    }

    fn arguments_and_call(
        &mut self,
        base: Register,
        given: u16,
        arguments: &[Expression],
        line: u32,
        description: Option<Description>,
        results: u16,
    ) -> Done {
        let is_open = self.list(arguments)?;
        let arguments = if is_open { ANY } else { arguments.len() as u16 + given + 1 };
        self.line = line;
        self.note_name(false, description);
        self.emit(Op::Call { base, arguments, results });
        self.free = base + 1;
        Ok(())
    }

    /// Computes a list into the next registers; true if its last expression gives any number of values.
    pub(super) fn list(&mut self, expressions: &[Expression]) -> Done<bool> {
        let Some((last, before)) = expressions.split_last() else { return Ok(false) };
        for expression in before {
            let to = self.allocate(1)?;
            self.into(expression, to)?;
        }
        if last.is_multiple() {
            self.multiple(last, ANY)?;
            return Ok(true);
        }
        let to = self.allocate(1)?;
        self.into(last, to)?;
        Ok(false)
    }

    /// So many values (plus one) of a call or `...`, from the next register on.
    pub(super) fn multiple(&mut self, expression: &Expression, count: u16) -> Done<Register> {
        match expression {
            Expression::Suffixed(first, suffixes) => self.open_call(first, suffixes, count),
            _ => {
                let to = self.allocate(1)?;
                self.emit(Op::Varargs { to, count });
                Ok(to)
            }
        }
    }

    fn table(&mut self, fields: &[Field], line: u32, to: Register) -> Done {
        let mark = self.free;
        // The list's values must stand right behind the table.
        let table = if to + 1 == self.free { to } else { self.allocate(1)? };
        let items = fields.iter().filter(|field| matches!(field, Field::Item(_))).count();
        let last_is_open = matches!(fields.last(), Some(Field::Item(last)) if last.is_multiple());
        let array = rounded(items - usize::from(last_is_open));
        let hash = rounded(fields.len() - items);
        self.emit(Op::NewTable { to: table, array, hash });
        let (mut stored, mut waiting) = (0u32, 0usize);
        for (index, field) in fields.iter().enumerate() {
            match field {
                Field::Pair(key, value, last_line) => {
                    let mark = self.free;
                    let key = self.operand(key)?;
                    let value = self.operand(value)?;
                    self.line = *last_line;
                    self.emit(Op::SetIndex { object: table, key, value });
                    self.free = mark;
                }
                Field::Item(value) if last_is_open && index + 1 == fields.len() => {
                    self.multiple(value, ANY)?;
                    self.emit(Op::SetList { table, count: ANY, start: stored });
                    waiting = 0;
                    self.free = table + 1;
                }
                Field::Item(value) => {
                    let at = self.allocate(1)?;
                    self.into(value, at)?;
                    waiting += 1;
                    if waiting == FLUSHED {
                        self.emit(Op::SetList { table, count: waiting as u16 + 1, start: stored });
                        stored += FLUSHED as u32;
                        waiting = 0;
                        self.free = table + 1;
                    }
                }
            }
        }
        if waiting > 0 {
            self.emit(Op::SetList { table, count: waiting as u16 + 1, start: stored });
        }
        self.line = line;
        if table != to {
            self.emit(Op::Move { to, from: table });
        }
        self.free = mark;
        Ok(())
    }

    /// Looks at a call of a command: whether all the keys that it names are elements of KEYS.
    fn note_command(&mut self, arguments: &[Expression]) {
        if !self.is_provable(arguments) {
            self.touches_others();
        }
    }

    fn is_provable(&self, arguments: &[Expression]) -> bool {
        let Some((Expression::Text(name), rest)) = arguments.split_first() else { return false };
        let Some(command) = REGISTRY.find(name) else { return true };
        if command.needs_everything || !command.subcommands.is_empty() {
            return false;
        }
        if command.keys.is_empty() {
            return matches!(command.full_name.as_str(), "time" | "publish" | "spublish" | "echo" | "ping" | "select");
        }
        let Some(simple) = command.simple_keys else { return false };
        // What an open list adds is known only where it is KEYS itself.
        let (fixed, open) = match rest.split_last() {
            Some((last, before)) if last.is_multiple() => (before, Some(last)),
            _ => (rest, None),
        };
        if let Some(last) = open
            && !self.is_all_keys(last)
            && !simple.is_one()
        {
            return false;
        }
        if open.is_some() && fixed.len() < simple.first as usize && !open.is_some_and(|last| self.is_all_keys(last)) {
            return false;
        }
        let len = fixed.len() + 1;
        simple.positions(len).all(|at| fixed.get(at - 1).is_none_or(|argument| self.is_key(argument)))
    }

    /// Whether an expression can only be an element of KEYS, or nil.
    pub(super) fn is_key(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Variable(variable) => self.known(variable) == Some(Known::Key),
            Expression::Parenthesised(inner) => self.is_key(inner),
            Expression::Suffixed(first, suffixes) => {
                self.inputs_of(first) == Some(Inputs::Keys) && matches!(suffixes[..], [Suffix::Index(..)])
            }
            _ => false,
        }
    }

    /// `unpack(KEYS)`
    fn is_all_keys(&self, expression: &Expression) -> bool {
        self.is_library_call_on_keys(expression, b"unpack")
    }

    /// Whether this is a call of a global function with KEYS alone.
    pub(super) fn is_library_call_on_keys(&self, expression: &Expression, function: &[u8]) -> bool {
        let Expression::Suffixed(first, suffixes) = expression else { return false };
        let Expression::Variable(Variable::Global(name)) = &**first else { return false };
        let [Suffix::Call(arguments, _)] = &suffixes[..] else { return false };
        **name == *function && matches!(&arguments[..], [only] if self.inputs_of(only) == Some(Inputs::Keys))
    }
}

/// Sizes above 15 are stored with four bits of precision, as Lua's code has room for.
fn rounded(size: usize) -> u16 {
    let (mut mantissa, mut exponent) = (size, 0);
    while mantissa >= 16 {
        mantissa = mantissa.div_ceil(2);
        exponent += 1;
    }
    u16::try_from(mantissa << exponent).unwrap_or(u16::MAX)
}

/// A name with its operand's place before it.
fn numbered(index: usize, name: &[u8]) -> Rc<[u8]> {
    [&[index as u8], name].concat().into()
}
