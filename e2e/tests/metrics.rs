//! What monitoring reads about decisions: metrics and access logs.

use std::collections::BTreeSet;
use std::fs;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::decision_log::{DecisionLog, document, documented, events};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener::{ours, with_access_log};
use jwt_rbac_e2e::temporary::TemporaryDirectory;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Value, json};

#[test]
fn metrics_have_the_names_of_the_documentation() {
    let mut counted = document("DENIALS");
    counted["ruleMetrics"] = true.into();
    let mut tried = counted.clone();
    tried["dryRun"] = true.into();
    let mut file = ListenerFile::create(&[ours("ours", &counted)]);
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    let stat = |envoy: &Envoy, name: &str| envoy.stat(&format!("wasmcustom.jwt_rbac_{name}"));
    let mut hash = stat(&envoy, "document_hash");
    let in_force = events(&envoy.log(), "document_in_force");
    let shown = hash.to_string();
    assert!(in_force.iter().all(|line| line["hash"] == shown.as_str()), "{in_force:?}");
    assert!(!in_force.is_empty(), "{}", envoy.log());
    assert!(hash > 0 && hash < 1 << 48, "{hash}");
    assert_eq!(stat(&envoy, "enforcing"), 1);
    // Nothing has happened, so nothing else is there.
    assert_eq!(metrics(&envoy), names(&["document_hash", "enforcing"]));

    let [user, other] = ["user", "moderator"].map(|caller| Recipe::of_caller(caller).mint());
    let ask = |envoy: &Envoy, path: &str, token: &str, status: u16| {
        assert_eq!(
            envoy.answer("ours", &Request::get(path).bearer(token)).status,
            status,
            "{path}"
        );
    };
    ask(&envoy, "/public", &user, 200);
    assert_eq!([stat(&envoy, "cache_hits"), stat(&envoy, "cache_misses")], [0, 1]);
    ask(&envoy, "/public", &user, 200);
    ask(&envoy, "/members", &user, 403);
    assert_eq!([stat(&envoy, "cache_hits"), stat(&envoy, "cache_misses")], [2, 1]);
    ask(&envoy, "/public", &other, 200);
    ask(&envoy, "/public", "garbage", 401);
    ask(&envoy, "/nowhere", &user, 403);
    assert_eq!([stat(&envoy, "cache_hits"), stat(&envoy, "cache_misses")], [2, 3]);

    assert_eq!(file.publish(&mut envoy, &[ours("ours", &json!({"routes": 7}))]), Update::Rejected);
    assert_eq!(stat(&envoy, "documents_refused"), 1);
    assert_eq!([stat(&envoy, "document_hash"), stat(&envoy, "enforcing")], [hash, 1]);
    assert_eq!(file.publish(&mut envoy, &[ours("ours", &tried)]), Update::Accepted);
    wait_for_the_end_of_the_old(&envoy);
    let hash_before = mem::replace(&mut hash, stat(&envoy, "document_hash"));
    assert_ne!(hash, hash_before);
    assert_eq!(stat(&envoy, "enforcing"), 0);
    ask(&envoy, "/members", &user, 200);

    let expected = [
        ("allowed", 3),
        ("denied_permission_missing", 1),
        ("denied_route_unmatched", 1),
        ("denied_token_form", 1),
        ("would_deny_permission_missing", 1),
        ("rule_public_allowed", 3),
        ("rule_public_denied", 1),
        ("rule_members_denied", 1),
        ("rule_members_would_deny", 1),
        ("cache_hits", 2),
        ("cache_misses", 4),
        ("documents_refused", 1),
        ("enforcing", 0),
        ("document_hash", hash),
    ];
    let prometheus = envoy.admin("/stats/prometheus");
    for (name, value) in expected {
        let line = format!("jwt_rbac_{name}{{}} {value}");
        assert!(prometheus.lines().any(|found| found == line), "no {line}:\n{prometheus}");
    }
    assert_eq!(metrics(&envoy), names(&expected.map(|(name, _)| name)));
    let kind = |name: &str, kind: &str| format!("# TYPE jwt_rbac_{name} {kind}\n");
    for gauge in ["enforcing", "document_hash"] {
        assert!(prometheus.contains(&kind(gauge, "gauge")), "{prometheus}");
    }
    assert_eq!(prometheus.matches("# TYPE jwt_rbac_").count(), expected.len());
    assert_eq!(prometheus.matches(" gauge\njwt_rbac_").count(), 2);

    // Envoy takes the first document again without configuring it anew.
    assert_eq!(file.publish(&mut envoy, &[ours("ours", &counted)]), Update::Accepted);
    wait_for_the_end_of_the_old(&envoy);
    ask(&envoy, "/members", &user, 403);
    assert_eq!([stat(&envoy, "document_hash"), stat(&envoy, "enforcing")], [hash_before, 1]);
}

