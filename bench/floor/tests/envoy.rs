//! The module of this package in a real Envoy: it runs the steps of its configuration, and answers
//! 500 when one fails.

use jwt_rbac_bench::verify_signature;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::package;
use jwt_rbac_e2e::upstream::{Seen, Upstream};
use serde_json::{Value, json};

#[test]
fn every_step_is_taken() {
    let module = package::module("jwt-rbac-floor").unwrap();
    let right = verify_signature::arguments("RS256");
    // The text is the last field.
    let wrong = right.replace(&right[right.len() - 8..], "QUFBQUFB");
    let cases = [
        ("nothing", json!([]), 200),
        ("reads", json!(["header", "headers", "time", "count", "count"]), 200),
        ("removes", json!(["remove"]), 200),
        ("sets", json!([{"filter_state": {"name": "a", "value": "b"}}]), 200),
        ("verifies-rs256", json!([{"verify": right}]), 200),
        ("verifies-es256", json!([{"verify": verify_signature::arguments("ES256")}]), 200),
        ("refuses", json!([{"verify": wrong}]), 500),
        ("answers", json!(["headers", "local_reply"]), 403),
    ];
    let listeners = cases
        .each_ref()
        .map(|(name, steps, _)| listener(name, &[filters::jwt_rbac(name, steps, &module)]));
    let envoy = Envoy::before_upstream(&listeners, None);
    for (name, _, status) in &cases {
        let response = envoy.answer(name, &Request::get("/").bearer("token"));
        assert_eq!(response.status, *status, "{name}\n{}", envoy.log_tail());
        let has_token = Seen::of(&response)
            .map(|seen| seen.headers.iter().any(|(name, _)| name == "authorization"));
        let expected = (*status == 200).then_some(*name != "removes");
        assert_eq!(has_token, expected, "{name}");
    }
    assert_eq!(envoy.stat("wasmcustom.floor"), 2);
}

#[test]
fn unknown_steps_are_refused() {
    let module = package::module("jwt-rbac-floor").unwrap();
    for steps in [json!(["rest"]), json!({}), json!([{"verify": "?"}]), Value::Null] {
        let listeners = [listener("floor", &[filters::jwt_rbac("floor", &steps, &module)])];
        let bootstrap = bootstrap(Upstream::start().address, &listeners, None);
        assert!(Envoy::start(&artifacts::envoy().unwrap(), &bootstrap).is_err(), "{steps}");
    }
}
