//! Comparing short byte strings without a call.

/// Whether two byte strings are the same; made for keys of a few dozen bytes, where calling `memcmp` costs more than
/// comparing.
#[inline]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() > 64 {
        return a == b;
    }
    let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.iter().zip(b).all(|(x, y)| x == y);
    };
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, _) = b.as_chunks::<8>();
    // The last word overlaps the one before where the length is no multiple of eight.
    let differs = |x: &[u8; 8], y: &[u8; 8]| u64::from_ne_bytes(*x) != u64::from_ne_bytes(*y);
    !differs(a_last, b_last) && !a_words.iter().zip(b_words).any(|(x, y)| differs(x, y))
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn agrees_with_slices_at_every_length_and_place() {
        for len in 0..100 {
            let a: Vec<u8> = (0..len).collect();
            assert!(equal(&a, &a.clone()));
            assert!(!equal(&a, &[&a[..], b"x"].concat()));
            for at in 0..a.len() {
                let mut b = a.clone();
                b[at] ^= 0x40;
                assert!(!equal(&a, &b), "length {len}, place {at}");
            }
        }
    }
}
