//! The user of the service, which is in FRR's group for `vtysh` and may read no file of FRR's.

use nullrouted::targets::file::{Family, Role};

use crate::support::Place;
use crate::support::namespace::Namespace;
use crate::support::speaker::{self, can_run, filled};

const FILE: &str = "ip prefix-list NULLROUTED-FILTER-V4 seq 1 deny 0.0.0.0/0
route-map NULLROUTED-FILTER deny 10
 match ip address prefix-list NULLROUTED-FILTER-V4
exit
route-map NULLROUTED-FILTER permit 65535
exit
";

/// vtysh complains of its own configuration, on the way to all else that it does well.
#[test]
fn a_user_that_may_not_read_the_configuration_of_vtysh_loads_and_verifies() {
    if !can_run(&["vtysh", "bgpd", "zebra", "setpriv"]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new("");
    let _daemons = speaker::frr(&namespace, &place, &["zebra", "bgpd"]);
    place.write("it.conf", FILE);
    let commands = Family::Frr.commands(Role::Filter);
    let user = "--reuid=nobody --regid=nogroup --groups=frrvty";
    let run = |user: &str, words: &[&str]| {
        let words = filled(words, &place.path("it.conf"));
        let user = user.split_whitespace();
        let words: Vec<_> = user.chain(words.iter().map(String::as_str)).collect();
        namespace.run("setpriv", &words)
    };
    let complaint = |user: &str, why: &str| {
        let ran = run(user, &["vtysh", "-d", "bgpd", "-c", "show version"]);
        let expected =
            format!("% Can't open configuration file /etc/frr/vtysh.conf due to '{why}'.");
        assert!(ran.err.contains(&expected), "{}", ran.err);
    };
    let quiet = |user: &str, words: &[&str]| {
        let ran = run(user, words).code(0);
        assert_eq!([ran.out, ran.err].concat(), "");
    };
    complaint(user, "Permission denied");
    quiet(user, commands.reload);
    quiet(user, commands.verify);

    // A machine without it.
    namespace.sh("mount -t tmpfs tmpfs /etc/frr");
    complaint("", "No such file or directory");
    namespace.sh("vtysh -d bgpd -c 'configure terminal' -c 'no route-map NULLROUTED-FILTER'");
    for words in [commands.reload, commands.verify] {
        quiet("", words);
    }
}
