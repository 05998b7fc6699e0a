//! For each route a request, and claims of a caller whom it lets through. They are guessed from what the
//! route asks for, and then asked about: [`Example::outcome`] tells what the filter makes of them.

use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authn::issuers::Issuers;
use jwt_rbac::authz::template::{Part, Template};
use serde_json::{Map, Value};

use crate::ask::{Ask, Caller};
use crate::matrix::{encoded, plain_host};
use crate::policy::Policy;
use crate::{Outcome, outcome};

/// The subject of tokens whose document asks for no other.
const SUBJECT: &str = "joe";
/// What stands where anything will do: in a path, and in a claim.
const ANYTHING: &str = "1";

/// A request that fits a route.
#[derive(Clone, Debug)]
pub struct Example {
    /// The name of the route, or its place.
    pub route: String,
    /// The request, with the claims of its caller.
    pub ask: Ask,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// An example for each route, in their order; for a document without routes one alone.
#[must_use]
pub fn examples(policy: &Policy, now: u64) -> Vec<Example> {
    let Some(routes) = policy.config["routes"].as_array() else {
        let ask = Ask { method: "GET".to_owned(), target: "/".to_owned(), ..Ask::default() };
        return vec![with_caller(policy, "any", &ask, &Value::Null, now)];
    };
    let routes = routes.iter().enumerate().map(|(number, route)| {
        let name = route["name"].as_str();
        let name = name.map_or_else(|| format!("routes[{number}]"), str::to_owned);
        with_caller(policy, &name, &request(route), route, now)
    });
    routes.collect()
}

/// The first provider whose token the route takes decides what the claims are.
fn with_caller(policy: &Policy, name: &str, ask: &Ask, route: &Value, now: u64) -> Example {
    let asked = |caller| {
        let ask = ask.clone().by(caller);
        let outcome = outcome(policy, &ask, now);
        Example { route: name.to_owned(), ask, outcome }
    };
    let is_open = route["access"] == "PUBLIC" || route["access"] == "DENIED";
    let rules = policy.config["jwtRules"].as_array().map_or(&[][..], Vec::as_slice);
    let providers = rules.iter().zip(policy.document.authenticator.providers());
    let callers = providers
        .filter(|_| !is_open)
        .map(|(rule, provider)| Caller::Claims(claims(rule, &provider.issuers, route)));
    let mut examples = callers.map(asked);
    let Some(first) = examples.next() else { return asked(Caller::Anonymous) };
    if first.outcome.decision == "allow" {
        return first;
    }
    examples.find(|example| example.outcome.decision == "allow").unwrap_or(first)
}

fn request(route: &Value) -> Ask {
    let first = |field: &str| route[field][0].as_str();
    Ask {
        method: first("methods").unwrap_or("GET").to_owned(),
        target: target(first("paths").unwrap_or("/"), route),
        host: first("hosts").map(plain_host),
        ..Ask::default()
    }
}

fn target(path: &str, route: &Value) -> String {
    let Ok(template) = Template::parse(path) else { return path.to_owned() };
    let segments = template.parts.iter().map(|part| match part {
        Part::Literal(text) => encoded(text),
        Part::Variable(name) => encoded(&segment(route, name.as_deref())),
    });
    let rest = template.rest.then(|| ANYTHING.to_owned());
    let segments: Vec<_> = segments.chain(rest).collect();
    format!("/{}", segments.join("/"))
}

/// The segment at a variable: what a claim that is compared with it may be.
fn segment(route: &Value, variable: Option<&str>) -> String {
    let compared = |rule: &&Value| variable.is_some() && rule["pathVariable"].as_str() == variable;
    let value = entries(&route["claims"]).find(compared).map(|rule| &rule["values"][0]);
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => ANYTHING.to_owned(),
    }
}

/// Claims of this provider that have what the route asks for.
fn claims(rule: &Value, issuers: &Issuers, route: &Value) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut wanted = entries(&route["issuers"]).filter_map(Value::as_str);
    let issuer = match issuers.named().first() {
        None => wanted.next(),
        Some(first) => wanted.find(|it| issuers.find(it).is_some()).or(Some(first)),
    };
    if let Some(issuer) = issuer {
        claims.insert("iss".to_owned(), issuer.into());
    }
    claims.insert("sub".to_owned(), SUBJECT.into());
    claims.extend(required_claims(rule));
    for wanted in entries(&route["claims"]) {
        let value = wanted["values"].get(0).or_else(|| wanted.get("allValues")).cloned();
        set(&mut claims, &wanted["claim"], value.unwrap_or_else(|| ANYTHING.into()));
    }
    grant(&mut claims, rule, &permissions(&route["permissions"]));
    claims
}

/// Claims that have what a rule requires.
#[must_use]
pub fn required_claims(rule: &Value) -> Map<String, Value> {
    let mut claims = Map::new();
    for required in entries(&rule["requiredClaims"]) {
        let value = required["values"].get(0).cloned();
        set(&mut claims, &required["claim"], value.unwrap_or_else(|| ANYTHING.into()));
    }
    claims
}

/// All permissions that a route asks for, the first where one is enough.
fn permissions(asked: &Value) -> Vec<Value> {
    match asked {
        Value::Array(one) => one.clone(),
        asked => {
            let all = entries(&asked["allOf"]);
            all.chain(entries(&asked["anyOf"]).take(1)).cloned().collect()
        }
    }
}

