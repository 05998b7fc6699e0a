//! One JSON Web Key (RFC 7517) and whether it is acceptable.
//!
//! All of it is plain computation, so that every worker gives the same answer about a key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::elliptic_curve::sec1::FromEncodedPoint as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;

/// Bounds on an RSA modulus, in bits: RFC 7518 §3.3 asks for the lower one, the upper one bounds
/// the time of a check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// The public half of a key, known to be well-formed.
#[derive(Clone, Debug)]
pub enum PublicKey {
    /// A point on the curve P-256, not at infinity.
    P256(p256::PublicKey),
    /// A modulus of 2048 to 8192 bits and an odd exponent from 3 to 2³³ − 1.
    Rsa(RsaPublicKey),
}

impl PublicKey {
    /// The algorithms that a key of this kind can be used with (RFC 7518 §3.3, §3.4).
    #[must_use]
    pub fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::P256(_) => &[Algorithm::Es256],
            Self::Rsa(_) => &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512],
        }
    }
}

/// A key of a key set.
#[derive(Clone, Debug)]
pub struct Jwk {
    /// `kid`
    pub key_id: Option<String>,
    /// The key itself.
    pub public_key: PublicKey,
    /// The algorithms that it may be used with: those of its kind, or the one that its `alg` names.
    pub algorithms: Vec<Algorithm>,
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
    /// Reads a key. Members that RFC 7517 does not define are ignored, as §4 there asks.
    ///
    /// # Errors
    /// [`JwkError`] for a key that this version can't use, or that must not verify tokens.
    pub fn parse(key: &Value) -> Result<Self, JwkError> {
        let Value::Object(key) = key else {
            return Err(error("", "found a key that is not an object"));
        };
        let public_key = match required(key, "kty")? {
            "EC" => elliptic_curve_key(key)?,
            "RSA" => rsa_key(key)?,
            other => {
                return Err(error(
                    "kty",
                    &format!("found `{other}`, expected `RSA` or `EC`"),
                ));
            }
        };
        check_use(key)?;
        let algorithms = match optional(key, "alg")? {
            None => public_key.algorithms().to_vec(),
            Some(name) => match Algorithm::from_name(name) {
                Some(algorithm) if public_key.algorithms().contains(&algorithm) => vec![algorithm],
                _ => {
                    return Err(error(
                        "alg",
                        &format!(
                            "found `{name}`, which does not fit the key or is not implemented in this version"
                        ),
                    ));
                }
            },
        };
        let key_id = optional(key, "kid")?
            .filter(|key_id| !key_id.is_empty())
            .map(str::to_owned);
        Ok(Self {
            key_id,
            public_key,
            algorithms,
        })
    }
}

fn error(member: &'static str, message: &str) -> JwkError {
    JwkError {
        member,
        message: message.to_owned(),
    }
}

fn optional<'k>(
    key: &'k Map<String, Value>,
    member: &'static str,
) -> Result<Option<&'k str>, JwkError> {
    match key.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(error(member, &format!("found {other}, expected a string"))),
    }
}

fn required<'k>(key: &'k Map<String, Value>, member: &'static str) -> Result<&'k str, JwkError> {
    optional(key, member)?.ok_or_else(|| error(member, "missing"))
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3): a key that is meant for something else stays out.
fn check_use(key: &Map<String, Value>) -> Result<(), JwkError> {
    if let Some(found) = optional(key, "use")?.filter(|found| *found != "sig") {
        return Err(error("use", &format!("found `{found}`, expected `sig`")));
    }
    match key.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|found| found == "verify") => {
            Ok(())
        }
        Some(found) => Err(error(
            "key_ops",
            &format!("found {found}, expected a list with `verify`"),
        )),
    }
}

fn bytes(key: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD
        .decode(required(key, member)?)
        .map_err(|_| error(member, "not unpadded base64url"))
}

/// RFC 7518 §6.3.1. The exponent's upper bound is that of the verifiers behind the seam.
fn rsa_key(key: &Map<String, Value>) -> Result<PublicKey, JwkError> {
    let modulus = BigUint::from_bytes_be(&bytes(key, "n")?);
    let exponent = BigUint::from_bytes_be(&bytes(key, "e")?);
    let bits = modulus.bits();
    if !RSA_BITS.contains(&bits) {
        let message = format!(
            "found a modulus of {bits} bits, expected {} to {}",
            RSA_BITS.start(),
            RSA_BITS.end()
        );
        return Err(error("n", &message));
    }
    if !is_odd(&modulus) {
        return Err(error("n", "found an even modulus"));
    }
    if !is_odd(&exponent) || exponent.bits() < 2 || exponent.bits() > 33 {
        return Err(error("e", "expected an odd exponent from 3 to 2^33 - 1"));
    }
    let key = RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end())
        .map_err(|found| error("n", &found.to_string()))?;
    debug_assert_eq!(key.n().bits(), bits);
    Ok(PublicKey::Rsa(key))
}

fn is_odd(number: &BigUint) -> bool {
    number
        .to_bytes_le()
        .first()
        .is_some_and(|byte| byte & 1 == 1)
}

/// RFC 7518 §6.2.1: both coordinates have the full length of the field.
fn elliptic_curve_key(key: &Map<String, Value>) -> Result<PublicKey, JwkError> {
    match required(key, "crv")? {
        "P-256" => {}
        other => return Err(error("crv", &format!("found `{other}`, expected `P-256`"))),
    }
    let coordinate = |member| {
        <[u8; 32]>::try_from(bytes(key, member)?)
            .map_err(|_| error(member, "expected 32 bytes in base64url"))
    };
    let (x, y) = (coordinate("x")?, coordinate("y")?);
    let point = p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
    Option::from(p256::PublicKey::from_encoded_point(&point))
        .map(PublicKey::P256)
        .ok_or_else(|| error("x", "found a point that is not on the curve"))
}
