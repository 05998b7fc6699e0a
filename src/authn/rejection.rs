//! Why a token is refused, with what the log says of it: found where it is refused, so that nothing is
//! read a second time for the log.

use crate::refusal::Refusal;

/// Why a token is refused.
#[derive(Debug)]
pub struct Rejection {
    /// The reason.
    pub refusal: Refusal,
    /// What the token says, as far as it could be read.
    pub unverified: Option<Box<Unverified>>,
    /// Whether it is only for keys that are on their way: the request can wait for them.
    pub waits_for_keys: bool,
}

/// What a refused token says, and which check refused it. It may be forged.
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

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, unverified: None, waits_for_keys: false }
    }
}
