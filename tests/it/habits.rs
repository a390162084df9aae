//! What holds for the repository itself: licences, documents that name files, the changelog, the
//! crates, the width of comments, and the example.

#[path = "../../examples/embed.rs"]
#[allow(dead_code)]
mod embed;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::repository;
use nullrouted::digest;
use nullrouted::time::Timestamp;

fn read(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

fn toml(name: &str) -> toml::Table {
    read(name).parse().unwrap()
}

/// The folders of the repository with files that are written by hand.
const FOLDERS: [&str; 10] = [
    ".ci", "benches", "config", "doc", "examples", "findings", "fuzz", "src", "systemd", "tests",
];

/// Their files, and those at the top, by their path in the repository.
fn files() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(repository().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            let top = folder.as_os_str().is_empty();
            match entry.path().is_dir() {
                false => files.push(path),
                true if top && !FOLDERS.iter().any(|name| path == Path::new(name)) => {}
                // What cargo-fuzz makes.
                true if ["target", "corpus", "artifacts"]
                    .iter()
                    .any(|made| path == Path::new("fuzz").join(made)) => {}
                true => folders.push(path),
            }
        }
    }
    files.sort();
    files
}

fn documents() -> impl Iterator<Item = (PathBuf, String)> {
    let files = files().into_iter();
    let documents = files.filter(|path| path.extension().is_some_and(|end| end == "md"));
    documents.map(|path| {
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        (path, text)
    })
}

#[test]
fn both_licences_are_here_and_named() {
    let package = &toml("Cargo.toml")["package"];
    assert_eq!(package["license"].as_str(), Some("MIT OR Apache-2.0"));
    // The text of https://www.apache.org/licenses/LICENSE-2.0.txt, without a change.
    assert_eq!(digest::of(read("LICENSE-APACHE").as_bytes()), APACHE);
    let mit = read("LICENSE-MIT");
    assert!(
        mit.starts_with("MIT License\n\nCopyright (c) The nullrouted authors\n\nPermission is")
    );
    assert!(mit.ends_with("OR THE USE OR OTHER DEALINGS IN THE\nSOFTWARE.\n"));
    let readme = read("README.md");
    let licence = readme.split("## Licence\n").nth(1).unwrap();
    for named in ["(LICENSE-MIT)", "(LICENSE-APACHE)"] {
        assert!(licence.contains(named), "{named}");
    }
}

const APACHE: &str = "cfc7749b96f63bd3";

#[test]
fn every_link_of_a_document_leads_to_a_file() {
    let mut links = 0;
    for (document, text) in documents() {
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            let file = link.split('#').next().unwrap();
            if file.is_empty() || link.contains("://") {
                continue;
            }
            let folder = repository().join(&document);
            let path = folder.parent().unwrap().join(file);
            assert!(path.exists(), "{}: {link}", document.display());
            links += 1;
        }
    }
    assert!(links > 15, "{links}");
}

/// A file that moves takes its name in the instructions along.
#[test]
fn every_file_that_contributing_names_is_there() {
    let text = read("CONTRIBUTING.md");
    let mut named = BTreeSet::new();
    for quoted in text.split('`').skip(1).step_by(2) {
        let path = quoted.split(' ').next().unwrap();
        let top = path.split('/').next().unwrap();
        // `NAME` stands for what a contributor adds.
        if path.contains('/') && repository().join(top).is_dir() && !path.contains("NAME") {
            assert!(repository().join(path).exists(), "{path}");
            named.insert(path);
        }
    }
    assert!(named.len() > 15, "{named:?}");
    // And what it says of a format and a family is so.
    for (file, words) in [
        (
            "src/feed/formats/mod.rs",
            &["enum Format", "NAMES", "fn read("][..],
        ),
        (
            "src/targets/file/family.rs",
            &["enum Family", "families! {", "struct Kind"],
        ),
        ("src/targets/mod.rs", &["trait Target", "pub fn all("]),
        ("src/cli/mod.rs", &["enum Verb"]),
        ("src/discover/source.rs", &["enum Source"]),
    ] {
        assert!(text.contains(&format!("`{file}`")), "{file}");
        for word in words {
            assert!(read(file).contains(word), "{file}: {word}");
        }
    }
}

