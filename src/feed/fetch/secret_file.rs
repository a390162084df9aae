//! Where a secret is: a file, or a credential that systemd passes to the service (I/O).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Url;

use super::is_this_machine;
use crate::feed::Refused;
use crate::files;
use crate::time::Timestamp;

/// Largest file with a secret, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// What a credential begins with in the configuration.
const CREDENTIAL: &str = "credential:";

/// The directory that systemd makes for the service (systemd.exec(5), "Credentials").
const DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// A file with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFile {
    Path(PathBuf),
    /// By the name of the credential.
    Credential(String),
}

impl SecretFile {
    /// As the configuration writes it; a path is relative to `base`.
    ///
    /// # Errors
    /// Why a name is none of a credential.
    pub fn read(text: &str, base: &Path) -> Result<Self, &'static str> {
        let Some(name) = text.strip_prefix(CREDENTIAL) else {
            return Ok(Self::Path(base.join(text)));
        };
        // systemd.exec(5): a credential has the name of a file.
        match name.is_empty() || name.contains('/') || [".", ".."].contains(&name) {
            true => Err("is no name of a credential"),
            false => Ok(Self::Credential(name.to_owned())),
        }
    }

    /// The path, unless it is a credential.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Credential(_) => None,
        }
    }

    /// Where it is for this process.
    ///
    /// # Errors
    /// There are no credentials here.
    pub fn place(&self) -> io::Result<PathBuf> {
        match self {
            Self::Path(path) => Ok(path.clone()),
            Self::Credential(name) => match std::env::var_os(DIRECTORY) {
                Some(folder) => Ok(Path::new(&folder).join(name)),
                None => Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "$CREDENTIALS_DIRECTORY is not set: systemd sets it for the service alone",
                )),
            },
        }
    }

    /// Its only line, without the end.
    ///
    /// # Errors
    /// [`Refused::Unreachable`], naming the file, never what it holds; `key` names it.
    pub(super) async fn line(&self, key: &str) -> Result<String, Refused> {
        let place = self.place().map_err(|error| self.unusable(key, error))?;
        let text = files::within_async(&place, files::PATIENCE, text);
        self.only_line(key, text.await)
    }

    /// The URL that it holds.
    ///
    /// # Errors
    /// As [`Self::line`], and for a URL that is not fetched.
    pub async fn url(&self) -> Result<Url, Refused> {
        self.fetched(&self.line(Self::URL).await?)
    }

    /// The same, blocking, where nothing may wait for the file system for longer than this.
    ///
    /// # Errors
    /// As [`Self::url`].
    pub fn url_within(&self, limit: Duration) -> Result<Url, Refused> {
        let key = Self::URL;
        let place = self.place().map_err(|error| self.unusable(key, error))?;
        let text = files::within(&place, limit, text);
        self.fetched(&self.only_line(key, text)?)
    }

    fn only_line(&self, key: &str, text: io::Result<String>) -> Result<String, Refused> {
        let mut text = text.map_err(|error| self.unusable(key, error))?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            return Err(self.unusable(key, "empty"));
        }
        // RFC 7617, section 2, and RFC 9110, section 5.5: no control characters.
        if text.contains(char::is_control) {
            return Err(self.unusable(key, "more than one line of text"));
        }
        Ok(text)
    }

    /// The URL of its line, if it is one that is fetched.
    fn fetched(&self, line: &str) -> Result<Url, Refused> {
        let key = Self::URL;
        let url = line.parse::<Url>();
        let url = url.map_err(|error| self.unusable(key, error))?;
        let why = match url.scheme() {
            "https" => None,
            "http" if is_this_machine(&url) => None,
            "http" => Some("http to another machine, for all to read; permitted is https"),
            _ => Some("neither https nor http"),
        };
        let named = !url.username().is_empty() || url.password().is_some();
        let named = named.then_some("a name or password in it; user and password_file give them");
        match why.or(named) {
            Some(why) => Err(self.unusable(key, why)),
            None => Ok(url),
        }
    }

    /// Whether it was written before this time: what it holds is what it held then.
    pub fn is_older_than(&self, at: Timestamp) -> bool {
        let modified = self.place().and_then(|place| {
            files::within(&place, files::PATIENCE, |place| {
                place.metadata()?.modified()
            })
        });
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
        let modified = modified.ok().and_then(seconds);
        // The time of a file is that of the last tick of the clock: it may be of the second before.
        modified.is_some_and(|since| (since.as_secs() as i64) + 1 < at.0)
    }

    /// The key of a file with a URL.
    pub const URL: &str = "url_file";

    pub(super) fn unusable(&self, key: &str, why: impl fmt::Display) -> Refused {
        Refused::Unreachable(format!("{key}: {self}: {why}; not asked"))
    }
}

fn text(place: &Path) -> io::Result<String> {
    files::read_text(place, MAX_BYTES)
}

impl fmt::Display for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Credential(name) => write!(f, "{CREDENTIAL}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SecretFile, &'static str> {
        SecretFile::read(text, Path::new("/etc/nullrouted"))
    }

    #[test]
    fn a_credential_has_the_name_of_a_file() {
        assert_eq!(
            read("key"),
            Ok(SecretFile::Path("/etc/nullrouted/key".into()))
        );
        let credential = read("credential:abusech").unwrap();
        assert_eq!(credential, SecretFile::Credential("abusech".to_owned()));
        assert_eq!(credential.to_string(), "credential:abusech");
        for text in [
            "credential:",
            "credential:.",
            "credential:..",
            "credential:a/b",
        ] {
            assert_eq!(read(text), Err("is no name of a credential"), "{text}");
        }
    }

    #[test]
    fn a_url_is_read_and_never_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let file = SecretFile::Path(dir.path().join("url"));
        let url = |text: &str| {
            std::fs::write(dir.path().join("url"), text).unwrap();
            file.url_within(files::PATIENCE)
        };
        for good in [
            "https://lists.example.net/hush/list\n",
            "http://127.0.0.1:8080/hush",
        ] {
            assert_eq!(url(good).unwrap().as_str(), good.trim());
        }
        for (bad, why) in [
            ("hush", "relative URL without a base"),
            ("ftp://lists.example.net/hush", "neither https nor http"),
            (
                "http://lists.example.net/hush",
                "http to another machine, for all to read; permitted is https",
            ),
            (
                "https://hush:hush@lists.example.net/",
                "a name or password in it; user and password_file give them",
            ),
            (
                "https://a.example/hush\nhttps://b.example/\n",
                "more than one line of text",
            ),
            ("\n", "empty"),
        ] {
            let told = url(bad).unwrap_err().to_string();
            assert_eq!(told, format!("url_file: {file}: {why}; not asked"));
        }
    }
}
