//! The sparse encoding: runs of equal registers.
//!
//! ```text
//! 00llllll            l + 1 registers of rank 0                (zero run, 1 to 64)
//! 01llllll llllllll   l + 1 registers of rank 0                (long zero run, 1 to 16384)
//! 1rrrrrll            l + 1 registers of rank r + 1            (value run, 1 to 4 registers, ranks 1 to 32)
//! ```
//!
//! Raising a register splits the run that holds it and then joins value runs nearby. Which code results depends on the
//! order of the additions, and clients compare these bytes, so splitting and joining follow Redis step by step.

use super::{Corrupt, REGISTERS};

/// The code of registers that are all zero.
pub(super) const EMPTY: [u8; 2] = [0x7f, 0xff];

/// Highest rank of a value run.
const RANK_MAX: u8 = 32;
/// Longest zero run in one byte.
const ZEROS_MAX: usize = 64;
/// Longest value run.
const VALUES_MAX: usize = 4;
/// Runs that are looked at to be joined after a change, from the run before it.
const JOIN_WINDOW: usize = 5;

/// Registers in a row with the same rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Its first register.
    pub first: usize,
    /// How many there are.
    pub len: usize,
    /// The rank of all of them.
    pub rank: u8,
    /// Bytes of its code.
    code_len: usize,
}

/// What [`raise`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The register is not lower than that.
    None,
    /// The register is raised.
    Done,
    /// The sparse encoding cannot hold the rank, or would take too much space: nothing is changed.
    NeedsDense,
}

/// The run at the beginning of `code`.
#[inline]
fn decode(code: &[u8], first: usize) -> Option<Run> {
    let (&byte, rest) = code.split_first()?;
    Some(match byte >> 6 {
        0 => Run { first, len: byte as usize + 1, rank: 0, code_len: 1 },
        1 => {
            let low = *rest.first()?;
            Run { first, len: ((byte as usize & 0x3f) << 8 | low as usize) + 1, rank: 0, code_len: 2 }
        }
        _ => Run { first, len: (byte as usize & 3) + 1, rank: (byte >> 2 & 31) + 1, code_len: 1 },
    })
}

fn value_run(rank: u8, len: usize) -> u8 {
    debug_assert!((1..=RANK_MAX).contains(&rank) && (1..=VALUES_MAX).contains(&len));
    0x80 | (rank - 1) << 2 | (len - 1) as u8
}

/// Calls `visit` for every run; an error when the runs do not cover all registers exactly.
pub(super) fn for_each_run(code: &[u8], mut visit: impl FnMut(Run)) -> Result<(), Corrupt> {
    let (mut at, mut register) = (0, 0);
    while at < code.len() {
        let run = decode(&code[at..], register).filter(|run| run.len <= REGISTERS - register).ok_or(Corrupt)?;
        visit(run);
        at += run.code_len;
        register += run.len;
    }
    if register == REGISTERS { Ok(()) } else { Err(Corrupt) }
}

/// The code as text, run by run up to where it is none.
pub(super) fn shown(code: &[u8]) -> String {
    let mut rest = code;
    let runs = std::iter::from_fn(|| {
        let run = decode(rest, 0)?;
        rest = &rest[run.code_len..];
        Some(match run {
            Run { rank: 0, code_len: 1, len, .. } => format!("z:{len}"),
            Run { rank: 0, len, .. } => format!("Z:{len}"),
            Run { rank, len, .. } => format!("v:{rank},{len}"),
        })
    });
    runs.collect::<Vec<_>>().join(" ")
}

/// Raises a register to `rank` in the code that begins at `start` of `bytes`.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    start: usize,
    register: usize,
    rank: u8,
    sparse_max: usize,
) -> Result<Change, Corrupt> {
    if rank > RANK_MAX {
        return Ok(Change::NeedsDense);
    }
    let (at, previous, run) = find(bytes, start, register)?;
    if run.rank >= rank {
        return Ok(Change::None);
    }
    if run.len == 1 && run.code_len == 1 {
        bytes[at] = value_run(rank, 1);
    } else {
        let (code, len) = split(run, register, rank);
        if len > run.code_len && bytes.len() + (len - run.code_len) > sparse_max {
            return Ok(Change::NeedsDense);
        }
        bytes.splice(at..at + run.code_len, code[..len].iter().copied());
    }
    join(bytes, previous.unwrap_or(start));
    Ok(Change::Done)
}

/// The run that holds `register`: where its code is, where the one before begins, and what it says.
fn find(bytes: &[u8], start: usize, register: usize) -> Result<(usize, Option<usize>, Run), Corrupt> {
    let (mut at, mut previous, mut first) = (start, None, 0);
    loop {
        let run = bytes.get(at..).and_then(|code| decode(code, first)).ok_or(Corrupt)?;
        if register < first + run.len {
            return Ok((at, previous, run));
        }
        previous = Some(at);
        at += run.code_len;
        first += run.len;
    }
}

/// The code of `run` with one register of another rank in it: at most five bytes, and how many they are.
fn split(run: Run, register: usize, rank: u8) -> ([u8; 5], usize) {
    let (mut code, mut len) = ([0; 5], 0);
    let mut put = |byte: u8| {
        code[len] = byte;
        len += 1;
    };
    let rest = |put: &mut dyn FnMut(u8), count: usize| match count {
        0 => {}
        _ if run.rank > 0 => put(value_run(run.rank, count)),
        1..=ZEROS_MAX => put((count - 1) as u8),
        _ => {
            put(0x40 | ((count - 1) >> 8) as u8);
            put((count - 1) as u8);
        }
    };
    rest(&mut put, register - run.first);
    put(value_run(rank, 1));
    rest(&mut put, run.first + run.len - 1 - register);
    (code, len)
}

/// Joins neighbouring value runs of the same rank around a change.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_WINDOW {
        let Some(run) = bytes.get(at..).and_then(|code| decode(code, 0)) else { return };
        if run.rank > 0
            && let Some(next) = decode(&bytes[at + 1..], 0)
            && next.rank == run.rank
            && run.len + next.len <= VALUES_MAX
        {
            bytes[at + 1] = value_run(run.rank, run.len + next.len);
            bytes.remove(at);
            continue;
        }
        at += run.code_len;
    }
}
