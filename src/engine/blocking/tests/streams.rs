//! XREAD and XREADGROUP that wait.

use std::time::Duration;

use super::{WRONG_TYPE, assert_nothing_left, engine, peers};

const GONE: &str = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
const ONE: &str = "*1|*2|$1|s|*1|*2|$3|5-1|*2|$1|f|$1|v";

#[test]
fn every_reader_gets_an_entry_and_one_of_a_group() {
    let [mut a, mut b, mut c, mut d, mut writer] = peers(&engine());
    writer.call("XADD s 1-1 f old");
    writer.call("XGROUP CREATE s g $");
    a.wait("XREAD BLOCK 0 STREAMS s $");
    b.wait("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >");
    c.wait("XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
    d.wait("XREAD BLOCK 0 STREAMS other s 0 5-1");
    writer.call("XADD s 5-1 f v");
    assert_eq!((a.served().as_deref(), b.served().as_deref()), (Some(ONE), Some(ONE)));
    assert_eq!((c.served(), d.served()), (None, None));
    assert_eq!(writer.call("XPENDING s g"), "*4|:1|$3|5-1|$3|5-1|*1|*2|$3|ann|$1|1");
    writer.call("XADD s 6-1 f v");
    assert_eq!(c.served(), Some(ONE.replace("5-1", "6-1")));
    assert_eq!(d.served(), Some(ONE.replace("5-1", "6-1")));
    assert_nothing_left(&writer.engine);
}

#[test]
fn whoever_waits_for_a_group_is_told_when_it_is_gone() {
    let engine = engine();
    let [mut a, mut writer] = peers(&engine);
    for (line, reply) in [
        ("XGROUP DESTROY s g", GONE),
        ("DEL s", GONE),
        ("SET s v", WRONG_TYPE),
        ("RENAME s t", GONE),
        ("FLUSHALL", GONE),
        ("SWAPDB 0 1", GONE),
        ("PEXPIRE s 0", GONE),
    ] {
        writer.call("FLUSHALL");
        writer.call("XGROUP CREATE s g $ MKSTREAM");
        a.wait("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >");
        writer.call(line);
        assert_eq!(a.served().as_deref(), Some(reply), "{line}");
    }
    for by_reader in [true, false] {
        writer.call("FLUSHALL");
        writer.call("XGROUP CREATE s g $ MKSTREAM");
        a.wait("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >");
        writer.call(&format!("DEBUG SET-ACTIVE-EXPIRE {}", u8::from(!by_reader)));
        writer.call("PEXPIRE s 100");
        engine.clock.advance(Duration::from_millis(101));
        if by_reader {
            assert_eq!(a.served(), None);
            writer.call("TYPE s");
        }
        assert_eq!(a.served().as_deref(), Some(GONE), "met by a reader: {by_reader}");
    }
    assert_nothing_left(&engine);
}

#[test]
fn a_reader_of_entries_outlives_the_stream() {
    let [mut a, mut writer] = peers(&engine());
    writer.call("XADD s 1-1 f v");
    a.wait("XREAD BLOCK 500 STREAMS s $");
    writer.call("DEL s");
    writer.call("SET s v");
    writer.call("DEL s");
    writer.call("XADD s 1-1 f v");
    assert_eq!(a.served(), None, "the id is not behind the one that was there");
    writer.call("XADD s 5-1 f v");
    assert_eq!(a.served().as_deref(), Some(ONE));
    a.wait("XREAD BLOCK 500 STREAMS s $");
    writer.engine.clock.advance(Duration::from_millis(500));
    assert_eq!(a.served().as_deref(), Some("*-1"));
    assert_eq!(a.call("XREAD BLOCK 0 STREAMS s 1-1"), ONE);
    assert_nothing_left(&writer.engine);
}
