//! Rules that every row keeps, and the key search on well-formed and broken calls.

use std::collections::HashSet;

use proptest::prelude::*;

use super::keys::{InvalidKeys, are_provable, key_positions};
use super::*;
use crate::command;

/// Checks the rules of rows; the engine's rows pass through here too.
pub(crate) fn check_rows<H>(families: &[&[CommandSpec<H>]]) {
    let mut names = HashSet::new();
    for row in families.iter().copied().flatten() {
        assert!(names.insert(row.name), "{} is declared twice", row.name);
        check_row(row, 1);
        let mut own = HashSet::new();
        for sub in row.subcommands {
            assert!(own.insert(sub.name), "{} {} is declared twice", row.name, sub.name);
            assert!(sub.subcommands.is_empty() && sub.handler.is_some(), "{} {} is no leaf", row.name, sub.name);
            check_row(sub, 2);
        }
    }
}

fn check_row<H>(row: &CommandSpec<H>, words: usize) {
    let name = row.name;
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte)), "{name} is not lower-case");
    assert!(!row.summary.is_empty() && !row.summary.ends_with('.'), "{name}: a summary is one line without a stop");
    assert!(!row.complexity.is_empty(), "{name} has no complexity");
    assert!(row.handler.is_some() || !row.subcommands.is_empty(), "{name} has nothing to run");
    check_flags(row);
    check_arity(row, words);
    check_key_arguments(row, words);
    let versions = [Some(row.since), row.deprecated.map(|(version, _)| version)];
    for version in versions.into_iter().flatten().chain(row.history.iter().map(|(version, _)| *version)) {
        assert!(version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u8>().is_ok()), "{name}");
    }
    assert!(row.history.is_sorted_by_key(|(version, _)| *version), "{name}: history runs backwards");
}

fn check_flags<H>(row: &CommandSpec<H>) {
    let (name, flags, categories) = (row.name, row.flags, row.all_categories());
    assert!(!flags.has(Flags::MOVABLE_KEYS), "{name}: movablekeys is derived");
    assert!(!flags.has(Flags::WRITE | Flags::READONLY), "{name} cannot both write and only read");
    assert!(!flags.has(Flags::DENYOOM) || flags.has(Flags::WRITE) || row.group == Group::Transactions, "{name}");
    assert_ne!(categories.has(Categories::FAST), categories.has(Categories::SLOW), "{name} is either fast or slow");
    // What a script does to its keys, nobody can tell.
    let is_script = row.group == Group::Scripting;
    if !is_script {
        assert_eq!(categories.has(Categories::WRITE), flags.has(Flags::WRITE), "{name}");
        assert_eq!(categories.has(Categories::READ), flags.has(Flags::READONLY), "{name}");
    }
    if categories.has(Categories::ADMIN) {
        assert!(categories.has(Categories::DANGEROUS), "{name}");
    }
    if row.has_keys() && row.group != Group::Transactions && !is_script {
        assert!(flags.has(Flags::WRITE) || flags.has(Flags::READONLY), "{name} has keys but neither reads nor writes");
    }
    let changes = KeyFlags::OW | KeyFlags::RM | KeyFlags::UPDATE | KeyFlags::INSERT | KeyFlags::DELETE;
    for spec in row.keys.iter().filter(|spec| !spec.flags.has(KeyFlags::NOT_KEY)) {
        let access = [KeyFlags::RO, KeyFlags::RW, KeyFlags::OW, KeyFlags::RM];
        assert_eq!(
            access.iter().filter(|flag| spec.flags.has(**flag)).count(),
            1,
            "{name}: one kind of access per key"
        );
        let changed = KeyFlags(spec.flags.0 & changes.0);
        assert!(
            changed.is_empty() || flags.has(Flags::WRITE) || is_script,
            "{name} changes a key without being a write"
        );
    }
}

fn check_arity<H>(row: &CommandSpec<H>, words: usize) {
    if row.handler.is_none() {
        assert_eq!(row.arity, Arity::AtLeast(2), "{}: a container takes a subcommand", row.name);
        return;
    }
    let least = words + row.arguments.iter().map(Argument::minimum).sum::<usize>();
    match row.arity {
        Arity::Exactly(count) => {
            assert_eq!(count as usize, least, "arity of {}", row.name);
            assert!(!row.arguments.iter().any(|argument| argument.optional || argument.multiple), "{}", row.name);
        }
        Arity::AtLeast(count) => assert_eq!(count as usize, least, "arity of {}", row.name),
    }
}

