//! `alg`: the token names it, and must not choose it.

use jsonwebtoken::Algorithm;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Value, json};

use crate::attack::Attack;
use crate::documents::{ALL_KEYS, LOW_EXPONENT, SECRET};
use crate::forge;

const NONE: &str = "CVE-2015-9235, RFC 8725 §2.1: alg none";
const CONFUSION: &str = "CVE-2016-10555, CVE-2022-29217, RFC 8725 §3.1: a public key as a secret";
const MISMATCH: &str = "RFC 8725 §3.1, RFC 7518 §3.4: another algorithm than the key's";
const EMBEDDED: &str = "CVE-2018-0114, RFC 8725 §3.10: a key that the token brings";

pub fn attacks() -> Vec<Attack> {
    let groups =
        [nones(), public_keys_as_secrets(), other_algorithms(), odd_values(), embedded_keys()];
    groups.into_iter().flatten().collect()
}

/// Unsigned tokens, by every name that a library has taken for `none`.
fn nones() -> Vec<Attack> {
    const NAMES: [&str; 16] = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "NoNe",
        " none",
        "none ",
        "none\\u0000",
        "n\\u006fne",
        "n\u{43e}ne",
        "\u{ff4e}one",
        "",
        "null",
        "plain",
        "undefined",
        "false",
    ];
    let mut attacks = Vec::new();
    for name in NAMES {
        for (what, signature) in [("no", ""), ("a short", "AA"), ("a long", &"A".repeat(342))] {
            let header = format!(r#"{{"alg":"{name}","typ":"JWT"}}"#);
            let token = forge::with_signature(&header, &[]) + signature;
            attacks.push(Attack::token(
                format!("alg {name:?} with {what} signature"),
                NONE,
                &token,
            ));
        }
    }
    attacks
}

/// Tokens signed with what everybody knows of the key.
fn public_keys_as_secrets() -> Vec<Attack> {
    let pem = artifacts::key_file("rs256-public.pem");
    let der = forge::der(&pem);
    let modulus = forge::member("jwks.json", "RSA", "n");
    let (x, y) = (forge::member("jwks.json", "EC", "x"), forge::member("jwks.json", "EC", "y"));
    let coordinates = [forge::decode(&x), forge::decode(&y)].concat();
    let set = artifacts::jwks();
    let keys: Value = serde_json::from_str(&set).expect("a key set is JSON");
    let secrets: Vec<(&str, Vec<u8>)> = vec![
        ("the PEM", pem.clone().into_bytes()),
        ("the PEM without its last line break", pem.trim_end().into()),
        ("the PEM with CRLF", pem.replace('\n', "\r\n").into()),
        ("the PEM without line breaks", pem.replace('\n', "").into()),
        (
            "the base64 of the PEM",
            pem.lines().filter(|line| !line.starts_with('-')).collect::<String>().into(),
        ),
        (
            "the PEM, called a PKCS #1 key (CVE-2017-11424)",
            pem.replace("PUBLIC", "RSA PUBLIC").into(),
        ),
        ("the DER", der.clone()),
        // The 24 bytes before are the algorithm, and the head of the bit string (RFC 3279 §2.3.1).
        ("the PKCS #1 DER", der[24..].to_vec()),
        ("the modulus", forge::decode(&modulus)),
        ("the modulus with a zero before it", [vec![0], forge::decode(&modulus)].concat()),
        ("the modulus as it is in the set", modulus.into()),
        ("the coordinates", coordinates.clone()),
        ("the point", [vec![4], coordinates].concat()),
        ("one coordinate", forge::decode(&x)),
        ("the key set", set.into()),
        ("the JWK", keys["keys"][0].to_string().into()),
        ("nothing (CVE-2019-20933)", Vec::new()),
        ("a zero", vec![0]),
        ("the word secret", b"secret".to_vec()),
    ];
    let ids = [
        Some(forge::member("jwks.json", "RSA", "kid")),
        Some(forge::member("jwks.json", "EC", "kid")),
        None,
    ];
    let algorithms = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    let mut attacks = Vec::new();
    for (what, secret) in &secrets {
        for algorithm in algorithms {
            for id in &ids {
                let mut header = json!({"alg": format!("{algorithm:?}"), "typ": "JWT"});
                if let Some(id) = id {
                    header["kid"] = id.clone().into();
                }
                let token = forge::hmac(algorithm, &header.to_string(), secret);
                for listener in [crate::documents::TABLE, ALL_KEYS, SECRET] {
                    let name = format!("{algorithm:?} by {what}, kid {id:?}");
                    attacks.push(Attack::token(name, CONFUSION, &token).on(listener));
                }
            }
        }
    }
    attacks
}

