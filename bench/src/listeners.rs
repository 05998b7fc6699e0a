//! The document as listeners of one Envoy. Every request that gets through is answered by Envoy
//! itself, so that no workload is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use jwt_rbac_e2e::key_server::{Behaviour, KeyServer};
use jwt_rbac_e2e::{artifacts, bootstrap, filters, listener, native};

/// The filters before the router.
#[derive(Clone, Debug)]
pub enum Chain {
    /// Nothing.
    Plain,
    /// `jwt_authn` and `rbac`, as istiod configures them, made from this document.
    Native(Value),
    /// The same with `jwt_cache_config`, which istiod does not set.
    NativeWithCache(Value),
    /// Our filter with this document.
    Ours(Value),
    /// Another build of our filter.
    OtherBuild {
        /// Its module.
        module: PathBuf,
        /// The document.
        document: Value,
    },
    /// The calls to Envoy alone.
    Floor {
        /// The module of `jwt-rbac-floor`.
        module: PathBuf,
        /// The calls that it makes; see there.
        steps: Value,
    },
}

/// The size of the native cache, in tokens: more than are sent.
const NATIVE_CACHE_SIZE: u32 = 4_000;

impl Chain {
    /// # Errors
    ///
    /// When the pair can't express the document.
    fn filters(&self, name: &str, module: &Path) -> Result<Vec<Value>, String> {
        match self {
            Self::Plain => Ok(Vec::new()),
            Self::Native(document) => native_pair(document),
            Self::NativeWithCache(document) => {
                let mut filters = native_pair(document)?;
                let providers = filters[0]["typed_config"]["providers"].as_object_mut();
                for provider in providers.into_iter().flat_map(|object| object.values_mut()) {
                    provider["jwt_cache_config"] = json!({"jwt_cache_size": NATIVE_CACHE_SIZE});
                }
                Ok(filters)
            }
            Self::Ours(document) => Ok(vec![filters::jwt_rbac(name, document, module)]),
            Self::OtherBuild { module, document } => {
                Ok(vec![filters::jwt_rbac(name, document, module)])
            }
            Self::Floor { module, steps } => Ok(vec![filters::jwt_rbac(name, steps, module)]),
        }
    }

    /// Whether it has our filter, of this build.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }
}

/// The pair, with the conditions of each policy in istiod's order, which matters for time alone:
/// hosts and methods before paths (`pilot/pkg/security/authz/model/model.go`). Paths are regular
/// expressions, which is also what Envoy makes of Istio's templates.
fn native_pair(document: &Value) -> Result<Vec<Value>, String> {
    let mut filters = native::filters(document)?;
    let policies = filters.last_mut().map(|rbac| &mut rbac["typed_config"]["rules"]["policies"]);
    for policy in policies.into_iter().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let conditions = &mut policy["permissions"][0]["and_rules"]["rules"];
        let is_path = |rule: &Value| rule.pointer("/or_rules/rules/0/url_path").is_some();
        conditions.as_array_mut().ok_or("a policy has no conditions")?.sort_by_key(is_path);
    }
    Ok(filters)
}

/// The cluster of the key server.
const KEYS: &str = "keys";

/// The same document with keys that each worker fetches.
#[must_use]
pub fn with_fetched_keys(mut document: Value) -> Value {
    for rule in document["jwtRules"].as_array_mut().into_iter().flatten() {
        rule["jwksUri"] = "http://keys.test/jwks".into();
        rule["jwksCluster"] = KEYS.into();
        rule["allowInsecureJwks"] = true.into();
        rule.as_object_mut().map(|rule| rule.remove("jwks"));
    }
    document
}

/// A bootstrap with a listener for each name, and a server of the keys of the tests.
///
/// # Errors
///
/// When the pair can't express a document.
pub fn bootstrap<'a>(
    chains: impl IntoIterator<Item = (String, &'a Chain)>,
    module: &Path,
) -> Result<Value, String> {
    let listeners = chains
        .into_iter()
        .map(|(name, chain)| Ok(answering(&name, &chain.filters(&name, module)?)))
        .collect::<Result<Vec<Value>, String>>()?;
    // No route leads there.
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let mut bootstrap = bootstrap::bootstrap(nowhere, &listeners, None);
    let keys = KeyServer::start(Behaviour::body(200, artifacts::jwks().as_bytes()));
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    clusters.ok_or("no clusters")?.push(keys.cluster(KEYS));
    Ok(bootstrap)
}

fn answering(name: &str, filters: &[Value]) -> Value {
    let mut listener = listener::listener(name, filters);
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["route_config"]["virtual_hosts"][0]["routes"] = json!([{
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
    }]);
    // Tests read a header of local replies. Adding it would be measured.
    manager["local_reply_config"].take();
    listener
}

#[cfg(test)]
mod tests {
    use super::super::policy;
    use super::*;

    #[test]
    fn the_pair_asks_for_the_method_first() {
        let document = policy::document(10, &artifacts::jwks());
        let filters = native_pair(&document).unwrap();
        let policies = &filters[1]["typed_config"]["rules"]["policies"];
        let conditions = &policies["routes[5]"]["permissions"][0]["and_rules"]["rules"];
        assert_eq!(conditions[0]["or_rules"]["rules"][0]["header"]["name"], ":method");
        assert!(conditions[1]["or_rules"]["rules"][0]["url_path"].is_object());
    }

    #[test]
    fn the_pair_has_the_policies_too() {
        let document = policy::with_policies(10, &artifacts::jwks());
        let filters = native_pair(&document).unwrap();
        let policies = &filters[1]["typed_config"]["rules"]["policies"];
        let conditions = &policies["ns[shop]-policy[resource-5]-rule[0]"]["permissions"][0]["and_rules"]
            ["rules"];
        assert_eq!(conditions[0]["or_rules"]["rules"][0]["header"]["name"], ":method");
        assert_eq!(
            conditions[1]["or_rules"]["rules"][0]["url_path"]["path"]["prefix"],
            "/v1/payments-0005/"
        );
    }

    #[test]
    fn the_cache_is_that_of_the_provider() {
        let chain = Chain::NativeWithCache(policy::document(10, &artifacts::jwks()));
        let filters = chain.filters("", Path::new("")).unwrap();
        let provider = &filters[0]["typed_config"]["providers"]["origins-0"];
        assert_eq!(provider["jwt_cache_config"]["jwt_cache_size"], NATIVE_CACHE_SIZE);
    }
}
