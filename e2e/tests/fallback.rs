//! An Envoy whose `verify_signature` can't be called, as an operator can arrange it: signatures are
//! then checked in Wasm, as far as there is code for them.

use std::collections::BTreeSet;
use std::fs;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::decision_log::events;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Map, Value, json};
use wasmparser::{Parser, Payload};

const NO_KEY: &str = "Jwks doesn't have key to match kid or alg from Jwt";

#[test]
fn signatures_are_checked_without_envoy() {
    let envoy = start(&without_foreign_functions());
    for (algorithm, key) in [
        ("RS256", "rs256"),
        ("RS384", "rs256"),
        ("RS512", "rs256"),
        ("PS256", "rs256"),
        ("ES256", "es256"),
        ("EdDSA", "eddsa"),
    ] {
        let good = recipe(key, algorithm, None);
        assert_eq!(get(&envoy, &good), (200, String::new()), "{algorithm}");
        for harm in ["signature", "payload", "swapped-signature", "zero-signature"] {
            let bad = recipe(key, algorithm, Some(harm));
            let fails = (401, "Jwt verification fails".to_owned());
            assert_eq!(get(&envoy, &bad), fails, "{algorithm}: {harm}");
        }
    }
    // The module has no code for these curves; it would be a quarter larger.
    for (algorithm, key) in [("ES384", "es384"), ("ES512", "es512")] {
        let token = recipe(key, algorithm, None);
        assert_eq!(get(&envoy, &token), (401, NO_KEY.to_owned()), "{algorithm}");
    }
}

#[test]
fn the_log_says_so() {
    let log = start(&without_foreign_functions()).log();
    let configured = events(&log, "document_in_force").len();
    assert!(configured > 0, "{log}");
    let warnings = events(&log, "host_warning");
    // Each worker says a thing once.
    assert_eq!(warnings.len(), configured, "{warnings:?}");
    let said =
        |line: &Value| line["message"].as_str().is_some_and(|it| it.contains("`verify_signature`"));
    assert!(warnings.iter().all(said), "{warnings:?}");
    let is_warning = |line: &str| line.starts_with("[warning][wasm] ");
    assert!(log.lines().filter(|line| line.contains("host_warning")).all(is_warning), "{log}");
}

#[test]
fn a_whole_envoy_has_nothing_to_say() {
    let log = start(&Value::Null).log();
    assert!(!events(&log, "document_in_force").is_empty(), "{log}");
    assert!(events(&log, "host_warning").is_empty() && !log.contains("verify_signature"), "{log}");
}

/// A `capability_restriction_config` that allows everything that the module imports and exports,
/// except to call functions of Envoy that are not part of the ABI.
fn without_foreign_functions() -> Value {
    let module = fs::read(artifacts::wasm().unwrap()).expect("the module can be read");
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module) {
        match payload.expect("the module is well-formed") {
            Payload::ImportSection(section) => {
                let imports = section.into_imports().map(|import| import.expect("an import").name);
                names.extend(imports.map(str::to_owned));
            }
            Payload::ExportSection(section) => {
                let exports = section.into_iter().map(|export| export.expect("an export").name);
                names.extend(exports.map(str::to_owned));
            }
            _ => {}
        }
    }
    assert!(names.remove("proxy_call_foreign_function"), "it is called");
    let allowed: Map<String, Value> = names.into_iter().map(|name| (name, json!({}))).collect();
    json!({"allowed_capabilities": allowed})
}

fn start(capabilities: &Value) -> Envoy {
    let document = json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::key_set("jwks-all.json"),
            "algorithms": ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"],
        }],
        "routes": [{"paths": ["/{**}"], "access": "AUTHENTICATED"}],
    });
    let mut filter = filters::jwt_rbac("ours", &document, &artifacts::wasm().unwrap());
    if !capabilities.is_null() {
        filter["typed_config"]["config"]["capability_restriction_config"] = capabilities.clone();
    }
    let listeners = [listener("ours", &[filter])];
    let bootstrap = bootstrap(Upstream::start().address, &listeners, None);
    Envoy::start(&artifacts::envoy().unwrap(), &bootstrap).unwrap()
}

fn recipe(key: &str, algorithm: &str, tamper: Option<&str>) -> Recipe {
    Recipe {
        algorithm: Some(algorithm.to_owned()),
        tamper: tamper.map(str::to_owned),
        ..Recipe::of_caller("user").key(key)
    }
}

/// The status, and the body of a refusal.
fn get(envoy: &Envoy, token: &Recipe) -> (u16, String) {
    let response = Request::get("/").bearer(&token.mint()).send(envoy.address("ours"));
    let response = response.expect("an answer");
    let body = if response.status == 200 { String::new() } else { response.text() };
    (response.status, body)
}
