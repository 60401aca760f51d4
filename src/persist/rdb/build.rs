//! Builders: from the elements of a collection, as they come from a file, to the value in its proper form.
//!
//! Elements gather in [`Elements`]; a collection that stays within the limits is packed from there in one go, one that
//! exceeds them moves into its big structure, and what follows goes straight there. Nothing is allocated for a small
//! collection. What a collection cannot be (a field twice, a score that is no number, members out of order where the
//! file keeps them in order) is a fault.

use super::elements::{Element, Elements};
use super::error::Fault;
use crate::value::hash::{self, HashTable};
use crate::value::list::{self, Deque};
use crate::value::set::{self, SetTable};
use crate::value::sorted_set::{self, Tree, TreeBuilder};
use crate::value::table::Basis;
use crate::value::{ValueLimits, packed};

/// A list that is packed has no more bytes than this in its elements.
const PACKED_LIST_BYTES: usize = list::PACKED_BYTES_MAX;

/// What builders work with and leave their packed bytes in; serves from value to value.
pub struct Workshop {
    pub(super) limits: ValueLimits,
    pub(super) basis: Basis,
    elements: Elements,
    scores: Vec<f64>,
    /// Indices into `scores`, in the order of the set.
    order: Vec<u32>,
    hashes: Vec<(u64, usize)>,
    integers: Vec<i64>,
    /// The packed bytes of the last value.
    pub(super) packed: Vec<u8>,
}

/// A collection that was built: packed bytes in the workshop, or a structure of its own; `None` without elements.
pub type Built<Big> = Result<Option<packed::Form<(), Big>>, Fault>;

impl Workshop {
    pub fn new(limits: ValueLimits, basis: Basis) -> Workshop {
        Workshop {
            limits,
            basis,
            elements: Elements::default(),
            scores: Vec::new(),
            order: Vec::new(),
            hashes: Vec::new(),
            integers: Vec::new(),
            packed: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.elements.clear();
        self.scores.clear();
        self.order.clear();
        self.packed.clear();
    }

    /// A hash, from fields and values in turn.
    pub fn hash(&mut self) -> HashBuilder<'_> {
        self.clear();
        HashBuilder { shop: self, table: None }
    }

    /// A set; `integers` says whether one of integers only is kept as integers.
    pub fn set(&mut self, integers: bool) -> SetBuilder<'_> {
        self.clear();
        SetBuilder { shop: self, table: None, integers }
    }

    /// A list.
    pub fn list(&mut self) -> ListBuilder<'_> {
        self.clear();
        ListBuilder { shop: self, deque: None, pending: false }
    }

    /// A sorted set; `ordered` says whether its members must come in order.
    pub fn sorted_set(&mut self, ordered: bool) -> SortedSetBuilder<'_> {
        self.clear();
        SortedSetBuilder { shop: self, tree: None, ordered, count: 0 }
    }
}

/// See [`Workshop::hash`].
pub struct HashBuilder<'w> {
    shop: &'w mut Workshop,
    table: Option<HashTable>,
}

impl HashBuilder<'_> {
    /// Adds a field or, behind one, its value.
    #[inline]
    pub fn add(&mut self, part: &[u8]) -> Result<(), Fault> {
        let elements = &mut self.shop.elements;
        elements.push(part);
        if elements.len().is_multiple_of(2)
            && (self.table.is_some()
                || elements.len() / 2 > self.shop.limits.hash.entries
                || part.len() > self.shop.limits.hash.value_bytes)
        {
            self.unload()?;
        }
        Ok(())
    }

    /// Moves the pairs that have gathered into the table.
    fn unload(&mut self) -> Result<(), Fault> {
        let table = self.table.get_or_insert_with(|| HashTable::new(&self.shop.basis));
        let all_new = self.shop.elements.pairs().all(|(field, value)| table.insert_new(field, value));
        self.shop.elements.clear();
        if all_new { Ok(()) } else { Err(REPEATED_FIELD) }
    }

    /// The hash.
    pub fn finish(mut self) -> Built<HashTable> {
        let elements = &self.shop.elements;
        if elements.len() % 2 == 1 {
            return Err("a hash has a field without a value");
        }
        if self.table.is_none() {
            if elements.len() == 0 {
                return Ok(None);
            }
            if !elements.are_distinct(2, &self.shop.basis, &mut self.shop.hashes) {
                return Err(REPEATED_FIELD);
            }
            if hash::pack(elements.pairs(), &self.shop.limits.hash, &mut self.shop.packed) {
                return Ok(Some(packed::Form::Packed(())));
            }
        }
        self.unload()?;
        Ok(self.table.map(packed::Form::Big))
    }
}

const REPEATED_FIELD: Fault = "a hash has a field twice";
const REPEATED_MEMBER: Fault = "a set has a member twice";

