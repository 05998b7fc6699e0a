//! One JSON Web Key (RFC 7517) and whether it is acceptable.
//!
//! All of it is plain computation, so that every worker gives the same answer about a key.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::{BigUint, RsaPublicKey};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::elliptic_curve::{Curve, Point};

/// Bounds on an RSA modulus, in bits: RFC 7518 §3.3 asks for the lower one, the upper one bounds
/// the time of a check.
const RSA_BITS: RangeInclusive<usize> = 2_048..=8_192;
/// Bounds on an RSA exponent, in bits: the upper one is that of BoringSSL.
const RSA_EXPONENT_BITS: RangeInclusive<usize> = 2..=33;

/// What checks a signature, known to be well-formed.
#[derive(Clone)]
pub enum VerificationKey {
    /// A point of the curve that is not of small order (RFC 8037).
    Ed25519(ed25519_dalek::VerifyingKey),
    /// A point of one of the curves of RFC 7518 §6.2.1.1.
    EllipticCurve(Point),
    /// A modulus of 2048 to 8192 bits and an odd exponent from 3 to 2³³ − 1.
    Rsa(RsaPublicKey),
    /// A secret that issuer and proxy share.
    Secret(Vec<u8>),
}

impl VerificationKey {
    /// The algorithms that this key can be used with (RFC 7518 §3.2–3.5, RFC 8037 §3.1). A secret
    /// has at least the size of the hash.
    #[must_use]
    pub fn algorithms(&self) -> &'static [Algorithm] {
        use Algorithm::{EdDsa, Es256, Es384, Es512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Ed25519(_) => &[EdDsa],
            Self::EllipticCurve(point) => match point.curve() {
                Curve::P256 => &[Es256],
                Curve::P384 => &[Es384],
                Curve::P521 => &[Es512],
            },
            Self::Rsa(_) => &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
            Self::Secret(secret) => match secret.len() {
                0..32 => &[],
                32..48 => &[Algorithm::Hs256],
                48..64 => &[Algorithm::Hs256, Algorithm::Hs384],
                _ => &[Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512],
            },
        }
    }
}

/// A key of a key set.
#[derive(Clone)]
pub struct Jwk {
    /// `kid`
    pub id: Option<String>,
    /// The key itself.
    pub key: VerificationKey,
    /// The algorithms that it may be used with: those of its kind, or the one that its `alg` names.
    pub algorithms: Vec<Algorithm>,
    /// Whether it holds what signs tokens, which has no place in a document.
    pub holds_private_key: bool,
}

/// Why a key can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwkError {
    /// The member that is at fault; empty for the key as a whole.
    pub member: &'static str,
    /// What was found and what was expected.
    pub message: String,
}

impl Jwk {
    /// Reads a key. Members that are not needed are ignored, as RFC 7517 §4 asks.
    ///
    /// # Errors
    /// [`JwkError`] for a key of another kind, or one that must not verify tokens.
    pub fn parse(jwk: &Value) -> Result<Self, JwkError> {
        let Value::Object(jwk) = jwk else {
            return Err(error("", "found a key that is not an object"));
        };
        let key = match required(jwk, "kty")? {
            "EC" => elliptic_curve_key(jwk)?,
            "OKP" => ed25519_key(jwk)?,
            "RSA" => rsa_key(jwk)?,
            "oct" => VerificationKey::Secret(bytes(jwk, "k")?),
            other => {
                let message = format!("found `{other}`, expected `RSA`, `EC`, `OKP` or `oct`");
                return Err(error("kty", &message));
            }
        };
        check_use(jwk)?;
        let fitting = key.algorithms();
        if fitting.is_empty() {
            return Err(error("k", "found a secret of less than 32 bytes (RFC 7518 §3.2)"));
        }
        let algorithm = match optional(jwk, "alg")? {
            None => None,
            Some(name) => Some(
                Algorithm::from_name(name)
                    .filter(|algorithm| fitting.contains(algorithm))
                    .ok_or_else(|| {
                        error("alg", &format!("found `{name}`, expected one of {fitting:?}"))
                    })?,
            ),
        };
        Ok(Self {
            id: optional(jwk, "kid")?.filter(|id| !id.is_empty()).map(str::to_owned),
            algorithms: algorithm.map_or_else(|| fitting.to_vec(), |algorithm| vec![algorithm]),
            holds_private_key: jwk.contains_key("d"),
            key,
        })
    }
}

