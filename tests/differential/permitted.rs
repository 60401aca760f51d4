//! The permitted differences between Pipkin, which answers as Redis 7.2, and the oracle, which may be Redis 7.0.
//!
//! | What | Redis 7.0 | Redis 7.2 and Pipkin | Where it is allowed for |
//! |---|---|---|---|
//! | Doubles in replies | 17 digits (`0.10000000000000001`) | the shortest text (`0.1`) | `Rule::Doubles`, the state's scores |
//! | Small sets of words | `hashtable` | `listpack` up to 128 members of 64 bytes | [`encoding`] |
//! | Small lists | `quicklist` | `listpack` up to 8 KiB | [`encoding`] |
//! | Small sorted sets that one ZADD of more than 128 pairs with repetitions made | `listpack` | `skiplist` | [`encoding`] |
//! | Error texts that 7.2 changed | see [`ERRORS`] | see [`ERRORS`] | [`reply`] |
//!
//! `ZRANK … WITHSCORE`, `CLIENT NO-TOUCH` and `CLIENT SETINFO` exist since 7.2 only: the grammar has no row for them,
//! `protocol.rs` tests them against stored bytes.

use crate::support::Reply;

/// Error texts (command, 7.0's, 7.2's) that mean the same.
const ERRORS: &[(&str, &str, &str)] = &[
    // A fourth argument is an option since 7.2.
    ("ZRANK", "ERR wrong number of arguments for 'zrank' command", "ERR syntax error"),
    ("ZREVRANK", "ERR wrong number of arguments for 'zrevrank' command", "ERR syntax error"),
];

/// Whether these replies to a command may differ.
pub fn reply(arguments: &[Vec<u8>], subject: &Reply, oracle: &Reply) -> bool {
    let name = String::from_utf8_lossy(&arguments[0]).to_ascii_uppercase();
    if name == "OBJECT" && arguments.len() == 3 {
        return encoding(subject.bytes(), oracle.bytes());
    }
    let (Reply::Error(subject), Reply::Error(oracle)) = (subject, oracle) else { return false };
    ERRORS.iter().any(|(command, old, new)| *command == name && old.as_bytes() == oracle && new.as_bytes() == subject)
}

/// Whether an encoding's name may stand for the oracle's.
pub fn encoding(subject: &[u8], oracle: &[u8]) -> bool {
    subject == oracle
        || matches!((oracle, subject), (b"hashtable" | b"quicklist", b"listpack") | (b"listpack", b"skiplist"))
}
