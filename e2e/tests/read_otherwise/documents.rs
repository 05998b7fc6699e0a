//! Documents under which a request would be read in two ways: they don't load.

use jwt_rbac_e2e::tokens;
use jwt_rbac_e2e::verdict;
use serde_json::{Value, json};

/// `/x/..%2fadmin` would be public.
#[test]
fn ambiguous_paths_match_no_open_route() {
    let mut failures = Vec::new();
    for open in ["/{**}", "/{rest=**}", "/files/{**}", "/files/{name}", "/files/{*}/page"] {
        let errors = verdict::errors(&with_public_route(open));
        if !errors.iter().any(|error| error.contains("ambiguousPaths")) {
            let expected = "expected an error about ambiguousPaths";
            failures.push(format!("{open}: {expected}, got {errors:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn ambiguous_paths_match_where_all_open_routes_are_literal() {
    for open in ["/", "/health", "/files/index"] {
        assert_eq!(verdict::errors(&with_public_route(open)), [""; 0], "{open}");
    }
}

#[test]
fn ambiguous_paths_match_nothing_where_all_other_paths_are_open() {
    let mut document = with_public_route("/health");
    document["unmatchedRoutes"] = "ALLOW".into();
    let errors = verdict::errors(&document);
    assert!(!errors.is_empty(), "expected an error, got none");
}

fn with_public_route(path: &str) -> Value {
    json!({
        "jwtRules": [tokens::provider()],
        "routes": [
            {"paths": ["/admin/{**}"], "permissions": ["rule:all"]},
            {"paths": [path], "access": "PUBLIC"},
        ],
        "ambiguousPaths": "MATCH",
    })
}
