//! Both forms of the sorted set against the standard collections.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;

const LIMITS: PackedLimits = PackedLimits { entries: 128, value_bytes: 64 };

fn basis() -> Basis {
    Basis::new(3, 0)
}

/// A score that sorts as the number it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score(f64);
impl Eq for Score {}
impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap()
    }
}
impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Clone, Default)]
struct Model {
    scores: HashMap<Vec<u8>, f64>,
    order: BTreeSet<(Score, Vec<u8>)>,
}

impl Model {
    fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let old = self.remove(member);
        self.scores.insert(member.to_vec(), score);
        self.order.insert((Score(score), member.to_vec()));
        old
    }
    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let old = self.scores.remove(member)?;
        self.order.remove(&(Score(old), member.to_vec()));
        Some(old)
    }
    fn list(&self) -> Vec<(Vec<u8>, f64)> {
        self.order.iter().map(|(score, member)| (member.clone(), score.0)).collect()
    }
}

fn owned<'a>(iter: impl Iterator<Item = (&'a [u8], f64)>) -> Vec<(Vec<u8>, f64)> {
    iter.map(|(member, score)| (member.to_vec(), score)).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u16, i8),
    InsertMany(u16, u16, i8),
    Remove(u16),
    RemoveRanks(u16, u16),
    PopMin(u8),
    PopMax(u8),
    Snapshot,
}

/// Miri takes a thousand times as long.
const STEPS_MAX: usize = if cfg!(miri) { 12 } else { 120 };
const MANY_MAX: u16 = if cfg!(miri) { 150 } else { 600 };

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0u16..400, any::<i8>()).prop_map(|(member, score)| Step::Insert(member, score)),
        1 => (0u16..4000, 0u16..MANY_MAX, any::<i8>()).prop_map(|(from, count, score)| Step::InsertMany(from, count, score)),
        4 => (0u16..400).prop_map(Step::Remove),
        1 => (any::<u16>(), 0u16..200).prop_map(|(from, count)| Step::RemoveRanks(from, count)),
        1 => (0u8..4).prop_map(Step::PopMin),
        1 => (0u8..4).prop_map(Step::PopMax),
        1 => Just(Step::Snapshot),
    ];
    proptest::collection::vec(step, 0..STEPS_MAX)
}

fn name(member: u16) -> Vec<u8> {
    // Lengths from 0 to 40 bytes, order unlike that of the numbers.
    let text = format!("{:x}-{member}", member.wrapping_mul(40503));
    text.as_bytes().iter().copied().cycle().take(usize::from(member) % 41).chain(text.bytes()).collect()
}

fn check(set: SortedSet<'_>, model: &Model) {
    let list = model.list();
    assert_eq!((set.len(), set.is_empty()), (list.len(), list.is_empty()));
    assert_eq!(owned(set.iter()), list);
    let mut reversed = owned(set.iter().rev());
    reversed.reverse();
    assert_eq!(reversed, list);
    for (rank, (member, score)) in list.iter().enumerate().step_by(7) {
        assert_eq!(set.score(member), Some(*score));
        assert_eq!(set.rank(member), Some(rank));
        assert_eq!(set.reverse_rank(member), Some(list.len() - 1 - rank));
        assert_eq!(set.at(rank), Some((&member[..], *score)));
    }
    assert_eq!((set.score(b"absent"), set.rank(b"absent"), set.at(list.len())), (None, None, None));
    let mut scanned = Vec::new();
    let mut position = Some(0);
    while let Some(at) = position {
        position = set.scan(at, |member, score| scanned.push((Score(score), member.to_vec())));
    }
    scanned.sort();
    scanned.dedup();
    assert_eq!(scanned, model.order.iter().cloned().collect::<Vec<_>>());
}

