//! The hash: fields with values.
//!
//! Packed form: see [`pairs`]. Beyond the limits (128 pairs, 64 bytes for a field or a value) the hash becomes a
//! [`HashTable`], and stays one.
//!
//! Big form: a [`Table`] of one allocation per pair, `[field length: varint][field][value]`. A hash any of whose fields
//! is to expire takes this form, too, with the [`Deadlines`] beside the table: others pay nothing for them.
//!
//! [`Hash`] reads and [`HashMut`] changes a hash in either form. Absent: what happens to an empty hash (its key goes,
//! which is the caller's business).

mod deadlines;
mod pairs;

use std::sync::Arc;

use self::deadlines::Deadlines;
use super::packed::{Form, Home, PackedLimits, random_index, read_varint, string_at, write_varint};
use super::table::{Basis, Entry, Table};
use super::thin::Thin;

/// The packed form of a hash without pairs.
pub const EMPTY: &[u8] = pairs::EMPTY;

/// The name of a hash's form, as OBJECT ENCODING tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Packed bytes.
    Listpack,
    /// A hash table.
    Hashtable,
}

/// A pair of the big form: `[field length: varint][field][value]`.
#[derive(Clone)]
struct Pair(Thin);

impl Pair {
    fn new(field: &[u8], value: &[u8]) -> Pair {
        Pair(Thin::from_parts(&[&write_varint(field.len()), field, value]))
    }

    #[inline]
    fn field(&self) -> &[u8] {
        let bytes = &self.0[..];
        let (start, end) = string_at(bytes, 0);
        &bytes[start..end]
    }

    #[inline]
    fn parts(&self) -> (&[u8], &[u8]) {
        let bytes = &self.0[..];
        let (len, start) = read_varint(bytes, 0);
        bytes[start..].split_at(len)
    }
}

impl Entry for Pair {
    fn hash(&self, basis: &Basis) -> u64 {
        basis.hash(self.field())
    }
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

/// The big form. A clone is a snapshot that shares what neither side changes.
#[derive(Clone)]
pub struct HashTable {
    pairs: Table<Pair>,
    /// Allocations of the pairs, in bytes.
    pair_bytes: usize,
    /// Where any field has a deadline.
    deadlines: Option<Arc<Deadlines>>,
}

impl HashTable {
    /// A table without pairs.
    pub fn new(basis: &Basis) -> HashTable {
        HashTable { pairs: Table::new(basis.clone()), pair_bytes: 0, deadlines: None }
    }

    /// The table of a packed hash.
    pub fn from_packed(packed: &[u8], basis: &Basis) -> HashTable {
        let mut table = HashTable::new(basis);
        for (field, value) in pairs::iter(packed) {
            table.add(basis.hash(field), field, value);
        }
        table
    }

    /// Adds a pair; false, and nothing happens, if the field is there already.
    pub fn insert_new(&mut self, field: &[u8], value: &[u8]) -> bool {
        let hash = self.pairs.basis().hash(field);
        let is_new = self.pairs.find(hash, |pair| pair.field() == field).is_none();
        if is_new {
            self.add(hash, field, value);
        }
        is_new
    }

    fn find(&self, field: &[u8]) -> Option<&Pair> {
        self.pairs.find(self.pairs.basis().hash(field), |pair| pair.field() == field)
    }

    /// Adds a pair whose field is not in the table yet.
    fn add(&mut self, hash: u64, field: &[u8], value: &[u8]) {
        let pair = Pair::new(field, value);
        self.pair_bytes += pair.0.heap_bytes();
        self.pairs.insert(hash, pair);
    }

    fn update<V: AsRef<[u8]>, E>(
        &mut self,
        field: &[u8],
        change: impl FnOnce(Option<&[u8]>) -> Result<V, E>,
    ) -> Result<bool, E> {
        let hash = self.pairs.basis().hash(field);
        if let Some(pair) = self.pairs.find_mut(hash, |pair| pair.field() == field) {
            let old = pair.parts().1;
            let (at, len) = (pair.0.len() - old.len(), old.len());
            let value = change(Some(old))?;
            let before = pair.0.heap_bytes();
            pair.0.splice(at, len, &[value.as_ref()]);
            self.pair_bytes = self.pair_bytes - before + pair.0.heap_bytes();
            return Ok(false);
        }
        let value = change(None)?;
        self.add(hash, field, value.as_ref());
        Ok(true)
    }

    fn remove(&mut self, field: &[u8]) -> bool {
        let hash = self.pairs.basis().hash(field);
        let Some(pair) = self.pairs.remove(hash, |pair| pair.field() == field) else { return false };
        self.pair_bytes -= pair.0.heap_bytes();
        self.clear_deadline(field);
        true
    }

