//! LPOS: where a value stands in a list.

use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::value::list::List;

/// What LPOS is asked beside the value.
struct Search {
    /// Which match is the first to count, from 1.
    rank: u64,
    /// From the tail.
    reverse: bool,
    /// `COUNT`: reply an array of so many matches, 0 for all; without it the reply is one index.
    count: Option<usize>,
    /// `MAXLEN`: compare so many values at most, 0 for all.
    compared_max: usize,
}

impl Search {
    fn read(args: &mut Args<'_>) -> CommandResult<Search> {
        let mut search = Search { rank: 1, reverse: false, count: None, compared_max: 0 };
        while args.remaining() > 0 {
            if args.take_with_value("RANK") {
                let rank = args.next_i64()?;
                if rank == i64::MIN {
                    return Err(CommandError::NotBetween(Box::new((-i64::MAX, i64::MAX))));
                }
                if rank == 0 {
                    return Err(CommandError::LposRankZero);
                }
                (search.rank, search.reverse) = (rank.unsigned_abs(), rank < 0);
            } else if args.take_with_value("COUNT") {
                search.count = Some(not_negative(args, CommandError::LposCountNegative)?);
            } else if args.take_with_value("MAXLEN") {
                search.compared_max = not_negative(args, CommandError::LposMaxlenNegative)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(search)
    }

    /// The indices of the matches, from the end where the search begins.
    fn matches<'a>(&self, list: List<'a>, value: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
        let len = list.len();
        let compared = if self.compared_max == 0 { len } else { self.compared_max.min(len) };
        let skipped = usize::try_from(self.rank - 1).unwrap_or(usize::MAX);
        let most = self.count.map_or(1, |count| if count == 0 { usize::MAX } else { count });
        let reverse = self.reverse;
        let mut values = list.iter();
        (0..compared)
            .filter_map(move |step| {
                let known = if reverse { values.next_back() } else { values.next() }?;
                (known == value).then_some(if reverse { len - 1 - step } else { step })
            })
            .skip(skipped)
            .take(most)
    }
}

fn not_negative(args: &mut Args<'_>, error: CommandError) -> CommandResult<usize> {
    usize::try_from(args.next_i64_or(error.clone())?).map_err(|_| error)
}

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub fn lpos(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (key, value) = (args.next_bytes()?, args.next_bytes()?);
    let search = Search::read(&mut args)?;
    let Some(record) = ctx.keys.find(key) else {
        match search.count {
            Some(_) => ctx.reply.array(0),
            None => ctx.reply.null(),
        }
        return Ok(());
    };
    let list = List::new(record.list().ok_or(CommandError::WrongType)?);
    let mut matches = search.matches(list, value);
    if search.count.is_none() {
        match matches.next() {
            Some(index) => ctx.reply.count(index),
            None => ctx.reply.null(),
        }
        return Ok(());
    }
    let (mark, mut found) = (ctx.reply.deferred_array(), 0);
    for index in matches {
        ctx.reply.count(index);
        found += 1;
    }
    ctx.reply.finish_array(mark, found);
    Ok(())
}
