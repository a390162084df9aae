//! Routes that only some packets take, or that make the kernel pass over ours.

use super::Ground;

const OWN: &str = "[kernel]\ntable = 1166\n";
const FROM: &str = "2001:db8:bad:1::9 from 2001:db8:77::1 iif";

#[test]
fn an_ipv6_route_beside_ours_takes_what_comes_in_by_its_interface() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, place, .. } = &ground;
    router.sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    router.ip("link add lan9 type veth peer name lan8");
    router.ip("link set lan9 up");
    router.ip("-6 route append 2001:db8:bad::/48 via 2001:db8:1::1");
    assert_eq!(ground.get("2001:db8:bad:1::9"), "");
    assert_eq!(ground.get(&format!("{FROM} lan9")), "");
    let shown = ground.get(&format!("{FROM} wan0"));
    assert!(shown.contains("via 2001:db8:1::1"), "{shown}");
    let leak = ground.leak();
    assert_eq!(leak["kind"], "metric");
    assert_eq!(leak["packets"], "packets that come in on wan0");
    assert_eq!(
        leak["route"],
        "2001:db8:bad::/48 via 2001:db8:1::1 dev wan0 proto boot metric 1024"
    );
    let cure = leak["cure"].as_str().unwrap();
    assert!(cure.starts_with("[kernel] metric = 1; or remove"), "{cure}");
    ground.cure(&leak);
    ground.all_dropped();

    // The same inside ours, beside a route that drops.
    router.ip("-6 route add blackhole 2001:db8:bad:1::/64");
    router.ip("-6 route append 2001:db8:bad:1::/64 via 2001:db8:1::1");
    let shown = ground.get(&format!("{FROM} wan0"));
    assert!(shown.contains("via 2001:db8:1::1"), "{shown}");
    let leak = ground.leak();
    assert_eq!(leak["kind"], "more-specific");
    assert_eq!(leak["packets"], "packets that come in on wan0");
    ground.cure(&leak);
    ground.all_dropped();
    router.ip("-6 route del blackhole 2001:db8:bad:1::/64");

    // A better router preference wins for all; a worse one for none.
    router.ip("-6 route append 2001:db8:bad::/48 via 2001:db8:1::1 pref low");
    assert_eq!(ground.get(&format!("{FROM} wan0")), "");
    ground.all_dropped();
    router.ip("-6 route del 2001:db8:bad::/48 via 2001:db8:1::1");
    router.ip("-6 route append 2001:db8:bad::/48 via 2001:db8:1::1 pref high");
    assert!(router.answers("2001:db8:bad:1::9"));
    let leak = ground.leak();
    assert_eq!(leak["kind"], "metric");
    assert!(
        leak["packets"].is_null() && leak["asked"].is_object(),
        "{leak:#}"
    );
    router.ip("-6 route del 2001:db8:bad::/48 via 2001:db8:1::1");
    // The first half of the cure.
    router.ip("-6 route append 2001:db8:bad::/48 via 2001:db8:1::1");
    place.configure(&format!("{}[kernel]\nmetric = 1\n", crate::support::NOC));
    place.run_in(router, &["refresh"]).code(0);
    assert_eq!(ground.get(&format!("{FROM} wan0")), "");
    ground.all_dropped();
}

