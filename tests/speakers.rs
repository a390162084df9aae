//! GoBGP and ExaBGP, end to end: a neighbor, the files that we write, and the commands that are the default.

mod support;

use std::os::unix::fs::PermissionsExt;

use nullrouted::target::router::{Family, Role};
use support::frr::Running;
use support::namespace::{Namespace, eventually};
use support::speaker::{bird, open, quiet};
use support::{NO_KERNEL, NOC, PROGRAM, Place, Ran, asndrop, installed, is_root, left_out};

const LIST: &str = "72.37.186.0/23\n2001:db8:bad::/48\n";
const LISTED: [&str; 2] = ["2001:db8:bad::/48", "72.37.186.0/23"];

/// A speaker with our program beside it, and BIRD of another AS as its neighbor.
struct Lab {
    speaker: Namespace,
    place: Place,
    neighbor: Namespace,
    _bird: (Running, Place),
}

/// The sessions of the neighbor: one of each family, or one of both.
fn sessions(both: bool, export: &str) -> String {
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
    /// `None`, having said why, where the machine forbids it or a program is missing. The configuration of our program
    /// is this, `neighbor` that of BIRD.
    fn new(program: &str, config: &str, neighbor: &str) -> Option<Self> {
        let missing = ["bird", program].into_iter().find(|name| !installed(name));
        if let Some(name) = missing {
            left_out(format_args!("{name} is not installed"));
            return None;
        }
        if !is_root() {
            left_out("the daemons of routers start as root only");
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
        // Its own /etc, with nothing of this machine's but the names of users and programs.
        speaker.sh("mount -t tmpfs tmpfs /run; mkdir -p /run/etc/exabgp; \
             cp -a /etc/passwd /etc/group /etc/alternatives /run/etc; \
             mount --bind /run/etc /etc");
        Some(Self {
            speaker,
            place,
            neighbor: other,
            _bird: (daemon, its),
        })
    }

    /// A file in the `/etc` of the speaker.
    fn write(&self, path: &str, text: &str) {
        self.place.write("it", text);
        let it = self.place.path("it").display().to_string();
        self.speaker.run("cp", &[&it, path]).code(0);
    }

    /// What stands for systemd signals gobgpd.
    fn start(&self, program: &str, arguments: &[&str]) -> Running {
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

    fn gobgpd(&self) -> Running {
        let arguments = [
            "-p",
            "-f",
            "/etc/gobgpd.conf",
            "--api-hosts",
            "127.0.0.1:50051",
        ];
        let running = self.start("gobgpd", &[&arguments[..], &["--pprof-disable"]].concat());
        eventually("gobgpd is up", || {
            self.speaker.run("gobgp", &["global"]).code == Some(0)
        });
        running
    }

    fn refresh(&self) -> Ran {
        let command = self.speaker.command(PROGRAM);
        let mut command = self.place.command(command, &["refresh"]);
        let bin = self.place.path("bin").display().to_string();
        command.env("PATH", format!("{bin}:/usr/sbin:/usr/bin:/sbin:/bin"));
        Ran::of(command.output().unwrap())
    }

    fn list(&self, list: &str) {
        self.place.write("noc.list", list);
        self.refresh().code(0);
    }

    /// What BIRD has of its neighbor: each prefix with its communities.
    fn heard(&self) -> Vec<String> {
        let mut heard = Vec::new();
        for table in ["master4", "master6"] {
            let words = ["show", "route", "table", table, "all"];
            let said = self.neighbor.run("birdc", &words).code(0).out;
            let mut prefix = "";
            for line in said.lines() {
                if !line.starts_with([' ', '\t']) {
                    prefix = line.split(' ').next().unwrap();
                } else if let Some(communities) = line.trim().strip_prefix("BGP.community: ") {
                    heard.push(format!("{prefix} {communities}"));
                }
            }
        }
        heard.sort_unstable();
        heard
    }

    /// BIRD has these, as blackholes to be kept in its AS, and nothing else.
    #[track_caller]
    fn hears(&self, prefixes: &[&str]) {
        let blackhole = |prefix: &&str| format!("{prefix} (65535,666) (65535,65281)");
        let expected: Vec<_> = prefixes.iter().map(blackhole).collect();
        eventually(&format!("BIRD hears {prefixes:?}"), || {
            self.heard() == expected
        });
    }

    /// The prefixes in the table of gobgpd.
    fn table(&self) -> Vec<String> {
        let mut table = Vec::new();
        for family in ["ipv4", "ipv6"] {
            let words = ["global", "rib", "-a", family];
            let said = self.speaker.run("gobgp", &words).code(0).out;
            let routes = said.lines().filter(|line| line.starts_with('*'));
            table.extend(routes.map(|line| line.split_whitespace().nth(1).unwrap().to_owned()));
        }
        table
    }
}

/// A router with the default commands, and what else is said of it.
fn router(family: Family, role: Role, more: &str) -> String {
    let commands = family.commands(role);
    let mut text = format!(
        "[[router]]\nname = \"it\"\nfamily = \"{family}\"\nrole = \"{role}\"\npath = \"it.conf\"\n{more}"
    );
    for (key, words) in [
        ("check", commands.check),
        ("reload", commands.reload),
        ("verify", commands.verify),
    ] {
        if !words.is_empty() {
            text.push_str(&format!("{key} = \"default\"\n"));
        }
    }
    text
}

const PROTECT: &str =
    "[protect]\nprefixes = [\"72.37.188.0/24\", \"198.51.100.0/24\", \"2001:db8:1::/48\"]\n";

/// The operator's own part, with these lines about policies.
fn gobgpd_conf(policies: &str) -> String {
    let neighbor = |address: &str, family: &str| {
        format!(
            "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{address}\"\npeer-as = 65000\n\
             [neighbors.timers.config]\nconnect-retry = 1\n\
             [[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{family}-unicast\"\n"
        )
    };
    format!(
        "[global.config]\nas = 65001\nrouter-id = \"100.64.0.1\"\n{}{}[global.apply-policy.config]\n{policies}",
        neighbor("100.64.0.2", "ipv4"),
        neighbor("fd00::2", "ipv6")
    )
}

#[test]
fn gobgp_announces_what_is_listed_and_nothing_else() {
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::GoBgp, Role::Trigger, "")
    );
    let Some(lab) = Lab::new("gobgpd", &config, &sessions(false, "none")) else {
        return;
    };
    let file = lab.place.path("it.conf").display().to_string();
    // The policies are in the file, which is written before they are in force.
    let alone = Place::new(&format!(
        "{NOC}{NO_KERNEL}{PROTECT}[[router]]\nname = \"it\"\nfamily = \"gobgp\"\npath = \"it.conf\"\n"
    ));
    alone.write("noc.list", "# nobody\n");
    alone.run(&["refresh"]).code(0);
    let text = alone.read("it.conf");
    let policies = text.lines().filter_map(|line| line.strip_prefix("#: "));
    let policies: Vec<_> = policies.collect();
    let own = gobgpd_conf(
        "import-policy-list = [\"NULLROUTED-IN\"]\nexport-policy-list = [\"NULLROUTED-OUT\"]\n\
         default-export-policy = \"reject-route\"\n",
    );
    let own = format!("{own}{}\n", policies.join("\n"));

    // Without the policies nothing is announced.
    lab.write("/etc/gobgpd.conf", &gobgpd_conf(""));
    let daemon = lab.gobgpd();
    lab.place.write("noc.list", LIST);
    lab.refresh().code(1).says("are not in force");
    assert_eq!(lab.table(), [""; 0]);
    lab.write("/etc/gobgpd.conf", &own);
    daemon.signal("-HUP");
    eventually("the policies are in force", || {
        let words = ["global", "policy", "export"];
        let said = lab.speaker.run("gobgp", &words).code(0).out;
        said.contains("NULLROUTED-OUT")
    });
    lab.list(LIST);
    lab.hears(&LISTED);
    // What somebody enters by hand: a route that is no blackhole, and blackholes of own space.
    let add = |words: &str| {
        let words = format!("global rib add -a {words}");
        let words: Vec<_> = words.split(' ').collect();
        lab.speaker.run("gobgp", &words).code(0);
    };
    add("ipv4 150.3.0.0/16");
    add("ipv4 198.51.100.7/32 community 65535:666");
    add("ipv6 2001:db8:1:2::/64 community 65535:666");
    assert!(!lab.refresh().code(0).err.contains("loaded again"));
    lab.hears(&LISTED);
    assert_eq!(
        lab.table(),
        ["72.37.186.0/23", "150.3.0.0/16", "2001:db8:bad::/48"]
    );

    lab.list("72.37.186.0/24\n203.0.113.9\n");
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);
    // A daemon that was started anew has an empty table.
    drop(daemon);
    let _daemon = lab.gobgpd();
    assert_eq!(lab.table(), [""; 0]);
    lab.refresh().code(0).says("it.conf loaded again");
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);
    // What one line lacks, without any other change.
    let words = ["global", "rib", "del", "-a", "ipv4", "203.0.113.9/32"];
    lab.speaker.run("gobgp", &words).code(0);
    lab.hears(&["72.37.186.0/24"]);
    lab.refresh().code(0).says("it.conf loaded again");
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);

    // The script by itself, and what its head says undoes it.
    let text = lab.place.read("it.conf");
    let undo = text
        .lines()
        .find_map(|line| line.strip_prefix("# Undo:   "));
    let undo = undo.unwrap().replace("THIS-FILE", &file);
    lab.speaker.sh(&undo);
    lab.hears(&[]);
    lab.speaker.run("sh", &[&file]).code(0);
    lab.speaker.run("sh", &[&file]).code(0);
    lab.hears(&["203.0.113.9/32", "72.37.186.0/24"]);
    lab.list("# nobody any more\n");
    lab.hears(&[]);
}

