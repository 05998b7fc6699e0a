//! Every reason for which a request can be refused, in one closed enum.
//!
//! A refusal has a stable slug, a status and a text; response, response code details, log, metric
//! and the table in docs/refusals.md all come from here.

/// What a client reads when authorization fails: Envoy's own words (`rbac_filter.cc`).
const ACCESS_DENIED: &str = "RBAC: access denied";
/// What it reads where the token is missing that a native `jwt_authn` filter asks for.
pub(crate) const TOKEN_MISSING: &str = "Jwt is missing";

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $variant:ident = $slug:literal, $kind:ident, $status:literal, $text:expr, remedy: $remedy:literal;)+) => {
        /// Why a request is refused.
        // As wide as a word: the compiler moves a result that holds a byte in pieces.
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name: `[a-z_]+`, the same in every version.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)+ }
            }

            /// What it is about.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)+ }
            }

            /// The HTTP status of the local reply.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The body of the local reply.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What to do about it, for the operator of the proxy.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)+ }
            }

            /// What happened, in a few words, for people who read the log.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

// The texts of the 401s, and their order, are those of Envoy's `source/common/jwt/status.cc`.
// Refusals that Envoy does not know carry the nearest of its texts.
refusals! {
    /// No document is in force
    DocumentMissing = "document_missing", Shape, 403, ACCESS_DENIED,
        remedy: "apply a document that is not refused; the log names what is wrong with this one";
    /// The request has no method, no path, one of them twice, or unreadable headers
    RequestMalformed = "request_malformed", Shape, 403, ACCESS_DENIED,
        remedy: "send a method and a path, each once";
    /// CONNECT names no path that a route could match
    ConnectRefused = "connect_refused", Shape, 403, ACCESS_DENIED,
        remedy: "use a document without routes on a listener for CONNECT";
    /// The method has a lower-case letter, which many workloads read in upper case
    MethodMalformed = "method_malformed", Shape, 403, ACCESS_DENIED,
        remedy: "send the method in upper case";
    /// The path can be read in more than one way
    PathAmbiguous = "path_ambiguous", Table, 403, ACCESS_DENIED,
        remedy: "send the path in its plain spelling";
    /// No route names the host of the request, or it can be read in more than one way
    HostUnknown = "host_unknown", Table, 403, ACCESS_DENIED,
        remedy: "add the host to the hosts of a route, or send it in its plain spelling";
    /// No route matches the path
    RouteUnmatched = "route_unmatched", Table, 403, ACCESS_DENIED,
        remedy: "add a route for the path";
    /// The route of this path does not list the method
    MethodNotAllowed = "method_not_allowed", Table, 403, ACCESS_DENIED,
        remedy: "add the method to a route of this path";
    /// The route is closed for everybody
    RouteDenied = "route_denied", Requirement, 403, ACCESS_DENIED,
        remedy: "change access: DENIED of the route";
    /// The route needs a verified token and the request has none
    IdentityMissing = "identity_missing", Requirement, 403, ACCESS_DENIED,
        remedy: "send a token";
    /// The route does not accept tokens of this issuer
    IssuerNotAllowed = "issuer_not_allowed", Requirement, 403, ACCESS_DENIED,
        remedy: "send a token of an issuer of the route, or add the issuer to it";
    /// The token does not grant the permission that the route needs
    PermissionMissing = "permission_missing", Requirement, 403, ACCESS_DENIED,
        remedy: "grant the missing permission to the subject, or ask for a token that has it";
    /// The claim that holds the permissions has a type that grants nothing
    ClaimMalformed = "claim_malformed", Requirement, 403, ACCESS_DENIED,
        remedy: "let the issuer write permissions and roles as a list of strings or one string";
    /// A claim does not have the value that the route needs
    ClaimMismatch = "claim_mismatch", Requirement, 403, ACCESS_DENIED,
        remedy: "send a token whose claim has the value, or change claims of the route";
    /// A DENY policy matches the request
    PolicyDenied = "policy_denied", Policy, 403, ACCESS_DENIED,
        remedy: "change the policy that the rule names, or send what it does not match";
    /// No ALLOW policy matches the request
    PolicyUnmatched = "policy_unmatched", Policy, 403, ACCESS_DENIED,
        remedy: "add a rule that matches to an ALLOW policy";
    /// No ALLOW policy matches the request, which has no verified token, and one of them reads it
    PolicyIdentityMissing = "policy_identity_missing", Policy, 403, ACCESS_DENIED,
        remedy: "send a token, or add a rule that matches without one to an ALLOW policy";
    /// A claim can't be written to its output header
    HeaderUnwritable = "header_unwritable", Output, 403, ACCESS_DENIED,
        remedy: "let the issuer write the claim without control characters, and without commas for a LIST";
    /// A call to Envoy failed
    HostFailure = "host_failure", Shape, 403, ACCESS_DENIED,
        remedy: "report it with the log of the proxy";

    /// The request lacks a token of a provider with `presence: REQUIRED`
    TokenMissing = "token_missing", Token, 401, TOKEN_MISSING,
        remedy: "send a token of each entry of jwtRules with `presence: REQUIRED`, each in its own place";
    /// The request has more than one token where one belongs
    TokenMultiple = "token_multiple", Token, 401, "Found multiple Jwt tokens",
        remedy: "send one token in one place";
    /// The credential is not its scheme, spaces and one token
    CredentialMalformed = "credential_malformed", Token, 401, TOKEN_FORM,
        remedy: "send `Bearer`, one space and the token, and nothing else";
    /// The token is longer than `maxTokenSize`
    TokenTooLarge = "token_too_large", Token, 401, TOKEN_FORM,
        remedy: "ask for a smaller token, or raise maxTokenSize";
    /// The token is not three parts with two dots between them
    TokenForm = "token_form", Token, 401, TOKEN_FORM,
        remedy: "send a signed token in compact form; opaque and encrypted tokens are not supported";
    /// The header is not unpadded base64url
    HeaderEncoding = "header_encoding", Token, 401, "Jwt header is an invalid Base64url encoded",
        remedy: "send the token as it was issued";
    /// The header is not a JSON object
    HeaderJson = "header_json", Token, 401, HEADER_JSON,
        remedy: "send the token as it was issued";
    /// The header has a member twice
    HeaderMemberDuplicate = "header_member_duplicate", Token, 401, HEADER_JSON,
        remedy: "let the issuer write each member once";
    /// The header is nested too deep
    HeaderTooDeep = "header_too_deep", Token, 401, HEADER_JSON,
        remedy: "let the issuer write a flat header, or raise tokenLimits.depth";
    /// The header has too many members
    HeaderTooManyMembers = "header_too_many_members", Token, 401, HEADER_JSON,
        remedy: "let the issuer write a smaller header, or raise tokenLimits.members";
    /// The header has no `alg`, or one that is not a string
    AlgorithmMissing = "algorithm_missing", Token, 401, "Jwt header [alg] field is required and must be a string",
        remedy: "let the issuer write `alg`";
    /// The `alg` of the header is not known
    AlgorithmUnknown = "algorithm_unknown", Token, 401, ALGORITHM_UNSUPPORTED,
        remedy: "let the issuer sign with RS, PS, ES, EdDSA or HS";
    /// The `kid` of the header is not a string
    KeyIdNotString = "key_id_not_string", Token, 401, "Jwt header [kid] field is not a string",
        remedy: "let the issuer write `kid` as a string";
    /// The header has extensions that must be understood (`crit`, `b64`)
    HeaderCritical = "header_critical", Token, 401, ALGORITHM_UNSUPPORTED,
        remedy: "let the issuer leave `crit` and `b64` out";
    /// The payload is not unpadded base64url
    PayloadEncoding = "payload_encoding", Token, 401, "Jwt payload is an invalid Base64url encoded",
        remedy: "send the token as it was issued";
    /// The payload is not a JSON object
    PayloadJson = "payload_json", Token, 401, PAYLOAD_JSON,
        remedy: "send the token as it was issued";
    /// The payload has a member twice
    PayloadMemberDuplicate = "payload_member_duplicate", Token, 401, PAYLOAD_JSON,
        remedy: "let the issuer write each claim once";
    /// The payload is nested too deep
    PayloadTooDeep = "payload_too_deep", Token, 401, PAYLOAD_JSON,
        remedy: "let the issuer write flatter claims, or raise tokenLimits.depth";
    /// The payload has too many members
    PayloadTooManyMembers = "payload_too_many_members", Token, 401, PAYLOAD_JSON,
        remedy: "let the issuer write fewer claims, or raise tokenLimits.members";
    /// The claim `iss` is not a string
    IssuerNotString = "issuer_not_string", Token, 401, "Jwt payload [iss] field is not a string",
        remedy: "let the issuer write `iss` as a string";
    /// The claim `sub` is not a string
    SubjectNotString = "subject_not_string", Token, 401, "Jwt payload [sub] field is not a string",
        remedy: "let the issuer write `sub` as a string";
    /// The claim `iat` is not a number
    IssuedAtNotInteger = "issued_at_not_integer", Token, 401, "Jwt payload [iat] field is not an integer",
        remedy: "let the issuer write `iat` as a number";
    /// The claim `iat` is negative or too large
    IssuedAtOutOfRange = "issued_at_out_of_range", Token, 401, "Jwt payload [iat] field is not a positive 64 bit integer",
        remedy: "let the issuer write `iat` in seconds since 1970";
    /// The claim `nbf` is not a number
    NotBeforeNotInteger = "not_before_not_integer", Token, 401, "Jwt payload [nbf] field is not an integer",
        remedy: "let the issuer write `nbf` as a number";
    /// The claim `nbf` is negative or too large
    NotBeforeOutOfRange = "not_before_out_of_range", Token, 401, "Jwt payload [nbf] field is not a positive 64 bit integer",
        remedy: "let the issuer write `nbf` in seconds since 1970";
    /// The claim `exp` is not a number
    ExpirationNotInteger = "expiration_not_integer", Token, 401, "Jwt payload [exp] field is not an integer",
        remedy: "let the issuer write `exp` as a number";
    /// The claim `exp` is negative or too large
    ExpirationOutOfRange = "expiration_out_of_range", Token, 401, "Jwt payload [exp] field is not a positive 64 bit integer",
        remedy: "let the issuer write `exp` in seconds since 1970";
    /// The claim `jti` is not a string
    TokenIdNotString = "token_id_not_string", Token, 401, "Jwt payload [jti] field is not a string",
        remedy: "let the issuer write `jti` as a string";
    /// The claim `aud` is neither a string nor a list of strings
    AudienceNotString = "audience_not_string", Token, 401, "Jwt payload [aud] field is not a string or string list",
        remedy: "let the issuer write `aud` as a string or a list of strings";
    /// The signature is not unpadded base64url
    SignatureEncoding = "signature_encoding", Token, 401, "Jwt signature is an invalid Base64url encoded",
        remedy: "send the token as it was issued";
    /// No provider accepts the claim `iss`
    IssuerUnknown = "issuer_unknown", Token, 401, "Jwt issuer is not configured",
        remedy: "add the issuer to jwtRules, or send a token of one that is there";
    /// The claim `nbf` lies in the future
    NotYetValid = "not_yet_valid", Token, 401, "Jwt not yet valid",
        remedy: "wait, or correct the clock of the issuer";
    /// The claim `exp` lies in the past
    Expired = "expired", Token, 401, "Jwt is expired",
        remedy: "ask for a new token";
    /// The claim `aud` names none of the audiences of the provider
    AudienceNotAllowed = "audience_not_allowed", Token, 403, "Audiences in Jwt are not allowed",
        remedy: "ask for a token for this service, or add the audience to the rule";
    /// `algorithms` does not list the `alg` of the header
    AlgorithmNotAllowed = "algorithm_not_allowed", Token, 401, ALGORITHM_UNSUPPORTED,
        remedy: "add the algorithm to the rule, or let the issuer sign with one that is there";
    /// `tokenTypes` does not list the `typ` of the header
    TokenTypeNotAllowed = "token_type_not_allowed", Token, 401, VERIFICATION_FAILS,
        remedy: "send an access token, or add the type to the rule";
    /// The token is valid for longer than `maxLifetime`
    LifetimeTooLong = "lifetime_too_long", Token, 401, VERIFICATION_FAILS,
        remedy: "let the issuer write a shorter lifetime, or raise maxLifetime";
    /// A claim of `requiredClaims` is missing or has another value
    RequiredClaimMissing = "required_claim_missing", Token, 401, VERIFICATION_FAILS,
        remedy: "send a token that has the claims of requiredClaims";
    /// `revoked` names the token, its subject, or a later time than its `iat`
    TokenRevoked = "token_revoked", Token, 401, VERIFICATION_FAILS,
        remedy: "ask for a new token; the document lists what is revoked";
    /// The token has no claim `exp`
    ExpirationMissing = "expiration_missing", Token, 401, VERIFICATION_FAILS,
        remedy: "let the issuer write `exp`, or set requireExpiration: false";
    /// The token lists more permissions and roles than `tokenLimits` allow
    PermissionsTooMany = "permissions_too_many", Token, 401, VERIFICATION_FAILS,
        remedy: "let the issuer list fewer permissions and roles, or raise tokenLimits.permissions";
    /// The keys of the issuer could not be fetched
    KeysUnavailable = "keys_unavailable", Token, 401, "Jwks remote fetch is failed",
        remedy: "look for `keys_not_fetched` in the log of the proxy: it says which URL, why, and what to do";
    /// The key set has no key that fits `kid` and `alg`
    KeyUnknown = "key_unknown", Token, 401, "Jwks doesn't have key to match kid or alg from Jwt",
        remedy: "add the key of this `kid` to the key set; PS* needs the key's `alg` or `algorithms`";
    /// More keys fit the token than may be tried, and none of those that were tried verifies it
    KeyAmbiguous = "key_ambiguous", Token, 401, VERIFICATION_FAILS,
        remedy: "let the issuer name its key with `kid`, and list one key for each `kid`";
    /// The Ed25519 signature does not have 64 bytes
    SignatureLength = "signature_length", Token, 401, "Jwt ED25519 signature is wrong length",
        remedy: "send the token as it was issued";
    /// The signature does not verify
    SignatureInvalid = "signature_invalid", Token, 401, VERIFICATION_FAILS,
        remedy: "compare the rule's key set with that of the issuer; else the token was changed or forged";
}

