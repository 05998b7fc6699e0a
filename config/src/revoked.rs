//! `revoked`: from the schema to [`Revocation`].

use std::time::UNIX_EPOCH;

use super::checks;
use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use super::schema::Revoked;
use super::shape::{self, Entry};
use jwt_rbac::authn::revocation::Revocation;

/// Compiles `revoked`; its lists may be empty.
#[inline(never)]
pub fn compile(place: &Place, revoked: Entry<Revoked>, problems: &mut Problems) -> Revocation {
    let revoked = shape::decode(place, revoked, problems).unwrap_or_default();
    for (name, list) in [("jti", &revoked.jti), ("sub", &revoked.sub)] {
        checks::check_texts(&place.field(name), list, problems);
    }
    let issued_before = revoked
        .issued_before
        .and_then(|text| problems.check(&place.field("issuedBefore"), seconds(&text)));
    Revocation {
        token_ids: revoked.jti.iter().map(|id| (id, ())).collect(),
        subjects: revoked.sub.iter().map(|subject| (subject, ())).collect(),
        issued_before,
    }
}

/// A point in time (RFC 3339, in UTC) in seconds since 1970.
fn seconds(text: &str) -> Result<u64, Fault> {
    humantime::parse_rfc3339(text)
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map(|since_1970| since_1970.as_secs())
        .ok_or_else(|| Fault::text(text, "a time such as `2026-01-01T00:00:00Z`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc() {
        assert_eq!(seconds("1970-01-02T00:00:01Z"), Ok(86_401));
        for text in ["", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "1767225600"]
        {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
