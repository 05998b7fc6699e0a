//! From the text of a `pluginConfig` to a [`Document`], or to everything that is wrong with it.
//!
//! Two passes. Shape: the text becomes JSON without duplicate names, and every entry of every list
//! is decoded on its own into the types of `schema`. Meaning: what was decoded is compiled into
//! types in which a wrong state can't be written. Both collect all they find.
//!
//! Functions that are called once are `inline(never)`: what V8 takes to compile the largest function of
//! the module stays with Envoy as memory (docs/costs.md).

pub mod duration;
pub mod fault;
pub mod place;
pub mod problem;
#[cfg(feature = "schema")]
pub mod reference;
pub mod size;

mod access;
mod ambiguity;
mod checks;
mod claim_rules;
mod declare;
mod fence;
mod issuers;
mod key_set;
mod key_source;
mod locations;
mod log_claims;
mod operands;
mod output_headers;
mod policies;
mod presence;
mod providers;
mod responses;
mod revoked;
mod routes;
mod schema;
mod shape;

use std::ops::RangeInclusive;

use serde_json::Value;

use fault::{Fault, Found};
use issuers::KnownIssuers;
use jwt_rbac::authn::grants::MAX_PERMISSIONS;
use jwt_rbac::authn::jws::LIMITS;
use jwt_rbac::authn::locate::Location;
use jwt_rbac::authn::revocation::Revocation;
use jwt_rbac::authn::signature::SignatureVerifier;
use jwt_rbac::authn::{Authenticator, TokenOptions};
use jwt_rbac::authz::counterpart::Counterpart;
use jwt_rbac::authz::policies::Policies;
use jwt_rbac::authz::policies::claim_test::ClaimTest;
use jwt_rbac::authz::policies::condition::Test;
use jwt_rbac::authz::requirement::Operator;
use jwt_rbac::authz::routes::{Access, AmbiguousPaths, RouteTable, Unmatched};
use jwt_rbac::document::{Document, DryRun, Responses};
use jwt_rbac::forward::OVERRIDES;
use jwt_rbac::header_names::HeaderNames;
use jwt_rbac::json;
pub use key_set::PLACEHOLDER;
use place::Place;
use problem::Problems;
use shape::Entry;
use shape::value::Size;

/// The largest document, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;
/// The largest cache of verified tokens, in bytes. Each worker has one for each document, and all
/// of them share the 1 GiB that Envoy gives to a VM (`wasm_max_mem_pages`).
const MAX_CACHE_SIZE: usize = 64 << 20;
/// The size of the cache where the document does not say, in bytes.
const DEFAULT_CACHE_SIZE: usize = 4 << 20;
/// What a document that would let everybody in lacks.
const NOTHING_TO_DO: &str = "`jwtRules`, `routes` or `authorizationPolicies`";
/// How many routes can have counters of their own.
const MAX_RULE_METRICS: usize = 200;
/// The greatest depth of a token's JSON that can be asked for.
const MAX_TOKEN_DEPTH: usize = 64;
/// The greatest number of its members, and of permissions and roles, that can be asked for.
const MAX_TOKEN_MEMBERS: usize = 10_000;
/// The largest token where the document does not say, in bytes.
const DEFAULT_MAX_TOKEN_SIZE: usize = 32 << 10;

/// Compiles a document. The result depends on the text alone: every worker of a proxy must come to
/// the same one, because Envoy skips the filter on a worker that refuses what the first accepted.
///
/// # Errors
/// All errors, and the warnings, if there is any error.
pub fn compile(
    text: &[u8],
    verifier: &mut dyn SignatureVerifier,
) -> Result<(Document, Problems), Problems> {
    let mut problems = Problems::default();
    let document =
        read(text, &mut problems).map(|document| compile_schema(document, verifier, &mut problems));
    match document {
        Some(document) if problems.errors.is_empty() => Ok((document, problems)),
        _ => Err(problems),
    }
}

/// The first pass.
#[inline(never)]
fn read(text: &[u8], problems: &mut Problems) -> Option<schema::Document> {
    let root = Place::root();
    if text.len() > MAX_DOCUMENT {
        let found = Some(text.len());
        problems.error(root, Fault::TooMany { found, of: "bytes", limit: MAX_DOCUMENT });
        return None;
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        problems.error(root, Fault::expected(NOTHING_TO_DO));
        return None;
    }
    let limits = json::Limits { depth: 64, members: usize::MAX };
    let value = match json::parse(text, limits).map(Value::from) {
        Ok(value @ Value::Object(_)) => value,
        Ok(_) => {
            problems.error(root, Fault::found(Found::Words("no object"), "a JSON object"));
            return None;
        }
        Err(error) => {
            problems.error(root, Fault::Json(error));
            return None;
        }
    };
    shape::refuse_nulls(&root, &value, problems);
    shape::decode_leniently(&root, Entry::new(value), problems)
}

