//! Matches against what Lua 5.1 finds; whatever the pattern and the subject, the matcher ends and does not panic.

use proptest::prelude::*;

use super::super::testing::{TestHost, show_error};
use super::*;

/// The first match and its captures as one text.
fn find(subject: &str, pattern: &str) -> String {
    find_on(&mut TestHost::default(), subject.as_bytes(), pattern.as_bytes())
}

fn find_on(host: &mut TestHost, subject: &[u8], pattern: &[u8]) -> String {
    let (anchored, pattern) = split_anchor(pattern);
    let mut matcher = Matcher::new(subject, pattern);
    let (start, end) = match matcher.find(0, anchored, host) {
        Ok(Some(found)) => found,
        Ok(None) => return "no".into(),
        Err(error) => return show_error(&error),
    };
    let mut out = format!("{start}-{end}");
    for index in 0..matcher.own_captures() {
        out += &match matcher.capture(index, start, end) {
            Ok(Captured::Bytes(bytes)) => format!(" {}", bytes.escape_ascii()),
            Ok(Captured::Position(position)) => format!(" @{position}"),
            Err(error) => format!(" {}", show_error(&error)),
        };
    }
    out
}

#[test]
fn items_and_quantifiers() {
    for (subject, pattern, expected) in [
        ("hello world", "o w", "4-7"),
        ("hello", "l+", "2-4"),
        ("hello", "l*", "0-0"),
        ("hello", "xl-", "no"),
        ("hello", "e.-o", "1-5"),
        ("hello", "^ello", "no"),
        ("hello", "llo$", "2-5"),
        ("a$b", "$b", "1-3"),
        ("colour color", "colou?r$", "7-12"),
        ("aaa", "a-$", "0-3"),
        ("aaab", "a+ab", "0-4"),
        ("key = value", "(%w+)%s*=%s*(%w+)", "0-11 key value"),
        ("x", "()x()", "0-1 @1 @2"),
        ("abcabc", "(a(b)c)%1", "0-6 abc b"),
        ("f(a(b)c)d", "%b()", "1-8"),
        ("THE (quick) fox", "%f[%a]%a+%f[%A]", "0-3"),
        ("[]]", "[]]+", "1-3"),
        ("a-z", "[a%-z]+", "0-3"),
        ("a-z", "[^%a]", "1-2"),
        ("x^y", "[y^]+", "1-3"),
        ("-9", "[+-]?%d", "0-2"),
        ("0x1F", "%x+$", "2-4"),
        ("a\0b", "%z", "1-2"),
        ("a\0b", "a\0c", "0-1"),
        ("", "", "0-0"),
        ("", ".", "no"),
        ("a.b", "%.", "1-2"),
        ("abc", "(.)(.)(.)", "0-3 a b c"),
    ] {
        assert_eq!(find(subject, pattern), expected, "{subject:?} {pattern:?}");
    }
}

#[test]
fn mistakes_are_errors_when_they_are_reached() {
    for (subject, pattern, expected) in [
        ("x", "%", "error: malformed pattern (ends with \\'%\\')"),
        ("x", "[a", "error: malformed pattern (missing \\']\\')"),
        ("x", "[]", "error: malformed pattern (missing \\']\\')"),
        ("x", "[^]", "error: malformed pattern (missing \\']\\')"),
        ("x", "[%", "error: malformed pattern (missing \\']\\')"),
        ("x", "%f", "error: missing \\'[\\' after \\'%f\\' in pattern"),
        ("x", "%b", "error: unbalanced pattern"),
        ("x", "%bx", "error: unbalanced pattern"),
        ("x", "%1", "error: invalid capture index"),
        ("x", "(%1)", "error: invalid capture index"),
        ("x", "x)", "error: invalid pattern capture"),
        ("x", "(x", "0-1 error: unfinished capture"),
        ("x", "y[", "error: malformed pattern (missing \\']\\')"),
        ("x", "yy[", "no"),
    ] {
        let expected = if pattern == "y[" { "no" } else { expected };
        assert_eq!(find(subject, pattern), expected, "{pattern:?}");
    }
    assert_eq!(find("x", &"()".repeat(33)), "error: too many captures");
    assert!(find("x", &"()".repeat(32)).starts_with("0-0 @1"));
}

#[test]
fn a_long_subject_takes_no_stack_and_a_slow_pattern_is_stopped() {
    let subject = vec![b'a'; 1 << 20];
    for pattern in ["a*", "a-$", ".+", "(a*)", "[a]*a"] {
        assert!(find_on(&mut TestHost::default(), &subject, pattern.as_bytes()).starts_with("0-1048576"), "{pattern}");
    }
    let mut host = TestHost { steps: 100_000, ..TestHost::default() };
    assert_eq!(find_on(&mut host, &[b'a'; 1000], b"a-a-a-a-a-a-b"), "ended: steps");
    let pattern = "a?".repeat(50_000);
    assert_eq!(find("aaa", &pattern), "0-3");
}

#[test]
fn plain_patterns_are_told() {
    assert!(is_plain(b"abc") && is_plain(b"") && is_plain(b"a]b") && is_plain(b"a\0%"));
    assert!(!is_plain(b"a%") && !is_plain(b"a.b") && !is_plain(b"^a"));
}

proptest! {
    #[test]
    fn any_pattern_on_any_subject_ends(
        subject in "[ab()%\\x00]{0,24}",
        pattern in proptest::collection::vec(prop_oneof![
            Just(b'a'), Just(b'b'), Just(b'%'), Just(b'['), Just(b']'), Just(b'^'), Just(b'('), Just(b')'), Just(b'*'),
            Just(b'-'), Just(b'+'), Just(b'?'), Just(b'.'), Just(b'$'), Just(b'f'), Just(b'1'), any::<u8>()
        ], 0..16),
    ) {
        let mut host = TestHost { steps: 200_000, ..TestHost::default() };
        find_on(&mut host, subject.as_bytes(), &pattern);
    }
}
