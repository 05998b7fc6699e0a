//! The private keys of `testdata/keys`, ready to sign.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use p521::ecdsa::signature::Signer as _;
use serde_json::Value;

use crate::artifacts;

/// A private key, or a secret.
pub struct SigningKey {
    signer: Signer,
    /// The `alg` of a token that does not say which.
    pub algorithm: &'static str,
    /// The `kid` under which `testdata/jwks*.json` have the key: its thumbprint (RFC 7638), or the
    /// name of a secret.
    pub id: String,
}

enum Signer {
    Library(EncodingKey),
    P521(p521::ecdsa::SigningKey),
}

/// The key of this name; each is read once, because reading one takes as long as signing.
///
/// | name | key |
/// |---|---|
/// | `…rs256`, `…es256`, `es384`, `eddsa` | the PEM file of that name |
/// | `es512` | likewise; `p521` signs, because `jsonwebtoken` does not know the curve |
/// | `hs512` | the secret in `hs512.txt` |
/// | `public:rs256` | the text of `rs256-public.pem` as a secret |
/// | `modulus:rs256` | the modulus of that key as a secret |
pub fn signing_key(name: &str) -> Arc<SigningKey> {
    static KEYS: Mutex<BTreeMap<String, Arc<SigningKey>>> = Mutex::new(BTreeMap::new());
    let mut keys = KEYS.lock().expect("no reader of keys has panicked");
    let key = keys.entry(name.to_owned()).or_insert_with(|| Arc::new(SigningKey::read(name)));
    Arc::clone(key)
}

impl SigningKey {
    fn read(name: &str) -> Self {
        let secret = |secret: &[u8], algorithm, id: &str| Self {
            signer: Signer::Library(EncodingKey::from_secret(secret)),
            algorithm,
            id: id.to_owned(),
        };
        if name == "hs512" {
            let text = artifacts::key_file("hs512.txt");
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).expect("a secret in base64url");
            return secret(&bytes, "HS512", name);
        }
        if let Some(name) = name.strip_prefix("public:") {
            let text = artifacts::key_file(&format!("{name}-public.pem"));
            return secret(text.as_bytes(), "HS256", &thumbprint(&public_key(name, "RS256")));
        }
        if let Some(name) = name.strip_prefix("modulus:") {
            let key = public_key(name, "RS256");
            let AlgorithmParameters::RSA(rsa) = &key.algorithm else { panic!("{name} is no RSA") };
            let modulus = BASE64_URL_SAFE_NO_PAD.decode(&rsa.n).expect("a modulus in base64url");
            return secret(&modulus, "HS256", &thumbprint(&key));
        }
        if name == "es512" {
            return Self::p521(name);
        }
        let algorithm = match name.rsplit('-').next() {
            Some("es256") => "ES256",
            Some("es384") => "ES384",
            Some("eddsa") => "EdDSA",
            _ => "RS256",
        };
        let id = thumbprint(&public_key(name, algorithm));
        Self { signer: Signer::Library(private_key(name, algorithm)), algorithm, id }
    }

    fn p521(name: &str) -> Self {
        let pem = artifacts::key_file(&format!("{name}.pem"));
        let secret = pem.parse::<p521::SecretKey>().expect("a private key of P-521");
        let key = p521::ecdsa::SigningKey::from_bytes(&secret.to_bytes());
        let signer = Signer::P521(key.expect("a private key signs"));
        let set: Value = serde_json::from_str(&artifacts::key_set("jwks-all.json")).expect("JSON");
        let keys = set["keys"].as_array().expect("a list of keys");
        let public = keys.iter().find(|key| key["crv"] == "P-521").expect("a key of P-521");
        let id = public["kid"].as_str().expect("a kid").to_owned();
        Self { signer, algorithm: "ES512", id }
    }

    /// The signature of these bytes by this `alg`.
    pub fn sign(&self, bytes: &[u8], algorithm: &str) -> Vec<u8> {
        match &self.signer {
            Signer::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(bytes);
                signature.to_bytes().to_vec()
            }
            Signer::Library(key) => {
                let algorithm = algorithm_named(algorithm);
                let signature = crypto::sign(bytes, key, algorithm).expect("the key signs");
                BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url")
            }
        }
    }
}

fn private_key(name: &str, algorithm: &str) -> EncodingKey {
    let pem = artifacts::key_file(&format!("{name}.pem"));
    let key = match algorithm {
        "ES256" | "ES384" => EncodingKey::from_ec_pem(pem.as_bytes()),
        "EdDSA" => EncodingKey::from_ed_pem(pem.as_bytes()),
        _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
    };
    key.unwrap_or_else(|error| panic!("testdata/keys/{name}.pem: {error}"))
}

fn public_key(name: &str, algorithm: &str) -> Jwk {
    let key = private_key(name, algorithm);
    let key = Jwk::from_encoding_key(&key, algorithm_named(algorithm));
    key.expect("a private key has a public one")
}

fn thumbprint(key: &Jwk) -> String {
    key.thumbprint(ThumbprintHash::SHA256).expect("a public key has a thumbprint")
}

fn algorithm_named(name: &str) -> Algorithm {
    Algorithm::from_str(name).unwrap_or_else(|_| panic!("jsonwebtoken does not know {name}"))
}
