//! Errors for the operator: why the server does not start, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why the server does not start; `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// Another program listens there.
    #[error(
        "{address} is taken by another program, perhaps another server. Stop that one, or choose another port: \
         pipkin --port {}", next_port(*.port)
    )]
    PortTaken {
        /// Host and port as they were asked for.
        address: String,
        /// The port in it.
        port: u16,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}. Check --bind and --port; ports below 1024 need privileges")]
    Bind {
        /// Host and port as they were asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The socket's path cannot be listened on.
    #[error("cannot listen on the Unix socket {}: {source}. Check --unixsocket and the folder's permissions", path.display())]
    UnixSocket {
        /// The path as it was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody listens on the socket's path.
    #[error(
        "the Unix socket {} is taken by another program, perhaps another server. Stop that one, or choose another path: \
         pipkin --unixsocket", path.display()
    )]
    SocketTaken {
        /// The path from the root.
        path: PathBuf,
    },
    /// What stands at the socket's path is no socket.
    #[error("{} is no socket and is left alone. Choose another path for --unixsocket, or move it away", path.display())]
    NoSocket {
        /// The path from the root.
        path: PathBuf,
    },
    /// The data directory cannot be used, or not be loaded.
    #[error("{0}")]
    Data(String),
    /// The log cannot be written to its file.
    #[error("cannot write the log to {}: {source}. Check --logfile and the folder's permissions", path.display())]
    LogFile {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    ConfigFile {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a configuration file that is not understood or refused.
    #[error("{}:{line}: '{text}': {reason}", path.display())]
    ConfigLine {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The line itself.
        text: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// An option of the command line that is not understood or refused.
    #[error("--{name}: {reason}")]
    Option {
        /// The setting's name.
        name: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// An environment variable that is not understood or refused.
    #[error("environment variable {name}: {reason}")]
    Environment {
        /// The variable's name.
        name: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// Settings that are valid alone but not together.
    #[error("these settings do not fit together: {0}")]
    Conflict(String),
    /// Threads or runtimes cannot be started.
    #[error("cannot start {what}: {source}")]
    Thread {
        /// What was to be started.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The operating system gives no random bytes for the seeds.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
}

/// A port to propose instead of `port`.
fn next_port(port: u16) -> u16 {
    port.checked_add(1).unwrap_or(6380)
}
