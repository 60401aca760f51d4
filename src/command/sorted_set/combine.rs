//! Set algebra: ZUNION, ZINTER, ZDIFF, their STORE forms, and ZINTERCARD.
//!
//! Inputs are sorted sets and sets, whose members have the score 1. Results are lists of members and scores that borrow
//! from the inputs; they are sorted only when all are known. Scores are combined in the order in which Redis combines
//! them, smaller inputs first, since sums of floats depend on it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::{reply_entries, store};
use crate::base::number::{parse_f64, parse_i64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::keys::Keys;
use crate::value::set::{self, Set};
use crate::value::sorted_set::{SortedSet, collect};

/// How the scores of one member become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    /// One score of two. Infinities that cancel out make 0, and what is no number is neither less nor more.
    fn of(self, so_far: f64, score: f64) -> f64 {
        match self {
            Aggregate::Sum => number_or_zero(so_far + score),
            Aggregate::Min if score < so_far => score,
            Aggregate::Max if score > so_far => score,
            Aggregate::Min | Aggregate::Max => so_far,
        }
    }
}

fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// A member of either kind of set, by its bytes.
struct Member<'a>(set::Member<'a>);

impl Hash for Member<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for Member<'_> {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl Eq for Member<'_> {}

/// A result: members, once each, in no order as yet.
type Entries<'a> = Vec<(Member<'a>, f64)>;

/// What one input key holds.
#[derive(Clone, Copy)]
enum Source<'a> {
    Nothing,
    Set(Set<'a>),
    SortedSet(SortedSet<'a>),
}

impl<'a> Source<'a> {
    fn of(keys: &'a Keys<'_>, key: &[u8]) -> Source<'a> {
        let Some(record) = keys.view(key) else { return Source::Nothing };
        match (record.sorted_set(), record.set()) {
            (Some(form), _) => Source::SortedSet(SortedSet::new(form)),
            (None, Some(form)) => Source::Set(Set::new(form)),
            (None, None) => Source::Nothing,
        }
    }

    fn len(&self) -> usize {
        match self {
            Source::Nothing => 0,
            Source::Set(set) => set.len(),
            Source::SortedSet(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Source::Nothing => None,
            Source::Set(set) => set.contains(member).then_some(1.0),
            Source::SortedSet(set) => set.score(member),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = (Member<'a>, f64)> + 'a> {
        match self {
            Source::Nothing => Box::new(std::iter::empty()),
            Source::Set(set) => Box::new(set.iter().map(|member| (Member(member), 1.0))),
            Source::SortedSet(set) => {
                Box::new(set.iter().map(|(member, score)| (Member(set::Member::Bytes(member)), score)))
            }
        }
    }
}

/// One input with what its scores are multiplied by.
#[derive(Clone, Copy)]
struct Input<'a> {
    source: Source<'a>,
    weight: f64,
}

/// Which options a command has behind its keys.
#[derive(Clone, Copy, Debug, Default)]
struct Grammar {
    /// The name, for an error.
    command: &'static str,
    /// `WEIGHTS`, `AGGREGATE`.
    combines: bool,
    /// `WITHSCORES`.
    replies: bool,
    /// `LIMIT`.
    counts: bool,
}

/// The arguments of one command, from `numkeys` on.
struct Request<'a> {
    keys: SmallVec<[&'a [u8]; 8]>,
    weights: SmallVec<[f64; 8]>,
    aggregate: Aggregate,
    with_scores: bool,
    /// Where ZINTERCARD stops counting; 0 does not stop it.
    limit: usize,
}

impl<'a> Request<'a> {
    /// Reads all of it. Redis looks at the types of the keys before it reads the options, and so does this.
    fn read(keys: &mut Keys<'_>, mut args: Args<'a>, grammar: Grammar) -> CommandResult<Request<'a>> {
        let numkeys = args.next_i64()?;
        if numkeys < 1 {
            return Err(CommandError::NoInputKey(grammar.command));
        }
        let numkeys = usize::try_from(numkeys).ok().filter(|count| *count <= args.remaining());
        let numkeys = numkeys.ok_or(CommandError::Syntax)?;
        let mut request = Request {
            keys: args.rest().take(numkeys).collect(),
            weights: SmallVec::from_elem(1.0, numkeys),
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        args.skip(numkeys);
        for key in &request.keys {
            if keys.find(key).is_some_and(|record| record.sorted_set().is_none() && record.set().is_none()) {
                return Err(CommandError::WrongType);
            }
        }
        request.read_options(args, grammar)?;
        Ok(request)
    }

    fn read_options(&mut self, mut args: Args<'a>, grammar: Grammar) -> CommandResult {
        while args.remaining() > 0 {
            if grammar.combines && args.remaining() > self.keys.len() && args.take("WEIGHTS") {
                for weight in &mut self.weights {
                    *weight = parse_f64(args.next_bytes()?).ok_or(CommandError::WeightNotFloat)?;
                }
            } else if grammar.combines && args.take_with_value("AGGREGATE") {
                self.aggregate = if args.take("SUM") {
                    Aggregate::Sum
                } else if args.take("MIN") {
                    Aggregate::Min
                } else if args.take("MAX") {
                    Aggregate::Max
                } else {
                    return Err(CommandError::Syntax);
                };
            } else if grammar.replies && args.take("WITHSCORES") {
                self.with_scores = true;
            } else if grammar.counts && args.take_with_value("LIMIT") {
                let limit = parse_i64(args.next_bytes()?).and_then(|limit| usize::try_from(limit).ok());
                self.limit = limit.ok_or(CommandError::LimitNegative)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(())
    }

    /// What the keys hold, in their order.
    fn inputs<'k>(&self, keys: &'k Keys<'_>) -> Vec<Input<'k>> {
        let weighted = self.keys.iter().zip(&self.weights);
        weighted.map(|(key, &weight)| Input { source: Source::of(keys, key), weight }).collect()
    }

    /// What the keys hold, the smallest first.
    fn inputs_by_size<'k>(&self, keys: &'k Keys<'_>) -> Vec<Input<'k>> {
        let mut inputs = self.inputs(keys);
        inputs.sort_by_key(|input| input.source.len());
        inputs
    }
}

/// A command that combines inputs to a result.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

impl Operation {
    fn run<'k>(self, request: &Request<'_>, keys: &'k Keys<'_>) -> Entries<'k> {
        match self {
            Operation::Union => union(&request.inputs_by_size(keys), request.aggregate),
            Operation::Intersection => intersection(&request.inputs_by_size(keys), request.aggregate).collect(),
            Operation::Difference => difference(&request.inputs(keys)),
        }
    }
}

fn union<'a>(inputs: &[Input<'a>], aggregate: Aggregate) -> Entries<'a> {
    let largest = inputs.last().map_or(0, |input| input.source.len());
    let mut scores = HashMap::with_capacity(largest);
    for input in inputs {
        for (member, score) in input.source.iter() {
            let score = number_or_zero(input.weight * score);
            match scores.entry(member) {
                Entry::Vacant(vacant) => _ = vacant.insert(score),
                Entry::Occupied(mut known) => *known.get_mut() = aggregate.of(*known.get(), score),
            }
        }
    }
    scores.into_iter().collect()
}