fn check_ranges(set: SortedSet<'_>, model: &Model, a: f64, b: f64, from: usize, count: usize) {
    let list = model.list();
    for exclusive in 0..4 {
        let (min_exclusive, max_exclusive) = (exclusive & 1 == 1, exclusive & 2 == 2);
        let ranks = set.ranks_by_score(&ScoreRange { min: a, max: b, min_exclusive, max_exclusive });
        let within = |score: f64| {
            (if min_exclusive { score > a } else { score >= a }) && (if max_exclusive { score < b } else { score <= b })
        };
        let expected: Vec<_> = list.iter().filter(|(_, score)| within(*score)).cloned().collect();
        assert_eq!(ranks.len(), expected.len());
        assert_eq!(owned(set.range(ranks)), expected);
    }
    let end = list.len().min(from + count);
    let expected = list.get(from..end).unwrap_or_default();
    assert_eq!(owned(set.range(from..from + count)), expected);
    assert!(owned(set.range(from..from + count).rev()).iter().eq(expected.iter().rev()));
    // From both ends in turn.
    let mut iter = set.range(from..from + count);
    assert_eq!(iter.len(), expected.len());
    let mut seen = (Vec::new(), Vec::new());
    while let Some(item) = iter.next() {
        seen.0.push(item);
        seen.1.extend(iter.next_back());
    }
    seen.1.reverse();
    assert_eq!(owned(seen.0.into_iter().chain(seen.1)), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 60 }))]
    #[test]
    fn behaves_as_a_map_and_an_ordered_set(steps in steps(), a: i8, b: i8, from in 0usize..700, count in 0usize..300) {
        let mut home: Detached<Tree> = Detached(Form::Packed(Vec::new()));
        let (basis, mut model) = (basis(), Model::default());
        let mut snapshots: Vec<(Tree, Model)> = Vec::new();
        let mut ever_big = false;
        for step in steps {
            let mut set = SortedSetMut::new(&mut home);
            match step {
                Step::Insert(member, score) => {
                    let (member, score) = (name(member), f64::from(score) / 4.0);
                    prop_assert_eq!(set.insert(&member, score, &LIMITS, &basis), model.insert(&member, score));
                }
                Step::InsertMany(from, count, score) => for member in from..from + count {
                    let (member, score) = (name(member), f64::from(score) + f64::from(member % 16));
                    prop_assert_eq!(set.insert(&member, score, &LIMITS, &basis), model.insert(&member, score));
                },
                Step::Remove(member) => prop_assert_eq!(set.remove(&name(member)), model.remove(&name(member))),
                Step::RemoveRanks(from, count) => {
                    let from = usize::from(from) % (model.order.len() + 1);
                    let expected: Vec<_> = model.list().into_iter().skip(from).take(usize::from(count)).collect();
                    let mut removed = Vec::new();
                    let number = set.remove_ranks(from..from + usize::from(count), |member, score| {
                        removed.push((member.to_vec(), score));
                    });
                    expected.iter().for_each(|(member, _)| { model.remove(member); });
                    prop_assert_eq!((number, removed), (expected.len(), expected));
                }
                Step::PopMin(count) | Step::PopMax(count) => {
                    let mut expected = model.list();
                    if matches!(step, Step::PopMax(_)) {
                        expected.reverse();
                    }
                    expected.truncate(usize::from(count));
                    let mut popped = Vec::new();
                    let visit = |member: &[u8], score: f64| popped.push((member.to_vec(), score));
                    let number = match step {
                        Step::PopMin(_) => set.pop_min(usize::from(count), visit),
                        _ => set.pop_max(usize::from(count), visit),
                    };
                    expected.iter().for_each(|(member, _)| { model.remove(member); });
                    prop_assert_eq!((number, popped), (expected.len(), expected));
                }
                Step::Snapshot => if let Form::Big(tree) = home.form() {
                    snapshots.push((tree.clone(), model.clone()));
                },
            }
            let set = SortedSet::new(home.form());
            ever_big |= set.len() > LIMITS.entries;
            prop_assert_eq!(set.encoding() == Encoding::Skiplist, ever_big);
        }
        let set = SortedSet::new(home.form());
        check(set, &model);
        check_ranges(set, &model, f64::from(a) / 4.0, f64::from(b) / 4.0, from, count);
        for (tree, model) in &snapshots {
            check(SortedSet::new(Form::Big(tree)), model);
        }
        let collected = collect(model.scores.iter().map(|(member, score)| (member, *score)), &LIMITS, &basis);
        check(SortedSet::new(collected.form()), &model);
        prop_assert_eq!(matches!(collected.form(), Form::Big(_)), model.order.len() > LIMITS.entries);
    }

    #[test]
    fn ranges_by_member_are_those_of_an_ordered_set(members in proptest::collection::btree_set("[a-d]{0,4}", 0..MANY_MAX as usize),
                                                    a in "[a-e]{0,4}", b in "[a-e]{0,4}", big: bool) {
        let limits = if big { PackedLimits { entries: 0, value_bytes: 0 } } else { PackedLimits { entries: 9999, value_bytes: 64 } };
        let home = collect(members.iter().map(|member| (member, 1.5)), &limits, &basis());
        let set = SortedSet::new(home.form());
        let (a, b) = (a.as_bytes(), b.as_bytes());
        let lows = [LexBound::Min, LexBound::Max, LexBound::Included(a), LexBound::Excluded(a)];
        let highs = [LexBound::Min, LexBound::Max, LexBound::Included(b), LexBound::Excluded(b)];
        for (min, max) in lows.into_iter().flat_map(|low| highs.map(|high| (low, high))) {
            let within = |member: &&String| {
                let member = member.as_bytes();
                (match min {
                    LexBound::Min => true,
                    LexBound::Max => false,
                    LexBound::Included(min) => member >= min,
                    LexBound::Excluded(min) => member > min,
                }) && match max {
                    LexBound::Min => false,
                    LexBound::Max => true,
                    LexBound::Included(max) => member <= max,
                    LexBound::Excluded(max) => member < max,
                }
            };
            let expected: Vec<_> = members.iter().filter(within).map(|member| (member.as_bytes().to_vec(), 1.5)).collect();
            prop_assert_eq!(owned(set.range(set.ranks_by_lex(min, max))), expected);
        }
    }
}

