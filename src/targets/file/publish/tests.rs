//! Files and commands of a test, in a folder of its own.

use super::*;
use crate::targets::file::{Family, FileOptions, Role};

fn router(path: &Path, check: &[&str], reload: &[&str]) -> RouterConfig {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    RouterConfig {
        name: "edge1".to_owned(),
        options: FileOptions::usual(Family::Frr, Role::Trigger),
        selection: crate::policy::selection::Selection::EVERYTHING,
        auto: false,
        path: path.to_owned(),
        check: words(check),
        reload: words(reload),
        verify: Vec::new(),
        adopt: false,
    }
}

/// With nothing shown.
async fn publish(
    router: &RouterConfig,
    text: &str,
    is_loaded: impl Fn(&str) -> bool,
) -> Result<Published, String> {
    super::publish(router, text, is_loaded, &Progress::default()).await
}

/// A file of ours.
const OLD: &str = "! Written by nullrouted; changes made here are lost.\nold\n";

async fn became(router: &RouterConfig, text: &str, loaded: bool) -> Result<Became, String> {
    let published = publish(router, text, |_| loaded).await;
    published.map(|published| published.became)
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn equal_content_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    let router = router(&path, &[], &[]);
    assert_eq!(became(&router, "one\n", true).await, Ok(Became::Replaced));
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(became(&router, "one\n", true).await, Ok(Became::Unchanged));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert_eq!(became(&router, "two\n", true).await, Ok(Became::Replaced));
    assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    assert_eq!(files(dir.path()), ["frr.conf"]);
}

#[tokio::test]
async fn a_file_that_was_put_in_place_and_not_loaded_is_loaded_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    let loaded = dir.path().join("loaded");
    let reload = format!("cp {{file}} {}", loaded.display());
    let router = router(&path, &[], &["sh", "-c", &reload]);
    fs::write(&path, "new\n").unwrap();
    assert_eq!(became(&router, "new\n", true).await, Ok(Became::Unchanged));
    assert!(!loaded.exists());
    assert_eq!(became(&router, "new\n", false).await, Ok(Became::Loaded));
    assert_eq!(fs::read_to_string(&loaded).unwrap(), "new\n");
}

#[tokio::test]
async fn a_refused_file_never_replaces_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    fs::write(&path, OLD).unwrap();
    let check = [
        "sh",
        "-c",
        "grep -q old {file} || { echo 'line 1: % Unknown command' >&2; exit 2; }",
    ];
    let error = publish(&router(&path, &check, &[]), "new\n", |_| false)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        "check refused the new file: sh ended with exit status: 2 (line 1: % Unknown command); the old file stays"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    assert_eq!(files(dir.path()), ["frr.conf"]);
}

#[tokio::test]
async fn after_a_failed_reload_the_old_file_is_back_and_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    fs::write(&path, OLD).unwrap();
    let loaded = dir.path().join("loaded");
    let reload = format!("grep -q old {{file}} && cp {{file}} {}", loaded.display());
    let error = publish(&router(&path, &[], &["sh", "-c", &reload]), "new\n", |_| {
        false
    })
    .await
    .unwrap_err();
    assert!(
        error.ends_with("the old file is back and loaded"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    assert_eq!(fs::read_to_string(&loaded).unwrap(), OLD);
}

#[tokio::test]
async fn what_a_link_names_is_replaced_and_not_the_link() {
    let dir = tempfile::tempdir().unwrap();
    let (link, real) = (dir.path().join("link.conf"), dir.path().join("real.conf"));
    fs::write(&real, OLD).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let router = router(&link, &[], &[]);
    assert_eq!(became(&router, "new\n", true).await, Ok(Became::Replaced));
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "new\n");
    assert_eq!(became(&router, "new\n", true).await, Ok(Became::Unchanged));
}

