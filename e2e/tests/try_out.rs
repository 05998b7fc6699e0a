//! `jwt-rbac try`: a document in a local Envoy, from its start to the end of everything that it started.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::command_line;
use jwt_rbac_e2e::temporary::TemporaryDirectory;

const WAIT: Duration = Duration::from_mins(1);

const DOCUMENT: &str = "
jwtRules:
- issuer: https://tenant.auth0.com/
  audiences: [https://bookinfo.io]
  jwksUri: https://tenant.auth0.com/.well-known/jwks.json
routes:
- {name: orders, paths: ['/orders/{id}'], permissions: [read:orders]}
- {name: health, paths: [/health], access: PUBLIC}
";

/// A running `try`, in folders of its own.
struct Trial {
    process: Child,
    lines: Receiver<String>,
    /// What it has said so far.
    said: Vec<String>,
    file: PathBuf,
    temporary: PathBuf,
    _folder: TemporaryDirectory,
}

impl Trial {
    fn start(document: &str) -> Self {
        let folder = TemporaryDirectory::create().expect("a folder");
        let file = folder.path().join("orders.yaml");
        fs::write(&file, document).expect("a file");
        let temporary = folder.path().join("temporary");
        fs::create_dir(&temporary).expect("a folder");
        let mut process = Command::new(command_line::binary())
            .arg("try")
            .arg(&file)
            .args(["--port", "0", "--wasm"])
            .arg(artifacts::wasm().expect("the module"))
            .env("ENVOY", artifacts::envoy().expect("an Envoy"))
            .env("TMPDIR", &temporary)
            .stdout(Stdio::piped())
            .spawn()
            .expect("jwt-rbac runs");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let mut trial = Self { process, lines, said: Vec::new(), file, temporary, _folder: folder };
        trial.wait_for("Decisions, as they are made");
        trial
    }

    /// Waits for a line with this text.
    fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + WAIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no `{text}` in {:#?}", self.said));
            self.said.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The command that it shows for a route, without what is said of its answer.
    fn command(&self, route: &str) -> String {
        let line = self.said.iter().rev().find_map(|line| line.strip_prefix(route));
        let line = line.unwrap_or_else(|| panic!("no `{route}` in {:#?}", self.said));
        line.split("   #").next().unwrap_or_default().trim().to_owned()
    }

    fn save(&self, document: &str) {
        fs::write(&self.file, document).expect("the file");
    }

    /// The processes that it has started.
    fn children(&self) -> BTreeSet<u32> {
        let id = self.process.id();
        let path = format!("/proc/{id}/task/{id}/children");
        // Threads of it start none.
        let children = fs::read_to_string(&path).expect("Linux lists children");
        children.split_whitespace().map(|id| id.parse().expect("a number")).collect()
    }

    fn signal(&mut self, signal: &str) -> ExitStatus {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("kill runs");
        assert!(sent.success());
        self.process.wait().expect("it ends")
    }

    /// Waits until nothing is left of it.
    fn check_that_nothing_is_left(&self, children: &BTreeSet<u32>) {
        let is_left = |id: &u32| Path::new(&format!("/proc/{id}")).exists();
        let deadline = Instant::now() + WAIT;
        loop {
            let files = fs::read_dir(&self.temporary).expect("the folder").count();
            let running = children.iter().filter(|id| is_left(id)).count();
            if files == 0 && running == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "{files} files and {running} processes are left");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The status that a command gets.
fn status(command: &str) -> String {
    let script = format!("{command} -s -o /dev/null -w '%{{http_code}}'");
    let output = Command::new("sh").arg("-c").arg(&script).output().expect("a shell");
    assert!(output.status.success(), "{script}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn decisions_are_shown_and_a_saved_document_is_loaded() {
    let mut trial = Trial::start(DOCUMENT);
    let (orders, health) = (trial.command("orders "), trial.command("health "));
    assert_eq!(status(&orders), "200");
    trial.wait_for("✓ allowed  GET /orders/1 (route orders, joe)");
    assert_eq!(status(&health), "200");
    let (_, url) = orders.rsplit_once(' ').expect("a URL at its end");
    assert_eq!(status(&format!("curl {url}")), "403");
    trial.wait_for("✗ 403      GET /orders/1 (identity_missing, route orders)");

    trial.save(&DOCUMENT.replace("/health", "/ready"));
    trial.wait_for("the new document is in force");
    trial.wait_for("/ready");
    assert_eq!(status(&health), "403");
    // Its key is still the one that has signed the first token.
    assert_eq!(status(&orders), "200");

    trial.save(&DOCUMENT.replace("permissions:", "permisions:"));
    trial.wait_for("error[document]: unknown field `permisions`");
    trial.wait_for("is refused: 1 error; the document before stays in force");
    assert_eq!(status(&trial.command("health ")), "200");
    assert_eq!(status(&orders), "200");

    trial.save(DOCUMENT);
    trial.wait_for("the new document is in force");
    trial.wait_for("/health");
    assert_eq!(status(&health), "200");
}

#[test]
fn each_route_has_a_token_whatever_its_provider_wants() {
    let mut trial = Trial::start(
        "
jwtRules:
- issuer: https://rsa.test
  anyAudience: true
  algorithms: [RS256]
  jwks: REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER
  fromHeaders: [{name: x-token, prefix: 'JWT '}]
- issuer: https://secret.test
  audiences: [a]
  algorithms: [HS256]
  jwks: '{\"keys\": [{\"kty\": \"oct\", \"kid\": \"1\", \"k\": \"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}'
  fromCookies: [session]
- issuer: https://edwards.test
  audiences: [a]
  algorithms: [EdDSA]
  maxLifetime: 2m
  tokenTypes: [at+jwt]
  jwksUri: https://edwards.test/keys
  fromParams: [token]
routes:
- {name: rsa, paths: [/rsa], issuers: [https://rsa.test]}
- {name: secret, paths: ['/secret/{**}'], methods: [POST], issuers: [https://secret.test]}
- name: edwards
  paths: ['/edwards/{tenant}']
  issuers: [https://edwards.test]
  claims: [{claim: '[org][id]', pathVariable: tenant}]
- {name: closed, paths: [/closed], access: DENIED}
",
    );
    for route in ["rsa ", "secret ", "edwards "] {
        let command = trial.command(route);
        assert_eq!(status(&command), "200", "{command}");
    }
    let closed = trial.said.iter().find(|line| line.starts_with("closed ")).expect("the route");
    assert!(closed.contains("   # 403 "), "{closed}");
    let command = trial.command("closed ");
    assert_eq!(status(&command), "403");
    trial.wait_for("route closed");
}

#[test]
fn nothing_is_left_however_it_ends() {
    for signal in ["TERM", "INT", "HUP", "KILL"] {
        let mut trial = Trial::start(DOCUMENT);
        let children = trial.children();
        assert!(!children.is_empty());
        let status = trial.signal(signal);
        assert_eq!(status.code(), Some(0).filter(|_| signal != "KILL"), "{signal}");
        trial.check_that_nothing_is_left(&children);
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let folder = TemporaryDirectory::create().expect("a folder");
    let file = folder.path().join("orders.yaml");
    fs::write(&file, DOCUMENT).expect("a file");
    let output = Command::new(command_line::binary())
        .arg("try")
        .arg(&file)
        .args(["--port", &port, "--wasm"])
        .arg(artifacts::wasm().expect("the module"))
        .output()
        .expect("jwt-rbac runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
}
