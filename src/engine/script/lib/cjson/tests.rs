//! Texts, values and errors as lua-cjson gives them.

use proptest::prelude::*;

use super::super::testing::{TestHost, call_on, list, show};
use super::*;
use crate::engine::script::value::NativeFunction;

fn find(name: &str) -> NativeFunction {
    LIBRARY.functions.iter().find(|(known, _)| *known == name).expect("it is there").1
}

fn run(host: &mut TestHost, name: &str, arguments: &[Value]) -> String {
    call_on(host, find(name), arguments)
}

fn decode(text: &str) -> String {
    run(&mut TestHost::default(), "decode", &[Value::text(text)])
}

fn encode(value: Value) -> String {
    run(&mut TestHost::default(), "encode", &[value])
}

fn sparse(indices: &[f64]) -> Value {
    let table = Table::new();
    for index in indices {
        table.set(Value::Number(*index), Value::Number(1.0)).expect("it takes");
    }
    Value::Table(table)
}

#[test]
fn values_become_texts() {
    for (value, expected) in [
        (Value::Nil, "'null'"),
        (Value::Null, "'null'"),
        (Value::Boolean(true), "'true'"),
        (Value::Number(1e20), "'1e+20'"),
        (Value::Number(0.1), "'0.1'"),
        (Value::text("\u{1}\u{7f}/\"\\\n\u{8}"), "'\\\"\\\\u0001\\\\u007f\\\\/\\\\\\\"\\\\\\\\\\\\n\\\\b\\\"'"),
        (list([]), "'{}'"),
        (list([list([]), Value::Number(2.0)]), "'[{},2]'"),
        (sparse(&[1.0, 2.0, 4.0]), "'[1,1,null,1]'"),
        (sparse(&[1.0, 3.0, 10.0]), "'[1,null,1,null,null,null,null,null,null,1]'"),
        (sparse(&[1.0, 3.0, 11.0]), "error: Cannot serialise table: excessively sparse array"),
        (sparse(&[0.0]), "'{\\\"0\\\":1}'"),
        (sparse(&[1.5]), "'{\\\"1.5\\\":1}'"),
        (sparse(&[-1.0]), "'{\\\"-1\\\":1}'"),
        (sparse(&[1e15]), "'{\\\"1e+15\\\":1}'"),
        (Value::Number(f64::NAN), "error: Cannot serialise number: must not be NaN or Inf"),
        (Value::Number(f64::INFINITY), "error: Cannot serialise number: must not be NaN or Inf"),
        (Value::Native(new), "error: Cannot serialise function: type not supported"),
    ] {
        let name = format!("{value:?}");
        assert_eq!(encode(value), expected, "{name}");
    }
    let table = Table::new();
    table.set(Value::Boolean(true), Value::Number(1.0)).expect("it takes");
    let error = "error: Cannot serialise boolean: table key must be a number or string";
    assert_eq!(encode(Value::Table(table)), error);
    assert_eq!(run(&mut TestHost::default(), "encode", &[]), "error: #1 expected 1 argument");
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| (0..depth).fold(list([]), |inner, _| list([inner]));
    assert!(encode(nested(999)).starts_with("'[[["));
    assert_eq!(encode(nested(1000)), "error: Cannot serialise, excessive nesting (1001)");
    let cycle = Table::new();
    cycle.set_index(1, Value::Table(cycle.clone()));
    assert_eq!(encode(Value::Table(cycle.clone())), "error: Cannot serialise, excessive nesting (1001)");
    cycle.set_index(1, Value::Nil);
    assert!(decode(&("[".repeat(1000) + &"]".repeat(1000))).starts_with("{1={1="));
    let error = "error: Found too many nested data structures (1001) at character 1001";
    assert_eq!(decode(&"[".repeat(1001)), error);
    let error = "error: Found too many nested data structures (1001) at character 5001";
    assert_eq!(decode(&"{\"a\":".repeat(1001)), error);
    let mut host = TestHost::default();
    run(&mut host, "decode_max_depth", &[Value::Number(2e9)]);
    let deep = run(&mut host, "decode", &[Value::text("[".repeat(100_000))]);
    assert_eq!(deep, "error: Found too many nested data structures (2601) at character 2601");
}

