//! Tests of `number`: fixed cases, and what real servers answered.

use proptest::prelude::*;

use super::*;

#[test]
fn integers_have_one_spelling() {
    for (text, value) in [
        ("0", Some(0)),
        ("7", Some(7)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("-9223372036854775809", None),
        ("99999999999999999999", None),
        ("18446744073709551616", None),
        ("", None),
        ("-", None),
        ("-0", None),
        ("+1", None),
        ("01", None),
        ("-01", None),
        ("00", None),
        (" 1", None),
        ("1 ", None),
        ("1.0", None),
        ("1e3", None),
        ("0x1", None),
        ("123456789012345678x", None),
        ("1234567890123456789x", None),
        ("1\0", None),
    ] {
        assert_eq!(parse_i64(text.as_bytes()), value, "{text:?}");
    }
    assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_u64(b"18446744073709551616"), None);
    assert_eq!(parse_u64(b"184467440737095516150"), None);
    assert_eq!(parse_u64(b"-1"), None);
}

#[test]
fn integers_print() {
    for value in [0, 1, 9, 10, 99, 100, 12345, -1, -10, i64::MAX, i64::MIN] {
        assert_eq!(format_i64(value).as_str(), value.to_string());
        assert_eq!(decimal_len(value), value.to_string().len(), "{value}");
    }
    assert_eq!(format_u64(u64::MAX).as_str(), u64::MAX.to_string());
}

