//! Texts and conversions as real servers give them.

use proptest::prelude::*;

use super::*;

fn shown(value: f64) -> String {
    String::from_utf8_lossy(&text(value)).into_owned()
}

#[test]
fn numbers_print_with_fourteen_digits() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-12.0, "-12"),
        (0.1, "0.1"),
        (std::f64::consts::PI, "3.1415926535898"),
        (1e13, "10000000000000"),
        (99_999_999_999_999.0, "99999999999999"),
        (1e14, "1e+14"),
        (123_456_789_012_345.0, "1.2345678901234e+14"),
        (1e100, "1e+100"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (5e-324, "4.9406564584125e-324"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN.copysign(1.0), "nan"),
        (f64::NAN.copysign(-1.0), "-nan"),
        (2f64.powi(53), "9.007199254741e+15"),
        (0.1 + 0.2, "0.3"),
        (100.0 / 3.0, "33.333333333333"),
    ] {
        assert_eq!(shown(value), expected);
    }
}

#[test]
fn texts_are_numbers_as_strtod_reads_them() {
    for (text, expected) in [
        ("10", Some(10.0)),
        (" \t10\n ", Some(10.0)),
        ("0x10", Some(16.0)),
        ("-0x10", Some(-16.0)),
        ("0x.8p1", Some(1.0)),
        ("1e3", Some(1000.0)),
        ("1e400", Some(f64::INFINITY)),
        ("1e-400", Some(0.0)),
        (".5", Some(0.5)),
        ("5.", Some(5.0)),
        ("inf", Some(f64::INFINITY)),
        ("-Infinity", Some(f64::NEG_INFINITY)),
        ("10\0x", Some(10.0)),
        ("", None),
        (" ", None),
        ("0x", None),
        ("1 2", None),
        ("1e", None),
        ("--1", None),
        ("abc", None),
    ] {
        assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
    }
    assert!(parse(b"nan").is_some_and(f64::is_nan));
}

#[test]
fn texts_in_a_base_are_numbers_as_strtoul_reads_them() {
    for (text, base, expected) in [
        ("ff", 16, Some(255.0)),
        (" 0x1F ", 16, Some(31.0)),
        ("0x", 16, None),
        ("zz", 36, Some(1295.0)),
        ("8", 8, None),
        ("101", 2, Some(5.0)),
        ("-1", 16, Some(18_446_744_073_709_551_615.0)),
        ("99999999999999999999999", 11, Some(18_446_744_073_709_551_615.0)),
        ("", 16, None),
        ("+7", 8, Some(7.0)),
    ] {
        assert_eq!(parse_in_base(text.as_bytes(), base), expected, "{text:?}");
    }
}

#[test]
fn conversions_are_those_of_the_processor() {
    assert_eq!((to_i64(3.99), to_i64(-3.99)), (3, -3));
    assert_eq!((to_i64(1e300), to_i64(f64::NAN), to_i64(TWO_TO_63)), (i64::MIN, i64::MIN, i64::MIN));
    assert_eq!((to_i32(4_294_967_297.0), to_i32(-1.0), to_i32(1e300)), (1, -1, 0));
    assert_eq!((to_u64(-1.0), to_u64(TWO_TO_63), to_u64(2.0 * TWO_TO_63)), (u64::MAX, 1 << 63, 0));
}

proptest! {
    #[test]
    fn what_prints_reads_back(value in any::<f64>()) {
        let read = parse(&text(value)).unwrap_or(1.0);
        prop_assert!(read.is_nan() == value.is_nan());
        if value.is_finite() && value.abs() < 1e300 {
            prop_assert!((read - value).abs() <= value.abs() * 1e-13, "{} {}", read, value);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..24), base in 2u32..=36) {
        parse(&text);
        parse_in_base(&text, base);
    }
}
