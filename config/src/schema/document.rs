//! The document itself, and its small objects.

use jwt_rbac::authz::routes::{AmbiguousPaths, Unmatched};
use jwt_rbac::document::{CorsPreflight, DecisionLog};

use super::jwt_rule::JwtRule;
use super::policy::AuthorizationPolicy;
use super::responses::Responses;
use super::route::Route;
use crate::declare::{object, words};
use crate::shape::value::{Secret, Size};
use crate::shape::{Entries, Entry};

object! {
    /// The document
    pub struct Document {
        /// the issuers whose tokens are accepted, [see below](#an-entry-of-jwtrules)
        #[field(
            "jwtRules",
            example = r#"[{issuer: https://tenant.auth0.com/, audiences: [https://bookinfo.io], jwks: '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'}]"#,
            refuses = "an empty list"
        )]
        pub jwt_rules: Option<Entries<JwtRule>>,
        /// the table of routes, [see below](#an-entry-of-routes); `[]` denies everything
        #[field(
            "routes",
            example = "[{paths: [/health], access: PUBLIC}]",
            refuses = "two routes with the same host, path and method"
        )]
        pub routes: Option<Entries<Route>>,
        /// policies with the meaning of Istio's AuthorizationPolicy, [see below](#an-entry-of-authorizationpolicies);
        /// a request must pass them and its route
        #[field(
            "authorizationPolicies",
            example = "[{name: no-delete, action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]}]",
            refuses = "an empty list"
        )]
        pub authorization_policies: Option<Entries<AuthorizationPolicy>>,
        /// the trust domain of the mesh, then its aliases: `principals` that name one of them, or
        /// `cluster.local`, mean each
        #[field(
            "trustDomains",
            example = "[cluster.local]",
            refuses = "an empty list or string; any value without `authorizationPolicies`"
        )]
        pub trust_domains: Option<Vec<String>>,
        /// `ALLOW` lets requests pass that no route has; a bad or foreign token is still 401 there (a route
        /// `/{**}` with `access: PUBLIC` and `token: IGNORE` lets it pass)
        #[field(
            "unmatchedRoutes",
            default = "`DENY`",
            example = "ALLOW",
            refuses = "`ALLOW` beside `routes: []` or `ambiguousPaths: MATCH`; any value without `routes`"
        )]
        pub unmatched_routes: Option<Unmatched>,
        /// what becomes of a path that can be read in two ways (`//`, `..`, `;`, `%2F`, …): `MATCH` lets its odd
        /// segments match variables and rests, never a literal. `/x/..%2fadmin` then has the route `/{**}`,
        /// and a route that asks less than another one gets a warning
        #[field(
            "ambiguousPaths",
            default = "`DENY`",
            example = "MATCH",
            refuses = "`MATCH` beside a public route with a variable or a rest; any value without `routes`"
        )]
        pub ambiguous_paths: Option<AmbiguousPaths>,
        /// `ALLOW` lets preflights pass whose host and path the table has, unless the route is `access: DENIED`;
        /// Envoy's CORS filter runs behind this one, so browsers need it
        #[field(
            "corsPreflight",
            default = "`AUTHORIZE`",
            example = "ALLOW",
            refuses = "any value without `routes`"
        )]
        pub cors_preflight: Option<CorsPreflight>,
        /// longer tokens are refused unread. Envoy itself takes 60 KiB of headers
        #[field(
            "maxTokenSize",
            default = "`32Ki`",
            example = "16Ki",
            refuses = "`0`, and more than `1Mi`; any value without `jwtRules`"
        )]
        pub max_token_size: Option<Size>,
        /// memory for verified tokens, for each worker
        #[field(
            "tokenCache",
            default = "`{maxSize: 4Mi}`",
            example = "{maxSize: 16Mi}",
            refuses = "any value without `jwtRules`"
        )]
        pub token_cache: Option<Entry<TokenCache>>,
        /// what the JSON of a token may be, and what it may grant
        #[field(
            "tokenLimits",
            example = "{permissions: 5000}",
            refuses = "any value without `jwtRules`"
        )]
        pub token_limits: Option<Entry<TokenLimits>>,
        /// tokens that are refused though they verify
        #[field(
            "revoked",
            example = r#"{jti: [7f3c…], issuedBefore: "2026-01-01T00:00:00Z"}"#,
            refuses = "any value without `jwtRules`"
        )]
        pub revoked: Option<Entry<Revoked>>,
        /// denials are logged and counted, and the request continues; its shape is still checked. No request
        /// loses its token, allowed or not, so that a workload which reads it does not notice the trial; output
        /// headers are removed from all, and written where the request is allowed
        #[field("dryRun", example = "true")]
        pub dry_run: bool = false,
        /// `false` keeps the refusals of tokens under `dryRun`
        #[field(
            "dryRunTokens",
            default = "`true`",
            example = "false",
            refuses = "any value without `dryRun: true`"
        )]
        pub dry_run_tokens: Option<bool>,
        /// which decisions are logged, see [operations](operations.md)
        #[field("decisionLog", default = "`DENIALS`", example = "ALL")]
        pub decision_log: Option<DecisionLog>,
        /// claims of verified tokens that the decision log and access logs show, see
        /// [operations](operations.md#claims-in-logs)
        #[field("logClaims", example = "[tenant, \"[org][id]\"]", refuses = "an empty list, more than 8 claims, and two with the same name in access logs; any value without `jwtRules`")]
        pub log_claims: Option<Vec<String>>,
        /// counters for each route
        #[field(
            "ruleMetrics",
            example = "true",
            refuses = "`true` without `routes`, and with more than 200"
        )]
        pub rule_metrics: bool = false,
        /// how denials are answered, [see below](#responses)
        #[field("responses", default = "those of Envoy", example = "{missingToken: {status: 401}}")]
        pub responses: Option<Entry<Responses>>,
        /// a header by which what is behind the filter knows that it was there: what clients send under this
        /// name is removed, and each request that is let through has it, [see below](#fence)
        #[field("fence", example = "{header: x-jwt-rbac, value: 3f9c01d7a2b4e6881c05}")]
        pub fence: Option<Entry<Fence>>,
    }
    misplaced: "metadata", "provider", "selector", "targetRef", "targetRefs";
}

