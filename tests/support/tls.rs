//! Certificates of our own, made with openssl, and servers that show them.

use std::path::Path;
use std::process::Command;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Ran;

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

fn openssl(dir: &Path, line: &str) {
    let mut command = Command::new("openssl");
    command.args(line.split_whitespace()).current_dir(dir);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "openssl {line}: {}", ran.err);
}

/// An authority of our own: its certificate in `ca.pem`.
pub fn authority(dir: &Path) {
    let authority = "-keyout ca.key -out ca.pem -days 2 -subj /CN=Test-authority";
    openssl(dir, &format!("req -x509 {KEY} {authority}"));
}

/// A certificate of the authority for these names (`DNS:a,IP:b`), as `FILE.pem` and `FILE.key`.
pub fn certificate(dir: &Path, file: &str, names: &str) {
    let files = format!("-keyout {file}.key -out {file}.csr");
    openssl(dir, &format!("req {KEY} {files} -subj /CN={file}"));
    std::fs::write(dir.join("names"), format!("subjectAltName={names}\n")).unwrap();
    let signer = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names";
    openssl(
        dir,
        &format!("x509 -req -in {file}.csr {signer} -out {file}.pem"),
    );
}

/// A server that shows this certificate, and asks for none.
pub fn server(dir: &Path, file: &str) -> ServerConfig {
    let chain = CertificateDer::from_pem_file(dir.join(format!("{file}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join(format!("{file}.key"))).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap()
}
