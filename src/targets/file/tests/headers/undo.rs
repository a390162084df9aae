//! How a file is taken out, in an order in which nothing leaks.

use super::*;

#[test]
fn everything_is_undone() {
    let unreachables = "`ip unreachables`, `ipv6 unreachables` at Null0, if they were there";
    says(&head_of(Family::Ios, Role::Trigger), &[unreachables]);
    let static_routes = "what is named NULLROUTED, the two static routes, and type";
    says(
        &head_of(Family::Ios, Role::Edge),
        &[unreachables, static_routes],
    );
    let one_load = "This goes back one load: the checkpoint is made anew at each.";
    says(&head_of(Family::NxOs, Role::Trigger), &[one_load]);
    let by_hand = "take out by hand: its lines, the route-maps and lists named NULLROUTED, the two static routes";
    says(&head_of(Family::NxOs, Role::Edge), &[one_load, by_hand]);
    says(&head_of(Family::Eos, Role::Edge), &[by_hand]);
}

/// What announces goes first, then a session is shut down before it loses its policy, then what
/// names a list, then the list.
#[test]
fn a_trigger_is_taken_out_in_an_order_in_which_nothing_leaks() {
    const SHUT: &str =
        "2. A session of recipe 1: shut it down before NULLROUTED-OUT goes. Without a ";
    for family in ROUTE_MAPS {
        for options in [trigger(family), to_ebgp(&trigger(family))] {
            let head = head(&text(&options, &case("mixed")));
            let (origination, shut, out, clauses) = match family {
                Family::Frr => (
                    "no redistribute kernel ",
                    "neighbor ADDRESS shutdown",
                    "no neighbor ADDRESS route-map NULLROUTED-OUT out",
                    "no route-map YOURS permit 1 (recipe 2) no route-map YOURS deny 1",
                ),
                Family::Ios => (
                    "no redistribute static (of `no redistribute static route-map NAME` the route-map alone goes)",
                    "neighbor ADDRESS shutdown",
                    "no neighbor ADDRESS route-map NULLROUTED-OUT out",
                    "no route-map YOURS permit 1 (recipe 2) no route-map YOURS deny 1",
                ),
                Family::NxOs => (
                    "no redistribute static route-map NULLROUTED-IN",
                    "neighbor ADDRESS shutdown",
                    "no route-map NULLROUTED-OUT out",
                    "no route-map YOURS permit 1 (recipe 2) no route-map YOURS deny 1",
                ),
                Family::Eos => (
                    "no redistribute static ",
                    "neighbor ADDRESS shutdown",
                    "no neighbor ADDRESS route-map NULLROUTED-OUT out",
                    "no route-map YOURS permit 1 (recipe 2) no route-map YOURS deny 1",
                ),
                Family::IosXr => (
                    "no redistribute static ",
                    "neighbor ADDRESS shutdown",
                    "no route-policy NULLROUTED-OUT out",
                    "edit route-policy YOURS (each `if` with NULLROUTED)",
                ),
                Family::Vrp => (
                    "undo import-route static ",
                    "peer ADDRESS ignore",
                    "undo peer ADDRESS route-policy NULLROUTED-OUT export",
                    "undo route-policy YOURS node 1",
                ),
                _ => (
                    "delete protocols bgp address-family ipv6-unicast redistribute static ",
                    "set protocols bgp neighbor ADDRESS shutdown",
                    "delete protocols bgp neighbor ADDRESS address-family ipv6-unicast route-map export",
                    "delete policy route-map YOURS rule 1",
                ),
            };
            let named = "name NULLROUTED, before the lists go: one whose list is gone may match every route.";
            in_order(
                undo_of(&head),
                &[
                    "1. The origination, in each address family: then no neighbor has a blackhole.",
                    origination,
                    SHUT,
                    shut,
                    out,
                    named,
                    clauses,
                    "4. The route-",
                    "named NULLROUTED",
                ],
            );
            // In a map of the operator's, nothing but our clauses keeps our static routes from
            // being like any others.
            let own = "of yours is in use for it, that stays: ";
            assert_eq!(head.contains(own), family != Family::Frr, "{family}");
        }
    }
    let routeros = head_of(Family::RouterOs, Role::Trigger);
    in_order(
        undo_of(&routeros),
        &[
            "/ip/route remove [find comment~\"^nullrouted(:| old)\"]",
            "/ipv6/route remove [find comment~\"^nullrouted(:| old)\"]",
            "recipe 1: disable the connection, then take NULLROUTED-OUT and `static` out of it",
            "recipe 2: take `static` out of output.redistribute, if it was not there, and only then both rules out of YOURS",
            "/routing/filter/rule remove [find chain=NULLROUTED-OUT]",
        ],
    );
    for family in [Family::Junos, Family::JunosSet] {
        in_order(
            undo_of(&head_of(family, Role::Trigger)),
            &[
                "deactivate protocols bgp group GROUP neighbor ADDRESS (recipe 1: ",
                "delete protocols bgp group GROUP export NULLROUTED-OUT (recipe 2: NULLROUTED-MIXED)",
                "delete groups NULLROUTED",
                "commit",
            ],
        );
    }
    in_order(
        undo_of(&head_of(Family::SrOs, Role::Trigger)),
        &[
            "bgp neighbor ADDRESS admin-state disable (recipe 1: ",
            "export policy \"NULLROUTED-OUT\" (or NULLROUTED-MIXED)",
            "delete /configure groups group \"NULLROUTED\"",
            "commit",
        ],
    );
    in_order(
        undo_of(&head_of(Family::SrOsClassic, Role::Trigger)),
        &[
            "goes back one load: it is saved anew at each",
            "1. The static routes with tag 666",
            "neighbor ADDRESS shutdown",
            "no export",
            "export \"YOURS\"",
            "NULLROUTED-OUT and NULLROUTED-MIXED; then the prefix-lists NULLROUTED-OWN-V4",
            "the communities NULLROUTED and NULLROUTED-NO-EXPORT",
        ],
    );
    let vrp = head_of(Family::Vrp, Role::Trigger);
    says(
        &vrp,
        &["This file goes back one load: it is saved anew at each."],
    );
}

