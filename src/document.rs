//! The compiled document: everything that a decision needs, and nothing that can be wrong.

use crate::authn::Authenticator;
use crate::authz::routes::RouteTable;

/// What a `pluginConfig` means. [`crate::config::compile`] makes it.
pub struct Document {
    /// The providers of `jwtRules`.
    pub authenticator: Authenticator,
    /// The table `routes`; `None` where the document has no such key.
    pub routes: Option<RouteTable>,
    /// What becomes of CORS preflights.
    pub cors_preflight: CorsPreflight,
    /// The names of all headers that some provider writes, in lower case and with `-` for `_`.
    pub output_headers: Vec<String>,
}

/// What becomes of a CORS preflight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorsPreflight {
    /// It passes, if the table has its host and path.
    Allow,
    /// It is decided like any request without a token.
    #[default]
    Authorize,
}