#[test]
fn texts_become_values() {
    for (text, expected) in [
        ("{}", "{}"),
        (" [ 1 , 2 ] ", "{1=1,2=2}"),
        ("{\"a\":{\"b\":[1,{\"c\":null}]}}", "{'a'={'b'={1=1,2={'c'=null}}}}"),
        ("null", "null"),
        ("[true,false]", "{1=true,2=false}"),
        ("0x10", "16"),
        ("[inf,-Infinity]", "{1=inf,2=-inf}"),
        ("[+1]", "{1=1}"),
        ("01", "1"),
        ("1.", "1"),
        ("[1e5]", "{1=100000}"),
        ("[1e400]", "{1=inf}"),
        ("\"\\u0041\\ud83d\\ude00\\u00e9\"", "'A\\xf0\\x9f\\x98\\x80\\xc3\\xa9'"),
        ("\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "'/\\x08\\x0c\\n\\r\\t\\\"\\\\'"),
        ("\"a\nb\"", "'a\\nb'"),
        ("[1]\0", "{1=1}"),
        ("\"\\u0000a\"", "'\\x00a'"),
    ] {
        assert_eq!(decode(text), expected, "{text:?}");
    }
}

#[test]
fn errors_name_what_was_found_and_where() {
    for (text, expected) in [
        ("", "value but found T_END at character 1"),
        ("[1,2", "comma or array end but found T_END at character 5"),
        ("{1:2}", "object key string but found T_NUMBER at character 2"),
        ("[1] x", "the end but found invalid token at character 5"),
        ("[.5]", "value but found invalid token at character 2"),
        ("[-]", "value but found invalid number at character 2"),
        ("\"\\ud83d\"", "value but found invalid unicode escape code at character 2"),
        ("\"\\udc00\"", "value but found invalid unicode escape code at character 2"),
        ("\"\\u12\"", "value but found invalid unicode escape code at character 2"),
        ("\"\\x\"", "value but found invalid escape code at character 2"),
        ("\"abc", "value but found unexpected end of string at character 5"),
        ("[1,]", "value but found T_ARR_END at character 4"),
        ("[,1]", "value but found T_COMMA at character 2"),
        ("tru", "value but found invalid token at character 1"),
        ("{\"a\":1,}", "object key string but found T_OBJ_END at character 8"),
        ("{\"a\" 1}", "colon but found T_NUMBER at character 6"),
        ("{\"a\":1 \"b\"}", "comma or object end but found T_STRING at character 8"),
        ("{\"a\":", "value but found T_END at character 6"),
        ("[1}", "comma or array end but found T_OBJ_END at character 3"),
        ("[infinity1]", "comma or array end but found T_NUMBER at character 10"),
        ("[a\0b]", "value but found invalid token at character 2"),
    ] {
        assert_eq!(decode(text), format!("error: Expected {expected}"), "{text:?}");
    }
    assert_eq!(decode("\0a"), "error: JSON parser does not support UTF-16 or UTF-32");
}

#[test]
fn settings_hold_for_the_run_or_for_a_library_of_its_own() {
    let host = &mut TestHost::default();
    let (n, t) = (Value::Number, |text: &str| Value::text(text));
    let nan = || Value::Number(f64::NAN);
    assert_eq!(run(host, "encode_sparse_array", &[]), "false 2 10");
    assert_eq!(run(host, "encode_sparse_array", &[Value::Boolean(true), n(1.0), n(3.0)]), "true 1 3");
    assert_eq!(run(host, "encode", &[sparse(&[5.0])]), "'{\\\"5\\\":1}'");
    assert_eq!(run(host, "encode_invalid_numbers", &[t("null")]), "'null'");
    assert_eq!(run(host, "encode", &[nan()]), "'null'");
    assert_eq!(run(host, "encode_invalid_numbers", &[Value::Boolean(true)]), "true");
    assert_eq!(run(host, "encode", &[nan()]), "'nan'");
    assert_eq!(run(host, "encode_number_precision", &[n(3.0)]), "3");
    assert_eq!(run(host, "encode", &[n(12345.678)]), "'1.23e+04'");
    assert_eq!(run(host, "decode_invalid_numbers", &[t("off")]), "false");
    let refused = "error: Expected value but found invalid number at character 2";
    assert_eq!(run(host, "decode", &[t("[0x10]")]), refused);
    assert_eq!(run(host, "decode", &[t("[01]")]), refused);
    assert_eq!(run(host, "encode_keep_buffer", &[]), "true");
    for (name, arguments, expected) in [
        ("encode_max_depth", vec![n(0.0)], "error: #1 expected integer between 1 and 2147483647"),
        ("encode_max_depth", vec![n(1.0), n(2.0)], "error: #2 found too many arguments"),
        ("encode_number_precision", vec![n(15.0)], "error: #1 expected integer between 1 and 14"),
        ("encode_invalid_numbers", vec![t("x")], "error: #1 invalid option \\'x\\'"),
        ("decode_invalid_numbers", vec![t("null")], "error: #1 invalid option \\'null\\'"),
        ("encode_sparse_array", vec![Value::Nil, n(-1.0)], "error: #1 expected integer between 0 and 2147483647"),
    ] {
        assert_eq!(run(host, name, &arguments), expected);
    }
    let own = new(host, &[]).expect("a library")[0].clone();
    let Value::Table(own) = own else { panic!("no table") };
    let encode = own.get_text(b"encode");
    let text = host.call(&encode, &[n(12345.678)]).expect("it encodes");
    assert_eq!(show(&text[0], 0), "'12345.678'");
}

proptest! {
    #[test]
    fn any_text_is_decoded_or_refused(text in "[\\[\\]{},:\"\\\\u0-9a-fintrsel\\x00 +-]{0,40}") {
        decode(&text);
    }

    #[test]
    fn any_text_survives(text in any::<Vec<u8>>()) {
        let host = &mut TestHost::default();
        let json = find("encode")(host, &[Value::text(&text)]).expect("it encodes");
        let back = find("decode")(host, &json).expect("it decodes");
        prop_assert_eq!(back[0].as_text().map(|back| back.to_vec()), Some(text));
    }
}
