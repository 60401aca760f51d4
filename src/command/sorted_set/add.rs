//! ZADD and ZINCRBY: one loop over pairs of scores and members.
//!
//! All scores are read before anything changes, so that a bad one changes nothing. Each member is looked up once: what
//! it gets is decided by the options and by the score it has ([`AddOptions::decide`]).

use smallvec::SmallVec;

use crate::base::number::parse_f64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::record::{NewValue, Record};
use crate::value::packed::{Form, PackedLimits};
use crate::value::sorted_set::{SortedSetMut, packed};
use crate::value::table::Basis;

/// What stands between the key and the first score.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddOptions {
    /// `NX`
    pub only_new: bool,
    /// `XX`
    pub only_existing: bool,
    only_greater: bool,
    only_less: bool,
    count_changed: bool,
    increment: bool,
}

impl AddOptions {
    /// Reads options, each as often as it comes, on top of those that are set.
    fn read(mut self, args: &mut Args<'_>) -> AddOptions {
        loop {
            let option = if args.take("NX") {
                &mut self.only_new
            } else if args.take("XX") {
                &mut self.only_existing
            } else if args.take("GT") {
                &mut self.only_greater
            } else if args.take("LT") {
                &mut self.only_less
            } else if args.take("CH") {
                &mut self.count_changed
            } else if args.take("INCR") {
                &mut self.increment
            } else {
                return self;
            };
            *option = true;
        }
    }

    /// Reads those of GEOADD.
    pub fn read_of_places(mut self, args: &mut Args<'_>) -> AddOptions {
        loop {
            let option = if args.take("NX") {
                &mut self.only_new
            } else if args.take("XX") {
                &mut self.only_existing
            } else if args.take("CH") {
                &mut self.count_changed
            } else {
                return self;
            };
            *option = true;
        }
    }

    /// Whether the options go together, and with this many pairs.
    fn check(&self, pairs: usize) -> CommandResult {
        if self.only_new && self.only_existing {
            return Err(CommandError::ZaddXxWithNx);
        }
        if [self.only_greater, self.only_less, self.only_new].iter().filter(|option| **option).count() > 1 {
            return Err(CommandError::ZaddGtLtNx);
        }
        if self.increment && pairs > 1 {
            return Err(CommandError::ZaddIncrPairs);
        }
        Ok(())
    }

    /// The score for a member that has the score `old`, or is new; `None` leaves things as they are. Not a number where
    /// an increment is none.
    fn decide(&self, old: Option<f64>, given: f64) -> Option<f64> {
        let Some(old) = old else { return (!self.only_existing).then_some(given) };
        let new = if self.increment { old + given } else { given };
        let refused = self.only_new || (self.only_less && new >= old) || (self.only_greater && new <= old);
        (!refused).then_some(new)
    }
}

/// What adding came to.
#[derive(Clone, Copy, Debug, Default)]
struct Added {
    /// Members that are new.
    new: usize,
    /// Members that got another score.
    changed: usize,
    /// The score that the last pair led to; `None` if the options refused it.
    score: Option<f64>,
}

/// The pairs of one command, and how they are to be added.
struct Addition<'p, M> {
    options: AddOptions,
    scores: &'p [f64],
    members: M,
    limits: PackedLimits,
    basis: &'p Basis,
}

impl<'a, M: Iterator<Item = &'a [u8]>> Addition<'_, M> {
    /// Adds to the set that a record holds.
    fn run(self, record: &mut Record) -> CommandResult<Added> {
        let mut home = record.sorted_set_mut().ok_or(CommandError::WrongType)?;
        let mut set = SortedSetMut::new(&mut home);
        if self.scores.len() > self.limits.entries {
            set.promote(self.basis);
        }
        let mut added = Added::default();
        for (&given, member) in self.scores.iter().zip(self.members) {
            let (mut decided, mut undefined) = (None, false);
            let old = set.upsert(member, &self.limits, self.basis, |old| {
                decided = self.options.decide(old, given);
                undefined = decided.is_some_and(f64::is_nan);
                decided.filter(|_| !undefined)
            });
            // Only an increment can lead here, and there is one pair then.
            if undefined {
                return Err(CommandError::ScoreNotNumber);
            }
            added.new += (decided.is_some() && old.is_none()) as usize;
            added.changed += decided.is_some_and(|new| old.is_some_and(|old| old != new)) as usize;
            added.score = decided;
        }
        Ok(added)
    }
}

/// Reads pairs, or the one increment, and adds them.
fn add(ctx: &mut Context<'_>, mut args: Args<'_>, options: AddOptions) -> CommandResult {
    let key = args.next_bytes()?;
    let options = options.read(&mut args);
    let pairs = args.rest();
    if pairs.len() == 0 || !pairs.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    options.check(pairs.len() / 2)?;
    let scores = pairs.clone().step_by(2).map(|text| parse_f64(text).ok_or(CommandError::NotFloat));
    let scores = scores.collect::<CommandResult<SmallVec<[f64; 8]>>>()?;
    add_pairs(ctx, key, options, &scores, pairs.skip(1).step_by(2))
}

/// Adds members with their scores, and replies what the options want to know.
///
/// # Errors
/// When the key holds another type, or an increment leads to no number.
pub fn add_pairs<'a>(
    ctx: &mut Context<'_>,
    key: &[u8],
    options: AddOptions,
    scores: &[f64],
    members: impl Iterator<Item = &'a [u8]>,
) -> CommandResult {
    let limits = ctx.settings.sorted_set();
    let basis = ctx.keys.keyspace().basis();
    let addition = Addition { options, scores, members, limits, basis };
    let mut added = Added::default();
    if let Some(mut record) = ctx.keys.find_mut(key) {
        added = addition.run(&mut record)?;
    } else if !options.only_existing {
        ctx.keys.insert(key, NewValue::SortedSet(Form::Packed(packed::EMPTY)), None);
        if let Some(mut record) = ctx.keys.find_mut(key) {
            added = addition.run(&mut record)?;
        }
    }
    if added.new + added.changed > 0 {
        let event = if options.increment { "zincr" } else { "zadd" };
        ctx.keys.changed_by(added.new + added.changed, EventClass::SortedSet, event, key);
    }
    if options.increment {
        super::reply_score(&mut ctx.reply, added.score);
    } else {
        ctx.reply.count(if options.count_changed { added.new + added.changed } else { added.new });
    }
    Ok(())
}

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
pub fn zadd(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    add(ctx, args, AddOptions::default())
}

/// `ZINCRBY key increment member`
///
/// In Redis's grammar the options of ZADD may stand here too, where no arity leaves room for them: they make it a syntax
/// error and no bad float.
pub fn zincrby(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    add(ctx, args, AddOptions { increment: true, ..AddOptions::default() })
}
