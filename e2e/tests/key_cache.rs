//! The cache of `wasmplugin/keys/cache.yaml` in a real nginx: the issuer gets one request at a time, and
//! the keys stay while it fails. `make test-key-cache` runs it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::temporary::TemporaryDirectory;
use serde_json::Value;

const WAIT: Duration = Duration::from_secs(20);
const KEYS: &str = "/.well-known/jwks.json";

/// An issuer that counts requests, and fails when it is told to.
#[derive(Default)]
struct Issuer {
    requests: AtomicUsize,
    fails: AtomicBool,
}

impl Issuer {
    fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = Arc::clone(self);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
                let number = issuer.requests.fetch_add(1, Ordering::SeqCst) + 1;
                // So that many ask while it works.
                thread::sleep(Duration::from_millis(200));
                let status = if issuer.fails.load(Ordering::SeqCst) { "500 x" } else { "200 OK" };
                let body = format!("{{\"keys\":[],\"number\":{number}}}");
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}", body.len());
                let head = format!("{head}\r\nset-cookie: a=b\r\ncache-control: no-store\r\n\r\n");
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        address
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The configuration of the manifest, with what is of the cluster replaced by what is here.
fn configuration(issuer: SocketAddr, port: u16, directory: &str) -> String {
    let path = artifacts::root().join("wasmplugin/keys/cache.yaml");
    let manifest = fs::read_to_string(path).unwrap();
    let config = manifest.split("---\n").map(|part| serde_saphyr::from_str::<Value>(part).unwrap());
    let config =
        config.filter(|it| it["kind"] == "ConfigMap").map(|it| it["data"]["nginx.conf"].clone());
    let mut config = config.last().unwrap().as_str().unwrap().to_owned();
    for (from, to) in [
        ("listen 8080", format!("listen 127.0.0.1:{port}")),
        ("https://$issuer$uri", format!("http://{issuer}$uri")),
        ("resolver kube-dns.kube-system.svc.cluster.local valid=30s;", String::new()),
        ("/tmp/", format!("{directory}/")),
        ("proxy_cache_valid 200 1m", "proxy_cache_valid 200 2s".to_owned()),
        ("worker_processes 1;", "worker_processes 1; daemon off; master_process off;".to_owned()),
    ] {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, &to);
    }
    config
}

#[test]
#[ignore = "make test-key-cache"]
fn the_issuer_gets_one_request_for_all() {
    let issuer = Arc::new(Issuer::default());
    let directory = TemporaryDirectory::create().expect("a folder");
    let path = directory.path();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = configuration(issuer.start(), free.port(), path.to_str().unwrap());
    fs::write(path.join("nginx.conf"), config).unwrap();
    let nginx =
        Command::new("nginx").arg("-c").arg(path.join("nginx.conf")).stdin(Stdio::null()).spawn();
    let _nginx = Nginx(nginx.expect("nginx starts; Debian has a package nginx-light"));
    let ask = move |path: &str| Request::get(path).send(free);
    let end = Instant::now() + WAIT;
    while ask("/healthz").is_err() {
        assert!(Instant::now() < end, "nginx does not start");
        thread::sleep(Duration::from_millis(50));
    }
    // A hundred proxies at once.
    let threads: Vec<_> = (0..100).map(|_| thread::spawn(move || ask(KEYS).unwrap())).collect();
    for answer in threads.into_iter().map(|thread| thread.join().unwrap()) {
        assert_eq!((answer.status, answer.text().contains("\"number\":1")), (200, true));
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(issuer.requests(), 1);
    // Later ones get what there is while the cache asks again, once.
    thread::sleep(Duration::from_secs(3));
    for _ in 0..50 {
        assert_eq!(ask(KEYS).unwrap().status, 200);
    }
    thread::sleep(Duration::from_millis(500));
    assert_eq!(issuer.requests(), 2);
    assert!(ask(KEYS).unwrap().text().contains("\"number\":2"));
    // The last keys stay while the issuer fails.
    issuer.fails.store(true, Ordering::SeqCst);
    thread::sleep(Duration::from_secs(3));
    for _ in 0..20 {
        let answer = ask(KEYS).unwrap();
        assert_eq!((answer.status, answer.text().contains("\"number\":2")), (200, true));
    }
    // Nothing else is passed on.
    let before = issuer.requests();
    for other in ["/", "/other", "/.well-known/jwks.json/x", "/oauth/token"] {
        assert_eq!(ask(other).unwrap().status, 404, "{other}");
    }
    assert_eq!(Request::new("POST", KEYS).send(free).unwrap().status, 403);
    assert_eq!(issuer.requests(), before);
}
