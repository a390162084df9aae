//! A trigger with FRR, and its neighbors with FRR:
//!
//! ```text
//!  trigger (AS 65000) ──100.64.1.0/30── neighbor 1
//!                     ──100.64.2.0/30── neighbor 2
//!                     …
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

use crate::support::frr::Running;
use crate::support::namespace::Namespace;
use crate::support::speaker::{self, can_run};
use crate::support::{NOC, Place, Ran};

/// What the trigger announces apart from blackholes.
pub const OWN: &str = "203.0.113.0/24";

/// One neighbor as the trigger is configured for it.
pub struct Session {
    pub asn: u32,
    /// What decides on what it is sent, such as `route-map NAME`; empty where nothing does.
    pub out: &'static str,
}

pub struct Star {
    pub trigger: Namespace,
    pub place: Place,
    neighbors: Vec<Namespace>,
    _daemons: Vec<(Place, Vec<Running>)>,
}

impl Star {
    /// `None`, having said why, where the machine forbids it. `maps` are the route-maps of the
    /// operator.
    pub fn new(sessions: &[Session], maps: &str) -> Option<Self> {
        if !can_run(&["vtysh", "bgpd", "zebra"]) {
            return None;
        }
        let trigger = Namespace::new()?;
        let mut neighbors = Vec::new();
        for number in 1..=sessions.len() {
            let neighbor = trigger.another()?;
            let [near, far] =
                [1, 2].map(|end| format!("100.64.{number}.{end}/30 fd00:{number}::{end}/64"));
            let name = format!("n{number}");
            trigger.wire(&name, &near, &neighbor, "trigger", &far);
            neighbors.push(neighbor);
        }
        let place = Place::new(NOC);
        let mut star = Self {
            trigger,
            place,
            neighbors,
            _daemons: Vec::new(),
        };
        let mut config = format!("{maps}router bgp 65000\n{BGP} bgp router-id 100.64.0.1\n");
        for (number, session) in (1..).zip(sessions) {
            let asn = session.asn;
            let _ = write!(
                config,
                " neighbor 100.64.{number}.2 remote-as {asn}\n neighbor 100.64.{number}.2 timers connect 1\n \
                 neighbor 100.64.{number}.2 advertisement-interval 0\n"
            );
        }
        for (family, map) in [("ipv4", "IN"), ("ipv6", "IN6")] {
            let _ = write!(
                config,
                " address-family {family} unicast\n  redistribute kernel route-map NULLROUTED-{map}\n"
            );
            if family == "ipv4" {
                let _ = writeln!(config, "  network {OWN}");
            }
            for (number, session) in (1..).zip(sessions) {
                let _ = writeln!(config, "  neighbor 100.64.{number}.2 activate");
                if !session.out.is_empty() {
                    let _ = writeln!(config, "  neighbor 100.64.{number}.2 {} out", session.out);
                }
            }
            config.push_str(" exit-address-family\n");
        }
        let daemons = speaks(&star.trigger, &config);
        star._daemons.push(daemons);
        for (number, session) in (1..).zip(sessions) {
            let config = format!(
                "router bgp {}\n{BGP} bgp router-id 100.64.{number}.2\n neighbor 100.64.{number}.1 remote-as 65000\n \
                 neighbor 100.64.{number}.1 timers connect 1\n address-family ipv4 unicast\n  neighbor \
                 100.64.{number}.1 activate\n exit-address-family\n address-family ipv6 unicast\n  neighbor \
                 100.64.{number}.1 activate\n exit-address-family\n",
                session.asn
            );
            let daemons = speaks(&star.neighbors[number - 1], &config);
            star._daemons.push(daemons);
        }
        Some(star)
    }

    /// The prefixes that a neighbor has, counted from 1.
    pub fn table(&self, neighbor: usize) -> BTreeSet<String> {
        table(&self.neighbors[neighbor - 1])
    }

    /// The namespace of a neighbor, counted from 1.
    pub fn neighbor(&self, neighbor: usize) -> &Namespace {
        &self.neighbors[neighbor - 1]
    }

    /// Configure the program with this router.
    pub fn configure(&self, router: &str) {
        self.place.configure(&format!(
            "{NOC}[protect]\nprefixes = [\"{OWN}\"]\n[limits]\nmax_added = \"100%\"\nmax_removed = \"100%\"\n\
             [[router]]\nname = \"it\"\nfamily = \"frr\"\npath = \"it.conf\"\ncheck = \"default\"\n\
             reload = \"default\"\nverify = \"default\"\n{router}"
        ));
    }

    pub fn run(&self, verb: &[&str]) -> Ran {
        self.place.run_in(&self.trigger, verb)
    }

    /// The same with another folder before all others of `PATH`.
    pub fn run_with(&self, folder: &str, verb: &[&str]) -> Ran {
        let mut command: Command = self.trigger.command(crate::support::PROGRAM);
        command.env("PATH", format!("{folder}:/usr/sbin:/usr/bin:/sbin:/bin"));
        Ran::of(self.place.command(command, verb).output().unwrap())
    }

    /// Commands in configuration mode at the trigger's bgpd.
    pub fn enter(&self, lines: &[&str]) {
        let lines = lines.iter().flat_map(|line| ["-c", *line]);
        let words: Vec<_> = ["-d", "bgpd", "-c", "configure terminal"]
            .into_iter()
            .chain(lines)
            .collect();
        self.trigger.run("vtysh", &words).code(0);
    }
}

/// What bgpd of a namespace has.
pub fn table(namespace: &Namespace) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for family in ["ipv4", "ipv6"] {
        let question = format!("show bgp {family} unicast json");
        let shown = namespace.run("vtysh", &["-d", "bgpd", "-c", &question]);
        let json: serde_json::Value = serde_json::from_str(&shown.out).unwrap_or_default();
        let routes = json["routes"].as_object();
        all.extend(
            routes
                .into_iter()
                .flatten()
                .map(|(prefix, _)| prefix.clone()),
        );
    }
    all
}

const BGP: &str = " no bgp default ipv4-unicast\n no bgp ebgp-requires-policy\n no bgp network import-check\n \
                   bgp route-map delay-timer 1\n";

fn speaks(namespace: &Namespace, config: &str) -> (Place, Vec<Running>) {
    let place = Place::new("");
    let daemons = speaker::frr(namespace, &place, &["zebra", "bgpd"]);
    place.write("bgp.conf", config);
    let file = place.path("bgp.conf").display().to_string();
    namespace.run("vtysh", &["-d", "bgpd", "-f", &file]).code(0);
    (place, daemons)
}