/// The former lines of commands take nothing away that only the new ones brought.
#[tokio::test]
async fn it_is_said_what_a_router_of_commands_may_keep() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gobgp.sh");
    fs::write(&path, OLD).unwrap();
    let reload = ["sh", "-c", "grep -q old {file}"];
    let mut router = router(&path, &[], &reload);
    router.options = FileOptions::usual(Family::GoBgp, Role::Trigger);
    let error = publish(&router, "new\n", |_| false).await.unwrap_err();
    let told = "the old file is back and loaded; what the router took of the new one may stay until the next load";
    assert!(error.ends_with(told), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_one_clear_line() {
    let error = publish(
        &router(Path::new("/nonexistent/frr.conf"), &[], &[]),
        "x",
        |_| false,
    )
    .await
    .unwrap_err();
    assert_eq!(
        error,
        "/nonexistent/.frr.conf.nullrouted.new: No such file or directory (os error 2); there is no file"
    );
}

#[tokio::test]
async fn a_router_that_lost_what_was_loaded_gets_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let (path, held) = (dir.path().join("frr.conf"), dir.path().join("held"));
    let reload = format!("cp {{file}} {}", held.display());
    let mut router = router(&path, &[], &["sh", "-c", &reload]);
    let verify = format!("cmp -s {{file}} {}", held.display());
    router.verify = ["sh", "-c", &verify].map(str::to_owned).to_vec();
    assert_eq!(became(&router, "one\n", false).await, Ok(Became::Replaced));
    assert_eq!(became(&router, "one\n", true).await, Ok(Became::Unchanged));
    fs::remove_file(&held).unwrap();
    assert_eq!(became(&router, "one\n", true).await, Ok(Became::Loaded));
    assert_eq!(fs::read_to_string(&held).unwrap(), "one\n");
}

#[tokio::test]
async fn a_first_file_that_nothing_has_taken_is_removed_and_one_that_waits_to_be_included_stays() {
    let dir = tempfile::tempdir().unwrap();
    let router = router(&dir.path().join("frr.conf"), &[], &["false"]);
    let error = publish(&router, "new\n", |_| false).await.unwrap_err();
    assert_eq!(
        error,
        "reload failed: false ended with exit status: 1 (); there was no file before, so the new one is removed; \
         what the router took of it stays there"
    );
    assert_eq!(files(dir.path()), [""; 0]);
    let checked = self::router(&dir.path().join("frr.conf"), &["true"], &["false"]);
    let error = publish(&checked, "new\n", |_| false).await.unwrap_err();
    assert!(
        error.ends_with("; the file stays, as there was none before"),
        "{error}"
    );
    assert_eq!(files(dir.path()), ["frr.conf"]);
    fs::remove_file(dir.path().join("frr.conf")).unwrap();
    let mut verified = self::router(&dir.path().join("bird.conf"), &[], &["true"]);
    verified.verify = vec!["false".to_owned()];
    let verified = publish(&verified, "new\n", |_| false).await.unwrap_err();
    assert_eq!(
        verified,
        "verify failed: false ended with exit status: 1 (); the file stays, as there was none before"
    );
    assert_eq!(files(dir.path()), ["bird.conf"]);
    fs::remove_file(dir.path().join("bird.conf")).unwrap();
    let checked = self::router(&dir.path().join("frr.conf"), &["false"], &[]);
    let error = publish(&checked, "new\n", |_| false).await.unwrap_err();
    assert!(error.ends_with("; there is no file"), "{error}");
}

#[tokio::test]
async fn a_router_can_read_its_file_and_nobody_has_it_written_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    let router = router(&path, &[], &[]);
    // A link at the place of the new file.
    let elsewhere = dir.path().join("elsewhere");
    fs::write(&elsewhere, "theirs\n").unwrap();
    std::os::unix::fs::symlink(&elsewhere, beside(&path)).unwrap();
    publish(&router, OLD, |_| false).await.unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs\n");
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(mode(&path), 0o644);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let root = nix::unistd::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(&path, Some(1), Some(2)).unwrap();
    }
    publish(&router, "two\n", |_| false).await.unwrap();
    let new = fs::metadata(&path).unwrap();
    assert_eq!(mode(&path), 0o640);
    assert!(!root || (new.uid(), new.gid()) == (1, 2));
}

