//! Faults: the VM of a worker is lost, documents change under load, a plugin goes while it waits for a
//! tick. Whatever happens, nobody gets in who may not.

mod traps;
mod updates;

use jwt_rbac_e2e::tokens::{self, Recipe};
use serde_json::{Value, json};

/// A token that gets in wherever one is asked for.
fn good_token() -> String {
    Recipe::of_caller("user").mint()
}

fn document(routes: &Value) -> Value {
    json!({"jwtRules": [tokens::provider()], "routes": routes})
}
