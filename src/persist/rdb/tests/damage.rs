//! Damage of every kind: cut off, flipped, and claims that nothing could hold.

use std::collections::BTreeMap;

use super::super::dump::{DumpError, Payload, signed};
use super::super::{RdbError, Usage};
use super::model::{HEAD, Loaded, Model, basis, load, save};
use crate::base::clock::Clock;
use crate::base::crc64::crc64;
use crate::persist::rdb::Writer;
use crate::value::ValueLimits;

/// A small file with every type, packed and big.
fn sample() -> Vec<u8> {
    let word = |n: i64| format!("word {n}").into_bytes();
    let number = |n: i64| (n * n * n).to_string().into_bytes();
    let pairs = |count: i64| (0..count).map(|n| (word(n), number(n))).collect();
    let scores = |count: i64| (0..count).map(|n| (word(n), (n as f64 / 3.0).to_bits())).collect();
    let models = [
        Model::Text(b"a text that is compressed, compressed, compressed, compressed".to_vec()),
        Model::Text(b"-70000".to_vec()),
        Model::Hash(pairs(3)),
        Model::Hash([(word(1), vec![b'v'; 70])].into()),
        Model::List((0..5).map(word).collect()),
        Model::List((0..4).map(|n| vec![b'a' + n; 4000]).collect()),
        Model::Set((0..5).map(number).collect()),
        Model::Set((0..5).map(word).collect()),
        Model::SortedSet(scores(4)),
        Model::SortedSet(BTreeMap::from([(vec![b'm'; 70], 1.5f64.to_bits()), (word(2), f64::INFINITY.to_bits())])),
        Model::Stream(super::stream::sample().0),
    ];
    let entries: Vec<Loaded> = models
        .into_iter()
        .enumerate()
        .map(|(index, model)| Loaded {
            database: index / 5,
            key: word(index as i64),
            model,
            encoding: String::new(),
            deadline: (index % 3 == 0).then_some(1 << 41),
            usage: if index % 2 == 0 { Usage::Idle(300) } else { Usage::Frequency(7) },
        })
        .collect();
    save(&entries, &ValueLimits::default(), true)
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let file = sample();
    assert!(load(&file, &ValueLimits::default()).is_ok());
    for end in 0..file.len() {
        match load(&file[..end], &ValueLimits::default()) {
            Err(RdbError::Truncated { offset }) => assert_eq!(offset, end as u64),
            other => panic!("cut off at {end}: {other:?}"),
        }
    }
}

#[test]
fn a_file_with_any_flipped_bit_is_refused() {
    let file = sample();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            let error = load(&damaged, &ValueLimits::default()).expect_err("no flipped bit is missed");
            assert!(error.offset() <= file.len() as u64, "{error}");
        }
    }
}

#[test]
fn damage_with_a_right_checksum_is_an_error_or_another_value() {
    let file = sample();
    let body = file.len() - 8;
    for at in 0..body {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            let sum = crc64(&damaged[..body]);
            damaged[body..].copy_from_slice(&sum.to_le_bytes());
            // Reading checks what it builds; a panic would fail the test.
            _ = load(&damaged, &ValueLimits::default());
        }
    }
}

fn restore(body: &[u8]) -> Result<Model, DumpError> {
    let read = Payload::read(&signed(body), ValueLimits::default(), basis());
    read.map(|payload| payload.hand_over(|value| Model::of(value.view())))
}

/// A string with a short length in front.
fn short(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 64);
    [&[bytes.len() as u8], bytes].concat()
}

/// A listpack of short strings.
fn listpack(values: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    super::super::listpack::begin(&mut out);
    values.iter().for_each(|value| super::super::listpack::put(value.as_bytes(), &mut out));
    super::super::listpack::end(&mut out, values.len());
    out
}

