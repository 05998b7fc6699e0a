//! A compact JSON Web Signature (RFC 7515 §7.1), read but not trusted.
//!
//! The checks and their order are those of Envoy's `Jwt::parseFromString`
//! (`source/common/jwt/jwt.cc`); what is stricter here says so.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use memchr::{memchr, memrchr};

use super::algorithm::Algorithm;
use super::claims::Claims;
use crate::json::{self, Json, JsonError, Limits, Object};
use crate::refusal::Refusal;

/// Bounds on the JSON of a header or payload, where a document sets no others.
pub const LIMITS: Limits = Limits { depth: 32, members: 1_000 };

/// A token whose signature has not been checked: what it says is only a claim.
#[derive(Debug)]
pub struct UntrustedToken<'a> {
    /// What the header says of the signature.
    pub header: Header<'a>,
    /// What the payload says.
    pub claims: Claims<'a>,
    /// The payload as it is in the token, in base64url.
    pub payload: &'a [u8],
    /// The bytes that are signed: header, dot, payload (RFC 7515 §5.2).
    pub signed: &'a [u8],
    /// The signature, decoded.
    pub signature: Vec<u8>,
    /// The refusal of the first part that is padded, for a provider whose tokens are not.
    pub padding: Option<Refusal>,
}

/// The members of the header that decide how the token is verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// `alg` (RFC 7515 §4.1.1).
    pub algorithm: Algorithm,
    /// `kid` (RFC 7515 §4.1.4).
    pub key_id: Option<Cow<'a, str>>,
    /// `typ` (RFC 7515 §4.1.9), if it is a string.
    pub token_type: Option<Cow<'a, str>>,
}

/// The decoded header and payload of a token, which what is read from them borrows.
#[derive(Debug, Default)]
pub struct DecodedParts {
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl<'a> UntrustedToken<'a> {
    /// Reads a token; what it decodes is left in `decoded`. With `padded`, parts may have the padding
    /// of base64: whether they may in the end, the provider says ([`Self::padding`]).
    /// `limits` are for the header and the payload, each.
    ///
    /// # Errors
    /// The refusal of the first thing that is wrong, in the order form, header, payload, encoding
    /// of the signature.
    #[inline(never)]
    pub fn parse(
        token: &'a [u8],
        padded: bool,
        limits: Limits,
        decoded: &'a mut DecodedParts,
    ) -> Result<Self, Refusal> {
        let (signed, signature) = split_at_dot(token, memrchr(b'.', token))?;
        let (header, payload) = split_at_dot(signed, memchr(b'.', signed))?;
        if memchr(b'.', payload).is_some() {
            return Err(Refusal::TokenForm);
        }
        // Envoy counts only parts that are not empty (`absl::SkipEmpty`).
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(Refusal::TokenForm);
        }
        let encoding = if padded { &MAYBE_PADDED } else { &URL_SAFE_NO_PAD };
        let padding = if padded { padding([header, payload, signature]) } else { None };
        let header = object(header, encoding, limits, &mut decoded.header, &HEADER)?;
        let header = Header::parse(&header)?;
        let claims = object(payload, encoding, limits, &mut decoded.payload, &PAYLOAD)?;
        let claims = Claims::parse(claims)?;
        let signature = encoding.decode(signature).map_err(|_| Refusal::SignatureEncoding)?;
        Ok(Self { header, claims, payload, signed, signature, padding })
    }
}

impl<'a> Header<'a> {
    fn parse(header: &Object<'a>) -> Result<Self, Refusal> {
        let Some(Json::Text(algorithm)) = header.get("alg") else {
            return Err(Refusal::AlgorithmMissing);
        };
        let algorithm = Algorithm::from_name(algorithm).ok_or(Refusal::AlgorithmUnknown)?;
        let key_id = match header.get("kid") {
            None => None,
            // As in Envoy, an empty one is none (`verify.cc`).
            Some(Json::Text(key_id)) => Some(key_id.clone()).filter(|key_id| !key_id.is_empty()),
            Some(_) => return Err(Refusal::KeyIdNotString),
        };
        // RFC 7515 §4.1.11: a token with critical extensions that the recipient does not
        // understand is invalid. We understand none; Envoy does not look. An unencoded payload
        // (RFC 7797) is such an extension whether `crit` names it or not.
        if header.get("crit").is_some() || header.get("b64") == Some(&Json::Bool(false)) {
            return Err(Refusal::HeaderCritical);
        }
        let token_type = match header.get("typ") {
            Some(Json::Text(token_type)) => Some(token_type.clone()),
            _ => None,
        };
        Ok(Self { algorithm, key_id, token_type })
    }
}

