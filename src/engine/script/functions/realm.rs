//! `Realm`: where the values of libraries live, from call to call.
//!
//! Functions of a library share its local variables, and keep them, whichever thread a call comes from. Values are made
//! of counted references that threads must not share. The realm is therefore closed:
//!
//! - Everything that a function can come at is made inside: the globals, too, are the realm's own. A thread's scripts
//!   and a realm have no reference in common.
//! - Nothing of it leaves. What is handed in and out is bytes and numbers; a call's result is looked at, and dropped,
//!   before the [`Visit`] ends within which the call was made.
//! - One thread at a time visits it: whoever has it `&mut`, from behind a lock.
//!
//! Tables and functions that refer to each other in circles, and that nobody can come at any more, are emptied after a
//! visit, when there are twice as many of them, or twice as many bytes, as were left the last time.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::rc::Rc;

use super::super::cache::compile_body;
use super::super::compiler::Purpose;
use super::super::library::Globals;
use super::super::machine::{Failure, Machine, Remains};
use super::super::value::{Inputs, ScriptError, Server, Text, Value, exchange_live_bytes, live_bytes};
use super::registration::{self, Registration};
use crate::base::clock::Stopwatch;
use crate::base::limits::{SCRIPT_BYTES_MAX, SCRIPT_FUNCTIONS_BYTES_MAX};
use crate::protocol::error::CommandError;
use crate::protocol::error::scripting;

/// What messages call a library's text.
pub const NAME: &str = "user_function";
/// So many tables and cells are not worth a look,
const COLLECTED_FROM: usize = 4096;
/// nor so many bytes.
const COLLECTED_FROM_BYTES: usize = 16 << 20;

/// See the module's text. Empty until it is first visited.
#[derive(Default)]
pub struct Realm {
    inside: Option<Box<Inside>>,
    /// Bytes that all of it takes.
    bytes: usize,
    /// Numbers are not used again.
    next_id: u64,
}

// SAFETY: the counted references inside are reachable through the realm alone (see the module's text), so that moving it
// moves all of their holders; none of them refers to anything of a thread's own. It is not `Sync`.
unsafe impl Send for Realm {}

struct Inside {
    globals: Rc<Globals>,
    loading: Rc<Globals>,
    functions: HashMap<u64, Value>,
    remains: Remains,
    /// With so many tables and cells those that are gone are forgotten,
    pruned_from: usize,
    /// and with so many that are not, or with so many bytes, all are looked at.
    collected_from: usize,
    collected_from_bytes: usize,
}

impl Default for Inside {
    fn default() -> Inside {
        Inside {
            globals: Rc::new(Globals::of_functions()),
            loading: Rc::new(Globals::of_load()),
            functions: HashMap::new(),
            remains: Remains::default(),
            pruned_from: COLLECTED_FROM,
            collected_from: COLLECTED_FROM,
            collected_from_bytes: COLLECTED_FROM_BYTES,
        }
    }
}

impl Inside {
    /// Forgets what is gone, and empties what nobody can come at, when there is enough of it.
    fn tidy_up(&mut self) {
        let has_grown = live_bytes() > self.collected_from_bytes;
        if self.remains.len() <= self.pruned_from && !has_grown {
            return;
        }
        self.remains.forget_freed();
        if self.remains.len() > self.collected_from || has_grown {
            self.remains.collect(self.functions.values());
            self.collected_from = COLLECTED_FROM.max(2 * self.remains.len());
            self.collected_from_bytes = COLLECTED_FROM_BYTES.max(2 * live_bytes());
        }
        self.pruned_from = COLLECTED_FROM.max(2 * self.remains.len());
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // The globals refer to themselves.
        self.globals.clear();
    }
}

/// A function that a library has registered.
#[derive(Debug)]
pub struct Registered {
    /// By which number the realm knows it.
    pub id: u64,
    /// What was said of it.
    pub said: Registration,
}

/// A thread inside of a realm: what its scripts allocate is counted as the realm's meanwhile.
pub struct Visit<'r> {
    realm: &'r mut Realm,
    outside: usize,
}

impl Realm {
    /// Enters.
    pub fn visit(&mut self) -> Visit<'_> {
        let outside = exchange_live_bytes(self.bytes);
        Visit { realm: self, outside }
    }

    /// Gives all of it away, to be dropped by somebody who has the time.
    pub fn take(&mut self) -> Realm {
        let next_id = self.next_id;
        std::mem::replace(self, Realm { inside: None, bytes: 0, next_id })
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let visit = self.visit();
        visit.realm.inside = None;
    }

    /// Forgets functions.
    pub fn forget(&mut self, ids: impl Iterator<Item = u64>) {
        if let Some(inside) = &mut self.visit().realm.inside {
            ids.for_each(|id| drop(inside.functions.remove(&id)));
            inside.collected_from_bytes = 0;
        }
    }

    /// Bytes that all of it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        // A call that panicked may have left anything; nothing is to panic over that.
        if let Some(inside) = &mut self.realm.inside
            && !std::thread::panicking()
        {
            inside.tidy_up();
        }
        self.realm.bytes = exchange_live_bytes(self.outside);
    }
}

