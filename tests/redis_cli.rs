//! Redis's own tools against Pipkin: redis-cli in its modes, and redis-benchmark with every test for these commands.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where an expectation does")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Output;

use support::{Client, Server, encode, tool};

/// The tests of redis-benchmark whose commands Pipkin has.
const BENCHMARKS: &[&str] = &[
    "ping_inline",
    "ping_mbulk",
    "set",
    "get",
    "incr",
    "lpush",
    "rpush",
    "lpop",
    "rpop",
    "sadd",
    "hset",
    "spop",
    "zadd",
    "zpopmin",
    "lrange_100",
    "lrange_300",
    "lrange_500",
    "lrange_600",
    "mset",
];

#[test]
fn pipe_loads_a_file_of_requests() {
    let Some(cli) = tool("redis_cli::pipe_loads_a_file_of_requests", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    let mut requests = Vec::new();
    for number in 0..10_000 {
        encode(&["SET", &format!("key:{number}"), &number.to_string()], &mut requests);
    }
    encode(&["INCR", "a", "b"], &mut requests);
    let output = cli.run(&server, &["--pipe"], &requests);
    let text = stdout(&output);
    assert!(text.contains("errors: 1, replies: 10001"), "{text}");
    assert_eq!(server.connect().line("DBSIZE").integer(), 10_000);
    assert_eq!(server.connect().line("GET key:9999").text(), "9999");
}

#[test]
fn scan_prints_every_key_of_a_pattern() {
    let Some(cli) = tool("redis_cli::scan_prints_every_key_of_a_pattern", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    fill(&mut server.connect());
    let output = cli.run(&server, &["--scan", "--pattern", "string:1??"], b"");
    assert!(output.status.success());
    let mut keys: Vec<String> = stdout(&output).lines().map(String::from).collect();
    keys.sort();
    assert_eq!(keys, (100..200).map(|n| format!("string:{n}")).collect::<Vec<_>>());
}

#[test]
fn bigkeys_finds_the_biggest_of_each_type() {
    let Some(cli) = tool("redis_cli::bigkeys_finds_the_biggest_of_each_type", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    fill(&mut server.connect());
    let output = cli.run(&server, &["--bigkeys"], b"");
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    for line in [
        "Sampled 505 keys in the keyspace!",
        "Biggest string found \"big\" has 5000 bytes",
        "Biggest   list found \"list\" has 3 items",
        "Biggest    set found \"set\" has 2 members",
        "Biggest   hash found \"hash\" has 1 fields",
        "Biggest   zset found \"zset\" has 2 members",
    ] {
        assert!(text.replace('\'', "").contains(line), "{line:?} is missing in:\n{text}");
    }
}

#[test]
fn memkeys_finds_the_heaviest() {
    let Some(cli) = tool("redis_cli::memkeys_finds_the_heaviest", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    fill(&mut server.connect());
    let output = cli.run(&server, &["--memkeys"], b"");
    let text = stdout(&output).replace('\'', "");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("Biggest string found \"big\" has "), "{text}");
    assert!(text.contains("Biggest   hash found \"hash\" has "), "{text}");
}

#[test]
fn stat_shows_a_line() {
    let Some(cli) = tool("redis_cli::stat_shows_a_line", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    fill(&mut server.connect());
    // It prints until it is stopped: two lines of heads, then one of figures.
    let mut child = cli.command(&server, &["--stat", "-i", "0.01"]).spawn().expect("redis-cli starts");
    let lines: Vec<String> =
        BufReader::new(child.stdout.take().expect("a pipe")).lines().take(3).map(|line| line.expect("text")).collect();
    child.kill().ok();
    child.wait().expect("redis-cli ends");
    assert!(lines[1].contains("keys") && lines[1].contains("clients"), "{lines:?}");
    let figures: Vec<&str> = lines[2].split_whitespace().collect();
    assert_eq!(figures.first(), Some(&"505"), "the number of keys comes first in {figures:?}");
    assert!(figures[1].ends_with(['K', 'M']), "then the memory: {figures:?}");
}

#[test]
fn latency_is_measured() {
    let Some(cli) = tool("redis_cli::latency_is_measured", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    // Without a terminal it measures for the given time and prints min, max, average and the number of samples.
    let output = cli.run(&server, &["-i", "0.2", "--raw", "--latency"], b"");
    let text = stdout(&output);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    assert!(figures.len() >= 4, "four figures are expected: {text}");
    assert!(figures[0] <= figures[2] && figures[2] <= figures[1], "the average is between the extremes: {text}");
    assert!(figures[3] >= 1.0, "there were samples: {text}");
}

#[test]
fn typed_lines_are_answered_in_order() {
    let Some(cli) = tool("redis_cli::typed_lines_are_answered_in_order", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    let typed = "SET k \"a b\"\nGET k\nINCR k\nLPUSH l 1 2\nLRANGE l 0 -1\nGET none\nMULTI\nINCR n\nEXEC\n2 INCR n\n";
    let output = cli.run(&server, &["--no-raw"], typed.as_bytes());
    let expected = "OK\n\"a b\"\n(error) ERR value is not an integer or out of range\n(integer) 2\n1) \"2\"\n2) \"1\"\n\
                    (nil)\nOK\nQUEUED\n1) (integer) 1\n(integer) 2\n(integer) 3\n";
    // An error interrupts nothing; some versions put an empty line behind it.
    assert_eq!(stdout(&output).replace("\n\n", "\n"), expected);
    assert!(output.status.success());
}

#[test]
fn the_third_protocol_is_spoken() {
    let Some(cli) = tool("redis_cli::the_third_protocol_is_spoken", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    let typed = "HSET h f v\nHGETALL h\nSADD s m\nSMEMBERS s\nZADD z 1.5 m\nZSCORE z m\nGET none\n";
    let output = cli.run(&server, &["-3", "--no-raw"], typed.as_bytes());
    let expected = "(integer) 1\n1# \"f\" => \"v\"\n(integer) 1\n1~ \"m\"\n(integer) 1\n(double) 1.5\n(nil)\n";
    assert_eq!(stdout(&output), expected);
}

#[test]
fn databases_are_chosen_on_the_command_line() {
    let Some(cli) = tool("redis_cli::databases_are_chosen_on_the_command_line", "redis-cli") else { return };
    let server = Server::pipkin(&[]);
    assert_eq!(stdout(&cli.run(&server, &["-n", "3", "SET", "k", "v"], b"")), "OK\n");
    assert_eq!(stdout(&cli.run(&server, &["-n", "3", "GET", "k"], b"")), "v\n");
    assert_eq!(stdout(&cli.run(&server, &["EXISTS", "k"], b"")), "0\n");
    // The last argument comes from standard input with -x.
    assert_eq!(stdout(&cli.run(&server, &["-x", "SET", "k"], b"from input")), "OK\n");
    assert_eq!(stdout(&cli.run(&server, &["GET", "k"], b"")), "from input\n");
}

#[test]
fn a_password_is_taken() {
    let Some(cli) = tool("redis_cli::a_password_is_taken", "redis-cli") else { return };
    let server = Server::pipkin(&["--requirepass", "secret"]);
    assert!(stdout(&cli.run(&server, &["PING"], b"")).starts_with("NOAUTH"));
    assert_eq!(stdout(&cli.run(&server, &["-a", "secret", "--no-auth-warning", "PING"], b"")), "PONG\n");
    let wrong = cli.run(&server, &["-a", "wrong", "PING"], b"");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("WRONGPASS"), "{wrong:?}");
}

#[test]
fn benchmarks_run_to_their_end() {
    let Some(benchmark) = tool("redis_cli::benchmarks_run_to_their_end", "redis-benchmark") else { return };
    let server = Server::pipkin(&[]);
    for flags in [&["-P", "1"] as &[&str], &["-P", "16", "-r", "1000"], &["-3", "-c", "5"]] {
        let mut arguments = vec!["-q", "-n", "2000", "-t"];
        let tests = BENCHMARKS.join(",");
        arguments.push(&tests);
        arguments.extend(flags);
        let output = benchmark.run(&server, &arguments, b"");
        let text = stdout(&output).replace('\r', "\n");
        assert!(output.status.success(), "{flags:?}: {output:?}");
        let results = text.lines().filter(|line| line.contains("requests per second")).count();
        assert!(results >= BENCHMARKS.len(), "{results} of {} tests: {text}", BENCHMARKS.len());
        assert!(!text.contains("rror"), "{text}");
    }
}

/// 500 short strings, a long one, and one collection of each type.
fn fill(client: &mut Client) {
    let mut commands: Vec<Vec<String>> =
        (0..500).map(|n| vec!["SET".into(), format!("string:{n}"), n.to_string()]).collect();
    commands.push(vec!["SET".into(), "big".into(), "x".repeat(5000)]);
    for line in ["RPUSH list a b c", "SADD set a b", "HSET hash f v", "ZADD zset 1 a 2 b"] {
        commands.push(line.split(' ').map(String::from).collect());
    }
    assert!(client.batch(&commands).iter().all(|reply| !reply.is_error()));
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
