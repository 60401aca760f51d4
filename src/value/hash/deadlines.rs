//! When fields expire: the fields that do, in the order of their deadlines, and for each its deadline.
//!
//! A hash has one of these only while any of its fields has a deadline. Up to [`FEW`] of them are a sorted vector; more
//! have an index each way. It knows no time: whoever does asks for the fields that are due.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// As many as are searched one by one.
const FEW: usize = 32;
/// What a field costs beside its name in a vector: its place, and the head of the shared name.
const FEW_FIELD_BYTES: usize = size_of::<(u64, Arc<[u8]>)>() + 16;
/// The same in both indexes, about.
const FIELD_BYTES: usize = 96;

#[derive(Clone)]
enum Index {
    /// In ascending order.
    Few(Vec<(u64, Arc<[u8]>)>),
    Many {
        by_field: HashMap<Arc<[u8]>, u64>,
        in_order: BTreeSet<(u64, Arc<[u8]>)>,
    },
}

/// See the module's text. Deadlines are Unix time in ms, to the caller.
#[derive(Clone)]
pub struct Deadlines {
    index: Index,
    name_bytes: usize,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines { index: Index::Few(Vec::new()), name_bytes: 0 }
    }
}

impl Deadlines {
    /// Fields that have one.
    pub fn len(&self) -> usize {
        match &self.index {
            Index::Few(fields) => fields.len(),
            Index::Many { by_field, .. } => by_field.len(),
        }
    }

    /// A field's deadline.
    pub fn get(&self, field: &[u8]) -> Option<u64> {
        match &self.index {
            Index::Few(fields) => fields.iter().find(|(_, name)| **name == *field).map(|(deadline, _)| *deadline),
            Index::Many { by_field, .. } => by_field.get(field).copied(),
        }
    }

    fn first(&self) -> Option<&(u64, Arc<[u8]>)> {
        match &self.index {
            Index::Few(fields) => fields.first(),
            Index::Many { in_order, .. } => in_order.first(),
        }
    }

    /// The earliest of all.
    #[inline]
    pub fn earliest(&self) -> Option<u64> {
        self.first().map(|(deadline, _)| *deadline)
    }

    /// Some field whose deadline is before `now`.
    pub fn first_before(&self, now: u64) -> Option<Arc<[u8]>> {
        self.first().filter(|(deadline, _)| *deadline < now).map(|(_, name)| name.clone())
    }

    /// Gives a field a deadline in place of the one it has.
    pub fn set(&mut self, field: &[u8], deadline: u64) {
        let name = self.take(field).unwrap_or_else(|| Arc::from(field));
        self.name_bytes += name.len();
        if let Index::Few(fields) = &mut self.index {
            if fields.len() < FEW {
                let entry = (deadline, name);
                let place = fields.partition_point(|other| *other < entry);
                return fields.insert(place, entry);
            }
            let in_order: BTreeSet<_> = std::mem::take(fields).into_iter().collect();
            let by_field = in_order.iter().map(|(deadline, name)| (name.clone(), *deadline)).collect();
            self.index = Index::Many { by_field, in_order };
        }
        if let Index::Many { by_field, in_order } = &mut self.index {
            by_field.insert(name.clone(), deadline);
            in_order.insert((deadline, name));
        }
    }

    /// Takes a field's deadline away; false if it has none.
    pub fn clear(&mut self, field: &[u8]) -> bool {
        self.take(field).is_some()
    }

    /// Takes a field out, and returns its name.
    fn take(&mut self, field: &[u8]) -> Option<Arc<[u8]>> {
        let name = match &mut self.index {
            Index::Few(fields) => {
                let place = fields.iter().position(|(_, name)| **name == *field)?;
                fields.remove(place).1
            }
            Index::Many { by_field, in_order } => {
                let (name, deadline) = by_field.remove_entry(field)?;
                in_order.take(&(deadline, name))?.1
            }
        };
        self.name_bytes -= name.len();
        Some(name)
    }

    /// About what it holds from the allocator, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let each = if let Index::Few(_) = self.index { FEW_FIELD_BYTES } else { FIELD_BYTES };
        self.len() * each + self.name_bytes
    }
}
