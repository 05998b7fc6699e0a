//! Keys that live as long as the process.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_rbac::authn::algorithm::Algorithm;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{OsRng, RngCore as _};
use serde_json::json;

use super::problem::KeyProblem;
use super::{KeyError, SigningKey, json};

/// The name of a secret; other keys are named by their thumbprint.
const SECRET_NAME: &str = "try";
/// The smallest that the filter takes, because it is made fastest.
const RSA_BITS: usize = 2048;

impl SigningKey {
    /// A new key that signs with this algorithm.
    ///
    /// # Errors
    ///
    /// When the random number is none of a key, which does not happen.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::random(algorithm).map_err(KeyError::New)
    }

    fn random(algorithm: Algorithm) -> Result<Self, KeyProblem> {
        let jwk = match algorithm {
            Algorithm::Es256 => json!({"kty": "EC", "crv": "P-256", "d": random(32)}),
            Algorithm::Es384 => json!({"kty": "EC", "crv": "P-384", "d": random(48)}),
            // Of at most 512 bits, so that it is below the order of the curve.
            Algorithm::Es512 => json!({"kty": "EC", "crv": "P-521", "d": random(64)}),
            Algorithm::EdDsa => json!({"kty": "OKP", "crv": "Ed25519", "d": random(32)}),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                json!({"kty": "oct", "kid": SECRET_NAME, "k": random(64)})
            }
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => {
                let key = rsa::RsaPrivateKey::new(&mut OsRng, RSA_BITS);
                let der = key.map_err(|_| KeyProblem::Damaged)?.to_pkcs8_der();
                let der = der.map_err(|_| KeyProblem::Damaged)?;
                return Self::from_pkcs8(der.as_bytes(), Some(algorithm));
            }
        };
        json::signing_key(&[jwk], Some(algorithm))
    }
}

fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ALGORITHMS;

    #[test]
    fn there_is_a_key_for_every_algorithm() {
        for name in ALGORITHMS {
            let algorithm = Algorithm::from_name(name).unwrap();
            let key = SigningKey::generate(algorithm).unwrap();
            assert_eq!(key.public.algorithm, algorithm);
            assert!(key.public.kid.is_some(), "{name}");
        }
    }
}
