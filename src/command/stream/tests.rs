//! What the differential test cannot see of the stream commands: what is logged, and what came with Redis 7.2.

use crate::command::testing::{Bench, Logged, NOW_MS};

/// The commands that are logged in place of one, as lines.
fn logged(bench: &Bench, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let text = |(_, words): &Logged| {
        words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>().join(" ")
    };
    bench.run(&words).1.iter().map(text).collect()
}

fn filled(bench: &Bench, entries: usize) {
    for n in 1..=entries {
        bench.text(&format!("XADD s {n}-1 f v"));
    }
    bench.text("XGROUP CREATE s g 0");
}

#[test]
fn what_a_clock_or_the_size_of_nodes_decides_is_logged_with_its_outcome() {
    let bench = Bench::new(1);
    filled(&bench, 250);
    assert_eq!(logged(&bench, "XADD s * f v"), [format!("XADD s {NOW_MS}-0 f v")]);
    assert_eq!(logged(&bench, "XADD s * f v"), [format!("XADD s {NOW_MS}-1 f v")]);
    let far = NOW_MS + 5;
    assert_eq!(logged(&bench, &format!("XADD s {far}-* f v")), [format!("XADD s {far}-0 f v")]);
    assert_eq!(logged(&bench, &format!("XADD s {far}-7 f v")), [""; 0], "it says all itself");
    // 254 entries, and the first hundred go as a whole.
    assert_eq!(logged(&bench, "XTRIM s MAXLEN ~ 150"), ["XTRIM s MAXLEN = 154"]);
    assert_eq!(logged(&bench, "XTRIM s MINID ~ 203"), ["XTRIM s MINID = 201-1"]);
    let line = format!("XADD s MAXLEN ~ 10 LIMIT 5 {far}-8 f v");
    assert_eq!(logged(&bench, &line), [format!("XADD s MAXLEN = 55 {far}-8 f v")]);
    assert_eq!(logged(&bench, "XTRIM s MAXLEN ~ 0 LIMIT 0"), ["XTRIM s MAXLEN = 0"]);
    assert_eq!(bench.text("XLEN s"), ":0\r\n");
    assert_eq!(logged(&bench, "XADD s MINID ~ 9 * f v").len(), 1);
}

#[test]
fn claims_are_logged_with_the_time_of_delivery() {
    let bench = Bench::new(1);
    filled(&bench, 3);
    // The consumer is created whatever comes of it.
    assert_eq!(logged(&bench, "XCLAIM s g ann 0 1-1"), ["XGROUP CREATECONSUMER s g ann"]);
    let told = format!("TIME {NOW_MS} RETRYCOUNT 2 FORCE JUSTID LASTID 0-0");
    assert_eq!(logged(&bench, "XCLAIM s g ann 0 1-1 FORCE"), [format!("XCLAIM s g ann 0 1-1 {told}")]);
    let told = "TIME 5 RETRYCOUNT 9 FORCE JUSTID LASTID 2-1";
    assert_eq!(
        logged(&bench, "XCLAIM s g bob 0 2-1 9-9 TIME 5 RETRYCOUNT 9 FORCE LASTID 2-1"),
        ["XGROUP CREATECONSUMER s g bob".to_owned(), format!("XCLAIM s g bob 0 2-1 {told}")]
    );
    assert_eq!(logged(&bench, "XCLAIM s g bob 0 9-9 LASTID 3-0"), ["XGROUP SETID s g 3-0 ENTRIESREAD -1"]);
    bench.text("XDEL s 1-1");
    let told = format!("TIME {NOW_MS} RETRYCOUNT 2 FORCE JUSTID LASTID 3-0");
    assert_eq!(
        logged(&bench, "XAUTOCLAIM s g bob 100 0 JUSTID"),
        [
            format!("XCLAIM s g ann 0 1-1 {told}"),
            format!("XCLAIM s g bob 0 2-1 TIME {NOW_MS} RETRYCOUNT 9 FORCE JUSTID LASTID 3-0"),
        ]
    );
    assert_eq!(bench.text("XPENDING s g - + 9"), "*1\r\n*4\r\n$3\r\n2-1\r\n$3\r\nbob\r\n:0\r\n:9\r\n");
}

#[test]
fn memory_is_accounted_for_and_given_back() {
    let bench = Bench::new(1);
    let empty = bench.record_bytes();
    filled(&bench, 300);
    let ids: Vec<String> = (1..=300).map(|n| format!("{n}-1")).collect();
    bench.text(&format!("XCLAIM s g ann 0 {} FORCE JUSTID", ids.join(" ")));
    assert!(bench.record_bytes() > empty + 300 * 50);
    bench.text("COPY s t");
    bench.text(&format!("XACK s g {}", ids.join(" ")));
    bench.text("XTRIM s MAXLEN 0");
    bench.text("XGROUP DESTROY s g");
    bench.text("DEL t");
    assert!(bench.record_bytes() < empty + 1000, "{} of {empty}", bench.record_bytes());
}

#[test]
fn consumers_tell_when_they_were_active() {
    let bench = Bench::new(1);
    filled(&bench, 1);
    bench.text("XGROUP CREATECONSUMER s g ann");
    let told = |inactive: &str| {
        let fields = ["$4\r\nname\r\n$3\r\nann", "$7\r\npending\r\n:0", "$4\r\nidle\r\n:0", "$8\r\ninactive\r\n"];
        format!("*1\r\n*8\r\n{}{inactive}\r\n", fields.join("\r\n"))
    };
    assert_eq!(bench.text("XINFO CONSUMERS s g"), told(":-1"));
    bench.text("XCLAIM s g ann 0 1-1 FORCE");
    bench.text("XACK s g 1-1");
    assert_eq!(bench.text("XINFO CONSUMERS s g"), told(":0"));
}
