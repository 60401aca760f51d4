//! Random elements: what SRANDMEMBER, HRANDFIELD and ZRANDMEMBER share.
//!
//! A negative count draws with repetition, one element after the other. A positive one wants distinct elements: few of
//! many are drawn until enough different ones came up; else one pass over all elements takes each with the chance that
//! is still needed of what is still left (Knuth's Algorithm S), which takes no memory.

use std::collections::HashSet;
use std::hash::Hash;

use crate::base::limits::DRAWN_REPLY_BYTES_MAX;
use crate::base::random::Random;
use crate::command::Args;
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;

/// Shortest element of a reply: an empty bulk string.
const ELEMENT_BYTES_MIN: u64 = 6;
/// Draws per wanted element after which the rest is taken in order instead.
const DRAWS_PER_ELEMENT: usize = 16;

/// Reads the count of the commands that draw.
///
/// # Errors
/// When it is no integer whose negation is one too.
pub fn read_count(args: &mut Args<'_>) -> CommandResult<i64> {
    match args.next_i64()? {
        i64::MIN => Err(CommandError::NotBetween(Box::new((-i64::MAX, i64::MAX)))),
        count => Ok(count),
    }
}

/// Runs `put` `count` times; each call writes one element.
///
/// # Errors
/// When the reply would grow beyond bounds.
pub fn repeat(reply: &mut Reply, count: u64, mut put: impl FnMut(&mut Reply)) -> CommandResult {
    if count > DRAWN_REPLY_BYTES_MAX as u64 / ELEMENT_BYTES_MIN {
        return Err(CommandError::OutOfRange);
    }
    let start = reply.len();
    for _ in 0..count {
        put(reply);
        if reply.len() - start > DRAWN_REPLY_BYTES_MAX {
            return Err(CommandError::OutOfRange);
        }
    }
    Ok(())
}

/// Whether `count` distinct elements of `len` are better drawn than chosen in a pass over all.
pub fn is_sparse(count: usize, len: usize) -> bool {
    count < len / 4
}

/// Decides element by element which are taken, each with the chance that is still needed of what is still left.
pub struct Chooser<'r> {
    needed: usize,
    left: usize,
    random: &'r Random,
}

impl<'r> Chooser<'r> {
    /// Takes `count` of `len` elements.
    pub fn new(count: usize, len: usize, random: &'r Random) -> Chooser<'r> {
        Chooser { needed: count.min(len), left: len, random }
    }

    /// Whether the next element is taken.
    #[inline]
    pub fn takes_next(&mut self) -> bool {
        let takes = self.random.index(self.left) < self.needed;
        self.needed -= takes as usize;
        self.left -= 1;
        takes
    }
}

/// Visits `count` of `len` elements, each with the same chance, in the order in which they come.
pub fn choose<T>(
    elements: impl Iterator<Item = T>,
    (count, len): (usize, usize),
    random: &Random,
    visit: impl FnMut(T),
) {
    let mut chooser = Chooser::new(count, len, random);
    elements.take(len).filter(|_| chooser.takes_next()).take(count).for_each(visit);
}

/// Visits `count` distinct elements that `draw` makes of random numbers; `all` fills up what is missing when luck is
/// out. There are many more elements than `count`, see [`is_sparse`].
pub fn draw_distinct<T: Eq + Hash + Copy>(
    count: usize,
    random: &Random,
    draw: impl Fn(u64) -> Option<T>,
    all: impl Iterator<Item = T>,
    mut visit: impl FnMut(T),
) {
    let mut seen = HashSet::with_capacity(count);
    for _ in 0..count.saturating_mul(DRAWS_PER_ELEMENT) {
        if seen.len() == count {
            return;
        }
        if let Some(element) = draw(random.next_u64())
            && seen.insert(element)
        {
            visit(element);
        }
    }
    let missing = count - seen.len();
    all.filter(|element| !seen.contains(element)).take(missing).for_each(visit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choosing_takes_each_element_as_often() {
        let random = Random::from_seed(3);
        let mut taken = [0; 10];
        for _ in 0..10_000 {
            let mut chosen = 0;
            choose(0..10, (3, 10), &random, |index: usize| {
                taken[index] += 1;
                chosen += 1;
            });
            assert_eq!(chosen, 3);
        }
        assert!(taken.iter().all(|count| (2_700..3_300).contains(count)), "{taken:?}");
        choose(0..3, (5, 3), &random, |index| taken[index] = 0);
        assert_eq!(taken[..3], [0; 3]);
    }

    #[test]
    fn drawing_gives_distinct_elements_even_when_luck_is_out() {
        let random = Random::from_seed(4);
        for lucky in [true, false] {
            let mut drawn = HashSet::new();
            let draw = |number| Some(if lucky { number % 100 } else { 7 });
            draw_distinct(20, &random, draw, 0..100, |element| assert!(drawn.insert(element)));
            assert_eq!(drawn.len(), 20);
        }
    }

    #[test]
    fn a_reply_of_draws_is_bounded() {
        let mut reply = Reply::default();
        assert_eq!(repeat(&mut reply, u64::MAX, |_| unreachable!()), Err(CommandError::OutOfRange));
        assert_eq!(repeat(&mut reply, 2, |reply| reply.bulk(b"a")), Ok(()));
        assert_eq!(reply.bytes(), b"$1\r\na\r\n$1\r\na\r\n");
        let long = vec![0; DRAWN_REPLY_BYTES_MAX / 4];
        assert_eq!(repeat(&mut reply, 5, |reply| reply.bulk(&long)), Err(CommandError::OutOfRange));
    }
}
