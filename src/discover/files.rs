//! Resolvers in files of the system (I/O).

use std::io;

use tokio::task::spawn_blocking;

use super::text::resolv;
use super::{Answer, Found, Root};

/// The file that the C library reads, and the one with the real resolvers if systemd-resolved is in
/// use.
const RESOLVERS: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// The system's resolvers. A missing file shows none; one that cannot be read is a part that
/// failed.
pub async fn resolvers(root: &Root) -> Answer {
    let root = root.clone();
    blocking(move || {
        let mut shown = Answer::default();
        for file in RESOLVERS {
            let why = format!("resolver in {file}");
            let all = &mut shown.found;
            let read = root.lines(file, |line| {
                let new = resolv::nameserver(line)
                    .filter(|net| all.iter().all(|found| found.net() != Some(*net)));
                all.extend(new.map(|net| Found::new(net, &*why)));
            });
            if let Err(cause) = if_there(file, read) {
                shown.fail(Some(&why), cause);
            }
        }
        shown
    })
    .await
}

/// The error of reading a file that may be missing.
pub(super) fn if_there(file: &str, read: io::Result<()>) -> Result<(), String> {
    match read {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("{file}: {error}")),
        _ => Ok(()),
    }
}

/// Read on a thread of its own: a file may be long (`/proc/net/tcp` has a line for every
/// connection) or slow.
pub(super) async fn blocking(read: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    let failed = |error| Answer::error(format!("not read: {error}"));
    spawn_blocking(read).await.unwrap_or_else(failed)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::discover::Cause;

    fn place(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = Root::at(dir.path());
        (dir, root)
    }

    fn said(shown: &Answer) -> Vec<String> {
        let said = |found: &Found| format!("{} {}", found.item, found.why);
        shown.found.iter().map(said).collect()
    }

    /// The only part that failed.
    fn failed(shown: &Answer) -> (Option<&str>, &str) {
        match shown.failed.as_slice() {
            [one] => match &one.cause {
                Cause::Error(text) => (one.why.as_deref(), text),
                _ => panic!("{shown:?}"),
            },
            _ => panic!("{shown:?}"),
        }
    }

    #[tokio::test]
    async fn resolvers_stand_in_two_files_and_either_may_be_missing() {
        let (_dir, root) = place(&[]);
        assert_eq!(resolvers(&root).await, Answer::default());
        let (_dir, root) = place(&[
            (
                "etc/resolv.conf",
                "nameserver 127.0.0.53\nnameserver 192.0.2.1\n",
            ),
            (
                "run/systemd/resolve/resolv.conf",
                "nameserver 192.0.2.1\nnameserver 2001:db8::53\n",
            ),
        ]);
        assert_eq!(
            said(&resolvers(&root).await),
            [
                "192.0.2.1/32 resolver in /etc/resolv.conf",
                "2001:db8::53/128 resolver in /run/systemd/resolve/resolv.conf"
            ]
        );
        let (_dir, root) = place(&[
            ("etc/resolv.conf/a-folder", ""),
            ("run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n"),
        ]);
        let half = resolvers(&root).await;
        assert_eq!(half.found.len(), 1, "the other is shown");
        let (why, cause) = failed(&half);
        assert_eq!(why, Some("resolver in /etc/resolv.conf"));
        assert!(cause.starts_with("/etc/resolv.conf: "), "{cause}");
    }
}
