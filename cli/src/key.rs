//! Keys in PEM files and as JSON Web Keys: a private one signs, and both kinds yield the public key, whose
//! name (`kid`) is its RFC 7638 thumbprint, so that `token` and `jwks` use the same name.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey};
use jwt_rbac::authn::algorithm::Algorithm;
use p521::ecdsa::signature::Signer as _;
use pem::{Pem, PemError};
use pkcs8::der::Encode;
use pkcs8::der::asn1::UintRef;
use pkcs8::{PrivateKeyInfo, SubjectPublicKeyInfoRef};
use serde::Serialize;
use serde_json::{Map, Value};

use self::kind::Kind;
use self::problem::{KeyProblem, Wanted};

mod generate;
mod json;
mod kind;
mod problem;

/// The algorithms that some key can sign with, by name.
pub const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
];

/// Why there is no key, or no signature.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("`{}` {problem}", path.display())]
    File { path: PathBuf, problem: KeyProblem },
    #[error("cannot sign: {0}; check the key with `openssl pkey -in FILE -noout -check`")]
    Sign(jsonwebtoken::errors::Error),
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
    #[error("cannot make a key: one {0}")]
    New(KeyProblem),
}

/// A private key, or a secret, and the algorithm that it signs with.
pub struct SigningKey {
    signer: Signer,
    /// What verifies its signatures.
    pub public: PublicKey,
}

enum Signer {
    Library(EncodingKey),
    /// `jsonwebtoken` does not know the curve.
    P521(Box<p521::ecdsa::SigningKey>),
}

impl SigningKey {
    /// Reads a private key in PKCS#8, or a JWK, that signs with `algorithm`, or with the default of its
    /// kind. `-` is standard input.
    ///
    /// # Errors
    ///
    /// When the file can't be read, holds something else, or `algorithm` does not fit the key.
    pub fn read(path: &Path, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        read(path, |contents| match json::keys(contents)? {
            Some(keys) => json::signing_key(&keys, algorithm),
            None => match first_block(contents, Wanted::Private)? {
                block if block.tag() == "PRIVATE KEY" => {
                    Self::from_pkcs8(block.contents(), algorithm)
                }
                block => Err(KeyProblem::block(block.tag(), Wanted::Private)),
            },
        })
    }

    /// The compact token of `header` and `claims` (RFC 7515 §7.1).
    ///
    /// # Errors
    ///
    /// When the key can't sign, because it is damaged.
    pub fn sign<H: Serialize>(
        &self,
        header: &H,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        let header = serde_json::to_vec(header).map_err(KeyError::Json)?;
        let claims = serde_json::to_vec(claims).map_err(KeyError::Json)?;
        let part = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = match &self.signer {
            Signer::Library(key) => {
                let algorithm = library_algorithm(self.public.algorithm)?;
                jsonwebtoken::crypto::sign(signed.as_bytes(), key, algorithm)
                    .map_err(KeyError::Sign)?
            }
            Signer::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(signed.as_bytes());
                URL_SAFE_NO_PAD.encode(signature.to_bytes())
            }
        };
        Ok(format!("{signed}.{signature}"))
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
            Kind::P521 => {
                let key = p521::SecretKey::from_sec1_der(info.private_key);
                return Self::from_p521(&key.map_err(|_| KeyProblem::Damaged)?, algorithm);
            }
            Kind::Ed25519 => {
                // `Jwk` tells an Ed25519 key by its length, so the public key that RFC 5958 allows
                // is left out.
                let bare = PrivateKeyInfo::new(info.algorithm, info.private_key).to_der();
                EncodingKey::from_ed_der(&bare.map_err(|_| KeyProblem::Damaged)?)
            }
            Kind::Secret => return Err(KeyProblem::Damaged),
        };
        Self::from_encoding(kind, encoding, algorithm)
    }

    fn from_encoding(
        kind: Kind,
        encoding: EncodingKey,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, KeyProblem> {
        let default =
            library_algorithm(kind.default_algorithm()).map_err(|_| KeyProblem::Damaged)?;
        let jwk = Jwk::from_encoding_key(&encoding, default).map_err(|_| KeyProblem::Damaged)?;
        let public = PublicKey::new(kind, &jwk, algorithm)?;
        Ok(Self { signer: Signer::Library(encoding), public })
    }

    fn from_p521(key: &p521::SecretKey, algorithm: Option<Algorithm>) -> Result<Self, KeyProblem> {
        let signer = p521::ecdsa::SigningKey::from_bytes(&key.to_bytes());
        let signer = signer.map_err(|_| KeyProblem::Damaged)?;
        let public = PublicKey::from_p521(&key.public_key(), algorithm)?;
        Ok(Self { signer: Signer::P521(Box::new(signer)), public })
    }
}

/// A public key, or a secret, and the algorithm of the tokens that it verifies.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey {
    pub algorithm: Algorithm,
    /// Its name: the RFC 7638 SHA-256 thumbprint, unless its JWK has another. A secret has none of its
    /// own: everybody who sees a hash of it can try to guess it.
    pub kid: Option<String>,
    pub parameters: Parameters,
}

