//! Texts of errors that scripts, and the commands about them, give.

/// SCRIPT FLUSH with another option.
pub const FLUSH_OPTION: &[u8] = b"ERR SCRIPT FLUSH only support SYNC|ASYNC option";
/// SCRIPT KILL while no script runs.
pub const NOT_BUSY: &[u8] = b"NOTBUSY No scripts in execution right now.";
/// SCRIPT KILL of a script that has written.
pub const UNKILLABLE: &[u8] = b"UNKILLABLE Sorry the script already executed write commands against the dataset. You \
    can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.";
/// A command of a script that is to end.
pub const KILLED: &[u8] = b"ERR the script is being killed";
/// SCRIPT DEBUG that asks for one.
pub const NO_DEBUGGER: &[u8] = b"ERR There is no debugger for scripts";
/// SCRIPT DEBUG with another option.
pub const DEBUG_OPTION: &[u8] = b"ERR Use SCRIPT DEBUG YES/SYNC/NO";
/// What stands in front of the compiler's message.
pub const NOT_COMPILED: &[u8] = b"ERR Error compiling script (new function): ";
/// A text beyond the limit, in the compiler's form.
pub const TOO_LONG: &[u8] = b"ERR Error compiling script (new function): user_script:1: script too long";
/// A reply that is nested too deeply.
pub const STACK_LIMIT: &[u8] = b"ERR reached lua stack limit";
/// A reply beyond the limit.
pub const REPLY_TOO_LONG: &[u8] = b"ERR the reply of the script is too long";
/// `error_reply` and `status_reply` of something else than one string.
pub const NOT_ONE_STRING: &[u8] = b"ERR wrong number or type of arguments";
/// FCALL of a function that is not there.
pub const NO_FUNCTION: &[u8] = b"ERR Function not found";
/// A script that may write, run by a command that may not.
pub const WRITES_IN_RO: &[u8] = b"ERR Can not execute a script with write flag using *_ro command.";
/// A script that says that it is not for clusters.
pub const NO_CLUSTER: &[u8] = b"ERR Can not run script on cluster, 'no-cluster' flag is set.";
/// A table that was raised and has no text.
pub const UNKNOWN: &[u8] = b"ERR unknown error";
/// A call of what is no command.
pub const UNKNOWN_COMMAND: &[u8] = b"ERR Unknown Redis command called from script";
/// A call with too few arguments, or too many.
pub const WRONG_ARITY: &[u8] = b"ERR Wrong number of args calling Redis command from script";
/// A call of what scripts may not call.
pub const NOT_ALLOWED: &[u8] = b"ERR This Redis command is not allowed from script";
/// A call that writes in a script that may not.
pub const READ_ONLY: &[u8] = b"ERR Write commands are not allowed from read-only scripts.";

/// A text with the code of errors that have none of their own.
pub fn with_code(text: &[u8]) -> Vec<u8> {
    [b"ERR ", text].concat()
}
