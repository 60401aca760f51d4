//! Tests of `glob`: fixed cases, and what real servers answered.

use proptest::prelude::*;

use super::*;

fn check(pattern: &str, text: &str, expected: bool) {
    assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern:?} on {text:?}");
    assert_eq!(Glob::new(pattern.as_bytes()).matches(text.as_bytes()), expected, "glob {pattern:?} on {text:?}");
}

#[test]
fn stars_and_question_marks() {
    check("*", "abc", true);
    check("**", "abc", true);
    check("a*c", "ac", true);
    check("a*c", "abbc", true);
    check("a*c", "abbcd", false);
    check("*:lock:*", "order:lock:17", true);
    check("*:lock:*", "order:lok:17", false);
    check("h?llo", "hello", true);
    check("h?llo", "hllo", false);
    check("a*b*c*", "axxbyyc", true);
    check("a", "a*", false);
    check("*a*", "xay", true);
    check("*ab", "aab", true);
    check("ab***", "ab", true);
}

#[test]
fn the_empty_text_matches_the_empty_pattern_only() {
    check("", "", true);
    check("*", "", false);
    check("**", "", false);
    check("", "a", false);
    check("[^", "", false);
}

#[test]
fn classes_and_escapes() {
    check("h[ae]llo", "hallo", true);
    check("h[^e]llo", "hello", false);
    check("h[a-b]llo", "hbllo", true);
    check("[z-a]", "m", true);
    check("[]", "]", false);
    check("[^]", "x", true);
    check("[a-]", "a", true);
    check("[a-]", "-", false);
    check("[\\]]", "]", true);
    check("\\*", "*", true);
    check("\\*", "a", false);
    check("a\\", "a\\", true);
}

#[test]
fn unterminated_classes_end_with_the_pattern() {
    check("[", "[", false);
    check("[^", "a", true);
    check("[^a", "a", false);
    check("[ab", "b", true);
    check("[\\", "\\", true);
    check("[b-", "-", true);
    check("[b-a", "a", true);
    check("*[b", "aab", true);
}

#[test]
fn ranges_compare_signed_bytes() {
    assert!(matches(b"[a-\xff]", b"\xff"));
    assert!(matches(b"[a-\xff]", b"A"));
    assert!(!matches(b"[a-\xff]", b"b"));
}

#[test]
fn case_is_ignored_on_request() {
    assert!(matches_ignoring_case(b"MAX*", b"maxmemory"));
    assert!(matches_ignoring_case(b"[A-C]x", b"bX"));
    assert!(!matches_ignoring_case(b"[\\A]", b"a"), "an escaped byte in a class keeps its case");
    assert!(!matches(b"MAX*", b"maxmemory"));
}

#[test]
fn hostile_patterns_end() {
    let text = vec![b'a'; 20_000];
    let pattern = [b"a*".repeat(200), b"b".to_vec()].concat();
    assert!(!matches(&pattern, &text));
    assert!(!Glob::new(&pattern).matches(&text));
    assert!(!matches(&b"[".repeat(1 << 20), &text));
    assert!(matches(&[b"*".repeat(1 << 20), b"a".to_vec()].concat(), &text));
}

/// The definition, recursive and exponential.
fn model(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.first() {
        None => text.is_empty(),
        Some(b'*') => (0..=text.len()).any(|skip| model(&pattern[1..], &text[skip..])),
        Some(_) => text.first().is_some_and(|byte| {
            let (hit, len) = token::<false>(pattern, *byte);
            hit && model(&pattern[len..], &text[1..])
        }),
    }
}

proptest! {
    #[test]
    fn matches_its_definition(pattern in "[*?ab\\[\\]^\\\\-]{0,8}", text in "[ab\\]-]{1,8}") {
        let expected = model(pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected);
        prop_assert_eq!(Glob::new(pattern.as_bytes()).matches(text.as_bytes()), expected);
    }
}
