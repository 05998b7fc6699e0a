//! What of a pasted policy is refused, where, and why.

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use serde_json::{Value, json};

fn errors(policy: &Value, trust_domains: Option<&Value>) -> Vec<String> {
    let mut document = json!({"routes": [], "authorizationPolicies": [policy]});
    if let Some(domains) = trust_domains {
        document["trustDomains"] = domains.clone();
    }
    match crate::compile(document.to_string().as_bytes(), &mut RustCrypto) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.errors.iter().map(ToString::to_string).collect(),
    }
}

fn refused(policy: &Value, place: &str, part: &str) {
    let errors = errors(policy, None);
    let place = format!("authorizationPolicies[0]{place}: ");
    assert!(
        matches!(errors.as_slice(), [error] if error.starts_with(&place) && error.contains(part)),
        "expected one error at {place} with {part:?}, found {errors:#?}"
    );
}

fn with_source(source: &Value) -> Value {
    json!({"name": "a", "rules": [{"from": [{"source": source}]}]})
}

fn with_operation(operation: &Value) -> Value {
    json!({"name": "a", "rules": [{"to": [{"operation": operation}]}]})
}

fn with_key(key: &str) -> Value {
    json!({"name": "a", "rules": [{"when": [{"key": key, "values": ["x"]}]}]})
}

#[test]
fn what_wasm_can_not_do_is_refused_with_the_reason() {
    refused(&json!({"name": "a", "action": "CUSTOM"}), ".action", "keep this policy");
    let blocks = with_source(&json!({"ipBlocks": ["10.0.0.0/8"], "namespaces": ["a"]}));
    refused(&blocks, ".rules[0].from[0].source.ipBlocks", "use `remoteIpBlocks`");
    refused(&with_key("source.ip"), ".rules[0].when[0].key", "use `remoteIpBlocks`");
    let metadata = with_key("experimental.envoy.filters.a[b]");
    refused(&metadata, ".rules[0].when[0].key", "dynamic metadata");
    let not_blocks = with_source(&json!({"notIpBlocks": ["10.0.0.0/8"], "namespaces": ["a"]}));
    refused(&not_blocks, ".rules[0].from[0].source.notIpBlocks", "use `remoteIpBlocks`");
    for field in ["selector", "targetRef", "targetRefs", "provider", "metadata"] {
        refused(&json!({"name": "a", field: {}}), &format!(".{field}"), "does not belong here");
    }
}

#[test]
fn what_istio_refuses_is_refused() {
    let source = ".rules[0].from[0].source";
    let operation = ".rules[0].to[0].operation";
    refused(&json!({"rules": []}), "", "`name`");
    refused(&json!({"name": "a b"}), ".name", "A-Z");
    refused(&json!({"name": "a", "action": "DENY"}), ".rules", "a DENY policy denies nothing");
    refused(&json!({"name": "a", "action": "ALOW"}), ".action", "`ALLOW`");
    refused(&json!({"name": "a", "rules": [{"from": []}]}), ".rules[0].from", "empty list");
    refused(&json!({"name": "a", "rules": [{"from": [{}]}]}), source, "missing");
    refused(&with_source(&json!({})), source, "at least one");
    refused(
        &with_source(&json!({"namespaces": []})),
        ".rules[0].from[0].source.namespaces",
        "empty",
    );
    refused(
        &with_source(&json!({"namespaces": [""]})),
        &format!("{source}.namespaces[0]"),
        "empty",
    );
    refused(&with_operation(&json!({})), operation, "at least one");
    refused(
        &with_operation(&json!({"ports": ["70000"]})),
        &format!("{operation}.ports[0]"),
        "port",
    );
    refused(
        &with_operation(&json!({"paths": ["/{**}/{*}"]})),
        &format!("{operation}.paths[0]"),
        "template",
    );
    refused(
        &with_source(&json!({"remoteIpBlocks": ["10.0.0"]})),
        &format!("{source}.remoteIpBlocks[0]"),
        "address",
    );
    refused(
        &with_source(&json!({"serviceAccounts": ["a/*"]})),
        &format!("{source}.serviceAccounts[0]"),
        "without `*`",
    );
    refused(
        &with_source(&json!({"trustDomains": ["a/b"]})),
        &format!("{source}.trustDomains[0]"),
        "trust domain",
    );
    let both = json!({"serviceAccounts": ["a/b"], "namespaces": ["a"]});
    refused(&with_source(&both), &format!("{source}.serviceAccounts"), "expected one of both");
    refused(
        &with_key("request.auth.claim[a]"),
        ".rules[0].when[0].key",
        "`request.auth.claims[…]`",
    );
    let neither = json!({"name": "a", "rules": [{"when": [{"key": "remote.ip"}]}]});
    refused(&neither, ".rules[0].when[0]", "at least one");
}

