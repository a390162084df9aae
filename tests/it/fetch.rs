//! How a feed is asked for: ways out, bounds, secrets. Real sockets on loopback.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::http::{Answer, Server};
use crate::support::{NO_KERNEL, PROGRAM, Place, Ran, installed, left_out, tls};
use flate2::Compression;
use flate2::write::GzEncoder;

const LIST: &str = "72.37.186.0/23 # spammer\n192.0.2.0/24\n198.51.100.0/24\n";

fn list() -> Answer {
    Answer::Body(LIST.to_owned())
}

fn feed(name: &str, url: &str, more: &str) -> String {
    format!("[[feed]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}")
}

fn place(feeds: &str, fetch: &str) -> Place {
    Place::new(&format!(
        "{feeds}{NO_KERNEL}[fetch]\ntimeout = \"8s\"\n{fetch}"
    ))
}

/// One pass whose only ways out are those that the configuration names.
fn refresh(place: &Place) -> Ran {
    let mut command = place.command(Command::new(PROGRAM), &["refresh"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    Ran::of(command.env("NO_PROXY", "127.0.0.1").output().unwrap())
}

/// What a pass says when the only feed is answered like this.
fn told(answer: Answer, fetch: &str) -> String {
    let server = Server::new(answer);
    let place = place(&feed("partner", &server.url(), ""), fetch);
    let err = refresh(&place).err;
    let line = err.lines().find(|line| line.contains("feed=partner"));
    let line = line.unwrap_or_else(|| panic!("{err}"));
    let line = line.strip_prefix("feed=partner  ").unwrap();
    let end = line.find("; there is no earlier copy");
    line[..end.unwrap_or(line.len())].to_owned()
}

#[test]
fn a_redirect_within_the_configured_place_is_followed_with_its_secret() {
    let next = Answer::Redirect("/mirror/list.txt".to_owned());
    let server = Server::new(Answer::At("/list.txt", Box::new(next), Box::new(list())));
    let place = place(
        &feed("partner", &server.url(), "bearer_file = \"token\"\n"),
        "",
    );
    place.write("token", "hush\n");
    refresh(&place).code(0).says("feed=partner  3 entries");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].starts_with("GET /mirror/list.txt "));
    for request in requests {
        assert!(
            request.contains("authorization: Bearer hush\r\n"),
            "{request}"
        );
    }
}