    /// The earliest deadline of any field.
    #[inline]
    pub fn earliest_deadline(&self) -> Option<u64> {
        self.deadlines.as_ref()?.earliest()
    }

    /// Gives a field a deadline; nothing happens without the field.
    pub fn set_deadline(&mut self, field: &[u8], deadline: u64) {
        if self.find(field).is_some() {
            Arc::make_mut(self.deadlines.get_or_insert_default()).set(field, deadline);
        }
    }

    /// Takes a field's deadline away; false if it has none.
    fn clear_deadline(&mut self, field: &[u8]) -> bool {
        let Some(deadlines) = &mut self.deadlines else { return false };
        let cleared = deadlines.get(field).is_some() && Arc::make_mut(deadlines).clear(field);
        if deadlines.len() == 0 {
            self.deadlines = None;
        }
        cleared
    }

    /// Removes a field whose deadline is before `now`, and returns its name.
    fn remove_due(&mut self, now: u64) -> Option<Arc<[u8]>> {
        let field = self.deadlines.as_ref()?.first_before(now)?;
        self.remove(&field);
        Some(field)
    }

    /// Bytes held from the allocator.
    pub fn heap_bytes(&self) -> usize {
        self.pairs.heap_bytes()
            + self.pair_bytes
            + self.deadlines.as_ref().map_or(0, |deadlines| deadlines.heap_bytes())
    }
}

/// Appends the packed form of pairs with distinct fields to `out`; false, and nothing happens, where the limits want a
/// table.
pub fn pack<'a>(
    pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    limits: &PackedLimits,
    out: &mut Vec<u8>,
) -> bool {
    let (mut count, mut bytes) = (0, 0);
    for (field, value) in pairs.clone() {
        count += 1;
        bytes += field.len() + value.len();
        if field.len() > limits.value_bytes || value.len() > limits.value_bytes || !limits.admit(count, bytes) {
            return false;
        }
    }
    pairs::pack(pairs, out);
    true
}

/// A hash to be read.
#[derive(Clone, Copy)]
pub struct Hash<'a>(&'a [u8], Option<&'a HashTable>);

impl<'a> Hash<'a> {
    /// The hash in this form.
    #[inline]
    pub fn new(form: Form<&'a [u8], &'a HashTable>) -> Hash<'a> {
        match form {
            Form::Packed(bytes) => Hash(bytes, None),
            Form::Big(table) => Hash(&[], Some(table)),
        }
    }

    /// Pairs held (HLEN).
    pub fn len(&self) -> usize {
        self.1.map_or_else(|| pairs::len(self.0), |table| table.pairs.len())
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a field (HGET).
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<&'a [u8]> {
        match self.1 {
            None => pairs::find(self.0, field).map(|place| value_of(self.0, &place)),
            Some(table) => table.find(field).map(|pair| pair.parts().1),
        }
    }

    /// Whether there is such a field (HEXISTS).
    pub fn contains(&self, field: &[u8]) -> bool {
        self.get(field).is_some()
    }

    /// When a field expires.
    pub fn deadline(&self, field: &[u8]) -> Option<u64> {
        self.1?.deadlines.as_ref()?.get(field)
    }

    /// The earliest deadline of any field.
    pub fn earliest_deadline(&self) -> Option<u64> {
        self.1?.earliest_deadline()
    }

    /// Length of a field's value in bytes, 0 without the field (HSTRLEN).
    pub fn value_len(&self, field: &[u8]) -> usize {
        self.get(field).map_or(0, <[u8]>::len)
    }

    /// All pairs; while packed in the order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        match self.1 {
            None => Form::Packed(pairs::iter(self.0)),
            Some(table) => Form::Big(table.pairs.iter().map(Pair::parts)),
        }
    }

    /// The pair that a uniform random number chooses; `None` when there is no pair.
    pub fn random(&self, random: u64) -> Option<(&'a [u8], &'a [u8])> {
        match self.1 {
            None => pairs::iter(self.0).nth(random_index(random, self.len())),
            Some(table) => table.pairs.sample(random).map(Pair::parts),
        }
    }

    /// Visits some pairs from `position` on (0 starts) and returns the next position, `None` at the end: the steps of
    /// HSCAN. A packed hash is one step. See [`Table::scan`] for what a scan promises.
    pub fn scan(&self, position: u64, mut visit: impl FnMut(&[u8], &[u8])) -> Option<u64> {
        match self.1 {
            None => {
                pairs::iter(self.0).for_each(|(field, value)| visit(field, value));
                None
            }
            Some(table) => table.pairs.scan(position, |pair| {
                let (field, value) = pair.parts();
                visit(field, value);
            }),
        }
    }

    /// The form's name.
    pub fn encoding(&self) -> Encoding {
        if self.1.is_none() { Encoding::Listpack } else { Encoding::Hashtable }
    }

    /// Bytes held from the allocator beside the record: 0 while packed.
    pub fn heap_bytes(&self) -> usize {
        self.1.map_or(0, HashTable::heap_bytes)
    }
}

