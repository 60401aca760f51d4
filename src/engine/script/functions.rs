//! Libraries of functions: FUNCTION LOAD and its kin, and FCALL.
//!
//! What there is stands in the [`catalogue`], which anybody may read at any time; the values are in the [`realm`], which
//! belongs to whoever holds the keyspace exclusively: each command that changes libraries, and each call of a function.

mod catalogue;
mod realm;
mod registration;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

use self::catalogue::{Catalogue, Refusal};
pub use self::catalogue::{Function, Library};
use self::realm::{Realm, Visit};
use super::header::{self, Metadata};
use super::run::{self, Rules};
use super::running::Kind;
use crate::base::limits::SCRIPT_TEXT_BYTES_MAX;
use crate::command::Args;
use crate::engine::{Call, Outcome};
use crate::protocol::error::scripting;
use crate::protocol::error::{CommandError, CommandResult};

/// What a library that a client sends may take to register its functions, in ms.
pub const LOAD_MS_MAX: u64 = 500;

/// The only language, as Redis calls it.
pub const ENGINE: &str = "LUA";

const BAD_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one \
    character long";

/// The libraries of an instance.
#[derive(Default)]
pub struct Functions {
    catalogue: RwLock<Catalogue>,
    realm: Mutex<Realm>,
    realm_bytes: AtomicUsize,
    code_bytes: AtomicUsize,
}

/// What becomes of the libraries that are there when others are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They stay, and none of them is replaced.
    Append,
    /// They stay, but for those that are replaced.
    Replace,
    /// They go.
    Flush,
}

/// Figures for INFO.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Libraries.
    pub libraries: usize,
    /// Functions.
    pub functions: usize,
    /// Bytes of their texts.
    pub code_bytes: usize,
    /// Bytes of their values.
    pub realm_bytes: usize,
}

impl Functions {
    /// Loads a library from its text; it may take so many ms. Returns its name. The keyspace is held exclusively.
    ///
    /// # Errors
    /// Why it is not loaded, as the text of an error.
    pub fn load(&self, code: &[u8], replaces: bool, limit_ms: Option<u64>) -> Result<Arc<[u8]>, Refusal> {
        let mut realm = self.realm.lock();
        let is_taken = |name: &[u8]| !replaces && self.catalogue.read().has(name);
        let outcome = make(&mut realm, code, is_taken, limit_ms).and_then(|library| {
            let name = Arc::clone(&library.name);
            let mut added = Catalogue::default();
            added.put(library);
            self.add(&mut realm, added, replaces).map(|()| name)
        });
        self.note(&mut realm);
        outcome
    }

    /// Loads libraries from their texts, all or none. The keyspace is held exclusively.
    ///
    /// # Errors
    /// Why they are not loaded, as the text of an error.
    pub fn restore(&self, codes: &[Vec<u8>], policy: Policy) -> Result<(), Refusal> {
        let mut realm = self.realm.lock();
        let mut added = Catalogue::default();
        let outcome = codes.iter().try_for_each(|code| {
            let mut one = Catalogue::default();
            one.put(make(&mut realm, code, |name| added.has(name), None)?);
            join(&mut realm, &mut added, one, false)
        });
        let outcome = match outcome {
            Err(refusal) => {
                forget(&mut realm, added.libraries());
                Err(refusal)
            }
            Ok(()) if policy == Policy::Flush => {
                let before = std::mem::replace(&mut *self.catalogue.write(), added);
                forget(&mut realm, before.libraries());
                Ok(())
            }
            Ok(()) => self.add(&mut realm, added, policy == Policy::Replace),
        };
        self.note(&mut realm);
        outcome
    }

    /// Removes a library; false where there is none of this name. The keyspace is held exclusively.
    pub fn delete(&self, name: &[u8]) -> bool {
        let mut realm = self.realm.lock();
        let removed = self.catalogue.write().remove(name);
        forget(&mut realm, removed.iter());
        self.note(&mut realm);
        removed.is_some()
    }

    /// Removes all libraries, and returns what is to be freed. The keyspace is held exclusively.
    pub fn flush(&self) -> impl Send + use<> {
        let mut realm = self.realm.lock();
        let catalogue = std::mem::take(&mut *self.catalogue.write());
        let values = realm.take();
        self.note(&mut realm);
        (catalogue, values)
    }

    /// All libraries, by name.
    pub fn libraries(&self) -> Vec<Arc<Library>> {
        self.catalogue.read().libraries().cloned().collect()
    }

    /// The function of this name, in any case.
    pub fn find(&self, name: &[u8]) -> Option<Arc<Function>> {
        self.catalogue.read().function(name).cloned()
    }