#[tokio::test]
async fn what_the_commands_say_is_told_and_a_file_that_is_not_in_force_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    let mut router = router(&path, &[], &["sh", "-c", "echo loaded {file}"]);
    router.verify = ["sh", "-c", "grep -v new {file}"]
        .map(str::to_owned)
        .to_vec();
    let published = publish(&router, OLD, |_| false).await.unwrap();
    assert_eq!(published.became, Became::Replaced);
    assert_eq!(
        published.said,
        format!(
            "loaded {}; {}",
            path.display(),
            OLD.trim_end().replace('\n', "; ")
        )
    );
    let error = publish(&router, "new\n", |_| false).await.unwrap_err();
    assert_eq!(
        error,
        "verify failed: sh ended with exit status: 1 (); the old file is back and loaded"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
}

const FIRST: &str = "! Written by nullrouted; changes made here are lost.\nip prefix-list L seq 1 permit 192.0.2.0/24\nip prefix-list L seq 2 permit 198.51.100.0/24\n\
                     ip prefix-list L seq 3 permit 203.0.113.0/24\nip prefix-list L seq 4 permit 72.37.186.0/23\n";

/// Without its head.
fn bare(text: &str) -> &str {
    text.split_once('\n').unwrap().1.trim_end()
}

/// One that notes what it is told to load, and holds what the file says where `takes` lets it.
fn noting(dir: &Path, takes: &str) -> RouterConfig {
    let log = dir.join("log").display().to_string();
    let reload = format!("cat {{delta}} >> {log}; {takes}");
    let mut router = router(&dir.join("frr.conf"), &[], &["sh", "-c", &reload]);
    router.verify = ["true"].map(str::to_owned).to_vec();
    router
}

#[tokio::test]
async fn what_leads_to_the_new_file_is_loaded_where_the_old_one_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let mut router = noting(dir.path(), "true");
    let log = dir.path().join("log");
    let told = || {
        let told = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(&log);
        told.lines()
            .filter(|line| !line.starts_with('!'))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let second = FIRST.replace("seq 1 permit 192.0.2.0/24", "seq 1 permit 192.0.2.0/25");
    publish(&router, FIRST, |_| false).await.unwrap();
    assert!(told() == bare(FIRST));
    let published = publish(&router, &second, |text| text == FIRST)
        .await
        .unwrap();
    assert_eq!(published.became, Became::Changed);
    let both =
        "no ip prefix-list L seq 1 permit 192.0.2.0/24\nip prefix-list L seq 1 permit 192.0.2.0/25";
    assert_eq!(told(), both);
    // Not known to be held, or never looked at: the whole.
    publish(&router, FIRST, |_| false).await.unwrap();
    assert!(told() == bare(FIRST));
    router.verify.clear();
    publish(&router, &second, |text| text == FIRST)
        .await
        .unwrap();
    assert!(told() == bare(&second));
    assert_eq!(files(dir.path()), ["frr.conf"]);
}

#[tokio::test]
async fn where_it_is_not_taken_the_whole_file_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let router = noting(dir.path(), "! grep -q ^no {delta}");
    let second = FIRST.replace("192.0.2.0/24", "192.0.2.0/25");
    publish(&router, FIRST, |_| false).await.unwrap();
    let published = publish(&router, &second, |text| text == FIRST)
        .await
        .unwrap();
    assert_eq!(
        published.said,
        "the difference was not taken, so all was loaded (reload failed: sh ended with exit status: 1 ())"
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("frr.conf")).unwrap(),
        second
    );
}

