//! Logins over ssh, as recorded by logind, the C library and sshd itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::discover::network;

/// The remote address of a session in `/run/systemd/sessions`, if a user is logged in with it over
/// ssh. The names are those of `session_save` (systemd, src/login/logind-session.c). With
/// `UseDNS yes` sshd passes a name, which proves no address.
pub fn logind(text: &str) -> Option<IpNet> {
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    // "closing" is a session whose user has logged out and whose processes still run.
    let there = matches!(value("STATE"), Some("active" | "online"));
    let user = value("CLASS").is_some_and(|class| class.starts_with("user"));
    let sshd = value("SERVICE") == Some("sshd") && value("REMOTE") == Some("1");
    (there && user && sshd).then_some(())?;
    network::host(value("REMOTE_HOST")?.parse().ok()?)
}

/// `USER_PROCESS` (utmp.h).
const USER_PROCESS: i16 = 7;

/// Size of a record and offset of the address in it: `struct utmp` has the 32-bit layout where both
/// kinds of programs share the file (`__WORDSIZE_TIME64_COMPAT32`, bits/wordsize.h of glibc).
const RECORD: (usize, usize) = match cfg!(any(target_arch = "aarch64", target_arch = "riscv64")) {
    true => (400, 360),
    false => (384, 348),
};

/// The remote addresses of the logins in `/run/utmp` (utmp(5)).
pub fn utmp(bytes: &[u8]) -> Vec<IpNet> {
    let (size, at) = RECORD;
    let records = bytes.chunks_exact(size);
    let logins = records.filter(|record| {
        let kind: Option<&[u8; 2]> = record.first_chunk();
        kind.is_some_and(|kind| i16::from_ne_bytes(*kind) == USER_PROCESS)
    });
    let addresses = logins.filter_map(|record| {
        let bytes: [u8; 16] = record.get(at..at + 16)?.try_into().ok()?;
        // An IPv4 address is in the first word, and the others are zero.
        let ip = match bytes {
            [a, b, c, d, rest @ ..] if rest == [0; 12] => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            _ => IpAddr::V6(Ipv6Addr::from(bytes)),
        };
        network::host(ip)
    });
    addresses.collect()
}

/// Whether the title of a process says that it serves a logged-in user: `sshd: USER@TTY`, since
/// OpenSSH 9.8 `sshd-session: USER@TTY`. Before the login it is `sshd: USER [net]` or another word
/// in brackets (`do_authenticated2` in session.c, `privsep_preauth` in sshd.c).
pub fn title(title: &str) -> bool {
    let title = title.trim_end_matches([' ', '\0']);
    let serves = ["sshd: ", "sshd-session: "];
    let user = serves.iter().find_map(|name| title.strip_prefix(name));
    user.is_some_and(|user| user.contains('@') && !user.ends_with(']') && !user.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "# This is private data. Do not parse.\nUID=1000\nUSER=op\nACTIVE=1\nIS_DISPLAY=0\n\
        STATE=active\nREMOTE=1\nTYPE=tty\nORIGINAL_TYPE=tty\nCLASS=user\nSCOPE=session-3.scope\n\
        FIFO=/run/systemd/sessions/3.ref\nTTY=pts/0\nREMOTE_HOST=198.51.100.7\nSERVICE=sshd\nLEADER=901\n";

    fn shown(text: &str) -> Option<String> {
        logind(text).map(|net| net.to_string())
    }

    #[test]
    fn a_session_over_ssh_comes_from_an_address() {
        assert_eq!(shown(SESSION).as_deref(), Some("198.51.100.7/32"));
        let v6 = SESSION.replace("198.51.100.7", "2001:db8::7");
        assert_eq!(shown(&v6).as_deref(), Some("2001:db8::7/128"));
        for (from, to) in [
            ("STATE=active", "STATE=closing"),
            ("STATE=active", "STATE=opening"),
            ("SERVICE=sshd", "SERVICE=dovecot"),
            ("REMOTE=1", "REMOTE=0"),
            ("CLASS=user", "CLASS=greeter"),
            ("198.51.100.7", "gate.example"),
            ("REMOTE_HOST=", "OTHER="),
        ] {
            assert_eq!(shown(&SESSION.replace(from, to)), None, "{to}");
        }
        assert_eq!(shown(""), None);
    }

    fn record(kind: i16, address: [u8; 16]) -> Vec<u8> {
        let mut record = vec![0; RECORD.0];
        record[..2].copy_from_slice(&kind.to_ne_bytes());
        record[RECORD.1..RECORD.1 + 16].copy_from_slice(&address);
        record
    }

    #[test]
    fn logins_of_utmp_come_from_addresses() {
        let v4 = |last: u8| {
            let mut address = [0; 16];
            address[..4].copy_from_slice(&[198, 51, 100, last]);
            address
        };
        let v6: [u8; 16] = "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets();
        let file = [
            record(7, v4(7)),
            record(8, v4(8)),
            record(6, v4(9)),
            record(7, [0; 16]),
            record(7, v6),
            vec![7; 100],
        ];
        let nets: Vec<String> = utmp(&file.concat())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(nets, ["198.51.100.7/32", "2001:db8::7/128"]);
        assert!(utmp(&[]).is_empty());
    }

    #[test]
    fn the_title_of_sshd_tells_who_is_logged_in() {
        for logged_in in [
            "sshd: op@pts/0\0\0\0",
            "sshd: root@notty     ",
            "sshd-session: op@pts/3",
            "sshd: op@example.net@pts/0",
        ] {
            assert!(title(logged_in), "{logged_in}");
        }
        for not_yet in [
            "sshd: [accepted]",
            "sshd: op [priv]",
            "sshd: op@example.net [net]",
            "sshd: unknown [preauth]",
            "sshd-auth: op@pts/0",
            "sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups",
            "nginx: op@pts/0",
            "",
        ] {
            assert!(!title(not_yet), "{not_yet}");
        }
    }
}
