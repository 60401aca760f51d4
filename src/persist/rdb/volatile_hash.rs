//! Hashes whose fields expire, in RDB data.
//!
//! ```text
//! 24, Redis from 7.4 on       earliest deadline (8 bytes), fields, and for each:  distance, field, value
//!                             the distance is 0 without a deadline, else one more than the ms behind the earliest
//! 25, the same while small    earliest deadline (8 bytes), a listpack:  field, value, deadline or 0, …
//! 22, Valkey from 9.0 on      fields, and for each:  field, value, deadline (8 bytes) or -1
//! ```
//!
//! Deadlines are Unix time in ms. What is written is 24, in files of version 12. The numbers 22 and 23 were Redis's, too,
//! before 7.4 was finished; nobody has such files.

use std::io::Read;

use super::build::{Built, Workshop};
use super::decode::at;
use super::elements::Element;
use super::encode::{Encoder, Sink, put_length};
use super::error::{Fault, Result};
use super::format::kind;
use super::input::Input;
use super::listpack;
use crate::value::hash::{Hash, HashTable};
use crate::value::packed::Form;

const BAD_DEADLINE: Fault = "the deadline of a field is out of range";

/// Appends a hash, its type excluded; `earliest` is its earliest deadline.
pub fn write(encoder: &mut Encoder, hash: Hash<'_>, earliest: u64, sink: &mut impl Sink) -> std::io::Result<()> {
    sink.buffer().extend_from_slice(&earliest.to_le_bytes());
    put_length(hash.len() as u64, sink.buffer());
    for (field, value) in hash.iter() {
        let distance = hash.deadline(field).map_or(0, |deadline| deadline - earliest + 1);
        put_length(distance, sink.buffer());
        encoder.string(field, sink.buffer());
        encoder.string(value, sink.buffer());
        sink.relieve()?;
    }
    Ok(())
}

/// Fields with their deadlines, as they are read.
type Deadlines = Vec<(Vec<u8>, u64)>;

/// Reads a hash of one of these types.
pub fn read<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    kind: u8,
    offset: u64,
) -> Result<Option<Form<(), HashTable>>> {
    let mut deadlines = Deadlines::new();
    let built = match kind {
        kind::HASH_DEADLINES => read_distances(input, workshop, &mut deadlines)?,
        kind::HASH_DEADLINES_LISTPACK => read_listpack(input, workshop, &mut deadlines)?,
        _ => read_times(input, workshop, &mut deadlines)?,
    };
    let built = at(offset, built)?;
    if deadlines.is_empty() {
        return Ok(built);
    }
    Ok(built.map(|form| {
        let mut table = match form {
            Form::Packed(()) => HashTable::from_packed(&workshop.packed, &workshop.basis),
            Form::Big(table) => table,
        };
        deadlines.iter().for_each(|(field, deadline)| table.set_deadline(field, *deadline));
        Form::Big(table)
    }))
}

fn read_distances<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    deadlines: &mut Deadlines,
) -> Result<Built<HashTable>> {
    let earliest = u64::from_le_bytes(input.array()?);
    let mut hash = workshop.hash();
    for _ in 0..input.length()? {
        let offset = input.offset();
        let distance = input.length()?;
        let field = input.string()?;
        if distance > 0 {
            let deadline = earliest.checked_add(distance - 1).filter(|deadline| *deadline <= i64::MAX.unsigned_abs());
            deadlines.push((field.to_vec(), at(offset, deadline.ok_or(BAD_DEADLINE))?));
        }
        at(offset, hash.add(field))?;
        at(offset, hash.add(input.string()?))?;
    }
    Ok(hash.finish())
}

fn read_listpack<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    deadlines: &mut Deadlines,
) -> Result<Built<HashTable>> {
    let _earliest: [u8; 8] = input.array()?;
    let offset = input.offset();
    let mut hash = workshop.hash();
    let (mut place, mut field) = (0, Vec::new());
    let walked = listpack::each(input.blob()?, |element: Element<'_>| {
        place = (place + 1) % 3;
        match place {
            1 => element.with_text(|text| {
                field = text.to_vec();
                hash.add(text)
            }),
            2 => element.with_text(|text| hash.add(text)),
            _ => {
                let deadline = element.integer().and_then(|deadline| u64::try_from(deadline).ok());
                if let deadline @ 1.. = deadline.ok_or(BAD_DEADLINE)? {
                    deadlines.push((std::mem::take(&mut field), deadline));
                }
                Ok(())
            }
        }
    });
    at(offset, walked)?;
    if place != 0 {
        return input.damaged(offset, "a field has no place for its deadline");
    }
    Ok(hash.finish())
}

fn read_times<R: Read>(
    input: &mut Input<R>,
    workshop: &mut Workshop,
    deadlines: &mut Deadlines,
) -> Result<Built<HashTable>> {
    let mut hash = workshop.hash();
    let mut field = Vec::new();
    for _ in 0..input.length()? {
        let offset = input.offset();
        field.clear();
        field.extend_from_slice(input.string()?);
        at(offset, hash.add(&field))?;
        at(offset, hash.add(input.string()?))?;
        match i64::from_le_bytes(input.array()?) {
            -1 => {}
            time => deadlines.push((field.clone(), at(offset, u64::try_from(time).map_err(|_| BAD_DEADLINE))?)),
        }
    }
    Ok(hash.finish())
}
