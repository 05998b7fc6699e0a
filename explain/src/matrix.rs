//! Who may do what: callers × routes.

use jwt_rbac::authz::template::{Part, Template};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ask::{Ask, Caller};
use crate::outcome;
use crate::peer::Peer;
use crate::policy::Policy;

/// Who may do what.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The callers, in their order.
    pub callers: Vec<String>,
    /// A row for each path of each route, and each of its methods.
    pub rows: Vec<Row>,
}

/// What one request comes to for each caller.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The route.
    pub route: String,
    /// Its host, where routes name hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The method and the path of the route.
    pub request: String,
    /// What becomes of it, in the order of the callers.
    pub cells: Vec<Cell>,
}

/// What becomes of a request of one caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// `allow`, `deny` or `would_deny`.
    pub decision: &'static str,
    /// The status of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it is denied, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The path that was asked for, with something in place of its variables.
    #[serde(skip)]
    pub target: String,
}

/// Asks each route for each caller, at `now`. A variable of a path that is compared with a claim is that
/// claim of the caller, any other is `x`.
#[must_use]
pub fn matrix(policy: &Policy, callers: &[(String, Caller)], now: u64) -> Matrix {
    let routes = policy.config["routes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rows = Vec::new();
    for (number, route) in routes.iter().enumerate() {
        let name = route["name"].as_str();
        let name = name.map_or_else(|| format!("routes[{number}]"), str::to_owned);
        let texts = |field: &str| -> Vec<&str> {
            route[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let host = texts("hosts").first().map(|host| (*host).to_owned());
        let methods = texts("methods");
        let methods = if methods.is_empty() { vec!["GET"] } else { methods };
        for path in texts("paths") {
            for method in &methods {
                let cells = callers.iter().map(|(_, caller)| {
                    let ask = Ask {
                        method: (*method).to_owned(),
                        target: filled(path, route, caller),
                        host: host.as_deref().map(plain_host),
                        headers: Vec::new(),
                        caller: caller.clone(),
                        peer: Peer::default(),
                    };
                    let outcome = outcome(policy, &ask, now);
                    let target = ask.target;
                    Cell {
                        decision: outcome.decision,
                        status: outcome.status,
                        reason: outcome.refusal.map(jwt_rbac::refusal::Refusal::slug),
                        target,
                    }
                });
                let request = format!("{method} {path}");
                let (route, host) = (name.clone(), host.clone());
                rows.push(Row { route, host, request, cells: cells.collect() });
            }
        }
    }
    Matrix { callers: callers.iter().map(|(name, _)| name.clone()).collect(), rows }
}

/// A host that a pattern of routes has.
#[must_use]
pub fn plain_host(pattern: &str) -> String {
    if pattern == "*" { "any.test".to_owned() } else { pattern.replacen("*.", "any.", 1) }
}

fn filled(path: &str, route: &Value, caller: &Caller) -> String {
    let Ok(template) = Template::parse(path) else { return path.to_owned() };
    let rules = route["claims"].as_array().map_or(&[][..], Vec::as_slice);
    let segments = template.parts.iter().map(|part| match part {
        Part::Literal(text) => encoded(text),
        Part::Variable(name) => {
            let compared = rules
                .iter()
                .find(|rule| name.is_some() && rule["pathVariable"].as_str() == name.as_deref());
            let claims = match caller {
                Caller::Claims(claims) => Some(claims),
                Caller::Anonymous | Caller::Token(_) => None,
            };
            let value = compared.and_then(|rule| claim(claims?, rule["claim"].as_str()?));
            value.map_or_else(|| "x".to_owned(), |value| encoded(&value))
        }
    });
    let segments: Vec<_> = segments.collect();
    let rest = if template.rest { "/x" } else { "" };
    let path = format!("/{}{rest}", segments.join("/"));
    path.replacen("//", "/", 1)
}

/// The text of a claim at the top of these claims, or of the first element of a list.
fn claim(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let value = claims.get(name)?;
    match value.as_array().map_or(Some(value), |list| list.first())? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A segment as it stands in a path (RFC 3986 §2.1).
pub(crate) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect::<Vec<_>>().concat()
}
