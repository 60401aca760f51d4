//! Payloads of FUNCTION DUMP: libraries as they stand in a file, one behind the other, and a footer as that of DUMP.

use super::dump::{FOOTER_BYTES, sign, verify};
use super::encode::Encoder;
use super::format::{VERSION, opcode};
use super::input::Input;

/// Why a payload is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionsError {
    /// It is of a version that is not known, or its checksum is another.
    Footer,
    /// It holds libraries as they were before the first release that had any.
    PreRelease,
    /// It holds something else.
    Other,
    /// A text cannot be read.
    Text,
}

/// The payload of libraries with these texts.
pub fn dump<'a>(codes: impl Iterator<Item = &'a [u8]>, compresses: bool) -> Vec<u8> {
    let mut payload = Vec::new();
    let mut encoder = Encoder::new(compresses);
    codes.for_each(|code| encoder.function(code, &mut payload));
    sign(payload, VERSION)
}

/// The texts of a payload's libraries.
///
/// # Errors
/// See [`FunctionsError`].
pub fn read(payload: &[u8]) -> Result<Vec<Vec<u8>>, FunctionsError> {
    let body = verify(payload).ok_or(FunctionsError::Footer)?;
    debug_assert_eq!(body.len() + FOOTER_BYTES, payload.len());
    let mut input = Input::of_bytes(body);
    let mut codes = Vec::new();
    while !input.is_at_end() {
        match input.byte() {
            Ok(opcode::FUNCTION) => {}
            Ok(opcode::FUNCTION_PRE_RELEASE) => return Err(FunctionsError::PreRelease),
            _ => return Err(FunctionsError::Other),
        }
        let text = input.text().map_err(|_| FunctionsError::Text)?;
        codes.push(input.spelled(text).to_vec());
    }
    Ok(codes)
}
