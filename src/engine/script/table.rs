//! Tables: an array for the keys 1 to n, and a hash for all others, in the shape of Lua 5.1.
//!
//! Scripts can see the shape: the order of `pairs` and `next`, the order of the members that `cjson.encode` prints, and
//! what `#` says of an array with holes follow from it. The rules are therefore those of *The Implementation of Lua 5.0*
//! (Ierusalimschy, de Figueiredo, Celes), section 4: nodes in a power of two, chained scatter with Brent's variation; a
//! key that finds no free node makes the table recount its integer keys, and the array becomes the largest n of which
//! more than half of the slots are in use.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::value::{ScriptError, Value, allocated, freed};

/// The largest array part, as a power of two.
const ARRAY_BITS: usize = 26;
const NONE: u32 = u32::MAX;

/// A table, by reference.
#[derive(Clone)]
pub struct Table(Rc<RefCell<Parts>>);

/// A table that may be gone.
pub struct WeakTable(Weak<RefCell<Parts>>);

#[derive(Default)]
struct Parts {
    array: Vec<Value>,
    nodes: Vec<Node>,
    /// Nodes from here on are taken.
    last_free: usize,
    is_readonly: bool,
    /// It is the table of globals: reading what is not there is an error.
    is_global: bool,
}

#[derive(Clone)]
struct Node {
    key: Value,
    value: Value,
    next: u32,
}

const FREE: Node = Node { key: Value::Nil, value: Value::Nil, next: NONE };
const TABLE_BYTES: usize = size_of::<Parts>() + 32;

impl Default for Table {
    fn default() -> Table {
        Table::new()
    }
}

impl Table {
    /// An empty table.
    pub fn new() -> Table {
        Table::with_capacity(0, 0)
    }

    /// An empty table with room for so many elements, and so many other keys.
    pub fn with_capacity(array: usize, hash: usize) -> Table {
        allocated(TABLE_BYTES);
        let mut parts = Parts::default();
        if array > 0 || hash > 0 {
            parts.resize(array, hash);
        }
        Table(Rc::new(RefCell::new(parts)))
    }

    /// The table that a script would get by appending these one after the other.
    pub fn from_list(mut values: Vec<Value>) -> Table {
        let size = if values.is_empty() { 0 } else { values.len().next_power_of_two() };
        values.resize(size, Value::Nil);
        allocated(TABLE_BYTES + size * size_of::<Value>());
        let mut parts = Parts::default();
        parts.array = values;
        Table(Rc::new(RefCell::new(parts)))
    }

