//! Attacks. Each is a request, or bytes, that got past a filter, a library or a proxy of this kind
//! somewhere, or could: a row with a name and a source. None may get in, and after each one a good
//! request must still be answered 200. Requests are sent over HTTP/1.1 and HTTP/2, over raw sockets.
//!
//! The advisories of the field are listed in [`advisories`], each with the rows that stand for it.

mod advisories;
mod algorithms;
mod attack;
mod claims;
mod documents;
mod encodings;
mod forge;
mod headers;
mod hosts;
mod json;
mod key_ids;
mod methods;
mod paths;
mod places;
mod policies;
mod signatures;
mod smuggling;
mod spellings;
mod trailers;
mod tunnels;

use std::sync::{Arc, OnceLock};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::cluster_with_trailers;
use jwt_rbac_e2e::shared::SharedEnvoy;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::{Notes, Upstream};

use attack::Attack;

#[test]
fn algorithms() {
    attack::run("algorithms", &algorithms::attacks());
}

#[test]
fn key_ids() {
    attack::run("key ids", &key_ids::attacks());
}

#[test]
fn signatures() {
    attack::run("signatures", &signatures::attacks());
}

#[test]
fn encodings() {
    attack::run("encodings", &encodings::attacks());
}

#[test]
fn json() {
    attack::run("JSON", &json::attacks());
}

#[test]
fn claims() {
    attack::run("claims", &claims::attacks());
}

#[test]
fn spellings() {
    attack::run("spellings", &spellings::attacks());
}

#[test]
fn places() {
    attack::run("places", &places::attacks());
}

#[test]
fn paths() {
    attack::run("paths", &paths::attacks());
}

#[test]
fn hosts() {
    attack::run("hosts", &hosts::attacks());
}

#[test]
fn methods() {
    attack::run("methods", &methods::attacks());
}

#[test]
fn headers() {
    attack::run("headers", &headers::attacks());
}

#[test]
fn smuggling() {
    attack::run("smuggling", &smuggling::attacks());
    assert!(!smuggling::has_reached(notes()), "a second request has reached the workload");
}

#[test]
fn trailers() {
    attack::run("trailers", &trailers::attacks());
}

#[test]
fn policies() {
    attack::run("policies", &policies::attacks());
}

#[test]
fn tunnels() {
    attack::run("tunnels", &tunnels::attacks());
}

/// Otherwise a token could be refused for another reason than the one that its attack is about.
#[test]
fn an_honest_token_gets_in() {
    let envoy = envoy();
    let admin = |key: &str| Request::get("/admin").bearer(&forge::by_key(key, &[]).mint());
    let secret = Recipe { algorithm: Some("HS512".to_owned()), ..forge::by_key("hs512", &[]) };
    let mut honest = vec![
        (documents::TABLE, admin("rs256")),
        (documents::TABLE, admin("es256")),
        (
            documents::TABLE,
            Request::new("DELETE", "/items/1").bearer(&forge::by_key("rs256", &[]).mint()),
        ),
        (documents::LOW_EXPONENT, admin("rs256")),
        (documents::TUNNELS, admin("rs256")),
        (documents::TWO_ISSUERS, admin("rs256")),
        (documents::SECRET, Request::get("/admin").bearer(&secret.mint())),
    ];
    honest.extend(
        ["rs256", "es256", "es384", "es512", "eddsa"].map(|key| (documents::ALL_KEYS, admin(key))),
    );
    honest.extend(places::NAMES.map(|place| {
        (
            documents::PLACES,
            places::put(Request::get("/admin"), place, &forge::by_key("rs256", &[]).mint()),
        )
    }));
    honest.extend(policies::honest());
    honest.extend(documents::NORMALIZATIONS.map(|listener| (listener, admin("rs256"))));
    for (listener, request) in honest {
        assert_eq!(envoy.answer(listener, &request).status, 200, "{listener}: {request:?}");
    }
}

/// Every attack of the suite.
fn all() -> Vec<Attack> {
    [
        algorithms::attacks(),
        key_ids::attacks(),
        signatures::attacks(),
        encodings::attacks(),
        json::attacks(),
        claims::attacks(),
        spellings::attacks(),
        places::attacks(),
        paths::attacks(),
        hosts::attacks(),
        methods::attacks(),
        headers::attacks(),
        smuggling::attacks(),
        trailers::attacks(),
        policies::attacks(),
        tunnels::attacks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The workload, and what has reached it.
fn workload() -> &'static (Upstream, Notes) {
    static WORKLOAD: OnceLock<(Upstream, Notes)> = OnceLock::new();
    WORKLOAD.get_or_init(Upstream::start_noting)
}

fn notes() -> &'static Notes {
    &workload().1
}

fn envoy() -> Arc<Envoy> {
    static ENVOY: SharedEnvoy = SharedEnvoy::new();
    ENVOY.get(|| {
        let upstream = workload().0.address;
        let mut bootstrap = bootstrap::bootstrap(upstream, &documents::listeners(), None);
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
        let of_host = |name: &&str| bootstrap::cluster(name, upstream);
        let clusters = clusters.expect("a list of clusters");
        clusters.extend(hosts::NAMES.iter().map(of_host));
        clusters.push(cluster_with_trailers(documents::TRAILERS, upstream));
        let started = artifacts::envoy().and_then(|binary| Envoy::start(&binary, &bootstrap));
        started.unwrap_or_else(|error| panic!("{error}"))
    })
}
