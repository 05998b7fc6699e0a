//! The document as it is written: `pluginConfig` of a WasmPlugin, in Istio's names.
//!
//! These types exist only inside this package; everything after it works on compiled types.

mod document;
mod jwt_rule;
mod policy;
mod responses;
mod route;

pub use document::{Document, Fence, Revoked, TokenCache, TokenLimits};
pub use jwt_rule::{ClaimFormat, ClaimToHeader, FromHeader, JwtRule, KeySet, RequiredClaim};
pub use policy::{AuthorizationPolicy, From, Operation, PolicyRule, Source, To, When};
pub use responses::{Forbidden, Format, MissingToken, Responses, Unauthenticated};
pub use route::{Access, ClaimRule, NamedPermissions, Permissions, Route};
