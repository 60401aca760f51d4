//! The table `redis`: commands, and what else scripts ask of the server.

use crate::protocol::error::scripting;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;

use super::super::convert;
use super::super::value::{
    Api, Arguments, Builtin, Host as _, ScriptError, Table, Text, Value, Values, live_bytes, one,
};
use super::Machine;

/// Commands with up to so many arguments take no allocation for the list.
type Parts<'a> = SmallVec<[&'a [u8]; 8]>;

impl Machine<'_> {
    /// A function that the machine itself is; not `pcall`.
    pub(super) fn builtin(&mut self, which: Builtin, arguments: &[Value]) -> Result<Values, ScriptError> {
        match which {
            Builtin::Command => one(self.command(arguments)?),
            Builtin::ProtectedCommand => match self.command(arguments) {
                Err(ScriptError::Raised(error)) => one(error),
                result => one(result?),
            },
            Builtin::Error => Err(self.raise(arguments, 0)),
            Builtin::Api(api) => self.api(api, arguments),
            Builtin::ProtectedCall | Builtin::HandledCall => Ok(Values::new()),
        }
    }

    /// Runs a command; an error is raised as a table.
    fn command(&mut self, arguments: &[Value]) -> Result<Value, ScriptError> {
        if arguments.is_empty() {
            return Err(self.server_error("Please specify at least one argument for this redis lib call"));
        }
        let mut numbers: SmallVec<[Vec<u8>; 2]> = SmallVec::new();
        for argument in arguments {
            match argument {
                Value::Number(number) => numbers.push(convert::command_number(*number)),
                Value::Text(_) => {}
                _ => return Err(self.server_error("Lua redis lib command arguments must be strings or integers")),
            }
        }
        let mut printed = numbers.iter();
        let parts: Parts<'_> = arguments
            .iter()
            .map(|argument| match argument {
                Value::Text(text) => &text[..],
                _ => printed.next().map_or(&b""[..], |number| number),
            })
            .collect();
        let (tables, bytes_max) = (&mut self.tables, self.bytes_max);
        let value = match self.server.command(&parts) {
            Ok(reply) => convert::to_value(reply, bytes_max, &mut |table: &Table| tables.push(table.downgrade())),
            Err(error) => {
                let mut text = Vec::new();
                error.write_to(&mut text);
                Err(convert::reply_error(&text))
            }
        };
        self.server.done();
        self.step()?;
        if live_bytes() > self.bytes_max {
            self.reserve(0)?;
        }
        value.map_err(|error| {
            self.adopt(&error);
            ScriptError::Raised(Value::Table(error))
        })
    }

    /// An error of the table's functions: a table, as an error of a command is.
    fn server_error(&mut self, text: &str) -> ScriptError {
        let table = error_table(&scripting::with_code(text.as_bytes()));
        self.adopt(&table);
        ScriptError::Raised(Value::Table(table))
    }

    fn api(&mut self, which: Api, given: &[Value]) -> Result<Values, ScriptError> {
        let arguments = Arguments(given);
        match which {
            Api::Sha1Hex => {
                let [only] = given else { return Err(self.server_error("wrong number of arguments")) };
                let text = only.as_text();
                one(Value::text(sha1_hex(text.as_deref().unwrap_or_default())))
            }
            Api::ErrorReply => self.single(given, |text| {
                // A text of C's, without the end of its line.
                let text = convert::until_nul(text);
                let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
                let message = text[..end].strip_prefix(b"-").unwrap_or(&text[..end]);
                let coded = message.contains(&b' ');
                error_table(&if coded { message.to_vec() } else { scripting::with_code(message) })
            }),
            Api::StatusReply => self.single(given, |text| {
                let table = Table::new();
                table.set_text(b"ok", Value::text(text));
                table
            }),
            Api::Log => self.log(given),
            Api::ReplicateCommands => one(true),
            Api::SetRepl => self.set_repl(given),
            Api::SetResp => {
                let [only] = given else { return Err(self.server_error("redis.setresp() requires one argument.")) };
                match only.as_number().map(|number| number as i64) {
                    Some(version @ 2..=3) => self.server.set_protocol(version as u8),
                    _ => return Err(self.server_error("RESP version must be 2 or 3.")),
                }
                Ok(Values::new())
            }
            Api::Breakpoint => one(false),
            Api::Debug => Ok(Values::new()),
            Api::AclCheckCmd => self.acl_check(given),
            Api::RegisterFunction => match self.server.register_function(arguments.0) {
                Ok(()) => Ok(Values::new()),
                Err(text) => Err(self.server_error(&text)),
            },
        }
    }

    /// `error_reply` and `status_reply`: one string; anything else gives an error, and raises none.
    fn single(&mut self, given: &[Value], make: impl FnOnce(&[u8]) -> Table) -> Result<Values, ScriptError> {
        let table = match given {
            [Value::Text(text)] => make(text),
            _ => error_table(scripting::NOT_ONE_STRING),
        };
        self.adopt(&table);
        one(Value::Table(table))
    }

    fn log(&mut self, given: &[Value]) -> Result<Values, ScriptError> {
        let [level, message @ ..] = given else {
            return Err(self.server_error("redis.log() requires two arguments or more."));
        };
        if message.is_empty() {
            return Err(self.server_error("redis.log() requires two arguments or more."));
        }
        let Some(level) = level.as_number().map(|level| level as i64) else {
            return Err(self.server_error("First argument must be a number (log level)."));
        };
        if !(0..=3).contains(&level) {
            return Err(self.server_error("Invalid debug level."));
        }
        let parts: Vec<Text> = message.iter().filter_map(Value::as_text).collect();
        let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
        self.server.log(level, &parts.join(&b' '));
        Ok(Values::new())
    }

    /// There are no replicas to choose among: what a script writes is logged.
    fn set_repl(&mut self, given: &[Value]) -> Result<Values, ScriptError> {
        let [flags] = given else { return Err(self.server_error("redis.set_repl() requires two arguments.")) };
        match flags.as_number().unwrap_or_default() as i64 {
            0..=3 => Ok(Values::new()),
            _ => {
                Err(self.server_error("Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."))
            }
        }
    }

    fn acl_check(&mut self, given: &[Value]) -> Result<Values, ScriptError> {
        if given.is_empty() {
            return Err(self.server_error("Please specify at least one argument for this redis lib call"));
        }
        let parts: Option<Vec<Text>> = given.iter().map(Value::as_text).collect();
        let Some(parts) = parts else {
            return Err(self.server_error("Lua redis lib command arguments must be strings or integers"));
        };
        match self.server.may_run(&parts) {
            Some(may) => one(may),
            None => Err(self.server_error("Invalid command passed to redis.acl_check_cmd()")),
        }
    }
}

/// `{err = text}`
fn error_table(text: &[u8]) -> Table {
    let table = Table::new();
    table.set_text(b"err", Value::text(text));
    table
}

/// Forty hexadecimal digits.
pub fn sha1_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(40);
    for byte in Sha1::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
