//! `[protect]`: space that is never dropped, typed or in files that must be complete.

use std::path::Path;

use toml::Spanned;

use super::Check;
use crate::config::model::TypedProtect;
use crate::config::{ReadFile, written};
use crate::discover::Source;
use crate::feed::formats::{Format, Rules, parse_body};
use crate::policy::protect::Protected;
use crate::prefix::{HostBits, PrefixSet, parse};

impl Check<'_> {
    pub(super) fn protect(
        &mut self,
        written: &written::Protect,
        read: ReadFile,
    ) -> (Vec<Protected>, TypedProtect) {
        let mut protected = Vec::new();
        let mut typed = TypedProtect::default();
        for prefix in &written.prefixes {
            match parse(prefix.get_ref(), HostBits::Refuse) {
                Ok(meaning) => {
                    let nets = PrefixSet::of_written([meaning]);
                    protected.extend(nets.nets().map(|net| Protected {
                        net,
                        why: "[protect] prefixes".to_owned(),
                    }));
                }
                Err(reason) => {
                    let message = format!("prefixes: {:?}: {reason}", prefix.get_ref());
                    self.problem(prefix.span(), message);
                }
            }
            typed.prefixes.push(prefix.get_ref().clone());
        }
        for written in &written.asns {
            let asn = Some(written.clone());
            typed
                .asns
                .extend(self.number::<u32>("asns", &asn, 1..=i64::from(u32::MAX)));
        }
        for file in &written.files {
            let path = self.path(file);
            match protect_file(&path, read) {
                Ok(found) => protected.extend(found),
                Err(why) => {
                    let hint = "a file that protects must be whole: every line counts";
                    let message = format!("files: {}: {why}", path.display());
                    self.hinted(file.span(), message, hint);
                }
            }
            typed.files.push(path);
        }
        typed.discover = self.discover(written.discover.as_deref());
        (protected, typed)
    }

    fn discover(&mut self, written: Option<&[Spanned<String>]>) -> Vec<Source> {
        let Some(written) = written else {
            return Source::DEFAULT.to_vec();
        };
        let mut sources = Vec::new();
        for word in written {
            let source = self.one_of("discover", word, &Source::NAMES);
            sources.extend(source.filter(|source| !sources.contains(source)));
        }
        sources
    }
}

/// A plain list that must be complete: with one invalid line it would protect less than the
/// operator expects.
fn protect_file(path: &Path, read: ReadFile) -> Result<Vec<Protected>, String> {
    let body = read(path).map_err(|error| error.to_string())?;
    let rules = Rules {
        may_be_empty: true,
        ..Rules::of(Format::Cidr)
    };
    let copy = parse_body(&body, &rules).map_err(|refused| refused.to_string())?;
    if let Some(rejection) = copy.rejections.first() {
        return Err(rejection.to_string());
    }
    let why = |line: u32, reference: &str| match reference {
        "" => format!("{} line {line}", path.display()),
        reference => format!("{} line {line}: {reference}", path.display()),
    };
    let v4 = copy.v4.iter().map(|e| Protected {
        net: e.prefix().to_net(),
        why: why(e.line, copy.reference(e)),
    });
    let v6 = copy.v6.iter().map(|e| Protected {
        net: e.prefix().to_net(),
        why: why(e.line, copy.reference(e)),
    });
    Ok(v4.chain(v6).collect())
}
