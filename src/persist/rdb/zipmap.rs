//! Zipmaps: what Redis 2.4 and before kept small hashes in; read only.
//!
//! `[fields: u8]`, then for each pair `[length][field][length][free: u8][value][free bytes]`, then `255`. A length is one
//! byte below 254, or 254 and four bytes, LE. From 254 fields on they are to be counted.

use super::elements::Element;
use super::error::Fault;

const END: u8 = 0xff;
const LONG: u8 = 254;
const DAMAGED: Fault = "a zipmap is damaged";

/// Shows every field and value of a zipmap in turn, and checks it to its last byte.
pub fn each(blob: &[u8], mut visit: impl FnMut(Element<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let (&announced, mut rest) = blob.split_first().ok_or(DAMAGED)?;
    let mut count = 0usize;
    while rest.first() != Some(&END) {
        let (field, behind) = string(rest, false).ok_or(DAMAGED)?;
        let (value, behind) = string(behind, true).ok_or(DAMAGED)?;
        visit(Element::Bytes(field))?;
        visit(Element::Bytes(value))?;
        rest = behind;
        count += 1;
    }
    if rest.len() > 1 {
        return Err("a zipmap ends before its bytes do");
    }
    if announced < LONG && usize::from(announced) != count {
        return Err("a zipmap has another number of fields than it says");
    }
    Ok(())
}

/// A string, a value with its free bytes, and what is behind it.
fn string(bytes: &[u8], is_value: bool) -> Option<(&[u8], &[u8])> {
    let (&head, mut rest) = bytes.split_first()?;
    let len = match head {
        END => return None,
        LONG => {
            let (len, behind) = rest.split_first_chunk::<4>()?;
            rest = behind;
            usize::try_from(u32::from_le_bytes(*len)).ok()?
        }
        short => short.into(),
    };
    let mut free = 0;
    if is_value {
        let (&byte, behind) = rest.split_first()?;
        (free, rest) = (usize::from(byte), behind);
    }
    let (string, rest) = rest.split_at_checked(len)?;
    Some((string, rest.get(free..)?))
}

#[cfg(test)]
mod tests {
    use super::super::elements::texts;
    use super::*;

    fn collect(blob: &[u8]) -> Result<Vec<String>, Fault> {
        texts(|visit| each(blob, visit))
    }

    #[test]
    fn pairs_with_free_bytes_and_long_lengths_are_read() {
        let long = [&[1, b'k', 254, 44, 1, 0, 0, 0][..], &[b'v'; 300]].concat();
        let blob = [&[2, 3][..], b"foo", &[3, 2], b"bar..", &long, &[255]].concat();
        assert_eq!(collect(&blob), Ok(["foo", "bar", "k", &"v".repeat(300)].map(String::from).to_vec()));
        assert!((0..blob.len()).all(|end| collect(&blob[..end]).is_err()));
        let mut other_count = blob.clone();
        other_count[0] = 3;
        assert!(collect(&other_count).is_err());
        assert!(collect(&[&blob[..], &[255]].concat()).is_err());
        assert_eq!(collect(&[0, 255]), Ok(vec![]));
    }
}
