//! Documents that are accepted, and documents that are refused with every place named.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::Jwk;
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;

/// The key set that belongs to the private keys of `testdata/keys`.
fn jwks() -> Value {
    serde_json::from_str(include_str!("../../testdata/jwks.json")).unwrap()
}

fn rule() -> Value {
    json!({"issuer": "https://issuer.test", "audiences": ["me"], "jwks": jwks()})
}

fn compile_value(document: &Value) -> Result<(Document, Problems), Problems> {
    compile(document.to_string().as_bytes(), &mut RustCrypto)
}

/// The places and messages of all errors.
fn errors(document: &Value) -> Vec<String> {
    let problems = compile_value(document).err().unwrap_or_default();
    problems.errors.iter().map(ToString::to_string).collect()
}

/// Whether the only error is at this place.
#[track_caller]
fn refused_at(place: &str, document: &Value) {
    let errors = errors(document);
    assert!(
        matches!(errors.as_slice(), [error] if error.starts_with(&format!("{place}: "))),
        "expected one error at {place}, found {errors:#?} in {document}"
    );
}

fn with_rule(field: &str, value: Value) -> Value {
    let mut rule = rule();
    rule[field] = value;
    json!({"jwtRules": [rule]})
}

fn with_route(route: &Value) -> Value {
    json!({"jwtRules": [rule()], "routes": [route]})
}

fn with_field(field: &str, value: &Value) -> Value {
    json!({"jwtRules": [rule()], "routes": [], field: value})
}

#[test]
fn keys_are_fetched_from_where_the_document_says() {
    let source = |change: fn(&mut Value)| {
        let mut document = json!({"jwtRules": [rule()]});
        let rule = &mut document["jwtRules"][0];
        rule.as_object_mut().unwrap().remove("jwks");
        change(rule);
        let (document, _) = compile_value(&document).unwrap();
        document.authenticator.providers()[0].keys.fetched_from().cloned().unwrap()
    };
    let plain = source(|rule| rule["jwksUri"] = json!("https://x.test/jwks"));
    assert_eq!(plain.endpoint.to_string(), "https://x.test/jwks");
    assert_eq!(plain.endpoint.cluster, None);
    assert_eq!((plain.timing.interval, plain.timing.timeout), (1_200_000, 5_000));
    assert_eq!(plain.timing.stale_if_error, None);
    let full = source(|rule| {
        rule["jwksUri"] = json!("http://x.test/jwks");
        rule["allowInsecureJwks"] = json!(true);
        rule["jwksCluster"] = json!("keys");
        rule["jwksRefreshInterval"] = json!("5m");
        rule["jwksStaleIfError"] = json!("24h");
        rule["timeout"] = json!("2s");
    });
    assert_eq!(full.endpoint.cluster.as_deref(), Some("keys"));
    assert_eq!((full.timing.interval, full.timing.timeout), (300_000, 2_000));
    assert_eq!(full.timing.stale_if_error, Some(86_400_000));
    // Neither: the issuer says it.
    let discovered = source(|rule| rule["issuer"] = json!("https://x.test/tenant/"));
    let expected = "https://x.test/tenant/.well-known/openid-configuration";
    assert_eq!(discovered.endpoint.to_string(), expected);
}

#[test]
fn what_is_wrong_about_fetching_is_an_error() {
    let without_jwks = |name: &str, value: Value| {
        let mut document = with_rule(name, value);
        let rule = document["jwtRules"][0].as_object_mut().unwrap();
        rule.remove("jwks");
        rule.entry("jwksUri").or_insert(json!("https://x.test/jwks"));
        document
    };
    for (name, value) in [
        ("jwksUri", json!("x.test/jwks")),
        ("jwksUri", json!("https://user@x.test/jwks")),
        ("jwksUri", json!("http://x.test/jwks")),
        ("jwksUri", json!(7)),
        ("jwksCluster", json!("")),
        ("jwksRefreshInterval", json!("4s")),
        ("jwksRefreshInterval", json!("25h")),
        ("jwksRefreshInterval", json!(300)),
        ("jwksStaleIfError", json!("forever")),
        ("timeout", json!("0s")),
        ("timeout", json!("61s")),
        // A secret that everybody can fetch is none.
        ("algorithms", json!(["HS256"])),
    ] {
        refused_at(&format!("jwtRules[0].{name}"), &without_jwks(name, value));
    }
    // They have no meaning for keys of the document.
    for (name, value) in [
        ("jwksCluster", json!("keys")),
        ("jwksRefreshInterval", json!("5m")),
        ("jwksStaleIfError", json!("24h")),
        ("timeout", json!("2s")),
        ("allowInsecureJwks", json!(true)),
    ] {
        refused_at(&format!("jwtRules[0].{name}"), &with_rule(name, value));
    }
    // Nobody says where the keys are.
    for issuer in [json!("joe"), json!("http://x.test")] {
        let mut document = with_rule("issuer", issuer);
        document["jwtRules"][0].as_object_mut().unwrap().remove("jwks");
        refused_at("jwtRules[0]", &document);
    }
}

