//! Documents while Envoy runs: what is wrong with one is said in full, and the one before it goes
//! on deciding.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::decision_log::events;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener;
use jwt_rbac_e2e::manifests;
use jwt_rbac_e2e::tokens;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Value, json};

#[test]
fn an_update_decides_the_next_request() {
    let mut file = ListenerFile::create(&[ours(&document("/a"))]);
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    assert_eq!([get(&envoy, "/a"), get(&envoy, "/b")], [200, 403]);
    assert_eq!(file.publish(&mut envoy, &[ours(&document("/b"))]), Update::Accepted);
    assert_eq!([get(&envoy, "/a"), get(&envoy, "/b")], [403, 200]);
}

#[test]
fn five_faults_are_named_while_the_document_before_goes_on() {
    let mut file = ListenerFile::create(&[ours(&document("/a"))]);
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    let faulty = json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": [],
            "jwks": artifacts::jwks(),
        }],
        "unmatchedRoutes": "PERHAPS",
        "routes": [
            {"paths": ["/a"], "access": "PUBLIC"},
            {"paths": ["/b/../c"], "access": "PUBLIC"},
            {"paths": ["/d"], "access": "PUBLIC", "permission": ["x"]},
            {"paths": ["/e"], "access": "PUBLIC", "methods": ["G ET"]},
        ],
    });
    assert_eq!(file.publish(&mut envoy, &[ours(&faulty)]), Update::Rejected);
    let places: BTreeSet<String> = places(&envoy.log(), "document_refused");
    let expected = [
        "jwtRules[0].audiences",
        "unmatchedRoutes",
        "routes[1].paths[0]",
        "routes[2].permission",
        "routes[3].methods[0]",
    ];
    assert_eq!(places, expected.map(str::to_owned).into());
    assert_eq!([get(&envoy, "/a"), get(&envoy, "/b")], [200, 403]);
    assert_eq!(file.publish(&mut envoy, &[ours(&document("/b"))]), Update::Accepted);
    assert_eq!([get(&envoy, "/a"), get(&envoy, "/b")], [403, 200]);
}

#[test]
fn a_first_document_that_is_refused_opens_nothing() {
    for faulty in [json!({}), json!({"routes": "all"}), json!({"jwtRule": []}), json!([]), json!(7)]
    {
        let file = ListenerFile::create(&[ours(&faulty)]);
        let envoy = Envoy::before_upstream(&[], Some(file.path()));
        assert!(!envoy.has_listener("ours"), "{faulty} is served");
        assert_eq!(envoy.stat("listener_manager.lds.update_rejected"), 1, "{faulty}");
        let refusals = events(&envoy.log(), "document_refused");
        assert!(!refusals.is_empty(), "{faulty}:\n{}", envoy.log());
    }
}

#[test]
fn a_static_listener_with_a_faulty_document_ends_envoy() {
    let upstream = Upstream::start();
    let bootstrap = bootstrap(upstream.address, &[ours(&json!({}))], None);
    let error = Envoy::start(&artifacts::envoy().unwrap(), &bootstrap).unwrap_err();
    assert!(error.contains("{\"jwt_rbac\":\"document_refused\""), "{error}");
}

/// What `grep jwt_rbac` finds of a mistake is all of it.
#[test]
fn each_mistake_is_one_line_of_json() {
    let member = |document: Value, name: &str, value: Value| {
        let mut document = document;
        document[name] = value;
        document
    };
    let rule = |name: &str, value: Value| {
        let provider = member(tokens::provider(), name, value);
        json!({"jwtRules": [provider], "routes": document("/a")["routes"]})
    };
    let route = |name: &str, value: Value| json!({"routes": [member(document("/a")["routes"][0].clone(), name, value)]});
    for (faulty, place, said) in [
        (route("permisions", json!(["a"])), "routes[0].permisions", "permissions"),
        (route("hosts", json!(["api.example.com:9090"])), "routes[0].hosts[0]", "without a port"),
        (route("paths", json!(["/a\n\"b"])), "routes[0].paths[0]", "a\n\"b"),
        (route("paths", json!([])), "routes[0].paths", "list"),
        (
            rule("jwks", json!({"keys": [{"kty": "RSA", "d": "x"}]})),
            "jwtRules[0].jwks.keys[0].d",
            "rotate",
        ),
        (rule("issuer", json!(7)), "jwtRules[0].issuer", "string"),
        (member(document("/a"), "corsPreflight", json!("PERHAPS")), "corsPreflight", "PERHAPS"),
        (
            member(
                member(document("/{**}"), "ambiguousPaths", json!("MATCH")),
                "decisionLog",
                json!("ALL"),
            ),
            "routes[0]",
            "would be public",
        ),
    ] {
        let file = ListenerFile::create(&[ours(&faulty)]);
        let envoy = Envoy::before_upstream(&[], Some(file.path()));
        let log = envoy.log();
        let refusals = events(&log, "document_refused");
        let [refusal, rest @ ..] = refusals.as_slice() else { panic!("{faulty}:\n{log}") };
        // Each worker says so, and each time the same.
        assert!(rest.iter().all(|other| other == refusal), "{refusals:#?}");
        assert_eq!(refusal["place"], place, "{refusal}");
        assert!(refusal["message"].as_str().is_some_and(|it| it.contains(said)), "{refusal}");
        assert!(log.lines().any(|line| line.starts_with("[error][wasm]") && line.contains(place)));
    }
}

