//! The configuration that Envoy is started with.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

/// The name of the cluster that the routes of every listener point at.
pub const UPSTREAM: &str = "upstream";

/// A bootstrap: the admin interface on a free port, one cluster, and listeners that stay
/// (`listeners`) or come from a file that is rewritten (`dynamic`).
#[must_use]
pub fn bootstrap(upstream: SocketAddr, listeners: &[Value], dynamic: Option<&Path>) -> Value {
    let mut bootstrap = json!({
        "node": {"id": "local", "cluster": "local"},
        "admin": {"address": address("127.0.0.1", 0)},
        "static_resources": {
            "listeners": listeners,
            "clusters": [cluster(UPSTREAM, upstream)],
        },
    });
    if let Some(file) = dynamic {
        bootstrap["dynamic_resources"] = json!({"lds_config": {
            "resource_api_version": "V3",
            "path_config_source": {"path": file},
        }});
    }
    bootstrap
}

/// A cluster with one endpoint.
#[must_use]
pub fn cluster(name: &str, endpoint: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": address(&endpoint.ip().to_string(), endpoint.port()),
            }}]}],
        },
    })
}

/// A socket address in Envoy's words.
#[must_use]
pub fn address(ip: &str, port: u16) -> Value {
    json!({"socket_address": {"address": ip, "port_value": port}})
}
