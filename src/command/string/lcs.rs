//! LCS: the longest common subsequence of two strings.
//!
//! The textbook table: cell (i, j) is the length of the longest subsequence that the first i bytes of one and the first
//! j of the other have in common. It is filled front to back and walked back to front, which gives the subsequence and
//! its ranges in both strings, the last first. The table is refused where it would outgrow the longest string.

use crate::command::{Args, Context};
use crate::protocol::error::{CommandError, CommandResult};
use crate::protocol::reply::Reply;
use crate::store::record::StringRef;

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    len: bool,
    indexes: bool,
    with_match_len: bool,
    match_len_min: usize,
}

impl Options {
    fn read(mut args: Args<'_>) -> CommandResult<Options> {
        let mut options = Options::default();
        while args.remaining() > 0 {
            if args.take("IDX") {
                options.indexes = true;
            } else if args.take("LEN") {
                options.len = true;
            } else if args.take("WITHMATCHLEN") {
                options.with_match_len = true;
            } else if args.take_with_value("MINMATCHLEN") {
                options.match_len_min = usize::try_from(args.next_i64()?).unwrap_or(0);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        if options.indexes && options.len {
            return Err(CommandError::LcsLengthAndIndexes);
        }
        Ok(options)
    }
}

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]`
pub fn lcs(ctx: &mut Context<'_>, mut args: Args<'_>) -> CommandResult {
    let (first, second) = (args.next_bytes()?, args.next_bytes()?);
    let texts = [first, second].map(|key| match ctx.keys.find(key) {
        Some(record) => record.string().map(|string| string.len()),
        None => Some(0),
    });
    let [Some(a), Some(b)] = texts else { return Err(CommandError::LcsNotStrings) };
    let options = Options::read(args)?;
    // Fewer cells than 2^60: no string is longer than 2^29 bytes.
    if (a + 1) * (b + 1) * size_of::<u32>() > ctx.settings.string_bytes() {
        return Err(CommandError::LcsMemory);
    }
    let text = |key| ctx.keys.view(key).and_then(|record| record.string()).map(StringRef::text).unwrap_or_default();
    let (a, b) = (text(first), text(second));
    let table = Table::new(&a, &b);
    if options.len {
        ctx.reply.count(table.len());
    } else if options.indexes {
        reply_ranges(&mut ctx.reply, &table, &options);
    } else {
        let mut common: Vec<u8> = table.matches().map(|(i, _)| a[i]).collect();
        common.reverse();
        ctx.reply.bulk(&common);
    }
    Ok(())
}

struct Table<'t> {
    a: &'t [u8],
    b: &'t [u8],
    /// Row by row, one more than the bytes of `b` in each.
    cells: Vec<u32>,
}

impl<'t> Table<'t> {
    fn new(a: &'t [u8], b: &'t [u8]) -> Table<'t> {
        let width = b.len() + 1;
        let mut cells = vec![0; (a.len() + 1) * width];
        for (i, byte) in a.iter().enumerate() {
            let (above, row) = cells[i * width..(i + 2) * width].split_at_mut(width);
            for (j, other) in b.iter().enumerate() {
                row[j + 1] = if byte == other { above[j] + 1 } else { above[j + 1].max(row[j]) };
            }
        }
        Table { a, b, cells }
    }

    fn cell(&self, i: usize, j: usize) -> u32 {
        self.cells[i * (self.b.len() + 1) + j]
    }

    /// Length of the longest common subsequence.
    fn len(&self) -> usize {
        self.cell(self.a.len(), self.b.len()) as usize
    }

    /// The places of its bytes in both strings, from the last to the first.
    fn matches(&self) -> impl Iterator<Item = (usize, usize)> {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        std::iter::from_fn(move || {
            while i > 0 && j > 0 {
                if self.a[i - 1] == self.b[j - 1] {
                    (i, j) = (i - 1, j - 1);
                    return Some((i, j));
                }
                if self.cell(i - 1, j) > self.cell(i, j - 1) { i -= 1 } else { j -= 1 }
            }
            None
        })
    }
}

/// Bytes that the strings have in common in one piece: where it starts in each, and its length.
#[derive(Clone, Copy)]
struct Piece {
    starts: [usize; 2],
    len: usize,
}

fn reply_ranges(reply: &mut Reply, table: &Table<'_>, options: &Options) {
    reply.map(2);
    reply.bulk(b"matches");
    let (mark, mut count) = (reply.deferred_array(), 0);
    let mut emit = |piece: Piece| {
        if piece.len < options.match_len_min {
            return;
        }
        count += 1;
        reply.array(2 + options.with_match_len as usize);
        for start in piece.starts {
            reply.array(2);
            reply.count(start);
            reply.count(start + piece.len - 1);
        }
        if options.with_match_len {
            reply.count(piece.len);
        }
    };
    let mut open: Option<Piece> = None;
    for (i, j) in table.matches() {
        open = match open {
            Some(piece) if piece.starts == [i + 1, j + 1] => Some(Piece { starts: [i, j], len: piece.len + 1 }),
            ended => {
                ended.into_iter().for_each(&mut emit);
                Some(Piece { starts: [i, j], len: 1 })
            }
        };
    }
    open.into_iter().for_each(emit);
    reply.finish_array(mark, count);
    reply.bulk(b"len");
    reply.count(table.len());
}
