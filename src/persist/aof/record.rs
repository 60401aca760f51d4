//! Commands as they stand in the log, and the rules between them.
//!
//! A command is an array of bulk strings, as a client would send it. Each file begins in no database, so that the
//! first record of a file, and each that is for another database than the one before, has a SELECT in front. The
//! records of one transaction stand between MULTI and EXEC; a transaction of one record needs neither.

pub use crate::protocol::command::{bulk, encode, header_of_command};

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// The records of one call of the log's `append`: written straight into the log's buffer, all or none.
pub struct Records<'a> {
    out: &'a mut Vec<u8>,
    /// The database in which the last record of the file runs.
    in_effect: &'a mut Option<u32>,
    database: u32,
    is_transaction: bool,
    start: Start,
}

/// What to go back to.
struct Start {
    len: usize,
    in_effect: Option<u32>,
    /// Where MULTI stands, if it does.
    multi: usize,
    records: usize,
    finished: bool,
}

impl<'a> Records<'a> {
    /// No records yet, for `out`.
    #[inline]
    pub(super) fn new(
        out: &'a mut Vec<u8>,
        in_effect: &'a mut Option<u32>,
        database: u32,
        is_transaction: bool,
    ) -> Records<'a> {
        let len = out.len();
        let start = Start { len, in_effect: *in_effect, multi: len, records: 0, finished: false };
        Records { out, in_effect, database, is_transaction, start }
    }

    /// Appends a command, its name first.
    #[inline]
    pub fn command(&mut self, arguments: &[&[u8]]) {
        self.prepare();
        encode(self.out, arguments);
    }

    /// Appends a command of `count` arguments, the name included, out of an iterator.
    #[inline]
    pub fn command_of<A: AsRef<[u8]>>(&mut self, count: usize, arguments: impl IntoIterator<Item = A>) {
        self.prepare();
        header_of_command(self.out, count);
        let mut written = 0;
        for argument in arguments {
            bulk(self.out, argument.as_ref());
            written += 1;
        }
        assert_eq!(written, count, "a command has as many arguments as it says");
    }

    /// Appends commands that are encoded already (see [`encode`]); `count` of them.
    #[inline]
    pub fn encoded(&mut self, bytes: &[u8], count: usize) {
        if count == 0 {
            return;
        }
        self.prepare();
        self.start.records += count - 1;
        self.out.extend_from_slice(bytes);
    }

    /// The following records are for this database.
    #[inline]
    pub fn select(&mut self, database: u32) {
        self.database = database;
    }

    /// What has to stand in front of the next record.
    #[inline]
    fn prepare(&mut self) {
        if *self.in_effect != Some(self.database) {
            self.write_select();
        }
        if self.is_transaction && self.start.records == 0 {
            self.start.multi = self.out.len();
            self.out.extend_from_slice(MULTI);
        }
        self.start.records += 1;
    }

    #[cold]
    fn write_select(&mut self) {
        encode(self.out, &[b"SELECT", &crate::base::number::format_u64(u64::from(self.database))]);
        *self.in_effect = Some(self.database);
    }

    /// Ends the transaction, and returns how many bytes were appended.
    #[inline]
    pub(super) fn finish(mut self) -> usize {
        if self.is_transaction {
            self.finish_transaction();
        }
        self.start.finished = true;
        self.out.len() - self.start.len
    }

    fn finish_transaction(&mut self) {
        match self.start.records {
            0 => {}
            1 => drop(self.out.drain(self.start.multi..self.start.multi + MULTI.len())),
            _ => self.out.extend_from_slice(EXEC),
        }
    }
}

impl Drop for Records<'_> {
    fn drop(&mut self) {
        if !self.start.finished {
            // Whoever wrote the records panicked: half a record would spoil the file.
            self.out.truncate(self.start.len);
            *self.in_effect = self.start.in_effect;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(in_effect: Option<u32>, is_transaction: bool, write: impl FnOnce(&mut Records<'_>)) -> String {
        let (mut out, mut in_effect) = (Vec::new(), in_effect);
        let mut records = Records::new(&mut out, &mut in_effect, 0, is_transaction);
        write(&mut records);
        let len = records.finish();
        assert_eq!(len, out.len());
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn commands_are_arrays_of_bulks() {
        assert_eq!(text(Some(0), false, |r| r.command(&[b"SET", b"", b"abc"])), "*3 $3 SET $0  $3 abc ");
        assert_eq!(text(Some(0), false, |r| r.command_of(2, ["DEL", "k"])), "*2 $3 DEL $1 k ");
        for len in [9, 10, 99, 100, 999, 1000, 70_000] {
            let mut out = Vec::new();
            encode(&mut out, &[&vec![b'x'; len]]);
            assert_eq!(out, format!("*1\r\n${len}\r\n{}\r\n", "x".repeat(len)).into_bytes());
        }
        let mut out = Vec::new();
        encode(&mut out, &[&b""[..]; 1234]);
        assert!(out.starts_with(b"*1234\r\n$0\r\n\r\n$0"));
    }

    #[test]
    fn databases_are_selected_where_they_change() {
        let twice = |r: &mut Records<'_>| {
            r.command(&[b"A"]);
            r.select(11);
            r.command(&[b"B"]);
            r.encoded(b"*1\r\n$1\r\nC\r\n", 1);
        };
        assert_eq!(text(Some(0), false, twice), "*1 $1 A *2 $6 SELECT $2 11 *1 $1 B *1 $1 C ");
        assert_eq!(text(None, false, |r| r.command(&[b"A"])), "*2 $6 SELECT $1 0 *1 $1 A ");
        assert_eq!(text(Some(3), false, |_| {}), "");
        assert_eq!(text(Some(3), false, |r| r.encoded(b"", 0)), "");
    }

    #[test]
    fn transactions_of_several_records_stand_between_multi_and_exec() {
        assert_eq!(text(None, true, |_| {}), "");
        assert_eq!(text(None, true, |r| r.command(&[b"A"])), "*2 $6 SELECT $1 0 *1 $1 A ");
        let two = |r: &mut Records<'_>| (0..2).for_each(|_| r.command(&[b"A"]));
        assert_eq!(text(None, true, two), "*2 $6 SELECT $1 0 *1 $5 MULTI *1 $1 A *1 $1 A *1 $4 EXEC ");
        let encoded = |r: &mut Records<'_>| r.encoded(b"*1\r\n$1\r\nA\r\n*1\r\n$1\r\nA\r\n", 2);
        assert_eq!(text(Some(0), true, encoded), "*1 $5 MULTI *1 $1 A *1 $1 A *1 $4 EXEC ");
    }

    #[test]
    fn a_panic_takes_its_records_back() {
        let (mut out, mut in_effect) = (b"before".to_vec(), Some(1));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut records = Records::new(&mut out, &mut in_effect, 0, true);
            records.command(&[b"A"]);
            records.command_of(3, ["too few"]);
        }));
        assert!(outcome.is_err());
        assert_eq!((out, in_effect), (b"before".to_vec(), Some(1)));
    }
}
