//! Text of others that moves the cursor, hides text or begins a line of its own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use nullrouted::shown::{self, is_hidden};

use crate::support::cases::note;
use crate::support::http::{Answer, Server};
use crate::support::namespace::Namespace;
use crate::support::{AROUND, NO_KERNEL, PROGRAM, Place, unless_everything};

/// What a forged line begins with.
const FORGED: &str = "FORGED-TOKEN";

/// One reference with an escape sequence, a C1 control, a bidirectional control and a line of its
/// own.
pub fn reference() {
    let evil =
        "SBL1\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\nFORGED-TOKEN 192.0.2.9 is protected\r\u{7f}";
    let list = serde_json::json!([{"ip": "198.51.100.0/24", "ref": evil}]).to_string();
    let place = Place::new(&format!(
        "{NO_KERNEL}[[feed]]\nname = \"evil\"\npath = \"evil.json\"\nformat = \"json\"\nfield = \"[].ip\"\n\
         reference = \"ref\"\n"
    ));
    place.write("evil.json", &list);
    place.run(&["refresh"]).code(0);
    let seen = "SBL1\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{2028}\\nFORGED-TOKEN 192.0.2.9 is protected";
    for verb in [
        &["why", "198.51.100.7"][..],
        &["history", "198.51.100.0/24"],
        &["list", "--format", "csv"],
    ] {
        let ran = place.run(verb).code(0).says(seen);
        clean(&verb.join(" "), &ran.out);
        clean(&verb.join(" "), &ran.err);
    }
    // Written by an earlier build, which kept it as it was.
    place.edit(&format!(
        "UPDATE route SET cause = 'evil {}'",
        evil.replace('\'', "''")
    ));
    place.edit(&format!(
        "INSERT INTO target (name, at, failed, report, digest) VALUES ('kernel', 0, 1, '{evil}', NULL)"
    ));
    for verb in [
        &["list", "--format", "csv"][..],
        &["status"],
        &["history", "198.51.100.0/24"],
    ] {
        let ran = place.run(verb).says(seen);
        clean(&verb.join(" "), &ran.out);
    }
    // A program that reads the JSON gets what the publisher wrote.
    let why = place.run(&["why", "198.51.100.7", "--json"]).code(0);
    clean("why --json", &why.out);
    assert_eq!(why.json()["listings"][0]["reference"], evil.trim_end());

    // What a server says: hyper lets no ASCII control pass, and all else.
    let said = "503 Service\u{9b}31m \u{202e}FORGED";
    let server = Server::new(Answer::Status(said, evil.to_owned()));
    let place = Place::new(&format!(
        "{NO_KERNEL}[[feed]]\nname = \"remote\"\nurl = \"http://127.0.0.1:{}/\"\n",
        server.port
    ));
    for verb in [
        &["refresh"][..],
        &["status"],
        &["feeds"],
        &["status", "--check"],
    ] {
        let ran = place.run(verb);
        clean(&verb.join(" "), &ran.out);
        clean(&verb.join(" "), &ran.err);
    }
}

/// Nothing is hidden, and no line is forged.
#[track_caller]
fn clean(what: &str, text: &str) {
    let hidden = text.chars().find(|c| *c != '\n' && is_hidden(*c));
    assert_eq!(hidden, None, "{what}: {text:?}");
    let forged = text
        .lines()
        .find(|line| line.trim_start().starts_with(FORGED));
    assert_eq!(forged, None, "{what}: {text}");
}

