//! What Istio's documentation and source say of policies, written down once more as plainly as it goes:
//! each rule in turn, each pattern as the regular expression that Istio or Envoy makes of it. Sources:
//! `pilot/pkg/security/authz/matcher` and `model/generator.go` of Istio, `uri_template_lib` of Envoy.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use jwt_rbac_explain::ask::Ask;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

/// The trust domains of the mesh: a principal that names one means all.
const MESH: [&str; 2] = ["td", "old"];
/// What `{*}` and `{**}` of a path template take.
const FILLING: &str = r"[a-zA-Z0-9\-._~%!$&'()*+,;:@=]";

/// What policies say of a request.
#[derive(Debug)]
pub struct Expected<'p> {
    pub word: &'static str,
    pub reason: Option<&'static str>,
    pub policy: Option<&'p str>,
    pub audit: Option<&'p str>,
}

/// A request, and what its token says.
struct Subject<'a> {
    ask: &'a Ask,
    claims: Option<&'a Value>,
}

/// Asks AUDIT, DENY and ALLOW policies in turn, then those of a dry run.
pub fn decide<'p>(config: &'p Value, ask: &Ask, claims: Option<&Value>) -> Expected<'p> {
    let subject = Subject { ask, claims };
    let mut policies: Vec<&Value> = list(&config["authorizationPolicies"]).iter().collect();
    policies.sort_by_key(|policy| {
        format!("ns[{}]-policy[{}]", text(&policy["namespace"]), text(&policy["name"]))
    });
    let of = |action: &'static str, dry_run: bool| {
        let is_it =
            move |policy: &&Value| policy["action"] == action && policy["dryRun"] == dry_run;
        policies.iter().copied().filter(is_it)
    };
    let matches = |policy: &&Value| list(&policy["rules"]).iter().any(|it| subject.has(it));
    let name = |policy: &'p Value| text(&policy["name"]);
    let audits = policies.iter().copied().filter(|policy| policy["action"] == "AUDIT");
    let audit = audits.filter(|it| matches(it)).map(name).next();
    let denied = |word, reason, policy| Expected { word, reason: Some(reason), policy, audit };
    if let Some(policy) = of("DENY", false).find(matches) {
        return denied("deny", "policy_denied", Some(name(policy)));
    }
    let has_allow = of("ALLOW", false).next().is_some();
    if has_allow && !of("ALLOW", false).any(|it| matches(&it)) {
        let asks_token = of("ALLOW", false).any(|policy| {
            let text = policy["rules"].to_string();
            text.contains("equestPrincipals\"") || text.contains("\"request.auth.")
        });
        let is_missing = claims.is_none() && asks_token;
        let reason = if is_missing { "policy_identity_missing" } else { "policy_unmatched" };
        return denied("deny", reason, None);
    }
    if let Some(policy) = of("DENY", true).find(matches) {
        return denied("would_deny", "policy_denied", Some(name(policy)));
    }
    let first = of("ALLOW", true).next().filter(|_| !has_allow);
    if let Some(first) = first
        && !of("ALLOW", true).any(|it| matches(&it))
    {
        return denied("would_deny", "policy_unmatched", Some(name(first)));
    }
    Expected { word: "allow", reason: None, policy: None, audit }
}