/// See [`Workshop::set`].
pub struct SetBuilder<'w> {
    shop: &'w mut Workshop,
    table: Option<SetTable>,
    /// Whether all members so far are integers, and may be kept as such.
    integers: bool,
}

impl SetBuilder<'_> {
    /// Adds a member.
    #[inline]
    pub fn add(&mut self, member: Element<'_>) -> Result<(), Fault> {
        if let Some(table) = &mut self.table {
            return if member.with_text(|text| table.insert(text)) { Ok(()) } else { Err(REPEATED_MEMBER) };
        }
        self.integers &= member.integer().is_some();
        let elements = &mut self.shop.elements;
        member.with_text(|text| elements.push(text));
        let (count, limits) = (elements.len(), &self.shop.limits.set);
        let may_stay = count <= limits.packed.entries || self.integers && count <= limits.intset_entries;
        if may_stay { Ok(()) } else { self.unload() }
    }

    /// Moves the members that have gathered into the table.
    fn unload(&mut self) -> Result<(), Fault> {
        let table = self.table.get_or_insert_with(|| SetTable::new(&self.shop.basis));
        let all_new = self.shop.elements.iter().all(|member| table.insert(member));
        self.shop.elements.clear();
        if all_new { Ok(()) } else { Err(REPEATED_MEMBER) }
    }

    /// The set.
    pub fn finish(mut self) -> Built<SetTable> {
        let shop = &mut *self.shop;
        let count = shop.elements.len();
        if self.table.is_none() {
            if count == 0 {
                return Ok(None);
            }
            if self.integers && count <= shop.limits.set.intset_entries {
                return shop.pack_integers();
            }
            if !shop.elements.are_distinct(1, &shop.basis, &mut shop.hashes) {
                return Err(REPEATED_MEMBER);
            }
            if set::pack_strings(shop.elements.iter(), &shop.limits.set, &mut shop.packed) {
                return Ok(Some(packed::Form::Packed(())));
            }
        }
        self.unload()?;
        Ok(self.table.map(packed::Form::Big))
    }
}

impl Workshop {
    /// A set of the gathered elements, all of which are integers.
    fn pack_integers(&mut self) -> Built<SetTable> {
        let integers = &mut self.integers;
        integers.clear();
        integers.extend(self.elements.iter().filter_map(|member| Element::Bytes(member).integer()));
        integers.sort_unstable();
        if integers.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(REPEATED_MEMBER);
        }
        let ends = [integers.first(), integers.last()];
        let fits = |least: i64, most: i64| ends.iter().flatten().all(|end| (least..=most).contains(*end));
        let width = match () {
            () if fits(i16::MIN.into(), i16::MAX.into()) => 2,
            () if fits(i32::MIN.into(), i32::MAX.into()) => 4,
            () => 8,
        };
        self.packed.push(width);
        for integer in &*integers {
            // Two's complement: the low bytes of a wide integer are the narrow one.
            self.packed.extend_from_slice(&integer.to_le_bytes()[..usize::from(width)]);
        }
        Ok(Some(packed::Form::Packed(())))
    }

    /// A set from the bytes of an intset: `[width: u32 LE][integers: u32 LE]`, then the integers, ascending.
    pub fn intset(&mut self, blob: &[u8]) -> Built<SetTable> {
        const DAMAGED: Fault = "an intset is damaged";
        self.clear();
        let (&[width @ (2 | 4 | 8), 0, 0, 0, c0, c1, c2, c3], integers) = blob.split_first_chunk().ok_or(DAMAGED)?
        else {
            return Err(DAMAGED);
        };
        let count = usize::try_from(u32::from_le_bytes([c0, c1, c2, c3])).map_err(|_| DAMAGED)?;
        if count.checked_mul(width.into()) != Some(integers.len()) {
            return Err("an intset has another length than it says");
        }
        let mut values = integers.chunks_exact(width.into()).map(|bytes| match *bytes {
            [a, b] => i64::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => 0,
        });
        if !values.clone().is_sorted_by(|a, b| a < b) {
            return Err("an intset is not in order");
        }
        if count == 0 {
            return Ok(None);
        }
        if set::pack_integers(width, integers, &self.limits.set, &mut self.packed) {
            return Ok(Some(packed::Form::Packed(())));
        }
        let mut table = SetTable::new(&self.basis);
        values.try_for_each(|value| {
            Element::Integer(value).with_text(|text| table.insert(text)).then_some(()).ok_or(REPEATED_MEMBER)
        })?;
        Ok(Some(packed::Form::Big(table)))
    }
}

/// See [`Workshop::list`]. Either each node's values are added and then [`ListBuilder::end_node`] is called, or all
/// values are added with [`ListBuilder::add_loose`].
pub struct ListBuilder<'w> {
    shop: &'w mut Workshop,
    deque: Option<Deque>,
    /// Whether the elements that have gathered are a whole node.
    pending: bool,
}

