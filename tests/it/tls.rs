//! A feed over https, with a real server and a certificate of our own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::tls::{authority, certificate};
use crate::support::{NO_KERNEL, PROGRAM, Place, Ran, installed, left_out};

const NO_OPENSSL: &str = "openssl is not installed";

/// `openssl s_server`, ended with this.
pub struct Server {
    child: Child,
    pub port: u16,
    /// What it says, kept open: it would end when nobody listens.
    _said: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// With the certificate of this name in the place, serving the files there.
    pub fn new(place: &Place, certificate: &str, more: &[&str]) -> Self {
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-WWW", "-accept", "127.0.0.1:0"])
            .args(["-cert", &format!("{certificate}.pem")])
            .args(["-key", &format!("{certificate}.key")])
            .args(more)
            .current_dir(place.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        // It says where it listens: `ACCEPT 127.0.0.1:PORT`.
        let mut line = String::new();
        while !line.starts_with("ACCEPT ") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "no s_server");
        }
        Self {
            child,
            port: line.trim_end().rsplit(':').next().unwrap().parse().unwrap(),
            _said: said,
        }
    }

    fn feed(&self, more: &str) -> String {
        let port = self.port;
        format!(
            "[[feed]]\nname = \"partner\"\nurl = \"https://127.0.0.1:{port}/list.txt\"\n{more}{NO_KERNEL}"
        )
    }
}

/// A place with a list, an authority, and a certificate `server` of it for 127.0.0.1.
fn place() -> Place {
    let place = Place::new("");
    place.write("list.txt", "72.37.186.0/23\n");
    authority(&place.path(""));
    certificate(&place.path(""), "server", "IP:127.0.0.1,DNS:lists.example");
    place
}

/// One pass that trusts the authorities of this file and no others.
fn refresh(place: &Place, trust: &Path) -> Ran {
    let mut command = place.command(Command::new(PROGRAM), &["refresh"]);
    command
        .env("SSL_CERT_FILE", trust)
        .env_remove("SSL_CERT_DIR");
    Ran::of(command.output().unwrap())
}

#[test]
fn a_feed_over_https_is_believed_only_with_a_certificate_that_is_trusted() {
    if !installed("openssl") {
        return left_out(NO_OPENSSL);
    }
    let place = place();
    let server = Server::new(&place, "server", &[]);
    place.configure(&server.feed(""));
    // Another authority: the same subject would do for nobody.
    let other = Place::new("");
    authority(&other.path(""));
    let refused = refresh(&place, &other.path("ca.pem")).code(1);
    assert!(
        refused
            .err
            .contains("feed=partner  failed: no connection: invalid peer certificate"),
        "{}",
        refused.err
    );
    assert!(place.run(&["list"]).out.is_empty());

    refresh(&place, &place.path("ca.pem"))
        .code(0)
        .says("feed=partner  1 entries");
    assert_eq!(place.run(&["list"]).lines(), ["72.37.186.0/23"]);
}

#[test]
fn an_authority_of_the_configuration_is_trusted_besides_the_systems() {
    if !installed("openssl") {
        return left_out(NO_OPENSSL);
    }
    let place = place();
    let server = Server::new(&place, "server", &[]);
    let other = Place::new("");
    authority(&other.path(""));
    let trust = other.path("ca.pem");
    place.configure(&server.feed("[fetch]\nca_file = \"ca.pem\"\n"));
    refresh(&place, &trust).code(0).says("partner  1 entries");

    // A bundle that cannot be read fails the remote feeds and nothing else.
    for (file, why) in [
        ("missing.pem", "No such file or directory (os error 2)"),
        ("list.txt", "no certificate in it"),
    ] {
        let fetch = format!("[fetch]\nca_file = \"{file}\"\n");
        place.configure(&server.feed(&fetch));
        let path = place.path(file);
        let told = format!(
            "failed: ca_file: {}: {why}; keeping 1 entries",
            path.display()
        );
        refresh(&place, &trust).code(0).says(&told);
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_and_both_names_are_said() {
    if !installed("openssl") {
        return left_out(NO_OPENSSL);
    }
    let place = place();
    certificate(&place.path(""), "other", "DNS:other.example");
    let server = Server::new(&place, "other", &[]);
    place.configure(&server.feed("[fetch]\nca_file = \"ca.pem\"\n"));
    let refused = refresh(&place, &place.path("ca.pem")).code(1);
    let line = refused.err.lines().find(|line| line.contains("partner"));
    let line = line.unwrap();
    assert!(line.contains("failed: no connection: "), "{line}");
    assert!(line.contains("not valid for name \"127.0.0.1\""), "{line}");
    assert!(line.contains("other.example"), "{line}");
    assert!(place.run(&["list"]).out.is_empty());
}

#[test]
fn a_server_that_demands_a_certificate_gets_that_of_the_feed() {
    if !installed("openssl") {
        return left_out(NO_OPENSSL);
    }
    let place = place();
    certificate(&place.path(""), "edge1", "DNS:edge1.example");
    let demand = ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"];
    let server = Server::new(&place, "server", &demand);
    let trust = place.path("ca.pem");
    place.configure(&server.feed(""));
    let refused = refresh(&place, &trust).code(1);
    assert!(
        refused.err.contains("CertificateRequired"),
        "{}",
        refused.err
    );

    let both = place.read("edge1.pem") + &place.read("edge1.key");
    place.write("both.pem", &both);
    place.configure(&server.feed("client_certificate_file = \"both.pem\"\n"));
    refresh(&place, &trust).code(0).says("partner  1 entries");

    // The certificate alone proves nothing.
    place.configure(&server.feed("client_certificate_file = \"edge1.pem\"\n"));
    let told = format!(
        "failed: client_certificate_file: {}: no certificate with its key, both as PEM; not asked",
        place.path("edge1.pem").display()
    );
    refresh(&place, &trust).code(0).says(&told);
}
