//! `+ - * / % ^`, on numbers and on strings that read as numbers.

use super::super::syntax::Operator;
use super::super::value::{ScriptError, Value};

#[inline(always)]
pub(in crate::engine::script) fn apply(operator: Operator, a: f64, b: f64) -> f64 {
    match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Modulo => a - (a / b).floor() * b,
        _ => a.powf(b),
    }
}

/// With strings read as numbers; the first operand that is none is to blame.
#[cold]
pub(super) fn apply_to_values(operator: Operator, a: &Value, b: &Value) -> Result<f64, ScriptError> {
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => Ok(apply(operator, a, b)),
        (None, _) => Err(ScriptError::Operand("perform arithmetic on", false, a.type_name())),
        (_, None) => Err(ScriptError::Operand("perform arithmetic on", true, b.type_name())),
    }
}
