//! A script's syntax tree, with names resolved.
//!
//! Chains (`a + b - c`, `x.y[z](1)`) are lists, not nested nodes: however long a script makes them, walking and freeing
//! the tree is no deeper than the parser's limit of levels.

use std::rc::Rc;

/// A local variable, numbered within its function.
pub type LocalId = u32;

/// Where a variable lives.
#[derive(Debug, Clone, PartialEq)]
pub enum Variable {
    /// In the function's frame.
    Local(LocalId),
    /// In a surrounding function: the number in the closure's list.
    Upvalue(u8),
    /// In the table of globals.
    Global(Rc<[u8]>),
}

/// What `..` and `+` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `^`
    Power,
    /// `==`
    Equal,
    /// `~=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// Whether the result is a truth.
    pub fn is_comparison(self) -> bool {
        !matches!(
            self,
            Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Modulo
                | Operator::Power
        )
    }
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `-`
    Negate,
    /// `not`
    Not,
    /// `#`
    Length,
}

/// An operator with its right side.
#[derive(Debug)]
pub struct Link {
    /// What is done.
    pub operator: Operator,
    /// To what.
    pub right: Expression,
    /// Where its right side ends.
    pub line: u32,
}

/// What stands behind an expression.
#[derive(Debug)]
pub enum Suffix {
    /// `.name` or `[key]`
    Index(Expression, u32),
    /// `(…)`
    Call(Vec<Expression>, u32),
    /// `:name(…)`
    Method(Rc<[u8]>, Vec<Expression>, u32),
}

/// Something with a value.
#[derive(Debug)]
pub enum Expression {
    /// `nil`
    Nil,
    /// `true`, `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(Rc<[u8]>),
    /// `...`
    Varargs,
    /// A function.
    Function(Rc<Function>),
    /// A variable.
    Variable(Variable),
    /// A variable or an expression in parentheses, and what is taken from it.
    Suffixed(Box<Expression>, Vec<Suffix>),
    /// `(…)`: one value, whatever is inside.
    Parenthesised(Box<Expression>),
    /// From left to right.
    Chain(Box<Expression>, Vec<Link>),
    /// `a .. b .. c`
    Concatenation(Vec<Expression>, u32),
    /// `a and b and c`
    And(Vec<Expression>),
    /// `a or b or c`
    Or(Vec<Expression>),
    /// An operator before its operand.
    Prefixed(Prefix, Box<Expression>, u32),
    /// `{…}`
    Table(Vec<Field>, u32),
}

impl Expression {
    /// The number that it is, if it is nothing else.
    pub fn numeral(&self) -> Option<f64> {
        match self {
            Expression::Number(number) => Some(*number),
            Expression::Parenthesised(inner) => inner.numeral(),
            _ => None,
        }
    }

    /// Without the parentheses around it.
    pub fn bare(&self) -> &Expression {
        match self {
            Expression::Parenthesised(inner) => inner.bare(),
            other => other,
        }
    }

    /// Its truth, where that needs no look at anything.
    pub fn constant_truth(&self) -> Option<bool> {
        match self {
            Expression::Nil | Expression::Boolean(false) => Some(false),
            Expression::Boolean(true) | Expression::Number(_) | Expression::Text(_) => Some(true),
            Expression::Parenthesised(inner) => inner.constant_truth(),
            _ => None,
        }
    }

    /// Whether it may have any number of values.
    pub fn is_multiple(&self) -> bool {
        match self {
            Expression::Varargs => true,
            Expression::Suffixed(_, suffixes) => {
                matches!(suffixes.last(), Some(Suffix::Call(..) | Suffix::Method(..)))
            }
            _ => false,
        }
    }
}

/// A part of a table constructor.
#[derive(Debug)]
pub enum Field {
    /// `value`
    Item(Expression),
    /// `key = value`, `[key] = value`, and the line where the value ends.
    Pair(Expression, Expression, u32),
}

/// A statement, and the lines of its first and its last token.
#[derive(Debug)]
pub struct Statement {
    /// What is to be done.
    pub kind: StatementKind,
    /// From 1.
    pub line: u32,
    /// Where what it assigns is stored.
    pub last_line: u32,
}

/// Where the `do` of a loop stands, or what comes behind its `in`.
pub type LoopLine = u32;

/// Statements in a scope of their own.
pub type Block = Vec<Statement>;

/// What is to be done.
#[derive(Debug)]
pub enum StatementKind {
    /// `local a, b = …`
    Local(Vec<LocalId>, Vec<Expression>),
    /// `local function f`
    LocalFunction(LocalId, Rc<Function>),
    /// `a, b.c = …`
    Assign(Vec<Expression>, Vec<Expression>),
    /// A call whose results nobody wants.
    Call(Expression),
    /// `do … end`
    Do(Block),
    /// `while … do … end`
    While(Expression, Block),
    /// `repeat … until …`
    Repeat(Block, Expression),
    /// `if … elseif … else … end`
    If(Vec<(Expression, Block)>, Option<Block>),
    /// `for i = a, b, c do … end`
    NumericFor(LocalId, Box<[Expression; 3]>, Block, LoopLine),
    /// `for k, v in … do … end`
    GenericFor(Vec<LocalId>, Vec<Expression>, Block, LoopLine),
    /// `return …`
    Return(Vec<Expression>),
    /// `break`
    Break,
}

/// A local variable.
#[derive(Debug)]
pub struct Local {
    /// For messages.
    pub name: Rc<[u8]>,
    /// A function inside of its own uses it: it lives in a cell.
    pub is_captured: bool,
    /// Something is assigned to it behind its declaration.
    pub is_assigned: bool,
}

/// A variable of a surrounding function.
#[derive(Debug, Clone)]
pub struct Capture {
    /// For messages.
    pub name: Rc<[u8]>,
    /// A local of the function around, or one that it captured itself.
    pub from: Variable,
}

/// A function.
#[derive(Debug)]
pub struct Function {
    /// The first of the locals.
    pub parameters: u32,
    /// Its last parameter is `...`.
    pub is_variadic: bool,
    /// The local `arg`, where `...` is declared and never used.
    pub argument_table: Option<LocalId>,
    /// All of its local variables.
    pub locals: Vec<Local>,
    /// What it uses of its surroundings.
    pub captures: Vec<Capture>,
    /// What it does.
    pub body: Block,
    /// Where it begins.
    pub line: u32,
    /// Where its `end` stands.
    pub last_line: u32,
}
