//! Why `migrate` writes policies and never `routes`: for each kind of rule that looks like a route there
//! is a request about which the two differ. `docs/migration.md` names them.

use jwt_rbac_explain::ask::{Ask, Caller};
use jwt_rbac_explain::outcome;
use jwt_rbac_explain::policy::{Policy, Signatures};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

/// A rule of an ALLOW policy, and the route that says nearly the same.
struct Pair {
    rules: Value,
    routes: Value,
}

impl Pair {
    fn of(operation: &Value, route: &Value) -> Self {
        Self { rules: json!([{"to": [{"operation": operation}]}]), routes: json!([route]) }
    }

    /// Whether the policy and the route let a request pass.
    fn allow(&self, ask: &Ask) -> [bool; 2] {
        let policies = ("authorizationPolicies", json!([{"name": "p", "rules": self.rules}]));
        [policies, ("routes", self.routes.clone())].map(|(field, value)| {
            let mut config = json!({
                "jwtRules": [{"issuer": "https://tenant.auth0.com/", "anyAudience": true}],
            });
            config[field] = value;
            let policy = Policy::compile(config, Signatures::Assumed, None).expect("no errors");
            outcome(&policy, ask, NOW).decision == "allow"
        })
    }
}

fn path(path: &str, route: &str) -> Pair {
    Pair::of(&json!({"paths": [path]}), &json!({"paths": [route], "access": "PUBLIC"}))
}

#[test]
fn a_path_of_a_policy_is_compared_letter_by_letter_and_a_route_reads_it() {
    for (pair, same, other, expected) in [
        (path("/a", "/a"), "GET /a", "GET /a/", [false, true]),
        (path("/a", "/a"), "GET /a", "GET /%61", [false, true]),
        (path("/a/*", "/a/{**}"), "GET /a/b", "GET /a", [false, true]),
        (path("/a/*", "/a/{**}"), "GET /a/b/c", "GET /a/b;c", [true, false]),
    ] {
        let allow = |request| pair.allow(&Ask::parse(request).expect("a request"));
        assert_eq!(allow(same), [true, true], "{same}");
        assert_eq!(allow(other), expected, "{other}");
    }
}

#[test]
fn methods_differ_by_head_and_by_case() {
    let operation = json!({"methods": ["GET"]});
    let route = json!({"paths": ["/{**}"], "methods": ["GET"], "access": "PUBLIC"});
    let get = Pair::of(&operation, &route);
    let any = path("/*", "/{**}");
    for (pair, request, expected) in [
        (&get, "GET /a", [true, true]),
        (&get, "HEAD /a", [false, true]),
        (&any, "GET /a", [true, true]),
        (&any, "get /a", [true, false]),
    ] {
        assert_eq!(pair.allow(&Ask::parse(request).expect("a request")), expected, "{request}");
    }
}

#[test]
fn any_request_principal_has_a_subject() {
    let pair = Pair {
        rules: json!([{"from": [{"source": {"requestPrincipals": ["*"]}}]}]),
        routes: json!([{"paths": ["/{**}"], "access": "AUTHENTICATED"}]),
    };
    for (claims, expected) in
        [(json!({"sub": "joe"}), [true, true]), (json!({"sub": ""}), [false, true])]
    {
        let claims = claims.as_object().expect("claims").clone();
        let ask = Ask::parse("GET /a").expect("a request").by(Caller::Claims(claims.clone()));
        assert_eq!(pair.allow(&ask), expected, "{claims:?}");
    }
}

#[test]
fn policies_add_up_and_the_most_specific_route_decides_alone() {
    let pair = Pair {
        rules: json!([
            {
                "to": [{"operation": {"paths": ["/a/*"]}}],
                "when": [{"key": "request.auth.claims[role]", "values": ["admin"]}],
            },
            {
                "to": [{"operation": {"paths": ["/a/b"]}}],
                "when": [{"key": "request.auth.claims[role]", "values": ["user"]}],
            },
        ]),
        routes: json!([
            {"paths": ["/a/{**}"], "claims": [{"claim": "role", "values": ["admin"]}]},
            {"paths": ["/a/b"], "claims": [{"claim": "role", "values": ["user"]}]},
        ]),
    };
    for (role, expected) in [("user", [true, true]), ("admin", [true, false])] {
        let claims = json!({"sub": "joe", "role": role}).as_object().expect("claims").clone();
        let ask = Ask::parse("GET /a/b").expect("a request").by(Caller::Claims(claims));
        assert_eq!(pair.allow(&ask), expected, "{role}");
    }
}
