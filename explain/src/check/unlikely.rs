//! Texts that are allowed and never match: a path in another framework's spelling, a method that no
//! client sends, white space that was not meant, a claim in Istio's spelling.

use jwt_rbac_config::place::Place;

use super::{Context, Finding, Severity};
use crate::nearest::nearest;
use crate::source::{Node, Value};

/// The methods of the IANA registry that clients send, CONNECT aside, which a table always denies.
const METHODS: &[&str] = &[
    "ACL",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "MKCOL",
    "MOVE",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNLINK",
    "UNLOCK",
];
/// The word for all of them.
const RULE: &str = "never-matches";

/// Warnings about the texts of a `pluginConfig`.
pub(super) fn all(context: &Context<'_>, config: &Node) -> Vec<Finding> {
    let mut texts = Texts { context, config, findings: Vec::new() };
    for list in ["jwtRules", "routes"] {
        if let Some(node) = config.get(list) {
            texts.white_space(node, &Place::root().field(list));
        }
    }
    texts.routes();
    texts.policies();
    texts.claims();
    texts.findings
}

struct Texts<'t> {
    context: &'t Context<'t>,
    config: &'t Node,
    findings: Vec<Finding>,
}

impl Texts<'_> {
    fn warn(&mut self, place: &Place, message: String, help: Option<String>) {
        let span = self.config.find(place).span(self.context.text);
        let finding = Finding::new(Severity::Warning, RULE, place.to_string(), span, message);
        self.findings.push(Finding { help, ..finding });
    }

    /// White space at the ends of names and values; not in prefixes, where it is the rule, nor in key sets.
    fn white_space(&mut self, node: &Node, place: &Place) {
        match &node.value {
            Value::Text(text) if text.trim() != text => {
                let message =
                    format!("`{text}` has white space at an end, and is compared with it");
                self.warn(place, message, Some(format!("write `{}`", text.trim())));
            }
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.white_space(element, &place.index(index));
                }
            }
            Value::Object(members) => {
                let skipped = ["jwks", "prefix"];
                for member in members.iter().filter(|it| !skipped.contains(&it.name.as_str())) {
                    let place = place.field(&member.name);
                    if member.name.trim() != member.name {
                        let message = format!("`{}` has white space at an end", member.name);
                        self.warn(&place, message, Some(format!("write `{}`", member.name.trim())));
                    }
                    self.white_space(&member.node, &place);
                }
            }
            _ => {}
        }
    }

    fn routes(&mut self) {
        let routes = self.config.get("routes").map_or(&[][..], Node::elements);
        for (number, route) in routes.iter().enumerate() {
            let route_place = Place::root().field("routes").index(number);
            let texts = |name: &'static str| {
                let elements = route.get(name).map_or(&[][..], Node::elements).iter().enumerate();
                let place = route_place.field(name);
                elements.filter_map(move |(index, node)| Some((place.index(index), node.text()?)))
            };
            for (place, path) in texts("paths") {
                if path.split('/').any(|segment| segment.len() > 1 && segment.starts_with(':')) {
                    let written = path.split('/').map(|segment| match segment.strip_prefix(':') {
                        Some(name) if !name.is_empty() => format!("{{{name}}}"),
                        _ => segment.to_owned(),
                    });
                    let written = written.collect::<Vec<_>>().join("/");
                    let message = format!("`{path}` has a colon where a variable may be meant");
                    self.warn(
                        &place,
                        message,
                        Some(format!("variables have braces: \"{written}\"")),
                    );
                }
            }
            for (place, method) in texts("methods") {
                let is_word = method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
                if is_word && !METHODS.contains(&method) && method != "CONNECT" {
                    let near = nearest(method, METHODS.iter().copied());
                    let message = format!("`{method}` is no method that clients send");
                    self.warn(&place, message, near.map(|near| format!("did you mean `{near}`?")));
                }
            }
        }
    }

    /// Methods of policies, whose letters have a case that a DENY policy must get right.
    fn policies(&mut self) {
        let policies = self.config.get("authorizationPolicies").map_or(&[][..], Node::elements);
        for (number, policy) in policies.iter().enumerate() {
            let place = Place::root().field("authorizationPolicies").index(number).field("rules");
            let rules = policy.get("rules").map_or(&[][..], Node::elements);
            for (number, rule) in rules.iter().enumerate() {
                let place = place.index(number).field("to");
                for (number, to) in
                    rule.get("to").map_or(&[][..], Node::elements).iter().enumerate()
                {
                    let Some(operation) = to.get("operation") else { continue };
                    let place = place.index(number).field("operation");
                    for name in ["methods", "notMethods"] {
                        let methods = operation.get(name).map_or(&[][..], Node::elements);
                        for (number, method) in methods.iter().enumerate() {
                            self.method_of_policy(&place.field(name).index(number), method);
                        }
                    }
                }
            }
        }
    }

    fn method_of_policy(&mut self, place: &Place, method: &Node) {
        let Some(method) = method.text() else { return };
        if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
            let message = format!("`{method}` is no method that clients send: methods have a case");
            self.warn(place, message, Some(format!("write `{}`", method.to_ascii_uppercase())));
        }
    }

    /// Names of claims with dots, which are read as one name.
    fn claims(&mut self) {
        let mut named: Vec<(Place, String)> = Vec::new();
        let mut add = |place: Place, node: Option<&Node>| {
            named.extend(node.and_then(Node::text).map(|text| (place, text.to_owned())));
        };
        let elements = |node: &Node, name: &str| node.get(name).map_or(0, |it| it.elements().len());
        let rules = self.config.get("jwtRules").map_or(&[][..], Node::elements);
        for (number, rule) in rules.iter().enumerate() {
            let place = Place::root().field("jwtRules").index(number);
            for list in ["permissionClaims", "roleClaims", "requiredClaims"] {
                for index in 0..elements(rule, list) {
                    let node = &rule.get(list).map_or(&[][..], Node::elements)[index];
                    let place = place.field(list).index(index);
                    match node.member("claim") {
                        Some(member) => add(place.field("claim"), Some(&member.node)),
                        None => add(place, Some(node)),
                    }
                }
            }
        }
        let routes = self.config.get("routes").map_or(&[][..], Node::elements);
        for (number, route) in routes.iter().enumerate() {
            let place = Place::root().field("routes").index(number).field("claims");
            let claims = route.get("claims").map_or(&[][..], Node::elements);
            for (index, rule) in claims.iter().enumerate() {
                add(place.index(index).field("claim"), rule.get("claim"));
            }
        }
        for (place, claim) in named {
            // A namespace of Auth0 is a URL, and one literal name.
            if claim.contains('.') && !claim.contains(['/', ':', '[']) {
                let walk = format!("[{}]", claim.replace('.', "]["));
                let message = format!("`{claim}` is read as one name, with its dots");
                self.warn(
                    &place,
                    message,
                    Some(format!("write \"{walk}\" for a walk through objects")),
                );
            }
        }
    }
}
