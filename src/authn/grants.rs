//! Which permissions the claims of a token grant.

use std::borrow::Cow;

use super::claim_path::ClaimPath;
use super::heap::allocated;
use crate::by_name::ByName;
use crate::json::{Json, Object};
use crate::permissions::{PermissionNames, PermissionSet};
use crate::refusal::Refusal;

/// How many permissions and roles a token may list, where a document sets no other number.
pub const MAX_PERMISSIONS: usize = 1_000;

/// Where a provider's tokens say what they grant.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// The first of these that a token has holds its permissions.
    pub permission_claims: Vec<ClaimPath>,
    /// All of these hold roles.
    pub role_claims: Vec<ClaimPath>,
    /// What a role grants; a role that is not here grants nothing.
    pub role_permissions: ByName<PermissionSet>,
}

/// What a token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// These permissions.
    Set(PermissionSet),
    /// Nothing: a claim that should list permissions or roles holds something else.
    Malformed,
}

impl Granted {
    /// How much memory it takes beside its own size, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Set(set) => allocated(set.size()),
            Self::Malformed => 0,
        }
    }
}

impl Grants {
    /// Reads what these claims grant.
    ///
    /// # Errors
    /// [`Refusal::PermissionsTooMany`] for more than `most` permissions and roles.
    pub fn read(
        &self,
        claims: &Object<'_>,
        names: &PermissionNames,
        most: usize,
    ) -> Result<Granted, Refusal> {
        let permissions = self.permission_claims.iter().find_map(|claim| claim.find(claims));
        let Some(permissions) = permissions.as_deref().map_or(Some(Vec::new()), permission_list)
        else {
            return Ok(Granted::Malformed);
        };
        let roles = self.role_claims.iter().filter_map(|claim| claim.find(claims));
        let roles: Vec<Cow<'_, Json<'_>>> = roles.collect();
        let roles = roles.iter().map(|roles| role_list(roles));
        let Some(roles) = roles.collect::<Option<Vec<_>>>() else {
            return Ok(Granted::Malformed);
        };
        let roles = roles.concat();
        if permissions.len().saturating_add(roles.len()) > most {
            return Err(Refusal::PermissionsTooMany);
        }
        let mut granted = PermissionSet::default();
        permissions.iter().filter_map(|name| names.find(name)).for_each(|id| granted.insert(id));
        for permissions in
            roles.iter().filter_map(|role| self.role_permissions.get(role.as_bytes()))
        {
            granted.extend(permissions);
        }
        Ok(Granted::Set(granted))
    }
}

/// A list of strings, or a string delimited by spaces as `scope` is (RFC 8693 §4.2).
fn permission_list<'j>(claim: &'j Json<'_>) -> Option<Vec<&'j str>> {
    match claim {
        Json::Text(names) => Some(names.split(' ').filter(|name| !name.is_empty()).collect()),
        other => string_list(other),
    }
}

/// A list of strings, one role, or an object whose names are the roles (Zitadel's
/// `urn:zitadel:iam:org:project:roles`); roles may hold spaces.
fn role_list<'j>(claim: &'j Json<'_>) -> Option<Vec<&'j str>> {
    match claim {
        Json::Text(role) => Some(vec![role.as_ref()]),
        Json::Object(roles) => Some(roles.names().collect()),
        other => string_list(other),
    }
}

fn string_list<'j>(claim: &'j Json<'_>) -> Option<Vec<&'j str>> {
    match claim {
        Json::List(elements) => elements.iter().map(Json::as_text).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::{self, Limits};

    fn read(claims: &Value) -> Result<Vec<&'static str>, &'static str> {
        let mut names = PermissionNames::default();
        let known = ["read", "write", "delete"].map(|name| (name, names.intern(name)));
        let mut editor = PermissionSet::default();
        editor.insert(names.intern("write"));
        let claim = |text| ClaimPath::parse(text).unwrap();
        let grants = Grants {
            permission_claims: vec![claim("permissions"), claim("scope")],
            role_claims: vec![claim("[realm][roles]"), claim("role")],
            role_permissions: ByName::from_iter([("chief editor", editor)]),
        };
        let claims = claims.to_string();
        let claims = json::parse(claims.as_bytes(), Limits { depth: 9, members: 9 }).unwrap();
        match grants.read(claims.as_object().unwrap(), &names, MAX_PERMISSIONS) {
            Ok(Granted::Set(set)) => Ok(known
                .iter()
                .filter(|(_, id)| set.contains(*id))
                .map(|(name, _)| *name)
                .collect()),
            Ok(Granted::Malformed) => Err("malformed"),
            Err(refusal) => Err(refusal.slug()),
        }
    }

    #[test]
    fn the_first_permission_claim_that_is_present_counts() {
        assert_eq!(read(&json!({})), Ok(vec![]));
        assert_eq!(read(&json!({"permissions": ["read", "other"]})), Ok(vec!["read"]));
        assert_eq!(read(&json!({"scope": "openid  read delete "})), Ok(vec!["read", "delete"]));
        assert_eq!(read(&json!({"permissions": [], "scope": "read"})), Ok(vec![]));
        assert_eq!(read(&json!({"permissions": "", "scope": "read"})), Ok(vec![]));
        assert_eq!(read(&json!({"permissions": ["read write"]})), Ok(vec![]));
    }

    #[test]
    fn roles_add_to_it_and_are_never_split() {
        assert_eq!(read(&json!({"role": "chief editor"})), Ok(vec!["write"]));
        assert_eq!(
            read(&json!({"realm": {"roles": ["x", "chief editor"]}, "scope": "read"})),
            Ok(vec!["read", "write"])
        );
        assert_eq!(read(&json!({"role": "chief  editor"})), Ok(vec![]));
        assert_eq!(read(&json!({"role": {"chief editor": {"7": "x"}}})), Ok(vec!["write"]));
        assert_eq!(read(&json!({"role": {"x": "chief editor"}})), Ok(vec![]));
        assert_eq!(
            read(&json!({"realm": [{"roles": ["chief editor"]}, {"roles": "x"}]})),
            Ok(vec!["write"])
        );
    }

    #[test]
    fn another_type_grants_nothing_at_all() {
        for claims in [
            json!({"permissions": {"read": true}, "role": "chief editor"}),
            json!({"permissions": null, "scope": "read"}),
            json!({"permissions": ["read", 7]}),
            json!({"permissions": ["read"], "role": 7}),
            json!({"permissions": ["read"], "realm": {"roles": [["chief editor"]]}}),
        ] {
            assert_eq!(read(&claims), Err("malformed"), "{claims}");
        }
    }

    #[test]
    fn their_number_is_bounded() {
        let many = |count| vec!["read"; count];
        assert!(read(&json!({"permissions": many(1_000)})).is_ok());
        assert_eq!(
            read(&json!({"permissions": many(1_000), "role": "x"})),
            Err("permissions_too_many")
        );
    }
}
