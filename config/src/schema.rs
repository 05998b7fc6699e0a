//! The document as it is written: `pluginConfig` of a WasmPlugin, in Istio's names.
//!
//! These types exist only inside this package; everything after it works on compiled types.
//! A part that has a type of its own is an [`Entry`], still JSON, and a list of them [`Entries`]: each is
//! decoded on its own, so that one faulty entry does not hide the others.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use jwt_rbac::{authz::routes, document};

/// The whole document.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is not implemented or misplaced is refused while it is decoded")]
pub struct Document {
    pub jwt_rules: Option<Entries<JwtRule>>,
    pub routes: Option<Entries<Route>>,
    pub unmatched_routes: Option<Unmatched>,
    pub ambiguous_paths: Option<AmbiguousPaths>,
    pub cors_preflight: Option<CorsPreflight>,
    pub max_token_size: Option<Text>,
    pub token_cache: Option<Entry<TokenCache>>,
    pub revoked: Option<Entry<Revoked>>,
    #[serde(default)]
    pub dry_run: bool,
    pub dry_run_tokens: Option<bool>,
    pub decision_log: Option<DecisionLog>,
    #[serde(default)]
    pub rule_metrics: bool,
    pub responses: Option<Entry<Responses>>,
    pub fence: Option<Entry<Fence>>,

    pub authorization_policies: Option<NotImplemented>,
    pub trust_domains: Option<NotImplemented>,

    pub metadata: Option<Misplaced>,
    pub provider: Option<Misplaced>,
    pub selector: Option<Misplaced>,
    pub target_ref: Option<Misplaced>,
    pub target_refs: Option<Misplaced>,
}

/// One entry of `jwtRules`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the document")]
#[allow(dead_code, reason = "what is not implemented or misplaced is refused while it is decoded")]
pub struct JwtRule {
    pub issuer: Option<String>,
    pub name: Option<String>,
    pub audiences: Option<Vec<String>>,
    #[serde(default)]
    pub any_audience: bool,
    pub jwks: Option<Value>,
    pub from_headers: Option<Entries<FromHeader>>,
    pub from_params: Option<Vec<String>>,
    pub from_cookies: Option<Vec<String>>,
    #[serde(default)]
    pub forward_original_token: bool,
    pub output_payload_to_header: Option<String>,
    pub output_claim_to_headers: Option<Entries<ClaimToHeader>>,
    pub space_delimited_claims: Option<Vec<String>>,
    pub algorithms: Option<Vec<String>>,
    pub token_types: Option<Vec<String>>,
    #[serde(default)]
    pub padded_tokens: bool,
    pub clock_skew: Option<String>,
    #[serde(default = "yes")]
    pub require_expiration: bool,
    pub max_lifetime: Option<String>,
    pub required_claims: Option<Entries<RequiredClaim>>,
    pub permission_claims: Option<Vec<String>>,
    pub role_claims: Option<Vec<String>>,
    pub role_permissions: Option<serde_json::Map<String, Value>>,

    pub allow_insecure_jwks: Option<NotImplemented>,
    pub jwks_cluster: Option<NotImplemented>,
    pub jwks_refresh_interval: Option<NotImplemented>,
    pub jwks_uri: Option<NotImplemented>,
    pub timeout: Option<NotImplemented>,
}

/// One entry of `fromHeaders`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FromHeader {
    pub name: String,
    #[serde(default)]
    pub prefix: String,
}

/// One entry of `requiredClaims`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequiredClaim {
    pub claim: String,
    pub values: Option<Vec<Value>>,
}

/// `tokenCache`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenCache {
    pub max_size: Text,
}

/// `responses`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Responses {
    pub missing_token: Option<Entry<MissingToken>>,
    pub unauthenticated: Option<Entry<Unauthenticated>>,
    pub forbidden: Option<Entry<Forbidden>>,
    pub resource_metadata: Option<String>,
    pub cors_origins: Option<Vec<String>>,
}

/// `missingToken` of `responses`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MissingToken {
    pub status: u16,
}

/// `unauthenticated` of `responses`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unauthenticated {
    #[serde(default)]
    pub format: Format,
    pub body: Option<String>,
    pub content_type: Option<String>,
}

/// `forbidden` of `responses`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forbidden {
    #[serde(default)]
    pub format: Format,
    pub body: Option<String>,
    pub content_type: Option<String>,
    pub status: Option<u16>,
    #[serde(default)]
    pub insufficient_scope: bool,
}

