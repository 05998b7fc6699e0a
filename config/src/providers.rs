//! `jwtRules`: from the schema to [`Provider`]s.

use std::sync::Arc;

use super::checks::{self, UniqueNames};
use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
use super::schema::{JwtRule, RequiredClaim};
use super::shape::value::Duration;
use super::shape::{self, Entries};
use super::{claim_rules, issuers, key_source, locations, output_headers, presence};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authn::grants::Grants;
use jwt_rbac::authn::locate::Location;
use jwt_rbac::authn::outputs::OutputHeader;
use jwt_rbac::authn::provider::{Audience, Provider, TokenType};
use jwt_rbac::authn::signature::SignatureVerifier;
use jwt_rbac::by_name::ByName;
use jwt_rbac::permissions::{PermissionNames, PermissionSet};
use jwt_rbac::scalar::Scalars;

/// What Envoy's `jwt_authn` filter allows where Istio says nothing, in seconds.
const DEFAULT_CLOCK_SKEW: u64 = 60;
/// The largest difference of clocks that can be asked for, in seconds; `clock_skew` names it too.
const MAX_CLOCK_SKEW: u64 = 300;
/// Claims that Istio always reads as lists.
const SPACE_DELIMITED: &[&str] = &["permission", "scope"];

/// Compiles every entry of `jwtRules` that is well-formed and adds it to the authenticator.
#[inline(never)]
pub fn compile(
    rules: Vec<(Place, JwtRule)>,
    verifier: &mut dyn SignatureVerifier,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) {
    let mut names = UniqueNames::default();
    let mut all_locations: Vec<(Place, Vec<Location>)> = Vec::new();
    let mut all_rules = Vec::new();
    let mut all_places = Vec::new();
    let mut all_outputs: Vec<(Place, OutputHeader)> = Vec::new();
    for (place, mut rule) in rules {
        let name = rule.name.clone().or_else(|| rule.issuer.clone()).unwrap_or_default();
        match &rule.name {
            Some(name) => names.add(name, &place, problems),
            None => names.add_default(&name, &place),
        }
        let locations = locations::compile(&place, &mut rule, problems);
        let outputs = output_headers::compile(&place, &mut rule, problems);
        all_locations.push((place.clone(), locations.clone()));
        all_outputs.extend(outputs.iter().cloned());
        all_rules.push(presence::Rule {
            place: place.clone(),
            presence: rule.presence,
            locations: locations.clone(),
            outputs: outputs.iter().map(|(_, output)| Arc::clone(&output.name)).collect(),
        });
        let permission_names = authenticator.permission_names();
        let provider = provider(&place, name, rule, verifier, permission_names, problems);
        if let Some(mut provider) = provider {
            provider.outputs = outputs.into_iter().map(|(_, output)| output).collect();
            authenticator.add_provider(provider, locations);
            all_places.push(place);
        }
    }
    issuers::check_overlaps(&all_places, authenticator.providers(), problems);
    presence::check(&all_rules, problems);
    locations::check_overlaps(&all_locations, problems);
    let locations: Vec<_> =
        all_locations.into_iter().flat_map(|(_, locations)| locations).collect();
    output_headers::check_locations(&all_outputs, &locations, problems);
}

/// Everything of a provider but the headers that it writes.
#[inline(never)]
fn provider(
    place: &Place,
    name: String,
    mut rule: JwtRule,
    verifier: &mut dyn SignatureVerifier,
    names: &PermissionNames,
    problems: &mut Problems,
) -> Option<Provider> {
    let issuers = issuers::compile(place, &rule, problems);
    if let Some(name) = &rule.name {
        problems.check(&place.field("name"), checks::check_name(name));
    }
    let jwks = rule.jwks.take();
    let audiences = audiences(place, &rule, problems);
    let token_types = rule.token_types.as_ref().map(|types| {
        checks::check_strings(&place.field("tokenTypes"), types, problems);
        types.iter().map(|text| TokenType::new(text)).collect()
    });
    let clock_skew = clock_skew(place, rule.clock_skew.as_ref(), problems);
    let max_lifetime =
        rule.max_lifetime.as_ref().and_then(|text| max_lifetime(place, text, problems));
    let required_claims = required_claims(place, rule.required_claims.take(), problems);
    let space_delimited = rule.space_delimited_claims.as_deref().unwrap_or_default();
    if rule.space_delimited_claims.is_some() {
        checks::check_strings(&place.field("spaceDelimitedClaims"), space_delimited, problems);
    }
    let grants = grants(place, &rule, names, problems);
    let errors_before = problems.errors.len();
    let algorithms = algorithms(place, rule.algorithms.as_deref(), problems);
    if problems.errors.len() > errors_before {
        // Which keys are usable depends on this list.
        return None;
    }
    let allowed = algorithms.as_deref();
    let keys = key_source::compile(place, jwks, &rule, allowed, verifier, problems)?;
    let always_delimited = SPACE_DELIMITED.iter().map(ToString::to_string);
    Some(Provider {
        name,
        issuers,
        presence: rule.presence,
        audiences,
        algorithms,
        token_types,
        padded_tokens: rule.padded_tokens,
        clock_skew,
        require_expiration: rule.require_expiration,
        max_lifetime,
        required_claims,
        keys,
        grants,
        space_delimited_claims: always_delimited.chain(space_delimited.iter().cloned()).collect(),
        forward_token: rule.forward_original_token,
        outputs: Vec::new(),
    })
}

