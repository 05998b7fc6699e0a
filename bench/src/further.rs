//! `make bench-all`: what is measured beyond the targets.

use super::callers::Callers;
use super::listeners::Chain;
use super::policy;
use super::suite::{CacheUse, ROUTES, Request, Suite};
use jwt_rbac_e2e::artifacts;
use serde_json::json;

/// Few enough tokens of 8 KiB that the cache holds them all.
const LARGE_SEEN: usize = 100;

/// Tables whose memory is measured.
const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// Adds these cases to a suite that has those of the targets.
pub fn add(suite: &mut Suite) {
    algorithms(suite);
    tables(suite);
    without_token(suite);
    large_tokens(suite);
    bad_tokens(suite);
}

/// Suites of one listener. Each is measured in an Envoy of its own, because memory can only be
/// measured for a process.
pub fn memory() -> Vec<Suite> {
    let keys = artifacts::jwks();
    let mut suites = vec![Suite::default()];
    suites[0].plain(&Request::unseen("no table", Callers::RS256));
    for routes in SIZES {
        let document = policy::document(routes, &keys);
        let name = match routes {
            10 => "10 routes",
            1_000 => "1,000 routes",
            _ => "10,000 routes",
        };
        let path = policy::permitted_path(routes);
        let request = Request { path, ..Request::unseen(name, Callers::RS256) };
        let (mut native, mut ours) = (Suite::default(), Suite::default());
        native.native(&request, Chain::Native(document.clone()), 200);
        ours.ours(&request, document, 200, CacheUse::Misses);
        suites.extend([native, ours]);
    }
    suites
}

/// Algorithms that Envoy checks for its own filters alone, so that ours checks them in Wasm.
fn algorithms(suite: &mut Suite) {
    let mut document = policy::document(ROUTES, &artifacts::key_set("jwks-all.json"));
    // PS* is accepted where it is listed.
    document["jwtRules"][0]["algorithms"] = json!(["PS256", "EdDSA"]);
    for (name, title, algorithm, key, plain) in [
        ("unseen PS256", "token not seen before, PS256", "PS256", "rs256", "unseen RS256, plain"),
        ("unseen EdDSA", "token not seen before, EdDSA", "EdDSA", "eddsa", "unseen ES256, plain"),
    ] {
        let request = Request::unseen(name, Callers::Signed { algorithm, key });
        let plain = suite.find(plain);
        let base = suite.native(&request, Chain::Native(document.clone()), 200);
        let ours = suite.ours(&request, document.clone(), 200, CacheUse::Misses);
        suite.compare(title, plain, base, ours, None, None);
    }
}

/// 10 and 1,000 routes are among the targets.
fn tables(suite: &mut Suite) {
    let keys = artifacts::jwks();
    let plain = suite.find("seen, plain");
    let request = Request::seen("seen, 100 routes", policy::permitted_path(100));
    let document = policy::document(100, &keys);
    let base = suite.native(&request, Chain::Native(document.clone()), 200);
    let ours = suite.ours(&request, document, 200, CacheUse::Hits);
    suite.compare("token seen before, 100 routes", plain, base, ours, None, None);
    let request = Request::seen("seen, 10000 routes", policy::permitted_path(10_000));
    let document = policy::document(10_000, &keys);
    let base = suite.native(&request, Chain::Native(document), 200);
    let ours = suite.find("seen, 10000 routes, jwt-rbac");
    suite.compare("token seen before, 10,000 routes", plain, base, ours, None, None);
}

fn without_token(suite: &mut Suite) {
    let document = policy::document(ROUTES, &artifacts::jwks());
    let public = policy::with_public_route(document.clone());
    let (callers, tokens) = (Callers::Anonymous, 1);
    let path = policy::PUBLIC_PATH.to_owned();
    let request = Request { name: "anonymous", path, callers, tokens };
    let plain = suite.plain(&request);
    let base = suite.native(&request, Chain::Native(public.clone()), 200);
    let ours = suite.ours(&request, public, 200, CacheUse::Unused);
    suite.compare("anonymous, public route", plain, base, ours, None, None);
    let path = policy::permitted_path(ROUTES);
    let request = Request { name: "anonymous denied", path, callers, tokens };
    let base = suite.native(&request, Chain::Native(document.clone()), 403);
    let ours = suite.ours(&request, document, 403, CacheUse::Unused);
    suite.compare("anonymous, denied", plain, base, ours, None, None);
}

fn large_tokens(suite: &mut Suite) {
    let document = policy::document(ROUTES, &artifacts::jwks());
    let request = Request::unseen("8 KiB unseen", Callers::Large);
    let plain = suite.plain(&request);
    let base = suite.native(&request, Chain::Native(document.clone()), 200);
    let ours = suite.ours(&request, document.clone(), 200, CacheUse::Misses);
    suite.compare("token of 8 KiB not seen before, RS256", plain, base, ours, None, None);
    let request = Request { name: "8 KiB seen", tokens: LARGE_SEEN, ..request };
    let ours = suite.ours(&request, document, 200, CacheUse::Hits);
    suite.compare("token of 8 KiB seen before, RS256", plain, base, ours, None, None);
}

fn bad_tokens(suite: &mut Suite) {
    let document = policy::document(ROUTES, &artifacts::jwks());
    for (name, title, callers) in [
        ("forged", "forged signature, RS256: 401", Callers::Forged),
        ("garbage", "garbage for a token: 401", Callers::Garbage),
    ] {
        let request = Request::unseen(name, callers);
        let plain = suite.plain(&request);
        let base = suite.native(&request, Chain::Native(document.clone()), 401);
        let ours = suite.ours(&request, document.clone(), 401, CacheUse::Misses);
        suite.compare(title, plain, base, ours, None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite;
    use super::*;

    #[test]
    fn every_listener_has_a_name_of_its_own() {
        let mut suite = suite::standard();
        add(&mut suite);
        suite.check_names();
    }

    #[test]
    fn comparisons_are_of_one_load() {
        let mut suite = suite::standard();
        add(&mut suite);
        for comparison in &suite.comparisons {
            let [plain, base, ours] = [comparison.plain, comparison.base, comparison.ours]
                .map(|place| suite.measured[place].clone());
            assert!(matches!(plain.chain, Chain::Plain) && ours.chain.is_ours());
            assert_eq!((base.callers, base.status), (ours.callers, ours.status));
            let is_one_path = base.path == ours.path || base.chain.is_ours();
            assert!(is_one_path, "{}", comparison.title);
        }
    }
}
