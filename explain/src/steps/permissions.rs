//! Which permissions a token grants, and from where.

use jwt_rbac::authn::grants::Granted;
use jwt_rbac::authn::jws::UntrustedToken;
use jwt_rbac::authn::provider::Provider;
use jwt_rbac::permissions::PermissionSet;
use serde_json::Value;

use super::list;
use crate::policy::Policy;
use crate::report::{Note, Step};

/// The name of the step.
const NAME: &str = "permissions";

/// The step in which the permissions of a verified token are read.
pub fn step(policy: &Policy, provider: &Provider, token: &UntrustedToken<'_>) -> Step {
    let authenticator = &policy.document.authenticator;
    let permissions = authenticator.permission_names();
    let most = authenticator.options().max_permissions;
    let granted = match provider.grants.read(&token.claims.all, permissions, most) {
        Ok(granted) => granted,
        Err(refusal) => return Step::failed(NAME, refusal.meaning()),
    };
    let granted_by = |set: &PermissionSet| -> Vec<&str> {
        permissions.all().filter(|(id, _)| set.contains(*id)).map(|(_, name)| name).collect()
    };
    let text = match &granted {
        Granted::Malformed => "none: a claim that should list them holds something else".to_owned(),
        Granted::Set(set) => match granted_by(set).as_slice() {
            [] => "none that a route asks for".to_owned(),
            names => format!("grants {}", list(names)),
        },
    };
    let mut notes = Vec::new();
    let claims = provider.grants.permission_claims.iter();
    let read = claims.clone().find_map(|claim| Some((claim, claim.find(&token.claims.all)?)));
    if let Some((claim, value)) = read {
        let value = Value::from(value.into_owned());
        notes.push(Note::plain(format!("claim `{claim}`: {}", shown(&value))));
    } else {
        let missing: Vec<_> = claims.map(ToString::to_string).collect();
        notes.push(Note::plain(format!("the token has no claim {}", list(&missing))));
    }
    for claim in &provider.grants.role_claims {
        let Some(value) = claim.find(&token.claims.all) else {
            notes.push(Note::plain(format!("the token has no claim `{claim}` with roles")));
            continue;
        };
        let value: Value = value.into_owned().into();
        for role in roles(&value) {
            let text = match provider.grants.role_permissions.get(role.as_bytes()) {
                None => "is not in `rolePermissions`, so it grants nothing".to_owned(),
                Some(set) => match granted_by(set).as_slice() {
                    [] => "grants nothing that a route asks for".to_owned(),
                    names => format!("grants {}", list(names)),
                },
            };
            notes.push(Note::plain(format!("role `{role}` of `{claim}` {text}")));
        }
    }
    let step = match granted {
        Granted::Malformed => Step::skipped(NAME, text),
        Granted::Set(_) => Step::passed(NAME, text),
    };
    step.with(notes)
}

/// The texts that a claim shows as roles.
fn roles(value: &Value) -> Vec<&str> {
    match value {
        Value::String(role) => vec![role],
        Value::Array(roles) => roles.iter().filter_map(Value::as_str).collect(),
        Value::Object(roles) => roles.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A value, cut where it gets long.
pub fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
