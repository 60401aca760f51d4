//! The declaration of a command: one row, from which everything about the command is derived.
//!
//! Lookup, arity errors, `COMMAND` and its subcommands, ACL categories, key extraction, the gates of the dispatcher,
//! per-command statistics and the README's command table all read these rows. There is no second list.
//!
//! `H` is the type of the handler: data families run on a `Context`, the engine's own commands on more.

pub mod arg;
pub mod bits;
mod help;
pub mod keys;
#[cfg(test)]
pub(crate) mod tests;

pub use arg::{Argument, ArgumentKind};
pub use bits::{Categories, Flags, KeyFlags};
pub(crate) use bits::{categories, flags, key_flags};
pub use help::help_lines;
pub use keys::{BeginSearch, FindKeys, KeySpec, SimpleKeys};

/// One command, or one subcommand of a container.
#[derive(Debug)]
pub struct CommandSpec<H: 'static> {
    /// Lower-case name; a subcommand's own name only (`setname`, not `client|setname`).
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// First Redis version that has it.
    pub since: &'static str,
    /// The documentation's group, which also gives the data type's ACL category.
    pub group: Group,
    /// Time complexity, as `COMMAND DOCS` tells it.
    pub complexity: &'static str,
    /// Number of arguments, the name included (for a subcommand, container and name both).
    pub arity: Arity,
    /// Behaviour that the gates read.
    pub flags: Flags,
    /// ACL categories beyond those that group and flags imply.
    pub categories: Categories,
    /// Hints for clients and proxies (`nondeterministic_output`, …).
    pub tips: &'static [&'static str],
    /// Where the keys are, and what happens to them.
    pub keys: &'static [KeySpec],
    /// The argument tree, as `COMMAND DOCS` tells it.
    pub arguments: &'static [Argument],
    /// Changes of behaviour: (version, what changed).
    pub history: &'static [(&'static str, &'static str)],
    /// Version that deprecated it, and what to use instead.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// For the server's own use, not for applications (`syscmd` in `COMMAND DOCS`).
    pub internal: bool,
    /// Subcommands of a container.
    pub subcommands: &'static [CommandSpec<H>],
    /// What runs; `None` for a container, which cannot be called alone.
    pub handler: Option<H>,
}

/// How many arguments a command takes, its name included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// So many.
    Exactly(u16),
    /// So many or more.
    AtLeast(u16),
}

impl Arity {
    /// Whether a command of `count` arguments fits.
    #[inline]
    pub const fn accepts(self, count: usize) -> bool {
        match self {
            Arity::Exactly(n) => count == n as usize,
            Arity::AtLeast(n) => count >= n as usize,
        }
    }

    /// Redis's number: negative for a minimum.
    pub const fn signed(self) -> i64 {
        match self {
            Arity::Exactly(n) => n as i64,
            Arity::AtLeast(n) => -(n as i64),
        }
    }
}

/// Group of a command in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Geo,
    Stream,
    Bitmap,
    Cluster,
}

impl Group {
    /// The name that `COMMAND DOCS` uses.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::HyperLogLog => "hyperloglog",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
            Group::Cluster => "cluster",
        }
    }
}

impl<H> CommandSpec<H> {
    /// A row without anything; the rows of a family name what they have in front of `..`.
    pub const EMPTY: CommandSpec<H> = CommandSpec {
        name: "",
        summary: "",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: Arity::AtLeast(1),
        flags: Flags::NONE,
        categories: Categories::NONE,
        tips: &[],
        keys: &[],
        arguments: &[],
        history: &[],
        deprecated: None,
        internal: false,
        subcommands: &[],
        handler: None,
    };

    /// Whether any argument can be a key.
    pub fn has_keys(&self) -> bool {
        self.keys.iter().any(|spec| !spec.flags.has(KeyFlags::NOT_KEY))
    }

    /// First, last and step, where they tell all keys; `None` where the keys must be searched.
    pub const fn simple_keys(&self) -> Option<SimpleKeys> {
        match keys::joined_ranges(self.keys) {
            (simple, false) => Some(simple),
            (_, true) => None,
        }
    }

    /// First, last and step as `COMMAND INFO` shows them, even where they miss keys.
    pub const fn legacy_keys(&self) -> SimpleKeys {
        keys::joined_ranges(self.keys).0
    }

    /// The flags of the row and those derived from the rest of it.
    pub const fn all_flags(&self) -> Flags {
        if keys::joined_ranges(self.keys).1 { self.flags.with(Flags::MOVABLE_KEYS) } else { self.flags }
    }

    /// The ACL categories of the command: those that group and flags imply, and its own.
    ///
    /// A container that cannot be called alone has none of its group's, as in Redis.
    pub fn all_categories(&self) -> Categories {
        let implied = [
            (Flags::WRITE, Categories::WRITE),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::BLOCKING, Categories::BLOCKING),
            (Flags::FAST, Categories::FAST),
            (Flags::ADMIN, Categories::ADMIN | Categories::DANGEROUS),
        ];
        let mut all = self.categories;
        for (flag, category) in implied {
            if self.flags.has(flag) {
                all = all | category;
            }
        }
        if self.flags.has(Flags::READONLY) && self.group != Group::Scripting {
            all = all | Categories::READ;
        }
        if !self.flags.has(Flags::FAST) {
            all = all | Categories::SLOW;
        }
        if self.handler.is_none() {
            return all;
        }
        all | match self.group {
            Group::String => Categories::STRING,
            Group::List => Categories::LIST,
            Group::Set => Categories::SET,
            Group::SortedSet => Categories::SORTED_SET,
            Group::Hash => Categories::HASH,
            Group::HyperLogLog => Categories::HYPERLOGLOG,
            Group::Transactions => Categories::TRANSACTION,
            Group::Connection => Categories::CONNECTION,
            Group::Scripting => Categories::SCRIPTING,
            Group::Geo => Categories::GEO,
            Group::Stream => Categories::STREAM,
            Group::Bitmap => Categories::BITMAP,
            Group::Generic | Group::PubSub | Group::Server | Group::Cluster => Categories::NONE,
        }
    }
}