#[test]
fn a_redirect_that_never_ends_is_left_after_five() {
    let server = Server::new(Answer::Redirect("/list.txt".to_owned()));
    let place = place(&feed("partner", &server.url(), ""), "");
    refresh(&place)
        .code(1)
        .says("failed: redirected more than 5 times");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_redirect_to_a_name_of_a_private_address_is_refused() {
    let other = Server::new(list());
    let to = format!("https://localhost:{}/", other.port);
    let why = told(Answer::Redirect(to), "");
    let start = "failed: redirected to localhost, which is the private address ";
    assert!(why.starts_with(start), "{why}");
    assert!(other.requests().is_empty(), "nothing was asked there");
}

#[test]
fn a_proxy_is_not_sent_to_a_private_address_either() {
    let proxy = Server::new(list());
    let fetch = format!("proxy = \"http://127.0.0.1:{}\"\n", proxy.port);
    let why = told(Answer::Redirect("https://localhost/".to_owned()), &fetch);
    let start = "failed: redirected to localhost, which is the private address ";
    assert!(why.starts_with(start), "{why}");
    assert!(proxy.requests().is_empty(), "the proxy was not asked");
}

#[test]
fn a_redirect_to_another_host_is_followed_without_the_secret() {
    if !installed("openssl") {
        return left_out("openssl is not installed");
    }
    // The other host is public only by its name, which the proxy alone can resolve.
    let place = Place::new("");
    tls::authority(&place.path(""));
    tls::certificate(&place.path(""), "away", "DNS:lists.invalid");
    let back = Answer::Redirect("https://lists.invalid/second".to_owned());
    let away = Server::tls(
        Answer::At("/first", Box::new(back), Box::new(list())),
        tls::server(&place.path(""), "away"),
    );
    let proxy = Server::new(Answer::Tunnel(away.port));
    let home = Server::new(Answer::Redirect("https://lists.invalid/first".to_owned()));
    for (keys, header) in [
        (
            "bearer_file = \"secret\"\n",
            "authorization: Bearer hush\r\n",
        ),
        ("api_key_file = \"secret\"\n", "x-api-key: hush\r\n"),
        (
            "user = \"edge1\"\npassword_file = \"secret\"\n",
            // edge1:hush
            "authorization: Basic ZWRnZTE6aHVzaA==\r\n",
        ),
        (
            "header = { name = \"Auth-Key\", file = \"secret\" }\n",
            "auth-key: hush\r\n",
        ),
    ] {
        let feed = feed("partner", &home.url(), keys);
        let port = proxy.port;
        place.configure(&format!(
            "{feed}{NO_KERNEL}[fetch]\nca_file = \"ca.pem\"\nproxy = \"http://127.0.0.1:{port}\"\n"
        ));
        place.write("secret", "hush\n");
        refresh(&place).code(0).says("feed=partner  3 entries");
        let asked = home.requests().pop().unwrap();
        assert!(asked.contains(header), "{asked}");
    }
    assert!(proxy.requests()[0].starts_with("CONNECT lists.invalid:443 "));
    let followed = away.requests();
    assert_eq!(followed.len(), 8);
    for request in followed.iter().chain(&proxy.requests()) {
        let request = request.to_lowercase();
        for trace in ["authorization", "x-api-key", "auth-key", "hush"] {
            assert!(!request.contains(trace), "{request}");
        }
    }

    // No way leads back: the first host would be asked on behalf of the second.
    let back = Answer::Redirect(home.url());
    away.answer(back);
    let before = home.requests().len();
    refresh(&place).code(0).says(&format!(
        "failed: redirected to {}, which is not https",
        home.url()
    ));
    assert_eq!(home.requests().len(), before + 1);
}

#[test]
fn what_this_machine_serves_is_not_asked_of_a_proxy_and_its_secret_stays_here() {
    let (here, proxy) = (Server::new(list()), Server::new(list()));
    let fetch = format!("proxy = \"http://127.0.0.1:{}\"\n", proxy.port);
    let place = place(
        &feed("one", &here.url(), "api_key_file = \"key\"\n"),
        &fetch,
    );
    place.write("key", "sekrit-token\n");
    refresh(&place).says("feed=one  ");
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
    assert!(here.requests()[0].contains("x-api-key: sekrit-token"));
}

#[test]
fn a_feed_goes_through_the_proxy_of_the_configuration() {
    let proxy = Server::new(list());
    let fetch = format!("proxy = \"http://127.0.0.1:{}\"\n", proxy.port);
    let place = place(
        &feed("partner", "http://lists.invalid/list.txt", ""),
        &fetch,
    );
    refresh(&place).code(0).says("feed=partner  3 entries");
    assert!(proxy.requests()[0].starts_with("GET http://lists.invalid/list.txt HTTP/1.1\r\n"));
}

#[test]
fn each_bound_of_a_download_has_its_own_words() {
    assert_eq!(
        told(Answer::Silence, "first_byte_timeout = \"1s\"\n"),
        "failed: no answer after 1 s"
    );
    assert_eq!(
        told(Answer::Drip, "min_speed = 1000\nmin_speed_time = \"1s\"\n"),
        "failed: slower than 1000 bytes a second"
    );
    // Without a least speed a pause is none of our business.
    let paused = Answer::Pause(LIST.to_owned(), Duration::from_millis(1_500));
    let any_speed = "min_speed = 0\nmin_speed_time = \"1s\"\n";
    assert!(told(paused, any_speed).starts_with("3 entries"));
}

#[test]
fn a_host_that_never_finishes_its_greeting_is_no_connection() {
    let silent = Server::new(Answer::Silence);
    let url = format!("https://127.0.0.1:{}/", silent.port);
    let place = place(&feed("partner", &url, ""), "connect_timeout = \"1s\"\n");
    refresh(&place)
        .code(1)
        .says("failed: no connection after 1 s");
}

#[test]
fn the_limit_holds_for_what_is_unpacked_too() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all("#\n".repeat(5_000).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 5_000);
    assert_eq!(
        told(Answer::Bytes(packed), "max_bytes = 5000\n"),
        "foreign: larger than 5000 bytes"
    );
}

