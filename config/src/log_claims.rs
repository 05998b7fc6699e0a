//! `logClaims`: from the schema to the claims that logs show.

use super::checks;
use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::authn::claim_path::ClaimPath;
use jwt_rbac::authn::logged::LoggedClaim;

/// How many claims logs can show: for each, a request with a token makes one more call to Envoy
/// (docs/costs.md).
const MAX_CLAIMS: usize = 8;

/// Compiles every claim that has a name of its own.
#[inline(never)]
pub fn compile(place: &Place, names: &[String], problems: &mut Problems) -> Vec<LoggedClaim> {
    checks::check_strings(place, names, problems);
    if names.len() > MAX_CLAIMS {
        let found = Some(names.len());
        problems.error(place.clone(), Fault::TooMany { found, of: "claims", limit: MAX_CLAIMS });
    }
    let mut claims: Vec<(Place, LoggedClaim)> = Vec::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let place = place.index(index);
        let Some(path) = problems.check(&place, ClaimPath::parse(name)) else { continue };
        let claim = LoggedClaim::new(path);
        // Access logs could not tell them apart.
        match claims.iter().find(|(_, known)| known.state() == claim.state()) {
            Some((first, _)) => {
                let (name, first) = (claim.state().to_owned(), first.clone());
                problems.error(place, Fault::Duplicate { name, first });
            }
            None => claims.push((place, claim)),
        }
    }
    claims.into_iter().map(|(_, claim)| claim).collect()
}
