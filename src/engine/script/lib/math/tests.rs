//! Results of C's library, and the generator's numbers as real servers draw them.

use super::super::testing::{TestHost, call, call_on};
use super::*;

fn find(name: &str) -> crate::engine::script::value::NativeFunction {
    LIBRARY.functions.iter().find(|(known, _)| *known == name).expect("it is there").1
}

fn run(name: &str, arguments: &[f64]) -> String {
    let arguments: Vec<Value> = arguments.iter().copied().map(Value::Number).collect();
    call(find(name), &arguments)
}

#[test]
fn functions_are_those_of_c() {
    for (name, arguments, expected) in [
        ("floor", &[-3.5][..], "-4"),
        ("ceil", &[-3.5], "-3"),
        ("fmod", &[-5.0, 3.0], "-2"),
        ("mod", &[5.0, -3.0], "2"),
        ("modf", &[-3.75], "-3 -0.75"),
        ("modf", &[f64::NEG_INFINITY], "-inf -0"),
        ("frexp", &[8.0], "0.5 4"),
        ("frexp", &[0.0], "0 0"),
        ("frexp", &[5e-324], "0.5 -1073"),
        ("ldexp", &[1.0, 2000.0], "inf"),
        ("ldexp", &[1.0, -1074.0], "4.9406564584125e-324"),
        ("ldexp", &[1.0, -1080.0], "0"),
        ("ldexp", &[0.75, 1024.0], "1.3482698511467e+308"),
        ("max", &[1.0, 5.0, 3.0], "5"),
        ("min", &[1.0, 5.0, -3.0], "-3"),
        ("pow", &[2.0, 10.0], "1024"),
        ("sqrt", &[2.0], "1.4142135623731"),
        ("deg", &[1.0], "57.295779513082"),
        ("rad", &[180.0], "3.1415926535898"),
        ("log10", &[1000.0], "3"),
        ("max", &[], "error: #1 number expected, got no value"),
        ("random", &[0.0], "error: #1 interval is empty"),
        ("random", &[2.0, 1.0], "error: #2 interval is empty"),
        ("random", &[1.0, 2.0, 3.0], "error: wrong number of arguments"),
    ] {
        assert_eq!(run(name, arguments), expected, "{name} {arguments:?}");
    }
    let mixed = [Value::Number(5.0), Value::text("7")];
    assert_eq!(call(find("max"), &mixed), "7");
}

#[test]
fn random_numbers_are_those_of_real_servers() {
    let mut host = TestHost::default();
    assert_eq!(call_on(&mut host, find("random"), &[]), "0.39646477363839");
    assert_eq!(call_on(&mut host, find("random"), &[]), "0.84048536971234");
    assert_eq!(call_on(&mut host, find("randomseed"), &[Value::Number(0.0)]), "");
    assert_eq!(call_on(&mut host, find("random"), &[]), "0.17082803611217");
    assert_eq!(call_on(&mut host, find("random"), &[]), "0.74990198051087");
    assert_eq!(call_on(&mut host, find("randomseed"), &[Value::Number(7.9)]), "");
    assert_eq!(call_on(&mut host, find("random"), &[]), "0.26644419658298");
    let drawn = call_on(&mut host, find("random"), &[Value::Number(1.0), Value::Number(6.0)]);
    assert!((1..=6).any(|face| drawn == face.to_string()), "{drawn}");
}
