//! Whose tokens a document can accept, which routes refer to.

use super::checks;
use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
use super::schema::JwtRule;
use jwt_rbac::authn::issuers::Issuers;
use jwt_rbac::authn::provider::Provider;

/// What stands in an `issuer` for each of its `tenants`.
const TENANT: &str = "{tenant}";

/// The issuers whose tokens can be accepted, whatever else is wrong with their entries.
#[derive(Debug, Default)]
pub struct KnownIssuers {
    /// Each `issuer` as it is written, and the `iss` of its tokens.
    named: Vec<(String, Vec<String>)>,
    /// Whether others than those can be: an entry names none, or is too faulty to be read.
    any: bool,
}

impl KnownIssuers {
    pub fn new(rules: &[(Place, JwtRule)], count: usize) -> Self {
        let named: Vec<_> = rules
            .iter()
            .filter_map(|(_, rule)| Some((rule.issuer.clone()?, named_by(rule))))
            .collect();
        Self { any: named.len() < count, named }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.any
    }

    /// The `iss` that a route means: one, or with the variable all that an entry has; `None` for what no
    /// entry has.
    pub fn resolve(&self, wanted: &str) -> Option<Vec<String>> {
        if let Some((_, issuers)) = self.named.iter().find(|(written, _)| written == wanted) {
            return Some(issuers.clone());
        }
        let is_wanted = |(_, issuers): &(_, Vec<String>)| issuers.iter().any(|it| it == wanted);
        (self.any || self.named.iter().any(is_wanted)).then(|| vec![wanted.to_owned()])
    }
}

/// The `iss` of the tokens of an entry that has an `issuer`.
fn named_by(rule: &JwtRule) -> Vec<String> {
    let Some(issuer) = &rule.issuer else { return Vec::new() };
    match &rule.tenants {
        Some(tenants) => tenants.iter().map(|tenant| issuer.replacen(TENANT, tenant, 1)).collect(),
        None => vec![issuer.clone()],
    }
}

/// The issuers of an entry.
#[inline(never)]
pub fn compile(place: &Place, rule: &JwtRule, problems: &mut Problems) -> Issuers {
    let Some(issuer) = rule.issuer.as_deref() else {
        problems.warn(place.clone(), Fault::AnyIssuer);
        if rule.tenants.is_some() {
            refuse_tenants(place, problems);
        }
        return Issuers::Any;
    };
    if issuer.is_empty() {
        let found = Found::Words("an empty issuer");
        problems.error(place.field("issuer"), Fault::found(found, "that of the tokens"));
    }
    let has_braces = |text: &str| text.contains(['{', '}']);
    match (issuer.split_once(TENANT), &rule.tenants) {
        (Some((before, after)), Some(tenants)) if !has_braces(before) && !has_braces(after) => {
            check_tenants(&place.field("tenants"), tenants, problems);
            Issuers::Tenants(named_by(rule).into_iter().collect())
        }
        _ if has_braces(issuer) => {
            let expected =
                "the `iss` of the tokens, or `{tenant}` once in it and `tenants` beside it";
            problems.error(place.field("issuer"), Fault::text(issuer, expected));
            Issuers::One(issuer.into())
        }
        (_, tenants) => {
            if tenants.is_some() {
                refuse_tenants(place, problems);
            }
            Issuers::One(issuer.into())
        }
    }
}

fn refuse_tenants(place: &Place, problems: &mut Problems) {
    let fault = Fault::Useless { without: TENANT, why: " in `issuer`, where they would stand" };
    problems.error(place.field("tenants"), fault);
}

fn check_tenants(place: &Place, tenants: &[String], problems: &mut Problems) {
    checks::check_strings(place, tenants, problems);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    for (index, tenant) in tenants.iter().enumerate() {
        if !tenant.bytes().all(is_allowed) {
            let expected = "an id or a name of A-Z a-z 0-9 - . _ ~: every tenant is listed";
            problems.error(place.index(index), Fault::text(tenant, expected));
        }
    }
}

/// Refuses two entries that share some tenants: what a token of one grants would depend on which
/// entry is tried first. Entries with all issuers in common are two key sets or places of one issuer.
#[inline(never)]
pub fn check_overlaps(places: &[Place], providers: &[Provider], problems: &mut Problems) {
    let all: Vec<_> =
        places.iter().zip(providers.iter().map(|provider| &provider.issuers)).collect();
    for (number, (place, issuers)) in all.iter().enumerate() {
        for (other, others) in all.iter().take(number).filter(|(_, others)| others != issuers) {
            if let Some(shared) = issuers.named().iter().find_map(|name| others.find(name)) {
                let fault =
                    Fault::SharedIssuer { issuer: shared.to_string(), other: Place::clone(other) };
                problems.error(place.field("issuer"), fault);
            }
        }
    }
}
