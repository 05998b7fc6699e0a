//! `jwtRules`: from the schema to [`Provider`]s.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::key_set;
use super::problem::{Place, Problems};
use super::quantity;
use super::schema::{ClaimToHeader, JwtRule};
use super::shape;
use crate::authn::Authenticator;
use crate::authn::claim_path::ClaimPath;
use crate::authn::grants::Grants;
use crate::authn::keys::Keys;
use crate::authn::locate::Location;
use crate::authn::outputs::{OutputHeader, Source};
use crate::authn::provider::{Audience, Provider};
use crate::authn::signature::SignatureVerifier;
use crate::permissions::{PermissionNames, PermissionSet};

/// What Envoy's `jwt_authn` filter allows where Istio says nothing, in seconds.
const DEFAULT_CLOCK_SKEW: u64 = 60;
/// The largest difference of clocks that can be asked for, in seconds.
const MAX_CLOCK_SKEW: u64 = 300;
/// Claims that Istio always reads as lists.
const SPACE_DELIMITED: &[&str] = &["permission", "scope"];
/// Headers that belong to the connection or to HTTP itself.
const RESERVED_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Compiles every entry of `jwtRules` that is well-formed and adds it to the authenticator.
pub fn compile(
    rules: Vec<(Place, JwtRule)>,
    verifier: &dyn SignatureVerifier,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) {
    let mut names = HashMap::new();
    for (place, rule) in rules {
        let name = rule
            .name
            .clone()
            .or_else(|| rule.issuer.clone())
            .unwrap_or_default();
        if let Some(first) = names.insert(name.clone(), place.clone())
            && rule.name.is_some()
        {
            let message = format!("found `{name}`, which is the name of {first} too");
            problems.error(place.field("name"), message);
        }
        let permission_names = authenticator.permission_names_mut();
        if let Some(provider) = provider(&place, name, rule, verifier, permission_names, problems) {
            authenticator.add_provider(provider, Location::defaults());
        }
    }
}

fn provider(
    place: &Place,
    name: String,
    rule: JwtRule,
    verifier: &dyn SignatureVerifier,
    names: &mut PermissionNames,
    problems: &mut Problems,
) -> Option<Provider> {
    let errors_before = problems.errors.len();
    if rule.issuer.as_deref() == Some("") {
        problems.error(
            place.field("issuer"),
            "found an empty issuer, expected that of the tokens",
        );
    }
    if rule.issuer.is_none() {
        problems.warn(
            place.clone(),
            "no `issuer`: tokens of any issuer that no other rule names are accepted",
        );
    }
    if let Some(name) = &rule.name {
        problems.check(&place.field("name"), super::check_name(name));
    }
    let audiences = audiences(place, &rule, problems);
    let clock_skew = clock_skew(place, rule.clock_skew.as_deref(), problems);
    let outputs = outputs(place, &rule, rule.output_claim_to_headers.clone(), problems);
    let permission_claims = match &rule.permission_claims {
        None => vec!["permissions".to_owned()],
        Some(claims) => claims.clone(),
    };
    let grants = Grants {
        permission_claims: claims(
            &place.field("permissionClaims"),
            &permission_claims,
            problems,
        ),
        role_claims: rule.role_claims.as_deref().map_or_else(Vec::new, |roles| {
            claims(&place.field("roleClaims"), roles, problems)
        }),
        role_permissions: role_permissions(place, &rule, names, problems),
    };
    let missing = || "expected `jwks`, the key set of the issuer".to_owned();
    let jwks = problems.check(place, rule.jwks.ok_or_else(missing))?;
    let keys = key_set::compile(&place.field("jwks"), jwks, problems)?;
    (problems.errors.len() == errors_before).then(|| Provider {
        name,
        issuer: rule.issuer,
        audiences,
        clock_skew,
        require_expiration: rule.require_expiration,
        keys: Keys::prepare(&keys, verifier),
        grants,
        space_delimited_claims: SPACE_DELIMITED.iter().map(ToString::to_string).collect(),
        forward_token: rule.forward_original_token,
        outputs,
    })
}

/// Exactly one of `audiences` and `anyAudience: true`: a token for somebody else's service must not
/// pass because a line was forgotten (RFC 8725 §3.9).
fn audiences(place: &Place, rule: &JwtRule, problems: &mut Problems) -> Option<Vec<Audience>> {
    match (&rule.audiences, rule.any_audience) {
        (None, false) => problems.error(
            place.clone(),
            "expected `audiences`, what the tokens name in `aud`, or `anyAudience: true`",
        ),
        (Some(_), true) => {
            problems.error(
                place.field("anyAudience"),
                "found beside `audiences`, expected one of both",
            );
        }
        (Some(audiences), false) => {
            super::check_strings(&place.field("audiences"), audiences, problems);
        }
        (None, true) => {}
    }
    rule.audiences
        .as_ref()
        .map(|audiences| audiences.iter().map(|text| Audience::new(text)).collect())
}

