//! Natural numbers of any size, for the texts that do not fit 128 bits: just what parsing and printing need.

use std::cmp::Ordering;

/// A natural number: 64-bit limbs, the lowest first, the highest never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big(Vec<u64>);

impl From<u64> for Big {
    fn from(value: u64) -> Big {
        Big(if value == 0 { Vec::new() } else { vec![value] })
    }
}

/// The largest powers that fit one limb.
const TEN_19: u64 = 10u64.pow(19);
const FIVE_27: u64 = 5u64.pow(27);

impl Big {
    /// The value of ASCII digits.
    pub(super) fn from_decimal(digits: &[u8]) -> Big {
        let mut value = Big(Vec::new());
        for chunk in digits.chunks(19) {
            let part = chunk.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
            value.multiply_add(10u64.pow(chunk.len() as u32), part);
        }
        value
    }

    /// `value * 2^shift`.
    pub(super) fn shifted(value: u64, shift: u32) -> Big {
        let mut big = Big::from(value);
        big.shift_left(shift);
        big
    }

    fn bits(&self) -> u32 {
        self.0.last().map_or(0, |top| self.0.len() as u32 * 64 - top.leading_zeros())
    }

    fn multiply_add(&mut self, factor: u64, mut carry: u64) {
        for limb in &mut self.0 {
            let product = u128::from(*limb) * u128::from(factor) + u128::from(carry);
            *limb = product as u64;
            carry = (product >> 64) as u64;
        }
        if carry != 0 {
            self.0.push(carry);
        }
    }

    pub(super) fn multiply_by_power_of_five(&mut self, mut power: u32) {
        while power >= 27 {
            self.multiply_add(FIVE_27, 0);
            power -= 27;
        }
        self.multiply_add(5u64.pow(power), 0);
    }

    fn shift_left(&mut self, shift: u32) {
        if self.0.is_empty() {
            return;
        }
        self.multiply_add(1 << (shift % 64), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, shift as usize / 64));
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for limb in self.0.iter_mut().rev() {
            let low = *limb & 1;
            *limb = *limb >> 1 | carry << 63;
            carry = low;
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn compare(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes away `other`, which is not larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let (less, first) = limb.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (less, first || second);
        }
        self.trim();
    }

    /// The highest 128 bits, how many bits are below them, and whether one of those is set.
    pub(super) fn top_bits(&self) -> (u128, u32, bool) {
        let dropped = self.bits().saturating_sub(128);
        let (skipped, shift) = (dropped as usize / 64, dropped % 64);
        let limb = |index: usize| u128::from(self.0.get(skipped + index).copied().unwrap_or(0));
        let low = limb(0) | limb(1) << 64;
        let top = if shift == 0 { low } else { low >> shift | limb(2) << (128 - shift) };
        let inexact = self.0[..skipped].iter().any(|limb| *limb != 0) || limb(0) & ((1 << shift) - 1) != 0;
        (top, dropped, inexact)
    }

    /// `self / divisor` as `(quotient, shift, inexact)`: the quotient of `self * 2^shift`, with 80 bits or so.
    pub(super) fn divide(mut self, mut divisor: Big) -> (u128, i64, bool) {
        const QUOTIENT_BITS: u32 = 80;
        // Both are shifted so that the divisor is first too large by one bit and then taken away bit by bit.
        let shift = i64::from(divisor.bits()) + i64::from(QUOTIENT_BITS) - i64::from(self.bits());
        if shift >= 0 {
            self.shift_left(shift as u32);
        } else {
            divisor.shift_left(shift.unsigned_abs() as u32);
        }
        divisor.shift_left(QUOTIENT_BITS);
        let mut quotient = 0u128;
        for _ in 0..=QUOTIENT_BITS {
            quotient <<= 1;
            if self.compare(&divisor) != Ordering::Less {
                self.subtract(&divisor);
                quotient |= 1;
            }
            divisor.halve();
        }
        (quotient, shift, !self.0.is_empty())
    }

    /// The decimal text.
    pub(super) fn into_decimal(mut self) -> String {
        let mut parts = Vec::new();
        while !self.0.is_empty() {
            let mut rest = 0u128;
            for limb in self.0.iter_mut().rev() {
                let value = rest << 64 | u128::from(*limb);
                *limb = (value / u128::from(TEN_19)) as u64;
                rest = value % u128::from(TEN_19);
            }
            parts.push(rest);
            self.trim();
        }
        let mut text = parts.last().map_or("0".to_owned(), u128::to_string);
        for part in parts.iter().rev().skip(1) {
            text.push_str(&format!("{part:019}"));
        }
        text
    }
}