/// The refusals of one part of the token.
struct Part {
    encoding: Refusal,
    json: Refusal,
    duplicate: Refusal,
    too_deep: Refusal,
    too_many_members: Refusal,
}

const HEADER: Part = Part {
    encoding: Refusal::HeaderEncoding,
    json: Refusal::HeaderJson,
    duplicate: Refusal::HeaderMemberDuplicate,
    too_deep: Refusal::HeaderTooDeep,
    too_many_members: Refusal::HeaderTooManyMembers,
};

const PAYLOAD: Part = Part {
    encoding: Refusal::PayloadEncoding,
    json: Refusal::PayloadJson,
    duplicate: Refusal::PayloadMemberDuplicate,
    too_deep: Refusal::PayloadTooDeep,
    too_many_members: Refusal::PayloadTooManyMembers,
};

/// Base64url with its padding or without, strict in all else.
const MAYBE_PADDED: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The refusal of the first part that is padded.
#[cold] // Few issuers pad.
fn padding(parts: [&[u8]; 3]) -> Option<Refusal> {
    let refusals = [Refusal::HeaderEncoding, Refusal::PayloadEncoding, Refusal::SignatureEncoding];
    let mut padded = parts.iter().zip(refusals).filter(|(part, _)| part.ends_with(b"="));
    padded.next().map(|(_, refusal)| refusal)
}

/// Decodes one part. The base64url is strict: no white space, no loose trailing bits, and no padding
/// unless `encoding` takes it (RFC 7515 §2); Envoy forgives all three, so that one token has many
/// spellings there.
fn object<'a>(
    part: &[u8],
    encoding: &GeneralPurpose,
    limits: Limits,
    decoded: &'a mut Vec<u8>,
    refusals: &Part,
) -> Result<Object<'a>, Refusal> {
    decoded.clear();
    encoding.decode_vec(part, decoded).map_err(|_| refusals.encoding)?;
    match json::parse(decoded, limits) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) | Err(JsonError::Syntax(_)) => Err(refusals.json),
        Err(JsonError::DuplicateName(_)) => Err(refusals.duplicate),
        Err(JsonError::TooDeep) => Err(refusals.too_deep),
        Err(JsonError::TooManyMembers) => Err(refusals.too_many_members),
    }
}

