//! A feed over https, with a real server and a certificate of our own.

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use support::namespace::eventually;
use support::{PROGRAM, Place, Ran, installed, left_out};

/// `openssl s_server`, ended with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn openssl(dir: &Path, line: &str) {
    let ran = Ran::of(
        Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(dir)
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, Some(0), "openssl {line}: {}", ran.err);
}

/// A certificate for `name`, signed by an authority of our own in `ca.pem`.
fn certificate(dir: &Path, name: &str) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        dir,
        &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=Test-authority"),
    );
    openssl(
        dir,
        &format!("req {key} -keyout server.key -out server.csr -subj /CN={name}"),
    );
    std::fs::write(
        dir.join("names"),
        format!("subjectAltName=IP:127.0.0.1,DNS:{name}\n"),
    )
    .unwrap();
    openssl(
        dir,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
}

fn serve(dir: &Path, port: u16) -> Server {
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-accept",
        &format!("127.0.0.1:{port}"),
        "-cert",
        "server.pem",
        "-key",
        "server.key",
        "-WWW",
        "-quiet",
    ]);
    let child = command
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let server = Server(child.unwrap());
    eventually("the server listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    server
}

#[test]
fn a_feed_over_https_is_believed_only_with_a_certificate_that_is_trusted() {
    if !installed("openssl") {
        return left_out("openssl is not installed");
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let place = Place::new(&format!(
        "[[feed]]\nname = \"partner\"\nurl = \"https://127.0.0.1:{port}/list.txt\"\n[kernel]\nenabled = false\n"
    ));
    place.write("list.txt", "72.37.186.0/23\n");
    certificate(&place.path(""), "lists.example");
    let _server = serve(&place.path(""), port);

    let refresh = |trust: &Path| {
        let mut command = place.command(Command::new(PROGRAM), &["refresh"]);
        Ran::of(
            command
                .env("SSL_CERT_FILE", trust)
                .env_remove("SSL_CERT_DIR")
                .output()
                .unwrap(),
        )
    };
    // Another authority: the same subject would do for nobody.
    let other = Place::new("");
    certificate(&other.path(""), "lists.example");
    let refused = refresh(&other.path("ca.pem")).code(0);
    assert!(
        refused
            .err
            .contains("feed=partner  failed: no connection: invalid peer certificate"),
        "{}",
        refused.err
    );
    assert!(place.run(&["list"]).out.is_empty());

    refresh(&place.path("ca.pem"))
        .code(0)
        .says("feed=partner  1 entries");
    assert_eq!(place.run(&["list"]).lines(), ["72.37.186.0/23"]);
}
