//! The compiled document: everything that a decision needs, and nothing that can be wrong.

use crate::authn::Authenticator;
use crate::authz::policies::Policies;
use crate::authz::routes::RouteTable;
use crate::header_names::HeaderNames;

/// What a `pluginConfig` means. The package `jwt-rbac-config` makes it.
pub struct Document {
    /// The providers of `jwtRules`.
    pub authenticator: Authenticator,
    /// The table `routes`; `None` where the document has no such key.
    pub routes: Option<RouteTable>,
    /// `authorizationPolicies`; `None` where the document has no such key.
    pub policies: Option<Policies>,
    /// What becomes of CORS preflights.
    pub cors_preflight: CorsPreflight,
    /// Whether its denials are in dry run, and which.
    pub dry_run: Option<DryRun>,
    /// What is said about decisions.
    pub decision_log: DecisionLog,
    /// Whether every route has counters of its own.
    pub rule_metrics: bool,
    /// How denials are answered.
    pub responses: Responses,
    /// The header that tells what is behind the filter that it was there.
    pub fence: Option<Fence>,
    /// All headers in which tokens are looked for.
    pub token_headers: HeaderNames,
    /// All headers that some route or policy compares: no trailer with such a name contradicts one.
    pub compared_headers: HeaderNames,
    /// All headers that some provider writes, that of the fence, and behind a table
    /// [`crate::forward::OVERRIDES`]: the workload receives none that a client sent, and no such trailer.
    pub removed_headers: HeaderNames,
}

/// A header that every request carries that the filter lets through, and no other: a native policy
/// denies what lacks it. Its value is a secret, so it has no `Debug`.
pub struct Fence {
    /// Its name, in lower case.
    pub header: String,
    /// What only the filter and that policy know.
    pub value: String,
}

/// The dry run of a document: denials are logged and counted, and requests continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// Whether it covers the refusals of tokens too.
    pub includes_tokens: bool,
}

/// Which decisions are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecisionLog {
    /// All.
    All,
    /// Those that deny, or would without a dry run.
    #[default]
    Denials,
    /// None.
    Off,
}

/// What becomes of a CORS preflight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorsPreflight {
    /// It passes, if the table does not deny its host or path.
    Allow,
    /// It is decided like any request without a token.
    #[default]
    Authorize,
}

/// How a document wants denials to be answered.
#[derive(Clone, Debug, Default)]
pub struct Responses {
    /// Whether a request without the token that its route needs gets 401 and a challenge.
    pub challenge_missing_token: bool,
    /// The body where the token is at fault.
    pub unauthenticated: Format,
    /// The body where the caller lacks something.
    pub forbidden: Format,
    /// Whether such a denial is a 404 that does not say that there is something.
    pub hide_forbidden: bool,
    /// Whether a missing permission is named in a challenge (RFC 6750 §3.1).
    pub insufficient_scope: bool,
    /// Where clients learn how to get a token (RFC 9728 §5.1).
    pub resource_metadata: Option<String>,
    /// The origins whose scripts may read our replies.
    pub cors_origins: Vec<String>,
}

/// The form of a body.
#[derive(Clone, Debug, Default)]
pub enum Format {
    /// What the document says.
    Custom {
        /// The body.
        body: String,
        /// Its media type.
        content_type: String,
    },
    /// A problem document (RFC 9457).
    ProblemJson,
    /// The words of Envoy's native filters.
    #[default]
    Text,
}