#[test]
fn a_server_that_asks_to_wait_is_quoted() {
    for (status, wait, told_as) in [
        ("429 Too Many Requests", "120", "2m"),
        ("503 Service Unavailable", "3600", "1h"),
        ("500 Internal Server Error", "999999999", "1d"),
        (
            "503 Service Unavailable",
            "Sat, 06 Nov 2094 08:49:37 GMT",
            "1d",
        ),
    ] {
        assert_eq!(
            told(Answer::Later(status, wait.to_owned()), ""),
            format!("failed: HTTP {status}; the server asks to wait {told_as}")
        );
    }
    assert_eq!(
        told(Answer::Later("404 Not Found", "120".to_owned()), ""),
        "failed: HTTP 404 Not Found"
    );
}

#[test]
fn a_secret_is_sent_and_never_shown() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::new(list());
    let feeds = feed("a", &server.url(), "bearer_file = \"token\"\n")
        + &feed("b", &server.url(), "api_key_file = \"token\"\n")
        + &feed("c", &server.url(), "api_key_file = \"missing\"\n");
    let place = place(&feeds, "");
    place.write("token", "hush\n");
    let open = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.path("token"), mode).unwrap();
    };
    open(0o644);
    let ran = refresh(&place).code(1);
    let warnings = ran
        .err
        .lines()
        .filter(|line| line.contains("open to every user"));
    assert_eq!(warnings.count(), 1, "{}", ran.err);
    assert!(ran.err.contains("feed=a  3 entries"), "{}", ran.err);
    assert!(ran.err.contains("feed=b  3 entries"), "{}", ran.err);
    let missing = format!(
        "feed=c  failed: api_key_file: {}: No such file or directory (os error 2); not asked",
        place.path("missing").display()
    );
    assert!(ran.err.contains(&missing), "{}", ran.err);
    assert_eq!(server.requests().len(), 2);
    open(0o600);
    let quiet = refresh(&place).code(1);
    assert!(!quiet.err.contains("open to"), "{}", quiet.err);

    // It is read anew at each download.
    place.write("token", "\n");
    let emptied = refresh(&place).code(1);
    let empty = format!("{}: empty; not asked", place.path("token").display());
    assert_eq!(emptied.err.matches(&empty).count(), 2, "{}", emptied.err);

    let printed = place.run(&["check", "--print"]).code(0);
    assert!(printed.out.contains("bearer_file = \""), "{}", printed.out);
    let status = place.run(&["status"]);
    for said in [&ran, &quiet, &emptied, &printed, &status] {
        assert!(!format!("{said:?}").contains("hush"), "{said:?}");
    }
}

/// Every byte that a place has in files but the one with the secret, and what the verbs show.
fn shown(place: &Place) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut folders = vec![place.path("")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            shown.extend(entry.file_name().into_encoded_bytes());
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() && entry.file_name() != "url" => {
                    shown.extend(std::fs::read(entry.path()).unwrap());
                }
                _ => {}
            }
        }
    }
    for verb in [
        &["status"][..],
        &["status", "--json"],
        &["why", "192.0.2.7"],
        &["why", "192.0.2.7", "--json"],
        &["history"],
        &["history", "--json"],
        &["feeds"],
        &["feeds", "--json"],
        &["plan"],
        &["plan", "--json"],
        &["check"],
        &["check", "--json"],
        &["check", "--print"],
        &["list", "--format", "csv"],
    ] {
        let ran = place.run(verb);
        shown.extend(format!("{ran:?}").into_bytes());
    }
    shown
}

