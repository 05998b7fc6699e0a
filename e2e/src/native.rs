//! The native pair: the same document as Istio's resources would have it, `jwt_authn` from the
//! JWT rules and `rbac` from the table of routes, for the twin of every suite.
//!
//! The translation of the rules is istiod's own (`pilot/pkg/security/authn/policy_applier.go`),
//! with its defaults: sixty seconds of clock skew, `exp` optional, no cache. What the pair can't
//! express is an error, so that a case has to say that it has no twin.

pub mod fence;

mod path;
mod policies;
mod rbac;
mod requirement;

use serde_json::{Value, json};

use crate::artifacts;
use crate::client::Request;
use crate::filters::http;

/// The filters for a document, in their order; an error names what the pair can't express.
///
/// # Errors
///
/// The reason, for `native: {none: …}` of a case.
pub fn filters(document: &Value) -> Result<Vec<Value>, String> {
    only_known(document, "the document", DOCUMENT_FIELDS)?;
    for (field, default) in DEFAULTS {
        if document.get(field).is_some_and(|value| value != default) {
            return Err(format!("the pair can't express {field}: {}", document[field]));
        }
    }
    let rules: Vec<Value> = list(document, "jwtRules").iter().flat_map(for_each_tenant).collect();
    let mut filters = Vec::new();
    if !rules.is_empty() {
        filters.push(jwt_authn(&rules)?);
    }
    let domains = strings(document, "trustDomains");
    filters.extend(policies::filters(&list(document, "authorizationPolicies"), &domains)?);
    if document.get("routes").is_some() {
        filters.push(rbac::filter(&list(document, "routes"), &rules)?);
    }
    Ok(filters)
}

/// Whether the pair may answer otherwise than Istio means, because the request repeats a header: before Envoy
/// 1.37.1 its RBAC joined the lines before it compared them (CVE-2026-26308).
pub fn misreads(request: &Request) -> bool {
    let names = || request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    let is_repeated = |name: &String| names().filter(|other| other == name).count() > 1;
    artifacts::envoy_version() < [1, 37, 1] && names().any(|name| is_repeated(&name))
}

/// Fields that the pair has, those that do not change an answer, and `revoked`, which is left out
/// for the pair.
const DOCUMENT_FIELDS: &[&str] = &[
    "jwtRules",
    "routes",
    "authorizationPolicies",
    "trustDomains",
    "unmatchedRoutes",
    "ambiguousPaths",
    "corsPreflight",
    "decisionLog",
    "logClaims",
    "tokenCache",
    "maxTokenSize",
    "revoked",
];

const DEFAULTS: [(&str, &str); 2] = [("unmatchedRoutes", "DENY"), ("corsPreflight", "AUTHORIZE")];

/// The algorithms of the pair that need no secret.
const ASYMMETRIC: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

const RULE_FIELDS: &[&str] = &[
    "issuer",
    "name",
    "audiences",
    "anyAudience",
    "jwks",
    "fromHeaders",
    "fromParams",
    "fromCookies",
    "presence",
    "forwardOriginalToken",
    "outputPayloadToHeader",
    "outputClaimToHeaders",
    "spaceDelimitedClaims",
    "algorithms",
    "paddedTokens",
    "requireExpiration",
    "permissionClaims",
    "roleClaims",
    "rolePermissions",
];

/// The pair has no tenants: a provider for each.
fn for_each_tenant(rule: &Value) -> Vec<Value> {
    if rule.get("tenants").is_none() {
        return vec![rule.clone()];
    }
    let issuer = rule["issuer"].as_str().unwrap_or_default();
    let of = |tenant: &String| {
        let mut rule = rule.clone();
        rule["issuer"] = issuer.replace("{tenant}", tenant).into();
        rule.as_object_mut().map(|rule| rule.remove("tenants"));
        rule
    };
    strings(rule, "tenants").iter().map(of).collect()
}

fn jwt_authn(rules: &[Value]) -> Result<Value, String> {
    let mut sorted: Vec<&Value> = rules.iter().collect();
    sorted.sort_by_key(|rule| rule["issuer"].as_str().unwrap_or_default());
    let mut providers = json!({});
    let mut names = Vec::new();
    for (index, rule) in sorted.into_iter().enumerate() {
        let name = format!("origins-{index}");
        providers[&name] = provider(rule)?;
        names.push((name, rule["presence"] == "REQUIRED"));
    }
    let config = json!({
        "providers": providers,
        "rules": [{"match": {"prefix": "/"}, "requires": requires(&names)}],
        "bypass_cors_preflight": true,
    });
    let message = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    Ok(http("envoy.filters.http.jwt_authn", message, &config))
}

