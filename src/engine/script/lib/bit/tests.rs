//! Results of LuaBitOp.

use super::super::testing::call;
use super::*;

fn run(name: &str, arguments: &[f64]) -> String {
    let function = LIBRARY.functions.iter().find(|(known, _)| *known == name).expect("it is there").1;
    let arguments: Vec<Value> = arguments.iter().copied().map(Value::Number).collect();
    call(function, &arguments)
}

#[test]
fn results_are_signed_and_arguments_wrap() {
    for (name, arguments, expected) in [
        ("tobit", &[4_294_967_295.0][..], "-1"),
        ("tobit", &[2.5], "2"),
        ("tobit", &[1_099_511_627_777.5], "2"),
        ("tobit", &[f64::NAN], "0"),
        ("tobit", &[f64::INFINITY], "0"),
        ("tohex", &[-1.0], "'ffffffff'"),
        ("tohex", &[-1.0, -4.0], "'FFFF'"),
        ("tohex", &[255.0, 0.0], "''"),
        ("tohex", &[255.0, 20.0], "'000000ff'"),
        ("tohex", &[255.0, -2_147_483_648.0], "'000000FF'"),
        ("band", &[12.0, 10.0], "8"),
        ("band", &[12.0, 10.0, 0.0], "0"),
        ("bor", &[12.0, 3.0], "15"),
        ("bxor", &[12.0, 10.0], "6"),
        ("bnot", &[5.0], "-6"),
        ("lshift", &[1.0, 33.0], "2"),
        ("rshift", &[-1.0, 28.0], "15"),
        ("arshift", &[-256.0, 4.0], "-16"),
        ("rol", &[305_419_896.0, 12.0], "1164411171"),
        ("ror", &[305_419_896.0, 12.0], "1736516421"),
        ("bswap", &[305_419_896.0], "2018915346"),
        ("band", &[], "error: #1 number expected, got no value"),
        ("lshift", &[1.0], "error: #2 number expected, got no value"),
    ] {
        assert_eq!(run(name, arguments), expected, "{name} {arguments:?}");
    }
}
