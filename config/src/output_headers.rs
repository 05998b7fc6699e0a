//! `outputPayloadToHeader` and `outputClaimToHeaders`: the headers that a provider writes.

use std::sync::Arc;

use super::checks;
use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use super::schema::{ClaimFormat, ClaimToHeader, JwtRule};
use super::shape;
use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authn::locate::Location;
use jwt_rbac::authn::outputs::{OutputHeader, Source};
use jwt_rbac::forward::OVERRIDES;
use jwt_rbac::header_names;

/// Headers that belong to the connection or to HTTP itself.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "cookie",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers of one rule, each with the place that names it.
#[inline(never)]
pub fn compile(
    place: &Place,
    rule: &mut JwtRule,
    problems: &mut Problems,
) -> Vec<(Place, OutputHeader)> {
    let mut outputs: Vec<(Place, OutputHeader)> = Vec::new();
    let mut add = |place: Place, header: &str, source, problems: &mut Problems| {
        let name = header_names::normal(header);
        let is_same =
            |(_, known): &(Place, OutputHeader)| header_names::normal(&known.name) == name;
        if let Err(fault) = check_name(header) {
            problems.error(place, fault);
        } else if outputs.iter().any(is_same) {
            let why = "which this entry of `jwtRules` writes already";
            problems.error(place, Fault::unsuitable(header, why));
        } else {
            let name = Arc::from(header.to_ascii_lowercase());
            outputs.push((place, OutputHeader { name, source }));
        }
    };
    if let Some(header) = &rule.output_payload_to_header {
        add(place.field("outputPayloadToHeader"), header, Source::Payload, problems);
    }
    let place = place.field("outputClaimToHeaders");
    let Some(entries) = rule.output_claim_to_headers.take() else { return outputs };
    if entries.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "`{header: …, claim: …}`" });
    }
    for (place, entry) in shape::decode_all::<ClaimToHeader>(&place, entries, problems) {
        let claim = problems.check(&place.field("claim"), ClaimPath::parse(&entry.claim));
        let Some(claim) = claim else { continue };
        let source = match entry.format {
            ClaimFormat::Default => Source::Claim(claim),
            ClaimFormat::List => Source::ClaimAsList(claim),
        };
        add(place.field("header"), &entry.header, source, problems);
    }
    outputs
}

/// Whether the filter can write a header of this name.
///
/// # Errors
/// Why not.
pub fn check_name(header: &str) -> Result<(), Fault> {
    let name = header_names::normal(header);
    if !checks::is_header_name(header) {
        Err(Fault::text(header, "a header name of A-Z a-z 0-9 - _"))
    } else if RESERVED.contains(&name.as_str()) {
        Err(Fault::unsuitable(header, "which belongs to HTTP itself"))
    } else if OVERRIDES.contains(&name.as_str()) {
        Err(Fault::unsuitable(header, "which asks for another method or path"))
    } else {
        Ok(())
    }
}

/// A header in which tokens are looked for can't be one that is written: the workload that reads it would
/// take a claim for a token, or a token for a claim.
#[inline(never)]
pub fn check_locations(
    outputs: &[(Place, OutputHeader)],
    locations: &[Location],
    problems: &mut Problems,
) {
    for (place, output) in outputs {
        let name = header_names::normal(&output.name);
        let is_it = |location: &Location| match location {
            Location::Header(header, _) => header_names::normal(header) == name,
            Location::Cookie(_) | Location::Parameter(_) => false,
        };
        if locations.iter().any(is_it) {
            let fault = Fault::unsuitable(&output.name, "where tokens are looked for");
            problems.error(place.clone(), fault);
        }
    }
}
