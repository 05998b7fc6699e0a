//! Keys over TLS, as a `DestinationRule` sets it up: a certificate authority, a server name, and names
//! that the certificate must have.

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::decision_log::events;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::key_server::{Behaviour, KeyServer};
use jwt_rbac_e2e::listener::{listener, ours};
use jwt_rbac_e2e::temporary::TemporaryDirectory;
use jwt_rbac_e2e::upstream::Upstream;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::{document, get, keys, token};

/// The issuer's host, by which Istio names its cluster.
const HOST: &str = "issuer.test";

/// An authority, and a certificate of it for [`HOST`] with its key, all in PEM.
fn certificates() -> [String; 3] {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.distinguished_name.push(DnType::CommonName, "authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(vec![HOST.to_owned()]).expect("parameters");
    let certificate = parameters.signed_by(&key, &issuer).expect("a certificate");
    [root.pem(), certificate.pem(), key.serialize_pem()]
}

/// What Istio makes of `tls: {mode: SIMPLE, sni, caCertificates, subjectAltNames}` of a `DestinationRule`.
fn client(authority: &str, name: &str) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": HOST,
        "common_tls_context": {"validation_context": {
            "trusted_ca": {"inline_string": authority},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": name}}],
        }},
    }})
}

fn server(certificate: &str, key: &str) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": [{
            "certificate_chain": {"inline_string": certificate},
            "private_key": {"inline_string": key},
        }]},
    }})
}

/// The answer to a good token where the certificate must have this name, and Envoy's log.
fn answer(name: &str) -> (u16, String, String) {
    let [authority, certificate, key] = certificates();
    let key_server = KeyServer::start(Behaviour::serves(&keys(&[])));
    let directory = TemporaryDirectory::create().expect("a folder");
    let socket = json!({"pipe": {"path": directory.path().join("keys.sock")}});
    let mut document = document();
    let rule = document["jwtRules"][0].as_object_mut().expect("an object");
    for member in ["jwksCluster", "allowInsecureJwks"] {
        rule.remove(member);
    }
    rule.insert("jwksUri".to_owned(), format!("https://{HOST}/jwks").into());

    let mut before_keys = listener("keys", &[]);
    before_keys["address"] = socket.clone();
    let chain = &mut before_keys["filter_chains"][0];
    chain["transport_socket"] = server(&certificate, &key);
    let routes = &mut chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0];
    routes["routes"][0]["route"]["cluster"] = "plain".into();
    let mut cluster = key_server.cluster(&format!("outbound|443||{HOST}"));
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = socket;
    cluster["transport_socket"] = client(&authority, name);

    let listeners = [ours("ours", &document), before_keys];
    let mut bootstrap = bootstrap(Upstream::start().address, &listeners, None);
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("a list");
    clusters.extend([cluster, key_server.cluster("plain")]);
    let started = artifacts::envoy().and_then(|binary| Envoy::start(&binary, &bootstrap));
    let envoy = started.unwrap_or_else(|error| panic!("{error}"));
    let (status, text) = get(&envoy, "ours", &token("rs256"));
    (status, text, envoy.log())
}

#[test]
fn keys_come_from_a_server_with_the_right_name() {
    let (status, text, log) = answer(HOST);
    assert_eq!(status, 200, "{text}: {log}");
    assert_eq!(events(&log, "keys_fetched")[0]["url"], format!("https://{HOST}/jwks").as_str());
}

#[test]
fn a_server_with_another_name_gives_no_keys() {
    let (status, text, log) = answer("other.test");
    assert_eq!((status, text.as_str()), (401, "Jwks remote fetch is failed"));
    assert_eq!(events(&log, "keys_not_fetched")[0]["cause"], "unreachable");
}
