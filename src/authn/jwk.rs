//! One JSON Web Key (RFC 7517) and whether it is acceptable.
//!
//! All of it is plain computation, so that every worker gives the same answer about a key.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::elliptic_curve::{Curve, Point};
use super::jwk_error::{JwkError, JwkFault};
use crate::json;

/// Bounds on an RSA modulus, in bits: RFC 7518 §3.3 asks for the lower one, the upper one bounds
/// the time of a check.
const RSA_BITS: RangeInclusive<usize> = 2_048..=8_192;
/// The longest RSA modulus with which PSS signatures are checked, in bits. Envoy does not check them for
/// a filter, and in Wasm a longer one takes more time than a request may.
const MAX_PSS_BITS: usize = 4_096;
/// What only a private key has (RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2).
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth"];
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
            Self::Rsa(key) if key.n().bits() > MAX_PSS_BITS => &[Rs256, Rs384, Rs512],
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
    /// `issuer`, which is Entra ID's own: the only issuer whose tokens the key signs. A name with a variable,
    /// `https://login.microsoftonline.com/{tenantid}/v2.0`, is that of all tenants and left out.
    pub issuer: Option<String>,
    /// The key itself.
    pub key: VerificationKey,
    /// The algorithms that it is used with. Never empty.
    pub algorithms: Vec<Algorithm>,
}

impl Jwk {
    /// Reads a key that an issuer publishes, which is no secret; otherwise as [`Self::parse`].
    ///
    /// # Errors
    /// [`JwkError`] as that, and for a secret.
    pub fn parse_published(jwk: &Value, allowed: Option<&[Algorithm]>) -> Result<Self, JwkError> {
        match jwk.get("kty") {
            Some(kind) if kind == "oct" => Err(error("kty", JwkFault::PublishedSecret)),
            _ => Self::parse(jwk, allowed),
        }
    }

    /// Reads a key for a provider that lists these algorithms, or none. Members that are not needed
    /// are ignored, as RFC 7517 §4 asks.
    ///
    /// # Errors
    /// [`JwkError`] for a key of another kind, or one that must not verify tokens.
    pub fn parse(jwk: &Value, allowed: Option<&[Algorithm]>) -> Result<Self, JwkError> {
        let Value::Object(jwk) = jwk else {
            return Err(error("", JwkFault::NotAnObject));
        };
        if jwk.get("kty").is_none_or(|kind| kind != "oct")
            && let Some(member) = PRIVATE_MEMBERS.iter().find(|member| jwk.contains_key(**member))
        {
            return Err(error(member, JwkFault::PrivatePart));
        }
        let key = match required(jwk, "kty")? {
            "EC" => elliptic_curve_key(jwk)?,
            "OKP" => ed25519_key(jwk)?,
            "RSA" => rsa_key(jwk)?,
            "oct" => VerificationKey::Secret(bytes(jwk, "k")?),
            other => {
                return Err(unexpected("kty", other, "`RSA`, `EC`, `OKP` or `oct`"));
            }
        };
        check_use(jwk)?;
        let fitting = key.algorithms();
        if fitting.is_empty() {
            return Err(error("k", JwkFault::ShortSecret));
        }
        let named = match optional(jwk, "alg")? {
            None => None,
            Some(name) => Some(
                Algorithm::from_name(name)
                    .filter(|algorithm| fitting.contains(algorithm))
                    .ok_or_else(|| {
                        let found = name.to_owned();
                        error("alg", JwkFault::Algorithm { found, fitting })
                    })?,
            ),
        };
        Ok(Self {
            id: optional(jwk, "kid")?.filter(|id| !id.is_empty()).map(str::to_owned),
            issuer: jwk
                .get("issuer")
                .and_then(Value::as_str)
                .filter(|issuer| !issuer.contains('{'))
                .map(str::to_owned),
            algorithms: used_algorithms(&key, named, allowed)?,
            key,
        })
    }
}

/// The algorithms that a key is used with: what `alg` names, else what the provider lists, else all that
/// fit but those that somebody has to ask for: PSS, which is dear, and secrets.
fn used_algorithms(
    key: &VerificationKey,
    named: Option<Algorithm>,
    allowed: Option<&[Algorithm]>,
) -> Result<Vec<Algorithm>, JwkError> {
    let is_meant = |algorithm: &Algorithm| match (named, allowed) {
        (_, None) if matches!(key, VerificationKey::Secret(_)) => false,
        (None, None) => !algorithm.is_pss(),
        (named, allowed) => {
            named.is_none_or(|named| named == *algorithm)
                && allowed.is_none_or(|allowed| allowed.contains(algorithm))
        }
    };
    let algorithms: Vec<_> = key.algorithms().iter().copied().filter(is_meant).collect();
    match (algorithms.is_empty(), allowed) {
        (false, _) => Ok(algorithms),
        (true, Some(_)) => Err(error("", JwkFault::AlgorithmUnlisted)),
        (true, None) => Err(error("", JwkFault::SecretUnlisted)),
    }
}

