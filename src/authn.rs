//! Authentication: from a request to an identity, or to anonymous, or to a refusal.
//!
//! [`locate`] finds the token, [`jws`] and [`claims`] read it, [`provider`] judges it with the keys
//! of [`keys`], which check signatures through [`signature`].

pub mod algorithm;
pub mod claim_path;
pub mod claims;
pub mod grants;
pub mod jwk;
pub mod jws;
pub mod keys;
pub mod locate;
pub mod outputs;
pub mod provider;
pub mod signature;

use claim_path::ClaimPath;
use jws::UntrustedToken;
use locate::{Located, Location};
use provider::{ClaimId, Identity, Provider};

use crate::permissions::PermissionNames;
use crate::refusal::Refusal;
use crate::request::Request;

/// All providers of a document.
#[derive(Default)]
pub struct Authenticator {
    providers: Vec<Provider>,
    /// The distinct locations of all providers, and beside each the providers that use it.
    locations: Vec<Location>,
    providers_at: Vec<Vec<usize>>,
    /// The claims that rules of the document name, by [`ClaimId`].
    named_claims: Vec<ClaimPath>,
    /// The permissions that routes of the document ask for.
    permission_names: PermissionNames,
    max_token_size: usize,
}

impl Authenticator {
    /// An authenticator of tokens of at most `max_token_size` bytes.
    #[must_use]
    pub fn new(max_token_size: usize) -> Self {
        Self {
            max_token_size,
            ..Self::default()
        }
    }

    /// Adds a provider whose tokens are found at these locations.
    pub fn add_provider(&mut self, provider: Provider, locations: Vec<Location>) {
        let number = self.providers.len();
        self.providers.push(provider);
        for location in locations {
            let known = self.locations.iter().position(|known| *known == location);
            if let Some(providers) = known.and_then(|known| self.providers_at.get_mut(known)) {
                providers.push(number);
            } else {
                self.locations.push(location);
                self.providers_at.push(vec![number]);
            }
        }
    }

    /// The number of a claim that a rule names.
    pub fn name_claim(&mut self, claim: ClaimPath) -> ClaimId {
        let known = self.named_claims.iter().position(|known| *known == claim);
        ClaimId(known.unwrap_or_else(|| {
            self.named_claims.push(claim);
            self.named_claims.len().saturating_sub(1)
        }))
    }

    /// The permissions that routes ask for.
    pub fn permission_names_mut(&mut self) -> &mut PermissionNames {
        &mut self.permission_names
    }

    /// The providers, in the order of the document.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Where tokens are looked for.
    #[must_use]
    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    /// Who sent the request; `None` for a request without a token. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn authenticate(
        &self,
        request: &Request<'_>,
        now: u64,
    ) -> Result<Option<Identity>, Refusal> {
        let Some(located) = locate::locate(request, &self.locations)? else {
            return Ok(None);
        };
        self.verify(&located, now).map(Some)
    }

    fn verify(&self, located: &Located<'_>, now: u64) -> Result<Identity, Refusal> {
        if located.token.len() > self.max_token_size {
            return Err(Refusal::TokenTooLarge);
        }
        let token = UntrustedToken::parse(&located.token)?;
        let mut checks_left = keys::MAX_CHECKS;
        let mut refusal = Refusal::IssuerUnknown;
        for provider in self.candidates(located.location, token.claims.issuer.as_deref()) {
            match provider.verify(&token, now, &mut checks_left) {
                Ok(()) => {
                    return provider.identity(&token, &self.named_claims, &self.permission_names);
                }
                Err(reason) => refusal = reason,
            }
        }
        Err(refusal)
    }

    /// The providers that may judge a token of this issuer found at this location: those that name
    /// the issuer, else those that name none. An issuer that any provider names, at whatever
    /// location, is never accepted by another one.
    fn candidates(&self, location: usize, issuer: Option<&str>) -> impl Iterator<Item = &Provider> {
        let names_issuer = move |provider: &&Provider| match &provider.issuer {
            None => false,
            named => named.as_deref() == issuer,
        };
        let is_named = self
            .providers
            .iter()
            .any(|provider| names_issuer(&provider));
        let providers_here = self.providers_at.get(location).into_iter().flatten();
        providers_here
            .filter_map(|&number| self.providers.get(number))
            .filter(move |provider| {
                if is_named {
                    names_issuer(provider)
                } else {
                    provider.issuer.is_none()
                }
            })
    }
}