    /// Figures for INFO.
    pub fn figures(&self) -> Figures {
        let catalogue = self.catalogue.read();
        Figures {
            libraries: catalogue.library_count(),
            functions: catalogue.function_count(),
            code_bytes: catalogue.code_bytes(),
            realm_bytes: self.realm_bytes.load(Ordering::Relaxed),
        }
    }

    fn add(&self, realm: &mut Realm, added: Catalogue, replaces: bool) -> Result<(), Refusal> {
        join(realm, &mut self.catalogue.write(), added, replaces)
    }

    /// A visit has ended.
    fn note(&self, realm: &mut Realm) {
        // One that was told to forget something has to look around first.
        drop(realm.visit());
        self.realm_bytes.store(realm.bytes(), Ordering::Relaxed);
        self.code_bytes.store(self.catalogue.read().code_bytes(), Ordering::Relaxed);
    }

    /// Bytes of all texts and values.
    pub fn bytes(&self) -> usize {
        self.realm_bytes.load(Ordering::Relaxed) + self.code_bytes.load(Ordering::Relaxed)
    }
}

/// Adds libraries to others; where they cannot be, their values go.
fn join(realm: &mut Realm, to: &mut Catalogue, added: Catalogue, replaces: bool) -> Result<(), Refusal> {
    let libraries: Vec<Arc<Library>> = added.libraries().cloned().collect();
    match to.add(added, replaces) {
        Ok(replaced) => {
            forget(realm, replaced.iter());
            Ok(())
        }
        Err(refusal) => {
            forget(realm, libraries.iter());
            Err(refusal)
        }
    }
}

fn forget<'l>(realm: &mut Realm, libraries: impl Iterator<Item = &'l Arc<Library>>) {
    realm.forget(libraries.flat_map(|library| library.functions.iter().map(|function| function.id)));
}

/// Makes a library of its text. It is in no catalogue yet; its values are in the realm.
fn make(
    realm: &mut Realm,
    code: &[u8],
    is_taken: impl Fn(&[u8]) -> bool,
    limit_ms: Option<u64>,
) -> Result<Arc<Library>, Refusal> {
    if code.len() > SCRIPT_TEXT_BYTES_MAX {
        return Err(scripting::LIBRARY_TOO_LONG.to_vec());
    }
    let Metadata { name, engine, body } = header::library(code)?;
    if !is_name(&name) {
        return Err(scripting::with_code(BAD_NAME.as_bytes()));
    }
    if !engine.eq_ignore_ascii_case(ENGINE.as_bytes()) {
        return Err([scripting::ENGINE, &engine, scripting::NOT_FOUND].concat());
    }
    if is_taken(&name) {
        return Err([scripting::LIBRARY_QUOTED, &name, scripting::QUOTED_ALREADY_EXISTS].concat());
    }
    let registered = realm.visit().load(body, limit_ms)?;
    if registered.is_empty() {
        return Err(scripting::NO_FUNCTIONS.to_vec());
    }
    let name: Arc<[u8]> = name.into();
    let functions = registered.into_iter().map(|function| {
        let (id, said) = (function.id, function.said);
        let library = Arc::clone(&name);
        Arc::new(Function { id, name: said.name, library, description: said.description, flags: said.flags })
    });
    Ok(Arc::new(Library { functions: functions.collect(), code: code.into(), name }))
}

/// Letters, digits and underscores.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Runs the function that a call names.
///
/// # Errors
/// When there is none, when it may not run, and with what it raised.
pub fn call(call: &mut Call<'_, '_>, args: Args<'_>, read_only: bool) -> CommandResult<Outcome> {
    let engine = call.engine;
    let request = args.request();
    let Some(function) = engine.functions.find(request.argument(1)) else {
        return Err(CommandError::quoted_line(scripting::NO_FUNCTION));
    };
    let keys = run::key_range(request, CommandError::quoted_line(scripting::BAD_NUMKEYS))?;
    // What is planned for a call is everything, unless it is one of a script's.
    if !call.context.keys.is_exclusive() {
        return Err(CommandError::quoted_line(scripting::NO_FUNCTION));
    }
    let rules =
        Rules { kind: Kind::Function, header: &function.flags, read_only, name: &function.name, source: realm::NAME };
    run::may_begin(call, &rules)?;
    let seed = engine.scripts.random().state();
    let mut realm = engine.functions.realm.lock();
    let outcome = {
        let mut visit: Visit<'_> = realm.visit();
        run::perform(call, request, keys, &rules, |host| (visit.call(function.id, host, seed), ())).0
    };
    engine.functions.realm_bytes.store(realm.bytes(), Ordering::Relaxed);
    outcome
}

#[cfg(test)]
mod tests;
