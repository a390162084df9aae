//! The scripts with a `vtysh` that says what FRR's says.

use std::path::Path;
use std::process::Command;

use super::*;

/// What ran: whether it ended well, and what it said.
struct Ran {
    well: bool,
    said: String,
}

/// A file, and a `vtysh` that is a script; `$*` are its words.
struct Place(tempfile::TempDir);

impl Place {
    fn new(file: &str, vtysh: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("it.conf"), file).unwrap();
        let draft = place.path().join("draft");
        std::fs::write(&draft, format!("#!/bin/sh\n{vtysh}")).unwrap();
        // Written by another process: see ETXTBSY.
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(draft);
        let status = install.arg(place.path().join("vtysh")).status();
        assert!(status.unwrap().success());
        Self(place)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a default command for the file.
    fn run(&self, words: &[&str]) -> Ran {
        let file = self.path().join("it.conf").display().to_string();
        let filled = words.iter();
        let filled = filled.map(|word| word.replace("{file}", &file).replace("{delta}", &file));
        let filled: Vec<_> = filled.collect();
        let path = format!("{}:/usr/bin:/bin", self.path().display());
        let ran = Command::new(&filled[0])
            .args(&filled[1..])
            .env("PATH", path)
            .output()
            .unwrap();
        Ran {
            well: ran.status.success(),
            said: String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap(),
        }
    }
}

#[test]
fn notes_of_frr_10_7_are_no_refusal_and_a_refused_line_is() {
    for role in [Role::Edge, Role::Trigger, Role::Filter] {
        let reload = commands(role).reload;
        let load = |vtysh: &str| {
            let vtysh = format!("case \"$*\" in\n*' -f '*) {vtysh};;\n*) echo end;;\nesac\n");
            let file = "ip prefix-list NULLROUTED-OWN-V4 seq 1 deny 0.0.0.0/0\n";
            Place::new(file, &vtysh).run(reload).well
        };
        let notes = "echo '% Configuration applied with notes:'; echo 'No changes found to be committed!'\n";
        assert!(load(notes), "{role}");
        assert!(load("echo 'MGMTD: No changes found to be committed!'\n"));
        let refused = "echo '% Configuration failed.'; echo; echo 'Error type: validation'\n";
        assert!(!load(refused), "{role}");
        assert!(!load(&format!("{notes}{refused}")), "{role}");
        let ended = "echo \"can't compile regexp _64496[\\$\"; exit 13\n";
        assert!(!load(ended), "{role}");
    }
}

#[test]
fn static_routes_are_in_staticd_or_in_mgmtd() {
    let routes = "ip route 192.0.2.1/32 blackhole\nipv6 route 100::1/128 blackhole\n";
    let verify = commands(Role::Edge).verify;
    // `has` prints the routes for the running configuration of this daemon alone.
    let verified = |has: &str, runs: &str, routes_held: &str| {
        let vtysh = format!(
            "case \"$*\" in\n'-d {has} -c show running-config') printf '{routes_held}' ;;\n\
             '-d bgpd -c show running-config') echo 'frr version 10.3' ;;\n\
             '-d {runs} -c show version') ;;\n*) echo \"no daemons match\" >&2; exit 1 ;;\nesac\n"
        );
        Place::new(routes, &vtysh).run(verify)
    };
    for has in ["staticd", "mgmtd"] {
        assert!(verified(has, "staticd", routes).well, "{has}");
        let one = verified(has, "staticd", "ip route 192.0.2.1/32 blackhole\n");
        assert!(!one.well);
        assert_eq!(
            one.said,
            "FRR lacks a static route that drops: neither staticd nor mgmtd has it\n"
        );
    }
    let without = verified("mgmtd", "zebra", routes);
    assert!(!without.well);
    assert_eq!(
        without.said,
        "staticd does not run, so no route drops what the trigger announces\n"
    );
}

#[test]
fn what_differs_is_named_with_the_command_that_mends_it() {
    let file = "ip prefix-list NULLROUTED-V4 seq 1 deny 0.0.0.0/0\nip prefix-list NULLROUTED-V4 seq 5 permit 192.0.2.0/24\n\
                route-map NULLROUTED-OUT permit 10\n match community NULLROUTED\n";
    let verified = |held: &str| {
        let vtysh = format!(
            "case \"$*\" in\n'-d bgpd -c show running-config') printf '{held}' ;;\n\
             *) echo \"no daemons match\" >&2; exit 1 ;;\nesac\n"
        );
        let place = Place::new(file, &vtysh);
        let path = place.path().join("it.conf").display().to_string();
        let ran = place.run(commands(Role::Trigger).verify);
        (ran.well, ran.said.replace(&path, "FILE"))
    };
    assert_eq!(verified(file), (true, String::new()));
    let lacks = file.replace(
        "ip prefix-list NULLROUTED-V4 seq 5 permit 192.0.2.0/24\n",
        "",
    );
    let said = "bgpd holds other entries than the file, 3 for 4. It lacks \"ip prefix-list NULLROUTED-V4 seq 5 permit \
                192.0.2.0/24\": vtysh -f FILE loads it. Then nullrouted refresh\n";
    assert_eq!(verified(&lacks), (false, said.to_owned()));
    let over = format!("{file}ip prefix-list NULLROUTED-V4 seq 7 permit 9.9.9.0/24\n");
    let said = "bgpd holds other entries than the file, 5 for 4. It has \"ip prefix-list NULLROUTED-V4 seq 7 permit 9.9.9.0/24\", \
                which is not in the file: vtysh -d bgpd -c \"configure terminal\" -c \"no ip prefix-list NULLROUTED-V4 seq 7 \
                permit 9.9.9.0/24\" takes it out. Then nullrouted refresh\n";
    assert_eq!(verified(&over), (false, said.to_owned()));
    let clause = "route-map NULLROUTED-OUT permit 10\n match community NULLROUTED\n";
    let other = file.replace(clause, "route-map NULLROUTED-OUT permit 20\n");
    let said = "bgpd holds other entries than the file, 3 for 4. It has \"route-map NULLROUTED-OUT permit 20\", which is not in the \
                file: vtysh -d bgpd -c \"configure terminal\" -c \"no route-map NULLROUTED-OUT permit 20\" takes it out. It lacks \
                \"route-map NULLROUTED-OUT permit 10\": vtysh -f FILE loads it. Then nullrouted refresh\n";
    assert_eq!(verified(&other), (false, said.to_owned()));
}
