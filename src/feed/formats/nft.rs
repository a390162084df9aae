//! nftables: `nft list set` and `nft list ruleset`, and scripts with `add element` (nft(8)).
//!
//! Read are the elements of sets of addresses, with `timeout` and `comment`; `delete element` and
//! `flush set` take back what stands before them. Left out are chains, maps, and sets of ports or
//! of more than an address: their elements match less. Of each family one set is read; of more,
//! the one that the configuration names. A `define` counts as a set of its name.

mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use super::named_sets::NamedSets;
use super::{Reader, filled_lines};
use crate::feed::{End, Refused, foreign, incomplete};
use tokens::{Token, Tokens};

/// What the elements of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    V4,
    V6,
    Other,
}

/// What is done with elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Delete,
}

struct Script<'a, 'b, 'c> {
    tokens: Tokens<'a>,
    reader: &'b mut Reader<'c>,
    /// The sets that were declared, with the time after which an element ends by default.
    declared: BTreeMap<&'a str, (Kind, Option<Duration>)>,
    v4: NamedSets,
    v6: NamedSets,
}

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let head = filled_lines(text).map_while(|(_, line, _)| line.strip_prefix('#'));
    head.for_each(|comment| reader.comment(comment));
    let (v4, v6) = (NamedSets::of(reader), NamedSets::of(reader));
    let mut script = Script {
        tokens: Tokens::of(text),
        reader,
        declared: BTreeMap::new(),
        v4,
        v6,
    };
    let known = script.statements(None)?;
    let (v4, v6) = (script.v4, script.v6);
    if !known {
        return foreign("no command and no table of nftables");
    }
    NamedSets::judge_each(v4, v6)
}

impl<'a> Script<'a, '_, '_> {
    /// The statements of a block that was opened in this line, or of the whole text. Whether there
    /// was one that nftables has.
    fn statements(&mut self, opened: Option<u32>) -> Result<bool, Refused> {
        let mut known = false;
        loop {
            let mut words: Vec<&str> = Vec::new();
            // The words up to the end of the statement or to its block.
            let block = loop {
                match self.tokens.next()? {
                    None if words.is_empty() => {
                        return match opened {
                            None => Ok(known),
                            Some(line) => unclosed(line),
                        };
                    }
                    None | Some(Token::End) => break false,
                    Some(Token::Close) if opened.is_some() => return Ok(known),
                    Some(Token::Open) => break true,
                    // The quotes of a shell.
                    Some(Token::Word("'")) => {}
                    Some(Token::Word(word) | Token::Quoted(word)) => words.push(word),
                    Some(Token::Equals | Token::Comma) => {}
                    Some(Token::Close) => {
                        return foreign(format!(
                            "line {}: a brace that closes no block",
                            self.tokens.line
                        ));
                    }
                }
            };
            known |= self.statement(&words, block, opened.is_none())?;
        }
    }

