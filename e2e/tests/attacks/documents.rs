//! The listeners that are attacked, and for each a request that is good.

use std::sync::LazyLock;

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::listener::{ours, with_manager, with_trailers, with_tunnels};
use jwt_rbac_e2e::tokens::{self, Recipe};
use jwt_rbac_e2e::{artifacts, filters};
use serde_json::{Value, json};

use crate::forge;
use crate::hosts;
use crate::policies;

/// A provider with the keys that nearly every issuer has, and a table.
pub const TABLE: &str = "table";
/// The same with a key of every kind, `PS256` listed among the algorithms.
pub const ALL_KEYS: &str = "all-keys";
/// The same with a secret.
pub const SECRET: &str = "secret";
/// The same with an RSA key whose exponent is 3, beside the usual ones.
pub const LOW_EXPONENT: &str = "low-exponent";
/// Tokens are looked for in headers, parameters and cookies.
pub const PLACES: &str = "places";
/// Two issuers, each with its own place and output header.
pub const TWO_ISSUERS: &str = "two-issuers";
/// No table.
pub const AUTHENTICATION_ONLY: &str = "authentication-only";
/// WebSocket and CONNECT are let through by Envoy.
pub const TUNNELS: &str = "tunnels";
/// Envoy's router chooses one of several virtual hosts.
pub const HOSTS: &str = "hosts";
/// Trailers are let through by Envoy, in both directions of its HTTP/1.1.
pub const TRAILERS: &str = "trailers";
/// Policies, no table; clients connect to Envoy themselves.
pub const POLICIES: &str = "policies";
/// The same behind one proxy whose `x-forwarded-for` counts.
pub const BEHIND_PROXY: &str = "behind-proxy";
/// Istio's four settings of `pathNormalization`.
pub const NORMALIZATIONS: [&str; 4] = ["none", "base", "merge-slashes", "decode-and-merge-slashes"];

/// The permission that no honest token of the suite has.
pub const ADMIN: &str = "admin:all";

/// All of them.
pub fn listeners() -> Vec<Value> {
    let mut listeners = vec![
        ours(TABLE, &table(&provider())),
        ours(ALL_KEYS, &table(&all_keys())),
        ours(SECRET, &table(&secret())),
        ours(LOW_EXPONENT, &table(&low_exponent())),
        ours(PLACES, &table(&places())),
        ours(TWO_ISSUERS, &two_issuers()),
        ours(AUTHENTICATION_ONLY, &json!({"jwtRules": [provider()]})),
        hosts::listener(HOSTS),
        policies::listener(POLICIES, 0),
        policies::listener(BEHIND_PROXY, 1),
    ];
    let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
    let mut document = table(&provider());
    document["corsPreflight"] = "ALLOW".into();
    let tunnels = filters::jwt_rbac(TUNNELS, &document, &module);
    listeners.push(with_tunnels(TUNNELS, &[tunnels]));
    let trailers = filters::jwt_rbac(TRAILERS, &table(&provider()), &module);
    listeners.push(with_trailers(TRAILERS, &[trailers], TRAILERS));
    listeners.extend(NORMALIZATIONS.map(|name| {
        let filter = filters::jwt_rbac(name, &public_rest(), &module);
        with_manager(name, &[filter], |manager| normalize(name, manager))
    }));
    listeners
}

/// A request that the listener must answer with 200, whatever came before it.
pub fn good(listener: &str) -> Request {
    static TOKENS: LazyLock<[String; 2]> = LazyLock::new(|| {
        let user = Recipe::of_caller("user");
        let secret = Recipe { algorithm: Some("HS512".to_owned()), ..user.clone() }.key("hs512");
        [user.mint(), secret.mint()]
    });
    let request = Request::get("/members");
    match listener {
        SECRET => request.bearer(&TOKENS[1]),
        PLACES => request.header("x-token", &TOKENS[0]),
        POLICIES | BEHIND_PROXY => Request::get("/public/x"),
        HOSTS => request.header("host", "admin.example.com").bearer(&TOKENS[0]),
        _ => request.bearer(&TOKENS[0]),
    }
}

