//! The files that a shell script writes: its simple commands, one after the other.
//!
//! ```text
//!  script, words behind it ──► tokens, $1 filled in ──► simple command ──► what it writes, and what is redirected
//!                                                        ▲        │
//!                                 the folder after `cd` ─┘        └─ what it says ──► `|` ──► the next one reads
//! ```
//!
//! Variables, substitutions and patterns are known only to the shell, as is the effect of a loop, a
//! function, or a group with a redirection: words with them are unknown, and commands inside of
//! them are read where they stand.

use std::path::{Path, PathBuf};

use super::{Done, Input, Word, Write, is_elsewhere, is_file};

/// A script, and what is known at the current position.
pub(super) struct Script<'a> {
    input: Input,
    tokens: Tokens<'a>,
    done: Done,
    /// The folder of relative paths, if it is known.
    folder: Option<PathBuf>,
    /// The folders outside of each `(`.
    outside: Vec<Option<PathBuf>>,
    command: Simple,
}

/// A simple command.
#[derive(Default)]
struct Simple {
    words: Vec<Word>,
    /// Where its output goes, and how.
    to: Vec<(Word, Redirection)>,
    /// Whether it reads the router file.
    file: bool,
}

impl<'a> Script<'a> {
    /// What runs as `sh -c SCRIPT PLACES...`.
    pub(super) fn new(input: Input, script: &'a str, places: &'a [Word]) -> Self {
        Self {
            input,
            tokens: Tokens {
                rest: script.chars().peekable(),
                places,
            },
            done: Done::default(),
            folder: None,
            outside: Vec::new(),
            command: Simple {
                file: input.file,
                ..Simple::default()
            },
        }
    }

    pub(super) fn done(mut self) -> Done {
        // A redirection, which waits for its word.
        let mut before = None;
        while let Some(token) = self.tokens.next() {
            match (token, before.take()) {
                (Token::Word(to), Some(Token::To(how))) => self.command.to.push((to, how)),
                (Token::Word(from), Some(Token::From)) => {
                    self.command.file = from.as_deref().is_some_and(is_file);
                }
                (Token::Word(_), Some(Token::Descriptor)) => {}
                (Token::Word(word), _) => self.command.words.push(word),
                (Token::End(end), _) => self.simple(end),
                (redirection, _) => before = Some(redirection),
            }
        }
        self.simple(End::Command);
        self.done
    }

    fn simple(&mut self, end: End) {
        let Simple { words, to, file } = std::mem::take(&mut self.command);
        if words.is_empty() && to.is_empty() {
            self.group(end);
            self.command.file = file;
            return;
        }
        // Assignments come before the program.
        let is_before = |word: &&Word| {
            let word = word.as_deref();
            word.is_none_or(|word| RESERVED.contains(&word) || assigns(word))
        };
        let before = words.iter().take_while(is_before).count();
        let command = &words[before..];
        let input = Input { file, ..self.input };
        let Done { writes, says_file } = input.of_words(command);
        for write in writes {
            self.write(write);
        }
        let mut says_file = says_file;
        for (to, how) in to {
            let copies = says_file && how == Redirection::Over;
            if let Some(to) = to {
                self.write(Write {
                    to,
                    of: None,
                    appends: how == Redirection::Behind,
                    copies,
                });
            }
            // Output to a file does not reach the pipe.
            says_file &= how == Redirection::Error;
        }
        match command {
            [Some(cd), folder @ ..] if cd == "cd" => {
                let folder = match folder {
                    [Some(folder)] => self.absolute(folder),
                    _ => None,
                };
                self.folder = folder.map(PathBuf::from);
            }
            // From here on the positional parameters are unknown.
            [Some(shift), ..] if shift == "shift" => self.tokens.places = &[],
            [Some(set), words @ ..] if set == "set" && !words.iter().all(is_set_option) => {
                self.tokens.places = &[];
            }
            _ => {}
        }
        self.group(end);
        let piped = end == End::Pipe;
        self.command.file = if piped { says_file } else { self.input.file };
        self.done.says_file = says_file;
    }

    /// A subshell changes its own folder only.
    fn group(&mut self, end: End) {
        match end {
            End::Open => self.outside.push(self.folder.clone()),
            End::Close => {
                if let Some(folder) = self.outside.pop() {
                    self.folder = folder;
                }
            }
            End::Pipe | End::Command => {}
        }
    }

    /// Resolve the path from the current folder.
    fn write(&mut self, write: Write) {
        let to = self.absolute(&write.to).unwrap_or(write.to);
        self.done.writes.push(Write { to, ..write });
    }

    /// The absolute path, if it is known. A path of the router file is absolute.
    fn absolute(&self, path: &str) -> Option<String> {
        let is_ours = path.starts_with("{file}") || path.starts_with("{delta}");
        if is_ours || Path::new(path).is_absolute() || is_elsewhere(path) {
            return Some(path.to_owned());
        }
        let folder = self.folder.as_ref()?.to_string_lossy();
        Some(format!("{}/{path}", folder.trim_end_matches('/')))
    }
}

