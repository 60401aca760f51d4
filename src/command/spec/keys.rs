//! Where the keys of a command are: specifications as Redis publishes them, and the search that follows them.
//!
//! A specification says where to begin (an argument, or behind a keyword) and how to go on (a range, or a count that is
//! an argument itself). `COMMAND GETKEYS`, ACL key checks, cluster slots and the lock set all use the one search here;
//! nearly all commands fit the `SimpleKeys` triple, which needs no search. Everything read from arguments is checked:
//! a count beyond the arguments, however big, is an error and never a panic.

use smallvec::SmallVec;

use super::bits::KeyFlags;

/// Where some keys of a command are: where to begin, then how many.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// What happens to these keys.
    pub flags: KeyFlags,
    /// Where the keys begin.
    pub begin: BeginSearch,
    /// How many there are.
    pub find: FindKeys,
    /// Redis's own remark, or empty.
    pub notes: &'static str,
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginSearch {
    /// At this argument.
    Index(u16),
    /// Behind this keyword, searched from this argument on (negative: from the end).
    Keyword(&'static str, i16),
    /// Behind the last of this keyword, wherever it is; published as unknown.
    Anywhere(&'static str),
    /// No argument is a key: behind these keywords stand patterns, which the content of other keys completes; published
    /// as unknown.
    Patterns(&'static [&'static str]),
    /// Nobody can say.
    Unknown,
}

/// Which arguments, seen from where the search begins, are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindKeys {
    /// From the first to `last` (relative; negative: from the end of the arguments), every `step`-th; with `last` -1
    /// and a `limit` above 1 only the first of `limit` equal parts.
    Range {
        /// Last key, relative to the first; negative counts from the end of all arguments.
        last: i16,
        /// Distance from key to key.
        step: u16,
        /// Divides what is left; 0 and 1 mean all of it.
        limit: u16,
    },
    /// The number of keys stands in an argument.
    KeyNumber {
        /// The count's place.
        count_at: u16,
        /// The first key's place.
        first: u16,
        /// Distance from key to key.
        step: u16,
    },
    /// Nobody can say.
    Unknown,
}

impl KeySpec {
    /// One key at argument 1.
    pub const fn first(flags: KeyFlags) -> KeySpec {
        KeySpec::at(1, flags)
    }
    /// One key at argument `index`.
    pub const fn at(index: u16, flags: KeyFlags) -> KeySpec {
        KeySpec::range(index, 0, 1, flags)
    }
    /// Every argument from `index` on.
    pub const fn from(index: u16, flags: KeyFlags) -> KeySpec {
        KeySpec::range(index, -1, 1, flags)
    }
    /// Keys from argument `index` to `last` (relative to it; negative: from the end), every `step`-th.
    pub const fn range(index: u16, last: i16, step: u16, flags: KeyFlags) -> KeySpec {
        KeySpec { flags, begin: BeginSearch::Index(index), find: FindKeys::Range { last, step, limit: 0 }, notes: "" }
    }
    /// A count of keys at argument `index`, the keys behind it.
    pub const fn counted(index: u16, flags: KeyFlags) -> KeySpec {
        let find = FindKeys::KeyNumber { count_at: 0, first: 1, step: 1 };
        KeySpec { flags, begin: BeginSearch::Index(index), find, notes: "" }
    }
    /// A count of keys at argument `index`, the keys behind it, every `step`-th argument.
    pub const fn counted_by_step(index: u16, step: u16, flags: KeyFlags) -> KeySpec {
        let find = FindKeys::KeyNumber { count_at: 0, first: 1, step };
        KeySpec { flags, begin: BeginSearch::Index(index), find, notes: "" }
    }
    /// One key behind a keyword, which is searched from argument `from` on.
    pub const fn behind(keyword: &'static str, from: i16, flags: KeyFlags) -> KeySpec {
        let find = FindKeys::Range { last: 0, step: 1, limit: 0 };
        KeySpec { flags, begin: BeginSearch::Keyword(keyword, from), find, notes: "" }
    }
    /// Keys that patterns behind these keywords name.
    pub const fn patterns(keywords: &'static [&'static str], flags: KeyFlags) -> KeySpec {
        KeySpec { flags, begin: BeginSearch::Patterns(keywords), find: FindKeys::Unknown, notes: "" }
    }
    /// One key behind the last of a keyword.
    pub const fn anywhere(keyword: &'static str, flags: KeyFlags) -> KeySpec {
        KeySpec { flags, begin: BeginSearch::Anywhere(keyword), find: FindKeys::Unknown, notes: "" }
    }
    /// With a remark.
    pub const fn notes(self, notes: &'static str) -> KeySpec {
        KeySpec { notes, ..self }
    }
}

