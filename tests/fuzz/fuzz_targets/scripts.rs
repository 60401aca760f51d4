//! Any bytes as the text of a script: it compiles or there is a message, and where it runs it ends.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pipkin::engine::script::rehearsal::fuzz(bytes));
