//! 200 000 routes of another program come and go, faster than the daemon hears of them: a quarter
//! of them without `NULLROUTED_TESTS=all`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::process::CommandExt;
use std::process::Child;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::support::cases::note;
use crate::support::daemon::Daemon;
use crate::support::namespace::{Namespace, eventually};
use crate::support::soon::{SECOND, soon};
use crate::support::{NOC, Place, unless_everything};

const SAMPLES: u32 = 5;

/// Adds all of them and removes all of them, again and again.
struct Churn(Child);

impl Churn {
    fn begin(router: &Namespace, place: &Place) -> Self {
        let foreign = unless_everything(200_000, 50_000_u32);
        let lines = |verb: &str| {
            (0..foreign / 2).fold(String::new(), |mut lines, at| {
                let net = Ipv4Addr::from(0x7000_0000 + at * 256);
                writeln!(lines, "route {verb} {net}/24 via 100.64.0.2 proto static").unwrap();
                let net = Ipv6Addr::from((0x2a00_u128 << 112) + (u128::from(at) << 80));
                writeln!(lines, "route {verb} {net}/48 via fd00:64::2 proto static").unwrap();
                lines
            })
        };
        place.write("batch", &[lines("add"), lines("del")].concat());
        let file = place.path("batch").display().to_string();
        let mut sh = router.command("sh");
        sh.args(["-c", &format!("while ip -batch {file}; do :; done")]);
        Self(sh.process_group(0).spawn().unwrap())
    }

    fn end(mut self) {
        assert!(
            self.0.try_wait().unwrap().is_none(),
            "it went on all the time"
        );
        // With the batch that is under way.
        killpg(Pid::from_raw(self.0.id() as i32), Signal::SIGKILL).unwrap();
        self.0.wait().unwrap();
    }
}

/// How many notifications each socket has lost, by its number.
fn lost(router: &Namespace) -> BTreeMap<String, u64> {
    let table = router.sh("cat /proc/self/net/netlink");
    let rows = table.lines().skip(1).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words[9].to_owned(), words[8].parse().unwrap())
    });
    rows.collect()
}

pub fn an_address_is_protected_within_a_second() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{NOC}[protect]\ndiscover = [\"addresses\", \"connected\", \"gateways\"]\n"
    ));
    let listed = |at: u32| Ipv4Addr::from(0x2c00_0000 + at * 512);
    let list = (0..SAMPLES).fold(String::new(), |mut list, at| {
        writeln!(list, "{}/24", listed(at)).unwrap();
        list
    });
    place.write("noc.list", &list);
    router.ip("link add wan0 type veth peer name wan1");
    router.ip("link set wan0 up");
    router.ip("link set wan1 up");
    router.address("wan0", "100.64.0.1/24 fd00:64::1/64");
    let daemon = Daemon::start(&place, &router);
    eventually("all is in force", || {
        router.ours().len() == SAMPLES as usize
    });
    let churn = Churn::begin(&router, &place);
    for at in 0..SAMPLES {
        // As on a machine that is busy with other things for a while: what is told meanwhile is
        // more than there is room for.
        let before = lost(&router);
        daemon.signal(Signal::SIGSTOP);
        eventually("more changes than there is room for", || {
            let now = lost(&router);
            let grown = now
                .iter()
                .filter(|(socket, lost)| before.get(*socket) < Some(*lost));
            grown.count() >= 2
        });
        let net = listed(at);
        let address = Ipv4Addr::from(u32::from(net) + 7);
        router.ip(&format!("address add {address}/32 dev lo"));
        daemon.signal(Signal::SIGCONT);
        let begun = std::time::Instant::now();
        soon(&router, SECOND, &format!("{address} is free"), || {
            let covering = router.sh(&format!("ip route show match {address} proto 166"));
            covering.is_empty()
        });
        note(format!("{:.0?} by the clock", begun.elapsed()));
    }
    churn.end();
    daemon.stop();
}
