//! Which neighbors of a trigger may be sent what is listed: a line in the head of its file, and the
//! part of the default `verify` that compares it with what the router sent.
//!
//! ```text
//!  file ──► "may ADDRESS ...", "listed PREFIX" ──┐
//!                                                ├──► LEAKS ──► a line for each neighbor that may not have it, exit 3
//!  router ──► "sent ADDRESS ibgp PREFIX" ────────┘
//! ```

use std::net::IpAddr;

use crate::targets::file::FileOptions;
use crate::targets::file::options::AnnounceTo;

/// The line of the head. `verify` reads it: it is the only place of the file that names the
/// neighbors.
pub fn line(options: &FileOptions) -> String {
    let to = match (options.announce_to, options.neighbors.as_slice()) {
        (AnnounceTo::Ibgp, []) if options.family.kind().needs_neighbors => NONE.to_owned(),
        (AnnounceTo::Ibgp, []) => "every iBGP neighbor".to_owned(),
        (AnnounceTo::Ibgp, named) => format!("the iBGP neighbors {}", joined(named)),
        (AnnounceTo::Ebgp, named) => format!("the neighbors {}", joined(named)),
    };
    format!("Sends:  to {to} and to no other\n")
}

/// Of a family whose neighbors must be named, where none is: its configuration is refused, and its
/// file sends nothing.
const NONE: &str = "none of the neighbors";

/// Addresses as a list.
pub fn joined(neighbors: &[IpAddr]) -> String {
    let neighbors: Vec<_> = neighbors.iter().map(ToString::to_string).collect();
    neighbors.join(", ")
}

/// For `sed -n`: the line as `may ...`.
pub const MAY: &str = r"s/^. Sends:  to \(.*\) and to no other$/may \1/p";

/// For `awk`: of `may ...`, `listed PREFIX` and `sent ADDRESS KIND PREFIX`, in this order, makes a
/// line for each neighbor that was sent what is listed and may not have it, and ends with 3 where
/// there is one. KIND is `ibgp`, `ebgp` or `any`. `least` is what stands before the number where
/// only some prefixes were looked at.
pub const LEAKS: &str = include_str!("leaks.awk");

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::targets::file::{Family, Role};

    /// What is said of these, and how it ends. `line` as it stands in a file.
    fn judged(line: &str, sent: &str) -> (String, Option<i32>) {
        let mut sed = Command::new("sh");
        let script = r#"{ printf '# %s' "$1" | sed -n "$3"; echo 'listed 192.0.2.0/24'; echo 'listed 2001:db8::/32'; cat; } | awk "$2""#;
        sed.args(["-c", script, "sh", line, LEAKS, MAY]);
        let mut child = sed
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(sent.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (said, output.status.code())
    }

    fn options(announce_to: AnnounceTo, neighbors: &[&str]) -> FileOptions {
        FileOptions {
            announce_to,
            neighbors: neighbors.iter().map(|one| one.parse().unwrap()).collect(),
            ..FileOptions::usual(Family::Bird, Role::Trigger)
        }
    }

    const SENT: &str = "\
sent 198.51.100.1 ibgp 192.0.2.0/24
sent 198.51.100.2 ibgp 192.0.2.0/24
sent 198.51.100.2 ibgp 2001:db8::/32
sent 198.51.100.2 ibgp 203.0.113.0/24
sent 2001:db8::9 ebgp 2001:db8::/32
sent 198.51.100.3 ebgp 203.0.113.0/24
sent 198.51.100.4 any 192.0.2.0/24
";

    #[test]
    fn a_neighbor_that_is_not_named_and_was_sent_what_is_listed_is_told_with_a_cure() {
        let second = "198.51.100.2 (iBGP) may not have blackholes and is sent 2, such as 192.0.2.0/24: refuse them to it, \
                      or name it in neighbors\n";
        let third = "2001:db8::9 (eBGP) may not have blackholes and is sent 1, such as 2001:db8::/32: refuse them to it, \
                     or name it in neighbors";
        let fourth = "198.51.100.4 may not have blackholes and is sent 1, such as 192.0.2.0/24: refuse them to it, \
                      or name it in neighbors\n";
        let to_ebgp = ", with announce_to = \"ebgp\"\n";
        for (announce_to, neighbors, line, expected) in [
            (
                AnnounceTo::Ibgp,
                &[][..],
                "every iBGP neighbor",
                format!("{third}{to_ebgp}"),
            ),
            (
                AnnounceTo::Ibgp,
                &["198.51.100.1", "2001:db8::9"],
                "the iBGP neighbors 198.51.100.1, 2001:db8::9",
                format!("{second}{third}{to_ebgp}{fourth}"),
            ),
            (
                AnnounceTo::Ebgp,
                &["198.51.100.1", "2001:db8::9"],
                "the neighbors 198.51.100.1, 2001:db8::9",
                format!("{second}{fourth}"),
            ),
            (
                AnnounceTo::Ebgp,
                &[
                    "198.51.100.1",
                    "198.51.100.2",
                    "198.51.100.4",
                    "2001:db8::9",
                ],
                "the neighbors 198.51.100.1, 198.51.100.2, 198.51.100.4, 2001:db8::9",
                String::new(),
            ),
        ] {
            let shown = super::line(&options(announce_to, neighbors));
            assert_eq!(shown, format!("Sends:  to {line} and to no other\n"));
            let code = if expected.is_empty() { 0 } else { 3 };
            assert_eq!(judged(&shown, SENT), (expected, Some(code)));
        }
        // GoBGP does not know iBGP.
        let gobgp = FileOptions::usual(Family::GoBgp, Role::Trigger);
        let nobody = super::line(&gobgp);
        assert_eq!(nobody, "Sends:  to none of the neighbors and to no other\n");
        let (said, code) = judged(&nobody, SENT);
        assert_eq!((said.lines().count(), code), (4, Some(3)), "{said}");
        let anybody = super::line(&options(AnnounceTo::Ebgp, &["198.51.100.1"]));
        assert_eq!(judged(&anybody, ""), (String::new(), Some(0)));
    }
}
