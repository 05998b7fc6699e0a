//! Proxies with the filter, and requests of all kinds through them.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::{bootstrap, cluster};
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::decision_log::document;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener::ours;
use jwt_rbac_e2e::tokens::{self, Recipe};
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Value, json};

use super::prometheus::Target;

/// How long the server of keys takes to answer, so that requests wait for it.
const KEYS_DELAY: Duration = Duration::from_secs(3);
const KEYS: &str = "keys";

/// A proxy with one listener, and what it is called.
struct Proxy {
    envoy: Envoy,
    app: &'static str,
    pod: &'static str,
}

/// Four proxies of two apps, whose documents differ: one in dry run, two that fetch keys, of which one is
/// offered a document that it refuses.
pub struct Traffic {
    proxies: Vec<Proxy>,
    file: ListenerFile,
}

impl Traffic {
    pub fn start() -> Self {
        let mut enforced = document("DENIALS");
        enforced["ruleMetrics"] = true.into();
        let mut tried = enforced.clone();
        tried["dryRun"] = true.into();
        let file = ListenerFile::create(&[ours("ours", &fetching(true))]);
        let fetched = ours("ours", &fetching(false));
        let proxy = |app, pod, envoy| Proxy { envoy, app, pod };
        let proxies = vec![
            proxy("reviews", "reviews-1", start(&[ours("ours", &enforced)], None)),
            proxy("reviews", "reviews-2", start(&[ours("ours", &tried)], None)),
            proxy("ratings", "ratings-1", start(&[fetched], None)),
            proxy("ratings", "ratings-2", start(&[], Some(&file))),
        ];
        Self { proxies, file }
    }

    pub fn targets(&self) -> Vec<Target> {
        let target = |proxy: &Proxy| Target {
            address: proxy.envoy.admin_address(),
            app: proxy.app,
            pod: proxy.pod.to_owned(),
        };
        self.proxies.iter().map(target).collect()
    }

    /// Sends requests for this time, and in the middle a document that is refused.
    pub fn run(mut self, time: Duration) {
        let end = Instant::now() + time;
        let middle = Instant::now() + time / 2;
        let [user, other] = ["user", "moderator"].map(Recipe::of_caller);
        let good = user.mint();
        let mut is_published = false;
        let mut number = 0_u32;
        while Instant::now() < end {
            number += 1;
            let bad = match number % 4 {
                0 => user.clone().claim("exp", json!("now-3600")).mint(),
                1 => user.clone().claim("iss", json!("https://other.test/")).mint(),
                2 => "garbage".to_owned(),
                _ => other.mint(),
            };
            for proxy in &self.proxies {
                let fresh = user.clone().claim("jti", json!(number.to_string())).mint();
                for (path, token) in [
                    ("/public", &good),
                    ("/public", &good),
                    ("/public", &fresh),
                    ("/members", &good),
                    ("/closed", &good),
                    ("/nowhere", &good),
                    ("/public", &bad),
                ] {
                    proxy.envoy.answer("ours", &Request::get(path).bearer(token));
                }
            }
            if !is_published && Instant::now() > middle {
                is_published = true;
                let broken = ours("ours", &json!({"routes": 7}));
                let envoy = &mut self.proxies.last_mut().expect("four").envoy;
                assert_eq!(self.file.publish(envoy, &[broken]), Update::Rejected);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A document whose keys are fetched, beside those of an issuer whose keys can't be, if asked for.
fn fetching(beside_unreachable: bool) -> Value {
    let mut document = document("DENIALS");
    let mut provider = tokens::provider();
    let fields = provider.as_object_mut().expect("an object");
    fields.remove("jwks");
    fields.insert("jwksUri".to_owned(), "http://keys.test/jwks.json".into());
    fields.insert("jwksCluster".to_owned(), KEYS.into());
    fields.insert("allowInsecureJwks".to_owned(), true.into());
    let mut unreachable = provider.clone();
    unreachable["issuer"] = "https://unreachable.test/".into();
    unreachable["jwksUri"] = "http://unreachable.test/jwks.json".into();
    unreachable["jwksCluster"] = "missing".into();
    let rules = if beside_unreachable { vec![provider, unreachable] } else { vec![provider] };
    document["jwtRules"] = rules.into();
    document
}

fn start(listeners: &[Value], file: Option<&ListenerFile>) -> Envoy {
    let path = file.map(ListenerFile::path);
    let mut bootstrap = bootstrap(Upstream::start().address, listeners, path);
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("clusters");
    clusters.push(cluster(KEYS, key_server()));
    let binary = artifacts::envoy().unwrap_or_else(|error| panic!("{error}"));
    Envoy::start(&binary, &bootstrap).unwrap_or_else(|error| panic!("{error}"))
}

/// A server that answers every connection with the test keys, late.
fn key_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let keys = artifacts::jwks();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{keys}",
        keys.len()
    );
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                thread::sleep(KEYS_DELAY);
                // If Envoy is gone, nobody needs the answer.
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    address
}
