//! Where tokens are looked for, and the one token that is found there.

use std::borrow::Cow;

use super::cookies;
use super::credential;
use crate::percent;
use crate::query::{is_loosely, parameters};
use crate::refusal::Refusal;
use crate::request::Request;

/// A place in a request that can hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A cookie, by its name.
    Cookie(String),
    /// A header, by its name in lower case, and what comes before the token there.
    Header(String, Prefix),
    /// A parameter of the query, by its decoded name.
    Parameter(String),
}

/// What comes before the token in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Exactly this; nothing where it is empty.
    Literal(String),
    /// An authentication scheme (RFC 9110 §11.1) in lower case, and spaces.
    Scheme(String),
}

impl Location {
    /// Where tokens are looked for if the document does not say: as in Istio.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Header("authorization".into(), Prefix::Scheme("bearer".into())),
            Self::Parameter("access_token".into()),
        ]
    }
}

/// The token of a request, unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<'a> {
    /// Which of the locations has it.
    pub location: usize,
    /// The token as it is there, percent-decoded in a query.
    pub token: Cow<'a, [u8]>,
}

/// Finds the one token that a request has at these locations, each with its number.
///
/// # Errors
/// [`Refusal::CredentialMalformed`] for a credential with the scheme of a location that is not
/// exactly one token; [`Refusal::TokenMultiple`] for more than one token in all locations. The same
/// token twice is one.
pub fn locate<'a, 'l>(
    request: &Request<'a>,
    locations: impl Iterator<Item = (usize, &'l Location)>,
) -> Result<Option<Located<'a>>, Refusal> {
    let mut found: Option<Located<'a>> = None;
    for (location, place) in locations {
        place.tokens(request, |token| {
            let token = token?;
            match &found {
                None => found = Some(Located { location, token }),
                Some(first) if first.token == token => {}
                Some(_) => return Err(Refusal::TokenMultiple),
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// How many values of one request are looked for in what is shown of it.
const MAX_VALUES: usize = 32;

/// What clients sent in these locations, well-formed or not: none of it may be shown.
#[must_use]
pub fn values<'a>(request: &Request<'a>, locations: &[Location]) -> Vec<Cow<'a, [u8]>> {
    let mut values = Vec::new();
    for location in locations {
        // A value that is not one token is refused, and still holds what the client sent.
        if let Location::Header(name, prefix) = location {
            for value in request.values(name).filter(|value| prefix.is_in(value)) {
                values.push(Cow::Borrowed(prefix.cut_from(value)));
                // The scheme can be anywhere in it.
                let words = value.split(|byte| b" \t,;\"".contains(byte));
                values.extend(words.filter(|word| !word.is_empty()).map(Cow::Borrowed));
            }
        } else {
            let _ = location.tokens(request, |token| token.map(|token| values.push(token)));
        }
    }
    values.truncate(MAX_VALUES);
    values
}

impl Location {
    /// Hands every token at this location to `take`. An empty value is none: logging out empties
    /// cookies.
    fn tokens<'a>(
        &self,
        request: &Request<'a>,
        mut take: impl FnMut(Result<Cow<'a, [u8]>, Refusal>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Cookie(name) => {
                let parts = request.values("cookie").flat_map(cookies::split);
                for cookie in parts.filter_map(|(_, cookie)| cookie) {
                    if cookie.name == name.as_bytes() && !cookie.value.is_empty() {
                        take(Ok(Cow::Borrowed(cookie.value)))?;
                    }
                }
            }
            Self::Header(name, prefix) => {
                for value in request.values(name).filter(|value| !value.is_empty()) {
                    if let Some(token) = prefix.token(value) {
                        take(token.map(Cow::Borrowed))?;
                    }
                }
            }
            Self::Parameter(parameter) => {
                for (name, value) in request.query().map(parameters).into_iter().flatten() {
                    if !value.is_empty() && percent::decode(name).0 == parameter.as_bytes() {
                        take(Ok(percent::decode(value).0))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether tokens are looked for in the header with exactly this name.
    #[must_use]
    pub fn is_named(&self, header: &[u8]) -> bool {
        matches!(self, Self::Header(name, _) if name.as_bytes() == header)
    }

    /// Whether a header line holds what this location takes for a token, well-formed or not.
    #[must_use]
    pub fn is_at_header(&self, name: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Header(known, prefix) => name == known.as_bytes() && prefix.is_in(value),
            Self::Cookie(_) | Self::Parameter(_) => false,
        }
    }
}

impl Prefix {
    /// The token of a header's value. `None`: the value holds something else.
    fn token<'a>(&self, value: &'a [u8]) -> Option<Result<&'a [u8], Refusal>> {
        match self {
            Self::Literal(prefix) => value.strip_prefix(prefix.as_bytes()).map(Ok),
            Self::Scheme(scheme) => credential::token(value, scheme.as_bytes()),
        }
    }

    /// What of a value is not this prefix.
    fn cut_from<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        let length = match self {
            Self::Literal(prefix) => prefix.len(),
            Self::Scheme(scheme) => scheme.len(),
        };
        value.get(length..).unwrap_or_default().trim_ascii()
    }

    /// Whether [`Self::token`] finds something, well-formed or not.
    fn is_in(&self, value: &[u8]) -> bool {
        match self {
            Self::Literal(prefix) => value.starts_with(prefix.as_bytes()),
            Self::Scheme(scheme) => credential::is_in(value, scheme.as_bytes()),
        }
    }

    /// Whether some value can begin with both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let text = |prefix: &Self| match prefix {
            Self::Literal(text) => text.to_ascii_lowercase(),
            Self::Scheme(scheme) => format!("{scheme} "),
        };
        match (self, other) {
            (Self::Literal(left), Self::Literal(right)) => {
                left.starts_with(right) || right.starts_with(left)
            }
            _ => text(self).starts_with(&text(other)) || text(other).starts_with(&text(self)),
        }
    }
}