#[test]
fn each_warning_is_one_line_of_json() {
    let route = |name: &str, path: &str, access: &str| json!({"name": name, "paths": [path], "access": access});
    let key: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set is JSON");
    let key = key["keys"][0].clone();
    let weak = json!({"kty": "EC", "crv": "secp256k1", "x": "a", "y": "b"});
    let many = vec![
        json!({"kty": "OKP", "crv": "Ed25519", "x": "_ZpvBZ45fZo4JittDr-lpr5xAqFu-j_EkCFehQbW_Ec"});
        17
    ];
    let mut skipped = tokens::provider();
    skipped["jwks"] = json!({"keys": [weak, key]});
    let mut dear = tokens::provider();
    dear["jwks"] = json!({"keys": many});
    let routes = document("/a")["routes"].clone();
    for (doubtful, place) in [
        (json!({"jwtRules": [skipped], "routes": routes}), "jwtRules[0].jwks.keys[0].crv"),
        (json!({"jwtRules": [dear], "routes": routes}), "jwtRules[0].jwks.keys"),
        (
            json!({"jwtRules": [tokens::provider()], "ambiguousPaths": "MATCH", "routes": [
                route("closed", "/closed", "DENIED"),
                route("rest", "/{**}", "AUTHENTICATED"),
            ]}),
            "routes[1]",
        ),
    ] {
        let envoy = Envoy::before_upstream(&[ours(&doubtful)], None);
        let warned = places(&envoy.log(), "document_warning");
        assert_eq!(warned, BTreeSet::from([place.to_owned()]), "{}", envoy.log());
        let configured = events(&envoy.log(), "document_in_force").len();
        let warnings = events(&envoy.log(), "document_warning").len();
        assert_eq!(warnings, configured, "a line for each worker");
    }
}

/// The places that lines of a log name.
fn places(log: &str, event: &str) -> BTreeSet<String> {
    let place = |line: &Value| line["place"].as_str().expect("a place").to_owned();
    events(log, event).iter().map(place).collect()
}

/// Nobody can put a manifest into a mesh before the keys of an issuer are in it, and the secret of a
/// fence.
#[test]
fn the_manifests_are_refused_for_their_placeholder() {
    let manifests = manifests();
    for (name, document) in &manifests {
        let problems = jwt_rbac_config::compile(document.to_string().as_bytes(), &mut RustCrypto);
        let problems = problems.err().unwrap_or_else(|| panic!("{name} is accepted"));
        let refused: Vec<_> = problems.errors.iter().map(|it| it.place.to_string()).collect();
        let mut expected = vec!["jwtRules[0].jwks"];
        if document.get("fence").is_some() {
            expected.push("fence.value");
        }
        assert_eq!(refused, expected, "{name}: {:#?}", problems.errors);
    }
    // Envoy compiles the module again for each that is refused, so it gets two.
    let names = ["bookinfo/details-jwt-rbac", "fenced/details-jwt-rbac"];
    let listeners = names.map(|name| listener::ours(name, &manifests[name]));
    let file = ListenerFile::create(&listeners);
    let envoy = Envoy::before_upstream(&[], Some(file.path()));
    for name in names {
        assert!(!envoy.has_listener(name), "{name} is served");
    }
    let refused = places(&envoy.log(), "document_refused");
    let expected = ["fence.value", "jwtRules[0].jwks"].map(str::to_owned);
    assert_eq!(refused, BTreeSet::from(expected), "{}", envoy.log());
}

/// `make run`, the suites and the manifests speak of the same Bookinfo.
#[test]
fn the_bookinfo_manifests_are_what_runs_locally() {
    let local: Value = yaml(&artifacts::testdata("envoy.yaml"));
    let suite: Value = yaml(&artifacts::testdata("cases/bookinfo.yaml"));
    for service in ["productpage", "details", "reviews"] {
        let manifest = &manifests()[&format!("bookinfo/{service}-jwt-rbac")];
        let listeners = local["static_resources"]["listeners"].as_array().expect("listeners");
        let of_service = listeners.iter().find(|listener| listener["name"] == service);
        let of_service = of_service.unwrap_or_else(|| panic!("no listener {service}"));
        let manager = &of_service["filter_chains"][0]["filters"][0]["typed_config"];
        let plugin = &manager["http_filters"][0]["typed_config"]["config"];
        let text = plugin["configuration"]["value"].as_str().expect("a text");
        let document: Value = serde_json::from_str(text).expect("a document is JSON");
        for other in [&document, &suite["documents"][service]] {
            assert_eq!(without_keys(manifest), without_keys(other), "{service}");
        }
        let keys: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set is JSON");
        assert_eq!(document["jwtRules"][0]["jwks"], keys, "{service}");
    }
}

fn without_keys(document: &Value) -> Value {
    let mut document = document.clone();
    document["jwtRules"][0]["jwks"] = Value::Null;
    document
}

/// Every `pluginConfig` of the manifests, as it is written.
fn manifests() -> BTreeMap<String, Value> {
    let plugins = manifests::plugins();
    let named = plugins
        .iter()
        .filter_map(|it| Some((format!("{}/{}", it.file, it.name()), it.document()?.clone())));
    named.collect()
}

fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a file of testdata");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A document with one public path.
fn document(path: &str) -> Value {
    json!({"routes": [{"paths": [path], "access": "PUBLIC"}]})
}

fn ours(document: &Value) -> Value {
    listener::ours("ours", document)
}

fn get(envoy: &Envoy, path: &str) -> u16 {
    envoy.answer("ours", &Request::get(path)).status
}