/// `## [VERSION] - DATE`, the newest first; the first one may be unreleased. What breaks stands
/// before all else.
#[test]
fn the_changelog_has_versions_dates_and_what_breaks() {
    let text = read("CHANGELOG.md");
    let mut versions = 0;
    let mut newer = String::from("9999-99-99");
    for section in text.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap();
        let (version, date) = heading.split_once(" - ").expect(heading);
        let number = version.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
        let numbers = number.expect(heading).split('.').map(str::parse::<u32>);
        assert_eq!(numbers.filter(Result::is_ok).count(), 3, "{heading}");
        if date != "Unreleased" || versions > 0 {
            let digits = date.chars().filter(char::is_ascii_digit).count();
            let is_date = date.len() == 10 && digits == 8 && date.split('-').count() == 3;
            assert!(is_date && *date <= *newer, "{heading}");
            newer = date.to_owned();
        }
        let kinds = section.lines().filter_map(|line| line.strip_prefix("### "));
        let kinds: Vec<&str> = kinds.collect();
        let known = [
            "Breaking",
            "Added",
            "Changed",
            "Deprecated",
            "Removed",
            "Fixed",
            "Security",
        ];
        assert!(kinds.iter().all(|kind| known.contains(kind)), "{kinds:?}");
        let breaking = kinds.iter().position(|kind| *kind == "Breaking");
        assert!(breaking.is_none_or(|at| at == 0), "{heading}: {kinds:?}");
        versions += 1;
    }
    let newest = format!("\n## [{}] - ", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        text.find("\n## "),
        text.find(&newest),
        "the version of Cargo.toml is the newest"
    );
    assert!(versions > 0 && text.contains("\n### Breaking\n"));
}

/// `.ci/run` on a new machine: whatever stable Rust it has is taken, with what `tests/run` calls.
#[test]
fn the_toolchain_is_any_stable_one_with_what_tests_run_calls() {
    let toolchain = &toml("rust-toolchain.toml")["toolchain"];
    assert_eq!(toolchain["channel"].as_str(), Some("stable"));
    let components = toolchain["components"].as_array().unwrap();
    let run = read("tests/run");
    for (component, called) in [("rustfmt", "cargo fmt"), ("clippy", "cargo clippy")] {
        assert!(run.contains(called));
        assert!(
            components.iter().any(|c| c.as_str() == Some(component)),
            "{component}"
        );
    }
    // The documents name the oldest one.
    let package = &toml("Cargo.toml")["package"];
    let oldest = format!("{} or newer", package["rust-version"].as_str().unwrap());
    for document in ["README.md", "CONTRIBUTING.md"] {
        assert!(read(document).contains(&oldest), "{document}: {oldest}");
    }
}

/// Of `MIT OR Apache-2.0` one is enough, of `Apache-2.0 AND ISC` both are needed.
fn permits(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    // Outermost operators first: what stands between parentheses is one term.
    for (operator, all) in [(" OR ", false), (" AND ", true)] {
        let terms = terms(expression, operator);
        if terms.len() > 1 {
            let mut terms = terms.into_iter();
            return match all {
                true => terms.all(|term| permits(term, allowed)),
                false => terms.any(|term| permits(term, allowed)),
            };
        }
    }
    match expression
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inside) => permits(inside, allowed),
        None => allowed.contains(&expression),
    }
}

fn terms<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut terms, mut begin) = (Vec::new(), 0);
    for (at, _) in expression.match_indices(operator) {
        let before = &expression[..at];
        if before.matches('(').count() == before.matches(')').count() {
            terms.push(&expression[begin..at]);
            begin = at + operator.len();
        }
    }
    terms.push(&expression[begin..]);
    terms
}