/// The members of a JWK that make the key, in the order in which they are printed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Parameters {
    Rsa { e: String, n: String },
    Ec { crv: &'static str, x: String, y: String },
    Okp { crv: &'static str, x: String },
    Oct { k: String },
}

impl PublicKey {
    /// Reads each public key, or the public part of each private one, of a file, for `algorithm` or the
    /// default of its kind. `-` is standard input.
    ///
    /// # Errors
    ///
    /// When the file can't be read, holds something else, or `algorithm` does not fit the key.
    pub fn read_all(path: &Path, algorithm: Option<Algorithm>) -> Result<Vec<Self>, KeyError> {
        read(path, |contents| {
            if let Some(keys) = json::keys(contents)? {
                return keys.iter().map(|key| json::public_key(key, algorithm)).collect();
            }
            let block = first_block(contents, Wanted::PrivateOrPublic)?;
            let key = match block.tag() {
                "PRIVATE KEY" => {
                    SigningKey::from_pkcs8(block.contents(), algorithm).map(|key| key.public)
                }
                "PUBLIC KEY" => Self::from_spki(block.contents(), algorithm),
                label => Err(KeyProblem::block(label, Wanted::PrivateOrPublic)),
            };
            Ok(vec![key?])
        })
    }

    fn from_spki(der: &[u8], algorithm: Option<Algorithm>) -> Result<Self, KeyProblem> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyProblem::Damaged)?;
        let kind = Kind::of(&info.algorithm)?;
        let bits = info.subject_public_key.as_bytes().ok_or(KeyProblem::Damaged)?;
        let is_curve = matches!(kind, Kind::P256 | Kind::P384 | Kind::P521);
        if is_curve && matches!(bits, [2 | 3, ..]) {
            return Err(KeyProblem::Compressed);
        }
        let decoding = match kind {
            Kind::Rsa => {
                let key = pkcs1::RsaPublicKey::try_from(bits).map_err(|_| KeyProblem::Damaged)?;
                check_size(key.modulus)?;
                DecodingKey::from_rsa_raw_components(
                    key.modulus.as_bytes(),
                    key.public_exponent.as_bytes(),
                )
            }
            Kind::P256 | Kind::P384 => DecodingKey::from_ec_der(bits),
            Kind::P521 => {
                let key = p521::PublicKey::from_sec1_bytes(bits);
                return Self::from_p521(&key.map_err(|_| KeyProblem::Damaged)?, algorithm);
            }
            Kind::Ed25519 => DecodingKey::from_ed_der(bits),
            Kind::Secret => return Err(KeyProblem::Damaged),
        };
        Self::from_decoding(kind, &decoding, algorithm)
    }

    fn from_decoding(
        kind: Kind,
        decoding: &DecodingKey,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, KeyProblem> {
        let jwk = Jwk::from_decoding_key(decoding, None).map_err(|_| KeyProblem::Damaged)?;
        // `Jwk` looks at lengths only. Checking a signature, whatever it is, finds a point that is
        // not on the curve.
        let default =
            library_algorithm(kind.default_algorithm()).map_err(|_| KeyProblem::Damaged)?;
        jsonwebtoken::crypto::verify("", b"", decoding, default)
            .map_err(|_| KeyProblem::Damaged)?;
        Self::new(kind, &jwk, algorithm)
    }

    fn from_p521(key: &p521::PublicKey, algorithm: Option<Algorithm>) -> Result<Self, KeyProblem> {
        let point = p521::ecdsa::VerifyingKey::from_affine(*key.as_affine());
        let point = point.map_err(|_| KeyProblem::Damaged)?.to_encoded_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else { return Err(KeyProblem::Damaged) };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = serde_json::json!({"kty": "EC", "crv": "P-521", "x": x, "y": y});
        let jwk = serde_json::from_value(jwk).map_err(|_| KeyProblem::Damaged)?;
        Self::new(Kind::P521, &jwk, algorithm)
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
            AlgorithmParameters::OctetKey(key) => Parameters::Oct { k: key.value.clone() },
            _ => return Err(KeyProblem::Damaged),
        };
        let thumbprint = Some(thumbprint).filter(|_| kind != Kind::Secret);
        Ok(Self { algorithm, kid: thumbprint, parameters })
    }
}

/// The same algorithm of the library that signs.
fn library_algorithm(algorithm: Algorithm) -> Result<jsonwebtoken::Algorithm, KeyError> {
    jsonwebtoken::Algorithm::from_str(algorithm.name()).map_err(KeyError::Sign)
}

/// Reads a file and makes keys of it.
fn read<Keys>(
    path: &Path,
    keys: impl FnOnce(&[u8]) -> Result<Keys, KeyProblem>,
) -> Result<Keys, KeyError> {
    let contents = if path == Path::new("-") {
        let mut contents = Vec::new();
        io::stdin().read_to_end(&mut contents).map(|_| contents)
    } else {
        fs::read(path)
    };
    contents
        .map_err(KeyProblem::Read)
        .and_then(|contents| keys(&contents))
        .map_err(|problem| KeyError::File { path: path.to_owned(), problem })
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
