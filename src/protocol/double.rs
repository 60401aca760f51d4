//! Floating point numbers as Redis 7.2 and later print them in replies.
//!
//! Integers up to 2^62 are printed as integers; everything else with the fewest digits that read back as the same
//! number, plain where that is short and with an exponent (`1e+20`, `1.5e-9`) elsewhere.

use std::fmt::Write;

use super::decimal::{INTEGER_BYTES_MAX, decimal};

/// Longest text of a double: 17 digits, sign, point, `e-308`, or the zeros of a small one.
pub const DOUBLE_TEXT_MAX: usize = 32;

/// A short text on the stack.
#[derive(Clone, Copy)]
pub struct DoubleText {
    bytes: [u8; DOUBLE_TEXT_MAX],
    len: usize,
}

impl DoubleText {
    /// The text of `value`.
    pub fn new(value: f64) -> DoubleText {
        let mut text = DoubleText { bytes: [0; DOUBLE_TEXT_MAX], len: 0 };
        // The longest text fits, see the constant; writing into an array of that length does not fail.
        _ = text.print(value);
        text
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn print(&mut self, value: f64) -> std::fmt::Result {
        const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
        if value.is_nan() {
            return self.write_str("nan");
        }
        if value.is_infinite() {
            return self.write_str(if value < 0.0 { "-inf" } else { "inf" });
        }
        if value == 0.0 {
            return self.write_str(if value.is_sign_negative() { "-0" } else { "0" });
        }
        if value.abs() <= INTEGER_MAX && value as i64 as f64 == value {
            self.push(decimal(value as i64, &mut [0; INTEGER_BYTES_MAX]));
            return Ok(());
        }
        self.print_fraction(value)
    }

    /// Chooses between the plain and the scientific form; the thresholds are those of Redis's printer.
    fn print_fraction(&mut self, value: f64) -> std::fmt::Result {
        let mut shortest = DoubleText { bytes: [0; DOUBLE_TEXT_MAX], len: 0 };
        write!(shortest, "{:e}", value.abs())?;
        let (digits, count, exponent) = shortest.parse_scientific();
        // The number is `digits` times ten to the power of `power`.
        let power = exponent - count as i32 + 1;
        if value < 0.0 {
            self.write_char('-')?;
        }
        if power >= 0 && exponent.abs() < count as i32 + 7 {
            self.push(&digits[..count]);
            self.push(&[b'0'; DOUBLE_TEXT_MAX][..power as usize]);
        } else if power < 0 && (power > -7 || exponent.abs() < 4) {
            let whole = count as i32 + power;
            if whole <= 0 {
                self.push(b"0.");
                self.push(&[b'0'; DOUBLE_TEXT_MAX][..whole.unsigned_abs() as usize]);
                self.push(&digits[..count]);
            } else {
                self.push(&digits[..whole as usize]);
                self.push(b".");
                self.push(&digits[whole as usize..count]);
            }
        } else {
            self.push(&digits[..1]);
            if count > 1 {
                self.push(b".");
                self.push(&digits[1..count]);
            }
            write!(self, "e{exponent:+}")?;
        }
        Ok(())
    }

    /// Digits, their number, and the exponent of a text like `1.25e-7`.
    fn parse_scientific(&self) -> ([u8; DOUBLE_TEXT_MAX], usize, i32) {
        let mut digits = [0; DOUBLE_TEXT_MAX];
        let mut count = 0;
        let (mut exponent, mut negative, mut behind) = (0, false, false);
        for &byte in self.as_bytes() {
            match byte {
                b'e' => behind = true,
                b'-' => negative = true,
                b'0'..=b'9' if behind => exponent = exponent * 10 + i32::from(byte - b'0'),
                b'0'..=b'9' => {
                    digits[count] = byte;
                    count += 1;
                }
                _ => {}
            }
        }
        (digits, count, if negative { -exponent } else { exponent })
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

impl Write for DoubleText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if text.len() > DOUBLE_TEXT_MAX - self.len {
            return Err(std::fmt::Error);
        }
        self.push(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::DoubleText;

    fn text(value: f64) -> String {
        String::from_utf8(DoubleText::new(value).as_bytes().to_vec()).expect("ASCII")
    }

    #[test]
    fn prints_as_redis() {
        // (number, what Redis 8.0 and Valkey 9.1 reply to ZSCORE)
        let cases = [
            (3.0, "3"),
            (-3.0, "-3"),
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (4e18, "4000000000000000000"),
            (1e18, "1000000000000000000"),
            (1e20, "1e+20"),
            (1e100, "1e+100"),
            (1.5e300, "1.5e+300"),
            (123456789012345680000.0, "123456789012345680000"),
            (12345678901234567890.0, "12345678901234567000"),
            (46116860184273879050.0, "46116860184273880000"),
            (1e-5, "0.00001"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (0.0001234567, "1.234567e-4"),
            (0.00012345678, "1.2345678e-4"),
            (0.000012345, "1.2345e-5"),
            (0.001234567890123, "0.001234567890123"),
            (2.0 / 3.0, "0.6666666666666666"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (-f64::MIN_POSITIVE, "-2.2250738585072014e-308"),
            (9007199254740993.0, "9007199254740992"),
            (5e18, "5e+18"),
            (1.7e19, "1.7e+19"),
        ];
        for (number, expected) in cases {
            assert_eq!(text(number), expected, "{number:e}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reads_back(bits: u64) {
            let number = f64::from_bits(bits);
            let back: f64 = text(number).parse().expect("a number");
            assert!(back == number || number.is_nan());
        }
    }
}
