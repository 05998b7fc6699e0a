//! `authorizationPolicies` as RBAC filters, as istiod translates them (`pilot/pkg/security/authz`): AUDIT,
//! DENY and ALLOW, each with its policies in force and those in dry run.

use serde_json::{Value, json};

use super::requirement::PAYLOAD;
use super::{list, only_known, strings};
use crate::filters::http;

const POLICY_FIELDS: &[&str] = &["name", "namespace", "action", "rules", "dryRun"];

/// The filters, in their order.
pub(super) fn filters(policies: &[Value], trust_domains: &[String]) -> Result<Vec<Value>, String> {
    let mut filters = Vec::new();
    for (action, native) in [("AUDIT", "LOG"), ("DENY", "DENY"), ("ALLOW", "ALLOW")] {
        let mut config = json!({});
        for policy in policies {
            only_known(policy, "a policy", POLICY_FIELDS)?;
            if policy["action"].as_str().unwrap_or("ALLOW") != action {
                continue;
            }
            let kind = if policy["dryRun"] == true { "shadow_rules" } else { "rules" };
            config[kind]["action"] = json!(native);
            let name = &policy["name"].as_str().unwrap_or_default();
            let namespace = policy["namespace"].as_str().unwrap_or("default");
            let rules = list(policy, "rules");
            if rules.is_empty() {
                let never = json!({"not_id": {"any": true}});
                config[kind]["policies"][format!("ns[{namespace}]-policy[{name}]-rule[0]")] =
                    json!({"permissions": [{"not_rule": {"any": true}}], "principals": [never]});
            }
            for (number, rule) in rules.iter().enumerate() {
                let name = format!("ns[{namespace}]-policy[{name}]-rule[{number}]");
                config[kind]["policies"][name] = translate(rule, namespace, trust_domains)?;
            }
        }
        if config.get("rules").is_some() || config.get("shadow_rules").is_some() {
            let message = "envoy.extensions.filters.http.rbac.v3.RBAC";
            filters.push(http("envoy.filters.http.rbac", message, &config));
        }
    }
    Ok(filters)
}

fn translate(rule: &Value, namespace: &str, trust_domains: &[String]) -> Result<Value, String> {
    let context = Context { namespace, trust_domains };
    let (mut permissions, mut principals) = (Vec::new(), Vec::new());
    for to in list(rule, "to") {
        permissions.push(context.all(&to["operation"], |name| {
            Some(match name {
                "hosts" | "notHosts" => "host",
                "ports" | "notPorts" => "destination.port",
                "methods" | "notMethods" => "method",
                "paths" | "notPaths" => "path",
                _ => return None,
            })
        })?);
    }
    for from in list(rule, "from") {
        principals.push(context.all(&from["source"], |name| {
            Some(match name {
                "principals" | "notPrincipals" => "source.principal",
                "namespaces" | "notNamespaces" => "source.namespace",
                "serviceAccounts" | "notServiceAccounts" => "source.serviceAccount",
                "trustDomains" | "notTrustDomains" => "source.trustDomain",
                "requestPrincipals" | "notRequestPrincipals" => "request.auth.principal",
                "remoteIpBlocks" | "notRemoteIpBlocks" => "remote.ip",
                _ => return None,
            })
        })?);
    }
    let (mut of_permission, mut of_principal) = (Vec::new(), Vec::new());
    for when in list(rule, "when") {
        only_known(&when, "an entry of when", &["key", "values", "notValues"])?;
        let key = when["key"].as_str().unwrap_or_default();
        let is_permission = key.starts_with("destination.") || key == "connection.sni";
        let all = if is_permission { &mut of_permission } else { &mut of_principal };
        for (field, negated) in [("values", false), ("notValues", true)] {
            if when.get(field).is_some() {
                let values = strings(&when, field);
                if values.len() != list(&when, field).len() {
                    return Err(format!("the pair compares no numbers and booleans in {key}"));
                }
                all.push(context.any(key, &values, negated)?);
            }
        }
    }
    Ok(json!({
        "permissions": join(permissions, &of_permission, "rules"),
        "principals": join(principals, &of_principal, "ids"),
    }))
}

