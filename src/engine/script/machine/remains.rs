//! What a run leaves: tables and cells, some of which may refer to each other in circles.
//!
//! A script's are all emptied when it has ended. Those of libraries live on for as long as a function can come at them:
//! [`Remains::collect`] follows the references from the functions, and empties what it did not meet.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::{Rc, Weak};

use super::super::table::WeakTable;
use super::super::value::{Value, freed};
use super::CELL_BYTES;

/// The tables and cells of a run that has ended: they may refer to each other in circles, and are emptied when this goes.
#[must_use]
#[derive(Default)]
pub struct Remains {
    pub(super) tables: Vec<WeakTable>,
    pub(super) cells: Vec<Weak<RefCell<Value>>>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        freed(self.cells.len() * CELL_BYTES);
        for table in &self.tables {
            table.clear();
        }
        for cell in &self.cells {
            if let Some(cell) = cell.upgrade() {
                let value = cell.take();
                drop(value);
            }
        }
    }
}

impl Remains {
    /// Those of several runs.
    pub fn join(&mut self, mut other: Remains) {
        self.tables.append(&mut other.tables);
        self.cells.append(&mut other.cells);
    }

    /// How many tables and cells there are, or were.
    pub fn len(&self) -> usize {
        self.tables.len() + self.cells.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what is gone.
    pub fn forget_freed(&mut self) {
        self.tables.retain(|table| !table.is_gone());
        let before = self.cells.len();
        self.cells.retain(|cell| cell.strong_count() > 0);
        freed((before - self.cells.len()) * CELL_BYTES);
    }

    /// Forgets what is gone, and empties what cannot be reached from these values: circles of tables and functions.
    pub fn collect<'v>(&mut self, roots: impl Iterator<Item = &'v Value>) {
        let reached = reach(roots);
        self.tables.retain(|table| match reached.contains(&table.address()) {
            true => true,
            false => {
                table.clear();
                !table.is_gone()
            }
        });
        let before = self.cells.len();
        self.cells.retain(|cell| match reached.contains(&cell.as_ptr().addr()) {
            true => true,
            false => {
                drop(cell.upgrade().map(|cell| cell.take()));
                cell.strong_count() > 0
            }
        });
        freed((before - self.cells.len()) * CELL_BYTES);
    }
}

/// The addresses of all tables, functions and cells that can be come at from these values.
fn reach<'v>(roots: impl Iterator<Item = &'v Value>) -> HashSet<usize> {
    let mut reached = HashSet::new();
    let mut next: Vec<Value> = roots.cloned().collect();
    while let Some(value) = next.pop() {
        match &value {
            Value::Table(table) if reached.insert(table.address()) => {
                let mut position = 0;
                while let Some((behind, key, value)) = table.entry_from(position) {
                    next.extend([key, value].into_iter().filter(refers));
                    position = behind;
                }
            }
            Value::Function(closure) if reached.insert(value.address()) => {
                next.extend(closure.upvalues.iter().map(|cell| Value::Cell(Rc::clone(cell))));
            }
            Value::Cell(cell) if reached.insert(Rc::as_ptr(cell).addr()) => {
                next.extend(Some(cell.borrow().clone()).filter(refers));
            }
            _ => {}
        }
    }
    reached
}

/// Whether a value refers to others.
fn refers(value: &Value) -> bool {
    matches!(value, Value::Table(_) | Value::Function(_) | Value::Cell(_))
}
