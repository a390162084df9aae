//! Advice on what a configuration refers to: files, folders, programs, hosts (I/O).
//!
//! Advice is not an error: a file may be created later, and `check` runs before each start of the
//! service. So advice never keeps the program from starting or from reloading.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use serde::Serialize;
use toml::Spanned;

use super::model::{Config, Origin};
use super::modes;
use super::problem::position;
use super::written::{self, Written};
use crate::feed::fetch::{SecretFile, is_this_machine};
use crate::files;
use crate::shown;

/// Something that will fail, or that can be improved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The subject in one word: `feeds`, `file`, `folder`, `command`, `http`, `mode`, `size`,
    /// `column`.
    pub kind: &'static str,
    /// The router concerned.
    pub router: Option<String>,
    /// The problem, its consequence, and what to type.
    pub text: String,
    /// Line of the configuration, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 for the file as a whole.
    pub column: usize,
}

/// All advice on a configuration without errors.
pub(super) fn collect(path: &Path, text: &str, written: &Written, config: &Config) -> Vec<Advice> {
    let mut collector = Collector {
        text,
        base: path.parent().unwrap_or(Path::new("")),
        advice: Vec::new(),
    };
    if let Some(text) = modes::advice(path) {
        collector.add("mode", None, None, text);
    }
    collector.feeds(written, config);
    collector.routers(written, config);
    collector.files(written);
    collector
        .advice
        .sort_by_key(|advice| (advice.line, advice.column));
    collector.advice
}

struct Collector<'a> {
    text: &'a str,
    base: &'a Path,
    advice: Vec<Advice>,
}

