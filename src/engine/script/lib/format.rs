//! One conversion of C's `printf`, as `string.format` offers it: `%` flags width precision letter.
//!
//! Width and precision have two digits at most, so no conversion prints more than a few hundred bytes beside the text
//! that it is given. Digits of floats are exact: the standard library prints any number of them, correctly rounded, and
//! this module arranges them as C does.

#[cfg(test)]
mod tests;

/// What stands between `%` and the letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// `-`: pad on the right.
    pub left: bool,
    /// `+`: a sign in front of positive numbers, too.
    pub plus: bool,
    /// ` `: a space where the plus would be.
    pub space: bool,
    /// `#`: the prefix of the radix, the point, the trailing zeros.
    pub alternate: bool,
    /// `0`: pad with zeros behind the sign.
    pub zero: bool,
    /// Least number of bytes.
    pub width: usize,
    /// Digits of an integer or behind the point, bytes of a text.
    pub precision: Option<usize>,
}

/// The ways to print a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// `%f`
    Fixed,
    /// `%e`
    Exponent,
    /// `%g`
    General,
}

/// The ways to print an unsigned integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Radix {
    /// `%u`
    Decimal,
    /// `%o`
    Octal,
    /// `%x`
    Hexadecimal,
    /// `%X`
    UpperHexadecimal,
}

/// A flag may be repeated, but there are no more than these many in all.
const FLAGS_MAX: usize = 5;
/// Digits behind the point when no precision is given.
const PRECISION_DEFAULT: usize = 6;