#[test]
fn a_full_document_is_accepted() {
    let document = json!({
        "jwtRules": [{
            "issuer": "https://issuer.test",
            "name": "first",
            "audiences": ["https://me.test"],
            "jwks": jwks().to_string(),
            "forwardOriginalToken": true,
            "outputPayloadToHeader": "x-payload",
            "outputClaimToHeaders": [
                {"header": "X_Sub", "claim": "sub"},
                {"header": "x-org", "claim": "[org][id]"},
            ],
            "clockSkew": "1m30s",
            "requireExpiration": false,
            "permissionClaims": ["permissions", "scope"],
            "roleClaims": ["[realm_access][roles]"],
            "rolePermissions": {"user": ["read:details"]},
        }, {"audiences": ["x"], "jwks": jwks()}],
        "routes": [
            {"name": "a", "hosts": ["a.test", "*.b.test"], "paths": ["/a/{id}", "/a/{id}/{**}"],
             "methods": ["GET"], "permissions": ["read:details"], "issuers": ["https://issuer.test"],
             "claims": [{"claim": "tenant", "pathVariable": "id"}]},
            {"hosts": ["*"], "paths": ["/"], "permissions": {"allOf": ["a"], "anyOf": ["b", "c"]}},
            {"hosts": ["*"], "paths": ["/x"], "access": "AUTHENTICATED"},
        ],
        "unmatchedRoutes": "DENY",
        "ambiguousPaths": "MATCH",
        "corsPreflight": "ALLOW",
        "maxTokenSize": "32Ki",
    });
    let (document, problems) = compile_value(&document).map_err(|found| found.errors).unwrap();
    assert_eq!(document.authenticator.providers().len(), 2);
    for name in ["x-org", "x-payload", "x-sub"] {
        assert!(document.removed_headers.contains(name.as_bytes()), "{name}");
    }
    assert_eq!(problems.warnings.len(), 1, "the second rule names no issuer");
}

#[test]
fn every_faulty_entry_is_named_at_once() {
    let document = json!({
        "jwtRules": [
            {"issuer": "https://a.test", "jwks": jwks(), "audience": ["me"]},
            {"issuer": "https://b.test", "audiences": [], "jwks": "{\"keys\":[]}"},
        ],
        "routes": [
            {"paths": ["a"], "access": "PUBLIC"},
            {"paths": ["/b"]},
            {"paths": ["/c"], "methods": ["get"], "access": "PUBLIC"},
        ],
        "unmatchedRoute": "DENY",
    });
    let errors = errors(&document);
    for place in [
        "unmatchedRoute",
        "jwtRules[0].audience",
        "jwtRules[1].audiences",
        "jwtRules[1].jwks.keys",
        "routes[0].paths[0]",
        "routes[1]",
        "routes[2].methods[0]",
    ] {
        let named = errors.iter().filter(|error| error.starts_with(&format!("{place}: "))).count();
        assert_eq!(named, 1, "{place} in {errors:#?}");
    }
    assert_eq!(errors.len(), 7, "{errors:#?}");
}

#[test]
fn a_document_says_something() {
    for text in ["", " \n", "{}", "[]", "1", "{", "{\"routes\":[],\"routes\":[]}", "\u{feff}{}"] {
        let problems = compile(text.as_bytes(), &mut RustCrypto).err().unwrap();
        assert_eq!(problems.errors.len(), 1, "{text}");
        assert!(problems.errors[0].to_string().starts_with("pluginConfig: "), "{text}");
    }
    let of_size = |size| {
        let mut text = br#"{"routes": []}"#.to_vec();
        text.resize(size, b' ');
        text
    };
    assert!(compile(&of_size(MAX_DOCUMENT), &mut RustCrypto).is_ok());
    let large = compile(&of_size(MAX_DOCUMENT + 1), &mut RustCrypto);
    assert_eq!(large.err().unwrap().errors.len(), 1);
    assert!(errors(&json!({"routes": []})).is_empty());
    assert!(errors(&json!({"jwtRules": [rule()]})).is_empty());
}

#[test]
fn nothing_is_not_a_value() {
    assert_eq!(
        errors(&json!({"routes": null})),
        ["routes: found nothing (null), expected a value"]
    );
    refused_at("jwtRules[0].issuer", &with_rule("issuer", Value::Null));
}

#[test]
fn keys_are_found_or_the_rule_is_refused() {
    refused_at("jwtRules[0].jwks", &with_rule("jwks", json!(key_set::PLACEHOLDER)));
    refused_at("jwtRules[0].jwks", &with_rule("jwks", json!("not JSON")));
    refused_at("jwtRules[0].jwks.keys", &with_rule("jwks", json!({})));
    refused_at(
        "jwtRules[0].jwks.keys",
        &with_rule("jwks", json!({"keys": [{"kty": "oct", "k": "AA"}]})),
    );
    let mut one_bad = jwks();
    one_bad["keys"][0]["n"] = json!("AQAB");
    let (_, problems) = compile_value(&with_rule("jwks", one_bad)).map_err(|_| ()).unwrap();
    let warning = problems.warnings[0].to_string();
    assert!(warning.starts_with("jwtRules[0].jwks.keys[0].n: key skipped: "), "{warning}");
}

