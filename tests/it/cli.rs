//! The command line as a user meets it: results, exit codes, and what is said when something is
//! wrong.

use std::process::Command;

use crate::support::namespace::Namespace;
use crate::support::{NO_KERNEL, NOC, PROGRAM, Place, Ran, repository};

#[test]
fn a_wrong_command_line_ends_with_64_and_help_with_0() {
    let run = |words: &[&str]| Ran::of(Command::new(PROGRAM).args(words).output().unwrap());
    run(&["--help"]).code(0).says("Withdraw all our routes");
    run(&["--version"]).code(0).says("nullrouted 0.");
    run(&[]).code(64);
    run(&["nonsense"])
        .code(64)
        .says("unrecognized subcommand 'nonsense'");
    run(&["why"]).code(64);
    let place = Place::of_list("192.0.2.0/24\n");
    place
        .run(&["why", "192.0.2.300"])
        .code(64)
        .says("192.0.2.300: octet 300 is above 255");
    place
        .run(&["refresh", "--feed", "drop"])
        .code(64)
        .says("--feed drop: no feed of this name; there are noc");
    place
        .run(&["render", "edge9"])
        .code(64)
        .says("edge9: no router of this name; none is configured");
}

#[test]
fn a_wrong_configuration_ends_every_verb_with_64_and_changes_nothing() {
    let place = Place::new("[[feed]]\nname = \"noc\"\nevery = 60\n");
    for verb in ["run", "refresh", "plan", "check", "list", "status", "unpin"] {
        let ran = place.run(&[verb]).code(64);
        assert!(
            ran.err
                .contains("nullrouted.toml:4:9: every: expected a duration in quotes"),
            "{}",
            ran.err
        );
        assert!(
            ran.err
                .contains("nullrouted.toml:2:1: a feed without a preset, a url or a path"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("2 problems"), "{}", ran.err);
    }
    assert!(!place.path("state").exists(), "nothing was made");
    let json = place.run(&["check", "--json"]).code(64).json();
    assert_eq!(json["problems"][1]["line"], 4);
}

#[test]
fn check_prints_the_configuration_as_understood() {
    let place = Place::of_list("");
    place
        .run(&["check"])
        .code(0)
        .says("no problem; 1 feed, 0 router files");
    let printed = place.run(&["check", "--print"]).code(0).out;
    assert!(printed.contains("protocol = 166"), "{printed}");
}

#[test]
fn the_shipped_configuration_loads_and_with_every_key_enabled_too() {
    let shipped =
        std::fs::read_to_string(crate::support::repository().join("config/nullrouted.toml"))
            .unwrap();
    let place = Place::of_list("");
    let check = |text: &str| {
        place.write("shipped.toml", text);
        Ran::of(
            Command::new(PROGRAM)
                .arg("--config")
                .arg(place.path("shipped.toml"))
                .arg("check")
                .output()
                .unwrap(),
        )
    };
    check(&shipped).code(0);
    // A commented key is `#key` or `#[table]` without a blank; prose has one.
    let key = |line: &str| {
        let rest = line.strip_prefix('#')?;
        rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[')
            .then(|| rest.to_owned())
    };
    let enabled: Vec<String> = shipped
        .lines()
        .map(|line| key(line).unwrap_or_else(|| line.to_owned()))
        .collect();
    assert!(
        enabled.iter().filter(|line| line.contains('=')).count() > 30,
        "the keys are enabled"
    );
    place.write("allow.list", "203.0.113.0/24\n");
    let enabled = enabled
        .join("\n")
        .replace("/etc/nullrouted/allow.list", "allow.list");
    check(&enabled).code(0).says("11 feeds, 3 router files");
}

#[test]
fn the_configuration_in_the_readme_has_ten_lines_and_loads() {
    let readme = std::fs::read_to_string(crate::support::repository().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks[0].lines().count(), 10);
    for count in 1..=blocks.len() {
        let place = Place::new(&blocks[..count].concat());
        place.run(&["check"]).code(0).says("no problem");
    }
}

#[test]
fn list_why_and_plan_are_stable_interfaces() {
    let place = Place::of_list("72.37.186/23 # SBL1001\n2001:db8:bad::/48\n");
    place
        .run(&["plan"])
        .code(2)
        .says("+ 72.37.186.0/23       noc SBL1001 line 1");
    let plan = place.run(&["plan", "--json"]).code(2).json();
    assert_eq!(plan["generation"], 0);
    assert_eq!(plan["add"][0]["prefix"], "72.37.186.0/23");
    let because = &plan["add"][0]["because"][0];
    assert_eq!(because["cause"], "listed");
    assert_eq!(
        (&because["feed"], &because["reference"], &because["line"]),
        (&"noc".into(), &"SBL1001".into(), &1.into())
    );
    assert_eq!(plan["remove"].as_array().unwrap().len(), 0);
    assert_eq!(plan["held"], serde_json::Value::Null);
    assert!(!place.path("state").exists(), "plan changes nothing");

    place.run(&["refresh"]).code(0);
    place
        .run(&["plan"])
        .code(0)
        .says("No changes: 2 prefixes in force (generation 1)\n");
    assert_eq!(
        place.run(&["list"]).code(0).lines(),
        ["72.37.186.0/23", "2001:db8:bad::/48"]
    );
    let list = place.run(&["list", "--json"]).code(0).json();
    assert_eq!(list[0]["prefix"], "72.37.186.0/23");
    assert_eq!(list[0]["generation"], 1);
    let csv = place.run(&["list", "--format", "csv"]).code(0);
    assert!(
        csv.lines()[1].starts_with("72.37.186.0/23,1,20"),
        "{}",
        csv.out
    );

    let why = place.run(&["why", "72.37.187.9", "--json"]).code(0).json();
    assert_eq!(why["query"], "72.37.187.9");
    assert_eq!(why["verdict"], "blackholed");
    assert_eq!(why["route"], "72.37.186.0/23");
    let listing = &why["listings"][0];
    assert_eq!(listing["feed"], "noc");
    assert_eq!(listing["prefix"], "72.37.186.0/23");
    assert_eq!(listing["reference"], "SBL1001");
    assert_eq!(listing["line"], 1);
    assert!(listing["first_seen"].as_str().unwrap().ends_with('Z'));
    assert!(listing["last_seen"].as_str().unwrap().ends_with('Z'));
    assert_eq!(why["protected_by"].as_array().unwrap().len(), 0);
}

#[test]
fn why_names_every_cause_for_an_address_that_passes() {
    let place = Place::new(&format!(
        "{NOC}[protect]\nprefixes = [\"203.0.113.0/25\", \"203.0.113.64/26\"]\n{NO_KERNEL}"
    ));
    place.write(
        "noc.list",
        "203.0.113.0/24\n10.0.0.0/8\n72.37.186.0/23\n0.0.0.0/0\n",
    );
    place
        .run(&["refresh"])
        .code(0)
        .says("1 refused as too short; first refused: 0.0.0.0/0 (noc line 4)");
    let protected = place.run(&["why", "203.0.113.70", "--json"]).code(0).json();
    assert_eq!(protected["verdict"], "protected");
    // Both typed prefixes, and that one of its two listings is refused.
    assert_eq!(
        protected["protected_by"].as_array().unwrap().len(),
        3,
        "{protected}"
    );
    let reserved = place.run(&["why", "10.1.2.3"]).code(0);
    assert!(
        reserved
            .out
            .contains("protected: 10.0.0.0/8, private use (RFC 1918)"),
        "{}",
        reserved.out
    );
    let refused = place.run(&["why", "8.8.8.8"]).code(0);
    assert!(
        refused
            .out
            .contains("0.0.0.0/0, shorter than the limit, refused (noc line 4)"),
        "{}",
        refused.out
    );

    place.write("noc.list", "203.0.113.0/24\n");
    place.run(&["refresh"]).code(0);
    let gone = place.run(&["why", "72.37.186.1"]).code(0);
    assert!(
        gone.out.starts_with(
            "72.37.186.1 is not blackholed: nothing lists it any more\n  formerly listed by noc"
        ),
        "{}",
        gone.out
    );
}

#[test]
fn rejected_lines_are_counted_and_shown_with_line_and_reason() {
    let place = Place::of_list(
        "192.0.2.0/24\n192.0.2.9/24\n1.2.3.4/33\n010.0.0.1\n198.51.100.0/24\n203.0.113.0/24\n",
    );
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=noc  3 entries, 3 rejected (line 2: \"192.0.2.9/24\": host bits set");
    let status = place.run(&["status"]).code(0).says("3 rejected");
    status.says("line 3: \"1.2.3.4/33\": length above 32");
    let json = place.run(&["status", "--json"]).json();
    assert_eq!(json["feeds"][0]["rejected"], 3);
    assert_eq!(json["feeds"][0]["rejections"][2]["line"], 4);
}

#[test]
fn a_local_file_emptied_on_purpose_is_empty_and_an_empty_file_is_not_believed() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    place.write("noc.list", "");
    place
        .run(&["refresh"])
        .code(0)
        .says("feed=noc  foreign: empty; keeping 1 entries from ");
    assert_eq!(place.run(&["list"]).lines(), ["192.0.2.0/24"]);
    place.write("noc.list", "# nobody at the moment\n");
    place.run(&["refresh"]).code(0);
    assert!(place.run(&["list"]).out.is_empty());
}

#[test]
fn a_missing_file_keeps_the_last_good_copy() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    std::fs::remove_file(place.path("noc.list")).unwrap();
    let ran = place.run(&["refresh"]).code(0);
    assert!(
        ran.err
            .contains("noc.list: No such file or directory (os error 2); keeping 1 entries from "),
        "{}",
        ran.err
    );
    assert_eq!(
        place
            .run(&["refresh", "--offline"])
            .code(0)
            .err
            .matches("feed=")
            .count(),
        0
    );
}

