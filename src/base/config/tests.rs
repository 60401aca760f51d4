//! Tests of `config`: fixed cases, and what real servers answered.

use super::*;

fn refusal(name: &str, value: &str) -> String {
    match Config::new().set(name.as_bytes(), value.as_bytes()) {
        Err(error) => error.to_string(),
        Ok(()) => panic!("{name} {value:?} was accepted"),
    }
}

fn shown(config: &Config, name: &str) -> String {
    String::from_utf8(config.text(name).unwrap()).unwrap()
}

fn no_includes(path: &str) -> Result<Vec<u8>, String> {
    Err(format!("no file {path}"))
}

#[test]
fn every_default_reads_and_prints() {
    let config = Config::new();
    assert!(config.warnings().is_empty());
    for row in ROWS {
        let text = shown(&config, row.name);
        let plain = !matches!(row.name, "shutdown-on-sigint" | "shutdown-on-sigterm");
        assert!(!plain || text == row.default, "{}: {text}", row.name);
    }
    let names: Vec<_> = ROWS.iter().flat_map(Row::names).collect();
    let unique: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(names.len(), unique.len());
    let settings = config.settings();
    assert_eq!((settings.port, settings.databases, settings.io_threads), (6379, 16, 0));
    assert_eq!(settings.bind, ["127.0.0.1", "-::1"]);
    assert!(settings.pinned_keys.iter().any(|glob| glob.matches(b"order:lock:1")));
    assert_eq!(settings.maxmemory_policy, EvictionPolicy::NoEviction);
    assert_eq!(settings.replica_output.soft_seconds, 60);
}

