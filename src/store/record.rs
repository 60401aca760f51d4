//! `Record`: a key, its value and its deadline behind one pointer, in one allocation where the value is short.
//!
//! Payload of the [`Thin`]:
//!
//! ```text
//! [form: 1][access: 2][key length: LEB128][deadline: 6 or 8, only where form says so][key][value]
//! ```
//!
//! The low four bits of `form` are the [`Form`]; [`HAS_DEADLINE`], [`LONG_DEADLINE`] and [`MARKED`] are flags. `access` is what eviction
//! knows about the last use. The deadline is Unix time in ms. The value is, by form: an integer of 1, 2, 4 or 8 bytes;
//! the bytes of a string; the packed bytes of a small collection; or the pointer of a boxed structure, which the record
//! owns.
//!
//! This is one of the audited modules with `unsafe`. Its invariant: a record of a big form ends in the eight bytes of a
//! pointer that came from `Box::into_raw` for exactly that form's type, and nobody else owns that box. Forms and
//! pointers change together, in [`Record::replace_value`] only.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::base::limits::EMBEDDED_STRING_BYTES_MAX;
use crate::base::number::sign_extended;
use crate::value::hash::{Hash, HashTable};
use crate::value::list::Deque;
use crate::value::packed::{self, Buffer, Home};
use crate::value::set::SetTable;
use crate::value::sorted_set::Tree;
use crate::value::stream::Stream;
use crate::value::table::{Basis, Entry, NEVER};
use crate::value::thin::{Thin, allocation_size};
pub use crate::value::{NewValue, ValueRef, ValueType};

/// Flag of the form byte: six bytes of deadline precede the key.
const HAS_DEADLINE: u8 = 0x10;
/// Flag of the form byte, of a string: it was built by editing (`raw`, however short).
const MARKED: u8 = 0x20;
/// Flag of the form byte, beside [`HAS_DEADLINE`]: the deadline has two bytes more, as it lies behind the year 10889.
const LONG_DEADLINE: u8 = 0x40;
const FORM_MASK: u8 = 0x0f;
/// Bit n is set where form n owns a box.
const BIG_FORMS: u16 = 1 << Form::BigString as u16
    | 1 << Form::BigHash as u16
    | 1 << Form::BigList as u16
    | 1 << Form::BigSet as u16
    | 1 << Form::BigSortedSet as u16
    | 1 << Form::Stream as u16;
/// Where the key's length stands.
const KEY_LENGTH_AT: usize = 3;

/// The physical forms of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    Integer = 0,
    Embedded = 1,
    BigString = 2,
    PackedHash = 3,
    BigHash = 4,
    PackedList = 5,
    BigList = 6,
    PackedSet = 7,
    BigSet = 8,
    PackedSortedSet = 9,
    BigSortedSet = 10,
    Stream = 11,
}

const FORMS: [Form; 12] = [
    Form::Integer,
    Form::Embedded,
    Form::BigString,
    Form::PackedHash,
    Form::BigHash,
    Form::PackedList,
    Form::BigList,
    Form::PackedSet,
    Form::BigSet,
    Form::PackedSortedSet,
    Form::BigSortedSet,
    Form::Stream,
];

/// A string value as it is stored.
#[derive(Clone, Copy, Debug)]
pub enum StringRef<'a> {
    /// Stored as a number; its text is the decimal form.
    Integer(i64),
    /// Stored as bytes.
    Bytes(&'a [u8]),
}

