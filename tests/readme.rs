//! The README's command table is the one that the rows of the commands make. Its code is a doctest (src/lib.rs).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

use std::fmt::Write as _;

use pipkin::command::spec::Group;
use pipkin::engine::registry::{Command, REGISTRY};

const START: &str = "<!-- commands -->\n";
const END: &str = "<!-- /commands -->\n";
/// Set to have the table written instead of compared.
const WRITE: &str = "PIPKIN_TEST_WRITE_README";

/// The groups in the table's order, with what the README calls them.
const GROUPS: [(Group, &str); 16] = [
    (Group::String, "Strings"),
    (Group::Bitmap, "Bitmaps"),
    (Group::Generic, "Keys and expiry"),
    (Group::Hash, "Hashes"),
    (Group::List, "Lists"),
    (Group::Set, "Sets"),
    (Group::SortedSet, "Sorted sets"),
    (Group::HyperLogLog, "HyperLogLog"),
    (Group::Geo, "Geo"),
    (Group::Stream, "Streams"),
    (Group::PubSub, "Pub/sub"),
    (Group::Transactions, "Transactions"),
    (Group::Scripting, "Scripting"),
    (Group::Connection, "Connection"),
    (Group::Server, "Server"),
    (Group::Cluster, "Cluster"),
];

#[test]
fn the_command_table_is_made_from_the_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = std::fs::read_to_string(path).expect("there is a README");
    let (before, rest) = text.split_once(START).expect("a line that opens the table");
    let (table, after) = rest.split_once(END).expect("a line that closes the table");
    let expected = command_table();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, [before, START, &expected, END, after].concat()).expect("the README can be written");
        return;
    }
    assert!(
        table == expected,
        "the README's command table is not what the rows make; write it anew with\n  \
         {WRITE}=1 cargo test --test readme\nIt must be:\n{expected}"
    );
}

#[test]
fn every_command_has_its_place_in_the_table() {
    let table = command_table();
    for command in &REGISTRY.all {
        let group = GROUPS.iter().find(|(group, _)| *group == command.group);
        let (_, title) = group.unwrap_or_else(|| panic!("the group of {command:?} is not in the table"));
        let line = table.lines().find(|line| line.starts_with(&format!("| {title} |"))).expect("a row of the group");
        // A subcommand stands behind its container, without the container's name.
        let name = command.full_name.rsplit('|').next().expect("a name").to_uppercase();
        let mut words = line.split(|c: char| c.is_whitespace() || "`(),".contains(c));
        assert!(words.any(|word| word == name), "{name} is not in: {line}");
    }
}

/// A row for each group that has commands.
fn command_table() -> String {
    let mut table = String::from("| Group | Commands |\n|---|---|\n");
    for (group, title) in GROUPS {
        let mut commands: Vec<&Command> =
            REGISTRY.top.iter().copied().filter(|command| command.group == group).collect();
        commands.sort_by_key(|command| &command.full_name);
        let names: Vec<String> = commands.into_iter().map(shown).collect();
        if !names.is_empty() {
            writeln!(table, "| {title} | {} |", names.join(", ")).expect("a string takes all");
        }
    }
    table
}

/// A command's name, with those of its subcommands in parentheses.
fn shown(command: &Command) -> String {
    let name = command.full_name.to_uppercase();
    if command.subcommands.is_empty() {
        return format!("`{name}`");
    }
    let mut names: Vec<String> =
        command.subcommands.iter().filter_map(|one| Some(one.full_name.split_once('|')?.1.to_uppercase())).collect();
    names.sort();
    format!("`{name}` ({})", names.join(", "))
}
