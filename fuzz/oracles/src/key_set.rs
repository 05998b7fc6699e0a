//! A key set as an operator or an issuer writes it.

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::worker::Worker;
use serde_json::{Value, json};

use crate::asked;
use crate::independent::encode;

/// Fails if this set is taken and should not be, or takes a token that nobody has signed.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let document = json!({"jwtRules": [{"anyAudience": true, "jwks": text}]}).to_string();
    let compile = || jwt_rbac_config::compile(document.as_bytes(), &mut RustCrypto);
    let document = match (compile(), compile()) {
        (Ok((document, _)), Ok(_)) => document,
        (Err(one), Err(other)) => {
            let [one, other] = [one, other].map(|it| format!("{:?}", it.errors));
            assert_eq!(one, other);
            return;
        }
        _ => panic!("the set is taken and refused"),
    };
    let set: Value = serde_json::from_str(text).expect("a set that is taken is JSON");
    let keys = set["keys"].as_array().expect("a set that is taken is a list of keys");
    assert!(keys.iter().all(|key| key["kty"] == "oct" || key.get("d").is_none()), "private");
    let mut worker = Worker::new(&document);
    for key in keys.iter().take(4) {
        for (algorithm, size) in [
            ("RS256", 256),
            ("ES256", 64),
            ("ES384", 96),
            ("ES512", 132),
            ("EdDSA", 64),
            ("HS256", 32),
        ] {
            let mut header = json!({"alg": algorithm});
            if let Some(id) = key.get("kid") {
                header["kid"] = id.clone();
            }
            let parts = [header.to_string().into_bytes(), br#"{"exp":4102444800}"#.to_vec()];
            let [header, payload] = parts.map(|part| encode(&part));
            let token = format!("Bearer {header}.{payload}.{}", encode(&vec![1; size]));
            let lines = asked::get(b"/", &[(b"authorization", token.as_bytes())]);
            asked::ask(&document, &mut worker, &lines, |_, decision| {
                assert!(decision.identity.is_none(), "a forged {algorithm} is accepted: {text}");
            });
        }
    }
}
