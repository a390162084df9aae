//! Which sessions carry the blackholes, and what keeps them from all others.

use super::*;

const ONLY: &str = "1. ONLY for a session that carries nothing but blackholes, with an edge or its route reflector: \
                    all other routes are withdrawn from this neighbor.";
const MIXED: &str = "2. For a session that carries other routes too: its own";

#[test]
fn a_trigger_has_a_recipe_for_each_kind_of_session() {
    for family in ROUTE_MAPS.into_iter().chain(POLICIES) {
        for options in [trigger(family), to_ebgp(&trigger(family))] {
            let head = head(&text(&options, &case("mixed")));
            says(&head, &[ONLY, MIXED, "Who was sent a listed PREFIX: "]);
            let mixed = head.find(MIXED).unwrap();
            assert!(head.find(ONLY) < Some(mixed), "{family}");
            let (_, recipe) = head.split_at(mixed);
            let (recipe, _) = recipe.split_once("Undo: ").unwrap();
            let before_yours = match family {
                Family::IosXr => {
                    "if community matches-any NULLROUTED then set community (no-export) additive done endif pass"
                }
                Family::Vrp => "route-policy YOURS permit node 1",
                Family::VyOs => "set policy route-map YOURS rule 1 action permit",
                // Where YOURS is inherited, the second line alone would replace it.
                Family::Junos | Family::JunosSet => {
                    "set protocols bgp group GROUP export YOURS (where it is not at this level already) \
                     set protocols bgp group GROUP export NULLROUTED-MIXED \
                     insert protocols bgp group GROUP export NULLROUTED-MIXED before YOURS"
                }
                Family::SrOs => "export policy [\"NULLROUTED-MIXED\" \"YOURS\"]",
                Family::SrOsClassic => "export \"NULLROUTED-MIXED\" \"YOURS\"",
                Family::RouterOs => "add chain=YOURS rule=\"jump NULLROUTED-MIXED\"",
                _ => "route-map YOURS permit 1 ",
            };
            assert!(recipe.contains(before_yours), "{family}: {recipe}");
            let passes_the_rest = match family {
                Family::IosXr => {
                    "pass (last, where nothing else passes: without it all is dropped)"
                }
                Family::Vrp => {
                    "route-policy YOURS permit node 65535 (where it has no other node: without one it denies all)"
                }
                Family::VyOs => {
                    "rule 65535 action permit (where it has no other rule: without one it denies all)"
                }
                Family::RouterOs => "A chain that has no other rule needs a last one, `accept`",
                _ if POLICIES.contains(&family) => {
                    "Without a policy YOURS, the default of BGP decides on the other routes."
                }
                _ => {
                    "route-map YOURS permit 65535 (where it has no other clause: without one it denies all)"
                }
            };
            assert!(recipe.contains(passes_the_rest), "{family}: {recipe}");
        }
    }
}

/// The recipe has the clauses of `NULLROUTED-OUT` but the last, whichever next hop they set.
#[test]
fn a_next_hop_is_in_the_recipe_as_it_is_in_the_map() {
    for family in ROUTE_MAPS {
        let options = FileOptions {
            next_hop_v4: Some("198.51.100.9".parse().unwrap()),
            next_hop_v6: Some("100::9".parse().unwrap()),
            ..trigger(family)
        };
        let text = text(&options, &case("mixed"));
        let set = match family {
            Family::IosXr => ["set next-hop 198.51.100.9", "set next-hop 100::9"],
            Family::Vrp => [
                "apply ip-address next-hop 198.51.100.9",
                "apply ipv6 next-hop 100::9",
            ],
            Family::VyOs => [
                "set ip-next-hop 198.51.100.9",
                "set ipv6-next-hop global 100::9",
            ],
            Family::Frr => [
                "set ip next-hop 198.51.100.9",
                "set ipv6 next-hop global 100::9",
            ],
            _ => ["set ip next-hop 198.51.100.9", "set ipv6 next-hop 100::9"],
        };
        for line in set {
            assert!(head(&text).contains(line), "{family}");
            let lines = text.lines().filter(|line| !line.starts_with(['!', '#']));
            assert_eq!(
                lines.filter(|other| other.ends_with(line)).count(),
                1,
                "{family}: {line}"
            );
        }
    }
}

/// Communities that a route gets at origination, as each family has them.
fn originated(text: &str) -> usize {
    let with = [
        "set community 65535:666 no-export",
        "set community (65535:666, no-export)",
        "apply community 65535:666 no-export",
        "set community blackhole no-export",
        "set community replace no-export",
    ];
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| with.iter().any(|with| line.ends_with(with)))
        .count()
}

