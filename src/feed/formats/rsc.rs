//! A RouterOS script with address lists: `add list=NAME address=PREFIX comment="…"`, below
//! `/ip firewall address-list` or behind it, in blocks, and in a loop over an array.
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/130220180/Address-lists>,
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>
//!
//! A script is a program. What is written in it is read: entries, and the elements of an array that
//! `:foreach` gives to `address=$x`. Where an entry is computed, all of the script is refused: a
//! part of a list is not the list.

mod tokens;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Reader;
use super::named_sets::NamedSets;
use super::reader::start_of;
use crate::feed::{Refused, foreign};
use tokens::{Token, Tokens, endless, name_in};

/// The menu that holds address lists; any other may have commands with an `address` too.
const MENU: [&str; 2] = ["firewall", "address-list"];

/// Commands that end a path.
const COMMANDS: [&str; 18] = [
    "add", "comment", "disable", "edit", "enable", "export", "find", "get", "import", "move",
    "print", "remove", "reset", "run", "set", "unset", "update", "fetch",
];

/// More blocks in one another than any list has.
const DEEPEST: u32 = 32;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    let sets = NamedSets::of(reader);
    let mut script = Script {
        tokens: Tokens::of(text),
        reader,
        sets,
        menu: Vec::new(),
        known: false,
        variables: BTreeMap::new(),
        expanded: 0,
    };
    script.block(0)?;
    if !script.known {
        return foreign("no RouterOS address list in it");
    }
    script.sets.judge()
}

/// What a variable holds: texts, each with its line, or what cannot be told.
type Values<'a> = Option<Rc<[(u32, &'a str)]>>;

struct Script<'a, 'r, 'c> {
    tokens: Tokens<'a>,
    reader: &'r mut Reader<'c>,
    sets: NamedSets,
    /// Where commands without a path are carried out.
    menu: Vec<&'a str>,
    /// Whether the menu of address lists was entered.
    known: bool,
    variables: BTreeMap<&'a str, Values<'a>>,
    /// Number of entries that loops have made.
    expanded: usize,
}

/// The words of `add` that count.
#[derive(Default)]
struct Add<'a> {
    list: Option<Token<'a>>,
    address: Option<Token<'a>>,
    comment: Option<Token<'a>>,
    disabled: bool,
}

impl<'a> Script<'a, '_, '_> {
    /// The statements up to the end of the text, or of the block.
    fn block(&mut self, depth: u32) -> Result<(), Refused> {
        let opened = self.tokens.line;
        if depth > DEEPEST {
            return foreign(format!(
                "line {opened}: more than {DEEPEST} blocks in one another"
            ));
        }
        loop {
            if let Some(comment) = self.tokens.comment()? {
                self.reader.comment(comment);
                continue;
            }
            match self.tokens.peek()? {
                None if depth == 0 => return Ok(()),
                None => return endless("block", opened),
                Some(Token::End) => drop(self.tokens.next()?),
                Some(Token::Close) => {
                    let line = self.tokens.line;
                    self.tokens.next()?;
                    return match depth {
                        0 => foreign(format!("line {line}: a }} that closes nothing")),
                        _ => Ok(()),
                    };
                }
                Some(Token::Open) => {
                    self.tokens.next()?;
                    self.block(depth + 1)?;
                }
                Some(Token::Word(word)) if word.starts_with(':') => {
                    self.tokens.next()?;
                    self.keyword(word, depth)?;
                }
                Some(Token::Word(_)) => self.command(depth)?,
                Some(Token::Variable(name)) => {
                    return foreign(format!(
                        "line {} calls ${name}: {UNKNOWN}",
                        self.tokens.line
                    ));
                }
                Some(_) => self.rest(depth)?,
            }
        }
    }

    /// What is left of a statement; the blocks in it are read.
    fn rest(&mut self, depth: u32) -> Result<(), Refused> {
        loop {
            let line = self.tokens.line;
            match self.tokens.peek()? {
                None | Some(Token::End | Token::Close) => return Ok(()),
                Some(token) => {
                    self.tokens.next()?;
                    match token {
                        Token::Open => self.block(depth + 1)?,
                        Token::Computed(text) => no_entry_in(line, text)?,
                        _ => {}
                    }
                }
            }
        }
    }

