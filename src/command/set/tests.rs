//! What the differential test cannot see of the set commands: effects, random choice, and the algebra of many sets.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use crate::command::testing::Bench;

fn add(bench: &Bench, key: &str, members: impl IntoIterator<Item = String>) {
    let command: Vec<String> = ["SADD".into(), key.into()].into_iter().chain(members).collect();
    if command.len() > 2 {
        bench.run(&command);
    }
}

#[test]
fn distinct_members_are_distinct_and_of_the_set() {
    let forms: [(&str, usize); 4] = [("", 100), ("", 2_000), ("m", 100), ("m", 2_000)];
    for (prefix, members) in forms {
        let bench = Bench::new(1);
        add(&bench, "s", (0..members).map(|i| format!("{prefix}{i}")));
        for count in [1, 10, 700, 1_999, 5_000] {
            let drawn = bench.bulks(&["SRANDMEMBER", "s", &count.to_string()]);
            assert_eq!(drawn.len(), count.min(members));
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
            assert!(drawn.iter().all(|member| bench.text(&format!("SISMEMBER s {member}")) == ":1\r\n"));
        }
        assert_eq!(bench.bulks(&["SRANDMEMBER", "s", "-300"]).len(), 300);
    }
}

#[test]
fn what_spop_takes_is_logged_as_removed() {
    for (members, count) in [(10, 3), (10, 9), (3_000, 5), (3_000, 2_100), (3_000, 2_990)] {
        let bench = Bench::new(2);
        let all: BTreeSet<String> = (0..members).map(|i| format!("m{i}")).collect();
        add(&bench, "s", all.iter().cloned());
        let (_, logged) = bench.run(&["SPOP", "s", &count.to_string()]);
        let stay = bench.bulks(&["SMEMBERS", "s"]).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(stay.len(), members - count);
        let mut removed = BTreeSet::new();
        for (database, command) in logged {
            assert_eq!((database, &command[0][..], &command[1][..]), (0, &b"SREM"[..], &b"s"[..]));
            removed.extend(command[2..].iter().map(|member| String::from_utf8_lossy(member).into_owned()));
        }
        assert!(removed.is_disjoint(&stay));
        assert_eq!(removed.union(&stay).cloned().collect::<BTreeSet<_>>(), all);
    }
}

#[test]
fn popping_everything_is_logged_as_a_removed_key() {
    let bench = Bench::new(3);
    add(&bench, "s", ["a".into(), "b".into()]);
    let (reply, logged) = bench.run(&["SPOP", "s", "2"]);
    assert_eq!(reply.len(), b"*2\r\n$1\r\na\r\n$1\r\nb\r\n".len());
    assert_eq!(logged, [(0, vec![b"DEL".to_vec(), b"s".to_vec()])]);
    assert_eq!(bench.text("EXISTS s"), ":0\r\n");
}

#[test]
fn counts_beyond_bounds_are_errors() {
    let bench = Bench::new(4);
    add(&bench, "s", ["a".into()]);
    assert_eq!(bench.text("SRANDMEMBER s -9223372036854775807"), "-ERR value is out of range\r\n");
    assert_eq!(bench.text("SRANDMEMBER s 9223372036854775807"), "*1\r\n$1\r\na\r\n");
    assert_eq!(bench.text("SPOP s -1"), "-ERR value is out of range, must be positive\r\n");
    assert_eq!(bench.text("SINTERCARD 9223372036854775807 s"), {
        "-ERR Number of keys can't be greater than number of args\r\n"
    });
}

/// Members of one set, few enough that sets meet, of a size that makes each form.
fn members() -> impl Strategy<Value = BTreeSet<String>> {
    prop_oneof![
        proptest::collection::btree_set((0u16..60).prop_map(|v| v.to_string()), 0..40),
        proptest::collection::btree_set((0u16..60).prop_map(|v| format!("m{}", v / 2)), 0..40),
        (0u16..200, 0u16..300).prop_map(|(from, len)| (from..from + len).map(|v| v.to_string()).collect()),
        (0u16..9, 130u16..200).prop_map(|(from, len)| (from..from + len).map(|v| format!("m{v}")).collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn the_algebra_is_that_of_sets(sets in proptest::collection::vec(members(), 1..9)) {
        let bench = Bench::new(5);
        let names: Vec<String> = (0..sets.len()).map(|index| format!("s{index}")).collect();
        for (name, members) in names.iter().zip(&sets) {
            add(&bench, name, members.iter().cloned());
        }
        let mut expected = [sets[0].clone(), sets[0].clone(), sets[0].clone()];
        for set in &sets[1..] {
            expected[0].retain(|member| set.contains(member));
            expected[1].extend(set.iter().cloned());
            expected[2].retain(|member| !set.contains(member));
        }
        for (operation, expected) in ["SINTER", "SUNION", "SDIFF"].into_iter().zip(expected) {
            let command = |head: &[&str]| -> Vec<String> {
                head.iter().map(|word| word.to_string()).chain(names.iter().cloned()).collect()
            };
            let expected: Vec<String> = expected.into_iter().collect();
            prop_assert_eq!(&bench.bulks(&command(&[operation])), &expected);
            let stored = bench.run(&command(&[&format!("{operation}STORE"), "result"])).0;
            prop_assert_eq!(stored, format!(":{}\r\n", expected.len()).into_bytes());
            prop_assert_eq!(&bench.bulks(&["SMEMBERS", "result"]), &expected);
        }
    }
}
