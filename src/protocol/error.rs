//! Every error text of the house, in one place, in three kinds.
//!
//! - [`CommandError`]: a command failed; the client reads the exact line, the connection goes on.
//! - [`ProtocolError`]: the bytes are no request; the client reads the line (or nothing), the connection closes.
//! - [`StartupError`]: for the operator; the text says what to do.
//!
//! `Display` gives the line of an error reply without its leading `-`, which is what the in-process API shows;
//! [`crate::protocol::Reply::error`] puts it on the wire. Texts that quote what a client sent are kept as bytes, since a
//! name is not necessarily UTF-8, and are shown lossily by `Display` only.

mod quoting;
mod request;
pub mod scripting;
mod startup;

use std::borrow::Cow;
use std::io::Write as _;

pub use request::ProtocolError;
pub use startup::StartupError;

/// What a handler returns.
pub type CommandResult<T = ()> = Result<T, CommandError>;

/// Why a command failed; `Display` is the line the client reads, without the `-`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // A variant's documentation is its text.
pub enum CommandError {
    // Arguments of any command.
    #[error("ERR syntax error")]
    Syntax,
    #[error("ERR wrong number of arguments for '{0}' command")]
    WrongArity(Box<str>),
    #[error("ERR value is not an integer or out of range")]
    NotInteger,
    #[error("ERR value is out of range")]
    OutOfRange,
    #[error("ERR value is out of range, must be positive")]
    NotPositive,
    #[error("ERR value is out of range, value must between {} and {}", .0.0, .0.1)]
    NotBetween(Box<(i64, i64)>),
    #[error("ERR value is not a valid float")]
    NotFloat,
    #[error("ERR numkeys should be greater than 0")]
    NumkeysNotPositive,
    #[error("ERR Number of keys can't be greater than number of args")]
    NumkeysTooMany,
    #[error("ERR Number of keys can't be negative")]
    NumkeysNegative,
    #[error("ERR count should be greater than 0")]
    CountNotPositive,
    #[error("ERR count should be greater than or equal to -1")]
    CountBelowMinusOne,
    #[error("ERR LIMIT can't be negative")]
    LimitNegative,
    #[error("ERR timeout is not a float or out of range")]
    TimeoutNotFloat,
    #[error("ERR timeout is not an integer or out of range")]
    TimeoutNotInteger,
    #[error("ERR timeout is negative")]
    TimeoutNegative,
    #[error("ERR timeout is out of range")]
    TimeoutOutOfRange,
    #[error("ERR DB index is out of range")]
    DatabaseOutOfRange,
    #[error("ERR invalid first DB index")]
    FirstDatabaseInvalid,
    #[error("ERR invalid second DB index")]
    SecondDatabaseInvalid,

