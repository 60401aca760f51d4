//! Streams as plain collections, and what only they can have wrong.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::super::dump::{DumpError, Payload, dump, signed};
use super::model::{Model, basis};
use crate::value::stream::{Group, NodeLimits, Pending, Stream, StreamId};
use crate::value::{ValueLimits, ValueRef};

type Id = (u64, u64);
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
/// By entry when it was delivered, and how often.
type Deliveries = BTreeMap<Id, (i64, u64)>;

/// What a stream holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamModel {
    entries: BTreeMap<Id, Pairs>,
    last: Id,
    max_deleted: Id,
    added: u64,
    groups: BTreeMap<Vec<u8>, GroupModel>,
}

/// What a group holds: last id, entries read, and by name of the consumer when it was seen and what is pending.
#[derive(Clone, Debug, Default, PartialEq)]
struct GroupModel {
    last: Id,
    read: Option<u64>,
    consumers: BTreeMap<Vec<u8>, (i64, Deliveries)>,
}

fn plain(id: StreamId) -> Id {
    (id.ms, id.seq)
}

fn id((ms, seq): Id) -> StreamId {
    StreamId::new(ms, seq)
}

impl StreamModel {
    pub fn of(stream: &Stream) -> StreamModel {
        let list = &stream.entries;
        let text = |part: crate::value::stream::Part<'_>| part.with_bytes(<[u8]>::to_vec);
        let entries = list.from(StreamId::MIN);
        let groups = stream.groups().map(|(name, group)| {
            let consumers = group.consumers().map(|consumer| {
                let pending = consumer.pending().iter().map(|(id, ())| {
                    let known = group.pending().get(id).expect("what is pending for a consumer is in its group");
                    (plain(id), (known.delivered_ms, known.count))
                });
                (consumer.name.to_vec(), (consumer.seen_ms, pending.collect()))
            });
            let (last, read) = (plain(group.last_id), group.entries_read);
            (name.to_vec(), GroupModel { last, read, consumers: consumers.collect() })
        });
        StreamModel {
            entries: entries
                .map(|entry| (plain(entry.id), entry.pairs().map(|(f, v)| (text(f), text(v))).collect()))
                .collect(),
            last: plain(list.last_id),
            max_deleted: plain(list.max_deleted_id),
            added: list.entries_added,
            groups: groups.collect(),
        }
    }

    /// The stream, built by the usual calls.
    pub fn build(&self, limits: &NodeLimits) -> Stream {
        let mut stream = Stream::default();
        for (at, pairs) in &self.entries {
            let parts: Vec<&[u8]> = pairs.iter().flat_map(|(f, v)| [&f[..], v]).collect();
            stream.entries.append(id(*at), &parts, limits);
        }
        stream.entries.last_id = id(self.last);
        stream.entries.max_deleted_id = id(self.max_deleted);
        stream.entries.entries_added = self.added;
        for (name, model) in &self.groups {
            let mut group = Group::new(id(model.last), model.read);
            for (name, (seen, pending)) in &model.consumers {
                let consumer = group.create_consumer(name, *seen).expect("names differ");
                for (at, (delivered_ms, count)) in pending {
                    group.assign(id(*at), Pending { consumer, delivered_ms: *delivered_ms, count: *count });
                }
            }
            stream.create_group(name, group);
        }
        stream
    }
}

fn some_id() -> impl Strategy<Value = Id> {
    prop_oneof![6 => (0..50u64, 0..4u64), 1 => any::<Id>()]
}

fn group() -> impl Strategy<Value = GroupModel> {
    let pending = btree_map(some_id(), (0..3usize, any::<i64>(), 0..9u64), 0..12);
    let names = btree_set("[a-c]{0,2}", 1..3);
    let read = proptest::option::of(0..1u64 << 62);
    (some_id(), read, names, any::<i64>(), pending).prop_map(|(last, read, names, seen, pending)| {
        let mut group = GroupModel { last, read, consumers: BTreeMap::new() };
        let names: Vec<_> = names.into_iter().map(String::into_bytes).collect();
        names.iter().for_each(|name| _ = group.consumers.insert(name.clone(), (seen, BTreeMap::new())));
        for (id, (who, delivered, count)) in pending {
            let consumer = group.consumers.get_mut(&names[who % names.len()]).expect("it was put there");
            consumer.1.insert(id, (delivered, count));
        }
        group
    })
}

/// Any stream.
pub fn model() -> impl Strategy<Value = StreamModel> {
    let part = || prop_oneof!["[a-b]{0,3}", "-?[0-9]{1,12}", "[x]{60,70}"].prop_map(String::into_bytes);
    let pairs = vec((prop_oneof![4 => Just(b"name".to_vec()), 1 => part()], part()), 1..4);
    let entries = btree_map(some_id(), pairs, 0..40);
    let groups = btree_map("[a-z]{0,3}".prop_map(String::into_bytes), group(), 0..3);
    (entries, some_id(), any::<u64>(), groups).prop_map(|(entries, max_deleted, added, groups)| {
        let last = entries.keys().next_back().copied().unwrap_or((7, 7));
        StreamModel { entries, last, max_deleted, added, groups }
    })
}

