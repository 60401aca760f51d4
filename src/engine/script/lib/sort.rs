//! `table.sort`: the quicksort of Lua 5.1, comparison for comparison.
//!
//! Sorting is not stable, and scripts reply with what it leaves: equal elements have to end in the same places. The
//! pivot is the median of the first, the middle and the last element and waits at the last place but one; two indices
//! run towards each other; the smaller part is sorted first, so that parts wait no deeper than the logarithm of the
//! length. An order that contradicts itself lets an index run out of its part, which is an error.

#[cfg(test)]
mod tests;

use super::super::value::{Host, ScriptError, Table, Value};
use super::{set, without_position};

/// Sorts the elements 1 to n by `order(a, b)`, or by `<`.
pub fn sort(host: &mut dyn Host, table: &Table, order: Option<&Value>) -> Result<(), ScriptError> {
    let mut sorting = Sorting { host, table, order };
    let mut parts = vec![(1, table.length())];
    while let Some((first, last)) = parts.pop() {
        if let Some((smaller, larger)) = sorting.split(first, last)? {
            parts.push(larger);
            parts.push(smaller);
        }
    }
    Ok(())
}

struct Sorting<'a> {
    host: &'a mut dyn Host,
    table: &'a Table,
    order: Option<&'a Value>,
}

type Part = (usize, usize);

impl Sorting<'_> {
    /// Brings one element of the part to its place, and returns the smaller and the larger part beside it; none where
    /// the part is in order.
    fn split(&mut self, first: usize, last: usize) -> Result<Option<(Part, Part)>, ScriptError> {
        if first >= last {
            return Ok(None);
        }
        self.order_pair(first, last)?;
        if last - first == 1 {
            return Ok(None);
        }
        let middle = (first + last) / 2;
        if !self.order_pair(first, middle)? {
            self.order_pair(middle, last)?;
        }
        if last - first == 2 {
            return Ok(None);
        }
        let pivot = self.get(middle);
        self.swap(middle, last - 1)?;
        let (mut low, mut high) = (first, last - 1);
        loop {
            low += 1;
            while self.less(&self.get(low), &pivot)? {
                if low > last {
                    return Err(ScriptError::message(INVALID_ORDER));
                }
                low += 1;
            }
            high -= 1;
            while self.less(&pivot, &self.get(high))? {
                if high < first {
                    return Err(ScriptError::message(INVALID_ORDER));
                }
                high -= 1;
            }
            if high < low {
                break;
            }
            self.swap(low, high)?;
        }
        self.swap(last - 1, low)?;
        let (left, right) = ((first, low - 1), (low + 1, last));
        Ok(Some(if low - first < last.saturating_sub(low) { (left, right) } else { (right, left) }))
    }

    /// Swaps two elements that are in the wrong order, and says whether they were.
    fn order_pair(&mut self, low: usize, high: usize) -> Result<bool, ScriptError> {
        let wrong = self.less(&self.get(high), &self.get(low))?;
        if wrong {
            self.swap(low, high)?;
        }
        Ok(wrong)
    }

    fn get(&self, at: usize) -> Value {
        self.table.get_index(at)
    }

    fn swap(&mut self, a: usize, b: usize) -> Result<(), ScriptError> {
        let (at_a, at_b) = (self.get(a), self.get(b));
        set(self.table, Value::Number(a as f64), at_b)?;
        set(self.table, Value::Number(b as f64), at_a)
    }

    fn less(&mut self, a: &Value, b: &Value) -> Result<bool, ScriptError> {
        self.host.tick(1)?;
        match self.order {
            Some(order) => {
                let results = self.host.call(order, &[a.clone(), b.clone()])?;
                Ok(results.first().is_some_and(Value::is_true))
            }
            None => less_than(a, b),
        }
    }
}

const INVALID_ORDER: &str = "invalid order function for sorting";

/// `a < b` of two numbers or two strings.
pub fn less_than(a: &Value, b: &Value) -> Result<bool, ScriptError> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Ok(a < b),
        (Value::Text(a), Value::Text(b)) => Ok(a[..] < b[..]),
        _ => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(without_position(if a == b {
                format!("attempt to compare two {a} values")
            } else {
                format!("attempt to compare {a} with {b}")
            }))
        }
    }
}