/// The members that all inputs have; asks the others for the members of the first, the smallest.
fn intersection<'a, 'i>(
    inputs: &'i [Input<'a>],
    aggregate: Aggregate,
) -> impl Iterator<Item = (Member<'a>, f64)> + use<'a, 'i> {
    inputs.split_first().into_iter().flat_map(move |(first, others)| {
        first.source.iter().filter_map(move |(member, score)| {
            let mut combined = number_or_zero(first.weight * score);
            for other in others {
                combined = aggregate.of(combined, other.source.score(&member.0)? * other.weight);
            }
            Some((member, combined))
        })
    })
}

/// The members of the first input that no other has, with their scores there.
fn difference<'a>(inputs: &[Input<'a>]) -> Entries<'a> {
    let Some((first, others)) = inputs.split_first() else { return Vec::new() };
    let alone = |member: &Member<'_>| others.iter().all(|other| other.source.score(&member.0).is_none());
    first.source.iter().filter(|(member, _)| alone(member)).collect()
}

/// Replies the result, in order.
fn reply_result(ctx: &mut Context<'_>, args: Args<'_>, operation: Operation, grammar: Grammar) -> CommandResult {
    let request = Request::read(&mut ctx.keys, args, Grammar { replies: true, ..grammar })?;
    let mut entries = operation.run(&request, &ctx.keys);
    entries.sort_unstable_by(|(a, a_score), (b, b_score)| {
        a_score.partial_cmp(b_score).unwrap_or(Ordering::Equal).then_with(|| a.0.cmp(&b.0))
    });
    let shown = entries.iter().map(|(member, score)| (&*member.0, *score));
    reply_entries(&mut ctx.reply, request.with_scores, shown);
    Ok(())
}

/// Stores the result, and replies its size.
fn store_result(ctx: &mut Context<'_>, mut args: Args<'_>, operation: Operation, grammar: Grammar) -> CommandResult {
    let destination = args.next_bytes()?;
    let request = Request::read(&mut ctx.keys, args, grammar)?;
    let (limits, basis) = (ctx.settings.sorted_set(), ctx.keys.keyspace().basis());
    let entries = operation.run(&request, &ctx.keys);
    let members = entries.iter().map(|(member, score)| (&*member.0, *score));
    let result = collect(members, &limits, basis);
    drop(entries);
    // The event is called like the command.
    store(ctx, destination, Some(result), grammar.command);
    Ok(())
}

const fn combining(command: &'static str) -> Grammar {
    Grammar { command, combines: true, replies: false, counts: false }
}

/// `ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub fn zunion(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_result(ctx, args, Operation::Union, combining("zunion"))
}

/// `ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub fn zinter(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_result(ctx, args, Operation::Intersection, combining("zinter"))
}

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
pub fn zdiff(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    reply_result(ctx, args, Operation::Difference, Grammar { command: "zdiff", ..Grammar::default() })
}

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX]`
pub fn zunionstore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    store_result(ctx, args, Operation::Union, combining("zunionstore"))
}

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX]`
pub fn zinterstore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    store_result(ctx, args, Operation::Intersection, combining("zinterstore"))
}

/// `ZDIFFSTORE destination numkeys key [key ...]`
pub fn zdiffstore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    store_result(ctx, args, Operation::Difference, Grammar { command: "zdiffstore", ..Grammar::default() })
}

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
pub fn zintercard(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let grammar = Grammar { command: "zintercard", counts: true, ..Grammar::default() };
    let request = Request::read(&mut ctx.keys, args, grammar)?;
    let most = if request.limit == 0 { usize::MAX } else { request.limit };
    let inputs = request.inputs_by_size(&ctx.keys);
    let count = intersection(&inputs, request.aggregate).take(most).count();
    ctx.reply.count(count);
    Ok(())
}
