//! Finds which files a command of a router writes, as far as its words say so.
//!
//! A command may be any program. Known are those that usually put a file in its place: `cp`,
//! `install`, `mv`, `ln`, `rsync`, `scp`, `tee`, `dd`, and what a shell runs and redirects
//! ([`shell`]). Other words are ignored: the program may only read them.

mod shell;

use std::path::{Path, PathBuf, is_separator};

use shell::Script;

/// A file that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its path, possibly on another host (`edge1:/etc/x`); may contain `{file}` and `{delta}`.
    pub to: String,
    /// The file that is put there under its own name, if the path is a folder.
    pub of: Option<String>,
    /// Whether the present content stays.
    pub appends: bool,
    /// Whether it becomes an exact copy of the router file.
    pub copies: bool,
}

impl Write {
    /// Its path on this machine, with the router file at `file` and the delta at `delta`; `None` if
    /// it is on another host, is no regular file, or is relative to a folder that only the program
    /// knows.
    pub fn path(&self, file: &Path, delta: &Path) -> Option<PathBuf> {
        let to = self.filled(file, delta);
        let mut path = PathBuf::from(&to);
        if to.ends_with(is_separator) {
            path = self.inside(&path, file)?;
        }
        let is_kept = path.is_absolute() && !path.starts_with("/dev") && !path.starts_with("/proc");
        is_kept.then_some(path)
    }

    /// Its path if that is a folder, with the router file at `file`.
    pub fn inside(&self, folder: &Path, file: &Path) -> Option<PathBuf> {
        let of = match self.of.as_deref()? {
            of if is_file(of) => file,
            of => Path::new(of),
        };
        Some(folder.join(of.file_name()?))
    }

    /// Whether it is on another host, as `scp` and `rsync` name it.
    pub fn is_elsewhere(&self) -> bool {
        is_elsewhere(&self.to)
    }

    /// The path with `{file}` and `{delta}` filled in.
    pub fn filled(&self, file: &Path, delta: &Path) -> String {
        let filled = self.to.replace("{file}", &file.to_string_lossy());
        filled.replace("{delta}", &delta.to_string_lossy())
    }
}

fn is_elsewhere(to: &str) -> bool {
    let host = to.split_once(':').map(|(host, _)| host);
    host.is_some_and(|host| !host.is_empty() && !host.contains(is_separator))
}

/// Whether a word is the router file or the delta.
fn is_file(word: &str) -> bool {
    word == "{file}" || word == "{delta}"
}

/// The files that a command writes.
pub fn writes(words: &[String]) -> Vec<Write> {
    let words: Vec<_> = words.iter().map(|word| Some(word.clone())).collect();
    Input::default().of_words(&words).writes
}

/// Programs that run another one, whose words follow.
const BEFORE: [&str; 9] = [
    "sudo", "doas", "env", "nice", "ionice", "timeout", "setpriv", "flock", "command",
];
const SHELLS: [&str; 4] = ["sh", "bash", "dash", "ash"];
const COPIERS: [&str; 6] = ["cp", "install", "mv", "ln", "rsync", "scp"];
const OTHERS: [&str; 3] = ["tee", "dd", "cat"];

/// A word; `None` if only the shell knows it.
type Word = Option<String>;

/// The context of a command.
#[derive(Clone, Copy, Default)]
struct Input {
    /// Whether it reads an exact copy of the router file.
    file: bool,
    /// How many scripts it is nested in.
    depth: usize,
}

/// A script may name itself in its words.
const DEEPEST: usize = 4;

/// The effect of a command.
#[derive(Default)]
struct Done {
    writes: Vec<Write>,
    /// Whether it prints an exact copy of the router file.
    says_file: bool,
}

impl Input {
    fn of_words(self, words: &[Word]) -> Done {
        let Some(Some(program)) = words.first() else {
            return Done::default();
        };
        let arguments = &words[1..];
        match base(program) {
            name if BEFORE.contains(&name) => {
                let is_known = |word: &Word| {
                    let known = |name: &str| {
                        SHELLS.contains(&name) || COPIERS.contains(&name) || OTHERS.contains(&name)
                    };
                    word.as_deref().is_some_and(|word| known(base(word)))
                };
                let at = arguments.iter().position(is_known);
                at.map_or_else(Done::default, |at| self.of_words(&arguments[at..]))
            }
            name if SHELLS.contains(&name) => self.of_shell(arguments),
            name if COPIERS.contains(&name) => Done {
                writes: copied(name, arguments),
                says_file: false,
            },
            "tee" => self.of_tee(arguments),
            "dd" => self.of_dd(arguments),
            "cat" => Done {
                writes: Vec::new(),
                says_file: match arguments {
                    [] => self.file,
                    [Some(word)] if word == "-" => self.file,
                    [Some(word)] => is_file(word),
                    _ => false,
                },
            },
            _ => Done::default(),
        }
    }

