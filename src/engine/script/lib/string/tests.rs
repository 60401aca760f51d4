//! Results of the string library, function by function.

use proptest::prelude::*;

use super::super::testing::{TestHost, call, call_on, function, list};
use super::*;
use crate::engine::script::value::{NativeFunction, Table};

fn find(name: &str) -> NativeFunction {
    LIBRARY.functions.iter().find(|(known, _)| *known == name).expect("it is there").1
}

fn t(text: &str) -> Value {
    Value::text(text)
}

fn n(number: f64) -> Value {
    Value::Number(number)
}

#[test]
fn parts_count_from_both_ends() {
    for (name, arguments, expected) in [
        ("sub", vec![t("hello"), n(2.0), n(-2.0)], "'ell'"),
        ("sub", vec![t("hello"), n(2.9)], "'ello'"),
        ("sub", vec![t("hello"), n(-100.0), n(2.0)], "'he'"),
        ("sub", vec![t("hello"), n(4.0), n(2.0)], "''"),
        ("sub", vec![t("hello"), n(0.0), n(1e300)], "''"),
        ("sub", vec![n(12.5), n(2.0)], "'2.5'"),
        ("sub", vec![t("x")], "error: #2 number expected, got no value"),
        ("len", vec![t("a\0b")], "3"),
        ("byte", vec![t("abc")], "97"),
        ("byte", vec![t("abc"), n(0.0), n(10.0)], "97 98 99"),
        ("byte", vec![t("abc"), n(-1.0)], "99"),
        ("byte", vec![t("abc"), n(10.0)], ""),
        ("char", vec![n(65.0), n(66.9)], "'AB'"),
        ("char", vec![n(65.0), n(256.0)], "error: #2 invalid value"),
        ("char", vec![], "''"),
        ("rep", vec![t("ab"), n(3.99)], "'ababab'"),
        ("rep", vec![t("ab"), n(-1.0)], "''"),
        ("rep", vec![t("x"), n(2e9)], "error: not enough memory"),
        ("reverse", vec![t("abc")], "'cba'"),
        ("upper", vec![t("aZ9")], "'AZ9'"),
        ("lower", vec![t("aZ9")], "'az9'"),
        ("lower", vec![Value::Nil], "error: #1 string expected, got nil"),
        ("dump", vec![], "error: unable to dump given function"),
    ] {
        assert_eq!(call(find(name), &arguments), expected, "{name} {arguments:?}");
    }
    let long = vec![Value::text(vec![b'x'; 10_000]), n(1.0), n(-1.0)];
    assert_eq!(call(find("byte"), &long), "error: stack overflow (string slice too long)");
}

#[test]
fn searches_return_positions_and_captures() {
    for (name, arguments, expected) in [
        ("find", vec![t("hello"), t("l")], "3 3"),
        ("find", vec![t("hello"), t("(l)(.)")], "3 4 'l' 'l'"),
        ("find", vec![t("hello"), t("xyz")], "nil"),
        ("find", vec![t("a.b"), t("."), n(2.0)], "2 2"),
        ("find", vec![t("aab.b"), t("b."), n(1.0), Value::Boolean(true)], "3 4"),
        ("find", vec![t("abc"), t(""), n(10.0)], "4 3"),
        ("find", vec![t("abc"), t("b"), n(-1.0)], "nil"),
        ("find", vec![t("abab"), t("ab"), n(2.0)], "3 4"),
        ("find", vec![t("abc"), t("%")], "error: malformed pattern (ends with \\'%\\')"),
        ("match", vec![t("key=val"), t("(%w+)=(%w+)")], "'key' 'val'"),
        ("match", vec![t("key=val"), t("%w+"), n(5.0)], "'val'"),
        ("match", vec![t("key"), t("()")], "1"),
        ("match", vec![t("key"), t("%d")], "nil"),
    ] {
        assert_eq!(call(find(name), &arguments), expected, "{name} {arguments:?}");
    }
}

#[test]
fn gmatch_walks_over_all_matches() {
    let walk = |subject: &str, pattern: &str| {
        let mut host = TestHost::default();
        let next = find("gmatch")(&mut host, &[t(subject), t(pattern)]).expect("a function")[0].clone();
        let mut found = Vec::new();
        loop {
            let values = host.call(&next, &[]).expect("no error");
            if values[0].is_nil() {
                return found.join(",");
            }
            found.push(values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" "));
        }
    };
    assert_eq!(walk("one two", "%a+"), "\"one\",\"two\"");
    assert_eq!(walk("k1=v1, k2=v2", "(%w+)=(%w+)"), "\"k1\" \"v1\",\"k2\" \"v2\"");
    assert_eq!(walk("abc", ""), "\"\",\"\",\"\",\"\"");
    assert_eq!(walk("abc", "^a"), "");
}

