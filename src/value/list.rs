//! The list: values in order, cheap at both ends.
//!
//! Packed form: `[count: u16 LE]`, then the entries (see [`entry`]), up to [`PACKED_BYTES_MAX`] bytes. Beyond that the
//! list is a [`Deque`] of chunks; it is packed again when little is left.
//!
//! The name that OBJECT ENCODING gives is no matter of the form: it follows Redis's limits on listpacks and lives in
//! [`shape`]. A packed list is always a `listpack`, because it is shorter than any limit in bytes, and because a list
//! over a limit in entries is made a deque.
//!
//! [`List`] reads and [`ListMut`] changes a list in either form. Absent: what happens to an empty list (its key goes),
//! negative indices, and waiting; they are the caller's business.

mod chunk;
mod deque;
mod entry;
mod shape;

use std::ops::Range;

pub use deque::{Deque, Iter};
pub use shape::{ListLimits, Side};

use super::packed::{Buffer, Form, Home, read_count, write_count};
use entry::Entries;
use shape::Shape;

/// The packed form of a list without values.
pub const EMPTY: &[u8] = &[0, 0];
/// Longest packed form, in bytes.
pub const PACKED_BYTES_MAX: usize = 1024;
/// A deque whose entries take no more than this is packed again.
const PACK_AGAIN_BYTES: usize = PACKED_BYTES_MAX / 4;
/// Where the packed entries start.
const ENTRIES_AT: usize = 2;

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The left end, index 0.
    Head,
    /// The right end.
    Tail,
}

/// The name of a list's shape, as OBJECT ENCODING tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Within `list-max-listpack-size`.
    Listpack,
    /// Beyond it.
    Quicklist,
}

/// A list to be read.
#[derive(Clone, Copy)]
pub struct List<'a>(&'a [u8], Option<&'a Deque>);

impl<'a> List<'a> {
    /// The list in this form.
    #[inline]
    pub fn new(form: Form<&'a [u8], &'a Deque>) -> List<'a> {
        match form {
            Form::Packed(bytes) => List(bytes, None),
            Form::Big(deque) => List(&[], Some(deque)),
        }
    }

    /// Values held (LLEN).
    #[inline]
    pub fn len(&self) -> usize {
        self.1.map_or_else(|| read_count(self.0, 0), Deque::len)
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn entries(&self) -> Entries<'a> {
        Entries(&self.0[ENTRIES_AT..])
    }

    /// The value at an index from the head (LINDEX).
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        match self.1 {
            Some(deque) => deque.get(index),
            None if index >= self.len() => None,
            None => Entries(&self.entries().0[self.entries().offset(index, self.len())..]).next(),
        }
    }

    /// The values at these indices, as far as they exist (LRANGE); from the tail with `rev`.
    pub fn range(&self, range: Range<usize>) -> Iter<'a> {
        let len = self.len();
        let end = range.end.min(len);
        if range.start >= end {
            return Iter::default();
        }
        match self.1 {
            Some(deque) => deque.range(range.start..end),
            None => {
                let entries = self.entries();
                let (start, end) = (entries.offset(range.start, len), entries.offset(end, len));
                Iter::of_run(Entries(&entries.0[start..end]))
            }
        }
    }

    /// All values; from the tail with `rev`.
    pub fn iter(&self) -> Iter<'a> {
        self.range(0..self.len())
    }

    /// How many values each of the listpacks has in which Redis would keep the list: one, or a quicklist's nodes.
    pub fn node_lengths(&self) -> impl Iterator<Item = usize> + use<'a> {
        match self.1.map(|deque| &deque.shape) {
            Some(Shape::Quicklist(nodes)) => Form::Big(nodes.iter().map(shape::Node::entries)),
            _ => Form::Packed(std::iter::once(self.len())),
        }
    }

    /// The shape's name.
    pub fn encoding(&self) -> Encoding {
        match self.1.map(|deque| &deque.shape) {
            Some(Shape::Quicklist(_)) => Encoding::Quicklist,
            _ => Encoding::Listpack,
        }
    }

    /// Bytes held from the allocator beside the record: 0 while packed.
    pub fn heap_bytes(&self) -> usize {
        self.1.map_or(0, Deque::heap_bytes)
    }
}

