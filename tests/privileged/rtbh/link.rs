//! A trigger of another AS on the link of an edge, which announces a discard next hop: 192.0.2.1
//! and 100::1, which no route of that link leads to. Whatever speaks there, packets to what is
//! listed die at the edge; an IPv6 update has a link-local next hop too, and that must not win over
//! the discard route.
//!
//! ```text
//!  trigger (AS 65010) ──100.64.1.0/30, fd01::/64── edge (AS 65000) ── near, far
//! ```

use std::path::Path;

use nullrouted::targets::file::{Family, Role};

use super::lab::Edge;
use super::speakers::edge_file;
use crate::support::frr::Running;
use crate::support::lab::{LIST, LISTED, Lab, NEIGHBOURS};
use crate::support::namespace::{Namespace, eventually};
use crate::support::speaker::{self, bird, can_run, open, openbgpd, quiet};
use crate::support::{NO_KERNEL, NOC, Place};

/// The addresses of the trigger, and those of the edge.
const HERE: [&str; 2] = ["100.64.1.1", "fd01::1"];
const EDGE: [&str; 2] = ["100.64.1.2", "fd01::2"];

/// Our part at the trigger.
fn router(family: Family) -> String {
    let kernel = if family == Family::Frr { "" } else { NO_KERNEL };
    format!(
        "{NOC}{kernel}[[router]]\nname = \"it\"\nfamily = \"{family}\"\npath = \"it.conf\"\nadopt = true\n\
         next_hop_v4 = \"192.0.2.1\"\nnext_hop_v6 = \"100::1\"\nannounce_to = \"ebgp\"\nneighbors = {EDGE:?}\n\
         check = \"default\"\nreload = \"default\"\nverify = \"default\"\n"
    )
}

/// The operator's own part of FRR, which is none of our files.
fn typed(namespace: &Namespace, file: &Path) {
    let file = file.display().to_string();
    namespace.run("vtysh", &["-f", &file]).code(0);
}

/// What speaks at the trigger, with our file for it; the file may be written before there is a
/// daemon.
fn trigger(namespace: &Namespace, family: Family, place: &Place, own: &Place) -> Vec<Running> {
    let file = place.path("it.conf").display().to_string();
    let first = || {
        place.run_in(namespace, &["refresh"]);
        place.read("it.conf")
    };
    match family {
        Family::Bird => {
            first();
            let session = |at: usize, family: u8| {
                format!(
                    "protocol bgp edge{family} {{ local {} as 65010; neighbor {} as 65000; connect retry time 1; \
                     connect delay time 1; error wait time 1, 2; multihop; ipv{family} {{ table nullrouted_table{family}; \
                     import none; export filter nullrouted_trigger{family}; }}; }}\n",
                    HERE[at], EDGE[at]
                )
            };
            let config = format!(
                "router id 100.64.1.1;\nprotocol device {{ scan time 1; }}\ninclude \"{file}\";\n{}{}",
                session(0, 4),
                session(1, 6)
            );
            vec![bird(namespace, own, &config, "")]
        }
        Family::OpenBgpd => {
            place.write("it.conf", "# nothing yet\n");
            let neighbor = |address: &str, family: u8| {
                format!(
                    "neighbor {address} {{\n\tremote-as 65000\n\tannounce IPv{family} unicast\n}}\n"
                )
            };
            let config = format!(
                "AS 65010\nrouter-id 100.64.1.1\nfib-update no\n{}{}include \"{file}\"\ndeny from any\n",
                neighbor(EDGE[0], 4),
                neighbor(EDGE[1], 6)
            );
            vec![openbgpd(namespace, own, &config)]
        }
        Family::GoBgp => {
            let text = first();
            let policies: Vec<_> = text
                .lines()
                .filter_map(|line| line.strip_prefix("#: "))
                .collect();
            let neighbor = |address: &str, family: u8| {
                format!(
                    "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{address}\"\npeer-as = 65000\n\
                     [neighbors.timers.config]\nconnect-retry = 1\n[[neighbors.afi-safis]]\n\
                     [neighbors.afi-safis.config]\nafi-safi-name = \"ipv{family}-unicast\"\n"
                )
            };
            let config = format!(
                "[global.config]\nas = 65010\nrouter-id = \"100.64.1.1\"\n{}{}[global.apply-policy.config]\n\
                 import-policy-list = [\"NULLROUTED-IN\"]\nexport-policy-list = [\"NULLROUTED-OUT\"]\n\
                 default-export-policy = \"reject-route\"\n{}\n",
                neighbor(EDGE[0], 4),
                neighbor(EDGE[1], 6),
                policies.join("\n")
            );
            own.write("gobgpd.conf", &config);
            let config = own.path("gobgpd.conf").display().to_string();
            let mut command = namespace.command("gobgpd");
            command.args(["-p", "-f", &config, "--api-hosts", "127.0.0.1:50051"]);
            let running = quiet(command.arg("--pprof-disable"));
            eventually("gobgpd is up", || {
                namespace.run("gobgp", &["global"]).code == Some(0)
            });
            vec![running]
        }
        _ => {
            let neighbor = |at: usize| {
                let (address, family, map) = (EDGE[at], ["ipv4", "ipv6"][at], ["", "6"][at]);
                format!(
                    " neighbor {address} remote-as 65000\n neighbor {address} timers connect 1\n \
                     address-family {family} unicast\n  neighbor {address} activate\n  \
                     redistribute kernel route-map NULLROUTED-IN{map}\n  \
                     neighbor {address} route-map NULLROUTED-OUT out\n exit-address-family\n"
                )
            };
            let config = format!(
                "router bgp 65010\n bgp router-id 100.64.1.1\n no bgp default ipv4-unicast\n \
                 bgp route-map delay-timer 1\n{}{}exit\n",
                neighbor(0),
                neighbor(1)
            );
            own.write("frr.conf", &config);
            let daemons = speaker::frr(namespace, own, &["zebra", "bgpd"]);
            typed(namespace, &own.path("frr.conf"));
            daemons
        }
    }
}

