//! What a document is free to say, and what is probably not meant by it.

use std::collections::BTreeSet;

use jwt_rbac::document::Document;
use jwt_rbac_config::place::Place;
use serde_json::Value as Json;

use super::{Context, Finding, Severity, hidden, looser, open_policies, route_paths, unreachable};
use crate::nearest::nearest;
use crate::source::{Node, Value, scalar};

/// The largest integer that every double can hold: Istio sends numbers to the filter as doubles.
const MAX_EXACT: i128 = 1 << 53;

/// All warnings about a `pluginConfig`; `document` is what it compiles to, if it does.
pub(super) fn all(
    context: &Context<'_>,
    config: &Node,
    json: &Json,
    document: Option<&Document>,
) -> Vec<Finding> {
    let mut lints = Lints { context, config, findings: Vec::new() };
    lints.values(config, &Place::root());
    lints.anonymous(json);
    lints.permissions(json);
    lints.key_ids(json);
    lints.key_uris(json);
    lints.claims(json);
    if let Some(table) = document.and_then(|document| document.routes.as_ref()) {
        let paths = route_paths::all(json);
        lints.findings.extend(looser::all(context, config, &paths, table));
        lints.findings.extend(hidden::all(context, config, &paths, table));
        lints.findings.extend(unreachable::all(context, config, &paths));
    }
    lints.findings
}

struct Lints<'l> {
    context: &'l Context<'l>,
    config: &'l Node,
    findings: Vec<Finding>,
}

