//! `jwt-rbac webhook` over real HTTPS, as an API server asks it.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{failure, file};
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const WAIT: Duration = Duration::from_secs(20);

/// A running webhook, killed when its owner is dropped.
struct Webhook {
    process: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
    certificate: PathBuf,
    key: PathBuf,
}

impl Webhook {
    /// Starts one with a certificate of its own. `name` tells its files from those of other tests.
    fn start(name: &str) -> (Self, RootCertStore) {
        let certificate = PathBuf::from(file(&format!("{name}.crt"), ""));
        let key = PathBuf::from(file(&format!("{name}.key"), ""));
        let roots = replace(&certificate, &key);
        let mut process = Command::new(env!("CARGO_BIN_EXE_jwt-rbac"))
            .args(["webhook", "--listen", "127.0.0.1:0", "--certificate"])
            .arg(&certificate)
            .arg("--key")
            .arg(&key)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("jwt-rbac: listening on https://").expect(&line);
        let address = address.parse().unwrap();
        (Self { process, log, address, certificate, key }, roots)
    }

    /// Sends these bytes over one connection and reads what comes until the end of the response.
    fn send(&self, roots: &RootCertStore, bytes: &[u8]) -> std::io::Result<(u16, String)> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(WAIT))?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(bytes)?;
        let mut answer = Vec::new();
        // The end of TLS may be missing; the answer is there.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(std::io::ErrorKind::InvalidData)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok((status, body.to_owned()))
    }

    fn post(&self, roots: &RootCertStore, path: &str, body: &str) -> (u16, String) {
        self.send(roots, request("POST", path, body).as_bytes()).unwrap()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Writes a new certificate, as cert-manager does, and returns what trusts it.
fn replace(certificate: &PathBuf, key: &PathBuf) -> RootCertStore {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(certificate, made.cert.pem()).unwrap();
    fs::write(key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()).unwrap();
    roots
}

fn review(config: &Value) -> String {
    let object = json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "orders"}},
            "url": "https://artifacts.example.com/jwt_rbac.wasm",
            "phase": "AUTHN",
            "match": [{"mode": "SERVER"}],
            "pluginConfig": config,
        },
    });
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "7", "name": "orders", "namespace": "shop", "object": object},
    })
    .to_string()
}

fn good() -> Value {
    json!({"routes": [{"paths": ["/closed"], "access": "DENIED"}]})
}

#[test]
fn documents_are_judged_and_the_rest_is_bounded() {
    let (mut webhook, roots) = Webhook::start("judged");
    let allowed = |(status, body): (u16, String)| -> Value {
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["response"].clone()
    };
    assert_eq!(allowed(webhook.post(&roots, "/validate", &review(&good())))["allowed"], true);
    let refused = allowed(webhook.post(&roots, "/validate", &review(&json!({"route": []}))));
    assert_eq!(refused["allowed"], false);
    let message = refused["status"]["message"].as_str().unwrap();
    assert!(message.contains("\n  route: ") && message.contains("`routes`"), "{message}");
    let mut line = String::new();
    webhook.log.read_line(&mut line).unwrap();
    assert!(line.starts_with("jwt-rbac: refused shop/orders: "), "{line}");
    // As the API server asks with `?timeout=10s`.
    assert_eq!(webhook.post(&roots, "/validate?timeout=10s", &review(&good())).0, 200);
    assert_eq!(webhook.post(&roots, "/validate", "{}").0, 400);
    assert_eq!(webhook.post(&roots, "/other", "{}").0, 404);
    assert_eq!(webhook.post(&roots, "/healthz", "").0, 405);
    let health = webhook.send(&roots, request("GET", "/healthz", "").as_bytes()).unwrap();
    assert_eq!(health, (200, "ok\n".to_owned()));
    let long = format!(
        "POST /validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        9 << 20
    );
    assert_eq!(webhook.send(&roots, long.as_bytes()).unwrap().0, 413);
    // A client without TLS, or one that sends nothing, delays no other.
    let mut plain = TcpStream::connect(webhook.address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _silent: Vec<_> = (0..50).map(|_| TcpStream::connect(webhook.address).unwrap()).collect();
    assert_eq!(webhook.post(&roots, "/validate", &review(&good())).0, 200);
}

#[test]
fn a_new_certificate_is_used_and_a_broken_one_is_not() {
    let (mut webhook, old) = Webhook::start("rotated");
    fs::write(&webhook.certificate, "no certificate").unwrap();
    let mut line = String::new();
    webhook.log.read_line(&mut line).unwrap();
    assert!(line.contains("has no certificate in PEM") && line.contains("still used"), "{line}");
    assert_eq!(webhook.post(&old, "/validate", &review(&good())).0, 200);
    let new = replace(&webhook.certificate, &webhook.key);
    let end = Instant::now() + WAIT;
    while webhook.send(&new, request("GET", "/healthz", "").as_bytes()).is_err() {
        assert!(Instant::now() < end, "the new certificate is not used");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(webhook.send(&old, request("GET", "/healthz", "").as_bytes()).is_err());
}

#[test]
fn sigterm_ends_it() {
    let (mut webhook, _) = Webhook::start("ended");
    let status = Command::new("kill").arg(webhook.process.id().to_string()).status().unwrap();
    assert!(status.success());
    assert_eq!(webhook.process.wait().unwrap().code(), Some(0));
}

#[test]
fn what_it_needs_is_said() {
    let missing = failure(&["webhook", "--certificate", "absent.crt", "--key", "absent.key"], 1);
    assert!(missing.starts_with("`absent.crt` cannot be read: "), "{missing}");
    let empty = file("empty.pem", "");
    let message = failure(&["webhook", "--certificate", &empty, "--key", &empty], 1);
    assert!(message.contains("has no certificate in PEM"), "{message}");
}