#[test]
fn an_expression_of_licences_is_read_as_spdx_has_it() {
    let allowed = ["MIT", "ISC"];
    for (expression, permitted) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("Unlicense/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("(GPL-3.0-only OR MIT) AND ISC", true),
        ("(GPL-3.0-only OR Zlib) AND ISC", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
    ] {
        assert_eq!(permits(expression, &allowed), permitted, "{expression}");
    }
}

/// What `cargo deny` asks, for machines without it: `deny.toml` permits every crate that is
/// compiled, and no licence that none of them needs.
#[test]
fn the_licence_and_the_registry_of_every_crate_are_permitted() {
    let deny = toml("deny.toml");
    let list = |table: &str, key: &str| -> Vec<String> {
        let list = deny[table][key].as_array().unwrap().iter();
        list.map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let allowed = list("licenses", "allow");
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    let registries = list("sources", "allow-registry");
    let targets = list("graph", "targets");

    if !Path::new(env!("CARGO")).exists() {
        println!("no cargo here: the crates are not checked");
        return;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--offline", "--locked", "--format-version=1"]);
    cargo.args(["--filter-platform", &targets[0]]);
    let output = cargo.current_dir(repository()).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    let used = metadata["resolve"]["nodes"].as_array().unwrap().iter();
    let used: BTreeSet<&str> = used.map(|node| node["id"].as_str().unwrap()).collect();
    let used = packages
        .iter()
        .filter(|package| used.contains(package["id"].as_str().unwrap()));

    let mut needed = BTreeSet::new();
    for package in used {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(permits(licence, &allowed), "{name}: {licence}");
        for one in &allowed {
            let others: Vec<&str> = allowed
                .iter()
                .copied()
                .filter(|other| other != one)
                .collect();
            if !permits(licence, &others) {
                needed.insert(*one);
            }
        }
        match package["source"].as_str() {
            None => assert_eq!(name, "nullrouted"),
            Some(source) => {
                let registry = source.strip_prefix("registry+").unwrap_or(source);
                assert!(registries.iter().any(|r| r == registry), "{name}: {source}");
            }
        }
    }
    let unneeded = allowed.iter().filter(|one| !needed.contains(*one));
    assert_eq!(unneeded.collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// Whether `tests/run` asks cargo-deny is decided by whether it is there.
#[test]
fn tests_run_asks_cargo_deny_where_it_is_installed_and_says_where_it_is_not() {
    let run = read("tests/run");
    let begin = run.find("if command -v cargo-deny").unwrap();
    let step = &run[begin..begin + run[begin..].find("\nfi\n").unwrap() + 4];
    let programs = tempfile::tempdir().unwrap();
    let ask = || {
        let mut bash = Command::new("/bin/bash");
        bash.args(["-euo", "pipefail", "-c", step])
            .env("PATH", programs.path());
        let output = bash.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let none = "cargo-deny is not installed: tests/it/habits.rs checks the licences of all crates, \
                nothing checks bans and sources\n";
    assert_eq!(ask(), (Some(0), none.to_owned()));
    let script = |name: &str, text: &str| {
        let path = programs.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
    };
    script("cargo-deny", "");
    script("cargo", "echo \"$@\"; exit 3");
    let asked = "deny --offline check bans licenses sources\n".to_owned();
    assert_eq!(ask(), (Some(3), asked));
}

/// What `.editorconfig` says of every file: UTF-8, lines end with LF, and so does the file.
#[test]
fn text_ends_its_lines_as_editorconfig_says() {
    let config = read(".editorconfig");
    for rule in [
        "root = true",
        "end_of_line = lf",
        "insert_final_newline = true",
    ] {
        assert!(config.contains(rule), "{rule}");
    }
    let mut read = 0;
    for path in files() {
        let kept = [
            "tests/golden",
            "fuzz",
            "proptest-regressions",
            "tests/routers/found",
            "tests/fixtures",
        ];
        let text = fs::read(repository().join(&path)).unwrap();
        if kept.iter().any(|folder| path.starts_with(folder)) || text.is_empty() {
            continue;
        }
        let text = String::from_utf8(text).unwrap_or_else(|_| panic!("{}", path.display()));
        assert!(!text.contains("\r\n"), "{}: CRLF", path.display());
        assert!(
            text.ends_with('\n'),
            "{}: no newline at the end",
            path.display()
        );
        read += 1;
    }
    assert!(read > 500, "{read}");
}

/// Columns of the longest line of a comment.
const WIDEST: usize = 100;

/// Lines that are nothing but a comment, in Rust and in shell. Drawings stand in fences in Rust,
/// and tables behind three blanks in shell: both are as wide as they are.
fn wide_comments(path: &Path, text: &str) -> Vec<String> {
    let rust = path.extension().is_some_and(|end| end == "rs");
    let shell = path.extension().is_some_and(|end| end == "sh")
        || text
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("#!") && line.ends_with("sh"));
    let mut wide = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let comment = match rust {
            true => start.starts_with("//"),
            false => shell && start.starts_with('#') && !start.starts_with("#   "),
        };
        let inside = start.trim_start_matches(['/', '!', '#']).trim_start();
        let fence = rust && comment && inside.starts_with("```");
        fenced = comment && (fenced != fence);
        if comment && !fenced && line.chars().count() > WIDEST {
            wide.push(format!("{}:{}", path.display(), number + 1));
        }
    }
    wide
}

#[test]
fn what_is_no_prose_may_be_wide() {
    let long = "x ".repeat(50);
    let rust =
        format!("/// {long}\n/// ```text\n/// {long}\n/// ```\nlet a = \"{long}\"; // {long}\n");
    assert_eq!(wide_comments(Path::new("a.rs"), &rust), ["a.rs:1"]);
    let shell = format!("#!/bin/sh\n# {long}\n#   {long}\necho {long}\n    # {long}\n");
    assert_eq!(wide_comments(Path::new("run"), &shell), ["run:2", "run:5"]);
    let exactly = format!("// {}\n", "x".repeat(WIDEST - 3));
    assert!(wide_comments(Path::new("a.rs"), &exactly).is_empty());
}

#[test]
fn no_comment_is_wider_than_a_hundred_columns() {
    let mut wide = Vec::new();
    for path in files() {
        // The script stands in the file of a router as it is.
        let kept = path.starts_with("tests/golden") || path.ends_with("vyos/begin.sh");
        if !kept && let Ok(text) = fs::read_to_string(repository().join(&path)) {
            wide.extend(wide_comments(&path, &text));
        }
    }
    assert!(
        wide.is_empty(),
        "{} lines:\n{}",
        wide.len(),
        wide.join("\n")
    );
}

#[test]
fn the_example_says_what_would_be_in_force_and_why() {
    let now = Timestamp(1_790_000_000);
    let report = |list: &str, protected: &[&str]| {
        let protected: Vec<String> = protected.iter().map(ToString::to_string).collect();
        embed::report(list, &protected, now).map_err(|error| error.to_string())
    };
    let list = "192.0.2.0/25 # SBL1001\n192.0.2.128/25 # SBL1002\n203.0.113.0/24 # SBL1003\n\
                2001:db8:bad::/48 # SBL1004\n198.51.100.7/24\n0.0.0.0/0\n";
    assert_eq!(
        report(list, &["203.0.113.64/26"]).unwrap(),
        "192.0.2.0/24: dropped because of sample SBL1001 line 1, sample SBL1002 line 2\n\
         203.0.113.0/26: dropped because of sample SBL1003 line 3\n\
         203.0.113.128/25: dropped because of sample SBL1003 line 3\n\
         2001:db8:bad::/48: dropped because of sample SBL1004 line 4\n\
         203.0.113.0/24: not dropped in 203.0.113.64/26: our customers\n\
         0.0.0.0/0: refused: sample line 6\n\
         line 5: \"198.51.100.7/24\": host bits set, probably 198.51.100.0/24 was meant\n"
    );
    // More of all addresses than the limits permit: nothing of it is in force.
    let much: String = (20..60)
        .step_by(2)
        .map(|octet| format!("{octet}.0.0.0/8\n"))
        .collect();
    assert_eq!(
        report(&much, &[]).unwrap(),
        "held, nothing changes: sample: 7.8% of all IPv4 addresses (max_share_v4 5%)\n\
         held, nothing changes: all feeds: 7.8% of all IPv4 addresses (max_share_v4 5%)\n"
    );
    // An error page is no list.
    let page = report("<html>502 Bad Gateway</html>", &[]).unwrap_err();
    assert_eq!(page, "an HTML or XML page, not a list");
    assert!(report(list, &["203.0.113.9/240"]).is_err());
}

/// The map of the folders fits on three screens and names every folder of `src`.
#[test]
fn architecture_names_every_folder_in_at_most_120_lines() {
    let text = read("ARCHITECTURE.md");
    assert!(text.lines().count() <= 120, "{}", text.lines().count());
    for entry in fs::read_dir(repository().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // A module's folder may stand beside its file, which is named.
        let is_named =
            text.contains(&format!("`{name}/`")) || text.contains(&format!("`{name}.rs`"));
        assert!(!path.is_dir() || is_named, "{name}");
    }
}
