//! `hosts`: a document that mirrors the virtual hosts of the router judges a request by the routes
//! of the virtual host that the router chooses for it, however its host is written.

mod authorities;

use std::io;
use std::sync::Arc;

use jwt_rbac_e2e::check;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::http2::{self, Reset};
use jwt_rbac_e2e::listener::DETAILS_HEADER;
use jwt_rbac_e2e::protocol::Protocol;
use jwt_rbac_e2e::shared::SharedEnvoy;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::verdict;
use jwt_rbac_e2e::virtual_hosts::{self, Ports, VIRTUAL_HOST_HEADER, VirtualHost};
use serde_json::{Value, json};

use authorities::Outcome::{self, Host, Invalid, InvalidOrFirst, Unknown};
use authorities::{AUTHORITIES, STRIPPABLE};

const HOSTS: [VirtualHost; 7] = [
    VirtualHost { name: "status", domains: &["status.example.com"] },
    VirtualHost { name: "underscore", domains: &["a_b.example.com"] },
    VirtualHost { name: "europe", domains: &["*.eu.example.com"] },
    VirtualHost { name: "example", domains: &["*.example.com"] },
    VirtualHost { name: "ipv4", domains: &["127.0.0.1"] },
    VirtualHost { name: "ipv6", domains: &["[::1]", "[2001:db8::1]"] },
    ANY,
];
const ANY: VirtualHost = VirtualHost { name: "any", domains: &["*"] };
/// The virtual host whose routes let everybody in.
const PUBLIC: &str = "status";

/// Is denied on every host, by a route that has the name of the virtual host.
const DENIED_PATH: &str = "/whose";
const OPEN_PATH: &str = "/page";

const IGNORED: Ports = Ports { ignored: true, stripped: false };
const STRIPPED: Ports = Ports { ignored: true, stripped: true };
const COMPARED: Ports = Ports { ignored: false, stripped: false };
/// What is removed at the end can leave a port behind, which this router compares.
const STRIPPED_ONCE: Ports = Ports { ignored: false, stripped: true };

#[test]
fn a_host_is_judged_by_the_routes_of_its_virtual_host() {
    let envoy = envoy();
    let mut failures = Vec::new();
    for &(authority, ignored) in AUTHORITIES {
        let stripped = STRIPPABLE.iter().find(|(strippable, _)| *strippable == authority);
        let stripped = stripped.map_or(ignored, |(_, outcome)| *outcome);
        for (listener, outcome) in [("ignored", ignored), ("stripped", stripped)] {
            failures.extend(judge(&envoy, listener, authority, outcome));
        }
        // A router that compares ports is a test of its own.
        if !authority.contains(':') || !matches!(ignored, Host(_)) || authority.ends_with(']') {
            failures.extend(judge(&envoy, "compared", authority, ignored));
        }
    }
    report(&failures);
}

#[test]
fn without_an_asterisk_other_hosts_are_unknown() {
    let envoy = envoy();
    let mut failures = Vec::new();
    for &(authority, outcome) in AUTHORITIES {
        let outcome = if outcome == Host("any") { Unknown } else { outcome };
        failures.extend(judge(&envoy, "named", authority, outcome));
    }
    report(&failures);
}

#[test]
fn an_asterisk_alone_is_every_host_but_no_text_that_is_none() {
    let envoy = envoy();
    let mut failures = Vec::new();
    for &(authority, outcome) in AUTHORITIES {
        let outcome = if let Host(_) = outcome { Host("any") } else { outcome };
        failures.extend(judge(&envoy, "any", authority, outcome));
    }
    report(&failures);
}