object! {
    /// `tokenCache`
    pub struct TokenCache {
        /// the size of the cache; `0` turns it off
        #[field("maxSize", example = "16Mi", refuses = "more than `64Mi`")]
        pub max_size: Size,
    }
}

object! {
    /// `tokenLimits`
    #[derive(Default)]
    pub struct TokenLimits {
        /// how deep objects and lists may be nested in each other
        #[field("depth", default = "`32`", example = "8", refuses = "`0`, and more than `64`")]
        pub depth: Option<u64>,
        /// how many members the objects of the header may have together, and those of the payload
        #[field(
            "members",
            default = "`1000`",
            example = "5000",
            refuses = "`0`, and more than `10000`"
        )]
        pub members: Option<u64>,
        /// how many permissions and roles may be listed
        #[field(
            "permissions",
            default = "`1000`",
            example = "5000",
            refuses = "`0`, and more than `10000`"
        )]
        pub permissions: Option<u64>,
    }
}

object! {
    /// `fence`
    pub struct Fence {
        /// the header
        #[field(
            "header",
            example = "x-jwt-rbac",
            refuses = "headers of HTTP itself, those that override method or path, those that hold tokens, and output headers",
            pattern = "^[A-Za-z0-9_-]+$"
        )]
        pub header: String,
        /// a secret of the workload, which sees it; the policy that asks for it has the same
        #[field(
            "value",
            example = "3f9c01d7a2b4e6881c05",
            refuses = "other characters, fewer than 16, and more than 256",
            pattern = "^[A-Za-z0-9._~+/=-]{16,256}$"
        )]
        pub value: Secret,
    }
}

object! {
    /// `revoked`
    #[derive(Default)]
    pub struct Revoked {
        /// the tokens with one of these ids (`jti`)
        #[field("jti", default = "none", example = "[7f3c…]", refuses = "an empty string")]
        pub jti: Vec<String> = Vec::new(),
        /// the tokens of one of these subjects (`sub`)
        #[field("sub", default = "none", example = "[auth0|5f7c…]", refuses = "an empty string")]
        pub sub: Vec<String> = Vec::new(),
        /// the tokens that were issued earlier (`iat`), and those that do not say when
        #[field(
            "issuedBefore",
            example = r#""2026-01-01T00:00:00Z""#,
            refuses = "a time that is not in UTC (`Z`)"
        )]
        pub issued_before: Option<String>,
    }
}

words! {
    AmbiguousPaths { Deny "DENY", Match "MATCH" }
    CorsPreflight { Allow "ALLOW", Authorize "AUTHORIZE" }
    DecisionLog { All "ALL", Denials "DENIALS", Off "OFF" }
    Unmatched { Allow "ALLOW", Deny "DENY" }
}