/// Alternatives, of which each must hold together with all the others.
fn join(alternatives: Vec<Vec<Value>>, all: &[Value], kind: &str) -> Vec<Value> {
    let alternatives = if alternatives.is_empty() { vec![Vec::new()] } else { alternatives };
    let join = |mut conditions: Vec<Value>| {
        conditions.extend(all.iter().cloned());
        if conditions.is_empty() {
            return json!({"any": true});
        }
        json!({format!("and_{kind}"): {kind: conditions}})
    };
    alternatives.into_iter().map(join).collect()
}

struct Context<'c> {
    namespace: &'c str,
    trust_domains: &'c [String],
}

impl Context<'_> {
    /// The conditions of a source or an operation.
    fn all(
        &self,
        fields: &Value,
        attribute: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<Vec<Value>, String> {
        let mut conditions = Vec::new();
        for (name, _) in fields.as_object().into_iter().flatten() {
            let attribute =
                attribute(name).ok_or_else(|| format!("the pair can't express {name}"))?;
            conditions.push(self.any(
                attribute,
                &strings(fields, name),
                name.starts_with("not"),
            )?);
        }
        Ok(conditions)
    }

    /// One of the values of an attribute, or none of them.
    fn any(&self, attribute: &str, values: &[String], negated: bool) -> Result<Value, String> {
        let is_permission = matches!(attribute, "host" | "method" | "path" | "connection.sni")
            || attribute.starts_with("destination.");
        let mut ways = Vec::new();
        for value in values {
            if attribute == "source.principal" {
                ways.extend(self.principals(value).iter().map(|it| peer(&string(it, "spiffe://"))));
            } else {
                ways.push(self.condition(attribute, value)?);
            }
        }
        let (or, list, not) = if is_permission {
            ("or_rules", "rules", "not_rule")
        } else {
            ("or_ids", "ids", "not_id")
        };
        let any = json!({or: {list: ways}});
        Ok(if negated { json!({not: any}) } else { any })
    }

    fn condition(&self, attribute: &str, value: &str) -> Result<Value, String> {
        let claim = |name: &str| claim(&[name], &string(value, ""));
        Ok(match attribute {
            "host" => header(":authority", value, true),
            "method" => header(":method", value, false),
            "path" => match template(value) {
                Some(template) => json!({"uri_template": {
                    "name": "uri-template",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                        "path_template": template,
                    },
                }}),
                None => json!({"url_path": {"path": string(value, "")}}),
            },
            "connection.sni" => json!({"requested_server_name": string(value, "")}),
            "destination.port" => {
                json!({"destination_port": value.parse::<u16>().map_err(|it| it.to_string())?})
            }
            "destination.ip" => json!({"destination_ip": block(value)}),
            "remote.ip" => json!({"remote_ip": block(value)}),
            "source.namespace" => {
                let namespace = escape(value).replace("\\*", ".*");
                peer(&regex(&format!(".*/ns/{namespace}/.*")))
            }
            "source.serviceAccount" => {
                let (namespace, name) = value.split_once('/').unwrap_or((self.namespace, value));
                let (namespace, name) = (escape(namespace), escape(name));
                peer(&regex(&format!("spiffe://.+/ns/{namespace}/(.+/|)sa/{name}(/.+)?")))
            }
            "source.trustDomain" => peer(&match value {
                "*" => json!({"prefix": "spiffe://"}),
                _ if value.contains('*') => {
                    let domain = escape(value).replace("\\*", "[^/]*");
                    regex(&format!("spiffe://{domain}/.*"))
                }
                _ => json!({"prefix": format!("spiffe://{value}/")}),
            }),
            "request.auth.principal" => request_principal(value),
            "request.auth.audiences" => claim("aud"),
            "request.auth.presenter" => claim("azp"),
            _ => {
                if let Some(name) = attribute.strip_prefix("request.headers[") {
                    return Ok(header(name.trim_end_matches(']'), value, false));
                }
                let walk = attribute.strip_prefix("request.auth.claims[");
                let walk = walk.and_then(|walk| walk.strip_suffix(']'));
                let walk = walk.ok_or_else(|| format!("the pair can't express {attribute}"))?;
                self::claim(&walk.split("][").collect::<Vec<_>>(), &string(value, ""))
            }
        })
    }

    /// The principal in each trust domain of the mesh.
    fn principals(&self, value: &str) -> Vec<String> {
        match value.split_once('/') {
            Some((domain, rest))
                if rest.split('/').count() == 4
                    && (domain == "cluster.local"
                        || self.trust_domains.iter().any(|it| it == domain)) =>
            {
                self.trust_domains.iter().map(|it| format!("{it}/{rest}")).collect()
            }
            _ => vec![value.to_owned()],
        }
    }
}

