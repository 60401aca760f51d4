//! `Reader`: the items of an RDB file, one after the other.

use std::io::Read;

use super::Usage;
use super::build::Workshop;
use super::decode;
use super::error::{RdbError, Result};
use super::format::{CHECKSUM_SINCE, HEADER_BYTES, MAGIC, VALKEY_MAGIC, VALKEY_VERSION, VERSION_MAX, module, opcode};
use super::input::Input;
use crate::base::limits::RDB_DATABASES_MAX;
use crate::value::table::Basis;
use crate::value::{NewValue, ValueLimits};

/// Reads a file; see [`Reader::next`].
pub struct Reader<R> {
    input: Input<R>,
    workshop: Workshop,
    key: Vec<u8>,
    version: u16,
    database: usize,
    /// Said of the next key.
    deadline: Option<u64>,
    usage: Usage,
    /// Collections without elements that were left out.
    empty: u64,
    verify: bool,
    ended: bool,
}

/// One key with its value.
pub struct Entry<'a> {
    /// The number of its database.
    pub database: usize,
    /// The key.
    pub key: &'a [u8],
    /// The value, packed by the limits that the reader was given.
    pub value: NewValue<'a>,
    /// When it expires, Unix time in ms; that may be over.
    pub deadline: Option<u64>,
    /// What is known of its last use.
    pub usage: Usage,
    /// Bytes that it takes in the file, what is said of it included.
    pub bytes: u64,
}

/// What a file consists of.
pub enum Item<'a> {
    /// A key.
    Entry(Entry<'a>),
    /// A field about the file as a whole.
    Auxiliary {
        /// Its name.
        name: &'a [u8],
        /// Its value; a number is spelled out.
        value: &'a [u8],
    },
    /// How much is coming for a database, as far as the writer knew: a hint.
    Sizes {
        /// The number of the database.
        database: usize,
        /// Keys.
        keys: u64,
        /// Of these with a deadline.
        volatile: u64,
    },
    /// The source of a library of functions.
    Function(&'a [u8]),
}

/// What [`Reader::step`] found; its bytes stand where the reader keeps them.
enum Step {
    Entry { kind: u8, start: u64 },
    Auxiliary(super::input::Text),
    Sizes { keys: u64, volatile: u64 },
    Function(super::input::Text),
    End,
}

impl<R: Read> Reader<R> {
    /// Reads the head of a file. Values are packed by these limits; `basis` is that of the keyspace they go into.
    ///
    /// # Errors
    /// When it is no RDB file, or one of a version that is not known.
    pub fn new(source: R, limits: ValueLimits, basis: Basis) -> Result<Reader<R>> {
        let mut input = Input::new(source);
        let version = version(&mut input)?;
        Ok(Reader {
            input,
            workshop: Workshop::new(limits, basis),
            key: Vec::new(),
            version,
            database: 0,
            deadline: None,
            usage: Usage::Unknown,
            empty: 0,
            verify: true,
            ended: false,
        })
    }

    /// Does not compare the checksum at the end (`rdbchecksum no`).
    pub fn without_checksum(mut self) -> Self {
        self.verify = false;
        self
    }

    /// The version that the file says it is written in.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Collections without elements that were left out, as Redis leaves them out.
    pub fn empty_keys(&self) -> u64 {
        self.empty
    }

    /// What was read beyond the file's end, and where more comes from: an AOF may go on there.
    pub fn into_rest(self) -> (Vec<u8>, R) {
        self.input.into_rest()
    }

    /// The next item, `None` at the end of the file.
    ///
    /// # Errors
    /// When the file is damaged, in an unknown way or by what its checksum tells, ends too early, holds what cannot be
    /// represented, or cannot be read. Nothing more comes then.
    #[allow(clippy::should_implement_trait)] // An item borrows from the reader, which no iterator's can.
    pub fn next(&mut self) -> Result<Option<Item<'_>>> {
        loop {
            let (kind, start) = match self.step()? {
                Step::End => return Ok(None),
                Step::Sizes { keys, volatile } => {
                    return Ok(Some(Item::Sizes { database: self.database, keys, volatile }));
                }
                Step::Auxiliary(value) => {
                    return Ok(Some(Item::Auxiliary { name: &self.key, value: self.input.spelled(value) }));
                }
                Step::Function(source) => return Ok(Some(Item::Function(self.input.spelled(source)))),
                Step::Entry { kind, start } => (kind, start),
            };
            self.key.clear();
            self.key.extend_from_slice(self.input.string()?);
            let decoded = decode::value(&mut self.input, &mut self.workshop, kind)?;
            let (deadline, usage) = (self.deadline.take(), std::mem::take(&mut self.usage));
            let Some(decoded) = decoded else {
                self.empty += 1;
                continue;
            };
            let bytes = self.input.offset() - start;
            let value = decoded.present(&self.input, &self.workshop);
            let (database, key) = (self.database, &self.key);
            return Ok(Some(Item::Entry(Entry { database, key, value, deadline, usage, bytes })));
        }
    }

    /// Reads up to the next key's type or the next item of another kind.
    fn step(&mut self) -> Result<Step> {
        if self.ended {
            return Ok(Step::End);
        }
        let mut start = None;
        loop {
            let offset = self.input.offset();
            let code = self.input.byte()?;
            let input = &mut self.input;
            match code {
                code if decode::is_type(code) => {
                    return Ok(Step::Entry { kind: code, start: start.unwrap_or(offset) });
                }
                opcode::DEADLINE_MS => {
                    self.deadline = Some(u64::try_from(i64::from_le_bytes(input.array()?)).unwrap_or(0));
                }
                opcode::DEADLINE => {
                    let seconds = u64::try_from(i32::from_le_bytes(input.array()?)).unwrap_or(0);
                    self.deadline = Some(seconds * 1000);
                }
                opcode::IDLE => self.usage = Usage::Idle(input.length()?),
                opcode::FREQUENCY => self.usage = Usage::Frequency(input.byte()?),
                opcode::SELECT => match usize::try_from(input.length()?) {
                    Ok(number) if number < RDB_DATABASES_MAX => self.database = number,
                    _ => return input.damaged(offset, "a database has a number that none can have"),
                },
                opcode::SIZES => return Ok(Step::Sizes { keys: input.length()?, volatile: input.length()? }),
                opcode::AUXILIARY => {
                    self.key.clear();
                    self.key.extend_from_slice(input.string()?);
                    return Ok(Step::Auxiliary(input.text()?));
                }
                opcode::FUNCTION => return Ok(Step::Function(input.text()?)),
                opcode::SLOT_INFO => {
                    for _ in 0..3 {
                        input.length()?;
                    }
                }
                opcode::MODULE_AUXILIARY => skip_module(input)?,
                opcode::END => {
                    self.end()?;
                    return Ok(Step::End);
                }
                code => {
                    let what = format!("an item begins with {code}, which means nothing").into();
                    return Err(RdbError::Damaged { offset, what });
                }
            }
            // What is said of a key belongs to its bytes.
            start = match code {
                opcode::DEADLINE_MS | opcode::DEADLINE | opcode::IDLE | opcode::FREQUENCY => start.or(Some(offset)),
                _ => None,
            };
        }
    }

    /// Behind the mark of the end: compares the checksum.
    fn end(&mut self) -> Result<()> {
        self.ended = true;
        if self.version < CHECKSUM_SINCE {
            return Ok(());
        }
        let computed = self.input.checksum();
        let offset = self.input.offset();
        let stored = u64::from_le_bytes(self.input.array()?);
        if self.verify && stored != 0 && stored != computed {
            let what = format!("the checksum is {stored:016x}, that of the file is {computed:016x}").into();
            return Err(RdbError::Damaged { offset, what });
        }
        Ok(())
    }
}

