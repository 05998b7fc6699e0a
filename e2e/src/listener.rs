//! One listener: a connection manager like that of an Istio sidecar, except that it leaves the
//! request as the client wrote it, so that the filter under test sees every odd byte.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::artifacts;
use crate::bootstrap::{self, UPSTREAM, address};
use crate::filters;

/// The header in which a local reply carries Envoy's response code details.
pub const DETAILS_HEADER: &str = "x-test-details";

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.\
                       http_connection_manager.v3.HttpConnectionManager";

/// A listener on a free port with these HTTP filters, the router behind them.
pub fn listener(name: &str, filters: &[Value]) -> Value {
    of_manager(name, &manager(name, filters))
}

/// The same with our filter alone, configured with this document.
///
/// # Panics
///
/// When the module is not there.
pub fn ours(name: &str, document: &Value) -> Value {
    let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
    listener(name, &[filters::jwt_rbac(name, document, &module)])
}

/// The same with another limit for the headers of a request; Envoy's own is 60 KiB.
pub fn with_header_limit(name: &str, filters: &[Value], kibibytes: u32) -> Value {
    let mut manager = manager(name, filters);
    manager["max_request_headers_kb"] = kibibytes.into();
    of_manager(name, &manager)
}

/// The same for WebSocket, as in every sidecar, and CONNECT.
pub fn with_tunnels(name: &str, filters: &[Value]) -> Value {
    let mut manager = manager(name, filters);
    manager["upgrade_configs"] =
        json!([{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]);
    let connect = json!({"match": {"connect_matcher": {}}, "route": {"cluster": UPSTREAM}});
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut();
    routes.expect("a list of routes").insert(0, connect);
    of_manager(name, &manager)
}

/// The same for trailers, which Envoy drops from HTTP/1.1 otherwise. Its requests go to this cluster,
/// which is one of [`cluster_with_trailers`].
pub fn with_trailers(name: &str, filters: &[Value], cluster: &str) -> Value {
    with_manager(name, filters, |manager| {
        manager["http_protocol_options"]["enable_trailers"] = true.into();
        let route = &mut manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"];
        route["cluster"] = cluster.into();
    })
}

/// A cluster that gets the trailers of requests.
pub fn cluster_with_trailers(name: &str, endpoint: SocketAddr) -> Value {
    const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let mut cluster = bootstrap::cluster(name, endpoint);
    cluster["typed_extension_protocol_options"] = json!({OPTIONS: {
        "@type": format!("type.googleapis.com/{OPTIONS}"),
        "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
    }});
    cluster
}

/// The same with another connection manager: `change` changes it.
pub fn with_manager(name: &str, filters: &[Value], change: impl FnOnce(&mut Value)) -> Value {
    let mut manager = manager(name, filters);
    change(&mut manager);
    of_manager(name, &manager)
}

/// The same with an access log: a line of this format for each request, in this file.
pub fn with_access_log(name: &str, filters: &[Value], file: &Path, format: &str) -> Value {
    let mut manager = manager(name, filters);
    manager["access_log"] = json!([{
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": file,
            "log_format": {"text_format_source": {"inline_string": format}},
        },
    }]);
    of_manager(name, &manager)
}

pub(crate) fn manager(name: &str, filters: &[Value]) -> Value {
    let mut chain = filters.to_vec();
    chain.push(filters::router());
    json!({
        "@type": MANAGER,
        "codec_type": "AUTO",
        "stat_prefix": name,
        "normalize_path": false,
        // As over HTTP/2, where Envoy takes any method.
        "http_protocol_options": {"allow_custom_methods": true},
        "generate_request_id": false,
        // An invalid request ends its stream alone. Envoy would close the connection only after a
        // delay.
        "http2_protocol_options": {"override_stream_error_on_invalid_http_message": true},
        "http_filters": chain,
        "local_reply_config": show_details(),
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": UPSTREAM}}],
        }]},
    })
}

pub(crate) fn of_manager(name: &str, manager: &Value) -> Value {
    json!({
        "name": name,
        "address": address("127.0.0.1", 0),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }]}],
    })
}

/// A mapper for every local reply, which adds the details and nothing else.
fn show_details() -> Value {
    let always = json!({"status_code_filter": {"comparison": {
        "op": "GE",
        "value": {"default_value": 0, "runtime_key": "e2e.always"},
    }}});
    json!({"mappers": [{
        "filter": always,
        "headers_to_add": [
            {"header": {"key": DETAILS_HEADER, "value": "%RESPONSE_CODE_DETAILS%"}},
        ],
    }]})
}
