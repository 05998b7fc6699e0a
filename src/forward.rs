//! What of an allowed request reaches the workload: the headers that are removed and set.
//!
//! A workload that trusts `x-sub` because we set it must never see one that a client sent, in
//! whatever spelling: many servers hand `x_sub` and `X-Sub` to the application under one name. The
//! same goes for what tokens are looked for in: `x_jwt` beside `x-jwt`, or `access_token[]` beside
//! `access_token`, is a token that nothing verified.

use std::borrow::Cow;

use crate::authn::cookies::{self, Cookie};
use crate::authn::locate::{self, Location};
use crate::authz::Permit;
use crate::document::Document;
use crate::query;
use crate::request::{Header, Request};

/// Headers with which a client asks frameworks to see another method or path than the one that was
/// judged. They have no place behind a table of methods and paths.
pub const OVERRIDES: &[&str] = &[
    // gunicorn takes it for what comes before the path of the application.
    "script-name",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    // Middleware for Azure App Service takes it for the path.
    "x-waws-unencoded-url",
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
    let authenticator = &document.authenticator;
    let locations = authenticator.locations();
    let removes = |location: usize| permit.removes_token(authenticator.token_at(location));
    for &(name, value) in request.headers() {
        let is_token = || {
            let mut here = locations.iter().enumerate();
            here.any(|(number, location)| location.is_at_header(name, value) && removes(number))
        };
        let is_other_token = || {
            !permit.ignores_tokens() && !locations.iter().any(|location| location.is_named(name))
        };
        let is_removed = document.removed_headers.contains(name)
            || document.token_headers.contains(name) && (is_token() || is_other_token());
        let removal = HeaderChange::Remove(name);
        if is_removed && !changes.contains(&removal) {
            changes.push(removal);
        } else if name == b"connection" {
            changes.extend(cut_connection(document, value));
        }
    }
    if !permit.ignores_tokens() {
        if let Some(query) = request.query()
            && let Some(target) = cut_parameters(request.path(), query, locations, &removes)
        {
            changes.push(HeaderChange::Replace(":path", target.into()));
        }
        if locations.iter().any(|location| matches!(location, Location::Cookie(_))) {
            changes.extend(cut_cookies(request, locations, &removes));
        }
    }
    let outputs = permit.identities().filter_map(|identity| identity.outputs.as_ref().ok());
    for (name, value) in outputs.flatten() {
        changes.push(HeaderChange::Replace(name, value.into()));
    }
    if let Some(fence) = &document.fence {
        changes.push(HeaderChange::Replace(&fence.header, fence.value.as_bytes().into()));
    }
    changes
}

/// The change that takes headers that we set or compare out of `connection`: a proxy in the workload would
/// drop what is named there (RFC 9110 §7.6.1). Envoy leaves the header in place for an
/// upgrade alone (`mutateRequestHeaders`).
#[cold]
fn cut_connection<'a>(document: &Document, value: &[u8]) -> Option<HeaderChange<'a>> {
    let is_ours = |option: &[u8]| {
        document.removed_headers.contains(option)
            || document.token_headers.contains(option)
            || document.compared_headers.contains(option)
                && !option.eq_ignore_ascii_case(b"upgrade")
    };
    let options = || value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    if !options().any(is_ours) {
        return None;
    }
    let kept: Vec<_> = options().filter(|option| !is_ours(option)).collect();
    Some(HeaderChange::Replace("connection", kept.join(&b", "[..]).into()))
}

/// The trailers of a request that must not reach the workload: some servers hand them to the
/// application as headers. No token in one was verified (RFC 9110 §6.5.1 forbids them there).
#[must_use]
pub fn removed_trailers<'a>(
    document: &Document,
    permit: &Permit,
    trailers: &[Header<'a>],
) -> Vec<&'a [u8]> {
    let locations = document.authenticator.locations();
    let has_cookies = locations.iter().any(|location| matches!(location, Location::Cookie(_)));
    let may_hold_token =
        |name: &[u8]| document.token_headers.contains(name) || has_cookies && name == b"cookie";
    let is_removed = |name: &&[u8]| {
        document.removed_headers.contains(name)
            || document.compared_headers.contains(name)
            || !permit.ignores_tokens() && may_hold_token(name)
    };
    trailers.iter().map(|(name, _)| *name).filter(is_removed).collect()
}