impl<'a> StringRef<'a> {
    /// Bytes of the text.
    pub fn len(self) -> usize {
        match self {
            StringRef::Integer(n) => crate::base::number::decimal_len(n),
            StringRef::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text, made where it is stored as a number.
    pub fn text(self) -> Cow<'a, [u8]> {
        match self {
            StringRef::Integer(_) => Cow::Owned(self.to_vec()),
            StringRef::Bytes(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// The text, copied.
    pub fn to_vec(self) -> Vec<u8> {
        match self {
            StringRef::Integer(n) => crate::base::number::format_i64(n).to_vec(),
            StringRef::Bytes(bytes) => bytes.to_vec(),
        }
    }
}

/// One key of the keyspace with its value; see the module's text.
pub struct Record(Thin);

/// Bytes of the deadline in a record with this form byte.
#[inline(always)]
fn deadline_len(form: u8) -> usize {
    match form & (HAS_DEADLINE | LONG_DEADLINE) {
        0 => 0,
        HAS_DEADLINE => 6,
        _ => 8,
    }
}

/// A deadline's flags of the form byte, and its bytes, of which [`deadline_len`] are stored.
#[inline]
fn encode_deadline(deadline: Option<u64>) -> (u8, [u8; 8]) {
    let flags = match deadline {
        None => 0,
        Some(deadline) if deadline >> 48 == 0 => HAS_DEADLINE,
        Some(_) => HAS_DEADLINE | LONG_DEADLINE,
    };
    (flags, deadline.unwrap_or(0).to_le_bytes())
}

/// Where the parts of a record begin.
struct Parts<'a> {
    bytes: &'a [u8],
    /// Behind the key's length: where the deadline is, or the key.
    head: usize,
    key_at: usize,
    key_len: usize,
}

impl<'a> Parts<'a> {
    #[inline(always)]
    fn of(bytes: &'a [u8]) -> Parts<'a> {
        let (key_len, prefix) = read_varint(&bytes[KEY_LENGTH_AT..]);
        let head = KEY_LENGTH_AT + prefix;
        let key_at = head + deadline_len(bytes[0]);
        Parts { bytes, head, key_at, key_len }
    }

    #[inline(always)]
    fn form(&self) -> Form {
        FORMS[(self.bytes[0] & FORM_MASK) as usize]
    }

    #[inline(always)]
    fn value_at(&self) -> usize {
        self.key_at + self.key_len
    }
}

#[inline(always)]
fn read_varint(bytes: &[u8]) -> (usize, usize) {
    let first = bytes[0] as usize;
    if first < 0x80 { (first, 1) } else { read_long_varint(bytes) }
}

fn read_long_varint(bytes: &[u8]) -> (usize, usize) {
    let first = bytes[0] as usize;
    let (mut len, mut i) = (first & 0x7f, 1);
    loop {
        let byte = bytes[i] as usize;
        len |= (byte & 0x7f) << (7 * i);
        i += 1;
        if byte < 0x80 {
            return (len, i);
        }
    }
}

fn varint(mut len: usize, out: &mut [u8; 5]) -> &[u8] {
    let mut i = 0;
    loop {
        out[i] = (len & 0x7f) as u8;
        len >>= 7;
        if len == 0 {
            return &out[..=i];
        }
        out[i] |= 0x80;
        i += 1;
    }
}

/// The value's bytes as they stand in the record, with the form that goes with them.
struct Encoded<'a> {
    form: u8,
    /// Used where `borrowed` is none.
    own: [u8; 8],
    own_len: usize,
    borrowed: Option<&'a [u8]>,
}

impl<'a> Encoded<'a> {
    #[inline]
    fn borrowed(form: Form, bytes: &'a [u8]) -> Self {
        Encoded { form: form as u8, own: [0; 8], own_len: 0, borrowed: Some(bytes) }
    }

    fn boxed<T>(form: Form, value: T) -> Self {
        Self::of_box(form, Box::new(value))
    }

    fn of_box<T>(form: Form, value: Box<T>) -> Self {
        let own = (Box::into_raw(value) as usize as u64).to_ne_bytes();
        Encoded { form: form as u8, own, own_len: 8, borrowed: None }
    }

    #[inline]
    fn of(value: NewValue<'a>) -> Self {
        use packed::Form::{Big, Packed};
        match value {
            NewValue::Integer(n) => {
                let own_len = match n {
                    -0x80..=0x7f => 1,
                    -0x8000..=0x7fff => 2,
                    -0x8000_0000..=0x7fff_ffff => 4,
                    _ => 8,
                };
                Encoded { form: Form::Integer as u8, own: n.to_le_bytes(), own_len, borrowed: None }
            }
            NewValue::Bytes(bytes) if bytes.len() <= EMBEDDED_STRING_BYTES_MAX => Self::borrowed(Form::Embedded, bytes),
            NewValue::Edited(bytes) if bytes.len() <= EMBEDDED_STRING_BYTES_MAX => {
                Encoded { form: Form::Embedded as u8 | MARKED, ..Self::borrowed(Form::Embedded, bytes) }
            }
            NewValue::Bytes(bytes) | NewValue::Edited(bytes) => Self::boxed(Form::BigString, Arc::new(bytes.to_vec())),
            NewValue::Hash(Packed(bytes)) => Self::borrowed(Form::PackedHash, bytes),
            NewValue::Hash(Big(big)) => Self::boxed(Form::BigHash, big),
            NewValue::List(Packed(bytes)) => Self::borrowed(Form::PackedList, bytes),
            NewValue::List(Big(big)) => Self::boxed(Form::BigList, big),
            NewValue::Set(Packed(bytes)) => Self::borrowed(Form::PackedSet, bytes),
            NewValue::Set(Big(big)) => Self::boxed(Form::BigSet, big),
            NewValue::SortedSet(Packed(bytes)) => Self::borrowed(Form::PackedSortedSet, bytes),
            NewValue::SortedSet(Big(big)) => Self::boxed(Form::BigSortedSet, big),
            NewValue::Stream(stream) => Self::of_box(Form::Stream, stream),
        }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.borrowed.unwrap_or(&self.own[..self.own_len])
    }
}

impl Record {
    /// A record; `deadline` is Unix time in ms.
    pub fn new(key: &[u8], value: NewValue<'_>, deadline: Option<u64>) -> Record {
        let encoded = Encoded::of(value);
        let mut length = [0; 5];
        let (flags, due) = encode_deadline(deadline);
        let head = [encoded.form | flags, 0, 0];
        let due = &due[..deadline_len(flags)];
        Record(Thin::from_parts(&[&head, varint(key.len(), &mut length), due, key, encoded.bytes()]))
    }

    /// All parts of the record, found in one pass.
    #[inline(always)]
    fn parts(&self) -> Parts<'_> {
        Parts::of(&self.0)
    }

    #[inline(always)]
    fn form(&self) -> Form {
        FORMS[(self.0[0] & FORM_MASK) as usize]
    }

    /// `(where the deadline or the key starts, key length)`.
    #[inline]
    fn key_length(&self) -> (usize, usize) {
        let parts = self.parts();
        (parts.head, parts.key_len)
    }

    #[inline]
    fn deadline_bytes(&self) -> usize {
        deadline_len(self.0[0])
    }

    /// The key.
    #[inline(always)]
    pub fn key(&self) -> &[u8] {
        let parts = self.parts();
        &parts.bytes[parts.key_at..parts.value_at()]
    }

    /// Whether the value is a box of its own.
    #[inline(always)]
    fn is_big(&self) -> bool {
        (BIG_FORMS >> (self.0[0] & FORM_MASK)) & 1 != 0
    }

    #[inline]
    fn value_at(&self) -> usize {
        self.parts().value_at()
    }

    #[inline]
    fn value_bytes(&self) -> &[u8] {
        let parts = self.parts();
        &parts.bytes[parts.value_at()..]
    }

    /// When the key expires, Unix time in ms.
    #[inline(always)]
    pub fn deadline(&self) -> Option<u64> {
        if self.0[0] & HAS_DEADLINE == 0 { None } else { Some(self.stored_deadline()) }
    }

    fn stored_deadline(&self) -> u64 {
        let parts = self.parts();
        let mut bytes = [0; 8];
        let stored = &parts.bytes[parts.head..parts.key_at];
        bytes[..stored.len()].copy_from_slice(stored);
        u64::from_le_bytes(bytes)
    }

    /// Whether the deadline is over.
    #[inline(always)]
    pub fn has_expired(&self, now_ms: u64) -> bool {
        self.deadline().is_some_and(|deadline| deadline < now_ms)
    }

    /// The earliest deadline of a hash's fields.
    #[inline(always)]
    pub fn field_deadline(&self) -> Option<u64> {
        if self.0[0] & FORM_MASK == Form::BigHash as u8 { self.earliest_field_deadline() } else { None }
    }

    fn earliest_field_deadline(&self) -> Option<u64> {
        self.hash().and_then(|form| Hash::new(form).earliest_deadline())
    }

    /// Whether the deadline of the key or of any field is over.
    #[inline(always)]
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.has_expired(now_ms) || self.field_deadline().is_some_and(|deadline| deadline < now_ms)
    }

    /// Gives the key another deadline or none.
    pub fn set_deadline(&mut self, deadline: Option<u64>) {
        let (at, _) = self.key_length();
        let old = self.deadline_bytes();
        let (flags, due) = encode_deadline(deadline);
        self.0.splice(at, old, &[&due[..deadline_len(flags)]]);
        self.0[0] = self.0[0] & !(HAS_DEADLINE | LONG_DEADLINE) | flags;
    }

    /// What eviction knows about the last use.
    #[inline]
    pub fn access(&self) -> u16 {
        u16::from_le_bytes([self.0[1], self.0[2]])
    }

    /// Notes a use.
    #[inline]
    pub fn set_access(&mut self, access: u16) {
        // Only a change dirties the cache line.
        if self.access() != access {
            let [low, high] = access.to_le_bytes();
            let bytes: &mut [u8] = &mut self.0;
            (bytes[1], bytes[2]) = (low, high);
        }
    }

    /// The type of the value.
    #[inline]
    pub fn value_type(&self) -> ValueType {
        match self.form() {
            Form::Integer | Form::Embedded | Form::BigString => ValueType::String,
            Form::PackedHash | Form::BigHash => ValueType::Hash,
            Form::PackedList | Form::BigList => ValueType::List,
            Form::PackedSet | Form::BigSet => ValueType::Set,
            Form::PackedSortedSet | Form::BigSortedSet => ValueType::SortedSet,
            Form::Stream => ValueType::Stream,
        }
    }

    /// The address that the value's last eight bytes hold.
    fn boxed<T>(&self) -> *mut T {
        let bytes = &self.0;
        let mut own = [0; 8];
        own.copy_from_slice(&bytes[bytes.len() - 8..]);
        u64::from_ne_bytes(own) as usize as *mut T
    }

    /// # Safety
    /// The record's form is the one whose boxes hold a `T`.
    unsafe fn big<T>(&self) -> &T {
        // SAFETY: the caller's promise and the module's invariant.
        unsafe { &*self.boxed::<T>() }
    }

    /// # Safety
    /// As for [`Record::big`].
    unsafe fn big_mut<T>(&mut self) -> &mut T {
        // SAFETY: the caller's promise and the module's invariant; the record is borrowed exclusively.
        unsafe { &mut *self.boxed::<T>() }
    }

    /// The string value, or `None` if the key holds another type.
    #[inline]
    pub fn string(&self) -> Option<StringRef<'_>> {
        let parts = self.parts();
        let value = &parts.bytes[parts.value_at()..];
        match parts.form() {
            Form::Embedded => Some(StringRef::Bytes(value)),
            Form::Integer => Some(StringRef::Integer(sign_extended(value))),
            // SAFETY: the form says what is boxed.
            Form::BigString => Some(StringRef::Bytes(unsafe { self.big::<Arc<Vec<u8>>>() })),
            _ => None,
        }
    }

