//! A header's value as scheme and token: `Bearer <token>` (RFC 9110 §11.4).

use crate::refusal::Refusal;

/// The token of a value with this scheme, which is in lower case. `None`: the value has another
/// scheme. Where Envoy's `oauth2` or `cache` filter is linked in, as in Istio, repeated `authorization`
/// lines arrive as one with commas (`HeaderMapImpl::insertByKey`), so the same token twice in one
/// value is one token.
#[must_use]
pub fn token<'a>(value: &'a [u8], scheme: &[u8]) -> Option<Result<&'a [u8], Refusal>> {
    // What nearly every request has, in one look.
    if let Some(token) = only_token(value, scheme) {
        return Some(Ok(token));
    }
    match credentials(value, scheme) {
        0 => None,
        1 => Some(Err(Refusal::CredentialMalformed)),
        _ => Some(repeated_token(value, scheme).ok_or(Refusal::TokenMultiple)),
    }
}

/// Whether [`token`] finds something in a value, well-formed or not.
#[must_use]
pub fn is_in(value: &[u8], scheme: &[u8]) -> bool {
    after_scheme(value, scheme).is_some() || credentials(value, scheme) > 0
}

/// Whether a text is a scheme: a run of token bytes (RFC 9110 §5.6.2).
#[must_use]
pub fn is_scheme(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(is_token_byte)
}

/// How many credentials with the scheme some reader could find in a value: at the start of a part
/// between commas, there also with a token and no space behind it (Spring's `BearerTokenExtractor`), and
/// wherever white space follows the scheme. Envoy's own filter searches the whole value for it
/// (`extractor.cc`), and so do workloads.
#[cold] // Few values need a second look.
fn credentials(value: &[u8], scheme: &[u8]) -> usize {
    let is_scheme_at = |start: usize| {
        let Some((found, after)) =
            value.get(start..).and_then(|rest| rest.split_at_checked(scheme.len()))
        else {
            return false;
        };
        let starts_part = || {
            let before = value.get(..start).unwrap_or_default();
            before.iter().rfind(|byte| !is_space(byte)).is_none_or(|byte| *byte == b',')
        };
        found.eq_ignore_ascii_case(scheme)
            && match after.first() {
                Some(next) if is_space(next) => true,
                Some(next) => (!is_token_byte(next) || is_compact(after)) && starts_part(),
                None => starts_part(),
            }
    };
    (0..value.len()).filter(|&start| is_scheme_at(start)).count()
}

/// Whether some language takes a byte for white space, such as Python and JavaScript U+00A0.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that iterators want")]
fn is_space(byte: &u8) -> bool {
    !byte.is_ascii_graphic()
}

/// Whether a text begins with something like a token: a run with two dots in it.
fn is_compact(text: &[u8]) -> bool {
    let run = text.iter().take_while(|byte| is_token_byte(byte));
    run.filter(|byte| **byte == b'.').count() > 1
}

/// The token of a value that is the same credential again and again, with commas between.
fn repeated_token<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let mut tokens = value.split(|&byte| byte == b',').map(|part| {
        let part = part.trim_ascii_start();
        only_token(part, scheme)
    });
    let first = tokens.next()??;
    tokens.all(|token| token == Some(first)).then_some(first)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that iterators want")]
fn is_token_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// What follows the scheme and its spaces, if that is all there is.
fn only_token<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let rest = after_scheme(value, scheme)?;
    let start = rest.iter().position(|&byte| byte != b' ')?;
    let token = rest.get(start..)?;
    let ends_token = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
    let is_one = is_above_comma(token) || !token.iter().any(ends_token);
    is_one.then_some(token)
}

/// What follows the scheme and a space, if a value begins with them.
fn after_scheme<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = value.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Whether every byte comes after the comma in ASCII, as those of a token in compact form do; eight
/// bytes at a time. Most tokens need no closer look than this.
fn is_above_comma(text: &[u8]) -> bool {
    const FIRST: u64 = u64::from_le_bytes([b',' + 1; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    let (words, rest) = text.as_chunks();
    // A byte below `FIRST` borrows: it has its high bit afterwards and had not before.
    let below = words
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .fold(0, |below, word| below | (word.wrapping_sub(FIRST) & !word));
    below & HIGH_BITS == 0 && rest.iter().all(|byte| *byte > b',')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_credential_is_scheme_spaces_and_one_token() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
            assert_eq!(token(value.as_bytes(), b"bearer"), Some(Ok(&b"a.b.c"[..])), "{value}");
        }
        for value in [
            "Basic Og==",
            "Bearerx a.b.c",
            "Bearer.2",
            "xBearera.b.c",
            "a.b.c",
            "",
            ",",
            "Digest a=\"b\", c=d",
            "Digest bearer=\"x\"",
            "Basic QmVhcmVyIA==",
            "x bearer",
        ] {
            assert_eq!(token(value.as_bytes(), b"bearer"), None, "{value}");
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer\ta.b.c",
            "Bearer \ta.b.c",
            " Bearer a.b.c",
            "Bearer a.b.c x",
            "Bearer a.b.c,",
            "Bearer a.b.c,Basic Og==",
            "Basic Og==, bearer a.b.c",
            "Bearer=a.b.c",
            "x Bearer a.b.c",
            "x\tBEARER\ta.b.c",
            "Basic Og==; Bearer a.b.c",
            "Basic Og==;Bearer a.b.c",
            "\"Bearer a.b.c\"",
            "xBearer a.b.c",
            "Bearera.b.c",
            "Basic Og==,Bearera.b.c",
            "\u{a0}Bearer\u{a0}a.b.c",
            "Basic x,Bearer\u{a0}a.b.c",
            "x Bearer\u{b}a.b.c",
        ] {
            let refused = Some(Err(Refusal::CredentialMalformed));
            assert_eq!(token(value.as_bytes(), b"bearer"), refused, "{value}");
        }
        for value in ["Bearer a, bearer b", "Bearer Bearer a", "Bearer a, bearer a x"] {
            let refused = Some(Err(Refusal::TokenMultiple));
            assert_eq!(token(value.as_bytes(), b"bearer"), refused, "{value}");
        }
        for value in ["Bearer a,Bearer a", "bearer a, BEARER  a,Bearer a"] {
            assert_eq!(token(value.as_bytes(), b"bearer"), Some(Ok(&b"a"[..])), "{value}");
        }
    }

    proptest! {
        #[test]
        fn eight_bytes_at_a_time_or_one_is_the_same(text in "[+,.-~\u{80}a]{0,40}", other: Vec<u8>) {
            for text in [text.as_bytes(), &other] {
                prop_assert_eq!(is_above_comma(text), text.iter().all(|byte| *byte > b','));
            }
        }

        #[test]
        fn what_is_in_is_found(value in "(bearer|Bearer|basic|,| |\t|=|a){0,6}") {
            prop_assert_eq!(is_in(value.as_bytes(), b"bearer"), token(value.as_bytes(), b"bearer").is_some());
        }

        #[test]
        fn a_token_has_no_byte_that_ends_one(token in "[a,\t .\r!-]{1,20}") {
            let value = format!("bearer {token}");
            let ends = |byte: u8| byte.is_ascii_whitespace() || byte == b',';
            let has_none = !token.bytes().any(ends);
            let found = super::token(value.as_bytes(), b"bearer");
            prop_assert_eq!(found == Some(Ok(token.as_bytes())), has_none);
        }
    }
}