#[test]
fn a_route_is_originated_with_no_export_unless_it_is_for_ebgp() {
    for family in ROUTE_MAPS {
        let ibgp = text(&trigger(family), &case("mixed"));
        assert_eq!(originated(&ibgp), 2, "{family}");
        says(
            &head(&ibgp),
            &[
                "Sessions: iBGP alone (announce_to = \"ibgp\"). The routes are originated with no-export: no eBGP neighbor can receive them",
                "Every other iBGP neighbor receives them, too.",
            ],
        );
        let tried = family == Family::Frr;
        let assumed = "Assumed, and not tried on such a router: no-export at origination keeps the routes from eBGP.";
        assert_eq!(head(&ibgp).contains(assumed), !tried, "{family}");

        let ebgp = text(&to_ebgp(&trigger(family)), &case("mixed"));
        assert!(
            originated(&ebgp) == 0 && !head(&ebgp).contains("not advertised"),
            "{family}"
        );
        says(
            &head(&ebgp),
            &[
                "Sessions: with 100.64.0.2 and 2001:db8:1::2 alone (announce_to = \"ebgp\"). The routes are originated without no-export",
                "EVERY other neighbor, eBGP or iBGP, receives them unless its",
                "So first, at every neighbor that is not named, before all other",
            ],
        );
        // What keeps them back comes before what announces them.
        let head = head(&ebgp);
        let denies = match family {
            Family::IosXr => "if community matches-any NULLROUTED then drop endif",
            Family::Vrp => {
                "route-policy YOURS deny node 1 (any number below those of YOURS) if-match community-filter NULLROUTED"
            }
            Family::VyOs => {
                "rule 1 action deny (any number below those of YOURS) set policy route-map YOURS rule 1 match community \
                 community-list NULLROUTED"
            }
            _ => {
                "route-map YOURS deny 1 (any number below those of YOURS) match community NULLROUTED"
            }
        };
        assert!(
            head.find(denies).unwrap() < head.find(ONLY).unwrap(),
            "{family}"
        );
        let announces = match family {
            Family::Frr => "redistribute kernel route-map NULLROUTED-IN",
            Family::IosXr => "redistribute static route-policy NULLROUTED-IN",
            Family::Vrp => "import-route static route-policy NULLROUTED-IN",
            _ => "redistribute static route-map NULLROUTED-IN",
        };
        in_order(
            &head,
            &[
                "Use: First the sessions, then the origination: before that nothing is announced.",
                ONLY,
                MIXED,
                "Last, the origination: ",
                announces,
                "Undo: ",
            ],
        );
        // The static routes are in force with the load, whatever protocol redistributes them.
        let early = match family {
            Family::Frr => "",
            Family::IosXr => {
                "let it drop tag 666: both with the commit of the first load, as the routes of the file go out with it."
            }
            Family::VyOs => "let it deny tag 666 before the first load.",
            _ => {
                "let it deny tag 666: both before the first load, as the routes of the file go out with it."
            }
        };
        assert!(head.contains(early), "{family}");
    }
    let named = FileOptions {
        neighbors: vec!["192.0.2.9".parse().unwrap()],
        ..trigger(Family::Ios)
    };
    let told = head(&text(&named, &case("mixed")));
    says(
        &told,
        &["Sessions: iBGP alone (announce_to = \"ibgp\"), with 192.0.2.9. The routes"],
    );
    // A neighbor without the community would hand them on.
    for (family, word) in [
        (Family::Ios, "`send-community`"),
        (Family::NxOs, "`send-community`"),
        (Family::Eos, "`send-community`"),
        (Family::Vrp, "`advertise-community`"),
    ] {
        let needs = format!(
            "Without {word} it receives neither community, and may pass them on to its eBGP neighbors"
        );
        says(&head_of(family, Role::Trigger), &[&needs]);
    }
    for family in POLICIES {
        let ibgp = head_of(family, Role::Trigger);
        says(
            &ibgp,
            &[
                "Never put the lines below at an eBGP neighbor.",
                "Assumed, and not tried on such a router: ",
            ],
        );
        let ebgp = head(&text(&to_ebgp(&trigger(family)), &case("mixed")));
        says(
            &ebgp,
            &["Sessions: with 100.64.0.2 and 2001:db8:1::2 alone (announce_to = \"ebgp\")."],
        );
    }
}

