//! A value of any type: on its way into a record, or looked at where it lies.
//!
//! What stores values and what writes them to files know these two shapes and nothing of each other.

use super::hash::HashTable;
use super::list::{Deque, ListLimits};
use super::packed::{Form, PackedLimits};
use super::set::{SetLimits, SetTable};
use super::sorted_set::Tree;
use super::stream::{NodeLimits, Stream};

/// What `TYPE` says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueType {
    /// Bytes, or an integer.
    String,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    SortedSet,
    /// A hash.
    Hash,
    /// A stream.
    Stream,
}

impl ValueType {
    /// The name that `TYPE` replies.
    pub const fn name(self) -> &'static str {
        match self {
            ValueType::String => "string",
            ValueType::List => "list",
            ValueType::Set => "set",
            ValueType::SortedSet => "zset",
            ValueType::Hash => "hash",
            ValueType::Stream => "stream",
        }
    }
}

/// A value on its way into a record.
pub enum NewValue<'a> {
    /// A string that is an integer.
    Integer(i64),
    /// A string that a command was given whole.
    Bytes(&'a [u8]),
    /// A string that a command built by editing: its encoding is `raw` however short it is.
    Edited(&'a [u8]),
    /// A hash.
    Hash(Form<&'a [u8], HashTable>),
    /// A list.
    List(Form<&'a [u8], Deque>),
    /// A set.
    Set(Form<&'a [u8], SetTable>),
    /// A sorted set.
    SortedSet(Form<&'a [u8], Tree>),
    /// A stream.
    Stream(Box<Stream>),
}

impl NewValue<'_> {
    /// The same value, to be read.
    pub fn view(&self) -> ValueRef<'_> {
        match self {
            NewValue::Integer(n) => ValueRef::Integer(*n),
            NewValue::Bytes(bytes) | NewValue::Edited(bytes) => ValueRef::Bytes(bytes),
            NewValue::Hash(form) => ValueRef::Hash(borrowed(form)),
            NewValue::List(form) => ValueRef::List(borrowed(form)),
            NewValue::Set(form) => ValueRef::Set(borrowed(form)),
            NewValue::SortedSet(form) => ValueRef::SortedSet(borrowed(form)),
            NewValue::Stream(stream) => ValueRef::Stream(stream),
        }
    }
}

fn borrowed<'v, Big>(form: &'v Form<&'v [u8], Big>) -> Form<&'v [u8], &'v Big> {
    match form {
        Form::Packed(bytes) => Form::Packed(bytes),
        Form::Big(big) => Form::Big(big),
    }
}

/// A value where it lies, to be read.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// A string that is an integer.
    Integer(i64),
    /// A string.
    Bytes(&'a [u8]),
    /// A hash.
    Hash(Form<&'a [u8], &'a HashTable>),
    /// A list.
    List(Form<&'a [u8], &'a Deque>),
    /// A set.
    Set(Form<&'a [u8], &'a SetTable>),
    /// A sorted set.
    SortedSet(Form<&'a [u8], &'a Tree>),
    /// A stream.
    Stream(&'a Stream),
}

impl ValueRef<'_> {
    /// Whether it is a hash with fields that have deadlines.
    pub fn has_field_deadlines(&self) -> bool {
        matches!(self, ValueRef::Hash(Form::Big(table)) if table.earliest_deadline().is_some())
    }

    /// The type of the value.
    pub const fn value_type(&self) -> ValueType {
        match self {
            ValueRef::Integer(_) | ValueRef::Bytes(_) => ValueType::String,
            ValueRef::Hash(_) => ValueType::Hash,
            ValueRef::Stream(_) => ValueType::Stream,
            ValueRef::List(_) => ValueType::List,
            ValueRef::Set(_) => ValueType::Set,
            ValueRef::SortedSet(_) => ValueType::SortedSet,
        }
    }
}

/// Up to which sizes the collections, and the nodes of streams, stay packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLimits {
    /// Of hashes.
    pub hash: PackedLimits,
    /// Of lists.
    pub list: ListLimits,
    /// Of sets.
    pub set: SetLimits,
    /// Of sorted sets.
    pub sorted_set: PackedLimits,
    /// Of the nodes of streams.
    pub stream: NodeLimits,
}

/// What Redis 7.2 starts with.
impl Default for ValueLimits {
    fn default() -> Self {
        let packed = PackedLimits { entries: 128, value_bytes: 64 };
        ValueLimits {
            hash: packed,
            list: ListLimits { listpack_size: -2 },
            set: SetLimits { intset_entries: 512, packed },
            sorted_set: packed,
            stream: NodeLimits::default(),
        }
    }
}