    // Keys.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    #[error("ERR no such key")]
    NoSuchKey,
    #[error("ERR index out of range")]
    IndexOutOfRange,
    #[error("ERR source and destination objects are the same")]
    SameObject,
    #[error("BUSYKEY Target key name already exists.")]
    BusyKey,
    #[error("ERR invalid cursor")]
    InvalidCursor,
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpire(&'static str),
    #[error("ERR NX and XX, GT or LT options at the same time are not compatible")]
    ExpireNxWithOthers,
    #[error("ERR GT and LT options at the same time are not compatible")]
    ExpireGtWithLt,
    #[error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
         between policies at runtime LRU and LFU data will take some time to adjust."
    )]
    FrequencyNotTracked,
    #[error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
         policies at runtime LRU and LFU data will take some time to adjust."
    )]
    IdleTimeNotTracked,
    #[error("ERR One or more scores can't be converted into double")]
    SortNotDouble,
    #[error("ERR DUMP payload version or checksum are wrong")]
    DumpChecksum,
    #[error("ERR Bad data format")]
    DumpFormat,
    #[error("ERR Invalid TTL value, must be >= 0")]
    RestoreTtl,
    #[error("ERR Invalid IDLETIME value, must be >= 0")]
    RestoreIdleTime,
    #[error("ERR Invalid FREQ value, must be >= 0 and <= 255")]
    RestoreFrequency,

    // Strings.
    #[error("ERR increment or decrement would overflow")]
    IncrementOverflow,
    #[error("ERR decrement would overflow")]
    DecrementOverflow,
    #[error("ERR increment would produce NaN or Infinity")]
    IncrementNotFinite,
    #[error("ERR value is NaN or Infinity")]
    NotFinite,
    #[error("ERR offset is out of range")]
    OffsetOutOfRange,
    #[error("ERR must be exactly 16 hexadecimal characters")]
    InvalidDigest,
    #[error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")]
    InvalidCondition,
    #[error("ERR Key should be of string type if conditions are specified")]
    ConditionOnOtherType,
    #[error("ERR invalid numkeys value or out of range")]
    InvalidNumkeys,
    #[error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")]
    StringTooLong,
    #[error("ERR If you want both the length and indexes, please just use IDX.")]
    LcsLengthAndIndexes,
    #[error("ERR The specified keys must contain string values")]
    LcsNotStrings,
    #[error("ERR String too long for LCS")]
    LcsStringTooLong,
    #[error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")]
    LcsMemory,

    // Bitmaps.
    #[error("ERR bit offset is not an integer or out of range")]
    BitOffset,
    #[error("ERR bit is not an integer or out of range")]
    BitValue,
    #[error("ERR The bit argument must be 1 or 0.")]
    BitArgument,
    #[error("ERR BITOP NOT must be called with a single source key.")]
    BitopNotKeys,
    #[error("ERR BITOP {0} must be called with at least two source keys.")]
    BitopKeys(&'static str),
    #[error("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.")]
    FieldType,
    #[error("ERR Invalid OVERFLOW type specified")]
    FieldOverflow,
    #[error("ERR BITFIELD_RO only supports the GET subcommand")]
    FieldReadOnly,

    // Geo.
    #[error("ERR unsupported unit provided. please use M, KM, FT, MI")]
    GeoUnit,
    #[error("ERR could not decode requested zset member")]
    GeoMember,
    #[error("ERR need numeric radius")]
    GeoRadius,
    #[error("ERR radius cannot be negative")]
    GeoRadiusNegative,
    #[error("ERR need numeric width")]
    GeoWidth,
    #[error("ERR need numeric height")]
    GeoHeight,
    #[error("ERR height or width cannot be negative")]
    GeoBoxNegative,
    #[error("ERR COUNT must be > 0")]
    GeoCount,
    #[error("ERR {0} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")]
    GeoStoreWith(&'static str),
    #[error("ERR the ANY argument requires COUNT argument")]
    GeoAnyWithoutCount,

    // Hashes.
    #[error("ERR Mandatory argument FIELDS is missing or not at the right position")]
    FieldsMissing,
    #[error("ERR The `numfields` parameter must match the number of arguments")]
    FieldsMismatch,
    #[error("ERR Parameter `numFields` should be greater than 0")]
    FieldsNotPositive,
    #[error("ERR Number of fields must be a positive integer")]
    FieldsNoPositiveInteger,
    #[error("ERR invalid number of fields")]
    FieldsInvalid,
    #[error("ERR invalid expire time, must be >= 0")]
    ExpireNegative,
    #[error("ERR Only one of FXX or FNX arguments can be specified")]
    SeveralFieldConditions,
    #[error("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")]
    SeveralFieldExpiries,
    #[error("ERR hash value is not an integer")]
    HashNotInteger,
    #[error("ERR hash value is not a float")]
    HashNotFloat,

    // Lists.
    #[error(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start \
         from the end of the list"
    )]
    LposRankZero,
    #[error("ERR COUNT can't be negative")]
    LposCountNegative,
    #[error("ERR MAXLEN can't be negative")]
    LposMaxlenNegative,

    // Sorted sets.
    #[error("ERR XX and NX options at the same time are not compatible")]
    ZaddXxWithNx,
    #[error("ERR GT, LT, and/or NX options at the same time are not compatible")]
    ZaddGtLtNx,
    #[error("ERR INCR option supports a single increment-element pair")]
    ZaddIncrPairs,
    #[error("ERR resulting score is not a number (NaN)")]
    ScoreNotNumber,
    #[error("ERR min or max is not a float")]
    ScoreRange,
    #[error("ERR min or max not valid string range item")]
    LexRange,
    #[error("ERR at least 1 input key is needed for '{0}' command")]
    NoInputKey(&'static str),
    #[error("ERR weight value is not a float")]
    WeightNotFloat,
    #[error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")]
    ZrangeLimit,
    #[error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")]
    ZrangeScoresByLex,

    // HyperLogLog.
    #[error("WRONGTYPE Key is not a valid HyperLogLog string value.")]
    NotHyperLogLog,
    #[error("INVALIDOBJ Corrupted HLL object detected")]
    CorruptHyperLogLog,
    #[error("ERR The specified key does not exist")]
    NoSuchHyperLogLog,
    #[error("ERR HLL encoding is not sparse")]
    HyperLogLogNotSparse,
    #[error("TESTFAILED dense/sparse disagree")]
    HyperLogLogsDisagree,
    #[error("TESTFAILED Too big error. card:{0} estimate:{1}")]
    HyperLogLogOff(u64, u64),

    // Streams.
    #[error("ERR Invalid stream ID specified as stream command argument")]
    StreamId,
    #[error("ERR The ID specified in XADD must be greater than 0-0")]
    XaddIdZero,
    #[error("ERR The ID specified in XADD is equal or smaller than the target stream top item")]
    XaddIdNotAbove,
    #[error("ERR The stream has exhausted the last possible ID, unable to add more items")]
    XaddExhausted,
    #[error("ERR Elements are too large to be stored")]
    XaddTooLarge,
    #[error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")]
    TrimMaxlenWithMinid,
    #[error("ERR The MAXLEN argument must be >= 0.")]
    TrimMaxlenNegative,
    #[error("ERR The LIMIT argument must be >= 0.")]
    TrimLimitNegative,
    #[error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")]
    TrimLimitAlone,
    #[error("ERR syntax error, LIMIT cannot be used without the special ~ option")]
    TrimLimitExact,
    #[error("ERR syntax error, XTRIM must be called with a trimming strategy")]
    XtrimWithoutStrategy,
    #[error("ERR invalid start ID for the interval")]
    IntervalStart,
    #[error("ERR invalid end ID for the interval")]
    IntervalEnd,
    #[error("ERR Unbalanced '{}' list of streams: for each stream key an ID or '{}' must be specified.", .0.0, .0.1)]
    UnbalancedStreams(&'static (&'static str, &'static str)),
    #[error("ERR The {0} option is only supported by XREADGROUP. You called XREAD instead.")]
    OnlyForXreadgroup(&'static str),
    #[error("ERR {0} command is not allowed with BLOCK option from scripts")]
    NoBlockInScripts(Box<str>),
    #[error("ERR Missing GROUP option for XREADGROUP")]
    XreadgroupWithoutGroup,
    #[error(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
         specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
    )]
    XreadgroupNewest,
    #[error("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.")]
    XreadUndelivered,
    #[error(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
         option to create an empty stream automatically."
    )]
    XgroupWithoutKey,
    #[error("BUSYGROUP Consumer Group name already exists")]
    BusyGroup,
    #[error("ERR value for ENTRIESREAD must be positive or -1")]
    EntriesReadNegative,
    #[error("ERR entries_added must be positive")]
    EntriesAddedNegative,
    #[error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")]
    XsetidBelowGivenDeleted,
    #[error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")]
    XsetidBelowDeleted,
    #[error("ERR The ID specified in XSETID is smaller than the target stream top item")]
    XsetidBelowTop,
    #[error("ERR The entries_added specified in XSETID is smaller than the target stream length")]
    XsetidAddedTooFew,
    #[error("ERR Invalid {} argument for {}", .0.0, .0.1)]
    ClaimArgument(&'static (&'static str, &'static str)),
    #[error("ERR COUNT must be > 0")]
    ClaimCount,

    // Transactions.
    #[error("ERR MULTI calls can not be nested")]
    NestedMulti,
    #[error("ERR EXEC without MULTI")]
    ExecWithoutMulti,
    #[error("ERR DISCARD without MULTI")]
    DiscardWithoutMulti,
    #[error("ERR WATCH inside MULTI is not allowed")]
    WatchInMulti,
    #[error("ERR Command not allowed inside a transaction")]
    NotInTransaction,
    #[error("EXECABORT Transaction discarded because of previous errors.")]
    ExecAbort,
    /// The text is that of the error that discards it, its code included.
    #[error("EXECABORT Transaction discarded because of: {0}")]
    ExecAbortBecause(Box<CommandError>),

    // Publish and subscribe.
    #[error(
        "ERR Can't execute '{0}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
         context"
    )]
    OnlySubscribe(Box<str>),
    #[error("ERR {0} isn't allowed for a DENY BLOCKING client")]
    DenyBlocking(&'static str),
    #[error("ERR MONITOR isn't allowed for DENY BLOCKING client")]
    DenyMonitor,

    // Connection.
    #[error("NOAUTH Authentication required.")]
    NoAuth,
    #[error("WRONGPASS invalid username-password pair or user is disabled.")]
    WrongPass,
    #[error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
         configuration is correct?"
    )]
    NoPasswordSet,
    #[error("NOPROTO unsupported protocol version")]
    NoProto,
    #[error("ERR Protocol version is not an integer or out of range")]
    ProtocolNotInteger,
    #[error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
         <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
    )]
    HelloNoAuth,
    #[error("ERR {0} cannot contain spaces, newlines or special characters.")]
    SpecialCharacters(&'static str),
    #[error("ERR No such client")]
    NoSuchClient,
    #[error("ERR client-id should be greater than 0")]
    ClientIdNotPositive,
    #[error("ERR Invalid client ID")]
    InvalidClientId,
    #[error("ERR maxage is not an integer or out of range")]
    MaxAgeNotInteger,
    #[error("ERR maxage should be greater than 0")]
    MaxAgeNotPositive,
    #[error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")]
    UnblockReason,
    #[error("UNBLOCKED client unblocked via CLIENT UNBLOCK")]
    Unblocked,
    #[error("ERR A client can only redirect to a single other client")]
    TrackingRedirectsOnce,
    #[error("ERR The client ID you want redirect to does not exist")]
    TrackingRedirectUnknown,
    #[error("ERR PREFIX option requires BCAST mode to be enabled")]
    TrackingPrefixWithoutBroadcast,
    #[error(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it \
         with a different mode."
    )]
    TrackingBroadcastSwitch,
    #[error("ERR OPTIN and OPTOUT are not compatible with BCAST")]
    TrackingOptWithBroadcast,
    #[error("ERR You can't specify both OPTIN mode and OPTOUT mode")]
    TrackingOptInAndOut,
    #[error(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it \
         with a different mode."
    )]
    TrackingOptSwitch,
    #[error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
    )]
    CachingWithoutTracking,
    #[error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")]
    CachingYes,
    #[error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")]
    CachingNo,
    #[error("ERR CLIENT PAUSE mode must be WRITE or ALL")]
    PauseMode,

    // Cluster mode.
    #[error("CROSSSLOT Keys in request don't hash to the same slot")]
    CrossSlot,
    #[error("ERR This instance has cluster support disabled")]
    ClusterDisabled,
    #[error("ERR {0} is not allowed in cluster mode")]
    NotInCluster(&'static str),
    #[error("ERR {0} option of SORT denied in Cluster mode.")]
    SortInCluster(&'static str),
    #[error("ERR Invalid slot")]
    InvalidSlot,
    #[error("ERR Invalid slot or number of keys")]
    InvalidSlotOrCount,
    #[error("ERR This node serves all slots by itself: its cluster cannot be changed")]
    ClusterFixed,

    // Server and gates.
    #[error("OOM command not allowed when used memory > 'maxmemory'.")]
    OutOfMemory,
    #[error("LOADING Redis is loading the dataset in memory")]
    Loading,
    #[error("ERR DEBUG RELOAD only supports the NOFLUSH and NOSAVE options.")]
    ReloadOptions,
    #[error("ERR Error trying to load the RDB dump, check server logs.")]
    ReloadFailed,
    #[error("ERR Error trying to load the AOF files, check server logs.")]
    LoadAofFailed,
    #[error("READONLY You can't write against a read only replica.")]
    ReadOnly,
    #[error("NOREPLICAS Not enough good replicas to write.")]
    NoReplicas,
    #[error("MISCONF Errors writing to the AOF file: {0}")]
    Misconf(Box<str>),
    #[error(
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that \
         may modify the data set are disabled, because this instance is configured to report errors during writes if \
         RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about \
         the RDB error."
    )]
    MisconfSave,
    #[error("ERR value is out of range, value must between 0 and 1")]
    OutOfRangeOneOrNone,
    #[error("ERR")]
    SaveFailed,
    #[error("ERR Background save already in progress")]
    SaveInProgress,
    #[error(
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule \
         a BGSAVE whenever possible."
    )]
    RewriteBlocksSave,
    #[error("ERR Background append only file rewriting already in progress")]
    RewriteInProgress,
    #[error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")]
    WaitAofDisabled,
    #[error("ERR The server is shutting down")]
    Ended,
    #[error("MISCONF This instance is read-only since a command failed inside: {0}. Restart it.")]
    Latched(Box<str>),
    #[error("NOSCRIPT No matching script. Please use EVAL.")]
    NoScript,
    #[error("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")]
    Busy,
    #[error("BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.")]
    BusyFunction,
    #[error("NOPERM this user has no permissions to run the '{0}' command")]
    NoPermission(Box<str>),
    #[error(
        "ERR {} command not allowed. If the {} option is set to \"local\", you can run it from a local connection, \
         otherwise you need to set this option in the configuration file, and then restart the server.", .0.0, .0.1
    )]
    NotEnabled(&'static (&'static str, &'static str)),
    #[error("ERR max number of clients reached")]
    MaxClients,
    #[error(
        "DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the \
         default user. In this mode connections are only accepted from the loopback interface. If you want to connect \
         from external computers, set a password (requirepass) or disable protected mode (--protected-mode no), and \
         restart the server."
    )]
    ProtectedMode,
    #[error("ERR The command has no key arguments")]
    NoKeyArguments,
    #[error("ERR Invalid command specified")]
    InvalidCommand,
    #[error("ERR Invalid number of arguments specified for command")]
    InvalidCommandArity,
    #[error("ERR Invalid arguments specified for command")]
    InvalidCommandArguments,
    #[error("ERR Errors trying to SHUTDOWN. Check logs.")]
    ShutdownFailed,
    #[error("ERR No shutdown in progress.")]
    NoShutdown,
    #[error("ERR Error purging dirty pages")]
    PurgeFailed,
    #[error("ERR argument must be a memory value bigger than 1 and smaller than 4gb")]
    PackedThreshold,
    #[error("ERR The clock is the system's: it cannot be moved")]
    ClockNotManual,
    #[error("ERR The server is running without a config file")]
    NoConfigFile,
    #[error("ERR Rewriting config file: {0}")]
    ConfigRewrite(Box<str>),
    #[error(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"
    )]
    GenpassBits,
    #[error("ERR RESP2 is not supported by this command")]
    NeedsResp3,
    #[error(
        "ERR Wrong protocol type name. Please use one of the following: \
         string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
    )]
    ProtocolTypeName,

    // Texts that quote a client's bytes: the whole line, made by the functions below.
    #[error("{}", String::from_utf8_lossy(.0))]
    UnknownCommand(Box<[u8]>),
    #[error("{}", String::from_utf8_lossy(.0))]
    UnknownSubcommand(Box<[u8]>),
    #[error("{}", String::from_utf8_lossy(.0))]
    Quoting(Box<[u8]>),
    /// A whole line, as well: the error of a command that a script ran, which has been counted as that command's.
    #[error("{}", String::from_utf8_lossy(.0))]
    Counted(Box<[u8]>),

    /// Only a bug of ours produces it: the in-process API could not read a reply.
    #[error("ERR the reply is no RESP value")]
    UndecodableReply,
    /// A whole line that is made elsewhere: the reasons of the configuration table, errors of scripts.
    #[error("{0}")]
    Custom(Cow<'static, str>),
}