/// `fence`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fence {
    pub header: String,
    pub value: Secret,
}

/// `revoked`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revoked {
    #[serde(default)]
    pub jti: Vec<String>,
    #[serde(default)]
    pub sub: Vec<String>,
    pub issued_before: Option<String>,
}

/// One entry of `outputClaimToHeaders`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimToHeader {
    pub header: String,
    pub claim: String,
    #[serde(default)]
    pub format: ClaimFormat,
}

/// One entry of `routes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is not implemented or misplaced is refused while it is decoded")]
pub struct Route {
    pub name: Option<String>,
    pub hosts: Option<Vec<String>>,
    pub paths: Vec<String>,
    pub methods: Option<Vec<String>>,
    pub access: Option<Access>,
    pub token: Option<TokenUse>,
    pub issuers: Option<Vec<String>>,
    pub permissions: Option<Value>,
    pub claims: Option<Entries<ClaimRule>>,
    #[serde(default)]
    pub dry_run: bool,
}

/// `permissions` of a route that names more than one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permissions {
    pub all_of: Option<Vec<String>>,
    pub any_of: Option<Vec<String>>,
}

/// One entry of `claims` of a route.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimRule {
    pub claim: String,
    pub values: Option<Vec<Value>>,
    pub not_values: Option<Vec<Value>>,
    pub all_values: Option<Vec<Value>>,
    pub path_variable: Option<String>,
}

/// Words of a document that have one meaning each in the decision.
macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident => $meaning:ty { $($word:ident),+ })+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
        #[serde(rename_all = "UPPERCASE")]
        pub enum $name {
            $($word,)+
        }

        impl From<$name> for $meaning {
            fn from(word: $name) -> Self {
                match word { $($name::$word => Self::$word,)+ }
            }
        }
    )+};
}

words! {
    /// `ambiguousPaths`
    AmbiguousPaths => routes::AmbiguousPaths { Deny, Match }
    /// `corsPreflight`
    CorsPreflight => document::CorsPreflight { Allow, Authorize }
    /// `decisionLog`
    DecisionLog => document::DecisionLog { All, Denials, Off }
    /// `token` of a route.
    TokenUse => routes::TokenUse { Ignore, Optional, Strict }
    /// `unmatchedRoutes`
    Unmatched => routes::Unmatched { Allow, Deny }
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Access {
    Authenticated,
    Denied,
    Public,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Format {
    Custom,
    ProblemJson,
    #[default]
    Text,
}

/// How a claim is written to a header.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum ClaimFormat {
    /// As Envoy writes it.
    #[default]
    Default,
    List,
}

fn yes() -> bool {
    true
}

/// A part of a document that is decoded later.
#[derive(Debug)]
pub struct Entry<T>(Value, PhantomData<fn() -> T>);

impl<T> Entry<T> {
    /// A value that is meant to be one.
    pub fn new(value: Value) -> Self {
        Self(value, PhantomData)
    }

    /// The value as it is written.
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl<'de, T> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

/// A list of such parts.
pub type Entries<T> = Vec<Entry<T>>;

/// A string, or an integer as its decimal text: Kubernetes writes `16Ki` and `16384` alike.
#[derive(Debug)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) if number.is_u64() => Ok(Self(number.to_string())),
            other => Err(de::Error::custom(format_args!(
                "found {other}, expected an integer or a string such as `16Ki`"
            ))),
        }
    }
}

/// A string that no message repeats.
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            _ => Err(de::Error::custom("expected a string (what is there is not shown)")),
        }
    }
}

/// A field of the specification that this version does not have.
#[derive(Debug)]
pub struct NotImplemented;

impl<'de> Deserialize<'de> for NotImplemented {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        const MESSAGE: &str = concat!("not implemented in version ", env!("CARGO_PKG_VERSION"));
        Err(de::Error::custom(MESSAGE))
    }
}

/// A field of Istio's resources that does not belong into `pluginConfig`.
#[derive(Debug)]
pub struct Misplaced;

impl<'de> Deserialize<'de> for Misplaced {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom(
            "does not belong here: which workloads the filter is for is said in the resource \
             around `pluginConfig`, as `metadata`, `spec.selector` or `spec.targetRefs` of the \
             WasmPlugin; external providers (CUSTOM) are not supported",
        ))
    }
}
