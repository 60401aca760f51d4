//! Encodings that nobody writes any more, and those of other servers, made by hand.

use super::model::{Loaded, Model, load};
use crate::value::ValueLimits;

/// The only key of a file of this version with this body.
fn only(version: &str, body: &[u8]) -> Loaded {
    let file = [b"REDIS", version.as_bytes(), body, &[255, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let mut loaded = load(&file, &ValueLimits::default()).unwrap_or_else(|error| panic!("{body:?}: {error}"));
    assert_eq!(loaded.len(), 1);
    loaded.remove(0)
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// `a`, `5`, `b`, `-1` in a ziplist of 22 bytes, with that length in front.
const ZIPLIST: &[u8] = b"\x16\x16\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf6\x02\x01b\x03\xfe\xff\xff";

#[test]
fn ziplists_are_read_as_every_type() {
    let body = |kind: u8| [&[kind, 1, b'k'][..], ZIPLIST].concat();
    assert_eq!(only("0007", &body(10)).model, Model::List(words(&["a", "5", "b", "-1"])));
    let pairs = [(b"a".to_vec(), b"5".to_vec()), (b"b".to_vec(), b"-1".to_vec())];
    assert_eq!(only("0007", &body(13)).model, Model::Hash(pairs.into()));
    let ordered = b"\x16\x16\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf6\x02\x01b\x03\xfe\x07\xff";
    let scores = [(b"a".to_vec(), 5f64.to_bits()), (b"b".to_vec(), 7f64.to_bits())];
    let sorted = only("0007", &[&[12, 1, b'k'][..], ordered].concat());
    assert_eq!((sorted.model, &sorted.encoding[..]), (Model::SortedSet(scores.into()), "Listpack"));
}

#[test]
fn a_quicklist_of_ziplists_keeps_its_nodes() {
    let list = only("0009", &[&[14, 1, b'k', 2][..], ZIPLIST, ZIPLIST].concat());
    assert_eq!(list.model, Model::List(words(&["a", "5", "b", "-1", "a", "5", "b", "-1"])));
    assert_eq!(list.encoding, "Quicklist of [4, 4]");
    let empty = b"\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff";
    let list = only("0009", &[&[14, 1, b'k', 2][..], empty, ZIPLIST].concat());
    assert_eq!((list.model, &list.encoding[..]), (Model::List(words(&["a", "5", "b", "-1"])), "Listpack of [4]"));
}

#[test]
fn a_quicklist_with_plain_nodes_is_read() {
    let listpack = b"\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff";
    let list = only("0010", &[&[18, 1, b'k', 3, 2][..], listpack, b"\x01\x03abc", &[2], listpack].concat());
    assert_eq!(list.model, Model::List(words(&["1", "2", "abc", "1", "2"])));
    assert_eq!(list.encoding, "Quicklist of [2, 1, 2]");
}

#[test]
fn a_zipmap_is_a_hash() {
    let hash = only("0003", b"\x09\x01k\x0f\x02\x03foo\x03\0bar\x01a\x00\0\xff");
    let pairs = [(b"foo".to_vec(), b"bar".to_vec()), (b"a".to_vec(), b"".to_vec())];
    assert_eq!((hash.model, &hash.encoding[..]), (Model::Hash(pairs.into()), "Listpack"));
}

#[test]
fn plain_collections_of_old_versions_are_read_into_their_present_form() {
    let list = only("0001", b"\x01\x01k\x03\x01a\xc0\x07\x01b");
    assert_eq!((list.model, &list.encoding[..]), (Model::List(words(&["a", "7", "b"])), "Listpack of [3]"));
    let set = only("0001", b"\x02\x01k\x02\xc0\x07\xc1\x10\x27");
    assert_eq!((set.model, &set.encoding[..]), (Model::Set(words(&["7", "10000"]).into_iter().collect()), "Intset"));
    let set = only("0001", b"\x02\x01k\x02\xc0\x07\x01x");
    assert_eq!((set.model, &set.encoding[..]), (Model::Set(words(&["7", "x"]).into_iter().collect()), "Listpack"));
    let sorted = only("0001", b"\x03\x01k\x03\x01a\x031.5\x01b\xff\x01c\xfe");
    let scores = [("a", 1.5), ("b", f64::NEG_INFINITY), ("c", f64::INFINITY)];
    let scores = scores.map(|(member, score)| (member.as_bytes().to_vec(), score.to_bits()));
    assert_eq!((sorted.model, &sorted.encoding[..]), (Model::SortedSet(scores.into()), "Listpack"));
}

#[test]
fn a_set_in_a_listpack_stays_strings() {
    let set = only("0011", b"\x14\x01k\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff");
    assert_eq!((set.model, &set.encoding[..]), (Model::Set(words(&["1", "2"]).into_iter().collect()), "Listpack"));
}

#[test]
fn what_is_said_of_a_key_is_said_of_that_key_only() {
    let body = b"\xfe\x02\xfb\x02\x01\xfd\x0a\0\0\0\xf8\x05\x00\x01a\x011\x00\x01b\x012\xfe\x00\xf9\x09\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01c\x013\xff\0\0\0\0\0\0\0\0";
    let loaded = load(&[b"REDIS0009", &body[..]].concat(), &ValueLimits::default()).expect("it is a file");
    let facts: Vec<_> = loaded.iter().map(|entry| (entry.database, entry.deadline, entry.usage)).collect();
    use super::super::Usage::{Frequency, Idle, Unknown};
    assert_eq!(facts, [(2, Some(10_000), Idle(5)), (2, None, Unknown), (0, Some(0), Frequency(9))]);
}

#[test]
fn what_is_beside_the_keys_is_skipped_or_shown() {
    let module = b"\xf7\x05\x02\x01\x01\x07\x02\x08\x03\0\0\0\0\x04\0\0\0\0\0\0\0\0\x05\x02hi\x00";
    let body = [&module[..], b"\xf4\x01\x02\x03", b"\xf5\x04code", b"\xfa\x03ver\xc0\x07", b"\x00\x01k\x01v"].concat();
    assert_eq!(only("0011", &body).model, Model::Text(b"v".to_vec()));
    let file = [b"REDIS0011", &body[..], &[255, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let mut reader =
        super::super::Reader::new(&file[..], ValueLimits::default(), super::model::basis()).expect("a head");
    let mut seen = Vec::new();
    while let Some(item) = reader.next().expect("it is a file") {
        match item {
            super::super::Item::Function(source) => seen.push(source.to_vec()),
            super::super::Item::Auxiliary { name, value } => seen.push([name, b"=", value].concat()),
            _ => {}
        }
    }
    assert_eq!(seen, [b"code".to_vec(), b"ver=7".to_vec()]);
}

#[test]
fn keys_without_elements_are_left_out_and_counted() {
    let body = b"\x04\x01e\x00\xfc\0\0\0\0\0\0\0\0\x12\x01f\x00\x00\x01k\x01v";
    assert_eq!(only("0010", body).deadline, None);
    let file = [b"REDIS0010", &body[..], &[255, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let mut reader =
        super::super::Reader::new(&file[..], ValueLimits::default(), super::model::basis()).expect("a head");
    while reader.next().expect("it is a file").is_some() {}
    assert_eq!((reader.empty_keys(), reader.version(), reader.offset()), (2, 10, file.len() as u64));
}

#[test]
fn what_follows_the_file_is_handed_on() {
    let file = b"REDIS0010\xff\0\0\0\0\0\0\0\0*1\r\n$4\r\nPING\r\n";
    let mut reader =
        super::super::Reader::new(&file[..], ValueLimits::default(), super::model::basis()).expect("a head");
    assert!(reader.next().expect("it is a file").is_none());
    let (rest, source) = reader.into_rest();
    assert_eq!([&rest, source].concat(), b"*1\r\n$4\r\nPING\r\n");
}
