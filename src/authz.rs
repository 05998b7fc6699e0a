//! Authorization: from an identity, or anonymous, to a permit.

pub mod counterpart;
pub mod hosts;
pub mod path;
pub mod policies;
pub mod regex;
pub mod requirement;
pub mod routes;
pub mod template;
pub mod trie;
pub mod work;

use std::rc::Rc;
use std::sync::Arc;

use routes::{Access, Match};

use crate::authn::identity::{Identity, TokenNumber};
use crate::denial::{Denial, Detail};
use crate::refusal::Refusal;
use crate::request::Request;

/// Who sent a request, as far as its token says so.
#[derive(Debug)]
pub enum Caller {
    /// No verified token names anybody.
    Anonymous {
        /// Whether the request has a token that proves nothing, so that the workload must not
        /// receive it.
        remove_token: bool,
    },
    /// The subject of a verified token.
    Identified {
        /// The token whose claims count.
        identity: Rc<Identity>,
        /// The other verified tokens of the request.
        others: Vec<Rc<Identity>>,
    },
    /// The token was not looked at: the route ignores tokens.
    TokenIgnored,
}

/// The proof that a request may continue. Only this module makes one.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
    /// Whether the document is in dry run, so that no request loses its token.
    keeps_token: bool,
}

impl Caller {
    /// Whom its verified token names.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Anonymous { .. } | Self::TokenIgnored => None,
            Self::Identified { identity, .. } => Some(identity),
        }
    }
}

impl Permit {
    /// Who sent the request; `None` for anonymous.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.caller.identity()
    }

    /// What all verified tokens of the request say.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        let others: &[Rc<Identity>] = match &self.caller {
            Caller::Anonymous { .. } | Caller::TokenIgnored => &[],
            Caller::Identified { others, .. } => others,
        };
        self.identity().into_iter().chain(others.iter().map(|identity| &**identity))
    }

    /// Whether the workload must not receive this token of the request.
    #[must_use]
    pub fn removes_token(&self, token: TokenNumber) -> bool {
        !self.keeps_token
            && match &self.caller {
                Caller::Anonymous { remove_token } => *remove_token,
                Caller::Identified { .. } => {
                    !self.identities().any(|it| it.forward_token && it.token == token)
                }
                Caller::TokenIgnored => false,
            }
    }

    /// Whether the workload receives whatever looks like a token.
    #[must_use]
    pub fn ignores_tokens(&self) -> bool {
        matches!(self.caller, Caller::TokenIgnored)
    }

    /// The same under a dry run of the document: a workload that reads the token must not notice.
    #[must_use]
    pub(crate) fn keeping_token(self) -> Self {
        Self { keeps_token: true, ..self }
    }
}

/// Checks what the policies said of a request, and what its route requires; without a route every caller
/// passes.
///
/// # Errors
/// Why the request is denied.
pub(crate) fn authorize<'d>(
    request: &Request<'_>,
    route: Option<&Match<'d, '_>>,
    caller: Caller,
    by_policy: Option<Denial<'d>>,
) -> Result<Permit, Denial<'d>> {
    if let Some(denial) = by_policy {
        return Err(denial);
    }
    let permit = Permit { caller, keeps_token: false };
    match route.map(|route| (&route.route.access, &route.variables)) {
        None | Some((Access::Public(_), _)) => {}
        Some((Access::Denied, _)) => return Err(Refusal::RouteDenied.into()),
        Some((Access::Required(requirement), variables)) => {
            let identity = permit.identity().ok_or(Refusal::IdentityMissing)?;
            requirement.check(identity, variables, request)?;
        }
    }
    // Judged last: only a request that may continue has headers to write.
    let unwritable = permit.identities().find_map(|identity| identity.outputs.as_ref().err());
    if let Some(header) = unwritable {
        let detail = Detail::Header(Arc::clone(header));
        return Err(Denial { refusal: Refusal::HeaderUnwritable, detail });
    }
    Ok(permit)
}

/// Lets a request continue that a dry run would deny: as it came but for its token, and without an
/// identity.
#[must_use]
pub(crate) fn permit_dry_run(remove_token: bool) -> Permit {
    Permit { caller: Caller::Anonymous { remove_token }, keeps_token: false }
}

/// Lets a CORS preflight continue that the table does not deny, under `corsPreflight: ALLOW`.
#[must_use]
pub(crate) fn permit_preflight() -> Permit {
    Permit { caller: Caller::Anonymous { remove_token: true }, keeps_token: false }
}