/// The second pass.
#[inline(never)]
fn compile_schema(
    document: schema::Document,
    verifier: &mut dyn SignatureVerifier,
    problems: &mut Problems,
) -> Document {
    let root = Place::root();
    check_options(&document, problems);
    let (json, max_permissions) = token_limits(document.token_limits, problems);
    let mut authenticator = Authenticator::new(TokenOptions {
        json,
        max_permissions,
        max_token_size: max_token_size(document.max_token_size, problems),
        max_cache_size: max_cache_size(document.token_cache, problems),
        revocation: document.revoked.map_or_else(Revocation::default, |revoked| {
            revoked::compile(&root.field("revoked"), revoked, problems)
        }),
    });
    let mut issuers = KnownIssuers::default();
    let mut rules = Vec::new();
    if let Some(entries) = document.jwt_rules {
        let place = root.field("jwtRules");
        if entries.is_empty() {
            problems.error(place.clone(), Fault::EmptyList { expected: "at least one issuer" });
        }
        let count = entries.len();
        rules = shape::decode_all(&place, entries, problems);
        issuers = KnownIssuers::new(&rules, count);
    }
    let options = routes::TableOptions {
        ambiguous_paths: document.ambiguous_paths.unwrap_or_default(),
        unmatched: document.unmatched_routes.unwrap_or_default(),
    };
    let routes = document.routes.map(|entries| {
        routes::compile(
            &root.field("routes"),
            entries,
            options,
            &issuers,
            &mut authenticator,
            problems,
        )
    });
    let policies = document.authorization_policies.map(|entries| {
        let place = root.field("authorizationPolicies");
        let domains = document.trust_domains.as_deref();
        if let Some(domains) = domains {
            checks::check_strings(&root.field("trustDomains"), domains, problems);
        }
        policies::compile(&place, entries, domains, &mut authenticator, problems)
    });
    // After the routes: what a role grants counts only where a route asks for it.
    providers::compile(rules, verifier, &mut authenticator, problems);
    if let Some(names) = document.log_claims {
        let place = root.field("logClaims");
        authenticator.log_claims(log_claims::compile(&place, &names, problems));
    }
    let fence = document
        .fence
        .and_then(|value| fence::compile(&root.field("fence"), value, &authenticator, problems));
    let outputs = authenticator.providers().iter().flat_map(|provider| &provider.outputs);
    let outputs = outputs.map(|header| &*header.name);
    let outputs = outputs.chain(fence.iter().map(|fence| fence.header.as_str()));
    let overrides = if routes.is_some() { OVERRIDES } else { &[] };
    let removed_headers = HeaderNames::new(outputs.chain(overrides.iter().copied()));
    let token_headers = authenticator.locations().iter().filter_map(|location| match location {
        Location::Header(name, _) => Some(name.as_str()),
        Location::Cookie(_) | Location::Parameter(_) => None,
    });
    let token_headers = HeaderNames::new(token_headers);
    let compared_headers = compared_headers(routes.as_ref(), policies.as_ref());
    let includes_tokens = document.dry_run_tokens.unwrap_or(true);
    Document {
        authenticator,
        routes,
        policies,
        cors_preflight: document.cors_preflight.unwrap_or_default(),
        dry_run: document.dry_run.then_some(DryRun { includes_tokens }),
        decision_log: document.decision_log.unwrap_or_default(),
        rule_metrics: document.rule_metrics,
        responses: document.responses.map_or_else(Responses::default, |value| {
            responses::compile(&root.field("responses"), value, problems)
        }),
        fence,
        token_headers,
        compared_headers,
        removed_headers,
    }
}

#[inline(never)]
fn max_token_size(text: Option<Size>, problems: &mut Problems) -> usize {
    let place = Place::root().field("maxTokenSize");
    let size = text.and_then(|text| {
        let size = bounded_size(&text.0, 1..=MAX_DOCUMENT, "1 byte to `1Mi`");
        problems.check(&place, size)
    });
    size.unwrap_or(DEFAULT_MAX_TOKEN_SIZE)
}

#[inline(never)]
fn max_cache_size(cache: Option<Entry<schema::TokenCache>>, problems: &mut Problems) -> usize {
    let place = Place::root().field("tokenCache");
    let cache = cache.and_then(|cache| shape::decode(&place, cache, problems));
    let size = cache.and_then(|schema::TokenCache { max_size }| {
        let size = bounded_size(&max_size.0, 0..=MAX_CACHE_SIZE, "0 to `64Mi`");
        problems.check(&place.field("maxSize"), size)
    });
    size.unwrap_or(DEFAULT_CACHE_SIZE)
}

/// The names of the headers that routes and policies compare.
#[inline(never)]
fn compared_headers(routes: Option<&RouteTable>, policies: Option<&Policies>) -> HeaderNames {
    let mut names = Vec::new();
    for route in routes.into_iter().flat_map(RouteTable::routes) {
        let Access::Required(requirement) = &route.access else { continue };
        names.extend(requirement.claims.iter().filter_map(|rule| match &rule.operator {
            Operator::Equals(Counterpart::Header(name)) => Some(name.as_str()),
            _ => None,
        }));
    }
    let rules = policies.into_iter().flat_map(Policies::all).flat_map(|policy| &policy.rules);
    let conditions = rules.flat_map(|rule| &rule.when);
    names.extend(conditions.filter_map(|condition| match &condition.test {
        Test::Header(name, _) => Some(name.as_str()),
        Test::Claim(_, ClaimTest::Equals(Counterpart::Header(name))) => Some(name.as_str()),
        _ => None,
    }));
    HeaderNames::new(names)
}

