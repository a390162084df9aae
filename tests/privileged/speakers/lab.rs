//! A speaker with our program beside it, and its neighbor.

use std::os::unix::fs::PermissionsExt;

use nullrouted::targets::file::{Family, Role};

use crate::support::frr::Running;
use crate::support::namespace::{Namespace, eventually};
use crate::support::speaker::{self, bird, can_run, open, quiet};
use crate::support::{NOC, PROGRAM, Place, Ran, asndrop};

pub const LIST: &str = "72.37.186.0/23\n2001:db8:bad::/48\n";
pub const LISTED: [&str; 2] = ["2001:db8:bad::/48", "72.37.186.0/23"];

/// A speaker with our program beside it, and BIRD of another AS as its neighbor.
pub struct Lab {
    pub speaker: Namespace,
    pub place: Place,
    pub neighbor: Namespace,
    _bird: (Running, Place),
}

/// The sessions of the neighbor: one of each family, or one of both.
pub fn sessions(both: bool, export: &str) -> String {
    let session = |name: &str, addresses: [&str; 2], channels: &[&str]| {
        let [here, there] = addresses;
        let channels: String = channels
            .iter()
            .map(|channel| format!("{channel} {{ import all; export {export}; }}; "))
            .collect();
        format!(
            "protocol bgp {name} {{ local {here} as 65000; neighbor {there} as 65001; connect retry time 1; \
             connect delay time 1; error wait time 1, 2; {channels}}}\n"
        )
    };
    let (v4, v6) = (["100.64.0.2", "100.64.0.1"], ["fd00::2", "fd00::1"]);
    match both {
        true => session("both", v4, &["ipv4", "ipv6"]),
        false => session("four", v4, &["ipv4"]) + &session("six", v6, &["ipv6"]),
    }
}

impl Lab {
    /// `None`, having said why, where the machine forbids it or a program is missing. The
    /// configuration of our program is this, `neighbor` that of BIRD.
    pub fn new(program: &str, config: &str, neighbor: &str) -> Option<Self> {
        if !can_run(&["bird", program]) {
            return None;
        }
        let speaker = Namespace::new()?;
        let other = speaker.another()?;
        let ends = ["1", "2"].map(|end| format!("100.64.0.{end}/30 fd00::{end}/64"));
        speaker.wire("neighbor", &ends[0], &other, "speaker", &ends[1]);
        let its = Place::new(NOC);
        let text = format!("router id 100.64.0.2;\nprotocol device {{ scan time 1; }}\n{neighbor}");
        let daemon = bird(&other, &its, &text, "");
        let place = Place::new(config);
        open(&place);
        // Its own /etc, with nothing of this machine's but the names of users and programs, and who
        // may log in.
        speaker.sh(
            "mount -t tmpfs tmpfs /run; mkdir -p /run/etc/exabgp /run/etc/frr; \
             touch /run/etc/frr/vtysh.conf; \
             cp -a /etc/passwd /etc/group /etc/shadow /etc/alternatives /etc/pam.d /run/etc; \
             mount --bind /run/etc /etc",
        );
        Some(Self {
            speaker,
            place,
            neighbor: other,
            _bird: (daemon, its),
        })
    }

    /// A file in the `/etc` of the speaker.
    pub fn write(&self, path: &str, text: &str) {
        self.place.write("it", text);
        let it = self.place.path("it").display().to_string();
        self.speaker.run("cp", &[&it, path]).code(0);
    }

    /// What stands for systemd signals gobgpd.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Running {
        let mut command = self.speaker.command(program);
        command.env("exabgp_daemon_user", "root");
        command.env("exabgp_api_cli", "false");
        let running = quiet(command.args(arguments));
        let bin = self.place.path("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let script = format!(
            "#!/bin/sh\n[ \"$1 $2\" = 'kill -s' ] && exec kill -s \"$3\" {}\n",
            running.0.id()
        );
        self.place.write("bin/systemctl", &script);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("systemctl"), mode).unwrap();
        running
    }

    pub fn refresh(&self) -> Ran {
        let command = self.speaker.command(PROGRAM);
        let mut command = self.place.command(command, &["refresh"]);
        let bin = self.place.path("bin").display().to_string();
        command.env("PATH", format!("{bin}:/usr/sbin:/usr/bin:/sbin:/bin"));
        Ran::of(command.output().unwrap())
    }

    pub fn verb(&self, verb: &str) -> Ran {
        let command = self.speaker.command(PROGRAM);
        Ran::of(self.place.command(command, &[verb]).output().unwrap())
    }

    pub fn list(&self, list: &str) {
        self.place.write("noc.list", list);
        self.refresh().code(0);
    }

    /// What BIRD has of its neighbor: each prefix with its communities.
    pub fn heard(&self) -> Vec<String> {
        let mut heard = Vec::new();
        for table in ["master4", "master6"] {
            let words = ["show", "route", "table", table, "all"];
            let said = self.neighbor.run("birdc", &words).code(0).out;
            let mut prefix = "";
            for line in said.lines() {
                if !line.starts_with([' ', '\t']) {
                    prefix = line.split(' ').next().unwrap();
                } else if let Some(communities) = communities(line) {
                    heard.push(format!("{prefix} {communities}"));
                }
            }
        }
        heard.sort_unstable();
        heard
    }

    /// BIRD has these, as blackholes to be kept in its AS, and nothing else.
    #[track_caller]
    pub fn hears(&self, prefixes: &[&str]) {
        let blackhole = |prefix: &&str| format!("{prefix} (65535,666) (65535,65281)");
        let expected: Vec<_> = prefixes.iter().map(blackhole).collect();
        eventually(&format!("BIRD hears {prefixes:?}"), || {
            self.heard() == expected
        });
    }
}