impl ListBuilder<'_> {
    /// Adds a value to the present node.
    #[inline]
    pub fn add(&mut self, value: &[u8]) {
        if self.pending {
            self.unload();
        }
        self.shop.elements.push(value);
    }

    /// Ends the present node.
    pub fn end_node(&mut self) {
        self.pending = self.shop.elements.len() > 0;
        if self.deque.is_some() {
            self.unload();
        }
    }

    /// Moves the node that has gathered into the deque.
    fn unload(&mut self) {
        self.deque.get_or_insert_with(Deque::for_loading).load_node(self.shop.elements.iter());
        self.shop.elements.clear();
        self.pending = false;
    }

    /// Adds a value to a list whose nodes are not known.
    pub fn add_loose(&mut self, value: &[u8]) {
        match &mut self.deque {
            Some(deque) => deque.load(value, &self.shop.limits.list),
            None => {
                self.shop.elements.push(value);
                if self.shop.elements.byte_len() + self.shop.elements.len() > PACKED_LIST_BYTES {
                    self.unload_loose();
                }
            }
        }
    }

    fn unload_loose(&mut self) {
        let deque = self.deque.get_or_insert_with(Deque::for_loading);
        self.shop.elements.iter().for_each(|value| deque.load(value, &self.shop.limits.list));
        self.shop.elements.clear();
    }

    /// The list.
    pub fn finish(mut self) -> Built<Deque> {
        let shop = &mut *self.shop;
        if self.deque.is_none() {
            if shop.elements.len() == 0 {
                return Ok(None);
            }
            if list::pack(shop.elements.iter(), &shop.limits.list, &mut shop.packed) {
                return Ok(Some(packed::Form::Packed(())));
            }
            if self.pending { self.unload() } else { self.unload_loose() }
        }
        let limits = self.shop.limits.list;
        Ok(self.deque.map(|mut deque| {
            deque.end_loading(&limits);
            packed::Form::Big(deque)
        }))
    }
}

/// See [`Workshop::sorted_set`].
pub struct SortedSetBuilder<'w> {
    shop: &'w mut Workshop,
    tree: Option<TreeBuilder>,
    ordered: bool,
    count: usize,
}

impl SortedSetBuilder<'_> {
    /// Adds a member.
    #[inline]
    pub fn add(&mut self, member: &[u8], score: f64) -> Result<(), Fault> {
        if score.is_nan() {
            return Err("a score is no number");
        }
        let shop = &mut *self.shop;
        if self.ordered
            && let (Some(last), Some(&before)) = (shop.elements.len().checked_sub(1), shop.scores.last())
            && !sorted_set::in_order((shop.elements.get(last), before), (member, score))
        {
            return Err("members of a sorted set are not in order");
        }
        if let Some(tree) = &mut self.tree {
            tree.push(member, score);
            // The last one is what the next is compared with.
            shop.elements.clear();
            shop.scores.clear();
        }
        shop.elements.push(member);
        shop.scores.push(score);
        self.count += 1;
        let limits = &shop.limits.sorted_set;
        if self.tree.is_none() && (self.count > limits.entries || member.len() > limits.value_bytes) {
            self.unload();
        }
        Ok(())
    }

    /// Moves the members that have gathered towards a tree.
    fn unload(&mut self) {
        let mut tree = TreeBuilder::default();
        for (member, score) in self.shop.elements.iter().zip(&self.shop.scores) {
            tree.push(member, *score);
        }
        self.tree = Some(tree);
    }

    /// The sorted set.
    pub fn finish(mut self) -> Built<Tree> {
        let shop = &mut *self.shop;
        if self.tree.is_none() {
            if self.count == 0 {
                return Ok(None);
            }
            if !shop.elements.are_distinct(1, &shop.basis, &mut shop.hashes) {
                return Err(REPEATED_MEMBER);
            }
            let Workshop { elements, scores, order, packed, limits, .. } = &mut *shop;
            let key = |index: u32| (elements.get(index as usize), scores[index as usize]);
            let Ok(count) = u32::try_from(self.count) else { return Err("a sorted set is too large to be packed") };
            order.extend(0..count);
            if !self.ordered {
                order.sort_unstable_by(|&a, &b| {
                    let (a, b) = (key(a), key(b));
                    // NaN was refused.
                    a.1.partial_cmp(&b.1).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.0.cmp(b.0))
                });
            }
            let members = order.iter().map(|index| key(*index));
            if sorted_set::pack(members, &limits.sorted_set, packed) {
                return Ok(Some(packed::Form::Packed(())));
            }
            self.unload();
        }
        let tree = self.tree.unwrap_or_default().finish(&self.shop.basis).ok_or(REPEATED_MEMBER)?;
        Ok(Some(packed::Form::Big(tree)))
    }
}
