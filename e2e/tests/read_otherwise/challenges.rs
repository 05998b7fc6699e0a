//! Challenges: the URL of the request is in them, and must not end its own parameter.

use jwt_rbac_e2e::challenge;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::http2::Reset;
use jwt_rbac_e2e::protocol::Protocol;
use jwt_rbac_e2e::tokens;
use serde_json::{Value, json};

use crate::Checks;

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";
/// How much of a path and query the native filter shows.
const SHOWN: usize = 256;

/// A listener, and the parameters of its challenges.
type Listener = (&'static str, &'static [&'static str]);
const MISSING: Listener = ("challenges", &["realm", "resource_metadata"]);
const INVALID: Listener = ("challenges-invalid", &["realm", "error", "resource_metadata"]);

pub fn documents() -> Vec<(&'static str, Value)> {
    let responses = json!({"missingToken": {"status": 401}, "resourceMetadata": METADATA});
    let rules = json!([tokens::provider()]);
    let routes = json!([{"name": "all", "paths": ["/{**}"], "access": "AUTHENTICATED"}]);
    vec![
        (MISSING.0, json!({"jwtRules": rules, "routes": routes, "responses": responses})),
        // Without routes no path is ambiguous, whatever bytes it has.
        (INVALID.0, json!({"jwtRules": rules, "responses": responses})),
    ]
}

#[test]
fn a_query_adds_no_parameter_to_a_challenge() {
    let mut checks = Checks::start();
    for query in [
        "x=\",resource_metadata=\"https://evil/",
        "x=%22,resource_metadata=%22https://evil/",
        "x=\\\",resource_metadata=\\\"https://evil/",
        "x=\\",
        "x=\\\\",
        "\"",
        "\"\"\"\"",
        "x=\",error=\"none\",realm=\"y",
        "x=',resource_metadata='https://evil/",
        "x=%5C%22%00%0d%0a",
    ] {
        let target = format!("/a?{query}");
        let request = Request::get(&target);
        judge(&mut checks, MISSING, &request, &target);
        judge(&mut checks, INVALID, &request.bearer("garbage"), &target);
    }
    checks.report();
}

#[test]
fn a_path_adds_no_parameter_to_a_challenge() {
    let mut checks = Checks::start();
    for path in [
        "/a\",resource_metadata=\"https://evil/",
        "/\"",
        "/a\\",
        "/a\\\",resource_metadata=\\\"https://evil/",
        "/a%22,resource_metadata=%22https://evil/",
        "/%00%1f%7f",
    ] {
        let request = Request::get(path).bearer("garbage");
        judge(&mut checks, INVALID, &request, path);
    }
    checks.report();
}

/// A gateway before this proxy says what the path was; so can a client of a sidecar.
#[test]
fn the_path_of_a_gateway_adds_no_parameter_to_a_challenge() {
    let mut checks = Checks::start();
    for original in [
        "/o?x=\",resource_metadata=\"https://evil/",
        "\", resource_metadata=\"https://evil/",
        "/o\\",
        "/o\t\"",
        "\"",
    ] {
        let request = Request::get("/a").header("x-envoy-original-path", original);
        judge(&mut checks, MISSING, &request, original);
        judge(&mut checks, INVALID, &request.bearer("garbage"), original);
    }
    checks.report();
}

/// Where the URL is cut, an escape can be cut too, a parameter can't be opened.
#[test]
fn a_long_url_adds_no_parameter_to_a_challenge() {
    let mut checks = Checks::start();
    for text in ["\"", "\\", "%22", "\",resource_metadata=\"https://evil/", "\\\""] {
        for length in SHOWN - 6..SHOWN + 2 {
            let target = format!("/?{}{}", "a".repeat(length - 2), text.repeat(3));
            judge(&mut checks, MISSING, &Request::get(&target), &target);
        }
        let target = format!("/?{}", text.repeat(SHOWN));
        judge(&mut checks, MISSING, &Request::get(&target), &target);
    }
    checks.report();
}

/// Envoy refuses these before any filter; where it lets one through, it is encoded.
#[test]
fn control_bytes_are_refused_or_encoded() {
    let mut checks = Checks::start();
    for byte in ['\u{0}', '\u{1}', '\t', '\u{b}', '\u{1f}', '\u{7f}', ' '] {
        let target = format!("/a?x={byte}\",resource_metadata=\"https://evil/");
        refused_or_judged(&mut checks, &Request::get(&target), &target);
    }
    for host in ["\"", "a\",resource_metadata=\"https://evil/", "a\\", "a\u{1}", "a\tb"] {
        let request = Request::get("/a").header("host", host);
        refused_or_judged(&mut checks, &request, "/a");
    }
    checks.report();
}

/// A host that is none, of which Envoy takes a few, is in the challenge as any other.
#[test]
fn a_host_adds_no_parameter_to_a_challenge() {
    let mut checks = Checks::start();
    for host in ["a%22,b", "a',b='", "a;b", "*", "a,resource_metadata=b"] {
        let request = Request::get("/a").header("host", host);
        judge(&mut checks, MISSING, &request, "/a");
    }
    checks.report();
}

fn judge(checks: &mut Checks, listener: Listener, request: &Request, shown: &str) {
    for protocol in Protocol::ALL {
        checks.check(protocol, listener.0, request, |answer| {
            let response = answer.map_err(|error| format!("expected a challenge, got {error}"))?;
            expect(&response, listener.1, request, shown)
        });
    }
}

fn refused_or_judged(checks: &mut Checks, request: &Request, shown: &str) {
    for protocol in Protocol::ALL {
        checks.check(protocol, MISSING.0, request, |answer| match answer {
            Ok(response) if response.status == 400 => Ok(()),
            Ok(response) => expect(&response, MISSING.1, request, shown),
            Err(error) if Reset::of(&error).is_some() => Ok(()),
            Err(error) => Err(format!("expected a challenge, got {error}")),
        });
    }
}

/// Whether a challenge has these parameters, each once, of which the first is the URL with this
/// path and query, and the last ours.
fn expect(
    response: &Response,
    names: &[&str],
    request: &Request,
    shown: &str,
) -> Result<(), String> {
    let challenges: Vec<&str> = response.head.values("www-authenticate").collect();
    let (401, [challenge]) = (response.status, challenges.as_slice()) else {
        return Err(format!(
            "expected 401 and a challenge, got {} {challenges:?}",
            response.status
        ));
    };
    let parameters = challenge::parameters(challenge)
        .map_err(|fault| format!("expected a challenge of {names:?}, got {fault}"))?;
    let found: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    if found != names {
        return Err(format!("expected {names:?}, got {found:?}: {challenge}"));
    }
    let (realm, metadata) = (&parameters[0].1, &parameters[names.len() - 1].1);
    if metadata != METADATA {
        return Err(format!("expected our resource_metadata, got {metadata}"));
    }
    let host = request.authority();
    let whole = format!("http://{}{}", encoded(host), encoded(shown));
    // It may be cut before or after it is encoded.
    let is_shown = if shown.len() <= SHOWN / 4 {
        *realm == whole
    } else {
        let least = whole.len().min("http://".len() + host.len() + SHOWN);
        whole.starts_with(realm) && realm.len() >= least
    };
    if is_shown { Ok(()) } else { Err(format!("expected realm {whole}, got {realm}")) }
}

/// What can end or change a quoted string, percent-encoded.
fn encoded(text: &str) -> String {
    let encode = |character: char| match character {
        '"' | '\\' | '\u{0}'..='\u{1f}' | '\u{7f}' => format!("%{:02X}", character as u32),
        _ => character.to_string(),
    };
    text.chars().map(encode).collect()
}
