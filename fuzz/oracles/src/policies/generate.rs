//! Policies and requests that meet each other often enough to be interesting.

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use jsonwebtoken::Algorithm;
use jwt_rbac_explain::ask::{Ask, Caller};
use jwt_rbac_explain::peer::Peer;
use serde_json::{Map, Value, json};

use crate::independent::{encode, sign};
use crate::policy::{AUDIENCE, ISSUER, NOW, SECRET};

const PATHS: &[&str] = &[
    "/", "/a", "/a/", "/a/b", "/a/b/c", "/A", "/ab", "/b", "/b/x/c", "/a//b", "/a%2Fb", "/a?x=/b",
    "/a#/b", "/a|b", "/a/*", "/b/c", "/a/b?c", "*",
];
const PATH_PATTERNS: &[&str] = &[
    "/a",
    "/a*",
    "/a/*",
    "*",
    "*/b",
    "*b",
    "/a/{*}",
    "/{*}/b",
    "/a/{**}",
    "/{**}/c",
    "/{*}/{*}/c",
    "/a/{*}/{**}",
    "/b",
    "/a*b",
    "/{**}",
    "/a/",
    "/a/b",
    "/a/b*",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "OPTIONS", "get", "PATCH"];
const METHOD_PATTERNS: &[&str] = &["GET", "POST", "P*", "*T", "*", "get"];
const HOSTS: &[&str] =
    &["a.example", "A.Example", "a.example:80", "b.a.example", "b.example.", "a", ""];
const HOST_PATTERNS: &[&str] = &["a.example", "A.example", "*.example", "a.example:*", "*", "b*"];
const TEXTS: &[&str] = &["one", "two", "one two", "", "One", "on", "one,two", "one\u{0}"];
const PATTERNS: &[&str] = &["one", "two", "o*", "*e", "*", "one two", "On*", "*n*", "one,two"];
const PRINCIPALS: &[&str] = &[
    "*",
    "*/web",
    "td/ns/demo/sa/web",
    "cluster.local/ns/demo/sa/web",
    "old/ns/demo/sa/w*",
    "td/*",
    "*.app",
    "foreign/ns/a.b/sa/web.app",
];
const PEERS: &[&str] = &[
    "td/ns/demo/sa/web",
    "old/ns/demo/sa/web",
    "cluster.local/ns/demo/sa/web",
    "foreign/ns/a.b/sa/web.app",
    "foreign/ns/axb/sa/webxapp",
    "td/ns/demo/x/sa/web/y",
    "td/ns/demo/sa/web\u{0}.app",
    "td",
    "",
];
const CALLERS: &[&str] = &[
    "*",
    "https://tenant.auth0.com//one",
    "https://tenant.auth0.com//o*",
    "https://tenant.auth0.com//*",
    "*one",
    "*/one",
    "*com//two",
    "https://*",
    "*/*",
    "one",
];
const BLOCKS: &[&str] = &[
    "127.0.0.1",
    "127.0.0.0/8",
    "10.0.0.0/8",
    "10.9.9.9/8",
    "::/0",
    "0.0.0.0/0",
    "127.0.0.2",
    "2001:db8::/33",
    "::ffff:0:0/96",
];
const ADDRESSES: &[&str] =
    &["127.0.0.1", "127.0.0.2", "10.255.0.1", "11.0.0.1", "2001:db8::1", "2001:db8:8000::1", "::1"];
const PORTS: &[&str] = &["80", "8080", "0"];
const NAMESPACES: &[&str] = &["demo", "d*o", "*", "a.b"];
const ACCOUNTS: &[&str] = &["demo/web", "a.b/web.app"];
const TRUST_DOMAINS: &[&str] = &["td", "*", "t*", "*d", "foreign"];

/// What is asked for by a name, by its opposite, and the values.
type Field = (&'static str, &'static str, &'static [&'static str]);

const SOURCE: &[Field] = &[
    ("principals", "notPrincipals", PRINCIPALS),
    ("namespaces", "notNamespaces", NAMESPACES),
    ("trustDomains", "notTrustDomains", TRUST_DOMAINS),
    ("requestPrincipals", "notRequestPrincipals", CALLERS),
    ("remoteIpBlocks", "notRemoteIpBlocks", BLOCKS),
];
const OPERATION: &[Field] = &[
    ("paths", "notPaths", PATH_PATTERNS),
    ("paths", "notPaths", PATH_PATTERNS),
    ("methods", "notMethods", METHOD_PATTERNS),
    ("hosts", "notHosts", HOST_PATTERNS),
    ("ports", "notPorts", PORTS),
];
const KEYS: &[(&str, &[&str])] = &[
    ("request.headers[x-test]", PATTERNS),
    ("request.headers[X-Test]", PATTERNS),
    ("request.headers[host]", HOST_PATTERNS),
    ("request.auth.principal", CALLERS),
    ("request.auth.audiences", &["https://bookinfo.io", "https:*", "other"]),
    ("request.auth.presenter", PATTERNS),
    ("request.auth.claims[c]", PATTERNS),
    ("request.auth.claims[scope]", PATTERNS),
    ("request.auth.claims[a][b]", PATTERNS),
    ("request.auth.claims[a.b]", PATTERNS),
    ("source.principal", PRINCIPALS),
    ("source.namespace", NAMESPACES),
    ("source.serviceAccount", ACCOUNTS),
    ("source.trustDomain", TRUST_DOMAINS),
    ("remote.ip", BLOCKS),
    ("destination.ip", BLOCKS),
    ("destination.port", PORTS),
    ("connection.sni", &["*", "a.example"]),
];

/// Decisions, one byte each. When the input has ended, all are the first one.
pub struct Choices<'i>(std::slice::Iter<'i, u8>);