    /// A statement of the language: a variable, a loop, a condition.
    fn keyword(&mut self, keyword: &str, depth: u32) -> Result<(), Refused> {
        let line = self.tokens.line;
        match keyword {
            ":local" | ":global" | ":set" => {
                // An element of an array: `($list->0)`.
                if let Some(Token::Computed(text)) = self.tokens.peek()? {
                    let names = text.split('$').skip(1).map(name_in);
                    self.variables.extend(names.map(|name| (name, None)));
                } else if let Some(name) = self.name()?
                    && let Some(values) = self.assigned(depth)?
                {
                    // In a block it may be set or not, and more than once.
                    let values = values.filter(|_| depth == 0 || keyword != ":set");
                    self.variables.insert(name, values);
                }
            }
            ":foreach" => {
                // `key,value` for an array with keys.
                let name = self
                    .name()?
                    .map(|name| name.rsplit(',').next().unwrap_or(name));
                if self.tokens.peek()? == Some(Token::Word("in")) {
                    self.tokens.next()?;
                }
                if let Some(name) = name {
                    let values = self.assigned(depth)?.flatten();
                    let before = self.variables.insert(name, values);
                    self.rest(depth)?;
                    self.variables.insert(name, before.flatten());
                }
            }
            ":execute" | ":parse" => {
                return foreign(format!(
                    "line {line}: {keyword} runs what is computed; {UNKNOWN}"
                ));
            }
            _ => {}
        }
        self.rest(depth)
    }

