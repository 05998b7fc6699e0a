//! Keys as JSON Web Keys (RFC 7517): one, or a set of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use jwt_rbac::authn::algorithm::Algorithm;
use pkcs8::der::Encode;
use pkcs8::der::asn1::UintRef;
use serde_json::Value;

use super::kind::Kind;
use super::problem::{KeyProblem, Wanted};
use super::{PublicKey, SigningKey, check_size};

/// What comes before the private key in PKCS#8, with the object identifier of the curve (RFC 5208,
/// RFC 5915 without the public key, RFC 8410 §7).
const P256: &[u8] = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";
const P384: &[u8] = b"\x30\x4e\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x04\x37\x30\x35\x02\x01\x01\x04\x30";
const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The keys of a text that is a JWK or a set of them; `None` for a text that is no JSON object.
///
/// # Errors
///
/// When the JSON is broken, or holds no key.
pub fn keys(contents: &[u8]) -> Result<Option<Vec<Value>>, KeyProblem> {
    if contents.trim_ascii_start().first() != Some(&b'{') {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(contents).map_err(|_| KeyProblem::NotJwk)?;
    match value.get("keys") {
        Some(Value::Array(keys)) if !keys.is_empty() => Ok(Some(keys.clone())),
        None if value.get("kty").is_some() => Ok(Some(vec![value])),
        Some(_) | None => Err(KeyProblem::NotJwk),
    }
}

/// The one private key, or secret, among these.
///
/// # Errors
///
/// When there is none, or more than one, or it can't be used.
pub fn signing_key(keys: &[Value], algorithm: Option<Algorithm>) -> Result<SigningKey, KeyProblem> {
    let is_private = |key: &&Value| key.get("d").is_some() || key["kty"] == "oct";
    let private: Vec<_> = keys.iter().filter(is_private).collect();
    match private.as_slice() {
        [key] => private_key(key, algorithm),
        [] => Err(KeyProblem::block("PUBLIC KEY", Wanted::Private)),
        several => Err(KeyProblem::Several(several.len())),
    }
}

/// The public part of a key; a secret has no other.
///
/// # Errors
///
/// When it can't be used.
pub fn public_key(key: &Value, algorithm: Option<Algorithm>) -> Result<PublicKey, KeyProblem> {
    if key.get("d").is_some() || key["kty"] == "oct" {
        return private_key(key, algorithm).map(|key| key.public);
    }
    let kind = kind(key)?;
    let chosen = chosen(key, algorithm);
    let public = match kind {
        Kind::Rsa => {
            let (n, e) = (bytes(key, "n")?, bytes(key, "e")?);
            check_size(UintRef::new(&n).map_err(|_| KeyProblem::Damaged)?)?;
            let decoding = DecodingKey::from_rsa_raw_components(&n, &e);
            PublicKey::from_decoding(kind, &decoding, chosen)
        }
        Kind::P256 | Kind::P384 | Kind::P521 => {
            let point =
                [&[4][..], &coordinate(key, "x", kind)?, &coordinate(key, "y", kind)?].concat();
            if kind == Kind::P521 {
                let key = p521::PublicKey::from_sec1_bytes(&point);
                PublicKey::from_p521(&key.map_err(|_| KeyProblem::Damaged)?, chosen)
            } else {
                PublicKey::from_decoding(kind, &DecodingKey::from_ec_der(&point), chosen)
            }
        }
        Kind::Ed25519 => {
            let decoding = DecodingKey::from_ed_der(&bytes(key, "x")?);
            PublicKey::from_decoding(kind, &decoding, chosen)
        }
        Kind::Secret => Err(KeyProblem::Damaged),
    };
    named(public?, key)
}

fn private_key(key: &Value, algorithm: Option<Algorithm>) -> Result<SigningKey, KeyProblem> {
    let kind = kind(key)?;
    let chosen = chosen(key, algorithm);
    let in_pkcs8 = |start: &[u8]| -> Result<_, KeyProblem> {
        let der = [start, &coordinate(key, "d", kind)?].concat();
        SigningKey::from_pkcs8(&der, chosen)
    };
    let signing = match kind {
        Kind::Rsa => {
            let encoding = EncodingKey::from_rsa_der(&pkcs1_of(key)?);
            SigningKey::from_encoding(kind, encoding, chosen)
        }
        Kind::P256 => in_pkcs8(P256),
        Kind::P384 => in_pkcs8(P384),
        Kind::Ed25519 => in_pkcs8(ED25519),
        Kind::P521 => {
            let key = p521::SecretKey::from_slice(&coordinate(key, "d", kind)?);
            SigningKey::from_p521(&key.map_err(|_| KeyProblem::Damaged)?, chosen)
        }
        Kind::Secret => {
            let secret = bytes(key, "k")?;
            let signs = kind.algorithm(chosen)?;
            let least = signs.name()[2..].parse::<usize>().unwrap_or_default() / 8;
            if secret.len() < least {
                return Err(KeyProblem::ShortSecret {
                    algorithm: signs,
                    least,
                    found: secret.len(),
                });
            }
            SigningKey::from_encoding(kind, EncodingKey::from_secret(&secret), Some(signs))
        }
    }?;
    let public = named(signing.public, key)?;
    Ok(SigningKey { public, ..signing })
}

/// A private RSA key in PKCS#1 (RFC 8017 appendix A.1.2).
fn pkcs1_of(key: &Value) -> Result<Vec<u8>, KeyProblem> {
    let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
    let numbers = names.map(|name| bytes(key, name));
    let numbers = numbers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let number = |index: usize| UintRef::new(&numbers[index]).map_err(|_| KeyProblem::Damaged);
    check_size(number(0)?)?;
    let key = pkcs1::RsaPrivateKey {
        modulus: number(0)?,
        public_exponent: number(1)?,
        private_exponent: number(2)?,
        prime1: number(3)?,
        prime2: number(4)?,
        exponent1: number(5)?,
        exponent2: number(6)?,
        coefficient: number(7)?,
        other_prime_infos: None,
    };
    key.to_der().map_err(|_| KeyProblem::Damaged)
}

fn kind(key: &Value) -> Result<Kind, KeyProblem> {
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    match (text("kty"), text("crv")) {
        ("RSA", _) => Ok(Kind::Rsa),
        ("EC", "P-256") => Ok(Kind::P256),
        ("EC", "P-384") => Ok(Kind::P384),
        ("EC", "P-521") => Ok(Kind::P521),
        ("OKP", "Ed25519") => Ok(Kind::Ed25519),
        ("oct", _) => Ok(Kind::Secret),
        ("EC" | "OKP", curve) => Err(KeyProblem::Kind(curve.to_owned())),
        (kind, _) => Err(KeyProblem::Kind(kind.to_owned())),
    }
}

/// The algorithm that was asked for, else that of the key.
fn chosen(key: &Value, algorithm: Option<Algorithm>) -> Option<Algorithm> {
    algorithm.or_else(|| Algorithm::from_name(key["alg"].as_str()?))
}

/// The same under the name that its JWK gives it.
fn named(public: PublicKey, key: &Value) -> Result<PublicKey, KeyProblem> {
    match key.get("kid") {
        None => Ok(public),
        Some(Value::String(kid)) => Ok(PublicKey { kid: Some(kid.clone()), ..public }),
        Some(_) => Err(KeyProblem::Damaged),
    }
}

/// A number of a key, also in standard base64 or padded, as the filter reads them.
fn bytes(key: &Value, name: &'static str) -> Result<Vec<u8>, KeyProblem> {
    let text = key[name].as_str().ok_or(KeyProblem::Member(name))?;
    let text = text.trim_end_matches('=');
    let bytes = URL_SAFE_NO_PAD.decode(text);
    let bytes =
        bytes.or_else(|_| STANDARD.decode(format!("{text}{}", &"==="[..(4 - text.len() % 4) % 4])));
    bytes.ok().filter(|bytes| !bytes.is_empty()).ok_or(KeyProblem::Member(name))
}

/// A number with the length that its curve gives it (RFC 7518 §6.2.1.2).
fn coordinate(key: &Value, name: &'static str, kind: Kind) -> Result<Vec<u8>, KeyProblem> {
    let length: usize = match kind {
        Kind::P384 => 48,
        Kind::P521 => 66,
        _ => 32,
    };
    let bytes = bytes(key, name)?;
    let missing = length.checked_sub(bytes.len()).ok_or(KeyProblem::Member(name))?;
    Ok([vec![0; missing], bytes].concat())
}
