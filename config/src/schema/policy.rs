//! `authorizationPolicies`: the `spec` of Istio's AuthorizationPolicy, with its name.

use jwt_rbac::authz::policies::policy::Action;
use serde_json::Value;

use crate::declare::object;
use crate::fault::{Fault, Found};
#[cfg(feature = "schema")]
use crate::reference::form::Form;
use crate::shape::value::{FieldValue, Misfit};
use crate::shape::{Entries, Entry};

object! {
    /// An entry of `authorizationPolicies`
    pub struct AuthorizationPolicy {
        /// the rule of log and metrics, where this policy denies
        #[field(
            "name",
            example = "only-from-gateway",
            refuses = "the name of another policy; other characters, and more than 63",
            pattern = "^[A-Za-z0-9._-]{1,63}$"
        )]
        pub name: String,
        /// the namespace of the resource, for service accounts without one
        #[field("namespace", example = "demo")]
        pub namespace: Option<String>,
        /// `DENY` counts first; what no `ALLOW` policy matches is denied, if there is one; `AUDIT` only names the
        /// policy in the log
        #[field("action", default = "`ALLOW`", example = "DENY", refuses = "`CUSTOM`")]
        pub action: Option<ActionWord>,
        /// one of which must match. An `ALLOW` policy without rules lets nothing pass; the rule `{}` matches
        /// everything
        #[field("rules", default = "`[]`", example = "[{to: [{operation: {methods: [GET]}}]}]", refuses = "none, under `DENY`; more than 512")]
        pub rules: Option<Entries<PolicyRule>>,
        /// what this policy denies is logged and counted, and the request continues
        #[field("dryRun", example = "true")]
        pub dry_run: bool = false,
    }
    misplaced: "metadata", "provider", "selector", "spec", "targetRef", "targetRefs";
}

object! {
    /// An entry of `rules`
    pub struct PolicyRule {
        /// who calls: one of these
        #[field("from", default = "anybody", example = "[{source: {namespaces: [demo]}}]", refuses = "an empty list")]
        pub from: Option<Entries<From>>,
        /// what is asked for: one of these
        #[field("to", default = "anything", example = "[{operation: {paths: [/admin]}}]", refuses = "an empty list")]
        pub to: Option<Entries<To>>,
        /// what else must hold: all of these
        #[field("when", example = "[{key: \"request.auth.claims[groups]\", values: [admin]}]", refuses = "an empty list")]
        pub when: Option<Entries<When>>,
    }
}

object! {
    /// An entry of `from`
    pub struct From {
        /// all fields must hold; of the values of one, one
        #[field("source", example = "{namespaces: [demo]}", refuses = "`{}`")]
        pub source: Option<Entry<Source>>,
    }
}

object! {
    /// `source`
    pub struct Source {
        /// the identity of the calling workload, `<trust domain>/ns/<namespace>/sa/<service account>`, by mutual TLS
        #[field("principals", example = "[\"*/ns/demo/sa/web\"]", refuses = "a trust domain, without `trustDomains` of the document")]
        pub principals: Option<Vec<String>>,
        /// none of these; holds for a caller without identity
        #[field("notPrincipals", example = "[\"*/ns/demo/sa/web\"]", refuses = "a trust domain, without `trustDomains` of the document")]
        pub not_principals: Option<Vec<String>>,
        /// `<iss>/<sub>` of the token; the last slash parts them
        #[field("requestPrincipals", example = "[\"https://tenant.auth0.com//*\"]")]
        pub request_principals: Option<Vec<String>>,
        /// none of these; holds without a token
        #[field("notRequestPrincipals", example = "[\"*\"]")]
        pub not_request_principals: Option<Vec<String>>,
        /// the namespace of the calling workload; `*` may stand anywhere
        #[field("namespaces", example = "[demo]")]
        pub namespaces: Option<Vec<String>>,
        /// none of these; holds for a caller without identity
        #[field("notNamespaces", example = "[demo]")]
        pub not_namespaces: Option<Vec<String>>,
        /// `<namespace>/<service account>`, or the service account alone for the `namespace` of the policy
        #[field("serviceAccounts", example = "[demo/web]", refuses = "`*`, and a service account alone without `namespace`; any value beside `principals` or `namespaces`")]
        pub service_accounts: Option<Vec<String>>,
        /// none of these; holds for a caller without identity
        #[field("notServiceAccounts", example = "[demo/web]", refuses = "as `serviceAccounts`")]
        pub not_service_accounts: Option<Vec<String>>,
        /// the trust domain of the calling workload
        #[field("trustDomains", example = "[cluster.local]", refuses = "a slash, and more than one `*`")]
        pub trust_domains: Option<Vec<String>>,
        /// none of these; holds for a caller without identity
        #[field("notTrustDomains", example = "[cluster.local]", refuses = "a slash, and more than one `*`")]
        pub not_trust_domains: Option<Vec<String>>,
        /// the address of the client, behind the proxies that Envoy trusts
        #[field("remoteIpBlocks", example = "[10.0.0.0/8, \"2001:db8::1\"]", refuses = "what is no address or block")]
        pub remote_ip_blocks: Option<Vec<String>>,
        /// none of these
        #[field("notRemoteIpBlocks", example = "[10.0.0.0/8]", refuses = "what is no address or block")]
        pub not_remote_ip_blocks: Option<Vec<String>>,
    }
    refused: "ipBlocks" crate::policies::NO_DIRECT_PEER, "notIpBlocks" crate::policies::NO_DIRECT_PEER;
}

