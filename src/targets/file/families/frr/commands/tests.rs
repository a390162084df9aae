//! The scripts with a `vtysh` that says what FRR's says.

mod cuts;

use std::path::Path;
use std::process::Command;

use super::*;

/// What ran: whether it ended well, and what it said.
struct Ran {
    well: bool,
    said: String,
}

/// A file, and a `vtysh` that is a script; `$*` are its words.
struct Place(tempfile::TempDir);

impl Place {
    fn new(file: &str, vtysh: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("it.conf"), file).unwrap();
        let draft = place.path().join("draft");
        std::fs::write(&draft, format!("#!/bin/sh\n{vtysh}")).unwrap();
        // Written by another process: see ETXTBSY.
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(draft);
        let status = install.arg(place.path().join("vtysh")).status();
        assert!(status.unwrap().success());
        Self(place)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a default command for the file.
    fn run(&self, words: &[&str]) -> Ran {
        let file = self.path().join("it.conf").display().to_string();
        let filled = words.iter();
        let filled = filled.map(|word| word.replace("{file}", &file).replace("{delta}", &file));
        let filled: Vec<_> = filled.collect();
        let path = format!("{}:/usr/bin:/bin", self.path().display());
        let ran = Command::new(&filled[0])
            .args(&filled[1..])
            .env("PATH", path)
            .output()
            .unwrap();
        Ran {
            well: ran.status.success(),
            said: String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap(),
        }
    }
}

#[test]
fn notes_of_frr_10_7_are_no_refusal_and_a_refused_line_is() {
    for role in [Role::Edge, Role::Trigger, Role::Filter] {
        let reload = commands(role).reload;
        let load = |vtysh: &str| {
            let vtysh = format!("case \"$*\" in\n*' -f '*) {vtysh};;\n*) echo end;;\nesac\n");
            let file = "ip prefix-list NULLROUTED-OWN-V4 seq 1 deny 0.0.0.0/0\n";
            Place::new(file, &vtysh).run(reload).well
        };
        let notes = "echo '% Configuration applied with notes:'; echo 'No changes found to be committed!'\n";
        assert!(load(notes), "{role}");
        assert!(load("echo 'MGMTD: No changes found to be committed!'\n"));
        let refused = "echo '% Configuration failed.'; echo; echo 'Error type: validation'\n";
        assert!(!load(refused), "{role}");
        assert!(!load(&format!("{notes}{refused}")), "{role}");
        let ended = "echo \"can't compile regexp _64496[\\$\"; exit 13\n";
        assert!(!load(ended), "{role}");
    }
}

#[test]
fn static_routes_are_in_staticd_or_in_mgmtd() {
    let routes = "ip route 192.0.2.1/32 blackhole\nipv6 route 100::1/128 blackhole\n";
    let verify = commands(Role::Edge).verify;
    // `has` prints the routes for the running configuration of this daemon alone.
    let verified = |has: &str, runs: &str, routes_held: &str| {
        let vtysh = format!(
            "case \"$*\" in\n'-d {has} -c show running-config') printf '{routes_held}' ;;\n\
             '-d bgpd -c show running-config') echo 'frr version 10.3' ;;\n\
             '-d {runs} -c show version') ;;\n*) echo \"no daemons match\" >&2; exit 1 ;;\nesac\n"
        );
        Place::new(routes, &vtysh).run(verify)
    };
    for has in ["staticd", "mgmtd"] {
        assert!(verified(has, "staticd", routes).well, "{has}");
        let one = verified(has, "staticd", "ip route 192.0.2.1/32 blackhole\n");
        assert!(!one.well);
        assert_eq!(
            one.said,
            "FRR lacks a static route that drops: neither staticd nor mgmtd has it\n"
        );
    }
    let without = verified("mgmtd", "zebra", routes);
    assert!(!without.well);
    assert_eq!(
        without.said,
        "staticd does not run, so no route drops what the trigger announces\n"
    );
}