/// An operator who looks at one gauge of a proxy must not conclude that all is enforced.
#[test]
fn one_plugin_in_dry_run_is_told_whichever_served_last() {
    let enforced = document("DENIALS");
    let mut tried = enforced.clone();
    tried["dryRun"] = true.into();
    let other = json!({"routes": [{"paths": ["/public"], "access": "PUBLIC"}]});
    let token = Recipe::of_caller("user").mint();
    let enforcing = |envoy: &Envoy| envoy.stat("wasmcustom.jwt_rbac_enforcing");
    let hash = |envoy: &Envoy| envoy.stat("wasmcustom.jwt_rbac_document_hash");
    for order in [[&enforced, &tried], [&tried, &enforced]] {
        let names = ["first", "second"];
        let listeners: Vec<Value> =
            names.iter().zip(order).map(|(name, document)| ours(name, document)).collect();
        let envoy = Envoy::before_upstream(&listeners, None);
        assert_eq!(enforcing(&envoy), 0);
        let before = hash(&envoy);
        for turns in [["first"; 3], ["second"; 3], ["first", "second", "first"]] {
            for name in turns {
                envoy.answer(name, &Request::get("/public").bearer(&token));
                envoy.answer(name, &Request::get("/closed"));
                assert_eq!(enforcing(&envoy), 0, "after {name}");
                // It is asked at once, too, not only when the counters are there.
                let line = envoy.admin("/stats?filter=enforcing$");
                assert_eq!(line.trim(), "wasmcustom.jwt_rbac_enforcing: 0");
                assert_eq!(hash(&envoy), before);
            }
        }
    }
    // All enforce; then one is tried, and then that one is taken away.
    let mut file = ListenerFile::create(&[ours("first", &enforced), ours("second", &other)]);
    let mut envoy = Envoy::before_upstream(&[], Some(file.path()));
    assert_eq!(enforcing(&envoy), 1);
    for (listeners, expected) in [
        (vec![ours("first", &tried), ours("second", &other)], 0),
        (vec![ours("first", &enforced), ours("second", &other)], 1),
        (vec![ours("first", &enforced), ours("second", &other), ours("third", &tried)], 0),
    ] {
        assert_eq!(file.publish(&mut envoy, &listeners), Update::Accepted);
        wait_for_the_end_of_the_old(&envoy);
        for name in ["first", "second", "first"] {
            envoy.answer(name, &Request::get("/public"));
            assert_eq!(enforcing(&envoy), expected, "after {name}");
        }
    }
}

/// What an update has replaced counts until its connections have ended.
fn wait_for_the_end_of_the_old(envoy: &Envoy) {
    let end = Instant::now() + Duration::from_secs(20);
    let draining = ["filter_chains", "listeners"]
        .map(|kind| format!("listener_manager.total_{kind}_draining"));
    while envoy.stats([&draining[0], &draining[1]]) != [0, 0] {
        assert!(Instant::now() < end, "it does not end:\n{}", envoy.log_tail());
        thread::sleep(Duration::from_millis(50));
    }
}

