//! The set: distinct members in no order.
//!
//! It has three forms, and moves between them as Redis 7.2 does: sorted integers ([`int_set`], packed, up to 512), a
//! list of strings ([`member_list`], packed, up to 128 of at most 64 bytes), and a hash table. A set starts as integers;
//! the first other member makes it a list of strings, or a table where the limits say so; a table stays one, unless a
//! command that stores a result asks for the smallest form ([`SetMut::compact_integers`]). The first byte of a packed
//! set tells its layout: 0 for strings, else the width of its integers.
//!
//! [`Set`] reads and [`SetMut`] changes a set in any form. Absent: what happens to an empty set (its key goes, which is
//! the caller's business).

mod int_set;
mod member_list;

use std::ops::Deref;

use crate::base::number::{INTEGER_TEXT_MAX, Text, format_i64, parse_i64};

use super::packed::{Detached, Form, Home, PACKED_BYTES_MAX, PackedLimits, random_index};
use super::table::{Basis, Entry, Table};
use super::thin::Thin;

/// The packed form of a set without members: of integers, as yet.
pub const EMPTY: &[u8] = int_set::EMPTY;

/// The name of a set's form, as OBJECT ENCODING tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Packed integers.
    Intset,
    /// Packed strings.
    Listpack,
    /// A hash table.
    Hashtable,
}

/// Up to which size a set stays packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// Most members while all are integers (`set-max-intset-entries`).
    pub intset_entries: usize,
    /// Limits of packed strings (`set-max-listpack-entries`, `set-max-listpack-value`).
    pub packed: PackedLimits,
}

impl SetLimits {
    /// Most packed integers, whatever the setting says.
    fn integers(&self) -> usize {
        self.intset_entries.min(PACKED_BYTES_MAX / 8)
    }
}

/// One member as an iterator yields it: its bytes, or an integer's text.
#[derive(Clone, Copy)]
pub enum Member<'a> {
    /// Bytes inside the set.
    Bytes(&'a [u8]),
    /// A packed integer.
    Integer(Text<INTEGER_TEXT_MAX>),
}

impl Deref for Member<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Member::Bytes(bytes) => bytes,
            Member::Integer(text) => text,
        }
    }
}

impl PartialEq for Member<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Member<'_> {}

impl std::hash::Hash for Member<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// A member of the big form.
#[derive(Clone)]
struct Slot(Thin);

impl Entry for Slot {
    fn hash(&self, basis: &Basis) -> u64 {
        basis.hash(&self.0)
    }
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

/// The big form. A clone is a snapshot that shares what neither side changes.
#[derive(Clone)]
pub struct SetTable {
    members: Table<Slot>,
    /// Allocations of the members, in bytes.
    member_bytes: usize,
}

impl SetTable {
    /// A table without members.
    pub fn new(basis: &Basis) -> SetTable {
        SetTable { members: Table::new(basis.clone()), member_bytes: 0 }
    }

    fn contains(&self, member: &[u8]) -> bool {
        self.members.find(self.members.basis().hash(member), |slot| *slot.0 == *member).is_some()
    }

    /// Adds a member; tells whether it is new.
    pub fn insert(&mut self, member: &[u8]) -> bool {
        let hash = self.members.basis().hash(member);
        if self.members.find(hash, |slot| *slot.0 == *member).is_some() {
            return false;
        }
        let slot = Slot(Thin::from_parts(&[member]));
        self.member_bytes += slot.0.heap_bytes();
        self.members.insert(hash, slot);
        true
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let hash = self.members.basis().hash(member);
        let Some(slot) = self.members.remove(hash, |slot| *slot.0 == *member) else { return false };
        self.member_bytes -= slot.0.heap_bytes();
        true
    }

    /// Bytes held from the allocator.
    pub fn heap_bytes(&self) -> usize {
        self.members.heap_bytes() + self.member_bytes
    }
}

/// A set to be read.
#[derive(Clone, Copy)]
pub struct Set<'a>(View<'a>);