#[test]
fn values_that_contradict_themselves_are_refused() {
    let blob = |kind: u8, values: &[&str]| [&[kind][..], &short(&listpack(values))].concat();
    let intset = |width: u8, values: &[u8]| {
        let count = (values.len() / usize::from(width)) as u8;
        [&[11][..], &short(&[&[width, 0, 0, 0, count, 0, 0, 0][..], values].concat())].concat()
    };
    assert!(restore(&blob(16, &["f", "1", "g", "2"])).is_ok());
    assert!(restore(&blob(17, &["a", "1", "b", "1", "c", "2.5"])).is_ok());
    assert!(restore(&blob(20, &["a", "1"])).is_ok());
    assert!(restore(&intset(2, &[1, 0, 2, 0])).is_ok());
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("an odd hash", blob(16, &["f", "1", "g"])),
        ("a field twice", blob(16, &["f", "1", "f", "2"])),
        ("a member twice", blob(20, &["a", "a"])),
        ("an odd sorted set", blob(17, &["a", "1", "b"])),
        ("scores out of order", blob(17, &["a", "2", "b", "1"])),
        ("members out of order", blob(17, &["b", "1", "a", "1"])),
        ("the same member twice in a row", blob(17, &["a", "1", "a", "1"])),
        ("a member twice with other scores", blob(17, &["a", "1", "b", "2", "a", "3"])),
        ("a score that is no number", blob(17, &["a", "nan"])),
        ("a score that is a word", blob(17, &["a", "much"])),
        ("integers out of order", intset(2, &[2, 0, 1, 0])),
        ("an integer twice", intset(2, &[1, 0, 1, 0])),
        ("integers of three bytes", intset(3, &[1, 0, 0])),
        ("an intset of another length", [&[11][..], &short(&[2, 0, 0, 0, 9, 0, 0, 0, 1, 0])].concat()),
        ("a field twice, plain", [&[4, 2][..], b"\x01f\x011\x01f\x012"].concat()),
        ("a member twice, plain", [&[2, 2][..], b"\x01a\x01a"].concat()),
        ("a binary score that is no number", [&[5, 1][..], b"\x01a", &f64::NAN.to_le_bytes()].concat()),
        ("a member twice, binary", [&[5, 2][..], b"\x01a", &[0; 8], b"\x01a", &[0; 8]].concat()),
        ("an old score that is no number", [&[3, 1][..], b"\x01a", &[253]].concat()),
        ("a hash without fields", vec![4, 0]),
        ("a list without values", vec![18, 0]),
        ("a list of an empty node", [&[18, 1, 2][..], &short(&listpack(&[]))].concat()),
        ("a node of an unknown kind", [&[18, 1, 3][..], &short(&listpack(&["a"]))].concat()),
        ("something behind the value", b"\x00\x01ab".to_vec()),
        ("no type", vec![]),
        ("an unknown type", vec![26, 0]),
        ("a module", vec![7, 0]),
        ("a hash with deadlines", vec![24, 0]),
    ];
    for (what, body) in bad {
        assert_eq!(restore(&body), Err(DumpError::Value), "{what}");
    }
    assert_eq!(Payload::read(b"", ValueLimits::default(), basis()).err(), Some(DumpError::Footer));
    let mut other_version = signed(b"\x00\x01a");
    other_version[3] = 99;
    assert_eq!(Payload::read(&other_version, ValueLimits::default(), basis()).err(), Some(DumpError::Footer));
}

#[test]
fn claims_are_not_believed() {
    let huge = [0x81, 0x10, 0, 0, 0, 0, 0, 0, 0];
    for kind in [1, 2, 3, 4, 5, 14, 18] {
        assert_eq!(restore(&[&[kind][..], &huge].concat()), Err(DumpError::Value), "type {kind}");
        assert_eq!(restore(&[&[kind][..], &huge, b"\x01a\x01b"].concat()), Err(DumpError::Value), "type {kind}");
    }
    assert_eq!(restore(&[&[0][..], &huge].concat()), Err(DumpError::Value));
    // Compressed: a length that LZF cannot reach.
    assert_eq!(restore(&[&[0, 0xc3, 2, 0x80, 0x1f, 0, 0, 0][..], &[0, b'a']].concat()), Err(DumpError::Value));
    let mut other = [0x81; 9];
    other[1..].fill(0xff);
    assert_eq!(restore(&[&[4][..], &other].concat()), Err(DumpError::Value));
}