#[test]
fn gsub_takes_texts_tables_and_functions() {
    let upper =
        function(|_, values| Ok(Values::from_iter([Value::text(values[0].as_text().unwrap().to_ascii_uppercase())])));
    let nothing = function(|_, _| Ok(Values::new()));
    let table = Table::new();
    table.set_text(b"name", t("Pipkin"));
    for (arguments, expected) in [
        (vec![t("hello"), t("l"), t("L")], "'heLLo' 2"),
        (vec![t("hello"), t("l"), t("L"), n(1.0)], "'heLlo' 1"),
        (vec![t("hello"), t("l"), t("L"), n(-1.0)], "'hello' 0"),
        (vec![t("abc"), t("%w"), t("%0%0")], "'aabbcc' 3"),
        (vec![t("abc"), t("(%w)(%w)"), t("%2%1")], "'bac' 1"),
        (vec![t("abc"), t("%w"), t("%1")], "'abc' 3"),
        (vec![t("abc"), t("%w"), t("%2")], "error: invalid capture index"),
        (vec![t("abc"), t("b"), t("%")], "'a\\x00c' 1"),
        (vec![t("abc"), t("b"), t("%x")], "'axc' 1"),
        (vec![t("abc"), t("()"), t("%1")], "'1a2b3c4' 4"),
        (vec![t("abc"), t(""), t("-")], "'-a-b-c-' 4"),
        (vec![t("aaa"), t("^a"), t("b")], "'baa' 1"),
        (vec![t("hello"), t("l+"), upper.clone()], "'heLLo' 1"),
        (vec![t("hello"), t("l"), nothing], "'hello' 2"),
        (vec![t("$name $other"), t("%$(%w+)"), Value::Table(table)], "'Pipkin $other' 2"),
        (vec![t("abc"), t("b"), n(1.5)], "'a1.5c' 1"),
        (vec![t("abc"), t("b"), Value::Boolean(true)], "error: #3 string/function/table expected"),
        (
            vec![t("b"), t("b"), function(|_, _| Ok(Values::from_iter([list([])])))],
            "error: invalid replacement value (a table)",
        ),
    ] {
        assert_eq!(call(find("gsub"), &arguments), expected, "{arguments:?}");
    }
}

#[test]
fn format_prints_its_arguments() {
    for (arguments, expected) in [
        (vec![t("%d %s %5.2f%%"), n(42.9), t("x"), n(1.5)], "'42 x  1.50%'"),
        (vec![t("%x %X %o %u"), n(255.0), n(255.0), n(8.0), n(9.0)], "'ff FF 10 9'"),
        (vec![t("%x"), n(-1.0)], "'ffffffffffffffff'"),
        (vec![t("%d"), n(9_223_372_036_854_775_808.0)], "'-9223372036854775808'"),
        (vec![t("%d"), t("10")], "'10'"),
        (vec![t("%c%c"), n(65.0), n(0.0)], "'A'"),
        (vec![t("%5c|"), n(0.0)], "'    |'"),
        (vec![t("%q"), t("a\"b")], "'\\\"a\\\\\\\"b\\\"'"),
        (vec![t("%s"), t("a\0b")], "'a'"),
        (vec![t("%.2s"), t("abc")], "'ab'"),
        (vec![t("%s")], "error: #2 no value"),
        (vec![t("%")], "error: #2 no value"),
        (vec![t("%"), n(1.0)], "error: invalid option \\'%\\' to \\'format\\'"),
        (vec![t("%y"), n(1.0)], "error: invalid option \\'%y\\' to \\'format\\'"),
        (vec![t("%d"), t("x")], "error: #2 number expected, got string"),
        (vec![t("%s"), list([])], "error: #2 string expected, got table"),
        (vec![t("%123d"), n(1.0)], "error: invalid format (width or precision too long)"),
    ] {
        assert_eq!(call(find("format"), &arguments), expected, "{arguments:?}");
    }
    let long = t(&"x".repeat(200));
    assert_eq!(
        call(find("format"), &[t("%300s"), long.clone()]),
        "error: invalid format (width or precision too long)"
    );
    assert_eq!(call(find("format"), &[t("%99s"), long]), format!("'{}'", "x".repeat(200)));
}

#[test]
fn what_doubles_is_stopped() {
    let mut host = TestHost { bytes: 40_000, ..TestHost::default() };
    let long = t(&"x".repeat(30_000));
    assert_eq!(call_on(&mut host, find("gsub"), &[long, t("x"), t("yy")]), "error: not enough memory");
}

proptest! {
    #[test]
    fn any_call_ends(format in "[%a-z0-9.+ #-]{0,12}", number in any::<f64>(), text in any::<Vec<u8>>()) {
        for name in ["format", "sub", "byte", "rep", "find", "match", "gsub"] {
            let _ = call(find(name), &[t(&format), n(number), Value::text(&text)]);
            let _ = call(find(name), &[Value::text(&text), t(&format), n(number), n(number)]);
        }
    }
}