/// Keys at regular places, the form that suffices for nearly every command: the dispatcher reads it without a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimpleKeys {
    /// The first key's argument; 0 where there is no key.
    pub first: u16,
    /// The last key's argument; negative counts from the end of the arguments (-1 is the last).
    pub last: i16,
    /// Distance from key to key; 0 where there is no key.
    pub step: u16,
}

impl SimpleKeys {
    /// Whether there is one key, whatever the number of arguments.
    #[inline]
    pub const fn is_one(self) -> bool {
        self.first > 0 && self.last == self.first as i16
    }

    /// The places of the keys among `argc` arguments; empty where there are none.
    #[inline]
    pub fn positions(self, argc: usize) -> impl Iterator<Item = usize> {
        let last = if self.last < 0 {
            argc.saturating_sub(self.last.unsigned_abs() as usize)
        } else {
            (self.last.unsigned_abs() as usize).min(argc.saturating_sub(1))
        };
        let first = if self.first == 0 { last + 1 } else { self.first as usize };
        (first..=last).step_by(self.step.max(1) as usize)
    }
}

/// The ranges of all specifications joined into the triple that `COMMAND INFO` shows, and whether it misses keys.
///
/// Several specifications join only as long as each begins right behind the one before, with step 1.
pub const fn joined_ranges(specs: &[KeySpec]) -> (SimpleKeys, bool) {
    let mut joined = SimpleKeys { first: 0, last: 0, step: 0 };
    let mut misses_keys = false;
    let mut index = 0;
    while index < specs.len() {
        let spec = &specs[index];
        index += 1;
        let (BeginSearch::Index(first), FindKeys::Range { last, step, limit }) = (spec.begin, spec.find) else {
            misses_keys = true;
            continue;
        };
        let follows = joined.first == 0 || (joined.last >= 0 && first as i16 == joined.last + 1);
        if specs.len() > 1 && (step != 1 || !follows) {
            misses_keys = true;
            continue;
        }
        misses_keys |= spec.flags.has(KeyFlags::INCOMPLETE) || limit > 1;
        if joined.first == 0 {
            joined.first = first;
        }
        joined.last = if last < 0 { last } else { last + first as i16 };
        joined.step = step;
    }
    (joined, misses_keys)
}

/// Place of a key among the arguments, and what happens to it.
pub type KeyPosition = (u32, KeyFlags);

/// Places of all keys of a call.
pub type KeyPositions = SmallVec<[KeyPosition; 4]>;

/// The arguments contradict the key specifications (a count beyond them, a missing end): no well-formed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys;

/// Where the keys of a call are; `arguments` begins with the command's name (a container's name for a subcommand).
///
/// Says what `COMMAND GETKEYS` says: no key at all is an error too, unless the command has none to begin with.
pub fn key_positions<A: AsRef<[u8]>>(specs: &[KeySpec], arguments: &[A]) -> Result<KeyPositions, InvalidKeys> {
    positions(specs.iter().filter(|spec| !spec.flags.has(KeyFlags::NOT_KEY)), arguments)
}

/// Where whatever has a slot in a cluster is: keys, and channels of shards.
///
/// # Errors
/// As [`key_positions`].
pub fn slot_positions<A: AsRef<[u8]>>(specs: &[KeySpec], arguments: &[A]) -> Result<KeyPositions, InvalidKeys> {
    positions(specs.iter(), arguments)
}

fn positions<'a, A: AsRef<[u8]>>(
    specs: impl Iterator<Item = &'a KeySpec>,
    arguments: &[A],
) -> Result<KeyPositions, InvalidKeys> {
    let mut positions = KeyPositions::new();
    for spec in specs {
        let Some(begin) = begin_of(spec.begin, arguments)? else { continue };
        let (first, last, step) = match spec.begin {
            BeginSearch::Anywhere(_) => (begin, begin, 1),
            _ => range_of(spec.find, begin, arguments)?,
        };
        if last >= arguments.len() || last < first {
            return Err(InvalidKeys);
        }
        let flags = actual_flags(spec.flags, arguments);
        for position in (first..=last).step_by(step) {
            positions.push((u32::try_from(position).map_err(|_| InvalidKeys)?, flags));
        }
        if spec.flags.has(KeyFlags::INCOMPLETE) {
            return Err(InvalidKeys);
        }
    }
    Ok(positions)
}

