//! The name that was probably meant.

/// The candidate that is nearest to what was found, if any is near: at most a third of it differs.
#[must_use]
pub fn nearest<'c>(found: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let key = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let wanted = key(found);
    let distance = |candidate: &str| {
        let candidate = key(candidate);
        // `audience` for `audiences`: a name that only continues is near whatever its length.
        let continues = candidate.starts_with(&wanted) && wanted.len() > 3;
        let distance = strsim::damerau_levenshtein(&wanted, &candidate);
        if continues { distance.min(1) } else { distance }
    };
    let allowed = (wanted.chars().count() / 3).max(1);
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let near = near.filter(|(distance, candidate)| *distance <= allowed && *candidate != found);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_seen_and_another_name_is_not() {
        let names = ["audiences", "fromHeaders", "issuer", "jwks", "responses", "methods"];
        for (found, expected) in [
            ("audience", Some("audiences")),
            ("from_headers", Some("fromHeaders")),
            ("respones", Some("responses")),
            ("isuser", Some("issuer")),
            ("JWKS", Some("jwks")),
            ("verb", None),
            ("issuer", None),
        ] {
            assert_eq!(nearest(found, names), expected, "{found}");
        }
    }
}
