//! From the bytes of one value to the value, for every type that is read.

use std::io::Read;

use super::build::{Built, Workshop};
use super::elements::Element;
use super::error::{Fault, RdbError, Result};
use super::format::{kind, node};
use super::input::{Input, Text};
use super::{listpack, stream, volatile_hash, ziplist, zipmap};
use crate::base::number::parse_i64;
use crate::value::NewValue;
use crate::value::hash::HashTable;
use crate::value::list::Deque;
use crate::value::packed::Form;
use crate::value::set::SetTable;
use crate::value::sorted_set::Tree;
use crate::value::stream::Stream;

/// A value that was read, its bytes still in the input or the workshop; [`Decoded::present`] puts both together.
pub enum Decoded {
    /// A string that is an integer.
    Integer(i64),
    /// Another string.
    Bytes(Text),
    /// A hash.
    Hash(Form<(), HashTable>),
    /// A list.
    List(Form<(), Deque>),
    /// A set.
    Set(Form<(), SetTable>),
    /// A sorted set.
    SortedSet(Form<(), Tree>),
    /// A stream.
    Stream(Box<Stream>),
}

impl Decoded {
    /// The value, as a record wants it.
    pub fn present<'a, R: Read>(self, input: &'a Input<R>, workshop: &'a Workshop) -> NewValue<'a> {
        let packed = &workshop.packed;
        match self {
            Decoded::Integer(n) => NewValue::Integer(n),
            Decoded::Bytes(text) => NewValue::Bytes(input.show(text)),
            Decoded::Hash(form) => NewValue::Hash(with_bytes(form, packed)),
            Decoded::List(form) => NewValue::List(with_bytes(form, packed)),
            Decoded::Set(form) => NewValue::Set(with_bytes(form, packed)),
            Decoded::SortedSet(form) => NewValue::SortedSet(with_bytes(form, packed)),
            Decoded::Stream(stream) => NewValue::Stream(stream),
        }
    }
}

fn with_bytes<Big>(form: Form<(), Big>, packed: &[u8]) -> Form<&[u8], Big> {
    match form {
        Form::Packed(()) => Form::Packed(packed),
        Form::Big(big) => Form::Big(big),
    }
}

/// Reads a value of this type; `None` for a collection without elements, which Redis lets pass and skips.
pub fn value<R: Read>(input: &mut Input<R>, workshop: &mut Workshop, kind: u8) -> Result<Option<Decoded>> {
    let offset = input.offset();
    match kind {
        kind::STRING => string(input).map(Some),
        kind::HASH | kind::HASH_ZIPMAP | kind::HASH_ZIPLIST | kind::HASH_LISTPACK => {
            hash(input, workshop, kind, offset).map(|hash| hash.map(Decoded::Hash))
        }
        kind::HASH_DEADLINES | kind::HASH_DEADLINES_LISTPACK | kind::HASH_DEADLINES_VALKEY => {
            volatile_hash::read(input, workshop, kind, offset).map(|hash| hash.map(Decoded::Hash))
        }
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => {
            set(input, workshop, kind, offset).map(|set| set.map(Decoded::Set))
        }
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => {
            list(input, workshop, kind, offset).map(|list| list.map(Decoded::List))
        }
        kind::SORTED_SET | kind::SORTED_SET_2 | kind::SORTED_SET_ZIPLIST | kind::SORTED_SET_LISTPACK => {
            sorted_set(input, workshop, kind, offset).map(|set| set.map(Decoded::SortedSet))
        }
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => {
            stream::read(input, kind).map(|stream| Some(Decoded::Stream(Box::new(stream))))
        }
        _ => Err(refusal(kind, offset)),
    }
}

/// Why a type is not read.
fn refusal(kind: u8, offset: u64) -> RdbError {
    let what = match kind {
        kind::MODULE | kind::MODULE_2 => "a value of a module",
        _ => return RdbError::Damaged { offset, what: format!("there is no type {kind}").into() },
    };
    RdbError::Unsupported { offset, what: format!("{what} (type {kind})").into() }
}

/// Whether a byte in front of a key is a type, read or refused.
pub fn is_type(kind: u8) -> bool {
    kind <= kind::LAST && kind != 8 && kind != 23
}

fn string<R: Read>(input: &mut Input<R>) -> Result<Decoded> {
    let text = input.text()?;
    if let Text::Integer(n) = text {
        return Ok(Decoded::Integer(n));
    }
    // Redis, too, has an integer wherever the text is one, whatever it was when it was saved.
    Ok(match parse_i64(input.show(text)) {
        Some(n) => Decoded::Integer(n),
        None => Decoded::Bytes(text),
    })
}

/// Puts the offset to what is wrong.
pub(super) fn at<T>(offset: u64, result: std::result::Result<T, Fault>) -> Result<T> {
    result.map_err(|fault| RdbError::Damaged { offset, what: fault.into() })
}

