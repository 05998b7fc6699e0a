//! A token made of claims alone, for policies that take every signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_rbac::authn::issuers::Issuers;
use jwt_rbac::authn::provider::{Presence, Provider};
use serde_json::{Map, Value, json};

use crate::example;
use crate::policy::Policy;

/// The length of an Ed25519 signature, the only one that is checked before the key is asked.
const SIGNATURE: [u8; 64] = [0; 64];
/// How long a token lives whose claims do not say, in seconds.
const LIFETIME: u64 = 300;

/// Claims as somebody wrote them, made into those of a token at `now`: `iss`, `aud` and `exp` that the
/// policy asks for are added, a claim that is `null` is left out, and times may be written `now`,
/// `now+60` or `now-60`.
#[must_use]
pub fn complete(policy: &Policy, claims: &Map<String, Value>, now: u64) -> Map<String, Value> {
    let mut complete = claims.clone();
    let rule = rule(policy, claims);
    let provider = provider(policy, claims.get("iss").and_then(Value::as_str)).map(|(_, it)| it);
    let issuer = provider.and_then(|it| it.issuers.named().first());
    let issuer = issuer.map(|issuer| Value::from(&**issuer));
    let audience = rule.get("audiences").and_then(|list| list.get(0)).cloned();
    let longest = provider.and_then(|provider| provider.max_lifetime);
    let lifetime = longest.map_or(LIFETIME, |longest| longest.min(LIFETIME));
    let added = [
        ("iss", issuer),
        ("aud", audience),
        ("exp", Some(Value::from(now.saturating_add(lifetime)))),
        ("iat", Some(Value::from(now))),
    ];
    for (name, value) in added {
        if let Some(value) = value {
            complete.entry(name).or_insert(value);
        }
    }
    complete.retain(|_, value| !value.is_null());
    for name in ["exp", "iat", "nbf"] {
        if let Some(value) = complete.get_mut(name)
            && let Some(time) = value.as_str().and_then(|text| time(text, now))
        {
            *value = time.into();
        }
    }
    complete
}

/// A token of these claims whose signature is nobody's.
#[must_use]
pub fn unsigned(policy: &Policy, claims: &Map<String, Value>, now: u64) -> String {
    let claims = complete(policy, claims, now);
    let provider = provider(policy, claims.get("iss").and_then(Value::as_str));
    let (key_id, algorithm) = provider
        .and_then(|(_, provider)| provider.keys.inline()?.names().next())
        .map_or((None, "RS256"), |(id, algorithm)| (id, algorithm.name()));
    let token_type = rule(policy, &claims)["tokenTypes"][0].as_str().unwrap_or("JWT").to_owned();
    let mut header = json!({"alg": algorithm, "typ": token_type});
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(SIGNATURE);
    format!("{}.{}.{signature}", part(&header), part(&Value::Object(claims)))
}

/// What a token says, verified or not; nothing where it can't be read.
#[must_use]
pub fn payload(token: &str) -> Map<String, Value> {
    let part = token.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// The header or the parameter of a request that has this token where its issuer's are looked for.
#[must_use]
pub fn place(policy: &Policy, claims: &Map<String, Value>, token: &str) -> Placed {
    let rule = rule(policy, claims);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(header) = rule["fromHeaders"].get(0) {
        let name = text(&header["name"]).unwrap_or_default();
        let mut prefix = text(&header["prefix"]).unwrap_or_default();
        // Letters alone are a scheme, which a space follows.
        if !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            prefix.push(' ');
        }
        return Placed::Header(name, format!("{prefix}{token}"));
    }
    if let Some(name) = text(&rule["fromParams"][0]) {
        return Placed::Parameter(format!("{name}={token}"));
    }
    if let Some(name) = text(&rule["fromCookies"][0]) {
        return Placed::Header("cookie".to_owned(), format!("{name}={token}"));
    }
    Placed::Header("authorization".to_owned(), format!("Bearer {token}"))
}

/// Where a token stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// A header line.
    Header(String, String),
    /// A parameter of the query.
    Parameter(String),
}

/// The entry of `jwtRules` that is for these claims: that of their issuer, else the first.
#[must_use]
pub fn rule<'p>(policy: &'p Policy, claims: &Map<String, Value>) -> &'p Value {
    let found = provider(policy, claims.get("iss").and_then(Value::as_str));
    found.map_or(&Value::Null, |(number, _)| &policy.config["jwtRules"][number])
}

/// The provider of an issuer, with its number: the one that names it, else one for any, else the one whose
/// claims count.
fn provider<'p>(policy: &'p Policy, issuer: Option<&str>) -> Option<(usize, &'p Provider)> {
    let providers = || policy.document.authenticator.providers().iter().enumerate();
    let main = || required(policy).last().or_else(|| providers().next());
    let Some(issuer) = issuer else { return main() };
    let named = providers().find(|(_, it)| it.issuers.find(issuer).is_some());
    let any = || providers().find(|(_, it)| it.issuers == Issuers::Any);
    named.or_else(any).or_else(main)
}

/// The providers that require a token of their own, with their numbers.
fn required(policy: &Policy) -> impl Iterator<Item = (usize, &Provider)> {
    let providers = policy.document.authenticator.providers().iter().enumerate();
    providers.filter(|(_, provider)| provider.presence == Presence::Required)
}

/// The claims of the tokens that a policy requires beside one with these claims: each has what its rule asks
/// for, and is for the same subject.
#[must_use]
pub fn beside(policy: &Policy, claims: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let own = provider(policy, claims.get("iss").and_then(Value::as_str)).map(|(own, _)| own);
    let others = required(policy).filter(|(number, _)| Some(*number) != own);
    let claims = others.map(|(number, provider)| {
        let mut beside = example::required_claims(&policy.config["jwtRules"][number]);
        let issuer = provider.issuers.named().first();
        beside.extend(issuer.map(|issuer| ("iss".to_owned(), Value::from(&**issuer))));
        beside.extend(claims.get("sub").map(|subject| ("sub".to_owned(), subject.clone())));
        beside
    });
    claims.collect()
}

/// `now`, `now+60`, `now-60`, in seconds since 1970.
fn time(text: &str, now: u64) -> Option<u64> {
    let rest = text.strip_prefix("now")?;
    match rest.split_at_checked(1) {
        None => Some(now),
        Some(("+", seconds)) => Some(now.saturating_add(seconds.parse().ok()?)),
        Some(("-", seconds)) => Some(now.saturating_sub(seconds.parse().ok()?)),
        Some(_) => None,
    }
}
