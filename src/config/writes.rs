//! Which files a command of a router writes, as far as its words say so.
//!
//! A command may be any program, so this knows those that are used to put a file in its place: `cp`, `install`, `mv`,
//! `ln`, `rsync`, `scp`, `tee`, `dd`, and what a shell redirects. What it does not know is no problem: a word that is
//! merely named may be read.

use std::path::{Path, PathBuf, is_separator};

/// One file that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where it is: a path, or a path at another host (`edge1:/etc/x`); `{file}` and `{delta}` may be in it.
    pub to: String,
    /// Whether what is there already stays.
    pub appends: bool,
    /// Whether the router file is what is put there, byte for byte.
    pub copies: bool,
}

impl Write {
    /// Its path on this machine, with the router file at `file` and what is loaded instead of it at `delta`; `None` where
    /// it is at another host, no file that stays, or a path from a folder that only the program knows.
    pub fn path(&self, file: &Path, delta: &Path) -> Option<PathBuf> {
        let mut to = self.filled(file, delta);
        if to.ends_with(is_separator) {
            to.push_str(&file.file_name()?.to_string_lossy());
        }
        let path = PathBuf::from(to);
        let is_kept = path.is_absolute() && !path.starts_with("/dev") && !path.starts_with("/proc");
        is_kept.then_some(path)
    }

    /// Whether it is at another host, as `scp` and `rsync` name it.
    pub fn is_elsewhere(&self) -> bool {
        let host = self.to.split_once(':').map(|(host, _)| host);
        host.is_some_and(|host| !host.is_empty() && !host.contains(is_separator))
    }

    /// The same at whatever host, as it is written.
    pub fn filled(&self, file: &Path, delta: &Path) -> String {
        let filled = self.to.replace("{file}", &file.to_string_lossy());
        filled.replace("{delta}", &delta.to_string_lossy())
    }
}

/// What a command of these words writes.
pub fn writes(words: &[String]) -> Vec<Write> {
    let words: Vec<_> = words.iter().map(|word| Some(word.clone())).collect();
    of_words(&words)
}

/// Programs that run another one, whose words follow.
const BEFORE: [&str; 9] = [
    "sudo", "doas", "env", "nice", "ionice", "timeout", "setpriv", "flock", "command",
];
const SHELLS: [&str; 4] = ["sh", "bash", "dash", "ash"];
const COPIERS: [&str; 6] = ["cp", "install", "mv", "ln", "rsync", "scp"];

/// A word, or none where only the shell knows what it becomes.
type Word = Option<String>;

