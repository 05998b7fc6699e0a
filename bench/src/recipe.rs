//! The token that most callers send.

use serde_json::json;

use super::policy;
use jwt_rbac_e2e::tokens::Recipe;

/// A token such as Auth0 issues for an API with permissions.
pub(super) fn recipe(number: usize) -> Recipe {
    Recipe::default()
        .claim("iss", policy::ISSUER.into())
        .claim("sub", format!("auth0|64f1c2a9e13b5c0d{number:08x}").into())
        .claim("aud", json!([policy::AUDIENCE, "https://tenant.auth0.com/userinfo"]))
        // A day: the last run is long after the tokens were minted.
        .claim("exp", "now+86400".into())
        .claim("azp", "pS0n1WzXk4mQ2vJ8rT6yB3cL7dF5gH9a".into())
        .claim("scope", "openid profile email".into())
        .claim("permissions", policy::granted_permissions().into())
}
