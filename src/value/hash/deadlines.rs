//! When fields expire: for each field that does its deadline, and the fields in the order of their deadlines.
//!
//! A hash has one of these only while any of its fields has a deadline. It knows no time: whoever does asks for the
//! fields that are due.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What a field costs beside its name: both indexes, and the head of the shared name.
const FIELD_BYTES: usize = 96;

/// See the module's text. Deadlines are Unix time in ms, to the caller.
#[derive(Clone, Default)]
pub struct Deadlines {
    by_field: HashMap<Arc<[u8]>, u64>,
    in_order: BTreeSet<(u64, Arc<[u8]>)>,
    name_bytes: usize,
}

impl Deadlines {
    /// Fields that have one.
    pub fn len(&self) -> usize {
        self.by_field.len()
    }

    /// A field's deadline.
    pub fn get(&self, field: &[u8]) -> Option<u64> {
        self.by_field.get(field).copied()
    }

    /// The earliest of all.
    pub fn earliest(&self) -> Option<u64> {
        self.in_order.first().map(|(deadline, _)| *deadline)
    }

    /// Gives a field a deadline in place of the one it has.
    pub fn set(&mut self, field: &[u8], deadline: u64) {
        let name = match self.by_field.get_key_value(field) {
            Some((name, old)) => {
                let (name, old) = (name.clone(), *old);
                self.in_order.remove(&(old, name.clone()));
                name
            }
            None => {
                self.name_bytes += field.len();
                Arc::from(field)
            }
        };
        self.by_field.insert(name.clone(), deadline);
        self.in_order.insert((deadline, name));
    }

    /// Takes a field's deadline away; false if it has none.
    pub fn clear(&mut self, field: &[u8]) -> bool {
        let Some((name, deadline)) = self.by_field.remove_entry(field) else { return false };
        self.name_bytes -= name.len();
        self.in_order.remove(&(deadline, name));
        true
    }

    /// Some field whose deadline is before `now`.
    pub fn first_before(&self, now: u64) -> Option<Arc<[u8]>> {
        let (deadline, name) = self.in_order.first()?;
        (*deadline < now).then(|| name.clone())
    }

    /// About what it holds from the allocator, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.len() * FIELD_BYTES + self.name_bytes
    }
}