fn error(member: &'static str, message: &str) -> JwkError {
    JwkError { member, message: message.to_owned() }
}

fn optional<'k>(
    jwk: &'k Map<String, Value>,
    member: &'static str,
) -> Result<Option<&'k str>, JwkError> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(error(member, "expected a string")),
    }
}

fn required<'k>(jwk: &'k Map<String, Value>, member: &'static str) -> Result<&'k str, JwkError> {
    optional(jwk, member)?.ok_or_else(|| error(member, "missing"))
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3): a key that is meant for something else stays out.
fn check_use(jwk: &Map<String, Value>) -> Result<(), JwkError> {
    if let Some(found) = optional(jwk, "use")?.filter(|found| *found != "sig") {
        return Err(error("use", &format!("found `{found}`, expected `sig`")));
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|found| found == "verify") => {
            Ok(())
        }
        Some(found) => {
            Err(error("key_ops", &format!("found {found}, expected a list with `verify`")))
        }
    }
}

fn bytes(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD
        .decode(required(jwk, member)?)
        .map_err(|_| error(member, "expected base64url without padding"))
}

/// RFC 7518 §6.3.1.
fn rsa_key(jwk: &Map<String, Value>) -> Result<VerificationKey, JwkError> {
    let modulus = BigUint::from_bytes_be(&bytes(jwk, "n")?);
    let exponent = BigUint::from_bytes_be(&bytes(jwk, "e")?);
    if !RSA_BITS.contains(&modulus.bits()) {
        let (bits, least, most) = (modulus.bits(), RSA_BITS.start(), RSA_BITS.end());
        return Err(error("n", &format!("found {bits} bits, expected {least} to {most}")));
    }
    if !is_odd(&modulus) {
        return Err(error("n", "found an even modulus, expected an odd one"));
    }
    if !RSA_EXPONENT_BITS.contains(&exponent.bits()) || !is_odd(&exponent) {
        let message = format!("found {exponent}, expected an odd number from 3 to 2^33 - 1");
        return Err(error("e", &message));
    }
    RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end())
        .map(VerificationKey::Rsa)
        .map_err(|found| error("n", &found.to_string()))
}

fn is_odd(number: &BigUint) -> bool {
    number.to_bytes_le().first().is_some_and(|byte| byte & 1 == 1)
}

/// RFC 7518 §6.2.1: both coordinates have the full length of the field.
fn elliptic_curve_key(jwk: &Map<String, Value>) -> Result<VerificationKey, JwkError> {
    let name = required(jwk, "crv")?;
    let curve = Curve::from_name(name).ok_or_else(|| {
        error("crv", &format!("found `{name}`, expected `P-256`, `P-384` or `P-521`"))
    })?;
    let coordinate = |member| {
        let size = curve.field_size();
        let coordinate = bytes(jwk, member)?;
        if coordinate.len() == size {
            Ok(coordinate)
        } else {
            let found = coordinate.len();
            Err(error(member, &format!("found {found} bytes, expected {size}")))
        }
    };
    Point::new(curve, &coordinate("x")?, &coordinate("y")?)
        .map(VerificationKey::EllipticCurve)
        .ok_or_else(|| error("x", "found a point that is not on the curve"))
}

/// RFC 8037 §2.
fn ed25519_key(jwk: &Map<String, Value>) -> Result<VerificationKey, JwkError> {
    match required(jwk, "crv")? {
        "Ed25519" => {}
        other => return Err(error("crv", &format!("found `{other}`, expected `Ed25519`"))),
    }
    let point = <[u8; 32]>::try_from(bytes(jwk, "x")?)
        .map_err(|found| error("x", &format!("found {} bytes, expected 32", found.len())))?;
    match ed25519_dalek::VerifyingKey::from_bytes(&point) {
        Ok(key) if !key.is_weak() => Ok(VerificationKey::Ed25519(key)),
        _ => Err(error("x", "found a point that is not on the curve, or of small order")),
    }
}
