//! Tokens in several places, and credentials that are read in two ways.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;

use crate::attack::{Attack, Outcome};
use crate::documents::{AUTHENTICATION_ONLY, PLACES, TWO_ISSUERS};
use crate::forge;

const SEVERAL: &str = "CVE-2020-25017, CVE-2021-32777, CVE-2025-64527: tokens in several places";
const FORGED: &str = "CVE-2022-29226: no place takes an unsigned token";
const SCHEME: &str = "RFC 9110 §11.4: a scheme and one token";
const ISSUERS: &str = "Envoy AnyVerifierImpl: the token of one provider hides that of another";

/// Where a token can be: a name, and how it gets there.
pub const NAMES: [&str; 6] =
    ["authorization", "x-token", "x-assertion", "access_token", "token", "session"];

pub fn attacks() -> Vec<Attack> {
    let groups = [several(), alone(), schemes(), issuers()];
    groups.into_iter().flatten().collect()
}

/// A good token beside a bad one, in each order, in each pair of places: which of them speaks?
fn several() -> Vec<Attack> {
    let good = forge::by_key("rs256", &[]).mint();
    let others = [
        ("a stranger's", forge::by_key("stranger-rs256", &[]).mint()),
        ("an expired one", forge::by_key("rs256", &[]).claim("exp", "now-3600".into()).mint()),
        ("a user's", Recipe::of_caller("user").mint()),
        ("no token", "a.b.c".to_owned()),
    ];
    let mut attacks = Vec::new();
    for first in NAMES {
        for second in NAMES {
            for (what, other) in &others {
                for (order, one, two) in [("first", &good, other), ("second", other, &good)] {
                    let request = put(put(Request::get("/admin"), first, one), second, two);
                    let name = format!("a good token {order}, {what}, in {first} and {second}");
                    let attack = Attack::new(name, SEVERAL, request, Outcome::Unauthenticated);
                    attacks.push(attack.on(PLACES));
                }
            }
        }
    }
    attacks
}

fn alone() -> Vec<Attack> {
    let header = r#"{"alg":"RS256"}"#;
    let tokens = [
        ("a stranger's", forge::by_key("stranger-rs256", &[]).mint()),
        ("an unsigned one", forge::with_signature(r#"{"alg":"none"}"#, &[])),
        ("one signed with zeros", forge::with_signature(header, &[0; 256])),
    ];
    let mut attacks = Vec::new();
    for place in NAMES {
        for (what, token) in &tokens {
            let request = put(Request::get("/admin"), place, token);
            let name = format!("{what} in {place}");
            let attack = Attack::new(name, FORGED, request, Outcome::Unauthenticated);
            attacks.push(attack.on(PLACES));
        }
    }
    attacks
}

/// Puts a token where it is looked for.
pub fn put(mut request: Request, place: &str, token: &str) -> Request {
    match place {
        "authorization" => request.bearer(token),
        "x-assertion" => request.header(place, &format!("JWT {token}")),
        "session" => request.header("cookie", &format!("session={token}")),
        "x-token" => request.header(place, token),
        _ => {
            let mark = if request.target.contains('?') { '&' } else { '?' };
            request.target = format!("{}{mark}{place}={token}", request.target);
            request
        }
    }
}

/// Values in which a loose reader finds the token. It is honest, but a workload that reads the value
/// otherwise sees another credential than the one that was judged.
fn schemes() -> Vec<Attack> {
    const VALUES: [&str; 26] = [
        "Bearer {}, Basic Og==",
        "Basic Og==, Bearer {}",
        "Basic Bearer {}",
        "Bearer Bearer {}",
        "Bearer: {}",
        "Bearer={}",
        "Bearer\t{}",
        "Bearer {} {}",
        "Bearer {};",
        "Bearer token={}",
        "Bearer \"{}\"",
        "Token {}; Bearer {}",
        "x Bearer {}",
        "Bearer",
        "Bearer ",
        "bearer {} x",
        "BEARER {}\u{ff}",
        "Bearer\u{a0}{}",
        "Bearer \u{a0}{}",
        "Bearer {}\u{b}",
        "Bearer  , {}",
        "Bearer null",
        "Bearer undefined",
        "Bearer{}",
        "\u{a0}Bearer\u{a0}{}",
        "Basic x,Bearer\u{a0}{}",
    ];
    let stranger = forge::by_key("stranger-rs256", &[]).mint();
    let good = forge::by_key("rs256", &[]).mint();
    let mut attacks = Vec::new();
    for value in VALUES {
        for (whose, token) in [("a good", &good), ("a stranger's", &stranger)] {
            let value_of = value.replace("{}", token);
            let request = Request::get("/admin").header("authorization", &value_of);
            let name = format!("{value:?} with {whose} token");
            attacks.push(Attack::new(name.clone(), SCHEME, request.clone(), Outcome::Refused));
            // Without a table nothing but the token decides, and the workload reads it.
            let token = token.clone();
            let look = move |seen: &Seen| {
                let holds = |(_, value): &&(String, String)| value.contains(&token);
                let found = seen.headers.iter().find(holds);
                found.map_or(Ok(()), |header| Err(format!("the workload got {header:?}")))
            };
            let outcome = Outcome::Harmless(Box::new(look));
            let attack = Attack::new(name, SCHEME, request, outcome);
            attacks.push(attack.on(AUTHENTICATION_ONLY));
        }
    }
    attacks
}

/// A token of one issuer beside a bad one of another.
fn issuers() -> Vec<Attack> {
    let good = Recipe::of_caller("user").mint();
    let other = forge::by_key("rs256", &[]).claim("iss", "https://other.example.com/".into());
    let forged = other.clone().key("stranger-rs256").mint();
    let other = other.mint();
    let rows = [
        ("a good one and a forged one", "x-one", &good, "x-other", &forged),
        ("a forged one and a good one", "x-one", &forged, "x-other", &good),
        ("two good ones", "x-one", &good, "x-other", &other),
        ("the good one last", "x-other", &forged, "authorization", &good),
        ("the good one first", "authorization", &good, "x-other", &forged),
        ("each at the other's place", "x-one", &other, "x-other", &good),
    ];
    let named = |(name, first, one, second, two): &(&str, &str, &String, &str, &String)| {
        let request = put_in_header(Request::get("/admin"), first, one);
        let request = put_in_header(request, second, two);
        let outcome = Outcome::Unauthenticated;
        Attack::new(format!("two issuers: {name}"), ISSUERS, request, outcome).on(TWO_ISSUERS)
    };
    rows.iter().map(named).collect()
}

fn put_in_header(request: Request, name: &str, token: &str) -> Request {
    if name == "authorization" { request.bearer(token) } else { request.header(name, token) }
}