fn peer(pattern: &Value) -> Value {
    json!({"authenticated": {"principal_name": pattern}})
}

fn request_principal(value: &str) -> Value {
    let exact = |text: &str| json!({"exact": text});
    let any = || regex(".+");
    let (issuer, subject) = match value.rsplit_once('/') {
        _ if value == "*" => (any(), any()),
        Some((issuer, subject)) if issuer.starts_with('*') => (string(issuer, ""), exact(subject)),
        Some((issuer, subject)) if subject.ends_with('*') => (exact(issuer), string(subject, "")),
        Some((issuer, subject)) => (exact(issuer), exact(subject)),
        None if value.starts_with('*') => (any(), string(value, "")),
        None if value.ends_with('*') => (string(value, ""), any()),
        None => (exact(value), exact("")),
    };
    let is = |claim: &str, pattern| metadata(&[claim], &json!({"string_match": pattern}));
    json!({"and_ids": {"ids": [is("iss", issuer), is("sub", subject)]}})
}

fn claim(walk: &[&str], pattern: &Value) -> Value {
    let text = json!({"string_match": pattern});
    metadata(
        walk,
        &json!({"or_match": {"value_matchers": [{"list_match": {"one_of": text}}, text]}}),
    )
}

fn metadata(walk: &[&str], value: &Value) -> Value {
    let path: Vec<_> = [PAYLOAD].iter().chain(walk).map(|key| json!({"key": key})).collect();
    json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": value}})
}

fn header(name: &str, value: &str, ignores_case: bool) -> Value {
    if value == "*" {
        return json!({"header": {"name": name, "present_match": true}});
    }
    let mut pattern = string(value, "");
    if ignores_case {
        pattern["ignore_case"] = json!(true);
    }
    json!({"header": {"name": name, "string_match": pattern}})
}

fn string(value: &str, prefix: &str) -> Value {
    if value == "*" {
        return regex(".+");
    }
    if let Some(suffix) = value.strip_prefix('*') {
        return match prefix {
            "" => json!({"suffix": suffix}),
            _ => regex(&format!("{prefix}.*{}", escape(suffix))),
        };
    }
    match value.strip_suffix('*') {
        Some(start) => json!({"prefix": format!("{prefix}{start}")}),
        None => json!({"exact": format!("{prefix}{value}")}),
    }
}

fn regex(regex: &str) -> Value {
    json!({"safe_regex": {"regex": regex}})
}

/// Go's `regexp.QuoteMeta`.
fn escape(text: &str) -> String {
    let special = |char| "\\.+*?()|[]{}^$".contains(char);
    text.chars().flat_map(|char| special(char).then_some('\\').into_iter().chain([char])).collect()
}

fn template(value: &str) -> Option<String> {
    let is_template = value.contains("{*}") || value.contains("{**}");
    is_template.then(|| value.replace("{*}", "*").replace("{**}", "**"))
}

fn block(value: &str) -> Value {
    let bits = if value.contains(':') { 128 } else { 32 };
    let (address, length) = value.split_once('/').unwrap_or((value, ""));
    json!({"address_prefix": address, "prefix_len": length.parse().unwrap_or(bits)})
}
