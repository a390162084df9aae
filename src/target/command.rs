//! Commands of the operator: check a file, load it, look whether it is in force (I/O).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Longest time for a command.
const LONGEST: Duration = Duration::from_secs(300);

/// So many lines of what it says are told.
const LINES: usize = 3;

/// Run a command, `{file}` in its arguments replaced; no command is success. Answers what it said, in one line;
/// empty where it said nothing.
///
/// # Errors
/// One line: how it ended, and what it said.
pub async fn run(command: &[String], file: &Path) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(String::new());
    };
    // A command may read it from another folder.
    let file = std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let file = file.to_string_lossy();
    let arguments = arguments.iter();
    let child = Command::new(program)
        .args(arguments.map(|argument| argument.replace("{file}", &file)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let output = match tokio::time::timeout(LONGEST, child.wait_with_output()).await {
        Ok(output) => output.map_err(|error| format!("{program}: {error}"))?,
        Err(_) => {
            let limit = LONGEST.as_secs();
            return Err(format!("{program} did not end within {limit} s"));
        }
    };
    let said = said(&[output.stderr, output.stdout].concat());
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{program} ended with {} ({said})", output.status)),
    }
}

/// The first lines that are not empty.
fn said(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first: Vec<_> = lines.by_ref().take(LINES).collect();
    let more = match lines.count() {
        0 => String::new(),
        more => format!("; and {more} more lines"),
    };
    format!("{}{more}", first.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(line: &str) -> Result<String, String> {
        let words = ["sh", "-c", line].map(str::to_owned);
        run(&words, Path::new("/x/edge1.conf")).await
    }

    #[tokio::test]
    async fn what_it_said_is_told_however_it_ended() {
        assert_eq!(sh("true").await, Ok(String::new()));
        assert_eq!(sh("echo {file} read").await.unwrap(), "/x/edge1.conf read");
        let error = sh("echo a; echo; echo b >&2; seq 5; exit 2").await;
        let told = "sh ended with exit status: 2 (b; a; 1; and 4 more lines)";
        assert_eq!(error.unwrap_err(), told);
        let none = run(&["/nonexistent/vtysh".to_owned()], Path::new("x")).await;
        let told = "/nonexistent/vtysh: No such file or directory (os error 2)";
        assert_eq!(none.unwrap_err(), told);
        assert_eq!(run(&[], Path::new("x")).await, Ok(String::new()));
    }
}
