//! Who calls: the identity in the certificate of the peer, over mutual TLS between two Envoys, as between
//! two sidecars; without TLS; and where Istio's filter state has it, as at a waypoint. Each listener has the
//! native pair as a twin.

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::{bootstrap, cluster};
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::{listener, ours, with_manager};
use jwt_rbac_e2e::native;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Value, json};

/// The workloads that have a certificate in `testdata/peers`: `demo/web` and `other/web.app`.
const PEERS: [&str; 2] = ["demo", "other"];

/// The rule about the server name, which a caller without TLS has not.
const SNI: &str = "sni";

/// A rule, and whether `demo`, `other` and a caller without a certificate match it.
fn rules() -> Vec<(&'static str, Value, [bool; 3])> {
    let from = |source: Value| json!({"from": [{"source": source}]});
    let when = |key: &str, value: &str| json!({"when": [{"key": key, "values": [value]}]});
    vec![
        ("any", from(json!({"principals": ["*"]})), [true, true, false]),
        (
            "exact",
            from(json!({"principals": ["cluster.local/ns/demo/sa/web"]})),
            [true, false, false],
        ),
        (
            "alias",
            from(json!({"principals": ["old.example/ns/demo/sa/web"]})),
            [true, false, false],
        ),
        ("foreign", from(json!({"principals": ["foreign.example/ns/demo/sa/web"]})), [false; 3]),
        ("prefix", from(json!({"principals": ["cluster.local/ns/d*"]})), [true, false, false]),
        ("suffix", from(json!({"principals": ["*/sa/web.app"]})), [false, true, false]),
        ("not", from(json!({"notPrincipals": ["*/sa/web"]})), [false, true, true]),
        ("namespace", from(json!({"namespaces": ["o*r"]})), [false, true, false]),
        ("not-namespace", from(json!({"notNamespaces": ["demo"]})), [false, true, true]),
        ("account", from(json!({"serviceAccounts": ["web"]})), [true, false, false]),
        ("dot", from(json!({"serviceAccounts": ["other/web.app"]})), [false, true, false]),
        ("not-account", from(json!({"notServiceAccounts": ["demo/web"]})), [false, true, true]),
        ("domain", from(json!({"trustDomains": ["cluster*"]})), [true, true, false]),
        ("not-domain", from(json!({"notTrustDomains": ["cluster.local"]})), [false, false, true]),
        ("key", when("source.principal", "*/sa/web"), [true, false, false]),
        ("key-namespace", when("source.namespace", "demo"), [true, false, false]),
        ("key-account", when("source.serviceAccount", "web"), [true, false, false]),
        ("key-domain", when("source.trustDomain", "cluster.local"), [true, true, false]),
        (SNI, when("connection.sni", "web.*"), [true, true, false]),
    ]
}

fn document(action: &str, rule: &Value) -> Value {
    json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
        }],
        "trustDomains": ["cluster.local", "old.example"],
        "authorizationPolicies": [{
            "name": "peers",
            "namespace": "demo",
            "action": action,
            "rules": [rule],
        }],
    })
}

/// Each document on a listener of ours and of the pair, by name.
fn listeners() -> Vec<(String, Value)> {
    let mut listeners = Vec::new();
    for (name, rule, _) in rules() {
        for action in ["ALLOW", "DENY"] {
            let document = document(action, &rule);
            let name = format!("{name}-{action}");
            let filters = native::filters(&document).expect("the pair has words for it");
            listeners.push((name.clone(), ours(&name, &document)));
            let twin = format!("{name}.native");
            listeners.push((twin.clone(), listener(&twin, &filters)));
        }
    }
    listeners
}