/// The names on `/stats/prometheus` that are ours.
fn metrics(envoy: &Envoy) -> BTreeSet<String> {
    let text = envoy.admin("/stats/prometheus");
    let values = text.lines().filter(|line| !line.starts_with('#') && line.contains("jwt_rbac"));
    values.filter_map(|line| Some(line.split_once('{')?.0.to_owned())).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("jwt_rbac_{name}")).collect()
}

#[test]
fn access_logs_have_the_words_of_the_documentation() {
    let directory = TemporaryDirectory::create().expect("a folder");
    let file = directory.path().join("access.log");
    let format = documented_format();
    let mut tried = document("DENIALS");
    tried["dryRun"] = true.into();
    let documents = ["OFF", "DENIALS", "ALL"].map(|log| (log, document(log)));
    let listeners = documents.into_iter().chain([("dry run", tried)]).map(|(name, document)| {
        let filter = filters::jwt_rbac(name, &document, &artifacts::wasm().unwrap());
        with_access_log(name, &[filter], &file, &format)
    });
    let envoy = Envoy::before_upstream(&listeners.collect::<Vec<_>>(), None);
    let recipe = Recipe::of_caller("user");
    let token = recipe.mint();
    let expired = recipe.clone().claim("exp", json!("now-3600")).mint();
    let broken = recipe.claim("sub", json!("a\r\nb\u{85}c\u{0}d\"")).mint();
    let members = "403 rbac_access_denied_matched_policy[members]{permission_missing}";
    let denied = documented("text accessLog").replace("reviews", "members");
    let tried = denied.replace("deny", "would_deny");
    let of_broken = denied.replace("auth0|user", "a__b\u{fffd}c_d_");
    let expected = [
        ("DENIALS", "/members", &token, format!("{members} {denied}")),
        ("OFF", "/members", &token, format!("{members} {denied}")),
        ("OFF", "/public", &token, "200 via_upstream -".to_owned()),
        ("DENIALS", "/public", &token, "200 via_upstream -".to_owned()),
        ("ALL", "/public", &token, "200 via_upstream allow - public auth0|user".to_owned()),
        (
            "ALL",
            "/public",
            &expired,
            "401 jwt_authn_access_denied{Jwt_is_expired} deny expired public -".to_owned(),
        ),
        ("dry run", "/members", &token, format!("200 via_upstream {tried}")),
        ("ALL", "/members", &broken, format!("{members} {of_broken}")),
    ];
    for (listener, path, token, _) in &expected {
        envoy.answer(listener, &Request::get(path).bearer(token));
    }
    let end = Instant::now() + Duration::from_secs(10);
    let mut text = String::new();
    while text.lines().count() < expected.len() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
        text = fs::read_to_string(&file).unwrap();
    }
    let lines: Vec<&str> =
        text.lines().filter_map(|line| Some(line.split_once(" GET ")?.1)).collect();
    let expected: Vec<String> =
        expected.iter().map(|(_, path, _, rest)| format!("{path} {rest}")).collect();
    assert_eq!(lines, expected);
}