impl Visit<'_> {
    fn inside(&mut self) -> &mut Inside {
        self.realm.inside.get_or_insert_default()
    }

    /// Compiles a library and runs it; it may take so many ms. Returns what it registered.
    ///
    /// # Errors
    /// Why it is no library.
    pub fn load(&mut self, body: &[u8], limit_ms: Option<u64>) -> Result<Vec<Registered>, Vec<u8>> {
        let compiled = compile_body(body, Purpose::Library, NAME)
            .map_err(|message| [scripting::FUNCTION_NOT_COMPILED, &message].concat())?;
        let mut loading = Loading { registered: Vec::new(), watch: Stopwatch::start(), limit_ms };
        let inside = self.inside();
        let mut machine = Machine::with(&mut loading, NAME, 0, Rc::clone(&inside.loading));
        machine.limit_bytes(bytes_max());
        let result = machine.run(&compiled.main).map(drop);
        inside.remains.join(machine.finish());
        result.map_err(|failure| [scripting::NOT_REGISTERED, &failure.text()[..]].concat())?;
        let mut next_id = self.realm.next_id;
        let inside = self.inside();
        let kept = loading.registered.into_iter().map(|(said, value)| {
            next_id += 1;
            inside.functions.insert(next_id, value);
            Registered { id: next_id, said }
        });
        let kept = kept.collect();
        self.realm.next_id = next_id;
        Ok(kept)
    }

    /// Calls a function with the server's KEYS and ARGV. The result is to be dropped before the visit ends.
    ///
    /// # Errors
    /// What it raised.
    pub fn call(&mut self, id: u64, server: &mut dyn Server, seed: u64) -> Result<Value, Failure> {
        let inside = self.inside();
        if live_bytes() > SCRIPT_FUNCTIONS_BYTES_MAX {
            return Err(Failure { error: ScriptError::Raised(Value::text("not enough memory")), line: None });
        }
        let function = inside.functions.get(&id).cloned().unwrap_or_default();
        let mut machine = Machine::with(server, NAME, seed, Rc::clone(&inside.globals));
        machine.limit_bytes(bytes_max());
        let result = machine.run_with_inputs(&function);
        inside.remains.join(machine.finish());
        result
    }
}

/// A call may take as much as a script, and all libraries together so much.
fn bytes_max() -> usize {
    live_bytes().saturating_add(SCRIPT_BYTES_MAX).min(SCRIPT_FUNCTIONS_BYTES_MAX)
}

/// What a library sees of the server while it is being loaded.
struct Loading {
    registered: Vec<(Registration, Value)>,
    watch: Stopwatch,
    limit_ms: Option<u64>,
}

impl Loading {
    fn register(&mut self, arguments: &[Value]) -> Result<(), &'static str> {
        let (said, callback) = registration::read(arguments)?;
        if !super::is_name(&said.name) {
            return Err(super::BAD_NAME);
        }
        if self.registered.iter().any(|(other, _)| other.name.eq_ignore_ascii_case(&said.name)) {
            return Err("Function already exists in the library");
        }
        self.registered.push((said, callback));
        Ok(())
    }
}

impl Server for Loading {
    fn command(&mut self, _: &[&[u8]]) -> Result<&[u8], CommandError> {
        Err(CommandError::quoted_line(scripting::NOT_ALLOWED))
    }

    fn done(&mut self) {}

    fn set_protocol(&mut self, _: u8) {}

    fn log(&mut self, level: i64, message: &[u8]) {
        super::super::run::log(level, message);
    }

    fn may_run(&mut self, _: &[Text]) -> Option<bool> {
        None
    }

    fn register_function(&mut self, arguments: &[Value]) -> Result<(), String> {
        self.register(arguments).map_err(str::to_owned)
    }

    fn check(&mut self) -> Result<(), ScriptError> {
        match self.limit_ms {
            Some(limit_ms) if self.watch.elapsed_ns() / 1_000_000 > limit_ms => {
                Err(ScriptError::Ended("FUNCTION LOAD timeout"))
            }
            _ => Ok(()),
        }
    }

    fn input_len(&self, _: Inputs) -> usize {
        0
    }

    fn input(&self, _: Inputs, _: usize) -> &[u8] {
        b""
    }
}
