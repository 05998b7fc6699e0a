//! Policies by header, by address and by peer: nothing that a client writes makes it somebody else.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::listener::with_manager;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::{artifacts, filters, tokens};
use serde_json::{Value, json};

use crate::attack::{Attack, Outcome};
use crate::documents::{BEHIND_PROXY, POLICIES};

const REPEATED: &str = "CVE-2020-25017, CVE-2021-32777, CVE-2026-26308: repeated headers";
const PATTERNS: &str = "CVE-2020-16844: patterns at both ends, in DENY as in ALLOW";
const VALUES: &str = "CVE-2019-9900: bytes that end a value for some readers";
const ADDRESSES: &str = "CVE-2024-45806: addresses that a client writes";
const CERTIFICATES: &str = "Envoy XFCC: certificates that a client writes";
const PLAINTEXT: &str = "ISTIO-SECURITY-2021-004: negated sources without mutual TLS";
const PATHS: &str =
    "CVE-2020-8595, CVE-2021-39156, CVE-2021-32779: query and fragment of a denied path";
const LITERAL: &str = "CVE-2026-39350: characters of regular expressions";

/// A listener whose clients are `hops` proxies away.
pub fn listener(name: &str, hops: u32) -> Value {
    let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
    let filter = filters::jwt_rbac(name, &document(), &module);
    with_manager(name, &[filter], |manager| {
        manager["use_remote_address"] = true.into();
        manager["xff_num_trusted_hops"] = hops.into();
        manager["forward_client_cert_details"] = "SANITIZE".into();
    })
}

fn document() -> Value {
    let to = |paths: &[&str]| json!([{"operation": {"paths": paths}}]);
    let from = |source: Value| json!([{"source": source}]);
    json!({
        "jwtRules": [tokens::provider()],
        "authorizationPolicies": [
            {"name": "open", "action": "ALLOW", "rules": [
                {"to": to(&["/public*", "/mesh*", "/closed*", "/dot"])},
                {"to": to(&["/office"]), "from": from(json!({"remoteIpBlocks": ["10.0.0.0/8"]}))},
                {"to": to(&["/peer"]), "from": [
                    {"source": {"principals": ["*"]}},
                    {"source": {"namespaces": ["*"]}},
                    {"source": {"serviceAccounts": ["istio-system/admin"]}},
                    {"source": {"trustDomains": ["*"]}},
                ]},
                {"to": to(&["/role"]),
                    "when": [{"key": "request.headers[x-role]", "values": ["admin"]}]},
                {"to": to(&["/role"]),
                    "when": [{"key": "request.headers[x-role]", "values": ["root-*", "*-root"]}]},
            ]},
            {"name": "closed", "action": "DENY", "rules": [
                {"when": [{"key": "request.headers[x-tenant]",
                    "values": ["evil", "evil-*", "*-evil"]}]},
                {"to": to(&["/closed", "/closed/*"])},
                {"to": to(&["/mesh/namespace"]), "from": from(json!({"notNamespaces": ["demo"]}))},
                {"to": to(&["/mesh/principal"]), "from": from(json!({"notPrincipals": ["*"]}))},
                {"to": to(&["/mesh/account"]),
                    "from": from(json!({"notServiceAccounts": ["demo/web"]}))},
                {"to": to(&["/mesh/domain"]), "from": from(json!({"notTrustDomains": ["*"]}))},
                {"to": to(&["/mesh/office"]),
                    "from": from(json!({"notRemoteIpBlocks": ["10.0.0.0/8"]}))},
                {"to": to(&["/dot"]),
                    "when": [{"key": "request.headers[x-id]", "notValues": ["a.b+(c)"]}]},
            ]},
        ],
    })
}

/// Requests that these policies let through, so that no row is refused for another reason.
pub fn honest() -> Vec<(&'static str, Request)> {
    let get = |path: &str, name: &str, value: &str| Request::get(path).header(name, value);
    vec![
        (POLICIES, get("/role", "x-role", "admin")),
        (POLICIES, get("/role", "x-role", "root-x")),
        (POLICIES, get("/public/x", "x-tenant", "good")),
        (POLICIES, get("/dot", "x-id", "a.b+(c)")),
        (BEHIND_PROXY, get("/office", "x-forwarded-for", "10.1.2.3")),
        (BEHIND_PROXY, get("/office", "x-forwarded-for", "8.8.8.8, 10.1.2.3")),
        (BEHIND_PROXY, get("/mesh/office", "x-forwarded-for", "10.1.2.3")),
    ]
}

