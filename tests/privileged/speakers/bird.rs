//! BIRD as a filter: its origins, and both families in its table.

use ipnet::IpNet;
use nullrouted::targets::file::{Family, Role};

use super::lab::{Lab, WITH_ORIGINS, announces, refuses, router};
use crate::support::speaker::bird;
use crate::support::{NO_KERNEL, NOC, Place};

fn table(lab: &Lab) -> Vec<String> {
    let said = lab.speaker.run("birdc", &["show", "route"]).code(0).out;
    let words = said.split_whitespace();
    let prefixes = words.filter(|word| word.parse::<IpNet>().is_ok());
    prefixes.map(str::to_owned).collect()
}

/// The operator's own file, which includes ours, with a session of each family between these ends.
pub fn including(lab: &Lab, asn: u32, session: impl Fn(u8, &str) -> String) -> String {
    let session = |family, here: &str, there: &str| {
        let ends =
            format!("local {here} as {asn}; neighbor {there} as 65000; connect retry time 1;");
        session(family, &ends)
    };
    format!(
        "router id 100.64.0.1;\nprotocol device {{ scan time 1; }}\ninclude \"{}\";\n{}{}",
        lab.place.path("it.conf").display(),
        session(4, "100.64.0.1", "100.64.0.2"),
        session(6, "fd00::1", "fd00::2")
    )
}

#[test]
fn bird_refuses_what_is_listed_and_what_is_inside_of_it_and_nothing_else() {
    let config = format!(
        "{WITH_ORIGINS}{NO_KERNEL}{}",
        router(Family::Bird, Role::Filter, "")
    );
    let Some(lab) = Lab::new("bird", &config, &announces()) else {
        return;
    };
    lab.place.write(
        "it.conf",
        "function nullrouted_reject4() { if false then reject; }\nfunction nullrouted_reject6() { if false then reject; }\n",
    );
    let session = |family: u8, ends: &str| {
        format!(
            "filter from_others{family} {{ nullrouted_reject{family}(); accept; }}\n\
             protocol bgp others{family} {{ {ends}\n\
              ipv{family} {{ import table; import filter from_others{family}; export none; }}; }}\n"
        )
    };
    let own = including(&lab, 65_001, session);
    let its = Place::new(NOC);
    let _daemon = bird(&lab.speaker, &its, &own, "");
    refuses(&lab, &|| table(&lab));
}
