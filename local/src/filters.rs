//! The HTTP filters of a listener: our module, configured the way Istio does it, and the router.

use std::path::Path;

use serde_json::{Value, json};

/// Our filter with a document. `name` is that of the plugin, `<namespace>.<resource>` in Istio.
///
/// Istio hands `pluginConfig` over as one JSON text, sets no `vm_id`, so that all our plugins
/// share one VM for each worker, and translates `failStrategy: FAIL_RELOAD` to this policy.
#[must_use]
pub fn jwt_rbac(name: &str, document: &Value, module: &Path) -> Value {
    http(
        "envoy.filters.http.wasm",
        "envoy.extensions.filters.http.wasm.v3.Wasm",
        &json!({"config": {
            "name": name,
            "root_id": name,
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": module}},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": document.to_string(),
            },
        }}),
    )
}

/// The filter that ends every chain.
#[must_use]
pub fn router() -> Value {
    http("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", &json!({}))
}

/// An HTTP filter by its name, its message type and the fields of that message.
#[must_use]
pub fn http(name: &str, message: &str, fields: &Value) -> Value {
    let mut config = fields.clone();
    config["@type"] = format!("type.googleapis.com/{message}").into();
    json!({"name": name, "typed_config": config})
}