#[test]
fn two_writers_get_one_clear_message() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    let lock = std::fs::File::options()
        .write(true)
        .open(place.path("state/pass.lock"))
        .unwrap();
    lock.lock().unwrap();
    let ran = place.run(&["refresh"]).code(1);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    ran.says("is running (it holds ")
        .says("nothing was changed; try again when it has ended");
    // Readers are not disturbed.
    place.run(&["list"]).code(0);
    place.run(&["status"]).code(0);
}

#[test]
fn a_ledger_from_a_newer_version_is_left_alone() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    let ledger = place.ledger();
    ledger.pragma_update(None, "user_version", 99).unwrap();
    for verb in ["refresh", "list", "status", "plan"] {
        let ran = place.run(&[verb]).code(1);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        ran.says("schema 99, written by a newer nullrouted");
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_is_one_clear_line() {
    let place = Place::of_list("192.0.2.0/24\n");
    place.write("blocked", "");
    place.write(
        "nullrouted.toml",
        &format!("state_dir = \"blocked/state\"\n{NOC}{NO_KERNEL}"),
    );
    let ran = place.run(&["refresh"]).code(1);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    ran.says("blocked/state: Not a directory (os error 20); nothing was changed");
}

#[test]
fn a_full_disk_is_one_clear_line_and_nothing_is_half_written() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let place = Place::new(&format!(
        "{NOC}[limits]\nmax_added = \"1000000%\"\n{NO_KERNEL}"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    let state = place.path("state");
    std::fs::create_dir(&state).unwrap();
    namespace.sh(&format!(
        "mount -t tmpfs -o size=8m tmpfs {0}; head -c 7900k /dev/zero > {0}/ballast",
        state.display()
    ));
    place.run_in(&namespace, &["refresh"]).code(0);
    let before = place.run_in(&namespace, &["list"]).out;

    // A list whose copy fits and whose ledger does not; then one whose copy does not fit either.
    for count in [3_000_u32, 30_000] {
        let long: String = (0..count)
            .map(|i| format!("11.{}.{}.{}\n", i >> 12, (i >> 4) & 255, 2 * (i & 15)))
            .collect();
        place.write("noc.list", &long);
        let ran = place.run_in(&namespace, &["refresh"]).code(1);
        let last = ran.err.lines().last().unwrap_or_default().to_owned();
        assert!(
            last.contains("No space left on device") || last.contains("the disk is full"),
            "{}",
            ran.err
        );
        assert_eq!(
            place.run_in(&namespace, &["list"]).code(0).out,
            before,
            "what was in force stays"
        );
        let names = namespace.sh(&format!("ls -A {}/copies", state.display()));
        assert!(!names.contains(".new"), "nothing is half-written: {names}");
    }
    // With room again the next pass goes on as if nothing had been.
    namespace.sh(&format!("rm {}/ballast", state.display()));
    place.write("noc.list", "192.0.2.0/24\n198.51.100.0/24\n");
    place.run_in(&namespace, &["refresh"]).code(0);
}

#[test]
fn a_router_file_that_is_refused_fails_the_pass_and_keeps_the_old_file() {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[[router]]\nname = \"edge1\"\nfamily = \"frr\"\npath = \"edge1.conf\"\n\
         check = [\"sh\", \"-c\", \"! grep -q 192.0.2.0/24 {{file}}\"]\n"
    ));
    place.write("noc.list", "72.37.186.0/23\n");
    place
        .run(&["refresh"])
        .code(0)
        .says("edge1.conf replaced, 1 prefixes");
    let before = place.read("edge1.conf");
    assert_eq!(
        place.run(&["render", "edge1"]).code(0).out,
        before,
        "render prints the same bytes"
    );
    place.write("noc.list", "72.37.186.0/23\n192.0.2.0/24\n");
    place
        .run(&["refresh"])
        .code(1)
        .says("target=edge1  check refused the new file");
    assert_eq!(place.read("edge1.conf"), before);
    place.run(&["status"]).code(0).says("target edge1  FAILED");
}

