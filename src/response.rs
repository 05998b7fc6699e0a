//! The local reply to a denied request: without `responses` in the document, byte for byte as
//! Envoy's native filters send it.

use std::borrow::Cow;

use serde_json::json;

use crate::authn::locate::{self, Location};
use crate::authz::routes::Access;
use crate::decision::Decision;
use crate::document::{Document, Format, Responses};
use crate::query;
use crate::refusal::{Kind, Refusal, TOKEN_MISSING};
use crate::request::{Request, split_query};
use crate::{json, mask};

/// How much of the path a challenge shows (`kMaxPathLength` in Envoy's `jwt_authn` filter).
const MAX_REALM_PATH: usize = 256;

/// A response that Envoy sends for us. The host adds the length, `content-type: text/plain` where
/// there is none, and turns it into a gRPC status where the request is gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// `%RESPONSE_CODE_DETAILS%` of access logs.
    pub details: String,
    /// Further headers.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body.
    pub body: Cow<'static, str>,
}

/// The reply to a denied request. Without a document, or where the request could not be read, it is
/// that of the native filters.
#[must_use]
pub fn local_reply(
    refusal: Refusal,
    decision: &Decision<'_, '_>,
    document: Option<&Document>,
    request: Option<&Request<'_>>,
) -> LocalReply {
    let native = Responses::default();
    let responses = document.map_or(&native, |document| &document.responses);
    let status = status(refusal, responses);
    let is_missing = is_missing_token(refusal, responses);
    let mut reply = if is_missing || refusal.kind() == Kind::Token {
        let text = if is_missing { TOKEN_MISSING } else { refusal.text() };
        reply(status, text, token_details(text), &responses.unauthenticated, request)
    } else {
        let details = rule_details(refusal, decision.rule());
        let text = if responses.hide_forbidden { "" } else { refusal.text() };
        reply(status, text, details, &responses.forbidden, request)
    };
    if let (Some(document), Some(request)) = (document, request) {
        let challenge = challenge(refusal, is_missing, decision, document, request);
        reply.headers.extend(challenge.map(|value| ("www-authenticate", value)));
        reply.headers.extend(cors_headers(&responses.cors_origins, request));
    }
    reply
}

/// The status of the reply to a denied request.
#[must_use]
pub fn status(refusal: Refusal, responses: &Responses) -> u16 {
    match refusal.kind() {
        Kind::Token => refusal.status(),
        _ if is_missing_token(refusal, responses) => 401,
        _ if responses.hide_forbidden => 404,
        _ => refusal.status(),
    }
}

/// Whether a request is asked for the token that it lacks.
fn is_missing_token(refusal: Refusal, responses: &Responses) -> bool {
    let is_missing = matches!(refusal, Refusal::IdentityMissing | Refusal::PolicyIdentityMissing);
    is_missing && responses.challenge_missing_token
}

fn reply(
    status: u16,
    text: &'static str,
    details: String,
    format: &Format,
    request: Option<&Request<'_>>,
) -> LocalReply {
    let (content_type, body) = match format {
        // Envoy makes the `grpc-message` of the body.
        _ if request.is_some_and(Request::is_grpc) => (None, text.into()),
        Format::Text => (None, text.into()),
        Format::Custom { body, content_type } => (Some(content_type.clone()), body.clone().into()),
        Format::ProblemJson => {
            (Some("application/problem+json".to_owned()), problem(status, text).into())
        }
    };
    let headers = content_type.map(|value| ("content-type", value.into_bytes()));
    LocalReply { status, details, headers: headers.into_iter().collect(), body }
}

/// RFC 9457 §3; `about:blank` says that the title is the status's own (§4.2.1).
fn problem(status: u16, text: &str) -> String {
    let title = match status {
        401 => "Unauthorized",
        404 => "Not Found",
        _ => "Forbidden",
    };
    let problem = match text {
        "" => json!({"type": "about:blank", "title": title, "status": status}),
        detail => {
            json!({"type": "about:blank", "title": title, "status": status, "detail": detail})
        }
    };
    json::written(&problem)
}

/// As in `generateRcDetails` of Envoy's `jwt_authn` filter.
fn token_details(text: &str) -> String {
    format!("jwt_authn_access_denied{{{}}}", text.replace(' ', "_"))
}

/// As in Envoy's `rbac` filter (`utility.cc`), and the reason behind it.
fn rule_details(refusal: Refusal, rule: Option<&str>) -> String {
    let rule = rule.unwrap_or("none");
    ["rbac_access_denied_matched_policy[", rule, "]{", refusal.slug(), "}"].concat()
}