/// A hash to be changed.
pub struct HashMut<'a, H>(&'a mut H);

impl<'a, H: Home<HashTable>> HashMut<'a, H> {
    /// The hash that lives in `home`.
    pub fn new(home: &'a mut H) -> Self {
        HashMut(home)
    }

    /// The hash, to be read.
    pub fn read(&self) -> Hash<'_> {
        Hash::new(self.0.form())
    }

    /// Says that a command is about to set `fields` fields: more than a packed hash may have make it a table at once.
    pub fn prepare(&mut self, fields: usize, limits: &PackedLimits, basis: &Basis) {
        if fields > limits.entries
            && let Form::Packed(bytes) = self.0.form()
        {
            let table = HashTable::from_packed(bytes, basis);
            self.0.promote(table);
        }
    }

    /// Sets a field (HSET), which never expires then; tells whether it is new.
    pub fn insert(&mut self, field: &[u8], value: &[u8], limits: &PackedLimits, basis: &Basis) -> bool {
        let Ok(new) = self.update(field, limits, basis, |_| Ok::<_, std::convert::Infallible>(value));
        if let (false, Form::Big(table)) = (new, self.0.form_mut()) {
            table.clear_deadline(field);
        }
        new
    }

    /// Sets a field to what `change` makes of its present value, with one lookup (HINCRBY, HSETNX); tells whether the
    /// field is new. When `change` fails, nothing happens.
    pub fn update<V: AsRef<[u8]>, E>(
        &mut self,
        field: &[u8],
        limits: &PackedLimits,
        basis: &Basis,
        change: impl FnOnce(Option<&[u8]>) -> Result<V, E>,
    ) -> Result<bool, E> {
        let value = match self.0.form_mut() {
            Form::Big(table) => return table.update(field, change),
            Form::Packed(mut bytes) => {
                let found = pairs::find(&bytes, field);
                let value = change(found.as_ref().map(|place| value_of(&bytes, place)))?;
                let new = value.as_ref();
                let count = pairs::len(&bytes) + found.is_none() as usize;
                if field.len() <= limits.value_bytes
                    && new.len() <= limits.value_bytes
                    && limits.admit(count, bytes.len() + field.len() + new.len())
                {
                    let is_new = found.is_none();
                    match found {
                        Some(place) => pairs::overwrite(&mut bytes, place, new),
                        None => pairs::append(&mut bytes, field, new),
                    }
                    return Ok(is_new);
                }
                value
            }
        };
        let Form::Packed(bytes) = self.0.form() else { unreachable!("a big hash has been updated above") };
        let mut table = HashTable::from_packed(bytes, basis);
        let is_new = table.update(field, |_| Ok(value));
        self.0.promote(table);
        is_new
    }

    /// Gives a field a deadline, or takes it away; nothing happens without the field.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<u64>, basis: &Basis) {
        if let (Form::Packed(bytes), Some(_)) = (self.0.form(), deadline) {
            let table = HashTable::from_packed(bytes, basis);
            self.0.promote(table);
        }
        if let Form::Big(table) = self.0.form_mut() {
            match deadline {
                Some(deadline) => table.set_deadline(field, deadline),
                None => drop(table.clear_deadline(field)),
            }
        }
    }

    /// Removes a field whose deadline is before `now`, and returns its name.
    pub fn remove_due(&mut self, now: u64) -> Option<Arc<[u8]>> {
        match self.0.form_mut() {
            Form::Big(table) => table.remove_due(now),
            Form::Packed(_) => None,
        }
    }

    /// Removes a field (HDEL); tells whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match self.0.form_mut() {
            Form::Big(table) => table.remove(field),
            Form::Packed(mut bytes) => {
                let Some(place) = pairs::find(&bytes, field) else { return false };
                pairs::remove(&mut bytes, &place);
                true
            }
        }
    }
}

#[inline]
fn value_of<'a>(bytes: &'a [u8], place: &pairs::Place) -> &'a [u8] {
    &bytes[place.value_at..place.value_at + place.value_len]
}

#[cfg(test)]
mod tests;
