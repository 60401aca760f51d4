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

/// A piece of the log's buffer is handed to the writer when it is so long, in bytes.
pub const LOG_PIECE_BYTES: usize = 256 << 10;
/// With `appendfsync everysec`: bytes written since the last sync with which the next one begins, whatever the time. A
/// sync of a few of them is short, and what arrives meanwhile stays in few pieces, which the processor's cache holds.
pub const LOG_SYNC_BYTES: u64 = 16 << 20;
/// With so many bytes not yet written to the append-only file, commands that write wait before they run.
pub const LOG_BACKLOG_BYTES_MAX: u64 = 64 << 20;
/// With `appendfsync everysec`: with records that are not synced for so long, commands that write wait.
pub const LOG_UNSYNCED_AGE_MS_MAX: u64 = 2_000;
/// When the disk has been behind for so long, be it by bytes or by age, they are refused.
pub const LOG_STALL_MS_MAX: u64 = 8_000;
/// How long records may stay in memory before they are written, unless `appendfsync` is `always`.
pub const LOG_WRITE_DELAY_MS: u64 = 10;
/// How long the writer waits for the end of the batch whose first record woke it, with `appendfsync always`.
pub const LOG_GATHER_MS: u64 = 1;
const _: () =
    assert!(LOG_PIECE_BYTES as u64 * 4 <= LOG_BACKLOG_BYTES_MAX && LOG_UNSYNCED_AGE_MS_MAX < LOG_STALL_MS_MAX);

/// Longest line of a manifest of append-only files, in bytes.
pub const MANIFEST_LINE_BYTES_MAX: usize = 1024;
/// Longest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// Longest annotation in an append-only file, in bytes.
pub const ANNOTATION_BYTES_MAX: usize = 1024;
/// What is read of an append-only file at once, in bytes.
pub const LOG_READ_BYTES: usize = 256 << 10;
/// Commands of an append-only file that are run together.
pub const LOG_READ_COMMANDS: usize = 128;

/// With so many bytes of a snapshot encoded and not written, those who begin a batch wait for a moment.
pub const IMAGE_BACKLOG_BYTES_MAX: usize = 16 << 20;
/// How long they wait at the most, in ms.
pub const IMAGE_PACE_MS: u64 = 1;

/// Steps of a script (backward jumps, calls) before it is ended, whatever it does: minutes.
pub const SCRIPT_STEPS_MAX: u64 = 20_000_000_000;
/// What the strings, tables and functions of a script may take, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 256 << 20;
/// What the values of all libraries of functions may take, in bytes.
pub const SCRIPT_FUNCTIONS_BYTES_MAX: usize = 1 << 30;
/// Room on the stack for the arguments and results of `unpack`: libraries probe for it.
pub const SCRIPT_UNPACKED_MAX: usize = 8000;
/// Longest script, in bytes.
pub const SCRIPT_TEXT_BYTES_MAX: usize = 16 << 20;
/// Compiled scripts that a thread keeps.
pub const SCRIPT_PLANS_MAX: usize = 1024;
/// Bytes of their texts and code.
pub const SCRIPT_PLANS_BYTES_MAX: usize = 32 << 20;
/// Bytes of scripts that came with EVAL and are kept for EVALSHA, their number aside.
pub const SCRIPTS_EVALUATED_BYTES_MAX: usize = 64 << 20;
/// Scripts that came with EVAL and are kept for EVALSHA; the oldest goes when one more comes.
pub const SCRIPTS_EVALUATED_MAX: usize = 10_000;