/// Appends the packed form of these values to `out`; false, and nothing happens, where they want a deque.
pub fn pack<'a>(values: impl Iterator<Item = &'a [u8]> + Clone, limits: &ListLimits, out: &mut Vec<u8>) -> bool {
    let (mut count, mut bytes) = (0u16, ENTRIES_AT);
    for value in values.clone() {
        bytes += entry::size(value.len());
        count = count.saturating_add(1);
        if !fits(bytes, count.into(), limits) {
            return false;
        }
    }
    out.extend_from_slice(&count.to_le_bytes());
    values.for_each(|value| entry::append(out, value));
    true
}

/// A list to be changed. One call is one command to the limits: what [`ListMut::push`] gets counts together.
pub struct ListMut<'a, H>(&'a mut H);

impl<'a, H: Home<Deque>> ListMut<'a, H> {
    /// The list that lives in `home`.
    pub fn new(home: &'a mut H) -> Self {
        ListMut(home)
    }

    /// The list, to be read.
    pub fn read(&self) -> List<'_> {
        List::new(self.0.form())
    }

    /// Adds values at one end, one after the other (LPUSH, RPUSH).
    pub fn push<V: AsRef<[u8]>>(&mut self, end: End, values: &[V], limits: &ListLimits) {
        let lengths = || values.iter().map(|value| value.as_ref().len());
        if let Form::Packed(mut bytes) = self.0.form_mut() {
            let count = read_count(&bytes, 0) + values.len();
            if fits(bytes.len() + lengths().map(entry::size).sum::<usize>(), count, limits) {
                for value in values.iter().map(V::as_ref) {
                    let (head, tail) = entry::frame(value.len());
                    let at = if end == End::Head { ENTRIES_AT } else { bytes.len() };
                    bytes.splice(at, 0, &[&head, value, &tail]);
                }
                return write_count(&mut bytes, 0, count);
            }
        }
        let deque = self.grow(values.len(), lengths().sum(), limits);
        for value in values {
            deque.push(end, value.as_ref(), limits);
        }
    }

    /// Takes the value at one end out after `take` has seen it (LPOP, RPOP).
    pub fn pop<T>(&mut self, end: End, limits: &ListLimits, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let list = self.read();
        let mut values = list.iter();
        let value = if end == End::Head { values.next() } else { values.next_back() }?;
        let taken = take(value);
        self.drop_end(end, 1, limits);
        Some(taken)
    }

    /// Takes the value at one end out and puts it to an end again, after `take` has seen it (LMOVE within one list).
    pub fn rotate<T>(&mut self, from: End, to: End, limits: &ListLimits, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let list = self.read();
        let mut values = list.iter();
        let value = if from == End::Head { values.next() } else { values.next_back() }?;
        let taken = take(value);
        let (value, size) = (value.to_vec(), entry::size(value.len()));
        if from == to {
            return Some(taken);
        }
        match self.0.form_mut() {
            Form::Packed(mut bytes) => {
                let (front, back) = (ENTRIES_AT, bytes.len() - size);
                let (removed, added) = if from == End::Head { (front, back) } else { (back, front) };
                let (head, tail) = entry::frame(value.len());
                bytes.splice(removed, size, &[]);
                bytes.splice(added, 0, &[&head, &value, &tail]);
                return Some(taken);
            }
            Form::Big(deque) => {
                deque.drop_end(from, 1);
                deque.shape.before_growth(deque.len(), 1, value.len(), limits);
                deque.push(to, &value, limits);
            }
        }
        self.settle(limits);
        Some(taken)
    }

    /// Keeps the values at these indices only (LTRIM).
    pub fn trim(&mut self, keep: Range<usize>, limits: &ListLimits) {
        let len = self.read().len();
        let end = keep.end.min(len);
        let start = keep.start.min(end);
        self.drop_end(End::Tail, len - end, limits);
        self.drop_end(End::Head, start, limits);
    }

    /// Replaces the value at an index; false where there is none (LSET).
    pub fn set(&mut self, index: usize, value: &[u8], limits: &ListLimits) -> bool {
        let list = self.read();
        let Some(old) = list.get(index) else { return false };
        let (old_size, count) = (entry::size(old.len()), list.len());
        if let Form::Packed(mut bytes) = self.0.form_mut() {
            let size = entry::size(value.len());
            // Redis's estimate counts the new value without taking off the old one.
            if fits(bytes.len() + size - old_size, count + 1, limits) {
                let at = offset(&bytes, index);
                let (head, tail) = entry::frame(value.len());
                bytes.splice(at, old_size, &[&head, value, &tail]);
                return true;
            }
        }
        self.grow(1, value.len(), limits).set(index, value);
        self.settle(limits);
        true
    }

    /// Inserts a value beside the one at `pivot`; false where there is none (LINSERT).
    pub fn insert(&mut self, pivot: usize, side: Side, value: &[u8], limits: &ListLimits) -> bool {
        let count = self.read().len();
        if pivot >= count {
            return false;
        }
        if let Form::Packed(mut bytes) = self.0.form_mut()
            && fits(bytes.len() + entry::size(value.len()), count + 1, limits)
        {
            let at = offset(&bytes, pivot + (side == Side::After) as usize);
            let (head, tail) = entry::frame(value.len());
            bytes.splice(at, 0, &[&head, value, &tail]);
            write_count(&mut bytes, 0, count + 1);
            return true;
        }
        self.grow(1, value.len(), limits).insert(pivot, side, value, limits);
        true
    }

    /// Removes at most `most` copies of `value`, those nearest to `from`; tells how many (LREM).
    pub fn remove(&mut self, value: &[u8], most: usize, from: End, limits: &ListLimits) -> usize {
        let list = self.read();
        let equal = |(index, known): (usize, &[u8])| (known == value).then_some(index);
        let mut indices: Vec<usize> = match from {
            End::Head => list.iter().enumerate().filter_map(equal).take(most).collect(),
            End::Tail => list.iter().rev().enumerate().filter_map(equal).take(most).collect(),
        };
        if indices.is_empty() {
            return 0;
        }
        if from == End::Tail {
            let last = list.len() - 1;
            indices.iter_mut().for_each(|index| *index = last - *index);
            indices.reverse();
        }
        match self.0.form_mut() {
            Form::Big(deque) => deque.remove_copies(&indices, value),
            Form::Packed(mut bytes) => {
                for &index in indices.iter().rev() {
                    let (at, count) = (offset(&bytes, index), read_count(&bytes, 0));
                    bytes.splice(at, entry::size(value.len()), &[]);
                    write_count(&mut bytes, 0, count - 1);
                }
            }
        }
        self.settle(limits);
        indices.len()
    }

    /// Removes values at one end, at most all.
    fn drop_end(&mut self, end: End, count: usize, limits: &ListLimits) {
        match self.0.form_mut() {
            _ if count == 0 => return,
            Form::Big(deque) => deque.drop_end(end, count),
            Form::Packed(mut bytes) => {
                let rest = read_count(&bytes, 0) - count;
                let (from, to) = match end {
                    End::Head => (ENTRIES_AT, offset(&bytes, count)),
                    End::Tail => (offset(&bytes, rest), bytes.len()),
                };
                bytes.splice(from, to - from, &[]);
                return write_count(&mut bytes, 0, rest);
            }
        }
        self.settle(limits);
    }

    /// The list as a deque that is about to get `added` values more.
    fn grow(&mut self, added: usize, added_bytes: usize, limits: &ListLimits) -> &mut Deque {
        if let Form::Packed(bytes) = self.0.form() {
            let deque = Deque::from_packed(bytes);
            self.0.promote(deque);
        }
        let Form::Big(deque) = self.0.form_mut() else { unreachable!("a promoted list is big") };
        let len = deque.len();
        deque.shape.before_growth(len, added, added_bytes, limits);
        deque
    }

    /// Ends a command that removed or replaced something.
    fn settle(&mut self, limits: &ListLimits) {
        let Form::Big(deque) = self.0.form_mut() else { return };
        deque.settle(limits);
        if deque.entry_bytes() <= PACK_AGAIN_BYTES && matches!(deque.shape, Shape::Listpack { .. }) {
            let packed = deque.to_packed();
            self.0.demote(&packed);
        }
    }
}

/// Whether a list of this size may be packed; no limit in bytes is below the packed form's own.
fn fits(packed_bytes: usize, count: usize, limits: &ListLimits) -> bool {
    packed_bytes <= PACKED_BYTES_MAX && !limits.exceeded(0, count)
}

/// Offset of a packed entry.
fn offset(bytes: &[u8], index: usize) -> usize {
    ENTRIES_AT + Entries(&bytes[ENTRIES_AT..]).offset(index, read_count(bytes, 0))
}

#[cfg(test)]
mod tests;