/// Words of the shell before a command.
const RESERVED: [&str; 9] = [
    "if", "then", "else", "elif", "while", "until", "do", "!", "{",
];

/// Options of `set`, which do not change the positional parameters.
fn is_set_option(word: &Word) -> bool {
    let word = word.as_deref().unwrap_or_default();
    word.starts_with(['-', '+']) && word != "--"
}

fn assigns(word: &str) -> bool {
    let is_name = |name: &str| {
        let mut all = name.chars();
        !name.is_empty() && all.all(|one| one.is_ascii_alphanumeric() || one == '_')
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// How the output of a command goes to a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redirection {
    /// Standard output, overwriting.
    Over,
    /// Standard output or standard error, appending.
    Behind,
    /// Something else than standard output, overwriting.
    Error,
}

enum Token {
    Word(Word),
    /// A redirection to the word that follows.
    To(Redirection),
    /// A redirection from it.
    From,
    /// A redirection of another descriptor, which the word names.
    Descriptor,
    /// The end of a command.
    End(End),
}

/// What follows a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Another command that reads its output.
    Pipe,
    /// A subshell begins.
    Open,
    /// It ends.
    Close,
    /// Anything else.
    Command,
}

/// The tokens of a script, as far as they matter here. A here-document ends them: its lines are no
/// commands.
struct Tokens<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    /// The positional parameters, from `$0`.
    places: &'a [Word],
}

impl Tokens<'_> {
    fn takes(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    /// A redirection after its first character; `out` if it redirects standard output.
    fn redirection(&mut self, out: bool) -> Token {
        let appends = self.takes('>');
        let _ = self.takes('|');
        let how = match (appends, out) {
            (true, _) => Redirection::Behind,
            (false, true) => Redirection::Over,
            (false, false) => Redirection::Error,
        };
        if !self.takes('&') {
            return Token::To(how);
        }
        // Digits name another descriptor, not a file.
        match self.rest.peek() {
            Some(next) if next.is_ascii_digit() || *next == '-' => Token::Descriptor,
            _ => Token::To(how),
        }
    }

    /// After a `$`: a positional parameter, if it is one and known.
    fn place(&mut self) -> Word {
        let braces = self.takes('{');
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
            if !braces {
                break;
            }
        }
        if braces && !self.takes('}') {
            return None;
        }
        let place: usize = digits.parse().ok()?;
        self.places.get(place).cloned().flatten()
    }

    fn word(&mut self) -> Token {
        let mut word = String::new();
        let mut is_known = true;
        let mut is_plain = true;
        while let Some(next) = self.rest.peek().copied() {
            if next.is_whitespace() || ";|&()<>".contains(next) {
                break;
            }
            self.rest.next();
            is_plain &= next.is_ascii_digit();
            match next {
                '\'' => word.extend(self.rest.by_ref().take_while(|one| *one != '\'')),
                '"' => {
                    while let Some(one) = self.rest.next().filter(|one| *one != '"') {
                        match one {
                            '\\' => word.extend(self.rest.next()),
                            '$' => match self.place() {
                                Some(place) => word.push_str(&place),
                                None => is_known = false,
                            },
                            '`' => is_known = false,
                            one => word.push(one),
                        }
                    }
                }
                '\\' => word.extend(self.rest.next()),
                '$' => match self.place() {
                    Some(place) => word.push_str(&place),
                    None => is_known = false,
                },
                '`' | '*' | '?' | '~' => {
                    is_known = false;
                    word.push(next);
                }
                one => word.push(one),
            }
        }
        // The number of a descriptor precedes its redirection.
        if is_plain && !word.is_empty() && self.takes('>') {
            return self.redirection(word == "1");
        }
        if is_plain && !word.is_empty() && self.rest.peek() == Some(&'<') {
            return match self.next() {
                Some(Token::From) if word != "0" => Token::Descriptor,
                other => other.unwrap_or(Token::End(End::Command)),
            };
        }
        Token::Word(is_known.then_some(word))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let is_blank = |one: &char| one.is_whitespace() && !"\n\r".contains(*one);
        while self.rest.next_if(is_blank).is_some() {}
        let next = *self.rest.peek()?;
        if next == '#' {
            while self.rest.next_if(|one| *one != '\n').is_some() {}
            return self.next();
        }
        if !"<>&;|()\n\r".contains(next) {
            return Some(self.word());
        }
        self.rest.next();
        Some(match next {
            '>' => self.redirection(true),
            '<' if self.takes('<') => {
                self.rest = "".chars().peekable();
                return None;
            }
            '<' if self.takes('&') => Token::Descriptor,
            '<' => Token::From,
            '&' if self.takes('>') => self.redirection(true),
            '|' if self.takes('|') => Token::End(End::Command),
            '|' => {
                let _ = self.takes('&');
                Token::End(End::Pipe)
            }
            '(' => Token::End(End::Open),
            ')' => Token::End(End::Close),
            _ => Token::End(End::Command),
        })
    }
}
