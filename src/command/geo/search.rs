//! The members within an area: GEOSEARCH, GEOSEARCHSTORE, and the GEORADIUS commands before them.
//!
//! One grammar with switches ([`Grammar`]), one search. The area is covered by a few ranges of scores; each member in
//! them is decoded and measured. What is found borrows from the set until it is replied or stored.

use super::{place_of, read_place, read_unit, reply_distance, reply_place};
use crate::command::sorted_set::{find, store};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::value::geohash::{Area, Place, Shape};
use crate::value::sorted_set::{ScoreRange, SortedSet, collect};

/// How a command names the center of its area.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Center {
    /// Longitude and latitude behind the key, then the radius.
    Place,
    /// A member behind the key, then the radius.
    Member,
    /// By options, as well as the shape.
    Named,
}

/// Where a command may store what it finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    Nowhere,
    /// An option names the key.
    Optional,
    /// The first argument is the key.
    First,
}

/// What the commands differ in.
#[derive(Clone, Copy)]
struct Grammar {
    center: Center,
    destination: Destination,
    /// Of the key that is stored.
    event: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// What is asked for.
#[derive(Default)]
struct Request<'a> {
    center: Option<Place>,
    /// The center was given as a place, or as a member, be it of a set that does not exist.
    from_place: bool,
    from_member: bool,
    /// In units.
    shape: Option<Shape>,
    /// The unit's length in meters.
    unit: f64,
    order: Option<Order>,
    count: Option<usize>,
    any: bool,
    with_distance: bool,
    with_hash: bool,
    with_place: bool,
    /// The key that is written.
    destination: Option<&'a [u8]>,
    /// It gets distances as scores.
    by_distance: bool,
}

/// A member that was found, with its score, where it is, and how far from the center in meters.
struct Hit<'s> {
    member: &'s [u8],
    score: f64,
    place: Place,
    distance: f64,
}

