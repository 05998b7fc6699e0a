//! Documents, tokens and requests that meet each other often enough to be interesting.

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Map, Value, json};

const PATHS: &[&str] = &[
    "/", "/a", "/a/", "/a/b", "/a/b/c", "/A", "/ab", "/b", "/b/x/c", "/a//b", "/a%2Fb", "/a?x=/b",
    "/a|b", "/a/*", "/b/c",
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
    "/b",
    "/a*b",
    "/{**}",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "OPTIONS"];
const METHOD_PATTERNS: &[&str] = &["GET", "POST", "P*", "*T", "*", "get"];
const HOSTS: &[&str] = &["a.example", "A.Example", "a.example:80", "b.a.example", "b.example."];
const HOST_PATTERNS: &[&str] = &["a.example", "A.example", "*.example", "a.example:*", "*", "b*"];
const TEXTS: &[&str] = &["one", "two", "one two", "", "One", "on"];
const PATTERNS: &[&str] = &["one", "two", "o*", "*e", "*", "one two", "On*", "*n*"];
const PRINCIPALS: &[&str] =
    &["*", "*/web", "td/ns/demo/sa/web", "cluster.local/ns/demo/sa/web", "td/*"];
const ACCOUNTS: &[&str] = &["web", "demo/web", "other/web"];
const DOMAINS: &[&str] = &["td", "old", "t*", "*d", "*"];
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
const BLOCKS: &[&str] =
    &["127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "::/0", "0.0.0.0/0", "127.0.0.2"];

/// Numbers from a seed, the same on every machine: `SplitMix64`.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("it is below the bound")
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    fn some(&mut self, texts: &[&str]) -> Value {
        let count = 1 + self.below(2);
        (0..count).map(|_| self.pick(texts)).collect()
    }

    pub fn document(&mut self) -> Value {
        let count = 1 + self.below(3);
        let policies: Vec<Value> = (0..count)
            .map(|number| {
                let action = self.pick(&["ALLOW", "ALLOW", "DENY", "DENY", "AUDIT"]);
                let least = usize::from(action == "DENY");
                let count = least + self.below(4);
                let rules: Vec<Value> = (0..count).map(|_| self.rule()).collect();
                json!({
                    "name": format!("p{number}"),
                    "namespace": "demo",
                    "action": action,
                    "dryRun": self.one_in(8),
                    "rules": rules,
                })
            })
            .collect();
        let mut document = document(&policies.into());
        if self.one_in(4) {
            document["jwtRules"][0]["presence"] = json!("REQUIRED");
            let mut second = second_rule();
            second["presence"] = self.pick(&["OPTIONAL", "REQUIRED"]).into();
            let rules = document["jwtRules"].as_array_mut().expect("it has rules");
            // The order of istiod, by issuer.
            rules.insert(0, second);
        }
        document
    }

    fn rule(&mut self) -> Value {
        let mut rule = json!({});
        if self.one_in(3) {
            let count = 1 + self.below(2);
            rule["from"] = (0..count).map(|_| json!({"source": self.fields(SOURCE)})).collect();
        }
        if !self.one_in(3) {
            let count = 1 + self.below(2);
            rule["to"] = (0..count).map(|_| json!({"operation": self.fields(OPERATION)})).collect();
        }
        if self.one_in(3) {
            let count = 1 + self.below(2);
            rule["when"] = (0..count).map(|_| self.condition()).collect();
        }
        rule
    }

    fn fields(&mut self, fields: &[(&str, &str, &[&str])]) -> Value {
        let mut object = Map::new();
        for _ in 0..=self.below(2) {
            let (name, not_name, values) = fields[self.below(fields.len())];
            let name = if self.one_in(4) { not_name } else { name };
            object.insert(name.to_owned(), self.some(values));
        }
        // Istio has accounts alone, or principals and namespaces.
        if object.contains_key("serviceAccounts") || object.contains_key("notServiceAccounts") {
            object.retain(|name, _| !name.ends_with("rincipals") || name.contains("equest"));
            object.retain(|name, _| !name.ends_with("amespaces"));
        }
        Value::Object(object)
    }

    fn condition(&mut self) -> Value {
        let (key, values) = KEYS[self.below(KEYS.len())];
        let mut condition = json!({"key": key});
        let negated = self.one_in(3);
        condition[if negated { "notValues" } else { "values" }] = self.some(values);
        if self.one_in(6) {
            condition[if negated { "values" } else { "notValues" }] = self.some(values);
        }
        condition
    }

    /// A request with one of `tokens` or none, and one of `seconds` or none. The last of both is expired.
    pub fn request(&mut self, tokens: &[String], seconds: &[String]) -> Request {
        let mut request = Request::new(self.pick(METHODS), self.pick(PATHS));
        if self.one_in(2) {
            request = request.header("host", self.pick(HOSTS));
        }
        for _ in 0..self.below(3) {
            request = request.header("x-test", self.pick(TEXTS));
        }
        if !self.one_in(3) {
            let place =
                if self.one_in(6) { seconds.len() - 1 } else { self.below(seconds.len() - 1) };
            request = request.header("x-second", &seconds[place]);
        }
        match self.below(10) {
            0..3 => request,
            3..5 => request.bearer(&tokens[tokens.len() - 1]),
            _ => request.bearer(&tokens[self.below(tokens.len() - 1)]),
        }
    }
}

