//! Runs any text as a script, without a server and on small budgets: what the fuzz target calls.

use super::cache::compile_body;
use super::compiler::Purpose;
use super::header;
use super::machine::Machine;
use super::value::{Inputs, ScriptError, Server, Text, Value};
use crate::protocol::error::CommandError;

/// What the values of a run may take, in bytes.
const BYTES_MAX: usize = 16 << 20;
/// Looks at the clock after which a run ends.
const CHECKS_MAX: usize = 64;

/// Answers every command with the words that it was called with.
#[derive(Default)]
struct Echo {
    reply: Vec<u8>,
    checks: usize,
}

impl Server for Echo {
    fn command(&mut self, arguments: &[&[u8]]) -> Result<&[u8], CommandError> {
        self.reply = format!("*{}\r\n", arguments.len()).into_bytes();
        for word in arguments {
            self.reply.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            self.reply.extend_from_slice(word);
            self.reply.extend_from_slice(b"\r\n");
        }
        Ok(&self.reply)
    }

    fn done(&mut self) {
        self.reply.clear();
    }

    fn set_protocol(&mut self, _: u8) {}

    fn log(&mut self, _: i64, _: &[u8]) {}

    fn may_run(&mut self, _: &[Text]) -> Option<bool> {
        None
    }

    fn register_function(&mut self, _: &[Value]) -> Result<(), String> {
        Err("there are no functions".to_owned())
    }

    fn check(&mut self) -> Result<(), ScriptError> {
        self.checks += 1;
        if self.checks > CHECKS_MAX { Err(ScriptError::Ended("time is up")) } else { Ok(()) }
    }

    fn input_len(&self, which: Inputs) -> usize {
        match which {
            Inputs::Keys => 1,
            Inputs::Arguments => 2,
        }
    }

    fn input(&self, _: Inputs, index: usize) -> &[u8] {
        [&b"key"[..], b"17"][index]
    }
}

/// Compiles a text, and runs it if it is a script. Whatever it does, it ends, and leaves nothing behind.
///
/// # Panics
/// When it leaves something.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let Ok((_, body)) = header::parse(bytes) else { return };
    let Ok(compiled) = compile_body(&body, Purpose::Script, "user_script") else { return };
    let before = super::value::live_bytes();
    let mut server = Echo::default();
    let mut machine = Machine::new(&mut server, "user_script", 0);
    machine.limit_bytes(before + BYTES_MAX);
    let result = machine.run(&compiled.main);
    let remains = machine.finish();
    drop(result);
    drop(remains);
    assert_eq!(super::value::live_bytes(), before, "what a script has made is freed when it has ended");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_script_does_it_ends_and_leaves_nothing() {
        for script in [
            "while true do end",
            "local t = {} t.t = t t[t] = function() return t end return t",
            "local f f = function() return f end return f",
            "local t = {} for i = 1, 1e9 do t[i] = function() return t, i end end",
            "local s = 'x' while true do s = s .. s end",
            "return {redis.call('a', KEYS[1], ARGV[2]), string.gmatch('a', '.'), cjson.new()}",
            "local x, y, z = unpack({1, 2}) if",
            "error({})",
            "error({err = 5})",
        ] {
            fuzz(script.as_bytes());
        }
    }
}
