//! The tokens of a RouterOS script, one after the other.
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

use super::super::lines::line_end;
use crate::feed::{Refused, incomplete};
use crate::shown::first;

/// A token. Text is given as it is written: what a backslash means inside of quotes is left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// What stands between two quotes.
    Quoted(&'a str),
    /// The name behind `$`.
    Variable(&'a str),
    /// `( … )` or `[ … ]`, which RouterOS evaluates.
    Computed(&'a str),
    Equals,
    /// `{`
    Open,
    /// `}`
    Close,
    /// The end of a statement: of a line, or `;`.
    End,
}

pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// The number of the line, from 1.
    pub line: u32,
    line_end: u8,
    /// The token that begins here, if it was looked at, and the place and line behind it.
    ahead: Option<(Token<'a>, usize, u32)>,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            line_end: line_end(text) as u8,
            ahead: None,
        }
    }

    /// The next token; `None` at the end of the text.
    ///
    /// # Errors
    /// [`Refused::Incomplete`] for quotes, brackets or a continued line without an end.
    pub fn next(&mut self) -> Result<Option<Token<'a>>, Refused> {
        if let Some((token, at, line)) = self.ahead.take() {
            (self.at, self.line) = (at, line);
            return Ok(Some(token));
        }
        self.skip_blanks()?;
        let Some(byte) = self.byte() else {
            return Ok(None);
        };
        let token = match byte {
            b'"' => Token::Quoted(self.quoted()?),
            b'(' | b'[' => Token::Computed(self.computed()?),
            b'$' => self.variable()?,
            _ => {
                return Ok(Some(
                    self.sign().unwrap_or_else(|| Token::Word(self.word(b"="))),
                ));
            }
        };
        Ok(Some(token))
    }

    /// The next token, which stays the next one.
    pub fn peek(&mut self) -> Result<Option<Token<'a>>, Refused> {
        if self.ahead.is_none() {
            self.skip_blanks()?;
            let (at, line) = (self.at, self.line);
            let token = self.next()?;
            self.ahead = token.map(|token| (token, self.at, self.line));
            (self.at, self.line) = (at, line);
        }
        Ok(self.ahead.map(|(token, ..)| token))
    }

    /// The value behind `=`: a word may contain another `=`.
    pub fn value(&mut self) -> Result<Option<Token<'a>>, Refused> {
        self.ahead = None;
        // `export` breaks a line behind `=` as well.
        if self.byte() == Some(b'\\') {
            self.skip_blanks()?;
        }
        match self.byte() {
            Some(b'"' | b'(' | b'[' | b'$' | b'{') => self.next(),
            _ => Ok(Some(Token::Word(self.word(b"")))),
        }
    }

    /// The text of a comment that begins here.
    pub fn comment(&mut self) -> Result<Option<&'a str>, Refused> {
        self.skip_blanks()?;
        if self.byte() != Some(b'#') {
            return Ok(None);
        }
        self.ahead = None;
        let rest = &self.text[self.at + 1..];
        let line = upto(self.line_end, rest);
        self.at += 1 + line.len();
        Ok(Some(line))
    }

    /// Where the next token begins, once it was looked at.
    pub fn place(&self) -> usize {
        self.at
    }

    /// The line from this place on, for a message: the start of it, for a line may be all of the
    /// text.
    pub fn line_from(&self, place: usize) -> &'a str {
        upto(self.line_end, first(&self.text[place..], SHOWN)).trim_end()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Blanks, and the end of a line that goes on in the next one.
    fn skip_blanks(&mut self) -> Result<(), Refused> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\r') if self.line_end != b'\r' => self.at += 1,
                Some(b'\\') => {
                    let behind = &self.text[self.at + 1..];
                    let line = behind.trim_start_matches([' ', '\t']);
                    let line = match self.line_end {
                        b'\n' => line.strip_prefix('\r').unwrap_or(line),
                        _ => line,
                    };
                    if line.is_empty() {
                        return incomplete("the last command goes on in a line that is not there");
                    }
                    if line.as_bytes()[0] != self.line_end {
                        return Ok(());
                    }
                    self.at = self.text.len() - line.len() + 1;
                    self.line += 1;
                }
                _ => return Ok(()),
            }
        }
    }

    fn sign(&mut self) -> Option<Token<'a>> {
        let token = match self.byte()? {
            b'=' => Token::Equals,
            b'{' => Token::Open,
            b'}' => Token::Close,
            b';' => Token::End,
            byte if byte == self.line_end => {
                self.line += 1;
                Token::End
            }
            _ => return None,
        };
        self.at += 1;
        Some(token)
    }

    /// A word up to a blank, the end of the statement, a brace, or one of these.
    fn word(&mut self, more: &[u8]) -> &'a str {
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| {
            matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}') || more.contains(byte)
        };
        let end = rest.as_bytes().iter().position(ends).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// `$name` or `$"name"`.
    fn variable(&mut self) -> Result<Token<'a>, Refused> {
        self.at += 1;
        if self.byte() == Some(b'"') {
            return Ok(Token::Variable(self.quoted()?));
        }
        let rest = &self.text[self.at..];
        let name = name_in(rest);
        self.at += name.len();
        let behind = self.word(b"=");
        match behind.is_empty() {
            true => Ok(Token::Variable(name)),
            // `$x/24`, `$x->0`: more than the variable.
            false => Ok(Token::Computed(&rest[..name.len() + behind.len()])),
        }
    }

    fn quoted(&mut self) -> Result<&'a str, Refused> {
        let (line, rest) = (self.line, &self.text[self.at + 1..]);
        let Some(end) = closing_quote(rest) else {
            return incomplete(format!("the quotes that begin in line {line} do not end"));
        };
        self.at += end + 2;
        Ok(self.passed(&rest[..end]))
    }

    fn computed(&mut self) -> Result<&'a str, Refused> {
        let (line, rest) = (self.line, &self.text[self.at..]);
        let (mut depth, mut at) = (0_u32, 0);
        while let Some(byte) = rest.as_bytes().get(at) {
            match byte {
                b'(' | b'[' => depth += 1,
                b')' | b']' => depth -= 1,
                b'"' => at += closing_quote(&rest[at + 1..]).map_or(rest.len(), |end| end + 1),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                self.at += at;
                return Ok(self.passed(&rest[..at]));
            }
        }
        endless("bracket", line)
    }

    /// Count the lines of what was read.
    fn passed(&mut self, text: &'a str) -> &'a str {
        self.line += memchr::memchr_iter(self.line_end, text.as_bytes()).count() as u32;
        text
    }
}

/// What begins in a line and does not end.
pub(super) fn endless<T>(what: &str, line: u32) -> Result<T, Refused> {
    incomplete(format!(
        "the {what} that begins in line {line} does not end"
    ))
}

/// The name of a variable that a text begins with.
pub(super) fn name_in(text: &str) -> &str {
    let end = text.bytes().position(|byte| !byte.is_ascii_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

/// Characters of a line that a message gets.
const SHOWN: usize = 200;

/// The text before this byte, or all of it.
fn upto(byte: u8, text: &str) -> &str {
    &text[..memchr::memchr(byte, text.as_bytes()).unwrap_or(text.len())]
}

/// The end of the quoted text; `\"` is a quote inside it.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}