    /// Whether both are the same table.
    pub fn is_same(&self, other: &Table) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Tells tables apart.
    pub fn address(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    /// A reference that does not keep the table.
    pub fn downgrade(&self) -> WeakTable {
        WeakTable(Rc::downgrade(&self.0))
    }

    /// The value of a key, or nil.
    #[inline]
    pub fn get(&self, key: &Value) -> Value {
        self.0.borrow().get(key).clone()
    }

    /// The value of an integer key, or nil.
    #[inline]
    pub fn get_index(&self, index: usize) -> Value {
        self.0.borrow().get_index(index).clone()
    }

    /// The value of a string key, or nil.
    pub fn get_text(&self, key: &[u8]) -> Value {
        self.0.borrow().get_text(key).clone()
    }

    /// Sets a key; nil removes it. Fails where the key is nil or not a number, and where the table is read-only.
    #[inline]
    pub fn set(&self, key: Value, value: Value) -> Result<(), ScriptError> {
        let mut parts = self.0.borrow_mut();
        if parts.is_readonly {
            return Err(ScriptError::message("Attempt to modify a readonly table"));
        }
        match key {
            Value::Nil => return Err(ScriptError::message("table index is nil")),
            Value::Number(number) if number.is_nan() => return Err(ScriptError::message("table index is NaN")),
            _ => {}
        }
        let old = std::mem::replace(parts.slot(key), value);
        drop(parts);
        drop(old);
        Ok(())
    }

    /// Sets an integer key, without a look at whether the table is read-only.
    pub fn set_index(&self, index: usize, value: Value) {
        let old = std::mem::replace(self.0.borrow_mut().slot(Value::Number(index as f64)), value);
        drop(old);
    }

    /// Sets a string key, without a look at whether the table is read-only.
    pub fn set_text(&self, key: &[u8], value: Value) {
        let old = std::mem::replace(self.0.borrow_mut().slot(Value::text(key)), value);
        drop(old);
    }

    /// A length: an n with a value at n and none at n + 1.
    pub fn length(&self) -> usize {
        self.0.borrow().length()
    }

    /// The entry behind a key, or the first one behind nil; none at the end. Fails where the key is not in the table.
    pub fn next(&self, key: &Value) -> Result<Option<(Value, Value)>, ScriptError> {
        self.next_behind(key).map(|(_, entry)| entry)
    }

    /// The same, with the number of empty places in between.
    pub fn next_behind(&self, key: &Value) -> Result<(usize, Option<(Value, Value)>), ScriptError> {
        let parts = self.0.borrow();
        let from = parts.position(key).ok_or_else(|| ScriptError::Raised(Value::text("invalid key to 'next'")))?;
        Ok(match parts.entry_from(from) {
            Some((position, key, value)) => (position - from, Some((key, value))),
            None => (parts.array.len() + parts.nodes.len() - from, None),
        })
    }

    /// The first entry at or behind a position, and the position behind it: a walk from 0 sees what `next` sees.
    pub fn entry_from(&self, position: usize) -> Option<(usize, Value, Value)> {
        self.0.borrow().entry_from(position)
    }

    /// Makes room for so many elements, as a list of values in a constructor does.
    pub fn reserve_array(&self, size: usize) {
        let mut parts = self.0.borrow_mut();
        if size > parts.array.len() {
            let hash = parts.nodes.len();
            parts.resize(size, hash);
        }
    }

    /// From now on nothing sets its keys.
    pub fn make_readonly(&self) {
        self.0.borrow_mut().is_readonly = true;
    }

    /// From now on it is the table of globals.
    pub fn make_global(&self) {
        self.0.borrow_mut().is_global = true;
    }

    /// Whether it is the table of globals.
    pub fn is_global(&self) -> bool {
        self.0.borrow().is_global
    }

    /// Whether nothing sets its keys.
    pub fn is_readonly(&self) -> bool {
        self.0.borrow().is_readonly
    }

    /// The elements 1 to n by reference, where the array part holds them all.
    pub fn with_array<R>(&self, body: impl FnOnce(&[Value]) -> R) -> R {
        body(&self.0.borrow().array)
    }
}

impl WeakTable {
    /// Whether the table is gone.
    pub fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Tells tables apart, as [`Table::address`].
    pub fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Empties the table, if it is still there.
    pub fn clear(&self) {
        if let Some(table) = self.0.upgrade() {
            let parts = std::mem::take(&mut *table.borrow_mut());
            allocated(TABLE_BYTES);
            drop(parts);
        }
    }
}

impl Parts {
    #[inline]
    fn get(&self, key: &Value) -> &Value {
        match key {
            Value::Number(number) => match array_index(*number) {
                Some(index) if index <= self.array.len() => &self.array[index - 1],
                _ => self.get_hashed(key),
            },
            Value::Text(text) => self.get_text(text),
            Value::Nil => &Value::Nil,
            key => self.get_hashed(key),
        }
    }

    #[inline]
    fn get_index(&self, index: usize) -> &Value {
        match index.checked_sub(1).and_then(|index| self.array.get(index)) {
            Some(value) => value,
            None => self.get_hashed(&Value::Number(index as f64)),
        }
    }

    fn get_text(&self, key: &[u8]) -> &Value {
        if self.nodes.is_empty() {
            return &Value::Nil;
        }
        let mut at = text_hash(key) as usize & (self.nodes.len() - 1);
        loop {
            let node = &self.nodes[at];
            if let Value::Text(text) = &node.key
                && **text == *key
            {
                return &node.value;
            }
            if node.next == NONE {
                return &Value::Nil;
            }
            at = node.next as usize;
        }
    }

    fn get_hashed(&self, key: &Value) -> &Value {
        self.find(key).map_or(&Value::Nil, |at| &self.nodes[at].value)
    }

    fn find(&self, key: &Value) -> Option<usize> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut at = self.main_position(key);
        loop {
            let node = &self.nodes[at];
            if node.key == *key {
                return Some(at);
            }
            if node.next == NONE {
                return None;
            }
            at = node.next as usize;
        }
    }