#[test]
fn no_key_set_is_refused_for_its_size() {
    let warnings = |count| {
        let many: Vec<_> = std::iter::repeat_n(jwks()["keys"][0].clone(), count).collect();
        let document = with_rule("jwks", json!({"keys": many}));
        let (_, problems) = compile_value(&document).map_err(|_| ()).unwrap();
        problems.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(warnings(6).is_empty());
    let found = warnings(9);
    assert!(
        found[0].starts_with("jwtRules[0].jwks.keys: found more keys of one kind"),
        "{found:?}"
    );
    // What Google publishes for one of its services.
    let ed25519 =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let five: Vec<_> = std::iter::repeat_n(ed25519, 5).collect();
    let document = with_rule("jwks", json!({"keys": five}));
    let (_, problems) = compile_value(&document).map_err(|_| ()).unwrap();
    assert!(problems.warnings.is_empty(), "{:?}", problems.warnings);
}

#[test]
fn a_private_key_is_refused_with_what_to_do() {
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        let mut private = jwks();
        private["keys"][1][member] = json!("AQAB");
        let found = errors(&with_rule("jwks", private));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("jwtRules[0].jwks.keys[1].{member}: ")), "{found:?}");
        assert!(found[0].contains("rotate the key"), "{found:?}");
    }
}

#[test]
fn pss_is_for_keys_that_name_it() {
    use Algorithm::{Ps256, Rs256, Rs384, Rs512};
    let rsa = jwks()["keys"][0].clone();
    let with_alg = |algorithm: Option<&str>| {
        let mut key = rsa.clone();
        key.as_object_mut().unwrap().remove("alg");
        if let Some(algorithm) = algorithm {
            key["alg"] = json!(algorithm);
        }
        key
    };
    for (named, allowed, expected) in [
        (None, None, vec![Rs256, Rs384, Rs512]),
        (Some("PS256"), None, vec![Ps256]),
        (None, Some(vec![Ps256, Rs256]), vec![Rs256, Ps256]),
        (Some("RS256"), Some(vec![Ps256, Rs256]), vec![Rs256]),
    ] {
        let key = Jwk::parse(&with_alg(named), allowed.as_deref()).unwrap();
        assert_eq!(key.algorithms, expected, "{named:?} {allowed:?}");
    }
    assert!(Jwk::parse(&with_alg(Some("RS256")), Some(&[Ps256])).is_err());
}

#[test]
fn rules_are_checked() {
    let mut without_audiences = rule();
    without_audiences.as_object_mut().unwrap().remove("audiences");
    refused_at("jwtRules[0]", &json!({"jwtRules": [without_audiences]}));
    without_audiences["anyAudience"] = json!(true);
    assert!(errors(&json!({"jwtRules": [without_audiences]})).is_empty());
    refused_at("jwtRules", &json!({"jwtRules": []}));
    refused_at("jwtRules[0].anyAudience", &with_rule("anyAudience", json!(true)));
    for audience in ["", "/", "https://", "http:///"] {
        refused_at("jwtRules[0].audiences[0]", &with_rule("audiences", json!([audience])));
    }
    refused_at("jwtRules[0].issuer", &with_rule("issuer", json!("")));
    refused_at("jwtRules[0].name", &with_rule("name", json!("a b")));
    refused_at("jwtRules[0].presence", &with_rule("presence", json!("required")));
    refused_at("jwtRules[0].clockSkew", &with_rule("clockSkew", json!("301s")));
    refused_at("jwtRules[0].clockSkew", &with_rule("clockSkew", json!(60)));
    refused_at("jwtRules[0].permissionClaims", &with_rule("permissionClaims", json!([])));
    refused_at("jwtRules[0].permissionClaims[0]", &with_rule("permissionClaims", json!(["[a"])));
    refused_at("jwtRules[0].rolePermissions", &with_rule("roleClaims", json!(["roles"])));
    refused_at("jwtRules[0].rolePermissions", &with_rule("rolePermissions", json!({"a": ["b"]})));
}

#[test]
fn token_limits_are_bounded() {
    let with = |limits: Value| json!({"jwtRules": [rule()], "tokenLimits": limits});
    assert!(
        errors(&with(json!({"depth": 64, "members": 10_000, "permissions": 10_000}))).is_empty()
    );
    assert!(errors(&with(json!({"permissions": 1}))).is_empty());
    refused_at("tokenLimits.depth", &with(json!({"depth": 65})));
    refused_at("tokenLimits.members", &with(json!({"members": 0})));
    refused_at("tokenLimits.permissions", &with(json!({"permissions": 10_001})));
    refused_at("tokenLimits.permissions", &with(json!({"permissions": "many"})));
    refused_at("tokenLimits", &json!({"routes": [], "tokenLimits": {"depth": 1}}));
}

