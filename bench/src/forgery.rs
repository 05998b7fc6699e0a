//! Public keys, and tokens with invalid signatures that take as long to check as valid ones.
//!
//! A token that is refused needs no private key, so the keys are random where any number will do: a
//! check takes as long with a modulus that is not the product of two primes. They are made in every
//! run and never stored.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::recipe::recipe;
use jwt_rbac_e2e::garbage::Garbage;

/// The generator of Curve25519 (RFC 8032 §5.1): the first half of a signature that is a point.
const ED25519_POINT: [u8; 32] = {
    let mut point = [0x66; 32];
    point[0] = 0x58;
    point
};

/// A kind of public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// RSA with a modulus of this many bytes.
    Rsa(usize),
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
}

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forgery {
    /// The `alg` of its header, such as `PS256`. It has no `kid`.
    pub algorithm: &'static str,
    /// The keys that it is for.
    pub keys: KeyKind,
}

impl KeyKind {
    /// A key set of this many keys without `alg`, with a `kid` each or without.
    pub fn key_set(self, count: usize, have_ids: bool) -> String {
        let mut source = Garbage::new();
        let key = |number: usize| {
            let mut key = self.key(&mut source);
            if have_ids {
                key["kid"] = format!("key-{number}").into();
            }
            key
        };
        json!({"keys": (0..count).map(key).collect::<Vec<_>>()}).to_string()
    }

    fn key(self, source: &mut Garbage) -> Value {
        match self {
            Self::Rsa(size) => {
                let mut modulus = bytes(source, size);
                // The modulus has its full size and is odd.
                modulus[0] = 0xff;
                modulus[size - 1] |= 1;
                json!({"kty": "RSA", "n": encode(&modulus), "e": "AQAB"})
            }
            Self::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&small_number(source, 48));
                let point = p384::ecdsa::VerifyingKey::from(key.expect("a number below the order"))
                    .to_encoded_point(false);
                ec_key("P-384", point.as_bytes())
            }
            Self::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(&small_number(source, 66));
                let point =
                    p521::ecdsa::VerifyingKey::from(&key.expect("a number below the order"))
                        .to_encoded_point(false);
                ec_key("P-521", point.as_bytes())
            }
            Self::Ed25519 => {
                let seed = bytes(source, 32).try_into().expect("as many bytes as asked for");
                let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.as_bytes())})
            }
        }
    }

    /// A signature whose numbers are all in range, so that only the whole check shows that it is
    /// invalid.
    fn signature(self, source: &mut Garbage) -> Vec<u8> {
        match self {
            Self::Rsa(size) => small_number(source, size),
            Self::P384 => [small_number(source, 48), small_number(source, 48)].concat(),
            Self::P521 => [small_number(source, 66), small_number(source, 66)].concat(),
            Self::Ed25519 => {
                let mut scalar = small_number(source, 32);
                // The least byte comes first.
                scalar.reverse();
                [ED25519_POINT.to_vec(), scalar].concat()
            }
        }
    }
}

impl Forgery {
    /// The token of one of the callers.
    pub fn token(self, number: usize) -> String {
        let mut source = Garbage::new();
        // Each token starts at another place of the random numbers, and none where keys start.
        for _ in 0..=number {
            source.below(2);
        }
        // The shape replaces the signature, so the key that signs does not matter; this one is
        // fast.
        let mut recipe = recipe(number).key("eddsa");
        recipe.header.insert("alg".to_owned(), self.algorithm.into());
        recipe.header.insert("kid".to_owned(), Value::Null);
        recipe.shape =
            format!("{{header}}.{{payload}}.{}", encode(&self.keys.signature(&mut source)));
        recipe.mint()
    }
}

fn ec_key(curve: &str, point: &[u8]) -> Value {
    // RFC 5480 §2.2: the byte 4, and both coordinates.
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}

fn bytes(source: &mut Garbage, count: usize) -> Vec<u8> {
    (0..count).map(|_| u8::try_from(source.below(256)).expect("below 256")).collect()
}

/// A number of this many bytes, the first of which is zero: below every modulus and order here.
fn small_number(source: &mut Garbage, size: usize) -> Vec<u8> {
    let mut number = bytes(source, size);
    number[0] = 0;
    number
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use jwt_rbac::authn::algorithm::Algorithm;
    use jwt_rbac::authn::jwk::Jwk;

    use super::*;

    const KINDS: [KeyKind; 4] =
        [KeyKind::Rsa(1024), KeyKind::P384, KeyKind::P521, KeyKind::Ed25519];

    #[test]
    fn every_key_is_one_that_the_filter_takes() {
        for kind in KINDS {
            let set: Value = serde_json::from_str(&kind.key_set(2, true)).unwrap();
            for (number, key) in set["keys"].as_array().unwrap().iter().enumerate() {
                let key = Jwk::parse(key, Some(Algorithm::ALL))
                    .unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
                assert_eq!(key.id, Some(format!("key-{number}")));
            }
            assert_ne!(set["keys"][0], set["keys"][1]);
            assert!(!kind.key_set(1, false).contains("kid"));
        }
    }

    #[test]
    fn tokens_name_the_algorithm_and_no_key() {
        let forgery = Forgery { algorithm: "PS256", keys: KeyKind::Rsa(256) };
        let token = forgery.token(0);
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("{token}")
        };
        let decode = |part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: Value = serde_json::from_slice(&decode(header)).unwrap();
        assert_eq!((header["alg"].as_str(), header.get("kid")), (Some("PS256"), None));
        assert_eq!(decode(signature).len(), 256);
    }
}