impl Subject<'_> {
    /// Whether a rule matches: one of `from`, one of `to`, all of `when`.
    fn has(&self, rule: &Value) -> bool {
        let one_of = |parts: &Value, name: &str| {
            let fields = |part: &Value| {
                let fields = part[name].as_object().expect("an object");
                fields.iter().all(|(name, values)| self.field(name, values))
            };
            parts.is_null() || list(parts).iter().any(fields)
        };
        let all_of = |conditions: &Value| {
            conditions.is_null() || list(conditions).iter().all(|it| self.condition(it))
        };
        one_of(&rule["from"], "source") && one_of(&rule["to"], "operation") && all_of(&rule["when"])
    }

    fn field(&self, name: &str, values: &Value) -> bool {
        let (attribute, negated) = match name.strip_prefix("not") {
            Some(rest) => (rest.to_ascii_lowercase(), true),
            None => (name.to_ascii_lowercase(), false),
        };
        let is = |value: &str| match attribute.as_str() {
            "principals" => self.peer(&principal(value)),
            "namespaces" => self.peer(&namespace(value)),
            "trustdomains" => self.peer(&trust_domain(value)),
            "requestprincipals" => self.caller(value),
            "remoteipblocks" => self.ask.peer.remote_ip.is_some_and(|it| contains(value, it)),
            "paths" => self.path(value),
            "methods" => header(value, &self.ask.method),
            "hosts" => host(value, self.ask),
            "ports" => self.port(value),
            other => unreachable!("{other}"),
        };
        list(values).iter().any(|value| is(text(value))) != negated
    }

    fn condition(&self, condition: &Value) -> bool {
        let key = text(&condition["key"]);
        let claim = |path: &[&str], value: &str| self.claim(path, value);
        let is = |value: &str| match key {
            "request.headers[x-test]" | "request.headers[X-Test]" => {
                self.ask.headers.iter().any(|(_, found)| header(value, found))
            }
            // A header of Envoy, and so with case.
            "request.headers[host]" => header(value, self.ask.host.as_deref().unwrap_or_default()),
            "request.auth.principal" => self.caller(value),
            "request.auth.audiences" => claim(&["aud"], value),
            "request.auth.presenter" => claim(&["azp"], value),
            "request.auth.claims[c]" => claim(&["c"], value),
            "request.auth.claims[scope]" => claim(&["scope"], value),
            "request.auth.claims[a][b]" => claim(&["a", "b"], value),
            "request.auth.claims[a.b]" => claim(&["a.b"], value),
            "source.principal" => self.peer(&principal(value)),
            "source.namespace" => self.peer(&namespace(value)),
            "source.serviceAccount" => self.peer(&service_account(value)),
            "source.trustDomain" => self.peer(&trust_domain(value)),
            "remote.ip" => self.ask.peer.remote_ip.is_some_and(|it| contains(value, it)),
            "destination.ip" => {
                self.ask.peer.local.is_some_and(|local| contains(value, local.ip()))
            }
            "destination.port" => self.port(value),
            // No connection here has a server name.
            "connection.sni" => false,
            other => unreachable!("{other}"),
        };
        let any = |values: &Value| list(values).iter().any(|value| is(text(value)));
        (condition["values"].is_null() || any(&condition["values"]))
            && (condition["notValues"].is_null() || !any(&condition["notValues"]))
    }

    fn peer(&self, expression: &str) -> bool {
        let Some(principal) = &self.ask.peer.principal else { return false };
        // A name with a NUL is nobody's (CVE-2026-47778).
        !principal.contains('\0')
            && is_match(expression, format!("spiffe://{principal}").as_bytes())
    }

    fn port(&self, value: &str) -> bool {
        self.ask.peer.local.is_some_and(|local| local.port().to_string() == value)
    }

    fn path(&self, value: &str) -> bool {
        let path = self.ask.target.split(['?', '#']).next().unwrap_or_default();
        if !value.contains("{*}") && !value.contains("{**}") {
            return is_match(&simple(value, ".+"), path.as_bytes());
        }
        let rest = format!("{}*", FILLING.replace("[a", "[/a"));
        let expression = regex::escape(value)
            .replace(r"\{\*\*\}", &rest)
            .replace(r"\{\*\}", &format!("{FILLING}+"));
        is_match(&expression, path.as_bytes())
    }

    fn claim(&self, path: &[&str], value: &str) -> bool {
        let mut found = self.claims;
        for name in path {
            found = found.and_then(Value::as_object).and_then(|object| object.get(*name));
        }
        let is = |text: &str| is_match(&simple(value, ".+"), text.as_bytes());
        match found {
            // These are lists, also where they are written as a text.
            Some(Value::String(words)) if path == ["scope"] => words.split(' ').any(is),
            Some(Value::String(text)) => is(text),
            Some(Value::Array(elements)) => elements.iter().filter_map(Value::as_str).any(is),
            _ => false,
        }
    }

    /// `<iss>/<sub>`, parted at the last slash.
    fn caller(&self, value: &str) -> bool {
        let of = |name: &str| self.claims.and_then(|claims| claims[name].as_str());
        let (Some(issuer), Some(subject)) = (of("iss"), of("sub")) else { return false };
        let exact = |text: &str| regex::escape(text);
        let any = || ".+".to_owned();
        let ends = |text: &str| text.strip_suffix('*').map(|it| format!("{}.*", exact(it)));
        let starts = |text: &str| text.strip_prefix('*').map(|it| format!(".*{}", exact(it)));
        let or_any = |text: &str, expression: Option<String>| {
            if text == "*" { any() } else { expression.unwrap_or_else(|| exact(text)) }
        };
        let (issuers, subjects) = match value.rsplit_once('/') {
            _ if value == "*" => (any(), any()),
            Some((left, right)) if left.starts_with('*') => {
                (or_any(left, starts(left)), exact(right))
            }
            Some((left, right)) => (exact(left), or_any(right, ends(right))),
            None if value.starts_with('*') => (any(), or_any(value, starts(value))),
            None if value.ends_with('*') => (or_any(value, ends(value)), any()),
            None => (exact(value), String::new()),
        };
        is_match(&issuers, issuer.as_bytes()) && is_match(&subjects, subject.as_bytes())
    }
}