const SOURCE: &[(&str, &str, &[&str])] = &[
    ("principals", "notPrincipals", PRINCIPALS),
    ("namespaces", "notNamespaces", &["demo", "d*o", "*"]),
    ("serviceAccounts", "notServiceAccounts", ACCOUNTS),
    ("trustDomains", "notTrustDomains", DOMAINS),
    ("requestPrincipals", "notRequestPrincipals", CALLERS),
    ("requestPrincipals", "notRequestPrincipals", CALLERS),
    ("remoteIpBlocks", "notRemoteIpBlocks", BLOCKS),
];

const OPERATION: &[(&str, &str, &[&str])] = &[
    ("paths", "notPaths", PATH_PATTERNS),
    ("paths", "notPaths", PATH_PATTERNS),
    ("methods", "notMethods", METHOD_PATTERNS),
    ("hosts", "notHosts", HOST_PATTERNS),
    ("ports", "notPorts", &["1", "80"]),
];

const KEYS: &[(&str, &[&str])] = &[
    ("request.headers[x-test]", PATTERNS),
    ("request.headers[X-Test]", PATTERNS),
    ("request.auth.principal", CALLERS),
    ("request.auth.audiences", &["https://bookinfo.io", "https:*", "other"]),
    ("request.auth.presenter", PATTERNS),
    ("request.auth.claims[c]", PATTERNS),
    ("request.auth.claims[c]", PATTERNS),
    ("request.auth.claims[scope]", PATTERNS),
    ("request.auth.claims[a][b]", PATTERNS),
    ("request.auth.claims[a.b]", PATTERNS),
    ("source.principal", PRINCIPALS),
    ("source.namespace", &["demo", "*"]),
    ("source.serviceAccount", ACCOUNTS),
    ("source.trustDomain", DOMAINS),
    ("remote.ip", BLOCKS),
    ("destination.ip", BLOCKS),
    ("destination.port", &["1", "80"]),
    ("connection.sni", &["*", "a.example"]),
];

/// A document with these policies.
pub fn document(policies: &Value) -> Value {
    json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
        }],
        "trustDomains": ["td", "old"],
        "authorizationPolicies": policies,
    })
}

/// The claims of the tokens, besides those that all have.
pub fn claims() -> Vec<Value> {
    vec![
        json!({"sub": "one"}),
        json!({"sub": "two", "c": "one", "azp": "one"}),
        json!({"sub": "one", "c": ["one", "two"], "scope": "one two"}),
        json!({"sub": "o", "c": "one two", "a": {"b": "one"}}),
        json!({"sub": "a/one", "c": 7, "a": {"b": ["two", "one"]}}),
        json!({"c": true, "a.b": "one", "scope": "two"}),
        json!({"sub": "", "c": {"one": "one"}, "a": [{"b": "one"}]}),
        json!({"sub": "*", "c": [["one"], 7], "azp": ["one"]}),
        json!({"sub": "one", "c": null, "scope": ["one"]}),
        json!({"sub": "two", "c": "", "exp": "now-3600"}),
    ]
}

/// The rule of a second token, in a header of its own.
fn second_rule() -> Value {
    json!({
        "issuer": "https://other.example.com",
        "audiences": ["https://bookinfo.io"],
        "jwks": artifacts::jwks(),
        "fromHeaders": [{"name": "x-second"}],
        "outputClaimToHeaders": [{"header": "x-second-sub", "claim": "sub"}],
    })
}

/// A token of an issuer for each of [`claims`]; the last one is expired.
pub fn tokens(issuer: &str) -> Vec<String> {
    let token = |claims: &Value| {
        let base = Recipe::default()
            .claim("iss", json!(issuer))
            .claim("aud", json!(["https://bookinfo.io"]));
        let claims = claims.as_object().into_iter().flatten();
        // `null` would remove the claim from the recipe, which is another case.
        claims.fold(base, |recipe, (name, value)| recipe.claim(name, value.clone())).mint()
    };
    claims().iter().map(token).collect()
}
