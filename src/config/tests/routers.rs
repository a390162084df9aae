//! `[[router]]`, as the operator reads its problems.

use super::{accepted, problems};
use crate::target::router::{Family, Lists, Role, Shape};

fn router(family: &str, lines: &str) -> String {
    format!("[[router]]\nname = \"edge1\"\npath = \"/x/edge1\"\nfamily = \"{family}\"\n{lines}\n")
}

#[test]
fn a_role_is_one_that_the_family_can_have() {
    let config = accepted(&router("frr", "role = \"filter\""));
    let (family, role) = (Family::Frr, Role::Filter);
    assert_eq!(config.routers[0].shape, Shape::usual(family, role));
    let config = accepted(&router("plain", ""));
    assert_eq!(config.routers[0].shape.role, Role::Trigger);

    let shown = problems(&router("plain", "role = \"edge\""));
    let said = "role: plain is never \"edge\"\n    5 | role = \"edge\"\n      |        ^^^^^^\n      \
                hint: permitted are trigger";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("frr", "role = \"core\""));
    assert!(shown.contains("role: \"core\" is not known"), "{shown}");
    let said = "hint: permitted are trigger, edge, filter";
    assert!(shown.contains(said), "{shown}");
}

#[test]
fn a_next_hop_stands_where_the_file_has_one() {
    let config = accepted(&router(
        "frr",
        "next_hop_v4 = \"192.0.2.9\"\nnext_hop_v6 = \"100::9\"",
    ));
    let shape = &config.routers[0].shape;
    assert_eq!(shape.next_hop_v4, Some("192.0.2.9".parse().unwrap()));
    assert_eq!(shape.next_hop_v6, Some("100::9".parse().unwrap()));
    let shown = problems(&router(
        "frr",
        "role = \"filter\"\nnext_hop_v4 = \"192.0.2.9\"",
    ));
    let said = "next_hop_v4: frr as filter has no next hop\n    6 | next_hop_v4 = ";
    assert!(shown.contains(said), "{shown}");
    for (key, hop) in [
        ("v4", "0.0.0.0"),
        ("v4", "224.0.0.1"),
        ("v6", "fe80::1"),
        ("v6", "::1"),
    ] {
        let shown = problems(&router("frr", &format!("next_hop_{key} = \"{hop}\"")));
        let said = format!("next hop: {hop} is none");
        assert!(
            shown.contains(&said) && shown.ends_with("1 problem"),
            "{shown}"
        );
    }
    let own = "next_hop_v4 = \"203.0.113.1\"\n[protect]\nprefixes = [\"203.0.113.0/24\"]";
    let shown = problems(&router("frr", own));
    let said = "next hop: 203.0.113.1 is protected ([protect] prefixes)";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("frr", "next_hop_v6 = \"192.0.2.9\""));
    assert!(shown.contains("next_hop_v6: "), "{shown}");
    assert!(shown.ends_with("1 problem"), "{shown}");
}

#[test]
fn a_command_is_a_list_of_words_or_what_is_usual_for_the_family() {
    let commands = "check = \"default\"\nreload = \"default\"\nverify = [\"true\"]";
    let config = accepted(&router("nftables", commands));
    let [router_] = &config.routers[..] else {
        panic!("one router");
    };
    assert_eq!(router_.check, ["nft", "-c", "-f", "{file}"]);
    assert_eq!(router_.reload, ["nft", "-f", "{file}"]);
    assert_eq!(router_.verify, ["true"]);
    // A file that is only written runs nothing.
    let config = accepted(&router("nftables", ""));
    assert!(config.routers[0].check.is_empty() && config.routers[0].reload.is_empty());

    let shown = problems(&router("plain", "reload = \"default\""));
    let said = "reload: there is no default command for plain\n    5 | reload = \"default\"\n      |          ^^^^^^^^^\n      \
                hint: write it as a list of words, with {file} for the file";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("frr", "check = \"vtysh -C -f {file}\""));
    let said = "check: expected \"default\", or a command as a list of words, such as [\"vtysh\", \"-f\", \"{file}\"]";
    assert!(shown.contains(said), "{shown}");
    assert!(shown.ends_with("1 problem"), "{shown}");
}

#[test]
fn lists_are_as_the_family_can_have_them() {
    let config = accepted(&router("frr", "lists = \"octets\""));
    assert_eq!(config.routers[0].shape.lists, Lists::Octets);
    let shown = problems(&router("frr", "role = \"filter\"\nlists = \"none\""));
    let said = "lists: frr as filter has never \"none\"\n    6 | lists = \"none\"\n      |         ^^^^^^\n      \
                hint: permitted are one, octets";
    assert!(shown.contains(said), "{shown}");
    let shown = problems(&router("bird", "lists = \"octets\""));
    assert!(shown.contains("hint: permitted are one"), "{shown}");
    let shown = problems(&router("frr", "lists = \"two\""));
    assert!(shown.contains("lists: \"two\" is not known"), "{shown}");
}
