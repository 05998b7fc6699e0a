//! What of an allowed request reaches the workload: the headers that are removed and set.
//!
//! A workload that trusts `x-sub` because we set it must never see one that a client sent, in
//! whatever spelling: many servers hand `x_sub` and `X-Sub` to the application under one name. The
//! same goes for a header in which tokens are looked for: `x_jwt` beside `x-jwt` is a token that
//! nobody verified.

use std::borrow::Cow;

use crate::authn::cookies::{self, Cookie};
use crate::authn::locate::{self, Location};
use crate::authz::Permit;
use crate::document::Document;
use crate::request::{Header, Request};

/// Headers with which a client asks frameworks to see another method or path than the one that was
/// judged. They have no place behind a table of methods and paths.
pub const OVERRIDES: &[&str] = &[
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// A change of the request's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange<'a> {
    /// Remove every line with this name.
    Remove(&'a [u8]),
    /// Put one line in the place of all with this name.
    Replace(&'a str, Cow<'a, [u8]>),
}

/// The changes that make of an allowed request what the workload receives, in the order in which
/// they are to be made.
#[must_use]
pub fn changes<'a>(
    document: &'a Document,
    request: &Request<'a>,
    permit: &'a Permit,
) -> Vec<HeaderChange<'a>> {
    let mut changes = Vec::new();
    let locations = document.authenticator.locations();
    let remove_token = permit.removes_token();
    for &(name, value) in request.headers() {
        let is_token =
            || remove_token && locations.iter().any(|location| location.is_at_header(name, value));
        let is_other_token = || {
            !permit.leaves_tokens_alone()
                && !locations.iter().any(|location| location.is_named(name))
        };
        let is_removed = document.removed_headers.contains(name)
            || document.token_headers.contains(name) && (is_token() || is_other_token());
        let removal = HeaderChange::Remove(name);
        if is_removed && !changes.contains(&removal) {
            changes.push(removal);
        }
    }
    if remove_token {
        if let Some(query) = request.query() {
            let target = cut_parameters(request.path(), query, locations);
            changes.extend(target.map(|target| HeaderChange::Replace(":path", target.into())));
        }
        if locations.iter().any(|location| matches!(location, Location::Cookie(_))) {
            changes.extend(cut_cookies(request, locations));
        }
    }
    let outputs = permit.identity().and_then(|identity| identity.outputs.as_ref().ok());
    for (name, value) in outputs.into_iter().flatten() {
        changes.push(HeaderChange::Replace(name, value.into()));
    }
    changes
}

/// The trailers of a request that must not reach the workload: some servers hand them to the
/// application as headers.
#[must_use]
pub fn removed_trailers<'a>(document: &Document, trailers: &[Header<'a>]) -> Vec<&'a [u8]> {
    let names = trailers.iter().map(|(name, _)| *name);
    names.filter(|name| document.output_headers.contains(name)).collect()
}

/// The target of this path and query without the parameters that hold tokens; `None` if it has none.
/// Every other byte stays as it is.
fn cut_parameters(path: &[u8], query: &[u8], locations: &[Location]) -> Option<Vec<u8>> {
    let holds_token = |parameter: &[u8]| {
        locate::parameters(parameter).any(|(name, _)| locate::is_token_parameter(name, locations))
    };
    let parameters: Vec<_> = query.split(|&byte| byte == b'&').collect();
    let kept: Vec<_> =
        parameters.iter().copied().filter(|parameter| !holds_token(parameter)).collect();
    if kept.len() == parameters.len() {
        return None;
    }
    let mut target = path.to_vec();
    for (number, parameter) in kept.iter().enumerate() {
        target.push(if number == 0 { b'?' } else { b'&' });
        target.extend_from_slice(parameter);
    }
    Some(target)
}

/// The change that leaves out the cookies that hold tokens; `None` if there are none.
fn cut_cookies<'a>(request: &Request<'a>, locations: &[Location]) -> Option<HeaderChange<'a>> {
    let holds_token = |cookie: Option<Cookie<'_>>| {
        cookie.is_some_and(|cookie| locate::is_token_cookie(cookie.name, locations))
    };
    let parts: Vec<_> = request.values("cookie").flat_map(cookies::split).collect();
    let kept: Vec<_> =
        parts.iter().filter(|(_, cookie)| !holds_token(*cookie)).map(|(part, _)| *part).collect();
    match kept.as_slice() {
        kept if kept.len() == parts.len() => None,
        [] => Some(HeaderChange::Remove(b"cookie")),
        kept => Some(HeaderChange::Replace("cookie", kept.join(&b"; "[..]).into())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::split_query;

    #[test]
    fn parameters_are_cut_without_touching_the_others() {
        for (target, expected) in [
            ("/a?access_token=x", Some("/a")),
            ("/a?b=%41&access_token=x&c=+&c", Some("/a?b=%41&c=+&c")),
            ("/a?access%5Ftoken=x&&b", Some("/a?&b")),
            ("/a?b=access_token=x", None),
            ("/a?", None),
        ] {
            let (path, query) = split_query(target.as_bytes());
            let cut = cut_parameters(path, query.unwrap(), &Location::defaults());
            assert_eq!(cut.as_deref(), expected.map(str::as_bytes), "{target}");
        }
    }

    proptest! {
        #[test]
        fn no_parameter_with_a_token_is_left(target in "/(\\?|&|access_token|%5F|=|a|%61ccess_token){0,12}") {
            let locations = Location::defaults();
            let (path, query) = split_query(target.as_bytes());
            let cut = query.and_then(|query| cut_parameters(path, query, &locations));
            if let Some((path, Some(query))) = cut.as_deref().map(split_query) {
                prop_assert_eq!(cut_parameters(path, query, &locations), None);
            }
        }
    }
}