fn of_words(words: &[Word]) -> Vec<Write> {
    let Some(Some(program)) = words.first() else {
        return Vec::new();
    };
    let is_known = |word: &&Word| {
        let known = |name: &str| {
            SHELLS.contains(&name) || COPIERS.contains(&name) || ["tee", "dd"].contains(&name)
        };
        word.as_deref().is_some_and(|word| known(base(word)))
    };
    let arguments = &words[1..];
    match base(program) {
        name if BEFORE.contains(&name) => {
            let at = arguments.iter().position(|word| is_known(&word));
            at.map_or_else(Vec::new, |at| of_words(&arguments[at..]))
        }
        name if SHELLS.contains(&name) => {
            let is_script = |word: &Word| {
                let options = word.as_deref().and_then(|word| word.strip_prefix('-'));
                options.is_some_and(|options| !options.starts_with('-') && options.contains('c'))
            };
            let at = arguments.iter().position(is_script);
            match at.and_then(|at| arguments.get(at + 1)) {
                Some(Some(script)) => of_script(script),
                _ => Vec::new(),
            }
        }
        name if COPIERS.contains(&name) => copied(arguments),
        "tee" => {
            let appends = arguments
                .iter()
                .flatten()
                .any(|word| word == "-a" || word == "--append");
            let files = arguments.iter().flatten().filter(|word| !is_option(word));
            let write = |to: &String| Write {
                to: to.clone(),
                appends,
                copies: false,
            };
            files.map(write).collect()
        }
        "dd" => {
            let value = |key| move |word: &String| word.strip_prefix(key).map(str::to_owned);
            let from = arguments.iter().flatten().find_map(value("if="));
            let to = arguments.iter().flatten().find_map(value("of="));
            let write = |to| Write {
                to,
                appends: false,
                copies: from.as_deref() == Some("{file}"),
            };
            to.map(write).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The last word is where it goes, or a folder is named first.
fn copied(arguments: &[Word]) -> Vec<Write> {
    let folder = arguments.iter().enumerate().find_map(|(at, word)| {
        let word = word.as_deref()?;
        match word.strip_prefix("--target-directory=") {
            Some(folder) => Some(folder.to_owned()),
            None if word == "-t" => arguments.get(at + 1)?.clone(),
            None => None,
        }
    });
    let is_file = |word: &Word| word.as_deref() == Some("{file}");
    let copies = arguments.iter().any(is_file);
    let files = arguments
        .iter()
        .filter(|word| !word.as_deref().is_some_and(is_option));
    let to = match folder {
        Some(folder) => Some(format!("{}/", folder.trim_end_matches(is_separator))),
        None if files.count() < 2 => None,
        None => arguments.last().cloned().flatten(),
    };
    let write = |to| Write {
        to,
        appends: false,
        copies,
    };
    to.map(write).into_iter().collect()
}

fn base(program: &str) -> &str {
    program.rsplit(is_separator).next().unwrap_or(program)
}

fn is_option(word: &str) -> bool {
    word.starts_with('-') && word != "-"
}

/// What the simple commands of a shell script write, and what is redirected.
fn of_script(script: &str) -> Vec<Write> {
    let mut all = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut redirected: Vec<(Word, bool)> = Vec::new();
    let mut next = Next::Word;
    for token in Tokens::of(script) {
        match (token, next) {
            (Token::Word(to), Next::To { appends }) => redirected.push((to, appends)),
            (Token::Word(_), Next::From) => {}
            (Token::Word(word), Next::Word) => words.push(word),
            (Token::To { appends }, _) => {
                next = Next::To { appends };
                continue;
            }
            (Token::From, _) => {
                next = Next::From;
                continue;
            }
            (Token::End, _) => simple(&mut words, &mut redirected, &mut all),
        }
        next = Next::Word;
    }
    simple(&mut words, &mut redirected, &mut all);
    all
}

/// What the next word is.
#[derive(Clone, Copy)]
enum Next {
    Word,
    To { appends: bool },
    From,
}

/// Words that only begin a command of the shell.
const RESERVED: [&str; 9] = [
    "if", "then", "else", "elif", "while", "until", "do", "!", "{",
];

fn simple(words: &mut Vec<Word>, redirected: &mut Vec<(Word, bool)>, all: &mut Vec<Write>) {
    // Neither is an assignment the program.
    let is_before = |word: &&Word| {
        let word = word.as_deref();
        word.is_none_or(|word| RESERVED.contains(&word) || assigns(word))
    };
    let before = words.iter().take_while(is_before).count();
    let command = &words[before..];
    all.extend(of_words(command));
    let is_cat =
        matches!(command, [Some(cat), Some(file)] if base(cat) == "cat" && file == "{file}");
    for (to, appends) in redirected.drain(..) {
        let write = |to| Write {
            to,
            appends,
            copies: is_cat && !appends,
        };
        all.extend(to.map(write));
    }
    words.clear();
}

fn assigns(word: &str) -> bool {
    let is_name = |name: &str| {
        let mut all = name.chars();
        !name.is_empty() && all.all(|one| one.is_ascii_alphanumeric() || one == '_')
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

enum Token {
    Word(Word),
    /// A redirection to the word that follows.
    To {
        appends: bool,
    },
    /// One from it.
    From,
    /// Here a command ends.
    End,
}

/// The tokens of a script, as far as this must tell them apart. A here-document ends them: its lines are no commands.
struct Tokens<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl<'a> Tokens<'a> {
    fn of(script: &'a str) -> Self {
        let rest = script.chars().peekable();
        Self { rest }
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    /// A redirection after its first character.
    fn redirection(&mut self) -> Option<Token> {
        let appends = self.takes('>');
        let _ = self.takes('|');
        if !self.takes('&') {
            return Some(Token::To { appends });
        }
        // Another descriptor, which a word of digits names, is no file.
        Some(match self.rest.peek() {
            Some(next) if next.is_ascii_digit() || *next == '-' => Token::From,
            _ => Token::To { appends },
        })
    }

    fn word(&mut self) -> Token {
        let mut word = String::new();
        let mut is_known = true;
        while let Some(next) = self.rest.peek().copied() {
            if next.is_whitespace() || ";|&()<>".contains(next) {
                break;
            }
            self.rest.next();
            match next {
                '\'' => word.extend(self.rest.by_ref().take_while(|one| *one != '\'')),
                '"' => {
                    while let Some(one) = self.rest.next().filter(|one| *one != '"') {
                        is_known &= !"$`".contains(one);
                        word.push(one);
                        if one == '\\' {
                            word.pop();
                            word.extend(self.rest.next());
                        }
                    }
                }
                '\\' => word.extend(self.rest.next()),
                '$' | '`' | '*' | '?' | '~' => {
                    is_known = false;
                    word.push(next);
                }
                one => word.push(one),
            }
        }
        // The number of a descriptor stands before its redirection.
        let is_number = !word.is_empty() && word.bytes().all(|one| one.is_ascii_digit());
        if is_number && matches!(self.rest.peek(), Some('>' | '<')) {
            return self.next().unwrap_or(Token::End);
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
        match next {
            '#' => {
                while self.rest.next_if(|one| *one != '\n').is_some() {}
                self.next()
            }
            '>' => {
                self.rest.next();
                self.redirection()
            }
            '<' => {
                self.rest.next();
                if self.takes('<') {
                    self.rest = "".chars().peekable();
                    return None;
                }
                let _ = self.takes('&');
                Some(Token::From)
            }
            '&' => {
                self.rest.next();
                match self.takes('>') {
                    true => self.redirection(),
                    false => Some(Token::End),
                }
            }
            ';' | '|' | '(' | ')' | '\n' | '\r' => {
                self.rest.next();
                Some(Token::End)
            }
            _ => Some(self.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `to`, with `+` where it appends and `=` where it is a copy.
    fn of(words: &[&str]) -> Vec<String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let shown = |write: Write| {
            let mark = match (write.appends, write.copies) {
                (true, _) => "+",
                (_, true) => "=",
                _ => "",
            };
            format!("{mark}{}", write.to)
        };
        writes(&words).into_iter().map(shown).collect()
    }

    #[test]
    fn what_programs_write_that_copy_files() {
        for (words, written) in [
            (&["cp", "{file}", "/etc/x"][..], &["=/etc/x"][..]),
            (&["cp", "-a", "--", "{file}", "/etc/"], &["=/etc/"]),
            (&["cp", "-t", "/etc", "{file}"], &["=/etc/"]),
            (&["mv", "--target-directory=/etc/", "/a"], &["/etc/"]),
            (&["/usr/bin/install", "-m", "644", "{file}", "/x"], &["=/x"]),
            (&["scp", "{delta}", "edge1:/etc/x"], &["edge1:/etc/x"]),
            (&["sudo", "-n", "cp", "{file}", "/etc/x"], &["=/etc/x"]),
            (&["timeout", "10", "sh", "-c", "echo > /x"], &["/x"]),
            (&["tee", "-a", "/x", "/y"], &["+/x", "+/y"]),
            (&["dd", "if={file}", "of=/x"], &["=/x"]),
            // What is named only, is read.
            (&["diff", "{file}", "/etc/x"], &[]),
            (&["vtysh", "-f", "{file}"], &[]),
            (&["cp", "--help"], &[]),
            (&[], &[]),
        ] {
            assert_eq!(of(words), written, "{words:?}");
        }
    }

    #[test]
    fn what_a_shell_redirects_and_runs() {
        for (script, written) in [
            ("cat {file} > /etc/x", &["=/etc/x"][..]),
            ("cat {file} /y >/etc/x", &["/etc/x"]),
            ("echo done >> {file}.log", &["+{file}.log"]),
            (
                "a 2>/e && b >|/f; c &>/g | tee '/h i'",
                &["/e", "/f", "/g", "/h i"],
            ),
            ("a >/x 2>&1 <&3 >&2", &["/x"]),
            ("a < /in > \"/out\\\" 2\"", &["/out\" 2"]),
            (
                "if X=1 Y=2 cp {file} /x\nthen (mv /a /b) fi",
                &["=/x", "/b"],
            ),
            ("(cd /; cp /a /b)", &["/b"]),
            ("sh -c 'cp /a /b'", &["/b"]),
            // What only the shell knows, and what is no command.
            ("cp {file} $HOME/x > \"$log\" 3> `a`", &[]),
            ("a # cp /a /b\n", &[]),
            ("cat > /x <<END\ncp /a /b\nEND", &["/x"]),
            ("echo 'cp /a /b > /c'", &[]),
            ("", &[]),
        ] {
            assert_eq!(of(&["sh", "-ec", script]), written, "{script:?}");
        }
        assert!(of(&["bash", "script"]).is_empty());
    }

    #[test]
    fn where_it_is_written() {
        let path = |to: &str| {
            let write = Write {
                to: to.to_owned(),
                appends: false,
                copies: true,
            };
            let path = write.path(Path::new("/r/edge1.conf"), Path::new("/r/delta"));
            path.map(|path| path.display().to_string())
        };
        for (to, wanted) in [
            ("/etc/x", Some("/etc/x")),
            ("/etc/", Some("/etc/edge1.conf")),
            ("{file}.copy", Some("/r/edge1.conf.copy")),
            ("{delta}.copy", Some("/r/delta.copy")),
            ("edge1:/etc/x", None),
            ("x", None),
            ("/dev/null", None),
            ("/proc/self/fd/2", None),
        ] {
            assert_eq!(path(to).as_deref(), wanted, "{to}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_script_is_too_strange(script in "\\PC*|[ ;|&()<>'\"$\\\\#\n2a/{}=]*") {
            of(&["sh", "-c", &script]);
        }
    }
}
