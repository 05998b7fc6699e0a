//! What the log of the proxy says about decisions, and that all that is said of a refusal is the
//! same everywhere. What monitoring reads: `tests/metrics.rs`.

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::cases;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::decision_log::{DecisionLog, PACE, document, documented};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, listener, ours, with_tunnels};
use jwt_rbac_e2e::samples::samples;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::verdict::Denial;
use serde_json::{Value, json};

/// Refusals that no request can cause here, and why.
const ELSEWHERE: [(Refusal, &str); 4] = [
    (Refusal::KeysUnavailable, "needs a key server: tests/fetched_keys"),
    (Refusal::DocumentMissing, "without a document there is no listener"),
    (Refusal::RequestMalformed, "Envoy refuses such requests before any filter sees them"),
    (Refusal::HostFailure, "no call of a sound Envoy fails"),
];

#[test]
fn every_refusal_is_logged_counted_and_documented() {
    let samples = samples();
    let listeners: Vec<Value> = samples
        .iter()
        .map(|(slug, sample)| {
            let filter = filters::jwt_rbac(slug, &sample.document, &artifacts::wasm().unwrap());
            match sample.denial.refusal {
                Refusal::ConnectRefused => with_tunnels(slug, &[filter]),
                _ => listener(slug, &[filter]),
            }
        })
        .collect();
    let envoy = Envoy::before_upstream(&listeners, None);
    let mut log = DecisionLog::of(&envoy);
    let table = fs::read_to_string(artifacts::root().join("docs/refusals.md")).unwrap();
    let mut failures = Vec::new();
    for &refusal in Refusal::ALL {
        let (slug, status, text) = (refusal.slug(), refusal.status(), refusal.text());
        let (meaning, remedy) = (refusal.meaning(), refusal.remedy());
        if !table
            .contains(&format!("\n| `{slug}` | {status} | `{text}` | {meaning} | {remedy} |\n"))
        {
            failures.push(format!("{slug}: no row in docs/refusals.md"));
        }
        let excuse = ELSEWHERE.iter().any(|(known, _)| *known == refusal);
        assert_eq!(samples.contains_key(slug), !excuse, "{slug}: a request or an excuse");
        let Some(sample) = samples.get(slug) else { continue };
        thread::sleep(PACE);
        let request = sample.request();
        let response = envoy.answer(slug, &request);
        let told = failures_of(&sample.denial, &request, &response, &log.read_one());
        failures.extend(told.iter().map(|failure| format!("{slug}: {failure}")));
        let count = envoy.stat(&format!("wasmcustom.jwt_rbac_denied_{slug}"));
        if count != 1 {
            failures.push(format!("{slug}: counted {count} times"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is wrong with the answer to a request, or with the line about it.
fn failures_of(
    denial: &Denial,
    request: &Request,
    response: &Response,
    line: &Value,
) -> Vec<String> {
    let Denial { refusal, rule } = denial;
    let mut failures = Vec::new();
    let mut expect = |what: &str, wanted: Value, got: &Value| {
        if wanted != *got {
            failures.push(format!("{what}: expected {wanted}, got {got}"));
        }
    };
    expect("decision", json!("deny"), &line["jwt_rbac"]);
    expect("reason", json!(refusal.slug()), &line["reason"]);
    expect("status", json!(refusal.status()), &line["status"]);
    expect("status of the response", json!(refusal.status()), &json!(response.status));
    expect("remedy", json!(refusal.remedy()), &line["remedy"]);
    expect("rule", json!(rule), &line["rule"]);
    expect("method", json!(request.method), &line["method"]);
    expect("host", json!(request.authority()), &line["host"]);
    let details = if refusal.kind() == Kind::Token {
        format!("jwt_authn_access_denied{{{}}}", refusal.text().replace(' ', "_"))
    } else {
        let rule = rule.as_deref().unwrap_or("none");
        format!("rbac_access_denied_matched_policy[{rule}]{{{}}}", refusal.slug())
    };
    expect("details", json!(details), &json!(response.header(DETAILS_HEADER)));
    // The tokens that were read, and whose signature or claims were then refused.
    let is_read = *refusal as usize > Refusal::SignatureEncoding as usize;
    expect("unverified", json!(is_read), &json!(line["unverified"].is_object()));
    let required = lists(line, &["required", "required_any"]);
    let missing = lists(line, &["missing"]);
    let is_missing = !missing.is_empty() && missing.iter().all(|name| required.contains(name));
    expect("missing", json!(*refusal == Refusal::PermissionMissing), &json!(is_missing));
    let shown = line.to_string();
    let sent = String::from_utf8_lossy(&request.bytes()).into_owned();
    let is_part = |text: &&str| text.len() >= 20 && shown.contains(text);
    let is_encoded =
        |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let leaked: Vec<&str> = sent.split(|it| !is_encoded(it)).filter(is_part).collect();
    expect("parts of the token", json!([]), &json!(leaked));
    failures
}

fn lists(line: &Value, names: &[&str]) -> Vec<Value> {
    names.iter().filter_map(|name| line[name].as_array()).flatten().cloned().collect()
}

#[test]
fn the_line_of_the_documentation_is_what_envoy_writes() {
    let bookinfo = cases::load().into_iter().find(|suite| suite.name == "bookinfo").unwrap();
    let envoy = Envoy::before_upstream(&[ours("ours", &bookinfo.documents["reviews"])], None);
    let mut log = DecisionLog::of(&envoy);
    let token = Recipe::of_caller("user").mint();
    envoy.answer("ours", &Request::get("/reviews/0").bearer(&token).header("host", "reviews:9080"));
    let line: Value = serde_json::from_str(&documented("json")).unwrap();
    assert_eq!(log.read_one(), line);
}

#[test]
fn a_document_chooses_what_is_logged() {
    let listeners = ["OFF", "DENIALS", "ALL"].map(|log| ours(log, &document(log)));
    let envoy = Envoy::before_upstream(&listeners, None);
    let mut log = DecisionLog::of(&envoy);
    let token = Recipe::of_caller("user").mint();
    let allowed = Request::get("/public").bearer(&token);
    let denied = Request::get("/closed");
    for (listener, lines) in [("OFF", json!([])), ("DENIALS", json!(["deny"]))] {
        assert_eq!(envoy.answer(listener, &allowed).status, 200);
        assert_eq!(envoy.answer(listener, &denied).status, 403);
        let words: Vec<_> = log.read().iter().map(|line| line["jwt_rbac"].clone()).collect();
        assert_eq!(json!(words), lines, "{listener}");
    }
    envoy.answer("ALL", &allowed);
    let expected = json!({
        "jwt_rbac": "allow",
        "rule": "public",
        "provider": "https://tenant.auth0.com/",
        "subject": "auth0|user",
        "method": "GET",
        "host": "bookinfo.test",
        "path": "/public",
    });
    assert_eq!(log.read_one(), expected);
    envoy.answer("ALL", &denied);
    assert_eq!(log.read_one()["jwt_rbac"], "deny");
    assert_eq!(envoy.stat("wasmcustom.jwt_rbac_denied_route_denied"), 3);
}

#[test]
fn nothing_that_a_client_sends_breaks_or_stretches_a_line() {
    let envoy = Envoy::before_upstream(&[ours("ours", &document("DENIALS"))], None);
    let mut log = DecisionLog::of(&envoy);
    // Control bytes but for the tab, and more in hosts and methods, Envoy refuses itself.
    for bytes in ["\"", "\\", "\",\"status\":200,\"", "\t", "\u{ff}", "\u{c3}", "'<"] {
        thread::sleep(PACE);
        let id = format!("a{bytes}b");
        envoy.answer("ours", &Request::get("/closed").header("x-request-id", &id));
        let line = log.read_one();
        let shown = if bytes.is_ascii() { id } else { "a\u{fffd}b".to_owned() };
        assert_eq!((&line["request_id"], &line["status"]), (&json!(shown), &json!(403)));
    }
    for path in ["/closed/\"", "/closed/\\n", "/closed/'<{}>", "/closed/%0a%ff"] {
        thread::sleep(PACE);
        envoy.answer("ours", &Request::get(path));
        assert_eq!(log.read_one()["path"], path);
    }
    for length in [128, 129, 10_000] {
        thread::sleep(PACE);
        let [path, host, id] = ["/p", "h", "i"].map(|start| format!("{start:x<length$}"));
        let request = Request::get(&path).header("host", &host).header("x-request-id", &id);
        assert_eq!(envoy.answer("ours", &request).status, 403);
        let line = log.read_one();
        for (name, sent) in [("path", path), ("host", host), ("request_id", id)] {
            let end = if length > 128 { "…" } else { "" };
            assert_eq!(line[name], format!("{}{end}", &sent[..128]), "{name}");
        }
    }
}

#[test]
fn a_plugin_writes_ten_lines_a_second_and_says_how_many_it_did_not() {
    const BURST: u64 = 200;
    let listeners = ["one", "two"].map(|name| ours(name, &document("DENIALS")));
    let envoy = Envoy::before_upstream(&listeners, None);
    let mut log = DecisionLog::of(&envoy);
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let first = second();
    // Each plugin has a budget of its own.
    for number in 0..BURST {
        let listener = ["one", "two"][usize::from(number % 2 == 0)];
        assert_eq!(envoy.answer(listener, &Request::get("/closed")).status, 403);
    }
    let last = second();
    while second() == last {
        thread::sleep(Duration::from_millis(10));
    }
    for listener in ["one", "two"] {
        envoy.answer(listener, &Request::get("/closed"));
    }
    let lines = log.read();
    let written = lines.len() as u64;
    assert!(written <= 2 * (10 * (last - first + 1) + 1), "{written} lines");
    let suppressed = |line: &Value| line.get("suppressed").map_or(0, |it| it.as_u64().unwrap());
    let sum: u64 = lines.iter().map(suppressed).sum();
    assert_eq!(written + sum, BURST + 2, "{written} lines, {sum} suppressed");
    let ends = lines.iter().rev().take(2);
    assert!(ends.map(suppressed).all(|count| count > 0), "{lines:#?}");
    assert_eq!(envoy.stat("wasmcustom.jwt_rbac_denied_route_denied"), BURST + 2);
}