fn split_at_dot(bytes: &[u8], dot: Option<usize>) -> Result<(&[u8], &[u8]), Refusal> {
    let (before, dot_and_after) =
        dot.and_then(|dot| bytes.split_at_checked(dot)).ok_or(Refusal::TokenForm)?;
    let after = dot_and_after.get(1..).ok_or(Refusal::TokenForm)?;
    Ok((before, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn refusal(token: &str) -> Refusal {
        let mut decoded = DecodedParts::default();
        UntrustedToken::parse(token.as_bytes(), false, LIMITS, &mut decoded).expect_err(token)
    }

    #[test]
    fn parts_are_kept_as_they_stand() {
        let text = token(r#"{"alg":"RS256"}"#, r#"{"iss":"joe"}"#);
        let mut decoded = DecodedParts::default();
        let token = UntrustedToken::parse(text.as_bytes(), false, LIMITS, &mut decoded).unwrap();
        let header = Header { algorithm: Algorithm::Rs256, key_id: None, token_type: None };
        assert_eq!(token.header, header);
        assert_eq!(token.claims.issuer(), Some("joe"));
        assert_eq!(token.signed, text.rsplit_once('.').unwrap().0.as_bytes());
        assert_eq!(token.signature, b"sig");
    }

    #[test]
    fn exactly_two_dots() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        for bad in ["", ".", "..", "a", "a.b", "a..c", ".b.c", "a.b.", "a.b.c.d", "...."] {
            assert_eq!(refusal(bad), Refusal::TokenForm, "{bad}");
        }
        for bad in [format!("{good}."), format!(".{good}"), good.replacen('.', "..", 1)] {
            assert_eq!(refusal(&bad), Refusal::TokenForm, "{bad}");
        }
    }

    #[test]
    fn base64url_is_strict() {
        let rest = "e30.c2ln";
        assert_eq!(refusal(&format!("e30=.{rest}")), Refusal::HeaderEncoding);
        assert_eq!(refusal(&format!("e 30.{rest}")), Refusal::HeaderEncoding);
        // `e31` decodes to the same two bytes as `e30` where trailing bits are ignored.
        assert_eq!(refusal(&format!("e31.{rest}")), Refusal::HeaderEncoding);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        assert_eq!(refusal(&format!("{header}.e3+.c2ln")), Refusal::PayloadEncoding);
        assert_eq!(refusal(&format!("{header}.e30.c2ln=")), Refusal::SignatureEncoding);
    }

    #[test]
    fn padding_is_taken_where_it_is_asked_for_and_told() {
        let engine = base64::engine::general_purpose::URL_SAFE;
        let header = engine.encode(r#"{"alg":"RS256"}"#); // 20 characters, none of padding
        for (payload, signature, expected) in [
            ("e30=", "c2ln", Ok(Some(Refusal::PayloadEncoding))),
            ("e30", "c2lnMQ==", Ok(Some(Refusal::SignatureEncoding))),
            ("e30", "c2ln", Ok(None)),
            ("e30==", "c2ln", Err(Refusal::PayloadEncoding)),
            ("e31=", "c2ln", Err(Refusal::PayloadEncoding)),
            ("e30=", "c2l=n", Err(Refusal::SignatureEncoding)),
            ("e30= ", "c2ln", Err(Refusal::PayloadEncoding)),
        ] {
            let text = format!("{header}.{payload}.{signature}");
            let mut decoded = DecodedParts::default();
            let found = UntrustedToken::parse(text.as_bytes(), true, LIMITS, &mut decoded);
            assert_eq!(found.map(|token| token.padding), expected, "{text}");
        }
    }

    #[test]
    fn headers_are_checked_in_order() {
        for (header, expected) in [
            ("[]", Refusal::HeaderJson),
            ("{", Refusal::HeaderJson),
            (r#"{"alg":"RS256","alg":"RS256"}"#, Refusal::HeaderMemberDuplicate),
            ("{}", Refusal::AlgorithmMissing),
            (r#"{"alg":1}"#, Refusal::AlgorithmMissing),
            (r#"{"alg":"none"}"#, Refusal::AlgorithmUnknown),
            (r#"{"alg":"rs256","kid":1}"#, Refusal::AlgorithmUnknown),
            (r#"{"alg":"RS256","kid":1,"crit":[]}"#, Refusal::KeyIdNotString),
            (r#"{"alg":"RS256","crit":["exp"]}"#, Refusal::HeaderCritical),
            (r#"{"alg":"RS256","b64":false}"#, Refusal::HeaderCritical),
        ] {
            assert_eq!(refusal(&token(header, "[]")), expected, "{header}");
        }
        let nested = format!(r#"{{"alg":"RS256","x":{}{}}}"#, "[".repeat(32), "]".repeat(32));
        assert_eq!(refusal(&token(&nested, "{}")), Refusal::HeaderTooDeep);
        assert_eq!(refusal(&token(r#"{"alg":"RS256"}"#, "1")), Refusal::PayloadJson);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, header: String, payload: String) {
            let mut decoded = DecodedParts::default();
            for padded in [false, true] {
                let _ = UntrustedToken::parse(&bytes, padded, LIMITS, &mut decoded);
                let token = token(&header, &payload);
                let _ = UntrustedToken::parse(token.as_bytes(), padded, LIMITS, &mut decoded);
            }
        }
    }
}