/// A policy before the operator's own is about nothing but our routes, and leaves all others to the
/// next.
#[test]
fn what_stands_before_a_policy_of_the_operator_decides_on_our_routes_alone() {
    for family in [Family::Junos, Family::JunosSet] {
        let options = trigger(family);
        let statements = junos_statements(&options, &text(&options, &case("mixed")));
        let begins = "policy-options policy-statement NULLROUTED-MIXED term ";
        let terms = statements
            .iter()
            .filter_map(|statement| statement.strip_prefix(begins));
        let terms: Vec<_> = terms.map(|term| term.split_once(' ').unwrap()).collect();
        let names: BTreeSet<_> = terms.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            Vec::from_iter(&names),
            [&"own-v4", &"own-v6", &"v4", &"v6"],
            "{family}"
        );
        for name in names {
            for from in ["from protocol static", "from tag 666"] {
                assert!(terms.contains(&(name, from)), "{family}: {name}");
            }
        }
    }
    let md = text(&trigger(Family::SrOs), &case("mixed"));
    let (_, policy) = md
        .split_once("policy-statement \"NULLROUTED-MIXED\" {")
        .unwrap();
    let policy = policy.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(policy.starts_with(
        "entry 10 { from { prefix-list [\"NULLROUTED-OWN-V4\" \"NULLROUTED-OWN-V6\"] protocol { name [static] } tag 666 } \
         action { action-type reject } } entry 20 { from { prefix-list [\"NULLROUTED-ALL-V4\"] protocol { name [static] } \
         tag 666 } action { action-type accept community { add [\"NULLROUTED\" \"NULLROUTED-NO-EXPORT\"] } } } entry 30"
    ), "{policy}");
    assert!(
        policy.contains("default-action { action-type next-policy } } } router"),
        "{policy}"
    );
    let classic = text(&trigger(Family::SrOsClassic), &case("mixed"));
    let begins = "/configure router policy-options policy-statement \"NULLROUTED-MIXED\" ";
    let lines: Vec<_> = classic
        .lines()
        .filter_map(|line| line.strip_prefix(begins))
        .collect();
    for entry in ["10", "20", "30"] {
        for from in ["protocol static", "tag 666"] {
            assert!(
                lines.contains(&&*format!("entry {entry} from {from}")),
                "{lines:?}"
            );
        }
    }
    assert_eq!(lines.last(), Some(&"default-action next-policy"));
    let script = text(&trigger(Family::RouterOs), &case("mixed"));
    let rules = script
        .lines()
        .filter(|line| line.starts_with("set [find comment=\"nullrouted MIXED "));
    let rules: Vec<_> = rules
        .map(|line| line.split_once(" rule=").unwrap().1)
        .collect();
    let ours = "protocol static && blackhole && distance == 16) {";
    assert!(
        rules.len() == 4 && rules[..3].iter().all(|rule| rule.contains(ours)),
        "{rules:?}"
    );
    assert_eq!(rules[3], "\"return\"");
}

/// Where a neighbor has no policy yet, the recipe puts one there; and it says whose blackholes it
/// matches as well.
#[test]
fn a_recipe_attaches_the_policy_and_names_what_else_it_matches() {
    let customers = "refuses blackholes of your customers too, which carry 65535:666. Where the neighbor is to receive those, as an \
                     upstream does, permit them before it: by your customers' prefixes, or by a community that you give them.";
    let also = "match blackholes of your customers too, which carry 65535:666: this neighbor receives those with no-export.";
    for family in ROUTE_MAPS {
        let attach = match family {
            Family::NxOs => {
                "neighbor ADDRESS (where it has none yet) address-family ipv4 unicast (ipv6 unicast likewise) route-map YOURS out \
                 clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out"
            }
            Family::Ios => {
                "neighbor ADDRESS route-map YOURS out (in each address-family, where it has none yet) \
                 clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out"
            }
            Family::Frr => {
                "neighbor ADDRESS route-map YOURS out (in each address-family, where it has none yet)"
            }
            Family::Eos => "(and ipv6, where it has none yet) neighbor ADDRESS route-map YOURS out",
            Family::IosXr => {
                "neighbor ADDRESS (where it has none yet) address-family ipv4 unicast (ipv6 unicast likewise) \
                 route-policy YOURS out"
            }
            Family::Vrp => {
                "peer ADDRESS route-policy YOURS export (in each family, where it has none yet)"
            }
            _ => {
                "set protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map export YOURS (where it has none yet)"
            }
        };
        for options in [trigger(family), to_ebgp(&trigger(family))] {
            let head = head(&text(&options, &case("mixed")));
            assert_eq!(head.matches(attach).count(), 2, "{family}: {head}");
            says(&head, &[customers, also]);
            // Else what was sent before stays.
            let soft =
                "clear bgp ipv4 unicast ADDRESS soft out, clear bgp ipv6 unicast ADDRESS soft out";
            let many = match family {
                Family::Ios | Family::NxOs => 3,
                _ => 0,
            };
            assert_eq!(head.matches(soft).count(), many, "{family}");
        }
    }
    // The policies before an own one match static routes with our tag alone.
    for family in POLICIES {
        assert!(!head_of(family, Role::Trigger).contains("of your customers"));
    }
}