#[test]
fn a_certificate_says_who_calls() {
    let upstream = Upstream::start();
    let secured: Vec<Value> = listeners()
        .into_iter()
        .map(|(_, mut listener)| {
            // Reads the server name, as at each of Istio's sidecars.
            listener["listener_filters"] = json!([{
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
                },
            }]);
            listener["filter_chains"][0]["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    "require_client_certificate": true,
                    "common_tls_context": tls("demo"),
                },
            });
            listener
        })
        .collect();
    let envoy = artifacts::envoy().unwrap();
    let server = Envoy::start(&envoy, &bootstrap(upstream.address, &secured, None)).unwrap();
    let mut config = bootstrap(upstream.address, &[], None);
    let (mut hops, mut clusters) = (Vec::new(), Vec::new());
    for (name, _) in listeners() {
        for peer in PEERS {
            let hop = format!("{name} {peer}");
            let mut cluster = cluster(&hop, server.address(&name));
            cluster["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                    "sni": "web.example",
                    "common_tls_context": tls(peer),
                },
            });
            clusters.push(cluster);
            hops.push(with_manager(&hop, &[], |manager| {
                let route = &mut manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"];
                route["cluster"] = json!(hop);
            }));
        }
    }
    config["static_resources"]["clusters"] = clusters.into();
    config["static_resources"]["listeners"] = hops.into();
    let client = Envoy::start(&envoy, &config).unwrap();
    check(|name, number| PEERS.get(number).map(|peer| (&client, format!("{name} {peer}"))));
}

#[test]
fn without_tls_nobody_says_who_calls() {
    let upstream = Upstream::start();
    let plain: Vec<Value> = listeners().into_iter().map(|(_, listener)| listener).collect();
    let config = bootstrap(upstream.address, &plain, None);
    let server = Envoy::start(&artifacts::envoy().unwrap(), &config).unwrap();
    check(|name, number| (number == 2).then(|| (&server, name.to_owned())));
}

/// The pair is asked for its own filter state by istiod alone, so it has no twin here.
#[test]
fn at_a_waypoint_filter_state_says_who_calls() {
    let upstream = Upstream::start();
    let mut all = Vec::new();
    for (name, mut listener) in
        listeners().into_iter().filter(|(name, _)| !name.ends_with("native"))
    {
        let filters = listener["filter_chains"][0]["filters"].as_array_mut().expect("filters");
        filters.insert(0, json!({
            "name": "envoy.filters.network.set_filter_state",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config",
                "on_new_connection": [{
                    "object_key": "io.istio.peer_principal",
                    "factory_key": "envoy.string",
                    "format_string": {"text_format_source": {
                        "inline_string": "spiffe://cluster.local/ns/demo/sa/web",
                    }},
                }],
            },
        }));
        listener["name"] = json!(name);
        all.push(listener);
    }
    let config = bootstrap(upstream.address, &all, None);
    let server = Envoy::start(&artifacts::envoy().unwrap(), &config).unwrap();
    check(|name, number| {
        (number == 0 && !name.ends_with("native") && !name.starts_with(SNI))
            .then(|| (&server, name.to_owned()))
    });
}

/// Asks each listener that `hop` names for the caller with this number of [`rules`].
fn check<'e>(hop: impl Fn(&str, usize) -> Option<(&'e Envoy, String)>) {
    let mut count = 0;
    for (name, rule, matches) in rules() {
        for (number, matches) in matches.into_iter().enumerate() {
            for (action, allowed) in [("ALLOW", matches), ("DENY", !matches)] {
                for suffix in ["", ".native"] {
                    let name = format!("{name}-{action}{suffix}");
                    let Some((envoy, hop)) = hop(&name, number) else { continue };
                    let answer = envoy.answer(&hop, &Request::get("/"));
                    let expected = if allowed { 200 } else { 403 };
                    assert_eq!(answer.status, expected, "{hop}: {rule}: {}", answer.text());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 0);
}

fn tls(peer: &str) -> Value {
    let file = |name: &str| json!({"filename": artifacts::testdata("peers").join(name)});
    json!({
        "tls_certificates": [{
            "certificate_chain": file(&format!("{peer}.pem")),
            "private_key": file(&format!("{peer}-key.pem")),
        }],
        "validation_context": {"trusted_ca": file("ca.pem")},
    })
}
