//! Where tokens are looked for, and the one token of a request.

use std::borrow::Cow;

use crate::percent;
use crate::refusal::Refusal;
use crate::request::Request;

/// A place in a request that can hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A header with an authentication scheme (RFC 9110 §11.4), such as `Authorization: Bearer …`.
    /// Both names in lower case.
    Credential {
        /// Name of the header.
        header: String,
        /// Name of the scheme.
        scheme: String,
    },
    /// A parameter of the query, by its decoded name.
    Parameter(String),
}

impl Location {
    /// Where tokens are looked for if the document does not say: as in Istio.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Credential {
                header: "authorization".into(),
                scheme: "bearer".into(),
            },
            Self::Parameter("access_token".into()),
        ]
    }
}

/// The token of a request, unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<'a> {
    /// Which of the locations has it.
    pub location: usize,
    /// The token as it stands there, percent-decoded in a query.
    pub token: Cow<'a, [u8]>,
}

/// Finds the token of a request.
///
/// # Errors
/// [`Refusal::CredentialMalformed`] for a credential with the scheme of a location that is not
/// exactly one token; [`Refusal::TokenMultiple`] for more than one token in all locations.
pub fn locate<'a>(
    request: &Request<'a>,
    locations: &[Location],
) -> Result<Option<Located<'a>>, Refusal> {
    let mut found = None;
    for (location, place) in locations.iter().enumerate() {
        place.tokens(request, |token| {
            let token = token?;
            match found.replace(Located { location, token }) {
                None => Ok(()),
                Some(_) => Err(Refusal::TokenMultiple),
            }
        })?;
    }
    Ok(found)
}

impl Location {
    /// Hands every token at this location to `take`.
    fn tokens<'a>(
        &self,
        request: &Request<'a>,
        mut take: impl FnMut(Result<Cow<'a, [u8]>, Refusal>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Credential { header, scheme } => {
                for value in request.values(header) {
                    if let Some(token) = credential(value, scheme.as_bytes()) {
                        take(token.map(Cow::Borrowed))?;
                    }
                }
            }
            Self::Parameter(parameter) => {
                for (name, value) in request.query().map(parameters).into_iter().flatten() {
                    if percent::decode(name).0 == parameter.as_bytes() {
                        take(Ok(percent::decode(value).0))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a header line holds something that this location takes for a token, well-formed or
    /// not.
    #[must_use]
    pub fn is_at_header(&self, name: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Credential { header, scheme } => {
                name == header.as_bytes() && credential(value, scheme.as_bytes()).is_some()
            }
            Self::Parameter(_) => false,
        }
    }
}

/// Whether the parameter with this name, as it stands in a query, is one of the locations.
#[must_use]
pub fn is_token_parameter(name: &[u8], locations: &[Location]) -> bool {
    let name = percent::decode(name).0;
    locations.iter().any(
        |location| matches!(location, Location::Parameter(known) if known.as_bytes() == &*name),
    )
}

/// The token of a header's value. `None`: the value has another scheme. Envoy joins repeated
/// `authorization` lines with commas, so every part between commas is looked at.
fn credential<'a>(value: &'a [u8], scheme: &[u8]) -> Option<Result<&'a [u8], Refusal>> {
    let with_scheme = value
        .split(|&byte| byte == b',')
        .filter(|part| has_scheme(part, scheme))
        .count();
    match with_scheme {
        0 => None,
        1 => Some(only_token(value, scheme).ok_or(Refusal::CredentialMalformed)),
        _ => Some(Err(Refusal::TokenMultiple)),
    }
}

/// Whether a part begins with the scheme: its first run of token characters (RFC 9110 §5.6.2).
fn has_scheme(part: &[u8], scheme: &[u8]) -> bool {
    let part = part.trim_ascii_start();
    let is_token_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = part
        .iter()
        .position(|byte| !is_token_byte(byte))
        .unwrap_or(part.len());
    part.get(..end)
        .is_some_and(|found| found.eq_ignore_ascii_case(scheme))
}

/// What follows the scheme and its spaces, if that is all there is.
fn only_token<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = value.split_at_checked(scheme.len())?;
    let start = rest.iter().position(|&byte| byte != b' ')?;
    let token = rest.get(start..)?;
    let is_one = start > 0
        && found.eq_ignore_ascii_case(scheme)
        && !token
            .iter()
            .any(|byte| byte.is_ascii_whitespace() || *byte == b',');
    is_one.then_some(token)
}

/// Names and values of a query, as they stand in it.
pub fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|&byte| byte == b'&').map(|parameter| {
        match parameter.iter().position(|&byte| byte == b'=') {
            Some(sign) => {
                let (name, value) = parameter.split_at(sign);
                (name, value.get(1..).unwrap_or_default())
            }
            None => (parameter, &[][..]),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::Header;

    fn locate_in(target: &str, authorization: &[&str]) -> Result<Option<String>, Refusal> {
        let mut headers: Vec<Header<'_>> =
            vec![(b":method", b"GET"), (b":path", target.as_bytes())];
        headers.extend(
            authorization
                .iter()
                .map(|value| (&b"authorization"[..], value.as_bytes())),
        );
        let request = Request::read(&headers).unwrap();
        let located = locate(&request, &Location::defaults())?;
        Ok(located.map(|located| String::from_utf8(located.token.into_owned()).unwrap()))
    }

    #[test]
    fn a_credential_is_scheme_spaces_and_one_token() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
            assert_eq!(
                locate_in("/", &[value]),
                Ok(Some("a.b.c".into())),
                "{value}"
            );
        }
        for value in [
            "Basic Og==",
            "Bearerx a.b.c",
            "a.b.c",
            "",
            ",",
            "Digest a=\"b\", c=d",
        ] {
            assert_eq!(locate_in("/", &[value]), Ok(None), "{value}");
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
        ] {
            assert_eq!(
                locate_in("/", &[value]),
                Err(Refusal::CredentialMalformed),
                "{value}"
            );
        }
    }

    #[test]
    fn more_than_one_token_is_refused() {
        for (target, values) in [
            ("/", &["Bearer a", "Bearer a"][..]),
            ("/", &["Bearer a,Bearer b"]),
            ("/?access_token=a", &["Bearer a"]),
            ("/?access_token=a&access_token=a", &[]),
            ("/?access_token=&access%5ftoken=a", &[]),
        ] {
            assert_eq!(
                locate_in(target, values),
                Err(Refusal::TokenMultiple),
                "{target}"
            );
        }
        assert_eq!(
            locate_in("/", &["Basic Og==", "Bearer a"]),
            Ok(Some("a".into()))
        );
    }

    #[test]
    fn parameters_are_decoded() {
        for (target, expected) in [
            ("/?access_token=a.b.c", Some("a.b.c")),
            ("/?x=1&access_token=a%2Eb.c&y", Some("a.b.c")),
            ("/?%61ccess_token=a", Some("a")),
            ("/?access_token=", Some("")),
            ("/?access_token", Some("")),
            ("/?Access_token=a", None),
            ("/access_token=a", None),
        ] {
            assert_eq!(
                locate_in(target, &[]),
                Ok(expected.map(str::to_owned)),
                "{target}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(value: Vec<u8>, query: Vec<u8>) {
            let target = [b"/?access_token=", &query[..]].concat();
            let headers: Vec<Header<'_>> =
                vec![(b":method", b"GET"), (b":path", &target), (b"authorization", &value)];
            let _ = locate(&Request::read(&headers).unwrap(), &Location::defaults());
        }
    }
}