/// The families that are tried here have the two kinds of sessions as well, each in its own way.
#[test]
fn the_other_triggers_have_both_kinds_of_session_and_what_keeps_the_routes_back() {
    for (family, alone, mixed, undone) in [
        (
            Family::Bird,
            "1. ONLY for a session that carries nothing but blackholes, with an edge or its route reflector: protocol bgp ... { \
             ipv4 { table nullrouted_table4; import none; export filter nullrouted_trigger4; }; }",
            "2. For sessions that carry other routes too, a table that two pipes fill. Their export filter stays, behind our line:",
            "a session of recipe 1 as a whole, or with an import of its own: without one BIRD imports all",
        ),
        (
            Family::OpenBgpd,
            "1. ONLY for a session that carries nothing but blackholes, behind the include and before your own rules: deny quick \
             to ADDRESS",
            "2. A session that carries other routes too needs nothing: your own rules decide on those.",
            "a session of recipe 1 keeps its rule, or needs rules of yours",
        ),
        (
            Family::GoBgp,
            "1. Where no session carries anything but blackholes: all other routes are withdrawn from every neighbor. \
             default-export-policy = \"reject-route\"",
            "2. Where sessions carry other routes too: your own policies stay, behind ours.",
            "then take the policies out, and send SIGHUP",
        ),
        (
            Family::ExaBgp,
            "1. ONLY for a session that carries nothing but blackholes: leave the routes of your configuration out of this neighbor.",
            "2. A session that carries other routes too sends the routes of your configuration beside the blackholes.",
            "take the process and the api out, and start ExaBGP anew",
        ),
    ] {
        for options in [trigger(family), to_ebgp(&trigger(family))] {
            let head = head(&text(&options, &case("mixed")));
            in_order(&head, &[alone, mixed, "Sends: to ", "Undo: "]);
            in_order(undo_of(&head), &[undone]);
        }
    }
    let head_to = |family| head(&text(&to_ebgp(&trigger(family)), &case("mixed")));
    let named = "Sends: to the neighbors 100.64.0.2, 2001:db8:1::2 and to no other";
    for family in [Family::Bird, Family::OpenBgpd, Family::GoBgp] {
        says(&head_to(family), &[named]);
    }
    for family in [Family::Bird, Family::OpenBgpd] {
        says(
            &head_of(family, Role::Trigger),
            &["Sends: to every iBGP neighbor and to no other"],
        );
    }
    // It does not know iBGP, and is refused without neighbors: its policies then send nothing to
    // anybody.
    let gobgp = text(&trigger(Family::GoBgp), &case("mixed"));
    says(
        &head(&gobgp),
        &[
            "NULLROUTED-OUT sends blackholes that were added here to the neighbors that are named, and refuses them to all others. \
             Sends: to none of the neighbors and to no other",
        ],
    );
    assert!(
        !gobgp.contains("accept-route") && !gobgp.contains("EVERY neighbor"),
        "{gobgp}"
    );
    let said = "Sends: to each neighbor that names the process under api, iBGP or eBGP, and to no other Name it at";
    let kept = "alone (neighbors): ExaBGP sends what is written, and no-export keeps nothing from an eBGP neighbor.";
    says(&head_to(Family::ExaBgp), &[said, kept]);
    says(
        &head_of(Family::ExaBgp, Role::Trigger),
        &[said, "iBGP neighbors alone (announce_to = \"ibgp\"): "],
    );
}

#[test]
fn which_neighbor_receives_nothing_is_said_as_it_is() {
    let ebgp = |family| head(&text(&to_ebgp(&trigger(family)), &case("mixed")));
    says(
        &ebgp(Family::Frr),
        &[
            "An eBGP neighbor for which `show bgp neighbors ADDRESS` says `Outbound updates discarded due to missing policy` \
             receives nothing and needs no clause. Every other one needs it: a prefix-list or a filter-list is a policy, too.",
        ],
    );
    says(
        &ebgp(Family::IosXr),
        &[
            "An eBGP neighbor without a route-policy out receives nothing, and needs none of this, unless `bgp \
             unsafe-ebgp-policy` is set.",
        ],
    );
    for family in ROUTE_MAPS {
        assert!(!ebgp(family).contains("needs none now"), "{family}");
    }
}
