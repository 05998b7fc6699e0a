//! Why a request is denied, with what the log says of it: found where the decision is made, so that
//! nothing is judged a second time for the log.

use std::sync::Arc;

use crate::authn::identity::ClaimId;
use crate::authn::rejection::{Rejection, Unverified};
use crate::authz::policies::policy::Policy;
use crate::refusal::Refusal;

/// Why a request is denied.
#[derive(Debug)]
pub struct Denial<'d> {
    /// The reason.
    pub refusal: Refusal,
    /// What it is about.
    pub detail: Detail<'d>,
}

/// What a denial is about, beyond its reason.
#[derive(Debug)]
pub enum Detail<'d> {
    /// The claim that lacks the value that the route needs.
    Claim(ClaimId),
    /// The output header that can't hold its claim.
    Header(Arc<str>),
    /// The issuers whose tokens the route accepts.
    Issuers(&'d [String]),
    /// Nothing more.
    None,
    /// The policy that denies it.
    Policy(&'d Policy),
    /// The routes of the path, none of which has the method.
    Routes(Vec<&'d str>),
    /// What the refused token says of itself.
    Token(Box<Unverified>),
}

impl Denial<'_> {
    /// Whether the policy that denies is in dry run.
    #[must_use]
    pub fn is_of_dry_policy(&self) -> bool {
        matches!(self.detail, Detail::Policy(policy) if policy.dry_run)
    }
}

impl From<Refusal> for Denial<'_> {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, detail: Detail::None }
    }
}

impl From<Rejection> for Denial<'_> {
    fn from(Rejection { refusal, unverified, .. }: Rejection) -> Self {
        let detail = unverified.map_or(Detail::None, Detail::Token);
        Self { refusal, detail }
    }
}