    /// The stream, to be read; `None` if the key holds another type.
    #[inline]
    pub fn stream(&self) -> Option<&Stream> {
        // SAFETY: the form says what is boxed.
        (self.form() == Form::Stream).then(|| unsafe { self.big() })
    }

    /// The stream, to be changed; `None` if the key holds another type.
    #[inline]
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        // SAFETY: the form says what is boxed.
        (self.form() == Form::Stream).then(|| unsafe { self.big_mut() })
    }

    /// The value, to be read, whatever its type.
    pub fn view(&self) -> ValueRef<'_> {
        use packed::Form::{Big, Packed};
        let bytes = self.value_bytes();
        // SAFETY: the form says what is boxed.
        unsafe {
            match self.form() {
                Form::Integer | Form::Embedded | Form::BigString => match self.string() {
                    Some(StringRef::Integer(n)) => ValueRef::Integer(n),
                    Some(StringRef::Bytes(bytes)) => ValueRef::Bytes(bytes),
                    None => unreachable!("three forms are strings"),
                },
                Form::PackedHash => ValueRef::Hash(Packed(bytes)),
                Form::BigHash => ValueRef::Hash(Big(self.big())),
                Form::PackedList => ValueRef::List(Packed(bytes)),
                Form::BigList => ValueRef::List(Big(self.big())),
                Form::PackedSet => ValueRef::Set(Packed(bytes)),
                Form::BigSet => ValueRef::Set(Big(self.big())),
                Form::PackedSortedSet => ValueRef::SortedSet(Packed(bytes)),
                Form::BigSortedSet => ValueRef::SortedSet(Big(self.big())),
                Form::Stream => ValueRef::Stream(self.big()),
            }
        }
    }

    /// Whether a string was built by editing.
    pub fn edited(&self) -> bool {
        self.form() == Form::BigString || self.0[0] & MARKED != 0
    }

    /// Replaces the value, whatever its type was; key, deadline and access stay.
    #[inline]
    pub fn replace_value(&mut self, value: NewValue<'_>) {
        let encoded = Encoded::of(value);
        if self.is_big() {
            self.drop_big();
        }
        let at = self.value_at();
        let bytes = encoded.bytes();
        let stored: &mut [u8] = &mut self.0;
        let old_len = stored.len() - at;
        if bytes.len() == old_len {
            stored[at..].copy_from_slice(bytes);
        } else {
            self.0.splice(at, old_len, &[bytes]);
        }
        self.0[0] = encoded.form | self.0[0] & (HAS_DEADLINE | LONG_DEADLINE);
    }

    /// Puts a short string in the place of one of the same length, and notes the use; false, and nothing has changed, where
    /// it is not as simple as that.
    #[inline]
    pub fn overwrite(&mut self, value: &NewValue<'_>, access: u16) -> bool {
        let NewValue::Bytes(bytes) = *value else { return false };
        let at = self.value_at();
        let stored: &mut [u8] = &mut self.0;
        if stored[0] & FORM_MASK != Form::Embedded as u8 || stored.len() - at != bytes.len() {
            return false;
        }
        stored[at..].copy_from_slice(bytes);
        let [low, high] = access.to_le_bytes();
        (stored[0], stored[1], stored[2]) = (stored[0] & !MARKED, low, high);
        true
    }

    /// The bytes of a string, to be changed where they lie; its encoding becomes `raw`. `None` if it is stored as a number,
    /// or the key holds another type.
    pub fn string_mut(&mut self) -> Option<&mut [u8]> {
        match self.form() {
            Form::Embedded => {
                self.0[0] |= MARKED;
                let at = self.value_at();
                Some(&mut self.0[at..])
            }
            // SAFETY: the form says what is boxed.
            Form::BigString => Some(Arc::<Vec<u8>>::make_mut(unsafe { self.big_mut() })),
            _ => None,
        }
    }

    /// Edits a string, in place where it has a buffer of its own; its encoding becomes `raw`. `None` if the key holds
    /// another type. The caller has bounded the length.
    pub fn edit_string<R>(&mut self, edit: impl FnOnce(&mut Vec<u8>) -> R) -> Option<R> {
        if let Form::BigString = self.form() {
            // SAFETY: the form says what is boxed.
            return Some(edit(Arc::make_mut(unsafe { self.big_mut::<Arc<Vec<u8>>>() })));
        }
        let mut text = self.string()?.to_vec();
        let result = edit(&mut text);
        self.replace_value(NewValue::Edited(&text));
        Some(result)
    }

    /// Writes `bytes` into a string so that they end at `end`, and pads it with zeroes if it is shorter. The caller has
    /// bounded `end`; nothing happens to a value of another type.
    pub fn write_string(&mut self, end: usize, bytes: &[u8]) {
        self.edit_string(|text| {
            if text.len() < end {
                text.resize(end, 0);
            }
            text[end - bytes.len()..end].copy_from_slice(bytes);
        });
    }

    /// Frees what a big form points to, and leaves a string of the pointer's bytes.
    #[cold]
    fn drop_big(&mut self) {
        let form = self.form();
        self.0[0] = Form::Embedded as u8 | self.0[0] & !FORM_MASK;
        // SAFETY: each arm frees the type that its form boxed; the form says so no more.
        unsafe {
            match form {
                Form::BigString => drop(Box::from_raw(self.boxed::<Arc<Vec<u8>>>())),
                Form::BigHash => drop(Box::from_raw(self.boxed::<HashTable>())),
                Form::BigList => drop(Box::from_raw(self.boxed::<Deque>())),
                Form::BigSet => drop(Box::from_raw(self.boxed::<SetTable>())),
                Form::BigSortedSet => drop(Box::from_raw(self.boxed::<Tree>())),
                Form::Stream => drop(Box::from_raw(self.boxed::<Stream>())),
                _ => {}
            }
        }
    }

    /// The same value under another key, without copying what a big form points to.
    pub fn renamed(self, key: &[u8]) -> Record {
        let (mut length, at) = ([0; 5], self.value_at());
        let (start, key_len) = self.key_length();
        let mut this = ManuallyDrop::new(self);
        let deadline = this.deadline_bytes();
        let tail = this.0[at..].to_vec();
        let due = this.0[start..start + deadline].to_vec();
        let head = [this.0[0], this.0[1], this.0[2]];
        let new = Thin::from_parts(&[&head, varint(key.len(), &mut length), &due, key, &tail]);
        debug_assert!(start + deadline + key_len == at);
        // SAFETY: `this` is never used again; its box, if any, now belongs to the new record.
        unsafe { std::ptr::drop_in_place(&mut this.0) };
        Record(new)
    }

    /// Bytes that the record and its value hold from the allocator.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        let own = self.0.heap_bytes();
        if self.is_big() { own + self.big_bytes() } else { own }
    }

    fn big_bytes(&self) -> usize {
        // SAFETY: the form says what is boxed.
        unsafe {
            match self.form() {
                Form::BigString => {
                    allocation_size(self.big::<Arc<Vec<u8>>>().capacity())
                        + allocation_size(size_of::<Vec<u8>>() + 16)
                        + 8
                }
                Form::BigHash => self.big::<HashTable>().heap_bytes() + allocation_size(size_of::<HashTable>()),
                Form::BigList => self.big::<Deque>().heap_bytes() + allocation_size(size_of::<Deque>()),
                Form::BigSet => self.big::<SetTable>().heap_bytes() + allocation_size(size_of::<SetTable>()),
                Form::BigSortedSet => self.big::<Tree>().heap_bytes() + allocation_size(size_of::<Tree>()),
                Form::Stream => self.big::<Stream>().heap_bytes() + allocation_size(size_of::<Stream>()),
                _ => 0,
            }
        }
    }

    /// Whether freeing the record takes long enough to be left to the background.
    #[inline]
    pub fn is_slow_to_free(&self) -> bool {
        self.is_big() && self.is_big_value_slow_to_free()
    }

    #[cold]
    fn is_big_value_slow_to_free(&self) -> bool {
        match self.form() {
            // SAFETY: the form says what is boxed.
            Form::BigString => unsafe { self.big::<Arc<Vec<u8>>>().len() > 1 << 20 },
            // SAFETY: the same.
            Form::Stream => unsafe { self.big::<Stream>().is_slow_to_free() },
            _ => true,
        }
    }
}