    /// Where a key's value stands, or will stand.
    fn slot(&mut self, key: Value) -> &mut Value {
        if let Value::Number(number) = key
            && let Some(index) = array_index(number)
            && index <= self.array.len()
        {
            return &mut self.array[index - 1];
        }
        match self.find(&key) {
            Some(at) => &mut self.nodes[at].value,
            None => self.insert(key),
        }
    }

    /// Brent's variation: a key that stands in another's main position without being of its chain has to give way.
    fn insert(&mut self, key: Value) -> &mut Value {
        if self.nodes.is_empty() {
            self.rehash(&key);
            return self.slot(key);
        }
        let main = self.main_position(&key);
        if self.nodes[main].value.is_nil() {
            self.nodes[main].key = key;
            return &mut self.nodes[main].value;
        }
        let Some(free) = self.free_node() else {
            self.rehash(&key);
            return self.slot(key);
        };
        let other = self.main_position(&self.nodes[main].key);
        if other == main {
            self.nodes[free].next = self.nodes[main].next;
            self.nodes[main].next = free as u32;
            self.nodes[free].key = key;
            return &mut self.nodes[free].value;
        }
        let mut previous = other;
        while self.nodes[previous].next != main as u32 {
            previous = self.nodes[previous].next as usize;
        }
        self.nodes[previous].next = free as u32;
        self.nodes[free] = std::mem::replace(&mut self.nodes[main], FREE);
        self.nodes[main].key = key;
        &mut self.nodes[main].value
    }

    fn free_node(&mut self) -> Option<usize> {
        while self.last_free > 0 {
            self.last_free -= 1;
            if self.nodes[self.last_free].key.is_nil() {
                return Some(self.last_free);
            }
        }
        None
    }

    fn main_position(&self, key: &Value) -> usize {
        let size = self.nodes.len();
        match key {
            Value::Text(text) => text_hash(text) as usize & (size - 1),
            Value::Boolean(truth) => usize::from(*truth) & (size - 1),
            Value::Number(number) if *number == 0.0 => 0,
            Value::Number(number) => {
                let bits = number.to_bits();
                let folded = (bits as u32).wrapping_add((bits >> 32) as u32);
                folded as usize % ((size - 1) | 1)
            }
            other => (other.address() >> 4) % ((size - 1) | 1),
        }
    }

    /// The table is full: counts its keys and one more, and takes the shape that fits them.
    #[cold]
    fn rehash(&mut self, extra: &Value) {
        let mut counts = [0usize; ARRAY_BITS + 1];
        let mut total = 1;
        let mut count = |key: &Value| {
            if let Value::Number(number) = key
                && let Some(index) = array_index(*number)
                && index <= 1 << ARRAY_BITS
            {
                counts[index.next_power_of_two().trailing_zeros() as usize] += 1;
            }
        };
        for (index, value) in self.array.iter().enumerate() {
            if !value.is_nil() {
                count(&Value::Number((index + 1) as f64));
                total += 1;
            }
        }
        for node in self.nodes.iter().filter(|node| !node.value.is_nil()) {
            count(&node.key);
            total += 1;
        }
        count(extra);
        let integers: usize = counts.iter().sum();
        let (mut below, mut size, mut within) = (0, 0, 0);
        for (power, count) in counts.iter().enumerate() {
            if (1usize << power) / 2 >= integers {
                break;
            }
            below += count;
            if below > (1 << power) / 2 && *count > 0 {
                (size, within) = (1 << power, below);
            }
            if below == integers {
                break;
            }
        }
        self.resize(size, total - within);
    }

    fn resize(&mut self, array: usize, hash: usize) {
        let before = self.bytes();
        let hash = if hash == 0 { 0 } else { hash.next_power_of_two() };
        let nodes = std::mem::replace(&mut self.nodes, vec![FREE; hash]);
        self.last_free = hash;
        let vanishing = if array < self.array.len() { self.array.split_off(array) } else { Vec::new() };
        self.array.resize(array, Value::Nil);
        if !vanishing.is_empty() {
            self.array.shrink_to_fit();
        }
        allocated(self.bytes());
        freed(before);
        for (index, value) in vanishing.into_iter().enumerate() {
            if !value.is_nil() {
                *self.slot(Value::Number((array + index + 1) as f64)) = value;
            }
        }
        for node in nodes.into_iter().rev() {
            if !node.value.is_nil() {
                *self.slot(node.key) = node.value;
            }
        }
    }