fn error(member: &'static str, fault: JwkFault) -> JwkError {
    JwkError { member, fault }
}

fn unexpected(member: &'static str, found: &str, expected: &'static str) -> JwkError {
    error(member, JwkFault::Unexpected { found: found.to_owned(), expected })
}

fn optional<'k>(
    jwk: &'k Map<String, Value>,
    member: &'static str,
) -> Result<Option<&'k str>, JwkError> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(error(member, JwkFault::NotAString)),
    }
}

fn required<'k>(jwk: &'k Map<String, Value>, member: &'static str) -> Result<&'k str, JwkError> {
    optional(jwk, member)?.ok_or_else(|| error(member, JwkFault::Missing))
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3): a key that is meant for something else stays out.
fn check_use(jwk: &Map<String, Value>) -> Result<(), JwkError> {
    if let Some(found) = optional(jwk, "use")?.filter(|found| *found != "sig") {
        return Err(unexpected("use", found, "`sig`"));
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|found| found == "verify") => {
            Ok(())
        }
        Some(found) => Err(error("key_ops", JwkFault::Operations(json::written(found)))),
    }
}

/// The bytes of a member. Some issuers write them in standard base64 or with padding, against RFC 7518
/// §2; unlike a token, a key comes from somebody who is trusted.
fn bytes(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    const ENCODING: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let text = required(jwk, member)?.replace('+', "-").replace('/', "_");
    ENCODING.decode(text).map_err(|_| error(member, JwkFault::NotBase64Url))
}

/// RFC 7518 §6.3.1.
fn rsa_key(jwk: &Map<String, Value>) -> Result<VerificationKey, JwkError> {
    let modulus = BigUint::from_bytes_be(&bytes(jwk, "n")?);
    let exponent = BigUint::from_bytes_be(&bytes(jwk, "e")?);
    if !RSA_BITS.contains(&modulus.bits()) {
        return Err(error(
            "n",
            JwkFault::ModulusBits { found: modulus.bits(), expected: RSA_BITS },
        ));
    }
    if !is_odd(&modulus) {
        return Err(error("n", JwkFault::EvenModulus));
    }
    if !RSA_EXPONENT_BITS.contains(&exponent.bits()) || !is_odd(&exponent) {
        return Err(error("e", JwkFault::Exponent(shown(&exponent))));
    }
    RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end())
        .map(VerificationKey::Rsa)
        .map_err(|_| error("n", JwkFault::Rsa))
}

/// A number of at most 64 bits, or how many bits it has.
fn shown(number: &BigUint) -> String {
    match number.bits() {
        ..=64 => {
            let bytes = number.to_bytes_be();
            bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)).to_string()
        }
        bits => format!("{bits} bits"),
    }
}

fn is_odd(number: &BigUint) -> bool {
    number.to_bytes_le().first().is_some_and(|byte| byte & 1 == 1)
}

/// RFC 7518 §6.2.1: both coordinates have the full length of the field. Some issuers leave leading
/// zeros out.
fn elliptic_curve_key(jwk: &Map<String, Value>) -> Result<VerificationKey, JwkError> {
    let name = required(jwk, "crv")?;
    let curve = Curve::from_name(name)
        .ok_or_else(|| unexpected("crv", name, "`P-256`, `P-384` or `P-521`"))?;
    let coordinate = |member| {
        let size = curve.field_size();
        let coordinate = bytes(jwk, member)?;
        let Some(zeros) = size.checked_sub(coordinate.len()) else {
            let found = coordinate.len();
            return Err(error(member, JwkFault::Size { found, expected: size }));
        };
        Ok([vec![0; zeros], coordinate].concat())
    };
    Point::new(curve, &coordinate("x")?, &coordinate("y")?)
        .map(VerificationKey::EllipticCurve)
        .ok_or_else(|| error("x", JwkFault::NotOnCurve))
}

/// RFC 8037 §2.
fn ed25519_key(jwk: &Map<String, Value>) -> Result<VerificationKey, JwkError> {
    match required(jwk, "crv")? {
        "Ed25519" => {}
        other => return Err(unexpected("crv", other, "`Ed25519`")),
    }
    let point = <[u8; 32]>::try_from(bytes(jwk, "x")?)
        .map_err(|found| error("x", JwkFault::Size { found: found.len(), expected: 32 }))?;
    match ed25519_dalek::VerifyingKey::from_bytes(&point) {
        Ok(key) if !key.is_weak() => Ok(VerificationKey::Ed25519(key)),
        _ => Err(error("x", JwkFault::WeakPoint)),
    }
}
