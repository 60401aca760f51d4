//! What the differential test cannot see of SORT: effects, and windows of long sorts.

use crate::command::testing::Bench;

/// The bulk strings of a reply, in its order.
fn bulks(reply: &str) -> Vec<String> {
    let mut lines = reply.split("\r\n");
    let mut bulks = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with('$') {
            bulks.extend(lines.next().map(str::to_owned));
        }
    }
    bulks
}

#[test]
fn a_window_is_that_part_of_the_whole() {
    let bench = Bench::new(1);
    for number in 0..200_u32 {
        bench.text(&format!("RPUSH l {}", number * 7919 % 83));
    }
    for options in ["", "DESC", "ALPHA", "ALPHA DESC", "BY none", "BY none DESC"] {
        let all = bulks(&bench.text(&format!("SORT l {options}")));
        assert_eq!(all.len(), 200);
        for (start, count) in [(0, 1), (0, 10), (5, 1), (99, 2), (190, 20), (199, 5), (200, 1), (0, 0), (20, 150)] {
            let window = bulks(&bench.text(&format!("SORT l {options} LIMIT {start} {count}")));
            assert_eq!(window, all[start..(start + count).min(200)], "{options} LIMIT {start} {count}");
        }
    }
}

#[test]
fn a_stored_order_that_rests_on_a_sets_is_logged_as_a_list() {
    let bench = Bench::new(2);
    bench.text("SADD s a b c");
    let logged = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        bench.run(&words).1.iter().map(|(_, words)| words.len()).collect::<Vec<_>>()
    };
    assert_eq!(logged("SORT s BY w_* ALPHA STORE d"), [2, 5], "DEL d, RPUSH d and three elements");
    assert_eq!(logged("SORT s ALPHA STORE d"), [0; 0]);
    assert_eq!(logged("SORT s BY nosort STORE d"), [0; 0], "stored in order of the elements");
}

#[test]
fn patterns_name_keys_and_fields() {
    let bench = Bench::new(3);
    bench.text("RPUSH l 1 2 3");
    for line in ["SET w_1 30", "SET w_2 20", "HSET h_2-x f two", "SET h_3-x string", "SET a->f arrow", "SET w_1-> end"]
    {
        bench.text(line);
    }
    let reply = bench.text("SORT l BY w_* GET # GET h_*-x->f");
    assert_eq!(reply, "*6\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n$3\r\ntwo\r\n$1\r\n1\r\n$-1\r\n");
    bench.text("DEL l");
    bench.text("RPUSH l 1 a");
    let reply = bench.text("SORT l BY none GET w_*-> GET #");
    assert!(reply.starts_with("*4\r\n$3\r\nend\r\n$1\r\n1\r\n$-1\r\n"), "an arrow at the end is none: {reply}");
}
