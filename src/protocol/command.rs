//! Commands as clients send them and logs keep them: arrays of bulk strings.

/// Longest header, `*` or `$` with 20 digits and a line end.
const HEADER_BYTES_MAX: usize = 23;

/// Appends a command, its name first, to `out`.
#[inline]
pub fn encode(out: &mut Vec<u8>, arguments: &[&[u8]]) {
    let payload: usize = arguments.iter().map(|argument| argument.len() + HEADER_BYTES_MAX + 2).sum();
    out.reserve(payload + HEADER_BYTES_MAX);
    header(out, b'*', arguments.len());
    for argument in arguments {
        bulk(out, argument);
    }
}

/// Appends the header of a command of so many arguments, which have to follow with [`bulk`].
#[inline]
pub fn header_of_command(out: &mut Vec<u8>, arguments: usize) {
    header(out, b'*', arguments);
}

/// Appends the header of an argument of so many bytes, which have to follow with a line end.
#[inline]
pub fn header_of_bulk(out: &mut Vec<u8>, bytes: usize) {
    header(out, b'$', bytes);
}

/// Appends one argument.
#[inline]
pub fn bulk(out: &mut Vec<u8>, argument: &[u8]) {
    header(out, b'$', argument.len());
    out.extend_from_slice(argument);
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn header(out: &mut Vec<u8>, kind: u8, number: usize) {
    const fn digit(number: usize) -> u8 {
        b'0' + (number % 10) as u8
    }
    // One append of a known length each: this is most of what a small record costs.
    match number {
        0..10 => out.extend_from_slice(&[kind, digit(number), b'\r', b'\n']),
        10..100 => out.extend_from_slice(&[kind, digit(number / 10), digit(number), b'\r', b'\n']),
        100..1000 => {
            out.extend_from_slice(&[kind, digit(number / 100), digit(number / 10), digit(number), b'\r', b'\n']);
        }
        _ => long_header(out, kind, number),
    }
}

#[cold]
fn long_header(out: &mut Vec<u8>, kind: u8, number: usize) {
    out.push(kind);
    out.extend_from_slice(&crate::base::number::format_u64(number as u64));
    out.extend_from_slice(b"\r\n");
}