impl<'a> Request<'a> {
    /// Reads everything behind the key; a member's place is looked up on the way.
    fn read(
        mut args: Args<'a>,
        set: Option<SortedSet<'_>>,
        grammar: Grammar,
        destination: Option<&'a [u8]>,
    ) -> CommandResult<Request<'a>> {
        let mut request = Request { destination, unit: 1.0, ..Request::default() };
        match grammar.center {
            Center::Place => {
                request.center = Some(read_place(&mut args)?);
                request.take_circle(&mut args)?;
            }
            Center::Member => {
                let member = args.next_bytes()?;
                if set.is_none() {
                    // As in Redis nobody looks at the radius then.
                    args.skip(2);
                } else {
                    request.center = Some(place_of(set, member).ok_or(CommandError::GeoMember)?);
                    request.take_circle(&mut args)?;
                }
            }
            Center::Named => {}
        }
        while args.remaining() > 0 {
            let understood = request.read_flag(&mut args, grammar)
                || request.read_option(&mut args, grammar)?
                || grammar.center == Center::Named && request.read_area(&mut args, set)?;
            if !understood {
                return Err(CommandError::Syntax);
            }
        }
        request.check(grammar, args.at(0))?;
        Ok(request)
    }

    fn take_circle(&mut self, args: &mut Args<'a>) -> CommandResult {
        let radius = args.next_f64_or(CommandError::GeoRadius)?;
        if radius < 0.0 {
            return Err(CommandError::GeoRadiusNegative);
        }
        self.unit = read_unit(args)?;
        self.shape = Some(Shape::Circle(radius));
        Ok(())
    }

    fn take_box(&mut self, args: &mut Args<'a>) -> CommandResult {
        let width = args.next_f64_or(CommandError::GeoWidth)?;
        let height = args.next_f64_or(CommandError::GeoHeight)?;
        if width < 0.0 || height < 0.0 {
            return Err(CommandError::GeoBoxNegative);
        }
        self.unit = read_unit(args)?;
        self.shape = Some(Shape::Box { width, height });
        Ok(())
    }

    /// Options of one word.
    fn read_flag(&mut self, args: &mut Args<'a>, grammar: Grammar) -> bool {
        let flag = if args.take("WITHDIST") {
            &mut self.with_distance
        } else if args.take("WITHHASH") {
            &mut self.with_hash
        } else if args.take("WITHCOORD") {
            &mut self.with_place
        } else if args.take("ANY") {
            &mut self.any
        } else if grammar.destination == Destination::First && args.take("STOREDIST") {
            &mut self.by_distance
        } else if args.take("ASC") {
            self.order = Some(Order::Ascending);
            return true;
        } else if args.take("DESC") {
            self.order = Some(Order::Descending);
            return true;
        } else {
            return false;
        };
        *flag = true;
        true
    }

    /// Options with a value.
    fn read_option(&mut self, args: &mut Args<'a>, grammar: Grammar) -> CommandResult<bool> {
        if args.take_with_value("COUNT") {
            let count = args.next_i64()?;
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            self.count = Some(count.ok_or(CommandError::GeoCount)?);
            return Ok(true);
        }
        if grammar.destination != Destination::Optional {
            return Ok(false);
        }
        for (keyword, by_distance) in [("STORE", false), ("STOREDIST", true)] {
            if args.take_with_value(keyword) {
                (self.destination, self.by_distance) = (Some(args.next_bytes()?), by_distance);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Center and shape; two ways to say the same exclude each other.
    fn read_area(&mut self, args: &mut Args<'a>, set: Option<SortedSet<'_>>) -> CommandResult<bool> {
        if !self.from_place && args.take_with_value("FROMMEMBER") {
            self.center = place_of(set, args.next_bytes()?);
            if set.is_some() && self.center.is_none() {
                return Err(CommandError::GeoMember);
            }
            self.from_member = true;
        } else if !self.from_member && args.remaining() >= 3 && args.take("FROMLONLAT") {
            self.center = Some(read_place(args)?);
            self.from_place = true;
        } else if !matches!(self.shape, Some(Shape::Box { .. })) && args.remaining() >= 3 && args.take("BYRADIUS") {
            self.take_circle(args)?;
        } else if !matches!(self.shape, Some(Shape::Circle(_))) && args.remaining() >= 4 && args.take("BYBOX") {
            self.take_box(args)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether all that belongs together is there; `name` is the command's as the client typed it.
    fn check(&self, grammar: Grammar, name: &[u8]) -> CommandResult {
        if self.destination.is_some() && (self.with_distance || self.with_hash || self.with_place) {
            return Err(match grammar.destination {
                Destination::First => CommandError::GeoStoreWith("GEOSEARCHSTORE"),
                _ => CommandError::GeoStoreWith("STORE option in GEORADIUS"),
            });
        }
        if grammar.center == Center::Named && !(self.from_place || self.from_member) {
            return Err(CommandError::exactly_one_of("FROMMEMBER or FROMLONLAT", name));
        }
        if grammar.center == Center::Named && self.shape.is_none() {
            return Err(CommandError::exactly_one_of("BYRADIUS and BYBOX", name));
        }
        if self.any && self.count.is_none() {
            return Err(CommandError::GeoAnyWithoutCount);
        }
        Ok(())
    }

    /// The area in meters; `None` for a set that does not exist.
    fn area(&self) -> Option<Area> {
        let shape = match self.shape? {
            Shape::Circle(radius) => Shape::Circle(radius * self.unit),
            Shape::Box { width, height } => Shape::Box { width: width * self.unit, height: height * self.unit },
        };
        Some(Area::new(self.center?, shape))
    }

    /// What there is, in the order asked for, as many as asked for.
    fn find<'s>(&self, set: SortedSet<'s>) -> Vec<Hit<'s>> {
        let Some(area) = self.area() else { return Vec::new() };
        let enough = self.count.filter(|_| self.any).unwrap_or(usize::MAX);
        let mut hits = Vec::new();
        for range in area.cover() {
            if hits.len() >= enough {
                break;
            }
            let (min, max) = (range.start as f64, range.end as f64);
            let range = ScoreRange { min, max, min_exclusive: false, max_exclusive: true };
            let found = set.range(set.ranks_by_score(&range)).filter_map(|(member, score)| {
                let place = Place::decode(score);
                Some(Hit { member, score, place, distance: area.distance_to(place)? })
            });
            hits.extend(found.take(enough - hits.len()));
        }
        // The closest ones are meant where nothing else is said.
        let order = self.order.or((self.count.is_some() && !self.any).then_some(Order::Ascending));
        sort(&mut hits, order, self.count.unwrap_or(usize::MAX));
        hits.truncate(self.count.unwrap_or(usize::MAX));
        hits
    }

    fn reply(&self, reply: &mut Reply, hits: &[Hit<'_>]) {
        let more = self.with_distance as usize + self.with_hash as usize + self.with_place as usize;
        reply.array(hits.len());
        for hit in hits {
            if more > 0 {
                reply.array(1 + more);
            }
            reply.bulk(hit.member);
            if self.with_distance {
                reply_distance(reply, hit.distance / self.unit);
            }
            if self.with_hash {
                reply.integer(hit.score as i64);
            }
            if self.with_place {
                reply_place(reply, hit.place);
            }
        }
    }
}

/// Sorts by distance, the first `count` at least; those equally far away stay in order.
fn sort(hits: &mut Vec<Hit<'_>>, order: Option<Order>, count: usize) {
    let compare = match order {
        None => return,
        Some(Order::Ascending) => |a: &Hit<'_>, b: &Hit<'_>| a.distance.total_cmp(&b.distance),
        Some(Order::Descending) => |a: &Hit<'_>, b: &Hit<'_>| b.distance.total_cmp(&a.distance),
    };
    // Where few are wanted the others are put aside first.
    if count < hits.len() / 2 {
        let mut ranked: Vec<_> = std::mem::take(hits).into_iter().enumerate().collect();
        ranked.select_nth_unstable_by(count, |a, b| compare(&a.1, &b.1).then(a.0.cmp(&b.0)));
        ranked.truncate(count);
        ranked.sort_unstable_by_key(|(place, _)| *place);
        hits.extend(ranked.into_iter().map(|(_, hit)| hit));
    }
    hits.sort_by(compare);
}

/// Searches, and replies or stores what is found.
fn search(ctx: &mut Context<'_>, mut args: Args<'_>, grammar: Grammar) -> CommandResult {
    let first = grammar.destination == Destination::First;
    let destination = if first { Some(args.next_bytes()?) } else { None };
    let key = args.next_bytes()?;
    let (limits, basis) = (ctx.settings.sorted_set(), ctx.keys.keyspace().basis());
    let set = find(&mut ctx.keys, key)?;
    let request = Request::read(args, set, grammar, destination)?;
    let hits = set.map(|set| request.find(set)).unwrap_or_default();
    let Some(destination) = request.destination else {
        request.reply(&mut ctx.reply, &hits);
        return Ok(());
    };
    let score = |hit: &Hit<'_>| if request.by_distance { hit.distance / request.unit } else { hit.score };
    let result = collect(hits.iter().map(|hit| (hit.member, score(hit))), &limits, basis);
    let further = hits.len().saturating_sub(1);
    drop(hits);
    store(ctx, destination, Some(result), grammar.event);
    // Each place is a change.
    ctx.keys.effects.dirty += further as u64;
    Ok(())
}

const RADIUS: Grammar = Grammar { center: Center::Place, destination: Destination::Optional, event: "georadiusstore" };

/// `GEORADIUS key longitude latitude radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]`
pub fn georadius(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    search(ctx, args, RADIUS)
}

/// `GEORADIUS_RO key longitude latitude radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]`
pub fn georadius_ro(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    search(ctx, args, Grammar { destination: Destination::Nowhere, ..RADIUS })
}

/// `GEORADIUSBYMEMBER key member radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]`
pub fn georadiusbymember(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    search(ctx, args, Grammar { center: Center::Member, ..RADIUS })
}

/// `GEORADIUSBYMEMBER_RO key member radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]`
pub fn georadiusbymember_ro(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    search(ctx, args, Grammar { center: Center::Member, destination: Destination::Nowhere, ..RADIUS })
}

const SEARCH: Grammar = Grammar { center: Center::Named, destination: Destination::Nowhere, event: "geosearchstore" };

/// `GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius M | KM | FT | MI | BYBOX width height M | KM | FT | MI [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]`
pub fn geosearch(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    search(ctx, args, SEARCH)
}

/// `GEOSEARCHSTORE destination source FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius M | KM | FT | MI | BYBOX width height M | KM | FT | MI [ASC | DESC] [COUNT count [ANY]] [STOREDIST]`
pub fn geosearchstore(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    search(ctx, args, Grammar { destination: Destination::First, ..SEARCH })
}