fn provider() -> Value {
    let mut provider = tokens::provider();
    provider["outputClaimToHeaders"] = json!([
        {"header": "x-sub", "claim": "sub"},
        {"header": "x-groups", "claim": "groups", "format": "LIST"},
    ]);
    provider["outputPayloadToHeader"] = "x-payload".into();
    provider
}

fn all_keys() -> Value {
    let mut provider = provider();
    provider["jwks"] = artifacts::key_set("jwks-all.json").into();
    provider
}

fn secret() -> Value {
    let mut provider = provider();
    provider["jwks"] = artifacts::key_set("jwks-oct.json").into();
    provider["algorithms"] = json!(["HS512"]);
    provider
}

fn low_exponent() -> Value {
    let mut provider = provider();
    let mut keys: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set is JSON");
    keys["keys"].as_array_mut().expect("a list of keys").push(forge::low_exponent_key());
    provider["jwks"] = keys.to_string().into();
    provider
}

fn places() -> Value {
    let mut provider = provider();
    provider["fromHeaders"] = json!([
        {"name": "authorization", "prefix": "Bearer "},
        {"name": "x-token"},
        {"name": "x-assertion", "prefix": "JWT "},
    ]);
    provider["fromParams"] = json!(["access_token", "token"]);
    provider["fromCookies"] = json!(["session"]);
    provider
}

fn two_issuers() -> Value {
    let provider = |issuer: &str, header: &str, output: &str| {
        json!({
            "issuer": issuer,
            "name": header,
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
            "fromHeaders": [{"name": header}, {"name": "authorization", "prefix": "Bearer "}],
            "outputClaimToHeaders": [{"header": output, "claim": "sub"}],
        })
    };
    json!({
        "jwtRules": [
            provider("https://tenant.auth0.com/", "x-one", "x-sub"),
            provider("https://other.example.com/", "x-other", "x-other-sub"),
        ],
        "routes": routes(),
    })
}

fn table(provider: &Value) -> Value {
    json!({
        "jwtRules": [provider],
        "routes": routes(),
        "revoked": {"jti": ["stolen"]},
    })
}

fn routes() -> Value {
    json!([
        {"name": "admin", "paths": ["/admin/{**}"], "permissions": [ADMIN]},
        {"name": "members", "paths": ["/members"], "access": "AUTHENTICATED"},
        {"name": "own", "paths": ["/users/{user}"],
            "claims": [{"claim": "sub", "pathVariable": "user"}]},
        {"name": "read", "paths": ["/items/{id}"], "methods": ["GET"], "access": "PUBLIC"},
        {"name": "delete", "paths": ["/items/{id}"], "methods": ["DELETE"],
            "permissions": [ADMIN]},
        {"name": "closed", "paths": ["/closed"], "access": "DENIED"},
        {"name": "public", "paths": ["/public/{**}"], "access": "PUBLIC"},
        {"name": "optional", "paths": ["/optional"], "access": "PUBLIC", "token": "OPTIONAL"},
    ])
}

/// The worst table for a path that is read in two ways: what is not the admin's is open.
fn public_rest() -> Value {
    json!({
        "jwtRules": [provider()],
        "routes": [
            {"name": "admin", "paths": ["/admin/{**}"], "permissions": [ADMIN]},
            {"name": "rest", "paths": ["/{**}"], "access": "PUBLIC"},
        ],
    })
}

/// What Istio sets for `pathNormalization` (`applyPathNormalization` in pilot's `listener.go`).
fn normalize(name: &str, manager: &mut Value) {
    manager["normalize_path"] = (name != "none").into();
    if matches!(name, "merge-slashes" | "decode-and-merge-slashes") {
        manager["merge_slashes"] = true.into();
    }
    if name == "decode-and-merge-slashes" {
        manager["path_with_escaped_slashes_action"] = "UNESCAPE_AND_FORWARD".into();
    }
}
