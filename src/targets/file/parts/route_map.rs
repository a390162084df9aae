//! `route-map`, which Cisco has made and others have taken over.

use std::fmt::Write;

use crate::targets::file::parts::sessions::{ByHand, Words};
use crate::targets::file::parts::text::Text;
use crate::targets::file::{AnnounceTo, FileOptions};

/// How a family writes it.
pub struct RouteMaps {
    /// What it writes before a statement of a clause.
    pub indent: &'static str,
    /// How it sets the next hop of an IPv6 route.
    pub ipv6_next_hop: &'static str,
    /// What a neighbor needs to receive a community; empty where each one does.
    pub communities: &'static str,
    /// Which eBGP neighbors receive nothing, whatever is originated; empty where each one may.
    pub closed: &'static str,
    /// Puts a route-map of the operator's own at a neighbor.
    pub attach: &'static str,
    /// How all of it is taken out, but for clauses of the operator's route-maps.
    pub by_hand: ByHand<'static>,
    /// The command that says who was sent a prefix, and what it says where all is well.
    pub proof: &'static str,
    /// Whether no-export at origination was tried with such a router.
    pub tried: bool,
}

/// The communities that a route gets at origination.
pub fn originated(options: &FileOptions, blackhole: &str) -> String {
    match options.announce_to {
        AnnounceTo::Ibgp => format!("{blackhole} no-export"),
        AnnounceTo::Ebgp => blackhole.to_owned(),
    }
}

/// The lists of the operator's own networks, and at an edge of what covers them; IPv4 first.
pub type Own = [Vec<String>; 2];

/// Takes the clauses of the recipes out of a route-map of the operator's own.
pub const CLAUSES: &str = "\
no route-map YOURS permit 1                    (recipe 2)
no route-map YOURS deny 1                      (where they are not to be received)";

/// Where the operator's own route-map is in use for the origination.
pub const OWN_MAP: &str = "Where a route-map of yours is in use for it, that stays: take the static routes with tag \
                                  666 out first, then the clauses of NULLROUTED-IN, without which it announces them as \
                                  any others.";

/// What else may take the static routes of a trigger.
pub const REDISTRIBUTED: &str =
    "        Where you redistribute static routes already, put all clauses of NULLROUTED-IN but the last before all others of
        your own route-map; and where OSPF, IS-IS or another protocol redistributes them, let it deny tag 666: both
        before the first load, as the routes of the file go out with it.
";

/// What is left of a trigger with static routes.
pub const REST: &str =
    "The route-maps named NULLROUTED, then the lists so named, and the static routes with tag 666.";

impl RouteMaps {
    /// What the header says of sessions, and how all of it is taken out by hand; `alone` puts
    /// `NULLROUTED-OUT` at a neighbor.
    pub fn sessions(&self, options: &FileOptions, alone: &str) -> (String, String) {
        let mut first =
            "route-map YOURS permit 1                       (any number below those of YOURS)
 match community NULLROUTED
 set community no-export additive
"
            .to_owned();
        for (set, next_hop) in options.with_next_hops(["ip next-hop", self.ipv6_next_hop]) {
            let _ = writeln!(first, " set {set} {next_hop}");
        }
        let words = Words {
            policy: "route-map",
            clauses: "clauses",
            alone,
            first: &first,
            rest: "route-map YOURS permit 65535                   (where it has no other clause: without one it denies all)",
            deny: "route-map YOURS deny 1                         (any number below those of YOURS)\n match community NULLROUTED",
            attach: self.attach,
            communities: self.communities,
            closed: self.closed,
            proof: self.proof,
            tried: self.tried,
            by_hand: self.by_hand,
        };
        (words.sessions(options), words.by_hand())
    }

    /// Static routes with our tag into BGP, but for the operator's own networks: `NULLROUTED-IN`
    /// and `-IN6`. Nothing is said of static routes with another tag before the last clause, so the
    /// others fit into a map of the operator's.
    pub fn ingress(&self, out: &mut Text, options: &FileOptions, own: &Own) {
        let indent = self.indent;
        let communities = originated(options, "65535:666");
        for (name, ip, own) in [("IN", "ip", &own[0]), ("IN6", "ipv6", &own[1])] {
            let clause = self.deny_own(out, name, ip, own, "match tag 666");
            let _ = write!(
                out,
                "route-map NULLROUTED-{name} permit {clause}
{indent}match tag 666
{indent}set community {communities}
{indent}set origin igp
route-map NULLROUTED-{name} deny 65535
!
"
            );
        }
    }

    /// What a neighbor is told, to be kept inside his AS: `NULLROUTED-OUT` and `-OUT6`.
    pub fn egress(&self, out: &mut Text, options: &FileOptions) {
        let indent = self.indent;
        let names = [("OUT", "ip next-hop"), ("OUT6", self.ipv6_next_hop)];
        for ((name, set), next_hop) in names.into_iter().zip(options.next_hops()) {
            let next_hop = next_hop.map_or(String::new(), |next_hop| {
                format!("{indent}set {set} {next_hop}\n")
            });
            let _ = write!(
                out,
                "route-map NULLROUTED-{name} permit 10
{indent}match community NULLROUTED
{indent}set community no-export additive
{next_hop}route-map NULLROUTED-{name} deny 65535
!
"
            );
        }
    }

    /// What the trigger announces, if it is not shorter than `NULLROUTED-LONG-V4` or `-V6` has it,
    /// goes where it is dropped: `NULLROUTED-EDGE` and `-EDGE6`.
    pub fn edge(&self, out: &mut Text, options: &FileOptions, own: &Own) {
        let indent = self.indent;
        let (v4, v6) = (
            options.discard_v4().to_string(),
            options.discard_v6().to_string(),
        );
        let maps = [
            ("EDGE", "ip", "V4", v4, &own[0]),
            ("EDGE6", "ipv6", "V6", v6, &own[1]),
        ];
        for (name, ip, family, next_hop, own) in maps {
            let clause = self.deny_own(out, name, ip, own, "");
            let _ = write!(
                out,
                "route-map NULLROUTED-{name} permit {clause}
{indent}match {ip} address prefix-list NULLROUTED-LONG-{family}
{indent}match community NULLROUTED
{indent}set {ip} next-hop {next_hop}
{indent}set local-preference 200
{indent}set community no-export additive
route-map NULLROUTED-{name} deny 65535
!
"
            );
        }
    }

    /// A clause a list, with what is asked beside it; the number of the one that follows.
    fn deny_own(&self, out: &mut Text, name: &str, ip: &str, own: &[String], also: &str) -> usize {
        for (at, list) in own.iter().enumerate() {
            let (clause, indent) = (5 + at, self.indent);
            let _ = write!(
                out,
                "route-map NULLROUTED-{name} deny {clause}
{indent}match {ip} address prefix-list {list}
"
            );
            if !also.is_empty() {
                let _ = writeln!(out, "{indent}{also}");
            }
        }
        10.max(5 + own.len())
    }
}
