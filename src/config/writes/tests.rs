//! Words and scripts, with what they write.

use super::*;
use crate::targets::file::Family;

/// `to`, with `+` where it appends and `=` where it is a copy.
fn of(words: &[&str]) -> Vec<String> {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    let shown = |write: Write| {
        let mark = match (write.appends, write.copies) {
            (true, _) => "+",
            (_, true) => "=",
            _ => "",
        };
        format!("{mark}{}", write.to)
    };
    writes(&words).into_iter().map(shown).collect()
}

#[test]
fn what_programs_write_that_copy_files() {
    for (words, written) in [
        (&["cp", "{file}", "/etc/x"][..], &["=/etc/x"][..]),
        (&["cp", "-a", "--", "{file}", "/etc/"], &["=/etc/"]),
        (&["cp", "-t", "/etc", "{file}"], &["=/etc/"]),
        (&["mv", "--target-directory=/etc/", "/a"], &["/etc/"]),
        (&["/usr/bin/install", "-m", "644", "{file}", "/x"], &["=/x"]),
        (&["scp", "{delta}", "edge1:/etc/x"], &["=edge1:/etc/x"]),
        (&["cp", "{delta}", "/etc/x"], &["=/etc/x"]),
        (&["cp", "--target-directory", "/etc", "{file}"], &["=/etc/"]),
        (
            &["mv", "--target=/etc", "{file}", "/a"],
            &["=/etc/", "/etc/"],
        ),
        (&["install", "-t/etc", "{file}"], &["=/etc/"]),
        (&["install", "-Dt", "/etc", "-m644", "{file}"], &["=/etc/"]),
        (
            &["install", "-oroot", "-g", "bird", "{file}", "/x"],
            &["=/x"],
        ),
        (&["install", "-d", "/a", "/b"], &[]),
        (&["rsync", "-t", "{file}", "/x"], &["=/x"]),
        (&["scp", "-P", "22", "-p", "{file}", "/x"], &["=/x"]),
        (&["cp", "-t"], &[]),
        (&["dd", "if={delta}", "of=/x"], &["=/x"]),
        (&["sudo", "-n", "cp", "{file}", "/etc/x"], &["=/etc/x"]),
        (&["timeout", "10", "sh", "-c", "echo > /x"], &["/x"]),
        (&["tee", "-a", "/x", "/y"], &["+/x", "+/y"]),
        (&["dd", "if={file}", "of=/x"], &["=/x"]),
        // What is named only, is read.
        (&["diff", "{file}", "/etc/x"], &[]),
        (&["vtysh", "-f", "{file}"], &[]),
        (&["cp", "--help"], &[]),
        (&[], &[]),
    ] {
        assert_eq!(of(words), written, "{words:?}");
    }
}

#[test]
fn what_a_shell_redirects_and_runs() {
    for (script, written) in [
        ("cat {file} > /etc/x", &["=/etc/x"][..]),
        ("cat {file} /y >/etc/x", &["/etc/x"]),
        ("echo done >> {file}.log", &["+{file}.log"]),
        (
            "a 2>/e && b >|/f; c &>/g | tee '/h i'",
            &["/e", "/f", "/g", "/h i"],
        ),
        ("a >/x 2>&1 <&3 >&2", &["/x"]),
        ("a < /in > \"/out\\\" 2\"", &["/out\" 2"]),
        (
            "if X=1 Y=2 cp {file} /x\nthen (mv /a /b) fi",
            &["=/x", "/b"],
        ),
        ("(cd /; cp /a /b)", &["/b"]),
        ("sh -c 'cp /a /b'", &["/b"]),
        // What the router file goes through as it is.
        ("cat {file} | tee /x", &["=/x"]),
        (
            "cat {delta} | sudo tee -- /x > /dev/null",
            &["=/x", "=/dev/null"],
        ),
        ("cat {file} |\ntee /x | (cat > /y)", &["=/x", "=/y"]),
        ("cat < {file} > /x", &["=/x"]),
        ("cat - 0<{file} >/x 2>/e", &["=/x", "/e"]),
        ("tee /x < {file}", &["=/x"]),
        ("cat {file} | dd of=/x", &["=/x"]),
        ("dd if={file} | sh -c 'cat > /x'", &["=/x"]),
        ("sh -c 'cat {file}' | tee /x", &["=/x"]),
        ("sed s/a/b/ {file} | tee /x", &["/x"]),
        ("cat {file} > /x | tee /y", &["=/x", "/y"]),
        ("cat {file}; date > /x", &["/x"]),
        ("cat {file} | date > /x; tee /y", &["/x", "/y"]),
        ("cat /head {file} > /x; cat 3< {file} > /y", &["/x", "/y"]),
        // Folders.
        ("cd /etc && cp {file} x", &["=/etc/x"]),
        (
            "cd /etc/bird; cp {file} ./; cd ..; cat {file} > y",
            &["=/etc/bird/./", "=/etc/bird/../y"],
        ),
        (
            "(cd /a; cp {file} b); cp {file} c; cd /d; (cp {file} e)",
            &["=/a/b", "=c", "=/d/e"],
        ),
        (
            "cd /a; cd \"$b\"; cp {file} c; cd /d; cd -P /e; cp {file} f",
            &["=c", "=f"],
        ),
        (
            "cd /a && scp {file} b:c && mv {file}.new {file}",
            &["=b:c", "{file}"],
        ),
        // What only the shell knows, and what is no command.
        ("cp {file} $HOME/x > \"$log\" 3> `a`", &[]),
        ("a # cp /a /b\n", &[]),
        ("cat > /x <<END\ncp /a /b\nEND", &["/x"]),
        ("echo 'cp /a /b > /c'", &[]),
        ("", &[]),
    ] {
        assert_eq!(of(&["sh", "-ec", script]), written, "{script:?}");
    }
    assert!(of(&["bash", "script"]).is_empty());
}

