//! A target that this program does not know: it takes part in plan, pass, why, status and flush.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;

use ipnet::IpNet;
use nullrouted::config::Config;
use nullrouted::targets::{
    self, Absence, AnyTarget, Counts, Doing, Done, Outcome, Presence, Report, Target, Wanted, What,
};

use crate::support::Place;

/// What the target holds: prefixes in the memory of this process.
static HELD: Mutex<BTreeSet<IpNet>> = Mutex::new(BTreeSet::new());

struct Memory;

impl Memory {
    fn report(wanted: &Wanted) -> Report {
        let held = HELD.lock().unwrap();
        let desired: BTreeSet<IpNet> = wanted.everything.nets.nets().collect();
        let counts = Counts {
            added: desired.difference(&held).count(),
            removed: held.difference(&desired).count(),
            kept: desired.intersection(&held).count(),
            failed: 0,
        };
        let changes = counts.added + counts.removed > 0;
        Report::new(What::Routes(counts, Vec::new()), changes)
    }
}

impl Target for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn place(&self, _: &Config) -> String {
        "this process".to_owned()
    }

    fn plan<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Vec<Outcome>> {
        let name = self.name().to_owned();
        let result = Ok(Self::report(wanted));
        Box::pin(async { vec![Outcome { name, result }] })
    }

    fn apply<'a>(&'a mut self, wanted: &'a Wanted) -> Doing<'a, Done> {
        let report = Self::report(wanted);
        *HELD.lock().unwrap() = wanted.everything.nets.nets().collect();
        Box::pin(async { Done::of("memory", Ok(report)) })
    }

    fn presence<'a>(
        &'a mut self,
        net: IpNet,
        route: Option<IpNet>,
        _: &'a Wanted,
    ) -> Doing<'a, Presence> {
        let held = HELD.lock().unwrap().contains(&route.unwrap_or(net));
        Box::pin(async move {
            match held {
                true => Presence::Here,
                false => Presence::Absent(Absence::Missing),
            }
        })
    }
}

fn all(_: &Config) -> Vec<AnyTarget> {
    vec![Box::new(Memory)]
}

/// The program with one more target, in a process of its own: `verbs` is one command line in each
/// line, and of each the exit code is printed behind what it says.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn program_with_a_target_of_its_own() {
    targets::also(all);
    let verbs = std::env::var("VERBS").unwrap();
    for verb in verbs.lines() {
        println!("\n$ {verb}");
        let words = std::iter::once("nullrouted").chain(verb.split(' '));
        let exit = nullrouted::cli::run_with(words.map(Into::into).collect());
        println!("{exit:?}");
    }
}

#[test]
fn a_target_of_another_program_takes_part_in_every_verb() {
    let place = Place::of_list("192.0.2.0/24\n198.51.100.0/24\n");
    let config = place.path("nullrouted.toml");
    let verb = |words: &str| format!("--config {} {words}", config.display());
    let verbs = [
        "plan",
        "refresh",
        "plan --json",
        "why 192.0.2.7",
        "status --json",
        "add 203.0.113.7 --reason test",
        "status --json",
        "flush",
        "status --json",
        "why 192.0.2.7",
    ];
    let verbs: Vec<String> = verbs.iter().map(|words| verb(words)).collect();
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("target::program_with_a_target_of_its_own")
        .env("VERBS", verbs.join("\n"))
        .env("NULLROUTED_RUN_DIR", place.path("run"))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8(ran.stderr).unwrap(),
    );
    let said: Vec<&str> = out.split("\n$ ").skip(1).collect();
    let [plan, _, again, why, passed, _, added, flush, flushed, after] = said[..] else {
        panic!("{out}\n{err}");
    };
    let would = "target=memory  would add 2, remove 0, keep 0";
    assert!(plan.contains(would), "{plan}");
    let target = |json: &str, name: &str| -> serde_json::Value {
        let json = &json[json.find('{').unwrap()..=json.rfind('}').unwrap()];
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let targets = json["targets"].as_array().unwrap().clone();
        targets.into_iter().find(|one| one["name"] == name).unwrap()
    };
    let planned = target(again, "memory");
    assert_eq!(planned["would"], "add 0, remove 0, keep 2");
    assert_eq!(planned["changes"], false);
    assert!(why.contains("memory"), "{why}");
    assert!(why.contains("this process"), "{why}");
    let report = |status| {
        let row = target(status, "memory");
        assert_eq!(row["failed"], false);
        row["report"].as_str().unwrap().to_owned()
    };
    assert_eq!(report(passed), "added 2, removed 0, kept 0, failed 0");
    assert_eq!(report(added), "added 1, removed 0, kept 2, failed 0");
    assert_eq!(report(flushed), "added 0, removed 3, kept 0, failed 0");
    assert!(flush.contains("unix_exit_status(0)"), "{flush}");
    assert!(after.contains("not blackholed"), "{after}");
}