/// In the log and in access logs, of allowed requests too, from the cache too, and of nobody whose token
/// was refused.
#[test]
fn claims_are_shown_as_the_documentation_says() {
    let directory = TemporaryDirectory::create().expect("a folder");
    let file = directory.path().join("access.log");
    let yaml_of =
        |title| -> Value { serde_saphyr::from_str(&documented(&format!("yaml {title}"))).unwrap() };
    let line_format = &yaml_of("claims in accessLogFormat")["accessLogFormat"];
    let mut document = document("ALL");
    document["logClaims"] = yaml_of("logClaims")["logClaims"].clone();
    let filter = filters::jwt_rbac("ours", &document, &artifacts::wasm().unwrap());
    let listener = with_access_log("ours", &[filter], &file, line_format.as_str().unwrap());
    let envoy = Envoy::before_upstream(&[listener], None);
    let mut log = DecisionLog::of(&envoy);
    let recipe = Recipe::of_caller("user")
        .claim("tenant", json!("acme"))
        .claim("org", json!({"id": 7, "name": "not asked for"}))
        .claim("cognito:groups", json!(["admin", "a b"]));
    let evil = Recipe::of_caller("user")
        .claim("tenant", json!("x\" 200 eyJhbGciOiJSUzI1NiJ9.e30.c2ln"))
        .claim("org", json!({"id": null}))
        .claim("cognito:groups", json!("g".repeat(200)));
    let expired = recipe.clone().claim("exp", json!("now-3600")).mint();
    let cut = format!("{}…", "g".repeat(128));
    let claims = json!({"tenant": "acme", "[org][id]": "7", "cognito:groups": "admin,a b"});
    let of_evil = json!({"tenant": "x\" 200 …", "cognito:groups": cut});
    let shown = documented("text claims");
    for (path, token, in_log, words) in [
        ("/public", recipe.mint(), &claims, &shown),
        ("/public", recipe.mint(), &claims, &shown),
        ("/members", recipe.mint(), &claims, &shown),
        ("/public", evil.mint(), &of_evil, &format!("x__200_… - {cut}")),
        ("/public", expired, &Value::Null, &"- - -".to_owned()),
    ] {
        let before = fs::read_to_string(&file).unwrap_or_default().len();
        envoy.answer("ours", &Request::get(path).bearer(&token));
        assert_eq!(&log.read_one()["claims"], in_log);
        let end = Instant::now() + Duration::from_secs(10);
        let written = || fs::read_to_string(&file).unwrap_or_default().split_off(before);
        while !written().ends_with('\n') && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        assert!(written().ends_with(&format!(" {words}\n")), "{words}: {}", written());
    }
}

/// A subject is a client's text where users register themselves; it stays one field, in quotes too.
#[test]
fn a_subject_does_not_end_its_field_of_an_access_log() {
    let directory = TemporaryDirectory::create().expect("a folder");
    let file = directory.path().join("access.log");
    let format = "\"%FILTER_STATE(wasm.jwt_rbac:PLAIN)%\" '%FILTER_STATE(wasm.jwt_rbac:PLAIN)%'\n";
    let filter = filters::jwt_rbac("ours", &document("ALL"), &artifacts::wasm().unwrap());
    let envoy = Envoy::before_upstream(&[with_access_log("ours", &[filter], &file, format)], None);
    let subjects = [
        ("joe\"_200_evil=\"", "joe__200_evil=_"),
        ("joe' 200 'x", "joe__200__x"),
        ("joe\\\"", "joe__"),
        ("joe\t200\u{a0}x", "joe_200_x"),
        ("joe`x`", "joe_x_"),
        ("joe\u{2028}allow - public joe", "joe\u{fffd}allow_-_public_joe"),
        ("joe\r\nallow - public eve", "joe__allow_-_public_eve"),
        ("\"", "_"),
        ("", "-"),
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "…"),
        ("a eyAiYWxnIjoibm9uZSJ9.e30.", "a_…"),
        ("auth0|user", "auth0|user"),
    ];
    for (subject, _) in subjects {
        let token = Recipe::of_caller("user").claim("sub", json!(subject)).mint();
        assert_eq!(envoy.answer("ours", &Request::get("/public").bearer(&token)).status, 200);
    }
    let expected = subjects.map(|(_, shown)| {
        let value = format!("allow - public {shown}");
        format!("\"{value}\" '{value}'")
    });
    let end = Instant::now() + Duration::from_secs(10);
    let mut text = String::new();
    while text.lines().count() < expected.len() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
        text = fs::read_to_string(&file).unwrap();
    }
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, expected);
}

/// `accessLogFormat` as `docs/operations.md` has it.
fn documented_format() -> String {
    let block: Value = serde_saphyr::from_str(&documented("yaml accessLogFormat")).unwrap();
    block["accessLogFormat"].as_str().unwrap().to_owned()
}
