//! Trailers: fields behind the body, which some servers hand to the application as headers.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;

use crate::attack::{Attack, Outcome};
use crate::documents::ADMIN;
use crate::forge;

const MERGED: &str = "RFC 9110 §6.5.1: trailers that are merged into the headers";
const PSEUDO: &str = "RFC 9113 §8.1: pseudo headers and framing in trailers";

/// Trailers that the workload must not see, and one that it sees, so that it can be known that they come
/// through.
const HARMLESS: (&str, &str) = ("x-checksum", "harmless");

pub fn attacks() -> Vec<Attack> {
    let groups = [identities(), credentials(), framing()];
    groups.into_iter().flatten().collect()
}

/// Names of headers that the filter alone writes, and with which clients override what was judged.
fn identities() -> Vec<Attack> {
    const NAMES: [&str; 12] = [
        "x-sub",
        "X-Sub",
        "x_sub",
        "x-groups",
        "X_Groups",
        "x-payload",
        "x_payload",
        "grpc-metadata-x-sub",
        "x-http-method-override",
        "X_HTTP_Method_Override",
        "x-original-url",
        "x-rewrite-url",
    ];
    let token = Recipe::of_caller("user").mint();
    let mut attacks = Vec::new();
    for name in NAMES {
        for (who, request) in [
            ("a user", Request::get("/members").bearer(&token)),
            ("nobody", Request::get("/public/x")),
        ] {
            for count in [1, 3] {
                let mut trailers = vec![(name, "auth0|admin"); count];
                trailers.push(HARMLESS);
                let label = format!("the trailer {name}, {count} times, of {who}");
                let outcome = Outcome::Reached(Box::new(only_harmless));
                attacks.push(Attack::trailers(label, MERGED, request.clone(), &trailers, outcome));
            }
        }
    }
    attacks
}

/// A token in a trailer is none, and no workload gets one that nobody verified.
fn credentials() -> Vec<Attack> {
    let honest = forge::by_key("rs256", &[]).mint();
    let forged = forge::by_key("stranger-rs256", &[]).mint();
    let user = Recipe::of_caller("user").mint();
    let mut attacks = Vec::new();
    for (whose, token) in [("an honest", &honest), ("a forged", &forged)] {
        let value = format!("Bearer {token}");
        for name in ["authorization", "Authorization"] {
            let trailers = [(name, value.as_str()), HARMLESS];
            let label = |what: &str| format!("{whose} token in the trailer {name}, {what}");
            attacks.push(Attack::trailers(
                label("none in the headers"),
                MERGED,
                Request::get("/admin"),
                &trailers,
                Outcome::Denied,
            ));
            let request = Request::get("/admin").bearer(&user);
            let denied = Outcome::Denied;
            attacks.push(Attack::trailers(label("a user's"), MERGED, request, &trailers, denied));
            for path in ["/public/x", "/optional"] {
                let outcome = Outcome::Reached(Box::new(only_harmless));
                let request = Request::get(path);
                attacks.push(Attack::trailers(label(path), MERGED, request, &trailers, outcome));
            }
        }
    }
    attacks
}

fn framing() -> Vec<Attack> {
    let rows: [(&str, Vec<(&str, &str)>); 9] = [
        ("a path", vec![(":path", "/admin")]),
        ("a method", vec![(":method", "DELETE")]),
        ("an authority", vec![(":authority", "b.test")]),
        ("a host", vec![("host", "b.test")]),
        ("a length", vec![("content-length", "100")]),
        ("a coding", vec![("transfer-encoding", "chunked")]),
        ("a line break", vec![("x", "y\r\n\r\nGET /admin HTTP/1.1\r\n\r\n")]),
        ("none", vec![]),
        ("four hundred", vec![("x-a", "b"); 400]),
    ];
    let mut attacks = Vec::new();
    for (what, trailers) in rows {
        for request in [Request::get("/public/x"), Request::get("/admin")] {
            let label = format!("{what} in the trailers of {}", request.target);
            let outcome = match request.target.as_str() {
                "/admin" => Outcome::Refused,
                _ => Outcome::Harmless(Box::new(only_public)),
            };
            attacks.push(Attack::trailers(label, PSEUDO, request, &trailers, outcome));
        }
    }
    attacks
}

fn only_public(seen: &Seen) -> Result<(), String> {
    match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/public/x") => Ok(()),
        (method, path) => Err(format!("the workload got {method} {path}")),
    }
}

fn only_harmless(seen: &Seen) -> Result<(), String> {
    let names: Vec<&str> = seen.trailers.iter().map(|(name, _)| name.as_str()).collect();
    let is_clean = |(_, value): &(String, String)| !value.contains(ADMIN) && value != "auth0|admin";
    if names == [HARMLESS.0] && seen.headers.iter().all(is_clean) {
        return Ok(());
    }
    Err(format!("expected the trailer {} at the workload, got {:?}", HARMLESS.0, seen.trailers))
}