/// It stands in every handler's result.
const _: () = assert!(size_of::<CommandError>() <= 32);

/// The command and the setting that [`CommandError::NotEnabled`] names.
pub static DEBUG_NOT_ENABLED: (&str, &str) = ("DEBUG", "enable-debug-command");

impl CommandError {
    /// Appends the line, without the leading `-` and the line's end. Line ends within it become spaces.
    #[cold]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match self {
            CommandError::UnknownCommand(line)
            | CommandError::UnknownSubcommand(line)
            | CommandError::Quoting(line)
            | CommandError::Counted(line) => out.extend_from_slice(line),
            CommandError::ExecAbortBecause(cause) => {
                out.extend_from_slice(b"EXECABORT Transaction discarded because of: ");
                let cause_at = out.len();
                cause.write_to(out);
                // Of the codes only those that say something are repeated.
                if out[cause_at..].starts_with(b"ERR ") {
                    out.drain(cause_at..cause_at + 4);
                }
            }
            // Writing into a vector does not fail.
            text => _ = write!(out, "{text}"),
        }
        flatten(&mut out[start..]);
    }

    /// The first word of the line (`ERR`, `WRONGTYPE`, …), under which INFO counts errors; `ERR` where it is no code.
    pub fn code(&self) -> String {
        /// Longer words are none.
        const CODE_BYTES_MAX: usize = 30;
        let mut line = Vec::new();
        self.write_to(&mut line);
        match line.iter().take(CODE_BYTES_MAX + 1).position(|&byte| byte == b' ') {
            Some(end) => String::from_utf8_lossy(&line[..end]).into_owned(),
            None => "ERR".to_owned(),
        }
    }
}

/// An error reply is one line.
fn flatten(line: &mut [u8]) {
    for byte in line {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests;
