//! Every limit of the house, in one place, with the assertions that tie them together.

/// Longest payload of a one-allocation value ([`crate::value::thin::Thin`]), in bytes: a field and a value of a
/// hash, both as long as arguments get, with the length between them.
pub const THIN_BYTES_MAX: usize = (1 << 30) + 16;

/// Longest string value and longest bulk argument (`proto-max-bulk-len`), in bytes.
pub const BULK_BYTES_MAX: usize = 512 << 20;

/// Most arguments of one command.
pub const ARGUMENTS_MAX: usize = 1 << 20;

/// Longest inline command, in bytes.
pub const INLINE_BYTES_MAX: usize = 64 << 10;

/// Most arguments, and longest bulk in bytes, that a client which has not authenticated may send.
pub const UNAUTHENTICATED_ARGUMENTS_MAX: usize = 10;
/// See [`UNAUTHENTICATED_ARGUMENTS_MAX`].
pub const UNAUTHENTICATED_BULK_BYTES_MAX: usize = 16 << 10;

/// Longest text of a long double (INCRBYFLOAT), in bytes: Redis's buffer of 5 KiB, less its NUL.
pub const LONG_DOUBLE_TEXT_MAX: usize = (5 << 10) - 1;

/// How deep configuration files may include each other.
pub const CONFIG_INCLUDES_MAX: usize = 16;

const _: () = assert!(BULK_BYTES_MAX < THIN_BYTES_MAX && INLINE_BYTES_MAX <= BULK_BYTES_MAX);

/// Longest string that lives in its record; a longer one gets a buffer of its own, with room to grow.
pub const EMBEDDED_STRING_BYTES_MAX: usize = 2 << 10;

/// Shards of the keyspace: enough that two of a few dozen workers seldom meet.
pub const SHARDS: usize = 1024;
const _: () = assert!(SHARDS.is_power_of_two() && SHARDS <= 1 << 12);

const _: () = assert!(2 * BULK_BYTES_MAX + 5 <= THIN_BYTES_MAX && INLINE_BYTES_MAX <= BULK_BYTES_MAX);

/// Longest reply of elements drawn at random with repetition, in bytes: there a client chooses the length by a number.
pub const DRAWN_REPLY_BYTES_MAX: usize = 256 << 20;

/// What a worker reads at once, in bytes.
pub const READ_BYTES: usize = 64 << 10;
/// Largest read or write buffer that a worker keeps between turns.
pub const WORKER_BUFFER_KEPT_BYTES: usize = 1 << 20;
/// Largest buffer that an idle connection keeps.
pub const CONNECTION_BUFFER_KEPT_BYTES: usize = 4 << 10;
/// A client that has to authenticate has so many seconds for it.
pub const AUTHENTICATION_SECONDS_MAX: u64 = 60;
/// A seat that is kept for the operator may be idle for so many seconds.
pub const RESERVED_IDLE_SECONDS_MAX: u64 = 30;

/// Longest string of an RDB file that holds a packed structure, in bytes: what Redis keeps a listpack below.
pub const RDB_BLOB_BYTES_MAX: usize = 1 << 30;

/// Number that no database of an RDB file reaches: as high as `databases` can be set.
pub const RDB_DATABASES_MAX: usize = i32::MAX as usize;
