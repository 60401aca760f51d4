//! Records keep key, deadline and value through every edit and change of form.
use super::*;
use crate::value::packed::Form as Packing;

fn text(record: &Record) -> Vec<u8> {
    match record.string() {
        Some(StringRef::Integer(n)) => n.to_string().into_bytes(),
        Some(StringRef::Bytes(bytes)) => bytes.to_vec(),
        None => panic!("no string"),
    }
}

#[test]
fn integers_take_as_many_bytes_as_they_need() {
    for n in [0, 1, -1, 127, 128, -128, -129, 32_767, 32_768, 1 << 31, i64::MAX, i64::MIN] {
        let record = Record::new(b"key", NewValue::Integer(n), None);
        assert!(matches!(record.string(), Some(StringRef::Integer(m)) if m == n), "{n}");
        assert_eq!(record.key(), b"key");
    }
}

#[test]
fn a_record_survives_every_change_of_form() {
    for key_len in [0, 1, 127, 128, 20_000] {
        let key = vec![b'k'; key_len];
        let mut record = Record::new(&key, NewValue::Bytes(b"value"), Some(1_700_000_000_123));
        let long = vec![b'x'; EMBEDDED_STRING_BYTES_MAX + 1];
        let values: [NewValue<'_>; 6] = [
            NewValue::Bytes(&long),
            NewValue::Integer(7),
            NewValue::List(Packing::Packed(b"\0\0")),
            NewValue::Bytes(&long),
            NewValue::Edited(b"short"),
            NewValue::Bytes(b""),
        ];
        for value in values {
            record.replace_value(value);
            assert_eq!(record.key(), key);
            assert_eq!(record.deadline(), Some(1_700_000_000_123));
        }
        assert_eq!(text(&record), b"");
        record.set_deadline(None);
        assert_eq!((record.key(), record.deadline()), (&key[..], None));
        record.set_deadline(Some(5));
        assert_eq!((record.key(), record.deadline()), (&key[..], Some(5)));
        for deadline in [i64::MAX as u64, 1 << 48, (1 << 48) - 1, 5] {
            record.set_deadline(Some(deadline));
            assert_eq!((record.key(), record.deadline()), (&key[..], Some(deadline)));
        }
        let renamed = record.clone().renamed(b"other");
        assert_eq!((renamed.key(), renamed.deadline()), (&b"other"[..], Some(5)));
    }
}

#[test]
fn big_strings_grow_in_place_and_clones_keep_their_own() {
    let mut record = Record::new(b"k", NewValue::Bytes(&[b'a'; 5000]), None);
    let snapshot = record.clone();
    record.write_string(6000, b"end");
    assert_eq!(text(&record).len(), 6000);
    assert!(text(&record).ends_with(b"end"));
    assert_eq!(text(&snapshot), vec![b'a'; 5000]);
    let renamed = record.renamed(b"other");
    assert_eq!(text(&renamed).len(), 6000);
    assert!(renamed.edited());
}

#[test]
fn a_session_record_fits_its_class() {
    let record = Record::new(&[b'k'; 21], NewValue::Bytes(&[b'v'; 64]), Some(1_700_000_000_000));
    assert_eq!(record.heap_bytes(), 96);
    assert_eq!(Record::new(&[b'k'; 10], NewValue::Bytes(&[b'v'; 16]), None).heap_bytes(), 32);
    assert_eq!(Record::new(b"cnt:00000000", NewValue::Integer(999_999), None).heap_bytes(), 24);
}
