//! `jwt-rbac jwks`: the bytes that it prints, what it reads, and what it refuses.

mod common;

use std::fs;

use common::{failure, file, key, stdout, testdata};
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
fn files_are_required() {
    let message = refusal(&[], 2);
    assert!(message.contains("required arguments were not provided: <FILE>..."), "{message}");
}

#[test]
fn a_file_without_a_key_is_named_with_the_remedy() {
    let absent = testdata("keys/absent.pem");
    let cases = [
        (absent.as_str(), "cannot be read: No such file"),
        (&testdata("jwks.json"), "is not PEM; expected a private key in PKCS#8"),
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
