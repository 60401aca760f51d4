//! Any bytes as an append-only file, and as its manifest.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pipkin::persist::aof::fuzz(bytes));
