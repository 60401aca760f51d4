//! The scripts that an instance knows, and their plans.
//!
//! The instance keeps texts by their SHA-1. Plans are made of counted references, so that each thread compiles a script
//! for itself when it first meets it, and finds it again by its text: no digest is computed for EVAL after the first
//! time. A plan remembers in which instance, and since which flush, its text is known there.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::compiler::{self, Compiled, Purpose};
use super::header::{self, Header};
use super::lexer::SyntaxError;
use super::lib::math::Random;
use super::library::globals;
use super::machine::sha1_hex;
use super::parser;
use super::running::Running;
use super::table::Table;
use crate::base::limits::{
    SCRIPT_PLANS_BYTES_MAX, SCRIPT_PLANS_MAX, SCRIPT_TEXT_BYTES_MAX, SCRIPTS_EVALUATED_BYTES_MAX, SCRIPTS_EVALUATED_MAX,
};
use crate::base::random;
use crate::protocol::error::scripting;
use crate::protocol::error::{CommandError, CommandResult};

/// A script's name: the SHA-1 of its text in lower-case hexadecimal digits.
pub type Digest = [u8; 40];

/// The scripts of an instance.
pub struct Scripts {
    /// Tells instances apart.
    id: u64,
    /// Raised by each flush.
    generation: AtomicU64,
    /// How often everything was forgotten.
    flushes: AtomicU64,
    texts: Mutex<Texts>,
    /// What they take, for those who do not want to wait.
    bytes: AtomicUsize,
    /// The state of `math.random`, which goes on from script to script as in Redis.
    random: AtomicU64,
    /// Those that take long.
    pub running: Running,
    /// They may call DEBUG PROTOCOL and DEBUG SLEEP (`DEBUG SET-DISABLE-DENY-SCRIPTS`).
    pub may_debug: AtomicBool,
}

impl Default for Scripts {
    fn default() -> Scripts {
        Scripts {
            id: random::system_seed(),
            generation: AtomicU64::new(1),
            flushes: AtomicU64::new(0),
            texts: Mutex::default(),
            bytes: AtomicUsize::new(0),
            random: AtomicU64::new(Random::default().state()),
            running: Running::default(),
            may_debug: AtomicBool::new(false),
        }
    }
}

#[derive(Default)]
struct Texts {
    by_digest: HashMap<Digest, Arc<[u8]>>,
    /// Those that came with EVAL, oldest first: the oldest goes when there are too many.
    evaluated: VecDeque<Digest>,
    evaluated_bytes: usize,
    bytes: usize,
    evicted: u64,
}

/// What a script takes beside its text.
const ENTRY_BYTES: usize = 160;

fn taken(text: &[u8]) -> usize {
    text.len() + ENTRY_BYTES
}

impl Texts {
    /// A script stays from now on, however it came.
    fn forget_evaluated(&mut self, digest: &Digest, text: &[u8]) {
        let before = self.evaluated.len();
        self.evaluated.retain(|other| other != digest);
        self.evaluated_bytes -= (before - self.evaluated.len()) * taken(text);
    }
}

/// A script that is ready to run.
#[derive(Debug)]
pub struct Script {
    /// Its name.
    pub digest: Digest,
    /// Its code.
    pub compiled: Compiled,
    /// What its first line says.
    pub header: Header,
    text: Arc<[u8]>,
    /// The instance and the generation in which the text is known.
    known: Cell<(u64, u64)>,
}

/// The plans of a thread.
#[derive(Default)]
struct Plans {
    by_text: HashMap<Arc<[u8]>, Rc<Script>, rapidhash::fast::RandomState>,
    by_digest: HashMap<Digest, Rc<Script>, rapidhash::fast::RandomState>,
    /// What they take, about.
    bytes: usize,
    /// The instance that was worked for last, and how often it had forgotten its scripts.
    flushed: (u64, u64),
}

thread_local! {
    static PLANS: RefCell<Plans> = RefCell::default();
}

/// Figures for INFO.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Scripts.
    pub count: usize,
    /// Bytes of their texts.
    pub bytes: usize,
    /// Scripts that had to go.
    pub evicted: u64,
}

impl Scripts {
    /// The script of a text, which the instance knows from now on.
    ///
    /// # Errors
    /// Where the text is no script.
    pub fn of_text(&self, text: &[u8], is_evaluated: bool) -> CommandResult<Rc<Script>> {
        self.forget_plans();
        let script = plan(text)?;
        self.remember(&script, is_evaluated);
        Ok(script)
    }

    /// The script of this name, in any case, if the instance knows it.
    pub fn of_digest(&self, name: &[u8]) -> Option<Rc<Script>> {
        let mut digest = Digest::try_from(name).ok()?;
        digest.make_ascii_lowercase();
        let found = PLANS.with_borrow(|plans| plans.by_digest.get(&digest).cloned());
        if let Some(script) = found
            && self.knows(&script)
        {
            return Some(script);
        }
        let generation = self.generation.load(Ordering::Acquire);
        let text = Arc::clone(self.texts.lock().by_digest.get(&digest)?);
        let script = plan(&text).ok()?;
        script.known.set((self.id, generation));
        Some(script)
    }

    /// Whether the instance knows a script.
    pub fn has(&self, name: &[u8]) -> bool {
        let Ok(mut digest) = Digest::try_from(name) else { return false };
        digest.make_ascii_lowercase();
        self.texts.lock().by_digest.contains_key(&digest)
    }

    /// The text of a script.
    pub fn text(&self, name: &[u8]) -> Option<Arc<[u8]>> {
        let mut digest = Digest::try_from(name).ok()?;
        digest.make_ascii_lowercase();
        self.texts.lock().by_digest.get(&digest).cloned()
    }