/// A small generator: the same seed gives the same texts.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        // Xorshift (Marsaglia 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }

    /// Text with some of everything, and a line of its own in it. `without` is left out.
    fn poison(&mut self, without: &[char]) -> String {
        const PIECES: [&str; 30] = [
            "a",
            "Zürich",
            "\"",
            "'",
            ",",
            ";",
            "|",
            "\\",
            "{",
            "}",
            "#",
            "!",
            "%",
            "\u{1b}[2J",
            "\u{1b}]0;t\u{7}",
            "\u{9b}31m",
            "\u{8}\u{8}",
            "\r",
            "\0",
            "\t",
            "\u{b}\u{c}",
            "\u{7f}",
            "\u{85}",
            "\u{202e}",
            "\u{2066}",
            "\u{200f}",
            "\u{2028}",
            "\u{200b}\u{feff}",
            "\u{e0041}",
            "\u{301}",
        ];
        let mut text = String::new();
        for _ in 0..4 {
            text += PIECES[self.below(PIECES.len())];
        }
        text += ["\n", "\r\n", "\n\n", "\u{85}\n"][self.below(4)];
        text += FORGED;
        for _ in 0..3 {
            text += PIECES[self.below(PIECES.len())];
        }
        text.retain(|c| !without.contains(&c));
        text
    }
}

fn toml(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| format!("\\U{:08X}", u32::from(c)))
        .collect();
    format!("\"{escaped}\"")
}

const FAMILIES: [&str; 19] = [
    "frr", "bird", "openbgpd", "gobgp", "exabgp", "ios", "ios-xr", "nx-os", "eos", "junos", "sros",
    "vrp", "routeros", "vyos", "nftables", "ipset", "plain", "csv", "json",
];

/// Everything that is not ours is poisoned, and every verb speaks of it.
pub fn every_verb() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let mut runs = 0;
    let seeds = [1, 0x9e37_79b9, 0xdead_beef_cafe];
    for seed in &seeds[..unless_everything(3, 1)] {
        let (these, spoke) = Poisoned::new(&namespace, *seed).round();
        assert!(
            spoke * 2 > these,
            "{spoke} of {these} runs spoke of what was poisoned"
        );
        runs += these;
    }
    note(format!("{runs} runs of the program"));
}

struct Poisoned<'a> {
    namespace: &'a Namespace,
    place: Place,
    random: Random,
    seed: u64,
    runs: usize,
    /// Of them those that spoke of what was poisoned.
    spoke: usize,
}

