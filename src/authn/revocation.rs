//! Tokens that are refused though they verify: `revoked`.

use foldhash::HashSet;

use super::claims::Claims;

/// What a document revokes.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// Tokens, by `jti`.
    pub token_ids: HashSet<String>,
    /// Everything of these subjects, by `sub`.
    pub subjects: HashSet<String>,
    /// Everything issued before this time, in seconds since 1970, and whatever does not say when.
    pub issued_before: Option<u64>,
}

impl Revocation {
    /// Whether a token with these claims is revoked.
    #[must_use]
    pub fn covers(&self, claims: &Claims) -> bool {
        let lists = |list: &HashSet<String>, found: &Option<String>| {
            found.as_ref().is_some_and(|found| list.contains(found))
        };
        let is_too_old = |bound| claims.issued_at.is_none_or(|issued_at| issued_at < bound);
        lists(&self.token_ids, &claims.token_id)
            || lists(&self.subjects, &claims.subject)
            || self.issued_before.is_some_and(is_too_old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_revoked_by_id_subject_and_age() {
        let revocation = Revocation {
            token_ids: HashSet::from_iter(["t1".to_owned()]),
            subjects: HashSet::from_iter(["joe".to_owned()]),
            issued_before: Some(100),
        };
        let claims = |id: &str, subject: &str, issued_at| Claims {
            token_id: Some(id.to_owned()),
            subject: Some(subject.to_owned()),
            issued_at,
            ..Claims::default()
        };
        for (claims, expected) in [
            (claims("t1", "ann", Some(100)), true),
            (claims("t2", "joe", Some(100)), true),
            (claims("t2", "ann", Some(99)), true),
            (claims("t2", "ann", None), true),
            (claims("t2", "ann", Some(100)), false),
        ] {
            assert_eq!(revocation.covers(&claims), expected, "{claims:?}");
        }
        assert!(!Revocation::default().covers(&Claims::default()));
    }
}