#[test]
fn a_required_token_has_a_place_and_headers_of_its_own() {
    let with = |one: Value, other: Value| {
        let (mut first, mut second) = (rule(), rule());
        second["issuer"] = json!("https://other.test");
        for (rule, fields) in [(&mut first, one), (&mut second, other)] {
            rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        }
        json!({"jwtRules": [first, second]})
    };
    let required =
        |header: &str| json!({"presence": "REQUIRED", "fromHeaders": [{"name": header}]});
    let optional = |header: &str| json!({"fromHeaders": [{"name": header}]});
    let writing = |header: &str, output: &str| {
        let mut rule = required(header);
        rule["outputClaimToHeaders"] = json!([{"header": output, "claim": "sub"}]);
        rule
    };
    assert!(errors(&with_rule("presence", json!("REQUIRED"))).is_empty());
    assert!(errors(&with(required("x-a"), required("x-b"))).is_empty());
    assert!(errors(&with(required("x-a"), json!({}))).is_empty());
    assert!(errors(&with(writing("x-a", "x-sub"), writing("x-b", "x-id"))).is_empty());
    refused_at("jwtRules[0].presence", &with(required("x-a"), optional("x-a")));
    refused_at("jwtRules[1].presence", &with(optional("x_a"), required("x-a")));
    refused_at("jwtRules[0].presence", &with(json!({"presence": "REQUIRED"}), json!({})));
    let many = |count: usize| {
        let rules = (0..count).map(|number| {
            let mut rule = rule();
            rule["issuer"] = json!(format!("https://{number}.test"));
            rule["presence"] = json!("REQUIRED");
            rule["fromHeaders"] = json!([{"name": format!("x-{number}")}]);
            rule
        });
        json!({"jwtRules": rules.collect::<Vec<_>>()})
    };
    assert!(errors(&many(8)).is_empty());
    refused_at("jwtRules[8].presence", &many(9));
    let both = errors(&with(writing("x-a", "x-sub"), writing("x-b", "x_sub")));
    assert!(
        both.len() == 2 && both[0].contains("jwtRules[1] also writes the header `x-sub`"),
        "{both:?}"
    );
}

/// An entry for these tenants of one template.
fn of_tenants(tenants: &[&str]) -> Value {
    let mut rule = rule();
    rule["issuer"] = json!("https://login.test/{tenant}/v2.0");
    rule["tenants"] = json!(tenants);
    rule
}

#[test]
fn an_issuer_can_have_listed_tenants() {
    let document = json!({
        "jwtRules": [of_tenants(&["b", "a"]), rule()],
        "routes": [
            {"paths": ["/one"], "issuers": ["https://login.test/a/v2.0"]},
            {"paths": ["/all"], "issuers": ["https://login.test/{tenant}/v2.0", "https://issuer.test"]},
        ],
    });
    let (document, _) = compile_value(&document).unwrap();
    let issuers = &document.authenticator.providers()[0].issuers;
    let named: Vec<_> = issuers.named().iter().map(|issuer| &**issuer).collect();
    assert_eq!(named, ["https://login.test/a/v2.0", "https://login.test/b/v2.0"]);
    let table = document.routes.unwrap();
    let wanted: Vec<_> = table.routes().iter().map(|route| issuers_of(&route.access)).collect();
    assert_eq!(wanted[0], ["https://login.test/a/v2.0"]);
    let all = ["https://login.test/b/v2.0", "https://login.test/a/v2.0", "https://issuer.test"];
    assert_eq!(wanted[1], all);
}