impl<'a> Poisoned<'a> {
    fn new(namespace: &'a Namespace, seed: u64) -> Self {
        let mut random = Random(seed);
        let place = Place::new("");
        // An interface: any bytes without blanks and `/`, at most fifteen.
        let names: [&[u8]; 3] = [
            b"\x1b[31m\xe2\x80\xaex",
            b"\xc2\x9b2J\xe2\x80\xa8",
            b"\xff\x9bq\x7f",
        ];
        for (at, name) in names.iter().enumerate() {
            let name = OsStr::from_bytes(name);
            let net = 10 * at + 1;
            let ip = |words: &[&OsStr]| {
                let status = namespace.command("ip").args(words).output().unwrap();
                // The second round finds it there.
                drop(status);
            };
            let word = OsStr::new;
            ip(&[
                word("link"),
                word("add"),
                word("name"),
                name,
                word("type"),
                word("dummy"),
            ]);
            let address = format!("198.51.{net}.9/24");
            ip(&[
                word("address"),
                word("add"),
                word(&address),
                word("dev"),
                name,
            ]);
            ip(&[word("link"), word("set"), name, word("up")]);
            let route = format!("198.51.100.{}/32", 100 + at);
            ip(&[word("route"), word("add"), word(&route), word("dev"), name]);
        }

        let records: Vec<_> = (0..20)
            .map(|n| serde_json::json!({"ip": format!("198.51.100.{}/32", 100 + n), "ref": random.poison(&[])}))
            .collect();
        place.write("list.json", &serde_json::to_string(&records).unwrap());
        let line = |random: &mut Random| random.poison(&['\n', '\r', '\0']);
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let csv: String = (1..20)
            .map(|n| format!("192.0.2.{n},{}\n", quoted(&line(&mut random))))
            .collect();
        place.write("list.csv", &format!("ip,ref\n{csv}"));
        let cidr: String = (0..9)
            .map(|n| {
                format!(
                    "203.0.113.{n} # {}\n# {}\n",
                    line(&mut random),
                    line(&mut random)
                )
            })
            .collect();
        place.write("list.cidr", &cidr);
        place.write(
            "foreign.txt",
            &format!("<html>{}</html>\n", random.poison(&[])),
        );
        let allow = format!("10.9.9.0/24 # {}\n", line(&mut random));
        let allow_name = format!("allow {}", random.poison(&['/', '\0']));
        fs::write(place.path(&allow_name), allow).unwrap();
        let said = place.path("said");
        fs::write(&said, random.poison(&[])).unwrap();
        let script = place.path("say");
        fs::write(
            &script,
            format!(
                "#!/bin/sh\ncat {0}\ncat {0} >&2\nexit ${{1-0}}\n",
                said.display()
            ),
        )
        .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();

        let feed = |name: &str, more: &str| format!("[[feed]]\nname = \"{name}\"\n{more}\n");
        let mut config = AROUND.to_owned();
        config += &feed(
            "json",
            "path = \"list.json\"\nformat = \"json\"\nfield = \"[].ip\"\nreference = \"ref\"",
        );
        config += &feed(
            "csv",
            "path = \"list.csv\"\nformat = \"csv\"\nfield = \"ip\"\nreference = \"ref\"",
        );
        config += &feed("cidr", "path = \"list.cidr\"");
        config += &feed("foreign", "path = \"foreign.txt\"");
        config += &feed(
            "absent",
            &format!("path = {}", toml(&random.poison(&['/', '\0']))),
        );
        config += &format!(
            "[protect]\nfiles = [{}]\ndiscover = [\"addresses\", \"connected\", \"gateways\"]\n",
            toml(&allow_name)
        );
        let script = script.display();
        for (at, family) in FAMILIES.iter().enumerate() {
            let file = match at % 3 {
                0 => random.poison(&['/', '\0']),
                _ => format!("{family}.conf"),
            };
            let check = match at % 4 {
                0 => format!("check = [\"{script}\", \"{}\"]\n", at % 8 / 4),
                1 => format!("reload = [\"{script}\", \"1\"]\n"),
                2 => format!("check = [{}]\n", toml(&random.poison(&['\0']))),
                _ => String::new(),
            };
            let named = match *family {
                "gobgp" => "neighbors = [\"192.0.2.2\"]\n",
                _ => "",
            };
            config += &format!(
                "[[router]]\nname = \"{family}\"\nfamily = \"{family}\"\npath = {}\n{check}{named}",
                toml(&file)
            );
        }
        place.configure(&config);
        Self {
            namespace,
            place,
            random,
            seed,
            runs: 0,
            spoke: 0,
        }
    }

    fn round(mut self) -> (usize, usize) {
        // The poison is in what it refers to, not in its form.
        let check = self.place.run_in(self.namespace, &["check"]);
        assert_eq!(check.code, Some(0), "seed {}: {}", self.seed, check.err);
        self.verbs();
        self.routers();
        self.documents();
        self.old_ledger();
        self.verbs();
        self.documents();
        self.hands();
        self.arguments();
        self.broken();
        (self.runs, self.spoke)
    }

    fn run(&mut self, verb: &[&str]) -> String {
        let command = self.place.command(self.namespace.command(PROGRAM), verb);
        self.ran(&verb.join(" "), command)
    }