object! {
    /// An entry of `to`
    pub struct To {
        /// all fields must hold; of the values of one, one
        #[field("operation", example = "{methods: [GET]}", refuses = "`{}`")]
        pub operation: Option<Entry<Operation>>,
    }
}

object! {
    /// `operation`
    pub struct Operation {
        /// `:authority`, with its port, in any case
        #[field("hosts", example = "[api.example.com, \"api.example.com:*\"]")]
        pub hosts: Option<Vec<String>>,
        /// none of these
        #[field("notHosts", example = "[api.example.com]")]
        pub not_hosts: Option<Vec<String>>,
        /// the port of the workload
        #[field("ports", example = "[\"8080\"]", refuses = "what is no port")]
        pub ports: Option<Vec<String>>,
        /// none of these
        #[field("notPorts", example = "[\"8080\"]", refuses = "what is no port")]
        pub not_ports: Option<Vec<String>>,
        /// the method; gRPC is `POST`
        #[field("methods", example = "[GET]")]
        pub methods: Option<Vec<String>>,
        /// none of these
        #[field("notMethods", example = "[GET]")]
        pub not_methods: Option<Vec<String>>,
        /// the path as it came, without the query; `{*}` is one segment, `{**}` any text
        #[field("paths", example = "[\"/admin*\", \"/orders/{*}\"]", refuses = "templates that Istio refuses")]
        pub paths: Option<Vec<String>>,
        /// none of these
        #[field("notPaths", example = "[/health]", refuses = "templates that Istio refuses")]
        pub not_paths: Option<Vec<String>>,
    }
}

object! {
    /// An entry of `when`
    pub struct When {
        /// `request.headers[…]`, `request.query[…]` (a parameter), `request.auth.principal`, `.audiences`,
        /// `.presenter`, `.claims[…][…]`, `source.principal`, `.namespace`, `.serviceAccount`, `.trustDomain`,
        /// `remote.ip`, `destination.ip`, `destination.port`, `connection.sni`
        #[field("key", example = "\"request.auth.claims[groups]\"", refuses = "`source.ip`, `experimental.…`, and what Istio does not know, but `request.query`")]
        pub key: String,
        /// one of these; without the attribute it does not hold. For a claim, numbers and booleans too, which are
        /// typed: 7 is not "7"
        #[field("values", example = "[admin]", refuses = "an empty list or string, and an entry without any of these fields")]
        pub values: Option<Vec<Value>>,
        /// none of these; without the attribute it holds
        #[field("notValues", example = "[guest]", refuses = "an empty list or string")]
        pub not_values: Option<Vec<Value>>,
        /// all of these, which are elements of a list
        #[field("allValues", example = "[staff, admin]", refuses = "an empty list or string, and a `key` that is no claim")]
        pub all_values: Option<Vec<Value>>,
        /// whether a claim (of any type but null), a header or a parameter is there
        #[field("present", example = "true", refuses = "a `key` that is none of these")]
        pub present: Option<bool>,
        /// a regular expression that matches the whole of a text: a claim or one element of its list, one line of
        /// a header, a parameter. [Bounded](#more-than-istio-can-say)
        #[field("regex", example = "\"team-[0-9]+\"", refuses = "more than 256 bytes, what is none, and a `key` that is none of these")]
        pub regex: Option<String>,
        /// the claim is the value of this header, which is there once
        #[field("header", example = "x-tenant", refuses = "a `key` that is no claim")]
        pub header: Option<String>,
        /// the claim is the value of this parameter, which is there once
        #[field("queryParameter", example = "tenant", refuses = "a `key` that is no claim, and an empty string")]
        pub query_parameter: Option<String>,
    }
    refused: "pathVariable" crate::policies::NO_VARIABLES, "prefix" crate::policies::PATTERNS, "suffix" crate::policies::PATTERNS;
}

/// `action` of a policy.
#[derive(Clone, Copy, Debug)]
pub struct ActionWord(pub Action);

const ACTIONS: &[&str] = &["ALLOW", "AUDIT", "DENY"];

impl FieldValue for ActionWord {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        Err(Misfit::Whole(match value.as_str() {
            Some("ALLOW") => return Ok(Self(Action::Allow)),
            Some("AUDIT") => return Ok(Self(Action::Audit)),
            Some("DENY") => return Ok(Self(Action::Deny)),
            Some("CUSTOM") => Fault::unsuitable(
                "CUSTOM",
                "which asks another service, as Envoy's ext_authz does: keep this policy an \
                 AuthorizationPolicy of Istio, beside the filter",
            ),
            _ => Fault::UnknownWord { found: Found::Value(value), words: ACTIONS },
        }))
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Words(ACTIONS)
    }
}
