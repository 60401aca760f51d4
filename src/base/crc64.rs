//! CRC-64 with the polynomial of Jones (`0xad93d23594c935a9`, reflected, no inversion): the checksum of RDB files and
//! DUMP payloads.

use crc_fast::{CrcAlgorithm, Digest};

/// A checksum of bytes that come in parts; parts of some kilobytes and more are fast.
#[derive(Clone, Debug)]
pub struct Crc64(Digest);

impl Default for Crc64 {
    fn default() -> Self {
        Crc64(Digest::new(CrcAlgorithm::Crc64Redis))
    }
}

impl Crc64 {
    /// Adds a part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The checksum of all parts so far.
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}

/// The checksum of these bytes.
pub fn crc64(bytes: &[u8]) -> u64 {
    let mut sum = Crc64::default();
    sum.update(bytes);
    sum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out_whatever_the_parts() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(b""), 0);
        let bytes: Vec<u8> = (0..10_000u32).map(|i| (i * 7) as u8).collect();
        for part in [1, 3, 64, 4096] {
            let mut sum = Crc64::default();
            bytes.chunks(part).for_each(|part| sum.update(part));
            assert_eq!(sum.value(), crc64(&bytes), "in parts of {part}");
        }
    }
}