fn issuers_of(access: &jwt_rbac::authz::routes::Access) -> Vec<String> {
    match access {
        jwt_rbac::authz::routes::Access::Required(requirement) => {
            requirement.issuers.clone().unwrap_or_default()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tenants_need_one_variable_and_one_key_set() {
    let with = |issuer: &str, tenants: Value| {
        let mut document = with_rule("issuer", json!(issuer));
        if !tenants.is_null() {
            document["jwtRules"][0]["tenants"] = tenants;
        }
        document
    };
    for issuer in ["https://x/{tenantid}/", "https://x/{tenant}/{tenant}", "https://x/{tenant}}"] {
        refused_at("jwtRules[0].issuer", &with(issuer, json!(["a"])));
    }
    refused_at("jwtRules[0].issuer", &with("https://x/{tenant}/", Value::Null));
    refused_at("jwtRules[0].tenants", &with("https://x/", json!(["a"])));
    refused_at("jwtRules[0].tenants", &with("https://x/{tenant}/", json!([])));
    for tenant in ["", "*", "a/b", "{tenant}", "a b"] {
        refused_at("jwtRules[0].tenants[1]", &with("https://x/{tenant}/", json!(["a", tenant])));
    }
    let mut without_keys = of_tenants(&["a"]);
    without_keys.as_object_mut().unwrap().remove("jwks");
    refused_at("jwtRules[0]", &json!({"jwtRules": [without_keys]}));
    without_keys["jwksUri"] = json!("https://login.test/common/keys");
    assert!(errors(&json!({"jwtRules": [without_keys]})).is_empty());
}

#[test]
fn entries_share_all_issuers_or_none() {
    let mut one = rule();
    one["issuer"] = json!("https://login.test/a/v2.0");
    let overlaps = |left: &Value, right: &Value| errors(&json!({"jwtRules": [left, right]}));
    for (left, right) in [
        (of_tenants(&["a", "b"]), one.clone()),
        (one.clone(), of_tenants(&["a", "b"])),
        (of_tenants(&["a", "b"]), of_tenants(&["b", "c"])),
    ] {
        let errors = overlaps(&left, &right);
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(error.starts_with("jwtRules[1].issuer: tokens of `https://login.test/"), "{error}");
    }
    assert!(overlaps(&of_tenants(&["a", "b"]), &of_tenants(&["b", "a"])).is_empty());
    assert!(overlaps(&of_tenants(&["b"]), &of_tenants(&["c"])).is_empty());
    assert!(overlaps(&one, &one).is_empty());
}

#[test]
fn what_a_rule_asks_of_tokens_is_checked() {
    let refused = |place: &str, field: &str, value: Value| {
        refused_at(&format!("jwtRules[0].{place}"), &with_rule(field, value));
    };
    refused("algorithms", "algorithms", json!([]));
    refused("algorithms[0]", "algorithms", json!(["none"]));
    refused("algorithms[1]", "algorithms", json!(["RS256", "rs256"]));
    refused("jwks.keys", "algorithms", json!(["EdDSA"]));
    refused("tokenTypes", "tokenTypes", json!([]));
    refused("maxLifetime", "maxLifetime", json!("1d"));
    refused("requiredClaims", "requiredClaims", json!([]));
    refused("requiredClaims[0].values", "requiredClaims", json!([{"claim": "a", "values": []}]));
    refused("spaceDelimitedClaims[0]", "spaceDelimitedClaims", json!([""]));
    for (field, value) in [
        ("algorithms", json!(["RS256", "PS256"])),
        ("tokenTypes", json!(["at+jwt"])),
        ("maxLifetime", json!("24h")),
        ("requiredClaims", json!([{"claim": "token_use", "values": ["access"]}, {"claim": "sub"}])),
        ("spaceDelimitedClaims", json!(["roles"])),
    ] {
        assert!(errors(&with_rule(field, value)).is_empty(), "{field}");
    }
}

#[test]
fn locations_are_checked() {
    let refused = |place: &str, field: &str, value: Value| {
        refused_at(&format!("jwtRules[0].{place}"), &with_rule(field, value));
    };
    refused("fromHeaders", "fromHeaders", json!([]));
    refused("fromHeaders[0].name", "fromHeaders", json!([{"name": "a b"}]));
    refused("fromHeaders[0].prefix", "fromHeaders", json!([{"name": "a", "prefix": "b c "}]));
    refused("fromHeaders[0].prefix", "fromHeaders", json!([{"name": "a", "prefix": " "}]));
    refused("fromParams[0]", "fromParams", json!([""]));
    refused("fromCookies[0]", "fromCookies", json!(["a=b"]));
    let overlapping = json!([{"name": "X-T", "prefix": "a="}, {"name": "x-t", "prefix": "a=b"}]);
    refused("fromHeaders", "fromHeaders", overlapping);
    let mut rule = rule();
    rule["fromHeaders"] = json!([{"name": "x_token"}]);
    rule["outputPayloadToHeader"] = json!("x-token");
    refused_at("jwtRules[0].outputPayloadToHeader", &json!({"jwtRules": [rule]}));
}

#[test]
fn secrets_are_asked_for_by_name_and_stand_alone() {
    let secret = json!({"kty": "oct", "k": "A".repeat(43)});
    let short = json!({"kty": "oct", "k": "A".repeat(42)});
    let document = |keys: Value, algorithms: Value| {
        let mut rule = rule();
        rule["jwks"] = json!({"keys": keys});
        rule["algorithms"] = algorithms;
        json!({"jwtRules": [rule]})
    };
    assert!(errors(&document(json!([secret]), json!(["HS256"]))).is_empty());
    refused_at("jwtRules[0].jwks.keys", &document(json!([secret]), json!(["RS256"])));
    refused_at("jwtRules[0].jwks.keys", &document(json!([secret]), json!(["HS384"])));
    refused_at("jwtRules[0].jwks.keys", &document(json!([short]), json!(["HS256"])));
    refused_at("jwtRules[0].jwks.keys", &with_rule("jwks", json!({"keys": [secret]})));
    let mixed = json!([secret, jwks()["keys"][0]]);
    refused_at("jwtRules[0].jwks.keys", &document(mixed, json!(["HS256", "RS256"])));
}

#[test]
fn output_headers_are_checked() {
    for header in ["authorization", "Host", "content-length", "te", ":path", "", "x y", "x\u{e9}"] {
        let place = "jwtRules[0].outputPayloadToHeader";
        refused_at(place, &with_rule("outputPayloadToHeader", json!(header)));
    }
    let twice = json!([{"header": "x-a", "claim": "a"}, {"header": "X_A", "claim": "b"}]);
    refused_at(
        "jwtRules[0].outputClaimToHeaders[1].header",
        &with_rule("outputClaimToHeaders", twice),
    );
}

#[test]
fn routes_are_checked() {
    for (place, route) in [
        ("routes[0]", json!({"access": "PUBLIC"})),
        ("routes[0]", json!({"paths": ["/"]})),
        ("routes[0].paths", json!({"paths": [], "access": "PUBLIC"})),
        ("routes[0].access", json!({"paths": ["/"], "access": "public"})),
        (
            "routes[0].permissions",
            json!({"paths": ["/"], "access": "PUBLIC", "permissions": ["a"]}),
        ),
        ("routes[0].permissions", json!({"paths": ["/"], "permissions": ["a", "b"]})),
        ("routes[0].permissions", json!({"paths": ["/"], "permissions": []})),
        ("routes[0].permissions", json!({"paths": ["/"], "permissions": {}})),
        ("routes[0].permissions.allOf", json!({"paths": ["/"], "permissions": {"allOf": []}})),
        ("routes[0].claims", json!({"paths": ["/"], "claims": []})),
        ("routes[0].claims[0]", json!({"paths": ["/"], "claims": [{"claim": "a"}]})),
        (
            "routes[0].claims[0].values",
            json!({"paths": ["/"], "claims": [{"claim": "a", "values": []}]}),
        ),
        (
            "routes[0].claims[0].values[0]",
            json!({"paths": ["/"], "claims": [{"claim": "a", "values": [{}]}]}),
        ),
        (
            "routes[0].paths[0]",
            json!({"paths": ["/a"], "claims": [{"claim": "a", "pathVariable": "x"}]}),
        ),
        (
            "routes[0].paths[0]",
            json!({"paths": ["/{x=**}"], "claims": [{"claim": "a", "pathVariable": "x"}]}),
        ),
        ("routes[0].issuers[0]", json!({"paths": ["/"], "issuers": ["https://other.test"]})),
        ("routes[0].hosts[0]", json!({"paths": ["/"], "hosts": ["a b"], "access": "PUBLIC"})),
        ("routes[0].name", json!({"paths": ["/"], "name": "a/b", "access": "PUBLIC"})),
        (
            "routes[0].methods[0]",
            json!({"paths": ["/"], "methods": ["CONNECT"], "access": "PUBLIC"}),
        ),
    ] {
        refused_at(place, &with_route(&route));
    }
}

#[test]
fn routes_are_checked_against_each_other() {
    let public = |paths: Value| json!({"paths": paths, "access": "PUBLIC"});
    let table = |routes: Value| json!({"jwtRules": [rule()], "routes": routes});
    refused_at("routes[1]", &table(json!([public(json!(["/a/{x}"])), public(json!(["/a/{y}/"]))])));
    refused_at("routes[0]", &table(json!([public(json!(["/a", "/a/"]))])));
    let mut named = public(json!(["/b"]));
    named["hosts"] = json!(["a.test"]);
    refused_at("routes[0]", &table(json!([public(json!(["/a"])), named])));
    let route = |path: &str| json!({"name": "same", "paths": [path], "access": "PUBLIC"});
    refused_at("routes[1].name", &table(json!([route("/a"), route("/b")])));
    refused_at("routes[0]", &json!({"routes": [{"paths": ["/"], "access": "AUTHENTICATED"}]}));
    let both_ways = |number: u32| -> String {
        (0..8).map(|bit| if number >> bit & 1 == 1 { "/a" } else { "/{*}" }).collect()
    };
    let paths: Vec<_> = (0..256).map(both_ways).collect();
    refused_at("routes", &table(json!([public(json!(paths))])));
}

#[test]
fn responses_are_checked() {
    for (place, responses) in [
        ("responses.missingToken.status", json!({"missingToken": {"status": 402}})),
        ("responses.forbidden.status", json!({"forbidden": {"status": 500}})),
        ("responses.forbidden.format", json!({"forbidden": {"format": "HTML"}})),
        ("responses.forbidden", json!({"forbidden": {"format": "CUSTOM"}})),
        ("responses.forbidden.body", json!({"forbidden": {"body": "no"}})),
        ("responses.unauthenticated.status", json!({"unauthenticated": {"status": 403}})),
        (
            "responses.unauthenticated.contentType",
            json!({"unauthenticated": {"format": "CUSTOM", "body": "", "contentType": "a\nb"}}),
        ),
        (
            "responses.forbidden.insufficientScope",
            json!({"forbidden": {"status": 404, "insufficientScope": true}}),
        ),
        ("responses.resourceMetadata", json!({"resourceMetadata": "http://x.test"})),
        ("responses.resourceMetadata", json!({"resourceMetadata": "https://x.test/\""})),
        ("responses.corsOrigins", json!({"corsOrigins": []})),
        ("responses.corsOrigins[0]", json!({"corsOrigins": ["https://x.test/"]})),
        ("responses.corsOrigins[0]", json!({"corsOrigins": ["*"]})),
    ] {
        refused_at(place, &with_field("responses", &responses));
    }
}

#[test]
fn options_are_checked() {
    refused_at(
        "ambiguousPaths",
        &json!({"routes": [{"paths": ["/"], "access": "PUBLIC"}], "unmatchedRoutes": "ALLOW", "ambiguousPaths": "MATCH"}),
    );
    refused_at("unmatchedRoutes", &with_field("unmatchedRoutes", &json!("ALLOW")));
    refused_at("corsPreflight", &json!({"jwtRules": [rule()], "corsPreflight": "ALLOW"}));
    refused_at("maxTokenSize", &with_field("maxTokenSize", &json!("16K")));
    refused_at("selector", &with_field("selector", &json!({"matchLabels": {}})));
    refused_at("tokenCache.maxSize", &with_field("tokenCache", &json!({"maxSize": "65Mi"})));
    refused_at("tokenCache", &with_field("tokenCache", &json!({})));
    refused_at("revoked.issuedBefore", &with_field("revoked", &json!({"issuedBefore": "today"})));
    refused_at("revoked.jti[0]", &with_field("revoked", &json!({"jti": [""]})));
    refused_at("dryRunTokens", &with_field("dryRunTokens", &json!(false)));
    refused_at("decisionLog", &with_field("decisionLog", &json!("DENIED")));
    refused_at("ruleMetrics", &json!({"jwtRules": [rule()], "ruleMetrics": true}));
    let token = json!({"paths": ["/"], "access": "AUTHENTICATED", "token": "OPTIONAL"});
    refused_at("routes[0].token", &with_route(&token));
    for field in ["authorizationPolicies", "fence", "trustDomains"] {
        refused_at(field, &with_field(field, &json!([])));
    }
}

proptest! {
    #[test]
    fn no_text_panics(bytes: Vec<u8>, text in "[{}\\[\\]\":,a-z/*0-9]{0,40}") {
        let _ = compile(&bytes, &mut RustCrypto);
        let _ = compile(text.as_bytes(), &mut RustCrypto);
        let wrapped = format!("{{\"routes\":[{{\"paths\":[{text:?}],\"hosts\":[{text:?}],\"access\":\"PUBLIC\"}}]}}");
        let _ = compile(wrapped.as_bytes(), &mut RustCrypto);
    }
}

#[test]
fn a_document_that_would_let_everybody_in_is_refused() {
    for document in [
        json!({"dryRun": false}),
        json!({"decisionLog": "ALL"}),
        json!({"responses": {"missingToken": {"status": 401}}}),
    ] {
        refused_at("pluginConfig", &document);
    }
    for (field, value) in [
        ("unmatchedRoutes", json!("DENY")),
        ("ambiguousPaths", json!("DENY")),
        ("corsPreflight", json!("AUTHORIZE")),
    ] {
        refused_at(field, &json!({"jwtRules": [rule()], field: value}));
    }
    refused_at("revoked", &json!({"routes": [], "revoked": {"sub": ["joe"]}}));
    refused_at("maxTokenSize", &json!({"routes": [], "maxTokenSize": 1}));
}

/// As an AuthorizationPolicy without a RequestAuthentication.
#[test]
fn policies_need_no_provider() {
    let policies = json!([{"name": "deny", "action": "ALLOW"}]);
    assert!(compile_value(&json!({"authorizationPolicies": policies})).is_ok());
    refused_at("authorizationPolicies", &json!({"authorizationPolicies": []}));
}

#[test]
fn a_list_is_no_entry() {
    refused_at("tokenCache", &with_field("tokenCache", &json!(["1Mi"])));
    refused_at("revoked", &with_field("revoked", &json!([["a"], ["b"]])));
    refused_at("jwtRules[0].fromHeaders[0]", &with_rule("fromHeaders", json!([["x-jwt", "JWT "]])));
    refused_at("jwtRules[0].requiredClaims[0]", &with_rule("requiredClaims", json!([["sub"]])));
    refused_at("routes[0]", &with_route(&json!([])));
}

/// A document must cost each worker little, and reading it must take little time.
#[test]
fn what_a_document_costs_is_bounded() {
    let numbered = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{prefix}{number}")).collect()
    };
    let route = |hosts, paths| json!({"hosts": numbered("h", hosts), "paths": numbered("/p", paths), "access": "PUBLIC"});
    // As many as there may be, and one more.
    assert!(errors(&json!({"routes": [route(400, 250)]})).is_empty());
    let more = json!({"hosts": ["h0"], "paths": ["/more"], "access": "PUBLIC"});
    refused_at("routes", &json!({"routes": [route(400, 250), more]}));
    refused_at(
        "routes[0].paths[0]",
        &with_route(&json!({"paths": ["/a".repeat(65)], "access": "PUBLIC"})),
    );
    let mut faulty = json!({"routes": []});
    for name in numbered("unknown", 4_000) {
        faulty[name] = json!(1);
    }
    assert_eq!(errors(&faulty).len(), shape::MAX_FAULTS + 1);
}

#[test]
fn settings_without_meaning_are_refused() {
    refused_at(
        "routes[0].dryRun",
        &with_route(&json!({"paths": ["/"], "access": "PUBLIC", "dryRun": true})),
    );
    for name in ["host", "Cookie"] {
        refused_at(
            "jwtRules[0].fromHeaders[0].name",
            &with_rule("fromHeaders", json!([{"name": name}])),
        );
    }
    for header in ["cookie", "X_Original_URL", "trailer"] {
        refused_at(
            "jwtRules[0].outputPayloadToHeader",
            &with_rule("outputPayloadToHeader", json!(header)),
        );
    }
    for origin in ["https://app.test:443", "http://app.test:80", "https://App.test"] {
        let responses = json!({"corsOrigins": [origin]});
        refused_at("responses.corsOrigins[0]", &with_field("responses", &responses));
    }
}

#[test]
fn claims_for_logs_are_checked() {
    let with = |names: Value| with_field("logClaims", &names);
    assert!(errors(&with(json!(["tenant", "[org][id]", "https://x.test/roles"]))).is_empty());
    refused_at("logClaims", &with(json!([])));
    refused_at("logClaims", &with(json!(["a", "b", "c", "d", "e", "f", "g", "h", "i"])));
    refused_at("logClaims", &with(json!("tenant")));
    refused_at("logClaims", &json!({"routes": [], "logClaims": ["tenant"]}));
    for (names, place) in [
        (json!(["a", ""]), "logClaims[1]"),
        (json!(["a", "[b"]), "logClaims[1]"),
        (json!(["a", "b", "a"]), "logClaims[2]"),
        // Both would be `jwt_rbac_claim.cognito_groups` in access logs.
        (json!(["cognito:groups", "cognito_groups"]), "logClaims[1]"),
    ] {
        refused_at(place, &with(names));
    }
}

#[test]
fn a_fence_is_checked_and_its_value_is_never_shown() {
    const SHORT: &str = "3f9c01d7a2b4e68";
    const VALUE: &str = "3f9c01d7a2b4e688";
    let fenced = |fence: Value| {
        let mut rule = rule();
        rule["outputPayloadToHeader"] = json!("x-payload");
        json!({"jwtRules": [rule], "routes": [], "fence": fence})
    };
    let document = fenced(json!({"header": "X-Jwt-RBAC", "value": VALUE}));
    let (document, _) = compile_value(&document).map_err(|found| found.errors).unwrap();
    let fence = document.fence.unwrap();
    assert_eq!((fence.header.as_str(), fence.value.as_str()), ("x-jwt-rbac", VALUE));
    for name in ["x-jwt-rbac", "x-payload"] {
        assert!(document.removed_headers.contains(name.as_bytes()), "{name}");
    }

    for (place, fence) in [
        ("fence", json!(VALUE)),
        ("fence", json!([{"header": "x-a", "value": VALUE}])),
        ("fence", json!({"header": "x-a"})),
        ("fence.secret", json!({"header": "x-a", "value": VALUE, "secret": VALUE})),
        ("fence.value", json!({"header": "x-a", "value": SHORT})),
        ("fence.value", json!({"header": "x-a", "value": format!("{VALUE}*")})),
        ("fence.value", json!({"header": "x-a", "value": format!("{VALUE} ")})),
        ("fence.value", json!({"header": "x-a", "value": VALUE.repeat(17)})),
        ("fence.value", json!({"header": "x-a", "value": "REPLACE_WITH_A_SECRET"})),
        ("fence.header", json!({"header": "", "value": VALUE})),
        ("fence.header", json!({"header": ":path", "value": VALUE})),
        ("fence.header", json!({"header": "Host", "value": VALUE})),
        ("fence.header", json!({"header": "x-original-url", "value": VALUE})),
        ("fence.header", json!({"header": "X_Payload", "value": VALUE})),
        ("fence.header", json!({"header": "Authorization", "value": VALUE})),
    ] {
        let document = fenced(fence);
        refused_at(place, &document);
        let said = errors(&document).concat();
        assert!(!said.contains(SHORT), "{said}");
    }
    let number = fenced(json!({"header": "x-a", "value": 3_901_726_881_390_172_688_u64}));
    let said = errors(&number).concat();
    assert!(said.contains("fence.value: expected a string") && !said.contains("39017"), "{said}");
}
