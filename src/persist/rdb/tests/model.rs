//! Values as plain collections, to be compared.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Auxiliary, Encoder, Item, RdbError, Reader, Usage, Writer};
use super::stream::StreamModel;
use crate::value::hash::{self, Hash, HashMut, HashTable};
use crate::value::list::{self, Deque, End, List, ListMut};
use crate::value::packed::Detached;
use crate::value::set::{self, Set, SetTable};
use crate::value::sorted_set::{self, SortedSet, Tree};
use crate::value::table::Basis;
use crate::value::{ValueLimits, ValueRef};

/// What a value holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    Text(Vec<u8>),
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    List(Vec<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    /// Scores by their bits, for infinities' and zeroes' sake.
    SortedSet(BTreeMap<Vec<u8>, u64>),
    Stream(StreamModel),
}

impl Model {
    pub fn of(value: ValueRef<'_>) -> Model {
        match value {
            ValueRef::Integer(n) => Model::Text(n.to_string().into_bytes()),
            ValueRef::Bytes(bytes) => Model::Text(bytes.to_vec()),
            ValueRef::Stream(stream) => Model::Stream(StreamModel::of(stream)),
            ValueRef::Hash(form) => {
                Model::Hash(Hash::new(form).iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect())
            }
            ValueRef::List(form) => Model::List(List::new(form).iter().map(<[u8]>::to_vec).collect()),
            ValueRef::Set(form) => Model::Set(Set::new(form).iter().map(|member| member.to_vec()).collect()),
            ValueRef::SortedSet(form) => {
                let set = SortedSet::new(form);
                let members: Vec<_> = set.iter().collect();
                assert!(members.windows(2).all(|pair| sorted_set::in_order(pair[0], pair[1])));
                assert!(members.iter().all(|(member, score)| set.score(member) == Some(*score)));
                Model::SortedSet(members.into_iter().map(|(m, score)| (m.to_vec(), (score + 0.0).to_bits())).collect())
            }
        }
    }

    /// Lets `use_it` see the model as a value that was built by the usual calls.
    pub fn with_value<R>(&self, limits: &ValueLimits, use_it: impl FnOnce(ValueRef<'_>) -> R) -> R {
        let basis = basis();
        match self {
            Model::Text(text) => match crate::base::number::parse_i64(text) {
                Some(n) => use_it(ValueRef::Integer(n)),
                None => use_it(ValueRef::Bytes(text)),
            },
            Model::Stream(model) => use_it(ValueRef::Stream(&model.build(&limits.stream))),
            Model::Hash(pairs) => {
                let mut home = Detached::<HashTable>::new(hash::EMPTY);
                for (field, value) in pairs {
                    HashMut::new(&mut home).insert(field, value, &limits.hash, &basis);
                }
                use_it(ValueRef::Hash(crate::value::packed::Home::form(&home)))
            }
            Model::List(values) => {
                let mut home = Detached::<Deque>::new(list::EMPTY);
                // In portions, so that a quicklist has several nodes.
                for values in values.chunks(3) {
                    ListMut::new(&mut home).push(End::Tail, values, &limits.list);
                }
                use_it(ValueRef::List(crate::value::packed::Home::form(&home)))
            }
            Model::Set(members) => {
                let home: Detached<SetTable> = set::collect(members, &limits.set, &basis);
                use_it(ValueRef::Set(crate::value::packed::Home::form(&home)))
            }
            Model::SortedSet(members) => {
                let scored = members.iter().map(|(member, bits)| (member, f64::from_bits(*bits)));
                let home: Detached<Tree> = sorted_set::collect(scored, &limits.sorted_set, &basis);
                use_it(ValueRef::SortedSet(crate::value::packed::Home::form(&home)))
            }
        }
    }
}

/// The encoding's name.
pub fn encoding(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Integer(_) => "int".into(),
        ValueRef::Bytes(_) => "bytes".into(),
        ValueRef::Stream(stream) => format!("{} nodes", stream.entries.node_count()),
        ValueRef::Hash(form) => format!("{:?}", Hash::new(form).encoding()),
        ValueRef::List(form) => {
            let list = List::new(form);
            format!("{:?} of {:?}", list.encoding(), list.node_lengths().collect::<Vec<_>>())
        }
        ValueRef::Set(form) => format!("{:?}", Set::new(form).encoding()),
        ValueRef::SortedSet(form) => format!("{:?}", SortedSet::new(form).encoding()),
    }
}

pub fn basis() -> Basis {
    Basis::new(7, 0)
}

/// One key of a file, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub database: usize,
    pub key: Vec<u8>,
    pub model: Model,
    pub encoding: String,
    pub deadline: Option<u64>,
    pub usage: Usage,
}

/// All keys of a file.
pub fn load(file: &[u8], limits: &ValueLimits) -> Result<Vec<Loaded>, RdbError> {
    let mut reader = Reader::new(file, *limits, basis())?;
    let mut loaded = Vec::new();
    while let Some(item) = reader.next()? {
        let Item::Entry(entry) = item else { continue };
        loaded.push(Loaded {
            database: entry.database,
            key: entry.key.to_vec(),
            model: Model::of(entry.value.view()),
            encoding: encoding(entry.value.view()),
            deadline: entry.deadline,
            usage: entry.usage,
        });
    }
    assert!(reader.next().is_ok_and(|item| item.is_none()), "the end stays the end");
    Ok(loaded)
}

pub const HEAD: Auxiliary<'_> = Auxiliary {
    redis_version: "7.2.4",
    created: 1_700_000_000,
    used_memory: 1 << 20,
    is_aof_base: false,
    has_field_deadlines: false,
};

/// A file of these keys.
pub fn save(entries: &[Loaded], limits: &ValueLimits, compresses: bool) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), true, HEAD).expect("a vector takes everything");
    let mut encoder = Encoder::new(compresses);
    for (index, entry) in entries.iter().enumerate() {
        if index == 0 || entries[index - 1].database != entry.database {
            writer.select(entry.database);
            writer.sizes(entries.len(), 1);
        }
        let write = |value: ValueRef<'_>| writer.entry(&mut encoder, &entry.key, value, entry.deadline, entry.usage);
        entry.model.with_value(limits, write).expect("a vector takes everything");
    }
    let announced = writer.written();
    let file = writer.finish().expect("a vector takes everything");
    assert_eq!(file.len() as u64, announced + 9);
    file
}