#[test]
fn render_shows_how_a_file_differs_from_the_one_on_disk() {
    let place = Place::new(&format!(
        "{NOC}{NO_KERNEL}[[router]]\nname = \"list\"\nfamily = \"plain\"\npath = \"list.txt\"\n"
    ));
    place.write("noc.list", "72.37.186.0/23 # SBL123\n");
    place.run(&["refresh"]).code(0);
    let same = place.run(&["render", "list", "--diff"]).code(0);
    assert_eq!((same.out.as_str(), same.err.as_str()), ("", ""));

    let file = place.path("list.txt");
    let text = place.read("list.txt");
    assert!(text.contains("\n72.37.186.0/23 # noc SBL123\n"), "{text}");
    let old = text.replace("72.37.186.0/23 # noc SBL123", "198.51.100.0/24");
    std::fs::write(&file, &old).unwrap();
    let path = file.display();
    let differs = place.run(&["render", "list", "--diff"]).code(2);
    assert_eq!(
        differs.out,
        format!(
            "--- {path}\n+++ {path}\n@@ -2,4 +2,4 @@\n #\n # Format: one prefix a line; a # begins a comment.\n #\n\
             -198.51.100.0/24\n+72.37.186.0/23 # noc SBL123\n"
        )
    );
    std::fs::remove_file(&file).unwrap();
    let missing = place.run(&["render", "list", "--diff"]).code(2);
    missing
        .says("--- /dev/null\n")
        .says("+72.37.186.0/23 # noc SBL123\n");
    assert!(!file.exists(), "nothing was written");
}