/// What BIRD announces: covering, listed, inside of it, of a listed origin, and others; each with the community.
const ANNOUNCED: &str = "\
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

/// The neighbor of a gobgpd that takes routes.
fn announces() -> String {
    let sessions = sessions(false, "filter announced");
    let names = sessions.replace("bgp four", "bgp to4");
    format!("{ANNOUNCED}{}", names.replace("bgp six", "bgp to6"))
}

#[test]
fn gobgp_refuses_what_is_listed_and_what_is_inside_of_it_and_nothing_else() {
    let config = format!(
        "[[feed]]\nname = \"asndrop\"\npath = \"asndrop.json\"\nformat = \"asndrop-json\"\nstale_after = \"3650d\"\n\
         {NOC}{NO_KERNEL}{}",
        router(Family::GoBgp, Role::Filter, "")
    );
    let Some(lab) = Lab::new("gobgpd", &config, &announces()) else {
        return;
    };
    lab.place.write("asndrop.json", &asndrop(&[64_496, 64_497]));
    let list = "import-policy-list = [\"NULLROUTED-FILTER\"]\n";
    lab.write("/etc/gobgpd.own.conf", &gobgpd_conf(list));
    lab.write("/etc/gobgpd.conf", &gobgpd_conf(""));
    let daemon = lab.gobgpd();
    let origin = ["150.3.0.0/16"];
    let of_list = [
        "72.37.186.0/23",
        "72.37.187.0/24",
        "2001:db8:bad::/48",
        "2001:db8:bad:7::/64",
    ];
    let others = [
        "64.0.0.0/7",
        "72.36.0.0/14",
        "198.51.100.7/32",
        "203.0.113.0/24",
        "2001:db8:1:7::/64",
        "2001:db8:600d::/48",
        "2c00::/18",
    ];
    let has = |parts: &[&[&str]]| {
        let mut expected = parts.concat();
        expected.sort_unstable();
        eventually(&format!("gobgpd has {expected:?}"), || {
            let mut table = lab.table();
            table.sort_unstable();
            table == expected
        });
    };
    // Nothing of ours yet.
    has(&[&origin, &of_list, &others]);
    lab.list(LIST);
    has(&[&others]);
    assert!(!lab.refresh().code(0).err.contains("loaded again"));
    lab.list("# nobody\n");
    has(&[&of_list, &others]);
    lab.list(LIST);
    has(&[&others]);
    // Somebody loads his part alone, and GoBGP does not read his list again when ours is back.
    lab.speaker.sh("cp /etc/gobgpd.own.conf /etc/gobgpd.conf");
    daemon.signal("-HUP");
    has(&[&origin, &of_list, &others]);
    lab.refresh().code(1).says("it waits for a start of gobgpd");
    drop(daemon);
    let _daemon = lab.gobgpd();
    has(&[&others]);
    lab.refresh().code(0);
    has(&[&others]);
}

