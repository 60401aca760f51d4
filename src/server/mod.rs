//! Floor 6: sockets. Listeners, the connection loop, workers and shutdown; no command is known here.

pub mod connection;
pub mod listener;
pub mod round;
pub mod supervisor;
pub mod task;
pub mod transport;
pub mod unix;
pub mod workers;
