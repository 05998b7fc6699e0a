//! Claims of every type and size, in tokens that the issuer has signed.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::{self, Recipe};
use serde_json::{Value, json};

use crate::attack::{Attack, Outcome};
use crate::forge;

const TIMES: &str = "RFC 7519 §4.1.4, RFC 8725 §3.8: times of every type and size";
const TYPES: &str = "CVE-2020-26160, RFC 7519 §4.1: claims of another type";
const CRITICAL: &str = "RFC 7515 §4.1.11: critical members";
const REPLAY: &str = "RFC 8725 §2.8: a token of another issuer or for another service";

pub fn attacks() -> Vec<Attack> {
    let groups = [times(), types(), critical(), elsewhere()];
    groups.into_iter().flatten().collect()
}

fn times() -> Vec<Attack> {
    let now = tokens::now();
    let past = [
        "0",
        "-0",
        "1",
        "-1",
        "0.5",
        "1e5",
        "1e-400",
        "-1e300",
        "9007199254740993e-8",
        "18446744073709551616",
        "1e20",
        "1e300",
        "99999999999999999999999999999999",
        "-9223372036854775808",
        "-9223372036854775809",
    ];
    let no_numbers = [
        "null",
        "true",
        "false",
        "\"\"",
        "\"9999999999\"",
        "\"never\"",
        "[]",
        "[9999999999]",
        "{}",
        "{\"exp\":9999999999}",
        "\"2999-01-01T00:00:00Z\"",
        "\"1e10\"",
        "\"Infinity\"",
    ];
    let mut attacks = Vec::new();
    for value in past.into_iter().chain(no_numbers) {
        attacks.push(time("exp", value));
    }
    for ago in [61, 62, 3_600, 86_400, 1_000_000_000] {
        attacks.push(time("exp", &(now - ago).to_string()));
    }
    // Seconds that somebody has taken for milliseconds, and the other way round.
    attacks.push(time("exp", &(now / 1_000).to_string()));
    for value in
        ["true", "\"0\"", "[]", "{}", "[0]", "-1", "1e20", "1e300", "99999999999999999999", "\"\""]
    {
        attacks.push(time("nbf", value));
    }
    // Longer than this suite takes on a busy machine; the edge is in `tests/decision.rs`.
    for ahead in [600, 3_600, 86_400_000] {
        attacks.push(time("nbf", &(now + ahead).to_string()));
    }
    for value in ["true", "\"0\"", "[]", "{}", "-1", "1e300", "99999999999999999999"] {
        attacks.push(time("iat", value));
    }
    attacks.push(Attack::token(
        "no exp",
        TIMES,
        &forge::by_key("rs256", &[]).claim("exp", Value::Null).mint(),
    ));
    attacks
}

/// A token in which this time has this value, written as it is.
fn time(name: &str, value: &str) -> Attack {
    let rest = if name == "exp" { "" } else { r#""exp":{exp},"# };
    let payload = format!(
        r#"{{"iss":"https://tenant.auth0.com/","aud":"https://bookinfo.io","permissions":["{}"],{rest}"{name}":{value}}}"#,
        crate::documents::ADMIN,
    );
    let recipe = Recipe { raw_payload: Some(payload), ..Recipe::default() };
    Attack::token(format!("{name} is {value}"), TIMES, &recipe.mint())
}

fn types() -> Vec<Attack> {
    let odd = [
        json!(7),
        json!(true),
        json!({"a": 1}),
        json!([["https://bookinfo.io"]]),
        json!([7]),
        json!(1.5),
    ];
    let mut attacks = Vec::new();
    for name in ["iss", "sub", "jti", "aud"] {
        for value in &odd {
            // A list of lists is none of texts under either name.
            let token = forge::by_key("rs256", &[]).claim(name, value.clone()).mint();
            attacks.push(Attack::token(format!("{name} is {value}"), TYPES, &token));
        }
    }
    for value in [json!([]), json!([""]), json!(""), json!("*")] {
        let token = forge::by_key("rs256", &[]).claim("aud", value.clone()).mint();
        attacks.push(denied(format!("aud is {value}"), TYPES, &token));
    }
    let none = forge::by_key("rs256", &[]).claim("aud", Value::Null).mint();
    attacks.push(denied("no aud", TYPES, &none));
    for value in [
        json!({"admin:all": true}),
        json!([["admin:all"]]),
        json!(["read", ["admin:all"]]),
        json!(["admin:all", 7]),
        json!(["admin:all", null]),
        json!([{"name": "admin:all"}]),
        json!(7),
        json!(true),
        json!([]),
        json!(""),
        json!(" "),
        Value::Null,
    ] {
        let token = forge::by_key("rs256", &[]).claim("permissions", value.clone()).mint();
        attacks.push(denied(format!("permissions are {value}"), TYPES, &token));
    }
    attacks
}

fn critical() -> Vec<Attack> {
    [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!("exp")),
        ("crit", json!(["http://example.com/UNDEFINED"])),
        ("crit", json!({})),
        ("crit", json!([["exp"]])),
        ("b64", json!(false)),
    ]
    .iter()
    .map(|(name, value)| {
        let token = forge::by_key("rs256", &[(name, value.clone())]).mint();
        Attack::token(format!("{name} is {value}"), CRITICAL, &token)
    })
    .collect()
}

/// Tokens that are good, but not here.
fn elsewhere() -> Vec<Attack> {
    let user = Recipe::of_caller("user");
    let mut attacks = Vec::new();
    for path in ["/admin", "/admin/", "/admin/x", "/users/auth0%7Cadmin", "/closed", "/other"] {
        let request = Request::get(path).bearer(&user.mint());
        attacks.push(Attack::new(format!("a user at {path}"), REPLAY, request, Outcome::Denied));
        let request = Request::get(path);
        attacks.push(Attack::new(format!("nobody at {path}"), REPLAY, request, Outcome::Denied));
    }
    let own = Request::get("/users/auth0%7Cuse").bearer(&user.mint());
    attacks.push(Attack::new("a user at the start of its name", REPLAY, own, Outcome::Denied));
    for issuer in ["https://other.example.com/", "https://tenant.auth0.com", "tenant.auth0.com"] {
        let token = forge::by_key("rs256", &[]).claim("iss", issuer.into()).mint();
        attacks.push(Attack::token(
            format!("by {issuer}"),
            "CVE-2021-21378: an unknown issuer",
            &token,
        ));
        let optional = Request::get("/public/x").bearer(&token);
        let name = format!("by {issuer}, where a token may be missing");
        let outcome = Outcome::Unauthenticated;
        attacks.push(Attack::new(name, "CVE-2021-21378: an unknown issuer", optional, outcome));
    }
    for audience in ["https://tenant.auth0.com/userinfo", "other", "account"] {
        let token = forge::by_key("rs256", &[]).claim("aud", audience.into()).mint();
        attacks.push(denied(format!("for {audience}"), REPLAY, &token));
    }
    attacks
}

/// A token for the admin's route that is good for something else.
fn denied(name: impl Into<String>, source: &'static str, token: &str) -> Attack {
    Attack::new(name, source, Request::get("/admin").bearer(token), Outcome::Denied)
}