#[test]
fn what_differs_is_named_with_the_command_that_mends_it() {
    let file = "ip prefix-list NULLROUTED-V4 seq 1 deny 0.0.0.0/0\nip prefix-list NULLROUTED-V4 seq 5 permit 192.0.2.0/24\n\
                route-map NULLROUTED-OUT permit 10\n match community NULLROUTED\n";
    let verified = |held: &str| {
        let vtysh = format!(
            "case \"$*\" in\n'-d bgpd -c show running-config') printf '{held}' ;;\n\
             *) echo \"no daemons match\" >&2; exit 1 ;;\nesac\n"
        );
        let place = Place::new(file, &vtysh);
        let path = place.path().join("it.conf").display().to_string();
        let ran = place.run(commands(Role::Trigger).verify);
        (ran.well, ran.said.replace(&path, "FILE"))
    };
    assert_eq!(verified(file), (true, String::new()));
    let lacks = file.replace(
        "ip prefix-list NULLROUTED-V4 seq 5 permit 192.0.2.0/24\n",
        "",
    );
    let said = "bgpd differs from the file in 1 line. It lacks \"ip prefix-list NULLROUTED-V4 seq 5 permit \
                192.0.2.0/24\": vtysh -f FILE loads it. Then nullrouted refresh\n";
    assert_eq!(verified(&lacks), (false, said.to_owned()));
    let over = format!("{file}ip prefix-list NULLROUTED-V4 seq 7 permit 9.9.9.0/24\n");
    let said = "bgpd differs from the file in 1 line. It has \"ip prefix-list NULLROUTED-V4 seq 7 permit 9.9.9.0/24\", \
                which is not in the file: vtysh -d bgpd -c \"configure terminal\" -c \"no ip prefix-list NULLROUTED-V4 seq 7 \
                permit 9.9.9.0/24\" takes it out. Then nullrouted refresh\n";
    assert_eq!(verified(&over), (false, said.to_owned()));
    let clause = "route-map NULLROUTED-OUT permit 10\n match community NULLROUTED\n";
    let other = file.replace(clause, "route-map NULLROUTED-OUT permit 20\n");
    let said = "bgpd differs from the file in 2 lines. It has \"route-map NULLROUTED-OUT permit 20\", which is not in the \
                file: vtysh -d bgpd -c \"configure terminal\" -c \"no route-map NULLROUTED-OUT permit 20\" takes it out. It lacks \
                \"route-map NULLROUTED-OUT permit 10\": vtysh -f FILE loads it. Then nullrouted refresh\n";
    assert_eq!(verified(&other), (false, said.to_owned()));
    let more = file.replace(clause, &format!("{clause} set metric 7\n"));
    let said = "bgpd differs from the file in 1 line. It has \"route-map NULLROUTED-OUT permit 10 set metric 7\", which is not in \
                the file: vtysh -d bgpd -c \"configure terminal\" -c \"route-map NULLROUTED-OUT permit 10\" -c \"no set metric 7\" \
                takes it out. Then nullrouted refresh\n";
    assert_eq!(verified(&more), (false, said.to_owned()));
    let less = file.replace(" match community NULLROUTED\n", "");
    let said = "bgpd differs from the file in 1 line. It lacks \"route-map NULLROUTED-OUT permit 10 match community NULLROUTED\": \
                vtysh -f FILE loads it. Then nullrouted refresh\n";
    assert_eq!(verified(&less), (false, said.to_owned()));
}