    /// Whether it is one that nftables has. Only at the top may it be a table: no depth of blocks
    /// is followed.
    fn statement(&mut self, words: &[&'a str], block: bool, top: bool) -> Result<bool, Refused> {
        let words = match words {
            ["nft", rest @ ..] => rest,
            words => words,
        };
        match (words, block) {
            ([], false) => {}
            (["table", ..] | ["add", "table", ..], true) if top => {
                self.statements(Some(self.tokens.line))?;
            }
            (["set", name] | ["add" | "create", "set", .., name], true) => self.set(name)?,
            (["add" | "create", "element", .., name], true) => self.elements(name, Verb::Add)?,
            (["delete" | "destroy", "element", .., name], true) => {
                self.elements(name, Verb::Delete)?;
            }
            (["define", name], true) => self.elements(name, Verb::Add)?,
            (["flush", "set", .., name], false) => self.flush(name),
            (["flush", "ruleset"], false) => self.reader.flush(),
            // What blocks contain else: chains, maps, other objects, sets inside of a rule.
            (_, true) => {
                self.skip()?;
                return Ok(is_command(words));
            }
            (words, false) => return Ok(is_command(words)),
        }
        Ok(true)
    }

    fn flush(&mut self, name: &str) {
        if self.v4.is_wanted(name) {
            self.reader.flush();
        }
    }

    /// Go to the end of a block that was opened.
    fn skip(&mut self) -> Result<(), Refused> {
        let opened = self.tokens.line;
        let mut depth = 1;
        while depth > 0 {
            match self.tokens.next()? {
                None => return unclosed(opened),
                Some(Token::Open) => depth += 1,
                Some(Token::Close) => depth -= 1,
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The declaration of a set, with its elements.
    fn set(&mut self, name: &'a str) -> Result<(), Refused> {
        let opened = self.tokens.line;
        let (mut kind, mut default) = (Kind::Other, None);
        let mut words: Vec<&str> = Vec::new();
        loop {
            let token = self.tokens.next()?;
            match token {
                None => return unclosed(opened),
                Some(Token::Word(word) | Token::Quoted(word)) => words.push(word),
                Some(Token::Equals | Token::Comma) => {}
                Some(Token::Open) if words == ["elements"] => {
                    self.declared.insert(name, (kind, default));
                    self.elements(name, Verb::Add)?;
                    words.clear();
                }
                Some(Token::Open) => self.skip()?,
                Some(Token::End | Token::Close) => {
                    match words.as_slice() {
                        ["type", "ipv4_addr"] | ["typeof", "ip", "saddr" | "daddr"] => {
                            kind = Kind::V4;
                        }
                        ["type", "ipv6_addr"] | ["typeof", "ip6", "saddr" | "daddr"] => {
                            kind = Kind::V6;
                        }
                        ["timeout", time] => default = time_of(time),
                        ["elements", ..] => return computed(self.tokens.line, words.last()),
                        _ => {}
                    }
                    words.clear();
                    self.declared.insert(name, (kind, default));
                    if token == Some(Token::Close) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The elements of a set, up to the brace that closes them.
    fn elements(&mut self, name: &'a str, verb: Verb) -> Result<(), Refused> {
        let opened = self.tokens.line;
        let mut words: Vec<&str> = Vec::new();
        let mut line = opened;
        loop {
            let token = self.tokens.next()?;
            match token {
                None => return unclosed(opened),
                Some(Token::Open) => self.skip()?,
                Some(Token::Word(word) | Token::Quoted(word)) => {
                    if words.is_empty() {
                        line = self.tokens.line;
                    }
                    words.push(word);
                }
                Some(Token::Equals | Token::End) => {}
                Some(Token::Comma | Token::Close) => {
                    if !words.is_empty() {
                        self.element(name, line, &words, verb)?;
                        words.clear();
                    }
                    if token == Some(Token::Close) {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn element(
        &mut self,
        name: &'a str,
        line: u32,
        words: &[&'a str],
        verb: Verb,
    ) -> Result<(), Refused> {
        let entry = words[0];
        if entry.starts_with(['$', '@']) {
            return computed(line, Some(&entry));
        }
        let guess = || match entry.contains(':') {
            true => (Kind::V6, None),
            false => (Kind::V4, None),
        };
        let (kind, default) = *self.declared.entry(name).or_insert_with(guess);
        let takes = match kind {
            Kind::V4 => self.v4.takes(name),
            Kind::V6 => self.v6.takes(name),
            Kind::Other => false,
        };
        if !takes {
            return Ok(());
        }
        if matches!(words.get(1), Some(&("." | ":"))) {
            let why = "more than an address: it matches less";
            self.reader.reject(line, &words.join(" "), why);
            return Ok(());
        }
        if verb == Verb::Delete {
            self.reader.retract(line, entry);
            return Ok(());
        }
        let option = |key: &str| {
            let at = words.iter().position(|word| *word == key)?;
            words.get(at + 1).copied()
        };
        let comment = option("comment").unwrap_or_default();
        // What is left of it comes first.
        match option("expires")
            .or(option("timeout"))
            .map(|time| (time, time_of(time)))
        {
            Some((text, None)) => self.reader.reject(line, text, "not a duration"),
            Some((_, Some(time))) => {
                self.reader
                    .entry_for(line, entry, comment, &[End::After(time)]);
            }
            None => {
                let ends: Vec<End> = default.map(End::After).into_iter().collect();
                self.reader.entry_for(line, entry, comment, &ends);
            }
        }
        Ok(())
    }
}

fn unclosed<T>(line: u32) -> Result<T, Refused> {
    incomplete(format!("the brace that opens in line {line} is not closed"))
}

fn computed<T>(line: u32, what: Option<&&str>) -> Result<T, Refused> {
    let what = what.copied().unwrap_or_default();
    foreign(format!(
        "line {line}: {what:?} stands for elements that are not known here; write them out (nft list set)"
    ))
}

/// Whether a statement begins as one of nftables does.
fn is_command(words: &[&str]) -> bool {
    const FIRST: [&str; 16] = [
        "add", "create", "delete", "destroy", "flush", "insert", "replace", "reset", "rename",
        "include", "define", "undefine", "table", "chain", "set", "map",
    ];
    words.first().is_some_and(|word| FIRST.contains(word))
}

/// A duration as nft prints it: `1d2h3m4s996ms`, in whole seconds.
fn time_of(text: &str) -> Option<Duration> {
    let mut milliseconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "w" => 604_800_000,
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        milliseconds = milliseconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(milliseconds / 1_000))
}

/// Whether a line begins as `nft list` and scripts of nftables do.
pub(super) fn is_nft(line: &str) -> bool {
    let line = line.strip_prefix("nft ").unwrap_or(line);
    let words: Vec<&str> = line.split_ascii_whitespace().take(3).collect();
    match words.as_slice() {
        [
            "table",
            "ip" | "ip6" | "inet" | "bridge" | "netdev" | "arp",
            ..,
        ] => true,
        [
            "add" | "create" | "delete" | "destroy",
            "element" | "table",
            ..,
        ] => true,
        ["add" | "create", "set", family] => {
            matches!(*family, "ip" | "ip6" | "inet" | "bridge" | "netdev" | "arp")
        }
        ["define", _, "=" | "={"] => line.contains('{'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedState;
    use crate::feed::formats::{Format, Rules, parse_body};

    #[test]
    fn durations_are_read_as_nft_prints_them() {
        for (text, seconds) in [
            ("59m59s996ms", Some(3_599)),
            ("1d2h", Some(93_600)),
            ("30s", Some(30)),
            ("500ms", Some(0)),
            ("", None),
            ("5", None),
            ("h", None),
            ("5y", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(time_of(text).map(|time| time.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn blocks_of_any_depth_and_lines_without_end_are_read_in_bounded_room() {
        let deep = "table inet a {".repeat(1 << 20);
        let refused = parse_body(deep.as_bytes(), &Rules::of(Format::Nft)).unwrap_err();
        assert_eq!(refused.state(), FeedState::Incomplete);
        let rules = Rules {
            max_entries: 1_000,
            ..Rules::of(Format::Nft)
        };
        let gone = "delete element inet a b { ::1-ffff:ffff::fffe }\n".repeat(1_000)
            + &(1..2_000_u32)
                .map(|i| {
                    format!(
                        "delete element inet a b {{ 10.0.{}.{} }}\n",
                        i >> 8,
                        i & 255
                    )
                })
                .collect::<String>();
        let refused = parse_body(gone.as_bytes(), &rules).unwrap_err();
        assert_eq!(refused, Refused::TooManyEntries(1_000));
    }

    #[test]
    fn a_script_is_known_by_its_first_words() {
        for line in [
            "table inet filter {",
            "add element inet filter bad { 192.0.2.1 }",
            "nft add element ip filter bad { 192.0.2.1 }",
            "define bad = {",
            "add set inet filter bad { type ipv4_addr; }",
        ] {
            assert!(is_nft(line), "{line}");
        }
        for line in [
            "add bad 192.0.2.1",
            "table 100",
            "define x = 192.0.2.1",
            "deny 192.0.2.1;",
        ] {
            assert!(!is_nft(line), "{line}");
        }
    }
}
