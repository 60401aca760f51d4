//! The configuration: one table of directives ([`table::ROWS`]), their current values, and where these come from.
//!
//! Values arrive as redis.conf text, as `--name value` arguments, from the environment or by `CONFIG SET`; all four go
//! through the same row. What the house reads on its hot paths is [`Settings`], a plain struct that is made anew after
//! every change; nobody looks a directive up by name there.
//!
//! Reading a file's text does no I/O: the caller hands the text in, and a function for `include`.

mod events;
mod rewrite;
mod settings;
mod source;
pub mod table;
#[cfg(test)]
mod tests;
mod value;

use std::borrow::Cow;

pub use events::KeyspaceEvents;
pub use settings::{DebugCommand, EvictionPolicy, Fsync, LogLevel, MemoryShare, Settings};
pub use source::{LoadError, Source};
use table::{Access, Class, ROWS, Row};
use value::Value;
pub use value::{OutputLimit, read_memory};

use crate::base::glob::matches_ignoring_case;

/// The current value of every directive.
#[derive(Clone, Debug)]
pub struct Config {
    /// In the order of [`ROWS`].
    values: Vec<Value>,
    warnings: Vec<String>,
    /// Whether a source has named snapshot points already: the first one replaces the default, later ones add.
    save_named: bool,
    /// Whether a source has named the data directory.
    dir_named: bool,
}

/// Why `CONFIG SET` changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no directive of this name.
    #[error("Unknown option or number of arguments for CONFIG SET - '{}'", String::from_utf8_lossy(name))]
    Unknown {
        /// As the client spelled it.
        name: Vec<u8>,
    },
    /// The directive does not take this value, or no value now.
    #[error("CONFIG SET failed (possibly related to argument '{}') - {reason}", String::from_utf8_lossy(name))]
    Refused {
        /// The directive.
        name: Vec<u8>,
        /// Why, in Redis's words.
        reason: Cow<'static, str>,
    },
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// Every directive at its default.
    pub fn new() -> Config {
        Config {
            values: ROWS.iter().map(default_value).collect(),
            warnings: Vec::new(),
            save_named: false,
            dir_named: false,
        }
    }

    /// The typed values of the directives that have an effect.
    pub fn settings(&self) -> Settings {
        Settings::of(self)
    }

    /// What was asked for and has no effect, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether a source has said where or when data are to be kept.
    pub(super) fn is_durable(&self) -> bool {
        let saves = matches!(self.value("save"), Some(Value::Save(points)) if !points.is_empty());
        self.dir_named || (self.save_named && saves) || self.value("appendonly") == Some(&Value::Flag(true))
    }

    /// Changes one directive at run time; see [`Config::set_many`].
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), ConfigError> {
        self.set_many(&[(name, value)]).map(|_| ())
    }

    /// Changes directives at run time, all or none of them, and returns the rows whose value is another one now.
    pub fn set_many(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<Vec<&'static Row>, ConfigError> {
        let mut targets: Vec<(usize, &'static str)> = Vec::with_capacity(pairs.len());
        for &(name, _) in pairs {
            let refused = |reason| ConfigError::Refused { name: name.to_vec(), reason: Cow::Borrowed(reason) };
            let index = find_row(name).filter(|index| ROWS[*index].access != Access::FileOnly);
            let index = index.ok_or_else(|| ConfigError::Unknown { name: name.to_vec() })?;
            match ROWS[index].access {
                Access::Immutable => return Err(refused("can't set immutable config")),
                Access::Protected if !self.protected_configs_enabled() => {
                    return Err(refused("can't set protected config"));
                }
                _ => {}
            }
            // An alias is another name, and may stand beside the name itself.
            let spelled = ROWS[index].names().find(|own| own.as_bytes().eq_ignore_ascii_case(name)).unwrap_or_default();
            if targets.contains(&(index, spelled)) {
                return Err(refused("duplicate parameter"));
            }
            targets.push((index, spelled));
        }
        let mut changed = self.values.clone();
        for (&(index, spelled), (_, value)) in targets.iter().zip(pairs) {
            let row = &ROWS[index];
            let words: Vec<&[u8]> =
                if row.kind.takes_words() { value.split(|b| *b == b' ').collect() } else { vec![value] };
            let value = read(row, &words, &changed[index])
                .map_err(|reason| ConfigError::Refused { name: spelled.into(), reason })?;
            if let Access::Fixed(reason) = row.access
                && value != self.values[index]
            {
                return Err(ConfigError::Refused { name: spelled.into(), reason: Cow::Borrowed(reason) });
            }
            changed[index] = value;
        }
        let rows = ROWS.iter().enumerate().filter(|(index, _)| self.values[*index] != changed[*index]);
        let rows = rows.map(|(_, row)| row).collect();
        self.values = changed;
        Ok(rows)
    }

    /// The names and values that any of `patterns` matches, each once: a plain name as it was spelled, a glob's names
    /// in the order of the table, aliases included.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(&'static str, Vec<u8>, usize)> = Vec::new();
        for &pattern in patterns {
            let plain = !pattern.iter().any(|b| b"[*?".contains(b));
            for (index, row) in ROWS.iter().enumerate().filter(|(_, row)| row.access != Access::FileOnly) {
                for name in row.names() {
                    let hit = if plain {
                        name.as_bytes().eq_ignore_ascii_case(pattern)
                    } else {
                        !row.hidden && matches_ignoring_case(pattern, name.as_bytes())
                    };
                    if hit && !found.iter().any(|(known, ..)| *known == name) {
                        found.push((name, if plain { pattern.to_vec() } else { name.into() }, index));
                    }
                }
            }
        }
        found.into_iter().map(|(_, shown, index)| (shown, self.values[index].print())).collect()
    }

    /// The value of one directive as text; `None` for a name that is not in the table.
    pub fn text(&self, name: &str) -> Option<Vec<u8>> {
        find_row(name.as_bytes()).map(|index| self.values[index].print())
    }

    fn protected_configs_enabled(&self) -> bool {
        // Being local or not is the connection's affair: `CONFIG` itself is refused to strangers before this.
        self.text("enable-protected-configs").is_some_and(|value| value != b"no")
    }

    fn value(&self, name: &str) -> Option<&Value> {
        find_row(name.as_bytes()).map(|index| &self.values[index])
    }
}

/// Whether a directive's value must not be shown to anybody who did not ask for it.
pub fn is_sensitive(name: &[u8]) -> bool {
    find_row(name).is_some_and(|index| ROWS[index].sensitive)
}

fn find_row(name: &[u8]) -> Option<usize> {
    ROWS.iter().position(|row| row.is_called(name))
}

fn default_value(row: &Row) -> Value {
    let words: Vec<&[u8]> = if row.kind.takes_words() {
        row.default.split(' ').map(str::as_bytes).collect()
    } else {
        vec![row.default.as_bytes()]
    };
    let none = Value::OutputLimits([OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 }; 3]);
    let value = row.kind.read(&words, &none);
    value.unwrap_or_else(|reason| unreachable!("the default of {}: {reason}", row.name))
}

/// Reads a value for a row, and refuses what has no place here.
fn read(row: &'static Row, words: &[&[u8]], current: &Value) -> Result<Value, Cow<'static, str>> {
    let value = row.kind.read(words, current)?;
    match row.class {
        Class::Refused(what_to_do) if row.access == Access::FileOnly || value != default_value(row) => {
            Err(what_to_do.into())
        }
        _ => Ok(value),
    }
}