/// `x`, `x*`, `*x`, `*`: the first of these that fits.
fn simple(value: &str, any: &str) -> String {
    match (value.strip_prefix('*'), value.strip_suffix('*')) {
        _ if value == "*" => any.to_owned(),
        (Some(end), _) => format!("(?s:.*){}", regex::escape(end)),
        (None, Some(start)) => format!("{}(?s:.*)", regex::escape(start)),
        (None, None) => regex::escape(value),
    }
}

/// `*` asks only that the header is there.
fn header(value: &str, found: &str) -> bool {
    is_match(&simple(value, "(?s:.*)"), found.as_bytes())
}

fn host(value: &str, ask: &Ask) -> bool {
    let expression = format!("(?i){}", simple(value, "(?s:.*)"));
    is_match(&expression, ask.host.as_deref().unwrap_or_default().as_bytes())
}

fn principal(value: &str) -> String {
    if value == "*" {
        return ".+".to_owned();
    }
    if let Some(end) = value.strip_prefix('*') {
        return format!("spiffe://.*{}", regex::escape(end));
    }
    let named = value.split_once('/').filter(|(_, rest)| rest.split('/').count() == 4);
    match named {
        Some((domain, rest)) if domain == "cluster.local" || MESH.contains(&domain) => {
            let each = MESH.map(|domain| simple(&format!("spiffe://{domain}/{rest}"), ".+"));
            format!("(?:{})", each.join("|"))
        }
        _ => simple(&format!("spiffe://{value}"), ".+"),
    }
}

fn namespace(value: &str) -> String {
    format!(".*/ns/{}/.*", regex::escape(value).replace(r"\*", ".*"))
}

fn service_account(value: &str) -> String {
    let (namespace, name) = value.split_once('/').expect("a namespace and a name");
    let [namespace, name] = [namespace, name].map(regex::escape);
    format!("spiffe://.+/ns/{namespace}/(.+/|)sa/{name}(/.+)?")
}

fn trust_domain(value: &str) -> String {
    match value {
        "*" => "spiffe://.*".to_owned(),
        _ => format!("spiffe://{}/.*", regex::escape(value).replace(r"\*", "[^/]*")),
    }
}

/// Whether the bits of an address begin with those of a block.
fn contains(block: &str, address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => format!("{:032b}", address.to_bits()),
        IpAddr::V6(address) => format!("{:0128b}", address.to_bits()),
    };
    let (start, length) = block.split_once('/').unwrap_or((block, "128"));
    let (start, address) = (bits(start.parse().expect("an address")), bits(address));
    let length = length.parse::<usize>().expect("a length").min(start.len());
    start.len() == address.len() && address.starts_with(&start[..length])
}

/// Whether the expression matches all of a text.
fn is_match(expression: &str, text: &[u8]) -> bool {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        let regex = known.entry(expression.to_owned()).or_insert_with(|| {
            let whole = format!(r"\A(?:{expression})\z");
            RegexBuilder::new(&whole).build().expect("a regular expression")
        });
        regex.is_match(text)
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
