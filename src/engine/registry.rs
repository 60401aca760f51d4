//! The registry: every row of every family, found by name.
//!
//! It is made once per process from constant rows; nothing in it ever changes, so instances share it.

use std::sync::LazyLock;

use super::Handler as EngineHandler;
use crate::command::Handler as DataHandler;
use crate::command::spec::{Arity, Categories, CommandSpec, Flags, Group, KeySpec, SimpleKeys};

/// What runs for a command.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Works on keys only.
    Data(DataHandler),
    /// Works on the instance or the connection too.
    Engine(EngineHandler),
    /// A container: one of its subcommands must be named.
    Container,
}

/// The row that a command was made from.
#[derive(Clone, Copy)]
pub enum Row {
    /// Of a data family.
    Data(&'static CommandSpec<DataHandler>),
    /// Of the engine.
    Engine(&'static CommandSpec<EngineHandler>),
}

/// Where the script of a command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptSource {
    /// EVAL
    Text,
    /// EVALSHA
    Digest,
    /// FCALL
    Function,
}

/// A command as the dispatcher sees it.
pub struct Command {
    /// Place in the registry, for statistics.
    pub id: usize,
    /// Lower-case name; `container|subcommand` for a subcommand.
    pub full_name: String,
    /// See [`CommandSpec::arity`].
    pub arity: Arity,
    /// See [`CommandSpec::flags`].
    pub flags: Flags,
    /// All ACL categories.
    pub categories: Categories,
    /// See [`CommandSpec::group`].
    pub group: Group,
    /// What runs.
    pub handler: Handler,
    /// See [`CommandSpec::keys`].
    pub keys: &'static [KeySpec],
    /// Where the keys are, if one range says it all.
    pub simple_keys: Option<SimpleKeys>,
    /// Its keys cannot be known beforehand although it works on keys (SCAN, FLUSHALL): it needs every shard.
    pub needs_everything: bool,
    /// Flagged `fast`, or of constant time: too short to be timed one by one.
    pub is_brief: bool,
    /// The place of its first argument: behind the name, or behind the subcommand's.
    pub first_argument: usize,
    /// It ends, begins or watches for a transaction (EXEC, MULTI, WATCH, …): behind MULTI it runs instead of being queued.
    pub governs_transaction: bool,
    /// It runs a script, whose locks are those that the script's plan asks for.
    pub runs_script: Option<ScriptSource>,
    /// It is EXEC, whose locks are those of what is queued.
    pub is_exec: bool,
    /// Subcommands of a container.
    pub subcommands: Vec<&'static Command>,
    /// The row.
    pub row: Row,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({})", self.full_name)
    }
}

/// All commands.
pub struct Registry {
    /// Commands and subcommands, by id.
    pub all: Vec<&'static Command>,
    /// Commands without subcommands, in the order of the families.
    pub top: Vec<&'static Command>,
    /// Open addressing by [`name_hash`]; a power of two at most a quarter full.
    slots: Vec<Option<&'static Command>>,
}

/// The registry of this process.
pub static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Longest name that is looked up.
const NAME_MAX: usize = 32;

#[inline]
fn name_hash(name: &[u8]) -> usize {
    let mut hash = name.len() as u64;
    for &byte in name {
        hash = (hash.rotate_left(5) ^ (byte | 0x20) as u64).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    (hash >> 48) as usize
}

impl Registry {
    fn new() -> Registry {
        let mut registry = Registry { all: Vec::new(), top: Vec::new(), slots: Vec::new() };
        for rows in crate::command::FAMILIES {
            for row in rows.iter() {
                registry.add(row, "", Row::Data, Handler::Data);
            }
        }
        for rows in super::commands::FAMILIES {
            for row in rows.iter() {
                registry.add(row, "", Row::Engine, Handler::Engine);
            }
        }
        let size = (registry.top.len() * 4).next_power_of_two();
        registry.slots = vec![None; size];
        for &command in &registry.top {
            let mut at = name_hash(command.full_name.as_bytes()) & (size - 1);
            while registry.slots[at].is_some() {
                at = (at + 1) & (size - 1);
            }
            registry.slots[at] = Some(command);
        }
        registry
    }

    fn add<H: Copy>(
        &mut self,
        row: &'static CommandSpec<H>,
        container: &str,
        as_row: fn(&'static CommandSpec<H>) -> Row,
        as_handler: fn(H) -> Handler,
    ) -> &'static Command {
        let full_name = if container.is_empty() { row.name.to_string() } else { format!("{container}|{}", row.name) };
        let subcommands = row.subcommands.iter().map(|sub| self.add(sub, &full_name, as_row, as_handler)).collect();
        let works_on_keys = row.flags.has(Flags::READONLY) || row.flags.has(Flags::WRITE);
        let command: &'static Command = Box::leak(Box::new(Command {
            id: self.all.len(),
            arity: row.arity,
            flags: row.flags,
            categories: row.all_categories(),
            group: row.group,
            handler: row.handler.map_or(Handler::Container, as_handler),
            keys: row.keys,
            simple_keys: row.simple_keys().filter(|simple| simple.first > 0 && row.has_keys()),
            needs_everything: works_on_keys
                && row.keys.is_empty()
                && (row.categories.has(Categories::KEYSPACE) || row.group == Group::Scripting),
            is_brief: row.flags.has(Flags::FAST) || row.complexity == "O(1)",
            first_argument: if container.is_empty() { 1 } else { 2 },
            governs_transaction: matches!(row.name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
                && container.is_empty(),
            runs_script: match full_name.as_str() {
                "eval" | "eval_ro" => Some(ScriptSource::Text),
                "evalsha" | "evalsha_ro" => Some(ScriptSource::Digest),
                "fcall" | "fcall_ro" => Some(ScriptSource::Function),
                _ => None,
            },
            is_exec: full_name == "exec",
            subcommands,
            row: as_row(row),
            full_name,
        }));
        self.all.push(command);
        if container.is_empty() {
            self.top.push(command);
        }
        command
    }

    /// The command of this name, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&'static Command> {
        if name.len() > NAME_MAX {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = name_hash(name) & mask;
        while let Some(command) = self.slots[at] {
            if command.full_name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(command);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// The command of a full name, `get` or `client|kill` in any case.
    pub fn find_full(&self, name: &[u8]) -> Option<&'static Command> {
        let mut words = name.split(|byte| *byte == b'|');
        let command = self.find(words.next()?)?;
        match (words.next(), words.next()) {
            (None, _) => Some(command),
            (Some(subcommand), None) => command.subcommand(subcommand),
            (Some(_), Some(_)) => None,
        }
    }

    /// The command that would run a call; a container without a subcommand is found as such.
    pub fn find_call(&self, call: &[&[u8]]) -> Option<&'static Command> {
        let command = self.find(call.first()?)?;
        match call.get(1) {
            Some(subcommand) if !command.subcommands.is_empty() => command.subcommand(subcommand),
            _ => Some(command),
        }
    }
}

impl Command {
    /// The subcommand of this name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Command> {
        self.subcommands.iter().copied().find(|sub| sub.own_name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The name without the container's.
    pub fn own_name(&self) -> &str {
        self.full_name.rsplit('|').next().unwrap_or(&self.full_name)
    }
}
