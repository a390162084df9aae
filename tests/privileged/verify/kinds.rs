//! Packets of different kinds, of which one is dropped and another gets through.

use super::Ground;

#[test]
fn an_answer_about_one_kind_of_packet_does_not_stand_for_the_others() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("route add 72.37.187.0/24 via 198.51.100.1");
    router.ip("-6 route add 2001:db8:bad:1::/64 via 2001:db8:1::1");
    // Each drops one kind of packet, the kind that a question with nothing to it is of. The rest
    // gets through: of another protocol the kernel can be asked, of another user it is not.
    for (rule, more, asked) in [
        ("ipproto udp blackhole", "ipproto tcp", true),
        ("ipproto udp unreachable", "ipproto tcp", true),
        ("uidrange 0-0 blackhole", "uid 7", false),
        ("not ipproto tcp prohibit", "ipproto tcp", true),
    ] {
        router.ip(&format!("rule add pref 1000 {rule}"));
        router.ip(&format!("-6 rule add pref 1000 {rule}"));
        let shown = ground.get(&format!("72.37.187.9 {more}"));
        assert!(shown.contains("via 198.51.100.1"), "{rule}: {shown}");
        let shown = ground.get(&format!("2001:db8:bad:1::9 {more}"));
        assert!(shown.contains("via 2001:db8:1::1"), "{rule}: {shown}");
        let json = ground.verify(&["--json"]).code(1).json();
        assert_eq!(json["counts"]["more-specific"], 2, "{rule}: {json:#}");
        assert_eq!(json["leaks"].as_array().unwrap().len(), 2, "{rule}");
        let dropped = &json["dropped_all_the_same"];
        assert_eq!(dropped.as_array().unwrap().len(), 0, "{rule}");
        for leak in json["leaks"].as_array().unwrap() {
            assert_eq!(leak["asked"].is_object(), asked, "{rule}: {leak:#}");
        }
        router.ip("rule del pref 1000");
        router.ip("-6 rule del pref 1000");
    }
    router.ip("route del 72.37.187.0/24");
    router.ip("-6 route del 2001:db8:bad:1::/64");
    ground.all_dropped();

    // Nor for a route of ours that is gone.
    router.ip("rule add pref 1000 ipproto udp blackhole");
    router.ip("route del blackhole 192.0.2.0/24 proto 166");
    let shown = ground.get("192.0.2.9 ipproto tcp");
    assert!(shown.contains("via 198.51.100.1"), "{shown}");
    assert_eq!(ground.leak()["kind"], "missing");
}

#[test]
fn a_rule_for_the_kind_of_packet_that_a_question_is_about_is_told_once() {
    let Some(ground) = Ground::new("") else {
        return;
    };
    let Ground { router, .. } = &ground;
    router.ip("route add default via 198.51.100.1 table 100");
    router.ip("-6 route add default via 2001:db8:1::1 table 100");
    for rule in ["ipproto udp", "uidrange 0-0", "uidrange 0-9 ipproto udp"] {
        for (family, prefixes) in [("", 2), ("-6 ", 1)] {
            router.ip(&format!("{family}rule add pref 2000 {rule} lookup 100"));
            let leak = ground.leak();
            assert_eq!(leak["kind"], "rule", "{rule}: {leak:#}");
            assert_eq!(leak["prefixes"], prefixes, "{rule}");
            assert!(leak["asked"].is_object(), "{rule}: {leak:#}");
            router.ip(&format!("{family}rule del pref 2000"));
        }
    }
}
