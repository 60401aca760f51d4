//! Files cut at every byte, in every piece size, damaged at every byte.

use super::*;
use crate::protocol::command::encode;

/// Gives a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

fn resp(line: &str) -> Vec<u8> {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let mut out = Vec::new();
    encode(&mut out, &words);
    out
}

/// `#` lines are annotations, the others commands.
fn file(lines: &[&str]) -> Vec<u8> {
    let line = |line: &&str| if line.starts_with('#') { format!("{line}\r\n").into_bytes() } else { resp(line) };
    lines.iter().flat_map(line).collect()
}

/// Everything that is handed out, a transaction in parentheses, and how it ends.
fn read(bytes: &[u8], at_once: usize) -> (Vec<String>, Result<Option<Torn>, String>) {
    let mut reader = LogReader::new(Trickle(bytes, at_once), 0);
    let mut all = Vec::new();
    loop {
        let before = reader.offset();
        match reader.next_commands() {
            Ok(Next::Commands(commands)) => {
                assert!(commands.offset() >= before && commands.end(commands.len() - 1) > commands.offset());
                let text = |request: Request<'_>| {
                    request.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
                };
                let lines: Vec<String> = commands.iter().map(text).collect();
                assert_eq!(text(commands.request(0)), lines[0]);
                if commands.is_transaction() { all.push(format!("({})", lines.join("; "))) } else { all.extend(lines) }
            }
            Ok(Next::End) => return (all, Ok(None)),
            Ok(Next::Torn(torn)) => return (all, Ok(Some(torn))),
            Err(error) => return (all, Err(error.to_string())),
        }
    }
}

const LINES: &[&str] = &[
    "#TS:1700000000",
    "SELECT 0",
    "SET a 1",
    "MULTI",
    "SET b 22",
    "SELECT 3",
    "#TS:1700000001",
    "DEL c",
    "EXEC",
    "SET d x",
    "MULTI",
    "EXEC",
    "multi",
    "INCR e",
    "exec",
];
const WHOLE: &[&str] = &["SELECT 0", "SET a 1", "(SET b 22; SELECT 3; DEL c)", "SET d x", "(INCR e)"];

#[test]
fn runs_and_transactions_are_handed_out_in_order() {
    let bytes = file(LINES);
    for at_once in [1, 2, 3, 7, 100, usize::MAX] {
        assert_eq!(read(&bytes, at_once), (WHOLE.iter().map(ToString::to_string).collect(), Ok(None)), "{at_once}");
    }
    assert_eq!(read(b"", 1), (vec![], Ok(None)));
    let mut reader = LogReader::new(&bytes[..], 0);
    while let Next::Commands(_) = reader.next_commands().unwrap() {}
    assert_eq!((reader.annotated_s(), reader.offset()), (Some(1_700_000_001), bytes.len() as u64));
}

#[test]
fn a_file_cut_anywhere_ends_at_the_last_whole_record_or_transaction() {
    let bytes = file(LINES);
    // Where each thing ends that stands for itself.
    let mut ends = vec![(0, 0)];
    let (mut at, mut whole, mut is_open) = (0, 0, false);
    for line in LINES {
        at += file(&[line]).len();
        match line.to_ascii_uppercase().as_str() {
            "MULTI" => is_open = true,
            "EXEC" => is_open = false,
            _ => {}
        }
        whole += usize::from(!is_open && !line.starts_with('#'));
        if !is_open {
            ends.push((at, whole));
        }
    }
    // The empty transaction is handed out as nothing.
    let handed_out = |whole: usize| if whole > 4 { whole - 1 } else { whole };
    for cut in 0..=bytes.len() {
        let (end, whole) = *ends.iter().rfind(|(end, _)| *end <= cut).unwrap();
        for at_once in [1, usize::MAX] {
            let (lines, outcome) = read(&bytes[..cut], at_once);
            assert_eq!(lines, WHOLE[..handed_out(whole)], "cut at {cut}");
            match outcome.unwrap() {
                None => assert_eq!(end, cut),
                Some(torn) => {
                    assert_eq!((torn.offset, torn.bytes), (end as u64, (cut - end) as u64), "cut at {cut}");
                    assert!(torn.bytes > 0);
                }
            }
        }
    }
}

#[test]
fn damage_in_the_middle_is_never_taken_for_a_torn_end() {
    let lines = ["SET a 1", "MULTI", "SET b 22", "DEL c", "EXEC", "SET d x", "SET e y", "SET f z"];
    let bytes = file(&lines);
    let last = bytes.len() - resp("SET f z").len();
    for at in 0..last {
        for damaged in [0, b'\n', b'9', b'*', b'$', bytes[at] ^ 0x80, bytes[at] ^ 1] {
            let mut bytes = bytes.clone();
            bytes[at] = damaged;
            let (_, outcome) = read(&bytes, usize::MAX);
            // A byte of a key or a value can be anything: only a checksum would know.
            assert!(!matches!(outcome, Ok(Some(_))), "byte {at} became {damaged}: {outcome:?}");
        }
    }
}