/// Reads the magic and the version.
fn version<R: Read>(input: &mut Input<R>) -> Result<u16> {
    let header: [u8; HEADER_BYTES] = input.array()?;
    let number = |digits: &[u8]| {
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0u16, |number, digit| number * 10 + u16::from(digit - b'0')))
    };
    let (version, known) = if let Some(digits) = header.strip_prefix(MAGIC) {
        (number(digits), 1..=VERSION_MAX)
    } else if let Some(digits) = header.strip_prefix(VALKEY_MAGIC) {
        (number(digits), VALKEY_VERSION..=VALKEY_VERSION)
    } else {
        return input.damaged(0, "it does not begin as an RDB file does");
    };
    match version {
        Some(version) if known.contains(&version) => Ok(version),
        Some(version) => {
            let writer = if known.contains(&VALKEY_VERSION) { "Valkey" } else { "Redis" };
            Err(RdbError::Unsupported {
                offset: 0,
                what: format!("an RDB file of {writer}'s version {version}").into(),
            })
        }
        None => input.damaged(0, "it does not begin as an RDB file does"),
    }
}

/// Skips what a module keeps beside the keys.
fn skip_module<R: Read>(input: &mut Input<R>) -> Result<()> {
    // Its id, then when it is to be loaded.
    input.length()?;
    loop {
        let offset = input.offset();
        match input.length()? {
            module::END => return Ok(()),
            module::SIGNED | module::UNSIGNED => _ = input.length()?,
            module::FLOAT => _ = input.array::<4>()?,
            module::DOUBLE => _ = input.array::<8>()?,
            module::STRING => _ = input.text()?,
            _ => return input.damaged(offset, "data of a module is of an unknown kind"),
        }
    }
}
