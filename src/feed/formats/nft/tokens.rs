//! The tokens of an nftables script (nft(8), "Lexical conventions").

use super::super::lines::line_end;
use crate::feed::{Refused, incomplete};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// What stands between two quotes.
    Quoted(&'a str),
    Equals,
    Comma,
    /// `{`
    Open,
    /// `}`
    Close,
    /// The end of a statement: of a line that does not go on, or `;`.
    End,
}

pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// The number of the line, from 1.
    pub line: u32,
    line_end: u8,
    /// Number of line ends in the last token: they count with the next one.
    passed: u32,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            line_end: line_end(text) as u8,
            passed: 0,
        }
    }

    /// The next token; `None` at the end of the text.
    ///
    /// # Errors
    /// [`Refused::Incomplete`] for quotes without an end.
    pub fn next(&mut self) -> Result<Option<Token<'a>>, Refused> {
        self.line += std::mem::take(&mut self.passed);
        let bytes = self.text.as_bytes();
        loop {
            let Some(&byte) = bytes.get(self.at) else {
                return Ok(None);
            };
            let start = self.at;
            self.at += 1;
            return Ok(Some(match byte {
                b'\\' if bytes.get(self.at) == Some(&self.line_end) => {
                    self.at += 1;
                    self.line += 1;
                    continue;
                }
                b'#' => {
                    let end = memchr::memchr(self.line_end, &bytes[start..]);
                    self.at = end.map_or(bytes.len(), |end| start + end);
                    continue;
                }
                byte if byte == self.line_end => {
                    self.passed = 1;
                    Token::End
                }
                byte if byte.is_ascii_whitespace() => continue,
                b';' => Token::End,
                b',' => Token::Comma,
                b'=' => Token::Equals,
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'"' => {
                    let Some(end) = memchr::memchr(b'"', &bytes[self.at..]) else {
                        return incomplete(format!(
                            "the quotes that begin in line {} do not end",
                            self.line
                        ));
                    };
                    let quoted = &self.text[self.at..self.at + end];
                    self.at += end + 1;
                    let ends = quoted.bytes().filter(|byte| *byte == self.line_end);
                    self.passed = ends.count() as u32;
                    Token::Quoted(quoted)
                }
                _ => {
                    let rest = &bytes[start..];
                    let len = rest
                        .iter()
                        .position(|byte| byte.is_ascii_whitespace() || b";,={}\"#".contains(byte));
                    self.at = start + len.unwrap_or(rest.len());
                    Token::Word(&self.text[start..self.at])
                }
            }));
        }
    }
}