#[test]
fn what_istio_has_not_is_for_keys_that_have_it() {
    let when = |entry: Value| json!({"name": "a", "rules": [{"when": [entry]}]});
    let place = ".rules[0].when[0]";
    for (key, fields) in [
        ("request.auth.claims[a]", json!({"values": ["x", 7, true], "notValues": [1.5]})),
        ("request.auth.claims[a]", json!({"allValues": ["x", 7], "present": true})),
        ("request.auth.claims[a]", json!({"regex": "a+", "header": "x-a", "queryParameter": "a"})),
        ("request.headers[a]", json!({"regex": "a+", "present": false})),
        ("request.query[a]", json!({"values": ["x*"], "regex": "a+", "present": true})),
        ("request.query[a b[]]", json!({"notValues": ["x"]})),
    ] {
        let mut entry = fields;
        entry["key"] = key.into();
        assert_eq!(errors(&when(entry), None), [""; 0], "{key}");
    }
    for (entry, field, part) in [
        (json!({"key": "request.headers[a]", "values": [7]}), ".values[0]", "a string"),
        (json!({"key": "request.headers[a]", "allValues": ["x"]}), ".allValues", "no claim"),
        (json!({"key": "request.query[a]", "header": "x-a"}), ".header", "no claim"),
        (json!({"key": "remote.ip", "queryParameter": "a"}), ".queryParameter", "no claim"),
        (json!({"key": "remote.ip", "regex": "a"}), ".regex", "expected `values` or `notValues`"),
        (json!({"key": "request.auth.principal", "present": true}), ".present", "no claim, header"),
        (json!({"key": "request.query[]", "values": ["x"]}), ".key", "`request.query[…]`"),
        (json!({"key": "request.auth.claims[a]", "regex": "("}), ".regex", "no regular expression"),
        (json!({"key": "request.auth.claims[a]", "regex": "a".repeat(257)}), ".regex", "1 to 256"),
        (json!({"key": "request.auth.claims[a]", "values": [[]]}), ".values[0]", "a boolean"),
        (json!({"key": "request.auth.claims[a]", "values": [""]}), ".values[0]", "empty"),
        (json!({"key": "request.auth.claims[a]", "allValues": []}), ".allValues", "empty"),
        (json!({"key": "request.auth.claims[a]", "header": "a b"}), ".header", "a header"),
        (
            json!({"key": "request.auth.claims[a]", "queryParameter": ""}),
            ".queryParameter",
            "empty",
        ),
        (json!({"key": "request.auth.claims[a]"}), "", "at least one of `values`"),
    ] {
        refused(&when(entry), &format!("{place}{field}"), part);
    }
    for (field, part) in [("prefix", "acme-*"), ("suffix", "*-eu"), ("pathVariable", "of a route")]
    {
        let entry = json!({"key": "request.auth.claims[a]", "values": ["x"], field: "x"});
        refused(&when(entry), &format!("{place}.{field}"), part);
    }
}

#[test]
fn what_istiod_fills_in_must_be_there_where_it_is_needed() {
    let source = ".rules[0].from[0].source";
    let principal = with_source(&json!({"principals": ["cluster.local/ns/a/sa/b"]}));
    refused(&principal, &format!("{source}.principals[0]"), "`trustDomains`");
    assert_eq!(errors(&principal, Some(&json!(["cluster.local"]))), [""; 0]);
    let anywhere = with_source(&json!({"principals": ["*", "*/ns/a/sa/b", "cluster.local/*"]}));
    assert_eq!(errors(&anywhere, None), [""; 0]);
    let account = with_source(&json!({"serviceAccounts": ["b"]}));
    refused(&account, &format!("{source}.serviceAccounts[0]"), "`namespace`");
    let mut named = account;
    named["namespace"] = json!("a");
    assert_eq!(errors(&named, None), [""; 0]);
}
