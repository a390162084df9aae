//! What was broken: configuration, ledger, lock, other files, limits and surroundings.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use super::ground::{Ground, MARK};
use crate::support::cases::{Case, case};
use crate::support::{NOC, faketime, left_out};

pub const TABLE: &str = "Situations";

const ASN: &str = "[asn]\ntable = \"asn.tsv\"\n";
const ROUTER: &str = "[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n";

macro_rules! rows {
    ($($id:literal, $what:literal, $run:expr;)*) => {
        pub const IDS: &[&str] = &[$($id),*];
        pub fn cases() -> Vec<Case> {
            vec![$(case(TABLE, $id, $what, $run)),*]
        }
    };
}

/// Break it, flush, and see that it is complete, or incomplete and says this.
fn row(more: &str, by: impl FnOnce(&Ground), says: Option<&[&str]>) {
    let Some(ground) = Ground::new(more) else {
        return;
    };
    by(&ground);
    let ran = ground.flush();
    ground.is_flushed(&ran, i32::from(says.is_some()), says.unwrap_or_default());
}

const WELL: Option<&[&str]> = None;

/// Behind these words, with nothing broken.
fn under(before: &[&str], code: i32, says: &[&str]) {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let ran = ground.flush_by(before, |command| command);
    ground.is_flushed(&ran, code, says);
}

fn by_clock(at: &str) {
    let Some(library) = faketime::library() else {
        return;
    };
    let preload = format!("LD_PRELOAD={}", library.display());
    let time = format!("FAKETIME={at}");
    under(
        &["env", &preload, &time, "FAKETIME_DONT_FAKE_MONOTONIC=1"],
        0,
        &[],
    );
}