#[test]
fn gobgp_as_an_edge_takes_blackholes_alone_and_none_of_its_own() {
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::GoBgp, Role::Edge, "")
    );
    let Some(lab) = Lab::new("gobgpd", &config, &announces()) else {
        return;
    };
    let list = "import-policy-list = [\"NULLROUTED-EDGE\"]\n";
    lab.write("/etc/gobgpd.own.conf", &gobgpd_conf(list));
    lab.write("/etc/gobgpd.conf", &gobgpd_conf(""));
    let _daemon = lab.gobgpd();
    lab.list("# nobody\n");
    let taken = [
        "72.36.0.0/14",
        "72.37.186.0/23",
        "72.37.187.0/24",
        "150.3.0.0/16",
        "2001:db8:bad::/48",
        "2001:db8:bad:7::/64",
    ];
    eventually("gobgpd has the blackholes", || lab.table() == taken);
    for (family, next_hop) in [("ipv4", "192.0.2.1"), ("ipv6", "100::1")] {
        let words = ["global", "rib", "-a", family];
        let said = lab.speaker.run("gobgp", &words).code(0).out;
        for line in said.lines().filter(|line| line.starts_with('*')) {
            assert_eq!(line.split_whitespace().nth(2), Some(next_hop), "{line}");
            let set = "{LocalPref: 200} {Communities: blackhole, no-export}";
            assert!(line.contains(set), "{line}");
        }
    }
}

