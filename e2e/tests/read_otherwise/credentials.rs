//! Credentials: Envoy's own filter and many workloads find a token behind other words too.

use jwt_rbac::refusal::Refusal;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::{self, Recipe};
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::verdict;
use serde_json::{Value, json};

use crate::Checks;
use crate::Outcome::{Denied, Reached, Unauthenticated};

/// Values that hold the scheme and a token, but not alone; a line each.
const MALFORMED: [&[&str]; 18] = [
    &["x Bearer {token}"],
    &["x bearer {token}"],
    &["x BEARER {token}"],
    &["x\tBearer {token}"],
    &["x Bearer\t{token}"],
    &["Bearer\t{token}"],
    &["Basic Og==; Bearer {token}"],
    &["Basic Og==;Bearer {token}"],
    &["Basic Og== Bearer {token}"],
    &["Basic Og==, Bearer {token}"],
    &["Basic QmVhcmVyIA== Bearer {token}"],
    &["\"Bearer {token}\""],
    &["'Bearer {token}'"],
    &["Digest a=\"b\", c=\"Bearer {token}\""],
    &["=Bearer {token}"],
    // Envoy's filter finds this one too.
    &["xBearer {token}"],
    &["Bearer {token} x"],
    &["Basic Og==", "x Bearer {token}"],
];
/// Values that hold no scheme of ours as a word before a space.
const FOREIGN: [&str; 9] = [
    "Basic Og==",
    "Basic QmVhcmVyIA==",
    "Digest bearer=\"x\"",
    "Digest username=\"bearer\", realm=\"x\"",
    "Bearerx abc",
    "Bearer-token abc",
    "x Bearerx abc",
    "Basic bearer",
    "Negotiate YmVhcmVyIA==",
];
const FORM: &str = "jwt_authn_access_denied{Jwt_is_not_in_the_form_of_Header.Payload.Signature_\
                    with_two_dots_and_3_sections}";

pub fn documents() -> Vec<(&'static str, Value)> {
    vec![("credentials", table()), ("credentials-only", json!({"jwtRules": [tokens::provider()]}))]
}

fn table() -> Value {
    json!({
        "jwtRules": [tokens::provider()],
        "routes": [
            {"name": "strict", "paths": ["/strict"], "access": "PUBLIC"},
            {"name": "optional", "paths": ["/optional"], "access": "PUBLIC", "token": "OPTIONAL"},
            {"name": "ignore", "paths": ["/ignore"], "access": "PUBLIC", "token": "IGNORE"},
            {"name": "members", "paths": ["/members"], "access": "AUTHENTICATED"},
        ],
    })
}

#[test]
fn the_scheme_anywhere_in_the_value_is_a_bad_credential() {
    let mut checks = Checks::start();
    for token in tokens() {
        for lines in MALFORMED {
            for (listener, path) in [
                ("credentials", "/strict"),
                ("credentials", "/members"),
                ("credentials-only", "/any"),
            ] {
                let request = with(Request::get(path), lines, &token);
                checks.expect_seen(listener, &request, Unauthenticated(FORM), header_is(None));
            }
        }
    }
    checks.report();
}

/// One text of a 401 stands for several refusals.
#[test]
fn its_reason_is_that_the_credential_is_malformed() {
    let document = verdict::compile(&table());
    let mut failures = Vec::new();
    for lines in MALFORMED {
        let request = with(Request::get("/strict"), lines, &tokens()[0]);
        let refusal = verdict::denial(&document, &request).map(|denial| denial.refusal);
        if refusal != Some(Refusal::CredentialMalformed) {
            failures.push(format!("{lines:?}: expected CredentialMalformed, got {refusal:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn where_no_token_is_asked_for_it_does_not_reach_the_workload() {
    let mut checks = Checks::start();
    for token in tokens() {
        for lines in MALFORMED {
            let optional = with(Request::get("/optional"), lines, &token);
            checks.expect_seen("credentials", &optional, Reached, header_is(None));
            for (listener, path) in [
                ("credentials", "/strict"),
                ("credentials", "/optional"),
                ("credentials-only", "/any"),
            ] {
                let request = with(preflight(path), lines, &token);
                checks.expect_seen(listener, &request, Reached, header_is(None));
            }
        }
    }
    checks.report();
}

/// What a route is told to ignore, it passes on.
#[test]
fn an_ignored_token_stays_where_it_is() {
    let mut checks = Checks::start();
    let token = &tokens()[0];
    for lines in MALFORMED {
        let request = with(Request::get("/ignore"), lines, token);
        let sent: Vec<String> = values(lines, token).collect();
        // Envoy makes one line of several.
        let sent = sent.join(",");
        checks.expect_seen("credentials", &request, Reached, header_is(Some(&sent)));
    }
    checks.report();
}

#[test]
fn credentials_of_other_schemes_pass_as_they_are() {
    let mut checks = Checks::start();
    for value in FOREIGN {
        for (listener, request) in [
            ("credentials-only", Request::get("/any")),
            ("credentials-only", preflight("/any")),
            ("credentials", Request::get("/strict")),
            ("credentials", Request::get("/optional")),
            ("credentials", Request::get("/ignore")),
            ("credentials", preflight("/strict")),
        ] {
            let request = request.header("authorization", value);
            checks.expect_seen(listener, &request, Reached, header_is(Some(value)));
        }
        let request = Request::get("/members").header("authorization", value);
        let denied = Denied("[members]{identity_missing}");
        checks.expect_seen("credentials", &request, denied, header_is(None));
    }
    checks.report();
}

/// One that is good, and one that somebody else has signed.
fn tokens() -> [String; 2] {
    let user = Recipe::of_caller("user");
    [user.clone(), user.key("stranger-rs256")].map(|recipe| recipe.mint())
}

fn values<'a>(lines: &'a [&str], token: &'a str) -> impl Iterator<Item = String> + 'a {
    lines.iter().map(move |line| line.replace("{token}", token))
}

fn with(request: Request, lines: &[&str], token: &str) -> Request {
    values(lines, token).fold(request, |request, value| request.header("authorization", &value))
}

fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
}

/// Whether the workload got this credential, or none.
fn header_is(wanted: Option<&str>) -> impl Fn(&Seen) -> Result<(), String> {
    let wanted = wanted.map(str::to_owned);
    move |seen| {
        let got = seen.headers.iter().find(|(name, _)| name == "authorization");
        let got = got.map(|(_, value)| value.clone());
        if got == wanted {
            return Ok(());
        }
        Err(format!("expected authorization {wanted:?} at the workload, got {got:?}"))
    }
}
