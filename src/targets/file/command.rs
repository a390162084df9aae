//! Commands of the operator: check a file, load it, look whether it is in force (I/O).

use std::fmt;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use crate::allocator;
use crate::progress::Progress;
use crate::shown;

/// Longest time for a command.
const LONGEST: Duration = Duration::from_secs(300);

/// How long a command runs before a terminal shows it: most end sooner.
const SHOWN_AFTER: Duration = Duration::from_millis(500);
/// How long it runs before the log says so.
const SAID_AFTER: Duration = Duration::from_secs(5);
/// How often both are checked.
const TICK: Duration = Duration::from_millis(200);

/// Output lines kept in a message.
const LINES: usize = 3;
/// Longest of those lines, in characters.
const LONGEST_LINE: usize = 200;

/// Why a command did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its exit code, where it ended by itself.
    pub code: Option<i32>,
    /// What it said, in one line.
    pub said: String,
    /// How it ended and what it said, in one line.
    why: String,
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self {
            code: None,
            said: String::new(),
            why,
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Run a command, `{file}` in its arguments replaced by the one, `{delta}` by the other; no command
/// is success. Answers what it said, in one line; empty where it said nothing.
///
/// # Errors
/// One line: how it ended, and what it said.
pub async fn run(command: &[String], file: &Path, delta: &Path) -> Result<String, Failed> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(String::new());
    };
    // A command may read it from another folder.
    let absolute = |path: &Path| match std::path::absolute(path) {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    };
    let (file, delta) = (absolute(file)?, absolute(delta)?);
    let arguments = arguments.iter();
    let filled = |argument: &String| argument.replace("{file}", &file).replace("{delta}", &delta);
    let mut command = Command::new(program);
    // What the daemon set for its own allocator is not for the commands of the operator.
    for name in allocator::own_variables() {
        command.env_remove(name);
    }
    let child = command
        .args(arguments.map(filled))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let mut group = Group(child.id());
    let output = match tokio::time::timeout(LONGEST, child.wait_with_output()).await {
        Ok(output) => {
            group.0 = None;
            output.map_err(|error| format!("{program}: {error}"))?
        }
        Err(_) => {
            let limit = LONGEST.as_secs();
            return Err(format!("{program} did not end within {limit} s").into());
        }
    };
    let said = said(&[output.stderr, output.stdout].concat());
    match output.status.success() {
        true => Ok(said),
        false => Err(Failed {
            code: output.status.code(),
            why: format!("{program} ended with {} ({said})", output.status),
            said,
        }),
    }
}

/// Work that is the `command` of a router, shown while it lasts: on a terminal with the time, and
/// in the log by one line.
pub async fn watched<T>(
    progress: &Progress,
    router: &str,
    command: &str,
    work: impl Future<Output = T>,
) -> T {
    let begun = Instant::now();
    let mut work = pin!(work);
    let mut tick = tokio::time::interval(TICK);
    let (mut line, mut is_said) = (None, false);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = tick.tick() => {}
        }
        let runs = begun.elapsed();
        if runs >= SHOWN_AFTER {
            line.get_or_insert_with(|| progress.command(router, command))
                .tick();
        }
        if runs >= SAID_AFTER && !is_said {
            is_said = true;
            tracing::info!(
                "target={router}  {command} is still running after {} s; routers after this one wait for it, and it is \
                 ended after {} s",
                SAID_AFTER.as_secs(),
                LONGEST.as_secs()
            );
        }
    }
}

/// A command with all that it started; it ends with this, unless it has ended.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok()) {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// The first lines that are not empty, each clipped.
fn said(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let clipped = |line: &str| shown::clipped(line, LONGEST_LINE);
    let first: Vec<_> = lines.by_ref().take(LINES).map(clipped).collect();
    let more = match lines.count() {
        0 => String::new(),
        more => format!("; and {more} more lines"),
    };
    format!("{}{more}", first.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(line: &str) -> Result<String, Failed> {
        let words = ["sh", "-c", line].map(str::to_owned);
        run(&words, Path::new("/x/edge1.conf"), Path::new("/x/part")).await
    }

    #[tokio::test]
    async fn who_is_not_waited_for_ends_with_all_that_he_started() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("id");
        let line = format!("(echo $$ > {}; sleep 60; true) & wait", file.display());
        let words = ["sh", "-c", &line].map(str::to_owned);
        let soon = Duration::from_millis(500);
        let waited = tokio::time::timeout(soon, run(&words, Path::new("x"), Path::new("x"))).await;
        assert!(waited.is_err());
        let group = std::fs::read_to_string(&file).unwrap();
        let group = Pid::from_raw(group.trim().parse().unwrap());
        let begun = std::time::Instant::now();
        while killpg(group, None).is_ok() {
            // Until who adopted them has taken note.
            assert!(begun.elapsed() < Duration::from_secs(10), "still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn what_it_said_is_told_however_it_ended() {
        assert_eq!(sh("true").await, Ok(String::new()));
        assert_eq!(sh("echo {file} read").await.unwrap(), "/x/edge1.conf read");
        assert_eq!(sh("echo {delta} read").await.unwrap(), "/x/part read");
        let error = sh("echo a; echo; echo b >&2; seq 5; exit 2").await;
        let told = "sh ended with exit status: 2 (b; a; 1; and 4 more lines)";
        let failed = error.unwrap_err();
        assert_eq!(failed.to_string(), told);
        assert_eq!(failed.code, Some(2));
        assert_eq!(failed.said, "b; a; 1; and 4 more lines");
        let x = Path::new("x");
        let none = run(&["/nonexistent/vtysh".to_owned()], x, x).await;
        let told = "/nonexistent/vtysh: No such file or directory (os error 2)";
        assert_eq!(none.unwrap_err().to_string(), told);
        assert_eq!(run(&[], x, x).await, Ok(String::new()));
    }
}
