//! `responses`: from the schema to [`Responses`].

use super::checks;
use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
use super::schema::{self, Forbidden, Unauthenticated};
use super::shape::{self, Entry};
use jwt_rbac::document::{Format, Responses};

/// Compiles `responses`.
#[inline(never)]
pub fn compile(
    place: &Place,
    value: Entry<schema::Responses>,
    problems: &mut Problems,
) -> Responses {
    let schema = shape::decode(place, value, problems).unwrap_or_default();
    let mut responses = Responses::default();
    if let Some(missing_token) = schema.missing_token {
        let place = place.field("missingToken");
        let decoded = shape::decode(&place, missing_token, problems);
        responses.challenge_missing_token =
            match decoded.map(|schema::MissingToken { status }| status) {
                None | Some(403) => false,
                Some(401) => true,
                Some(other) => {
                    problems.error(place.field("status"), status_fault(other, "403 or 401"));
                    false
                }
            };
    }
    if let Some(unauthenticated) = schema.unauthenticated {
        let place = place.field("unauthenticated");
        let decoded = shape::decode(&place, unauthenticated, problems);
        let Unauthenticated { format: name, body, content_type } = decoded.unwrap_or_default();
        responses.unauthenticated = format(&place, name, body, content_type, problems);
    }
    if let Some(forbidden) = schema.forbidden {
        compile_forbidden(&place.field("forbidden"), forbidden, &mut responses, problems);
    }
    if let Some(url) = schema.resource_metadata {
        if !is_url(&url) {
            let fault = Fault::text(&url, "an https URL (RFC 9728 §3)");
            problems.error(place.field("resourceMetadata"), fault);
        }
        responses.resource_metadata = Some(url);
    }
    if let Some(origins) = schema.cors_origins {
        let place = place.field("corsOrigins");
        checks::check_strings(&place, &origins, problems);
        for (index, origin) in origins.iter().enumerate().filter(|(_, it)| !is_origin(it)) {
            let fault = Fault::text(origin, "an origin such as `https://app.example.com`");
            problems.error(place.index(index), fault);
        }
        responses.cors_origins = origins;
    }
    responses
}

#[inline(never)]
fn compile_forbidden(
    place: &Place,
    value: Entry<Forbidden>,
    responses: &mut Responses,
    problems: &mut Problems,
) {
    let forbidden = shape::decode(place, value, problems).unwrap_or_default();
    let Forbidden { format: name, body, content_type, status, insufficient_scope } = forbidden;
    responses.forbidden = format(place, name, body, content_type, problems);
    responses.insufficient_scope = insufficient_scope;
    match status {
        None | Some(403) => {}
        Some(404) => responses.hide_forbidden = true,
        Some(other) => {
            problems.error(place.field("status"), status_fault(other, "403 or 404"));
        }
    }
    if responses.hide_forbidden && responses.challenge_missing_token {
        problems.warn(place.field("status"), Fault::HidesLittle);
    }
    if responses.hide_forbidden && insufficient_scope {
        let (with, why) = ("`status: 404`", ", which is to hide what it would name");
        let fault = Fault::Conflict { found: "", with, why };
        problems.error(place.field("insufficientScope"), fault);
    }
}

fn status_fault(found: u64, expected: &'static str) -> Fault {
    Fault::found(Found::Value(found.into()), expected)
}

fn format(
    place: &Place,
    name: schema::Format,
    body: Option<String>,
    content_type: Option<String>,
    problems: &mut Problems,
) -> Format {
    match (name, body, content_type) {
        (schema::Format::Text, None, None) => Format::Text,
        (schema::Format::ProblemJson, None, None) => Format::ProblemJson,
        (schema::Format::Custom, Some(body), content_type) => {
            let content_type = content_type.unwrap_or_else(|| "text/plain".to_owned());
            if content_type.is_empty()
                || !content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            {
                let fault = Fault::text(&content_type, "a media type");
                problems.error(place.field("contentType"), fault);
            }
            Format::Custom { body, content_type }
        }
        (schema::Format::Custom, None, _) => {
            problems.error(place.clone(), Fault::expected("`body` beside `format: CUSTOM`"));
            Format::Text
        }
        (schema::Format::Text | schema::Format::ProblemJson, body, _) => {
            let field = if body.is_some() { "body" } else { "contentType" };
            let fault = Fault::Useless { without: "format: CUSTOM", why: "" };
            problems.error(place.field(field), fault);
            Format::Text
        }
    }
}

/// Printable, so that it can be between the quotes of a challenge.
fn is_url(text: &str) -> bool {
    let is_url_byte = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
        && text.bytes().all(is_url_byte)
}

/// Scheme, host and port as browsers write them: in lower case, without the scheme's own port, and
/// with nothing after them (RFC 6454 §6.2).
fn is_origin(text: &str) -> bool {
    let (host, own_port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(host), _) => (host, ":443"),
        (None, Some(host)) => (host, ":80"),
        (None, None) => return false,
    };
    let is_host_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(is_host_byte) && !host.ends_with(own_port)
}
