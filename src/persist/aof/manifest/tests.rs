//! Manifests written by Redis, by hand and at random.

use proptest::prelude::*;

use super::*;

fn file(name: &str, seq: i64) -> LogFile {
    LogFile { name: name.into(), seq }
}

fn check(text: &str, expected: Result<Manifest, &str>) {
    let parsed = Manifest::parse(text.as_bytes()).map_err(|error| error.to_string());
    assert_eq!(parsed, expected.map_err(String::from), "{text:?}");
}

#[test]
fn what_redis_writes_is_read() {
    let expected = Manifest {
        base: Some(file("appendonly.aof.2.base.rdb", 2)),
        history: vec![file("appendonly.aof.1.base.rdb", 1), file("appendonly.aof.1.incr.aof", 1)],
        increments: vec![file("appendonly.aof.2.incr.aof", 2), file("appendonly.aof.3.incr.aof", 3)],
    };
    let text = "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.1.base.rdb seq 1 type h\n\
                file appendonly.aof.1.incr.aof seq 1 type h\nfile appendonly.aof.2.incr.aof seq 2 type i\n\
                file appendonly.aof.3.incr.aof seq 3 type i\n";
    assert_eq!(expected.format(), text);
    check(text, Ok(expected));
    check(
        "file appendonly.aof seq 1 type b\n",
        Ok(Manifest { base: Some(file("appendonly.aof", 1)), ..Manifest::default() }),
    );
    let one = Manifest { increments: vec![file("a", 7)], ..Manifest::default() };
    check("# a comment\nfile a seq 7 type i\n#\n", Ok(one.clone()));
    check("TYPE i Seq 7 file a startoffset 12\r", Ok(one.clone()));
    check("  file \"\\x61\" seq 7 type i  \n", Ok(one));
}

#[test]
fn what_redis_refuses_is_refused() {
    check("", Err("line 1: the manifest is empty"));
    check("\n", Err("line 1: the manifest is empty"));
    let shape = "expected: file NAME seq NUMBER type b, i or h";
    check("file a seq 1 type i\n\n\nfile b seq 2 type i\n", Err(&format!("line 2: {shape}")));
    check("file a seq 1 type\n", Err(&format!("line 1: {shape}")));
    check("file a seq 1\n", Err(&format!("line 1: {shape}")));
    check("file a seq 1 seq 1\n", Err("line 1: 'type' is missing"));
    check("file a type i x y\n", Err("line 1: 'seq' is missing"));
    check("seq 1 type i x y\n", Err("line 1: 'file' is missing"));
    check("file \"a seq 1 type i\n", Err("line 1: a quote is not closed"));
    check("file a seq 1 type x\n", Err("line 1: unknown type 'x' of a file"));
    check("file a seq x type i\n", Err("line 1: 'x' is no number of a file"));
    check("file a seq 0 type i\n", Err("line 1: '0' is no number of a file"));
    check("file ../a seq 1 type i\n", Err("line 1: '../a' is no plain name of a file"));
    check("file .. seq 1 type i\n", Err("line 1: '..' is no plain name of a file"));
    check("file a seq 1 type b\nfile b seq 2 type b\n", Err("line 2: there is a second base"));
    check("file a seq 2 type i\nfile b seq 2 type i\n", Err("line 2: number 2 of an increment comes after 2"));
    let long = format!("file {} seq 1 type i\n", "a".repeat(MANIFEST_LINE_BYTES_MAX));
    check(&long, Err("line 1: the line is longer than 1024 bytes"));
}

#[test]
fn a_new_base_replaces_what_comes_before_an_increment() {
    let [one, two, three] = [1, 2, 3].map(|seq| file(&format!("x.{seq}"), seq));
    let mut manifest =
        Manifest { base: Some(file("b1", 1)), increments: vec![one.clone(), two.clone()], history: vec![] };
    manifest.replace_base(file("b2", 2), &two);
    let expected =
        Manifest { base: Some(file("b2", 2)), increments: vec![two.clone()], history: vec![file("b1", 1), one] };
    assert_eq!(manifest, expected);
    assert!(!manifest.is_empty());
    manifest.replace_base(file("b3", 3), &three);
    assert_eq!(manifest.files().collect::<Vec<_>>(), [&file("b3", 3)]);
    assert_eq!(manifest.history.last(), Some(&two));
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.0-9]{1,12}", "[ -~äé\n\t\"']{1,12}"]
        .prop_filter("a plain name", |name| parse_name(name.as_bytes()).is_ok())
}

fn log_file() -> impl Strategy<Value = LogFile> {
    (name(), 1..i64::MAX).prop_map(|(name, seq)| LogFile { name, seq })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        base in proptest::option::of(log_file()),
        mut increments in proptest::collection::vec(log_file(), 0..4),
        history in proptest::collection::vec(log_file(), 0..4),
    ) {
        increments.sort_by_key(|file| file.seq);
        increments.dedup_by_key(|file| file.seq);
        let manifest = Manifest { base, increments, history };
        prop_assume!(!manifest.format().is_empty());
        prop_assert_eq!(Manifest::parse(manifest.format().as_bytes()), Ok(manifest));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        Manifest::parse(&bytes).ok();
    }
}
