//! Where values come from before the start: redis.conf text, command line, environment.

use std::fmt;

use super::table::{Class, ROWS};
use super::value::Value;
use super::{Config, default_value, find_row, read};
use crate::base::limits::CONFIG_INCLUDES_MAX;
use crate::base::words;

/// Where a directive was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A line of a file.
    File {
        /// The file's name.
        name: String,
        /// Counted from 1.
        line: usize,
    },
    /// An argument of the command line.
    Argument,
    /// An environment variable.
    Environment,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File { name, line } => write!(f, "{name}, line {line}"),
            Source::Argument => f.write_str("the command line"),
            Source::Environment => f.write_str("the environment"),
        }
    }
}

/// A directive that the server cannot start with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_of}: '{text}': {reason}")]
pub struct LoadError {
    /// Where it stands.
    pub source_of: Source,
    /// What it says; secrets are left out.
    pub text: String,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

/// Prefix of the environment variables that are read.
const ENVIRONMENT_PREFIX: &str = "PIPKIN_";

/// Finds the text of an included file, or says why there is none.
type Include<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

impl Config {
    /// Reads the text of a redis.conf called `name`; `include` finds the text of the files that it includes.
    pub fn load_file(&mut self, name: &str, text: &[u8], include: Include<'_>) -> Result<(), LoadError> {
        self.load_nested(name, text, include, 0)
    }

    fn load_nested(&mut self, name: &str, text: &[u8], include: Include<'_>, depth: usize) -> Result<(), LoadError> {
        for (index, line) in text.split(|b| *b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let source = Source::File { name: name.to_owned(), line: index + 1 };
            let refused = |reason: &str| refusal(source.clone(), line, reason);
            let words = words::split(line).ok_or_else(|| refused("Unbalanced quotes in configuration line"))?;
            let [directive, values @ ..] = words.as_slice() else { continue };
            if !directive.eq_ignore_ascii_case(b"include") {
                self.load_directive(source.clone(), directive, values)?;
                continue;
            }
            let [path] = values else { return Err(refused("wrong number of arguments")) };
            if depth == CONFIG_INCLUDES_MAX {
                return Err(refused("files include each other too deeply"));
            }
            let path = String::from_utf8_lossy(path).into_owned();
            let text = include(&path).map_err(|reason| refused(&reason))?;
            self.load_nested(&path, &text, include, depth + 1)?;
        }
        Ok(())
    }

    /// Reads arguments as redis-server takes them: `--name value … --name value …`.
    pub fn load_arguments<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<(), LoadError> {
        let mut rest = arguments;
        while let [first, behind @ ..] = rest {
            let count = behind.iter().take_while(|argument| !argument.as_ref().starts_with(b"--")).count();
            let (values, next) = behind.split_at(count);
            let Some(directive) = first.as_ref().strip_prefix(b"--").filter(|name| !name.is_empty()) else {
                return Err(refusal(Source::Argument, first.as_ref(), "an option begins with --"));
            };
            let mut values: Vec<Vec<u8>> = values.iter().map(|value| value.as_ref().to_vec()).collect();
            if values.is_empty() && directive.eq_ignore_ascii_case(b"save") {
                // A bare `--save` switches snapshots off.
                values.push(Vec::new());
            }
            // A quoted list ("60 1 300 10") is the same as its words.
            if let ([list], true) = (values.as_slice(), takes_words(directive)) {
                values = list.split(|b| *b == b' ').map(<[u8]>::to_vec).collect();
            }
            self.load_directive(Source::Argument, directive, &values)?;
            rest = next;
        }
        Ok(())
    }

    /// Reads the variables `PIPKIN_<NAME>`, where the name has underscores for hyphens. Others are left alone; one that
    /// names no directive gets a warning only, since other programs have variables of this prefix too.
    pub fn load_environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) -> Result<(), LoadError> {
        let mut ours: Vec<_> = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(ENVIRONMENT_PREFIX)?.to_owned(), value)))
            .collect();
        ours.sort();
        for (name, value) in ours {
            let name = name.to_ascii_lowercase();
            let hyphens = name.replace('_', "-");
            let Some(directive) = [hyphens, name.clone()].into_iter().find(|name| find_row(name.as_bytes()).is_some())
            else {
                let variable = format!("{ENVIRONMENT_PREFIX}{}", name.to_ascii_uppercase());
                self.warnings.push(format!("{variable} in the environment names no directive and is left alone"));
                continue;
            };
            let values: Vec<Vec<u8>> = if takes_words(directive.as_bytes()) {
                value.split(' ').map(|word| word.as_bytes().to_vec()).collect()
            } else {
                vec![value.into_bytes()]
            };
            self.load_directive(Source::Environment, directive.as_bytes(), &values)?;
        }
        Ok(())
    }

    fn load_directive(&mut self, source: Source, directive: &[u8], values: &[Vec<u8>]) -> Result<(), LoadError> {
        let secret = super::is_sensitive(directive);
        let shown = if secret {
            [directive, b" (hidden)"].concat()
        } else {
            std::iter::once(directive).chain(values.iter().map(Vec::as_slice)).collect::<Vec<_>>().join(&b' ')
        };
        let index = find_row(directive).filter(|_| !values.is_empty());
        let Some(index) = index else {
            return Err(refusal(source, &shown, "Bad directive or wrong number of arguments"));
        };
        let row = &ROWS[index];
        let words: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let mut value =
            read(row, &words, &self.values[index]).map_err(|reason| refusal(source.clone(), &shown, &reason))?;
        if let (Value::Save(new), Value::Save(old)) = (&mut value, &self.values[index])
            && self.save_named
            && !new.is_empty()
        {
            new.splice(0..0, old.iter().copied());
        }
        self.save_named |= row.name == "save";
        self.dir_named |= row.name == "dir";
        if row.class == Class::WithoutEffect && value != default_value(row) {
            self.warnings.push(warning(&source, &shown));
        }
        self.values[index] = value;
        Ok(())
    }
}

fn takes_words(directive: &[u8]) -> bool {
    find_row(directive).is_some_and(|index| ROWS[index].kind.takes_words())
}

fn warning(source: &Source, shown: &[u8]) -> String {
    let text = String::from_utf8_lossy(shown);
    format!("{source}: '{text}' is accepted and has no effect")
}

fn refusal(source_of: Source, text: &[u8], reason: &str) -> LoadError {
    LoadError { source_of, text: String::from_utf8_lossy(text).into_owned(), reason: reason.to_owned() }
}