#[tokio::test]
async fn a_file_of_somebody_else_is_replaced_only_where_it_is_adopted_and_a_copy_of_it_stays() {
    const THEIRS: &str = "router bgp 64512\n neighbor 192.0.2.1 remote-as 64513\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    fs::write(&path, THEIRS).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let mut router = router(&path, &[], &[]);
    let told = format!(
        "{}: this file was not written by nullrouted, so it stays as it is; name another path, or set \
         adopt = true on this router to replace it (a copy of it stays beside it)",
        path.display()
    );
    // Whatever was loaded last from another place, and as often as it is tried.
    for _ in 0..2 {
        let refused = publish(&router, OLD, |text| text == "other\n").await;
        assert_eq!(refused.unwrap_err(), told);
        assert_eq!(refused_to(&router), Some(told.clone()));
        assert_eq!(fs::read_to_string(&path).unwrap(), THEIRS);
        assert_eq!(files(dir.path()), ["frr.conf"]);
    }
    router.adopt = true;
    assert_eq!(refused_to(&router), None);
    let published = publish(&router, OLD, |_| false).await.unwrap();
    let kept = dir.path().join("frr.conf.before-nullrouted");
    assert_eq!(published.adopted, std::slice::from_ref(&kept));
    assert_eq!(fs::read_to_string(&kept).unwrap(), THEIRS);
    let mode = fs::metadata(&kept).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    // Ours now: nothing is adopted. And a second one of somebody else never replaces the first
    // copy.
    let published = publish(&router, FIRST, |_| false).await.unwrap();
    assert!(published.adopted.is_empty());
    fs::write(&path, "theirs, again\n").unwrap();
    let published = publish(&router, FIRST, |_| false).await.unwrap();
    let second = dir.path().join("frr.conf.before-nullrouted.2");
    assert_eq!(published.adopted, std::slice::from_ref(&second));
    assert_eq!(fs::read_to_string(&kept).unwrap(), THEIRS);
    assert_eq!(fs::read_to_string(&second).unwrap(), "theirs, again\n");
}

fn refused_to(router: &RouterConfig) -> Option<String> {
    refused(router, |_| false)
}

#[tokio::test]
async fn an_empty_file_and_one_that_was_loaded_last_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frr.conf");
    let router = router(&path, &[], &[]);
    for theirs in ["", "\n \n"] {
        fs::write(&path, theirs).unwrap();
        assert_eq!(became(&router, OLD, false).await, Ok(Became::Replaced));
    }
    fs::write(&path, "no head\n").unwrap();
    let published = publish(&router, OLD, |text| text == "no head\n").await;
    assert_eq!(published.unwrap().became, Became::Replaced);
}

#[tokio::test]
async fn what_is_no_regular_file_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("frr.conf");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = publish(&router(&fifo, &[], &[]), OLD, |_| false).await;
    let why = format!("{}: this is a FIFO, not a regular file", fifo.display());
    assert_eq!(error.unwrap_err(), why);
}

#[tokio::test]
async fn a_file_that_is_in_force_stays_where_a_neighbor_was_sent_what_it_may_not_have() {
    let dir = tempfile::tempdir().unwrap();
    let mut router = noting(dir.path(), "true");
    let log = dir.path().join("log");
    router.verify = ["sh", "-c", "echo 192.0.2.9 was sent one; exit 3"]
        .map(str::to_owned)
        .to_vec();
    let alarm = Some("LEAK: 192.0.2.9 was sent one".to_owned());
    let second = FIRST.replace("seq 1 permit 192.0.2.0/24", "seq 1 permit 192.0.2.0/25");
    // The whole, the difference to it, and nothing.
    for (text, became) in [
        (FIRST, Became::Replaced),
        (&*second, Became::Changed),
        (&*second, Became::Unchanged),
    ] {
        let published = publish(&router, text, |_| became != Became::Replaced).await;
        let published = published.unwrap();
        assert_eq!((published.became, published.alarm), (became, alarm.clone()));
        assert_eq!(fs::read_to_string(&router.path).unwrap(), text);
    }
    let loaded = fs::read_to_string(&log).unwrap();
    assert_eq!(loaded.matches("seq 1 permit 192.0.2.0/25").count(), 1);
    router.verify[2] = "echo 192.0.2.9; exit 4".to_owned();
    let published = publish(&router, &second, |_| true).await.unwrap();
    let alarm = "NOT DROPPED: 192.0.2.9".to_owned();
    assert_eq!(
        (published.became, published.alarm),
        (Became::Unchanged, Some(alarm))
    );
    router.verify[2] = "echo another one; exit 5".to_owned();
    let published = publish(&router, &second, |_| true).await.unwrap();
    let alarm = "OTHER POLICY: another one".to_owned();
    assert_eq!(
        (published.became, published.alarm),
        (Became::Unchanged, Some(alarm))
    );
    // By any other code it is not in force.
    router.verify[2] = "exit 6".to_owned();
    let failed = publish(&router, FIRST, |_| true).await.unwrap_err();
    assert!(failed.ends_with("; the old file is back, but loading it failed as well: verify failed: sh ended with exit status: 6 ()"), "{failed}");
}

