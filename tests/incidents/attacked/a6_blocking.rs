//! A6: a flush reads nothing that it does not need, and nothing that blocks.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::support::namespace::Namespace;
use crate::support::soon::soon;
use crate::support::{NOC, PROGRAM, Place};

const LIST: &str = "72.37.186.0/23\n2001:db8:bad::/48\n";

fn fifo(place: &Place, name: &str) {
    let _ = fs::remove_file(place.path(name));
    nix::unistd::mkfifo(&place.path(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
}

fn in_force(router: &Namespace) -> Place {
    router.sh("mount -t tmpfs tmpfs /var/lib");
    let place = Place::new(&format!(
        "{NOC}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n"
    ));
    place.write("noc.list", LIST);
    place.run_in(router, &["refresh"]).code(0);
    assert_eq!(router.ours().len(), 2);
    place
}

pub fn every_path_a_fifo() {
    let all = [
        "own.list",
        "asn.tsv",
        "noc.list",
        "edge1.conf",
        "state/pass.lock",
    ];
    for names in [&all[..], &["nullrouted.toml"], &["state/ledger.sqlite"]] {
        let Some(router) = Namespace::new() else {
            return;
        };
        let place = in_force(&router);
        let text = place.read("nullrouted.toml");
        place.write(
            "nullrouted.toml",
            &text.replace(
                "[protect]\n",
                "[asn]\ntable = \"asn.tsv\"\n[protect]\nfiles = [\"own.list\"]\n",
            ),
        );
        names.iter().for_each(|name| fifo(&place, name));
        let mut flush = router.command("timeout");
        flush.args(["20", PROGRAM]);
        let mut flush = place.command(flush, &["flush"]);
        let mut child = flush.stderr(Stdio::piped()).spawn().unwrap();
        let limit = crate::support::soon::SECOND;
        soon(&router, limit, "the routes are gone", || {
            router.ours().is_empty()
        });
        let code = child.wait().unwrap().code();
        assert!(code == Some(1) || code == Some(0), "{names:?}: {code:?}");
    }
}

pub fn a_terminal_that_does_not_read() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = in_force(&router);
    place.write("nullrouted.toml", "this is = not [ toml\n");
    // A pipe without room, whose reader does not read.
    let (_reader, mut writer) = std::io::pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    while writer.write(&[b'x'; 4_096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    let mut flush = place.command(router.command(PROGRAM), &["flush"]);
    let mut child = flush.stderr(writer).spawn().unwrap();
    let limit = crate::support::soon::SECOND;
    soon(&router, limit, "the routes are gone", || {
        router.ours().is_empty()
    });
    assert_eq!(child.try_wait().unwrap(), None, "it waits for its reader");
    child.kill().unwrap();
    child.wait().unwrap();
}