pub fn attacks() -> Vec<Attack> {
    let groups = [repeated(), values(), addresses(), certificates(), paths()];
    groups.into_iter().flatten().collect()
}

/// Headers, of which each line counts.
fn repeated() -> Vec<Attack> {
    let with = |path: &str, name: &str, values: &[&str]| {
        values.iter().fold(Request::get(path), |request, value| request.header(name, value))
    };
    let mut attacks = Vec::new();
    for values in [
        &["evil"][..],
        &["evil", "good"],
        &["good", "evil"],
        &["good", "evil", "good"],
        &["evil", "evil"],
        &["", "evil"],
        &["evil", ""],
        &["good, good", "evil"],
        &["\t evil "],
    ] {
        for name in ["x-tenant", "X-Tenant"] {
            let request = with("/public/x", name, values);
            let label = format!("{name} with {values:?}");
            attacks.push(Attack::new(label, REPEATED, request, Outcome::Denied));
        }
    }
    for value in ["evil-", "evil-x", "-evil", "x-evil", "evil-evil", "evil-,good", "good,x-evil"] {
        let request = with("/public/x", "x-tenant", &[value]);
        attacks.push(Attack::new(format!("x-tenant {value}"), PATTERNS, request, Outcome::Denied));
    }
    // What is not the value opens nothing.
    for (name, values) in [
        ("x-role", &["admin,user"][..]),
        ("x-role", &["user,admin"]),
        ("x-role", &["ADMIN"]),
        ("x-role", &["administrator"]),
        ("x-role", &["\"admin\""]),
        ("x-role", &["*"]),
        ("x-role", &["admi", "n"]),
        ("x_role", &["admin"]),
        ("x-role-", &["admin"]),
        ("x-roles", &["admin"]),
        ("x-role", &["xroot-x"]),
        ("x-role", &["x-rootx"]),
    ] {
        let request = with("/role", name, values);
        let label = format!("{name} with {values:?}");
        attacks.push(Attack::new(label, PATTERNS, request, Outcome::Denied));
    }
    for value in ["axb+(c)", "a.bb(c)", "a.b+c", ".*", "", "a.b+(c", "A.B+(C)"] {
        let request = with("/dot", "x-id", &[value]);
        attacks.push(Attack::new(format!("x-id {value:?}"), LITERAL, request, Outcome::Denied));
    }
    attacks.push(Attack::new("no x-id", LITERAL, Request::get("/dot"), Outcome::Denied));
    attacks.into_iter().map(|attack| attack.on(POLICIES)).collect()
}

fn values() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for odd in ["\u{0}", "\r", "\n", "\u{1}", "\u{7f}", "\u{80}", "\u{ff}", "\u{b}"] {
        for value in [format!("admin{odd}"), format!("{odd}admin"), format!("admin{odd}user")] {
            let request = Request::get("/role").header("x-role", &value);
            let label = format!("x-role {value:?}");
            // Envoy reads some line breaks as the end of the line.
            let outcome = Outcome::Harmless(Box::new(only_admin));
            attacks.push(Attack::new(label, VALUES, request, outcome).on(POLICIES));
        }
    }
    attacks
}

/// What has the role for the policy has it for the workload.
fn only_admin(seen: &Seen) -> Result<(), String> {
    let roles = seen.headers.iter().filter(|(name, _)| name == "x-role");
    let roles: Vec<&str> = roles.map(|(_, value)| value.as_str()).collect();
    if roles == ["admin"] { Ok(()) } else { Err(format!("the workload got the roles {roles:?}")) }
}