/// vtysh reads its own configuration first, which is for FRR's user alone, and says so on each
/// call.
#[test]
fn that_vtysh_may_not_read_its_own_configuration_is_no_refusal_and_not_said() {
    let permission =
        "% Can't open configuration file /etc/frr/vtysh.conf due to 'Permission denied'.";
    let missing =
        "% Can't open configuration file /etc/frr/vtysh.conf due to 'No such file or directory'.";
    // As FRR 10 has it.
    let failure = "Configuration file[/etc/frr/frr.conf] processing failure: 11";
    let file = "ip prefix-list NULLROUTED-OWN-V4 seq 1 deny 0.0.0.0/0\n";
    for complaint in [permission, missing, &format!("{permission}\n{failure}")] {
        let complains = format!("cat >&2 <<'X'\n{complaint}\nX\n");
        for words in [
            commands(Role::Trigger).reload,
            commands(Role::Filter).verify,
        ] {
            let held = "case \"$*\" in *running-config*) echo 'ip prefix-list NULLROUTED-OWN-V4 seq 1 deny 0.0.0.0/0';; esac";
            let ran = Place::new(file, &format!("{complains}{held}\n")).run(words);
            assert_eq!((ran.well, &*ran.said), (true, ""), "{complaint}");
        }
        let reload = commands(Role::Trigger).reload;
        let other = "case \"$*\" in *' -f '*) echo \"% Can't open configuration file /x due to 'Permission denied'.\";; esac";
        assert!(
            !Place::new(file, &format!("{complains}{other}\n"))
                .run(reload)
                .well
        );
        let ended = "case \"$*\" in *' -f '*) exit 11;; esac";
        assert!(
            !Place::new(file, &format!("{complains}{ended}\n"))
                .run(reload)
                .well
        );
    }
}

/// Which daemons have copies of lists that are gone.
#[test]
fn a_copy_of_zebra_is_looked_at_but_where_zebra_has_it_from_mgmtd() {
    let file =
        "ip prefix-list NULLROUTED-V4 seq 1 deny 0.0.0.0/0\nroute-map NULLROUTED-OUT deny 65535\n";
    let old = "ip prefix-list NULLROUTED-V4 seq 7 permit 192.0.2.0/24";
    let vtysh = |version: &str, daemons: &str| {
        format!(
            "case \"$*\" in\n'-c show daemons') echo ' {daemons}' ;;\n\
             *'show version') echo 'FRRouting {version} (edge1) on Linux(6.12.0).' ;;\n\
             '-d zebra -c show running-config') echo '{old}' ;;\n\
             *'show running-config') cat \"${{0%/*}}/it.conf\" ;;\n\
             *' -f '*) echo \"$*\"; cat /dev/stdin ;;\nesac\n"
        )
    };
    let ran = |version, daemons| {
        let place = Place::new(file, &vtysh(version, daemons));
        let [reload, verify] = {
            let commands = commands(Role::Trigger);
            [commands.reload, commands.verify]
        };
        (place.run(reload).said, place.run(verify).said)
    };
    let keeps =
        "zebra keeps 1 entries that are gone from the file, and write memory would save them\n";
    for (version, daemons) in [
        ("8.4.4", "zebra bgpd"),
        ("9.0", "mgmtd zebra bgpd"),
        ("9.1.3", "mgmtd zebra bgpd"),
    ] {
        let (loaded, verified) = ran(version, daemons);
        assert_eq!(
            loaded,
            format!("-d zebra -f /dev/stdin\nno {old}\n"),
            "{version}"
        );
        assert_eq!(verified, keeps, "{version}");
    }
    for version in ["10.0", "10.3", "11.0"] {
        let nothing = (String::new(), String::new());
        assert_eq!(ran(version, "mgmtd zebra bgpd"), nothing, "{version}");
    }
}