/// Every key of the argument tree names a specification, every specification is named, and a key whose place is fixed
/// stands where its specification begins.
fn check_key_arguments<H>(row: &CommandSpec<H>, words: usize) {
    let mut named = HashSet::new();
    visit(row.arguments, &mut |argument| match (argument.kind, argument.key_spec) {
        (ArgumentKind::Key | ArgumentKind::Pattern, Some(spec)) => {
            assert!((spec as usize) < row.keys.len(), "{}: {} names no specification", row.name, argument.name);
            named.insert(spec as usize);
        }
        (ArgumentKind::Key, None) => panic!("{}: {} is a key nobody finds", row.name, argument.name),
        (_, spec) => assert_eq!(spec, None, "{}: {} is no key", row.name, argument.name),
    });
    let keys = row.keys.iter().filter(|spec| !spec.flags.has(KeyFlags::NOT_KEY));
    assert_eq!(named.len(), keys.count(), "{}: a specification without an argument", row.name);
    let mut place = words;
    for argument in row.arguments {
        if let Some(KeySpec { begin: BeginSearch::Index(index), find: FindKeys::Range { .. }, .. }) =
            argument.key_spec.map(|spec| &row.keys[spec as usize])
        {
            // Several keys of one range follow each other (LCS key1 key2).
            let begins = row.arguments.iter().filter(|other| other.key_spec == argument.key_spec).count() == 1;
            let fits = if begins { *index as usize == place } else { *index as usize <= place };
            assert!(fits, "{}: {} stands elsewhere", row.name, argument.name);
        }
        if argument.optional || argument.multiple {
            break;
        }
        place += argument.minimum();
    }
}

fn visit(arguments: &[Argument], see: &mut impl FnMut(&Argument)) {
    for argument in arguments {
        see(argument);
        visit(argument.kind.children().unwrap_or_default(), see);
    }
}

#[test]
fn rows_are_well_formed() {
    check_rows(command::FAMILIES);
}

#[test]
fn data_commands_either_read_or_write() {
    for row in command::FAMILIES.iter().copied().flatten().filter(|row| row.handler.is_some() && !row.internal) {
        assert_ne!(row.flags.has(Flags::WRITE), row.flags.has(Flags::READONLY), "{}", row.name);
    }
}

fn row(name: &str) -> &'static CommandSpec<command::Handler> {
    command::FAMILIES.iter().copied().flatten().find(|row| row.name == name).unwrap()
}

/// The keys of a call as `place:flags`, or the error.
fn keys_of(call: &str) -> Result<String, InvalidKeys> {
    let words: Vec<&str> = call.split(' ').collect();
    let positions = key_positions(row(words[0]).keys, &words)?;
    let shown =
        positions.iter().map(|(place, flags)| format!("{place}:{}", flags.names().collect::<Vec<_>>().join("+")));
    Ok(shown.collect::<Vec<_>>().join(" "))
}

#[test]
fn keys_are_found_where_the_call_has_them() {
    for (call, expected) in [
        ("get a", "1:RO+access"),
        ("rename a b", "1:RW+access+delete 2:OW+update"),
        ("mset a 1 b 2", "1:OW+update 3:OW+update"),
        ("mset a 1 b", "1:OW+update 3:OW+update"),
        ("del a b c", "1:RM+delete 2:RM+delete 3:RM+delete"),
        ("sinterstore d a b", "1:OW+update 2:RO+access 3:RO+access"),
        ("zunion 2 a b WITHSCORES", "2:RO+access 3:RO+access"),
        ("zunion 2x a b", "2:RO+access 3:RO+access"),
        ("zunionstore d 1 a", "1:OW+update 3:RO+access"),
        ("set a b", "1:OW+update"),
        ("set a b nx gEt", "1:RW+access+update"),
        ("set get get", "1:OW+update"),
        ("keys *", ""),
    ] {
        assert_eq!(keys_of(call).as_deref(), Ok(expected), "{call}");
    }
}

