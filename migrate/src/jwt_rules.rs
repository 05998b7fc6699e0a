//! `jwtRules` of a `RequestAuthentication` as entries of the document. The names are the same; what Istio leaves
//! to a default is said.

use jwt_rbac_explain::check::{Finding, Severity};
use jwt_rbac_explain::source::{Node, Value};

use crate::Notes;
use crate::native::Native;
use crate::tree;

/// The entries.
pub fn entries(native: &Native, notes: &mut Notes) -> Vec<Node> {
    let rules = native.node.get("spec").and_then(|spec| spec.get("jwtRules"));
    let rules = rules.map_or(&[][..], Node::elements);
    if rules.is_empty() {
        let message = "no `jwtRules`: it does nothing".to_owned();
        notes.add(native.file, native.finding(Severity::Warning, "no-effect", message));
    }
    let entries = rules.iter().enumerate().map(|(number, rule)| {
        tell_of_keys(number, rule, native, notes);
        entry(rule)
    });
    entries.collect()
}

/// Where several tokens of a request are verified, the claims of the last one count; istiod orders the rules by
/// their issuers (`policy_applier.go`).
pub fn order<T>(rules: &mut [T], node: impl Fn(&T) -> &Node) {
    let text = |rule: &T, field| node(rule).get(field).and_then(Node::text).map(str::to_owned);
    if rules.iter().any(|rule| text(rule, "presence").as_deref() == Some("REQUIRED")) {
        rules.sort_by_key(|rule| text(rule, "issuer"));
    }
}

fn entry(rule: &Node) -> Node {
    let mut entry = tree::pruned(rule);
    let names_audience = entry.get("audiences").is_some();
    let is_insecure = |node: &Node| node.text().is_some_and(|uri| uri.starts_with("http:"));
    if let Value::Object(members) = &mut entry.value {
        // The API takes both spellings.
        for member in members.iter_mut().filter(|member| member.name == "jwks_uri") {
            "jwksUri".clone_into(&mut member.name);
        }
        if !names_audience {
            let at = members.iter().position(|it| it.name == "issuer").map_or(0, |at| at + 1);
            members.insert(at, tree::member("anyAudience", tree::yes()));
        }
        if members.iter().any(|it| it.name == "jwksUri" && is_insecure(&it.node)) {
            members.push(tree::member("allowInsecureJwks", tree::yes()));
        }
    }
    entry
}

/// Keys that istiod fetched and put into the configuration are fetched by Envoy now.
fn tell_of_keys(number: usize, rule: &Node, native: &Native, notes: &mut Notes) {
    if rule.get("jwks").and_then(Node::text).is_some_and(|keys| !keys.is_empty()) {
        return;
    }
    let place = format!("spec.jwtRules[{number}]");
    let uri = rule.get("jwksUri").or_else(|| rule.get("jwks_uri"));
    let Some(node) = uri.or_else(|| rule.get("issuer")) else { return };
    let url = node.text().unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    if host.ends_with(".svc.cluster.local") {
        return;
    }
    let message = format!(
        "istiod fetched the keys of `{host}`; the filter has Envoy fetch them, which needs a cluster for this host"
    );
    let help = "apply a ServiceEntry and a DestinationRule for it first, such as wasmplugin/keys/issuer.yaml; \
                without them every token of this issuer is refused";
    let finding = Finding::new(Severity::Warning, "keys", place, node.span.clone(), message);
    notes.add(native.file, finding.help(help));
}
