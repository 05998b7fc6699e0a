//! A listener whose router has several virtual hosts, each with a workload of its own. Every answer
//! says which of them the router chose.

use serde_json::{Value, json};

use crate::artifacts;
use crate::bootstrap::{self, bootstrap};
use crate::envoy::Envoy;
use crate::filters;
use crate::listener::{manager, of_manager};
use crate::upstream::Upstream;

/// The header with the name of the virtual host that the router chose, in every answer, local
/// replies too.
pub const VIRTUAL_HOST_HEADER: &str = "x-test-virtual-host";

/// A virtual host.
#[derive(Clone, Copy, Debug)]
pub struct VirtualHost {
    /// Its name, which is that of its cluster too.
    pub name: &'static str,
    /// The domains it is for.
    pub domains: &'static [&'static str],
}

/// What is done with the port of an authority. By default Envoy does neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// It is removed before any filter (`strip_any_host_port`).
    pub stripped: bool,
    /// The router chooses virtual hosts without it (`ignore_port_in_host_matching`): as in Istio.
    pub ignored: bool,
}

/// A listener with the filter and this document.
///
/// # Panics
///
/// When the module is not there.
pub fn listener(name: &str, document: &Value, hosts: &[VirtualHost], ports: Ports) -> Value {
    let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
    let mut manager = manager(name, &[filters::jwt_rbac(name, document, &module)]);
    let virtual_hosts: Vec<Value> = hosts.iter().map(virtual_host).collect();
    manager["route_config"] = json!({
        "virtual_hosts": virtual_hosts,
        "ignore_port_in_host_matching": ports.ignored,
    });
    if ports.stripped {
        manager["strip_any_host_port"] = true.into();
    }
    of_manager(name, &manager)
}

/// An Envoy with these listeners, and a workload for each of these virtual hosts.
///
/// # Panics
///
/// When there is no Envoy, or it does not start.
pub fn start(listeners: &[Value], hosts: &[VirtualHost]) -> Envoy {
    let mut bootstrap = bootstrap(Upstream::start().address, listeners, None);
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    let of_host = |host: &VirtualHost| bootstrap::cluster(host.name, Upstream::start().address);
    clusters.expect("a list of clusters").extend(hosts.iter().map(of_host));
    let started = artifacts::envoy().and_then(|binary| Envoy::start(&binary, &bootstrap));
    started.unwrap_or_else(|error| panic!("{error}"))
}

fn virtual_host(host: &VirtualHost) -> Value {
    json!({
        "name": host.name,
        "domains": host.domains,
        "routes": [{
            "match": {"prefix": "/"},
            "route": {"cluster": host.name},
            "response_headers_to_add": [
                {"header": {"key": VIRTUAL_HOST_HEADER, "value": host.name}},
            ],
        }],
    })
}
