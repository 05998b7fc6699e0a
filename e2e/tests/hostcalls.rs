//! What Envoy and the filter ask of each other for one request: most of what the filter costs
//! (docs/costs.md). Envoy's own trace is counted.

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::ours;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::json;

/// What Envoy calls for every request; the first creates the context, the last deletes it.
const CALLBACKS: [&str; 3] =
    ["proxy_on_context_create", "proxy_on_request_headers", "proxy_on_delete"];

#[test]
fn a_request_takes_no_more_calls_than_it_needs() {
    let document = json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "anyAudience": true,
            "jwks": artifacts::jwks(),
        }],
        "routes": [
            {"paths": ["/public"], "access": "PUBLIC"},
            {"paths": ["/closed"], "permissions": ["nobody:has"]},
        ],
    });
    let envoy = Envoy::before_upstream(&[ours("ours", &document)], None);
    let token = Recipe::of_caller("user").mint();
    let send = |path: &str| envoy.answer("ours", &Request::get(path).bearer(&token));
    // So that nothing is done for the first time any more, the metrics neither.
    assert_eq!((send("/public").status, send("/closed").status), (200, 403));
    assert_eq!(envoy.stat("wasmcustom.jwt_rbac_allowed"), 1);
    envoy.trace("wasm");

    let allowed = calls(&envoy, || assert_eq!(send("/public").status, 200));
    assert_eq!(allowed.callbacks, CALLBACKS);
    let needed = [
        "proxy_get_header_map_pairs",
        "proxy_get_current_time_nanoseconds",
        "proxy_remove_header_map_value",
    ];
    assert_eq!(allowed.hostcalls, needed);

    let denied = calls(&envoy, || assert_eq!(send("/closed").status, 403));
    assert_eq!(denied.callbacks, CALLBACKS);
    let told = ["proxy_set_property", "proxy_log", "proxy_send_local_response"];
    let needed = [&needed[..2], &told].concat();
    assert_eq!(denied.hostcalls, needed);
}

/// What was called, in order.
struct Calls {
    callbacks: Vec<String>,
    hostcalls: Vec<String>,
}

/// What is called for a request, but for the memory that Envoy asks for to hand something over: all
/// until the filter hands over what it has counted. Nothing is counted before, and the first count
/// asks for that tick.
fn calls(envoy: &Envoy, request: impl FnOnce()) -> Calls {
    let before = envoy.log().len();
    request();
    // By then the tick is in the log.
    let _ = envoy.stat("wasmcustom.jwt_rbac_allowed");
    let log = envoy.log();
    let (log, _) = log[before..].split_once("[host->vm] proxy_on_tick").expect("a tick");
    let names = |mark: &str| -> Vec<String> {
        let calls = log.lines().filter_map(|line| line.split_once(mark));
        let names = calls.filter_map(|(_, call)| call.split(['(', ' ']).next());
        names.map(|name| name.trim_start_matches("env.").to_owned()).collect()
    };
    let mut hostcalls = names("[vm->host] ");
    let tick = hostcalls.iter().position(|name| name == "proxy_set_tick_period_milliseconds");
    hostcalls.remove(tick.expect("the first count asks for a tick"));
    let mut callbacks = names("[host->vm] ");
    callbacks.retain(|name| name != "proxy_on_memory_allocate");
    Calls { callbacks, hostcalls }
}
