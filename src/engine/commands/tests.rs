//! The engine's rows keep the rules of all rows, and no name is declared on two floors.

use std::collections::HashSet;

use crate::command;
use crate::command::spec::tests::check_rows;

#[test]
fn rows_are_well_formed() {
    check_rows(super::FAMILIES);
}

#[test]
fn no_command_is_declared_on_two_floors() {
    let data: HashSet<_> = command::FAMILIES.iter().copied().flatten().map(|row| row.name).collect();
    for row in super::FAMILIES.iter().copied().flatten() {
        assert!(!data.contains(row.name), "{} is declared twice", row.name);
    }
}