impl Drop for Record {
    #[inline]
    fn drop(&mut self) {
        if self.is_big() {
            self.drop_big();
        }
    }
}

/// A record of its own; big structures are shared with it until one side writes.
impl Clone for Record {
    fn clone(&self) -> Record {
        let mut copy = ManuallyDrop::new(Record(self.0.clone()));
        // SAFETY: each arm clones the type that its form boxes and writes the clone's address over the copied one,
        // before the copy may be dropped.
        unsafe {
            let address = match self.form() {
                Form::BigString => Box::into_raw(Box::new(self.big::<Arc<Vec<u8>>>().clone())) as usize,
                Form::BigHash => Box::into_raw(Box::new(self.big::<HashTable>().clone())) as usize,
                Form::BigList => Box::into_raw(Box::new(self.big::<Deque>().clone())) as usize,
                Form::BigSet => Box::into_raw(Box::new(self.big::<SetTable>().clone())) as usize,
                Form::BigSortedSet => Box::into_raw(Box::new(self.big::<Tree>().clone())) as usize,
                Form::Stream => Box::into_raw(Box::new(self.big::<Stream>().clone())) as usize,
                _ => 0,
            };
            if address != 0 {
                let at = copy.0.len() - 8;
                copy.0[at..].copy_from_slice(&(address as u64).to_ne_bytes());
            }
        }
        ManuallyDrop::into_inner(copy)
    }
}