/// The challenge of RFC 6750 §3, in the form of Envoy's `jwt_authn` filter, with what the document
/// adds to it.
fn challenge(
    refusal: Refusal,
    is_missing: bool,
    decision: &Decision<'_, '_>,
    document: &Document,
    request: &Request<'_>,
) -> Option<Vec<u8>> {
    let responses = &document.responses;
    let error = match refusal.kind() {
        // No error where there is no token (RFC 6750 §3).
        _ if is_missing || refusal == Refusal::TokenMissing => None,
        Kind::Token => Some("invalid_token"),
        _ if refusal == Refusal::PermissionMissing && responses.insufficient_scope => {
            Some("insufficient_scope")
        }
        _ => return None,
    };
    let mut challenge = realm(request, document.authenticator.locations());
    let mut add = |name: &str, value: &str| {
        challenge.extend_from_slice(format!(", {name}=\"{value}\"").as_bytes());
    };
    if let Some(error) = error {
        add("error", error);
    }
    if responses.insufficient_scope && refusal.kind() == Kind::Requirement {
        let scope = scope(decision, document);
        if !scope.is_empty() {
            add("scope", &scope);
        }
    }
    if let Some(url) = &responses.resource_metadata {
        add("resource_metadata", url);
    }
    Some(challenge)
}

/// `Bearer` and its realm, which is the URI of the request as Envoy writes it
/// (`Utility::buildOriginalUri`), but without the query where that holds a token, and cut where something
/// that looks like one begins, because responses are logged. What could end the quoted text is
/// percent-encoded: a client must not add a parameter to the challenge.
fn realm(request: &Request<'_>, locations: &[Location]) -> Vec<u8> {
    let Some(target) = request.target() else { return b"Bearer realm=\"\"".to_vec() };
    // What a gateway before us has rewritten is shown as it was.
    let target = request.values("x-envoy-original-path").next().unwrap_or(target);
    let (path, query) = split_query(target);
    let is_separator = |byte: &u8| matches!(byte, b'&' | b';');
    let mut parameters = query.into_iter().flat_map(|query| query.split(is_separator));
    let holds_token = parameters.any(|parameter| {
        let (name, _) = query::split_parameter(parameter);
        locate::parameter_location(name, locations).is_some()
            || locate::is_spelling_of_parameter(name, locations)
    });
    let shown = if holds_token { path } else { target };
    let shown = shown.get(..MAX_REALM_PATH).unwrap_or(shown);
    let end = mask::token_start(shown).unwrap_or(shown.len());
    let shown = shown.get(..end).unwrap_or(shown);
    let mut realm = b"Bearer realm=\"".to_vec();
    for part in [request.scheme, b"://", request.authority, shown] {
        push_quoted(&mut realm, part);
    }
    realm.push(b'"');
    realm
}

/// Appends a part of a URI to a quoted string (RFC 9110 §5.6.4).
fn push_quoted(text: &mut Vec<u8>, part: &[u8]) {
    for &byte in part {
        if matches!(byte, b'"' | b'\\') || byte.is_ascii_control() {
            text.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            text.push(byte);
        }
    }
}

/// The permissions that the route asks for, as a scope (RFC 6749 §3.3). Of several that are each
/// enough, the first; one that no scope can hold is left out.
fn scope(decision: &Decision<'_, '_>, document: &Document) -> String {
    let Some(Access::Required(requirement)) = decision.route.as_ref().map(|it| &it.route.access)
    else {
        return String::new();
    };
    let one_of_any = requirement.any_of.iter().filter_map(|any_of| any_of.first());
    let names = document.authenticator.permission_names();
    let is_scope_byte = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let names = requirement.all_of.iter().chain(one_of_any).filter_map(|id| names.name(*id));
    let scopes: Vec<_> = names.filter(|name| name.bytes().all(is_scope_byte)).collect();
    scopes.join(" ")
}

/// What lets a script of a listed origin read the reply (Fetch standard, "CORS protocol").
fn cors_headers(origins: &[String], request: &Request<'_>) -> Vec<(&'static str, Vec<u8>)> {
    if origins.is_empty() {
        return Vec::new();
    }
    let mut headers = vec![("vary", b"origin".to_vec())];
    let origin = request.values("origin").next().unwrap_or_default();
    if origins.iter().any(|known| known.as_bytes() == origin) {
        headers.extend([
            ("access-control-allow-origin", origin.to_vec()),
            ("access-control-allow-credentials", b"true".to_vec()),
            ("access-control-expose-headers", b"www-authenticate".to_vec()),
        ]);
    }
    headers
}
