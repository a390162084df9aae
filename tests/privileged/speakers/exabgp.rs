//! ExaBGP.

use nullrouted::targets::file::{Family, Role};

use super::lab::{LIST, LISTED, Lab, PROTECT, router, sessions};
use crate::support::frr::Running;
use crate::support::namespace::eventually;
use crate::support::{NO_KERNEL, NOC};

/// It ends by itself what it runs.
pub struct Ended(pub Running);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.signal("-TERM");
        eventually("ExaBGP ends", || self.0.0.try_wait().unwrap().is_some());
    }
}

/// The operator's own file, with this process.
fn exabgp_conf(file: &str) -> String {
    format!(
        "process nullrouted {{\n    run /bin/sh {file} run;\n    encoder text;\n}}
neighbor 100.64.0.2 {{
    router-id 100.64.0.1;
    local-address 100.64.0.1;
    local-as 65001;
    peer-as 65000;
    family {{
        ipv4 unicast;
        ipv6 unicast;
    }}
    api {{
        processes [ nullrouted ];
    }}
}}
"
    )
}

#[test]
fn exabgp_announces_what_is_listed_and_nothing_else() {
    let next_hop = "next_hop_v6 = \"fd00::1\"\n";
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::ExaBgp, Role::Trigger, next_hop)
    );
    let Some(lab) = Lab::new("exabgp", &config, &sessions(true, "none")) else {
        return;
    };
    let file = lab.place.path("it.conf").display().to_string();
    lab.write("/etc/exabgp/exabgp.conf", &exabgp_conf(&file));
    lab.speaker.sh("mkdir /run/exabgp");
    // Before it has ever been started.
    lab.place.write("noc.list", "# nobody\n");
    lab.refresh()
        .code(0)
        .says("ExaBGP loads the file when it starts");
    let start = || Ended(lab.start("exabgp", &["/etc/exabgp/exabgp.conf"]));
    let daemon = start();
    eventually("the pipe is there", || {
        let words = ["-p", "/run/exabgp/nullrouted"];
        lab.speaker.run("test", &words).code == Some(0)
    });
    lab.list(LIST);
    lab.hears(&LISTED);
    lab.list("72.37.186.0/24\n72.37.187.0/24\n72.37.188.0/24\n203.0.113.9\n");
    let listed = ["203.0.113.9/32", "72.37.186.0/23"];
    lab.hears(&listed);

    // Once more over itself, and by hand.
    lab.speaker
        .sh(&format!("sh {file} > /run/exabgp/nullrouted"));
    lab.hears(&listed);
    // What leaves while the session is down does not come back with it.
    let session = |word: &str| {
        let words = [word, "both"];
        lab.neighbor.run("birdc", &words).code(0);
    };
    session("disable");
    lab.hears(&[]);
    lab.list("203.0.113.9\n2001:db8:bad::/48\n");
    session("enable");
    lab.hears(&["2001:db8:bad::/48", "203.0.113.9/32"]);
    // What is in force comes with a new start.
    drop(daemon);
    lab.hears(&[]);
    // Its pipe is still there, and nobody reads it.
    eventually("what reads has ended", || {
        let write = ["1", "sh", "-c", ": > /run/exabgp/nullrouted"];
        lab.speaker.run("timeout", &write).code == Some(124)
    });
    lab.place.write("noc.list", LIST);
    lab.refresh()
        .code(1)
        .says("nobody reads /run/exabgp/nullrouted: has ExaBGP ended?");
    lab.place
        .write("noc.list", "203.0.113.9\n2001:db8:bad::/48\n");
    let daemon = start();
    lab.hears(&["2001:db8:bad::/48", "203.0.113.9/32"]);
    // Another reason to load its configuration.
    daemon.0.signal("-USR1");
    lab.list("# nobody any more\n");
    lab.hears(&[]);
    lab.list(LIST);
    lab.hears(&LISTED);
}
