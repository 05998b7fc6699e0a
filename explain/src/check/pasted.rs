//! What was pasted where something else belongs, recognised so that the message can say what to do.

use std::ops::Range;

use jwt_rbac::authz::template::{Part, Template};
use jwt_rbac_config::place::{Place, Step};
use serde_json::Value as Json;

use crate::source::Node;

/// What stands in place of a key set, and what to do with it.
pub(super) fn key_set(node: &Node) -> Option<(&'static str, &'static str)> {
    const URI: &str = "write `jwksUri` with this URL, or put what it serves here";
    let json = node.to_json();
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let text = text.trim();
    if text.starts_with("-----BEGIN") {
        return Some((
            "found a key in PEM, expected a key set in JSON",
            "`jwt-rbac jwks key.pem` prints the key set of a key",
        ));
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Some(("found a URL, expected a key set in JSON", URI));
    }
    let value: Json = serde_json::from_str(text).ok()?;
    if value.get("jwks_uri").is_some() {
        return Some((
            "found the discovery document of an issuer, expected its key set",
            "put what its `jwks_uri` serves here, or write that URL to `jwksUri`",
        ));
    }
    if value.get("kty").is_some() {
        let help = "write {\"keys\": […]} around it";
        return Some(("found one key (JWK), expected a key set", help));
    }
    if value.is_array() {
        let help = "write {\"keys\": …} around it";
        return Some(("found a list, expected a key set, an object with `keys`", help));
    }
    None
}

/// The walk that is meant by a claim with brackets that are none.
pub(super) fn claim(found: &str) -> Option<String> {
    let inner = found.strip_prefix("request.auth.claims").unwrap_or(found);
    let names = inner.split(['[', ']', '.']).filter(|name| !name.is_empty());
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => None,
        [name] => Some((*name).to_owned()),
        names => Some(format!("[{}]", names.join("]["))),
    }
}

/// Two paths that are one key of the table: that of the route at this place which came second, and the
/// one that it shares.
pub(super) fn collision(config: &Node, place: &Place, others: &[String]) -> Option<(Place, Place)> {
    let [Step::Field(_), Step::Index(number)] = place.steps() else { return None };
    let routes = config.get("routes").map_or(&[][..], Node::elements);
    let paths = |number: usize| {
        let paths = routes.get(number).and_then(|route| route.get("paths"));
        let paths = paths.map_or(&[][..], Node::elements).iter().enumerate();
        paths.filter_map(move |(index, path)| {
            let place = Place::root().field("routes").index(number).field("paths").index(index);
            Some((place, shape(path.text()?)?))
        })
    };
    let name = |number: usize| {
        let name = routes[number].get("name").and_then(Node::text);
        name.map_or_else(|| format!("routes[{number}]"), str::to_owned)
    };
    let before = (0..=*number).filter(|&other| others.contains(&name(other))).flat_map(paths);
    let before: Vec<_> = before.collect();
    paths(*number).find_map(|(own, path)| {
        let first = before.iter().find(|(place, other)| *place != own && *other == path)?;
        let is_first = before.iter().position(|(place, _)| *place == own);
        let first_at = before.iter().position(|it| it.0 == first.0);
        // Of two paths of one route, the second is the one to point at.
        if is_first < first_at && is_first.is_some() {
            return Some((first.0.clone(), own));
        }
        Some((own, first.0.clone()))
    })
}

/// Where secrets stand in a document: private keys, shared secrets, the value of a fence. Nothing that is
/// shown may repeat them.
pub(super) fn secrets(node: &Node) -> Vec<Range<usize>> {
    const PRIVATE: &[&str] = &["d", "dp", "dq", "k", "p", "q", "qi"];
    let mut secrets = Vec::new();
    let is_key = node.get("kty").is_some();
    for member in node.members() {
        let is_private = is_key && PRIVATE.contains(&member.name.as_str());
        let is_fence = member.name == "fence";
        let fence = member.node.get("value").filter(|_| is_fence);
        secrets.extend(fence.map(|value| value.span.clone()));
        if is_private {
            secrets.push(member.node.span.clone());
        } else if let Some(text) = member.node.text().filter(|_| member.name == "jwks") {
            let is_secret = text.contains("PRIVATE KEY")
                || PRIVATE.iter().any(|name| text.contains(&format!("\"{name}\"")));
            secrets.extend(is_secret.then(|| member.node.span.clone()));
        } else {
            secrets.extend(self::secrets(&member.node));
        }
    }
    secrets.extend(node.elements().iter().flat_map(self::secrets));
    secrets
}

/// A path without the names of its variables, which do not tell paths apart.
fn shape(path: &str) -> Option<Template> {
    let mut template = Template::parse(path).ok()?;
    for part in &mut template.parts {
        if let Part::Variable(name) = part {
            *name = None;
        }
    }
    Some(template)
}
