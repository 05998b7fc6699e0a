//! `make bench-all`: tokens that nobody has signed, with the key sets for which checking them costs
//! most. What such a request costs must stay below a bound, because anybody can send one.

use serde_json::{Value, json};

use super::callers::Callers;
use super::forgery::{Forgery, KeyKind};
use super::listeners::Chain;
use super::policy;
use super::suite::{CacheUse, ROUTES, Request, Suite};

/// What a refused request may cost, in microseconds.
const BOUND: f64 = 2_500.0;
/// The same for a set of nothing but RSA-2048 and P-256 keys, in microseconds.
const BOUND_OF_COMMON_KEYS: f64 = 300.0;

/// A key set and a token that is checked with it.
struct Case {
    name: &'static str,
    title: &'static str,
    keys: KeyKind,
    count: usize,
    have_ids: bool,
    algorithm: &'static str,
    /// Whether `algorithms` of the rule lists it.
    is_listed: bool,
    bound: f64,
}

const CASES: [Case; 8] = [
    Case {
        name: "six RSA-2048, RS256",
        title: "six RSA-2048 keys, each with a `kid`; RS256 without `kid`",
        keys: KeyKind::Rsa(256),
        count: 6,
        have_ids: true,
        algorithm: "RS256",
        is_listed: false,
        bound: BOUND_OF_COMMON_KEYS,
    },
    Case {
        name: "six RSA-2048, PS256",
        title: "the same keys; PS256 without `kid`",
        keys: KeyKind::Rsa(256),
        count: 6,
        have_ids: true,
        algorithm: "PS256",
        is_listed: false,
        bound: BOUND_OF_COMMON_KEYS,
    },
    Case {
        name: "RSA-4096, PS256 listed",
        title: "an RSA-4096 key, PS256 in `algorithms`; PS256",
        keys: KeyKind::Rsa(512),
        count: 1,
        have_ids: false,
        algorithm: "PS256",
        is_listed: true,
        bound: BOUND,
    },
    Case {
        name: "RSA-4096, PS256",
        title: "an RSA-4096 key, no `algorithms`; PS256",
        keys: KeyKind::Rsa(512),
        count: 1,
        have_ids: false,
        algorithm: "PS256",
        is_listed: false,
        bound: BOUND,
    },
    Case {
        name: "eight P-521, ES512",
        title: "eight P-521 keys without `kid`; ES512",
        keys: KeyKind::P521,
        count: 8,
        have_ids: false,
        algorithm: "ES512",
        is_listed: false,
        bound: BOUND,
    },
    Case {
        name: "two RSA-8192, PS256",
        title: "two RSA-8192 keys; PS256",
        keys: KeyKind::Rsa(1024),
        count: 2,
        have_ids: false,
        algorithm: "PS256",
        is_listed: false,
        bound: BOUND,
    },
    Case {
        name: "five Ed25519, EdDSA",
        title: "five Ed25519 keys without `kid`; EdDSA",
        keys: KeyKind::Ed25519,
        count: 5,
        have_ids: false,
        algorithm: "EdDSA",
        is_listed: false,
        bound: BOUND,
    },
    Case {
        name: "P-384, ES384",
        title: "a P-384 key; ES384",
        keys: KeyKind::P384,
        count: 1,
        have_ids: false,
        algorithm: "ES384",
        is_listed: false,
        bound: BOUND,
    },
];

/// The comparisons of all cases.
pub fn suite() -> Suite {
    let mut suite = Suite::default();
    for case in CASES {
        let forgery = Forgery { algorithm: case.algorithm, keys: case.keys };
        let request = Request::unseen(case.name, Callers::Unsigned(forgery));
        let document = case.document();
        // The pair takes whatever its keys can check; there is nothing to list.
        let native = policy::document(ROUTES, &case.key_set());
        let plain = suite.plain(&request);
        let base = suite.native(&request, Chain::Native(native), 401);
        let ours = suite.ours(&request, document, 401, CacheUse::NoHits);
        suite.compare(case.title, plain, base, ours, None, None);
        suite.comparisons.last_mut().expect("just made").bound = Some(case.bound);
    }
    suite
}

impl Case {
    fn key_set(&self) -> String {
        self.keys.key_set(self.count, self.have_ids)
    }

    fn document(&self) -> Value {
        let mut document = policy::document(ROUTES, &self.key_set());
        if self.is_listed {
            document["jwtRules"][0]["algorithms"] = json!([self.algorithm]);
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_has_a_name_of_its_own() {
        suite().check_names();
    }

    #[test]
    fn every_case_has_a_bound() {
        let suite = suite();
        assert!(suite.comparisons.iter().all(|it| it.bound.is_some()));
        assert_eq!(suite.measured.len(), 3 * suite.comparisons.len());
    }
}
