//! Seven namespaces:
//!
//! ```text
//!                 trigger ── reflector (FRR, AS 65000)
//!                             │            │
//!            ┌── edge (BIRD) ─┘            └─ edge (FRR) ──┐
//!  client ───┤                                             ├─── far: 72.37.186.1, 72.37.187.1, 72.37.188.1, …
//!            └── each edge, each by a way of its own ──────┘
//!                    others (AS 65010), a neighbor of both edges with a way to far
//! ```

use std::cell::RefCell;
use std::time::{Duration, Instant};

use nullrouted::targets::file::Lists;

use super::speakers::{self, Speaker, Trigger};
use crate::support::namespace::Namespace;
use crate::support::speaker::can_run;
use crate::support::{NOC, Place};

/// Protected, within what is listed.
pub const HOLE: &str = "72.37.187.1";
/// Beside what is listed.
pub const OTHERS: [&str; 2] = ["72.37.188.1", "2001:db8:600d::1"];

/// An edge by what speaks there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Bird,
    Frr,
}

impl Edge {
    pub const ALL: [Self; 2] = [Self::Bird, Self::Frr];
}

pub struct Lab {
    pub trigger: Namespace,
    pub reflector: Namespace,
    pub bird: Namespace,
    pub frr: Namespace,
    client: Namespace,
    pub others: Namespace,
    _far: Namespace,
    speakers: RefCell<Vec<Speaker>>,
}

/// A wire with the networks 100.64.N.0/30 and fd00:N::/64.
fn wire(number: u8, one: &Namespace, one_name: &str, two: &Namespace, two_name: &str) {
    let ends = ["1", "2"].map(|end| format!("100.64.{number}.{end}/30 fd00:{number}::{end}/64"));
    one.wire(one_name, &ends[0], two, two_name, &ends[1]);
}

