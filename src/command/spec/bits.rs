//! Sets of properties of commands and keys, each bit with the name that Redis gives it.
//!
//! `flags!(WRITE | DENYOOM)`, `categories!(KEYSPACE)` and `key_flags!(RO | ACCESS)` write a set in a row.

use std::ops::BitOr;

macro_rules! bit_set {
    ($(#[$meta:meta])* $name:ident: $int:ty { $($(#[$doc:meta])* $flag:ident = $bit:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name(pub $int);
        impl $name {
            /// No bit.
            pub const NONE: $name = $name(0);
            $($(#[$doc])* #[doc = concat!("`", $text, "` in replies.")] pub const $flag: $name = $name(1 << $bit);)*
            /// Every bit with the name that Redis gives it, in Redis's order.
            pub const NAMES: &'static [($name, &'static str)] = &[$(($name::$flag, $text)),*];
            /// Whether all bits of `other` are set.
            #[inline]
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }
            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
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
        /// First, last and step do not tell all keys; derived from the key specifications, never written in a row.
        MOVABLE_KEYS = 17, "movablekeys";
        /// While a script is busy.
        ALLOW_BUSY = 18, "allow_busy";
        /// May be called without any key.
        NO_MANDATORY_KEYS = 19, "no_mandatory_keys";
    }
}

bit_set! {
    /// ACL categories, in Redis's order.
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

/// A set of command flags: `flags!(WRITE | FAST)`.
macro_rules! flags {
    ($($flag:ident)|+) => { $crate::command::spec::Flags::NONE$(.with($crate::command::spec::Flags::$flag))+ };
}

/// A set of ACL categories: `categories!(KEYSPACE | DANGEROUS)`.
macro_rules! categories {
    ($($category:ident)|+) => {
        $crate::command::spec::Categories::NONE$(.with($crate::command::spec::Categories::$category))+
    };
}

/// A set of key flags: `key_flags!(RW | UPDATE)`.
macro_rules! key_flags {
    ($($flag:ident)|+) => { $crate::command::spec::KeyFlags::NONE$(.with($crate::command::spec::KeyFlags::$flag))+ };
}

pub(crate) use {categories, flags, key_flags};
