//! Authorization: from an identity, or anonymous, to a permit.

pub mod hosts;
pub mod path;
pub mod requirement;
pub mod routes;
pub mod template;
pub mod trie;

use std::rc::Rc;

use routes::{Access, Match};

use crate::authn::identity::Identity;
use crate::refusal::Refusal;

/// Who sent a request, as far as its token says so.
#[derive(Debug)]
pub enum Caller {
    /// Nobody that a verified token names.
    Anonymous {
        /// Whether the request has a token that proves nothing, and that the workload must not
        /// take for one that does.
        remove_token: bool,
    },
    /// Whoever a verified token names.
    Identified(Rc<Identity>),
    /// Nobody looked: the route leaves tokens alone.
    Unasked,
}

/// The proof that a request may continue. Only this module makes one.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
}

impl Permit {
    /// Who sent the request; `None` for anonymous.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match &self.caller {
            Caller::Anonymous { .. } | Caller::Unasked => None,
            Caller::Identified(identity) => Some(identity),
        }
    }

    /// Whether the workload must not receive the token of the request.
    #[must_use]
    pub fn removes_token(&self) -> bool {
        match &self.caller {
            Caller::Anonymous { remove_token } => *remove_token,
            Caller::Identified(identity) => !identity.forward_token,
            Caller::Unasked => false,
        }
    }

    /// Whether what looks like a token is none of our business.
    #[must_use]
    pub fn leaves_tokens_alone(&self) -> bool {
        matches!(self.caller, Caller::Unasked)
    }
}

/// Checks what the row of a request requires; without a row every caller passes.
///
/// # Errors
/// Why the request is denied.
pub(crate) fn authorize(route: Option<&Match<'_, '_>>, caller: Caller) -> Result<Permit, Refusal> {
    let permit = Permit { caller };
    match route.map(|route| (&route.row.access, &route.variables)) {
        None | Some((Access::Public(_), _)) => {}
        Some((Access::Denied, _)) => return Err(Refusal::RouteDenied),
        Some((Access::Required(requirement), variables)) => {
            let identity = permit.identity().ok_or(Refusal::IdentityMissing)?;
            requirement.check(identity, variables)?;
        }
    }
    // Judged last: only a request that may continue has headers to write.
    if permit.identity().is_some_and(|identity| identity.outputs.is_err()) {
        return Err(Refusal::HeaderUnwritable);
    }
    Ok(permit)
}

/// Lets a request continue that is denied by something that is only tried: as it came, for nobody.
#[must_use]
pub(crate) fn permit_dry_run() -> Permit {
    Permit { caller: Caller::Anonymous { remove_token: false } }
}

/// Lets a CORS preflight continue that the table does not deny for its host or path, under
/// `corsPreflight: ALLOW`.
#[must_use]
pub(crate) fn permit_preflight() -> Permit {
    Permit { caller: Caller::Anonymous { remove_token: true } }
}
