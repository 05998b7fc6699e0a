//! What the dearest refused request costs: see [`jwt_rbac_bench::worst`].
//!
//! ```text
//! cargo run --release -p jwt-rbac-bench --bin worst [-- STEPS]
//! ```

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac_bench::forgery::KeyKind;
use jwt_rbac_bench::listeners::{self, Chain};
use jwt_rbac_bench::worst::search::{self, Found};
use jwt_rbac_bench::worst::shape::{AUDIENCE, ISSUER, Shape};
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::connections::Connections;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::tokens::{self, Recipe};
use serde_json::{Value, json};

const STARTS: usize = 12;
const STEPS: usize = 1_500;
/// How many requests are measured in Envoy, and how many before them are not.
const REQUESTS: usize = 4_000;
const WARM_UP: usize = 500;
const CONNECTIONS: usize = 8;
/// What a refused request may cost whatever the key set, in microseconds.
const BOUND: f64 = 2_500.0;

fn main() -> ExitCode {
    match steps().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("worst: {message}");
            ExitCode::FAILURE
        }
    }
}

fn steps() -> Result<usize, String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Some(STEPS),
        [text] => text.parse().ok().filter(|steps| *steps > 0),
        _ => None,
    }
    .ok_or_else(|| "usage: worst [STEPS]".to_owned())
}

fn run(steps: usize) -> Result<(), String> {
    let text = document(&KeyKind::Rsa(256).key_set(1, false)).to_string();
    let compiled = jwt_rbac_config::compile(text.as_bytes(), &mut RustCrypto);
    let (document, _) = compiled.map_err(|problems| format!("{:?}", problems.errors))?;
    let Found { shape, time } = search::worst(&document, STARTS, steps);
    println!("slowest decision of {} requests: {:.1} µs natively", STARTS * steps, micros(time));
    println!("{shape}");
    measure(&shape)?;
    measure_rules()
}

/// The document looks for tokens everywhere, has many routes, and writes headers.
fn document(key_set: &str) -> Value {
    let routes: Vec<Value> = (0..1_000)
        .map(|number| json!({"paths": [format!("/v{number}/{{a}}/{{**}}")], "permissions": ["p"]}))
        .chain([json!({"paths": ["/{**}"], "permissions": ["never"]})])
        .collect();
    json!({
        "jwtRules": [{
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "jwks": key_set,
            "fromHeaders": [
                {"name": "authorization", "prefix": "Bearer "},
                {"name": "x-token"},
            ],
            "fromParams": ["access_token"],
            "fromCookies": ["session"],
            "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}],
        }],
        "routes": routes,
    })
}

/// What the request costs in Envoy, beyond a plain Envoy: with a key set of one cheap key, and with as
/// many as the budget of a request allows.
fn measure(shape: &Shape) -> Result<(), String> {
    let request = shape.request().ok_or("Envoy would not take the request")?.bytes();
    let keys = [
        ("one RSA-2048 key", KeyKind::Rsa(256).key_set(1, false)),
        ("eighty RSA-2048 keys", KeyKind::Rsa(256).key_set(80, false)),
        ("eighty RSA-4096 keys", KeyKind::Rsa(512).key_set(80, false)),
    ];
    let chains: Vec<(String, Chain)> = [("plain".to_owned(), Chain::Plain)]
        .into_iter()
        .chain(keys.iter().map(|(name, set)| (name.replace(' ', "-"), Chain::Ours(document(set)))))
        .collect();
    let named = chains.iter().map(|(name, chain)| (name.clone(), chain));
    let bootstrap = listeners::bootstrap(named, &artifacts::wasm()?)?;
    let envoy = Envoy::start(&artifacts::envoy()?, &bootstrap)?;
    let plain = cost(&envoy, &chains[0].0, &request, 200)?;
    println!("{:>24} {plain:8.1} µs", chains[0].0);
    let mut dearest = 0.0_f64;
    for (name, _) in &chains[1..] {
        let cost = cost(&envoy, name, &request, 401)? - plain;
        println!("{name:>24} {cost:8.1} µs more");
        dearest = dearest.max(cost);
    }
    if dearest > BOUND {
        return Err(format!("{dearest:.0} µs, at most {BOUND:.0} are allowed"));
    }
    Ok(())
}

