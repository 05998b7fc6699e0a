//! The keys that sign the tokens of this run. Those of the document are somebody else's: nobody here has their
//! private parts.

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac_config::PLACEHOLDER;
use jwt_rbac_explain::policy::without_fetching;
use serde_json::{Value, json};

use crate::error::Error;
use crate::jwks;
use crate::key::{ALGORITHMS, SigningKey};

/// What a provider takes that names no algorithm.
const DEFAULT: Algorithm = Algorithm::Es256;

/// A key for each algorithm that was needed. They are kept over reloads, so that tokens stay valid.
#[derive(Default)]
pub struct Keys(Vec<SigningKey>);

impl Keys {
    /// Makes the keys that this document needs, and has its providers trust them: beside the keys that it
    /// holds, and in place of those that would be fetched.
    ///
    /// # Errors
    ///
    /// When a key can't be made.
    pub fn put_into(&mut self, config: &mut Value) -> Result<(), Error> {
        let rules = config.get_mut("jwtRules").and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
            let key = self.make(algorithm(rule.get("algorithms")))?;
            let mut key_set = rule.get("jwks").map_or_else(empty, parsed);
            if let Some(keys) = key_set["keys"].as_array_mut() {
                keys.push(jwks::jwk(&key.public)?);
            }
            without_fetching(rule);
            rule.insert("jwks".to_owned(), key_set);
        }
        Ok(())
    }

    /// The key for a provider, if one was made.
    pub fn of(&self, rule: &Value) -> Option<&SigningKey> {
        let wanted = algorithm(rule.get("algorithms"));
        self.0.iter().find(|key| key.public.algorithm == wanted)
    }

    /// All keys as a set, which stands where a document has the placeholder of the manifests.
    ///
    /// # Errors
    ///
    /// When one can't be written.
    pub fn set_for(&mut self, config: &Value) -> Result<String, Error> {
        let rules = config["jwtRules"].as_array().into_iter().flatten();
        let placeholders = rules.filter(|rule| rule["jwks"] == PLACEHOLDER);
        let mut keys = Vec::new();
        for rule in placeholders {
            let key = jwks::jwk(&self.make(algorithm(rule.get("algorithms")))?.public)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(json!({"keys": keys}).to_string())
    }

    /// What the user should know of them.
    pub fn told(&self) -> String {
        let names = self.0.iter().map(|key| key.public.algorithm.name());
        match names.collect::<Vec<_>>().as_slice() {
            [] => "The document has no provider, so there are no tokens.".to_owned(),
            names => format!(
                "Tokens are signed with keys of this run ({}); keys that the document holds are trusted as well.",
                names.join(", ")
            ),
        }
    }

    fn make(&mut self, algorithm: Algorithm) -> Result<&SigningKey, Error> {
        let known = self.0.iter().position(|key| key.public.algorithm == algorithm);
        let index = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(SigningKey::generate(algorithm)?);
        }
        Ok(&self.0[index])
    }
}

/// The first of these that some key can sign with.
fn algorithm(allowed: Option<&Value>) -> Algorithm {
    let names = allowed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut known = names.filter(|name| ALGORITHMS.contains(name)).filter_map(Algorithm::from_name);
    known.next().unwrap_or(DEFAULT)
}

fn empty() -> Value {
    json!({"keys": []})
}

/// A key set, which can be written as its text; nothing of it where it is the placeholder.
fn parsed(key_set: &Value) -> Value {
    match key_set {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| empty()),
        key_set => key_set.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_the_document_stay_and_fetched_ones_give_way() {
        let mut config = json!({"jwtRules": [
            {"jwks": r#"{"keys": [{"kty": "EC"}]}"#},
            {"jwks": {"keys": [{"kty": "EC"}]}, "algorithms": ["EdDSA"]},
            {"jwks": PLACEHOLDER},
            {"jwksUri": "https://a.test/jwks", "timeout": "1s", "issuer": "a"},
        ]});
        let mut keys = Keys::default();
        keys.put_into(&mut config).unwrap();
        let rules = config["jwtRules"].as_array().unwrap();
        let counts = rules.iter().map(|rule| rule["jwks"]["keys"].as_array().unwrap().len());
        assert_eq!(counts.collect::<Vec<_>>(), [2, 2, 1, 1]);
        assert_eq!(rules[1]["jwks"]["keys"][1]["crv"], "Ed25519");
        assert_eq!(rules[3].as_object().unwrap().keys().collect::<Vec<_>>(), ["issuer", "jwks"]);
        assert_eq!(keys.0.len(), 2);
        assert_eq!(keys.of(&rules[1]).unwrap().public.algorithm, Algorithm::EdDsa);
    }
}
