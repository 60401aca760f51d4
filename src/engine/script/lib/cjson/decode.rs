//! JSON as a value. Tables that are being read stand on a list, not on the call stack; the text ends at a NUL, and
//! numbers are whatever C's `strtod` takes, unless the script has refused those that JSON does not know.

use super::super::super::value::{Arguments, Host, ScriptError, Table, Value, Values, one};
use super::super::number;
use super::{InvalidNumbers, NESTING_MAX, Settings, only_argument};
use crate::base::number::scan::scan;

/// The memory budget is asked each time so many tokens have been read.
const TOKENS_PER_QUESTION: u64 = 256;

pub(super) fn decode(host: &mut dyn Host, settings: &mut Settings, arguments: &[Value]) -> Result<Values, ScriptError> {
    only_argument(arguments)?;
    let text = Arguments(arguments).text(1)?;
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(ScriptError::message("JSON parser does not support UTF-16 or UTF-32"));
    }
    one(Decoder { settings, text: &text, at: 0, tokens: 0 }.document(host)?)
}

enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

impl Token {
    /// What errors call it.
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Error(reason) => reason,
        }
    }
}

/// A table of which not all members are read.
enum Open {
    Array {
        table: Table,
        length: usize,
    },
    /// With the key whose value comes next.
    Object {
        table: Table,
        key: Value,
    },
}

struct Decoder<'a> {
    settings: &'a Settings,
    text: &'a [u8],
    at: usize,
    tokens: u64,
}

fn unexpected(expected: &str, token: &Token, at: usize) -> ScriptError {
    ScriptError::message(format!("Expected {expected} but found {} at character {}", token.name(), at + 1))
}

