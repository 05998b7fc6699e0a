//! Other spellings of tokens: a token has one.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::json;

use crate::attack::{Attack, Outcome};
use crate::documents::PLACES;
use crate::forge;

const MALLEABLE: &str = "RFC 7515 §2, RFC 4648 §3.5: another spelling of a signed token";
const DOTS: &str = "CVE-2025-30204, CVE-2025-27144: a token of dots";
const OTHER_FORMS: &str = "RFC 7515 §7.2, RFC 7516: other forms than the compact JWS";
const CRASH: &str = "CVE-2019-12995: a token that is none";

pub fn attacks() -> Vec<Attack> {
    let groups = [respelled(), dots(), other_forms(), no_tokens()];
    groups.into_iter().flatten().collect()
}

/// The token is honest, and would open the route as it was signed.
fn respelled() -> Vec<Attack> {
    const SHAPES: [&str; 26] = [
        "{header}=.{payload}.{signature}",
        "{header}.{payload}=.{signature}",
        "{header}.{payload}.{signature}=",
        "{header}.{payload}.{signature}==",
        "{header}.{payload}.{signature}===",
        "{header}.{payload}.{signature+bits}",
        "{header}.{payload}.{signature}A",
        "{header}.{payload}.{signature}.",
        ".{header}.{payload}.{signature}",
        "{header}..{payload}.{signature}",
        "{header}.{payload}..{signature}",
        "{header}.{payload}.{signature}.x",
        "{header}. {payload}.{signature}",
        "{header}.{payload}.\t{signature}",
        "{header} .{payload}.{signature}",
        "{header}.{payload}.{signature},",
        "{header}.{payload}.{signature};",
        "{header}.{payload}.{signature}#",
        "{header}.{payload}.{signature}\u{ff}",
        "{header}.{payload}.{signature}\u{a0}",
        "{header}%2E{payload}%2E{signature}",
        "{header}.{payload}.{signature}%3D",
        "\"{header}.{payload}.{signature}\"",
        "<{header}.{payload}.{signature}>",
        "{payload}.{header}.{signature}",
        "{header}.{payload}.{signature}/../x",
    ];
    let mut attacks = Vec::new();
    for key in ["rs256", "es256"] {
        for shape in SHAPES {
            let recipe = Recipe { shape: shape.to_owned(), ..forge::by_key(key, &[]) };
            attacks.push(Attack::token(format!("{shape} by {key}"), MALLEABLE, &recipe.mint()));
        }
        let token = forge::by_key(key, &[]).mint();
        for (what, other) in [
            ("in capitals", token.to_uppercase()),
            ("in small letters", token.to_lowercase()),
            ("in the other alphabet", swapped(&token)),
            ("twice", format!("{token}{token}")),
            ("twice, by a dot", format!("{token}.{token}")),
            ("backwards", token.chars().rev().collect()),
        ] {
            if other != token {
                let name = format!("a token by {key}, {what}");
                attacks.push(Attack::token(name, MALLEABLE, &other));
            }
        }
    }
    attacks
}

/// The other alphabet of base64 (RFC 4648 §4); a signature nearly always has one of the two letters.
fn swapped(token: &str) -> String {
    token.replace('-', "+").replace('_', "/")
}

fn dots() -> Vec<Attack> {
    let rows = [1, 2, 3, 4, 100, 10_000, 30_000].map(|count| ".".repeat(count));
    let named = |dots: &String| Attack::token(format!("{} dots", dots.len()), DOTS, dots);
    rows.iter().map(named).collect()
}

fn other_forms() -> Vec<Attack> {
    let token = forge::by_key("rs256", &[]).mint();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("{token}") };
    let flat = json!({"protected": header, "payload": payload, "signature": signature});
    let general = json!({"payload": payload, "signatures": [flat]});
    let encrypted = forge::encode(br#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#);
    let nested = Recipe {
        raw_payload: Some(token.clone()),
        ..forge::by_key("rs256", &[("cty", "JWT".into())])
    };
    let detached = format!("{header}..{signature}");
    let unencoded = Recipe {
        shape: "{header}.{signature}.{signature}".to_owned(),
        ..forge::by_key("rs256", &[("b64", false.into()), ("crit", json!(["b64"]))])
    };
    [
        ("the flattened JSON form", flat.to_string()),
        ("the general JSON form", general.to_string()),
        ("JWE", format!("{encrypted}..AAAA.AAAA.AAAA")),
        ("JWE with a key", format!("{encrypted}.AAAA.AAAA.AAAA.AAAA")),
        ("a token in a token", nested.mint()),
        ("a detached payload", detached),
        ("an unencoded payload (RFC 7797)", unencoded.mint()),
        ("an SD-JWT", format!("{token}~")),
        ("an SD-JWT with a disclosure", format!("{token}~WyJhIiwgImIiLCAiYyJd~")),
        ("the base64 of a token", forge::encode(token.as_bytes())),
        ("a PASETO", "v4.public.eyJzdWIiOiJhZG1pbiJ9".to_owned()),
        ("an opaque token", "ya29.a0AfH6SMBx".to_owned()),
    ]
    .iter()
    .map(|(name, token)| Attack::token(*name, OTHER_FORMS, token))
    .collect()
}

/// What crashed parsers, in every place a token can be in.
fn no_tokens() -> Vec<Attack> {
    let object = forge::encode(br#"{"alg":"RS256"}"#);
    let rows = [
        "a.b.c".to_owned(),
        "e30.e30.e30".to_owned(),
        "e30.e30.".to_owned(),
        format!("{object}.{object}.AA"),
        format!("{object}.."),
        format!("{object}.e30.A"),
        format!("{}.e30.AA", forge::encode(b"{")),
        format!("{}.e30.AA", forge::encode(b"null")),
        format!("{}.e30.AA", forge::encode(b"\xff\xfe{}")),
        format!("{object}.{}.AA", forge::encode(b"[]")),
        format!("{object}.{}.AA", "A".repeat(20_000)),
        format!("{}.e30.AA", "A".repeat(20_000)),
        format!("{object}.e30.{}", "A".repeat(20_000)),
        "A".repeat(32 << 10),
    ];
    let mut attacks = Vec::new();
    for token in rows {
        let name =
            |place: &str| format!("{}… in {place}", token.chars().take(40).collect::<String>());
        let admin = Request::get("/admin");
        let query = Request::get(&format!("/admin?access_token={token}"));
        attacks.push(Attack::token(name("the header"), CRASH, &token));
        let unauthenticated = || Outcome::Unauthenticated;
        attacks.push(Attack::new(name("the query"), CRASH, query, unauthenticated()));
        for (place, request) in [
            ("a header", admin.clone().header("x-token", &token)),
            (
                "a header with a prefix",
                admin.clone().header("x-assertion", &format!("JWT {token}")),
            ),
            ("a cookie", admin.clone().header("cookie", &format!("session={token}"))),
        ] {
            let attack = Attack::new(name(place), CRASH, request, unauthenticated());
            attacks.push(attack.on(PLACES));
        }
    }
    attacks
}
