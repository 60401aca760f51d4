//! Sorted lists, orders that contradict themselves, and values that have no order.

use proptest::prelude::*;

use super::super::testing::{TestHost, function, list, show, show_error};
use super::*;
use crate::engine::script::value::one;

fn sorted(value: &Value, order: Option<&Value>) -> String {
    let Value::Table(table) = value else { return "no table".into() };
    match sort(&mut TestHost::default(), table, order) {
        Ok(()) => show(value, 0),
        Err(error) => show_error(&error),
    }
}

fn numbers(numbers: &[f64]) -> Value {
    list(numbers.iter().copied().map(Value::Number))
}

#[test]
fn lists_are_sorted() {
    assert_eq!(sorted(&numbers(&[3.0, 1.0, 2.0]), None), "{1=1,2=2,3=3}");
    assert_eq!(sorted(&numbers(&[]), None), "{}");
    let greater = function(|_, values| one(values[0].as_number() > values[1].as_number()));
    assert_eq!(sorted(&numbers(&[3.0, 1.0, 2.0, 5.0]), Some(&greater)), "{1=5,2=3,3=2,4=1}");
    let texts = list(["b", "a", "B", ""].map(Value::text));
    assert_eq!(sorted(&texts, None), "{1='',2='B',3='a',4='b'}");
}

#[test]
fn what_has_no_order_is_an_error() {
    let mixed = list([Value::Number(3.0), Value::Number(1.0), Value::text("x")]);
    assert_eq!(sorted(&mixed, None), "raised: 'attempt to compare string with number'");
    let tables = list([list([]), list([])]);
    assert_eq!(sorted(&tables, None), "raised: 'attempt to compare two table values'");
    let always = function(|_, _| one(true));
    let error = "error: invalid order function for sorting";
    assert_eq!(sorted(&numbers(&[3.0, 1.0, 2.0, 5.0, 4.0]), Some(&always)), error);
    // The index runs one beyond the list before that is noticed.
    let mut calls = 0;
    let counting = function(move |_, values| {
        calls += 1;
        if values[0].is_nil() || values[1].is_nil() {
            return Err(ScriptError::message(format!("nil {calls}")));
        }
        one(true)
    });
    let twenty: Vec<f64> = (1..=20).map(|i| f64::from(i % 5)).collect();
    assert_eq!(sorted(&numbers(&twenty), Some(&counting)), "error: nil 22");
}

proptest! {
    #[test]
    fn the_result_is_that_of_the_standard_sort(mut list in proptest::collection::vec(-50i32..50, 0..200)) {
        let value = numbers(&list.iter().map(|number| f64::from(*number)).collect::<Vec<_>>());
        let shown = sorted(&value, None);
        list.sort_unstable();
        prop_assert_eq!(shown, show(&numbers(&list.iter().map(|n| f64::from(*n)).collect::<Vec<_>>()), 0));
    }

    #[test]
    fn an_order_by_chance_ends(mut bits in any::<u64>(), length in 0usize..100) {
        let order = function(move |_, _| {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            one(bits >> 63 == 1)
        });
        let _ = sorted(&numbers(&vec![1.0; length]), Some(&order));
    }
}