    /// Run it, look at each line, and give what it wrote to stdout.
    fn ran(&mut self, what: &str, mut command: Command) -> String {
        command.env("SUDO_USER", self.random.poison(&['\0']));
        let output = command.output().unwrap();
        self.runs += 1;
        let what = format!("seed {}: {}", self.seed, what.escape_debug());
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"))
        };
        let (out, err) = (text(output.stdout), text(output.stderr));
        // A router file has indents, and the records of RFC 4180 end with both.
        let ours = match what.contains(" render ") {
            true => out.replace("\r\n", "\n").replace('\t', " "),
            false => out.clone(),
        };
        clean(&what, &ours);
        clean(&what, &err);
        self.spoke += usize::from(out.contains(FORGED) || err.contains(FORGED));
        let code = output.status.code();
        assert!(matches!(code, Some(0..=3 | 64)), "{what}: {code:?} {err}");
        out
    }

    fn verbs(&mut self) {
        for verb in [
            &["refresh", "--ignore-floor"][..],
            &["status"],
            &["status", "--check"],
            &["feeds"],
            &["why", "198.51.100.101"],
            &["why", "192.0.2.3"],
            &["why", "203.0.113.0/29"],
            &["history"],
            &["history", "--all"],
            &["history", "198.51.100.100"],
            &["history", "--diff", "0", "1"],
            &["history", "--generation", "1"],
            &["list"],
            &["plan"],
            &["check"],
            &["check", "--strict"],
            &["check", "--print"],
            &["verify"],
        ] {
            let out = self.run(verb);
            if verb == ["status", "--check"] {
                assert_eq!(out.lines().count(), 1, "{out}");
                assert!(out.starts_with("NULLROUTED "), "{out}");
                assert_eq!(out.matches('|').count(), 1, "{out}");
            }
        }
    }

    /// Neither what is printed nor what is written has a line of others, or anything hidden.
    fn routers(&mut self) {
        for family in FAMILIES {
            self.run(&["render", family]);
            self.run(&["render", family, "--diff"]);
        }
        let files = fs::read_dir(self.place.path("")).unwrap();
        for file in files.map(|file| file.unwrap()) {
            let name = file.file_name();
            let is_input = ["list.", "foreign", "allow", "said", "say", "nullrouted"];
            let name = name.to_string_lossy();
            if file.file_type().unwrap().is_file()
                && !is_input.iter().any(|input| name.starts_with(input))
            {
                let text = fs::read_to_string(file.path()).unwrap();
                clean(&name, &text.replace("\r\n", "\n").replace('\t', " "));
            }
        }
    }

    fn json(&mut self, verb: &[&str]) -> serde_json::Value {
        let out = self.run(verb);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{verb:?}: {error}: {out}"))
    }

    /// JSON and CSV parse, and say the same.
    fn documents(&mut self) {
        for verb in [
            &["status", "--json"][..],
            &["feeds", "--json"],
            &["history", "--json"],
            &["history", "--generation", "1", "--json"],
            &["history", "--diff", "0", "1", "--json"],
            &["plan", "--json"],
            &["check", "--json"],
            &["verify", "--json"],
            &["refresh", "--offline", "--json"],
        ] {
            self.json(verb);
        }
        let why = self.json(&["why", "198.51.100.119", "--json"]);
        let listed = fs::read_to_string(self.place.path("list.json")).unwrap();
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let as_written = listed[19]["ref"].as_str().unwrap();
        assert_eq!(
            why["listings"][0]["reference"].as_str().map(str::trim),
            Some(as_written.trim())
        );

        let list = self.json(&["list", "--json"]);
        let list = list.as_array().unwrap();
        let csv = self.run(&["list", "--format", "csv"]);
        let mut csv = csv::Reader::from_reader(csv.as_bytes());
        let records: Vec<_> = csv.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), list.len());
        for (record, route) in records.iter().zip(list) {
            assert_eq!(record.len(), 4, "{record:?}");
            assert_eq!(&record[0], route["prefix"].as_str().unwrap());
            assert_eq!(&record[3], shown::line(route["because"].as_str().unwrap()));
        }
    }

    /// As a build wrote them that let everything through.
    fn old_ledger(&mut self) {
        let place = &self.place;
        place.run_in(self.namespace, &["add", "192.0.2.200", "--reason", "x"]);
        let ledger = place.ledger();
        let now = "CAST(strftime('%s', 'now') AS INTEGER)";
        for row in [
            format!("INSERT INTO hold VALUES (1, 'abc', {now}, 'reason', 1, 1)"),
            format!(
                "INSERT INTO review (id, verdict, at, by) VALUES ('abc', 'rejected', {now}, 'x')"
            ),
            format!("INSERT OR REPLACE INTO observed VALUES ('watch', {now}, 1, 1, 'x')"),
        ] {
            ledger.execute(&row, []).unwrap();
        }
        for (table, columns) in [
            ("generation", &["cause", "by", "review"][..]),
            ("change", &["cause"]),
            ("route", &["cause"]),
            ("operator", &["reason", "by"]),
            ("event", &["what", "text", "by", "subject"]),
            ("observed", &["text"]),
            ("target", &["report"]),
            ("hold", &["reasons"]),
            ("review", &["by", "outcome"]),
            ("discovered", &["why"]),
            ("feed", &["note", "state", "standing"]),
            ("listing", &["reference"]),
        ] {
            for column in columns {
                let poison = self.random.poison(&['\0']);
                let sql = format!("UPDATE {table} SET {column} = {column} || ?1");
                ledger.execute(&sql, [poison]).unwrap();
            }
        }
        ledger.execute("UPDATE target SET failed = 1", []).unwrap();
    }

    fn hands(&mut self) {
        let evil = self.random.poison(&['\0']);
        for verb in [
            &["add", "192.0.2.201", "--reason", "x"][..],
            &["add", "192.0.2.202", "--reason", &evil],
            &["add", "192.0.2.202", "--reason", "a\u{202e}b"],
            &["allow", "192.0.2.1", "--reason", "x", "--for", "1h"],
            &["status"],
            &["remove", "192.0.2.201"],
            &["remove", "192.0.2.200"],
            &["disallow", "192.0.2.1"],
            &["approve", "abc"],
            &["reject", "abc"],
            &["pin", "--reason", &evil],
            &["pin"],
            &["status"],
            &["why", "198.51.100.101"],
            &["approve", "abc"],
            &["unpin"],
            &["flush"],
            &["status"],
            &["unpin", "--json"],
        ] {
            self.run(verb);
        }
    }

    /// What was typed is repeated.
    fn arguments(&mut self) {
        let evil = self.random.poison(&['\0']);
        let evil = evil.as_str();
        for verb in [
            &[evil][..],
            &["status", evil],
            &["--config", evil, "status"],
            &["--config", evil, "check", "--json"],
            &["--config", evil, "status", "--check"],
            &["--config", evil, "flush"],
            &["why", evil],
            &["history", evil],
            &["history", "--generation", evil],
            &["feeds", evil],
            &["list", "--format", evil],
            &["render", evil],
            &["refresh", "--feed", evil],
            &["add", evil, "--reason", "x"],
            &["add", "192.0.2.1", "--reason", "x", "--for", evil],
            &["remove", evil],
            &["allow", evil, "--reason", "x"],
            &["disallow", evil],
            &["approve", evil],
            &["reject", evil],
            &["pin", evil],
            &["plan", evil],
            &["verify", evil],
            &["unpin", evil],
        ] {
            // The last `--config` would be the second of two.
            let mut command = self.namespace.command(PROGRAM);
            command.env("NULLROUTED_RUN_DIR", self.place.path("run"));
            if verb[0] != "--config" {
                command.arg("--config").arg(self.place.config());
            }
            command.args(verb);
            self.ran(&verb.join(" "), command);
        }
    }

    /// A configuration that is shown where it is wrong; its own name is poisoned as well.
    fn broken(&mut self) {
        let name = PathBuf::from(format!("c{}", self.random.poison(&['/', '\0'])));
        let path = self.place.path(name.to_str().unwrap());
        for _ in 0..6 {
            let text = format!(
                "state_dir = \"state\"\n# {}\n[[feed]]\nname = {} # {}\nformat = {}\n{} = 1\n",
                self.random.poison(&[]),
                toml(&self.random.poison(&[])),
                self.random.poison(&['\n']),
                toml(&self.random.poison(&[])),
                self.random.poison(&[]),
            );
            fs::write(&path, text).unwrap();
            for verb in [
                &["check"][..],
                &["check", "--json"],
                &["status"],
                &["status", "--check"],
                &["flush"],
            ] {
                let mut command = self.namespace.command(PROGRAM);
                command.env("NULLROUTED_RUN_DIR", self.place.path("run"));
                command.arg("--config").arg(&path).args(verb);
                let out = self.ran(
                    &format!("{} of a broken configuration", verb.join(" ")),
                    command,
                );
                if verb.contains(&"--json") {
                    let _: serde_json::Value = serde_json::from_str(&out).unwrap();
                }
            }
        }
    }
}
