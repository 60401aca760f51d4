//! Packed bytes: how small collections live inside their record.
//!
//! A collection of a few entries is a run of bytes in the record's own allocation; a large one is a structure of its
//! own. This file holds what the two forms share: the buffer that packed bytes are edited in, the home that a
//! collection lives in and moves up from, and the varint that prefixes every packed string.

use std::ops::Deref;

use super::thin::Thin;

/// Bytes that can be edited in place: a record's payload, or a `Vec` in tests.
pub trait Buffer: Deref<Target = [u8]> {
    /// Replaces `removed` bytes at offset `at` by `inserted`, moving the tail.
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]);
}

impl Buffer for Thin {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        Thin::splice(self, at, removed, inserted);
    }
}

impl Buffer for Vec<u8> {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        Vec::splice(self, at..at + removed, inserted.concat());
    }
}

/// One of the two forms of a collection.
#[derive(Debug)]
pub enum Form<P, B> {
    /// A run of bytes; the collection's module gives their layout.
    Packed(P),
    /// A structure of its own.
    Big(B),
}

/// Where one collection lives: first as packed bytes, from some size on as a `Big`.
pub trait Home<Big> {
    /// The packed bytes, to be edited.
    type Bytes<'a>: Buffer
    where
        Self: 'a;
    /// The collection, to be read.
    fn form(&self) -> Form<&[u8], &Big>;
    /// The collection, to be changed.
    fn form_mut(&mut self) -> Form<Self::Bytes<'_>, &mut Big>;
    /// Replaces the collection, in whichever form it was, by `big`.
    fn promote(&mut self, big: Big);
    /// Replaces the collection, in whichever form it was, by packed bytes.
    fn demote(&mut self, packed: &[u8]);
}

/// Up to which size a collection stays packed (`*-max-listpack-entries`, `*-max-listpack-value`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedLimits {
    /// Most entries.
    pub entries: usize,
    /// Longest entry, in bytes.
    pub value_bytes: usize,
}

/// A home outside of any record, for tests and for building a collection before it is stored.
#[derive(Debug)]
pub struct Detached<Big>(pub Form<Vec<u8>, Big>);

impl<Big> Home<Big> for Detached<Big> {
    type Bytes<'a>
        = VecBytes<'a>
    where
        Big: 'a;
    fn form(&self) -> Form<&[u8], &Big> {
        match &self.0 {
            Form::Packed(bytes) => Form::Packed(bytes),
            Form::Big(big) => Form::Big(big),
        }
    }
    fn form_mut(&mut self) -> Form<VecBytes<'_>, &mut Big> {
        match &mut self.0 {
            Form::Packed(bytes) => Form::Packed(VecBytes(bytes)),
            Form::Big(big) => Form::Big(big),
        }
    }
    fn promote(&mut self, big: Big) {
        self.0 = Form::Big(big);
    }
    fn demote(&mut self, packed: &[u8]) {
        self.0 = Form::Packed(packed.to_vec());
    }
}

/// The packed bytes of a [`Detached`] home.
pub struct VecBytes<'a>(&'a mut Vec<u8>);

impl Deref for VecBytes<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl Buffer for VecBytes<'_> {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        Buffer::splice(self.0, at, removed, inserted);
    }
}
