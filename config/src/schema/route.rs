//! `routes`: who may use which path.

use jwt_rbac::authz::routes::TokenUse;
use serde_json::Value;

use crate::declare::{object, words};
#[cfg(feature = "schema")]
use crate::reference::form::Form;
use crate::shape::value::{FieldValue, Misfit, strings};
use crate::shape::{Entries, Entry};

object! {
    /// An entry of `routes`
    pub struct Route {
        /// shown in logs and response code details
        #[field(
            "name",
            default = "its place",
            example = "reviews",
            refuses = "the name of another route; other characters, and more than 63",
            pattern = "^[A-Za-z0-9._-]{1,63}$"
        )]
        pub name: Option<String>,
        /// `api.example.com`, `*.example.com`, `[2001:db8::1]`, `*`. The exact host counts, else the longest `*.x`,
        /// else `*`, as for Envoy's virtual hosts. A port of the request does not count, as Istio sets
        /// `ignore_port_in_host_matching`; set it in an Envoy of your own. A host that can be read in another way
        /// (a dot at its end, a port with a leading zero) is denied. At a sidecar clients choose the host; this is
        /// for gateways and waypoints
        #[field(
            "hosts",
            default = "any",
            example = r#"[api.example.com, "*.example.com"]"#,
            refuses = "a port; routes without hosts beside routes with them"
        )]
        pub hosts: Option<Vec<String>>,
        /// `/reviews/{id}`: literals, `{name}` or `{*}` for one segment, `{**}` or `{name=**}` at the end for the
        /// rest, which may be empty. Without the query, percent-decoded once; a trailing slash does not count
        #[field(
            "paths",
            example = r#"["/reviews/{id}", "/static/{**}"]"#,
            refuses = "`..`, `//`, `;` and whatever else can be read in two ways; a rest that is not at the end; more than 64 segments",
            pattern = "^/"
        )]
        pub paths: Vec<String>,
        /// a request whose method has a lower-case letter is denied; `GET` covers `HEAD` unless a route lists it
        #[field(
            "methods",
            default = "any",
            example = "[GET, POST]",
            refuses = "lower case, and `CONNECT`",
            pattern = "^[A-Z-]+$"
        )]
        pub methods: Option<Vec<String>>,
        /// `PUBLIC`, `AUTHENTICATED` (any verified token) or `DENIED`, where a route has no `permissions`, `claims` or `issuers`
        #[field(
            "access",
            default = "",
            example = "PUBLIC",
            refuses = "`PUBLIC` and `DENIED` beside what the route needs"
        )]
        pub access: Option<Access>,
        /// on a `PUBLIC` route: `OPTIONAL` makes a bad token count as none and removes it, `IGNORE` passes it on
        /// unread
        #[field(
            "token",
            default = "`STRICT`",
            example = "OPTIONAL",
            refuses = "any value on other routes"
        )]
        pub token: Option<TokenUse>,
        /// the issuers whose tokens count, by `issuer` and not by `name`. One with `{tenant}` means all its tenants
        #[field(
            "issuers",
            default = "any",
            example = "[https://tenant.auth0.com/]",
            refuses = "an issuer that no entry of `jwtRules` has"
        )]
        pub issuers: Option<Vec<String>>,
        /// what a token must grant: `[one]`, `{allOf: […]}`, `{anyOf: […]}`, or both of these
        #[field(
            "permissions",
            default = "",
            example = "[read:book-reviews]",
            refuses = "a list of several: say `allOf` or `anyOf`"
        )]
        pub permissions: Option<NamedPermissions>,
        /// what the claims of a token must say; each entry must hold
        #[field(
            "claims",
            default = "",
            example = "[{claim: tenant, pathVariable: tenant}]",
            refuses = "an empty list"
        )]
        pub claims: Option<Entries<ClaimRule>>,
        /// what this route asks is logged and counted, not enforced; a bad token is still 401, and the workload
        /// receives a good one only where it would otherwise
        #[field("dryRun", example = "true", refuses = "`true` on a `PUBLIC` route")]
        pub dry_run: bool = false,
    }
}

object! {
    /// `permissions` of a route, where it names several
    #[derive(Default)]
    pub struct Permissions {
        /// a token must grant each of these
        #[field(
            "allOf",
            example = "[read:orders, write:orders]",
            refuses = "an empty list or string"
        )]
        pub all_of: Option<Vec<String>>,
        /// a token must grant one of these
        #[field("anyOf", example = "[read:orders, admin]", refuses = "an empty list or string")]
        pub any_of: Option<Vec<String>>,
    }
}

object! {
    /// An entry of `claims` of a route
    pub struct ClaimRule {
        /// the claim. One that is missing, null or an object fails under each operator but `present`
        #[field(
            "claim",
            example = r#""[org][id]""#,
            refuses = "brackets that are no walk (`a[b]`), and a claim without an operator"
        )]
        pub claim: String,
        /// one of these; one element of a list is enough. Typed: 7 is not "7"
        #[field(
            "values",
            example = "[7, acme]",
            refuses = "an empty list, and lists or objects in it"
        )]
        pub values: Option<Vec<Value>>,
        /// none of these
        #[field(
            "notValues",
            example = "[suspended]",
            refuses = "an empty list, and lists or objects in it"
        )]
        pub not_values: Option<Vec<Value>>,
        /// all of these, which are elements of a list
        #[field(
            "allValues",
            example = "[a, b]",
            refuses = "an empty list, and lists or objects in it"
        )]
        pub all_values: Option<Vec<Value>>,
        /// the segment of the path with this name, which a number matches by its decimal text
        #[field(
            "pathVariable",
            example = "tenant",
            refuses = "a variable that not all `paths` of the route have as one segment"
        )]
        pub path_variable: Option<String>,
        /// the value of this header, which is there once and in this spelling
        #[field("header", example = "x-tenant", refuses = "what is no name of a header")]
        pub header: Option<String>,
        /// the value of this parameter of the query, which is there once and in this spelling
        #[field("queryParameter", example = "tenant", refuses = "an empty string")]
        pub query_parameter: Option<String>,
        /// `true`: it is there, of any type but null; `false`: it is not
        #[field("present", example = "true", refuses = "`false` beside another operator")]
        pub present: Option<bool>,
        /// a text that begins with this; one element of a list is enough
        #[field("prefix", example = "acme-", refuses = "an empty string")]
        pub prefix: Option<String>,
        /// a text that ends with this; one element of a list is enough
        #[field("suffix", example = "-eu", refuses = "an empty string")]
        pub suffix: Option<String>,
        /// a regular expression that matches the whole of a text; one element of a list is enough.
        /// [Bounded](#more-than-istio-can-say)
        #[field(
            "regex",
            example = r#""team-[0-9]+""#,
            refuses = "more than 256 bytes, and what is none"
        )]
        pub regex: Option<String>,
    }
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Authenticated,
    Denied,
    Public,
}

words! {
    Access { Authenticated "AUTHENTICATED", Denied "DENIED", Public "PUBLIC" }
    TokenUse { Ignore "IGNORE", Optional "OPTIONAL", Strict "STRICT" }
}

/// `permissions` of a route.
#[derive(Debug)]
pub enum NamedPermissions {
    /// One in a list.
    List(Vec<String>),
    /// Several, with the word that says how they count.
    Several(Entry<Permissions>),
}

impl FieldValue for NamedPermissions {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::Object(_) => Ok(Self::Several(Entry::new(value))),
            list => strings(list).map(Self::List),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        let several = <Entry<Permissions> as FieldValue>::form();
        Form::OneOf(vec![Form::List(Box::new(Form::Text)), several])
    }
}