fn forwards(namespace: &Namespace) {
    namespace.sh(
        "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    );
}

impl Lab {
    /// `None`, having said why, where the machine forbids it or a program is missing. The reflector
    /// and the edges speak.
    pub fn new() -> Option<Self> {
        if !can_run(&["bird", "bgpctl", "vtysh"]) {
            return None;
        }
        let trigger = Namespace::new()?;
        let another = || trigger.another();
        let (reflector, bird, frr) = (another()?, another()?, another()?);
        let (client, others, far) = (another()?, another()?, another()?);
        wire(1, &trigger, "reflector", &reflector, "trigger");
        wire(2, &bird, "reflector", &reflector, "bird");
        wire(3, &frr, "reflector", &reflector, "frr");
        wire(4, &client, "bird", &bird, "client");
        wire(5, &client, "frr", &frr, "client");
        wire(6, &bird, "far", &far, "bird");
        wire(7, &frr, "far", &far, "frr");
        wire(8, &bird, "others", &others, "bird");
        wire(9, &frr, "others", &others, "frr");
        wire(10, &others, "far", &far, "others");
        far.address("lo", "72.37.186.1/32 72.37.187.1/32 72.37.188.1/32");
        far.address("lo", "2001:db8:bad::1/128 2001:db8:600d::1/128");
        // By which edge the client goes is said with each packet; the answer comes back the same
        // way.
        for (at, edge, number) in [(1, "bird", 4), (2, "frr", 5)] {
            client.ip(&format!(
                "route add default via 100.64.{number}.2 dev {edge} metric {at}"
            ));
            client.ip(&format!(
                "-6 route add default via fd00:{number}::2 dev {edge} metric {at}"
            ));
        }
        for (edge, to, number) in [(&bird, 4, 6), (&frr, 5, 7)] {
            edge.ip(&format!("route add default via 100.64.{number}.2"));
            edge.ip(&format!("-6 route add default via fd00:{number}::2"));
            far.ip(&format!("route add 100.64.{to}.0/30 via 100.64.{number}.1"));
            far.ip(&format!("-6 route add fd00:{to}::/64 via fd00:{number}::1"));
            forwards(edge);
        }
        others.ip("route add default via 100.64.10.2");
        others.ip("-6 route add default via fd00:10::2");
        forwards(&others);
        let lab = Self {
            trigger,
            reflector,
            bird,
            frr,
            client,
            others,
            _far: far,
            speakers: RefCell::default(),
        };
        lab.speaks(speakers::reflector(&lab.reflector));
        lab.speaks(speakers::edge_bird(&lab.bird));
        lab.speaks(speakers::edge_frr(&lab.frr));
        Some(lab)
    }

    fn speaks(&self, speaker: Speaker) {
        self.speakers.borrow_mut().push(speaker);
    }

    /// The program at the trigger with what speaks there, and its first list in force.
    pub fn trigger(&self, trigger: Trigger, list: &str) -> Place {
        let place = Place::new(&format!(
            "{NOC}[protect]\nprefixes = [\"72.37.187.0/24\"]\n{}",
            trigger.router()
        ));
        place.write("noc.list", list);
        self.speaks(speakers::trigger(trigger, &self.trigger, &place));
        self.list(&place, list);
        place
    }

    /// Another list at the trigger.
    pub fn list(&self, place: &Place, list: &str) {
        place.write("noc.list", list);
        place.run_in(&self.trigger, &["refresh"]).code(0);
    }

    fn edge(&self, edge: Edge) -> &Namespace {
        match edge {
            Edge::Bird => &self.bird,
            Edge::Frr => &self.frr,
        }
    }

    /// The program at an edge, in role `filter`.
    pub fn filter(&self, edge: Edge, lists: Lists, list: &str) -> Place {
        let place = Place::new(&format!(
            "{NOC}[kernel]\nenabled = false\n{}",
            speakers::filter(edge, lists)
        ));
        place.write("noc.list", list);
        self.list_at(edge, &place, list);
        place
    }

    /// Another list at an edge.
    pub fn list_at(&self, edge: Edge, place: &Place, list: &str) {
        place.write("noc.list", list);
        place.run_in(self.edge(edge), &["refresh"]).code(0);
    }

    /// A neighbor of both edges begins to speak.
    pub fn others(&self) -> Speaker {
        speakers::others(&self.others)
    }

    /// The communities of a route as the reflector has it.
    pub fn told(&self, prefix: &str) -> Vec<String> {
        let words = [
            "-d",
            "bgpd",
            "-c",
            &format!("show bgp ipv4 unicast {prefix} json"),
        ];
        let json = self.reflector.run("vtysh", &words).code(0).json();
        let list = json["paths"][0]["community"]["list"].as_array().unwrap();
        let mut list: Vec<_> = list
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect();
        list.sort();
        list
    }

    /// Whether the edge has this route of a neighbor.
    pub fn announced(&self, edge: Edge, prefix: &str) -> bool {
        let routes = ["-4 route", "-6 route"].map(|words| self.edge(edge).ip(words));
        let prefix = prefix.replace("/32", "");
        let routes = routes.concat();
        routes.split_whitespace().any(|word| word == prefix)
    }

    /// The routes of the edge that drop.
    pub fn blackholes(&self, edge: Edge) -> String {
        let of = |family| format!("{family} route show type blackhole");
        ["-4", "-6"]
            .map(|family| self.edge(edge).ip(&of(family)))
            .concat()
    }

    /// Whether the client has an answer from there through this edge.
    pub fn answers(&self, edge: Edge, address: &str) -> bool {
        let device = match edge {
            Edge::Bird => "bird",
            Edge::Frr => "frr",
        };
        self.client.ping(&["-I", device, address]).code == Some(0)
    }

    /// What is answered changes within thirty seconds; what the routers say of it is shown where it
    /// does not.
    #[track_caller]
    pub fn eventually(&self, edge: Edge, address: &str, so: bool) {
        let begun = Instant::now();
        while self.answers(edge, address) != so {
            if begun.elapsed() > Duration::from_secs(30) {
                let word = if so { "answers" } else { "is dropped" };
                panic!("never: {address} {word} through {edge:?}\n{}", self.view());
            }
        }
    }

    fn view(&self) -> String {
        let vtysh = |what: &str| ["vtysh", "-d", "bgpd", "-c", what].map(str::to_owned);
        let families = [
            "show bgp ipv4 unicast",
            "show bgp ipv6 unicast",
            "show bgp summary",
        ];
        let mut view = String::new();
        for (name, namespace) in [("reflector", &self.reflector), ("edge", &self.frr)] {
            for question in families.map(vtysh) {
                let arguments: Vec<_> = question[1..].iter().map(String::as_str).collect();
                let said = namespace.run(&question[0], &arguments).out;
                view.push_str(&format!("--- {name}: {}\n{said}\n", question[4]));
            }
        }
        for namespace in [&self.bird, &self.trigger] {
            for question in [&["show", "protocols", "all"][..], &["show", "route", "all"]] {
                let said = namespace.run("birdc", question).out;
                view.push_str(&format!("--- birdc {question:?}\n{said}\n"));
            }
        }
        view
    }
}
