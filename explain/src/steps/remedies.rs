//! What would have to change for a denied request to pass.

use jwt_rbac::authn::provider::Provider;
use jwt_rbac::authz::routes::Access;
use jwt_rbac::decision::Decision;
use jwt_rbac::permissions::PermissionId;
use jwt_rbac::refusal::Refusal;

use super::list;
use crate::policy::Policy;

/// What to do, the most concrete first.
pub fn remedies(policy: &Policy, decision: &Decision<'_, '_>) -> Vec<String> {
    let Some(refusal) = decision.verdict.refusal() else { return Vec::new() };
    let mut remedies = Vec::new();
    if refusal == Refusal::PermissionMissing {
        remedies.extend(missing_permissions(policy, decision));
    }
    if refusal == Refusal::KeysUnavailable {
        remedies.push(
            "give the key set (`--jwks` on the command line): nothing is fetched here".to_owned(),
        );
    }
    remedies.push(refusal.remedy().to_owned());
    remedies
}

fn missing_permissions(policy: &Policy, decision: &Decision<'_, '_>) -> Vec<String> {
    let authenticator = &policy.document.authenticator;
    let access = decision.route.as_ref().map(|found| &found.route.access);
    let (Some(Access::Required(requirement)), Some(identity)) = (access, &decision.identity) else {
        return Vec::new();
    };
    let name = authenticator.provider_name(identity);
    let provider = authenticator.providers().iter().find(|provider| provider.name == name);
    let Some(provider) = provider else { return Vec::new() };
    let missing = requirement.missing(&identity.granted);
    missing.filter_map(|id| ways(policy, provider, id)).collect()
}

fn ways(policy: &Policy, provider: &Provider, id: PermissionId) -> Option<String> {
    let name = policy.document.authenticator.permission_names().name(id)?;
    let grants = &provider.grants;
    let mut roles: Vec<_> = grants
        .role_permissions
        .iter()
        .filter(|(_, set)| set.contains(id))
        .map(|(role, _)| String::from_utf8_lossy(role))
        .collect();
    roles.sort_unstable();
    let claims: Vec<_> = grants.permission_claims.iter().map(ToString::to_string).collect();
    Some(match roles.as_slice() {
        [] => format!("`{name}` is granted by the claim {}", list(&claims)),
        roles => {
            let roles = list(roles);
            format!("`{name}` is granted by the role {roles}, or by the claim {}", list(&claims))
        }
    })
}
