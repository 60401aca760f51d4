//! Any bytes as an RDB file, and as the body of a DUMP payload whose checksum is right.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pipkin::persist::rdb::fuzz(bytes));