#[derive(Clone, Copy)]
enum View<'a> {
    Integers(&'a [u8]),
    Strings(&'a [u8]),
    Table(&'a SetTable),
}

#[inline]
fn view<'a>(form: Form<&'a [u8], &'a SetTable>) -> View<'a> {
    match form {
        Form::Packed(bytes) if bytes[0] == 0 => View::Strings(bytes),
        Form::Packed(bytes) => View::Integers(bytes),
        Form::Big(table) => View::Table(table),
    }
}

impl<'a> Set<'a> {
    /// The set in this form.
    #[inline]
    pub fn new(form: Form<&'a [u8], &'a SetTable>) -> Set<'a> {
        Set(view(form))
    }

    /// Members held (SCARD).
    pub fn len(&self) -> usize {
        match self.0 {
            View::Integers(bytes) => int_set::len(bytes),
            View::Strings(bytes) => member_list::len(bytes),
            View::Table(table) => table.members.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `member` is in the set (SISMEMBER).
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.0 {
            View::Integers(bytes) => parse_i64(member).is_some_and(|value| int_set::search(bytes, value).is_ok()),
            View::Strings(bytes) => member_list::find(bytes, member).is_some(),
            View::Table(table) => table.contains(member),
        }
    }

    /// All members: integers ascending, packed strings in the order of insertion, a table's in none.
    pub fn iter(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        match self.0 {
            View::Integers(bytes) => {
                Form::Packed(Form::Packed(int_set::iter(bytes).map(|v| Member::Integer(format_i64(v)))))
            }
            View::Strings(bytes) => Form::Packed(Form::Big(member_list::iter(bytes).map(Member::Bytes))),
            View::Table(table) => Form::Big(table.members.iter().map(|slot| Member::Bytes(&slot.0))),
        }
    }

    /// Visits all members, in the order of [`Set::iter`].
    pub fn for_each(&self, mut visit: impl FnMut(&[u8])) {
        match self.0 {
            View::Integers(bytes) => int_set::iter(bytes).for_each(|value| visit(&format_i64(value))),
            View::Strings(bytes) => member_list::iter(bytes).for_each(visit),
            View::Table(table) => table.members.iter().for_each(|slot| visit(&slot.0)),
        }
    }

    /// The member that a uniform random number chooses; `None` when there is no member.
    pub fn random(&self, random: u64) -> Option<Member<'a>> {
        if self.is_empty() {
            return None;
        }
        let index = random_index(random, self.len());
        match self.0 {
            View::Integers(bytes) => Some(Member::Integer(format_i64(int_set::get(bytes, index)))),
            View::Strings(bytes) => member_list::iter(bytes).nth(index).map(Member::Bytes),
            View::Table(table) => table.members.sample(random).map(|slot| Member::Bytes(&slot.0)),
        }
    }

    /// Visits some members from `position` on (0 starts) and returns the next position, `None` at the end: the steps of
    /// SSCAN. A packed set is one step. See [`Table::scan`] for what a scan promises.
    pub fn scan(&self, position: u64, mut visit: impl FnMut(&[u8])) -> Option<u64> {
        if let View::Table(table) = self.0 {
            return table.members.scan(position, |slot| visit(&slot.0));
        }
        self.for_each(visit);
        None
    }

    /// Packed integers as they lie there: how many bytes each has, and all of them, little-endian, ascending.
    pub fn packed_integers(&self) -> Option<(usize, &'a [u8])> {
        let View::Integers(bytes) = self.0 else { return None };
        bytes.split_first().map(|(width, integers)| (*width as usize, integers))
    }

    /// The form's name.
    pub fn encoding(&self) -> Encoding {
        match self.0 {
            View::Integers(_) => Encoding::Intset,
            View::Strings(_) => Encoding::Listpack,
            View::Table(_) => Encoding::Hashtable,
        }
    }

    /// Bytes held from the allocator beside the record: 0 while packed.
    pub fn heap_bytes(&self) -> usize {
        if let View::Table(table) = self.0 { table.heap_bytes() } else { 0 }
    }
}

/// An empty set in a chosen form, to be filled and then stored; see [`SetMut::prepare`] for the usual choice.
pub fn detached(encoding: Encoding, basis: &Basis) -> Detached<SetTable> {
    match encoding {
        Encoding::Intset => Detached::new(int_set::EMPTY),
        Encoding::Listpack => Detached::new(member_list::EMPTY),
        Encoding::Hashtable => Detached(Form::Big(SetTable::new(basis))),
    }
}

/// Appends the packed form of distinct strings to `out`; false, and nothing happens, where the limits want a table.
pub fn pack_strings<'a>(
    members: impl Iterator<Item = &'a [u8]> + Clone,
    limits: &SetLimits,
    out: &mut Vec<u8>,
) -> bool {
    let (mut count, mut bytes) = (0, 0);
    for member in members.clone() {
        count += 1;
        bytes += member.len() + 5;
        if member.len() > limits.packed.value_bytes || !limits.packed.admit(count, bytes) {
            return false;
        }
    }
    member_list::pack(members, out);
    true
}

/// Appends the packed form of integers, `width` bytes each, little-endian and strictly ascending, to `out`; false, and
/// nothing happens, where the limits want a table.
pub fn pack_integers(width: u8, integers: &[u8], limits: &SetLimits, out: &mut Vec<u8>) -> bool {
    debug_assert!(matches!(width, 2 | 4 | 8));
    let fits = integers.len() / width as usize <= limits.integers();
    if fits {
        out.push(width);
        out.extend_from_slice(integers);
    }
    fits
}

/// A set of these members, to be stored; it starts as integers, as the result of SUNIONSTORE does.
pub fn collect<M: AsRef<[u8]>>(
    members: impl IntoIterator<Item = M>,
    limits: &SetLimits,
    basis: &Basis,
) -> Detached<SetTable> {
    let mut home = Detached::new(EMPTY);
    let mut set = SetMut::new(&mut home);
    for member in members {
        set.insert(member.as_ref(), limits, basis);
    }
    home
}