/// The argument where the search begins; `None` where its keyword is not there.
fn begin_of<A: AsRef<[u8]>>(begin: BeginSearch, arguments: &[A]) -> Result<Option<usize>, InvalidKeys> {
    let is_keyword = |position: usize, keyword: &str| {
        arguments.get(position).is_some_and(|argument| argument.as_ref().eq_ignore_ascii_case(keyword.as_bytes()))
    };
    match begin {
        BeginSearch::Index(index) => Ok(Some(index as usize)),
        BeginSearch::Keyword(keyword, from) if from > 0 => {
            // As in Redis, the last argument is no keyword: no key could follow it.
            let end = arguments.len().saturating_sub(1);
            let found = (from.unsigned_abs() as usize..end).find(|at| is_keyword(*at, keyword));
            Ok(found.map(|at| at + 1))
        }
        BeginSearch::Keyword(keyword, from) => {
            let start = arguments.len().saturating_sub(from.unsigned_abs() as usize);
            let found = (2..=start).rev().find(|at| is_keyword(*at, keyword));
            Ok(found.map(|at| at + 1))
        }
        BeginSearch::Anywhere(keyword) => {
            let found = (1..arguments.len().saturating_sub(1)).rev().find(|at| is_keyword(*at, keyword));
            Ok(found.map(|at| at + 1))
        }
        BeginSearch::Patterns(_) => Ok(None),
        BeginSearch::Unknown => Err(InvalidKeys),
    }
}

/// Whether [`key_positions`] finds every key that a call may touch. It cannot where patterns name keys, nor where a
/// keyword that leads to one key stands twice: the last is heeded.
pub fn are_provable<A: AsRef<[u8]>>(specs: &[KeySpec], arguments: &[A]) -> bool {
    let is = |argument: &A, keyword: &str| argument.as_ref().eq_ignore_ascii_case(keyword.as_bytes());
    specs.iter().all(|spec| match spec.begin {
        BeginSearch::Keyword(_, _) if !matches!(spec.find, FindKeys::Range { last: 0, .. }) => true,
        BeginSearch::Index(_) => true,
        BeginSearch::Keyword(keyword, _) | BeginSearch::Anywhere(keyword) => {
            arguments.iter().skip(1).filter(|argument| is(argument, keyword)).nth(1).is_none()
        }
        BeginSearch::Patterns(keywords) => !arguments
            .windows(2)
            .any(|pair| pair[1].as_ref().contains(&b'*') && keywords.iter().any(|keyword| is(&pair[0], keyword))),
        BeginSearch::Unknown => false,
    })
}

/// First key, last key (inclusive) and step; the last may lie outside the arguments.
fn range_of<A: AsRef<[u8]>>(
    find: FindKeys,
    begin: usize,
    arguments: &[A],
) -> Result<(usize, usize, usize), InvalidKeys> {
    let argc = arguments.len();
    match find {
        FindKeys::Range { last, step, limit } => {
            let back = last.unsigned_abs() as usize;
            let end = match (last < 0, limit) {
                (false, _) => Some(begin + back),
                (true, 0) => argc.checked_sub(back),
                (true, limit) => (begin + argc.saturating_sub(begin) / limit as usize).checked_sub(back),
            };
            Ok((begin, end.ok_or(InvalidKeys)?, step.max(1) as usize))
        }
        FindKeys::KeyNumber { count_at, first, step } => {
            let count = arguments.get(begin + count_at as usize).ok_or(InvalidKeys)?;
            let count = leading_count(count.as_ref()).filter(|count| *count > 0).ok_or(InvalidKeys)?;
            let first = begin + first as usize;
            let span = (count - 1).checked_mul(step.max(1) as usize).ok_or(InvalidKeys)?;
            Ok((first, first.checked_add(span).ok_or(InvalidKeys)?, step.max(1) as usize))
        }
        FindKeys::Unknown => Err(InvalidKeys),
    }
}

/// The number that the text begins with, as C's `atoi` reads it: blanks and a plus sign before, anything behind.
///
/// Redis falls back to that reading where the count is no proper number, so `COMMAND GETKEYS ZUNION 2x a b` finds keys.
fn leading_count(text: &[u8]) -> Option<usize> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

/// What happens to the key of a command whose options decide it: SET reads the old value only with GET or to compare it,
/// BITFIELD writes only with SET or INCRBY.
fn actual_flags<A: AsRef<[u8]>>(flags: KeyFlags, arguments: &[A]) -> KeyFlags {
    if !flags.has(KeyFlags::VARIABLE_FLAGS) {
        return flags;
    }
    let both = KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE;
    let is = |at: usize, word: &[u8]| arguments.get(at).is_some_and(|found| found.as_ref().eq_ignore_ascii_case(word));
    if !is(0, b"bitfield") {
        let options: [&[u8]; 5] = [b"get", b"ifeq", b"ifne", b"ifdeq", b"ifdne"];
        let reads_old = (3..arguments.len()).any(|at| options.iter().any(|option| is(at, option)));
        return if reads_old { both } else { KeyFlags::OW | KeyFlags::UPDATE };
    }
    let mut at = 2;
    while is(at, b"get") || is(at, b"overflow") {
        at += if is(at, b"get") { 3 } else { 2 };
    }
    let writes = is(at, b"set") || is(at, b"incrby");
    if writes { both } else { KeyFlags::RO | KeyFlags::ACCESS }
}
