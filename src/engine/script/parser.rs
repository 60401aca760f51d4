//! From tokens to a syntax tree: Lua 5.1's grammar, by recursive descent, names resolved on the way.
//!
//! The depth is limited as in Lua ([`LEVELS_MAX`]), and so is the number of locals and captured variables of a function.

use std::rc::Rc;

use super::lexer::{Lexer, SyntaxError, Token};
use super::machine::arithmetic;
use super::syntax::{
    Block, Capture, Expression, Field, Function, Link, Local, LocalId, Operator, Prefix, Statement, StatementKind,
    Suffix, Variable,
};

/// Levels of nesting.
const LEVELS_MAX: u32 = 200;
/// Local variables of a function at one place.
const LOCALS_MAX: usize = 200;
/// Variables of its surroundings that a function uses.
const CAPTURES_MAX: usize = 60;
/// How tightly an operator before its operand binds.
const PREFIX_PRIORITY: u8 = 8;

type Parsed<T> = Result<T, SyntaxError>;

/// Parses a whole script: a function without parameters.
pub fn parse(text: &[u8]) -> Parsed<Function> {
    let mut lexer = Lexer::new(text);
    let token = lexer.next_token()?;
    let line = lexer.line;
    let mut parser = Parser { line, last_line: line, lexer, token, ahead: None, scopes: Vec::new(), level: 0 };
    parser.scopes.push(Scope { is_variadic: true, ..Scope::default() });
    let body = parser.block()?;
    if parser.token != Token::End {
        return Err(parser.expected("<eof>"));
    }
    let last_line = parser.line;
    let scope = parser.scopes.pop().unwrap_or_default();
    Ok(scope.finish(0, None, body, 0, last_line))
}

/// A function that is being parsed.
#[derive(Default)]
struct Scope {
    locals: Vec<Local>,
    /// Those that are visible here, innermost last.
    visible: Vec<LocalId>,
    captures: Vec<Capture>,
    is_variadic: bool,
    uses_varargs: bool,
    loops: u32,
    line: u32,
}

impl Scope {
    fn finish(
        self,
        parameters: u32,
        argument_table: Option<LocalId>,
        body: Block,
        line: u32,
        last_line: u32,
    ) -> Function {
        Function {
            parameters,
            is_variadic: self.is_variadic,
            argument_table,
            locals: self.locals,
            captures: self.captures,
            body,
            line,
            last_line,
        }
    }

