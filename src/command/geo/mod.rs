//! Handlers of the geo commands: sorted sets whose scores are geohashes, see [`crate::value::geohash`].
//!
//! Here is what concerns single members; [`search`] holds GEOSEARCH and all that came before it.

pub mod search;
pub mod spec;
#[cfg(test)]
mod tests;

pub use search::{georadius, georadius_ro, georadiusbymember, georadiusbymember_ro, geosearch, geosearchstore};

use smallvec::SmallVec;

use super::sorted_set::add::{self, AddOptions};
use super::sorted_set::find;
use crate::base::number::format_u64;
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::geohash::Place;
use crate::value::sorted_set::SortedSet;

/// Units of distance and their lengths in meters.
const UNITS: [(&str, f64); 4] = [("M", 1.0), ("KM", 1000.0), ("FT", 0.3048), ("MI", 1609.34)];

/// Takes a unit of distance; its length in meters.
fn read_unit(args: &mut Args<'_>) -> CommandResult<f64> {
    let unit = UNITS.into_iter().find(|(name, _)| args.take(name));
    unit.map(|(_, meters)| meters).ok_or(CommandError::GeoUnit)
}

/// Takes a longitude and a latitude.
fn read_place(args: &mut Args<'_>) -> CommandResult<Place> {
    let (longitude, latitude) = (args.next_f64()?, args.next_f64()?);
    Place::new(longitude, latitude).ok_or_else(|| CommandError::invalid_place(longitude, latitude))
}

/// Where a member is.
fn place_of(set: Option<SortedSet<'_>>, member: &[u8]) -> Option<Place> {
    set.and_then(|set| set.score(member)).map(Place::decode)
}

/// Replies a distance with four digits behind the point, rounded as Redis 7.2 does.
fn reply_distance(reply: &mut Reply, distance: f64) {
    let scaled = (distance * 10_000.0).round_ties_even() as u64;
    reply.bulk(format!("{}.{:04}", scaled / 10_000, scaled % 10_000).as_bytes());
}

/// Replies longitude and latitude with as many digits as say something, at most seventeen behind the point.
fn reply_place(reply: &mut Reply, place: Place) {
    reply.array(2);
    for degrees in [place.longitude, place.latitude] {
        let text = format!("{degrees:.17}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        let text = if text == "-0" { "0" } else { text };
        if reply.is_resp3() {
            reply.raw(format!(",{text}\r\n").as_bytes());
        } else {
            reply.bulk(text.as_bytes());
        }
    }
}

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]`
pub fn geoadd(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let key = args.next_bytes()?;
    let options = AddOptions::default().read_of_places(&mut args);
    if !args.remaining().is_multiple_of(3) || options.only_new && options.only_existing {
        return Err(CommandError::Syntax);
    }
    let (mut scores, mut members) = (SmallVec::<[f64; 8]>::new(), SmallVec::<[&[u8]; 8]>::new());
    while args.remaining() > 0 {
        scores.push(read_place(&mut args)?.encode() as f64);
        members.push(args.next_bytes()?);
    }
    if members.is_empty() {
        return Err(CommandError::Syntax);
    }
    let before = ctx.keys.effects.dirty;
    add::add_pairs(ctx, key, options, &scores, members.iter().copied())?;
    if ctx.keys.effects.logging && ctx.keys.effects.dirty > before {
        log_as_zadd(ctx, key, options, &scores, &members);
    }
    Ok(())
}

/// What is stored are scores, which need no arithmetic to be stored again.
fn log_as_zadd(ctx: &mut Context<'_>, key: &[u8], options: AddOptions, scores: &[f64], members: &[&[u8]]) {
    let texts: Vec<_> = scores.iter().map(|score| format_u64(*score as u64)).collect();
    let mut arguments: Vec<&[u8]> = vec![b"ZADD", key];
    arguments.extend(options.only_new.then_some(&b"NX"[..]));
    arguments.extend(options.only_existing.then_some(&b"XX"[..]));
    for (text, member) in texts.iter().zip(members) {
        arguments.extend([&text[..], member]);
    }
    ctx.keys.effects.log_instead(ctx.keys.database, &arguments);
}

/// `GEODIST key member1 member2 [M | KM | FT | MI]`
pub fn geodist(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, from, to) = (args.next_bytes()?, args.next_bytes()?, args.next_bytes()?);
    let unit = match args.remaining() {
        0 => 1.0,
        1 => read_unit(&mut args)?,
        _ => return Err(CommandError::Syntax),
    };
    let set = find(&mut ctx.keys, key)?;
    match (place_of(set, from), place_of(set, to)) {
        (Some(from), Some(to)) => reply_distance(&mut ctx.reply, from.distance(to) / unit),
        _ => ctx.reply.null(),
    }
    Ok(())
}

/// `GEOHASH key [member [member ...]]`
pub fn geohash(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let set = find(&mut ctx.keys, args.next_bytes()?)?;
    let members = args.rest();
    ctx.reply.array(members.len());
    for member in members {
        ctx.reply.bulk_or_null(place_of(set, member).map(Place::text).as_ref().map(|text| &text[..]));
    }
    Ok(())
}

/// `GEOPOS key [member [member ...]]`
pub fn geopos(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let set = find(&mut ctx.keys, args.next_bytes()?)?;
    let members = args.rest();
    ctx.reply.array(members.len());
    for member in members {
        match place_of(set, member) {
            Some(place) => reply_place(&mut ctx.reply, place),
            None => ctx.reply.null_array(),
        }
    }
    Ok(())
}
