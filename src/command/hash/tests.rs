//! What the differential test cannot see of the hash commands: effects, bounds, what random choice promises.

use std::collections::HashSet;

use crate::command::testing::Bench;
use crate::protocol::reply::Protocol;

fn filled(bench: &Bench, fields: usize) {
    let pairs = (0..fields).flat_map(|i| [format!("f{i}"), format!("v{i}")]);
    let command: Vec<String> = ["HSET".into(), "h".into()].into_iter().chain(pairs).collect();
    assert_eq!(bench.run(&command).0, format!(":{fields}\r\n").into_bytes());
}

#[test]
fn distinct_fields_are_distinct_and_of_the_hash() {
    for fields in [1, 100, 1_000] {
        let bench = Bench::new(1);
        filled(&bench, fields);
        for count in [1, 10, 300, 999, 2_000] {
            let drawn = bench.bulks(&["HRANDFIELD", "h", &count.to_string()]);
            assert_eq!(drawn.len(), count.min(fields));
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
            assert!(drawn.iter().all(|field| bench.text(&format!("HEXISTS h {field}")) == ":1\r\n"));
        }
        assert_eq!(bench.bulks(&["HRANDFIELD", "h", "-300"]).len(), 300);
    }
}

#[test]
fn values_are_nested_in_resp3_and_flat_in_resp2() {
    let mut bench = Bench::new(2);
    filled(&bench, 1);
    let pair = "$2\r\nf0\r\n$2\r\nv0\r\n";
    assert_eq!(bench.text("HRANDFIELD h 5 WITHVALUES"), format!("*2\r\n{pair}"));
    assert_eq!(bench.text("HRANDFIELD h -2 WITHVALUES"), format!("*4\r\n{pair}{pair}"));
    bench.protocol = Protocol::Resp3;
    assert_eq!(bench.text("HRANDFIELD h 5 WITHVALUES"), format!("*1\r\n*2\r\n{pair}"));
    assert_eq!(bench.text("HRANDFIELD h -2 withvalues"), format!("*2\r\n*2\r\n{pair}*2\r\n{pair}"));
    assert_eq!(bench.text("HGETALL h"), format!("%1\r\n{pair}"));
}

#[test]
fn counts_beyond_bounds_are_errors() {
    let bench = Bench::new(3);
    filled(&bench, 3);
    let out_of_range = "-ERR value is out of range\r\n";
    assert_eq!(bench.text("HRANDFIELD h -9223372036854775807"), out_of_range);
    assert_eq!(bench.text("HRANDFIELD h 4611686018427387904 WITHVALUES"), out_of_range);
    let not_between = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
    assert_eq!(bench.text("HRANDFIELD h -9223372036854775808"), not_between);
    assert_eq!(bench.text("HRANDFIELD none -9223372036854775807"), "*0\r\n");
}

#[test]
fn a_float_is_logged_as_its_sum() {
    let bench = Bench::new(4);
    bench.run(&["HSET", "h", "f", "0.1"]);
    let (reply, logged) = bench.run(&["HINCRBYFLOAT", "h", "f", "0.2"]);
    assert_eq!(reply, b"$3\r\n0.3\r\n");
    assert_eq!(logged, [(0, ["HSET", "h", "f", "0.3"].map(|word| word.as_bytes().to_vec()).to_vec())]);
}

#[test]
fn a_failed_increment_changes_and_leaves_nothing() {
    let bench = Bench::new(5);
    bench.run(&["HSET", "h", "f", "9223372036854775807", "g", "x"]);
    assert_eq!(bench.text("HINCRBY h f 1"), "-ERR increment or decrement would overflow\r\n");
    assert_eq!(bench.text("HINCRBY h g 1"), "-ERR hash value is not an integer\r\n");
    assert_eq!(bench.text("HINCRBYFLOAT h g 1"), "-ERR hash value is not a float\r\n");
    assert_eq!(bench.text("HINCRBYFLOAT none g inf"), "-ERR value is NaN or Infinity\r\n");
    assert_eq!(bench.text("HGET h f"), "$19\r\n9223372036854775807\r\n");
    assert_eq!(bench.text("EXISTS none"), ":0\r\n");
}

#[test]
fn a_removed_hash_gives_all_of_its_bytes_back() {
    let bench = Bench::new(6);
    bench.run(&["HSET", "h", "f", "v"]);
    bench.run(&["HDEL", "h", "f"]);
    let empty = bench.record_bytes();
    for fields in [1, 100, 5_000] {
        filled(&bench, fields);
        assert!(bench.record_bytes() > empty);
        let fields = (0..fields).map(|i| format!("f{i}"));
        bench.run(&["HDEL".into(), "h".into()].into_iter().chain(fields).collect::<Vec<String>>());
        assert_eq!(bench.text("EXISTS h"), ":0\r\n");
        assert_eq!(bench.record_bytes(), empty);
    }
}