/// Versions of FRR show different ones of these with an IPv4 address, and we write yet others so.
#[test]
fn an_ipv6_prefix_with_an_ipv4_address_in_it_is_the_same_in_hexadecimal_digits() {
    let entry = |seq: u32, prefix: &str| {
        format!("ipv6 prefix-list NULLROUTED-FILTER-V6 seq {seq} permit {prefix} le 128\n")
    };
    let file: String = [
        "::102:304/128",
        "::ffff:1.2.3.4/128",
        "::ffff:0.0.0.0/96",
        "2001:db8::/32",
    ]
    .iter()
    .zip(1..)
    .map(|(prefix, seq)| entry(seq, prefix))
    .collect();
    let verify = commands(Role::Filter).verify;
    for held in [
        [
            "::1.2.3.4/128",
            "::ffff:102:304/128",
            "::ffff:0:0/96",
            "2001:db8::/32",
        ],
        [
            "::1.2.3.4/128",
            "::ffff:1.2.3.4/128",
            "::ffff:0.0.0.0/96",
            "2001:db8::/32",
        ],
    ] {
        let held: String = held
            .iter()
            .zip(1..)
            .map(|(prefix, seq)| entry(seq, prefix))
            .collect();
        let vtysh =
            |held: &str| format!("case \"$*\" in '-d bgpd '*) cat <<'X'\n{held}X\n;; esac\n");
        let ran = Place::new(&file, &vtysh(&held)).run(verify);
        assert_eq!((ran.well, &*ran.said), (true, ""));
        let other = held.replace("::1.2.3.4", "::1.2.3.5");
        assert!(!Place::new(&file, &vtysh(&other)).run(verify).well);
    }
}

const TRIGGER: &str = "\
! Sends:  to every iBGP neighbor and to no other
ip prefix-list NULLROUTED-V4 seq 1 deny 0.0.0.0/0
ip prefix-list NULLROUTED-V4 seq 2 permit 192.0.2.0/24
ip prefix-list NULLROUTED-V4 seq 3 permit 198.51.100.0/24
ipv6 prefix-list NULLROUTED-V6 seq 1 deny ::/0
ipv6 prefix-list NULLROUTED-V6 seq 2 permit 2001:db8:bad::/48
route-map NULLROUTED-OUT permit 10
 match community NULLROUTED
exit
";

/// What FRR 10.3 prints of routes with the community; 8.4 prints the same two columns further left.
/// Ours are 192.0.2.0/24 and 2001:db8:bad::/48. Of 198.51.100.0/24 another path is the best one,
/// and 203.0.113.0/24 is on no list.
const TABLE: &str = "\
     Network          Next Hop            Metric LocPrf Weight Path
 *>  192.0.2.0/24     0.0.0.0                  0         32768 i
 *                    100.64.1.2               0             0 65001 i
 *>i 198.51.100.0/24  100.64.1.2               0    100      0 32768 i
 *                    0.0.0.0                  0         32768 i
 *>  203.0.113.0/24   0.0.0.0                  0         32768 i
 *>  2001:db8:bad::/48
                    ::                       0         32768 i
";