impl<'i> Choices<'i> {
    pub fn new(input: &'i [u8]) -> Self {
        Self(input.iter())
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % bound
    }

    /// Whether the next byte says so; at the end of the input it does not.
    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) + 1 == count
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    fn some(&mut self, texts: &[&str]) -> Value {
        let count = 1 + self.below(2);
        (0..count).map(|_| self.pick(texts)).collect()
    }

    fn list(&mut self, name: &str, mut element: impl FnMut(&mut Self) -> Value) -> Value {
        let count = 1 + self.below(2);
        (0..count).map(|_| json!({name: element(self)})).collect()
    }
}

/// A document with some policies. Their order in it is not that of their names.
pub fn config(choices: &mut Choices<'_>) -> Value {
    let count = 1 + choices.below(3);
    let policies: Vec<Value> = (0..count)
        .map(|number| {
            let action = choices.pick(&["ALLOW", "DENY", "AUDIT"]);
            let count = usize::from(action == "DENY") + choices.below(4);
            json!({
                "name": format!("p{}", count_down(number, choices)),
                "namespace": choices.pick(&["demo", "a"]),
                "action": action,
                "dryRun": choices.one_in(8),
                "rules": (0..count).map(|_| rule(choices)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "jwtRules": [{
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": ["HS512"],
            "jwks": {"keys": [{"kty": "oct", "k": encode(SECRET)}]},
        }],
        "trustDomains": ["td", "old"],
        "authorizationPolicies": policies,
    })
}

/// A name that no other policy has.
fn count_down(number: usize, choices: &mut Choices<'_>) -> usize {
    if choices.one_in(2) { 9 - number } else { number }
}

fn rule(choices: &mut Choices<'_>) -> Value {
    let mut rule = json!({});
    if choices.one_in(3) {
        rule["from"] = choices.list("source", |choices| fields(choices, SOURCE));
    }
    if !choices.one_in(3) {
        rule["to"] = choices.list("operation", |choices| fields(choices, OPERATION));
    }
    if choices.one_in(3) {
        let count = 1 + choices.below(2);
        rule["when"] = (0..count).map(|_| condition(choices)).collect();
    }
    rule
}

fn fields(choices: &mut Choices<'_>, fields: &[Field]) -> Value {
    let mut object = Map::new();
    for _ in 0..=choices.below(2) {
        let (name, not_name, values) = choices.pick(fields);
        let name = if choices.one_in(4) { not_name } else { name };
        object.insert(name.to_owned(), choices.some(values));
    }
    Value::Object(object)
}

fn condition(choices: &mut Choices<'_>) -> Value {
    let (key, values) = choices.pick(KEYS);
    let mut condition = json!({"key": key});
    let negated = choices.one_in(3);
    condition[if negated { "notValues" } else { "values" }] = choices.some(values);
    if choices.one_in(6) {
        condition[if negated { "values" } else { "notValues" }] = choices.some(values);
    }
    condition
}

/// A request, and the claims of its token.
pub fn request(choices: &mut Choices<'_>) -> (Ask, Option<Value>) {
    static CALLERS: LazyLock<Vec<(Value, String)>> = LazyLock::new(|| {
        let signed = |claims: Value| (claims.clone(), token(&claims));
        claims().into_iter().map(signed).collect()
    });
    let mut ask = Ask {
        method: choices.pick(METHODS).to_owned(),
        target: choices.pick(PATHS).to_owned(),
        host: Some(choices.pick(HOSTS).to_owned()),
        ..Ask::default()
    };
    for _ in 0..choices.below(3) {
        ask.headers.push(("x-test".to_owned(), choices.pick(TEXTS).to_owned()));
    }
    if choices.one_in(2) {
        ask.peer = peer(choices);
    }
    if choices.one_in(3) {
        return (ask, None);
    }
    let (claims, token) = &CALLERS[choices.below(CALLERS.len())];
    (ask.by(Caller::Token(token.clone())), Some(claims.clone()))
}

fn peer(choices: &mut Choices<'_>) -> Peer {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    let remote_ip = choices.one_in(2).then(|| address(choices.pick(ADDRESSES)));
    let local = choices.one_in(2).then(|| {
        let port = choices.pick(PORTS).parse().expect("a port");
        SocketAddr::new(address(choices.pick(ADDRESSES)), port)
    });
    let principal = choices.one_in(2).then(|| choices.pick(PEERS).to_owned());
    Peer { remote_ip, local, principal }
}

fn claims() -> Vec<Value> {
    let others = [
        json!({}),
        json!({"sub": "one", "c": "one", "azp": "one"}),
        json!({"sub": "one", "c": ["one", "two"], "scope": "one two"}),
        json!({"sub": "two", "c": ["two", 7], "a": {"b": "one"}}),
        json!({"sub": "*", "c": 7, "a.b": "one", "scope": ["two"]}),
        json!({"sub": "", "c": "", "a": [{"b": "one"}], "aud": [AUDIENCE, "other"]}),
        json!({"sub": "a/one", "c": {"one": "two"}, "scope": "", "a": {"b": ["x", "one"]}}),
    ];
    let whole = |mut claims: Value| {
        claims["iss"] = ISSUER.into();
        claims["exp"] = (NOW + 3600).into();
        if claims.get("aud").is_none() {
            claims["aud"] = AUDIENCE.into();
        }
        claims
    };
    others.into_iter().map(whole).collect()
}

fn token(claims: &Value) -> String {
    let parts = [json!({"alg": "HS512"}), claims.clone()];
    let [header, payload] = parts.map(|part| encode(part.to_string().as_bytes()));
    let signed = format!("{header}.{payload}");
    let signature = sign(signed.as_bytes(), Algorithm::HS512);
    format!("{signed}.{signature}")
}
