//! The commit and its date, for `--version`. Without git and `SOURCE_DATE_EPOCH` there is nothing.

use std::process::Command;

/// The output of a program, if it works.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rerun-if-changed=build.rs");
    // A package of the sources may lie inside of another repository.
    let of_this = std::path::Path::new(".git").exists();
    let git = |arguments: &[&str]| output("git", arguments).filter(|_| of_this);
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = git(&["log", "-1", "--format=%h"]);
    // https://reproducible-builds.org/specs/source-date-epoch/
    let date = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(epoch) => output("date", &["-u", "-d", &format!("@{epoch}"), "+%F"]),
        Err(_) => git(&["log", "-1", "--format=%cs"]),
    };
    let known: Vec<String> = [commit, date].into_iter().flatten().collect();
    let known = match known.is_empty() {
        true => String::new(),
        false => format!(" ({})", known.join(" ")),
    };
    println!("cargo::rustc-env=NULLROUTED_BUILT_FROM={known}");
}
