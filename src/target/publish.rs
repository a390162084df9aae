//! Router files onto the disk (I/O): whole or not at all.
//!
//! ```text
//!  equal? ──yes──► nothing      write beside ──► check ──► rename ──► reload ──► verify
//!                                                 │ refused             └─────────┴── failed
//!                                                 └──► the old file is untouched   └──► the old file back, reload, verify
//! ```

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::command::run;
use crate::config::RouterConfig;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// The content was there and loaded already.
    Unchanged,
    /// The content was there; whether it had been loaded was not known, so it was loaded again.
    Loaded,
    /// The file was replaced and, where a command says so, loaded.
    Replaced,
}

/// What became of a file, and what the commands said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What became of it.
    pub became: Became,
    /// What those that loaded and verified it said, in one line; mostly nothing.
    pub said: String,
}

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
        // The router may have been started anew since, without what was loaded into it.
        let in_force = loaded && run(&router.verify, path).await.is_ok();
        if in_force || router.reload.is_empty() {
            let (became, said) = (Became::Unchanged, String::new());
            return Ok(Published { became, said });
        }
        let became = Became::Loaded;
        let loaded = load(router).await.map(|said| Published { became, said });
        return loaded.map_err(|failure| format!("{failure}; the file is in place"));
    }
    let beside = beside(path);
    let kept = match old {
        Some(_) => "the old file stays",
        None => "there is no file",
    };
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
    match load(router).await {
        Ok(said) => Ok(Published {
            became: Became::Replaced,
            said,
        }),
        Err(failure) => {
            let back = put_back(router, old.as_deref()).await;
            Err(format!("{failure}; {back}"))
        }
    }
}

/// Load the file, and look whether it is in force. Answers what was said.
async fn load(router: &RouterConfig) -> Result<String, String> {
    let failed = |what: &str, why| format!("{what} failed: {why}");
    let loaded = run(&router.reload, &router.path).await;
    let loaded = loaded.map_err(|why| failed("reload", why))?;
    let verified = run(&router.verify, &router.path).await;
    let verified = verified.map_err(|why| failed("verify", why))?;
    let said = [loaded, verified].into_iter();
    let said: Vec<_> = said.filter(|said| !said.is_empty()).collect();
    Ok(said.join("; "))
}

/// The name beside the file: on the same file system, so that the rename is one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// What a file has that replaces none: a router reads it as a user of its own.
const MODE: u32 = 0o644;

/// Write and sync; the new file gets the mode, the owner and the group of the one that it will replace. What stands at
/// its place, left by a pass that died or put there by somebody else, is not written into.
fn write_synced(beside: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).open(beside)?;
    match fs::metadata(like) {
        Ok(old) => {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(old.permissions())?;
        }
        Err(_) => file.set_permissions(Permissions::from_mode(MODE))?,
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
            Ok(()) => {
                "there was no file before, so the new one is removed; what the router took of it \
                       stays there"
                    .to_owned()
            }
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
    match load(router).await {
        Ok(_) => "the old file is back and loaded".to_owned(),
        Err(why) => format!("the old file is back, but loading it failed as well: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::router::{Family, Role, Shape};

    fn router(path: &Path, check: &[&str], reload: &[&str]) -> RouterConfig {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        RouterConfig {
            name: "edge1".to_owned(),
            shape: Shape::usual(Family::Frr, Role::Trigger),
            path: path.to_owned(),
            check: words(check),
            reload: words(reload),
            verify: Vec::new(),
        }
    }

    async fn became(router: &RouterConfig, text: &str, loaded: bool) -> Result<Became, String> {
        let published = publish(router, text, loaded).await;
        published.map(|published| published.became)
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
        assert_eq!(became(&router, "one\n", true).await, Ok(Became::Replaced));
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(became(&router, "one\n", true).await, Ok(Became::Unchanged));
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(became(&router, "two\n", true).await, Ok(Became::Replaced));
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
        assert_eq!(became(&router, "new\n", true).await, Ok(Became::Unchanged));
        assert!(!loaded.exists());
        assert_eq!(became(&router, "new\n", false).await, Ok(Became::Loaded));
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
            "/nonexistent/.frr.conf.new: No such file or directory (os error 2); there is no file"
        );
    }

    #[tokio::test]
    async fn a_router_that_lost_what_was_loaded_gets_it_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, held) = (dir.path().join("frr.conf"), dir.path().join("held"));
        let reload = format!("cp {{file}} {}", held.display());
        let mut router = router(&path, &[], &["sh", "-c", &reload]);
        let verify = format!("cmp -s {{file}} {}", held.display());
        router.verify = ["sh", "-c", &verify].map(str::to_owned).to_vec();
        assert_eq!(became(&router, "one\n", false).await, Ok(Became::Replaced));
        assert_eq!(became(&router, "one\n", true).await, Ok(Became::Unchanged));
        fs::remove_file(&held).unwrap();
        assert_eq!(became(&router, "one\n", true).await, Ok(Became::Loaded));
        assert_eq!(fs::read_to_string(&held).unwrap(), "one\n");
    }

    #[tokio::test]
    async fn a_first_file_that_is_not_taken_is_removed_and_it_is_said_what_stays() {
        let dir = tempfile::tempdir().unwrap();
        let router = router(&dir.path().join("frr.conf"), &[], &["false"]);
        let error = publish(&router, "new\n", false).await.unwrap_err();
        assert_eq!(
            error,
            "reload failed: false ended with exit status: 1 (); there was no file before, so the new one is removed; \
             what the router took of it stays there"
        );
        assert_eq!(files(dir.path()), [""; 0]);
        let checked = super::tests::router(&dir.path().join("frr.conf"), &["false"], &[]);
        let error = publish(&checked, "new\n", false).await.unwrap_err();
        assert!(error.ends_with("; there is no file"), "{error}");
    }

    #[tokio::test]
    async fn a_router_can_read_its_file_and_nobody_has_it_written_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frr.conf");
        let router = router(&path, &[], &[]);
        // A link at the place of the new file.
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, "theirs\n").unwrap();
        std::os::unix::fs::symlink(&elsewhere, beside(&path)).unwrap();
        publish(&router, "one\n", false).await.unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs\n");
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(mode(&path), 0o644);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let root = nix::unistd::geteuid().is_root();
        if root {
            std::os::unix::fs::chown(&path, Some(1), Some(2)).unwrap();
        }
        publish(&router, "two\n", false).await.unwrap();
        let new = fs::metadata(&path).unwrap();
        assert_eq!(mode(&path), 0o640);
        assert!(!root || (new.uid(), new.gid()) == (1, 2));
    }

    #[tokio::test]
    async fn what_the_commands_say_is_told_and_a_file_that_is_not_in_force_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frr.conf");
        let mut router = router(&path, &[], &["sh", "-c", "echo loaded {file}"]);
        router.verify = ["sh", "-c", "grep -v new {file}"]
            .map(str::to_owned)
            .to_vec();
        let published = publish(&router, "old\n", false).await.unwrap();
        assert_eq!(published.became, Became::Replaced);
        assert_eq!(published.said, format!("loaded {}; old", path.display()));
        let error = publish(&router, "new\n", false).await.unwrap_err();
        assert_eq!(
            error,
            "verify failed: sh ended with exit status: 1 (); the old file is back and loaded"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
    }
}