/// The bounds on the JSON of a token, and on how many permissions and roles it lists.
#[inline(never)]
fn token_limits(
    entry: Option<Entry<schema::TokenLimits>>,
    problems: &mut Problems,
) -> (json::Limits, usize) {
    let place = Place::root().field("tokenLimits");
    let limits = entry.and_then(|entry| shape::decode(&place, entry, problems));
    let schema::TokenLimits { depth, members, permissions } = limits.unwrap_or_default();
    let mut bounded = |name, number: Option<u64>, default, most, expected| {
        let Some(found) = number else { return default };
        let number = usize::try_from(found).ok().filter(|number| (1..=most).contains(number));
        number.unwrap_or_else(|| {
            problems.error(place.field(name), Fault::text(&found.to_string(), expected));
            default
        })
    };
    let depth = bounded("depth", depth, LIMITS.depth, MAX_TOKEN_DEPTH, "1 to 64");
    let members = bounded("members", members, LIMITS.members, MAX_TOKEN_MEMBERS, "1 to 10000");
    let permissions =
        bounded("permissions", permissions, MAX_PERMISSIONS, MAX_TOKEN_MEMBERS, "1 to 10000");
    (json::Limits { depth, members }, permissions)
}

fn bounded_size(
    text: &str,
    bounds: RangeInclusive<usize>,
    expected: &'static str,
) -> Result<usize, Fault> {
    match size::size(text) {
        Ok(size) if bounds.contains(&size) => Ok(size),
        Ok(_) => Err(Fault::text(text, expected)),
        Err(problem) => Err(Fault::Size { found: text.to_owned(), problem }),
    }
}

/// What the options of a document rule out together.
#[inline(never)]
fn check_options(document: &schema::Document, problems: &mut Problems) {
    let place = |name| Place::root().field(name);
    let allows_unmatched = document.unmatched_routes == Some(Unmatched::Allow);
    let matches_ambiguous = document.ambiguous_paths == Some(AmbiguousPaths::Match);
    if allows_unmatched && matches_ambiguous {
        let fault = Fault::Conflict {
            found: "`MATCH`",
            with: "`unmatchedRoutes: ALLOW`",
            why: ": a protected path would be open in another spelling",
        };
        problems.error(place("ambiguousPaths"), fault);
    }
    match &document.routes {
        Some(routes) if routes.is_empty() && allows_unmatched => {
            let fault = Fault::Conflict {
                found: "`ALLOW`",
                with: "`routes: []`",
                why: ", which together allow everything; without both keys the filter only \
                      authenticates",
            };
            problems.error(place("unmatchedRoutes"), fault);
        }
        Some(routes) if document.rule_metrics && routes.len() > MAX_RULE_METRICS => {
            let found = Some(routes.len());
            let fault = Fault::TooMany { found, of: "routes", limit: MAX_RULE_METRICS };
            problems.error(place("ruleMetrics"), fault);
        }
        Some(_) => {}
        // These have a meaning only for a table.
        None => {
            let options = [
                ("unmatchedRoutes", document.unmatched_routes.is_some()),
                ("ambiguousPaths", document.ambiguous_paths.is_some()),
                ("corsPreflight", document.cors_preflight.is_some()),
                ("ruleMetrics", document.rule_metrics),
            ];
            refuse_without("routes", &options, problems);
        }
    }
    if document.jwt_rules.is_none() {
        let options = [
            ("logClaims", document.log_claims.is_some()),
            ("maxTokenSize", document.max_token_size.is_some()),
            ("revoked", document.revoked.is_some()),
            ("tokenCache", document.token_cache.is_some()),
            ("tokenLimits", document.token_limits.is_some()),
        ];
        refuse_without("jwtRules", &options, problems);
    }
    if document.authorization_policies.is_none() {
        let options = [("trustDomains", document.trust_domains.is_some())];
        refuse_without("authorizationPolicies", &options, problems);
    }
    let decides = document.jwt_rules.is_some()
        || document.routes.is_some()
        || document.authorization_policies.is_some();
    if !decides && problems.errors.is_empty() {
        problems.error(Place::root(), Fault::expected(NOTHING_TO_DO));
    }
    if document.dry_run_tokens.is_some() && !document.dry_run {
        refuse_without("dryRun: true", &[("dryRunTokens", true)], problems);
    }
}

fn refuse_without(without: &'static str, options: &[(&str, bool)], problems: &mut Problems) {
    for (name, _) in options.iter().filter(|(_, is_set)| *is_set) {
        let fault = Fault::Useless { without, why: ", where it has no meaning" };
        problems.error(Place::root().field(name), fault);
    }
}

#[cfg(test)]
mod tests;