    fn bytes(&self) -> usize {
        self.array.len() * size_of::<Value>() + self.nodes.len() * size_of::<Node>()
    }

    fn length(&self) -> usize {
        let size = self.array.len();
        if size > 0 && self.array[size - 1].is_nil() {
            return self.border(0, size);
        }
        if self.nodes.is_empty() {
            return size;
        }
        let (mut present, mut absent) = (size, size + 1);
        while !self.get_index(absent).is_nil() {
            (present, absent) = (absent, absent * 2);
        }
        self.border(present, absent)
    }

    /// Halves the distance between a key with a value (or 0) and one without.
    fn border(&self, mut present: usize, mut absent: usize) -> usize {
        while absent - present > 1 {
            let middle = (present + absent) / 2;
            if self.get_index(middle).is_nil() { absent = middle } else { present = middle }
        }
        present
    }

    /// The position behind a key's.
    fn position(&self, key: &Value) -> Option<usize> {
        match key {
            Value::Nil => Some(0),
            Value::Number(number) if array_index(*number).is_some_and(|index| index <= self.array.len()) => {
                array_index(*number)
            }
            key => self.find(key).map(|at| self.array.len() + at + 1),
        }
    }

    fn entry_from(&self, position: usize) -> Option<(usize, Value, Value)> {
        let length = self.array.len();
        if position < length {
            let found = self.array[position..].iter().position(|value| !value.is_nil());
            if let Some(skipped) = found {
                let index = position + skipped;
                return Some((index + 1, Value::Number((index + 1) as f64), self.array[index].clone()));
            }
        }
        let from = position.saturating_sub(length);
        let skipped = self.nodes.get(from..)?.iter().position(|node| !node.value.is_nil())?;
        let node = &self.nodes[from + skipped];
        Some((length + from + skipped + 1, node.key.clone(), node.value.clone()))
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        freed(TABLE_BYTES + self.bytes());
        let is_nested = |value: &Value| matches!(value, Value::Table(_) | Value::Function(_) | Value::Stateful(_));
        let nested = self.array.iter().any(is_nested)
            || self.nodes.iter().any(|node| is_nested(&node.value) || is_nested(&node.key));
        if nested {
            let array = std::mem::take(&mut self.array);
            let nodes = std::mem::take(&mut self.nodes);
            free(array.into_iter().chain(nodes.into_iter().flat_map(|node| [node.key, node.value])));
        }
    }
}

thread_local! {
    /// What waits to be freed while something is being freed: a chain must not become a recursion.
    static DOOMED: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Frees values, and what they alone refer to, one after the other. A thread that ends may have no list left: what it
/// holds then is shallow.
pub(super) fn free(values: impl Iterator<Item = Value>) {
    let values = values
        .filter(|value| matches!(value, Value::Table(_) | Value::Function(_) | Value::Stateful(_) | Value::Cell(_)));
    let is_outermost = DOOMED.try_with(|doomed| match &mut *doomed.borrow_mut() {
        Some(doomed) => {
            doomed.extend(values);
            false
        }
        empty => {
            *empty = Some(values.collect());
            true
        }
    });
    if is_outermost != Ok(true) {
        return;
    }
    loop {
        let next = DOOMED.with_borrow_mut(|doomed| {
            let next = doomed.as_mut().and_then(Vec::pop);
            if next.is_none() {
                *doomed = None;
            }
            next
        });
        match next {
            None => break,
            Some(Value::Cell(cell)) => {
                // The last holder of a cell frees its value here, and not inside of the cell's own end.
                if let Ok(value) = Rc::try_unwrap(cell) {
                    drop(value.into_inner());
                }
            }
            Some(value) => drop(value),
        }
    }
}

/// An integer key of the array part.
#[inline]
fn array_index(number: f64) -> Option<usize> {
    let index = number as u32;
    (f64::from(index) == number && index > 0).then_some(index as usize)
}

/// Lua 5.1's hash of a string, of all of its bytes, as Redis has it.
#[inline]
fn text_hash(text: &[u8]) -> u32 {
    let seed = text.len() as u32;
    text.iter().rev().fold(seed, |hash, byte| hash ^ (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(*byte)))
}