#[test]
fn words_behind_a_script_are_filled_in() {
    for (script, written) in [
        ("cp \"$1\" /x", &["=/x"][..]),
        ("cp $1 \"${2}/x\"", &["=/etc/x"]),
        ("cp '$1' /x", &["/x"]),
        ("cat <\"$1\" >$2", &["=/etc"]),
        ("cd $2; cp \"$1\" x", &["=/etc/x"]),
        ("sh -c 'cp \"$1\" /x' sh \"$1\"", &["=/x"]),
        ("sh -c \"$3\" sh \"$1\"", &["=/y"]),
        // Not known: another word, and what they are after this.
        (
            "cp \"$1\" \"$4\"; cp \"$1\" \"$HOME\"; cp \"$@\" /x",
            &["/x"],
        ),
        ("shift; cp \"$1\" /x", &["/x"]),
        ("set -- /a; cp \"$1\" /x", &["/x"]),
        ("set -e; cp {file} /x", &["=/x"]),
    ] {
        let words = ["sh", "-c", script, "sh", "{file}", "/etc", "cp \"$1\" /y"];
        assert_eq!(of(&words), written, "{script:?}");
    }
    // One that names itself.
    let itself = "sh -c \"$0\" \"$0\"; echo > /x";
    assert_eq!(of(&["sh", "-c", itself, itself]), ["/x"; DEEPEST]);
}

/// What loads a file by default has places of its own.
#[test]
fn no_default_command_copies_a_file_to_where_another_may_be() {
    for (name, family) in Family::NAMES {
        for role in family.roles() {
            let commands = family.commands(*role);
            for words in [commands.check, commands.reload, commands.verify] {
                let words: Vec<_> = words.iter().map(ToString::to_string).collect();
                let mut copies = writes(&words);
                copies.retain(|write| write.copies);
                assert_eq!(copies, [], "{name} as {role}");
            }
        }
    }
}

#[test]
fn where_it_is_written() {
    let path = |to: &str| {
        let write = Write {
            to: to.to_owned(),
            of: Some("{file}".to_owned()),
            appends: false,
            copies: true,
        };
        let path = write.path(Path::new("/r/edge1.conf"), Path::new("/r/delta"));
        path.map(|path| path.display().to_string())
    };
    for (to, wanted) in [
        ("/etc/x", Some("/etc/x")),
        ("/etc/", Some("/etc/edge1.conf")),
        ("{file}.copy", Some("/r/edge1.conf.copy")),
        ("{delta}.copy", Some("/r/delta.copy")),
        ("edge1:/etc/x", None),
        ("x", None),
        ("/dev/null", None),
        ("/proc/self/fd/2", None),
    ] {
        assert_eq!(path(to).as_deref(), wanted, "{to}");
    }
}

proptest::proptest! {
    #[test]
    fn no_script_is_too_strange(script in "\\PC*|[ ;|&()<>'\"$\\\\#\n2a/{}=01$]*|(cd|cp|cat|sh -c|tee|-t|[ ;|()\"$01])*") {
        of(&["sh", "-c", &script, &script, "{file}"]);
    }
}