#[test]
fn an_expired_copy_is_withdrawn_and_said_to_be() {
    let place = Place::new(&format!(
        "{NOC}every = \"1h\"\nstale_after = \"1h\"\nexpire_after = \"2h\"\n{NO_KERNEL}"
    ));
    place.write("noc.list", "192.0.2.0/24\n");
    place.run(&["refresh"]).code(0);
    std::fs::remove_file(place.path("noc.list")).unwrap();
    place.later(7_201);
    place.run(&["refresh"]).code(0).says("has expired");
    assert!(place.run(&["list"]).out.is_empty());
    place.run(&["status"]).code(0).says("expired");
}

/// What `check` advises, without the path of the configuration.
fn advice(place: &Place, code: i32) -> Vec<String> {
    let ran = place.run(&["check"]).code(code);
    let config = place.config().display().to_string();
    let dir = place.path("").display().to_string();
    let lines = ran.err.lines().filter(|line| line.contains(": advice: "));
    lines
        .map(|line| line.replace(&config, "CONFIG").replace(&dir, "DIR/"))
        .collect()
}

#[test]
fn check_looks_at_what_the_configuration_refers_to() {
    let config = "[[feed]]
name = \"noc\"
path = \"noc.list\"
[[feed]]
name = \"partner\"
url = \"http://lists.example.net/bad.txt\"
[[feed]]
name = \"here\"
url = \"http://127.0.0.1:8080/bad.txt\"
[fetch]
ca_file = \"ca.pem\"
[[router]]
name = \"edge1\"
family = \"plain\"
path = \"nowhere/edge1.conf\"
check = [\"nullrouted-no-such-program\", \"{file}\"]
reload = [\"PLACE/loader\"]
verify = [\"sh\", \"-c\", \"true\"]
[[router]]
name = \"edge2\"
family = \"plain\"
path = \"loader/edge2.conf\"
[kernel]
enabled = false
";
    let place = Place::new("");
    let here = place.path("");
    let here = here.to_str().unwrap().trim_end_matches('/');
    place.configure(&config.replace("PLACE", here));
    place.write("loader", "#!/bin/sh\n");
    // This test runs as root or as an ordinary user; neither may run what nobody may.
    let uid = nix::unistd::geteuid();
    let told = [
        "CONFIG:4:8: advice: DIR/noc.list: no such file; feed noc: nothing of it is in force until it can be read; put \
         the list there, or correct `path`"
            .to_owned(),
        "CONFIG:7:7: advice: feed partner: http:// to lists.example.net is not encrypted: the list can be \
         changed on the way; write https:// if the server has it"
            .to_owned(),
        "CONFIG:12:11: advice: DIR/ca.pem: no such file; it is read when feeds are fetched; put it there, or correct \
         `[fetch] ca_file`"
            .to_owned(),
        "CONFIG:16:8: advice: router edge1: the folder DIR/nowhere does not exist, so its file cannot be written; \
         mkdir -p DIR/nowhere"
            .to_owned(),
        "CONFIG:17:9: advice: router edge1: check runs nullrouted-no-such-program, which is not found in PATH; install \
         it, or write where it is"
            .to_owned(),
        format!(
            "CONFIG:18:10: advice: router edge1: reload runs DIR/loader, and DIR/loader is not executable for uid \
             {uid}; chmod +x DIR/loader"
        ),
        "CONFIG:23:8: advice: router edge2: DIR/loader is not a folder, so its file cannot be written; correct `path`"
            .to_owned(),
    ];
    assert_eq!(advice(&place, 0), told);
    place
        .run(&["check"])
        .code(0)
        .says("no problem; 3 feeds, 2 router files, 7 pieces of advice");
    place.run(&["check", "--strict"]).code(1);
    place.run(&["check", "--strict", "--print"]).code(1);
    let json = place.run(&["check", "--json"]).code(0).json();
    assert_eq!(json["ok"], true);
    let first = &json["advice"][0];
    assert_eq!(
        (
            &first["kind"],
            &first["router"],
            &first["line"],
            &first["column"]
        ),
        (
            &"file".into(),
            &serde_json::Value::Null,
            &4.into(),
            &8.into()
        )
    );
    let folder = &json["advice"][3];
    assert_eq!(
        (&folder["kind"], &folder["router"]),
        (&"folder".into(), &"edge1".into())
    );
    place.run(&["check", "--strict", "--json"]).code(1);
    // It keeps nothing from being done: the routers fail by themselves.
    place
        .run(&["refresh", "--offline"])
        .code(1)
        .says("target=edge1");
}

#[test]
fn a_configuration_that_needs_no_advice_is_strictly_good_and_one_without_feeds_is_not() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::of_list("192.0.2.0/24\n");
    place
        .run(&["check", "--strict"])
        .code(0)
        .says("no problem; 1 feed, 0 router files\n");
    let mode = std::fs::Permissions::from_mode(0o664);
    std::fs::set_permissions(place.config(), mode).unwrap();
    let told = "CONFIG: advice: its group may write it (mode 0664), and it names commands to run; if only root should, \
                type `sudo chmod g-w CONFIG`";
    assert_eq!(advice(&place, 0), [told]);
    place.run(&["check", "--strict"]).code(1);
    place.run(&["refresh"]).code(0);

    let place = Place::new(crate::support::NO_KERNEL);
    let told = "CONFIG: advice: no feed is configured: only what is added by hand is dropped; write a [[feed]] \
                (nullrouted feeds lists the presets)";
    assert_eq!(advice(&place, 0), [told]);
    place.run(&["check", "--strict"]).code(1);
    place.run(&["refresh"]).code(0);
}

/// Without what the environment may name.
fn plain(verb: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(verb).env_remove("NULLROUTED_CONFIG");
    command
}

#[test]
fn the_version_names_the_commit_and_its_date() {
    let shown = Ran::of(plain(&["--version"]).output().unwrap()).code(0).out;
    let git = |format: &str| {
        let mut git = Command::new("git");
        let asked = git.args(["log", "-1", format]).current_dir(repository());
        let text = String::from_utf8(asked.output().unwrap().stdout).unwrap();
        text.trim().to_owned()
    };
    let number = env!("CARGO_PKG_VERSION");
    match repository().join(".git").exists() {
        // A commit after the build has another one.
        true if shown.contains(&git("--format=%h")) => assert_eq!(
            shown,
            format!(
                "nullrouted {number} ({} {})\n",
                git("--format=%h"),
                git("--format=%cs")
            )
        ),
        _ => assert!(
            shown.starts_with(&format!("nullrouted {number}")),
            "{shown}"
        ),
    }
}

#[test]
fn init_writes_a_configuration_and_never_overwrites_one() {
    let place = Place::new("");
    let path = place.path("first.toml");
    let shown = path.display();
    let run = |verb: &[&str]| {
        let mut command = plain(verb);
        Ran::of(command.env("NULLROUTED_CONFIG", &path).output().unwrap())
    };
    let ran = run(&["init"]).code(0);
    assert_eq!(
        ran.out,
        format!(
            "{shown} is written; put your own prefixes under [protect] in it\n\
             next: nullrouted -c {shown} check, nullrouted -c {shown} plan, nullrouted -c {shown} refresh\n"
        )
    );
    let shipped = std::fs::read_to_string(repository().join("config/nullrouted.toml")).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), shipped);
    run(&["check"]).code(0).says("no problem");
    std::fs::write(&path, "mine = 1\n").unwrap();
    let ran = run(&["init"]).code(1);
    assert_eq!(
        ran.err,
        format!("{shown}: there is a file already; it was not changed\n")
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine = 1\n");
    let nowhere = place.path("nowhere/x.toml");
    let ran = Ran::of(
        plain(&["-c", nowhere.to_str().unwrap(), "init"])
            .output()
            .unwrap(),
    )
    .code(1);
    assert_eq!(
        ran.err,
        format!(
            "{}: No such file or directory (os error 2); nothing was written\n",
            nowhere.display()
        )
    );
}

#[test]
fn the_configuration_is_named_by_c_before_the_environment() {
    let place = Place::of_list("192.0.2.0/24\n");
    let run = |named: Option<&str>, environment: &str| {
        let mut command = plain(&["check"]);
        command.env("NULLROUTED_CONFIG", environment);
        named.iter().for_each(|named| {
            command.args(["-c", named]);
        });
        Ran::of(command.output().unwrap())
    };
    let config = place.config();
    let config = config.to_str().unwrap();
    run(None, config).code(0).says(config);
    run(Some(config), "/nowhere.toml").code(0).says(config);
    run(None, "/nowhere.toml").code(64).says("/nowhere.toml: ");
}

#[test]
fn quiet_says_what_failed_alone_and_verbose_each_step() {
    let place = Place::of_list("192.0.2.0/24\n");
    let usual = place.run(&["refresh"]).code(0).err;
    assert!(usual.contains("policy  1 routes"), "{usual}");
    assert_eq!(place.run(&["refresh", "-q"]).code(0).err, "");
    assert_eq!(place.run(&["-q", "list"]).code(0).out, "192.0.2.0/24\n");
    let failed = place.run(&["refresh", "-q", "--feed", "nox"]).code(64).err;
    assert_eq!(
        failed,
        "--feed nox: no feed of this name; did you mean noc? there are noc\n"
    );
    let plan = |verb: &[&str]| place.run(verb).code(0).err;
    assert!(!plan(&["plan"]).contains("policy"));
    assert!(plan(&["-v", "plan"]).len() >= plan(&["plan"]).len());
    place.run(&["-q", "-v", "list"]).code(64);
    let render = place.run(&["render", "edge1"]).code(64).err;
    assert_eq!(
        render,
        "edge1: no router of this name; none is configured\n"
    );
    let preset = place.run(&["feeds", "spamhaus-drop-v5"]).code(64).err;
    assert!(
        preset.starts_with(
            "spamhaus-drop-v5: no preset of this name; did you mean spamhaus-drop-v4? there are "
        ),
        "{preset}"
    );
    let retired = place.run(&["feeds", "spamhaus-edrop"]).code(64).err;
    assert_eq!(
        retired,
        "spamhaus-edrop: merged into DROP by its publisher in April 2024: use spamhaus-drop-v4\n"
    );
}
