//! The parser against pipelines cut at every byte, malformed requests, and a round trip of random commands.

use proptest::prelude::*;

use super::*;
use crate::protocol::command;

type Commands = Vec<Vec<Vec<u8>>>;

/// What a connection would see that receives `pieces` one after the other, keeping only unread bytes.
fn feed<'a>(parser: &mut Parser, pieces: impl IntoIterator<Item = &'a [u8]>, max: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut batch = Batch::new();
    for piece in pieces {
        outcome.rest.extend_from_slice(piece);
        loop {
            batch.clear();
            let result = parser.parse(&outcome.rest, 0, &mut batch, max);
            for request in batch.requests(&outcome.rest) {
                let (mut copied, mut encoded) = (Vec::new(), Vec::new());
                request.encode(&mut copied);
                command::encode(&mut encoded, &request.iter().collect::<Vec<_>>());
                assert_eq!(copied, encoded, "the form in which it came is the form in which it is written");
                outcome.commands.push(request.iter().map(<[u8]>::to_vec).collect());
            }
            match result {
                Ok(progress) => {
                    assert!(batch.is_empty() || batch.end(batch.len() - 1) <= progress.consumed);
                    outcome.missing = progress.missing;
                    outcome.rest.drain(..progress.consumed);
                    if outcome.rest.is_empty() || progress.missing > 0 {
                        break;
                    }
                }
                Err(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
    outcome
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    commands: Commands,
    rest: Vec<u8>,
    missing: usize,
    error: Option<ProtocolError>,
}

fn whole(input: &[u8]) -> Outcome {
    feed(&mut Parser::default(), [input], 32)
}

/// The same bytes in two pieces, cut anywhere, and one by one, give the same outcome.
fn check_every_split(input: &[u8]) -> Outcome {
    let expected = whole(input);
    for cut in 0..=input.len() {
        let (a, b) = input.split_at(cut);
        assert_same(&expected, feed(&mut Parser::default(), [a, b], 32), &format!("cut at {cut}"));
    }
    assert_same(&expected, feed(&mut Parser::default(), input.chunks(1), 32), "byte by byte");
    assert_same(&expected, feed(&mut Parser::default(), [input], 1), "one command a call");
    expected
}

fn assert_same(expected: &Outcome, got: Outcome, how: &str) {
    assert_eq!(expected.commands, got.commands, "{how}");
    assert_eq!(expected.error, got.error, "{how}");
    if expected.error.is_none() {
        assert_eq!((&expected.rest, expected.missing), (&got.rest, got.missing), "{how}");
    }
}

fn words(commands: &[&[&str]]) -> Commands {
    commands.iter().map(|c| c.iter().map(|w| w.as_bytes().to_vec()).collect()).collect()
}

fn encode(commands: &Commands) -> Vec<u8> {
    let mut out = Vec::new();
    for command in commands {
        out.extend(format!("*{}\r\n", command.len()).into_bytes());
        for argument in command {
            out.extend(format!("${}\r\n", argument.len()).into_bytes());
            out.extend(argument);
            out.extend(b"\r\n");
        }
    }
    out
}

#[test]
fn a_pipeline_survives_every_cut() {
    let long = "v".repeat(1234);
    let input = format!(
        "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*1\r\n$4\r\nPING\r\nPING inline\r\n\r\n*0\r\n*-1\r\n\n\
         *2\r\n$3\r\nGET\r\n$0\r\n\r\nSET \"a b\" 'c\\'d'\n*2\r\n$4\r\nECHO\r\n$1234\r\n{long}\r\n\
         *12\r\n{}*1\r\n$4\r\nLAST\r\n",
        "$1\r\nx\r\n".repeat(12),
    );
    let outcome = check_every_split(input.as_bytes());
    let expected = words(&[
        &["SET", "key", "value"],
        &["PING"],
        &["PING", "inline"],
        &["GET", ""],
        &["SET", "a b", "c'd"],
        &["ECHO", &long],
        &["x"; 12],
        &["LAST"],
    ]);
    assert_eq!(outcome, Outcome { commands: expected, ..Outcome::default() });
}

#[test]
fn empty_requests_are_skipped() {
    for nothing in ["\r\n", "\n", "  \r\n", "*0\r\n", "*-1\r\n", "*-2147483649\r\n", "\r\r\n"] {
        let outcome = check_every_split(format!("{nothing}{nothing}*1\r\n$4\r\nPING\r\n").as_bytes());
        assert_eq!(outcome.commands, words(&[&["PING"]]), "{nothing:?}");
    }
}

#[test]
fn malformed_requests_end_the_connection() {
    use ProtocolError::*;
    let cases: &[(&str, ProtocolError)] = &[
        ("*2147483648\r\n", InvalidMultibulkLength),
        ("*99999999999999999999\r\n", InvalidMultibulkLength),
        ("*\r\n", InvalidMultibulkLength),
        ("*x\r\n", InvalidMultibulkLength),
        ("*01\r\n", InvalidMultibulkLength),
        ("*+1\r\n", InvalidMultibulkLength),
        ("*-0\r\n", InvalidMultibulkLength),
        ("*1 \r\n", InvalidMultibulkLength),
        ("*3\n$3\nSET\n\r\n", InvalidMultibulkLength),
        ("*1\r\n$-5\r\n", InvalidBulkLength),
        ("*1\r\n$-1\r\n", InvalidBulkLength),
        ("*1\r\n$9e18\r\n", InvalidBulkLength),
        ("*1\r\n$9000000000000000000\r\n", InvalidBulkLength),
        ("*1\r\n$536870913\r\n", InvalidBulkLength),
        ("*1\r\n$\r\n", InvalidBulkLength),
        ("*1\r\n$05\r\n", InvalidBulkLength),
        ("*1\r\n$0005\r\n", InvalidBulkLength),
        ("*2\r\n$3\r\nGET\r\n:1\r\n", ExpectedDollar(b':')),
        ("*2\r\n$3\r\nGET\r\n\r\n", ExpectedDollar(b'\r')),
        ("*1048577\r\n", InvalidMultibulkLength),
        ("*2\r\n$3\r\nGETxy\r\n\r\n", MissingLineEnd),
        ("*1\r\n$3\r\nGET\rx", MissingLineEnd),
        ("*1\rX$4\r\nPING\r\n", MissingLineEnd),
        ("*1\r\n$4\rXPING\r\n", MissingLineEnd),
        ("SET \"a\r\n", UnbalancedQuotes),
        ("SET 'a\r\n", UnbalancedQuotes),
        ("SET \"a\"b\r\n", UnbalancedQuotes),
        ("SET 'a'b\r\n", UnbalancedQuotes),
        ("SET \"a\\\"\r\n", UnbalancedQuotes),
        ("POST / HTTP/1.1\r\n", CrossProtocol),
        ("Host: example\r\n", CrossProtocol),
        ("hOST: example\r\n", CrossProtocol),
    ];
    for &(input, expected) in cases {
        let outcome = check_every_split(format!("*1\r\n$4\r\nPING\r\n{input}").as_bytes());
        assert_eq!(outcome.error, Some(expected), "{input:?}");
        assert_eq!(outcome.commands, words(&[&["PING"]]), "what was complete is delivered: {input:?}");
    }
}

#[test]
fn announced_sizes_allocate_nothing() {
    let mut parser = Parser::default();
    let mut batch = Batch::new();
    for input in ["*1048576\r\n", "*1048576\r\n$1\r\nx\r\n", "*1\r\n$536870912\r\nabc"] {
        let progress = parser.parse(input.as_bytes(), 0, &mut batch, 32).expect("valid so far");
        assert_eq!(progress.consumed, 0);
        assert!(progress.missing > 0);
        assert!(parser.is_partial());
        assert!(parser.partial.spans.capacity() < 64 && batch.spans.capacity() < 64);
        assert_eq!(progress.reserve(input.len(), 16 << 10), 16 << 10);
        parser = Parser::default();
    }
    let progress = Progress { consumed: 0, missing: 512 << 20 };
    assert_eq!(progress.reserve(1 << 20, 16 << 10), 1 << 20, "at most double of what arrived");
}

#[test]
fn lines_have_one_limit() {
    use ProtocolError::*;
    let cases = [("x", "\n", InlineTooLong), ("*", "\r\n", MultibulkCountTooLong)];
    for (front, end, error) in cases {
        let fits = format!("{front}{}{end}", "1".repeat(INLINE_BYTES_MAX - front.len()));
        let long = format!("{front}{}{end}", "1".repeat(INLINE_BYTES_MAX - front.len() + 1));
        for chunk in [1000, 16384, 100_000] {
            let fitting = feed(&mut Parser::default(), fits.as_bytes().chunks(chunk), 32);
            assert_ne!(fitting.error, Some(error), "in pieces of {chunk}");
            let too_long = feed(&mut Parser::default(), long.as_bytes().chunks(chunk), 32);
            assert_eq!(too_long.error, Some(error), "in pieces of {chunk}");
        }
    }
    let bulk = format!("*1\r\n${}", "1".repeat(INLINE_BYTES_MAX));
    assert_eq!(feed(&mut Parser::default(), bulk.as_bytes().chunks(4096), 32).error, Some(BulkCountTooLong));
}

#[test]
fn a_nul_hides_the_end_of_a_line() {
    let outcome = whole(b"PING\0\r\nPING\r\n");
    assert_eq!((outcome.commands.len(), outcome.missing, outcome.error), (0, 1, None));
    let mut long = b"PING\0\r\n".to_vec();
    long.resize(INLINE_BYTES_MAX + 1, b'x');
    assert_eq!(whole(&long).error, Some(ProtocolError::InlineTooLong));
}

#[test]
fn who_has_not_authenticated_stays_small() {
    use ProtocolError::*;
    let strict = |input: &[u8]| feed(&mut Parser::new(false), [input], 32);
    let eleven = format!("*11\r\n{}", "$1\r\nx\r\n".repeat(11));
    assert_eq!(strict(eleven.as_bytes()).error, Some(UnauthenticatedMultibulkLength));
    assert_eq!(strict(b"*2147483647\r\n").error, Some(UnauthenticatedMultibulkLength));
    let ten = format!("*10\r\n{}", "$1\r\nx\r\n".repeat(10));
    assert_eq!(strict(ten.as_bytes()).commands, words(&[&["x"; 10]]));
    assert_eq!(strict(b"*1\r\n$16385\r\n").error, Some(UnauthenticatedBulkLength));
    let largest = encode(&vec![vec![vec![b'x'; 16384]]]);
    assert_eq!(strict(&largest).commands.len(), 1);

    let mut parser = Parser::new(false);
    let mut batch = Batch::new();
    let pipeline = format!("*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n{eleven}");
    let first = parser.parse(pipeline.as_bytes(), 0, &mut batch, 32).expect("AUTH alone");
    assert_eq!((batch.len(), first.missing), (1, 0));
    parser.set_authenticated(true);
    let second = parser.parse(pipeline.as_bytes(), first.consumed, &mut batch, 32).expect("allowed now");
    assert_eq!((batch.len(), second.consumed), (2, pipeline.len()));
}

#[test]
fn words_are_unescaped() {
    let cases: &[(&str, &[&[u8]])] = &[
        ("a  b\tc", &[b"a", b"b", b"c"]),
        (" a \x0b\x0c b ", &[b"a", b"b"]),
        ("a\x0bb", &[b"a\x0bb"]),
        (r#""\x00\xfF\n\r\t\b\a\\\"\q""#, &[b"\0\xff\n\r\t\x08\x07\\\"q"]),
        (r#""\xg1\x1""#, &[b"xg1x1"]),
        (r#"'a\'b\n' """#, &[b"a'b\\n", b""]),
        (r#"foo"bar" x"#, &[b"foobar", b"x"]),
        (r#"a\n"#, &[b"a\\n"]),
        ("a\rb", &[b"a", b"b"]),
        ("\"caf\u{e9} \"", &["caf\u{e9} ".as_bytes()]),
    ];
    for &(line, expected) in cases {
        let outcome = check_every_split(format!("{line}\r\n").as_bytes());
        assert_eq!(outcome.commands, [expected], "{line:?}");
    }
}

#[test]
fn a_partial_command_may_begin_anywhere() {
    let mut parser = Parser::default();
    let mut batch = Batch::new();
    let input = b"*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n";
    let progress = parser.parse(&input[..30], 0, &mut batch, 32).expect("valid");
    assert_eq!(progress.consumed, 14);
    // The connection did not move the bytes: the command still begins at 14.
    let progress = parser.parse(input, 14, &mut batch, 32).expect("valid");
    assert_eq!(progress, Progress { consumed: input.len(), missing: 0 });
    let requests: Vec<_> = batch.requests(input).map(|r| r.to_owned()).collect();
    assert_eq!(requests[1], OwnedRequest::new(&["SET", "a", "b"]).expect("an argument"));
    assert_eq!(requests[1].request().name(), b"SET");
    assert_eq!(requests[1].request().get(3), None);
}

#[test]
fn finished_arguments_are_not_parsed_again() {
    let command = encode(&vec![vec![b"x".to_vec(); 5000]]);
    let mut parser = Parser::default();
    let mut batch = Batch::new();
    for end in 1..command.len() {
        let before = parser.partial.position;
        let progress = parser.parse(&command[..end], 0, &mut batch, 32).expect("valid so far");
        assert!(progress.missing > 0 && parser.partial.position >= before);
        assert!(end - parser.partial.position <= 16, "the cursor follows what arrives");
    }
    parser.parse(&command, 0, &mut batch, 32).expect("complete");
    assert_eq!(batch.request(0, &command).len(), 5000);
    assert!(!parser.is_partial() && parser.partial.spans.capacity() <= SPANS_KEPT_MAX);
}

proptest! {
    #[test]
    fn random_commands_come_back(
        commands in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..14), 1..12),
        cuts in prop::collection::vec(1usize..60, 0..40),
        max in 1usize..8,
    ) {
        let bytes = encode(&commands);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts {
            let (piece, behind) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.push(rest);
        let outcome = feed(&mut Parser::default(), pieces, max);
        prop_assert_eq!(outcome, Outcome { commands, ..Outcome::default() });
    }

    #[test]
    fn garbage_is_judged_alike_however_it_is_cut(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "*", "$", "1", "2", "0", "-", "\r\n", "\r", "\n", "x", "\"", "'", "\\", " ", "*1\r\n", "*2\r\n",
                "$1\r\n", "$3\r\nGET\r\n", "\0", "PING\r\n", "post ", "\\x41",
            ]), 0..14),
    ) {
        check_every_split(tokens.concat().as_bytes());
    }
}