/// Without its policy an edge takes whatever its neighbor says.
#[test]
fn an_edge_is_shut_down_before_it_loses_its_policy() {
    for (family, shut, then) in [
        (
            Family::Frr,
            "neighbor ADDRESS shutdown, first: ",
            "then take the two route-map lines out",
        ),
        (
            Family::Ios,
            "shut the neighbor down",
            "then take its lines out",
        ),
        (
            Family::NxOs,
            "shut the neighbor down",
            "then take out by hand: its lines",
        ),
        (
            Family::Eos,
            "shut the neighbor down",
            "then take out by hand: its lines",
        ),
        (
            Family::IosXr,
            "shutdown at the neighbor, first",
            "then take the lines above out",
        ),
        (
            Family::Vrp,
            "peer ADDRESS ignore, first",
            "then take the lines above out",
        ),
        (
            Family::VyOs,
            "set protocols bgp neighbor ADDRESS shutdown",
            "route-map import",
        ),
        (
            Family::Junos,
            "deactivate protocols bgp group GROUP neighbor ADDRESS",
            "import NULLROUTED-EDGE",
        ),
        (
            Family::SrOs,
            "admin-state disable",
            "import policy \"NULLROUTED-EDGE\"",
        ),
        (
            Family::SrOsClassic,
            "neighbor ADDRESS shutdown",
            "no import then between",
        ),
        (
            Family::RouterOs,
            "disable the connection",
            "take the filter out",
        ),
    ] {
        in_order(undo_of(&head_of(family, Role::Edge)), &[shut, then]);
    }
    let filter = head_of(Family::Eos, Role::Filter);
    says(
        &filter,
        &["in your own route-map the clauses that name NULLROUTED; then"],
    );
}
