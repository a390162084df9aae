//! A11: a mere connection to port 22, which anybody may open, takes its source out of force.

use crate::ground::{etc, holes, size, touch};
use crate::inside::Helper;
use crate::support::namespace::Namespace;
use crate::support::sshd::{self, Sshd};
use crate::support::{AROUND, NOC, Place};

pub fn sessions() {
    let Some(router) = Namespace::new() else {
        return;
    };
    let Some(far) = router.another() else {
        return;
    };
    router.wire("wan0", "198.51.100.2/24", &far, "lan0", "198.51.100.1/24");
    router.ip("route add default via 198.51.100.1");
    let place = Place::new(&format!(
        "{AROUND}{NOC}[protect]\ndiscover = [\"sessions\"]\n"
    ));
    place.write("noc.list", "203.0.113.0/24\n");
    let Some(files) = sshd::files(&place) else {
        return;
    };
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    etc(&router, &files);
    // Everything at the far end is in the listed network.
    far.ip("route add local 203.0.113.0/24 dev lo");
    let from = |host: u32| {
        far.ip(&format!(
            "route replace 198.51.100.0/24 dev lan0 src 203.0.113.{host}"
        ));
    };
    let server = Sshd::start(&place, &router, "198.51.100.2");
    let knock = |host: u32| {
        from(host);
        Helper::start(&far, &["connect", "198.51.100.2:22"])
    };
    let _knocking: Vec<Helper> = (0..39).map(|i| knock(3 + 6 * i)).collect();
    from(77);
    let operator = server.login(&far, "op", "198.51.100.2");
    from(78);
    let root = server.login(&far, "root", "198.51.100.2");
    let open = router.sh("grep -c ' 026433C6:0016 .* 01 ' /proc/self/net/tcp");
    assert_eq!(open.trim(), "41", "all are connected");

    place.run_in(&router, &["refresh"]).code(0);
    let now = holes(&router);
    assert_eq!(size(&now), 254, "{now:?}");
    assert!(!touch(&now, "203.0.113.77") && !touch(&now, "203.0.113.78"));
    for host in 0..39 {
        assert!(touch(&now, &format!("203.0.113.{}", 3 + 6 * host)));
    }
    place
        .run_in(&router, &["why", "203.0.113.77"])
        .code(0)
        .says("protected: 203.0.113.77/32, ssh session\n");
    drop((operator, root));
}