/// The communities in a line of BIRD 2 or BIRD 3.
pub fn communities(line: &str) -> Option<&str> {
    let (name, communities) = line.trim().split_once(": ")?;
    ["BGP.community", "bgp_community"]
        .contains(&name)
        .then_some(communities)
}

/// A router with the default commands, and what else is said of it.
pub fn router(family: Family, role: Role, more: &str) -> String {
    speaker::router(family, role, "it.conf", more)
}

pub const PROTECT: &str =
    "[protect]\nprefixes = [\"72.37.188.0/24\", \"198.51.100.0/24\", \"2001:db8:1::/48\"]\n";

/// What BIRD announces: covering, listed, inside of it, of a listed origin, and others; each with
/// the community.
pub const ANNOUNCED: &str = "\
protocol static four { ipv4;
  route 72.36.0.0/14 blackhole; route 72.37.186.0/23 blackhole; route 72.37.187.0/24 blackhole;
  route 150.3.0.0/16 blackhole; route 203.0.113.0/24 blackhole; route 198.51.100.7/32 blackhole;
  route 64.0.0.0/7 blackhole;
}
protocol static six { ipv6;
  route 2001:db8:bad::/48 blackhole; route 2001:db8:bad:7::/64 blackhole; route 2001:db8:600d::/48 blackhole;
  route 2001:db8:1:7::/64 blackhole; route 2c00::/18 blackhole;
}
filter announced {
  if net = 203.0.113.0/24 || net = 2001:db8:600d::/48 then accept;
  if net = 150.3.0.0/16 then bgp_path.prepend(64496);
  bgp_community.add((65535, 666));
  accept;
}
";

/// The neighbor of a speaker that takes routes.
pub fn announces() -> String {
    let sessions = sessions(false, "filter announced");
    let names = sessions.replace("bgp four", "bgp to4");
    format!("{ANNOUNCED}{}", names.replace("bgp six", "bgp to6"))
}

/// What a neighbor of role `filter` announces, by what becomes of it.
const ORIGIN: [&str; 1] = ["150.3.0.0/16"];
const OF_LIST: [&str; 4] = [
    "72.37.186.0/23",
    "72.37.187.0/24",
    "2001:db8:bad::/48",
    "2001:db8:bad:7::/64",
];
const OTHERS: [&str; 7] = [
    "64.0.0.0/7",
    "72.36.0.0/14",
    "198.51.100.7/32",
    "203.0.113.0/24",
    "2001:db8:1:7::/64",
    "2001:db8:600d::/48",
    "2c00::/18",
];

/// What [`refuses`] wants in our configuration, beside the router.
pub const WITH_ORIGINS: &str = "[[feed]]\nname = \"asndrop\"\npath = \"asndrop.json\"\nformat = \"asndrop-json\"\n\
                                stale_after = \"3650d\"\n[[feed]]\nname = \"noc\"\npath = \"noc.list\"\n";

/// The speaker has these parts of what is announced, and nothing else.
#[track_caller]
fn has(table: &dyn Fn() -> Vec<String>, parts: &[&[&str]]) {
    let mut expected = parts.concat();
    expected.sort_unstable();
    eventually(&format!("it has {expected:?}"), || {
        let mut table = table();
        table.sort_unstable();
        table == expected
    });
}

/// It has all that is announced.
#[track_caller]
pub fn has_all(table: &dyn Fn() -> Vec<String>) {
    has(table, &[&ORIGIN, &OF_LIST, &OTHERS]);
}

/// It has what is neither listed nor of a listed origin.
#[track_caller]
pub fn has_others(table: &dyn Fn() -> Vec<String>) {
    has(table, &[&OTHERS]);
}

/// In role `filter`, with nothing of ours in force yet: what is listed, what is inside of it, and
/// listed origins are refused, and nothing else.
pub fn refuses(lab: &Lab, table: &dyn Fn() -> Vec<String>) {
    lab.place.write("asndrop.json", &asndrop(&[64_496, 64_497]));
    has_all(table);
    lab.list(LIST);
    has_others(table);
    assert!(!lab.refresh().code(0).err.contains("loaded again"));
    lab.list("# nobody\n");
    has(table, &[&OF_LIST, &OTHERS]);
    lab.list(LIST);
    has_others(table);
}
