//! Payloads of DUMP: `[type][value][version: u16 LE][CRC-64 of all before: u64 LE]`.

use super::build::Workshop;
use super::decode::{self, Decoded};
use super::encode::Encoder;
use super::format::{VALKEY_VERSION, VERSION, VERSION_MAX, VERSION_WITH_FIELD_DEADLINES};
use super::input::Input;
use crate::base::crc64::crc64;
use crate::value::table::Basis;
use crate::value::{NewValue, ValueLimits, ValueRef};

pub(super) const FOOTER_BYTES: usize = 10;

/// Why a payload is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpError {
    /// It is of a version that is not known, or its checksum is another.
    Footer,
    /// What is in it is no value.
    Value,
}

/// The payload of a value.
pub fn dump(value: ValueRef<'_>, compresses: bool) -> Vec<u8> {
    let mut payload = Vec::new();
    // A vector takes everything.
    Encoder::new(compresses).value(value, &mut payload).unwrap_or_default();
    sign(payload, if value.has_field_deadlines() { VERSION_WITH_FIELD_DEADLINES } else { VERSION })
}

/// Bytes that a value takes in a file, its type left out.
pub fn value_bytes(value: ValueRef<'_>, compresses: bool) -> usize {
    dump(value, compresses).len().saturating_sub(FOOTER_BYTES + 1)
}

/// These bytes as the body of a payload.
pub fn signed(body: &[u8]) -> Vec<u8> {
    sign(body.to_vec(), VERSION)
}

pub(super) fn sign(mut payload: Vec<u8>, version: u16) -> Vec<u8> {
    payload.extend_from_slice(&version.to_le_bytes());
    let sum = crc64(&payload);
    payload.extend_from_slice(&sum.to_le_bytes());
    payload
}

/// A payload whose value has been read.
pub struct Payload {
    input: Input<std::io::Empty>,
    workshop: Workshop,
    decoded: Decoded,
}

impl Payload {
    /// Reads a payload, the whole of it.
    ///
    /// # Errors
    /// See [`DumpError`].
    pub fn read(payload: &[u8], limits: ValueLimits, basis: Basis) -> Result<Payload, DumpError> {
        let body = verify(payload).ok_or(DumpError::Footer)?;
        let mut input = Input::of_bytes(body);
        let mut workshop = Workshop::new(limits, basis);
        let kind = input.byte().map_err(|_| DumpError::Value)?;
        let decoded = decode::value(&mut input, &mut workshop, kind).map_err(|_| DumpError::Value)?;
        match decoded {
            Some(decoded) if input.is_at_end() => Ok(Payload { input, workshop, decoded }),
            _ => Err(DumpError::Value),
        }
    }

    /// Hands the value over to be stored.
    pub fn hand_over<R>(self, store: impl FnOnce(NewValue<'_>) -> R) -> R {
        store(self.decoded.present(&self.input, &self.workshop))
    }
}

/// What stands before the footer, if that is right.
pub(super) fn verify(payload: &[u8]) -> Option<&[u8]> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER_BYTES)?)?;
    let (version, sum) = footer.split_first_chunk()?;
    let version = u16::from_le_bytes(*version);
    let known = version <= VERSION_MAX || version == VALKEY_VERSION;
    let summed = u64::from_le_bytes(*sum.first_chunk()?) == crc64(&payload[..payload.len() - sum.len()]);
    (known && summed).then_some(body)
}
