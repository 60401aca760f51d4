//! The options of XADD and XTRIM.

use super::ids::{self, Given};
use crate::command::Args;
use crate::command::context::Context;
use crate::protocol::error::{CommandError, CommandResult};
use crate::value::stream::{Stream, StreamId, Threshold};

/// What a trim by whole nodes removes at most, for so many entries of a full node.
const NODES_MAX: u64 = 100;
/// The same where a node's entries are not limited, and at the most.
const ENTRIES: (u64, u64) = (10_000, 1_000_000);

/// A trim as it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Trim {
    threshold: Threshold,
    /// By whole nodes only (`~`).
    pub approximate: bool,
    limit: u64,
    /// The threshold's argument.
    pub at: usize,
}

impl Trim {
    /// Removes what is beyond the threshold; returns how many entries that were.
    pub fn apply(&self, stream: &mut Stream) -> u64 {
        stream.entries.trim(self.threshold, self.approximate, self.limit)
    }

    /// A threshold that removes exactly what was removed, for the log.
    pub fn reached(&self, stream: &Stream) -> Vec<u8> {
        match self.threshold {
            Threshold::Length(_) => stream.entries.len().to_string().into_bytes(),
            Threshold::Id(_) if stream.entries.is_empty() => StreamId::MAX.text().to_vec(),
            Threshold::Id(_) => stream.entries.first_id().text().to_vec(),
        }
    }
}

/// The id that XADD is to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// `*`: what comes next at this time.
    Next,
    /// As it was given.
    Given(Given),
}

/// The options in front of the fields.
pub struct Options {
    /// What to remove.
    pub trim: Option<Trim>,
    /// No stream is created (`NOMKSTREAM`).
    pub no_stream: bool,
    /// The id.
    pub id: NewId,
    /// The id's argument; 0 for none.
    pub id_at: usize,
}

/// Options as they are read.
#[derive(Default)]
struct Reading {
    threshold: Option<(Threshold, usize)>,
    approximate: bool,
    limit: Option<u64>,
    no_stream: bool,
    id: Option<(NewId, usize)>,
}

impl Options {
    /// Reads the options of XADD, the id included.
    ///
    /// # Errors
    /// As Redis words them.
    pub fn of_add(ctx: &Context<'_>, args: &mut Args<'_>) -> CommandResult<Options> {
        let mut reading = Reading::default();
        while reading.id.is_none() && args.remaining() > 0 {
            let at = next_index(args);
            if args.peek() == Some(b"*") {
                args.skip(1);
                reading.id = Some((NewId::Next, at));
            } else if reading.trim_option(args)? {
                continue;
            } else if args.take("NOMKSTREAM") {
                reading.no_stream = true;
            } else {
                reading.id = Some((NewId::Given(ids::parse(args.next_bytes()?, 0)?), at));
            }
        }
        // Without an id there are no fields either, which the caller sees.
        reading.finish(ctx, true)
    }

    /// Reads the options of XTRIM, up to the end.
    ///
    /// # Errors
    /// As Redis words them.
    pub fn of_trim(ctx: &Context<'_>, mut args: Args<'_>) -> CommandResult<Trim> {
        let mut reading = Reading::default();
        while args.remaining() > 0 {
            if !reading.trim_option(&mut args)? {
                return Err(CommandError::Syntax);
            }
        }
        reading.finish(ctx, false)?.trim.ok_or(CommandError::XtrimWithoutStrategy)
    }
}

/// The place of the next argument.
fn next_index(args: &Args<'_>) -> usize {
    args.len() - args.remaining()
}

impl Reading {
    /// Reads one of the options that XADD and XTRIM share; false where there is none.
    fn trim_option(&mut self, args: &mut Args<'_>) -> CommandResult<bool> {
        if args.take_with_value("MAXLEN") {
            self.begin_threshold(args)?;
            let at = next_index(args);
            let length = u64::try_from(args.next_i64()?).map_err(|_| CommandError::TrimMaxlenNegative)?;
            self.threshold = Some((Threshold::Length(length), at));
        } else if args.take_with_value("MINID") {
            self.begin_threshold(args)?;
            let at = next_index(args);
            self.threshold = Some((Threshold::Id(ids::strict(args.next_bytes()?, 0)?), at));
        } else if args.take_with_value("LIMIT") {
            let limit = u64::try_from(args.next_i64()?).map_err(|_| CommandError::TrimLimitNegative)?;
            self.limit = Some(limit);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn begin_threshold(&mut self, args: &mut Args<'_>) -> CommandResult {
        if self.threshold.is_some() {
            return Err(CommandError::TrimMaxlenWithMinid);
        }
        self.approximate = args.take_with_value("~");
        if !self.approximate {
            args.take_with_value("=");
        }
        Ok(())
    }

    fn finish(self, ctx: &Context<'_>, adds: bool) -> CommandResult<Options> {
        if self.threshold.is_none() && self.limit.is_some_and(|limit| limit > 0) {
            return Err(CommandError::TrimLimitAlone);
        }
        let (id, id_at) = self.id.unwrap_or((NewId::Next, 0));
        let limit = match self.limit {
            _ if self.threshold.is_none() && !adds => return Err(CommandError::XtrimWithoutStrategy),
            Some(_) if !self.approximate => return Err(CommandError::TrimLimitExact),
            Some(limit) => limit,
            None if self.approximate => match NODES_MAX.saturating_mul(ctx.settings.stream().entries as u64) {
                0 => ENTRIES.0,
                entries => entries.min(ENTRIES.1),
            },
            None => 0,
        };
        let trim = self.threshold.map(|(threshold, at)| Trim { threshold, approximate: self.approximate, limit, at });
        Ok(Options { trim, no_stream: self.no_stream, id, id_at })
    }
}