#[test]
fn damage_is_named_with_its_offset_after_what_is_whole() {
    let check = |bytes: &[u8], whole: usize, expected: &str| {
        for at_once in [1, usize::MAX] {
            let (lines, outcome) = read(bytes, at_once);
            assert_eq!((lines.len(), outcome.unwrap_err().as_str()), (whole, expected));
        }
    };
    let mut bytes = file(&["SET a 1", "SET b 2"]);
    let first = resp("SET a 1").len();
    bytes[first] = b'+';
    check(&bytes, 1, &format!("damaged at offset {first}: a record begins with '*', not '+'"));
    bytes[first] = b'*';
    bytes[first + 1] = b'0';
    check(&bytes, 1, &format!("damaged at offset {first}: the number of a record's arguments begins with '0'"));
    check(&file(&["EXEC"]), 0, "damaged at offset 0: an EXEC without a MULTI before it");
    check(&file(&["PING", "EXEC"]), 1, "damaged at offset 14: an EXEC without a MULTI before it");
    let nested = file(&["MULTI", "PING", "MULTI"]);
    check(&nested, 0, "damaged at offset 29: a MULTI within a transaction: the EXEC before it is missing");
    check(&[b'#'; 5000], 0, "damaged at offset 0: an annotation does not end");
    let long = file(&["SET k v", "SET k v"]).split_off(4);
    let long = [b"*3\r\n$9000\r\n".as_slice(), &long[4..]].concat();
    let expected = "the record is longer than the file, yet further records follow: its length is damaged";
    check(&long, 0, &format!("damaged at offset 0: {expected}"));
    check(
        b"*2\r\n$3\r\nGET\r\n$3\0",
        0,
        "damaged at offset 13: what stands here is neither a whole record nor the beginning of one",
    );
    check(b"*1\r\n$99999999999\r\n", 0, "damaged at offset 0: invalid bulk length");
}

#[test]
fn nothing_is_allocated_from_an_announced_size() {
    let bytes = b"*1000000\r\n$500000000\r\nabc";
    let mut reader = LogReader::new(&bytes[..], 0);
    assert!(matches!(reader.next_commands(), Ok(Next::Torn(Torn { offset: 0, bytes: 25, is_transaction: false }))));
    assert!(reader.buffer.capacity() <= 4 * LOG_READ_BYTES, "{}", reader.buffer.capacity());
}

#[test]
fn big_records_and_long_runs_pass_through_the_window() {
    let big = "x".repeat(3 << 20);
    let mut bytes = resp(&format!("SET big {big}"));
    for number in 0..50_000 {
        bytes.extend(resp(&format!("SET key:{number} {number}")));
    }
    bytes.extend(resp(&format!("SET big {big}")));
    let (lines, outcome) = read(&bytes, usize::MAX);
    assert_eq!((lines.len(), outcome), (50_002, Ok(None)));
    assert_eq!((lines[0].len(), lines[50_001].len()), (big.len() + 8, big.len() + 8));
    assert_eq!(lines[777], "SET key:776 776");
    let mut reader = LogReader::new(&bytes[..], 0);
    let mut runs = 0;
    while let Next::Commands(commands) = reader.next_commands().unwrap() {
        assert!(commands.len() <= LOG_READ_COMMANDS);
        runs += 1;
    }
    assert!(runs < 600, "{runs}");
}

#[test]
fn an_error_of_the_disk_is_no_end_of_file() {
    struct Failing(bool);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::from_raw_os_error(5));
            }
            buffer[..14].copy_from_slice(b"*1\r\n$4\r\nPING\r\n");
            Ok(14)
        }
    }
    let mut reader = LogReader::new(Failing(false), 100);
    assert!(matches!(reader.next_commands(), Ok(Next::Commands(commands)) if commands.len() == 1));
    assert!(matches!(reader.next_commands(), Err(ReadError::Io { offset: 114, .. })));
}

#[test]
fn any_bytes_are_commands_or_an_error() {
    use crate::base::random::Random;
    let random = Random::from_seed(7);
    let draw = |bound: usize| (random.next_u64() % bound as u64) as usize;
    let samples = [
        file(&["SELECT 3", "SET k v", "#TS:1700000000", "MULTI", "LPUSH l a b c", "INCR n", "EXEC", "DEL k"]),
        b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n".to_vec(),
        b"SET inline 'quo\\x74ed'\r\n*1\r\n$4\r\nPING\r\n".to_vec(),
    ];
    for round in 0..4_000 {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..=draw(4) {
            let at = draw(bytes.len());
            match draw(4) {
                0 => bytes[at] = b"*$\r\n0123456789- \"'"[draw(18)],
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, draw(256) as u8),
                _ => {
                    let piece = bytes[at..bytes.len().min(at + draw(40))].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        crate::persist::aof::fuzz(&bytes);
    }
}
