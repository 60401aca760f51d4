//! The RDB format: snapshots of a keyspace, and the payloads of DUMP.
//!
//! A file is `REDIS` and four digits of version, then items that begin with one byte each:
//!
//! ```text
//! 250 name value          an auxiliary field
//! 254 number              the database of what follows
//! 251 keys volatile       how many keys it has, and how many with a deadline
//! 252 ms | 253 s          the deadline of the next key      248 idle | 249 counter      its last use
//! type key value          a key
//! 255                     the end; then eight bytes of CRC-64 of all before it (zeroes: not summed)
//! ```
//!
//! A length is 6 or 14 bits, or 32 or 64 behind a byte, big-endian; its other two top bits say instead that a string is
//! an integer of 1, 2 or 4 bytes or compressed by LZF. Small collections are one string that holds a packed structure
//! (listpack, intset, and the older ziplist and zipmap); the types are in [`format`].
//!
//! [`Encoder`] turns values into bytes, [`Writer`] makes a file of them. [`Reader`] reads what Redis up to 8.0 and Valkey
//! up to 9.1 write, streaming: it never holds more than it has been given, checks every packed structure to the last
//! byte, and names the offset of what is wrong. [`dump`] has the payloads of DUMP.

mod build;
mod decode;
pub mod dump;
mod elements;
mod encode;
mod error;
mod format;
pub mod functions;
mod input;
mod listpack;
mod lzf;
mod reader;
mod stream;
mod volatile_hash;
mod writer;
mod ziplist;
mod zipmap;

pub use encode::{Encoder, Sink};
pub use error::RdbError;
pub use reader::{Entry, Item, Reader};
pub use writer::{Auxiliary, Writer};

use crate::value::ValueLimits;
use crate::value::table::Basis;

/// What a file says about the last use of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// Nothing.
    #[default]
    Unknown,
    /// It was so many seconds ago.
    Idle(u64),
    /// The logarithmic counter of uses.
    Frequency(u8),
}

/// Reads any bytes as a file and as a payload of DUMP with its checksum put right: what the fuzz target calls. Each must
/// be a value or an error.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let basis = Basis::new(1, 0);
    if let Ok(reader) = Reader::new(bytes, ValueLimits::default(), basis.clone()) {
        let mut reader = reader.without_checksum();
        while let Ok(Some(item)) = reader.next() {
            if let Item::Entry(entry) = item {
                _ = dump::dump(entry.value.view(), true);
            }
        }
    }
    let signed = dump::signed(bytes);
    if let Ok(codes) = functions::read(&signed) {
        _ = functions::dump(codes.iter().map(Vec::as_slice), true);
    }
    if let Ok(payload) = dump::Payload::read(&signed, ValueLimits::default(), basis) {
        payload.hand_over(|value| _ = dump::dump(value.view(), false));
    }
}

#[cfg(test)]
mod tests;
