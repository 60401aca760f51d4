//! Conversions against what C prints.

use proptest::prelude::*;

use super::*;

/// Prints a number by a format such as `%-5.2f`.
fn print(format: &str, value: f64) -> String {
    let (spec, used) = Spec::scan(&format.as_bytes()[1..]).expect("the format is right");
    let letter = format.as_bytes()[1 + used];
    let mut out = Vec::new();
    match letter {
        b'd' => spec.signed(value as i64, &mut out),
        b'x' => spec.unsigned(value as u64, Radix::Hexadecimal, &mut out),
        b'X' => spec.unsigned(value as u64, Radix::UpperHexadecimal, &mut out),
        b'o' => spec.unsigned(value as u64, Radix::Octal, &mut out),
        b'u' => spec.unsigned(value as u64, Radix::Decimal, &mut out),
        b'f' => spec.float(value, Conversion::Fixed, false, &mut out),
        b'e' | b'E' => spec.float(value, Conversion::Exponent, letter == b'E', &mut out),
        _ => spec.float(value, Conversion::General, letter == b'G', &mut out),
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn conversions_print_as_in_c() {
    for (format, value, expected) in [
        ("%d", -5.0, "-5"),
        ("%5d|", 42.0, "   42"),
        ("%-5d|", 42.0, "42   "),
        ("%05d", -42.0, "-0042"),
        ("%+d", 42.0, "+42"),
        ("% d", 42.0, " 42"),
        ("%.3d", 5.0, "005"),
        ("%010.3d", 5.0, "       005"),
        ("%.0d", 0.0, ""),
        ("%#x", 255.0, "0xff"),
        ("%#X", 255.0, "0XFF"),
        ("%#o", 8.0, "010"),
        ("%#.0o", 0.0, "0"),
        ("%#08x", 10.0, "0x00000a"),
        ("%#.5x", 10.0, "0x0000a"),
        ("%+u", 10.0, "10"),
        ("%f", 1.5, "1.500000"),
        ("%.0f", 2.5, "2"),
        ("%#.0f", 3.0, "3."),
        ("%08.3f", -2.71659, "-002.717"),
        ("%e", 12345.678, "1.234568e+04"),
        ("%.0e", 12345.678, "1e+04"),
        ("%E", 1e-10, "1.000000E-10"),
        ("%g", 100000.0, "100000"),
        ("%g", 1000000.0, "1e+06"),
        ("%g", 0.0001, "0.0001"),
        ("%g", 0.00001, "1e-05"),
        ("%#g", 3.0, "3.00000"),
        ("%.3g", 1234.5, "1.23e+03"),
        ("%.0g", 1234.5, "1e+03"),
        ("%G", 1e-10, "1E-10"),
        ("%05f", f64::INFINITY, "  inf"),
        ("%E", f64::NEG_INFINITY, "-INF"),
        ("%.20f", 0.1, "0.10000000000000000555"),
        ("%g", -0.0, "-0"),
        ("%.14g", 9.99999999999999e22, "1e+23"),
        ("%.3g", 999.9, "1e+03"),
    ] {
        assert_eq!(print(format, value), expected, "{format} {value}");
    }
}

#[test]
fn texts_are_cut_and_padded() {
    let print = |format: &str, text: &str| {
        let (spec, _) = Spec::scan(format.as_bytes()).expect("the format is right");
        let mut out = Vec::new();
        spec.text(text.as_bytes(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    assert_eq!(
        (print("5", "ab"), print("-5", "ab"), print("05", "ab")),
        ("   ab".into(), "ab   ".into(), "   ab".into())
    );
    assert_eq!((print(".1", "ab"), print("3.1", "ab"), print(".", "ab")), ("a".into(), "  a".into(), "".into()));
}

#[test]
fn widths_are_bounded() {
    let long = Err("invalid format (width or precision too long)");
    assert_eq!(Spec::scan(b"100d"), long);
    assert_eq!(Spec::scan(b".100d"), long);
    assert_eq!(Spec::scan(b"------d"), Err("invalid format (repeated flags)"));
    assert!(Spec::scan(b"-----99.99f").is_ok_and(|(_, used)| used == 10));
    assert!(Spec::scan(b"").is_ok());
}

#[test]
fn quoted_texts_read_back() {
    let mut out = Vec::new();
    quote(b"a\"\\\n\r\0b", &mut out);
    assert_eq!(out, b"\"a\\\"\\\\\\\n\\r\\000b\"");
}

proptest! {
    #[test]
    fn any_format_prints_any_number(format in "%[-+ #0]{0,3}[0-9]{0,2}(\\.[0-9]{0,2})?[dxXoufeEgG]", value in any::<f64>()) {
        prop_assert!(print(&format, value).len() < 512);
    }
}
