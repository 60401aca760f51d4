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
/// FCALL whose number of keys is none.
pub const BAD_NUMKEYS: &[u8] = b"ERR Bad number of keys provided";
/// In front of a library's name.
pub const LIBRARY: &[u8] = b"ERR Library ";
/// In front of a function's name.
pub const FUNCTION: &[u8] = b"ERR Function ";
/// Behind either.
pub const ALREADY_EXISTS: &[u8] = b" already exists";
/// In front of the name of a library that FUNCTION LOAD finds.
pub const LIBRARY_QUOTED: &[u8] = b"ERR Library '";
/// Behind it.
pub const QUOTED_ALREADY_EXISTS: &[u8] = b"' already exists";
/// In front of the name of a language.
pub const ENGINE: &[u8] = b"ERR Engine '";
/// Behind it.
pub const NOT_FOUND: &[u8] = b"' not found";
/// A library beyond the limit, in the compiler's form.
pub const LIBRARY_TOO_LONG: &[u8] = b"ERR Error compiling function: user_function:1: script too long";
/// What stands in front of the compiler's message where a library is compiled.
pub const FUNCTION_NOT_COMPILED: &[u8] = b"ERR Error compiling function: ";
/// What stands in front of what a library raised while it was loaded.
pub const NOT_REGISTERED: &[u8] = b"ERR Error registering functions: ";
/// A library that registers nothing.
pub const NO_FUNCTIONS: &[u8] = b"ERR No functions registered";
/// FUNCTION DELETE of a library that is not there.
pub const NO_LIBRARY: &[u8] = b"ERR Library not found";
/// FUNCTION LIST LIBRARYNAME without one.
pub const NO_LIBRARY_NAME: &[u8] = b"ERR library name argument was not given";
/// In front of an argument of FUNCTION LIST that is unknown.
pub const UNKNOWN_ARGUMENT: &[u8] = b"ERR Unknown argument ";
/// In front of an option of FUNCTION LOAD that is unknown.
pub const UNKNOWN_OPTION: &[u8] = b"ERR Unknown option given: ";
/// FUNCTION FLUSH with another option.
pub const FUNCTION_FLUSH_OPTION: &[u8] = b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option";
/// FUNCTION RESTORE with another policy.
pub const RESTORE_POLICY: &[u8] = b"ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.";
/// FUNCTION RESTORE of a payload that holds something else.
pub const NOT_A_FUNCTION: &[u8] = b"ERR given type is not a function";
/// FUNCTION RESTORE of a payload whose text cannot be read.
pub const NO_PAYLOAD: &[u8] = b"ERR Failed loading library payload";
/// FUNCTION RESTORE of what candidates for 7.0 dumped.
pub const PRE_RELEASE: &[u8] = b"ERR Pre-GA function format not supported";
/// A script that may write, run by a command that may not.
pub const WRITES_IN_RO: &[u8] = b"ERR Can not execute a script with write flag using *_ro command.";
/// A script that says that it is not for clusters.
pub const NO_CLUSTER: &[u8] = b"ERR Can not run script on cluster, 'no-cluster' flag is set.";
/// A table that was raised and has no text.
pub const UNKNOWN: &[u8] = b"ERR unknown error";
/// A call of what is no command.
pub const UNKNOWN_COMMAND: &[u8] = b"ERR Unknown Redis command called from script";
/// Behind the name of a command that waits.
pub const NO_BLOCK: &[u8] = b" command is not allowed with BLOCK option from scripts";
/// A call with too few arguments, or too many.
pub const WRONG_ARITY: &[u8] = b"ERR Wrong number of args calling Redis command from script";
/// A call whose keys are in several slots of a cluster.
pub const NON_LOCAL_KEY: &[u8] = b"ERR Script attempted to access a non local key in a cluster node";
/// A call whose keys are in another slot than those before.
pub const OTHER_SLOT: &[u8] = b"ERR Script attempted to access keys that do not hash to the same slot";
/// A call of what scripts may not call.
pub const NOT_ALLOWED: &[u8] = b"ERR This Redis command is not allowed from script";
/// A call that writes in a script that may not.
pub const READ_ONLY: &[u8] = b"ERR Write commands are not allowed from read-only scripts.";

/// A text with the code of errors that have none of their own.
pub fn with_code(text: &[u8]) -> Vec<u8> {
    [b"ERR ", text].concat()
}
