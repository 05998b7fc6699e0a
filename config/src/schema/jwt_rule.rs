//! `jwtRules`: the issuers whose tokens are accepted.

use serde_json::{Map, Value};

use crate::declare::{object, words};
#[cfg(feature = "schema")]
use crate::reference::form::Form;
use crate::shape::Entries;
use crate::shape::value::{Duration, FieldValue, Misfit, unexpected};
use jwt_rbac::authn::provider::Presence;

object! {
    /// An entry of `jwtRules`
    pub struct JwtRule {
        /// the `iss` of the tokens. An issuer that one entry names is never accepted by another
        #[field(
            "issuer",
            default = "any",
            example = "https://tenant.auth0.com/",
            refuses = "an empty string, and braces other than one `{tenant}`"
        )]
        pub issuer: Option<String>,
        /// what stands for `{tenant}` in `issuer`, where one key set signs for many tenants, as
        /// `https://login.microsoftonline.com/{tenant}/v2.0`. A key that names its own issuer (Entra ID) signs
        /// for no other
        #[field(
            "tenants",
            example = "[00000000-1111-2222-3333-444444444444]",
            refuses = "an empty list or string; any value without `{tenant}` in `issuer`; some issuers of another entry, but not all",
            pattern = "^[A-Za-z0-9._~-]+$"
        )]
        pub tenants: Option<Vec<String>>,
        /// shown in the log
        #[field(
            "name",
            default = "the issuer",
            example = "auth0",
            refuses = "the name of another entry; other characters, and more than 63",
            pattern = "^[A-Za-z0-9._-]{1,63}$"
        )]
        pub name: Option<String>,
        /// a token must name one of them in `aud`; compared without `http://`, `https://` and one trailing slash
        #[field(
            "audiences",
            default = "required",
            example = "[https://bookinfo.io]",
            refuses = "an empty list or string"
        )]
        pub audiences: Option<Vec<String>>,
        /// `true` in place of `audiences`. Access tokens of Cognito have no `aud`: ask for `client_id` and
        /// `token_use` in `requiredClaims` beside it
        #[field("anyAudience", example = "true", refuses = "`true` beside `audiences`")]
        pub any_audience: bool = false,
        /// the key set, as an object or as a string. RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519, or
        /// secrets (`oct`) alone: a set that has both becomes two entries of one issuer. Keys that can't be used
        /// are skipped and named in the log. Numbers may be in standard base64
        #[field(
            "jwks",
            default = "fetched, [see below](#keys)",
            example = r#"'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'"#,
            refuses = "a private key, secrets beside public keys, a set without a usable key"
        )]
        pub jwks: Option<KeySet>,
        /// the URL of the key set; each worker fetches it. Beside it, `jwks` counts until the first fetch has
        /// succeeded. Without both, the issuer says where its keys are (`/.well-known/openid-configuration`)
        #[field(
            "jwksUri",
            default = "what the issuer says",
            example = "https://tenant.auth0.com/.well-known/jwks.json",
            refuses = "what is no URL, and `http:` without `allowInsecureJwks`"
        )]
        pub jwks_uri: Option<String>,
        /// the cluster of Envoy that keys are fetched from. Istio makes one for each `ServiceEntry` and `Service`
        #[field(
            "jwksCluster",
            default = "`outbound|<port>||<host>`, by the URL",
            example = "outbound|443||tenant.auth0.com",
            refuses = "an empty string, and any value beside `jwks` alone"
        )]
        pub jwks_cluster: Option<String>,
        /// the longest time between two fetches. `max-age` of the answer shortens it, to a minute at the least
        #[field(
            "jwksRefreshInterval",
            default = "`20m`",
            example = "5m",
            refuses = "less than `5s`, more than `24h`, and any value beside `jwks` alone"
        )]
        pub jwks_refresh_interval: Option<Duration>,
        /// how long the last keys are used when they should be fetched anew and can't be; without it, as long as
        /// that lasts
        #[field(
            "jwksStaleIfError",
            default = "no limit",
            example = "24h",
            refuses = "more than `8784h`, and any value beside `jwks` alone"
        )]
        pub jwks_stale_if_error: Option<Duration>,
        /// how long a fetch may take, and a request wait for the first one
        #[field(
            "timeout",
            default = "`5s`",
            example = "2s",
            refuses = "less than `1s`, more than `60s`, and any value beside `jwks` alone"
        )]
        pub timeout: Option<Duration>,
        /// `true` allows `http:`: inside a mesh, or from a cache beside the proxy
        #[field("allowInsecureJwks", example = "true", refuses = "`true` beside `jwks` alone")]
        pub allow_insecure_jwks: bool = false,
        /// the algorithms that are accepted. `HS*` must be listed; `PS*` must be listed or be the `alg` of the
        /// key, which has at most 4096 bits then
        #[field(
            "algorithms",
            default = "all but `HS*` and `PS*`",
            example = "[RS256, ES256]",
            refuses = "`none`, and names that are not in RFC 7518 or 8037",
            pattern = "^((RS|PS|ES|HS)(256|384|512)|EdDSA|Ed25519)$"
        )]
        pub algorithms: Option<Vec<String>>,
        /// where tokens are found. The same token twice is one, an empty value is none
        #[field(
            "fromHeaders",
            default = r#"`[{name: authorization, prefix: "Bearer "}]`"#,
            example = r#"[{name: x-jwt-assertion, prefix: "JWT "}]"#,
            refuses = "two prefixes of one header of which one begins with the other"
        )]
        pub from_headers: Option<Entries<FromHeader>>,
        /// parameters of the query. What frameworks take for one of them (`access.token`, `access_token[]`,
        /// `;access_token`) is always removed, and so are other spellings of cookies
        #[field(
            "fromParams",
            default = "`[access_token]`",
            example = "[token]",
            refuses = "an empty list or string"
        )]
        pub from_params: Option<Vec<String>>,
        /// cookies. If any of the three is given, only what is given counts
        #[field(
            "fromCookies",
            example = "[session]",
            refuses = "what can't be the name of a cookie"
        )]
        pub from_cookies: Option<Vec<String>>,
        /// `REQUIRED` asks every request but those of public routes for a token of this entry, beside the
        /// tokens of other entries. Of several entries with it, the last one's claims and permissions count
        #[field(
            "presence",
            default = "`OPTIONAL`",
            example = "REQUIRED",
            refuses = "`REQUIRED` where another entry looks in the same header, parameter or cookie, or writes the same header; more than 8 of them"
        )]
        pub presence: Presence = Presence::Optional,
        /// whether the workload receives the token
        #[field("forwardOriginalToken", example = "true")]
        pub forward_original_token: bool = false,
        /// a header that receives the payload, in base64url
        #[field(
            "outputPayloadToHeader",
            example = "x-jwt-payload",
            refuses = "headers of HTTP itself, those that override method or path, and those that hold tokens",
            pattern = "^[A-Za-z0-9_-]+$"
        )]
        pub output_payload_to_header: Option<String>,
        /// headers that receive claims. What clients send under these names is always removed, in every spelling
        #[field(
            "outputClaimToHeaders",
            example = "[{header: x-sub, claim: sub}]",
            refuses = "a header twice"
        )]
        pub output_claim_to_headers: Option<Entries<ClaimToHeader>>,
        /// claims that are lists though they are strings
        #[field(
            "spaceDelimitedClaims",
            default = "`[scope, permission]` and these",
            example = "[groups]",
            refuses = "an empty list or string"
        )]
        pub space_delimited_claims: Option<Vec<String>>,
        /// the `typ` of the header, in any case and with or without `application/`
        #[field(
            "tokenTypes",
            default = "any",
            example = "[at+jwt]",
            refuses = "an empty list or string"
        )]
        pub token_types: Option<Vec<String>>,
        /// `true` takes tokens whose base64url is padded with `=`, as AWS load balancers sign them
        #[field("paddedTokens", example = "true")]
        pub padded_tokens: bool = false,
        /// how far clocks may differ
        #[field("clockSkew", default = "`60s`", example = "10s", refuses = "more than `300s`")]
        pub clock_skew: Option<Duration>,
        /// whether a token must have `exp`
        #[field("requireExpiration", example = "false")]
        pub require_expiration: bool = true,
        /// how long a token may still be valid
        #[field("maxLifetime", example = "24h", refuses = "`0s`")]
        pub max_lifetime: Option<Duration>,
        /// claims that a token must have
        #[field(
            "requiredClaims",
            example = "[{claim: token_use, values: [access]}]",
            refuses = "an empty list"
        )]
        pub required_claims: Option<Entries<RequiredClaim>>,
        /// the first of these that a token has holds its permissions: a list of strings, or one string with
        /// spaces. Anything else grants nothing
        #[field(
            "permissionClaims",
            default = "`[permissions]`",
            example = "[permissions, scope]",
            refuses = "brackets that are no walk (`a[b]`)"
        )]
        pub permission_claims: Option<Vec<String>>,
        /// all of these hold roles, never split: a list, one role, or an object whose names are the roles
        /// (Zitadel). What roles grant is added to the permissions
        #[field(
            "roleClaims",
            example = r#"["[realm_access][roles]"]"#,
            refuses = "any value without `rolePermissions`: a role alone grants nothing"
        )]
        pub role_claims: Option<Vec<String>>,
        /// what each role grants
        #[field(
            "rolePermissions",
            example = "{moderator: [read:book-reviews]}",
            refuses = "any value without `roleClaims`"
        )]
        pub role_permissions: Option<Map<String, Value>>,
    }
}