/// It ends by itself what it runs.
struct Ended(Running);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.signal("-TERM");
        eventually("ExaBGP ends", || self.0.0.try_wait().unwrap().is_some());
    }
}

/// The operator's own file, with this process.
fn exabgp_conf(file: &str) -> String {
    format!(
        "process nullrouted {{\n    run /bin/sh {file} run;\n    encoder text;\n}}
neighbor 100.64.0.2 {{
    router-id 100.64.0.1;
    local-address 100.64.0.1;
    local-as 65001;
    peer-as 65000;
    family {{
        ipv4 unicast;
        ipv6 unicast;
    }}
    api {{
        processes [ nullrouted ];
    }}
}}
"
    )
}

#[test]
fn exabgp_announces_what_is_listed_and_nothing_else() {
    let next_hop = "next_hop_v6 = \"fd00::1\"\n";
    let config = format!(
        "{NOC}{NO_KERNEL}{PROTECT}{}",
        router(Family::ExaBgp, Role::Trigger, next_hop)
    );
    let Some(lab) = Lab::new("exabgp", &config, &sessions(true, "none")) else {
        return;
    };
    let file = lab.place.path("it.conf").display().to_string();
    lab.write("/etc/exabgp/exabgp.conf", &exabgp_conf(&file));
    lab.speaker.sh("mkdir /run/exabgp");
    // Before it has ever been started.
    lab.place.write("noc.list", "# nobody\n");
    lab.refresh()
        .code(0)
        .says("ExaBGP loads the file when it starts");
    let start = || Ended(lab.start("exabgp", &["/etc/exabgp/exabgp.conf"]));
    let daemon = start();
    eventually("the pipe is there", || {
        let words = ["-p", "/run/exabgp/nullrouted"];
        lab.speaker.run("test", &words).code == Some(0)
    });
    lab.list(LIST);
    lab.hears(&LISTED);
    lab.list("72.37.186.0/24\n72.37.187.0/24\n72.37.188.0/24\n203.0.113.9\n");
    let listed = ["203.0.113.9/32", "72.37.186.0/23"];
    lab.hears(&listed);

    // Once more over itself, and by hand.
    lab.speaker
        .sh(&format!("sh {file} > /run/exabgp/nullrouted"));
    lab.hears(&listed);
    // What leaves while the session is down does not come back with it.
    let session = |word: &str| {
        let words = [word, "both"];
        lab.neighbor.run("birdc", &words).code(0);
    };
    session("disable");
    lab.hears(&[]);
    lab.list("203.0.113.9\n2001:db8:bad::/48\n");
    session("enable");
    lab.hears(&["2001:db8:bad::/48", "203.0.113.9/32"]);
    // What is in force comes with a new start.
    drop(daemon);
    lab.hears(&[]);
    let daemon = start();
    lab.hears(&["2001:db8:bad::/48", "203.0.113.9/32"]);
    // Another reason to load its configuration.
    daemon.0.signal("-USR1");
    lab.list("# nobody any more\n");
    lab.hears(&[]);
    lab.list(LIST);
    lab.hears(&LISTED);
}
