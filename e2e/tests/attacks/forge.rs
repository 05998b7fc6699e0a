//! Tokens that no key of the suite has signed, put together byte by byte.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::garbage::Garbage;
use jwt_rbac_e2e::tokens::{self, Recipe};
use num_bigint::BigUint;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::documents::ADMIN;

/// The claims that the attacker would like to have: everything is right about them but who says so.
pub fn claims() -> String {
    json!({
        "iss": "https://tenant.auth0.com/",
        "aud": "https://bookinfo.io",
        "sub": "auth0|admin",
        "exp": tokens::now() + 3600,
        "permissions": [ADMIN],
    })
    .to_string()
}

/// What a signature is over.
pub fn signed(header: &str, payload: &str) -> String {
    format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()))
}

/// A token with this header, [`claims`] and whatever `sign` makes of what is signed.
pub fn token(header: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = signed(header, &claims());
    format!("{signed}.{}", encode(&sign(signed.as_bytes())))
}

/// The same with a signature that does not depend on what is signed.
pub fn with_signature(header: &str, signature: &[u8]) -> String {
    token(header, |_| signature.to_vec())
}

/// A token with HS256, HS384 or HS512 under this secret.
pub fn hmac(algorithm: Algorithm, header: &str, secret: &[u8]) -> String {
    token(header, |signed| {
        let key = EncodingKey::from_secret(secret);
        let signature = crypto::sign(signed, &key, algorithm).expect("any secret signs");
        BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url")
    })
}

/// A token of the admin's claims by a key of `testdata/keys`, honest but for what the header says.
pub fn by_key(key: &str, header: &[(&str, Value)]) -> Recipe {
    let Value::Object(claims) = serde_json::from_str(&claims()).expect("claims are JSON") else {
        unreachable!("claims are an object")
    };
    let mut recipe = Recipe { claims, ..Recipe::default() }.key(key);
    for (name, value) in header {
        recipe.header.insert((*name).to_owned(), value.clone());
    }
    recipe
}

/// A member of the first key of this kind in a key set of `testdata`.
pub fn member(set: &str, kind: &str, name: &str) -> String {
    let set: Value = serde_json::from_str(&artifacts::key_set(set)).expect("a key set is JSON");
    let keys = set["keys"].as_array().expect("a list of keys");
    let key = keys.iter().find(|key| key["kty"] == kind || key["crv"] == kind);
    let member = key.and_then(|key| key[name].as_str());
    member.unwrap_or_else(|| panic!("no {kind} with {name}")).to_owned()
}

/// The DER of a PEM file.
pub fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    BASE64_STANDARD.decode(lines.collect::<String>()).expect("PEM is base64")
}

pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

pub fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// A public RSA key of 2048 bits with the exponent 3. Nobody knows its private half, and a forgery
/// does not need one.
pub fn low_exponent_key() -> Value {
    let mut garbage = Garbage::new();
    let byte = |garbage: &mut Garbage| u8::try_from(garbage.below(256)).expect("below 256");
    let mut modulus: Vec<u8> = (0..256).map(|_| byte(&mut garbage)).collect();
    modulus[0] = 0xff;
    modulus[255] |= 1;
    json!({"kty": "RSA", "alg": "RS256", "kid": "low", "e": "Aw", "n": encode(&modulus)})
}

/// A signature whose cube begins like a padded hash, with garbage behind it: a check that does not
/// look at the end of the block takes it (Bleichenbacher, CRYPTO 2006).
pub fn cube_root(block_start: &[u8]) -> Vec<u8> {
    let mut block = block_start.to_vec();
    block.resize(256, 0);
    let root = BigUint::from_bytes_be(&block).cbrt() + 1_u32;
    let root = root.to_bytes_be();
    [vec![0; 256 - root.len()], root].concat()
}
