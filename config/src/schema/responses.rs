//! `responses`: how denials are answered.

use crate::declare::{object, words};
use crate::shape::Entry;

object! {
    /// `responses`
    #[derive(Default)]
    pub struct Responses {
        /// the answer to a request that lacks the token its route needs
        #[field("missingToken", default = "`{status: 403}`", example = "{status: 401}")]
        pub missing_token: Option<Entry<MissingToken>>,
        /// the body of refusals of tokens
        #[field(
            "unauthenticated",
            default = "`{format: TEXT}`",
            example = "{format: PROBLEM_JSON}"
        )]
        pub unauthenticated: Option<Entry<Unauthenticated>>,
        /// the answer to other denials
        #[field("forbidden", default = "`{format: TEXT}`", example = "{format: CUSTOM, body: Ask your administrator.}")]
        pub forbidden: Option<Entry<Forbidden>>,
        /// an https URL that challenges point at (RFC 9728), for MCP clients among others
        #[field(
            "resourceMetadata",
            example = "https://api.example.com/.well-known/oauth-protected-resource",
            refuses = "`http:`, quotes, spaces",
            pattern = "^https://"
        )]
        pub resource_metadata: Option<String>,
        /// origins whose scripts may read these replies, with credentials too
        #[field(
            "corsOrigins",
            example = "[https://app.example.com]",
            refuses = "`*`, a path, the port that the scheme has anyway, upper case",
            pattern = r"^https?://[a-z0-9._:\[\]-]+$"
        )]
        pub cors_origins: Option<Vec<String>>,
    }
}

object! {
    /// `missingToken` of `responses`
    pub struct MissingToken {
        /// `401` challenges the caller, `403` does not
        #[field("status", example = "401", refuses = "any other status")]
        pub status: u64,
    }
}

object! {
    /// `unauthenticated` of `responses`
    #[derive(Default)]
    pub struct Unauthenticated {
        /// `TEXT`, `PROBLEM_JSON` (RFC 9457), or `CUSTOM` with `body` and `contentType`
        #[field(
            "format",
            default = "`TEXT`",
            example = "PROBLEM_JSON",
            refuses = "`CUSTOM` without `body`"
        )]
        pub format: Format = Format::Text,
        /// the body under `format: CUSTOM`
        #[field("body", example = "Please sign in.", refuses = "any value under another format")]
        pub body: Option<String>,
        /// its media type
        #[field(
            "contentType",
            default = "`text/plain`",
            example = "text/html",
            refuses = "an empty string, control characters, any value under another format"
        )]
        pub content_type: Option<String>,
    }
}

object! {
    /// `forbidden` of `responses`
    #[derive(Default)]
    pub struct Forbidden {
        /// `TEXT`, `PROBLEM_JSON` (RFC 9457), or `CUSTOM` with `body` and `contentType`
        #[field(
            "format",
            default = "`TEXT`",
            example = "PROBLEM_JSON",
            refuses = "`CUSTOM` without `body`"
        )]
        pub format: Format = Format::Text,
        /// the body under `format: CUSTOM`
        #[field(
            "body",
            example = "Ask your administrator.",
            refuses = "any value under another format"
        )]
        pub body: Option<String>,
        /// its media type
        #[field(
            "contentType",
            default = "`text/plain`",
            example = "text/html",
            refuses = "an empty string, control characters, any value under another format"
        )]
        pub content_type: Option<String>,
        /// `404` hides what there is from callers without a token or with a good one; a bad token still gets 401
        /// where there is something, and so does a missing one under `missingToken: {status: 401}`
        #[field("status", default = "`403`", example = "404", refuses = "any other status")]
        pub status: Option<u64>,
        /// `true` adds a challenge that names the missing scope (RFC 6750)
        #[field("insufficientScope", example = "true", refuses = "`true` beside `status: 404`")]
        pub insufficient_scope: bool = false,
    }
}

/// The form of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    Custom,
    ProblemJson,
    #[default]
    Text,
}

words! {
    Format { Custom "CUSTOM", ProblemJson "PROBLEM_JSON", Text "TEXT" }
}
