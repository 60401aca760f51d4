//! Integers of any width at any bit of a string: the fields of BITFIELD, the highest bit first.
//!
//! A field of up to 64 bits touches up to nine bytes, which are read and written as one number of 128 bits. Where the
//! string ends the field reads zeroes.

/// Signedness and width of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    bits: u32,
}

/// What becomes of a number that does not fit into its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Its low bits are taken.
    #[default]
    Wrap,
    /// The nearest number that fits.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl Field {
    /// A field of 1 to 64 bits if it is signed, of 1 to 63 if not; others there are none.
    pub fn new(signed: bool, bits: u64) -> Option<Field> {
        let max = if signed { 64 } else { 63 };
        u32::try_from(bits).ok().filter(|bits| (1..=max).contains(bits)).map(|bits| Field { signed, bits })
    }

    /// Width in bits.
    pub fn bits(self) -> usize {
        self.bits as usize
    }

    /// The number of a field that begins at the bit `at`.
    pub fn get(self, bytes: &[u8], at: usize) -> i64 {
        let (window, shift) = self.window(bytes, at);
        self.read(u128::from_be_bytes(window) >> shift)
    }

    /// Writes a number's low bits into the field at the bit `at`, which lies within the string.
    pub fn set(self, bytes: &mut [u8], at: usize, number: i64) {
        let (window, shift) = self.window(bytes, at);
        let mask = ((1_u128 << self.bits) - 1) << shift;
        let number = ((number as u64 as u128) << shift) & mask;
        let window = (u128::from_be_bytes(window) & !mask | number).to_be_bytes();
        let first = at / 8;
        let end = (at + self.bits()).div_ceil(8);
        bytes[first..end].copy_from_slice(&window[..end - first]);
    }

    /// The sum of a number of this field and another one, made to fit; `None` where it does not and must not be.
    pub fn add(self, number: i64, by: i64, overflow: Overflow) -> Option<i64> {
        self.fit(number as i128 + by as i128, overflow)
    }

    /// A given number made to fit; to an unsigned field a negative one is a huge one.
    pub fn take(self, number: i64, overflow: Overflow) -> Option<i64> {
        let number = if self.signed { number as i128 } else { number as u64 as i128 };
        self.fit(number, overflow)
    }

    fn fit(self, number: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = match self.signed {
            true => (-(1_i128 << (self.bits - 1)), (1 << (self.bits - 1)) - 1),
            false => (0, (1 << self.bits) - 1),
        };
        match overflow {
            _ if (min..=max).contains(&number) => Some(number as i64),
            Overflow::Wrap => Some(self.read(number as u128)),
            Overflow::Saturate => Some(number.clamp(min, max) as i64),
            Overflow::Fail => None,
        }
    }

    /// The low bits as this field understands them.
    fn read(self, bits: u128) -> i64 {
        let unused = 64 - self.bits;
        let high = (bits as u64) << unused;
        if self.signed { (high as i64) >> unused } else { (high >> unused) as i64 }
    }

    /// The bytes around the field, and how far from their lower end the field ends.
    fn window(self, bytes: &[u8], at: usize) -> ([u8; 16], u32) {
        let mut window = [0; 16];
        let rest = bytes.get(at / 8..).unwrap_or_default();
        let len = rest.len().min(9);
        window[..len].copy_from_slice(&rest[..len]);
        (window, 128 - (at % 8) as u32 - self.bits)
    }
}