/// The token of any of these providers, or no token; with each the tokens of all that require one.
fn requires(names: &[(String, bool)]) -> Value {
    let provider = |(name, _): &(String, bool)| json!({"provider_name": name});
    let each = |named: &(String, bool)| match named {
        (_, true) => provider(named),
        (_, false) => {
            json!({"requires_any": {"requirements": [provider(named), {"allow_missing": {}}]}})
        }
    };
    if let [named] = names {
        return each(named);
    }
    let every: Vec<Value> = names.iter().map(each).collect();
    let all = json!({"requires_all": {"requirements": every}});
    if names.iter().any(|(_, is_required)| *is_required) {
        return all;
    }
    let mut requirements: Vec<Value> = names.iter().map(provider).collect();
    requirements.push(all);
    json!({"requires_any": {"requirements": requirements}})
}

fn provider(rule: &Value) -> Result<Value, String> {
    only_known(rule, "a JWT rule", RULE_FIELDS)?;
    // The pair takes every algorithm that its keys can check, secrets and PS* without being asked to.
    let algorithms = strings(rule, "algorithms");
    let has_all = ASYMMETRIC.iter().all(|name| algorithms.iter().any(|listed| listed == name));
    if !has_all && !algorithms.iter().all(|name| name.starts_with("HS")) {
        return Err("the pair can't express algorithms of a JWT rule".to_owned());
    }
    let jwks = match &rule["jwks"] {
        Value::String(text) => text.clone(),
        object => object.to_string(),
    };
    let set: Value = serde_json::from_str(&jwks).map_err(|error| error.to_string())?;
    let numbers = list(&set, "keys")
        .into_iter()
        .flat_map(|key| ["n", "e", "x", "y"].map(|it| key[it].clone()));
    if numbers
        .filter_map(|number| Some(number.as_str()?.contains(['+', '/'])))
        .any(|is_standard| is_standard)
    {
        return Err("the pair refuses a key set with a number in standard base64".to_owned());
    }
    let mut delimited = strings(rule, "spaceDelimitedClaims");
    // A permission claim may be a string of words; Istio says so claim by claim.
    delimited.extend(permission_claims(rule));
    delimited.extend(["permission".to_owned(), "scope".to_owned()]);
    delimited.sort();
    delimited.dedup();
    let mut provider = json!({
        "local_jwks": {"inline_string": jwks},
        "audiences": strings(rule, "audiences"),
        "forward": rule["forwardOriginalToken"].as_bool().unwrap_or(false),
        "payload_in_metadata": requirement::PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": delimited},
        "from_params": strings(rule, "fromParams"),
        "from_cookies": strings(rule, "fromCookies"),
    });
    for (field, native) in
        [("issuer", "issuer"), ("outputPayloadToHeader", "forward_payload_header")]
    {
        if let Some(value) = rule.get(field) {
            provider[native] = value.clone();
        }
    }
    let headers = list(rule, "fromHeaders");
    provider["from_headers"] = headers
        .iter()
        .map(|header| json!({"name": header["name"], "value_prefix": header["prefix"].as_str().unwrap_or("")}))
        .collect();
    let mut outputs = Vec::new();
    for output in list(rule, "outputClaimToHeaders") {
        only_known(&output, "an output header", &["header", "claim"])?;
        outputs.push(json!({"header_name": output["header"], "claim_name": output["claim"]}));
    }
    provider["claim_to_headers"] = outputs.into();
    Ok(provider)
}

fn permission_claims(rule: &Value) -> Vec<String> {
    match strings(rule, "permissionClaims") {
        claims if claims.is_empty() => vec!["permissions".to_owned()],
        claims => claims,
    }
}

fn only_known(value: &Value, place: &str, fields: &[&str]) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("{place} is not an object"))?;
    match object.keys().find(|key| !fields.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(format!("the pair can't express {key} of {place}")),
    }
}

fn list(value: &Value, field: &str) -> Vec<Value> {
    value[field].as_array().cloned().unwrap_or_default()
}

fn strings(value: &Value, field: &str) -> Vec<String> {
    list(value, field).iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}
