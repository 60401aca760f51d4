//! The declaration of a command: one row, from which everything about the command is derived.
//!
//! Lookup, arity errors, `COMMAND` and its subcommands, ACL categories, key extraction, the gates of the dispatcher,
//! per-command statistics and the README's command table all read these rows. There is no second list.
//!
//! `H` is the type of the handler: data families run on a `Context`, the engine's own commands on more.

use std::ops::BitOr;

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

macro_rules! bit_set {
    ($(#[$meta:meta])* $name:ident: $int:ty { $($(#[$doc:meta])* $flag:ident = $bit:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name(pub $int);
        impl $name {
            /// No bit.
            pub const NONE: $name = $name(0);
            $($(#[$doc])* pub const $flag: $name = $name(1 << $bit);)*
            /// Every bit with the name that Redis gives it, in Redis's order.
            pub const NAMES: &'static [($name, &'static str)] = &[$(($name::$flag, $text)),*];
            /// Whether all bits of `other` are set.
            #[inline]
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }
            /// Both.
            pub const fn with(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
            /// The names of the bits that are set, in Redis's order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMES.iter().filter(move |(bit, _)| self.has(*bit)).map(|(_, name)| *name)
            }
        }
        impl BitOr for $name {
            type Output = $name;
            fn bitor(self, other: $name) -> $name {
                self.with(other)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_list().entries(self.names()).finish()
            }
        }
    };
}

bit_set! {
    /// Behaviour of a command; names and order are those of `COMMAND INFO`.
    Flags: u32 {
        /// May change the keyspace.
        WRITE = 0, "write";
        /// Only reads.
        READONLY = 1, "readonly";
        /// May use memory: refused at `maxmemory`.
        DENYOOM = 2, "denyoom";
        /// An operator's command.
        ADMIN = 3, "admin";
        /// About channels.
        PUBSUB = 4, "pubsub";
        /// Not from scripts.
        NOSCRIPT = 5, "noscript";
        /// May wait.
        BLOCKING = 6, "blocking";
        /// While a dataset loads.
        LOADING = 7, "loading";
        /// On a replica that lags.
        STALE = 8, "stale";
        /// Not shown to MONITOR.
        SKIP_MONITOR = 9, "skip_monitor";
        /// Not in the slow log.
        SKIP_SLOWLOG = 10, "skip_slowlog";
        /// Asks for no ASK redirection.
        ASKING = 11, "asking";
        /// Constant or logarithmic time.
        FAST = 12, "fast";
        /// Before AUTH.
        NO_AUTH = 13, "no_auth";
        /// May be replicated without being a write.
        MAY_REPLICATE = 14, "may_replicate";
        /// Not while loading asynchronously.
        NO_ASYNC_LOADING = 15, "no_async_loading";
        /// Not within MULTI.
        NO_MULTI = 16, "no_multi";
        /// Keys cannot be told from the specification alone.
        MOVABLE_KEYS = 17, "movablekeys";
        /// While a script is busy.
        ALLOW_BUSY = 18, "allow_busy";
        /// Its keys are not all in the specification's ranges.
        NO_MANDATORY_KEYS = 19, "no_mandatory_keys";
    }
}

bit_set! {
    /// ACL categories, in Redis's order.
    #[allow(missing_docs)]
    Categories: u32 {
        KEYSPACE = 0, "keyspace";
        READ = 1, "read";
        WRITE = 2, "write";
        SET = 3, "set";
        SORTED_SET = 4, "sortedset";
        LIST = 5, "list";
        HASH = 6, "hash";
        STRING = 7, "string";
        BITMAP = 8, "bitmap";
        HYPERLOGLOG = 9, "hyperloglog";
        GEO = 10, "geo";
        STREAM = 11, "stream";
        PUBSUB = 12, "pubsub";
        ADMIN = 13, "admin";
        FAST = 14, "fast";
        SLOW = 15, "slow";
        BLOCKING = 16, "blocking";
        DANGEROUS = 17, "dangerous";
        CONNECTION = 18, "connection";
        TRANSACTION = 19, "transaction";
        SCRIPTING = 20, "scripting";
    }
}

bit_set! {
    /// What a command does to the keys of one specification; names are those of `COMMAND INFO`.
    KeyFlags: u16 {
        /// Reads the value.
        RO = 0, "RO";
        /// Reads and changes the value.
        RW = 1, "RW";
        /// Overwrites the value whatever it was.
        OW = 2, "OW";
        /// Removes the key.
        RM = 3, "RM";
        /// Returns or uses data of the value.
        ACCESS = 4, "access";
        /// Changes data depending on the value.
        UPDATE = 5, "update";
        /// Adds data without changing what is there.
        INSERT = 6, "insert";
        /// Removes data.
        DELETE = 7, "delete";
        /// Not really a key.
        NOT_KEY = 8, "not_key";
        /// The specification may miss keys.
        INCOMPLETE = 9, "incomplete";
        /// The flags depend on the arguments.
        VARIABLE_FLAGS = 10, "variable_flags";
    }
}

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
    /// Keys from argument `index` to `last` (relative to it; negative: from the end), every `step`-th.
    pub const fn range(index: u16, last: i16, step: u16, flags: KeyFlags) -> KeySpec {
        KeySpec { flags, begin: BeginSearch::Index(index), find: FindKeys::Range { last, step, limit: 0 }, notes: "" }
    }
    /// A count of keys at argument `index`, the keys behind it.
    pub const fn counted(index: u16, flags: KeyFlags) -> KeySpec {
        KeySpec {
            flags,
            begin: BeginSearch::Index(index),
            find: FindKeys::KeyNumber { count_at: 0, first: 1, step: 1 },
            notes: "",
        }
    }
}

/// One node of the argument tree.
#[derive(Debug)]
pub struct Argument {
    /// The argument's name in the documentation.
    pub name: &'static str,
    /// Its kind, with the children of a choice or a group.
    pub kind: ArgumentKind,
    /// The keyword in front of it, if any.
    pub token: Option<&'static str>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Where repeated, the token is repeated too.
    pub multiple_token: bool,
    /// Index into the command's key specifications, for keys.
    pub key_spec: Option<u8>,
    /// Version that added it, if later than the command.
    pub since: Option<&'static str>,
    /// Version that deprecated it.
    pub deprecated_since: Option<&'static str>,
    /// Another text to show for it.
    pub display: Option<&'static str>,
}

/// Kind of an argument.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum ArgumentKind {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    /// Exactly one of these.
    OneOf(&'static [Argument]),
    /// All of these, in order.
    Block(&'static [Argument]),
}

impl Argument {
    /// A plain argument; columns that differ are named after `..`.
    pub const PLAIN: Argument = Argument {
        name: "",
        kind: ArgumentKind::String,
        token: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        key_spec: None,
        since: None,
        deprecated_since: None,
        display: None,
    };
}

impl<H> CommandSpec<H> {
    /// The ACL categories of the command: those that group and flags imply, and its own.
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
