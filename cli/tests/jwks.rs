//! `jwt-rbac jwks`: the bytes that it prints, what it reads, and what it refuses.

mod common;

use std::fs;

use common::{failure, file, key, run_with_input, stdout, testdata, text};
use serde_json::{Value, json};

const ES256_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+UyKl528GzsGA+NiQzFoYE82nI5r
oWLYVNuVaWHd7RFbYSHQpGumoU5X3/gTOMj0dwdguMTq8eBTDDvqzs7XlQ==
-----END PUBLIC KEY-----
";

fn jwks(arguments: &[&str]) -> String {
    stdout(&[&["jwks"], arguments].concat())
}

fn refusal(arguments: &[&str], code: i32) -> String {
    failure(&[&["jwks"], arguments].concat(), code)
}

#[test]
fn prints_the_bytes_of_the_testdata() {
    let expected = fs::read_to_string(testdata("jwks.json")).unwrap();
    assert_eq!(jwks(&[&key("rs256"), &key("es256")]), expected);
}

#[test]
fn prints_every_kind_of_key_in_the_order_of_the_files() {
    let set: Value = serde_json::from_str(&jwks(&[&key("eddsa"), &key("es384")])).unwrap();
    let [eddsa, es384] = set["keys"].as_array().unwrap().as_slice() else { panic!("{set}") };
    assert_eq!(
        *eddsa,
        json!({
            "kty": "OKP",
            "use": "sig",
            "alg": "EdDSA",
            "kid": eddsa["kid"],
            "crv": "Ed25519",
            "x": "_ZpvBZ45fZo4JittDr-lpr5xAqFu-j_EkCFehQbW_Ec",
        })
    );
    assert_eq!((&es384["kty"], &es384["alg"]), (&json!("EC"), &json!("ES384")));
    assert_eq!(es384["crv"], "P-384");
}

#[test]
fn a_public_key_is_printed_like_the_private_one() {
    let public = file("jwks-public.pem", ES256_PUBLIC);
    assert_eq!(jwks(&[&public]), jwks(&[&key("es256")]));
}

#[test]
fn text_around_the_key_does_not_matter() {
    let public = file(
        "jwks-text.pem",
        &format!("subject=test\r\n{}\r\nthe end\r\n", ES256_PUBLIC.replace('\n', "\r\n")),
    );
    assert_eq!(jwks(&[&public]), jwks(&[&key("es256")]));
}

#[test]
fn private_members_are_never_printed() {
    for name in ["rs256", "es256", "es384", "eddsa"] {
        let set: Value = serde_json::from_str(&jwks(&[&key(name)])).unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(set["keys"][0].get(member).is_none(), "{name}: {member}");
        }
    }
}

#[test]
fn the_algorithm_can_be_another_one_that_fits() {
    let set: Value = serde_json::from_str(&jwks(&["--algorithm", "PS256", &key("rs256")])).unwrap();
    assert_eq!(set["keys"][0]["alg"], "PS256");
    let message = refusal(&["--algorithm", "PS256", &key("rs256"), &key("es256")], 1);
    assert!(message.contains("es256.pem` holds a key of kind P-256, which `PS256`"), "{message}");
}

#[test]
fn a_jwk_and_a_set_are_printed_like_the_keys_that_they_hold() {
    let set = fs::read_to_string(testdata("jwks.json")).unwrap();
    assert_eq!(jwks(&[&testdata("jwks.json")]), set);
    let keys: Value = serde_json::from_str(&set).unwrap();
    let one = file("jwks-one.json", &keys["keys"][1].to_string());
    assert_eq!(jwks(&[&one]), jwks(&[&key("es256")]));
    let all: Value = serde_json::from_str(&jwks(&[&testdata("jwks-all.json")])).unwrap();
    let curves: Vec<_> =
        all["keys"].as_array().unwrap().iter().filter_map(|key| key["crv"].as_str()).collect();
    assert_eq!(curves, ["P-256", "P-384", "P-521", "Ed25519"]);
}

#[test]
fn a_private_jwk_loses_its_private_part_and_keeps_its_name() {
    // RFC 7517 appendix A.2.
    let text = r#"{"kty": "EC", "crv": "P-256", "kid": "1", "use": "enc",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;
    let set: Value = serde_json::from_str(&jwks(&[&file("jwks-private.json", text)])).unwrap();
    let expected = json!({
        "kty": "EC", "use": "sig", "alg": "ES256", "kid": "1", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    });
    assert_eq!(set["keys"][0], expected);
}

#[test]
fn a_secret_is_its_own_key_and_gets_no_name() {
    let secret = json!({"kty": "oct", "k": "A".repeat(86), "alg": "HS512"});
    let set: Value =
        serde_json::from_str(&jwks(&[&file("jwks-oct.json", &secret.to_string())])).unwrap();
    let expected = json!({"kty": "oct", "use": "sig", "alg": "HS512", "k": "A".repeat(86)});
    assert_eq!(set["keys"][0], expected);
    let short = json!({"kty": "oct", "k": "c2VjcmV0"});
    let message = refusal(&[&file("jwks-short.json", &short.to_string())], 1);
    assert!(message.contains("holds a secret of 6 bytes; HS256 needs 32"), "{message}");
}

#[test]
fn a_key_comes_from_standard_input() {
    let pem = fs::read_to_string(key("es256")).unwrap();
    let output = run_with_input(&["jwks", "-"], &pem);
    assert_eq!(text(&output.stdout), jwks(&[&key("es256")]));
}

#[test]
fn json_that_is_no_key_is_told_from_pem() {
    let cases = [
        (json!({"sub": "x"}), "is JSON, but no JWK and no set of them"),
        (json!({"keys": []}), "is JSON, but no JWK and no set of them"),
        (json!({"kty": "EC", "crv": "P-256", "x": "AA"}), "holds a JWK whose `y` is missing"),
        (json!({"kty": "EC", "crv": "secp256k1"}), "holds a key of kind secp256k1"),
        (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "holds an RSA key of 17 bits"),
    ];
    for (number, (value, expected)) in cases.iter().enumerate() {
        let path = file(&format!("jwks-json-{number}.json"), &value.to_string());
        let message = refusal(&[&path], 1);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_are_required() {
    let message = refusal(&[], 2);
    assert!(message.contains("required arguments were not provided: <FILE>..."), "{message}");
}

#[test]
fn a_file_without_a_key_is_named_with_the_remedy() {
    let absent = testdata("keys/absent.pem");
    let cases = [
        (absent.as_str(), "cannot be read: No such file"),
        (&file("jwks-empty.pem", ""), "is not PEM"),
        (
            &file("jwks-cut.pem", &ES256_PUBLIC.replace("oWLY", "")),
            "holds a key that does not decode",
        ),
        (&file("jwks-pkcs1.pem", &block("RSA PRIVATE KEY")), "openssl pkey -in FILE"),
        (&file("jwks-certificate.pem", &block("CERTIFICATE")), "openssl x509 -in FILE"),
    ];
    for (path, expected) in cases {
        let message = refusal(&[&key("es256"), path], 1);
        assert!(message.starts_with(&format!("`{path}` ")), "{message}");
        assert!(message.contains(expected) && message.contains("openssl "), "{message}");
    }
}

fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}