/// BIRD as an edge whose sessions have these lines behind their ends.
fn edge_bird(place: &Place, lines: [&str; 2]) -> String {
    place.write("edge.conf", &edge_file(Family::Bird));
    let session = |at: usize, family: u8| {
        format!(
            "protocol bgp trigger{family} {} local {} as 65000; neighbor {} as 65010; connect retry time 1; connect delay time 1; error wait time 1, 2; {} }}\n",
            lines[0].replace('N', &family.to_string()),
            EDGE[at],
            HERE[at],
            lines[1].replace('N', &family.to_string())
        )
    };
    format!(
        "router id 100.64.1.2;\nprotocol device {{ scan time 1; }}\n\
         protocol kernel {{ ipv4 {{ import none; export where source = RTS_BGP; }}; }}\n\
         protocol kernel {{ ipv6 {{ import none; export where source = RTS_BGP; }}; }}\ninclude \"{}\";\n{}{}",
        place.path("edge.conf").display(),
        session(0, 4),
        session(1, 6)
    )
}

const TEMPLATE: [&str; 2] = ["from nullrouted_fromN {", ""];

fn edge_frr(lab: &Lab, place: &Place) -> Vec<Running> {
    place.write("edge.conf", &edge_file(Family::Frr));
    let neighbor = |at: usize| {
        let (address, family, map) = (HERE[at], ["ipv4", "ipv6"][at], ["", "6"][at]);
        format!(
            " neighbor {address} remote-as 65010\n neighbor {address} timers connect 1\n \
             neighbor {address} disable-connected-check\n address-family {family} unicast\n  \
             neighbor {address} activate\n  neighbor {address} route-map NULLROUTED-EDGE{map} in\n  \
             neighbor {address} route-map NOTHING out\n exit-address-family\n"
        )
    };
    let config = format!(
        "route-map NOTHING deny 1\nexit\nrouter bgp 65000\n bgp router-id 100.64.1.2\n \
         no bgp default ipv4-unicast\n bgp route-map delay-timer 1\n{}{}exit\n",
        neighbor(0),
        neighbor(1)
    );
    place.write("frr.conf", &config);
    let daemons = speaker::frr(&lab.router, place, &["zebra", "staticd", "bgpd"]);
    // The route-maps are there before the sessions that use them.
    let words = Family::Frr.commands(Role::Edge).reload;
    speaker::run(&lab.router, words, &place.path("edge.conf")).code(0);
    typed(&lab.router, &place.path("frr.conf"));
    daemons
}

/// The edge with the trigger on a link of its own.
fn wired() -> Option<(Lab, Namespace)> {
    let lab = Lab::new()?;
    let trigger = lab.router.another()?;
    let ends = [HERE, EDGE].map(|end| format!("{}/30 {}/64", end[0], end[1]));
    trigger.wire("edge", &ends[0], &lab.router, "trigger", &ends[1]);
    // What speaks here needs its link-local address, and looks for it once.
    for (namespace, device) in [(&trigger, "edge"), (&lab.router, "trigger")] {
        eventually("it has a link-local address", || {
            let said = namespace.ip(&format!("-6 address show dev {device} scope link"));
            said.contains("fe80::") && !said.contains("tentative")
        });
    }
    for address in LISTED.iter().chain(&NEIGHBOURS) {
        eventually("it answers before", || lab.answers(address));
    }
    Some((lab, trigger))
}

