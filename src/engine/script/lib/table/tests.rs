//! Results of the table library, function by function.

use super::super::testing::{TestHost, call, call_on, function, list, show};
use super::*;
use crate::engine::script::value::NativeFunction;

fn find(name: &str) -> NativeFunction {
    LIBRARY.functions.iter().find(|(known, _)| *known == name).expect("it is there").1
}

fn n(number: f64) -> Value {
    Value::Number(number)
}

fn numbers(numbers: &[f64]) -> Value {
    list(numbers.iter().copied().map(Value::Number))
}

/// The function's results, and the table behind it.
fn change(name: &str, table: &Value, more: &[Value]) -> String {
    let arguments: Vec<Value> = std::iter::once(table.clone()).chain(more.iter().cloned()).collect();
    let result = call(find(name), &arguments);
    format!("{result} {}", show(table, 0))
}

#[test]
fn elements_make_room() {
    assert_eq!(change("insert", &numbers(&[1.0, 2.0]), &[n(9.0)]), " {1=1,2=2,3=9}");
    assert_eq!(change("insert", &numbers(&[1.0, 2.0]), &[n(1.0), n(9.0)]), " {1=9,2=1,3=2}");
    assert_eq!(change("insert", &numbers(&[]), &[n(9.0)]), " {1=9}");
    assert_eq!(change("insert", &numbers(&[]), &[]), "error: wrong number of arguments to \\'insert\\' {}");
    let table = numbers(&[1.0, 2.0, 3.0]);
    assert_eq!(change("remove", &table, &[n(1.0)]), "1 {1=2,2=3}");
    assert_eq!(change("remove", &table, &[]), "3 {1=2}");
    assert_eq!(change("remove", &table, &[n(5.0)]), " {1=2}");
    assert_eq!(change("remove", &table, &[]), "2 {}");
    assert_eq!(change("remove", &table, &[]), " {}");
}

#[test]
fn a_far_position_is_paid_for() {
    let mut host = TestHost { steps: 1000, ..TestHost::default() };
    let table = numbers(&[1.0]);
    assert_eq!(call_on(&mut host, find("insert"), &[table, n(-2e9), n(1.0)]), "ended: steps");
}

#[test]
fn read_only_tables_stay_as_they_are() {
    let table = LIBRARY.table();
    let error = "raised: 'Attempt to modify a readonly table'";
    assert_eq!(call(find("insert"), &[Value::Table(table), n(1.0)]), error);
}

#[test]
fn concat_joins_strings_and_numbers() {
    let table = list([n(1.0), Value::text("x"), n(2.5)]);
    assert_eq!(call(find("concat"), std::slice::from_ref(&table)), "'1x2.5'");
    assert_eq!(call(find("concat"), &[table.clone(), Value::text(", "), n(2.0)]), "'x, 2.5'");
    assert_eq!(call(find("concat"), &[table.clone(), n(0.0), n(2.0), n(2.0)]), "'x'");
    assert_eq!(call(find("concat"), &[table.clone(), Value::Nil, n(3.0), n(2.0)]), "''");
    let missing = "error: invalid value (nil) at index 4 in table for \\'concat\\'";
    assert_eq!(call(find("concat"), &[table, Value::text(""), n(3.0), n(4.0)]), missing);
    let nested = "error: invalid value (table) at index 1 in table for \\'concat\\'";
    assert_eq!(call(find("concat"), &[list([list([])])]), nested);
    assert_eq!(call(find("concat"), &[Value::Nil]), "error: #1 table expected, got nil");
}

#[test]
fn lengths_and_walks() {
    let table = Table::from_list(vec![n(5.0), n(6.0)]);
    table.set(n(10.5), Value::Boolean(true)).expect("it takes");
    let table = Value::Table(table);
    assert_eq!(call(find("getn"), std::slice::from_ref(&table)), "2");
    assert_eq!(call(find("maxn"), std::slice::from_ref(&table)), "10.5");
    assert_eq!(call(find("maxn"), &[numbers(&[])]), "0");
    assert_eq!(call(find("setn"), &[table.clone(), n(1.0)]), "error: \\'setn\\' is obsolete");
    let stop_at_six = || function(|_, values| one(if values[1] == n(6.0) { values[0].clone() } else { Value::Nil }));
    assert_eq!(call(find("foreach"), &[table.clone(), stop_at_six()]), "2");
    assert_eq!(call(find("foreachi"), &[table.clone(), stop_at_six()]), "2");
    assert_eq!(call(find("foreachi"), &[table.clone(), function(|_, _| none())]), "");
    assert_eq!(call(find("foreach"), &[table]), "error: #2 function expected, got no value");
}