fn clock_skew(place: &Place, text: Option<&str>, problems: &mut Problems) -> u64 {
    let Some(text) = text else {
        return DEFAULT_CLOCK_SKEW;
    };
    let place = place.field("clockSkew");
    let Some(skew) = problems.check(&place, quantity::duration(text)) else {
        return DEFAULT_CLOCK_SKEW;
    };
    if skew.as_secs() > MAX_CLOCK_SKEW || skew.subsec_nanos() != 0 {
        let message =
            format!("found `{text}`, expected whole seconds from `0s` to `{MAX_CLOCK_SKEW}s`");
        problems.error(place, message);
    }
    skew.as_secs()
}

fn claims(place: &Place, names: &[String], problems: &mut Problems) -> Vec<ClaimPath> {
    if names.is_empty() {
        problems.error(
            place.clone(),
            "found an empty list, expected the name of a claim",
        );
    }
    let parse = |(index, name): (usize, &String)| {
        problems.check(&place.index(index), ClaimPath::parse(name))
    };
    names.iter().enumerate().filter_map(parse).collect()
}

fn role_permissions(
    place: &Place,
    rule: &JwtRule,
    names: &mut PermissionNames,
    problems: &mut Problems,
) -> HashMap<String, PermissionSet> {
    let place = place.field("rolePermissions");
    let mut role_permissions = HashMap::new();
    match (&rule.role_permissions, &rule.role_claims) {
        (None, Some(_)) => problems.error(
            place.clone(),
            "missing, expected what each role of `roleClaims` grants: without it roles grant nothing",
        ),
        (Some(_), None) => problems.error(
            place.clone(),
            "found without `roleClaims`, expected the claims that hold the roles",
        ),
        _ => {}
    }
    let roles = rule.role_permissions.iter().flatten();
    for (role, permissions) in roles {
        let place = place.field(role);
        let Some(permissions) = shape::decode::<Vec<String>>(&place, permissions.clone(), problems)
        else {
            continue;
        };
        super::check_strings(&place, &permissions, problems);
        let mut granted = PermissionSet::default();
        for name in &permissions {
            granted.insert(names.intern(name));
        }
        role_permissions.insert(role.clone(), granted);
    }
    role_permissions
}

fn outputs(
    place: &Place,
    rule: &JwtRule,
    claim_headers: Option<Vec<Value>>,
    problems: &mut Problems,
) -> Vec<OutputHeader> {
    let mut outputs: Vec<OutputHeader> = Vec::new();
    let mut add = |place: Place, header: &str, source, problems: &mut Problems| {
        let name = super::normal_header_name(header);
        if let Some(message) = unusable_header(header, &name) {
            problems.error(place, message);
        } else if outputs
            .iter()
            .any(|known| super::normal_header_name(&known.name) == name)
        {
            problems.error(
                place,
                format!("found `{header}`, which this rule writes already"),
            );
        } else {
            outputs.push(OutputHeader {
                name: Rc::from(header.to_ascii_lowercase()),
                source,
            });
        }
    };
    if let Some(header) = &rule.output_payload_to_header {
        add(
            place.field("outputPayloadToHeader"),
            header,
            Source::Payload,
            problems,
        );
    }
    let place = place.field("outputClaimToHeaders");
    let Some(claim_headers) = claim_headers else {
        return outputs;
    };
    if claim_headers.is_empty() {
        problems.error(
            place.clone(),
            "found an empty list, expected `{header: …, claim: …}`",
        );
    }
    for (place, entry) in shape::decode_all::<ClaimToHeader>(&place, claim_headers, problems) {
        if let Some(claim) = problems.check(&place.field("claim"), ClaimPath::parse(&entry.claim)) {
            add(
                place.field("header"),
                &entry.header,
                Source::Claim(claim),
                problems,
            );
        }
    }
    outputs
}

/// Why no claim can be written to this header, if so.
fn unusable_header(header: &str, normal_name: &str) -> Option<String> {
    if header.is_empty()
        || !header
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return Some(format!(
            "found `{header}`, expected a header name of A-Z a-z 0-9 - _"
        ));
    }
    if RESERVED_HEADERS.contains(&normal_name) {
        return Some(format!("found `{header}`, which belongs to HTTP itself"));
    }
    let holds_tokens = Location::defaults().iter().any(
        |location| matches!(location, Location::Credential { header, .. } if header == normal_name),
    );
    holds_tokens.then(|| format!("found `{header}`, where tokens are looked for"))
}
