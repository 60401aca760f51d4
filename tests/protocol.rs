//! Byte-level scripts: these bytes in, those bytes out.
//!
//! Each script is sent three ways: at once, split in two at every boundary, and byte by byte. The expected bytes are
//! stored here; where a real redis-server is installed it has to give the same ones (to scripts sent at once), except
//! for what is new since its version.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use support::{Client, Server};

/// Follows every script that keeps the connection open: what comes before its reply is the script's.
const SENTINEL: &[u8] = b"*2\r\n$4\r\nECHO\r\n$12\r\n<--sentinel>\r\n";
const SENTINEL_REPLY: &[u8] = b"$12\r\n<--sentinel>\r\n";

/// How a script ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// The connection stays usable.
    Open,
    /// The server closes it after the last byte.
    Closed,
}
use End::{Closed, Open};

/// Name, bytes in, bytes out, what becomes of the connection.
type Script = (&'static str, &'static str, &'static str, End);

/// Scripts that Redis 7.0 and 7.2 answer alike.
const SCRIPTS: &[Script] = &[
    // Requests as arrays.
    ("ping", "*1\r\n$4\r\nPING\r\n", "+PONG\r\n", Open),
    ("ping with a message", "*2\r\n$4\r\nPING\r\n$2\r\nhi\r\n", "$2\r\nhi\r\n", Open),
    (
        "ping with too much",
        "*3\r\n$4\r\nping\r\n$1\r\na\r\n$1\r\nb\r\n",
        "-ERR wrong number of arguments for 'ping' command\r\n",
        Open,
    ),
    ("names in any case", "*1\r\n$4\r\npInG\r\n", "+PONG\r\n", Open),
    ("empty argument", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "$0\r\n\r\n", Open),
    ("binary argument", "*2\r\n$4\r\nECHO\r\n$5\r\n\r\n\0\r\n\r\n", "$5\r\n\r\n\0\r\n\r\n", Open),
    (
        "a pipeline",
        "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n*1\r\n$4\r\nPING\r\n",
        "+PONG\r\n$1\r\nx\r\n+PONG\r\n",
        Open,
    ),
    (
        "set and get",
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n",
        "+OK\r\n$5\r\nvalue\r\n$-1\r\n",
        Open,
    ),
    ("an empty array is nothing", "*0\r\n*1\r\n$4\r\nPING\r\n", "+PONG\r\n", Open),
    ("a negative array is nothing", "*-1\r\n*1\r\n$4\r\nPING\r\n", "+PONG\r\n", Open),
    ("a very negative array is nothing", "*-9\r\n*1\r\n$4\r\nPING\r\n", "+PONG\r\n", Open),
    ("empty lines are nothing", "\r\n\r\n\nPING\r\n", "+PONG\r\n", Open),
    ("arrays and lines mixed", "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nPING\r\n", "+PONG\r\n+PONG\r\n+PONG\r\n", Open),
    ("an empty name", "*1\r\n$0\r\n\r\n", "-ERR unknown command '', with args beginning with: \r\n", Open),
    // Inline requests.
    ("inline", "PING\r\n", "+PONG\r\n", Open),
    ("inline with a bare line feed", "PING\n", "+PONG\r\n", Open),
    ("inline with blanks", "   PING    hello   \r\n", "$5\r\nhello\r\n", Open),
    ("inline with tabs", "ECHO\thello\r\n", "$5\r\nhello\r\n", Open),
    ("inline double quotes", "ECHO \"a b\"\r\n", "$3\r\na b\r\n", Open),
    ("inline single quotes", "ECHO 'a \"b'\r\n", "$4\r\na \"b\r\n", Open),
    ("inline escapes", "ECHO \"\\x41\\n\\r\\t\\a\\b\\\\\\\"\\q\"\r\n", "$9\r\nA\n\r\t\x07\x08\\\"q\r\n", Open),
    ("inline escaped single quote", "ECHO 'it\\'s'\r\n", "$4\r\nit's\r\n", Open),
    ("inline backslash in single quotes", "ECHO 'a\\nb'\r\n", "$4\r\na\\nb\r\n", Open),
    ("inline empty quotes", "ECHO \"\"\r\n", "$0\r\n\r\n", Open),
    ("inline half a hex escape", "ECHO \"\\x4z\"\r\n", "$3\r\nx4z\r\n", Open),
    ("inline quote within a word", "ECHO ab\"c d\"\r\n", "$5\r\nabc d\r\n", Open),
    ("inline unbalanced", "ECHO \"abc\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n", Closed),
    ("inline unbalanced single", "ECHO 'abc\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n", Closed),
    (
        "inline text behind a quote",
        "ECHO \"abc\"d\r\n",
        "-ERR Protocol error: unbalanced quotes in request\r\n",
        Closed,
    ),
    ("inline set and get", "SET k \"a b\"\r\nGET k\r\n", "+OK\r\n$3\r\na b\r\n", Open),
    // Malformed requests.
    ("array of letters", "*abc\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("array without a number", "*\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("array with a plus", "*+1\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("array with a leading zero", "*01\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("array with a blank", "* 1\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("array beyond 64 bits", "*99999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("array beyond 32 bits", "*2147483648\r\n", "-ERR Protocol error: invalid multibulk length\r\n", Closed),
    ("not a bulk string", "*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n", Closed),
    ("an integer for a bulk string", "*1\r\n:4\r\n", "-ERR Protocol error: expected '$', got ':'\r\n", Closed),
    ("an array in an array", "*1\r\n*1\r\n", "-ERR Protocol error: expected '$', got '*'\r\n", Closed),
    ("nothing for a bulk string", "*1\r\n\r\n", "-ERR Protocol error: expected '$', got ' '\r\n", Closed),
    ("bulk of negative length", "*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    ("null bulk", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    ("bulk of letters", "*1\r\n$abc\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    ("bulk without a number", "*1\r\n$\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    ("bulk over 512 MB", "*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    ("bulk of 9e18", "*1\r\n$9000000000000000000\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    ("bulk beyond 64 bits", "*1\r\n$99999999999999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n", Closed),
    (
        "an error ends the pipeline",
        "PING\r\n*1\r\n$4\r\nPING\r\n*x\r\n",
        "+PONG\r\n+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n",
        Closed,
    ),
    // Errors of the dispatcher.
    (
        "unknown command",
        "foo bar baz\r\n",
        "-ERR unknown command 'foo', with args beginning with: 'bar' 'baz' \r\n",
        Open,
    ),
    ("unknown command alone", "foo\r\n", "-ERR unknown command 'foo', with args beginning with: \r\n", Open),
    (
        "line breaks in an error become blanks",
        "*2\r\n$5\r\nfo\r\no\r\n$3\r\na\nb\r\n",
        "-ERR unknown command 'fo  o', with args beginning with: 'a b' \r\n",
        Open,
    ),
    (
        "too few arguments",
        "get\r\nGET a b\r\n",
        "-ERR wrong number of arguments for 'get' command\r\n-ERR wrong number of arguments for 'get' command\r\n",
        Open,
    ),
    ("unknown subcommand", "CLIENT FOO\r\n", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n", Open),
    ("container alone", "CONFIG\r\n", "-ERR wrong number of arguments for 'config' command\r\n", Open),
    ("subcommand's arity", "CONFIG GET\r\n", "-ERR wrong number of arguments for 'config|get' command\r\n", Open),
    (
        "wrong type",
        "LPUSH l a\r\nGET l\r\nINCR l\r\nHGET l f\r\n",
        ":1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        Open,
    ),
    (
        "not an integer",
        "SET k abc\r\nINCR k\r\nINCRBY k 1.5\r\n",
        "+OK\r\n-ERR value is not an integer or out of range\r\n-ERR value is not an integer or out of range\r\n",
        Open,
    ),
    (
        "overflow",
        "SET k 9223372036854775807\r\nINCR k\r\nGET k\r\n",
        "+OK\r\n-ERR increment or decrement would overflow\r\n$19\r\n9223372036854775807\r\n",
        Open,
    ),
    (
        "syntax",
        "SET k v EX\r\nSET k v NX XX\r\nSET k v EX 0\r\nSET k v EX abc\r\n",
        "-ERR syntax error\r\n-ERR syntax error\r\n-ERR invalid expire time in 'set' command\r\n-ERR value is not an integer or out of range\r\n",
        Open,
    ),
    ("no such key", "RENAME a b\r\nLSET l 0 x\r\n", "-ERR no such key\r\n-ERR no such key\r\n", Open),
    (
        "select",
        "SELECT 15\r\nSELECT 16\r\nSELECT -1\r\nSELECT abc\r\n",
        "+OK\r\n-ERR DB index is out of range\r\n-ERR DB index is out of range\r\n-ERR value is not an integer or out of range\r\n",
        Open,
    ),
    (
        "auth without a password set",
        "AUTH x\r\n",
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n",
        Open,
    ),
    (
        "auth as somebody unknown",
        "AUTH nobody x\r\n",
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        Open,
    ),
    // Transactions.
    (
        "multi and exec",
        "MULTI\r\nSET k 1\r\nINCR k\r\nEXEC\r\n",
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:2\r\n",
        Open,
    ),
    ("empty transaction", "MULTI\r\nEXEC\r\n", "+OK\r\n*0\r\n", Open),
    ("discard", "MULTI\r\nSET k 1\r\nDISCARD\r\nGET k\r\n", "+OK\r\n+QUEUED\r\n+OK\r\n$-1\r\n", Open),
    ("without multi", "EXEC\r\nDISCARD\r\n", "-ERR EXEC without MULTI\r\n-ERR DISCARD without MULTI\r\n", Open),
    ("multi in multi", "MULTI\r\nMULTI\r\nEXEC\r\n", "+OK\r\n-ERR MULTI calls can not be nested\r\n*0\r\n", Open),
    ("watch in multi", "MULTI\r\nWATCH k\r\nEXEC\r\n", "+OK\r\n-ERR WATCH inside MULTI is not allowed\r\n*0\r\n", Open),
    (
        "a bad command aborts",
        "MULTI\r\nfoo\r\nSET k 1\r\nEXEC\r\nGET k\r\n",
        "+OK\r\n-ERR unknown command 'foo', with args beginning with: \r\n+QUEUED\r\n-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n",
        Open,
    ),
    (
        "an error inside does not abort",
        "MULTI\r\nSET k a\r\nINCR k\r\nGET k\r\nEXEC\r\n",
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\na\r\n",
        Open,
    ),
    (
        "watch of an untouched key",
        "WATCH k\r\nMULTI\r\nPING\r\nEXEC\r\n",
        "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n",
        Open,
    ),
    (
        "watch of one's own change",
        "WATCH k\r\nSET k 1\r\nMULTI\r\nPING\r\nEXEC\r\n",
        "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n",
        Open,
    ),
    (
        "unwatch",
        "WATCH k\r\nSET k 1\r\nUNWATCH\r\nMULTI\r\nPING\r\nEXEC\r\n",
        "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n",
        Open,
    ),
    (
        "blocking within a transaction does not block",
        "MULTI\r\nBLPOP l 0\r\nEXEC\r\n",
        "+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n",
        Open,
    ),
    // Nothing, in all its forms.
    (
        "nils",
        "GET k\r\nLPOP l\r\nLPOP l 1\r\nZSCORE z m\r\nLRANGE l 0 -1\r\nHGETALL h\r\nSPOP s\r\nRANDOMKEY\r\n",
        "$-1\r\n$-1\r\n*-1\r\n$-1\r\n*0\r\n*0\r\n$-1\r\n$-1\r\n",
        Open,
    ),
    // Publish and subscribe.
    (
        "subscribe",
        "SUBSCRIBE a b\r\n",
        "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n-ERR Can't execute 'echo': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n",
        Open,
    ),
    (
        "ping of a subscriber",
        "SUBSCRIBE a\r\nPING\r\nPING x\r\nRESET\r\n",
        "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n*2\r\n$4\r\npong\r\n$1\r\nx\r\n+RESET\r\n",
        Open,
    ),
    (
        "unsubscribe from nothing",
        "UNSUBSCRIBE\r\nPUNSUBSCRIBE\r\n",
        "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n",
        Open,
    ),
    (
        "subscribe and leave",
        "PSUBSCRIBE a*\r\nPUNSUBSCRIBE a*\r\n",
        "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0\r\n",
        Open,
    ),
    ("publish to nobody", "PUBLISH c m\r\n", ":0\r\n", Open),
    // RESP3.
    (
        "no such protocol",
        "HELLO 4\r\nHELLO abc\r\n",
        "-NOPROTO unsupported protocol version\r\n-ERR Protocol version is not an integer or out of range\r\n",
        Open,
    ),
    // Connection.
    ("quit", "QUIT\r\n", "+OK\r\n", Closed),
    ("reply off and on", "CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n", "+OK\r\n+PONG\r\n", Open),
    ("reply skip", "CLIENT REPLY SKIP\r\nPING\r\nPING\r\n", "+PONG\r\n", Open),
    ("reset", "MULTI\r\nRESET\r\nEXEC\r\n", "+OK\r\n+RESET\r\n-ERR EXEC without MULTI\r\n", Open),
    (
        "names",
        "CLIENT GETNAME\r\nCLIENT SETNAME me\r\nCLIENT GETNAME\r\nCLIENT SETNAME \"a b\"\r\n",
        "$-1\r\n+OK\r\n$2\r\nme\r\n-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
        Open,
    ),
];

/// Scripts after `HELLO 3`.
const SCRIPTS_RESP3: &[Script] = &[
    (
        "nils",
        "GET k\r\nLPOP l 1\r\nZSCORE z m\r\nHGETALL h\r\nSMEMBERS s\r\nRANDOMKEY\r\n",
        "_\r\n_\r\n_\r\n%0\r\n~0\r\n_\r\n",
        Open,
    ),
    ("map", "HSET h f v\r\nHGETALL h\r\n", ":1\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n", Open),
    ("set", "SADD s 1 2\r\nSMEMBERS s\r\n", ":2\r\n~2\r\n$1\r\n1\r\n$1\r\n2\r\n", Open),
    (
        "double",
        "ZADD z 1.5 a inf b -inf c\r\nZSCORE z a\r\nZSCORE z b\r\nZSCORE z c\r\nZINCRBY z 1 a\r\n",
        ":3\r\n,1.5\r\n,inf\r\n,-inf\r\n,2.5\r\n",
        Open,
    ),
    (
        "members with scores",
        "ZADD z 1 a 2 b\r\nZRANGE z 0 -1 WITHSCORES\r\nZPOPMIN z\r\nZPOPMIN z 1\r\n",
        ":2\r\n*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,2\r\n*2\r\n$1\r\na\r\n,1\r\n*1\r\n*2\r\n$1\r\nb\r\n,2\r\n",
        Open,
    ),
    ("aborted transaction", "WATCH k\r\nSET k 1\r\nMULTI\r\nEXEC\r\n", "+OK\r\n+OK\r\n+OK\r\n_\r\n", Open),
    ("subscriber's push", "SUBSCRIBE a\r\n", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", Open),
    ("config", "CONFIG GET databases\r\n", "%1\r\n$9\r\ndatabases\r\n$2\r\n16\r\n", Open),
    (
        "common subsequence",
        "MSET a ohmytext b mynewtext\r\nLCS a b IDX\r\n",
        "+OK\r\n%2\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$3\r\nlen\r\n:6\r\n",
        Open,
    ),
];

/// Scripts whose answer is new in 7.2; an older oracle is not asked.
const SCRIPTS_SINCE_7_2: &[Script] = &[
    (
        "shortest doubles",
        "ZADD z 0.1 a 1e21 b 123456789012345680 c\r\nZSCORE z a\r\nZSCORE z b\r\nZSCORE z c\r\n",
        ":3\r\n$3\r\n0.1\r\n$5\r\n1e+21\r\n$18\r\n123456789012345680\r\n",
        Open,
    ),
    (
        "rank with score",
        "ZADD z 1 a 2 b\r\nZRANK z b WITHSCORE\r\nZREVRANK z b WITHSCORE\r\nZRANK z c WITHSCORE\r\nZRANK z b FOO\r\n",
        ":2\r\n*2\r\n:1\r\n$1\r\n2\r\n*2\r\n:0\r\n$1\r\n2\r\n*-1\r\n-ERR syntax error\r\n",
        Open,
    ),
    (
        "rank with too much",
        "ZRANK z b WITHSCORE x\r\nZREVRANK z b FOO\r\n",
        "-ERR wrong number of arguments for 'zrank' command\r\n-ERR syntax error\r\n",
        Open,
    ),
    (
        "scores of a small and of a big sorted set in an iteration",
        "ZADD z 0.1 a -0 b\r\nZSCAN z 0\r\nCONFIG SET zset-max-listpack-entries 1\r\nZADD z 1e-5 a -0 c\r\n\
         OBJECT ENCODING z\r\nZSCAN z 0 MATCH a\r\nZSCORE z c\r\nCONFIG SET zset-max-listpack-entries 128\r\n",
        ":2\r\n*2\r\n$1\r\n0\r\n*4\r\n$1\r\nb\r\n$1\r\n0\r\n$1\r\na\r\n$3\r\n0.1\r\n+OK\r\n:1\r\n$8\r\nskiplist\r\n\
         *2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$22\r\n1.0000000000000001e-05\r\n$2\r\n-0\r\n+OK\r\n",
        Open,
    ),
    (
        "a sorted set is big when as many pairs come as make it so",
        "CONFIG SET zset-max-listpack-entries 2\r\nZADD z 1 a 1 a\r\nOBJECT ENCODING z\r\nZADD z 1 a 1 a 1 a\r\n\
         OBJECT ENCODING z\r\nZCARD z\r\nCONFIG SET zset-max-listpack-entries 128\r\n",
        "+OK\r\n:1\r\n$8\r\nlistpack\r\n:0\r\n$8\r\nskiplist\r\n:1\r\n+OK\r\n",
        Open,
    ),
    (
        "client setinfo",
        "CLIENT SETINFO LIB-NAME x\r\nCLIENT SETINFO LIB-VER 1.0\r\nCLIENT SETINFO FOO x\r\n",
        "+OK\r\n+OK\r\n-ERR Unrecognized option 'FOO'\r\n",
        Open,
    ),
    ("client no-touch", "CLIENT NO-TOUCH ON\r\nCLIENT NO-TOUCH OFF\r\n", "+OK\r\n+OK\r\n", Open),
    (
        "packed encodings",
        "RPUSH l a\r\nOBJECT ENCODING l\r\nSADD s a\r\nOBJECT ENCODING s\r\n",
        ":1\r\n$8\r\nlistpack\r\n:1\r\n$8\r\nlistpack\r\n",
        Open,
    ),
];

#[test]
fn resp2_at_once() {
    run(Some("protocol::resp2_at_once"), "", SCRIPTS, at_once);
}

#[test]
fn resp2_split_at_every_boundary() {
    run(None, "", SCRIPTS, |server, input, output, end| {
        let script = input.strip_suffix(SENTINEL).unwrap_or(input);
        (1..=script.len().min(input.len() - 1))
            .try_for_each(|at| in_pieces(server, &[&input[..at], &input[at..]], output, end))
    });
}

#[test]
fn resp2_byte_by_byte() {
    run(None, "", SCRIPTS, byte_by_byte);
}

#[test]
fn resp3() {
    run(Some("protocol::resp3"), "HELLO 3\r\n", SCRIPTS_RESP3, at_once);
    run(None, "HELLO 3\r\n", SCRIPTS_RESP3, byte_by_byte);
}

#[test]
fn news_of_7_2() {
    let server = Server::pipkin(&[]);
    if version(&server) < (7, 2) {
        return;
    }
    let failures: String =
        SCRIPTS_SINCE_7_2.iter().map(|script| check("Pipkin", &server, "", script, at_once)).collect();
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn hello_tells_who_answers() {
    let server = Server::pipkin(&[]);
    for (protocol, sign) in [("2", "*14"), ("3", "%7")] {
        let mut client = server.connect();
        client.write(format!("HELLO {protocol}\r\n").as_bytes());
        let head = client.read_bytes(sign.len() + 2);
        assert_eq!(String::from_utf8_lossy(&head), format!("{sign}\r\n"));
        assert_eq!(client.read().text(), "server");
        assert_eq!(client.read().text(), "redis", "libraries look for this name");
        assert_eq!(client.read().text(), "version");
        assert!(client.read().text().starts_with("7."), "a version of Redis 7");
        assert_eq!(client.read().text(), "proto");
        assert_eq!(client.read().integer().to_string(), protocol);
    }
}

#[test]
fn long_bulks_arrive_whole() {
    let server = Server::pipkin(&[]);
    let mut client = server.connect();
    for length in [16 << 10, (32 << 10) - 1, 32 << 10, (64 << 10) + 1, 1 << 20, 20 << 20] {
        let value: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        assert_eq!(client.call(&[b"SET".as_slice(), b"big", &value]).text(), "OK");
        assert!(client.call(&["GET", "big"]).bytes() == value, "{length} bytes come back as they went");
    }
}

/// Sends a script's bytes in its own way, and says what came back if that is not as expected.
type Sender = fn(&Server, &[u8], &[u8], End) -> Result<(), String>;

/// Runs scripts against Pipkin, and against the oracle on behalf of the test that is named.
fn run(test: Option<&str>, greeting: &str, scripts: &[Script], sender: Sender) {
    let subject = Server::pipkin(&[]);
    let oracle = test.and_then(support::oracle);
    let mut failures = String::new();
    for script in scripts {
        // The oracle first: it tells whether the stored bytes are right.
        if let Some(oracle) = &oracle {
            failures += &check("Redis", oracle, greeting, script, sender);
        }
        failures += &check("Pipkin", &subject, greeting, script, sender);
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Runs one script; returns what to report, empty when all is well.
fn check(who: &str, server: &Server, greeting: &str, script: &Script, sender: Sender) -> String {
    let (name, input, output, end) = script;
    let mut input = [greeting, input].concat().into_bytes();
    let mut output = output.as_bytes().to_vec();
    if *end == Open {
        input.extend(SENTINEL);
        // A RESP2 subscriber may not ask for the sentinel: its script expects the refusal.
        if !output.ends_with(b"in this context\r\n") {
            output.extend(SENTINEL_REPLY);
        }
    }
    let outcome = sender(server, &input, &output, *end);
    outcome.map_or_else(|message| format!("{who} in the script \"{name}\":\n{message}\n"), |()| String::new())
}

fn at_once(server: &Server, input: &[u8], output: &[u8], end: End) -> Result<(), String> {
    in_pieces(server, &[input], output, end)
}

fn byte_by_byte(server: &Server, input: &[u8], output: &[u8], end: End) -> Result<(), String> {
    let pieces: Vec<&[u8]> = input.chunks(1).collect();
    in_pieces(server, &pieces, output, end)
}

/// Sends the pieces to an empty server, another client's command in between, so that each is read by itself.
fn in_pieces(server: &Server, pieces: &[&[u8]], output: &[u8], end: End) -> Result<(), String> {
    let mut other = server.connect();
    other.line("FLUSHALL");
    let mut client = server.connect();
    for piece in pieces {
        client.write(piece);
        if pieces.len() > 1 {
            other.line("PING");
        }
    }
    skip_greeting(&mut client, pieces);
    // Whoever answers less is noticed by the close, not by waiting.
    client.finish_writing();
    let mut answer = if end == Closed { client.read_to_close() } else { client.read_bytes(output.len()) };
    if answer == output {
        return Ok(());
    }
    answer.extend(client.read_to_close());
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\\'", "'");
    Err(format!(
        "    sent in {} pieces\n    expected: {}\n    answered: {}",
        pieces.len(),
        shown(output),
        shown(&answer)
    ))
}

/// The reply to HELLO differs from server to server: it is read and dropped.
fn skip_greeting(client: &mut Client, pieces: &[&[u8]]) {
    if pieces.concat().starts_with(b"HELLO 3") {
        client.read();
    }
}

fn version(server: &Server) -> (u32, u32) {
    let info = server.connect().line("INFO server").text();
    let text = info.lines().find_map(|line| line.strip_prefix("redis_version:")).expect("INFO tells the version");
    let mut numbers = text.split('.').map(|part| part.parse().expect("a version is numbers"));
    (numbers.next().expect("a major number"), numbers.next().expect("a minor number"))
}