#[test]
fn a_secret_url_is_asked_for_and_stands_nowhere_else() {
    let server = Server::new(Answer::Tagged(LIST.to_owned(), "\"one\"".to_owned()));
    let secret = format!("http://127.0.0.1:{}/hush/list?key=hush", server.port);
    let place = Place::new(&format!(
        "[[feed]]\nname = \"partner\"\nurl_file = \"url\"\n{NO_KERNEL}[fetch]\ntimeout = \"8s\"\n"
    ));
    let url_file = format!("url_file {}", place.path("url").display());
    let mut all = format!("{:?}", refresh(&place).code(1)).into_bytes();
    place.write("url", &format!("{secret}\n"));
    let ran = refresh(&place).code(0).says("feed=partner  3 entries");
    all.extend(format!("{ran:?}").into_bytes());
    let asked = server.requests().pop().unwrap();
    assert!(
        asked.starts_with("GET /hush/list?key=hush HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(!asked.to_lowercase().contains("referer"), "{asked}");
    let status = place.run(&["status", "--json"]).json();
    assert_eq!(status["feeds"][0]["origin"], url_file.as_str());

    // Later requests name the copy at hand, until another URL is in the file.
    let file = std::fs::File::options()
        .append(true)
        .open(place.path("url"));
    let before = std::time::SystemTime::now() - Duration::from_secs(60);
    file.unwrap().set_modified(before).unwrap();
    refresh(&place).code(0);
    let asked = server.requests().pop().unwrap();
    assert!(asked.contains("if-none-match: \"one\""), "{asked}");
    place.write("url", &format!("{secret}&more=hush"));
    refresh(&place).code(0);
    let asked = server.requests().pop().unwrap();
    assert!(
        asked.contains("&more=hush") && !asked.contains("if-none-match"),
        "{asked}"
    );

    // Whatever goes wrong, and wherever a server repeats it.
    for answer in [
        Answer::Status("503 Service Unavailable", "hush".to_owned()),
        Answer::Redirect("http://192.0.2.80/hush".to_owned()),
        Answer::Redirect("https://10.1.2.3/hush".to_owned()),
        Answer::Redirect("/hush/again".to_owned()),
        Answer::Short(LIST.to_owned()),
        Answer::Reset(LIST.to_owned()),
    ] {
        server.answer(answer);
        let ran = refresh(&place).code(0);
        all.extend(format!("{ran:?}").into_bytes());
    }
    for (text, why) in [
        (
            "http://192.0.2.80/hush",
            "http to another machine, for all to read; permitted is https",
        ),
        ("hush", "relative URL without a base"),
        ("http://127.0.0.1:1/hush", "no connection: "),
    ] {
        place.write("url", text);
        let ran = refresh(&place).code(0).says(why);
        all.extend(format!("{ran:?}").into_bytes());
    }
    all.extend(shown(&place));
    let text = String::from_utf8_lossy(&all);
    assert!(text.contains(&url_file));
    let at = text.find("hush");
    assert!(
        at.is_none(),
        "{}",
        &text[at.unwrap().saturating_sub(200)..][..400]
    );
}

#[test]
fn a_secret_may_be_a_credential_of_the_service() {
    let server = Server::new(list());
    let feeds = feed(
        "key",
        &server.url(),
        "header = { name = \"Auth-Key\", file = \"credential:key\" }\n",
    ) + "[[feed]]\nname = \"url\"\nurl_file = \"credential:url\"\n";
    let place = place(&feeds, "");
    std::fs::create_dir(place.path("credentials")).unwrap();
    place.write("credentials/key", "hush\n");
    place.write("credentials/url", &server.url());
    let run = |verb: &[&str], is_service: bool| {
        let mut command = place.command(Command::new(PROGRAM), verb);
        command.env_remove("CREDENTIALS_DIRECTORY");
        if is_service {
            command.env("CREDENTIALS_DIRECTORY", place.path("credentials"));
        }
        Ran::of(command.output().unwrap())
    };
    // By hand.
    let ran = run(&["refresh"], false).code(1);
    let unset = "$CREDENTIALS_DIRECTORY is not set: systemd sets it for the service alone";
    ran.says(&format!(
        "feed=key  failed: header: credential:key: {unset}; not asked; there is no earlier copy"
    ))
    .says(&format!(
        "feed=url  failed: url_file: credential:url: {unset}; not asked; there is no earlier copy"
    ));
    assert!(server.requests().is_empty());
    let checked = run(&["check"], false).code(0);
    for name in ["key", "url"] {
        let told = format!(
            "advice: credential:{name}: {unset}; a verb that is run by hand does not ask for this feed"
        );
        assert_eq!(checked.err.matches(&told).count(), 1, "{}", checked.err);
    }
    // As the service.
    run(&["refresh"], true)
        .code(0)
        .says("feed=key  3 entries")
        .says("feed=url  3 entries");
    let asked = server.requests();
    assert_eq!(
        asked
            .iter()
            .filter(|one| one.contains("auth-key: hush\r\n"))
            .count(),
        1
    );
    let printed = run(&["check", "--print"], true).code(0).out;
    assert!(
        printed.contains("header = { name = \"auth-key\", file = \"credential:key\" }\n"),
        "{printed}"
    );
    assert!(printed.contains("= \"credential:url\"\n"), "{printed}");
    assert!(!run(&["check"], true).code(0).err.contains("credential"));
}

#[test]
fn a_silent_host_delays_nobody_else() {
    let (silent, quick) = (Server::new(Answer::Silence), Server::new(list()));
    let feeds = feed("silent", &silent.url(), "") + &feed("quick", &quick.url(), "");
    let place = Place::new(&format!("{feeds}{NO_KERNEL}[fetch]\ntimeout = \"3s\"\n"));
    let began = Instant::now();
    let ran = refresh(&place).code(1);
    let took = began.elapsed();
    assert!(
        Duration::from_secs(3) <= took && took < Duration::from_secs(6),
        "one timeout, not two: {took:?}"
    );
    let quick = ran.err.find("feed=quick  3 entries").unwrap();
    let silent = ran.err.find("feed=silent  failed: not complete after 3 s");
    assert!(quick < silent.unwrap(), "{}", ran.err);
    assert_eq!(place.run(&["list"]).lines().len(), 3);
}

#[test]
fn a_terminal_shows_the_download_while_it_lasts_and_nobody_else_does() {
    if !installed("script") {
        return left_out("script is not installed");
    }
    let server = Server::new(Answer::Pause(LIST.to_owned(), Duration::from_millis(500)));
    let place = place(&feed("partner", &server.url(), ""), "");
    // What a terminal is sent.
    let on_terminal = |env: (&str, &str)| {
        let config = place.config();
        let line = format!("{PROGRAM} --config {} refresh", config.display());
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env("NULLROUTED_RUN_DIR", place.path("run"))
            .env_remove("NO_COLOR")
            .env(env.0, env.1)
            .stdin(std::process::Stdio::null());
        Ran::of(script.output().unwrap()).code(0).out
    };
    let shown = on_terminal(("TERM", "xterm"));
    let of = format!(" of {} B", LIST.len());
    assert!(shown.contains("partner  ["), "{shown:?}");
    assert!(shown.contains(&of), "{shown:?}");
    // The line is wiped before the next is written.
    let before = shown.split("feed=partner  3 entries").next().unwrap();
    assert!(before.ends_with("\u{1b}[2K"), "{shown:?}");
    for env in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_terminal(env);
        assert!(plain.contains("feed=partner  3 entries"), "{plain:?}");
        assert!(
            !plain.contains('\u{1b}') && !plain.contains(&of),
            "{plain:?}"
        );
    }
    let piped = refresh(&place).code(0).err;
    assert!(
        !piped.contains('\u{1b}') && !piped.contains(&of),
        "{piped:?}"
    );
}
