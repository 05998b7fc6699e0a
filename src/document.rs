//! The compiled document: everything that a decision needs, and nothing that can be wrong.

use serde::Deserialize;

use crate::authn::Authenticator;
use crate::authz::routes::RouteTable;
use crate::header_names::HeaderNames;
use crate::response::Responses;

/// What a `pluginConfig` means. [`crate::config::compile`] makes it.
pub struct Document {
    /// The providers of `jwtRules`.
    pub authenticator: Authenticator,
    /// The table `routes`; `None` where the document has no such key.
    pub routes: Option<RouteTable>,
    /// What becomes of CORS preflights.
    pub cors_preflight: CorsPreflight,
    /// What of its denials is only tried.
    pub dry_run: Option<DryRun>,
    /// What is said about decisions.
    pub decision_log: DecisionLog,
    /// Whether every row has counters of its own.
    pub rule_metrics: bool,
    /// How denials are answered.
    pub responses: Responses,
    /// All headers that some provider writes. Trailers with their names are removed.
    pub output_headers: HeaderNames,
    /// All headers in which tokens are looked for.
    pub token_headers: HeaderNames,
    /// The output headers, and behind a table [`crate::forward::OVERRIDES`]: the workload receives
    /// none that a client sent.
    pub removed_headers: HeaderNames,
}

/// A document that is only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// Whether the refusals of tokens are only tried too.
    pub includes_tokens: bool,
}

/// Which decisions are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CorsPreflight {
    /// It passes, if the table does not deny its host or path.
    Allow,
    /// It is decided like any request without a token.
    #[default]
    Authorize,
}
