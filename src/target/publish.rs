//! Router files onto the disk (I/O): whole or not at all.
//!
//! ```text
//!  equal? ──yes──► nothing      write beside ──► check ──► keep the old one ──► rename ──► reload
//!                                                 │ refused                                │ failed
//!                                                 └──► the old file is untouched           └──► the old file back, reload
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::config::RouterConfig;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The content was there and loaded already.
    Unchanged,
    /// The content was there; whether it had been loaded was not known, so it was loaded again.
    Loaded,
    /// The file was replaced and, where a command says so, loaded.
    Replaced,
}

/// Longest time for a check or reload command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);

/// Publish `text` as the file of `router`. `loaded` says that this very text was loaded before: a
/// program that dies between rename and reload leaves a file that is in place and not in force.
///
/// # Errors
/// One line: what failed, what the command said, and what is on disk now.
pub async fn publish(router: &RouterConfig, text: &str, loaded: bool) -> Result<Published, String> {
    let path = &router.path;
    let old = match fs::read(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    if old.as_deref() == Some(text.as_bytes()) {
        if loaded || router.reload.is_empty() {
            return Ok(Published::Unchanged);
        }
        let reloaded = run(&router.reload, path).await;
        return reloaded
            .map(|()| Published::Loaded)
            .map_err(|failure| format!("reload failed: {failure}; the file is in place"));
    }
    let beside = beside(path);
    let kept = "the old file stays";
    write_synced(&beside, text.as_bytes(), path)
        .map_err(|error| discard(&beside, format!("{}: {error}; {kept}", beside.display())))?;
    if let Err(refusal) = run(&router.check, &beside).await {
        return Err(discard(
            &beside,
            format!("check refused the new file: {refusal}; {kept}"),
        ));
    }
    replace(&beside, path)
        .map_err(|error| discard(&beside, format!("{}: {error}; {kept}", path.display())))?;
    if let Err(failure) = run(&router.reload, path).await {
        let back = put_back(router, old.as_deref()).await;
        return Err(format!("reload failed: {failure}; {back}"));
    }
    Ok(Published::Replaced)
}

/// The name beside the file: on the same file system, so that the rename is one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// Write and sync; the new file gets the mode of the one that it will replace.
fn write_synced(beside: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    let mut file = File::create(beside)?;
    if let Ok(metadata) = fs::metadata(like) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()
}

/// Rename, and sync the folder so that the name survives a power cut.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn discard(beside: &Path, message: String) -> String {
    let _ = fs::remove_file(beside);
    message
}

/// After a failed reload: the old content again, loaded again; or no file where there was none.
async fn put_back(router: &RouterConfig, old: Option<&[u8]>) -> String {
    let Some(old) = old else {
        return match fs::remove_file(&router.path) {
            Ok(()) => "there was no file before, so the new one is removed".to_owned(),
            Err(error) => format!("the new file could not be removed: {error}"),
        };
    };
    let beside = beside(&router.path);
    let restored =
        write_synced(&beside, old, &router.path).and_then(|()| replace(&beside, &router.path));
    if let Err(error) = restored {
        return discard(
            &beside,
            format!("the old file could not be put back: {error}"),
        );
    }
    match run(&router.reload, &router.path).await {
        Ok(()) => "the old file is back and loaded".to_owned(),
        Err(_) => "the old file is back, but loading it failed as well".to_owned(),
    }
}

/// Run a command, `{file}` in its arguments replaced; no command is success.
async fn run(command: &[String], file: &Path) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    let file = file.to_string_lossy();
    let child = Command::new(program)
        .args(
            arguments
                .iter()
                .map(|argument| argument.replace("{file}", &file)),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let output = match tokio::time::timeout(COMMAND_TIMEOUT, child.wait_with_output()).await {
        Ok(output) => output.map_err(|error| format!("{program}: {error}"))?,
        Err(_) => {
            let limit = COMMAND_TIMEOUT.as_secs();
            return Err(format!("{program} did not end within {limit} s"));
        }
    };
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<_> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(3)
        .collect();
    Err(format!(
        "{program} ended with {} ({})",
        output.status,
        lines.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::router::{Family, Role, Shape};

    fn router(path: &Path, check: &[&str], reload: &[&str]) -> RouterConfig {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        RouterConfig {
            name: "edge1".to_owned(),
            shape: Shape {
                family: Family::Frr,
                role: Role::Trigger,
            },
            path: path.to_owned(),
            check: words(check),
            reload: words(reload),
        }
    }

    fn files(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn equal_content_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frr.conf");
        let router = router(&path, &[], &[]);
        assert_eq!(
            publish(&router, "one\n", true).await,
            Ok(Published::Replaced)
        );
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(
            publish(&router, "one\n", true).await,
            Ok(Published::Unchanged)
        );
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(
            publish(&router, "two\n", true).await,
            Ok(Published::Replaced)
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(files(dir.path()), ["frr.conf"]);
    }

    #[tokio::test]
    async fn a_file_that_was_put_in_place_and_not_loaded_is_loaded_the_next_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frr.conf");
        let loaded = dir.path().join("loaded");
        let reload = format!("cp {{file}} {}", loaded.display());
        let router = router(&path, &[], &["sh", "-c", &reload]);
        fs::write(&path, "new\n").unwrap();
        assert_eq!(
            publish(&router, "new\n", true).await,
            Ok(Published::Unchanged)
        );
        assert!(!loaded.exists());
        assert_eq!(
            publish(&router, "new\n", false).await,
            Ok(Published::Loaded)
        );
        assert_eq!(fs::read_to_string(&loaded).unwrap(), "new\n");
    }

    #[tokio::test]
    async fn a_refused_file_never_replaces_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frr.conf");
        fs::write(&path, "old\n").unwrap();
        let check = [
            "sh",
            "-c",
            "grep -q old {file} || { echo 'line 1: % Unknown command' >&2; exit 2; }",
        ];
        let error = publish(&router(&path, &check, &[]), "new\n", false)
            .await
            .unwrap_err();
        assert_eq!(
            error,
            "check refused the new file: sh ended with exit status: 2 (line 1: % Unknown command); the old file stays"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
        assert_eq!(files(dir.path()), ["frr.conf"]);
    }

    #[tokio::test]
    async fn after_a_failed_reload_the_old_file_is_back_and_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frr.conf");
        fs::write(&path, "old\n").unwrap();
        let loaded = dir.path().join("loaded");
        let reload = format!("grep -q old {{file}} && cp {{file}} {}", loaded.display());
        let error = publish(&router(&path, &[], &["sh", "-c", &reload]), "new\n", false)
            .await
            .unwrap_err();
        assert!(
            error.ends_with("the old file is back and loaded"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
        assert_eq!(fs::read_to_string(&loaded).unwrap(), "old\n");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_one_clear_line() {
        let error = publish(
            &router(Path::new("/nonexistent/frr.conf"), &[], &[]),
            "x",
            false,
        )
        .await
        .unwrap_err();
        assert_eq!(
            error,
            "/nonexistent/.frr.conf.new: No such file or directory (os error 2); the old file stays"
        );
    }
}