impl Lints<'_> {
    fn warn(&mut self, rule: &'static str, place: &Place, message: String, help: &str) {
        let span = self.config.find(place).span(self.context.text);
        let finding = Finding::new(Severity::Warning, rule, place.to_string(), span, message);
        self.findings.push(finding.help(help));
    }

    /// Values that YAML, or Istio on the way to the filter, reads in another way than people do.
    fn values(&mut self, node: &Node, place: &Place) {
        let text = self.context.text.get(node.span.clone()).unwrap_or_default();
        match &node.value {
            Value::Bool(value) if scalar::surprising_bool(text).is_some() => {
                let message = format!("`{text}` without quotes is `{value}`");
                let help = format!("write \"{text}\" for the text, or {value}");
                self.warn("yaml-boolean", place, message, &help);
            }
            Value::Number(number) if number.as_i128().is_some_and(|it| it.abs() > MAX_EXACT) => {
                let message =
                    format!("`{text}` reaches the filter as another number: Istio sends doubles");
                self.warn("number-precision", place, message, "compare with a string claim");
            }
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.values(element, &place.index(index));
                }
            }
            Value::Object(members) => {
                for member in members {
                    self.values(&member.node, &place.field(&member.name));
                }
            }
            _ => {}
        }
    }

    /// Documents that ask for no token at all.
    fn anonymous(&mut self, json: &Json) {
        let routes = json["routes"].as_array();
        let open = match json["authorizationPolicies"].as_array() {
            None => None,
            Some(policies) => match open_policies::why(policies) {
                // Policies that ask for something stand in for routes.
                None => return,
                why => why,
            },
        };
        if json.get("jwtRules").is_some() && routes.is_none() {
            let (field, message, help) = match &open {
                None => (
                    "jwtRules",
                    "requests without a token pass: without `routes` the document only refuses bad tokens"
                        .to_owned(),
                    "add `routes`, with what each asks for",
                ),
                Some(why) => (
                    "authorizationPolicies",
                    format!("requests without a token pass: {why}"),
                    "add an ALLOW policy whose rules have `requestPrincipals: [\"*\"]`, or `routes`",
                ),
            };
            self.warn("anonymous-passes", &Place::root().field(field), message, help);
        }
        let is_public = |route: &Json| route["access"] == "PUBLIC";
        if routes.is_some_and(|it| !it.is_empty() && it.iter().all(is_public)) {
            let message = match open {
                None => "every route is public: no request needs a token".to_owned(),
                Some(why) => format!("every route is public, and {why}: no request needs a token"),
            };
            let help = "give a route `permissions` or `access: AUTHENTICATED`";
            self.warn("everything-public", &Place::root().field("routes"), message, help);
        }
    }

    /// Permissions that one side names and the other does not.
    fn permissions(&mut self, json: &Json) {
        let rules = json["jwtRules"].as_array().map_or(&[][..], Vec::as_slice);
        let routes = json["routes"].as_array().map_or(&[][..], Vec::as_slice);
        let asked: Vec<(Place, &str)> = asked(routes);
        let names: BTreeSet<&str> = asked.iter().map(|(_, name)| *name).collect();
        let granted: BTreeSet<&str> = rules.iter().flat_map(granted).collect();
        for (number, rule) in rules.iter().enumerate() {
            let place = Place::root().field("jwtRules").index(number).field("rolePermissions");
            for (role, permissions) in rule["rolePermissions"].as_object().into_iter().flatten() {
                let permissions = permissions.as_array().into_iter().flatten().enumerate();
                for (index, name) in permissions.filter_map(|(at, it)| Some((at, it.as_str()?))) {
                    if names.contains(name) {
                        continue;
                    }
                    // Workloads often share one list of roles, so only a probable slip is told.
                    let idle = names.iter().copied().filter(|asked| !granted.contains(asked));
                    let Some(near) = nearest(name, idle) else { continue };
                    let message = format!("no route asks for `{name}`");
                    let place = place.field(role).index(index);
                    let help = format!("did you mean `{near}`?");
                    self.warn("permission-not-asked", &place, message, &help);
                }
            }
        }
        // Where a claim is named that holds permissions, tokens can bring others than roles grant.
        let is_by_role = |rule: &Json| {
            rule.get("rolePermissions").is_some() && rule.get("permissionClaims").is_none()
        };
        if rules.is_empty() || !rules.iter().all(is_by_role) {
            return;
        }
        for (place, name) in asked {
            if granted.contains(name) {
                continue;
            }
            let message = format!("no role grants `{name}`: only a claim `permissions` could");
            let help = match nearest(name, granted.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "add it to a role of `rolePermissions`, or name the claim in \
                         `permissionClaims`"
                    .to_owned(),
            };
            self.warn("permission-not-granted", &place, message, &help);
        }
    }

    /// A key without `kid` among several: a token can't say that it means this one.
    fn key_ids(&mut self, json: &Json) {
        for (number, rule) in json["jwtRules"].as_array().into_iter().flatten().enumerate() {
            let set = match &rule["jwks"] {
                Json::String(text) => serde_json::from_str(text).unwrap_or_default(),
                set => set.clone(),
            };
            let Some(keys) = set["keys"].as_array().filter(|keys| keys.len() > 1) else { continue };
            let is_anonymous = |key: &Json| key["kid"].as_str().is_none_or(str::is_empty);
            let numbers = keys.iter().enumerate().filter(|(_, key)| is_anonymous(key));
            let numbers: Vec<_> = numbers.map(|(number, _)| number.to_string()).collect();
            if numbers.is_empty() {
                continue;
            }
            let place = Place::root().field("jwtRules").index(number).field("jwks");
            let message = format!(
                "found {} keys, and no `kid` on key {}: tokens that name one try each such key",
                keys.len(),
                numbers.join(", ")
            );
            self.warn("key-without-id", &place, message, "let the issuer publish `kid`s");
        }
    }

    /// Envoy knows how to reach hosts outside of the mesh by a `ServiceEntry` alone, if the mesh is closed.
    fn key_uris(&mut self, json: &Json) {
        for (number, rule) in json["jwtRules"].as_array().into_iter().flatten().enumerate() {
            let Some(uri) = rule["jwksUri"].as_str() else { continue };
            let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
            let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
            let is_local = host.ends_with(".svc.cluster.local") || !host.contains('.');
            let is_known = self.context.surroundings.service_hosts.iter().any(|known| {
                known == host || known.strip_prefix('*').is_some_and(|end| host.ends_with(end))
            });
            if is_local || is_known || rule.get("jwksCluster").is_some() {
                continue;
            }
            let place = Place::root().field("jwtRules").index(number).field("jwksUri");
            let message = format!("no ServiceEntry of these files has the host `{host}`");
            let help = "Envoy fetches keys from clusters that it knows: add a ServiceEntry, and name its \
                        file here too";
            self.warn("jwks-uri", &place, message, help);
        }
    }

    /// A claim that must be something that it must not be.
    fn claims(&mut self, json: &Json) {
        for (number, route) in json["routes"].as_array().into_iter().flatten().enumerate() {
            let rules = route["claims"].as_array().map_or(&[][..], Vec::as_slice);
            for rule in rules {
                let Some(values) = rule["values"].as_array() else { continue };
                let forbidden: Vec<_> = rules
                    .iter()
                    .filter(|other| other["claim"] == rule["claim"])
                    .filter_map(|other| other["notValues"].as_array())
                    .flatten()
                    .collect();
                if !values.is_empty() && values.iter().all(|value| forbidden.contains(&value)) {
                    let place = Place::root().field("routes").index(number).field("claims");
                    let message = format!(
                        "nobody can use this route: each of `values` of {} is in `notValues`",
                        rule["claim"]
                    );
                    let help = "close it with `access: DENIED`, or take one of both out";
                    self.warn("route-without-caller", &place, message, help);
                    break;
                }
            }
        }
    }
}

/// The permissions that the roles of a rule grant.
fn granted(rule: &Json) -> Vec<&str> {
    let roles = rule["rolePermissions"].as_object().into_iter().flatten();
    let permissions = roles.filter_map(|(_, permissions)| permissions.as_array()).flatten();
    permissions.filter_map(Json::as_str).map(str::trim).collect()
}

/// The permissions that routes ask for, and where.
fn asked(routes: &[Json]) -> Vec<(Place, &str)> {
    let mut asked = Vec::new();
    for (number, route) in routes.iter().enumerate() {
        let place = Place::root().field("routes").index(number).field("permissions");
        let permissions = &route["permissions"];
        let lists = [
            (place.clone(), permissions),
            (place.field("allOf"), &permissions["allOf"]),
            (place.field("anyOf"), &permissions["anyOf"]),
        ];
        for (place, list) in lists {
            let names = list.as_array().into_iter().flatten().enumerate();
            asked.extend(names.filter_map(|(at, it)| Some((place.index(at), it.as_str()?.trim()))));
        }
    }
    asked
}