    /// Forgets all scripts.
    pub fn flush(&self) {
        let mut texts = self.texts.lock();
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.flushes.fetch_add(1, Ordering::AcqRel);
        *texts = Texts { evicted: texts.evicted, ..Texts::default() };
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// A thread that finds that all scripts were forgotten since it last looked gives up their plans.
    #[inline]
    fn forget_plans(&self) {
        let now = (self.id, self.flushes.load(Ordering::Relaxed));
        PLANS.with_borrow_mut(|plans| {
            if plans.flushed != now {
                let is_flush = plans.flushed.0 == self.id;
                plans.flushed = now;
                if is_flush {
                    *plans = Plans { flushed: now, ..Plans::default() };
                }
            }
        });
    }

    /// Whether a script may make this call of DEBUG.
    pub fn may_debug(&self, call: &[&[u8]]) -> bool {
        let is_harmless =
            |what: &&[u8]| [&b"PROTOCOL"[..], b"SLEEP"].iter().any(|known| what.eq_ignore_ascii_case(known));
        self.may_debug.load(Ordering::Relaxed) && call.get(1).is_some_and(is_harmless)
    }

    /// Figures for INFO.
    pub fn figures(&self) -> Figures {
        let texts = self.texts.lock();
        Figures { count: texts.by_digest.len(), bytes: texts.bytes, evicted: texts.evicted }
    }

    /// Bytes that the scripts take.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Where `math.random` goes on.
    pub(super) fn random(&self) -> Random {
        Random::from_state(self.random.load(Ordering::Relaxed))
    }

    /// Where a script has left it.
    pub(super) fn leave_random(&self, random: Random) {
        let before = self.random.load(Ordering::Relaxed);
        if before != random.state() {
            self.random.store(random.state(), Ordering::Relaxed);
        }
    }

    fn knows(&self, script: &Script) -> bool {
        script.known.get() == (self.id, self.generation.load(Ordering::Acquire))
    }

    fn remember(&self, script: &Script, is_evaluated: bool) {
        if is_evaluated && self.knows(script) {
            return;
        }
        let mut texts = self.texts.lock();
        let is_new = texts.by_digest.insert(script.digest, Arc::clone(&script.text)).is_none();
        if is_new {
            texts.bytes += taken(&script.text);
        }
        if !is_evaluated {
            texts.forget_evaluated(&script.digest, &script.text);
        } else if is_new {
            texts.evaluated.push_back(script.digest);
            texts.evaluated_bytes += taken(&script.text);
            self.evict(&mut texts);
        }
        self.bytes.store(texts.bytes, Ordering::Relaxed);
        script.known.set((self.id, self.generation.load(Ordering::Acquire)));
    }

    /// Clients that put values into their scripts' texts must not fill the memory.
    fn evict(&self, texts: &mut Texts) {
        while texts.evaluated.len() > SCRIPTS_EVALUATED_MAX
            || (texts.evaluated_bytes > SCRIPTS_EVALUATED_BYTES_MAX && texts.evaluated.len() > 1)
        {
            let Some(oldest) = texts.evaluated.pop_front() else { return };
            if let Some(text) = texts.by_digest.remove(&oldest) {
                texts.bytes -= taken(&text);
                texts.evaluated_bytes -= taken(&text);
                texts.evicted += 1;
            }
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// The plan of a text, from this thread's or new.
pub fn plan(text: &[u8]) -> CommandResult<Rc<Script>> {
    if let Some(script) = PLANS.with_borrow(|plans| plans.by_text.get(text).cloned()) {
        return Ok(script);
    }
    let script = Rc::new(compile(text)?);
    PLANS.with_borrow_mut(|plans| {
        let bytes = text.len() + script.compiled.main.bytes();
        if plans.by_text.len() >= SCRIPT_PLANS_MAX || plans.bytes + bytes > SCRIPT_PLANS_BYTES_MAX {
            *plans = Plans { flushed: plans.flushed, ..Plans::default() };
        }
        plans.bytes += bytes;
        plans.by_text.insert(Arc::clone(&script.text), Rc::clone(&script));
        plans.by_digest.insert(script.digest, Rc::clone(&script));
    });
    Ok(script)
}

#[cold]
fn compile(text: &[u8]) -> CommandResult<Script> {
    if text.len() > SCRIPT_TEXT_BYTES_MAX {
        return Err(CommandError::quoted_line(scripting::TOO_LONG));
    }
    let (header, body) = header::parse(text)?;
    let compiled = compile_body(&body, Purpose::Script, "user_script")
        .map_err(|message| CommandError::quoted_line(&[scripting::NOT_COMPILED, &message[..]].concat()))?;
    let mut digest = [0; 40];
    digest.copy_from_slice(sha1_hex(text).as_bytes());
    Ok(Script { digest, compiled, header, text: text.into(), known: Cell::new((0, 0)) })
}

/// Compiles a text without its header; the error names the script and the line.
///
/// # Errors
/// Where the text is no script.
pub fn compile_body(body: &[u8], purpose: Purpose, name: &str) -> Result<Compiled, Vec<u8>> {
    let message = |error: SyntaxError| [format!("{name}:{}: ", error.line).as_bytes(), &error.message].concat();
    let function = parser::parse(body).map_err(message)?;
    let globals = match purpose {
        Purpose::Script => globals().table.clone(),
        // Nothing of the thread's becomes a part of it.
        Purpose::Library => Table::new(),
    };
    compiler::compile(&function, &globals, purpose).map_err(message)
}