/// What requests cost that make rules work: many regular expressions, and long lists beside long claims.
fn measure_rules() -> Result<(), String> {
    let groups: Vec<String> = (0..2_500).map(|number| format!("g{number:04}")).collect();
    let token = Recipe::of_caller("user").claim("groups", json!(groups)).mint();
    let with_token = Request::get("/").bearer(&token).bytes();
    let agent = "select ".repeat(1_170);
    let with_agent = Request::get("/").header("user-agent", &agent).bytes();
    let regex = |number| format!("(?i).*(select|union|insert|a{number}).*from.*");
    let regexes: Vec<Value> = (0..500)
        .map(|number| json!({"when": [{"key": "request.headers[user-agent]", "regex": regex(number)}]}))
        .collect();
    let values = |start: &str, end: &str| -> Vec<String> {
        (0..1_000).map(|number| format!("{start}no{number}{end}")).collect()
    };
    let policy = |action: &str, rules: Value| {
        json!({
            "jwtRules": [tokens::provider()],
            "authorizationPolicies": [{"name": "p", "action": action, "rules": rules}],
        })
    };
    let by_groups =
        |values| json!([{"when": [{"key": "request.auth.claims[groups]", "values": values}]}]);
    let route = json!({
        "jwtRules": [tokens::provider()],
        "routes": [{"paths": ["/"], "claims": [{"claim": "groups", "values": values("", "")}]}],
    });
    let rows = [
        ("500-expressions", policy("DENY", json!(regexes)), &with_agent),
        ("1,000-values-in-a-route", route, &with_token),
        ("1,000-values", policy("ALLOW", by_groups(values("", ""))), &with_token),
        ("1,000-prefixes", policy("ALLOW", by_groups(values("", "*"))), &with_token),
    ];
    let chains: Vec<(String, Chain)> = [("plain".to_owned(), Chain::Plain)]
        .into_iter()
        .chain(rows.iter().map(|(name, it, _)| ((*name).to_owned(), Chain::Ours(it.clone()))))
        .collect();
    let named = chains.iter().map(|(name, chain)| (name.clone(), chain));
    let bootstrap = listeners::bootstrap(named, &artifacts::wasm()?)?;
    let envoy = Envoy::start(&artifacts::envoy()?, &bootstrap)?;
    let mut dearest = 0.0_f64;
    for (name, _, request) in &rows {
        let plain = cost(&envoy, "plain", request, 200)?;
        let cost = cost(&envoy, name, request, 403)? - plain;
        println!("{name:>24} {cost:8.1} µs more");
        dearest = dearest.max(cost);
    }
    if dearest > BOUND {
        return Err(format!("{dearest:.0} µs, at most {BOUND:.0} are allowed"));
    }
    Ok(())
}

/// CPU time of Envoy for one request, in microseconds.
fn cost(envoy: &Envoy, listener: &str, request: &[u8], status: u16) -> Result<f64, String> {
    let send = |count: usize| -> Result<(), String> {
        let connections = Connections::open(envoy.address(listener), CONNECTIONS);
        let mut connections = connections.map_err(|error| error.to_string())?;
        for _ in 0..count / CONNECTIONS {
            let requests = vec![request; CONNECTIONS];
            let sent = connections.exchange(requests, status);
            sent.map_err(|error| format!("{listener}: {error}"))?;
        }
        Ok(())
    };
    send(WARM_UP)?;
    let before = envoy.cpu_time()?;
    send(REQUESTS)?;
    let spent = envoy.cpu_time()?.saturating_sub(before);
    Ok(micros(spent) / f64::from(u32::try_from(REQUESTS).unwrap_or(u32::MAX)))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