#[test]
fn wrong_heads_and_wrong_items_are_refused_by_name() {
    let error = |file: &[u8]| load(file, &ValueLimits::default()).map(drop).expect_err("it is refused").to_string();
    assert!(error(b"NOTANRDBFILE").contains("offset 0"));
    assert!(error(b"REDIS00x1\xff").contains("offset 0"));
    assert!(error(b"REDIS0013\xff........").contains("version 13"));
    assert!(error(b"VALKEY079\xff........").contains("version 79"));
    assert!(error(b"VALKEY080\xff\x01\0\0\0\0\0\0\0").contains("checksum"));
    assert!(error(b"REDIS0010\xe0").contains("offset 9"));
    assert!(error(b"REDIS0010\x07\x01k").contains("module"));
    let late = b"REDIS0012\x18\x01k\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x02\x01f\x01v";
    assert!(error(late).contains("deadline of a field"));
    let pair = b"REDIS0012\x19\x01k\0\0\0\0\0\0\0\0\x0d\x0d\0\0\0\x02\0\x81f\x02\x81v\x02\xff";
    assert!(error(pair).contains("no place for its deadline"));
    let negative = b"VALKEY080\x16\x01k\x01\x01f\x01v\xfe\xff\xff\xff\xff\xff\xff\xff";
    assert!(error(negative).contains("deadline of a field"));
    assert!(error(b"REDIS0010\x08\x01k").contains("offset 9"));
    assert!(load(b"REDIS0010\xff\0\0\0\0\0\0\0\0", &ValueLimits::default()).is_ok_and(|all| all.is_empty()));
    assert!(load(b"REDIS0004\xff", &ValueLimits::default()).is_ok_and(|all| all.is_empty()));
    assert!(load(b"VALKEY080\xff\0\0\0\0\0\0\0\0", &ValueLimits::default()).is_ok_and(|all| all.is_empty()));
}

#[test]
fn a_file_without_a_checksum_is_accepted_and_one_with_a_wrong_one_if_asked() {
    let mut writer = Writer::new(Vec::new(), false, HEAD).expect("a vector takes everything");
    writer.append(b"\x00\x01k\x01v").expect("a vector takes everything");
    let mut file = writer.finish().expect("a vector takes everything");
    assert_eq!(load(&file, &ValueLimits::default()).map(|all| all.len()).ok(), Some(1));
    *file.last_mut().expect("it has bytes") = 1;
    assert!(load(&file, &ValueLimits::default()).is_err());
    let reader = super::super::Reader::new(&file[..], ValueLimits::default(), basis());
    let mut reader = reader.expect("the head is right").without_checksum();
    while reader.next().expect("the checksum is not looked at").is_some() {}
}

/// Runs `fuzz` on mutations of a sample for a moment: what the fuzz target does at length.
#[test]
fn mutated_files_never_panic() {
    let samples = [sample(), [&[16][..], &short(&listpack(&["f", "1", "g", "2"]))].concat()];
    let mut random = 0x1234_5678_9abc_def1u64;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let clock = Clock::system();
    let end_ms = clock.now_ms() + 20_000;
    for round in 0..6_000 {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..=draw(4) {
            let at = draw(bytes.len());
            match draw(5) {
                0 => bytes[at] = draw(256) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, draw(256) as u8),
                3 => {
                    let piece = bytes[at..bytes.len().min(at + draw(30))].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes[at] ^= 1 << draw(8),
            }
        }
        crate::persist::rdb::fuzz(&bytes);
        assert!(clock.now_ms() < end_ms, "6,000 small files take seconds at the most");
    }
}