#[test]
fn floats_are_read_as_c_reads_them() {
    for (text, value) in [
        ("1", Some(1.0)),
        ("-1.5", Some(-1.5)),
        ("+5", Some(5.0)),
        ("1.", Some(1.0)),
        (".5", Some(0.5)),
        ("007", Some(7.0)),
        ("1e+5", Some(1e5)),
        ("1E-5", Some(1e-5)),
        ("1e0005", Some(1e5)),
        ("inf", Some(f64::INFINITY)),
        ("+Inf", Some(f64::INFINITY)),
        ("-INFINITY", Some(f64::NEG_INFINITY)),
        ("0x10", Some(16.0)),
        ("0x1p3", Some(8.0)),
        ("0x.8", Some(0.5)),
        ("-0X1.8p-1", Some(-0.75)),
        ("0x1.fffffffffffff8p0", Some(2.0)),
        ("0x1.fffffffffffff7ffffffp0", Some(1.999_999_999_999_999_8)),
        ("0x1.00000000000008p0", Some(1.0)),
        ("0x1.0000000000000800000000001p0", Some(1.000_000_000_000_000_2)),
        ("0x1p-1074", Some(5e-324)),
        ("0x1p-1075", None),
        ("0x1.8p-1075", Some(5e-324)),
        ("0x1.fffffffffffffp1023", Some(f64::MAX)),
        ("0x1p1024", None),
        ("0x0p-99999999999999999999", Some(0.0)),
        ("1e400", None),
        ("1e-400", None),
        ("1e99999999999999999999", None),
        ("0e99999999999999999999", Some(0.0)),
        ("1e-310", Some(1e-310)),
        ("5e-324", Some(5e-324)),
        ("2e-324", None),
        ("", None),
        (".", None),
        ("+", None),
        ("1e", None),
        ("1e+", None),
        ("0x", None),
        ("0x1.8p", None),
        ("infini", None),
        ("nan", None),
        ("-nan(1)", None),
        (" 1", None),
        ("1 ", None),
        ("1_0", None),
        ("1\0", None),
        ("--1", None),
    ] {
        assert_eq!(parse_f64(text.as_bytes()), value, "{text:?}");
    }
    assert!(parse_f64(b"-0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
}

#[test]
fn range_bounds_are_read_loosely() {
    for (text, value) in [
        ("", Some(0.0)),
        (" 1", Some(1.0)),
        ("\t\n1", Some(1.0)),
        ("1\x002", Some(1.0)),
        ("1e400", Some(f64::INFINITY)),
        ("-1e400", Some(f64::NEG_INFINITY)),
        ("1e-400", Some(0.0)),
        ("nan", None),
        ("1 ", None),
        (" ", None),
        ("x", None),
    ] {
        assert_eq!(parse_f64_lenient(text.as_bytes()), value, "{text:?}");
    }
}

/// Texts as valkey-server 9.1 and redis-server 8.0 print them.
#[test]
#[allow(clippy::excessive_precision)]
fn floats_print_as_redis_prints_them() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (5.0, "5"),
        (-17.0, "-17"),
        (0.1, "0.1"),
        (3.15, "3.15"),
        (-0.300_000_000_000_000_04, "-0.30000000000000004"),
        (123_456.789, "123456.789"),
        (-123_456_789.123_456_789, "-1.2345678912345679e+8"),
        (1.5e-5, "0.000015"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (0.000_123_456_75, "1.2345675e-4"),
        (1e15, "1000000000000000"),
        (123_456_789_012_345_678.0, "123456789012345680"),
        (4_611_686_018_427_387_904.0, "4611686018427387904"),
        (4.7e18, "4.7e+18"),
        (9_223_372_036_854_775_807.0, "9223372036854776000"),
        (1e19, "1e+19"),
        (12_345_678_901_234_567_890.0, "12345678901234567000"),
        (1e20, "1e+20"),
        (123e20, "12300000000000001000000"),
        (1.234567e25, "1.234567e+25"),
        (1e100, "1e+100"),
        (f64::MAX, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (-1.234_567_890_123_456_7e-300, "-1.2345678901234568e-300"),
        // Not the closest digits, but Redis's.
        (-1_039_514_241_563_211.8, "-1039514241563211.7"),
        (-365_850.307_854_562_76, "-3.6585030785456277e+5"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ] {
        assert_eq!(format_f64(value).as_str(), text, "{value:e}");
    }
}

/// Texts as C prints `%.17g`, and redis-server 7.2 the scores of a big sorted set in ZSCAN.
#[test]
#[allow(clippy::excessive_precision)]
fn floats_print_with_seventeen_digits() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (0.1, "0.10000000000000001"),
        (-2.5, "-2.5"),
        (123_456_789.125, "123456789.125"),
        (1e-4, "0.0001"),
        (1.25e-4, "0.000125"),
        (1e-5, "1.0000000000000001e-05"),
        (1e16, "10000000000000000"),
        (99_999_999_999_999_984.0, "99999999999999984"),
        (1e17, "1e+17"),
        (1.5e17, "1.5e+17"),
        (1e20, "1e+20"),
        (1e300, "1.0000000000000001e+300"),
        (5e-324, "4.9406564584124654e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(format_f64_17(value).as_str(), text, "{value:e}");
    }
}

proptest! {
    #[test]
    fn integers_round_trip(value: i64) {
        prop_assert_eq!(parse_i64(&format_i64(value)), Some(value));
        prop_assert_eq!(decimal_len(value), format_i64(value).len());
    }

    #[test]
    fn integers_are_what_the_standard_reads(text in "-?[0-9]{1,21}") {
        let expected = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
        prop_assert_eq!(parse_i64(text.as_bytes()), expected);
    }

    #[test]
    fn floats_round_trip(bits: u64) {
        let value = f64::from_bits(bits);
        let text = format_f64(value);
        prop_assert_eq!(parse_f64(&text), (!value.is_nan()).then_some(value));
    }

    #[test]
    fn nothing_panics(text in prop::collection::vec(prop::sample::select(b" +-.0x19aefpinft()_\0".to_vec()), 0..24)) {
        let strict = parse_f64(&text);
        if strict.is_some() {
            prop_assert_eq!(parse_f64_lenient(&text), strict);
        }
        let _ = parse_i64(&text);
    }
}