/// A set to be changed.
pub struct SetMut<'a, H>(&'a mut H);

impl<'a, H: Home<SetTable>> SetMut<'a, H> {
    /// The set that lives in `home`.
    pub fn new(home: &'a mut H) -> Self {
        SetMut(home)
    }

    /// The set, to be read.
    pub fn read(&self) -> Set<'_> {
        Set::new(self.0.form())
    }

    /// Says that a command is about to add `members` members, of which `first` is one: chooses the form of an empty set
    /// by them, and makes a packed set a table at once when there are more of them than it may hold.
    pub fn prepare(&mut self, first: &[u8], members: usize, limits: &SetLimits, basis: &Basis) {
        let packed = members <= limits.packed.entries;
        let set = self.read();
        match set.encoding() {
            _ if set.is_empty() => {
                if parse_i64(first).is_some() && members <= limits.intset_entries {
                    self.0.demote(int_set::EMPTY);
                } else if packed {
                    self.0.demote(member_list::EMPTY);
                } else {
                    self.0.promote(SetTable::new(basis));
                }
            }
            Encoding::Intset if members > limits.intset_entries => self.promote(basis),
            Encoding::Listpack if !packed => self.promote(basis),
            _ => {}
        }
    }

    /// Adds a member (SADD); tells whether it is new.
    pub fn insert(&mut self, member: &[u8], limits: &SetLimits, basis: &Basis) -> bool {
        let full = match self.0.form_mut() {
            Form::Big(table) => return table.insert(member),
            Form::Packed(mut bytes) if bytes[0] == 0 => {
                if member_list::find(&bytes, member).is_some() {
                    return false;
                }
                if member.len() <= limits.packed.value_bytes
                    && limits.packed.admit(member_list::len(&bytes) + 1, bytes.len() + member.len() + 5)
                {
                    member_list::append(&mut bytes, member);
                    return true;
                }
                true
            }
            Form::Packed(mut bytes) => match parse_i64(member) {
                Some(value) => {
                    if !int_set::insert(&mut bytes, value) {
                        return false;
                    }
                    if int_set::len(&bytes) <= limits.integers() {
                        return true;
                    }
                    true
                }
                None => !strings_admit(&bytes, member, &limits.packed),
            },
        };
        if full {
            self.promote(basis);
        } else {
            self.integers_to_strings();
        }
        match self.0.form_mut() {
            // An integer too many is in the table already.
            Form::Big(table) => _ = table.insert(member),
            Form::Packed(mut bytes) => member_list::append(&mut bytes, member),
        }
        true
    }

    /// Removes a member (SREM); tells whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.0.form_mut() {
            Form::Big(table) => table.remove(member),
            Form::Packed(mut bytes) if bytes[0] == 0 => {
                let Some(place) = member_list::find(&bytes, member) else { return false };
                member_list::remove(&mut bytes, place);
                true
            }
            Form::Packed(mut bytes) => {
                let Some(value) = parse_i64(member) else { return false };
                let Ok(index) = int_set::search(&bytes, value) else { return false };
                int_set::remove_at(&mut bytes, index);
                true
            }
        }
    }

    /// Takes out the member that a uniform random number chooses (SPOP).
    pub fn pop_random(&mut self, random: u64) -> Option<Vec<u8>> {
        let member = self.read().random(random)?.to_vec();
        self.remove(&member);
        Some(member)
    }

    /// Makes a set of integers only an integer set again, if the limits allow it: SINTERSTORE does so with its result.
    pub fn compact_integers(&mut self, limits: &SetLimits) {
        let set = self.read();
        if set.encoding() == Encoding::Intset || set.len() > limits.integers() {
            return;
        }
        let Some(mut values) = set.iter().map(|member| parse_i64(&member)).collect::<Option<Vec<i64>>>() else {
            return;
        };
        values.sort_unstable();
        self.0.demote(&int_set::from_sorted(&values));
    }

    /// Makes a packed set a table.
    fn promote(&mut self, basis: &Basis) {
        let mut table = SetTable::new(basis);
        self.read().for_each(|member| {
            table.insert(member);
        });
        self.0.promote(table);
    }

    /// Moves from packed integers to packed strings.
    fn integers_to_strings(&mut self) {
        let mut strings = member_list::EMPTY.to_vec();
        self.read().for_each(|member| member_list::append(&mut strings, member));
        self.0.demote(&strings);
    }
}

/// Whether packed integers and one more member, not an integer, may become packed strings.
fn strings_admit(integers: &[u8], member: &[u8], limits: &PackedLimits) -> bool {
    let count = int_set::len(integers);
    let longest = if count == 0 {
        0
    } else {
        let ends = [int_set::get(integers, 0), int_set::get(integers, count - 1)];
        ends.iter().map(|&value| format_i64(value).len()).max().unwrap_or(0)
    };
    member.len() <= limits.value_bytes
        && longest <= limits.value_bytes
        && limits.admit(count + 1, count * (longest + 1) + member.len() + 8)
}

#[cfg(test)]
mod tests;