object! {
    /// An entry of `fromHeaders`
    pub struct FromHeader {
        /// the header
        #[field(
            "name",
            example = "x-jwt-assertion",
            refuses = "`cookie` and `host`",
            pattern = "^[A-Za-z0-9_-]+$"
        )]
        pub name: String,
        /// what stands before the token. A prefix that ends in a space or has letters alone (`Bearer`) is a
        /// scheme, in any case, and the scheme anywhere else in the value is refused; any other is taken
        /// literally; without one the whole value is the token
        #[field(
            "prefix",
            default = "none",
            example = r#""JWT ""#,
            refuses = "a scheme with spaces in it"
        )]
        pub prefix: String = String::new(),
    }
}

object! {
    /// An entry of `requiredClaims`
    pub struct RequiredClaim {
        /// the claim that must be there
        #[field("claim", example = "token_use", refuses = "brackets that are no walk (`a[b]`)")]
        pub claim: String,
        /// its value must be one of these; typed: 7 is not "7"
        #[field(
            "values",
            default = "any",
            example = "[access]",
            refuses = "an empty list, and lists or objects in it"
        )]
        pub values: Option<Vec<Value>>,
    }
}

object! {
    /// An entry of `outputClaimToHeaders`
    pub struct ClaimToHeader {
        /// the header that receives the claim
        #[field(
            "header",
            example = "x-groups",
            refuses = "headers of HTTP itself, those that override method or path, and those that hold tokens",
            pattern = "^[A-Za-z0-9_-]+$"
        )]
        pub header: String,
        /// the claim; a name that is no claim is then read as a dotted path, as in Istio
        #[field("claim", example = "groups", refuses = "brackets that are no walk (`a[b]`)")]
        pub claim: String,
        /// `LIST` writes the elements of a list with commas; `DEFAULT` writes lists and objects as base64 of their
        /// JSON, 1.5 as `1.500000` and -5 as `-5.000000`, as Envoy does
        #[field("format", default = "`DEFAULT`", example = "LIST")]
        pub format: ClaimFormat = ClaimFormat::Default,
    }
}

/// How a claim is written to a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimFormat {
    /// As Envoy writes it.
    Default,
    List,
}

words! {
    Presence { Optional "OPTIONAL", Required "REQUIRED" }
    ClaimFormat { Default "DEFAULT", List "LIST" }
}

/// `jwks`: an object, or its text. What is in it is other people's.
#[derive(Debug)]
pub struct KeySet(pub Value);

impl FieldValue for KeySet {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::String(_) | Value::Object(_) => Ok(Self(value)),
            other => Err(unexpected(other, "a key set: the object `{\"keys\": […]}`, or its text")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::OneOf(vec![Form::Text, Form::AnyObject])
    }
}
