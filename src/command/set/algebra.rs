//! SINTER, SUNION, SDIFF and their kin.
//!
//! Each operation visits the members of its result, and knows nothing of what becomes of them: a reply, a count, or a
//! set to be stored. An intersection walks the smallest set and probes the others. A union or a difference of a few sets
//! probes as well; of many, it gathers them first, so that the cost does not grow with the square of their number.

use smallvec::SmallVec;

use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::keys::Keys;
use crate::store::record::{NewValue, Record};
use crate::value::packed::{Detached, Home};
use crate::value::set::{self, Encoding, Set, SetLimits, SetMut, SetTable};
use crate::value::table::Basis;

/// Up to so many sets, asking each of them is cheaper than gathering them.
const PROBED_SETS_MAX: usize = 4;

/// The sets of some keys, `None` where there is no key.
type Sets<'a> = SmallVec<[Option<Set<'a>>; 8]>;

/// Looks all of the keys up, and then views their sets together.
fn view<'a, 'n>(keys: &'a mut Keys<'_>, names: impl Iterator<Item = &'n [u8]> + Clone) -> CommandResult<Sets<'a>> {
    for name in names.clone() {
        if keys.find(name).is_some_and(|record| record.set().is_none()) {
            return Err(CommandError::WrongType);
        }
    }
    let keys = &*keys;
    Ok(names.map(|name| keys.view(name).and_then(Record::set).map(Set::new)).collect())
}

/// Visits what all of the sets share, until `visit` returns false.
fn intersect(sets: &[Option<Set<'_>>], mut visit: impl FnMut(&[u8]) -> bool) {
    let sets: Option<SmallVec<[Set<'_>; 8]>> = sets.iter().copied().collect();
    let Some(mut sets) = sets else { return };
    sets.sort_by_key(Set::len);
    let Some((smallest, others)) = sets.split_first() else { return };
    for member in smallest.iter() {
        if others.iter().all(|set| set.contains(&member)) && !visit(&member) {
            return;
        }
    }
}

/// Visits what any of the sets has, each member once.
fn unite(sets: &[Option<Set<'_>>], basis: &Basis, mut visit: impl FnMut(&[u8])) {
    let sets: SmallVec<[Set<'_>; 8]> = sets.iter().copied().flatten().collect();
    if sets.len() > PROBED_SETS_MAX {
        return Set::new(gather(&sets, basis).form()).for_each(visit);
    }
    for (index, set) in sets.iter().enumerate() {
        let before = &sets[..index];
        set.for_each(|member| {
            if !before.iter().any(|set| set.contains(member)) {
                visit(member);
            }
        });
    }
}

/// Visits what the first set has and none of the others.
fn subtract(sets: &[Option<Set<'_>>], basis: &Basis, mut visit: impl FnMut(&[u8])) {
    let Some((Some(first), others)) = sets.split_first() else { return };
    let mut others: SmallVec<[Set<'_>; 8]> = others.iter().copied().flatten().collect();
    let total: usize = others.iter().map(Set::len).sum();
    if others.len() > PROBED_SETS_MAX && total < first.len().saturating_mul(others.len()) {
        let gathered = gather(&others, basis);
        let gathered = Set::new(gathered.form());
        return first.for_each(|member| {
            if !gathered.contains(member) {
                visit(member);
            }
        });
    }
    // The largest is the likeliest to have a member.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    first.for_each(|member| {
        if !others.iter().any(|set| set.contains(member)) {
            visit(member);
        }
    });
}

/// A table of all members of these sets.
fn gather(sets: &[Set<'_>], basis: &Basis) -> Detached<SetTable> {
    let mut home = set::detached(Encoding::Hashtable, basis);
    let mut table = SetMut::new(&mut home);
    let limits =
        SetLimits { intset_entries: 0, packed: crate::value::packed::PackedLimits { entries: 0, value_bytes: 0 } };
    for set in sets {
        set.for_each(|member| _ = table.insert(member, &limits, basis));
    }
    home
}

/// Stores a result, or removes the key where there is none, and replies how many members it has.
fn store(ctx: &mut Context<'_>, key: &[u8], result: Detached<SetTable>, event: &'static str) {
    let members = Set::new(result.form()).len();
    if members > 0 {
        result.hand_over(|form| ctx.keys.set(key, NewValue::Set(form), None));
        ctx.keys.changed(EventClass::Set, event, key);
    } else {
        ctx.keys.delete(key);
    }
    ctx.reply.count(members);
}

/// `SINTER key [key ...]`
pub fn sinter(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    let sets = view(&mut ctx.keys, args.rest())?;
    let (mark, mut members) = (ctx.reply.deferred_array(), 0);
    intersect(&sets, |member| {
        ctx.reply.bulk(member);
        members += 1;
        true
    });
    ctx.reply.finish_set(mark, members);
    Ok(())
}

/// `SINTERSTORE destination key [key ...]`
pub fn sinterstore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let destination = args.next_bytes()?;
    let (limits, basis) = (ctx.settings.set(), ctx.keys.keyspace().basis());
    let sets = view(&mut ctx.keys, args.rest())?;
    let smallest = sets.iter().flatten().min_by_key(|set| set.len());
    let integers = smallest.is_some_and(|set| set.encoding() == Encoding::Intset);
    let mut result = set::detached(if integers { Encoding::Intset } else { Encoding::Listpack }, basis);
    let mut shared = SetMut::new(&mut result);
    intersect(&sets, |member| {
        shared.insert(member, &limits, basis);
        true
    });
    drop(sets);
    shared.compact_integers(&limits);
    store(ctx, destination, result, "sinterstore");
    Ok(())
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`
pub fn sintercard(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let count = args.next_i64_or(CommandError::NumkeysNotPositive)?;
    let count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(CommandError::NumkeysNotPositive)?;
    if count > args.remaining() {
        return Err(CommandError::NumkeysTooMany);
    }
    let names = args;
    args.skip(count);
    let mut limit = 0;
    while args.remaining() > 0 {
        if !args.take_with_value("LIMIT") {
            return Err(CommandError::Syntax);
        }
        let number = args.next_i64_or(CommandError::LimitNegative)?;
        limit = usize::try_from(number).map_err(|_| CommandError::LimitNegative)?;
    }
    let sets = view(&mut ctx.keys, names.rest().take(count))?;
    let mut members = 0;
    intersect(&sets, |_| {
        members += 1;
        members != limit
    });
    ctx.reply.count(members);
    Ok(())
}

/// `SUNION key [key ...]`
pub fn sunion(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    write_members(ctx, args, |sets, basis, visit| unite(sets, basis, visit))
}

/// Writes the members that `produce` finds in the sets which the arguments name.
fn write_members(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    produce: impl FnOnce(&[Option<Set<'_>>], &Basis, &mut dyn FnMut(&[u8])),
) -> CommandResult {
    let basis = ctx.keys.keyspace().basis();
    let sets = view(&mut ctx.keys, args.rest())?;
    let (mark, mut members) = (ctx.reply.deferred_array(), 0);
    produce(&sets, basis, &mut |member| {
        ctx.reply.bulk(member);
        members += 1;
    });
    ctx.reply.finish_set(mark, members);
    Ok(())
}

/// `SUNIONSTORE destination key [key ...]`
pub fn sunionstore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let destination = args.next_bytes()?;
    let (limits, basis) = (ctx.settings.set(), ctx.keys.keyspace().basis());
    let mut result = Detached::new(set::EMPTY);
    let mut united = SetMut::new(&mut result);
    // Inserting finds what is there already: the sets need not be united first.
    for set in view(&mut ctx.keys, args.rest())?.iter().flatten() {
        set.for_each(|member| _ = united.insert(member, &limits, basis));
    }
    store(ctx, destination, result, "sunionstore");
    Ok(())
}

/// `SDIFF key [key ...]`
pub fn sdiff(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    write_members(ctx, args, |sets, basis, visit| subtract(sets, basis, visit))
}

/// `SDIFFSTORE destination key [key ...]`
pub fn sdiffstore(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let destination = args.next_bytes()?;
    let (limits, basis) = (ctx.settings.set(), ctx.keys.keyspace().basis());
    let mut result = Detached::new(set::EMPTY);
    let mut left = SetMut::new(&mut result);
    let sets = view(&mut ctx.keys, args.rest())?;
    if removal_is_cheaper(&sets) {
        for member in sets.iter().take(1).flatten().flat_map(Set::iter) {
            left.insert(&member, &limits, basis);
        }
        for member in sets.iter().skip(1).flatten().flat_map(Set::iter) {
            left.remove(&member);
        }
    } else {
        subtract(&sets, basis, |member| _ = left.insert(member, &limits, basis));
    }
    drop(sets);
    store(ctx, destination, result, "sdiffstore");
    Ok(())
}

/// Whether SDIFFSTORE copies the first set and removes the members of the others. The choice is Redis's, since it shows
/// in the encoding of the result: what the first set made of it stays.
fn removal_is_cheaper(sets: &[Option<Set<'_>>]) -> bool {
    let Some(Some(first)) = sets.first() else { return false };
    let lens = sets.iter().flatten().map(Set::len);
    first.len().saturating_mul(lens.clone().count()) / 2 > lens.sum()
}
