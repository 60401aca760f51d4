//! Rows about numbers in the arguments of bitmaps, sorting and comparing strings.

use crate::{ERRORS, MAX, MIN, attack, is_pipkin, used_memory};

const BIT_OFFSET: &str = "ERR bit offset is not an integer or out of range";

#[test]
fn bad_input_12_bits_behind_the_end() {
    attack(&["--proto-max-bulk-len", "1mb"], ERRORS, |target| {
        let mut client = target.connect();
        for offset in ["8388608", "4294967295", "9223372036854775800", MAX, MIN] {
            let reply = client.call(&["SETBIT", "attack:bits", offset, "1"]);
            assert_eq!(reply.text(), BIT_OFFSET, "at {offset}");
        }
        assert_eq!(client.line("EXISTS attack:bits").integer(), 0);
        assert_eq!(client.line("SETBIT attack:bits 8388607 1").integer(), 0);
        assert_eq!(client.line("STRLEN attack:bits").integer(), 1 << 20);
    });
}

#[test]
fn bad_input_13_bits_near_the_end() {
    attack(&["--proto-max-bulk-len", "1mb"], ERRORS, |target| {
        let mut client = target.connect();

        for offset in ["8388608", "9223372036854775800", MAX, MIN] {
            assert_eq!(client.call(&["GETBIT", "s", offset]).text(), BIT_OFFSET, "at {offset}");
        }
        for offset in
            ["8388608", "9223372036854775800", MAX, MIN, "#1048576", "#9223372036854775807", "#144115188075855873"]
        {
            for operation in
                [format!("GET i64 {offset}"), format!("SET i8 {offset} 1"), format!("INCRBY u63 {offset} 1")]
            {
                assert_eq!(client.line(&format!("BITFIELD attack:bits {operation}")).text(), BIT_OFFSET, "{operation}");
            }
        }
        assert_eq!(client.line("EXISTS attack:bits").integer(), 0);
        let behind = client.line("BITFIELD attack:bits SET i64 8388600 1");
        assert!(behind.text() == BIT_OFFSET || !is_pipkin(target), "a field that ends behind the end: {behind:?}");
        assert_eq!(client.line("BITFIELD attack:bits SET i64 8388544 -1").items()[0].integer(), 0);
        assert_eq!(client.line("STRLEN attack:bits").integer(), 1 << 20);
        for range in [format!("{MIN} {MAX}"), format!("{MIN} -1 BIT"), format!("0 {MAX} BIT")] {
            assert_eq!(client.line(&format!("BITCOUNT attack:bits {range}")).integer(), 64, "{range}");
            assert_eq!(client.line(&format!("BITPOS attack:bits 1 {range}")).integer(), 8388544, "{range}");
        }
        assert_eq!(client.line(&format!("BITCOUNT attack:bits {MAX} {MIN}")).integer(), 0);
        assert_eq!(client.line(&format!("BITPOS attack:bits 0 {MAX}")).integer(), -1);
    });
}

#[test]
fn bad_input_14_sort_within_any_limits() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        client.line("RPUSH attack:l 3 1 2");
        for (limit, expected) in [
            (format!("{MIN} {MAX}"), &["1", "2", "3"][..]),
            (format!("{MIN} {MIN}"), &["1", "2", "3"]),
            (format!("0 {MAX}"), &["1", "2", "3"]),
            (format!("{MAX} {MAX}"), &[]),
            (format!("{MAX} {MIN}"), &[]),
            ("1 -1".into(), &["2", "3"]),
            ("-5 1".into(), &["1"]),
        ] {
            for options in ["", "BY x_* GET #", "ALPHA"] {
                let sorted = client.line(&format!("SORT attack:l {options} LIMIT {limit}"));
                let texts: Vec<String> = sorted.items().iter().map(|item| item.text()).collect();
                assert_eq!(texts, expected, "{options} LIMIT {limit}");
            }
            let unsorted = client.line(&format!("SORT attack:l BY nothing LIMIT {limit}"));
            assert_eq!(unsorted.items().len(), expected.len(), "BY nothing LIMIT {limit}");
        }
        assert!(client.line("SORT attack:l LIMIT 0 9223372036854775808").is_error());
        assert_eq!(client.line(&format!("SORT attack:l LIMIT {MAX} {MAX} STORE attack:l")).integer(), 0);
    });
}

#[test]
fn bad_input_17_comparing_two_huge_strings() {
    attack(&[], ERRORS, |target| {
        let mut client = target.connect();
        client.line("SETBIT attack:a 134217727 1");
        client.line("SETBIT attack:b 134217727 1");
        let refused = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
        let before = used_memory(&mut client);
        for options in ["", "LEN", "IDX"] {
            assert_eq!(client.line(&format!("LCS attack:a attack:b {options}")).text(), refused);
        }
        let grown = used_memory(&mut client) - before;
        assert!(grown < 8 << 20, "refused before anything was copied: {grown} bytes");
    });
}