/// Exactly one of `audiences` and `anyAudience: true`: a token for somebody else's service must not
/// pass because a line was forgotten (RFC 8725 §3.9).
#[inline(never)]
fn audiences(place: &Place, rule: &JwtRule, problems: &mut Problems) -> Option<Vec<Audience>> {
    match (&rule.audiences, rule.any_audience) {
        (None, false) => problems.error(
            place.clone(),
            Fault::expected("`audiences`, what the tokens name in `aud`, or `anyAudience: true`"),
        ),
        (Some(_), true) => {
            let with = "`audiences`";
            let fault = Fault::Conflict { found: "", with, why: ", expected one of both" };
            problems.error(place.field("anyAudience"), fault);
        }
        (Some(audiences), false) => {
            let place = place.field("audiences");
            checks::check_strings(&place, audiences, problems);
            for (index, text) in audiences.iter().enumerate() {
                if !text.is_empty() && Audience::new(text) == Audience::new("") {
                    let expected = "more than a scheme and a slash, which are not compared";
                    problems.error(place.index(index), Fault::text(text, expected));
                }
            }
        }
        (None, true) => {}
    }
    let audiences = rule.audiences.as_ref()?;
    Some(audiences.iter().map(|text| Audience::new(text)).collect())
}

#[inline(never)]
fn algorithms(
    place: &Place,
    names: Option<&[String]>,
    problems: &mut Problems,
) -> Option<Vec<Algorithm>> {
    let names = names?;
    let place = place.field("algorithms");
    checks::check_strings(&place, names, problems);
    let parse = |(index, name): (usize, &String)| {
        let fault = || Fault::text(name, "an algorithm such as `RS256`");
        problems.check(&place.index(index), Algorithm::from_name(name).ok_or_else(fault))
    };
    Some(names.iter().enumerate().filter(|(_, name)| !name.is_empty()).filter_map(parse).collect())
}

fn clock_skew(place: &Place, text: Option<&Duration>, problems: &mut Problems) -> u64 {
    let place = place.field("clockSkew");
    let bounded = |text| checks::bounded_duration(text, 0..=MAX_CLOCK_SKEW, "`0s` to `300s`");
    let skew = text.and_then(|Duration(text)| problems.check(&place, bounded(text)));
    skew.unwrap_or(DEFAULT_CLOCK_SKEW)
}

/// A lifetime of nothing would refuse every token.
fn max_lifetime(place: &Place, Duration(text): &Duration, problems: &mut Problems) -> Option<u64> {
    let place = place.field("maxLifetime");
    let lifetime = checks::bounded_duration(text, 1..=u64::MAX, "a duration such as `24h`");
    problems.check(&place, lifetime)
}

#[inline(never)]
fn required_claims(
    place: &Place,
    entries: Option<Entries<RequiredClaim>>,
    problems: &mut Problems,
) -> Vec<(ClaimPath, Option<Scalars>)> {
    let Some(entries) = entries else { return Vec::new() };
    let place = place.field("requiredClaims");
    if entries.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "`{claim: …, values: […]}`" });
    }
    let mut required = Vec::new();
    for (place, entry) in shape::decode_all(&place, entries, problems) {
        let claim = problems.check(&place.field("claim"), ClaimPath::parse(&entry.claim));
        let values = entry
            .values
            .map(|values| claim_rules::scalars(&place.field("values"), &values, problems));
        required.extend(claim.map(|claim| (claim, values)));
    }
    required
}

#[inline(never)]
fn grants(
    place: &Place,
    rule: &JwtRule,
    names: &PermissionNames,
    problems: &mut Problems,
) -> Grants {
    let default = ["permissions".to_owned()];
    let permission_claims = rule.permission_claims.as_deref().unwrap_or(&default);
    let role_claims = rule.role_claims.as_deref();
    Grants {
        permission_claims: claims(&place.field("permissionClaims"), permission_claims, problems),
        role_claims: role_claims
            .map_or_else(Vec::new, |roles| claims(&place.field("roleClaims"), roles, problems)),
        role_permissions: role_permissions(place, rule, names, problems),
    }
}

fn claims(place: &Place, names: &[String], problems: &mut Problems) -> Vec<ClaimPath> {
    if names.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "the name of a claim" });
    }
    let parse = |(index, name): (usize, &String)| {
        problems.check(&place.index(index), ClaimPath::parse(name))
    };
    names.iter().enumerate().filter_map(parse).collect()
}

#[inline(never)]
fn role_permissions(
    place: &Place,
    rule: &JwtRule,
    names: &PermissionNames,
    problems: &mut Problems,
) -> ByName<PermissionSet> {
    let place = place.field("rolePermissions");
    match (&rule.role_permissions, &rule.role_claims) {
        (None, Some(_)) => {
            let expected = "what each role of `roleClaims` grants: without it roles grant nothing";
            problems.error(place.clone(), Fault::found(Found::Missing, expected));
        }
        (Some(_), None) => {
            let why = ", expected the claims that hold the roles";
            problems.error(place.clone(), Fault::Useless { without: "roleClaims", why });
        }
        _ => {}
    }
    let mut role_permissions = ByName::default();
    for (role, permissions) in rule.role_permissions.iter().flatten() {
        let place = place.field(role);
        let decoded = shape::decode_strings(&place, permissions.clone(), problems);
        let Some(permissions) = decoded else { continue };
        checks::check_strings(&place, &permissions, problems);
        let mut granted = PermissionSet::default();
        for id in permissions.iter().filter_map(|name| names.find(name)) {
            granted.insert(id);
        }
        role_permissions.insert(role.as_bytes(), granted);
    }
    role_permissions
}