    fn name(&mut self) -> Result<Option<&'a str>, Refused> {
        Ok(match self.tokens.peek()? {
            Some(Token::Word(name) | Token::Quoted(name) | Token::Variable(name)) => {
                self.tokens.next()?;
                Some(name)
            }
            _ => None,
        })
    }

    /// What a variable gets; `None` where nothing is given to it.
    fn assigned(&mut self, depth: u32) -> Result<Option<Values<'a>>, Refused> {
        if self.tokens.peek()? == Some(Token::Equals) {
            self.tokens.next()?;
        }
        let line = self.tokens.line;
        let one = |text: &'a str| Some(Rc::from([(line, text)]));
        let values = match self.tokens.peek()? {
            None | Some(Token::End | Token::Close) => return Ok(None),
            Some(Token::Open) => {
                self.tokens.next()?;
                return Ok(Some(self.array()?));
            }
            // A function: its block is read with what is left.
            Some(Token::Word("do")) => None,
            Some(Token::Word(text)) => one(text),
            Some(Token::Quoted(text)) if !text.contains('$') => one(text),
            Some(Token::Variable(name)) => self.variables.get(name).cloned().flatten(),
            Some(_) => None,
        };
        if values.is_some() {
            self.tokens.next()?;
        }
        // `"a" . "b"`, or an array without braces.
        let whole = matches!(
            self.tokens.peek()?,
            None | Some(Token::End | Token::Close | Token::Word("do"))
        );
        if !whole {
            self.rest(depth)?;
        }
        Ok(Some(values.filter(|_| whole)))
    }

    /// The elements of an array up to its brace.
    fn array(&mut self) -> Result<Values<'a>, Refused> {
        let opened = self.tokens.line;
        let (mut values, mut depth, mut plain) = (Vec::new(), 1, true);
        while depth > 0 {
            if self.tokens.comment()?.is_some() {
                continue;
            }
            let token = self.tokens.next()?;
            let line = self.tokens.line;
            match token {
                None => return endless("array", opened),
                Some(Token::Word(text)) => {
                    let parts = text.split(',').filter(|part| !part.is_empty());
                    values.extend(parts.map(|part| (line, part)));
                }
                Some(Token::Quoted(text)) if !text.contains('$') => values.push((line, text)),
                Some(Token::End) => {}
                Some(Token::Open) => (depth, plain) = (depth + 1, false),
                Some(Token::Close) => depth -= 1,
                Some(
                    Token::Quoted(_) | Token::Variable(_) | Token::Computed(_) | Token::Equals,
                ) => {
                    plain = false;
                }
            }
        }
        Ok(plain.then(|| values.into()))
    }

    /// A path, a command, or both.
    fn command(&mut self, depth: u32) -> Result<(), Refused> {
        let (line, place) = (self.tokens.line, self.tokens.place());
        let mut path = Vec::new();
        let mut command = None;
        let mut first = true;
        while command.is_none()
            && let Some(Token::Word(word)) = self.tokens.peek()?
        {
            if !first && word.starts_with(':') {
                break;
            }
            self.tokens.next()?;
            if self.tokens.peek()? == Some(Token::Equals) {
                break;
            }
            if first && word.starts_with('/') {
                self.menu.clear();
            }
            first = false;
            let parts = word.split('/').filter(|part| !part.is_empty());
            path.extend(parts.take_while(|part| {
                command = COMMANDS.iter().find(|known| *known == part);
                command.is_none()
            }));
        }
        for part in path {
            match part {
                ".." => drop(self.menu.pop()),
                part => self.menu.push(part),
            }
        }
        self.known |= self.menu.ends_with(&MENU);
        match command {
            Some(&"add") => self.add(line, place, depth),
            _ => self.rest(depth),
        }
    }

    fn add(&mut self, line: u32, place: usize, depth: u32) -> Result<(), Refused> {
        if !self.known {
            return foreign(format!(
                "no RouterOS address list: line {line} stands under no {:?}",
                MENU.join(" ")
            ));
        }
        let add = self.words(depth)?;
        if !self.menu.ends_with(&MENU) {
            return match add.list.is_some() && add.address.is_some() {
                true => foreign(format!(
                    "line {line} adds to a list under {:?}, which is no menu of address lists",
                    self.menu.join(" ")
                )),
                false => Ok(()),
            };
        }
        let Some(list) = add.list else {
            let text = self.tokens.line_from(place);
            self.reader.reject(line, text, "no list= in it");
            return Ok(());
        };
        let list = match self.values(list).as_deref() {
            Some(&[(_, name)]) => name,
            _ => return computed(line, "the name of its list"),
        };
        if !self.sets.takes(list) || add.disabled {
            return Ok(());
        }
        let Some(address) = add.address else {
            let text = self.tokens.line_from(place);
            self.reader.reject(line, text, "no address= in it");
            return Ok(());
        };
        if self.tokens.peek()?.is_none() {
            self.reader.unended(line, self.tokens.line_from(place));
            return Ok(());
        }
        let comment = add.comment.and_then(|comment| self.values(comment));
        let comment = comment
            .as_deref()
            .and_then(<[_]>::first)
            .map_or("", |one| one.1);
        let comment = unbroken(comment);
        let Some(addresses) = self.values(address) else {
            return computed(line, "its address");
        };
        let of_line = !matches!(address, Token::Variable(_));
        for (at, address) in addresses.iter() {
            if self.reader.room() == 0 {
                break;
            }
            self.expanded += usize::from(!of_line);
            if self.expanded > self.reader.rules.max_entries {
                return Err(Refused::TooManyEntries(self.reader.rules.max_entries));
            }
            let at = if of_line { line } else { *at };
            self.reader.entry(at, address, &comment);
        }
        Ok(())
    }

    /// The words behind `add`, up to the end of the statement.
    fn words(&mut self, depth: u32) -> Result<Add<'a>, Refused> {
        let mut add = Add::default();
        loop {
            let line = self.tokens.line;
            let key = match self.tokens.peek()? {
                None | Some(Token::End | Token::Close) => return Ok(add),
                Some(Token::Word(key)) => key,
                Some(Token::Open) => {
                    self.tokens.next()?;
                    self.block(depth + 1)?;
                    continue;
                }
                Some(Token::Computed(_) | Token::Variable(_)) => {
                    let text = self.tokens.line_from(self.tokens.place());
                    return computed(line, &format!("{:?}", start_of(text)));
                }
                Some(_) => {
                    self.tokens.next()?;
                    continue;
                }
            };
            self.tokens.next()?;
            if self.tokens.peek()? != Some(Token::Equals) {
                continue;
            }
            self.tokens.next()?;
            let value = self.tokens.value()?;
            let value = value.filter(|value| *value != Token::Word(""));
            match (key, value) {
                ("list", value) => add.list = value,
                ("address", value) => add.address = value,
                ("comment", value) => add.comment = value,
                ("disabled", Some(Token::Word(said) | Token::Quoted(said))) => {
                    add.disabled = matches!(said, "yes" | "true");
                }
                ("disabled", _) => return computed(line, "whether it is disabled"),
                (_, Some(Token::Open)) => self.block(depth + 1)?,
                _ => {}
            }
        }
    }

    /// What a value stands for.
    fn values(&self, value: Token<'a>) -> Values<'a> {
        let named = |name: &str| self.variables.get(name).cloned().flatten();
        match value {
            Token::Variable(name) => named(name),
            Token::Word(text) | Token::Quoted(text) => match text.split_once('$') {
                None => Some(Rc::from([(0, text)])),
                Some(("", name)) => named(name),
                Some(_) => None,
            },
            _ => None,
        }
    }
}

/// The end of a refusal of a script.
const UNKNOWN: &str = "which entries that gives cannot be told without running the script";

/// The script as a whole is refused.
fn computed<T>(line: u32, what: &str) -> Result<T, Refused> {
    foreign(format!("line {line}: {what} is computed; {UNKNOWN}"))
}

/// What is evaluated may find entries and adds none, and runs no text.
fn no_entry_in(line: u32, text: &str) -> Result<(), Refused> {
    let words = || text.split([' ', '/', '[', '(']);
    let adds = words().any(|word| word == "add") && text.contains("address=");
    let runs = words().any(|word| matches!(word, ":parse" | ":execute"));
    match adds || runs {
        true => computed(line, &format!("{:?}", start_of(text))),
        false => Ok(()),
    }
}

/// A text that goes on in the next line, as one line.
fn unbroken(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let parts = text
        .split(['\n', '\r'])
        .map(|part| part.trim_start().trim_end_matches('\\'));
    Cow::Owned(parts.collect())
}