/// Which of the locations is the parameter with this name, as it is written in a query.
#[must_use]
pub fn parameter_location(name: &[u8], locations: &[Location]) -> Option<usize> {
    let name = percent::decode(name).0;
    locations.iter().position(
        |location| matches!(location, Location::Parameter(known) if known.as_bytes() == &*name),
    )
}

/// Which of the locations is the cookie with this name.
#[must_use]
pub fn cookie_location(name: &[u8], locations: &[Location]) -> Option<usize> {
    locations.iter().position(
        |location| matches!(location, Location::Cookie(known) if known.as_bytes() == name),
    )
}

/// Whether some workload reads the parameter with this name, as it is written in a query, as one of
/// the locations, though it is none: PHP reads `access.token` and `access_token[]` so, Rails and qs
/// the latter, ASP.NET `Access_Token`.
#[must_use]
pub fn is_spelling_of_parameter(name: &[u8], locations: &[Location]) -> bool {
    locations.iter().any(|location| match location {
        Location::Parameter(known) if name.len() >= known.len() => {
            is_loosely(name, known) && percent::decode(name).0 != known.as_bytes()
        }
        _ => false,
    })
}

/// The same for the name of a cookie, which PHP decodes.
#[must_use]
pub fn is_spelling_of_cookie(name: &[u8], locations: &[Location]) -> bool {
    locations.iter().any(|location| match location {
        Location::Cookie(known) if name.len() >= known.len() => {
            is_loosely(name, known) && name != known.as_bytes()
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::Header;

    fn locate_in(
        locations: &[Location],
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Option<String>, Refusal> {
        let mut lines: Vec<Header<'_>> = vec![(b":method", b"GET"), (b":path", target.as_bytes())];
        lines.extend(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let located = locate(&Request::read(&lines).unwrap(), locations.iter().enumerate())?;
        Ok(located.map(|located| String::from_utf8(located.token.into_owned()).unwrap()))
    }

    #[test]
    fn more_than_one_token_is_refused() {
        let refused = |target, headers: &[_]| {
            let located = locate_in(&Location::defaults(), target, headers);
            assert_eq!(located, Err(Refusal::TokenMultiple), "{target}");
        };
        refused("/", &[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
        refused("/", &[("authorization", "Bearer a,Bearer b")]);
        refused("/?access_token=b", &[("authorization", "Bearer a")]);
        refused("/?access_token=a&access_token=b", &[]);
        refused("/?access_token=b&access%5ftoken=a", &[]);
    }

    #[test]
    fn the_same_token_twice_is_one_and_an_empty_value_none() {
        for (target, headers) in [
            ("/", &[("authorization", "Basic Og=="), ("authorization", "Bearer a")][..]),
            ("/", &[("authorization", "Bearer a"), ("authorization", "bearer a")]),
            ("/", &[("authorization", "Bearer a,Bearer a")]),
            ("/?access_token=a", &[("authorization", "Bearer a")]),
            ("/?access_token=%61&access_token=a", &[]),
            ("/?access_token=", &[("authorization", "Bearer a")]),
            ("/?access_token&access_token=a", &[("authorization", "")]),
        ] {
            let located = locate_in(&Location::defaults(), target, headers);
            assert_eq!(located, Ok(Some("a".into())), "{target} {headers:?}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        for (target, expected) in [
            ("/?access_token=a.b.c", Some("a.b.c")),
            ("/?x=1&access_token=a%2Eb.c&y", Some("a.b.c")),
            ("/?%61ccess_token=a", Some("a")),
            ("/?access_token=", None),
            ("/?access_token", None),
            ("/?Access_token=a", None),
            ("/access_token=a", None),
        ] {
            let located = locate_in(&Location::defaults(), target, &[]);
            assert_eq!(located, Ok(expected.map(str::to_owned)), "{target}");
        }
    }

    #[test]
    fn other_spellings_are_not_the_location_itself() {
        let locations =
            [Location::Cookie("session".into()), Location::Parameter("access_token".into())];
        for (name, of_parameter, of_cookie) in [
            ("access_token", false, false),
            ("access%5Ftoken", false, false),
            ("access.token", true, false),
            ("session", false, false),
            ("%73ession", false, true),
            ("SESSION", false, true),
            ("session%5B%5D", false, true),
            ("sessions", false, false),
        ] {
            let found = (
                is_spelling_of_parameter(name.as_bytes(), &locations),
                is_spelling_of_cookie(name.as_bytes(), &locations),
            );
            assert_eq!(found, (of_parameter, of_cookie), "{name}");
        }
    }

    #[test]
    fn what_a_client_put_into_a_location_is_known_wherever_it_stands_there() {
        for value in [
            "Bearer opaque",
            "x Bearer opaque",
            "Basic Og==;Bearer\topaque",
            "Bearer a,b \"opaque\"",
        ] {
            let lines: Vec<Header<'_>> =
                vec![(b":method", b"GET"), (b":path", b"/"), (b"authorization", value.as_bytes())];
            let request = Request::read(&lines).unwrap();
            let values = super::values(&request, &Location::defaults());
            assert!(values.iter().any(|value| &**value == b"opaque"), "{value}: {values:?}");
        }
    }

    #[test]
    fn headers_have_literal_prefixes_or_none() {
        let header =
            |prefix: &str| [Location::Header("x-t".into(), Prefix::Literal(prefix.into()))];
        for (prefix, value, expected) in [
            ("", "a.b.c", Some("a.b.c")),
            ("", "", None),
            ("jwt=", "jwt=a", Some("a")),
            ("jwt=", "jwt=", Some("")),
            ("jwt=", "JWT=a", None),
            ("jwt=", "x jwt=a", None),
        ] {
            let located = locate_in(&header(prefix), "/", &[("x-t", value)]);
            assert_eq!(located, Ok(expected.map(str::to_owned)), "{prefix} {value}");
        }
        let twice = [("x-t", "a"), ("x-t", "b")];
        assert_eq!(locate_in(&header(""), "/", &twice), Err(Refusal::TokenMultiple));
    }

    #[test]
    fn prefixes_overlap_where_one_begins_with_the_other() {
        let literal = |text: &str| Prefix::Literal(text.into());
        let scheme = |text: &str| Prefix::Scheme(text.into());
        assert!(literal("").overlaps(&scheme("bearer")));
        assert!(literal("a").overlaps(&literal("ab")) && literal("ab").overlaps(&literal("a")));
        assert!(literal("BEARER x").overlaps(&scheme("bearer")));
        assert!(!literal("a").overlaps(&literal("A")));
        assert!(!scheme("bearer").overlaps(&scheme("bearerx")));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(value: Vec<u8>, query: Vec<u8>, cookie: Vec<u8>) {
            let target = [b"/?access_token=", &query[..]].concat();
            let lines: Vec<Header<'_>> = vec![
                (b":method", b"GET"),
                (b":path", &target),
                (b"authorization", &value),
                (b"cookie", &cookie),
            ];
            let mut locations = Location::defaults();
            locations.push(Location::Cookie("a".into()));
            let _ = locate(&Request::read(&lines).unwrap(), locations.iter().enumerate());
        }
    }
}