/// The target of this path and query without the parameters that hold tokens, where `removes` says so
/// of their location, and without those that some workload takes for one of them; `None` if it has none. Every
/// other byte stays as it is.
fn cut_parameters(
    path: &[u8],
    query: &[u8],
    locations: &[Location],
    removes: &dyn Fn(usize) -> bool,
) -> Option<Vec<u8>> {
    let is_token = |part: &[u8]| {
        let (name, _) = query::split_parameter(part);
        locate::parameter_location(name, locations).is_some()
            || locate::is_spelling_of_parameter(name, locations)
    };
    if !query.split(|&byte| matches!(byte, b'&' | b';')).any(is_token) {
        return None;
    }
    let mut target = path.to_vec();
    let mut is_cut = false;
    let mut separator = b'?';
    for parameter in query.split(|&byte| byte == b'&') {
        let (name, _) = query::split_parameter(parameter);
        if let Some(location) = locate::parameter_location(name, locations) {
            if removes(location) {
                is_cut = true;
                continue;
            }
            target.push(separator);
            target.extend_from_slice(parameter);
        } else {
            // Some workloads also split at `;`, as HTML 4.01 advised (appendix B.2.2).
            let parts = parameter.split(|&byte| byte == b';');
            let mut is_first = true;
            for part in parts {
                if is_token(part) {
                    is_cut = true;
                } else {
                    target.push(if is_first { separator } else { b';' });
                    target.extend_from_slice(part);
                    is_first = false;
                }
            }
            if is_first {
                continue;
            }
        }
        separator = b'&';
    }
    is_cut.then_some(target)
}

/// The change that leaves out the cookies that hold tokens, where `removes` says so of their location,
/// and those that some workload takes for one of them; `None` if there are none.
fn cut_cookies<'a>(
    request: &Request<'a>,
    locations: &[Location],
    removes: &dyn Fn(usize) -> bool,
) -> Option<HeaderChange<'a>> {
    let is_cut = |cookie: Option<Cookie<'_>>| {
        cookie.is_some_and(|Cookie { name, .. }| match locate::cookie_location(name, locations) {
            Some(location) => removes(location),
            None => locate::is_spelling_of_cookie(name, locations),
        })
    };
    let parts: Vec<_> = request.values("cookie").flat_map(cookies::split).collect();
    let kept = parts.iter().filter(|(_, cookie)| !is_cut(*cookie));
    let kept: Vec<_> = kept.map(|(part, _)| without_inner_cookie(part, locations)).collect();
    match kept.as_slice() {
        kept if kept.iter().eq(parts.iter().map(|(part, _)| part)) => None,
        [] => Some(HeaderChange::Remove(b"cookie")),
        kept => Some(HeaderChange::Replace("cookie", kept.join(&b"; "[..]).into())),
    }
}