    fn find_visible(&self, name: &[u8]) -> Option<LocalId> {
        self.visible.iter().rev().copied().find(|id| *self.locals[*id as usize].name == *name)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    /// The token behind it, with the line of the first one.
    ahead: Option<Token>,
    /// The line of the token.
    line: u32,
    /// The line of the token before.
    last_line: u32,
    scopes: Vec<Scope>,
    level: u32,
}

impl Parser<'_> {
    fn advance(&mut self) -> Parsed<Token> {
        self.last_line = self.line;
        let next = match self.ahead.take() {
            Some(token) => token,
            None => self.lexer.next_token()?,
        };
        self.line = self.lexer.line;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn error(&self, message: impl AsRef<[u8]>) -> SyntaxError {
        self.lexer.error_near(message, &self.token)
    }

    fn expected(&self, what: &str) -> SyntaxError {
        self.error(format!("'{what}' expected"))
    }

    fn is(&self, fixed: &str) -> bool {
        matches!(&self.token, Token::Fixed(found) if *found == fixed)
    }

    fn accept(&mut self, fixed: &str) -> Parsed<bool> {
        let found = self.is(fixed);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, fixed: &str) -> Parsed<()> {
        if self.accept(fixed)? { Ok(()) } else { Err(self.expected(fixed)) }
    }

    /// The end of something that began with `open`.
    fn expect_close(&mut self, close: &str, open: &str, line: u32) -> Parsed<()> {
        if self.accept(close)? {
            return Ok(());
        }
        if line == self.lexer.line {
            return Err(self.expected(close));
        }
        Err(self.error(format!("'{close}' expected (to close '{open}' at line {line})")))
    }

    fn name(&mut self) -> Parsed<Rc<[u8]>> {
        if !matches!(self.token, Token::Name(_)) {
            return Err(self.expected("<name>"));
        }
        match self.advance()? {
            Token::Name(name) => Ok(name),
            _ => Err(self.expected("<name>")),
        }
    }

    fn enter(&mut self) -> Parsed<()> {
        self.level += 1;
        if self.level > LEVELS_MAX {
            let message = b"chunk has too many syntax levels".to_vec();
            return Err(SyntaxError { line: self.lexer.line, message });
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.level -= 1;
    }

    /// The function that is being parsed; there always is one.
    fn scope(&mut self) -> &mut Scope {
        match self.scopes.last_mut() {
            Some(scope) => scope,
            None => unreachable!("a parser is always in a function"),
        }
    }

    fn limit_error(&self, what: &str, max: usize) -> SyntaxError {
        let line = self.scopes.last().map_or(0, |scope| scope.line);
        let message = match line {
            0 => format!("main function has more than {max} {what}"),
            line => format!("function at line {line} has more than {max} {what}"),
        };
        SyntaxError { line: self.lexer.line, message: message.into_bytes() }
    }

    /// A new local, not visible yet.
    fn new_local(&mut self, name: Rc<[u8]>) -> LocalId {
        let scope = self.scope();
        scope.locals.push(Local { name, is_captured: false, is_assigned: false });
        (scope.locals.len() - 1) as LocalId
    }

    fn show(&mut self, id: LocalId) -> Parsed<()> {
        let scope = self.scope();
        scope.visible.push(id);
        if scope.visible.len() > LOCALS_MAX {
            return Err(self.limit_error("local variables", LOCALS_MAX));
        }
        Ok(())
    }

    fn resolve(&mut self, name: Rc<[u8]>) -> Parsed<Variable> {
        let innermost = self.scopes.len() - 1;
        self.resolve_in(innermost, &name).map(|found| found.unwrap_or(Variable::Global(name)))
    }

    /// Looks for a name from the inside to the outside; each function in between hands the variable on.
    fn resolve_in(&mut self, innermost: usize, name: &Rc<[u8]>) -> Parsed<Option<Variable>> {
        let Some(owner) = (0..=innermost).rev().find(|at| self.scopes[*at].find_visible(name).is_some()) else {
            return Ok(None);
        };
        let id = self.scopes[owner].find_visible(name).unwrap_or_default();
        let mut variable = Variable::Local(id);
        if owner < innermost {
            self.scopes[owner].locals[id as usize].is_captured = true;
        }
        for at in owner + 1..=innermost {
            let captures = &mut self.scopes[at].captures;
            let known = captures.iter().position(|capture| capture.from == variable);
            let number = known.unwrap_or_else(|| {
                captures.push(Capture { name: Rc::clone(name), from: variable.clone() });
                captures.len() - 1
            });
            if captures.len() > CAPTURES_MAX {
                return Err(self.limit_error("upvalues", CAPTURES_MAX));
            }
            variable = Variable::Upvalue(number as u8);
        }
        Ok(Some(variable))
    }

    fn ends_block(&self) -> bool {
        matches!(self.token, Token::End | Token::Fixed("else" | "elseif" | "end" | "until"))
    }

    /// Statements up to the end of the block; what they declare is gone behind it.
    fn block(&mut self) -> Parsed<Block> {
        let visible = self.scope().visible.len();
        let block = self.statements()?;
        self.scope().visible.truncate(visible);
        Ok(block)
    }

    fn statements(&mut self) -> Parsed<Block> {
        self.enter()?;
        let mut block = Block::new();
        while !self.ends_block() {
            let line = self.line;
            let is_definition = self.is("function");
            let kind = self.statement()?;
            let is_last = matches!(kind, StatementKind::Return(_) | StatementKind::Break);
            let last_line = if is_definition { line } else { self.last_line };
            block.push(Statement { kind, line, last_line });
            self.accept(";")?;
            if is_last {
                break;
            }
        }
        self.leave();
        Ok(block)
    }

    fn statement(&mut self) -> Parsed<StatementKind> {
        let line = self.line;
        let Token::Fixed(word) = self.token else { return self.expression_statement() };
        match word {
            "if" => self.if_statement(line),
            "while" => {
                self.advance()?;
                let condition = self.expression()?;
                self.expect("do")?;
                let body = self.loop_body()?;
                self.expect_close("end", "while", line)?;
                Ok(StatementKind::While(condition, body))
            }
            "do" => {
                self.advance()?;
                let body = self.block()?;
                self.expect_close("end", "do", line)?;
                Ok(StatementKind::Do(body))
            }
            "for" => self.for_statement(line),
            "repeat" => self.repeat_statement(line),
            "function" => self.function_statement(line),
            "local" => {
                self.advance()?;
                if self.accept("function")? { self.local_function(line) } else { self.local_statement() }
            }
            "return" => {
                self.advance()?;
                let is_empty = self.ends_block() || self.is(";");
                Ok(StatementKind::Return(if is_empty { Vec::new() } else { self.expressions()? }))
            }
            "break" => {
                self.advance()?;
                if self.scope().loops == 0 {
                    return Err(self.error("no loop to break"));
                }
                Ok(StatementKind::Break)
            }
            _ => self.expression_statement(),
        }
    }

    fn loop_body(&mut self) -> Parsed<Block> {
        self.scope().loops += 1;
        let body = self.block()?;
        self.scope().loops -= 1;
        Ok(body)
    }

    fn if_statement(&mut self, line: u32) -> Parsed<StatementKind> {
        let mut branches = Vec::new();
        loop {
            self.advance()?;
            let condition = self.expression()?;
            self.expect("then")?;
            branches.push((condition, self.block()?));
            if !self.is("elseif") {
                break;
            }
        }
        let otherwise = if self.accept("else")? { Some(self.block()?) } else { None };
        self.expect_close("end", "if", line)?;
        Ok(StatementKind::If(branches, otherwise))
    }

    fn repeat_statement(&mut self, line: u32) -> Parsed<StatementKind> {
        self.advance()?;
        let visible = self.scope().visible.len();
        self.scope().loops += 1;
        let body = self.statements()?;
        self.scope().loops -= 1;
        self.expect_close("until", "repeat", line)?;
        // The condition sees what the body declared.
        let condition = self.expression()?;
        self.scope().visible.truncate(visible);
        Ok(StatementKind::Repeat(body, condition))
    }

    fn for_statement(&mut self, line: u32) -> Parsed<StatementKind> {
        self.advance()?;
        let first = self.name()?;
        if self.is("=") {
            self.advance()?;
            let from = self.expression()?;
            self.expect(",")?;
            let to = self.expression()?;
            let step = if self.accept(",")? { self.expression()? } else { Expression::Number(1.0) };
            let id = self.new_local(first);
            let do_line = self.line;
            let body = self.for_body(&[id], line)?;
            return Ok(StatementKind::NumericFor(id, Box::new([from, to, step]), body, do_line));
        }
        if !self.is(",") && !self.is("in") {
            return Err(self.error("'=' or 'in' expected"));
        }
        let mut names = vec![first];
        while self.accept(",")? {
            names.push(self.name()?);
        }
        self.expect("in")?;
        let in_line = self.line;
        let values = self.expressions()?;
        let ids: Vec<LocalId> = names.into_iter().map(|name| self.new_local(name)).collect();
        let body = self.for_body(&ids, line)?;
        Ok(StatementKind::GenericFor(ids, values, body, in_line))
    }

    fn for_body(&mut self, ids: &[LocalId], line: u32) -> Parsed<Block> {
        self.expect("do")?;
        let visible = self.scope().visible.len();
        for id in ids {
            self.show(*id)?;
        }
        let body = self.loop_body()?;
        self.scope().visible.truncate(visible);
        self.expect_close("end", "for", line)?;
        Ok(body)
    }

    fn function_statement(&mut self, line: u32) -> Parsed<StatementKind> {
        self.advance()?;
        let name = self.name()?;
        let variable = self.resolve(name)?;
        let mut suffixes = Vec::new();
        let mut is_method = false;
        while !is_method && (self.is(".") || self.is(":")) {
            is_method = self.is(":");
            self.advance()?;
            suffixes.push(Suffix::Index(Expression::Text(self.name()?), line));
        }
        let mut target = Expression::Variable(variable);
        if suffixes.is_empty() {
            self.mark_assigned(&target);
        } else {
            target = Expression::Suffixed(Box::new(target), suffixes);
        }
        let function = self.function(is_method, line)?;
        Ok(StatementKind::Assign(vec![target], vec![Expression::Function(Rc::new(function))]))
    }

    fn local_function(&mut self, line: u32) -> Parsed<StatementKind> {
        let name = self.name()?;
        let id = self.new_local(name);
        self.show(id)?;
        let function = self.function(false, line)?;
        Ok(StatementKind::LocalFunction(id, Rc::new(function)))
    }

    fn local_statement(&mut self) -> Parsed<StatementKind> {
        let mut names = vec![self.name()?];
        while self.accept(",")? {
            names.push(self.name()?);
        }
        let values = if self.accept("=")? { self.expressions()? } else { Vec::new() };
        let mut ids = Vec::new();
        for name in names {
            let id = self.new_local(name);
            self.show(id)?;
            ids.push(id);
        }
        Ok(StatementKind::Local(ids, values))
    }

    /// An assignment or a call.
    fn expression_statement(&mut self) -> Parsed<StatementKind> {
        let first = self.suffixed()?;
        if !self.is("=") && !self.is(",") {
            let is_call = first.is_multiple() && !matches!(first, Expression::Varargs);
            return if is_call { Ok(StatementKind::Call(first)) } else { Err(self.not_a_statement(&first)) };
        }
        let mut targets = vec![first];
        while self.accept(",")? {
            targets.push(self.suffixed()?);
        }
        for target in &targets {
            if !is_assignable(target) {
                return Err(self.error("syntax error"));
            }
            self.mark_assigned(target);
        }
        self.expect("=")?;
        Ok(StatementKind::Assign(targets, self.expressions()?))
    }

    fn not_a_statement(&self, expression: &Expression) -> SyntaxError {
        if is_assignable(expression) { self.expected("=") } else { self.error("syntax error") }
    }

    fn mark_assigned(&mut self, target: &Expression) {
        let Expression::Variable(variable) = target else { return };
        let mut variable = variable.clone();
        for at in (0..self.scopes.len()).rev() {
            match variable {
                Variable::Local(id) => {
                    self.scopes[at].locals[id as usize].is_assigned = true;
                    return;
                }
                Variable::Upvalue(number) => variable = self.scopes[at].captures[number as usize].from.clone(),
                Variable::Global(_) => return,
            }
        }
    }

    fn expressions(&mut self) -> Parsed<Vec<Expression>> {
        let mut list = vec![self.expression()?];
        while self.accept(",")? {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.subexpression(0)
    }

    /// An operand, and all operators behind it that bind more tightly than `limit`.
    fn subexpression(&mut self, limit: u8) -> Parsed<Expression> {
        self.enter()?;
        let prefix = match &self.token {
            Token::Fixed("not") => Some(Prefix::Not),
            Token::Fixed("-") => Some(Prefix::Negate),
            Token::Fixed("#") => Some(Prefix::Length),
            _ => None,
        };
        let mut left = match prefix {
            Some(prefix) => {
                self.advance()?;
                match (prefix, self.subexpression(PREFIX_PRIORITY)?) {
                    (Prefix::Negate, operand) if let Some(number) = operand.numeral() => Expression::Number(-number),
                    (prefix, operand) => Expression::Prefixed(prefix, Box::new(operand), self.last_line),
                }
            }
            None => self.simple()?,
        };
        while let Token::Fixed(symbol) = self.token
            && let Some((before, behind)) = priorities(symbol)
            && before > limit
        {
            self.advance()?;
            let right = self.subexpression(behind)?;
            // Errors of an operator are where its right side ends.
            left = combine(symbol, left, right, self.last_line);
        }
        self.leave();
        Ok(left)
    }

    fn simple(&mut self) -> Parsed<Expression> {
        let simple = match &self.token {
            Token::Number(number) => Expression::Number(*number),
            Token::Text(text) => Expression::Text(Rc::clone(text)),
            Token::Fixed("nil") => Expression::Nil,
            Token::Fixed("true") => Expression::Boolean(true),
            Token::Fixed("false") => Expression::Boolean(false),
            Token::Fixed("...") => {
                if !self.scope().is_variadic {
                    return Err(self.error("cannot use '...' outside a vararg function"));
                }
                self.scope().uses_varargs = true;
                Expression::Varargs
            }
            Token::Fixed("{") => return self.table(),
            Token::Fixed("function") => {
                let line = self.line;
                self.advance()?;
                return Ok(Expression::Function(Rc::new(self.function(false, line)?)));
            }
            _ => return self.suffixed(),
        };
        self.advance()?;
        Ok(simple)
    }

    /// A name or something in parentheses, and everything that is taken from it.
    fn suffixed(&mut self) -> Parsed<Expression> {
        let first = match &self.token {
            Token::Name(name) => {
                let name = Rc::clone(name);
                self.advance()?;
                Expression::Variable(self.resolve(name)?)
            }
            Token::Fixed("(") => {
                let line = self.line;
                self.advance()?;
                let inner = self.expression()?;
                self.expect_close(")", "(", line)?;
                Expression::Parenthesised(Box::new(inner))
            }
            _ => return Err(self.error("unexpected symbol")),
        };
        let mut suffixes = Vec::new();
        loop {
            let line = self.line;
            match &self.token {
                Token::Fixed(".") => {
                    self.advance()?;
                    suffixes.push(Suffix::Index(Expression::Text(self.name()?), line));
                }
                Token::Fixed("[") => {
                    self.advance()?;
                    let key = self.expression()?;
                    self.expect("]")?;
                    suffixes.push(Suffix::Index(key, line));
                }
                Token::Fixed(":") => {
                    self.advance()?;
                    let name = self.name()?;
                    let arguments = self.arguments()?;
                    suffixes.push(Suffix::Method(name, arguments, line));
                }
                Token::Fixed("(" | "{") | Token::Text(_) => {
                    let arguments = self.arguments()?;
                    suffixes.push(Suffix::Call(arguments, line));
                }
                _ => break,
            }
        }
        Ok(if suffixes.is_empty() { first } else { Expression::Suffixed(Box::new(first), suffixes) })
    }

    fn arguments(&mut self) -> Parsed<Vec<Expression>> {
        let line = self.line;
        match &self.token {
            Token::Text(text) => {
                let text = Expression::Text(Rc::clone(text));
                self.advance()?;
                Ok(vec![text])
            }
            Token::Fixed("{") => Ok(vec![self.table()?]),
            Token::Fixed("(") => {
                if line != self.last_line {
                    return Err(self.error("ambiguous syntax (function call x new statement)"));
                }
                self.advance()?;
                let arguments = if self.is(")") { Vec::new() } else { self.expressions()? };
                self.expect_close(")", "(", line)?;
                Ok(arguments)
            }
            _ => Err(self.error("function arguments expected")),
        }
    }

    fn table(&mut self) -> Parsed<Expression> {
        let line = self.line;
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.is("}") {
            if self.is("[") {
                self.advance()?;
                let key = self.expression()?;
                self.expect("]")?;
                self.expect("=")?;
                let value = self.expression()?;
                fields.push(Field::Pair(key, value, self.last_line));
            } else if self.is_named_field()? {
                let key = Expression::Text(self.name()?);
                self.expect("=")?;
                let value = self.expression()?;
                fields.push(Field::Pair(key, value, self.last_line));
            } else {
                fields.push(Field::Item(self.expression()?));
            }
            if !self.accept(",")? && !self.accept(";")? {
                break;
            }
        }
        self.expect_close("}", "{", line)?;
        Ok(Expression::Table(fields, line))
    }

    /// Whether a name and `=` come next.
    fn is_named_field(&mut self) -> Parsed<bool> {
        let Token::Name(name) = &self.token else { return Ok(false) };
        let name = Rc::clone(name);
        if self.ahead.is_none() {
            self.ahead = Some(self.lexer.next_token()?);
        }
        self.token = Token::Name(name);
        Ok(self.ahead == Some(Token::Fixed("=")))
    }

    /// Parameters and body, up to `end`.
    fn function(&mut self, is_method: bool, line: u32) -> Parsed<Function> {
        self.enter()?;
        self.scopes.push(Scope { line, ..Scope::default() });
        if is_method {
            let id = self.new_local((*b"self").into());
            self.show(id)?;
        }
        self.expect("(")?;
        while !self.is(")") {
            if self.is("...") {
                self.advance()?;
                self.scope().is_variadic = true;
                break;
            }
            let name = self.name()?;
            let id = self.new_local(name);
            self.show(id)?;
            if !self.accept(",")? {
                break;
            }
            if self.is(")") {
                return Err(self.error("<name> or '...' expected"));
            }
        }
        self.expect(")")?;
        let parameters = self.scope().locals.len() as u32;
        let argument_table = match self.scope().is_variadic {
            true => {
                let id = self.new_local((*b"arg").into());
                self.show(id)?;
                Some(id)
            }
            false => None,
        };
        let body = self.block()?;
        let last_line = self.line;
        self.expect_close("end", "function", line)?;
        self.leave();
        let scope = self.scopes.pop().unwrap_or_default();
        let argument_table = argument_table.filter(|_| !scope.uses_varargs);
        Ok(scope.finish(parameters, argument_table, body, line, last_line))
    }
}

fn is_assignable(target: &Expression) -> bool {
    match target {
        Expression::Variable(_) => true,
        Expression::Suffixed(_, suffixes) => matches!(suffixes.last(), Some(Suffix::Index(..))),
        _ => false,
    }
}

/// How tightly an operator binds to the left, and to the right.
fn priorities(symbol: &str) -> Option<(u8, u8)> {
    Some(match symbol {
        "or" => (1, 1),
        "and" => (2, 2),
        "<" | ">" | "<=" | ">=" | "~=" | "==" => (3, 3),
        ".." => (5, 4),
        "+" | "-" => (6, 6),
        "*" | "/" | "%" => (7, 7),
        "^" => (10, 9),
        _ => return None,
    })
}

fn combine(symbol: &str, left: Expression, right: Expression, line: u32) -> Expression {
    match symbol {
        "and" => match left {
            Expression::And(mut parts) => {
                parts.push(right);
                Expression::And(parts)
            }
            left => Expression::And(vec![left, right]),
        },
        "or" => match left {
            Expression::Or(mut parts) => {
                parts.push(right);
                Expression::Or(parts)
            }
            left => Expression::Or(vec![left, right]),
        },
        ".." => match right {
            Expression::Concatenation(mut parts, line) => {
                parts.insert(0, left);
                Expression::Concatenation(parts, line)
            }
            right => Expression::Concatenation(vec![left, right], line),
        },
        symbol => {
            let link = Link { operator: operator(symbol), right, line };
            if let Some(number) = folded(&left, &link) {
                return Expression::Number(number);
            }
            match left {
                Expression::Chain(first, mut links) => {
                    links.push(link);
                    Expression::Chain(first, links)
                }
                left => Expression::Chain(Box::new(left), vec![link]),
            }
        }
    }
}

/// What is known already of two numbers; what Lua leaves to be computed is left here, too.
fn folded(left: &Expression, link: &Link) -> Option<f64> {
    let (left, right) = (left.numeral()?, link.right.numeral()?);
    let divides = matches!(link.operator, Operator::Divide | Operator::Modulo);
    if link.operator.is_comparison() || (divides && right == 0.0) {
        return None;
    }
    Some(arithmetic::apply(link.operator, left, right)).filter(|result| !result.is_nan())
}

fn operator(symbol: &str) -> Operator {
    match symbol {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "^" => Operator::Power,
        "==" => Operator::Equal,
        "~=" => Operator::Unequal,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        _ => Operator::GreaterOrEqual,
    }
}