/// The property behind the tables, for whatever can be put together.
#[test]
fn no_spelling_is_judged_by_the_routes_of_another_virtual_host() {
    const NAMES: [&str; 6] = [
        "status.example.com",
        "a_b.example.com",
        "x.eu.example.com",
        "[::1]",
        "127.0.0.1",
        "other.test",
    ];
    const STARTS: [&str; 6] = ["", "x.", ".", "user@", "0", "other.test,"];
    const ENDS: [&str; 5] = ["", ".", "..", ".example.com", "%2e"];
    const PORTS: [&str; 6] = ["", ":80", ":080", ":", ":x", ":99999"];
    let envoy = envoy();
    let mut failures = Vec::new();
    let mut judged = 0;
    for (listener, ports) in [("ignored", &PORTS[..]), ("compared", &PORTS[..1])] {
        for name in NAMES {
            for (start, end) in STARTS.iter().flat_map(|start| ENDS.map(|end| (start, end))) {
                for port in ports {
                    let authority = format!("{start}{name}{end}{port}");
                    for protocol in Protocol::ALL {
                        let answer = ask(&envoy, listener, protocol, DENIED_PATH, &authority);
                        let Ok(response) = answer else { continue };
                        let Some(rule) = rule(&response) else { continue };
                        judged += 1;
                        if Some(&rule) != response.header(VIRTUAL_HOST_HEADER).as_ref() {
                            failures.push(format!(
                                "{protocol:?}, {listener}, {authority:?}: expected the routes of \
                                 the virtual host, got those of {rule}: {}",
                                told(&response)
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(judged > 100, "only {judged} requests were judged by a route");
    report(&failures);
}

/// What the documentation asks Envoys other than Istio's to be configured for: a route can't name
/// a port, so a router that compares ports can't be mirrored.
#[test]
fn a_router_that_compares_ports_has_other_virtual_hosts() {
    let envoy = envoy();
    for (compared, ignored, authority) in [
        ("compared", "ignored", "status.example.com:80"),
        ("compared", "ignored", "[::1]:8080"),
        ("stripped-once", "stripped", "status.example.com:80:80"),
    ] {
        for protocol in Protocol::ALL {
            let chosen = |listener: &str| {
                let response = ask(&envoy, listener, protocol, DENIED_PATH, authority);
                let response = response.expect("an answer");
                (rule(&response).expect("a route judged it"), response.header(VIRTUAL_HOST_HEADER))
            };
            let (rule, virtual_host) = chosen(ignored);
            assert_eq!(virtual_host.as_ref(), Some(&rule), "{protocol:?} {authority}");
            assert_eq!(
                chosen(compared),
                (rule, Some("any".to_owned())),
                "{protocol:?} {authority}"
            );
        }
    }
}

/// Envoy takes the host of the target (RFC 9112 §3.2.2).
#[test]
fn an_absolute_target_names_the_host() {
    let envoy = envoy();
    let mut failures = Vec::new();
    for (target, host, outcome) in [
        ("http://status.example.com", "other.test", Host("status")),
        ("http://status.example.com:80", "other.test", Host("status")),
        ("HTTP://Status.Example.Com", "other.test", Host("status")),
        ("https://status.example.com", "other.test", Host("status")),
        ("http://other.test", "status.example.com", Host("any")),
        ("http://www.example.com", "status.example.com", Host("example")),
        ("http://[::1]", "status.example.com", Host("ipv6")),
        ("http://[0:0::1]", "status.example.com", Unknown),
        ("http://status.example.com.", "status.example.com", Unknown),
        ("http://status.example.com:080", "status.example.com", Unknown),
        // Envoy removes user info here, before anybody chooses.
        ("http://user@status.example.com", "other.test", Host("status")),
        ("http://other.test@status.example.com", "other.test", Host("status")),
        ("http://status.example.com@other.test", "status.example.com", Host("any")),
        ("http://user@status.example.com.", "other.test", Unknown),
        ("http://status.example.com:", "status.example.com", Invalid),
        ("http://", "status.example.com", Invalid),
        ("ftp://status.example.com", "status.example.com", Invalid),
    ] {
        for path in [DENIED_PATH, OPEN_PATH] {
            let request = Request::get(&format!("{target}{path}")).header("host", host);
            let answer = Protocol::Http1.send(envoy.address("ignored"), &request);
            if let Err(got) = expect(answer, path, outcome, Protocol::Http1) {
                failures.push(format!("{target}{path}, Host: {host}: {got}"));
            }
        }
    }
    report(&failures);
}

/// HTTP/2 can name a host in two places; Envoy takes one for both the filter and the router.
#[test]
fn the_authority_of_http2_is_the_host() {
    let envoy = envoy();
    let mut failures = Vec::new();
    let authority = ":authority";
    for (fields, outcome) in [
        (&[(authority, "status.example.com"), ("host", "other.test")][..], Host("status")),
        (&[(authority, "other.test"), ("host", "status.example.com")], Host("any")),
        (&[(authority, "status.example.com."), ("host", "status.example.com")], Unknown),
        (&[("host", "status.example.com")], Host("status")),
        (&[("host", "status.example.com.")], Unknown),
        (&[("host", "status.example.com"), ("host", "other.test")], InvalidOrFirst("status")),
        (&[(authority, "status.example.com"), (authority, "other.test")], Invalid),
        (&[], Invalid),
    ] {
        for path in [DENIED_PATH, OPEN_PATH] {
            let mut sent = vec![(":method", "GET"), (":scheme", "http"), (":path", path)];
            sent.extend(fields);
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let sent: Vec<_> = sent.iter().map(owned).collect();
            let answer = http2::exchange(envoy.address("ignored"), &sent, b"");
            if let Err(got) = expect(answer, path, outcome, Protocol::Http2) {
                failures.push(format!("{fields:?}, {path}: {got}"));
            }
        }
    }
    report(&failures);
}

/// A host of a document is read as that of a request is.
#[test]
fn a_host_that_no_request_can_have_is_refused_at_load() {
    let mut failures = Vec::new();
    for host in [
        "api.example.com:9090",
        "api.example.com:80",
        "*.example.com:80",
        "[::1]:80",
        "api.example.com.",
        "*.example.com.",
        "[0::1]",
        "[0:0:0:0:0:0:0:1]",
        "user@api.example.com",
        "http://api.example.com",
        "api..example.com",
        "api.example.com/x",
        "",
    ] {
        let document = json!({"routes": [
            {"paths": ["/a"], "hosts": [host], "access": "PUBLIC"},
            {"paths": ["/{**}"], "hosts": ["*"], "access": "DENIED"},
        ]});
        let errors = verdict::errors(&document);
        let place = "routes[0].hosts[0]";
        if !errors.iter().any(|error| error.starts_with(place)) {
            failures.push(format!("{host:?}: expected an error at {place}, got {errors:?}"));
        }
    }
    report(&failures);
    for host in ["api.example.com", "API.example.com", "*.example.com", "a_b.test", "[::1]", "*"] {
        let document = json!({"routes": [{"paths": ["/a"], "hosts": [host], "access": "PUBLIC"}]});
        assert_eq!(verdict::errors(&document), [""; 0], "{host}");
    }
}

/// The failures of an authority on a listener, over both protocols.
fn judge(envoy: &Envoy, listener: &str, authority: &str, outcome: Outcome) -> Vec<String> {
    let mut failures = Vec::new();
    for protocol in Protocol::ALL {
        for path in [DENIED_PATH, OPEN_PATH] {
            let answer = ask(envoy, listener, protocol, path, authority);
            if let Err(got) = expect(answer, path, outcome, protocol) {
                failures
                    .push(format!("{protocol:?}, ports {listener}, {authority:?}{path}: {got}"));
            }
        }
    }
    failures
}

fn ask(
    envoy: &Envoy,
    listener: &str,
    protocol: Protocol,
    path: &str,
    authority: &str,
) -> io::Result<Response> {
    protocol.send(envoy.address(listener), &Request::get(path).header("host", authority))
}

/// Whether the answer is what must come of a request for this path.
fn expect(
    answer: io::Result<Response>,
    path: &str,
    outcome: Outcome,
    protocol: Protocol,
) -> Result<(), String> {
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            let is_refused = Reset::of(&error).is_some() && protocol == Protocol::Http2;
            let is_right = is_refused && !matches!(outcome, Host(_));
            return if is_right {
                Ok(())
            } else {
                Err(format!("expected {outcome:?}, got {error}"))
            };
        }
    };
    let outcome = match outcome {
        InvalidOrFirst(_) if response.status == 400 => Invalid,
        InvalidOrFirst(host) => Host(host),
        other => other,
    };
    let is_right = match outcome {
        Host(host) => {
            let is_chosen = response.header(VIRTUAL_HOST_HEADER).as_deref() == Some(host);
            let is_reached = Seen::of(&response).is_some();
            let details = response.header(DETAILS_HEADER).unwrap_or_default();
            let is_judged = match path {
                DENIED_PATH => details == denied(host, "route_denied"),
                _ if host == PUBLIC => response.status == 200 && is_reached,
                _ => details == denied(&format!("{host}.pages"), "identity_missing"),
            };
            is_chosen && is_judged
        }
        Unknown => {
            let details = response.header(DETAILS_HEADER);
            response.status == 403 && details == Some(denied("none", "host_unknown"))
        }
        Invalid | InvalidOrFirst(_) => response.status == 400 && Seen::of(&response).is_none(),
    };
    if is_right {
        return Ok(());
    }
    Err(format!("expected {outcome:?}, got {}", told(&response)))
}

/// The details of a denial.
fn denied(rule: &str, reason: &str) -> String {
    format!("rbac_access_denied_matched_policy[{rule}]{{{reason}}}")
}

/// The route that denied [`DENIED_PATH`].
fn rule(response: &Response) -> Option<String> {
    let details = response.header(DETAILS_HEADER)?;
    let rest = details.strip_prefix("rbac_access_denied_matched_policy[")?;
    Some(rest.strip_suffix("]{route_denied}")?.to_owned())
}

fn told(response: &Response) -> String {
    let host = response.header(VIRTUAL_HOST_HEADER);
    format!("{} of virtual host {host:?}", check::summary(response))
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{}\n{} failures", failures.join("\n"), failures.len());
}

fn envoy() -> Arc<Envoy> {
    static ENVOY: SharedEnvoy = SharedEnvoy::new();
    ENVOY.get(|| {
        let all = document(&HOSTS);
        let named = document(&HOSTS[..HOSTS.len() - 1]);
        let any = document(&[ANY]);
        let listeners = [
            virtual_hosts::listener("ignored", &all, &HOSTS, IGNORED),
            virtual_hosts::listener("stripped", &all, &HOSTS, STRIPPED),
            virtual_hosts::listener("compared", &all, &HOSTS, COMPARED),
            virtual_hosts::listener("stripped-once", &all, &HOSTS, STRIPPED_ONCE),
            virtual_hosts::listener("named", &named, &HOSTS, IGNORED),
            virtual_hosts::listener("any", &any, &[ANY], IGNORED),
        ];
        virtual_hosts::start(&listeners, &HOSTS)
    })
}

/// The routes of each virtual host.
fn document(hosts: &[VirtualHost]) -> Value {
    let mut routes = Vec::new();
    for VirtualHost { name, domains } in hosts {
        let access = if *name == PUBLIC { "PUBLIC" } else { "AUTHENTICATED" };
        routes.extend([
            json!({"name": name, "hosts": domains, "paths": [DENIED_PATH], "access": "DENIED"}),
            json!({
                "name": format!("{name}.pages"),
                "hosts": domains,
                "paths": ["/{**}"],
                "access": access,
            }),
        ]);
    }
    json!({"jwtRules": [jwt_rbac_e2e::tokens::provider()], "routes": routes})
}