#[test]
fn a_long_member_or_one_too_many_makes_a_tree_and_nothing_unmakes_it() {
    let mut home: Detached<Tree> = Detached(Form::Packed(packed::EMPTY.to_vec()));
    let mut set = SortedSetMut::new(&mut home);
    for i in 0..128 {
        assert_eq!(set.insert(format!("{i}").as_bytes(), f64::from(i), &LIMITS, &basis()), None);
    }
    set.insert(b"5", 1000.0, &LIMITS, &basis());
    assert_eq!(set.read().encoding(), Encoding::Listpack);
    assert_eq!(set.upsert(b"new", &LIMITS, &basis(), |_| None), None);
    assert_eq!(set.read().encoding(), Encoding::Listpack);
    set.insert(b"new", 3.5, &LIMITS, &basis());
    assert_eq!((set.read().encoding(), set.read().len()), (Encoding::Skiplist, 129));
    assert_eq!(set.pop_min(usize::MAX, |_, _| {}), 129);
    assert_eq!((set.read().encoding(), set.read().len()), (Encoding::Skiplist, 0));
    let mut home: Detached<Tree> = Detached(Form::Packed(packed::EMPTY.to_vec()));
    let mut set = SortedSetMut::new(&mut home);
    set.insert(&[b'x'; 64], 1.0, &LIMITS, &basis());
    assert_eq!(set.read().encoding(), Encoding::Listpack);
    set.insert(&[b'x'; 65], 1.0, &LIMITS, &basis());
    assert_eq!(set.read().encoding(), Encoding::Skiplist);
    assert_eq!(set.read().rank(&[b'x'; 65]), Some(1));
}

#[test]
fn infinite_scores_and_zeros_of_either_sign_sort_as_numbers() {
    for limits in [LIMITS, PackedLimits { entries: 0, value_bytes: 0 }] {
        let mut home: Detached<Tree> = Detached(Form::Packed(packed::EMPTY.to_vec()));
        let mut set = SortedSetMut::new(&mut home);
        let scores = [(b"b", -0.0), (b"a", 0.0), (b"i", f64::INFINITY), (b"n", f64::NEG_INFINITY), (b"c", 0.0)];
        for (member, score) in scores {
            set.insert(member, score, &limits, &basis());
        }
        let order: Vec<_> = set.read().iter().map(|(member, _)| member[0]).collect();
        assert_eq!(order, b"nabci");
        let all = ScoreRange { min: f64::NEG_INFINITY, max: f64::INFINITY, min_exclusive: true, max_exclusive: true };
        assert_eq!(set.read().ranks_by_score(&all), 1..4);
        // A packed zero has no sign; elsewhere, giving it the other one is no change.
        set.insert(b"b", 0.0, &limits, &basis());
        let negative = set.read().score(b"b").is_some_and(f64::is_sign_negative);
        assert_eq!(negative, set.read().encoding() == Encoding::Skiplist);
        set.insert(b"i", -0.0, &limits, &basis());
        let negative = set.read().score(b"i").is_some_and(f64::is_sign_negative);
        assert_eq!(negative, set.read().encoding() == Encoding::Skiplist);
    }
}