fn dies_at_both_edges(family: Family, program: &str) {
    if !can_run(&["bird", "vtysh", program]) {
        return;
    }
    for edge in Edge::ALL {
        let Some((lab, namespace)) = wired() else {
            return;
        };
        let (its, own) = (Place::new(NOC), Place::new(NOC));
        let _edge = match edge {
            Edge::Bird => vec![bird(&lab.router, &its, &edge_bird(&its, TEMPLATE), "")],
            Edge::Frr => edge_frr(&lab, &its),
        };
        let place = Place::new(&router(family));
        open(&place);
        place.write("noc.list", "# nobody\n");
        let _trigger = trigger(&namespace, family, &place, &own);
        let list = |list: &str| {
            place.write("noc.list", list);
            place.run_in(&namespace, &["refresh"]).code(0);
        };
        list(LIST);
        for address in LISTED {
            eventually(&format!("{address} is dropped by {edge:?}"), || {
                !lab.answers(address)
            });
        }
        // Not by what the link-local next hop leads to: the route itself drops.
        let dropped = |words: &str| {
            let blackholes = lab.router.ip(words);
            assert!(blackholes.contains("blackhole"), "{edge:?}: {blackholes}");
        };
        if edge == Edge::Bird {
            dropped("-4 route show 72.37.186.0/23");
            dropped("-6 route show 2001:db8:bad::/48");
        }
        for address in NEIGHBOURS {
            assert!(lab.answers(address), "{address} through {edge:?}");
        }
        list("# nobody any more\n");
        for address in LISTED {
            eventually(&format!("{address} answers through {edge:?}"), || {
                lab.answers(address)
            });
        }
    }
}

#[test]
fn a_discard_next_hop_of_bird_on_the_link_drops_at_both_edges() {
    dies_at_both_edges(Family::Bird, "bird");
}

#[test]
fn a_discard_next_hop_of_openbgpd_on_the_link_drops_at_both_edges() {
    dies_at_both_edges(Family::OpenBgpd, "bgpctl");
}

#[test]
fn a_discard_next_hop_of_gobgp_on_the_link_drops_at_both_edges() {
    dies_at_both_edges(Family::GoBgp, "gobgpd");
}

#[test]
fn a_discard_next_hop_of_frr_on_the_link_drops_at_both_edges() {
    dies_at_both_edges(Family::Frr, "vtysh");
}

/// A session by our filter that BIRD refuses the routes of is found by the default `verify`, with
/// what cures it.
#[test]
fn an_edge_of_bird_that_refuses_what_is_off_the_link_says_so() {
    if !can_run(&["bird"]) {
        return;
    }
    let Some((lab, namespace)) = wired() else {
        return;
    };
    let (its, own) = (Place::new(NOC), Place::new(NOC));
    let place = Place::new(&router(Family::Bird));
    open(&place);
    place.write("noc.list", LIST);
    let _trigger = trigger(&namespace, Family::Bird, &place, &own);
    let file = its.path("edge.conf");
    let verify = || speaker::run(&lab.router, Family::Bird.commands(Role::Edge).verify, &file);
    let ours = "ipvN { import filter nullrouted_edgeN; export none; };";
    let recursive = ours.replace("import", "gateway recursive; import");
    let direct = edge_bird(&its, ["{", ours]);
    let _edge = bird(&lab.router, &its, &direct, "");
    let sessions = || {
        let said = lab.router.run("birdc", &["show", "protocols"]).code(0).out;
        said.matches("Established").count()
    };
    eventually("both sessions are up", || sessions() == 2);
    let configure = |lines: [&str; 2]| {
        its.write("bird.conf", &edge_bird(&its, lines));
        lab.router.run("birdc", &["configure"]).code(0);
        eventually("both sessions are up", || sessions() == 2);
    };
    let is_told = |has: &str| {
        for (at, family) in [(0, 4), (1, 6)] {
            let told = format!(
                "trigger{family} ({}), eBGP on the link, has {}; add that to its channel, or multihop to it\n",
                HERE[at],
                has.replace('N', &family.to_string())
            );
            eventually(&told, || {
                let ran = verify();
                ran.code == Some(4) && ran.out.contains(&told)
            });
        }
    };
    is_told(
        "nullrouted_edgeN without \"gateway recursive\": BIRD refuses its routes with a next hop off the link",
    );
    // By a filter of their own, with a name and without.
    let own = ours.replace("nullrouted_edgeN", "{ nullrouted_blackholeN(); reject; }");
    configure(["{", &own]);
    is_told(
        "no \"gateway recursive\", and BIRD refused all that came, as what has a next hop off the link",
    );
    for address in LISTED {
        assert!(lab.answers(address), "{address}: nothing is dropped");
    }
    let multihop = format!("multihop; {ours}");
    let own_recursive = own.replace("import", "gateway recursive; import");
    for lines in [
        ["{", &recursive],
        ["{", &multihop],
        ["{", &own_recursive],
        TEMPLATE,
    ] {
        configure(lines);
        assert_eq!(verify().code(0).out, "", "{lines:?}");
        for address in LISTED {
            eventually(&format!("{address} is dropped: {lines:?}"), || {
                !lab.answers(address)
            });
        }
    }
    // Nothing came at all, so nothing is known of this filter.
    place.write("noc.list", "# nobody\n");
    place.run_in(&namespace, &["refresh"]).code(0);
    configure(["{", &own]);
    let restart = ["restart", "all"];
    lab.router.run("birdc", &restart).code(0);
    eventually("both sessions are up", || sessions() == 2);
    let told = format!(
        "trigger4 ({}) and 1 more, eBGP on the link without \"gateway recursive\", is not seen into: a filter that calls \
         nullrouted_blackhole needs that\n",
        HERE[0]
    );
    eventually(&told, || {
        let ran = verify();
        ran.code == Some(0) && ran.out == told
    });
}