#[test]
fn neighbors_are_asked_for_of_what_is_listed_and_ours_alone() {
    let verify = commands(Role::Trigger).verify;
    let neighbor = "\"remoteAs\":65001,\"bgpNeighborAddr\":\"100.64.3.2\"";
    let verified = |table: &str, about: &str| {
        let vtysh = format!(
            "for word; do case \"$word\" in\n'show running-config') cat \"${{0%/*}}/it.conf\" ;;\n\
             'show bgp ipv4 unicast community '*) cat <<'X'\n{table}X\n;;\n\
             'show bgp '*' unicast '*' json') prefix=${{word% json}}\n\
             echo \"{{\\\"prefix\\\":\\\"${{prefix##* }}\\\",\\\"advertisedTo\\\":{{\\\"100.64.3.2\\\":{{}}}}}}\" ;;\n\
             'show bgp neighbors '*) echo '{{\"100.64.3.2\":{{{neighbor},{about}}}}}' ;;\nesac; done\n"
        );
        Place::new(TRIGGER, &vtysh).run(verify).said
    };
    let external = "\"nbrExternalLink\":true";
    let leak = |prefixes: &str| {
        format!(
            "100.64.3.2 (eBGP) may not have blackholes and is sent at least {prefixes}: refuse them to it, or name it in \
             neighbors, with announce_to = \"ebgp\"\n"
        )
    };
    let of_8_4 = TABLE
        .replace("\n *>i ", "\n*>i")
        .replace("\n *>  ", "\n*> ")
        .replace("\n *  ", "\n*  ");
    for table in [TABLE, &of_8_4] {
        let v4 = table.replace("2001:db8:bad::/48", "198.18.0.0/15");
        assert_eq!(verified(&v4, external), leak("1, such as 192.0.2.0/24"));
    }
    let theirs = TABLE.replace(
        " *>  192.0.2.0/24     0.0.0.0     ",
        " *>  192.0.2.0/24     100.64.1.2  ",
    );
    assert_ne!(theirs, TABLE);
    assert_eq!(verified(&theirs, external), "");
    // A confederation: its own AS, another AS of it, and an AS outside.
    let outside = "\"nbrConfedExternalLink\":true";
    assert_eq!(verified(TABLE, "\"nbrConfedInternalLink\":true"), "");
    assert_eq!(
        verified(TABLE, &format!("{outside},\"nbrCommonAdmin\":true")),
        ""
    );
    assert_eq!(verified(TABLE, outside), leak("1, such as 192.0.2.0/24"));
    assert_eq!(verified(TABLE, "\"nbrInternalLink\":true"), "");
}

/// What is in a clause, or too much in it, that decides who receives a route.
#[test]
fn a_clause_that_is_held_otherwise_is_not_the_file() {
    let file = "\
ip prefix-list NULLROUTED-V4 seq 1 deny 0.0.0.0/0
route-map NULLROUTED-IN permit 10
 match ip address prefix-list NULLROUTED-V4
 match metric 166
 match ip next-hop type blackhole
 match source-protocol kernel
 set community blackhole no-export
exit
route-map NULLROUTED-OUT permit 10
 match community NULLROUTED
 no set ip next-hop
 set community no-export additive
exit
route-map NULLROUTED-OUT deny 65535
exit
";
    let shown = file.replace(" no set ip next-hop\n", "");
    let verify = |held: &str| {
        let vtysh = format!("case \"$*\" in '-d bgpd '*) cat <<'X'\n{held}X\n;; esac\n");
        Place::new(file, &vtysh).run(commands(Role::Trigger).verify)
    };
    assert!(verify(&shown).well);
    // bgpd 8.4 does not show it.
    let source = " match source-protocol kernel\n";
    assert!(verify(&shown.replace(source, "")).well);
    for (what, instead) in [
        (
            " set community blackhole no-export\n",
            " set community blackhole\n",
        ),
        (" set community blackhole no-export\n", ""),
        (" match metric 166\n", ""),
        (" match ip next-hop type blackhole\n", ""),
        (" match community NULLROUTED\n", ""),
        (
            " match community NULLROUTED\n",
            " match community NULLROUTED\n set ip next-hop 192.0.2.1\n",
        ),
        (
            " match community NULLROUTED\n",
            " match community NULLROUTED\n on-match next\n",
        ),
        (
            " match community NULLROUTED\n",
            " call ALL\n match community NULLROUTED\n",
        ),
        ("OUT deny 65535\n", "OUT permit 65535\n"),
        ("OUT permit 10\n", "OUT deny 10\n"),
        (
            "route-map NULLROUTED-OUT deny",
            "route-map NULLROUTED-OUT permit 20\nexit\nroute-map NULLROUTED-OUT deny",
        ),
        (" seq 1 deny", " seq 1 permit"),
    ] {
        let held = shown.replacen(what, instead, 1);
        assert_ne!(held, shown);
        let ran = verify(&held);
        assert!(!ran.well, "{held}");
        assert!(
            ran.said.starts_with("bgpd differs from the file in "),
            "{}",
            ran.said
        );
    }
}
