//! Keys in PEM files: a private one signs, and both kinds yield the public key, whose name (`kid`)
//! is its RFC 7638 thumbprint, so that `token` and `jwks` use the same name.

use std::fs;
use std::path::Path;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use pem::{Pem, PemError};
use pkcs8::der::Encode;
use pkcs8::der::asn1::UintRef;
use pkcs8::{PrivateKeyInfo, SubjectPublicKeyInfoRef};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Error;

use self::kind::Kind;
pub use self::problem::KeyProblem;
use self::problem::Wanted;

mod kind;
mod problem;

/// The algorithms that some key can sign with, by name.
pub const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// A private key and the algorithm that it signs with.
pub struct SigningKey {
    encoding: EncodingKey,
    /// What verifies its signatures.
    pub public: PublicKey,
}

impl SigningKey {
    /// Reads a private key in PKCS#8 that signs with `algorithm`, or with the default of its kind.
    ///
    /// # Errors
    ///
    /// When the file can't be read, holds something else, or `algorithm` does not fit the key.
    pub fn read(path: &Path, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        read(path, Wanted::Private, |block| match block.tag() {
            "PRIVATE KEY" => Self::from_pkcs8(block.contents(), algorithm),
            label => Err(KeyProblem::block(label, Wanted::Private)),
        })
    }

    /// The compact token of `header` and `claims`.
    ///
    /// # Errors
    ///
    /// When the key can't sign, because it is damaged.
    pub fn sign(&self, header: &Header, claims: &Map<String, Value>) -> Result<String, Error> {
        jsonwebtoken::encode(header, claims, &self.encoding).map_err(Error::Sign)
    }

    fn from_pkcs8(der: &[u8], algorithm: Option<Algorithm>) -> Result<Self, KeyProblem> {
        let info = PrivateKeyInfo::try_from(der).map_err(|_| KeyProblem::Damaged)?;
        let kind = Kind::of(&info.algorithm)?;
        let encoding = match kind {
            Kind::Rsa => {
                let key = pkcs1::RsaPrivateKey::try_from(info.private_key);
                check_size(key.map_err(|_| KeyProblem::Damaged)?.modulus)?;
                EncodingKey::from_rsa_der(info.private_key)
            }
            Kind::P256 | Kind::P384 => EncodingKey::from_ec_der(der),
            Kind::Ed25519 => {
                // `Jwk` tells an Ed25519 key by its length, so the public key that RFC 5958 allows
                // is left out.
                let bare = PrivateKeyInfo::new(info.algorithm, info.private_key).to_der();
                EncodingKey::from_ed_der(&bare.map_err(|_| KeyProblem::Damaged)?)
            }
        };
        let jwk = Jwk::from_encoding_key(&encoding, kind.default_algorithm());
        let public = PublicKey::new(kind, &jwk.map_err(|_| KeyProblem::Damaged)?, algorithm)?;
        Ok(Self { encoding, public })
    }
}

/// A public key and the algorithm of the tokens that it verifies.
#[derive(Debug, PartialEq)]
pub struct PublicKey {
    pub algorithm: Algorithm,
    /// The RFC 7638 SHA-256 thumbprint.
    pub kid: String,
    pub parameters: Parameters,
}

/// The members of a JWK that make the key, in the order in which they are printed.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Parameters {
    Rsa { e: String, n: String },
    Ec { crv: &'static str, x: String, y: String },
    Okp { crv: &'static str, x: String },
}

impl PublicKey {
    /// Reads a public key, or the public part of a private one, for `algorithm` or the default of its kind.
    ///
    /// # Errors
    ///
    /// When the file can't be read, holds something else, or `algorithm` does not fit the key.
    pub fn read(path: &Path, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        read(path, Wanted::PrivateOrPublic, |block| match block.tag() {
            "PRIVATE KEY" => {
                SigningKey::from_pkcs8(block.contents(), algorithm).map(|key| key.public)
            }
            "PUBLIC KEY" => Self::from_spki(block.contents(), algorithm),
            label => Err(KeyProblem::block(label, Wanted::PrivateOrPublic)),
        })
    }

    fn from_spki(der: &[u8], algorithm: Option<Algorithm>) -> Result<Self, KeyProblem> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyProblem::Damaged)?;
        let kind = Kind::of(&info.algorithm)?;
        let bits = info.subject_public_key.as_bytes().ok_or(KeyProblem::Damaged)?;
        let decoding = match kind {
            Kind::Rsa => {
                let key = pkcs1::RsaPublicKey::try_from(bits).map_err(|_| KeyProblem::Damaged)?;
                check_size(key.modulus)?;
                DecodingKey::from_rsa_raw_components(
                    key.modulus.as_bytes(),
                    key.public_exponent.as_bytes(),
                )
            }
            Kind::P256 | Kind::P384 if matches!(bits, [2 | 3, ..]) => {
                return Err(KeyProblem::Compressed);
            }
            Kind::P256 | Kind::P384 => DecodingKey::from_ec_der(bits),
            Kind::Ed25519 => DecodingKey::from_ed_der(bits),
        };
        let jwk = Jwk::from_decoding_key(&decoding, None).map_err(|_| KeyProblem::Damaged)?;
        // `Jwk` looks at lengths only. Checking a signature, whatever it is, finds a point that is
        // not on the curve.
        jsonwebtoken::crypto::verify("", b"", &decoding, kind.default_algorithm())
            .map_err(|_| KeyProblem::Damaged)?;
        Self::new(kind, &jwk, algorithm)
    }

    fn new(kind: Kind, jwk: &Jwk, algorithm: Option<Algorithm>) -> Result<Self, KeyProblem> {
        let algorithm = kind.algorithm(algorithm)?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyProblem::Damaged)?;
        let crv = kind.curve();
        let parameters = match &jwk.algorithm {
            AlgorithmParameters::RSA(key) => Parameters::Rsa { e: key.e.clone(), n: key.n.clone() },
            AlgorithmParameters::EllipticCurve(key) => {
                Parameters::Ec { crv, x: key.x.clone(), y: key.y.clone() }
            }
            AlgorithmParameters::OctetKeyPair(key) => Parameters::Okp { crv, x: key.x.clone() },
            _ => return Err(KeyProblem::Damaged),
        };
        Ok(Self { algorithm, kid: thumbprint, parameters })
    }
}

/// Reads the first PEM block of the file and makes a key of it.
fn read<Key>(
    path: &Path,
    wanted: Wanted,
    key: impl FnOnce(&Pem) -> Result<Key, KeyProblem>,
) -> Result<Key, Error> {
    fs::read(path)
        .map_err(KeyProblem::Read)
        .and_then(|contents| key(&first_block(&contents, wanted)?))
        .map_err(|problem| Error::Key { path: path.to_owned(), problem })
}

fn first_block(contents: &[u8], wanted: Wanted) -> Result<Pem, KeyProblem> {
    pem::parse(contents).map_err(|error| match error {
        PemError::MalformedFraming => KeyProblem::NotPem(wanted),
        _ => KeyProblem::Damaged,
    })
}

/// Refuses a key that the filter would refuse, so that the reason is shown here.
fn check_size(modulus: UintRef<'_>) -> Result<(), KeyProblem> {
    let leading_zeros = modulus.as_bytes().first().map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = modulus.as_bytes().len() * 8 - leading_zeros;
    if (2048..=8192).contains(&bits) { Ok(()) } else { Err(KeyProblem::RsaSize(bits)) }
}

#[cfg(test)]
mod tests;
