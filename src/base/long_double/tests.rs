//! Tests of `long_double`: fixed cases, and what real servers answered.

use proptest::prelude::*;

use super::*;

fn sum(a: &str, b: &str) -> Option<String> {
    let sum = LongDouble::parse(a.as_bytes())? + LongDouble::parse(b.as_bytes())?;
    Some(sum.to_text())
}

/// `SET k a`, `INCRBYFLOAT k b`, as redis-server 7.0 answers.
#[test]
fn sums_are_redis_sums() {
    for (a, b, expected) in [
        ("10.5", "0.1", "10.6"),
        ("0.1", "0.2", "0.3"),
        ("3.0", "1.000000000000000005", "4.00000000000000001"),
        ("5.0e3", "2.0e2", "5200"),
        ("1", "-1", "0"),
        ("-0", "0", "0"),
        ("-1e-30", "0", "0"),
        ("0xdB7AB.324117323p-70", "884.27e-17", "0.0000000000000096"),
        ("0xc5.177134029p5", "473.89e-22", "6306.93027498247101903"),
        ("-62560892659790809093", "+9.44e3", "-62560892659790799652"),
        ("-1", "-3.36210314311209350626e-4932", "-1"),
        ("+7.25", "506343609699699883", "506343609699699890.25"),
        ("83.88e5", "-1329.9683", "8386670.03170000000000073"),
        ("+937900.767329", "-623.02e-11", "937900.76732899376980868"),
        ("26926.841207", "-0.00000071368800009599029651397", "26926.84120628631200134"),
        ("+8.20237598431685775", "0.000000000000000000003655215932712897", "8.20237598431685775"),
        ("46.715077", "-784924682086314221983", "-784924682086314221888"),
        ("40851186387566913347e-20", "-689929786161127", "-689929786161126.59149169921875"),
        ("-2054838133296319", "-32412893811760169e-20", "-2054838133296319.0003662109375"),
        ("9193276789163774539.774", "+49465.97", "9193276789163824006"),
        ("-0x39Cb762e.8p-70", "+64551e-56", "-0.00000000000082131"),
        ("-495.03e24", "30582e-808", "-495030000000000000004194304"),
        (
            "+499754181156850427.09320127920551241300",
            "08311415031156061268.863514517956876757400177",
            "8811169212312911696",
        ),
        ("-5.732041674140022895", "-83763572180696777847265233940564550471e-20", "-837635721806967784.25"),
        ("1.9e-4951", "+4976743486309907294444433383", "4976743486309907294698078208"),
        (
            "13870352281512100699544312137297324405187508286729",
            "-9.875",
            "13870352281512100699889953666979808260957327589376",
        ),
        ("+52.87e-14", "+0xBaD1b4EF0ba5a1.748576662p-16500", "0.0000000000005287"),
        (
            "-0xcBeFA4c186871Fd7.208527842P+100",
            "-4.848176022159068663",
            "-18628309709566336385144997137256770350229187723264",
        ),
        ("681307907499935112939626e-20", "-0x7686A5E4FEE6A6A.8p5", "-17081392292604752563"),
        ("-3.8644956487311624", "0.000000000000000004927677892512", "-3.86449564873116239"),
        ("+0400098094930422509e-40", "-0xA4bC60f7B4.050660292p5", "-22641123456640.62811279296875"),
    ] {
        assert_eq!(sum(a, b).as_deref(), Some(expected), "{a} + {b}");
        assert_eq!(sum(b, a).as_deref(), Some(expected), "{b} + {a}");
    }
}

#[test]
fn infinity_is_read_and_seen() {
    for (a, b) in [("inf", "1"), ("1", "-INFINITY"), ("inf", "-inf"), ("1.1e4932", "1.1e4932")] {
        let sum = LongDouble::parse(a.as_bytes()).unwrap() + LongDouble::parse(b.as_bytes()).unwrap();
        assert!(!sum.is_finite(), "{a} + {b}");
    }
    assert_eq!(sum("inf", "1").as_deref(), Some("inf"));
    assert_eq!(sum("-inf", "1").as_deref(), Some("-inf"));
    assert_eq!(sum("inf", "-inf").as_deref(), Some("nan"));
}

#[test]
fn bad_texts_are_refused() {
    for text in [
        "",
        " 1",
        "1 ",
        "abc",
        "1e",
        ".",
        "nan",
        "0x",
        "1_0",
        "--1",
        "1\0",
        "1e5000",
        "-1e5000",
        "1e-5000",
        "0x1p-16446",
        "0x1p16384",
        "1e99999999999",
        "1.18973149535723176509e4932",
    ] {
        assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
    }
    assert!(LongDouble::parse(&[b'1'; 5119]).is_none(), "out of range");
    assert!(LongDouble::parse(&[&b"0."[..], &[b'1'; 5117]].concat()).is_some());
    assert!(LongDouble::parse(&[&b"0."[..], &[b'1'; 5118]].concat()).is_none(), "too long");
}

#[test]
fn the_ends_of_the_range() {
    let text = |text: &str| LongDouble::parse(text.as_bytes()).unwrap();
    assert_eq!(text("0x1p-16445").magnitude, Magnitude::Finite { mantissa: 1, exponent: EXPONENT_MIN });
    assert_eq!(text("0x.8000000000000001p-16445"), text("0x1p-16445"));
    assert_eq!(text("3.6451995318824746025e-4951"), text("0x1p-16445"));
    assert_eq!(text("0x1.fffffffffffffffep16383"), text("1.18973149535723176502e4932"));
    assert_eq!(text("1.18973149535723176502e4932").to_text().len(), 4933);
    assert_eq!(text("0x1p16383") + text("-0x1p16383"), text("0"));
}

proptest! {
    #[test]
    fn integers_are_exact(a: i64, b: i64) {
        let exact = i128::from(a) + i128::from(b);
        let sum = LongDouble::from(a) + LongDouble::from(b);
        prop_assert_eq!(LongDouble::from(a).to_text(), a.to_string());
        prop_assert_eq!(sum.to_text(), exact.to_string());
    }

    /// The short way and the long way round to the same number.
    #[test]
    fn both_ways_of_parsing_agree(value in 1u64.., exponent in -27i32..=27) {
        let digits = value.to_string();
        let digits = digits.trim_end_matches('0').as_bytes();
        prop_assume!(digits.len() <= 19);
        prop_assert_eq!(small_decimal(digits, exponent), big_decimal(digits, i64::from(exponent)));
    }

    #[test]
    fn nothing_panics(text in prop::collection::vec(prop::sample::select(b"+-.0x19aefpin".to_vec()), 0..24), b: i64) {
        if let Some(value) = LongDouble::parse(&text) {
            let _ = (value + LongDouble::from(b)).to_text();
        }
    }
}
