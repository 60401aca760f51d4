//! `LOLWUT`: a shelf of pipkins, small pots on feet, each with a glaze of its own; and the version.

use crate::base::random::Random;
use crate::command::Args;
use crate::engine::commands::connection::REDIS_VERSION;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// Pots on the shelf.
const POTS: usize = 5;
/// Lines of the drawing, and columns of a pot.
const LINES: usize = 8;
const COLUMNS: usize = 18;
/// Glazes: what the belly's lines are made of, in turn.
const GLAZES: [&str; 8] = ["~", "-=", "o.", "/\\", ":", "*  ", "<>", "#."];

/// `LOLWUT [VERSION version]`
pub fn lolwut(call: &mut Call<'_, '_>, mut args: Args<'_>) -> CommandResult<Outcome> {
    // There is one drawing, whichever version's is asked for.
    if args.take_with_value("VERSION") {
        args.next_i64()?;
    }
    let mut text = shelf(&call.engine.random);
    text.push_str(&format!("\nPipkin {}, Redis ver. {REDIS_VERSION}\n", env!("CARGO_PKG_VERSION")));
    call.context.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// The pots side by side, and the board that they stand on.
fn shelf(random: &Random) -> String {
    let pots: Vec<[String; LINES]> = (0..POTS).map(|_| pot(random)).collect();
    let mut text = String::new();
    for line in 0..LINES {
        let columns: Vec<&str> = pots.iter().map(|pot| pot[line].as_str()).collect();
        text.push_str(columns.concat().trim_end());
        text.push('\n');
    }
    text.push_str(&"=".repeat(POTS * COLUMNS));
    text.push('\n');
    text
}

/// A pot: steam perhaps, rim, belly, feet, and a handle on one side.
fn pot(random: &Random) -> [String; LINES] {
    let width = 6 + random.index(4);
    let height = 2 + random.index(3);
    let glaze = GLAZES[random.index(GLAZES.len())];
    let steams = random.index(2) == 0;
    let handle_line = random.index(height);
    let mut lines = Vec::with_capacity(LINES);
    if steams {
        lines.push(format!("  {:^width$}", ") ) )"));
    }
    lines.push(format!("  .{}.", "-".repeat(width)));
    for line in 0..height {
        let belly: String = glaze.chars().cycle().skip(line).take(width).collect();
        let handle = if line == handle_line { "==o" } else { "" };
        lines.push(format!(" ({belly} ){handle}").replacen('(', "( ", 1));
    }
    lines.push(format!("  '{}'", "-".repeat(width)));
    lines.push(format!("   /{}\\", " ".repeat(width.saturating_sub(2))));
    std::array::from_fn(|line| {
        let blank = LINES - lines.len();
        let drawn = line.checked_sub(blank).map_or("", |line| lines[line].as_str());
        format!("{drawn:<COLUMNS$}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pot_fits_its_place() {
        for seed in 0..500 {
            let random = Random::from_seed(seed);
            for line in pot(&random) {
                assert_eq!(line.chars().count(), COLUMNS, "{line:?}");
            }
        }
        let text = shelf(&Random::from_seed(1));
        assert_eq!(text.lines().count(), LINES + 1, "{text}");
    }
}
