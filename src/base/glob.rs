//! Glob patterns as Redis matches them.
//!
//! ```text
//! *      any bytes, none included        [abc] [a-z]   one byte of the class
//! ?      any one byte                    [^abc]        one byte outside of the class
//! \x     the byte x itself
//! ```
//!
//! Every token except `*` takes exactly one byte, so a mismatch only ever has to return to the **last** star and let
//! it take one byte more: an earlier star could not offer anything that the last one does not. The matcher therefore
//! needs no recursion, no allocation, and at most `pattern * text` steps, whatever the pattern.
//!
//! The corners are Redis's own: an unterminated class ends with the pattern, `]` always closes (`[]` matches nothing,
//! `[^]` anything), the empty text matches no pattern but the empty one (not even `*`: commands that scan keys take a
//! lone star as "no pattern", see [`Glob::is_everything`]), `[z-a]` means `[a-z]`, the end of a range may be `]`, ranges compare bytes as signed characters,
//! and an escaped byte in a class keeps its case even when the match ignores case.

#[cfg(test)]
mod tests;

/// Whether `pattern` matches the whole of `text`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    run::<false>(pattern, text)
}

/// Like [`matches`], with ASCII letters equal in either case.
pub fn matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    run::<true>(pattern, text)
}

/// A pattern that is matched against many texts: the common shapes are recognised once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: Box<[u8]>,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// No special byte at all.
    Literal,
    /// So many literal bytes, then one star.
    Prefix(usize),
    /// A star, then literal bytes only.
    Suffix,
    /// A star, literal bytes, a star.
    Infix,
    /// So many literal bytes, then anything.
    General(usize),
}

impl Glob {
    /// Recognises the shape of `pattern`.
    pub fn new(pattern: &[u8]) -> Glob {
        let literal_len = |bytes: &[u8]| bytes.iter().position(|b| b"*?[\\".contains(b)).unwrap_or(bytes.len());
        let prefix = literal_len(pattern);
        let shape = match &pattern[prefix..] {
            [] => Shape::Literal,
            [b'*'] => Shape::Prefix(prefix),
            [b'*', rest @ ..] if prefix == 0 => match &rest[literal_len(rest)..] {
                [] => Shape::Suffix,
                [b'*'] => Shape::Infix,
                _ => Shape::General(0),
            },
            _ => Shape::General(prefix),
        };
        Glob { pattern: pattern.into(), shape }
    }

    /// The pattern's own text.
    pub fn pattern(&self) -> &[u8] {
        &self.pattern
    }

    /// The only text that matches, for a pattern without special bytes.
    pub fn literal(&self) -> Option<&[u8]> {
        (self.shape == Shape::Literal).then_some(&*self.pattern)
    }

    /// Whether the pattern is a lone star, which KEYS and SCAN take as no pattern at all.
    pub fn is_everything(&self) -> bool {
        self.shape == Shape::Prefix(0)
    }

    /// Whether the pattern matches the whole of `text`.
    #[inline]
    pub fn matches(&self, text: &[u8]) -> bool {
        let pattern = &*self.pattern;
        match self.shape {
            Shape::Literal => text == pattern,
            _ if text.is_empty() => false,
            Shape::Prefix(len) => text.starts_with(&pattern[..len]),
            Shape::Suffix => text.ends_with(&pattern[1..]),
            Shape::Infix => contains(text, &pattern[1..pattern.len() - 1]),
            // Cut in front of the first special byte, a text that ends there would look empty to the matcher.
            Shape::General(len) => text.starts_with(&pattern[..len]) && run::<false>(pattern, text),
        }
    }
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || text.windows(needle.len()).any(|window| window == needle)
}

fn run<const IGNORE_CASE: bool>(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut read) = (0, 0);
    // Behind the last star, and where its next attempt begins.
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            if at == pattern.len() {
                return true;
            }
            retry = Some((at, read));
            continue;
        }
        if at < pattern.len() {
            let (hit, len) = token::<IGNORE_CASE>(&pattern[at..], text[read]);
            if hit {
                at += len;
                read += 1;
                continue;
            }
        }
        let Some((behind_star, from)) = retry else { return false };
        retry = Some((behind_star, from + 1));
        (at, read) = (behind_star, from + 1);
    }
    pattern[at..].iter().all(|b| *b == b'*')
}

/// Whether the token at the beginning of `pattern` (not a star) accepts `byte`, and the token's length.
#[inline]
fn token<const IGNORE_CASE: bool>(pattern: &[u8], byte: u8) -> (bool, usize) {
    match pattern {
        [b'?', ..] => (true, 1),
        [b'[', class @ ..] => {
            let (hit, len) = class_hit::<IGNORE_CASE>(class, byte);
            (hit, len + 1)
        }
        [b'\\', escaped, ..] => (same::<IGNORE_CASE>(*escaped, byte), 2),
        [literal, ..] => (same::<IGNORE_CASE>(*literal, byte), 1),
        [] => (false, 0),
    }
}

#[inline]
fn same<const IGNORE_CASE: bool>(a: u8, b: u8) -> bool {
    a == b || (IGNORE_CASE && a.eq_ignore_ascii_case(&b))
}

/// Reads a class from behind its bracket: whether it accepts `byte`, and its length, the closing bracket included.
fn class_hit<const IGNORE_CASE: bool>(class: &[u8], byte: u8) -> (bool, usize) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut hit = false;
    loop {
        match &class[at..] {
            [] => break,
            [b'\\', escaped, ..] => {
                hit |= *escaped == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [from, b'-', to, ..] => {
                hit |= in_range::<IGNORE_CASE>(*from, *to, byte);
                at += 3;
            }
            [single, ..] => {
                hit |= same::<IGNORE_CASE>(*single, byte);
                at += 1;
            }
        }
    }
    (hit != negated, at)
}

fn in_range<const IGNORE_CASE: bool>(from: u8, to: u8, byte: u8) -> bool {
    // The bounds change places before they lose their case; both orders are Redis's.
    let fold = |b: u8| (if IGNORE_CASE { b.to_ascii_lowercase() } else { b }) as i8;
    let (low, high) = if from as i8 <= to as i8 { (from, to) } else { (to, from) };
    (fold(low)..=fold(high)).contains(&fold(byte))
}