/// A cookie up to where some workload finds another one in it that holds a token: Python's
/// `http.cookies` also splits at a space, and readers of RFC 2965 at a comma.
fn without_inner_cookie<'c>(part: &'c [u8], locations: &[Location]) -> &'c [u8] {
    let mut end = 0;
    for inner in part.split(|byte| matches!(byte, b' ' | b'\t' | b',')) {
        let (name, _) = query::split_parameter(inner);
        let is_token = locate::cookie_location(name, locations).is_some()
            || locate::is_spelling_of_cookie(name, locations);
        // The first is the cookie itself.
        if end > 0 && is_token {
            return part.get(..end).unwrap_or(part).trim_ascii_end();
        }
        end = end.saturating_add(inner.len()).saturating_add(usize::from(end > 0));
    }
    part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::split_query;

    fn cut(target: &str, remove_token: bool) -> Option<String> {
        let (path, query) = split_query(target.as_bytes());
        let removes = |_: usize| remove_token;
        let cut = cut_parameters(path, query.unwrap(), &Location::defaults(), &removes);
        cut.map(|target| String::from_utf8(target).unwrap())
    }

    #[test]
    fn parameters_are_cut_without_touching_the_others() {
        for (target, expected) in [
            ("/a?access_token=x", Some("/a")),
            ("/a?b=%41&access_token=x&c=+&c", Some("/a?b=%41&c=+&c")),
            ("/a?access%5Ftoken=x&&b", Some("/a?&b")),
            ("/a?access_token=x;b=1&c", Some("/a?c")),
            ("/a?b=access_token=x", None),
            ("/a?", None),
        ] {
            assert_eq!(cut(target, true).as_deref(), expected, "{target}");
        }
        assert_eq!(cut("/a?b&access_token=x", false), None);
    }

    #[test]
    fn what_a_workload_takes_for_a_token_is_cut_always() {
        for (target, expected) in [
            ("/a?access.token=x", "/a"),
            ("/a?b&access_token[]=x&c", "/a?b&c"),
            ("/a?access_token%5B0%5D=x&c", "/a?c"),
            ("/a?access+token=x", "/a"),
            ("/a?%20access%20token=x", "/a"),
            ("/a?Access_Token=x", "/a"),
            ("/a?access[token=x", "/a"),
            ("/a?access_token%00x=x&b", "/a?b"),
            ("/a?access%u005ftoken=x&b", "/a?b"),
            ("/a?%U0061ccess_token=x&b", "/a?b"),
            ("/a?access_token+=x&b", "/a?b"),
            ("/a?access_token%a0=x&b", "/a?b"),
            ("/a?b=1;access_token=x&c", "/a?b=1&c"),
            ("/a?b;access.token=x;c", "/a?b;c"),
            ("/a?access.token=x;c", "/a?c"),
            ("/a?access_token;c", "/a?c"),
            ("/a?access_token;access_token=x", "/a"),
            ("/a?access_token=good&access.token=x", "/a?access_token=good"),
        ] {
            assert_eq!(cut(target, false).as_deref(), Some(expected), "{target}");
        }
        for target in
            ["/a?accesstoken=x", "/a?b=;access", "/a?access_tokens=x", "/a?b=access_token[]"]
        {
            assert_eq!(cut(target, false), None, "{target}");
        }
    }

    #[test]
    fn what_a_workload_takes_for_a_cookie_is_cut() {
        let locations = [Location::Cookie("session_id".into())];
        for (cookie, remove_token, expected) in [
            ("a=1; session_id=x", true, Some("a=1")),
            ("a=1; session_id=x", false, None),
            ("a=1; %73ession_id=x; b", false, Some("a=1; b")),
            ("session.id=x; Session_Id=y; session_id[]=z; b=2", false, Some("b=2")),
            ("session_id=good; \u{a0}session_id=x", false, Some("session_id=good")),
            ("session_id=good; session_id\u{a0}=x", false, Some("session_id=good")),
            ("c=1 session_id=x; b=2", false, Some("c=1; b=2")),
            ("$Version=1,session_id=x", false, Some("$Version=1")),
            ("c=1 , session_id=x y", false, Some("c=1 ,")),
            ("a b c=session_id; sessionid=1", false, None),
        ] {
            let headers: [Header<'_>; 3] =
                [(b":method", b"GET"), (b":path", b"/"), (b"cookie", cookie.as_bytes())];
            let request = Request::read(&headers).unwrap();
            let expected =
                expected.map(|cookie| HeaderChange::Replace("cookie", cookie.as_bytes().into()));
            let found = cut_cookies(&request, &locations, &|_| remove_token);
            assert_eq!(found, expected, "{cookie}");
        }
    }

    proptest! {
        #[test]
        fn no_parameter_with_a_token_is_left(
            target in "/(\\?|&|;|access_token|%5F|=|a|%61ccess.token|\\[\\]){0,12}"
        ) {
            let locations = Location::defaults();
            let (path, query) = split_query(target.as_bytes());
            let cut = query.and_then(|query| cut_parameters(path, query, &locations, &|_| true));
            if let Some((path, Some(query))) = cut.as_deref().map(split_query) {
                prop_assert_eq!(cut_parameters(path, query, &locations, &|_| true), None);
            }
        }
    }
}
