//! Who asks whom for what: the documents of the suite, and the requests that show a rule at work.

use std::fmt;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::with_tunnels;
use jwt_rbac_e2e::other_names;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Value, json};

/// A listener, a path and a caller.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub listener: &'static str,
    pub path: &'static str,
    pub caller: Caller,
}

/// Who sends the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    User,
    Admin,
}

impl Caller {
    /// The request with the token of this caller.
    pub fn identified(self, request: Request) -> Request {
        let recipe = Recipe::of_caller("user");
        match self {
            Self::Anonymous => request,
            Self::User => request.bearer(&recipe.mint()),
            Self::Admin => {
                request.bearer(&recipe.claim("permissions", json!(["see:admin"])).mint())
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listener, path, caller } = self;
        write!(formatter, "{listener} {path} by {caller:?}")
    }
}

pub const ITEM: Place = Place { listener: "routes", path: "/item/7", caller: Caller::User };
pub const ITEM_OF_ADMIN: Place = Place { caller: Caller::Admin, ..ITEM };
pub const PUBLIC: Place = Place { listener: "routes", path: "/open", caller: Caller::Anonymous };
pub const IGNORED: Place = Place { path: "/ignored", ..PUBLIC };
pub const HOSTS: Place = Place { listener: "hosts", ..PUBLIC };
pub const NO_ROUTES: Place = Place { listener: "tokens", ..ITEM };
pub const TRIED: Place = Place { listener: "tried", ..ITEM };

/// One Envoy with a listener for each document.
pub fn start() -> Envoy {
    let hosts = json!({"routes": [
        {"hosts": ["status.test"], "paths": ["/open"], "access": "PUBLIC"},
    ]});
    let routes = document();
    let mut tried = routes.clone();
    tried["dryRun"] = true.into();
    let tokens = json!({"jwtRules": routes["jwtRules"]});
    let module = artifacts::wasm().unwrap();
    let listeners = [("routes", routes), ("tried", tried), ("tokens", tokens), ("hosts", hosts)];
    let listeners = listeners
        .map(|(name, document)| with_tunnels(name, &[filters::jwt_rbac(name, &document, &module)]));
    Envoy::before_upstream(&listeners, None)
}

fn document() -> Value {
    json!({
        "jwtRules": [other_names::provider()],
        "routes": [
            {"paths": ["/item/{id}"], "methods": ["DELETE"], "permissions": ["delete:items"]},
            {"paths": ["/item/{id}"], "permissions": ["read:book-details"]},
            {"paths": ["/admin"], "permissions": ["see:admin"]},
            {"paths": ["/open"], "access": "PUBLIC"},
            {"paths": ["/ignored"], "access": "PUBLIC", "token": "IGNORE"},
        ],
    })
}
