//! What a verified token is written to: the headers that the workload receives.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use super::claim_path::ClaimPath;
use super::fixed_point::six_decimals;
use super::jws::UntrustedToken;
use crate::{json, scalar};

/// A header that a provider writes.
#[derive(Clone, Debug)]
pub struct OutputHeader {
    /// Its name, in lower case.
    pub name: Arc<str>,
    /// What it holds.
    pub source: Source,
}

/// What an output header holds.
#[derive(Clone, Debug)]
pub enum Source {
    /// One claim, as Envoy writes it.
    Claim(ClaimPath),
    /// One claim, the elements of a list separated by commas.
    ClaimAsList(ClaimPath),
    /// The payload, as it is in the token.
    Payload,
}

/// The headers that one token writes: name and value.
pub type Outputs = Vec<(Arc<str>, Vec<u8>)>;

/// The values of all headers that this token has something for, or the name of the first whose
/// value no header can hold. `as_list` finds a claim, and makes a list of one that is delimited by
/// spaces.
///
/// # Errors
/// The name of that header.
#[inline(never)]
pub fn write(
    headers: &[OutputHeader],
    token: &UntrustedToken<'_>,
    as_list: impl Fn(&ClaimPath) -> Option<Value>,
) -> Result<Outputs, Arc<str>> {
    let mut outputs = Vec::with_capacity(headers.len());
    for header in headers {
        let value = match &header.source {
            Source::Payload => Some(token.payload.to_vec()),
            Source::Claim(claim) => {
                let claim = claim.find_dotted(&token.claims.all);
                claim.and_then(|claim| text(&claim.into_owned().into()))
            }
            Source::ClaimAsList(claim) => {
                let claim = as_list(claim);
                claim
                    .map_or(Ok(None), |claim| list_text(&claim))
                    .map_err(|NotInList| Arc::clone(&header.name))?
            }
        };
        match value {
            Some(value) if is_writable(&value) => {
                outputs.push((Arc::clone(&header.name), value));
            }
            Some(_) => return Err(Arc::clone(&header.name)),
            None => {}
        }
    }
    Ok(outputs)
}

/// A claim as Envoy's `claim_to_headers` writes it (`authenticator.cc`): lists and objects as
/// standard base64 of their JSON; nothing for null and the empty string.
fn text(claim: &Value) -> Option<Vec<u8>> {
    match claim {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string().into()),
        Value::Number(number) => Some(number_text(number).into()),
        Value::String(text) => (!text.is_empty()).then(|| text.clone().into()),
        list_or_object => Some(STANDARD.encode(json::written(list_or_object)).into()),
    }
}

/// An element that a list in a header can't hold.
struct NotInList;

/// The elements of a list with commas between them (RFC 9110 §5.6.1), each as [`text`] writes it.
fn list_text(claim: &Value) -> Result<Option<Vec<u8>>, NotInList> {
    let mut texts = Vec::new();
    for element in scalar::elements(claim) {
        match text(element) {
            Some(text) if text.contains(&b',') || text.contains(&b'"') || !is_writable(&text) => {
                return Err(NotInList);
            }
            text => texts.extend(text),
        }
    }
    Ok(Some(texts.join(&b","[..])).filter(|text| !text.is_empty()))
}

/// A whole number that is not negative without decimals, any other with six.
fn number_text(number: &Number) -> String {
    if let Some(whole) = number.as_u64() {
        return whole.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    let mut text = six_decimals(value);
    if value >= 0.0 && value.fract() == 0.0 && value < 2_f64.powi(64) {
        text.truncate(text.len().saturating_sub(".000000".len()));
    }
    text
}

/// Whether receivers read exactly this (RFC 9110 §5.5): no control bytes, and no white space at the
/// ends, which they would cut off; Go and Python also that of Unicode.
fn is_writable(value: &[u8]) -> bool {
    str::from_utf8(value).is_ok_and(|text| text.trim().len() == text.len())
        && value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_written_as_envoy_does() {
        for (claim, expected) in [
            (json!("é"), Some("é")),
            (json!(7), Some("7")),
            (json!(7.0), Some("7")),
            (json!(1.5), Some("1.500000")),
            (json!(-3), Some("-3.000000")),
            (json!(9_007_199_254_740_993_u64), Some("9007199254740993")),
            (json!(true), Some("true")),
            (json!(["a"]), Some("WyJhIl0=")),
            (json!({"a": 1}), Some("eyJhIjoxfQ==")),
            (json!(null), None),
            (json!(""), None),
        ] {
            assert_eq!(text(&claim), expected.map(Into::into), "{claim}");
        }
    }

    #[test]
    fn what_receivers_read_otherwise_is_not_writable() {
        for value in
            ["a\0", "a\r\nb", "\u{1f}", "a\u{7f}", " a", "a ", "\ta", "\u{a0}a", "a\u{2003}"]
        {
            assert!(!is_writable(value.as_bytes()), "{value:?}");
        }
        for value in ["a", "a b", "a\tb", "é", "~"] {
            assert!(is_writable(value.as_bytes()), "{value:?}");
        }
    }

    #[test]
    fn elements_of_a_list_are_told_apart() {
        for (claim, expected) in [
            (json!(["a", "b c"]), Some(Some("a,b c"))),
            (json!("a"), Some(Some("a"))),
            (json!([7, true, null, ""]), Some(Some("7,true"))),
            (json!([]), Some(None)),
            (json!(["a,b"]), None),
            (json!(["\"a"]), None),
            (json!([" a"]), None),
        ] {
            let text = list_text(&claim).ok();
            assert_eq!(text, expected.map(|text| text.map(Into::into)), "{claim}");
        }
    }
}
