//! Handlers of the commands about the connection itself.

pub mod spec;

/// AUTH.
pub fn auth() {}

/// HELLO.
pub fn hello() {}

/// SELECT.
pub fn select() {}

/// PING.
pub fn ping() {}

/// ECHO.
pub fn echo() {}

/// QUIT.
pub fn quit() {}

/// RESET.
pub fn reset() {}

/// CLIENT ID.
pub fn client_id() {}

/// CLIENT SETNAME.
pub fn client_setname() {}

/// CLIENT GETNAME.
pub fn client_getname() {}

/// CLIENT SETINFO.
pub fn client_setinfo() {}

/// CLIENT INFO.
pub fn client_info() {}

/// CLIENT LIST.
pub fn client_list() {}

/// CLIENT KILL.
pub fn client_kill() {}

/// CLIENT NO-EVICT.
pub fn client_no_evict() {}

/// CLIENT NO-TOUCH.
pub fn client_no_touch() {}

/// CLIENT REPLY.
pub fn client_reply() {}

/// CLIENT HELP.
pub fn client_help() {}
