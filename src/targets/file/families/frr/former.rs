//! What takes away the clauses and lists of a former file, where the router has another role now.
//!
//! The lines of the operator (`redistribute kernel route-map`, `neighbor … route-map`, `call`) may
//! still name the maps. A map that is not there permits what is called and denies the rest, which
//! differs by place, so the last clause of each map stays: it denies everything, and in a filter it
//! permits everything.
//!
//! The community-list and the lists of own networks stay as well. The operator's route-maps match
//! the community-list while the routes are still in BGP: a clause that denies them and matches a
//! list that is not there lets them out to every neighbor. Another file for the same bgpd may use
//! all three.

use std::collections::HashSet;
use std::fmt::Write;

/// The last clause of a map that others name.
const LAST: &str = " 65535";

/// The maps by which a role is known.
const ROLES: [&str; 3] = ["NULLROUTED-OUT", "NULLROUTED-EDGE", "NULLROUTED-FILTER"];

/// Commands of a list that bgpd refuses to take away where it is not there.
const REFUSED: &str = "bgp ";

/// Lists that others use.
const SHARED: [&str; 3] = [
    "bgp community-list standard NULLROUTED",
    "ip prefix-list NULLROUTED-OWN-V4",
    "ipv6 prefix-list NULLROUTED-OWN-V6",
];

/// `None` where both are of one role: then the load itself takes away what is no longer in the
/// file. A clause goes before the list that it matches, and what permits before what denies.
pub(super) fn former(former: &str, text: &str) -> Option<String> {
    let (before, after) = (Names::of(former), Names::of(text));
    if before.role.is_none() || before.role == after.role {
        return None;
    }
    let mut out =
        "! Written by nullrouted: takes away what a file of another role had.\n".to_owned();
    let mut clauses: Vec<&str> = before.clauses;
    clauses.retain(|clause| !after.maps.contains(map(clause)));
    let named: HashSet<&str> = clauses
        .iter()
        .filter(|clause| clause.ends_with(LAST))
        .map(|clause| map(clause))
        .collect();
    let (called, of_named): (Vec<&str>, Vec<&str>) = clauses
        .into_iter()
        .partition(|clause| !named.contains(map(clause)));
    let permits = |clause: &&&str| clause.contains(" permit ");
    let goes = |clause: &&&str| !clause.ends_with(LAST);
    let going = of_named.iter().filter(goes);
    let denies = going.clone().filter(|clause| !permits(clause));
    for clause in going.filter(permits).chain(denies) {
        let _ = writeln!(out, "no {clause}");
    }
    let mut maps: Vec<&str> = called.into_iter().map(map).collect();
    maps.dedup();
    for map in maps {
        let _ = writeln!(out, "no route-map {map}");
    }
    for (list, entry) in before.lists {
        let is_named = after.lists.iter().any(|(other, _)| *other == list);
        if is_named || SHARED.contains(&list) {
            continue;
        }
        if list.starts_with(REFUSED) {
            let _ = writeln!(out, "{entry}");
        }
        let _ = writeln!(out, "no {list}");
    }
    Some(out)
}

/// What a file names.
struct Names<'a> {
    role: Option<&'static str>,
    maps: HashSet<&'a str>,
    /// `route-map NAME permit 10`
    clauses: Vec<&'a str>,
    /// The command of a list up to its name, and its last entry.
    lists: Vec<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    fn of(text: &'a str) -> Self {
        let clauses = text.lines().filter(|line| line.starts_with("route-map "));
        let clauses: Vec<&str> = clauses.collect();
        let maps: HashSet<&str> = clauses.iter().map(|clause| map(clause)).collect();
        let mut lists: Vec<(&str, &str)> = Vec::new();
        for line in text.lines() {
            let is_list = ["ip prefix-list ", "ipv6 prefix-list ", REFUSED]
                .iter()
                .any(|word| line.starts_with(word));
            let Some((list, _)) = line.split_once(" seq ").filter(|_| is_list) else {
                continue;
            };
            match lists.last_mut() {
                Some((last, entry)) if *last == list => *entry = line,
                _ => lists.push((list, line)),
            }
        }
        Self {
            role: ROLES.into_iter().find(|map| maps.contains(map)),
            maps,
            clauses,
            lists,
        }
    }
}

