//! Bits of strings: counting, searching and combining them. Bit 0 is the highest of the first byte, as Redis counts.
//!
//! All three go through whole words: counting and combining are plain loops that the compiler turns into the widest
//! instructions it may use, and since counting gains most from them, it is compiled for newer processors too and the
//! fitting copy is chosen at run time. Integers of some bits at some bit are in [`field`].
//!
//! This is one of the audited modules with `unsafe`. Its invariant: a copy that is compiled for a feature is called
//! where the processor has been asked for that feature, and nowhere else.
#![allow(unsafe_code)]

pub mod field;
#[cfg(test)]
mod tests;

use std::ops::Range;

/// Bytes that are looked at together while searching.
const STRIDE: usize = 32;

/// Number of bits that are set.
#[inline]
pub fn count(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // Short strings are over before a choice would pay.
        if bytes.len() >= STRIDE {
            if is_x86_feature_detected!("avx512vpopcntdq") && is_x86_feature_detected!("avx512vl") {
                // SAFETY: the processor has the features.
                return unsafe { count_avx512(bytes) };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                // SAFETY: the processor has the features.
                return unsafe { count_avx2(bytes) };
            }
        }
    }
    count_words(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512vpopcntdq,popcnt")]
fn count_avx512(bytes: &[u8]) -> u64 {
    count_words(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn count_avx2(bytes: &[u8]) -> u64 {
    count_words(bytes)
}

#[inline(always)]
fn count_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    // Without the check for an overflow that cannot happen, which would make the loop go word by word.
    let add = |sum: u64, ones: u32| sum.wrapping_add(ones as u64);
    let whole = words.iter().map(|word| u64::from_ne_bytes(*word).count_ones()).fold(0, add);
    rest.iter().map(|byte| byte.count_ones()).fold(whole, add)
}

/// The part of a byte from its bit `from` on.
fn from_bit(from: usize) -> u8 {
    0xff >> from
}

/// Number of bits that are set among those of a range, which lies within the string.
pub fn count_range(bytes: &[u8], bits: Range<usize>) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    let touched = &bytes[bits.start / 8..bits.end.div_ceil(8)];
    let mut count = count(touched);
    // What the first and the last byte hold beside the range.
    if let Some(first) = touched.first() {
        count -= (first & !from_bit(bits.start % 8)).count_ones() as u64;
    }
    if let (Some(last), true) = (touched.last(), !bits.end.is_multiple_of(8)) {
        count -= (last & from_bit(bits.end % 8)).count_ones() as u64;
    }
    count
}

/// The first bit of this value within a range, which lies within the string.
pub fn position(bytes: &[u8], bit: bool, bits: Range<usize>) -> Option<usize> {
    // A searched bit is one that is set after this flips the others.
    let flip = if bit { 0 } else { 0xff };
    let mut at = bits.start / 8;
    let end = bits.end.div_ceil(8);
    let mut mask = from_bit(bits.start % 8);
    while at < end {
        let found = (bytes[at] ^ flip) & mask;
        if found != 0 {
            let place = at * 8 + found.leading_zeros() as usize;
            return (place < bits.end).then_some(place);
        }
        mask = 0xff;
        at += 1;
        at += skippable(&bytes[at.min(end)..end], flip);
    }
    None
}

/// How many bytes in front, by the stride, are all `skipped`.
fn skippable(bytes: &[u8], skipped: u8) -> usize {
    let (strides, _) = bytes.as_chunks::<STRIDE>();
    strides.iter().take_while(|stride| **stride == [skipped; STRIDE]).count() * STRIDE
}

/// How BITOP combines strings, the first of which may play a part of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Set in all.
    And,
    /// Set in any.
    Or,
    /// Set in an odd number of them.
    Xor,
    /// Not set in the first.
    Not,
    /// Set in the first and in no other.
    Diff,
    /// Set in another, and not in the first.
    Diff1,
    /// Set in the first and in another.
    AndOr,
    /// Set in exactly one.
    One,
}

/// The strings combined, as long as the longest; a shorter one counts as if zeroes followed.
pub fn combine(operator: Operator, sources: &[&[u8]]) -> Vec<u8> {
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let (first, others) = sources.split_first().map_or((&[][..], sources), |(first, others)| (*first, others));
    match operator {
        Operator::And => {
            let mut result = padded(first, len);
            for other in others {
                each(&mut result, other, |a, b| a & b);
                result[other.len()..].fill(0);
            }
            result
        }
        Operator::Or => union(sources, len),
        Operator::Xor => {
            let mut result = padded(first, len);
            others.iter().for_each(|other| each(&mut result, other, |a, b| a ^ b));
            result
        }
        Operator::Not => first.iter().map(|byte| !byte).collect(),
        Operator::Diff => {
            let mut result = padded(first, len);
            others.iter().for_each(|other| each(&mut result, other, |a, b| a & !b));
            result
        }
        Operator::Diff1 => {
            let mut result = union(others, len);
            each(&mut result, first, |a, b| a & !b);
            result
        }
        Operator::AndOr => {
            let mut result = union(others, len);
            each(&mut result, first, |a, b| a & b);
            result[first.len()..].fill(0);
            result
        }
        Operator::One => {
            let (mut once, mut more) = (padded(first, len), vec![0; len]);
            for other in others {
                for ((once, more), byte) in once.iter_mut().zip(&mut more).zip(*other) {
                    *more |= *once & byte;
                    *once |= byte;
                }
            }
            each(&mut once, &more, |a, b| a & !b);
            once
        }
    }
}

fn padded(source: &[u8], len: usize) -> Vec<u8> {
    let mut result = Vec::with_capacity(len);
    result.extend_from_slice(source);
    result.resize(len, 0);
    result
}

fn union(sources: &[&[u8]], len: usize) -> Vec<u8> {
    let (first, others) = sources.split_first().map_or((&[][..], sources), |(first, others)| (*first, others));
    let mut result = padded(first, len);
    others.iter().for_each(|other| each(&mut result, other, |a, b| a | b));
    result
}

/// Combines byte by byte as far as both reach.
#[inline(always)]
fn each(result: &mut [u8], other: &[u8], combined: impl Fn(u8, u8) -> u8) {
    for (byte, other) in result.iter_mut().zip(other) {
        *byte = combined(*byte, *other);
    }
}
