//! Cluster mode: one node that serves all slots by itself.
//!
//! Clients of a cluster find the one node behind every slot. So that their code also runs on a cluster of several, the
//! rules of one hold: the keys of a command, and of a transaction, are in one slot, and there is one database.

use smallvec::SmallVec;

use super::registry::Command;
use super::session::Session;
use crate::base::random;
use crate::command::spec::keys::slot_positions;
use crate::protocol::error::{CommandError, CommandResult, scripting};
use crate::protocol::request::Request;
use crate::protocol::value::hash_slot;

/// Slots of every cluster.
pub const SLOTS: u16 = 16384;

/// The instance's part in cluster mode.
#[derive(Debug)]
pub struct Cluster {
    /// `cluster-enabled`.
    pub is_enabled: bool,
    /// The node's id: forty random hexadecimal digits, new at each start.
    pub node_id: String,
    /// The shard's id, likewise.
    pub shard_id: String,
}

impl Cluster {
    /// A node that begins now.
    pub fn new(is_enabled: bool) -> Cluster {
        Cluster { is_enabled, node_id: random::token(20), shard_id: random::token(20) }
    }

    /// What INFO and HELLO call the mode of the server.
    pub fn mode(&self) -> &'static str {
        if self.is_enabled { "cluster" } else { "standalone" }
    }
}

/// Checks that the keys of a command, or for EXEC those of all that is queued, are in one slot.
///
/// # Errors
/// When they are not.
pub fn one_slot(session: &Session, command: &Command, request: Request<'_>) -> CommandResult {
    let mut slot = None;
    if !command.is_exec {
        return check(command, request, &mut slot);
    }
    let mut queued = session.transaction.iter().flat_map(|transaction| &transaction.queued);
    queued.try_for_each(|(command, request)| check(command, request.request(), &mut slot))
}

/// Checks the keys of a command that a script runs. `slot` is that of the script's keys so far; a script that asked for
/// no rules may go to another one with the next command.
///
/// # Errors
/// When they are in several slots, or in another one.
pub fn one_slot_of_script(
    command: &Command,
    request: Request<'_>,
    slot: &mut Option<u16>,
    may_change: bool,
) -> CommandResult {
    let mut found = None;
    if check(command, request, &mut found).is_err() {
        return Err(CommandError::quoted_line(scripting::NON_LOCAL_KEY));
    }
    match found {
        Some(found) if !may_change && *slot.get_or_insert(found) != found => {
            Err(CommandError::quoted_line(scripting::OTHER_SLOT))
        }
        _ => Ok(()),
    }
}

/// Checks one command; `slot` is that of the keys before.
fn check(command: &Command, request: Request<'_>, slot: &mut Option<u16>) -> CommandResult {
    let mut agree = |key: &[u8]| match *slot.get_or_insert_with(|| hash_slot(key)) == hash_slot(key) {
        true => Ok(()),
        false => Err(CommandError::CrossSlot),
    };
    if let Some(simple) = command.simple_keys {
        return simple.positions(request.len()).try_for_each(|at| agree(request.argument(at)));
    }
    if command.keys.is_empty() {
        return Ok(());
    }
    let arguments: SmallVec<[&[u8]; 16]> = request.iter().collect();
    // Arguments that contradict the declaration are the handler's to refuse.
    let positions = slot_positions(command.keys, &arguments).unwrap_or_default();
    positions.iter().try_for_each(|(at, _)| agree(request.argument(*at as usize)))
}