/// Honest signatures of one kind under the name of another, with every `kid` there is.
fn other_algorithms() -> Vec<Attack> {
    const KEYS: [(&str, &str); 5] = [
        ("rs256", "RS256"),
        ("es256", "ES256"),
        ("es384", "ES384"),
        ("es512", "ES512"),
        ("eddsa", "EdDSA"),
    ];
    const NAMES: [&str; 18] = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "HS256", "HS384", "HS512", "ES256K", "Ed25519", "Ed448", "RS1", "dir",
    ];
    let mut attacks = Vec::new();
    for (key, algorithm) in KEYS {
        for name in NAMES.into_iter().filter(|name| *name != algorithm) {
            for id in KEYS.map(|(id, _)| format!("{{kid:{id}}}")) {
                let recipe = Recipe {
                    algorithm: Some(algorithm.to_owned()),
                    ..forge::by_key(key, &[("alg", name.into()), ("kid", id.clone().into())])
                };
                let what = format!("{name} over a signature by {key}, kid {id}");
                let token = recipe.mint();
                attacks.push(Attack::token(what, MISMATCH, &token).on(ALL_KEYS));
            }
        }
    }
    // The set says that the key is for RS256 alone.
    for name in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        let recipe = Recipe {
            algorithm: Some(name.to_owned()),
            ..forge::by_key("rs256", &[("alg", name.into())])
        };
        let what = format!("an honest {name} by a key for RS256");
        attacks.push(Attack::token(what, MISMATCH, &recipe.mint()).on(LOW_EXPONENT));
    }
    attacks
}

/// `alg` that is no name of an algorithm, though the signature is honest.
fn odd_values() -> Vec<Attack> {
    const VALUES: [&str; 18] = [
        r#"["RS256"]"#,
        r#"{"RS256":1}"#,
        "true",
        "256",
        "null",
        r#""rs256""#,
        r#""RS256 ""#,
        r#"" RS256""#,
        r#""RS256\u0000""#,
        r#""RS256\n""#,
        r#""HS256,RS256""#,
        r#""RS256/none""#,
        r#""SHA256withRSA""#,
        r#""RS256\u00a0""#,
        r#""\uff32S256""#,
        r#""R\u0405256""#,
        r#""http://www.w3.org/2001/04/xmldsig-more#rsa-sha256""#,
        r#""RSA""#,
    ];
    let mut attacks = Vec::new();
    for value in VALUES {
        let recipe = Recipe {
            raw_header: Some(format!(r#"{{"alg":{value},"kid":"{{kid}}"}}"#)),
            algorithm: Some("RS256".to_owned()),
            ..forge::by_key("rs256", &[])
        };
        attacks.push(Attack::token(format!("alg {value}"), MISMATCH, &recipe.mint()));
    }
    attacks
}

/// Keys of the attacker, in or behind every member of a header that can hold or name one.
fn embedded_keys() -> Vec<Attack> {
    let set: Value =
        serde_json::from_str(&artifacts::key_set("jwks-stranger.json")).expect("a key set is JSON");
    let keys = set["keys"].as_array().expect("a list of keys");
    let of_kind = |kind: &str| keys.iter().find(|key| key["kty"] == kind).cloned();
    let mut attacks = Vec::new();
    for (key, kind) in [("stranger-rs256", "RSA"), ("stranger-es256", "EC")] {
        let jwk = of_kind(kind).unwrap_or_else(|| json!({"kty": kind}));
        let theirs = if kind == "RSA" { "{kid:rs256}" } else { "{kid:es256}" };
        for (name, value) in [
            ("jwk", jwk.clone()),
            ("jwks", set.clone()),
            ("keys", json!([jwk])),
            ("jku", json!("https://evil.test/jwks.json")),
            ("jku", json!("https://tenant.auth0.com/.well-known/jwks.json@evil.test/")),
            ("jku", json!("file:///dev/null")),
            ("jku", json!("http://169.254.169.254/latest/meta-data/")),
            ("x5u", json!("https://evil.test/cert.pem")),
            ("x5c", json!(["MIIBszCCARygAwIBAgIJAK"])),
            ("x5t", json!("A".repeat(27))),
            ("x5t#S256", json!("A".repeat(43))),
            ("epk", jwk.clone()),
            ("pem", json!(artifacts::key_file("rs256-public.pem"))),
        ] {
            for id in [theirs.into(), json!("stranger"), Value::Null] {
                let token =
                    forge::by_key(key, &[(name, value.clone()), ("kid", id.clone())]).mint();
                let what = format!("{name} of a stranger's {kind} key, kid {id}");
                attacks.push(Attack::token(what, EMBEDDED, &token));
            }
        }
    }
    attacks
}