/// Grants permissions: by one role that has them all, else by name.
fn grant(claims: &mut Map<String, Value>, rule: &Value, permissions: &[Value]) {
    if permissions.is_empty() {
        return;
    }
    let has_all = |granted: &Value| {
        permissions.iter().all(|wanted| entries(granted).any(|granted| granted == wanted))
    };
    let granted_by_role = rule["rolePermissions"].as_object().into_iter().flatten();
    let mut sufficient = granted_by_role.filter(|(_, granted)| has_all(granted));
    if let (Some((name, _)), Some(claim)) = (sufficient.next(), rule["roleClaims"].get(0)) {
        return set(claims, claim, Value::from(vec![name.as_str()]));
    }
    let default = Value::from("permissions");
    let claim = rule["permissionClaims"].get(0).unwrap_or(&default);
    set(claims, claim, permissions.into());
}

fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Sets a claim, with the objects around it. One that another rule has set already stays.
fn set(claims: &mut Map<String, Value>, claim: &Value, value: Value) {
    let Some(path) = claim.as_str().and_then(|text| ClaimPath::parse(text).ok()) else { return };
    let Some((last, objects)) = path.names().split_last() else { return };
    let mut claims = claims;
    for name in objects {
        let inner = claims.entry(name).or_insert_with(|| Map::new().into());
        let Some(inner) = inner.as_object_mut() else { return };
        claims = inner;
    }
    claims.entry(last).or_insert(value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::Signatures;

    #[test]
    fn each_route_lets_its_example_through() {
        let config = json!({
            "jwtRules": [
                {
                    "issuer": "https://a.test",
                    "audiences": ["b"],
                    "jwks": jwt_rbac_config::PLACEHOLDER,
                    "requiredClaims": [{"claim": "token_use", "values": ["access"]}, {"claim": "azp"}],
                    "roleClaims": ["[realm_access][roles]"],
                    "rolePermissions": {"clerk": ["read"], "chief": ["read", "write"]},
                },
                {
                    "issuer": "https://c.test",
                    "anyAudience": true,
                    "jwks": jwt_rbac_config::PLACEHOLDER,
                    "permissionClaims": ["[a][b]"],
                    "maxLifetime": "1m",
                },
                {
                    "issuer": "https://d.test/{tenant}/",
                    "tenants": ["x", "y"],
                    "anyAudience": true,
                    "jwks": jwt_rbac_config::PLACEHOLDER,
                },
            ],
            "routes": [
                {"paths": ["/roles"], "permissions": {"allOf": ["read", "write"]}},
                {"paths": ["/any"], "permissions": {"anyOf": ["delete", "write"]}},
                {"paths": ["/public/{**}"], "access": "PUBLIC"},
                {"paths": ["/issuer"], "issuers": ["https://c.test"], "permissions": ["a"]},
                {"paths": ["/tenant"], "issuers": ["https://d.test/y/"]},
                {"paths": ["/tenants"], "issuers": ["https://d.test/{tenant}/"]},
                {
                    "paths": ["/t/{tenant}/{*}/x"],
                    "methods": ["POST"],
                    "claims": [{"claim": "tenant", "pathVariable": "tenant"}],
                },
                {
                    "paths": ["/v/{id}"],
                    "claims": [
                        {"claim": "[org][id]", "values": [7], "pathVariable": "id"},
                        {"claim": "groups", "allValues": ["x", "y"]},
                        {"claim": "state", "notValues": ["suspended"]},
                    ],
                },
            ],
        });
        let policy = Policy::compile(config, Signatures::Assumed, None).unwrap();
        for example in examples(&policy, 1_800_000_000) {
            assert_eq!(example.outcome.decision, "allow", "{example:?}");
            assert_eq!(example.outcome.rule.as_deref(), Some(&*example.route));
        }
    }

    #[test]
    fn an_example_has_every_token_that_is_required() {
        let rule = |issuer: &str, header: &str| {
            json!({
                "issuer": issuer,
                "audiences": ["b"],
                "jwks": jwt_rbac_config::PLACEHOLDER,
                "fromHeaders": [{"name": header}],
                "requiredClaims": [{"claim": "token_use", "values": [header]}],
                "presence": "REQUIRED",
            })
        };
        let config = json!({
            "jwtRules": [rule("https://z.test", "x-one"), rule("https://a.test", "x-two")],
            "routes": [{"name": "a", "paths": ["/a"], "permissions": ["read"]}],
        });
        let policy = Policy::compile(config, Signatures::Assumed, None).unwrap();
        let example = &examples(&policy, 1_800_000_000)[0];
        assert_eq!(example.outcome.decision, "allow", "{example:?}");
        let report = crate::explain(&policy, &example.ask, 1_800_000_000);
        let text = format!("{report:?}");
        assert!(text.contains("the token of `joe` in the header `x-one`"), "{text}");
        assert!(text.contains("grants `read`"), "{text}");
        let anonymous = example.ask.clone().by(Caller::Anonymous);
        let report = crate::explain(&policy, &anonymous, 1_800_000_000);
        assert_eq!(report.reason, Some("token_missing"));
    }

    #[test]
    fn what_nobody_may_do_is_told() {
        let config = json!({"routes": [{"name": "off", "paths": ["/"], "access": "DENIED"}]});
        let policy = Policy::compile(config, Signatures::Assumed, None).unwrap();
        assert_eq!(examples(&policy, 1_800_000_000)[0].outcome.decision, "deny");
        let rule = json!({"anyAudience": true, "jwks": jwt_rbac_config::PLACEHOLDER});
        let config = json!({"jwtRules": [rule]});
        let policy = Policy::compile(config, Signatures::Assumed, None).unwrap();
        assert_eq!(examples(&policy, 1_800_000_000)[0].outcome.decision, "allow");
    }
}
