//! The bytes of the RDB format that mean something.

/// The version that is written: the newest that Redis 7.0 reads.
pub const VERSION: u16 = 10;
/// The version that is written where fields of hashes have deadlines: Redis 8.0 reads it, and 7.4 with the types in it.
pub const VERSION_WITH_FIELD_DEADLINES: u16 = 12;
/// The newest version of Redis's that is read: Redis 8.0 writes it.
pub const VERSION_MAX: u16 = 12;
/// The version that Valkey 9.0 and 9.1 write; they start their own count at 80.
pub const VALKEY_VERSION: u16 = 80;
/// The first version that ends with a checksum.
pub const CHECKSUM_SINCE: u16 = 5;

/// Bytes of the magic and the version.
pub const HEADER_BYTES: usize = 9;
/// In front of Redis's four digits of version.
pub const MAGIC: &[u8] = b"REDIS";
/// In front of Valkey's three.
pub const VALKEY_MAGIC: &[u8] = b"VALKEY";

/// What an item is where it is no key.
pub mod opcode {
    /// Hints for a cluster's slots: slot, keys, keys with a deadline.
    pub const SLOT_INFO: u8 = 244;
    /// A library of functions as candidates for Redis 7.0 wrote it.
    pub const FUNCTION_PRE_RELEASE: u8 = 246;
    /// The source of a library of functions.
    pub const FUNCTION: u8 = 245;
    /// Data of a module beside its keys.
    pub const MODULE_AUXILIARY: u8 = 247;
    /// Seconds since the next key was used.
    pub const IDLE: u8 = 248;
    /// How often the next key is used.
    pub const FREQUENCY: u8 = 249;
    /// An auxiliary field.
    pub const AUXILIARY: u8 = 250;
    /// Sizes of the database.
    pub const SIZES: u8 = 251;
    /// Deadline of the next key in ms.
    pub const DEADLINE_MS: u8 = 252;
    /// Deadline of the next key in seconds.
    pub const DEADLINE: u8 = 253;
    /// Number of the database.
    pub const SELECT: u8 = 254;
    /// The end.
    pub const END: u8 = 255;
}

/// Types of values.
pub mod kind {
    /// A string.
    pub const STRING: u8 = 0;
    /// Strings of a list.
    pub const LIST: u8 = 1;
    /// Members of a set.
    pub const SET: u8 = 2;
    /// Members and scores in text.
    pub const SORTED_SET: u8 = 3;
    /// Fields and values.
    pub const HASH: u8 = 4;
    /// Members and scores in binary.
    pub const SORTED_SET_2: u8 = 5;
    /// A value of a module, without the marks that let it be skipped.
    pub const MODULE: u8 = 6;
    /// A value of a module.
    pub const MODULE_2: u8 = 7;
    /// A hash in a zipmap.
    pub const HASH_ZIPMAP: u8 = 9;
    /// A list in a ziplist.
    pub const LIST_ZIPLIST: u8 = 10;
    /// A set in an intset.
    pub const SET_INTSET: u8 = 11;
    /// A sorted set in a ziplist.
    pub const SORTED_SET_ZIPLIST: u8 = 12;
    /// A hash in a ziplist.
    pub const HASH_ZIPLIST: u8 = 13;
    /// A list in several ziplists.
    pub const LIST_QUICKLIST: u8 = 14;
    /// A stream, first layout.
    pub const STREAM: u8 = 15;
    /// A hash in a listpack.
    pub const HASH_LISTPACK: u8 = 16;
    /// A sorted set in a listpack.
    pub const SORTED_SET_LISTPACK: u8 = 17;
    /// A list in several listpacks and plain strings.
    pub const LIST_QUICKLIST_2: u8 = 18;
    /// A stream, second layout.
    pub const STREAM_2: u8 = 19;
    /// A set in a listpack.
    pub const SET_LISTPACK: u8 = 20;
    /// A stream, third layout.
    pub const STREAM_3: u8 = 21;
    /// A hash whose fields have deadlines, Valkey's layout.
    pub const HASH_DEADLINES_VALKEY: u8 = 22;
    /// The same in Redis's layout.
    pub const HASH_DEADLINES: u8 = 24;
    /// The same in a listpack.
    pub const HASH_DEADLINES_LISTPACK: u8 = 25;
    /// The highest type there is.
    pub const LAST: u8 = HASH_DEADLINES_LISTPACK;
}

/// The two top bits of a length.
pub mod length {
    /// The other six are the length.
    pub const SIX_BITS: u8 = 0;
    /// They are its upper part, a byte follows.
    pub const FOURTEEN_BITS: u8 = 1;
    /// The whole byte in front of a length of 32 bits.
    pub const LONG: u8 = 0x80;
    /// The same for 64 bits.
    pub const LONGER: u8 = 0x81;
    /// They say how a string is written that has no length.
    pub const ENCODED: u8 = 3;
}

/// How a string without a length is written.
pub mod encoding {
    /// An integer of one byte.
    pub const INTEGER_8: u8 = 0;
    /// Of two.
    pub const INTEGER_16: u8 = 1;
    /// Of four.
    pub const INTEGER_32: u8 = 2;
    /// Compressed by LZF: its length there, its own length, the bytes.
    pub const LZF: u8 = 3;
}

/// Kinds of the nodes of [`kind::LIST_QUICKLIST_2`].
pub mod node {
    /// One value as a string.
    pub const PLAIN: u64 = 1;
    /// A listpack.
    pub const PACKED: u64 = 2;
}

/// What a module's data consists of.
pub mod module {
    /// The end.
    pub const END: u64 = 0;
    /// A signed integer.
    pub const SIGNED: u64 = 1;
    /// An unsigned one.
    pub const UNSIGNED: u64 = 2;
    /// Four bytes.
    pub const FLOAT: u64 = 3;
    /// Eight bytes.
    pub const DOUBLE: u64 = 4;
    /// A string.
    pub const STRING: u64 = 5;
}
