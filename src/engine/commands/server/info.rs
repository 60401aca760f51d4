//! `INFO`: figures about the instance, with Redis 7.2's sections and fields in its order.
//!
//! A field is there if it has a meaning here; those of features that are not there (replicas, forks, scripts) show what
//! they show on a Redis that does not use them. The section `debug` is not there: it times the turns of one event loop.
//! A section writes itself from the figures, and knows no other.

mod memory;
mod sections;

use std::fmt::{Display, Write};

use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::CommandResult;

/// The text of the reply.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Begins a section; an empty line parts it from the one before.
    fn section(&mut self, title: &str) {
        let gap = if self.0.is_empty() { "" } else { "\r\n" };
        // Writing to a string cannot fail, here and below.
        _ = write!(self.0, "{gap}# {title}\r\n");
    }

    fn field(&mut self, name: impl Display, value: impl Display) {
        _ = write!(self.0, "{name}:{value}\r\n");
    }

    /// The same value, nearly always 0, under each of the names.
    fn fields(&mut self, names: &[&str], value: impl Display + Copy) {
        names.iter().for_each(|name| self.field(name, value));
    }
}

/// A section's name, its title, whether INFO without arguments shows it, and what writes its fields.
type Section = (&'static str, &'static str, bool, fn(&mut Text, &mut Call<'_, '_>));

const SECTIONS: &[Section] = &[
    ("server", "Server", true, sections::server),
    ("clients", "Clients", true, sections::clients),
    ("memory", "Memory", true, memory::memory),
    ("persistence", "Persistence", true, sections::persistence),
    ("stats", "Stats", true, sections::stats),
    ("replication", "Replication", true, sections::replication),
    ("cpu", "CPU", true, sections::cpu),
    ("modules", "Modules", true, |_, _| {}),
    ("commandstats", "Commandstats", false, sections::commandstats),
    ("errorstats", "Errorstats", true, sections::errorstats),
    ("latencystats", "Latencystats", false, sections::latencystats),
    ("cluster", "Cluster", true, |text, call| {
        text.field("cluster_enabled", u8::from(call.engine.cluster.is_enabled));
    }),
    ("keyspace", "Keyspace", true, sections::keyspace),
];

/// Whether the arguments ask for a section.
fn is_wanted(asked: &[&[u8]], name: &str, by_default: bool) -> bool {
    let names = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let wanted = |word: &&[u8]| {
        names(word, name) || names(word, "all") || names(word, "everything") || (by_default && names(word, "default"))
    };
    if asked.is_empty() { by_default } else { asked.iter().any(wanted) }
}

/// `INFO [section [section ...]]`
pub fn info(call: &mut Call<'_, '_>, args: Args<'_>) -> CommandResult<Outcome> {
    let asked: Vec<&[u8]> = args.rest().collect();
    // The running batch's own gains and losses belong into the picture.
    call.context.keys.settle_bytes();
    let mut text = Text::default();
    for (name, title, by_default, write) in SECTIONS {
        if is_wanted(&asked, name, *by_default) {
            text.section(title);
            write(&mut text, call);
        }
    }
    call.context.reply.verbatim("txt", text.0.as_bytes());
    Ok(Outcome::Done)
}
