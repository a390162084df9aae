//! Run a program and read its output, line by line (I/O).

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::text::Reader;
use crate::shown;

/// A program that has not answered after this time is ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// At most this many bytes of its error output are kept, …
const COMPLAINT: u64 = 4_096;
/// … and at most this many characters of a line of it are shown.
const LONGEST_LINE: usize = 200;

/// Run a program and read its output, which may be long: only what is found in it is kept.
///
/// # Errors
/// In words: it cannot be run, takes longer than three seconds, or says that it failed.
pub async fn ask<R: Reader>(program: &Path, arguments: &[&str]) -> Result<R, String> {
    let mut reader = R::default();
    lines(program, arguments, PATIENCE, |line| reader.line(line)).await?;
    Ok(reader)
}

/// The same, and pass on each line, without its end, as it arrives.
///
/// # Errors
/// In words: it cannot be run, takes longer than `patience`, or says that it failed. Lines of it
/// may have been read.
pub async fn lines(
    program: &Path,
    arguments: &[&str],
    patience: Duration,
    read: impl FnMut(&str),
) -> Result<(), String> {
    match timeout(patience, run(program, arguments, read)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {patience:?}")),
    }
}

async fn run(
    program: &Path,
    arguments: &[&str],
    mut each: impl FnMut(&str),
) -> io::Result<Result<(), String>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read = async {
        let (mut last, mut line) = (String::new(), Vec::new());
        let Some(stdout) = stdout else {
            return Ok(last);
        };
        let mut stdout = BufReader::new(stdout);
        while stdout.read_until(b'\n', &mut line).await? > 0 {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            each(text);
            if !text.is_empty() {
                text.clone_into(&mut last);
            }
            line.clear();
        }
        Ok::<_, io::Error>(last)
    };
    let complaint = async {
        let mut said = Vec::new();
        if let Some(stderr) = stderr {
            stderr.take(COMPLAINT).read_to_end(&mut said).await?;
        }
        Ok::<_, io::Error>(String::from_utf8_lossy(&said).into_owned())
    };
    let (last, complaint) = tokio::try_join!(read, complaint)?;
    let status = child.wait().await?;
    if status.success() {
        return Ok(Ok(()));
    }
    let mut lines = complaint.lines().map(str::trim).chain([last.as_str()]);
    let why = lines.find(|line| !line.is_empty());
    let why = why.map(|why| shown::clipped(why, LONGEST_LINE));
    Ok(Err(why.unwrap_or_else(|| status.to_string())))
}