fn restore(body: &[u8]) -> Result<StreamModel, DumpError> {
    Payload::read(&signed(body), ValueLimits::default(), basis()).map(|payload| {
        payload.hand_over(|value| match value.view() {
            ValueRef::Stream(stream) => StreamModel::of(stream),
            _ => panic!("it is a stream"),
        })
    })
}

/// A stream of two entries with a group, as a payload without its footer.
pub fn sample() -> (StreamModel, Vec<u8>) {
    let pair = |text: &str| vec![(b"f".to_vec(), text.as_bytes().to_vec())];
    let pending = |id| BTreeMap::from([(id, (55, 1))]);
    let consumers = BTreeMap::from([(b"ann".to_vec(), (5, pending((1, 1)))), (b"bob".to_vec(), (6, pending((1, 2))))]);
    let group = GroupModel { last: (1, 2), read: Some(2), consumers };
    let model = StreamModel {
        entries: BTreeMap::from([((1, 1), pair("x")), ((1, 2), pair("yy"))]),
        last: (1, 2),
        max_deleted: (0, 0),
        added: 2,
        groups: BTreeMap::from([(b"g".to_vec(), group)]),
    };
    let stream = model.build(&NodeLimits::default());
    let payload = dump(ValueRef::Stream(&stream), false);
    let body = payload[..payload.len() - 10].to_vec();
    (model, body)
}

#[test]
fn the_older_and_the_newer_layout_are_read() {
    let (model, body) = sample();
    assert_eq!(restore(&body), Ok(model.clone()));
    // Behind the last id stand the first, the highest deleted and the number of entries: seven bytes with the length.
    let ids = [2, 1, 2, 1, 1, 0, 0, 2, 1, 1, b'g'];
    let at = body.windows(ids.len()).position(|window| window == ids).expect("ids are lengths");
    let mut old = [&[15], &body[1..at + 3], &body[at + 8..]].concat();
    // And behind the group's last id the number of entries read.
    let read = old.windows(4).position(|window| window == [b'g', 1, 2, 2]).expect("a group's last id");
    old.remove(read + 3);
    assert_eq!(restore(&old), Ok(model.clone()));
    let mut new = [&[21], &body[1..]].concat();
    for name in [&b"ann"[..], b"bob"] {
        let at = new.windows(3).position(|window| window == name).expect("a consumer") + 3 + 8;
        new.splice(at..at, (-1i64).to_le_bytes());
    }
    assert_eq!(restore(&new), Ok(model));
}

#[test]
fn streams_that_contradict_themselves_are_refused() {
    let (_, body) = sample();
    let changed = |from: &[u8], to: &[u8]| {
        let at = body.windows(from.len()).rposition(|window| window == from).expect("it is in the payload");
        [&body[..at], to, &body[at + from.len()..]].concat()
    };
    let id = |seq: u64| StreamId::new(1, seq).to_bytes();
    for (what, damaged) in [
        ("a consumer's entry that its group lacks", changed(&id(2), &id(3))),
        ("an entry pending for two consumers", changed(&id(2), &id(1))),
        ("an entry pending for nobody", changed(&[&[1][..], &id(2)].concat(), &[0])),
        ("two consumers of one name", changed(b"bob", b"ann")),
        ("another number of entries", changed(&[2, 1, 2, 1, 1], &[3, 1, 2, 1, 1])),
        ("a last id in front of the last entry", changed(&[2, 1, 2, 1, 1], &[2, 1, 1, 1, 1])),
        ("a flag of deletion", changed(&[2, 1, 0, 1, 1, 1], &[3, 1, 0, 1, 1, 1])),
        ("entries out of order", changed(&[2, 1, 0, 1, 1, 1], &[2, 1, 0, 1, 0, 1])),
    ] {
        assert_eq!(restore(&damaged), Err(DumpError::Value), "{what}");
    }
    for end in 0..body.len() {
        assert_eq!(restore(&body[..end]), Err(DumpError::Value), "cut off at {end}");
    }
}

#[test]
fn claims_of_more_than_there_is_allocate_nothing() {
    let huge = [0x81, 0x10, 0, 0, 0, 0, 0, 0, 0];
    let (_, body) = sample();
    for at in 1..body.len() {
        let claimed = [&body[..at], &huge, &body[at + 1..]].concat();
        _ = restore(&claimed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nodes_of_any_size_come_back(model in model(), entries in 0..9usize, compresses: bool) {
        let stream = model.build(&NodeLimits { bytes: 0, entries });
        let payload = dump(ValueRef::Stream(&stream), compresses);
        prop_assert_eq!(restore(&payload[..payload.len() - 10]), Ok(model.clone()));
        let read = Payload::read(&payload, ValueLimits::default(), basis()).unwrap_or_else(|_| panic!("it was read"));
        let again = read.hand_over(|value| (Model::of(value.view()), dump(value.view(), compresses)));
        prop_assert_eq!(again, (Model::Stream(model), payload));
    }
}
