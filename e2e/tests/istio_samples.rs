//! What Istio's documentation of AuthorizationPolicy and RequestAuthentication shows, each sample as Istio's
//! resources (`istio.yaml`), as a plugin of ours (`plugin.yaml`) and with the answers to requests
//! (`requests.txt`): the native pair on the first and our filter on the second must give these. `make
//! test-istio` does the same in a real mesh.

use std::fs;
use std::path::{Path, PathBuf};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::{listener, ours};
use jwt_rbac_e2e::manifests::{self, Resource};
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::{check, native};
use serde_json::{Map, Value, json};

#[test]
fn both_give_the_documented_answers() {
    let samples = samples();
    let mut listeners = Vec::new();
    for sample in &samples {
        let name = sample.file_name().expect("a name").to_string_lossy();
        let plugin = only(manifests::resources(&sample.join("plugin.yaml")));
        listeners.push(ours(&name, plugin.document().expect("a pluginConfig")));
        let filters = native::filters(&source(&manifests::resources(&sample.join("istio.yaml"))));
        let filters = filters.unwrap_or_else(|error| panic!("{name}: {error}"));
        listeners.push(listener(&format!("{name}.native"), &filters));
    }
    let envoy = Envoy::before_upstream(&listeners, None);
    let mut count = 0;
    for sample in &samples {
        let name = sample.file_name().expect("a name").to_string_lossy();
        for (line, status, request) in requests(&sample.join("requests.txt")) {
            let answer = envoy.answer(&name, &request);
            let theirs = envoy.answer(&format!("{name}.native"), &request);
            assert_eq!(answer.status, status, "{name}: {line}: {}", check::summary(&answer));
            assert!(
                Outcome::of(&answer) == Outcome::of(&theirs),
                "{name}: {line}\nours: {}\nnative: {}",
                check::summary(&answer),
                check::summary(&theirs),
            );
            count += 1;
        }
    }
    assert!(count > 40, "{count} requests");
}

/// The folders of the samples.
fn samples() -> Vec<PathBuf> {
    let entries = fs::read_dir(artifacts::testdata("istio")).expect("the samples");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut samples: Vec<_> = paths.filter(|path| path.join("istio.yaml").exists()).collect();
    samples.sort();
    samples
}

fn only(resources: Vec<Resource>) -> Resource {
    let [resource] = <[Resource; 1]>::try_from(resources).expect("one resource");
    resource
}

/// Istio's resources as the fields of a document that the native pair is rendered from.
fn source(resources: &[Resource]) -> Value {
    let mut document = json!({"jwtRules": [], "authorizationPolicies": []});
    for resource in resources {
        let (spec, metadata) = (&resource.value["spec"], &resource.value["metadata"]);
        if resource.kind() == "RequestAuthentication" {
            document["jwtRules"] = spec["jwtRules"].clone();
            continue;
        }
        let mut policy: Map<String, Value> = spec.as_object().cloned().unwrap_or_default();
        policy.remove("selector");
        policy.insert("name".to_owned(), metadata["name"].clone());
        policy.insert("namespace".to_owned(), metadata["namespace"].clone());
        let is_dry = metadata["annotations"]["istio.io/dry-run"] == "true";
        policy.insert("dryRun".to_owned(), is_dry.into());
        document["authorizationPolicies"].as_array_mut().expect("a list").push(policy.into());
    }
    document
}

/// The lines of a file of requests, with the status and the request of each.
fn requests(path: &Path) -> Vec<(String, u16, Request)> {
    let text = fs::read_to_string(path).expect("the requests");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [status, method, target, caller, ref headers @ ..] = words[..] else {
                panic!("{}: {line}", path.display())
            };
            let mut request = Request::new(method, target);
            if let Some(token) = token(caller) {
                request = request.bearer(&token);
            }
            for header in headers {
                let (name, value) = header.split_once(':').expect("a header");
                request = request.header(name, value);
            }
            (line.to_owned(), status.parse().expect("a status"), request)
        })
        .collect()
}

/// The token of a caller: one of `testdata/istio/callers`, or alice's, by another issuer's key or expired.
fn token(caller: &str) -> Option<String> {
    let of = |name: &str| {
        let path = artifacts::testdata("istio/callers").join(format!("{name}.json"));
        let claims = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let claims: Map<String, Value> = serde_json::from_slice(&claims).expect("claims");
        claims
            .into_iter()
            .fold(Recipe::default(), |recipe, (name, value)| recipe.claim(&name, value))
    };
    Some(match caller {
        "anonymous" => return None,
        "expired" => of("alice").claim("exp", json!("now-3600")).mint(),
        "stranger" => of("alice").key("stranger-rs256").mint(),
        name => of(name).mint(),
    })
}
