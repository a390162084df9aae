//! Authentication of a request (I/O): secrets are read from their files when they are used.
//!
//! A secret is put into a header marked as sensitive and nowhere else: messages name its file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Identity, RequestBuilder};

use super::secret_file::{MAX_BYTES, SecretFile};
use crate::feed::Refused;
use crate::files;

const CLIENT_CERTIFICATE: &str = "client_certificate_file";

/// The authentication of a feed. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// PEM file with a client certificate, its chain and its key.
    pub client_certificate: Option<SecretFile>,
    /// The secret of the request.
    pub secret: Option<Secret>,
}

/// A secret by the file it is in, and how it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// HTTP basic authentication (RFC 7617).
    Basic {
        /// The name.
        user: String,
        password_file: SecretFile,
    },
    /// A bearer token (RFC 6750), in this file.
    Bearer(SecretFile),
    /// `X-Api-Key`, in this file.
    ApiKey(SecretFile),
    /// A header of the publisher's own.
    Header {
        /// Its name.
        name: HeaderName,
        file: SecretFile,
    },
}

/// A secret that was read, for every request to the feed's own host. It has no `Debug`, so it is
/// never printed.
pub(super) enum OpenedSecret {
    /// There is none.
    Nothing,
    /// A name and a password.
    Basic(String, String),
    /// A header, marked as sensitive.
    Header(HeaderName, HeaderValue),
}

impl Access {
    /// The files that hold secrets, each with the key that names it.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &SecretFile)> {
        let certificate = self.client_certificate.as_ref();
        let secret = self.secret.as_ref().map(Secret::file);
        certificate
            .map(|file| (CLIENT_CERTIFICATE, file))
            .into_iter()
            .chain(secret)
    }

    /// Read the secret of the request.
    ///
    /// # Errors
    /// [`Refused::Unreachable`], naming the file.
    pub(super) async fn open(&self) -> Result<OpenedSecret, Refused> {
        let Some(secret) = &self.secret else {
            return Ok(OpenedSecret::Nothing);
        };
        let (key, file) = secret.file();
        let text = file.line(key).await?;
        let (name, value) = match secret {
            Secret::Basic { user, .. } => return Ok(OpenedSecret::Basic(user.clone(), text)),
            Secret::Bearer(_) => (AUTHORIZATION, format!("Bearer {text}")),
            Secret::ApiKey(_) => (HeaderName::from_static("x-api-key"), text),
            Secret::Header { name, .. } => (name.clone(), text),
        };
        // RFC 9110, section 5.5: beyond ASCII a header has no agreed meaning.
        let value = Some(value).filter(|value| value.is_ascii());
        let value = value.and_then(|value| HeaderValue::try_from(value).ok());
        let mut value = value.ok_or_else(|| file.unusable(key, "not plain ASCII"))?;
        value.set_sensitive(true);
        Ok(OpenedSecret::Header(name, value))
    }

    /// Read the client certificate, where there is one.
    ///
    /// # Errors
    /// [`Refused::Unreachable`], naming the file.
    pub(super) async fn identity(&self) -> Result<Option<Identity>, Refused> {
        let Some(file) = &self.client_certificate else {
            return Ok(None);
        };
        let key = CLIENT_CERTIFICATE;
        let place = file.place().map_err(|error| file.unusable(key, error))?;
        let pem = files::within_async(&place, files::PATIENCE, |place| {
            files::read(place, MAX_BYTES)
        });
        let pem = pem.await.map_err(|error| file.unusable(key, error))?;
        let identity = Identity::from_pem(&pem);
        identity
            .map(Some)
            .map_err(|_| file.unusable(key, "no certificate with its key, both as PEM"))
    }
}

impl OpenedSecret {
    /// The request, with the secret.
    pub(super) fn put(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nothing => request,
            Self::Basic(user, password) => request.basic_auth(user, Some(password)),
            Self::Header(name, value) => request.header(name, value),
        }
    }
}

impl Secret {
    /// The key that names the file, and the file.
    pub fn file(&self) -> (&'static str, &SecretFile) {
        match self {
            Self::Basic { password_file, .. } => ("password_file", password_file),
            Self::Bearer(file) => ("bearer_file", file),
            Self::ApiKey(file) => ("api_key_file", file),
            Self::Header { file, .. } => ("header", file),
        }
    }
}

/// What is wrong with the permissions of a secret, if anything; it is used nevertheless.
pub fn open_to_all(key: &str, file: &Path) -> Option<String> {
    // A file that cannot be read is reported when it is read.
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o007 != 0).then(|| {
        let file = file.display();
        format!("{key}: {file} is open to every user (mode {mode:04o}) and used all the same")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a bearer token in a file with this content.
    fn bearer(content: &[u8]) -> Result<HeaderValue, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, content).unwrap();
        let access = Access {
            secret: Some(Secret::Bearer(SecretFile::Path(file.path().to_owned()))),
            ..Access::default()
        };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        match runtime.block_on(access.open()) {
            Ok(OpenedSecret::Header(_, value)) => Ok(value),
            Ok(_) => panic!("a token is a header"),
            Err(refused) => {
                let text = refused.to_string();
                let why = text.strip_prefix(&format!("bearer_file: {}: ", file.path().display()));
                Err(why.unwrap().to_owned())
            }
        }
    }

    #[test]
    fn a_secret_is_a_line_without_its_end_and_is_not_shown() {
        for content in ["hush", "hush\n", "hush\r\n"] {
            let value = bearer(content.as_bytes()).unwrap();
            assert_eq!(value, "Bearer hush");
            assert!(!format!("{value:?}").contains("hush"));
        }
        assert_eq!(bearer(b" a b \n").unwrap(), "Bearer  a b ");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_never_quoted() {
        for (content, why) in [
            (&b""[..], "empty; not asked"),
            (b"\n", "empty; not asked"),
            (b"a\nb\n", "more than one line of text; not asked"),
            (b"a\n\n", "more than one line of text; not asked"),
            ("h\u{e4}sh".as_bytes(), "not plain ASCII; not asked"),
            (b"\xff", "this is no UTF-8 text; not asked"),
        ] {
            assert_eq!(bearer(content).unwrap_err(), why);
        }
    }

    #[test]
    fn a_secret_that_every_user_can_read_is_reported() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let noticed = |mode| {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            open_to_all("bearer_file", file.path())
        };
        assert_eq!(noticed(0o600), None);
        assert_eq!(noticed(0o640), None, "a group may be the daemon's own");
        let line = noticed(0o644).unwrap();
        assert!(line.ends_with(" is open to every user (mode 0644) and used all the same"));
    }
}