#[test]
fn refusals_have_their_texts() {
    for (name, value, reason) in [
        ("hz", "abc", "argument couldn't be parsed into an integer"),
        ("hz", " 5", "argument couldn't be parsed into an integer"),
        ("timeout", "-1", "argument must be between 0 and 2147483647 inclusive"),
        ("maxclients", "0", "argument must be between 1 and 4294967295 inclusive"),
        ("proto-max-bulk-len", "5", "argument must be between 1048576 and 9223372036854775807 inclusive"),
        ("maxmemory", "-1", "argument must be a memory value"),
        ("maxmemory", "1.5gb", "argument must be a memory value"),
        ("maxmemory-clients", "101%", "percentage argument must be less or equal to 100"),
        ("maxmemory-clients", "-5%", "argument must be a memory or percent value"),
        ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
        (
            "maxmemory-policy",
            "foo",
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
             allkeys-lru, allkeys-lfu, allkeys-random, noeviction",
        ),
        ("save", "1", "Invalid save parameters"),
        ("save", "0 1", "Invalid save parameters"),
        ("client-output-buffer-limit", "foo", "Wrong number of arguments in buffer limit configuration."),
        ("client-output-buffer-limit", "foo 1 2 3", "Invalid client class specified in buffer limit configuration."),
        (
            "client-output-buffer-limit",
            "normal 1 2 x",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        ("notify-keyspace-events", "KQ", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        ("oom-score-adj-values", "1", "wrong number of arguments"),
        ("databases", "4", "can't set immutable config"),
        ("port", "6380", "Unable to listen on this port. Check server logs."),
        ("bind", "10.0.0.1", "Failed to bind to specified addresses."),
        ("dir", "/tmp", "can't set protected config"),
        ("tls-port", "1", "TLS is not there yet: remove the line and keep the port inside of a trusted network"),
    ] {
        let expected = format!("CONFIG SET failed (possibly related to argument '{name}') - {reason}");
        assert_eq!(refusal(name, value), expected);
    }
    let mut config = Config::new();
    for (name, value) in [("port", "6379"), ("bind", "127.0.0.1 -::1")] {
        assert!(config.set(name.as_bytes(), value.as_bytes()).is_ok(), "{name} is what it was");
    }
    assert_eq!(refusal("FOO", "1"), "Unknown option or number of arguments for CONFIG SET - 'FOO'");
    assert_eq!(refusal("user", "x"), "Unknown option or number of arguments for CONFIG SET - 'user'");
}

#[test]
fn values_print_in_their_canonical_form() {
    for (name, value, canonical) in [
        ("maxmemory", "1GB", "1073741824"),
        ("maxmemory", "10k", "10000"),
        ("maxmemory", "", "0"),
        ("maxmemory", "99999999999999999999", "18446744073709551615"),
        ("maxmemory-clients", "5%", "5%"),
        ("hz", "501", "500"),
        ("appendonly", "YES", "yes"),
        ("loglevel", "WARNING", "warning"),
        ("save", "3600 1 300 100", "3600 1 300 100"),
        ("save", "", ""),
        (
            "client-output-buffer-limit",
            "normal 1mb 2kb 3",
            "normal 1048576 2048 3 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        ),
        ("client-output-buffer-limit", "replica 1 1 1 pubsub 0 0 0", "normal 0 0 0 slave 1 1 1 pubsub 0 0 0"),
        ("client-output-buffer-limit", "", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
        ("notify-keyspace-events", "KEA", "AKE"),
        ("notify-keyspace-events", "gK$", "g$K"),
        ("notify-keyspace-events", "AKEmn", "AKEm"),
        ("latency-tracking-info-percentiles", "1 99.95 50", "1 99.95 50"),
        ("shutdown-on-sigint", "save force", "save force"),
        ("requirepass", "a b", "a b"),
        ("list-max-ziplist-size", "-1", "-1"),
    ] {
        let mut config = Config::new();
        config.set(name.as_bytes(), value.as_bytes()).unwrap();
        assert_eq!(shown(&config, name), canonical, "{name} {value:?}");
    }
}

#[test]
fn several_are_set_together_or_not_at_all() {
    let mut config = Config::new();
    let changed = config.set_many(&[(b"timeout", b"5"), (b"hz", b"10"), (b"lfu-decay-time", b"2")]).unwrap();
    assert_eq!(changed.iter().map(|row| row.name).collect::<Vec<_>>(), ["lfu-decay-time", "timeout"]);
    let error = config.set_many(&[(b"timeout", b"6"), (b"hz", b"x")]).unwrap_err();
    assert!(error.to_string().contains("'hz'"));
    assert_eq!(config.settings().timeout_s, 5);
    let error = config.set_many(&[(b"timeout", b"6"), (b"TIMEOUT", b"7")]).unwrap_err();
    assert_eq!(error.to_string(), "CONFIG SET failed (possibly related to argument 'TIMEOUT') - duplicate parameter");
    let error = config.set_many(&[(b"hz", b"x"), (b"nope", b"1")]).unwrap_err();
    assert_eq!(error, ConfigError::Unknown { name: b"nope".to_vec() });
    config.set_many(&[(b"hash-max-ziplist-entries", b"1"), (b"hash-max-listpack-entries", b"2")]).unwrap();
    assert_eq!(config.settings().hash_max_listpack_entries, 2);
}

#[test]
fn get_shows_names_as_asked() {
    let config = Config::new();
    let names = |patterns: &[&[u8]]| {
        config.get(patterns).into_iter().map(|(name, _)| String::from_utf8(name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[b"HZ"]), ["HZ"]);
    assert_eq!(names(&[b"slaveof"]), ["slaveof"]);
    assert_eq!(names(&[b"timeout", b"time*", b"nope"]), ["timeout"]);
    assert_eq!(names(&[b"HASH-max-*-value"]), ["hash-max-listpack-value", "hash-max-ziplist-value"]);
    assert_eq!(names(&[b"watchdog-period"]), ["watchdog-period"], "hidden, but asked for");
    assert!(names(&[b"watchdog-p*"]).is_empty());
    let everything = names(&[b"*"]);
    let expected = ROWS.iter().filter(|row| !row.hidden && row.access != Access::FileOnly).flat_map(Row::names).count();
    assert_eq!(everything.len(), expected);
    assert!(!everything.iter().any(|name| name == "user"));
}

#[test]
fn files_are_read() {
    let mut config = Config::new();
    let text = b"# comment\n\nport 7000\r\n  requirepass \"a\\x20b\"\nsave 60 1\nsave 10 5\ninclude more.conf\nbind 0.0.0.0 ::\n\
        cluster-enabled no\nappendonly yes\nhz 20\nclient-output-buffer-limit normal 1mb 1mb 10\n";
    let mut include = |path: &str| match path {
        "more.conf" => Ok(b"maxmemory 1mb\nTimeout 9".to_vec()),
        _ => no_includes(path),
    };
    config.load_file("pipkin.conf", text, &mut include).unwrap();
    let settings = config.settings();
    assert_eq!((settings.port, settings.maxmemory_bytes, settings.timeout_s), (7000, 1 << 20, 9));
    assert_eq!(settings.requirepass, b"a b");
    assert_eq!(settings.bind, ["0.0.0.0", "::"]);
    assert_eq!(settings.normal_output.soft_seconds, 10);
    assert_eq!(shown(&config, "save"), "60 1 10 5");
    assert!(config.warnings().iter().any(|text| text.contains("line 11") && text.contains("no effect")));
    assert!(settings.appendonly && settings.is_durable);
    assert_eq!(settings.save_points, [(60, 1), (10, 5)]);
}

#[test]
fn bad_files_name_the_line() {
    for (text, message) in [
        ("port 1\nhz abc", "f, line 2: 'hz abc': argument couldn't be parsed into an integer"),
        ("nope 1", "f, line 1: 'nope 1': Bad directive or wrong number of arguments"),
        ("port", "f, line 1: 'port': Bad directive or wrong number of arguments"),
        ("port 1 2", "f, line 1: 'port 1 2': wrong number of arguments"),
        ("requirepass a b", "f, line 1: 'requirepass (hidden)': wrong number of arguments"),
        ("dir \"x", "f, line 1: 'dir \"x': Unbalanced quotes in configuration line"),
        ("include x", "f, line 1: 'include x': no file x"),
        ("loadmodule x.so", "f, line 1: 'loadmodule x.so': there are no modules: remove the line"),
    ] {
        let error = Config::new().load_file("f", text.as_bytes(), &mut no_includes).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let mut itself = |_: &str| Ok(b"include again".to_vec());
    let error = Config::new().load_file("f", b"include again", &mut itself).unwrap_err();
    assert_eq!(error.reason, "files include each other too deeply");
}

#[test]
fn arguments_are_read_as_redis_server_takes_them() {
    let mut config = Config::new();
    let arguments = ["--port", "0", "--save", "--bind", "127.0.0.1", "::1", "--maxmemory", "5mb", "--save", "60 1 5 2"];
    config.load_arguments(&arguments).unwrap();
    let settings = config.settings();
    assert_eq!((settings.port, settings.maxmemory_bytes), (0, 5 << 20));
    assert_eq!(settings.bind, ["127.0.0.1", "::1"]);
    assert_eq!(shown(&config, "save"), "60 1 5 2");
    assert!(Config::new().load_arguments(&["port", "1"]).is_err());
    assert!(Config::new().load_arguments(&["--port"]).is_err());
    assert!(Config::new().load_arguments(&["--"]).is_err());
    let mut config = Config::new();
    config.load_arguments(&["--save", "", "--appendonly", "no"]).unwrap();
    assert_eq!(shown(&config, "save"), "");
    assert!(config.warnings().is_empty(), "to save nothing is what happens: {:?}", config.warnings());
}

#[test]
fn the_environment_is_read() {
    let mut config = Config::new();
    let variables = [("PIPKIN_MAXMEMORY_POLICY", "allkeys-lru"), ("PIPKIN_BIND", "::1 0.0.0.0"), ("PATH", "/bin")];
    config.load_environment(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    assert_eq!(config.settings().maxmemory_policy, EvictionPolicy::AllkeysLru);
    assert_eq!(config.settings().bind, ["::1", "0.0.0.0"]);
    let wrong = [("PIPKIN_PORT".to_owned(), "many".to_owned())];
    assert!(Config::new().load_environment(wrong).is_err());
    config.load_environment([("PIPKIN_PORTS".to_owned(), "1".to_owned())]).unwrap();
    assert!(config.warnings().iter().any(|warning| warning.contains("PIPKIN_PORTS")), "{:?}", config.warnings());
}