impl Entry for Record {
    #[inline]
    fn hash(&self, basis: &Basis) -> u64 {
        basis.hash(self.key())
    }
    #[inline]
    fn due(&self, basis: &Basis) -> u32 {
        let deadline = match (self.deadline(), self.field_deadline()) {
            (Some(key), Some(field)) => Some(key.min(field)),
            (key, field) => key.or(field),
        };
        deadline.map_or(NEVER, |deadline| basis.tick_after(deadline))
    }
    #[inline]
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

/// The packed bytes of a record's value.
pub struct PackedBytes<'a> {
    thin: &'a mut Thin,
    at: usize,
}

impl std::ops::Deref for PackedBytes<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.thin[self.at..]
    }
}

impl std::ops::DerefMut for PackedBytes<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.thin[self.at..]
    }
}

impl Buffer for PackedBytes<'_> {
    fn splice(&mut self, at: usize, removed: usize, inserted: &[&[u8]]) {
        self.thin.splice(self.at + at, removed, inserted);
    }
}

macro_rules! collection {
    ($(#[$doc:meta])* $home:ident, $read:ident, $mutate:ident, $new:ident, $big:ty, $packed_form:ident, $big_form:ident) => {
        $(#[$doc])*
        pub struct $home<'a>(&'a mut Record);

        impl Record {
            /// The collection, to be read; `None` if the key holds another type.
            #[inline]
            pub fn $read(&self) -> Option<packed::Form<&[u8], &$big>> {
                match self.form() {
                    Form::$packed_form => Some(packed::Form::Packed(self.value_bytes())),
                    // SAFETY: the form says what is boxed.
                    Form::$big_form => Some(packed::Form::Big(unsafe { self.big::<$big>() })),
                    _ => None,
                }
            }

            /// The collection, to be changed; `None` if the key holds another type.
            #[inline]
            pub fn $mutate(&mut self) -> Option<$home<'_>> {
                matches!(self.form(), Form::$packed_form | Form::$big_form).then_some($home(self))
            }
        }

        impl Home<$big> for $home<'_> {
            type Bytes<'b>
                = PackedBytes<'b>
            where
                Self: 'b;
            fn form(&self) -> packed::Form<&[u8], &$big> {
                match self.0.form() {
                    // SAFETY: the form says what is boxed.
                    Form::$big_form => packed::Form::Big(unsafe { self.0.big::<$big>() }),
                    _ => packed::Form::Packed(self.0.value_bytes()),
                }
            }
            fn form_mut(&mut self) -> packed::Form<PackedBytes<'_>, &mut $big> {
                match self.0.form() {
                    // SAFETY: the form says what is boxed.
                    Form::$big_form => packed::Form::Big(unsafe { self.0.big_mut::<$big>() }),
                    _ => {
                        let at = self.0.value_at();
                        packed::Form::Packed(PackedBytes { thin: &mut self.0.0, at })
                    }
                }
            }
            fn promote(&mut self, big: $big) {
                self.0.replace_value(NewValue::$new(packed::Form::Big(big)));
            }
            fn demote(&mut self, packed: &[u8]) {
                self.0.replace_value(NewValue::$new(packed::Form::Packed(packed)));
            }
        }
    };
}

collection! {
    /// A record that holds a hash.
    HashHome, hash, hash_mut, Hash, HashTable, PackedHash, BigHash
}
collection! {
    /// A record that holds a list.
    ListHome, list, list_mut, List, Deque, PackedList, BigList
}
collection! {
    /// A record that holds a set.
    SetHome, set, set_mut, Set, SetTable, PackedSet, BigSet
}
collection! {
    /// A record that holds a sorted set.
    SortedSetHome, sorted_set, sorted_set_mut, SortedSet, Tree, PackedSortedSet, BigSortedSet
}

#[cfg(test)]
mod tests;