const ALGORITHM_UNSUPPORTED: &str = "Jwt header [alg] is not supported";
const HEADER_JSON: &str = "Jwt header is an invalid JSON";
const PAYLOAD_JSON: &str = "Jwt payload is an invalid JSON";
const TOKEN_FORM: &str =
    "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections";
const VERIFICATION_FAILS: &str = "Jwt verification fails";

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A claim that no header can hold.
    Output,
    /// What `authorizationPolicies` say.
    Policy,
    /// What the route of the request asks.
    Requirement,
    /// The request could not be judged: its shape, no document, or a failed call to Envoy. No dry run
    /// covers it.
    Shape,
    /// The request has no route.
    Table,
    /// The token.
    Token,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn slugs_are_distinct_and_plain() {
        let mut seen = HashSet::new();
        for refusal in Refusal::ALL {
            let slug = refusal.slug();
            assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{slug}");
            assert!(seen.insert(slug), "{slug} is there twice");
            assert!(!refusal.meaning().is_empty());
        }
    }

    #[test]
    fn only_the_audience_is_a_403_about_the_token() {
        for refusal in Refusal::ALL {
            let is_about_token = refusal.kind() == Kind::Token;
            let expected =
                if is_about_token && *refusal != Refusal::AudienceNotAllowed { 401 } else { 403 };
            assert_eq!(refusal.status(), expected, "{}", refusal.slug());
            assert_eq!(refusal.text() != ACCESS_DENIED, is_about_token, "{}", refusal.slug());
        }
    }
}