/// Calls `add` for as many strings as a length in the input says, times `each`.
fn strings<R: Read>(
    input: &mut Input<R>,
    each: u64,
    mut add: impl FnMut(&[u8]) -> std::result::Result<(), Fault>,
) -> Result<()> {
    let offset = input.offset();
    let count = input.length()?.checked_mul(each);
    let count = at(offset, count.ok_or("a collection has more elements than any can have"))?;
    for _ in 0..count {
        let offset = input.offset();
        at(offset, add(input.string()?))?;
    }
    Ok(())
}

fn hash<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    kind: u8,
    offset: u64,
) -> Result<Option<Form<(), HashTable>>> {
    let mut hash = workshop.hash();
    let each = match kind {
        kind::HASH => {
            strings(input, 2, |part| hash.add(part))?;
            return at(offset, hash.finish());
        }
        kind::HASH_ZIPMAP => zipmap::each,
        kind::HASH_ZIPLIST => ziplist::each,
        _ => listpack::each,
    };
    let add = |element: Element<'_>| element.with_text(|part| hash.add(part));
    at(offset, each(input.blob()?, add))?;
    at(offset, hash.finish())
}

fn set<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    kind: u8,
    offset: u64,
) -> Result<Option<Form<(), SetTable>>> {
    let built: Built<SetTable> = match kind {
        kind::SET_INTSET => workshop.intset(input.blob()?),
        kind::SET => {
            let mut set = workshop.set(true);
            strings(input, 1, |member| set.add(Element::Bytes(member)))?;
            set.finish()
        }
        _ => {
            let mut set = workshop.set(false);
            at(offset, listpack::each(input.blob()?, |member| set.add(member)))?;
            set.finish()
        }
    };
    at(offset, built)
}

fn list<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    kind: u8,
    offset: u64,
) -> Result<Option<Form<(), Deque>>> {
    let mut list = workshop.list();
    if kind == kind::LIST {
        strings(input, 1, |value| {
            list.add_loose(value);
            Ok(())
        })?;
        return at(offset, list.finish());
    }
    let nodes = if kind == kind::LIST_ZIPLIST { 1 } else { input.length()? };
    for _ in 0..nodes {
        let offset = input.offset();
        let container = if kind == kind::LIST_QUICKLIST_2 { input.length()? } else { node::PACKED };
        let add = |element: Element<'_>| {
            element.with_text(|value| list.add(value));
            Ok(())
        };
        match container {
            node::PLAIN => list.add(input.string()?),
            node::PACKED if kind == kind::LIST_QUICKLIST_2 => at(offset, listpack::each(input.blob()?, add))?,
            node::PACKED => at(offset, ziplist::each(input.blob()?, add))?,
            _ => return input.damaged(offset, "a node of a list is of an unknown kind"),
        }
        list.end_node();
    }
    at(offset, list.finish())
}

fn sorted_set<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    kind: u8,
    offset: u64,
) -> Result<Option<Form<(), Tree>>> {
    match kind {
        kind::SORTED_SET | kind::SORTED_SET_2 => {
            let mut set = workshop.sorted_set(false);
            let mut member = Vec::new();
            for _ in 0..input.length()? {
                let offset = input.offset();
                member.clear();
                member.extend_from_slice(input.string()?);
                let score =
                    if kind == kind::SORTED_SET { old_score(input)? } else { f64::from_le_bytes(input.array()?) };
                at(offset, set.add(&member, score))?;
            }
            at(offset, set.finish())
        }
        _ => {
            let each = if kind == kind::SORTED_SET_ZIPLIST { ziplist::each } else { listpack::each };
            let mut set = workshop.sorted_set(true);
            let mut member: Option<Vec<u8>> = None;
            let mut room = Vec::new();
            let walked = each(input.blob()?, |element: Element<'_>| match member.take() {
                None => {
                    let mut bytes = std::mem::take(&mut room);
                    bytes.clear();
                    element.with_text(|text| bytes.extend_from_slice(text));
                    member = Some(bytes);
                    Ok(())
                }
                Some(bytes) => {
                    let score = element.score().ok_or("a score is no number")?;
                    set.add(&bytes, score)?;
                    room = bytes;
                    Ok(())
                }
            });
            at(offset, walked)?;
            if member.is_some() {
                return input.damaged(offset, "a sorted set has a member without a score");
            }
            at(offset, set.finish())
        }
    }
}

/// A score as it was written before binary ones: its text behind its length, or one of three bytes for what has none.
fn old_score<R: Read>(input: &mut Input<R>) -> Result<f64> {
    let offset = input.offset();
    match input.byte()? {
        253 => input.damaged(offset, "a score is no number"),
        254 => Ok(f64::INFINITY),
        255 => Ok(f64::NEG_INFINITY),
        len => {
            let score = Element::Bytes(input.bytes(len.into())?).score();
            at(offset, score.ok_or("a score is no number"))
        }
    }
}
