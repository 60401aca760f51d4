//! The tree's inner order, its books, and clones of it. What it means as a sorted set: `../tests.rs`.

use super::*;
use crate::value::sorted_set::node::INNER_MAX;

fn basis() -> Basis {
    Basis::new(11, 0)
}

fn member(number: u64) -> Vec<u8> {
    format!("member:{number:08}").into_bytes()
}

fn set(tree: &mut Tree, number: u64, score: f64) -> Option<f64> {
    tree.upsert(&member(number), |_| Some(score))
}

/// A fixed sequence that looks random.
fn draws(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

/// Checks one node and all below: order, separators, counts, widths, books. Returns the bytes and the depth.
fn check_node(tree: &Tree, node: &Node, low: Option<&Entry>, high: Option<&Entry>) -> (usize, usize) {
    let inner = match node {
        Node::Leaf(leaf) => {
            assert!(leaf.len() <= LEAF_MAX);
            assert!(leaf.is_sorted_by(|a, b| a.key() < b.key()));
            for entry in leaf {
                assert_eq!(tree.score(entry.member()), Some(entry.score()));
                assert!(low.is_none_or(|low| low.key() <= entry.key()));
                assert!(high.is_none_or(|high| entry.key() < high.key()));
            }
            return (node.shell_bytes() + leaf.iter().map(Entry::heap_bytes).sum::<usize>(), 0);
        }
        Node::Inner(inner) => inner,
    };
    assert!(!inner.nodes.is_empty() && inner.nodes.len() <= INNER_MAX);
    assert_eq!(inner.nodes.len(), inner.separators.len() + 1);
    assert_eq!(inner.counts, inner.nodes.iter().map(|node| node.count()).collect::<Vec<_>>());
    assert!(inner.counts.iter().all(|&count| count > 0));
    let mut bytes = node.shell_bytes() + inner.separators.iter().map(Entry::heap_bytes).sum::<usize>();
    let mut depths = Vec::new();
    for (child, node) in inner.nodes.iter().enumerate() {
        let low = if child == 0 { low } else { Some(&inner.separators[child - 1]) };
        let (below, depth) = check_node(tree, node, low, inner.separators.get(child).or(high));
        bytes += below;
        depths.push(depth);
    }
    assert!(depths.iter().all(|depth| *depth == depths[0]));
    (bytes, depths[0] + 1)
}

/// Checks the whole tree and returns its depth.
fn check(tree: &Tree) -> usize {
    let (bytes, depth) = check_node(tree, &tree.root, None, None);
    assert_eq!(tree.books.bytes, bytes);
    assert_eq!(tree.root.count(), tree.len());
    depth
}

fn contents(tree: &Tree) -> Vec<(Vec<u8>, f64)> {
    tree.iter(0..tree.len()).map(|(member, score)| (member.to_vec(), score)).collect()
}

/// Small enough for Miri.
#[test]
fn a_clone_keeps_its_entries_while_the_original_changes_and_goes() {
    let mut tree = Tree::new(&basis());
    (0..200).for_each(|i| assert_eq!(set(&mut tree, i, (i % 7) as f64), None));
    let before = contents(&tree);
    let mut clone = tree.clone();
    for i in 0..200 {
        match i % 4 {
            0 => assert_eq!(tree.remove(&member(i)), Some((i % 7) as f64)),
            1 => assert_eq!(set(&mut tree, i, 100.0 - i as f64), Some((i % 7) as f64)),
            _ => assert_eq!(set(&mut tree, 1000 + i, 3.5), None),
        }
    }
    check(&tree);
    assert_eq!(contents(&clone), before);
    assert_eq!(tree.len(), 250);
    let mut removed = 0;
    tree.remove_ranks(20..240, &mut |_, _| removed += 1);
    assert_eq!((removed, check(&tree), tree.len()), (220, 0, 30));
    assert_eq!(contents(&clone), before);
    drop(tree);
    // The clone is written to after the original has gone.
    for i in 0..150 {
        assert_eq!(set(&mut clone, i, -(i as f64)), Some((i % 7) as f64));
    }
    check(&clone);
}

#[test]
fn stays_in_order_over_three_levels_and_shrinks_again() {
    let mut tree = Tree::new(&basis());
    let mut draw = draws(5);
    for _ in 0..60_000 {
        let number = draw() % 30_000;
        set(&mut tree, number, (draw() % 5_000) as f64);
    }
    assert_eq!(check(&tree), 2);
    let clone = tree.clone();
    let before = contents(&clone);
    for round in 0..300 {
        let from = draw() as usize % tree.len();
        let to = (from + draw() as usize % 400).min(tree.len());
        let expected: Vec<_> = tree.iter(from..to).map(|(member, _)| member.to_vec()).collect();
        let mut removed = Vec::new();
        tree.remove_ranks(from..to, &mut |member, _| removed.push(member.to_vec()));
        assert_eq!(removed, expected);
        if round % 30 == 0 {
            check(&tree);
        }
        if tree.len() < 500 {
            break;
        }
    }
    assert!(contents(&clone) == before);
    check(&clone);
    let rest: Vec<_> = contents(&tree);
    for (member, score) in &rest {
        assert_eq!(tree.remove(member), Some(*score));
    }
    assert_eq!(check(&tree), 0);
    assert!(tree.is_empty() && tree.heap_bytes() < 1500, "{} bytes", tree.heap_bytes());
}

#[test]
fn a_range_across_whole_subtrees_is_removed() {
    for (from, to) in [(0, 40_000), (1, 39_999), (0, 20_000), (20_000, 40_000), (127, 9_000), (12_345, 12_346)] {
        let entries = (0..40_000).map(|i| Entry::new(&member(i), i as f64)).collect();
        let mut tree = Tree::from_sorted(entries, &basis());
        assert_eq!(check(&tree), 2);
        let shared = tree.clone();
        tree.remove_ranks(from..to, &mut |_, _| {});
        check(&tree);
        assert_eq!(tree.len(), 40_000 - (to - from));
        assert_eq!(tree.iter(from..from + 1).next(), shared.iter(to..to + 1).next());
        check(&shared);
    }
}

#[test]
fn a_million_members_of_15_bytes_take_at_most_60_bytes_each() {
    const MEMBERS: u64 = 1_000_000;
    let mut in_order = Tree::new(&basis());
    (0..MEMBERS).for_each(|i| assert_eq!(set(&mut in_order, i, i as f64), None));
    let each = in_order.heap_bytes() as f64 / MEMBERS as f64;
    assert!(each < 56.0, "{each} bytes in order");
    drop(in_order);
    let mut at_random = Tree::new(&basis());
    let mut draw = draws(9);
    (0..MEMBERS).for_each(|i| assert_eq!(set(&mut at_random, i, draw() as f64), None));
    let each = at_random.heap_bytes() as f64 / MEMBERS as f64;
    assert!(each < 59.0, "{each} bytes at random");
}

#[test]
fn a_score_that_stays_in_its_leaf_moves_nothing_else() {
    let last = if cfg!(miri) { 299 } else { 4_999 };
    let entries = (0..=last).map(|i| Entry::new(&member(i), i as f64)).collect();
    let mut tree = Tree::from_sorted(entries, &basis());
    let bytes = tree.heap_bytes();
    for (number, score) in [(50, 50.25), (50, 60.5), (50, 40.5), (112, 112.5), (111, 111.9), (0, -3.0), (last, 1e300)] {
        set(&mut tree, number, score);
        check(&tree);
        assert_eq!(tree.heap_bytes(), bytes);
    }
    // Zeros of either sign are one score: nothing is replaced.
    set(&mut tree, 1, 0.0);
    assert_eq!(set(&mut tree, 1, -0.0), Some(0.0));
    assert!(tree.score(&member(1)).is_some_and(f64::is_sign_positive));
}
