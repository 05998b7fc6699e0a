//! Tokens that are refused though they verify: `revoked`.

use super::claims::Claims;
use crate::by_name::ByName;

/// What a document revokes.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// Tokens, by `jti`.
    pub token_ids: ByName<()>,
    /// Everything of these subjects, by `sub`.
    pub subjects: ByName<()>,
    /// Everything issued before this time, in seconds since 1970, and whatever does not say when.
    pub issued_before: Option<u64>,
}

impl Revocation {
    /// Whether a token with these claims is revoked.
    #[must_use]
    pub fn covers(&self, claims: &Claims<'_>) -> bool {
        let lists = |list: &ByName<()>, found: Option<&str>| {
            found.is_some_and(|found| list.get(found.as_bytes()).is_some())
        };
        let is_too_old = |bound| claims.issued_at.is_none_or(|issued_at| issued_at < bound);
        lists(&self.token_ids, claims.token_id())
            || lists(&self.subjects, claims.subject())
            || self.issued_before.is_some_and(is_too_old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Json, Limits};

    #[test]
    fn tokens_are_revoked_by_id_subject_and_age() {
        let revocation = Revocation {
            token_ids: ByName::from_iter([("t1", ())]),
            subjects: ByName::from_iter([("joe", ())]),
            issued_before: Some(100),
        };
        for (claims, expected) in [
            (r#"{"jti":"t1","sub":"ann","iat":100}"#, true),
            (r#"{"jti":"t2","sub":"joe","iat":100}"#, true),
            (r#"{"jti":"t2","sub":"ann","iat":99}"#, true),
            (r#"{"jti":"t2","sub":"ann"}"#, true),
            (r#"{"jti":"t2","sub":"ann","iat":100}"#, false),
        ] {
            let limits = Limits { depth: 9, members: 9 };
            let Ok(Json::Object(all)) = json::parse(claims.as_bytes(), limits) else { panic!() };
            assert_eq!(revocation.covers(&Claims::parse(all).unwrap()), expected, "{claims}");
        }
        assert!(!Revocation::default().covers(&Claims::default()));
    }
}
