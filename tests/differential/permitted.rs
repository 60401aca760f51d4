//! The permitted differences between Pipkin, which answers as Redis 7.2, and the oracle, which may be Redis 7.0.
//!
//! | What | Redis 7.0 | Redis 7.2 and Pipkin | Where it is allowed for |
//! |---|---|---|---|
//! | Doubles in replies | 17 digits (`0.10000000000000001`) | the shortest text (`0.1`) | `Rule::Doubles`, the state's scores |
//! | Small sets of words | `hashtable` | `listpack` up to 128 members of 64 bytes | [`encoding`] |
//! | Small lists | `quicklist` | `listpack` up to 8 KiB | [`encoding`] |
//! | Small sorted sets that one ZADD of more than 128 pairs with repetitions made | `listpack` | `skiplist` | [`encoding`] |
//! | A set after SPOP of most members | `intset` where all are integers | only where it was one | `pair.rs`, `rebuild` |
//! | LREM, LPOS RANK with the smallest integer | counts from the tail | an error | `grammar.rs` draws none |
//! | LSET with an index beyond 32 bits | out of range | wraps around; Pipkin answers as 7.0 | nowhere |
//! | ZRANK, ZREVRANK with a fourth word | wrong number of arguments | `WITHSCORE` or a syntax error | `grammar.rs` draws none |
//! | A key that SET lets expire in the past | counted until it is come across | never there (Pipkin) | `grammar.rs` draws none |
//! | The sign of a score of zero | lost on the way through a packed set | kept where the result is not packed (Pipkin) | `compare.rs`, `doubles` |
//! | BITCOUNT, BITPOS with wrong arguments for a key that is missing or of another type | the key decides | the arguments decide | [`reply`] |
//! | BITFIELD SET with SAT, and a number near the smallest | the field's largest number, by an overflow | its smallest (Pipkin) | `grammar/bitmaps.rs` draws none |
//! | A consumer that XREADGROUP, XCLAIM and XAUTOCLAIM name, where nothing is read or claimed | not created | created | `grammar/streams.rs` creates it first |
//! | Consumers in XINFO | no `active-time`, no `inactive` | have them | `compare.rs`, `stream_info` |
//! | XREAD with an odd number of words behind STREAMS | no quotes in the error | quotes | `grammar.rs` draws none |
//! | XSETID below the highest deleted id | allowed | an error | `grammar.rs` draws none |
//! | XINFO STREAM, `radix-tree-nodes` | nodes of a tree that is not there here | the same | `compare.rs`, `stream_info` |
//! | CONFIG SET stream-node-max-bytes to little | crashes later, now and then | - | `grammar/streams.rs` draws none |
//! | Members equally far away, of which COUNT wants a few | any | those with the least scores (Pipkin) | `grammar/geo.rs` draws none |
//! | A small sorted set that SORT looked at | `skiplist` | still `listpack` (Pipkin) | [`encoding`] |
//! | SORT of texts that are numbers, after any command has read a number that was too large | an error, since `errno` is left over | sorted (Pipkin) | [`reply`], [`ends_round`] |
//! | A HyperLogLog that APPEND or SETRANGE damaged | an error where the damage is come across | always an error (Pipkin) | [`ends_round`] |
//!
//! `ZRANK … WITHSCORE`, `CLIENT NO-TOUCH` and `CLIENT SETINFO` exist since 7.2 only: the grammar has no row for them,
//! `protocol.rs` tests them against stored bytes.

use crate::support::Reply;

/// Whether these replies to a command may differ.
pub fn reply(arguments: &[Vec<u8>], subject: &Reply, oracle: &Reply) -> bool {
    let name = arguments[0].to_ascii_uppercase();
    match name.as_slice() {
        b"OBJECT" => arguments.len() == 3 && encoding(subject.bytes(), oracle.bytes()),
        b"BITCOUNT" | b"BITPOS" => {
            let decided_by_key = matches!(oracle, Reply::Integer(0 | -1))
                || matches!(oracle, Reply::Error(text) if text.starts_with(b"WRONGTYPE"));
            decided_by_key && matches!(subject, Reply::Error(text) if text.starts_with(b"ERR "))
        }
        _ => is_refused_sort(&name, subject, oracle),
    }
}

/// Whether only the oracle takes an element for no number.
fn is_refused_sort(name: &[u8], subject: &Reply, oracle: &Reply) -> bool {
    let is_refusal = matches!(oracle, Reply::Error(text) if text.ends_with(b"can't be converted into double"));
    name.starts_with(b"SORT") && is_refusal && !subject.is_error()
}

/// Whether the two states may part from here on, so that nothing behind it can be compared.
pub fn ends_round(arguments: &[Vec<u8>], subject: &Reply, oracle: &Reply) -> bool {
    let name = arguments[0].to_ascii_uppercase();
    if is_refused_sort(&name, subject, oracle) {
        return arguments.iter().any(|argument| argument.eq_ignore_ascii_case(b"STORE"));
    }
    name.starts_with(b"PF")
        && matches!(subject, Reply::Error(text) if text.starts_with(b"INVALIDOBJ"))
        && !oracle.is_error()
}

/// Whether an encoding's name may stand for the oracle's.
pub fn encoding(subject: &[u8], oracle: &[u8]) -> bool {
    subject == oracle
        || matches!(
            (oracle, subject),
            (b"hashtable" | b"quicklist", b"listpack") | (b"listpack", b"skiplist") | (b"skiplist", b"listpack")
        )
}
