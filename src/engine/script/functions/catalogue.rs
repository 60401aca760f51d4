//! The catalogue: which libraries there are and what functions they have, without their values.
//!
//! Libraries are found by their names as they are written, functions in any case. A change is checked as a whole before
//! anything of it is done.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::header::Header;
use crate::protocol::error::scripting;

/// A library.
#[derive(Debug)]
pub struct Library {
    /// Its name.
    pub name: Arc<[u8]>,
    /// Its text, with the first line.
    pub code: Arc<[u8]>,
    /// What it registered, in that order.
    pub functions: Vec<Arc<Function>>,
}

/// A function of a library.
#[derive(Debug)]
pub struct Function {
    /// The realm knows its value by this number.
    pub id: u64,
    /// Its name.
    pub name: Box<[u8]>,
    /// The library's name.
    pub library: Arc<[u8]>,
    /// What it is said to do.
    pub description: Option<Box<[u8]>>,
    /// Its flags.
    pub flags: Header,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Catalogue {
    libraries: BTreeMap<Arc<[u8]>, Arc<Library>>,
    /// By name in lower case.
    functions: HashMap<Vec<u8>, Arc<Function>>,
    code_bytes: usize,
}

/// Why a change is not made, as the text of an error.
pub type Refusal = Vec<u8>;

impl Catalogue {
    /// The function of this name, in any case.
    pub fn function(&self, name: &[u8]) -> Option<&Arc<Function>> {
        self.functions.get(&name.to_ascii_lowercase())
    }

    /// Whether there is a library of this name.
    pub fn has(&self, name: &[u8]) -> bool {
        self.libraries.contains_key(name)
    }

    /// The libraries, by name.
    pub fn libraries(&self) -> impl Iterator<Item = &Arc<Library>> {
        self.libraries.values()
    }

    /// How many libraries there are.
    pub fn library_count(&self) -> usize {
        self.libraries.len()
    }

    /// How many functions there are.
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// Bytes of all texts.
    pub fn code_bytes(&self) -> usize {
        self.code_bytes
    }

    /// Adds libraries, all or none; those that are replaced are returned. `replaces` says whether any may be.
    ///
    /// # Errors
    /// Where the name of a library or of a function is taken.
    pub fn add(&mut self, added: Catalogue, replaces: bool) -> Result<Vec<Arc<Library>>, Refusal> {
        if !replaces && let Some(name) = added.libraries.keys().find(|name| self.has(name)) {
            return Err([scripting::LIBRARY, name, scripting::ALREADY_EXISTS].concat());
        }
        let is_taken =
            |function: &&Arc<Function>| self.function(&function.name).is_some_and(|owner| !added.has(&owner.library));
        if let Some(function) = added.functions.values().find(is_taken) {
            return Err([scripting::FUNCTION, &function.name, scripting::ALREADY_EXISTS].concat());
        }
        let replaced = added.libraries.keys().filter_map(|name| self.remove(name)).collect();
        added.libraries.into_values().for_each(|library| self.put(library));
        Ok(replaced)
    }

    /// Adds a library whose names are free.
    pub fn put(&mut self, library: Arc<Library>) {
        for function in &library.functions {
            self.functions.insert(function.name.to_ascii_lowercase(), Arc::clone(function));
        }
        self.code_bytes += library.code.len();
        self.libraries.insert(Arc::clone(&library.name), library);
    }

    /// Removes a library.
    pub fn remove(&mut self, name: &[u8]) -> Option<Arc<Library>> {
        let library = self.libraries.remove(name)?;
        for function in &library.functions {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        self.code_bytes -= library.code.len();
        Some(library)
    }
}
