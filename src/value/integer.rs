//! Integers in their canonical text: what an integer set, and the size of a list, recognise as a number.
//!
//! Canonical is what printing an `i64` gives: no plus sign, no leading zero, no `-0`, no space. Only such a text can be
//! replaced by its number and come back byte for byte.

use std::ops::Deref;

/// Longest canonical text: `-9223372036854775808`.
pub const TEXT_BYTES_MAX: usize = 20;

/// The number whose canonical text this is.
#[inline]
pub fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= TEXT_BYTES_MAX => {}
        _ => return None,
    }
    // Accumulated below zero, where there is room for one more.
    let mut value = 0i64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub((digit - b'0') as i64)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// The canonical text of a number, on the stack.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    start: u8,
}

impl Text {
    /// Prints `value`.
    pub fn new(value: i64) -> Text {
        let mut text = Text { bytes: [0; TEXT_BYTES_MAX], start: TEXT_BYTES_MAX as u8 };
        let mut rest = value.unsigned_abs();
        loop {
            text.prepend(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            text.prepend(b'-');
        }
        text
    }

    fn prepend(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start as usize] = byte;
    }
}

impl Deref for Text {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start as usize..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_canonical_texts_are_numbers() {
        for text in ["", "-", "+1", "01", "-0", "00", " 1", "1 ", "1.0", "9223372036854775808", "-9223372036854775809"]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        for value in [0, 1, -1, 10, i64::MAX, i64::MIN] {
            assert_eq!(parse(&Text::new(value)), Some(value));
        }
    }

    proptest! {
        #[test]
        fn prints_and_parses_as_the_standard_library(value: i64, text in "-?[0-9]{0,21}") {
            let printed = Text::new(value);
            prop_assert_eq!(std::str::from_utf8(&printed), Ok(&*value.to_string()));
            let canonical = text.parse::<i64>().ok().filter(|v| v.to_string() == text);
            prop_assert_eq!(parse(text.as_bytes()), canonical);
        }
    }
}
