//! From a script's bytes to words, numbers, strings and symbols, as Lua 5.1 reads them.

use std::rc::Rc;

use super::lib::number;

/// A piece of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name that is no keyword.
    Name(Rc<[u8]>),
    /// A string, without its quotes.
    Text(Rc<[u8]>),
    /// A number.
    Number(f64),
    /// A keyword or a symbol.
    Fixed(&'static str),
    /// A byte that begins nothing.
    Stray(u8),
    /// Behind the last one.
    End,
}

/// Why a text is no script: the line, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Counted from 1.
    pub line: u32,
    /// What was expected and found.
    pub message: Vec<u8>,
}

const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
];
/// Longer ones first.
const SYMBOLS: [&str; 26] = [
    "...", "..", "==", "~=", "<=", ">=", "+", "-", "*", "/", "%", "^", "#", "<", ">", "=", "(", ")", "{", "}", "[",
    "]", ";", ":", ",", ".",
];

/// Reads one token after the other.
pub struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// The line that is being read, from 1.
    pub line: u32,
    /// What a message shows of the last token.
    shown: Vec<u8>,
}

impl<'a> Lexer<'a> {
    /// At the beginning.
    pub fn new(text: &'a [u8]) -> Lexer<'a> {
        Lexer { text, at: 0, line: 1, shown: Vec::new() }
    }

    /// An error here, which shows what was read last.
    pub fn error_near(&self, message: impl AsRef<[u8]>, token: &Token) -> SyntaxError {
        let mut text = message.as_ref().to_vec();
        text.extend_from_slice(b" near '");
        match token {
            Token::Fixed(fixed) => text.extend_from_slice(fixed.as_bytes()),
            Token::End => text.extend_from_slice(b"<eof>"),
            Token::Stray(byte) if byte.is_ascii_control() => {
                text.extend_from_slice(format!("char({byte})").as_bytes());
            }
            Token::Stray(byte) => text.push(*byte),
            Token::Name(_) | Token::Text(_) | Token::Number(_) => text.extend_from_slice(&self.shown),
        }
        text.push(b'\'');
        SyntaxError { line: self.line, message: text }
    }

    fn error_shown(&self, message: &str) -> SyntaxError {
        self.error_near(message, &Token::Number(0.0))
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The next token.
    pub fn next_token(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blank()?;
        if self.is_at_end() {
            return Ok(Token::End);
        }
        let first = self.peek(0);
        match first {
            b'"' | b'\'' => self.quoted(first),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Ok(self.word()),
            b'[' if matches!(self.peek(1), b'[' | b'=') => match self.long_bracket() {
                Some(level) => self.long_text(level, "unfinished long string"),
                None if self.peek(1) == b'=' => {
                    self.shown = b"[=".to_vec();
                    Err(self.error_shown("invalid long string delimiter"))
                }
                None => Ok(self.symbol()),
            },
            _ => Ok(self.symbol()),
        }
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) -> Result<(), SyntaxError> {
        loop {
            match self.peek(0) {
                b'\n' | b'\r' if !self.is_at_end() => self.line_end(),
                b' ' | b'\t' | b'\x0b' | b'\x0c' => self.at += 1,
                b'-' if self.peek(1) == b'-' => {
                    self.at += 2;
                    match self.long_bracket() {
                        Some(level) => {
                            self.long_text(level, "unfinished long comment")?;
                        }
                        None => {
                            while !self.is_at_end() && !matches!(self.peek(0), b'\n' | b'\r') {
                                self.at += 1;
                            }
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// A line ends in any of `\n`, `\r`, `\r\n` and `\n\r`.
    fn line_end(&mut self) {
        let first = self.peek(0);
        let second = self.peek(1);
        self.at += if matches!(second, b'\n' | b'\r') && second != first { 2 } else { 1 };
        self.line += 1;
    }

    /// The level of the long bracket that opens here.
    fn long_bracket(&self) -> Option<usize> {
        if self.peek(0) != b'[' {
            return None;
        }
        let level = self.text[self.at + 1..].iter().take_while(|byte| **byte == b'=').count();
        (self.peek(level + 1) == b'[').then_some(level)
    }

    fn long_text(&mut self, level: usize, unfinished: &str) -> Result<Token, SyntaxError> {
        self.at += level + 2;
        if !self.is_at_end() && matches!(self.peek(0), b'\n' | b'\r') {
            self.line_end();
        }
        let mut text = Vec::new();
        loop {
            if self.is_at_end() {
                return Err(self.error_near(unfinished, &Token::End));
            }
            match self.peek(0) {
                b']' => {
                    let found = self.text[self.at + 1..].iter().take_while(|byte| **byte == b'=').count();
                    if found == level && self.peek(level + 1) == b']' {
                        self.at += level + 2;
                        self.show_long(level, &text);
                        return Ok(Token::Text(text.into()));
                    }
                    text.extend_from_slice(&self.text[self.at..][..found + 1]);
                    self.at += found + 1;
                }
                b'[' if level == 0 && self.peek(1) == b'[' => {
                    return Err(self.error_near("nesting of [[...]] is deprecated", &Token::Fixed("[")));
                }
                b'\n' | b'\r' => {
                    self.line_end();
                    text.push(b'\n');
                }
                byte => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn show_long(&mut self, level: usize, text: &[u8]) {
        let bars = vec![b'='; level];
        self.shown = [b"[", &bars[..], b"[", text, b"]", &bars[..], b"]"].concat();
    }

    fn quoted(&mut self, quote: u8) -> Result<Token, SyntaxError> {
        let mut text = vec![quote];
        self.at += 1;
        loop {
            if self.is_at_end() {
                return Err(self.error_near("unfinished string", &Token::End));
            }
            let byte = self.peek(0);
            match byte {
                b'\n' | b'\r' => {
                    self.shown = text;
                    return Err(self.error_shown("unfinished string"));
                }
                b'\\' => {
                    self.at += 1;
                    self.escape(&mut text)?;
                }
                _ => {
                    self.at += 1;
                    text.push(byte);
                    if byte == quote {
                        break;
                    }
                }
            }
        }
        let inner = text[1..text.len() - 1].into();
        self.shown = text;
        Ok(Token::Text(inner))
    }

    /// What stands behind a backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        if self.is_at_end() {
            return Ok(());
        }
        let byte = self.peek(0);
        match byte {
            b'\n' | b'\r' => {
                self.line_end();
                text.push(b'\n');
                return Ok(());
            }
            b'0'..=b'9' => {
                let digits = (0..3).take_while(|ahead| self.peek(*ahead).is_ascii_digit()).count();
                let value = (0..digits).fold(0u32, |value, ahead| value * 10 + u32::from(self.peek(ahead) - b'0'));
                self.at += digits;
                let Ok(value) = u8::try_from(value) else {
                    self.shown.clone_from(text);
                    return Err(self.error_shown("escape sequence too large"));
                };
                text.push(value);
                return Ok(());
            }
            _ => {}
        }
        self.at += 1;
        text.push(match byte {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => other,
        });
        Ok(())
    }

    fn number(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        while self.peek(0).is_ascii_digit() || self.peek(0) == b'.' {
            self.at += 1;
        }
        if matches!(self.peek(0), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(0), b'+' | b'-') {
                self.at += 1;
            }
        }
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
            self.at += 1;
        }
        self.shown = self.text[start..self.at].to_vec();
        match number::parse(&self.shown) {
            Some(number) => Ok(Token::Number(number)),
            None => Err(self.error_shown("malformed number")),
        }
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        match KEYWORDS.iter().find(|keyword| keyword.as_bytes() == word) {
            Some(keyword) => Token::Fixed(keyword),
            None => {
                self.shown = word.to_vec();
                Token::Name(word.into())
            }
        }
    }

    fn symbol(&mut self) -> Token {
        let rest = &self.text[self.at..];
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(symbol.as_bytes())) {
            self.at += symbol.len();
            return Token::Fixed(symbol);
        }
        self.at += 1;
        Token::Stray(rest[0])
    }
}