    fn of_shell(self, arguments: &[Word]) -> Done {
        let is_script = |word: &Word| {
            let options = word.as_deref().and_then(|word| word.strip_prefix('-'));
            options.is_some_and(|options| !options.starts_with('-') && options.contains('c'))
        };
        let at = arguments.iter().position(is_script);
        let rest = at.and_then(|at| arguments.get(at + 1..));
        let Some([Some(script), places @ ..]) = rest.filter(|_| self.depth < DEEPEST) else {
            return Done::default();
        };
        let input = Self {
            depth: self.depth + 1,
            ..self
        };
        Script::new(input, script, places).done()
    }

    fn of_tee(self, arguments: &[Word]) -> Done {
        let appends = arguments
            .iter()
            .flatten()
            .any(|word| word == "-a" || word == "--append");
        let files = arguments.iter().flatten().filter(|word| !is_option(word));
        let write = |to: &String| Write {
            to: to.clone(),
            of: None,
            appends,
            copies: self.file && !appends,
        };
        Done {
            writes: files.map(write).collect(),
            says_file: self.file,
        }
    }

    fn of_dd(self, arguments: &[Word]) -> Done {
        let value = |key| move |word: &String| word.strip_prefix(key).map(str::to_owned);
        let from = arguments.iter().flatten().find_map(value("if="));
        let copies = from.map_or(self.file, |from| is_file(&from));
        match arguments.iter().flatten().find_map(value("of=")) {
            Some(to) => Done {
                writes: vec![Write {
                    to,
                    of: None,
                    appends: false,
                    copies,
                }],
                says_file: false,
            },
            None => Done {
                writes: Vec::new(),
                says_file: copies,
            },
        }
    }
}

/// The options of a program that copies files, each a letter.
struct Options {
    /// Options with a value.
    valued: &'static str,
    /// Whether the target folder follows `-t`.
    folder: bool,
}

fn options(program: &str) -> Options {
    let (valued, folder) = match program {
        "install" => ("goSm", true),
        "rsync" => ("efBTM", false),
        "scp" => ("cDFiJloPSX", false),
        _ => ("S", true),
    };
    Options { valued, folder }
}

/// The last word is the target, unless a target folder is named by an option.
fn copied(program: &str, arguments: &[Word]) -> Vec<Write> {
    let options = options(program);
    let mut folder: Option<Word> = None;
    let mut files: Vec<&Word> = Vec::new();
    let mut is_path = false;
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let option = word.as_deref().filter(|word| is_option(word));
        match option {
            None => files.push(word),
            Some("--") => {
                files.extend(rest.by_ref());
            }
            Some("--no-target-directory") => is_path = true,
            Some("--directory") if program == "install" => return Vec::new(),
            Some(long) if long.starts_with("--") => {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                // Any unique abbreviation.
                if options.folder && name.len() > 2 && "--target-directory".starts_with(name) {
                    folder = Some(match value {
                        Some(value) => Some(value.to_owned()),
                        None => rest.next().cloned().flatten(),
                    });
                }
            }
            Some(short) => {
                let letters = &short[1..];
                for (at, letter) in letters.char_indices() {
                    let value = &letters[at + letter.len_utf8()..];
                    let is_folder = options.folder && letter == 't';
                    is_path |= options.folder && letter == 'T';
                    if program == "install" && letter == 'd' {
                        return Vec::new();
                    }
                    if !is_folder && !options.valued.contains(letter) {
                        continue;
                    }
                    let value = match value {
                        "" => rest.next().cloned().flatten(),
                        value => Some(value.to_owned()),
                    };
                    if is_folder {
                        folder = Some(value);
                    }
                    break;
                }
            }
        }
    }
    let to = match folder {
        Some(folder) => folder.map(|folder| format!("{}/", folder.trim_end_matches(is_separator))),
        None if files.len() < 2 => None,
        None => files.pop().cloned().flatten(),
    };
    let Some(to) = to else {
        return Vec::new();
    };
    let write = |of: &&Word| Write {
        to: to.clone(),
        of: of.as_ref().filter(|_| !is_path).cloned(),
        appends: false,
        copies: of.as_deref().is_some_and(is_file),
    };
    files.iter().map(write).collect()
}

fn base(program: &str) -> &str {
    program.rsplit(is_separator).next().unwrap_or(program)
}

fn is_option(word: &str) -> bool {
    word.starts_with('-') && word != "-"
}

#[cfg(test)]
mod tests;
