//! The fence: a header that only the filter writes, and the native policy that denies what lacks it.

use std::thread;
use std::time::Duration;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::lds::ListenerFile;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, ours, with_tunnels};
use jwt_rbac_e2e::manifests;
use jwt_rbac_e2e::native;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;
use serde_json::{Value, json};

const HEADER: &str = "x-jwt-rbac";
const VALUE: &str = manifests::SECRET;

/// In `guarded` the filter is in front of the policy, as in a sidecar; in `absent` the policy is alone.
#[test]
fn what_has_not_passed_the_filter_is_denied() {
    let envoy = start();
    let token = Recipe::of_caller("user").mint();
    let expired = Recipe::of_caller("user").claim("exp", json!("now-3600")).mint();
    for (request, status) in [
        (Request::get("/public"), 200),
        (Request::get("/members").bearer(&token), 200),
        (Request::get("/members"), 403),
        (Request::get("/public").bearer(&expired), 401),
        (Request::get("/tried"), 200),
        (handshake("/public"), 101),
    ] {
        let guarded = envoy.answer("guarded", &request);
        assert_eq!(guarded.status, status, "{request:?}: {}", guarded.text());
        if status < 300 {
            assert_eq!(fence_seen(&guarded), [VALUE], "{request:?}");
        }
        for forged in [None, Some("x"), Some("3f9c01d7a2b4e6885d1")] {
            let request = forged
                .into_iter()
                .fold(request.clone(), |request, value| request.header(HEADER, value));
            let absent = envoy.answer("absent", &request);
            assert_eq!((absent.status, absent.text().as_str()), (403, "RBAC: access denied"));
            let details = absent.header(DETAILS_HEADER).unwrap_or_default();
            assert_eq!(
                details, "rbac_access_denied_matched_policy[ns[default]-policy[fence]-rule[0]]",
                "not the filter's"
            );
        }
    }
}

#[test]
fn no_client_can_set_it() {
    let envoy = start();
    let token = Recipe::of_caller("user").mint();
    for spelling in [HEADER, "X-JWT-RBAC", "x_jwt_rbac", "X_Jwt-Rbac", "x.jwt.rbac"] {
        for value in [VALUE, "other", ""] {
            let sent = |request: Request| {
                request.header(spelling, value).header(HEADER, "second").header(spelling, "third")
            };
            for request in [
                Request::get("/public"),
                Request::get("/members").bearer(&token),
                Request::get("/tried"),
            ] {
                let response = envoy.answer("ours", &sent(request));
                assert_eq!(response.status, 200, "{spelling}: {}", response.text());
                assert_eq!(fence_seen(&response), [VALUE], "{spelling}");
            }
        }
    }
    let named = handshake("/public").header(HEADER, "x").header("connection", HEADER);
    let response = envoy.answer("ours", &named);
    assert_eq!((response.status, fence_seen(&response)), (101, vec![VALUE.to_owned()]));
    let connection = Seen::of(&response).expect("the workload answers").headers;
    assert!(!connection.iter().any(|(name, value)| name == "connection" && value.contains(HEADER)));
}

#[test]
fn its_value_is_in_no_log() {
    let mut broken = document();
    broken["fence"]["value"] = VALUE[..15].into();
    let mut all = document();
    all["decisionLog"] = "ALL".into();
    let file = ListenerFile::create(&[ours("ours", &all), ours("broken", &broken)]);
    let envoy = Envoy::before_upstream(&[], Some(file.path()));
    for path in ["/public", "/members", "/tried", "/nowhere"] {
        envoy.answer("ours", &Request::get(path).header(HEADER, VALUE));
    }
    thread::sleep(Duration::from_millis(100));
    let log = envoy.log();
    assert!(log.contains(r#""place":"fence.value""#), "the short value is refused: {log}");
    assert!(log.contains("route_unmatched"), "the decisions are logged: {log}");
    assert!(!log.contains(&VALUE[..15]), "{log}");
}

/// The values that the workload got, in whatever spelling of the name.
fn fence_seen(response: &Response) -> Vec<String> {
    let seen = Seen::of(response).unwrap_or_else(|| panic!("not the workload: {response:?}"));
    let is_fence = |name: &str| {
        let normal = name.to_ascii_lowercase().replace(['_', '.'], "-");
        normal == HEADER
    };
    seen.headers.into_iter().filter(|(name, _)| is_fence(name)).map(|(_, value)| value).collect()
}

fn handshake(path: &str) -> Request {
    Request::get(path).header("connection", "upgrade").header("upgrade", "websocket")
}

fn document() -> Value {
    json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
        }],
        "routes": [
            {"paths": ["/public"], "access": "PUBLIC"},
            {"paths": ["/members"], "access": "AUTHENTICATED"},
            {"paths": ["/tried"], "access": "AUTHENTICATED", "dryRun": true},
        ],
        "fence": {"header": HEADER, "value": VALUE},
    })
}

/// The policy of the manifest for details, which has the value of the tests.
fn policy() -> Value {
    let mut resources = manifests::rendered().into_iter();
    let policy = resources.find(|it| it.file == "fenced" && it.name() == "details-jwt-rbac-fence");
    policy.expect("the policy of details").filled().value
}

fn start() -> Envoy {
    let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
    let filter = filters::jwt_rbac("ours", &document(), &module);
    let policy = native::fence::filter(&policy());
    let listeners = [
        with_tunnels("guarded", &[filter.clone(), policy.clone()]),
        with_tunnels("absent", &[policy]),
        with_tunnels("ours", &[filter]),
    ];
    Envoy::before_upstream(&listeners, None)
}