/// The name in a line of a clause.
fn map(clause: &str) -> &str {
    clause.split(' ').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGER: &str = "ip prefix-list NULLROUTED-OWN-V4 seq 1 deny 0.0.0.0/0
ip prefix-list NULLROUTED-V4-72 seq 1 deny 0.0.0.0/0
ip prefix-list NULLROUTED-V4-72 seq 9 permit 72.37.186.0/23
bgp community-list standard NULLROUTED seq 5 permit blackhole
route-map NULLROUTED-LISTED-V4 permit 1072
 match ip address prefix-list NULLROUTED-V4-72
route-map NULLROUTED-LISTED-V4 permit 1073
 match ip address prefix-list NULLROUTED-V4-73
exit
route-map NULLROUTED-IN deny 5
 match ip address prefix-list NULLROUTED-OWN-V4
route-map NULLROUTED-IN permit 20
 call NULLROUTED-LISTED-V4
route-map NULLROUTED-IN deny 65535
route-map NULLROUTED-OUT permit 10
 match community NULLROUTED
route-map NULLROUTED-OUT deny 65535
";
    const FILTER: &str = "ip prefix-list NULLROUTED-FILTER-V4 seq 1 deny 0.0.0.0/0
bgp as-path access-list NULLROUTED-ORIGINS seq 4294967295 deny .*
no bgp as-path access-list NULLROUTED-ORIGINS
bgp as-path access-list NULLROUTED-ORIGINS seq 64496 permit _64496$
bgp as-path access-list NULLROUTED-ORIGINS seq 4294967295 deny .*
route-map NULLROUTED-FILTER deny 10
 match ip address prefix-list NULLROUTED-FILTER-V4
route-map NULLROUTED-FILTER permit 65535
";

    fn lines(text: Option<String>) -> Vec<String> {
        let text = text.unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn a_clause_goes_before_its_list_and_what_permits_before_what_denies() {
        assert_eq!(
            lines(former(TRIGGER, FILTER)),
            [
                "no route-map NULLROUTED-IN permit 20",
                "no route-map NULLROUTED-OUT permit 10",
                "no route-map NULLROUTED-IN deny 5",
                "no route-map NULLROUTED-LISTED-V4",
                "no ip prefix-list NULLROUTED-V4-72",
            ]
        );
        assert_eq!(
            lines(former(FILTER, TRIGGER)),
            [
                "no route-map NULLROUTED-FILTER deny 10",
                "no ip prefix-list NULLROUTED-FILTER-V4",
                "bgp as-path access-list NULLROUTED-ORIGINS seq 4294967295 deny .*",
                "no bgp as-path access-list NULLROUTED-ORIGINS",
            ]
        );
    }

    #[test]
    fn what_the_lines_of_the_operator_and_other_files_match_stays() {
        let trigger = format!("{TRIGGER}ipv6 prefix-list NULLROUTED-OWN-V6 seq 1 deny ::/0\n");
        let gone = lines(former(&trigger, FILTER));
        for shared in SHARED {
            assert!(trigger.contains(&format!("{shared} seq ")));
            assert!(!gone.iter().any(|line| line.contains(shared)), "{gone:?}");
        }
    }

    #[test]
    fn what_both_have_stays() {
        let edge = "ip prefix-list NULLROUTED-OWN-V4 seq 1 deny 0.0.0.0/0
bgp community-list standard NULLROUTED seq 5 permit blackhole
route-map NULLROUTED-EDGE permit 10
route-map NULLROUTED-EDGE deny 65535
";
        let gone = lines(former(TRIGGER, edge));
        assert!(gone.iter().all(|line| !line.contains("OWN")), "{gone:?}");
        assert!(
            gone.iter().all(|line| !line.contains("standard")),
            "{gone:?}"
        );
        assert_eq!(
            former(TRIGGER, &TRIGGER.replace("IN permit 20", "IN permit 10")),
            None
        );
        assert_eq!(former("", TRIGGER), None);
    }
}