rows! {
    "config intact", "nothing is broken", || row("", |_| {}, WELL);
    "config syntax at the end", "a line that is no TOML", || row("",
        |ground| ground.wrap_config("", "\nthis is = not [ toml\n"),
        Some(&["flushing by what could be read: table 254, protocol 166, blackhole"]));
    "config syntax in the first line", "a line that is no TOML", || row("",
        |ground| ground.wrap_config("this is = not [ toml\n", ""),
        Some(&["nullrouted.toml:1:", "flushing by what could be read: "]));
    "config empty", "a file of no bytes", || row("", |ground| ground.write_config(""), WELL);
    "config missing", "the file is gone", || row("",
        |ground| fs::remove_file(ground.place.config()).unwrap(),
        Some(&["nullrouted.toml: No such file or directory"]));
    "config directory", "a directory in its place", || row("", |ground| {
        fs::remove_file(ground.place.config()).unwrap();
        fs::create_dir(ground.place.config()).unwrap();
    }, Some(&["this is a directory, not a regular file"]));
    "config binary", "bytes that are no text", || row("",
        |ground| ground.write_config((0..=255).cycle().take(9_000).collect::<Vec<u8>>()),
        Some(&["this is no UTF-8 text"]));
    "config Latin-1", "one byte that is no UTF-8", || row("", |ground| {
        let mut text = fs::read(ground.place.config()).unwrap();
        text.extend(b"# caf\xe9\n");
        ground.write_config(text);
    }, Some(&["this is no UTF-8 text"]));
    "config UTF-16", "saved by another editor", || row("", |ground| {
        let text = ground.place.read("nullrouted.toml");
        let words = std::iter::once(0xfeff).chain(text.encode_utf16());
        ground.write_config(words.flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    }, Some(&["this is no UTF-8 text"]));
    "config FIFO", "nobody writes into it", || row("", |ground| ground.fifo("nullrouted.toml"),
        Some(&["this is a FIFO, not a regular file"]));
    "config /dev/zero", "a file without end", || row("", |ground| {
        fs::remove_file(ground.place.config()).unwrap();
        symlink("/dev/zero", ground.place.config()).unwrap();
    }, Some(&["this is a device, not a regular file"]));

    "mark intact", "table 100, protocol 77", || row(MARK, |_| {}, WELL);
    "mark, syntax error", "the mark cannot be read", || row(MARK,
        |ground| ground.wrap_config("this is = not [ toml\n", ""),
        Some(&["table 254, protocol 166, blackhole; table 100, protocol 77, blackhole, 0 router files"]));
    "mark, typo in a feed", "a key that does not exist", || row(MARK,
        |ground| ground.wrap_config("", "\n[[feed]]\nnam = \"two\"\n"),
        Some(&["nam: no such key here", "flushing by what could be read: table 100, protocol 77, blackhole"]));
    "mark, type error in protocol", "a text in place of the number", || row(MARK, |ground| {
        let text = ground.place.read("nullrouted.toml");
        ground.write_config(text.replace("protocol = 77", "protocol = \"77\""));
    }, Some(&["protocol: expected"]));
    "mark, syntax error, no ledger", "only the run directory knows it", || row(MARK, |ground| {
        ground.wrap_config("this is = not [ toml\n", "");
        ground.remove_ledger();
    }, Some(&["table 100, protocol 77, blackhole"]));
    "mark, configuration gone", "only the run directory knows it", || row(MARK,
        |ground| fs::remove_file(ground.place.config()).unwrap(),
        Some(&["table 100, protocol 77, blackhole"]));
    "mark unreachable, syntax error", "another type", || row("[kernel]\ntype = \"unreachable\"\n",
        |ground| ground.wrap_config("", "\nthis is = not [ toml\n"),
        Some(&["table 254, protocol 166, unreachable"]));

    "ledger garbage", "no database", || row("",
        |ground| ground.place.write("state/ledger.sqlite", &"no database ".repeat(900)),
        Some(&["ledger.sqlite: damaged", "the flush stands in "]));
    "ledger directory", "a directory in its place", || row("", |ground| {
        ground.remove_ledger();
        fs::create_dir(ground.path("state/ledger.sqlite")).unwrap();
    }, Some(&["ledger.sqlite: ", "the flush stands in "]));
    "ledger FIFO", "nobody writes into it", || row("", |ground| {
        ground.remove_ledger();
        ground.fifo("state/ledger.sqlite");
    }, Some(&["ledger.sqlite: ", "the flush stands in "]));
    "ledger of a newer version", "schema 99", || row("", |ground| {
        ground.place.ledger().pragma_update(None, "user_version", 99).unwrap();
    }, Some(&["schema 99, written by a newer nullrouted", "the flush stands in "]));
    "ledger without tables", "pin, target and mark dropped", || row("", |ground| {
        let drop = "DROP TABLE pin; DROP TABLE target; DROP TABLE mark";
        ground.place.ledger().execute_batch(drop).unwrap();
    }, Some(&["no such table: pin", "the flush stands in "]));
    "ledger locked", "another process writes it for ever", || {
        let Some(ground) = Ground::new("") else { return };
        let theirs = ground.place.ledger();
        theirs.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let ran = ground.flush();
        ground.is_flushed(&ran, 1, &["database is locked", "the flush stands in "]);
    };
    "ledger /dev/full", "a link to a full device", || row("", |ground| {
        ground.remove_ledger();
        symlink("/dev/full", ground.path("state/ledger.sqlite")).unwrap();
    }, Some(&["ledger.sqlite: ", "the flush stands in "]));
    "state directory gone", "it is made again", || row("",
        |ground| fs::remove_dir_all(ground.path("state")).unwrap(), WELL);
    "state directory a file", "a file in its place", || row("", |ground| {
        fs::remove_dir_all(ground.path("state")).unwrap();
        ground.place.write("state", "");
    }, Some(&["state_dir ", "the flush stands in "]));
    "state directory read-only", "mounted so", || {
        let Some(ground) = Ground::on_a_file_system("size=8m") else { return };
        let state = ground.path("state");
        ground.router.sh(&format!("mount -o remount,ro {}", state.display()));
        let ran = ground.flush();
        ground.is_flushed(&ran, 1, &["the flush stands in "]);
    };
    "state directory full", "another program fills the disk", || {
        let Some(ground) = Ground::on_a_file_system("size=2m") else { return };
        let state = ground.path("state");
        let full = format!("! dd if=/dev/zero of={}/full bs=4k 2>/dev/null", state.display());
        ground.router.sh(&full);
        let ran = ground.flush();
        ground.is_flushed(&ran, 1, &["ledger.sqlite: ", "the flush stands in "]);
    };

    "lock shared by another program", "flock -s pass.lock", || {
        let Some(ground) = Ground::new("") else { return };
        let theirs = fs::File::open(ground.path("state/pass.lock")).unwrap();
        theirs.lock_shared().unwrap();
        let ran = ground.flush();
        ground.is_flushed(&ran, 1, &["another program is running (it holds "]);
    };
    "lock FIFO", "nobody writes into it", || row("", |ground| ground.fifo("state/pass.lock"), WELL);
    "lock directory", "a directory in its place", || row("", |ground| {
        fs::remove_file(ground.path("state/pass.lock")).unwrap();
        fs::create_dir(ground.path("state/pass.lock")).unwrap();
    }, WELL);

    "protect file FIFO", "nobody writes into it", || row("", |ground| {
        ground.place.configure(&format!("{NOC}[protect]\nfiles = [\"own.list\"]\n"));
        ground.fifo("own.list");
    }, Some(&["own.list: this is a FIFO, not a regular file"]));
    "protect file /dev/zero", "a file without end", || row("",
        |ground| ground.place.configure(&format!("{NOC}[protect]\nfiles = [\"/dev/zero\"]\n")),
        Some(&["/dev/zero: this is a device, not a regular file"]));
    "protect file missing", "gone", || row("",
        |ground| ground.place.configure(&format!("{NOC}[protect]\nfiles = [\"gone.list\"]\n")),
        Some(&["gone.list"]));
    "table of origins FIFO", "nobody writes into it", || row("", |ground| {
        ground.place.configure(&format!("{NOC}{ASN}"));
        ground.fifo("asn.tsv");
    }, WELL);
    "router file FIFO", "nobody reads from it", || row(ROUTER, |ground| ground.fifo("edge1.conf"),
        Some(&["target=edge1  ", "this is a FIFO, not a regular file"]));
    "router file directory", "a directory in its place", || row(ROUTER, |ground| {
        fs::remove_file(ground.path("edge1.conf")).unwrap();
        fs::create_dir(ground.path("edge1.conf")).unwrap();
    }, Some(&["target=edge1  "]));

    "8 file descriptors", "RLIMIT_NOFILE", || under(&["prlimit", "--nofile=8:8"], 0, &["one by one"]);
    "16 file descriptors", "RLIMIT_NOFILE", || under(&["prlimit", "--nofile=16:16"], 0, &["one by one"]);
    "100 MB of addresses", "RLIMIT_AS", || under(&["prlimit", "--as=100000000"], 0, &[]);
    "40 MB of addresses", "RLIMIT_AS", || under(&["prlimit", "--as=40000000"], 0, &[]);
    "no further process", "RLIMIT_NPROC 1, by another user", || {
        let Some(ground) = Ground::new("") else { return };
        if !crate::support::is_root() {
            return left_out("another user is had by root only");
        }
        ground.router.sh(&format!("chown -R nobody {}", ground.path("").display()));
        let before = ["setpriv", "--reuid=nobody", "--inh-caps=+net_admin", "--ambient-caps=+net_admin", "prlimit", "--nproc=1"];
        let ran = ground.flush_by(&before, |command| command);
        ground.is_flushed(&ran, 0, &[]);
    };
    "/proc empty", "nothing is mounted there", || {
        let Some(ground) = Ground::new("") else { return };
        ground.router.sh("mount -t tmpfs tmpfs /proc");
        let ran = ground.flush();
        ground.is_flushed(&ran, 0, &[]);
    };
    "TMPDIR, HOME and cwd gone", "all three", || {
        let Some(ground) = Ground::new("") else { return };
        let gone = ground.path("gone");
        fs::create_dir(&gone).unwrap();
        let line = format!("rmdir {} && exec \"$0\" \"$@\"", gone.display());
        let ran = ground.flush_by(&["sh", "-c", &line], |mut command| {
            command.current_dir(&gone).env("TMPDIR", &gone).env("HOME", &gone);
            command
        });
        ground.is_flushed(&ran, 0, &[]);
    };
    "IPv6 disabled", "disable_ipv6 = 1", || row("",
        |ground| { ground.router.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1"); }, WELL);
    "clock ten years back", "by libfaketime", || by_clock("-10y");
    "clock at 1970", "by libfaketime", || by_clock("@1970-01-02 00:00:00");
    "clock at 2200", "by libfaketime", || by_clock("@2200-01-01 00:00:00");
    "an ordinary user", "cannot, and says so", || {
        let Some(ground) = Ground::new("") else { return };
        if !crate::support::is_root() {
            return left_out("another user is had by root only");
        }
        fs::set_permissions(ground.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let ran = ground.flush_by(&["setpriv", "--reuid=nobody", "--clear-groups"], |command| command);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("routes may not be changed: CAP_NET_ADMIN is missing"), "{}", ran.err);
        assert_eq!(ground.left().len(), 3);
    };
    "output closed", "descriptors 1 and 2", || {
        let Some(ground) = Ground::new("") else { return };
        let ran = ground.flush_by(&["sh", "-c", "exec \"$0\" \"$@\" >&- 2>&-"], |command| command);
        ground.is_flushed(&ran, 0, &[]);
    };
    "--json to /dev/full", "the routes go all the same", || {
        let Some(ground) = Ground::new("") else { return };
        let ran = ground.flush_by(&[], |mut command| {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            command.arg("--json").stdout(Stdio::from(full));
            command
        });
        assert!(ground.left().is_empty(), "{}", ran.err);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("stdout: No space left on device"), "{}", ran.err);
    };
}