impl Spec {
    /// Reads what stands behind a `%`, and returns how much of `text` that is; the letter is next. The error is Lua's.
    pub fn scan(text: &[u8]) -> Result<(Spec, usize), &'static str> {
        let mut spec = Spec::default();
        let flags = text.iter().take_while(|byte| b"-+ #0".contains(byte)).count();
        if flags > FLAGS_MAX {
            return Err("invalid format (repeated flags)");
        }
        for flag in &text[..flags] {
            match flag {
                b'-' => spec.left = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alternate = true,
                _ => spec.zero = true,
            }
        }
        let (width, mut used) = two_digits(text, flags);
        spec.width = width;
        if text.get(used) == Some(&b'.') {
            let (precision, end) = two_digits(text, used + 1);
            spec.precision = Some(precision);
            used = end;
        }
        if text.get(used).is_some_and(u8::is_ascii_digit) {
            return Err("invalid format (width or precision too long)");
        }
        Ok((spec, used))
    }

    /// `%d`
    pub fn signed(&self, value: i64, out: &mut Vec<u8>) {
        let digits = self.integer_digits(value.unsigned_abs().to_string());
        self.pad_number(self.sign(value < 0), b"", &digits, self.precision.is_none(), out);
    }

    /// `%u`, `%o`, `%x`, `%X`
    pub fn unsigned(&self, value: u64, radix: Radix, out: &mut Vec<u8>) {
        let (digits, prefix): (String, &[u8]) = match radix {
            Radix::Decimal => (value.to_string(), b""),
            Radix::Octal => (format!("{value:o}"), b""),
            Radix::Hexadecimal => (format!("{value:x}"), b"0x"),
            Radix::UpperHexadecimal => (format!("{value:X}"), b"0X"),
        };
        let mut digits = self.integer_digits(digits);
        if self.alternate && radix == Radix::Octal && digits.first() != Some(&b'0') {
            digits.insert(0, b'0');
        }
        let prefix = if self.alternate && value != 0 { prefix } else { b"" };
        self.pad_number(b"", prefix, &digits, self.precision.is_none(), out);
    }

    /// `%e`, `%f`, `%g`, and the same in upper case
    pub fn float(&self, value: f64, conversion: Conversion, upper: bool, out: &mut Vec<u8>) {
        let sign = self.sign(value.is_sign_negative());
        let magnitude = value.abs();
        let mut text = if value.is_nan() {
            b"nan".to_vec()
        } else if value.is_infinite() {
            b"inf".to_vec()
        } else {
            let precision = self.precision.unwrap_or(PRECISION_DEFAULT);
            match conversion {
                Conversion::Fixed => self.fixed(magnitude, precision),
                Conversion::Exponent => self.exponent(magnitude, precision),
                Conversion::General => self.general(magnitude, precision.max(1)),
            }
        };
        if upper {
            text.make_ascii_uppercase();
        }
        self.pad_number(sign, b"", &text, value.is_finite(), out);
    }

    /// `%s` and `%c`
    pub fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        let text = &text[..text.len().min(self.precision.unwrap_or(usize::MAX))];
        let padding = self.width.saturating_sub(text.len());
        let (before, behind) = if self.left { (0, padding) } else { (padding, 0) };
        out.extend(std::iter::repeat_n(b' ', before));
        out.extend_from_slice(text);
        out.extend(std::iter::repeat_n(b' ', behind));
    }

    fn sign(&self, negative: bool) -> &'static [u8] {
        match (negative, self.plus, self.space) {
            (true, ..) => b"-",
            (false, true, _) => b"+",
            (false, false, true) => b" ",
            (false, false, false) => b"",
        }
    }

    /// The digits of an integer, as many as the precision demands; none for a zero of none.
    fn integer_digits(&self, digits: String) -> Vec<u8> {
        let least = self.precision.unwrap_or(1);
        if digits == "0" && least == 0 {
            return Vec::new();
        }
        let mut padded = vec![b'0'; least.saturating_sub(digits.len())];
        padded.extend_from_slice(digits.as_bytes());
        padded
    }

    fn pad_number(&self, sign: &[u8], prefix: &[u8], digits: &[u8], zeros: bool, out: &mut Vec<u8>) {
        let padding = self.width.saturating_sub(sign.len() + prefix.len() + digits.len());
        let zeros = zeros && self.zero && !self.left;
        let (before, within, behind) = match (self.left, zeros) {
            (true, _) => (0, 0, padding),
            (false, true) => (0, padding, 0),
            (false, false) => (padding, 0, 0),
        };
        out.extend(std::iter::repeat_n(b' ', before));
        out.extend_from_slice(sign);
        out.extend_from_slice(prefix);
        out.extend(std::iter::repeat_n(b'0', within));
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b' ', behind));
    }

    fn fixed(&self, magnitude: f64, precision: usize) -> Vec<u8> {
        let mut text = format!("{magnitude:.precision$}").into_bytes();
        if self.alternate && precision == 0 {
            text.push(b'.');
        }
        text
    }

    fn exponent(&self, magnitude: f64, precision: usize) -> Vec<u8> {
        let (mut text, exponent) = scientific(magnitude, precision);
        if self.alternate && precision == 0 {
            text.push(b'.');
        }
        put_exponent(exponent, &mut text);
        text
    }

    /// As many significant digits as `precision` says, in the notation that the exponent asks for, without the zeros at
    /// the end.
    fn general(&self, magnitude: f64, precision: usize) -> Vec<u8> {
        let (digits, exponent) = scientific(magnitude, precision - 1);
        let plain = usize::try_from(exponent).map_or(exponent >= -4, |exponent| exponent < precision);
        let mut text = if plain {
            let behind = i64::try_from(precision).unwrap_or(i64::MAX) - 1 - i64::from(exponent);
            let behind = usize::try_from(behind).unwrap_or(0);
            format!("{magnitude:.behind$}").into_bytes()
        } else {
            digits
        };
        if self.alternate {
            if !text.contains(&b'.') {
                text.push(b'.');
            }
        } else if text.contains(&b'.') {
            let kept = text.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
            text.truncate(kept);
            if text.last() == Some(&b'.') {
                text.pop();
            }
        }
        if !plain {
            put_exponent(exponent, &mut text);
        }
        text
    }
}

/// A digit, a point, `precision` digits; and the exponent of ten.
fn scientific(magnitude: f64, precision: usize) -> (Vec<u8>, i32) {
    let text = format!("{magnitude:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.as_bytes().to_vec(), exponent.parse().unwrap_or(0))
}

/// `e`, a sign, and at least two digits.
fn put_exponent(exponent: i32, text: &mut Vec<u8>) {
    text.extend_from_slice(
        format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs()).as_bytes(),
    );
}

/// The number of at most two digits at `at`, and where it ends.
fn two_digits(text: &[u8], at: usize) -> (usize, usize) {
    let digits = text[at..].iter().take(2).take_while(|byte| byte.is_ascii_digit());
    digits.fold((0, at), |(value, end), digit| (value * 10 + usize::from(digit - b'0'), end + 1))
}

/// Appends `text` between quotes so that Lua reads it back, as `%q` does.
pub fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', *byte]),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}