impl Collector<'_> {
    fn add(&mut self, kind: &'static str, router: Option<&str>, at: Option<usize>, text: String) {
        let (line, column) = at.map_or((0, 0), |at| position(self.text, at));
        self.advice.push(Advice {
            kind,
            router: router.map(str::to_owned),
            text: shown::line(&text).into_owned(),
            line,
            column,
        });
    }

    fn feeds(&mut self, written: &Written, config: &Config) {
        if written.feed.is_empty() {
            let text = "no feed is configured: only what is added by hand is dropped; write a [[feed]] \
                        (nullrouted feeds lists the presets)";
            self.add("feeds", None, None, text.to_owned());
        }
        for (feed, known) in written.feed.iter().zip(&config.feeds) {
            let (name, at) = (&known.name, feed.span().start);
            match (&known.origin, &feed.get_ref().path, &feed.get_ref().url) {
                (Origin::Path(path), Some(span), _) => {
                    let why = format!(
                        "feed {name}: nothing of it is in force until it can be read; put the list there, or \
                         correct `path`"
                    );
                    self.file(path, span.span().start, &why);
                }
                (Origin::Url(url), _, span) if url.scheme() == "http" && !is_this_machine(url) => {
                    let host = url.host_str().unwrap_or_default();
                    let at = span.as_ref().map_or(at, |url| url.span().start);
                    let text = format!(
                        "feed {name}: http:// to {host} is not encrypted: the list can be changed on the way; \
                         write https:// if the server has it"
                    );
                    self.add("http", None, Some(at), text);
                }
                _ => {}
            }
        }
    }

    /// A file that has to be read.
    fn file(&mut self, path: &Path, at: usize, why: &str) {
        if let Err(error) = files::within(path, files::PATIENCE, files::open) {
            let text = format!("{}: {}; {why}", path.display(), reason(&error));
            self.add("file", None, Some(at), text);
        }
    }

    fn files(&mut self, written: &Written) {
        let mut named: Vec<(&str, &Spanned<String>)> = Vec::new();
        let authorities = written.fetch.ca_file.as_ref();
        named.extend(written.asn.table.as_ref().map(|file| ("[asn] table", file)));
        named.extend(authorities.map(|file| ("[fetch] ca_file", file)));
        for feed in &written.feed {
            let files = feed.get_ref().access().into_iter();
            let files = files.filter(|(key, _)| *key != "user");
            named.extend(files.filter_map(|(key, file)| Some((key, file?))));
            let url = feed.get_ref().url_file.as_ref();
            named.extend(url.map(|file| (SecretFile::URL, file)));
        }
        for (key, file) in named {
            let why =
                format!("it is read when feeds are fetched; put it there, or correct `{key}`");
            let at = file.span().start;
            match SecretFile::read(file.get_ref(), self.base) {
                Ok(SecretFile::Path(path)) => self.file(&path, at, &why),
                Ok(secret) => {
                    if let Err(error) = secret.place() {
                        let text = format!(
                            "{secret}: {error}; a verb that is run by hand does not ask for this feed"
                        );
                        self.add("file", None, Some(at), text);
                    }
                }
                Err(_) => {}
            }
        }
    }

    fn routers(&mut self, written: &Written, config: &Config) {
        for (router, known) in written.router.iter().zip(&config.routers) {
            let (name, router) = (&known.name, router.get_ref());
            if let Some(span) = &router.path {
                self.folder(name, &known.path, span.span().start);
            }
            let fed = router.feeds.as_ref().map(Spanned::span);
            let by_hand = router.operator.as_ref().map(Spanned::span);
            if let Some(span) = fed.or(by_hand)
                && !known.selection.choice.has_everything()
                && known.options.family.is_of_kernel(known.options.role)
            {
                let text = format!(
                    "router {name}: {} announces routes that the kernel has, and there the prefixes of all feeds are \
                     joined: one that is joined with another feed's is not announced; with family \"bird\", \
                     \"openbgpd\", \"gobgp\" or \"exabgp\" it is",
                    known.options.family
                );
                self.add("feeds", Some(name), Some(span.start), text);
            }
            let known_commands = [&known.check, &known.reload, &known.verify];
            for ((key, span), words) in router.commands().into_iter().zip(known_commands) {
                if let (Some(span), Some(program)) = (span, words.first()) {
                    self.command(name, key, span, program);
                }
            }
        }
    }

    /// A router file is written next to its place, then renamed.
    fn folder(&mut self, router: &str, file: &Path, at: usize) {
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let shown = folder.display();
        let text = match files::within(folder, files::PATIENCE, |folder| fs::metadata(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => format!(
                "router {router}: the folder {shown} does not exist, so its file cannot be written; mkdir -p {shown}"
            ),
            Err(error) => format!("router {router}: the folder {shown}: {}", reason(&error)),
            Ok(metadata) if !metadata.is_dir() => format!(
                "router {router}: {shown} is not a folder, so its file cannot be written; correct `path`"
            ),
            Ok(_) => match access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
                Ok(()) => return,
                Err(errno) => format!(
                    "router {router}: uid {} cannot write into the folder {shown} ({}), so its file cannot be \
                     written; give that user the folder, and name it in ReadWritePaths= of the unit",
                    nix::unistd::geteuid(),
                    errno.desc()
                ),
            },
        };
        self.add("folder", Some(router), Some(at), text);
    }

    fn command(
        &mut self,
        router: &str,
        key: &str,
        span: &Spanned<written::Command>,
        program: &str,
    ) {
        let text = match Program::find(program) {
            Program::Found => return,
            Program::Missing => format!(
                "router {router}: {key} runs {program}, which is not found{}; install it, or write where it is",
                match program.contains('/') {
                    true => "",
                    false => " in PATH",
                }
            ),
            Program::NotExecutable(path) => format!(
                "router {router}: {key} runs {program}, and {0} is not executable for uid {1}; chmod +x {0}",
                path.display(),
                nix::unistd::geteuid()
            ),
        };
        self.add("command", Some(router), Some(span.span().start), text);
    }
}

/// The result of looking for a program.
enum Program {
    Found,
    Missing,
    NotExecutable(PathBuf),
}

impl Program {
    /// As `execvp(3)` looks for it.
    fn find(program: &str) -> Self {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let candidates: Vec<PathBuf> = match program.contains('/') {
            true => vec![PathBuf::from(program)],
            false => std::env::split_paths(&search)
                .map(|dir| dir.join(program))
                .collect(),
        };
        let mut there = candidates
            .into_iter()
            .filter(|path| path.is_file())
            .peekable();
        let first = there.peek().cloned();
        match there.any(|path| access(&path, AccessFlags::X_OK).is_ok()) {
            true => Self::Found,
            false => first.map_or(Self::Missing, Self::NotExecutable),
        }
    }
}

/// The error without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    }
}