#[test]
fn a_call_that_contradicts_its_keys_is_invalid() {
    for call in [
        "get",
        "rename a",
        "zunion",
        "zunion 0 a",
        "zunion -1 a",
        "zunion 3 a b",
        "zunion x a b",
        "zunion 18446744073709551615 a",
        "zunion 99999999999999999999999 a",
        "zunionstore d",
        "lmpop 1",
    ] {
        assert_eq!(keys_of(call), Err(InvalidKeys), "{call}");
    }
}

#[test]
fn a_keyword_is_searched_from_either_side() {
    let spec = |from| KeySpec {
        begin: BeginSearch::Keyword("STREAMS", from),
        find: FindKeys::Range { last: -1, step: 1, limit: 2 },
        ..KeySpec::first(key_flags!(RO))
    };
    let places = |from, call: &str| {
        let words: Vec<&str> = call.split(' ').collect();
        key_positions(&[spec(from)], &words).map(|found| found.iter().map(|(place, _)| *place).collect::<Vec<_>>())
    };
    assert_eq!(places(1, "xread count 2 streams a b 1 2"), Ok(vec![4, 5]));
    assert_eq!(places(-2, "xread x streams streams a 1"), Ok(vec![4]));
    assert_eq!(places(1, "xread count 2"), Ok(vec![]));
    assert_eq!(places(1, "xread streams"), Ok(vec![]));
}

#[test]
fn what_the_arguments_prove() {
    let provable = |call: &str| {
        let words: Vec<&str> = call.split(' ').collect();
        are_provable(row(words[0]).keys, &words)
    };
    assert!(provable("get a") && provable("zunion 2 a b") && provable("georadius a 1 1 1 m STORE b STOREDIST c"));
    assert!(!provable("georadius a 1 1 1 m STORE b store c"), "the last one counts");
}

#[test]
fn ranges_join_into_the_triple_of_command_info() {
    let triple = |name| {
        let SimpleKeys { first, last, step } = row(name).legacy_keys();
        (first, last, step)
    };
    assert_eq!(triple("get"), (1, 1, 1));
    assert_eq!(triple("mset"), (1, -1, 2));
    assert_eq!(triple("rename"), (1, 2, 1));
    assert_eq!(triple("sinterstore"), (1, -1, 1));
    assert_eq!(triple("zunionstore"), (1, 1, 1));
    assert_eq!(triple("zunion"), (0, 0, 0));
    assert_eq!(triple("scan"), (0, 0, 0));
    assert_eq!(row("zunionstore").simple_keys(), None);
    assert!(row("zunionstore").all_flags().has(Flags::MOVABLE_KEYS));
    assert!(!row("sinterstore").all_flags().has(Flags::MOVABLE_KEYS));
}

#[test]
fn the_triple_finds_what_the_search_finds() {
    for row in command::FAMILIES.iter().copied().flatten() {
        let Some(simple) = row.simple_keys() else { continue };
        let least = row.arity.signed().unsigned_abs() as usize;
        let most = if row.arity.signed() < 0 { least + 3 } else { least };
        for argc in least..=most {
            let Ok(searched) = key_positions(row.keys, &vec![b"a"; argc]) else {
                assert_eq!(
                    (row.name, argc),
                    ("pfmerge", 2),
                    "only PFMERGE may come without the keys of a specification"
                );
                continue;
            };
            let searched: Vec<usize> = searched.iter().map(|(place, _)| *place as usize).collect();
            let simple: Vec<usize> = simple.positions(argc).collect();
            assert_eq!(simple, searched, "{} of {argc}", row.name);
        }
    }
}

proptest! {
    #[test]
    fn the_search_never_leaves_the_arguments(
        words in proptest::collection::vec("[0-9x]{0,20}|-?[0-9]{1,3}", 1..8),
        command in 0usize..1000,
    ) {
        let rows: Vec<_> = command::FAMILIES.iter().copied().flatten().collect();
        let row = rows[command % rows.len()];
        if let Ok(positions) = key_positions(row.keys, &words) {
            prop_assert!(positions.iter().all(|(place, _)| (1..words.len()).contains(&(*place as usize))));
        }
        if let Some(simple) = row.simple_keys() {
            prop_assert!(simple.positions(words.len()).all(|place| (1..words.len()).contains(&place)));
        }
    }
}
