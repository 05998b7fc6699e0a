//! The payload of a token: the registered claims (RFC 7519 §4.1) and every other one.
//!
//! Absent, malformed and wrong are three outcomes: a malformed claim refuses the token here, an
//! absent or wrong one is judged by the provider.

use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// What a token says of itself.
#[derive(Debug, Default)]
pub struct Claims {
    /// `iss`
    pub issuer: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `iat`, seconds since 1970.
    pub issued_at: Option<u64>,
    /// `nbf` and `exp`.
    pub validity: Validity,
    /// `jti`
    pub token_id: Option<String>,
    /// `aud`; a string is a list of one.
    pub audiences: Vec<String>,
    /// Every claim, the registered ones too.
    pub all: Map<String, Value>,
}

/// When a token may be used, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// `nbf`
    pub not_before: Option<u64>,
    /// `exp`
    pub expires_at: Option<u64>,
}

impl Claims {
    /// Reads the registered claims, in the order in which Envoy does (`Jwt::parseFromString`).
    ///
    /// # Errors
    /// The refusal of the first claim that has a wrong type.
    pub fn parse(all: Map<String, Value>) -> Result<Self, Refusal> {
        let issuer = string(&all, "iss", Refusal::IssuerNotString)?;
        let subject = string(&all, "sub", Refusal::SubjectNotString)?;
        let issued_at =
            seconds(&all, "iat", Refusal::IssuedAtNotInteger, Refusal::IssuedAtOutOfRange)?;
        let not_before =
            seconds(&all, "nbf", Refusal::NotBeforeNotInteger, Refusal::NotBeforeOutOfRange)?;
        let expires_at =
            seconds(&all, "exp", Refusal::ExpirationNotInteger, Refusal::ExpirationOutOfRange)?;
        let token_id = string(&all, "jti", Refusal::TokenIdNotString)?;
        let audiences = audiences(&all)?;
        let validity = Validity { not_before, expires_at };
        Ok(Self { issuer, subject, issued_at, validity, token_id, audiences, all })
    }
}

fn string(
    claims: &Map<String, Value>,
    name: &str,
    malformed: Refusal,
) -> Result<Option<String>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.clone())),
        Some(_) => Err(malformed),
    }
}

/// A `NumericDate` (RFC 7519 §2): decimals are cut off, as in Envoy.
fn seconds(
    claims: &Map<String, Value>,
    name: &str,
    malformed: Refusal,
    out_of_range: Refusal,
) -> Result<Option<u64>, Refusal> {
    let number = match claims.get(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(malformed),
    };
    if let Some(seconds) = number.as_u64() {
        return Ok(Some(seconds));
    }
    // 2⁶⁴ is the first number that is too large; as a double it is exact.
    match number.as_f64() {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked, the decimals are meant to go"
        )]
        Some(seconds) if (0.0..18_446_744_073_709_551_616.0).contains(&seconds) => {
            Ok(Some(seconds as u64))
        }
        _ => Err(out_of_range),
    }
}

fn audiences(claims: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let audiences = match claims.get("aud") {
        None => Some(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(text).collect(),
        Some(other) => text(other).map(|audience| vec![audience]),
    };
    audiences.ok_or(Refusal::AudienceNotString)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(claims: Value) -> Result<Claims, Refusal> {
        let Value::Object(claims) = claims else { panic!("not an object") };
        Claims::parse(claims)
    }

    #[test]
    fn registered_claims_are_typed() {
        for (claims, expected) in [
            (json!({"iss": 1, "sub": 1}), Refusal::IssuerNotString),
            (json!({"iss": null}), Refusal::IssuerNotString),
            (json!({"sub": 1, "iat": ""}), Refusal::SubjectNotString),
            (json!({"iat": "1", "nbf": "1"}), Refusal::IssuedAtNotInteger),
            (json!({"iat": -1}), Refusal::IssuedAtOutOfRange),
            (json!({"nbf": null}), Refusal::NotBeforeNotInteger),
            (json!({"nbf": -0.5}), Refusal::NotBeforeOutOfRange),
            (json!({"exp": "1"}), Refusal::ExpirationNotInteger),
            (json!({"exp": 1e30}), Refusal::ExpirationOutOfRange),
            (json!({"exp": 18_446_744_073_709_551_616.0}), Refusal::ExpirationOutOfRange),
            (json!({"jti": 7}), Refusal::TokenIdNotString),
            (json!({"aud": 7}), Refusal::AudienceNotString),
            (json!({"aud": ["a", 7]}), Refusal::AudienceNotString),
        ] {
            assert_eq!(parse(claims.clone()).unwrap_err(), expected, "{claims}");
        }
    }

    #[test]
    fn dates_lose_their_decimals_and_audiences_are_a_list() {
        let claims = parse(json!({"exp": 7.9, "nbf": 0, "aud": "a"})).unwrap();
        assert_eq!(claims.validity, Validity { not_before: Some(0), expires_at: Some(7) });
        assert_eq!(claims.audiences, ["a"]);
        assert!(parse(json!({})).unwrap().audiences.is_empty());
    }
}
