//! The payload of a token: the registered claims (RFC 7519 §4.1) and every other one.
//!
//! Absent, malformed and wrong are three outcomes: a malformed claim refuses the token here, an
//! absent or wrong one is judged by the provider.

use crate::json::{Json, Object};
use crate::refusal::Refusal;

/// What a token says of itself.
#[derive(Debug, Default)]
pub struct Claims<'t> {
    /// `iat`, seconds since 1970.
    pub issued_at: Option<u64>,
    /// `nbf` and `exp`.
    pub validity: Validity,
    /// Every claim. The registered ones have the types that they must have.
    pub all: Object<'t>,
}

/// When a token may be used, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// `nbf`
    pub not_before: Option<u64>,
    /// `exp`
    pub expires_at: Option<u64>,
}

impl<'t> Claims<'t> {
    /// Reads the registered claims, in the order in which Envoy does (`Jwt::parseFromString`).
    ///
    /// # Errors
    /// The refusal of the first claim that has a wrong type.
    pub fn parse(all: Object<'t>) -> Result<Self, Refusal> {
        check_text(&all, "iss", Refusal::IssuerNotString)?;
        check_text(&all, "sub", Refusal::SubjectNotString)?;
        let issued_at =
            seconds(&all, "iat", Refusal::IssuedAtNotInteger, Refusal::IssuedAtOutOfRange)?;
        let not_before =
            seconds(&all, "nbf", Refusal::NotBeforeNotInteger, Refusal::NotBeforeOutOfRange)?;
        let expires_at =
            seconds(&all, "exp", Refusal::ExpirationNotInteger, Refusal::ExpirationOutOfRange)?;
        check_text(&all, "jti", Refusal::TokenIdNotString)?;
        if !elements(all.get("aud")).iter().all(|audience| audience.as_text().is_some()) {
            return Err(Refusal::AudienceNotString);
        }
        Ok(Self { issued_at, validity: Validity { not_before, expires_at }, all })
    }

    /// `iss`
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.text("iss")
    }

    /// `sub`
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// `jti`
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// `aud`; a string is a list of one.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        elements(self.all.get("aud")).iter().filter_map(Json::as_text)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.as_text()
    }
}

/// The elements of a list; of any other value, itself.
fn elements<'j, 't>(value: Option<&'j Json<'t>>) -> &'j [Json<'t>] {
    match value {
        None => &[],
        Some(Json::List(elements)) => elements,
        Some(value) => std::slice::from_ref(value),
    }
}

fn check_text(claims: &Object<'_>, name: &str, malformed: Refusal) -> Result<(), Refusal> {
    match claims.get(name) {
        None | Some(Json::Text(_)) => Ok(()),
        Some(_) => Err(malformed),
    }
}

/// A `NumericDate` (RFC 7519 §2): decimals are cut off, as in Envoy.
fn seconds(
    claims: &Object<'_>,
    name: &str,
    malformed: Refusal,
    out_of_range: Refusal,
) -> Result<Option<u64>, Refusal> {
    let number = match claims.get(name) {
        None => return Ok(None),
        Some(Json::Number(number)) => number,
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::{self, Limits};

    fn parse(claims: &str) -> Result<Claims<'_>, Refusal> {
        let limits = Limits { depth: 9, members: 9 };
        let Ok(Json::Object(claims)) = json::parse(claims.as_bytes(), limits) else { panic!() };
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
            let claims: Value = claims;
            assert_eq!(parse(&claims.to_string()).unwrap_err(), expected, "{claims}");
        }
    }

    #[test]
    fn dates_lose_their_decimals_and_audiences_are_a_list() {
        let claims = parse(r#"{"exp": 7.9, "nbf": 0, "aud": "a"}"#).unwrap();
        assert_eq!(claims.validity, Validity { not_before: Some(0), expires_at: Some(7) });
        assert_eq!(claims.audiences().collect::<Vec<_>>(), ["a"]);
        assert_eq!(parse("{}").unwrap().audiences().count(), 0);
    }
}
