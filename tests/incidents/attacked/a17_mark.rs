//! A17: a flush finds the routes although their mark stands neither in the configuration nor in the
//! ledger.

use std::fs;

use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, Place};

fn in_force(router: &Namespace) -> Place {
    // Where no state directory can be read the default one is used: here it is a folder of this
    // namespace.
    router.sh("mount -t tmpfs tmpfs /var/lib");
    let place = Place::new(&format!(
        "{NOC}[kernel]\ntable = 100\nprotocol = 77\nrule = 5000\n"
    ));
    place.write("noc.list", "72.37.186.0/23\n2001:db8:bad::/48\n");
    place.run_in(router, &["refresh"]).code(0);
    assert_eq!(left(router).len(), 2);
    place
}

fn left(router: &Namespace) -> Vec<String> {
    let v4 = router.ip("-4 route show table all proto 77");
    let v6 = router.ip("-6 route show table all proto 77");
    v4.lines().chain(v6.lines()).map(str::to_owned).collect()
}

pub fn in_the_run_directory() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = in_force(&router);
    fs::remove_file(place.config()).unwrap();
    fs::remove_dir_all(place.path("state")).unwrap();
    let ran = place.run_in(&router, &["flush"]).code(1);
    assert_eq!(left(&router), [""; 0], "{}", ran.err);
    assert_eq!(router.rules("77", true), [""; 0]);
    let looked_for = "flushing by what could be read: table 254, protocol 166, blackhole; table 100, protocol 77, blackhole";
    assert!(ran.err.contains(looked_for), "{}", ran.err);
    assert!(!ran.err.contains("is not known"), "{}", ran.err);
}

pub fn unknown() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let place = in_force(&router);
    fs::remove_file(place.config()).unwrap();
    fs::remove_dir_all(place.path("state")).unwrap();
    fs::remove_dir_all(place.path("run")).unwrap();
    let ran = place.run_in(&router, &["flush"]).code(1);
    assert_eq!(left(&router).len(), 2);
    let expected = format!(
        "the mark of our routes is not known: {} does not say it, and neither do the ledger in /var/lib/nullrouted and \
         the run directory {}. Looked for: table 254, protocol 166, blackhole. If routes with another mark are left, \
         type `nullrouted flush --protocol N` (with --table and --type where they are not 254 and blackhole)",
        place.config().display(),
        place.path("run").display()
    );
    assert!(ran.err.contains(&expected), "{}", ran.err);
    let named = ["flush", "--protocol", "77", "--table", "100"];
    let ran = place.run_in(&router, &named).code(1);
    assert_eq!(left(&router), [""; 0], "{}", ran.err);
    assert!(!ran.err.contains("is not known"), "{}", ran.err);
    // With a configuration that can be read it is complete.
    place.configure(NOC);
    router.ip("route add unreachable 72.37.186.0/23 proto 77");
    let named = ["flush", "--protocol", "77", "--type", "unreachable"];
    place.run_in(&router, &named).code(0);
    assert_eq!(left(&router), [""; 0]);
}

pub fn of_another_program() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}"));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    for (words, why) in [
        (
            &["--protocol", "12"][..],
            "--protocol 12 belongs to BIRD: its routes are not ours; nothing was changed\n",
        ),
        (
            &["--protocol", "77", "--table", "255"],
            "--table 255: no route of ours is in it; nothing was changed\n",
        ),
        (
            &["--protocol", "256"],
            "invalid value '256' for '--protocol <N>'",
        ),
        (
            &["--protocol", "77", "--type", "throw"],
            "permitted are blackhole, unreachable, prohibit",
        ),
        (&["--table", "100"], "--protocol <N>"),
    ] {
        let verb: Vec<&str> = ["flush"].iter().chain(words).copied().collect();
        let ran = place.run(&verb).code(64);
        assert!(ran.err.contains(why), "{words:?}: {}", ran.err);
    }
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
}
