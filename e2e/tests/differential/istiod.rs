//! The RBAC filters of `native`, which ours is compared with, against those that istiod makes of the same
//! policies: the same requests must get the same answers.
//!
//! `testdata/istiod.json` has policies with istiod's translation. `make test-translation` builds the
//! translator from Istio's source (`e2e/istio/translate`), compares policies at random, and with
//! `UPDATE=1` writes that file.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::{env, fs};

use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::{artifacts, check, native};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::random::{self, Random};
use super::{BATCH, Connections, both, number};

/// How many requests each document gets.
const REQUESTS: usize = 60;
/// How many pairs the file has.
const STORED: usize = 60;

/// The policies of a document, and the filters that istiod makes of them.
#[derive(Debug, Deserialize, Serialize)]
struct Pair {
    policies: Value,
    filters: Vec<Value>,
}

#[test]
fn the_pair_is_rendered_as_istiod_does() {
    let seed = number("SEED", 1);
    let mut random = Random::new(seed);
    let path = artifacts::root().join("testdata/istiod.json");
    let pairs: Vec<Pair> = match env::var_os("TRANSLATOR") {
        Some(program) => {
            let policies = (0..number("DOCUMENTS", 500))
                .map(|_| random.document()["authorizationPolicies"].take())
                .collect();
            translated(Command::new(program), policies)
        }
        None => serde_json::from_slice(&fs::read(&path).expect("the file")).expect("pairs"),
    };
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        let stored = &pairs[..pairs.len().min(STORED)];
        let lines: Vec<String> = stored.iter().map(|pair| json!(pair).to_string()).collect();
        fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("the file is written");
    }
    let tokens = random::tokens("https://tenant.auth0.com/");
    let mut passed = 0;
    for batch in pairs.chunks(BATCH) {
        let envoy = start(batch);
        for (place, pair) in batch.iter().enumerate() {
            let mut connections = Connections::open(&envoy, &both(place));
            for _ in 0..REQUESTS {
                let request = random.request(&tokens, &tokens);
                let [rendered, istiods] = connections.answers(&request);
                passed += usize::from(rendered.status == 200);
                assert!(
                    Outcome::of(&rendered) == Outcome::of(&istiods),
                    "{request:?}\nrendered here: {}\nby istiod: {}\nseed {seed}: {:#}",
                    check::summary(&rendered),
                    check::summary(&istiods),
                    pair.policies,
                );
            }
        }
    }
    let all = pairs.len() * REQUESTS;
    println!("istiod: {all} requests over {} documents, {passed} allowed", pairs.len());
    assert!(passed * 10 > all && passed * 10 < all * 9, "{passed} of {all} are allowed");
}

/// The policies, each with istiod's filters.
fn translated(mut program: Command, policies: Vec<Value>) -> Vec<Pair> {
    let documents: Value = policies.iter().map(random::document).collect();
    let mut running = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the translator can be run");
    let mut input = running.stdin.take().expect("its standard input");
    input.write_all(documents.to_string().as_bytes()).expect("the documents are sent");
    drop(input);
    let output = running.wait_with_output().expect("it ends");
    assert!(output.status.success(), "the translator failed");
    let filters: Vec<Vec<Value>> = serde_json::from_slice(&output.stdout).expect("filters");
    assert_eq!(filters.len(), policies.len());
    let pairs = policies.into_iter().zip(filters);
    pairs.map(|(policies, filters)| Pair { policies, filters }).collect()
}

/// An Envoy with these policies as the pair of this repository and as istiod's, behind the same `jwt_authn`.
fn start(pairs: &[Pair]) -> Envoy {
    let mut listeners = Vec::new();
    for (place, pair) in pairs.iter().enumerate() {
        let rendered = native::filters(&random::document(&pair.policies));
        let rendered = rendered.expect("the pair has words for it");
        let istiods: Vec<Value> = rendered[..1].iter().chain(&pair.filters).cloned().collect();
        for (name, filters) in both(place).iter().zip([&rendered, &istiods]) {
            listeners.push(listener(name, filters));
        }
    }
    Envoy::before_upstream(&listeners, None)
}