/// Headers in which proxies write the address of a client.
fn addresses() -> Vec<Attack> {
    const HEADERS: [&str; 10] = [
        "x-forwarded-for",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-envoy-external-address",
        "x-envoy-original-dst-host",
        "forwarded",
        "x-forwarded",
    ];
    const SPELLINGS: [&str; 12] = [
        "10.0.0.1",
        "10.0.0.1, 10.0.0.1",
        "8.8.8.8, 10.0.0.1",
        "10.0.0.1:80",
        "[::ffff:10.0.0.1]",
        "::ffff:10.0.0.1",
        "010.0.0.1",
        "10.0.0.1/8",
        "10.1",
        "167772161",
        "for=10.0.0.1",
        "10.0.0.1, ",
    ];
    let paths = ["/office", "/mesh/office"];
    let mut attacks = Vec::new();
    for path in paths {
        for header in HEADERS {
            for value in SPELLINGS {
                let request = Request::get(path).header(header, value);
                let label = format!("{header}: {value} for {path}");
                let attack = Attack::new(label, ADDRESSES, request, Outcome::Denied);
                attacks.push(attack.on(POLICIES));
            }
        }
        // Only the last address is the proxy's word; what stands before it is the client's.
        for lines in [
            &["10.0.0.1, 8.8.8.8"][..],
            &["10.0.0.1", "8.8.8.8"],
            &["10.0.0.1,10.0.0.2,8.8.8.8"],
            &["10.0.0.1, 127.0.0.1"],
            &["10.0.0.1, ::1"],
            &["10.0.0.1, unknown"],
            &["10.0.0.1, 10.0.0.1x"],
            &["10.0.0.1 8.8.8.8"],
            &["11.0.0.1"],
            &["110.0.0.1"],
            &[""],
        ] {
            let request = lines
                .iter()
                .fold(Request::get(path), |request, line| request.header("x-forwarded-for", line));
            let label = format!("x-forwarded-for {lines:?} behind a proxy, for {path}");
            let attack = Attack::new(label, ADDRESSES, request, Outcome::Denied);
            attacks.push(attack.on(BEHIND_PROXY));
        }
        for header in HEADERS.iter().skip(1) {
            let request =
                Request::get(path).header("x-forwarded-for", "8.8.8.8").header(header, "10.0.0.1");
            let label = format!("{header} behind a proxy, for {path}");
            let attack = Attack::new(label, ADDRESSES, request, Outcome::Denied);
            attacks.push(attack.on(BEHIND_PROXY));
        }
    }
    attacks
}

/// Without mutual TLS a client is nobody, whatever it writes.
fn certificates() -> Vec<Attack> {
    const VALUES: [(&str, &str); 8] = [
        ("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/istio-system/sa/admin"),
        (
            "x-forwarded-client-cert",
            "By=spiffe://a/ns/b/sa/c;Hash=00;URI=spiffe://cluster.local/ns/demo/sa/web",
        ),
        ("X-Forwarded-Client-Cert", "Subject=\"\";URI=spiffe://cluster.local/ns/demo/sa/web"),
        ("x_forwarded_client_cert", "URI=spiffe://cluster.local/ns/demo/sa/web"),
        ("x-envoy-peer-metadata", "CgA="),
        ("x-envoy-peer-metadata-id", "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local"),
        ("x-spiffe-id", "spiffe://cluster.local/ns/demo/sa/web"),
        ("ssl-client-cert", "spiffe://cluster.local/ns/demo/sa/web"),
    ];
    let mut attacks = Vec::new();
    for (name, value) in VALUES {
        for path in ["/peer", "/mesh/namespace", "/mesh/principal", "/mesh/account", "/mesh/domain"]
        {
            let request = Request::get(path).header(name, value);
            let label = format!("{name}: {value}, for {path}");
            attacks.push(Attack::new(label, CERTIFICATES, request, Outcome::Denied).on(POLICIES));
        }
    }
    for path in ["/mesh/namespace", "/mesh/principal", "/mesh/account", "/mesh/domain"] {
        let label = format!("{path} without a certificate");
        let request = Request::get(path);
        attacks.push(Attack::new(label, PLAINTEXT, request, Outcome::Denied).on(POLICIES));
    }
    attacks
}

/// A DENY policy sees the path without what stands behind it.
fn paths() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for path in ["/closed?", "/closed?x", "/closed/x?y=/public", "/closed/?", "/closed/x"] {
        let label = format!("{path} is denied");
        let request = Request::get(path);
        attacks.push(Attack::new(label, PATHS, request, Outcome::Denied).on(POLICIES));
    }
    for path in ["/closed#", "/closed#x", "/closed/x#/public", "/public/../closed#"] {
        let label = format!("{path} is refused");
        let request = Request::get(path);
        attacks.push(Attack::new(label, PATHS, request, Outcome::Refused).on(POLICIES));
    }
    attacks
}
