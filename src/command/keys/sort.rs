//! SORT and SORT_RO.
//!
//! The elements are copied into one buffer ([`Texts`]), since looking up what patterns name may remove expired keys
//! under their hands. What is sorted are pairs of a number and an element's place: the number is the score, or the first
//! eight bytes of the text, turned so that it compares like the whole; only where two are equal the texts are read. Of
//! a sort with LIMIT only the window is put in order. Sorting by nothing loads no more than the window.

use std::cmp::Ordering;
use std::ops::Range;

use smallvec::SmallVec;

use crate::base::number::{format_i64, parse_f64};
use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::store::effects::EventClass;
use crate::store::keys::Keys;
use crate::store::record::{NewValue, Record, StringRef};
use crate::value::hash::Hash;
use crate::value::list::{EMPTY, End, List, ListMut};
use crate::value::packed::Form;
use crate::value::set::Set;
use crate::value::sorted_set::SortedSet;

/// Elements of a list that are logged in one command.
const LOGGED_ELEMENTS: usize = 1024;

/// Texts one behind the other, or nothing in the place of one.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    /// Where each ends, and whether it is there.
    ends: Vec<(usize, bool)>,
}

impl Texts {
    fn push(&mut self, text: Option<&[u8]>) {
        self.bytes.extend_from_slice(text.unwrap_or_default());
        self.ends.push((self.bytes.len(), text.is_some()));
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn get(&self, index: usize) -> Option<&[u8]> {
        let start = if index == 0 { 0 } else { self.ends[index - 1].0 };
        let (end, is_there) = self.ends[index];
        is_there.then(|| &self.bytes[start..end])
    }
}

/// What BY and GET name for an element.
#[derive(Clone, Copy)]
enum Pattern<'a> {
    /// `#`: the element itself.
    Element,
    /// Without a star: nothing.
    Constant,
    /// The key between `prefix` and `suffix`, or a field of the hash there.
    Key { prefix: &'a [u8], suffix: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a [u8]) -> Pattern<'a> {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = text.iter().position(|byte| *byte == b'*') else { return Pattern::Constant };
        let (prefix, rest) = (&text[..star], &text[star + 1..]);
        let arrow = rest.windows(2).position(|pair| pair == b"->").filter(|at| at + 2 < rest.len());
        match arrow {
            Some(at) => Pattern::Key { prefix, suffix: &rest[..at], field: Some(&rest[at + 2..]) },
            None => Pattern::Key { prefix, suffix: rest, field: None },
        }
    }

    /// Shows `take` what the pattern names for an element.
    fn look_up<R>(self, keys: &mut Keys<'_>, element: &[u8], take: impl FnOnce(Option<&[u8]>) -> R) -> R {
        let (prefix, suffix, field) = match self {
            Pattern::Element => return take(Some(element)),
            Pattern::Constant => return take(None),
            Pattern::Key { prefix, suffix, field } => (prefix, suffix, field),
        };
        let key = [prefix, element, suffix].concat();
        let Some(record) = keys.find(&key) else { return take(None) };
        if let Some(field) = field {
            return take(record.hash().and_then(|form| Hash::new(form).get(field)));
        }
        match record.string() {
            Some(StringRef::Integer(number)) => take(Some(&format_i64(number))),
            Some(StringRef::Bytes(bytes)) => take(Some(bytes)),
            None => take(None),
        }
    }
}

/// What is asked for.
#[derive(Default)]
struct Request<'a> {
    /// The elements themselves where it is not said.
    by: Option<Pattern<'a>>,
    limit: Option<(i64, i64)>,
    descending: bool,
    alphabetic: bool,
    gets: SmallVec<[Pattern<'a>; 2]>,
    destination: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    fn read(mut args: Args<'a>, may_store: bool, is_clustered: bool) -> CommandResult<Request<'a>> {
        let mut request = Request::default();
        while args.remaining() > 0 {
            if args.take("ASC") {
                request.descending = false;
            } else if args.take("DESC") {
                request.descending = true;
            } else if args.take("ALPHA") {
                request.alphabetic = true;
            } else if args.remaining() >= 3 && args.take("LIMIT") {
                request.limit = Some((args.next_i64()?, args.next_i64()?));
            } else if may_store && args.take_with_value("STORE") {
                request.destination = Some(args.next_bytes()?);
            } else if args.take_with_value("BY") {
                request.by = Some(match Pattern::parse(args.next_bytes()?) {
                    Pattern::Element => Pattern::Constant,
                    Pattern::Key { .. } if is_clustered => return Err(CommandError::SortInCluster("BY")),
                    pattern => pattern,
                });
            } else if is_clustered && args.take_with_value("GET") {
                return Err(CommandError::SortInCluster("GET"));
            } else if args.take_with_value("GET") {
                request.gets.push(Pattern::parse(args.next_bytes()?));
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(request)
    }

    /// The places in the result that are wanted, of `len`.
    fn window(&self, len: usize) -> Range<usize> {
        let Some((offset, count)) = self.limit else { return 0..len };
        let start = usize::try_from(offset).unwrap_or(0).min(len);
        let count = usize::try_from(count).unwrap_or(len);
        start..start.saturating_add(count).min(len)
    }
}

/// What can be sorted.
enum Source<'s> {
    List(List<'s>),
    Set(Set<'s>),
    SortedSet(SortedSet<'s>),
}

impl<'s> Source<'s> {
    fn of(record: &'s Record) -> CommandResult<Source<'s>> {
        if let Some(form) = record.list() {
            Ok(Source::List(List::new(form)))
        } else if let Some(form) = record.set() {
            Ok(Source::Set(Set::new(form)))
        } else if let Some(form) = record.sorted_set() {
            Ok(Source::SortedSet(SortedSet::new(form)))
        } else {
            Err(CommandError::WrongType)
        }
    }

    fn len(&self) -> usize {
        match self {
            Source::List(list) => list.len(),
            Source::Set(set) => set.len(),
            Source::SortedSet(set) => set.len(),
        }
    }

    fn is_set(&self) -> bool {
        matches!(self, Source::Set(_))
    }

    /// The elements of a window of the order that the value has itself, which a set's is not to be told by.
    fn load(&self, window: Range<usize>, descending: bool) -> Texts {
        let mut texts = Texts::default();
        let mut push = |text: &[u8]| texts.push(Some(text));
        let mirrored = self.len() - window.end..self.len() - window.start;
        match (self, descending) {
            (Source::List(list), false) => list.range(window).for_each(push),
            (Source::List(list), true) => list.range(mirrored).rev().for_each(push),
            (Source::SortedSet(set), false) => set.range(window).for_each(|(member, _)| push(member)),
            (Source::SortedSet(set), true) => set.range(mirrored).rev().for_each(|(member, _)| push(member)),
            (Source::Set(set), _) => set.iter().skip(window.start).take(window.len()).for_each(|member| push(&member)),
        }
        texts
    }
}

/// A number as Redis reads weights: blanks may precede it, and nothing is zero.
fn weight(text: &[u8]) -> Option<f64> {
    parse_f64(text).or_else(|| {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        if text.is_empty() { Some(0.0) } else { parse_f64(text.trim_ascii_start()) }
    })
}

/// A number that compares like the weight.
fn key_of_weight(weight: f64) -> u64 {
    // Zeros of either sign are equal.
    let bits = (weight + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// A number that compares like the beginning of the text.
fn key_of_text(text: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = text.len().min(8);
    first[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(first)
}

/// An element on its way into order.
#[derive(Clone, Copy)]
struct Item {
    key: u64,
    index: usize,
}

/// The places of the elements that belong into the window, in order.
fn sorted(
    request: &Request<'_>,
    alphabetic: bool,
    elements: &Texts,
    weights: Option<&Texts>,
    window: Range<usize>,
) -> CommandResult<Vec<usize>> {
    let subjects = weights.unwrap_or(elements);
    let mut items = Vec::with_capacity(elements.len());
    for index in 0..elements.len() {
        let key = match (subjects.get(index), alphabetic) {
            // What has no weight has none to be converted, either.
            (None, true) => 0,
            (None, false) => key_of_weight(0.0),
            (Some(text), true) => key_of_text(text),
            (Some(text), false) => key_of_weight(weight(text).ok_or(CommandError::SortNotDouble)?),
        };
        items.push(Item { key, index });
    }
    // By score, then by the element itself; texts that patterns brought may be equal, and stay in order then.
    let texts = if alphabetic { subjects } else { elements };
    let compare = |a: &Item, b: &Item| {
        let order = a.key.cmp(&b.key).then_with(|| texts.get(a.index).cmp(&texts.get(b.index)));
        if request.descending { order.reverse() } else { order }.then(a.index.cmp(&b.index))
    };
    Ok(in_window(items, window, compare))
}

fn in_window(mut items: Vec<Item>, window: Range<usize>, compare: impl Fn(&Item, &Item) -> Ordering) -> Vec<usize> {
    let Range { start, end } = window;
    if start == end {
        return Vec::new();
    }
    // What lies outside is only put on its side.
    if end - start < items.len() / 2 {
        if end < items.len() {
            items.select_nth_unstable_by(end, &compare);
        }
        if start > 0 {
            items[..end].select_nth_unstable_by(start, &compare);
        }
        items[start..end].sort_unstable_by(&compare);
    } else {
        items.sort_unstable_by(&compare);
    }
    items[start..end].iter().map(|item| item.index).collect()
}

/// Sorts, and replies or stores the result.
fn run(ctx: &mut Context<'_>, mut args: Args<'_>, may_store: bool) -> CommandResult {
    let key = args.next_bytes()?;
    let request = Request::read(args, may_store, ctx.settings.is_clustered())?;
    let mut elements = Texts::default();
    let mut picked: Vec<usize> = Vec::new();
    let mut is_tied = false;
    if let Some(record) = ctx.keys.find(key) {
        let source = Source::of(record)?;
        let window = request.window(source.len());
        // A set has no order of its own that could be stored, or that a script could rely on.
        let is_named = (request.destination.is_some() || ctx.in_script) && source.is_set();
        let (alphabetic, by) = match request.by {
            Some(Pattern::Constant) if is_named => (true, None),
            by => (request.alphabetic, by),
        };
        if let Some(Pattern::Constant) = by {
            elements = source.load(window, request.descending);
            picked = (0..elements.len()).collect();
        } else {
            is_tied = source.is_set() && alphabetic && by.is_some();
            elements = source.load(0..source.len(), false);
            let weights = by.map(|pattern| look_all_up(&mut ctx.keys, pattern, &elements));
            picked = sorted(&request, alphabetic, &elements, weights.as_ref(), window)?;
        }
    }
    match request.destination {
        Some(destination) => store(ctx, destination, &request, &elements, &picked, is_tied),
        None => reply(ctx, &request, &elements, &picked),
    }
    Ok(())
}

/// What a pattern names for each of the elements.
fn look_all_up(keys: &mut Keys<'_>, pattern: Pattern<'_>, elements: &Texts) -> Texts {
    let mut found = Texts::default();
    for element in (0..elements.len()).filter_map(|index| elements.get(index)) {
        pattern.look_up(keys, element, |text| found.push(text));
    }
    found
}

/// Shows `take` each text of the result.
fn each(
    keys: &mut Keys<'_>,
    request: &Request<'_>,
    elements: &Texts,
    picked: &[usize],
    mut take: impl FnMut(Option<&[u8]>),
) {
    for element in picked.iter().filter_map(|index| elements.get(*index)) {
        if request.gets.is_empty() {
            take(Some(element));
        }
        request.gets.iter().for_each(|pattern| pattern.look_up(keys, element, &mut take));
    }
}

fn reply(ctx: &mut Context<'_>, request: &Request<'_>, elements: &Texts, picked: &[usize]) {
    ctx.reply.array(picked.len() * request.gets.len().max(1));
    let reply = &mut ctx.reply;
    each(&mut ctx.keys, request, elements, picked, |text| reply.bulk_or_null(text));
}

/// Stores the result as a list; `is_tied` if another server with the same data might order it otherwise.
fn store(
    ctx: &mut Context<'_>,
    destination: &[u8],
    request: &Request<'_>,
    elements: &Texts,
    picked: &[usize],
    is_tied: bool,
) {
    let mut result = Texts::default();
    each(&mut ctx.keys, request, elements, picked, |text| result.push(Some(text.unwrap_or_default())));
    let values: Vec<&[u8]> = (0..result.len()).filter_map(|index| result.get(index)).collect();
    ctx.reply.count(values.len());
    if values.is_empty() {
        ctx.keys.delete(destination);
        return;
    }
    let limits = ctx.settings.list();
    ctx.keys.set(destination, NewValue::List(Form::Packed(EMPTY)), None);
    if let Some(mut record) = ctx.keys.find_mut(destination)
        && let Some(mut home) = record.list_mut()
    {
        ListMut::new(&mut home).push(End::Tail, &values, &limits);
    }
    ctx.keys.changed_by(values.len(), EventClass::List, "sortstore", destination);
    if is_tied && ctx.keys.effects.logging {
        let database = ctx.keys.database;
        ctx.keys.effects.log_instead(database, &[b"DEL", destination]);
        for part in values.chunks(LOGGED_ELEMENTS) {
            ctx.keys.effects.log_instead(database, &[&[b"RPUSH", destination], part].concat());
        }
    }
}

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]`
pub fn sort(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    run(ctx, args, true)
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]`
pub fn sort_ro(ctx: &mut Context<'_>, args: Args<'_>) -> CommandResult {
    run(ctx, args, false)
}

#[cfg(test)]
mod tests;