#[test]
fn an_ipv6_route_by_source_that_turns_ours_off_for_everybody_is_the_cause_of_it() {
    for kernel in ["", OWN] {
        let Some(ground) = Ground::new(kernel) else {
            return;
        };
        let Ground { router, .. } = &ground;
        let table = match kernel {
            "" => "",
            _ => {
                router.ip("rule add pref 5000 lookup 1166");
                router.ip("-6 rule add pref 5000 lookup 1166");
                " table 1166"
            }
        };
        ground.all_dropped();
        let route = "2001:db8:bad::/48 from 2001:db8:55::/64";
        for add in ["via 2001:db8:1::1", ""] {
            let kind = if add.is_empty() { "blackhole " } else { "" };
            router.ip(&format!("-6 route add {kind}{route} {add}{table}"));
            let shown = ground.get("2001:db8:bad:1::9");
            assert!(shown.contains("via 2001:db8:1::1"), "{shown}");
            let leak = ground.leak();
            assert_eq!(leak["kind"], "metric");
            let by = leak["route"].as_str().unwrap();
            assert!(by.starts_with(&format!("{kind}{route}")), "{by}");
            let packets = match kind {
                "" => serde_json::Value::Null,
                _ => "packets not from 2001:db8:55::/64".into(),
            };
            assert_eq!(leak["packets"], packets, "{leak:#}");
            assert!(leak["asked"]["route"].is_string(), "{leak:#}");
            ground.cure(&leak);
            assert_eq!(ground.get("2001:db8:bad:1::9"), "");
            ground.all_dropped();
        }
        // Where nothing else leads there only its own packets get away; inside ours, ours has the
        // others.
        router.ip("-6 route del default");
        router.ip(&format!("-6 route add {route} via 2001:db8:1::1{table}"));
        let json = ground.verify(&["--json"]).code(1).json();
        let leak = &json["leaks"][0];
        assert_eq!(leak["packets"], "packets from 2001:db8:55::/64");
        ground.cure(leak);
        router.ip("-6 route add default via 2001:db8:1::1");
        let inside = "2001:db8:bad:1::/64 from 2001:db8:55::/64";
        router.ip(&format!("-6 route add {inside} via 2001:db8:1::1{table}"));
        assert_eq!(ground.get("2001:db8:bad:1::9"), "");
        let leak = ground.leak();
        assert_eq!(leak["kind"], "more-specific");
        assert_eq!(leak["packets"], "packets from 2001:db8:55::/64");
        ground.cure(&leak);
        ground.all_dropped();
    }
}

#[test]
fn a_route_for_a_type_of_service_is_followed_whatever_it_does() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("route add default via 198.51.100.1 table default");
    ground.all_dropped();
    router.ip("route add throw 192.0.2.0/24 tos 0x10");
    assert_eq!(ground.get("192.0.2.9"), "");
    let shown = ground.get("192.0.2.9 tos 0x10");
    assert!(shown.contains("via 198.51.100.1"), "{shown}");
    let leak = ground.leak();
    assert_eq!(leak["packets"], "packets with tos 0x10");
    assert_eq!(leak["route"], "throw 192.0.2.0/24 tos 0x10 proto boot");
    ground.cure(&leak);
    ground.all_dropped();

    // Others leak; those do not.
    router.ip("rule add pref 100 lookup 100");
    router.ip("route add default via 198.51.100.1 table 100");
    router.ip("route add unreachable default tos 0x10 table 100");
    assert_eq!(ground.get("192.0.2.9 tos 0x10"), "");
    let leak = ground.leak();
    assert_eq!(leak["packets"], "packets not with tos 0x10");
    router.ip("rule del pref 100");
    router.ip("rule add pref 100 tos 0x10 lookup 100");
    ground.all_dropped();
}

#[test]
fn a_rule_that_passes_over_routes_by_a_group_of_interfaces_is_followed() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("link set dev wan0 group 7");
    for family in ["", "-6 "] {
        let via = if family.is_empty() {
            "198.51.100.1"
        } else {
            "2001:db8:1::1"
        };
        router.ip(&format!("{family}route add default via {via} table 100"));
        let rule = |add| router.ip(&format!("{family}rule {add} pref 100"));
        // For packets that the kernel is not asked about.
        rule("add iif wan0 lookup 100 suppress_ifgroup 7");
        ground.all_dropped();
        rule("del");
        rule("add iif wan0 lookup 100 suppress_ifgroup 8");
        let leak = ground.leak();
        assert_eq!(
            leak["rule"],
            "100: from all iif wan0 lookup 100 suppress_ifgroup 8"
        );
        ground.cure(&leak);
        ground.all_dropped();
    }
}
