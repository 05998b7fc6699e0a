//! Why a request is denied, with what the log says of it: found where the decision is made, so that
//! nothing is judged a second time for the log.

use std::rc::Rc;

use crate::authn::identity::ClaimId;
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
    Header(Rc<str>),
    /// The issuers whose tokens the route accepts.
    Issuers(&'d [String]),
    /// Nothing more.
    None,
    /// The routes of the path, none of which has the method.
    Routes(Vec<&'d str>),
    /// What the refused token says of itself.
    Token(Box<Unverified>),
}

/// What a token says that nobody has verified, and whose check refused it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unverified {
    /// The name of the provider that refused it.
    pub provider: Option<String>,
    /// `iss`
    pub issuer: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `aud`, where that is what it was refused for.
    pub audiences: Vec<String>,
    /// `kid`
    pub key_id: Option<String>,
    /// The claim of `requiredClaims` that it lacks.
    pub lacks: Option<String>,
}

impl From<Refusal> for Denial<'_> {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, detail: Detail::None }
    }
}
