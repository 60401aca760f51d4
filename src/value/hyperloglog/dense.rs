//! The dense encoding: 6 bits per register, the lowest bits of a byte first; four registers take three bytes.

use super::REGISTERS;

/// Raises a register to `rank`, and tells whether it was lower.
#[inline]
pub(super) fn raise(registers: &mut [u8], register: usize, rank: u8) -> bool {
    let (at, shift) = (register * 6 / 8, register * 6 % 8);
    // A register lies in one byte or in two. The last one ends with its byte, so reading it as if it lay in two
    // would leave the slice: it is read from the byte before instead.
    let (at, shift) = if at + 1 < registers.len() { (at, shift) } else { (at - 1, shift + 8) };
    let pair = u16::from_le_bytes([registers[at], registers[at + 1]]);
    if pair >> shift & 63 >= u16::from(rank) {
        return false;
    }
    let pair = pair & !(63 << shift) | u16::from(rank) << shift;
    registers[at..at + 2].copy_from_slice(&pair.to_le_bytes());
    true
}

/// The four registers that three bytes hold.
#[inline]
fn unpack(bytes: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    [bits & 63, bits >> 6 & 63, bits >> 12 & 63, bits >> 18].map(|rank| rank as u8)
}

/// How many registers have each rank.
pub(super) fn histogram(registers: &[u8]) -> [u32; 64] {
    // Four histograms, so that equal ranks in a row do not wait for each other's store.
    let mut counts = [[0u32; 64]; 4];
    for group in registers.as_chunks::<3>().0 {
        for (lane, rank) in counts.iter_mut().zip(unpack(*group)) {
            lane[rank as usize] += 1;
        }
    }
    std::array::from_fn(|rank| counts.iter().map(|lane| lane[rank]).sum())
}

/// Raises each of `ranks` to its register.
pub(super) fn raise_all(ranks: &mut [u8; REGISTERS], registers: &[u8]) {
    for (ranks, group) in ranks.as_chunks_mut::<4>().0.iter_mut().zip(registers.as_chunks::<3>().0) {
        for (rank, other) in ranks.iter_mut().zip(unpack(*group)) {
            *rank = other.max(*rank);
        }
    }
}

/// Sets every register to its rank.
pub(super) fn store_all(registers: &mut [u8], ranks: &[u8; REGISTERS]) {
    for (ranks, group) in ranks.as_chunks::<4>().0.iter().zip(registers.as_chunks_mut::<3>().0) {
        let bits = ranks.iter().rev().fold(0, |bits, rank| bits << 6 | u32::from(rank & 63));
        let [low, middle, high, _] = bits.to_le_bytes();
        *group = [low, middle, high];
    }
}
