//! Authorization: from an identity, or anonymous, to a permit.

pub mod hosts;
pub mod path;
pub mod requirement;
pub mod routes;
pub mod template;
pub mod trie;

use routes::{Access, Match};

use crate::authn::provider::Identity;
use crate::refusal::Refusal;

/// The proof that a request may continue. Only [`authorize`] and [`permit_preflight`] make one.
#[derive(Debug)]
pub struct Permit {
    /// Who sent the request; `None` for anonymous.
    identity: Option<Identity>,
}

impl Permit {
    /// Who sent the request; `None` for anonymous.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}

/// Asks what the row of a request asks; without a row there is nothing to ask.
///
/// # Errors
/// Why the request is denied.
pub fn authorize(
    route: Option<&Match<'_, '_>>,
    identity: Option<Identity>,
) -> Result<Permit, Refusal> {
    match route.map(|route| (&route.row.access, &route.variables)) {
        None | Some((Access::Public, _)) => {}
        Some((Access::Denied, _)) => return Err(Refusal::RouteDenied),
        Some((Access::Required(requirement), variables)) => {
            let identity = identity.as_ref().ok_or(Refusal::IdentityMissing)?;
            requirement.check(identity, variables)?;
        }
    }
    // Judged last: only a request that may continue has headers to write.
    if identity
        .as_ref()
        .is_some_and(|identity| identity.outputs.is_err())
    {
        return Err(Refusal::HeaderUnwritable);
    }
    Ok(Permit { identity })
}

/// Lets a CORS preflight continue whose host and path the table has, under `corsPreflight: ALLOW`.
#[must_use]
pub fn permit_preflight() -> Permit {
    Permit { identity: None }
}
