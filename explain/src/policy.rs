//! A document, ready to be asked.

use std::fmt;

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::VerificationKey;
use jwt_rbac::authn::price::CheckedBy;
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::authn::signature::{Prepared, PreparedKey, SignatureVerifier};
use jwt_rbac::document::Document;
use jwt_rbac_config::PLACEHOLDER;
use jwt_rbac_config::problem::Problems;
use serde_json::{Map, Value};

/// The public keys of RFC 7517 appendix A.1, which stand where a document has the placeholder of the
/// manifests and no signature is checked.
pub const ANY_KEYS: &str = r#"{"keys": [
    {"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"},
    {"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "kid": "1"}
]}"#;

/// The fields that say how keys are fetched.
const FETCHING: &[&str] = &[
    "allowInsecureJwks",
    "jwksCluster",
    "jwksRefreshInterval",
    "jwksStaleIfError",
    "jwksUri",
    "timeout",
];

/// A document and what it was made of.
pub struct Policy {
    /// What decides.
    pub document: Document,
    /// The `pluginConfig` as it was compiled, with key sets where it had a placeholder.
    pub config: Value,
    /// What its author should know.
    pub warnings: Problems,
    /// Whether signatures are checked.
    pub signatures: Signatures,
    /// The host of a request that names none: one that the document has routes for.
    pub default_host: String,
}

/// What is done with the signature of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// Every one counts as good, so that claims can be asked about without a key.
    Assumed,
    /// It is checked, as in the filter.
    Checked,
}

impl Policy {
    /// Compiles a `pluginConfig`. `key_set` stands where it has the placeholder of the manifests or
    /// fetches its keys, because nothing is fetched here; without one, and where signatures are assumed, some key
    /// does.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(
        mut config: Value,
        signatures: Signatures,
        key_set: Option<&str>,
    ) -> Result<Self, Problems> {
        let any_keys = Some(ANY_KEYS).filter(|_| signatures == Signatures::Assumed);
        if let Some(key_set) = key_set.or(any_keys) {
            fill_placeholders(&mut config, key_set);
            let rules = config.get_mut("jwtRules").and_then(Value::as_array_mut);
            for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
                // Without both, the issuer would say where its keys are.
                if rule.contains_key("jwksUri") || !rule.contains_key("jwks") {
                    without_fetching(rule);
                    rule.insert("jwks".to_owned(), key_set.into());
                }
            }
        }
        let text = config.to_string();
        let compiled = match signatures {
            Signatures::Assumed => jwt_rbac_config::compile(text.as_bytes(), &mut AnySignature),
            Signatures::Checked => jwt_rbac_config::compile(text.as_bytes(), &mut RustCrypto),
        };
        compiled.map(|(document, warnings)| {
            let default_host = default_host(&config);
            Self { document, config, warnings, signatures, default_host }
        })
    }

    /// The entry of `routes` with this number.
    #[must_use]
    pub fn route(&self, number: usize) -> &Value {
        &self.config["routes"][number]
    }
}

fn default_host(config: &Value) -> String {
    let routes = config["routes"].as_array().into_iter().flatten();
    let hosts = routes.filter_map(|route| route["hosts"].as_array()).flatten();
    let host = hosts.filter_map(Value::as_str).find(|host| *host != "*");
    host.map_or_else(|| "localhost".to_owned(), |host| host.replacen("*.", "any.", 1))
}

/// Takes out of an entry of `jwtRules` what says how keys are fetched.
pub fn without_fetching(rule: &mut Map<String, Value>) {
    rule.retain(|name, _| !FETCHING.contains(&name.as_str()));
}

/// Puts a key set where a document has the placeholder of the manifests.
pub(crate) fn fill_placeholders(config: &mut Value, key_set: &str) {
    let rules = config.get_mut("jwtRules").and_then(Value::as_array_mut);
    let key_sets = rules.into_iter().flatten().filter_map(|rule| rule.get_mut("jwks"));
    key_sets.filter(|jwks| *jwks == PLACEHOLDER).for_each(|jwks| *jwks = key_set.into());
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Takes every signature. Nothing that serves requests may use it.
struct AnySignature;

impl SignatureVerifier for AnySignature {
    fn prepare(&mut self, _: &VerificationKey, _: Algorithm) -> Option<Prepared> {
        Some(Prepared { key: Box::new(Self), checked_by: CheckedBy::Envoy })
    }
}

impl PreparedKey for AnySignature {
    fn verify(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ask::{Ask, Caller};

    #[test]
    fn claims_can_be_asked_about_wherever_the_keys_are() {
        for keys in [json!({"jwks": PLACEHOLDER}), json!({"jwksUri": "https://a.test/jwks"})] {
            let mut rule = json!({"issuer": "https://a.test", "audiences": ["b"], "timeout": "5s"});
            rule.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            if keys.get("jwksUri").is_none() {
                rule.as_object_mut().unwrap().remove("timeout");
            }
            let config = json!({
                "jwtRules": [rule],
                "routes": [{"paths": ["/a"], "permissions": ["read"]}],
            });
            let policy = Policy::compile(config, Signatures::Assumed, None).unwrap();
            let claims = json!({"permissions": ["read"]}).as_object().unwrap().clone();
            let ask = Ask::parse("/a").unwrap().by(Caller::Claims(claims));
            assert_eq!(crate::outcome(&policy, &ask, 1_800_000_000).decision, "allow");
        }
    }
}