/// It is another program that loads the file: without it the router never holds what is listed.
#[tokio::test]
async fn without_a_reload_verify_is_asked_each_time_and_the_file_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (path, held) = (dir.path().join("bird.conf"), dir.path().join("held"));
    let mut router = router(&path, &[], &[]);
    let verify = format!("cmp -s {{file}} {}", held.display());
    router.verify = ["sh", "-c", &verify].map(str::to_owned).to_vec();
    let failed = Err(
        "verify failed: sh ended with exit status: 2 (); the file is in place, and no reload is set that loads it"
            .to_owned(),
    );
    // Not loaded yet, and as often as it is tried.
    for _ in 0..3 {
        assert_eq!(became(&router, OLD, false).await, failed);
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
    }
    fs::copy(&path, &held).unwrap();
    assert_eq!(became(&router, OLD, false).await, Ok(Became::Unchanged));
    assert_eq!(became(&router, OLD, true).await, Ok(Became::Unchanged));
    // The next file waits in place until it is loaded.
    let failed = failed.map_err(|why| why.replace("status: 2", "status: 1"));
    for _ in 0..2 {
        assert_eq!(became(&router, FIRST, false).await, failed);
        assert_eq!(fs::read_to_string(&path).unwrap(), FIRST);
    }
    fs::copy(&path, &held).unwrap();
    assert_eq!(became(&router, FIRST, false).await, Ok(Became::Unchanged));
    // What was loaded once is gone, as after a start of the router.
    fs::remove_file(&held).unwrap();
    let lost = became(&router, FIRST, true).await;
    assert!(lost.unwrap_err().starts_with("verify failed: "));
}

/// `cp` puts a file into a folder under its own name; and what a script gets by its words is a copy
/// as well.
#[tokio::test]
async fn a_copy_is_looked_for_where_it_really_goes() {
    const THEIRS: &str = "router bgp 64512\n";
    let dir = tempfile::tempdir().unwrap();
    let (own, to) = (dir.path().join("own"), dir.path().join("to"));
    fs::create_dir(&own).unwrap();
    fs::create_dir(&to).unwrap();
    let (path, theirs) = (own.join("frr.conf"), to.join("frr.conf"));
    let folder = to.display().to_string();
    let place = theirs.display().to_string();
    let into = format!("cp \"$1\" {place}");
    let cd = format!("cd {folder} && cp {{file}} frr.conf");
    let tee = format!("cat {{file}} | tee {place}");
    let less = format!("cat < {{file}} > {place}");
    let all = [
        &["cp", "{file}", &folder][..],
        &["cp", "{delta}", &folder],
        &["cp", "--target-directory", &folder, "{file}"],
        &["cp", "{delta}", &place],
        &["sh", "-c", &into, "sh", "{file}"],
        &["sh", "-c", &cd],
        &["sh", "-c", &tee],
        &["sh", "-c", &less],
    ];
    for words in all {
        fs::write(&theirs, THEIRS).unwrap();
        let mut router = router(&path, &[], words);
        let error = publish(&router, OLD, |_| false).await.unwrap_err();
        assert!(
            error.starts_with(&format!("{place}: this file was not written by nullrouted")),
            "{words:?}: {error}"
        );
        assert_eq!(refused_to(&router), Some(error), "{words:?}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), THEIRS);
        router.adopt = true;
        let published = publish(&router, OLD, |_| false).await.unwrap();
        let kept = to.join("frr.conf.before-nullrouted");
        assert_eq!(published.adopted, std::slice::from_ref(&kept), "{words:?}");
        assert_eq!(fs::read_to_string(&kept).unwrap(), THEIRS);
        assert_eq!(fs::read_to_string(&theirs).unwrap(), OLD);
        // Ours from now on, and a folder where nothing stands yet.
        router.adopt = false;
        publish(&router, FIRST, |_| false).await.unwrap();
        fs::remove_file(&theirs).unwrap();
        publish(&router, OLD, |_| false).await.unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), OLD, "{words:?}");
        fs::remove_file(&path).unwrap();
    }
}