impl Decoder<'_> {
    fn document(&mut self, host: &mut dyn Host) -> Result<Value, ScriptError> {
        let mut open: Vec<Open> = Vec::new();
        let (mut token, mut at) = self.next(host)?;
        loop {
            // A value begins with this token; `done` is the value once it is complete.
            let mut done = match token {
                Token::Text(text) => Value::text(text),
                Token::Number(number) => Value::Number(number),
                Token::Boolean(truth) => Value::Boolean(truth),
                Token::Null => Value::Null,
                Token::ObjectBegin | Token::ArrayBegin => {
                    self.check_depth(open.len() as i32 + 1)?;
                    let is_object = matches!(token, Token::ObjectBegin);
                    let table = Table::new();
                    (token, at) = self.next(host)?;
                    match (is_object, &token) {
                        (true, Token::ObjectEnd) | (false, Token::ArrayEnd) => host.keep(table),
                        (true, _) => {
                            let key = self.key(host, token, at)?;
                            open.push(Open::Object { table, key });
                            (token, at) = self.next(host)?;
                            continue;
                        }
                        (false, _) => {
                            open.push(Open::Array { table, length: 0 });
                            continue;
                        }
                    }
                }
                other => return Err(unexpected("value", &other, at)),
            };
            // It is a member of the innermost table, which may be complete with it.
            loop {
                let Some(innermost) = open.pop() else { return self.end(host, done) };
                (token, at) = self.next(host)?;
                match self.member(host, innermost, done, &token, at)? {
                    Member::Last(table) => done = host.keep(table),
                    Member::More(innermost) => {
                        open.push(innermost);
                        break;
                    }
                }
            }
            (token, at) = self.next(host)?;
            if let Some(Open::Object { key, .. }) = open.last_mut() {
                *key = self.key(host, token, at)?;
                (token, at) = self.next(host)?;
            }
        }
    }

    /// Adds a member to a table; the token behind it says whether it is the last one.
    fn member(
        &mut self,
        host: &mut dyn Host,
        innermost: Open,
        value: Value,
        token: &Token,
        at: usize,
    ) -> Result<Member, ScriptError> {
        host.tick(1)?;
        match innermost {
            Open::Array { table, length } => {
                table.set_index(length + 1, value);
                match token {
                    Token::ArrayEnd => Ok(Member::Last(table)),
                    Token::Comma => Ok(Member::More(Open::Array { table, length: length + 1 })),
                    other => Err(unexpected("comma or array end", other, at)),
                }
            }
            Open::Object { table, key } => {
                table.set(key, value)?;
                match token {
                    Token::ObjectEnd => Ok(Member::Last(table)),
                    Token::Comma => Ok(Member::More(Open::Object { table, key: Value::Nil })),
                    other => Err(unexpected("comma or object end", other, at)),
                }
            }
        }
    }

    /// The document is complete.
    fn end(&mut self, host: &mut dyn Host, value: Value) -> Result<Value, ScriptError> {
        match self.next(host)? {
            (Token::End, _) => Ok(value),
            (other, at) => Err(unexpected("the end", &other, at)),
        }
    }

    /// A member's key, and the colon behind it.
    fn key(&mut self, host: &mut dyn Host, token: Token, at: usize) -> Result<Value, ScriptError> {
        let Token::Text(key) = token else { return Err(unexpected("object key string", &token, at)) };
        match self.next(host)? {
            (Token::Colon, _) => Ok(Value::text(key)),
            (other, at) => Err(unexpected("colon", &other, at)),
        }
    }

    fn check_depth(&self, depth: i32) -> Result<(), ScriptError> {
        if depth <= self.settings.decode_depth_max.min(NESTING_MAX) {
            return Ok(());
        }
        let at = self.at;
        Err(ScriptError::message(format!("Found too many nested data structures ({depth}) at character {at}")))
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    /// The next token, and where it begins, or where it is wrong.
    fn next(&mut self, host: &mut dyn Host) -> Result<(Token, usize), ScriptError> {
        self.tokens += 1;
        if self.tokens.is_multiple_of(TOKENS_PER_QUESTION) {
            host.tick(TOKENS_PER_QUESTION)?;
            host.reserve(0)?;
        }
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        let start = self.at;
        let single = match self.byte(start) {
            0 => return Ok((Token::End, start)),
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => {
                return Ok(match self.string() {
                    Ok(text) => (Token::Text(text), start),
                    Err(reason) => (Token::Error(reason), self.at),
                });
            }
            b'-' | b'0'..=b'9' => return Ok((self.number(), start)),
            _ => return Ok((self.word(), start)),
        };
        self.at += 1;
        Ok((single, start))
    }

    fn word(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let words =
            [(&b"true"[..], Token::Boolean(true)), (&b"false"[..], Token::Boolean(false)), (&b"null"[..], Token::Null)];
        for (word, token) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        let begins_number = rest[0] == b'+'
            || rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan"));
        if begins_number && self.settings.decode_invalid == InvalidNumbers::Taken {
            return self.number();
        }
        Token::Error("invalid token")
    }

    fn number(&mut self) -> Token {
        const INVALID: Token = Token::Error("invalid number");
        let rest = &self.text[self.at..];
        if self.settings.decode_invalid == InvalidNumbers::Refused && !is_json_number(rest) {
            return INVALID;
        }
        let Some(scanned) = scan(rest) else { return INVALID };
        self.at += scanned.used;
        number::parse(&rest[..scanned.used]).map_or(INVALID, Token::Number)
    }

    /// A text up to its closing quotes. On an error the position stays where it is.
    fn string(&mut self) -> Result<Vec<u8>, &'static str> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or(b"");
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0)).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match rest.get(plain) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                _ => return Err("unexpected end of string"),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let meant = match self.byte(self.at + 1) {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (code, used) = self.code_point().ok_or("invalid unicode escape code")?;
                out.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                self.at += used;
                return Ok(());
            }
            _ => return Err("invalid escape code"),
        };
        out.push(meant);
        self.at += 2;
        Ok(())
    }

    /// The character that one escape, or a pair of surrogates, stands for, and its length.
    fn code_point(&self) -> Option<(char, usize)> {
        let first = self.four_digits(self.at + 2)?;
        if first & 0xf800 != 0xd800 {
            return Some((char::from_u32(first)?, 6));
        }
        let is_pair = first & 0x400 == 0 && self.byte(self.at + 6) == b'\\' && self.byte(self.at + 7) == b'u';
        let second = if is_pair { self.four_digits(self.at + 8)? } else { 0 };
        if second & 0xfc00 != 0xdc00 {
            return None;
        }
        let code = ((first & 0x3ff) << 10 | (second & 0x3ff)) + 0x1_0000;
        Some((char::from_u32(code)?, 12))
    }

    fn four_digits(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
    }
}

enum Member {
    Last(Table),
    More(Open),
}

/// Whether a text begins as JSON lets numbers begin: no zero in front of digits, no `0x`, no words.
fn is_json_number(text: &[u8]) -> bool {
    match text.strip_prefix(b"-").unwrap_or(text) {
        [b'0', b'x' | b'X' | b'0'..=b'9', ..] => false,
        [b'0'..=b'9', ..] => true,
        [first, ..] => *first < b'0',
        [] => true,
    }
}
