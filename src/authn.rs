//! Authentication: from a request to an identity, or to anonymous, or to a refusal.
//!
//! [`locate`] finds the token, [`jws`] and [`claims`] read it, [`provider`] judges it with the keys
//! of [`keys`], which check signatures through [`signature`]. What comes of it is an
//! [`identity`], kept in the [`cache`].

pub mod algorithm;
pub mod cache;
pub mod claim_path;
pub mod claims;
pub mod cookies;
pub mod credential;
pub mod elliptic_curve;
pub mod grants;
pub mod identity;
pub mod jwk;
pub mod jws;
pub mod keys;
pub mod locate;
pub mod outputs;
pub mod provider;
pub mod revocation;
pub mod signature;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cache::{TokenCache, Verified};
use claim_path::ClaimPath;
use claims::Validity;
use identity::{ClaimId, Identity};
use jws::{DecodedParts, UntrustedToken};
use locate::{Located, Location};
use provider::Provider;
use revocation::Revocation;

use crate::permissions::PermissionNames;
use crate::refusal::Refusal;
use crate::request::Request;

/// All providers of a document, and what it says of tokens in general.
pub struct Authenticator {
    providers: Vec<Provider>,
    /// The distinct locations of all providers, and beside each the providers that use it.
    locations: Vec<Location>,
    providers_at: Vec<Vec<usize>>,
    /// The claims that rules of the document name, by [`ClaimId`].
    named_claims: Vec<ClaimPath>,
    /// The permissions that routes of the document ask for.
    permission_names: PermissionNames,
    options: TokenOptions,
    cache: RefCell<TokenCache>,
    cache_counts: Cell<CacheCounts>,
}

/// How often the cache had a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// It had it.
    pub hits: u64,
    /// It had it not, or no longer in time.
    pub misses: u64,
}

/// What a token says that nobody has verified.
#[derive(Debug)]
pub struct Unverified {
    /// `iss`
    pub issuer: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `kid`
    pub key_id: Option<String>,
}

/// What a document says of tokens in general.
#[derive(Debug)]
pub struct TokenOptions {
    /// The size of the longest token that is read, in bytes.
    pub max_token_size: usize,
    /// The size of the cache of verified tokens, in bytes.
    pub max_cache_size: usize,
    /// Tokens that are refused though they verify.
    pub revocation: Revocation,
}

impl Authenticator {
    /// An authenticator without providers, which refuses every token.
    #[must_use]
    pub fn new(options: TokenOptions) -> Self {
        Self {
            providers: Vec::new(),
            locations: Vec::new(),
            providers_at: Vec::new(),
            named_claims: Vec::new(),
            permission_names: PermissionNames::default(),
            cache: RefCell::new(TokenCache::new(options.max_cache_size)),
            cache_counts: Cell::default(),
            options,
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

    /// The permissions that routes ask for.
    #[must_use]
    pub fn permission_names(&self) -> &PermissionNames {
        &self.permission_names
    }

    /// How the document names a claim.
    #[must_use]
    pub fn claim_name(&self, ClaimId(id): ClaimId) -> Option<String> {
        self.named_claims.get(id).map(ToString::to_string)
    }

    /// The name of the provider that vouched for an identity.
    #[must_use]
    pub fn provider_name(&self, identity: &Identity) -> &str {
        self.providers.get(identity.provider).map_or("", |provider| &provider.name)
    }

    /// How many tokens were found in the cache and how many were not, since this was last asked.
    pub fn take_cache_counts(&self) -> CacheCounts {
        self.cache_counts.take()
    }

    /// What the token of a request says of itself, for people who want to know why it was refused.
    #[must_use]
    pub fn read_unverified(&self, request: &Request<'_>) -> Option<Unverified> {
        let located = locate::locate(request, &self.locations).ok()??;
        if located.token.len() > self.options.max_token_size {
            return None;
        }
        let mut decoded = DecodedParts::default();
        let token = UntrustedToken::parse(&located.token, &mut decoded).ok()?;
        Some(Unverified {
            issuer: token.claims.issuer().map(str::to_owned),
            subject: token.claims.subject().map(str::to_owned),
            key_id: token.header.key_id.map(Cow::into_owned),
        })
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
    ) -> Result<Option<Rc<Identity>>, Refusal> {
        let Some(located) = locate::locate(request, &self.locations)? else { return Ok(None) };
        if located.token.len() > self.options.max_token_size {
            return Err(Refusal::TokenTooLarge);
        }
        let CacheCounts { hits, misses } = self.cache_counts.get();
        if let Some(identity) = self.find_verified(&located, now) {
            self.cache_counts.set(CacheCounts { hits: hits.saturating_add(1), misses });
            return Ok(Some(identity));
        }
        self.cache_counts.set(CacheCounts { hits, misses: misses.saturating_add(1) });
        self.verify(&located, now).map(Some)
    }

    /// A token that was verified before and is still in time. Nothing else about it can have
    /// changed: keys and revocations are the document's, and the cache is too.
    fn find_verified(&self, located: &Located<'_>, now: u64) -> Option<Rc<Identity>> {
        let mut cache = self.cache.try_borrow_mut().ok()?;
        let Verified { identity, validity } = cache.find(located.location, &located.token)?;
        let provider = self.providers.get(identity.provider)?;
        if provider.check_validity(validity, now).is_err() {
            cache.remove(&located.token);
            return None;
        }
        Some(identity)
    }

    fn verify(&self, located: &Located<'_>, now: u64) -> Result<Rc<Identity>, Refusal> {
        let mut decoded = DecodedParts::default();
        let token = UntrustedToken::parse(&located.token, &mut decoded)?;
        let mut budget = keys::CHECK_BUDGET;
        let mut refusal = Refusal::IssuerUnknown;
        // Whether time could make a provider accept the token that comes before the one that does.
        let mut is_settled = true;
        for number in self.candidates(located.location, token.claims.issuer()) {
            let Some(provider) = self.providers.get(number) else { continue };
            match self.check(provider, &token, now, &mut budget) {
                Ok(()) => {
                    let identity = self.identity(number, provider, &token)?;
                    if is_settled {
                        self.keep(located, &identity, token.claims.validity);
                    }
                    return Ok(identity);
                }
                Err(reason) => refusal = reason,
            }
            is_settled &= !matches!(refusal, Refusal::NotYetValid | Refusal::LifetimeTooLong);
        }
        Err(refusal)
    }

    fn check(
        &self,
        provider: &Provider,
        token: &UntrustedToken<'_>,
        now: u64,
        budget: &mut usize,
    ) -> Result<(), Refusal> {
        provider.check_claims(&token.claims, now)?;
        if self.options.revocation.covers(&token.claims) {
            return Err(Refusal::TokenRevoked);
        }
        provider.check_signature(token, budget)
    }

    /// The numbers of the providers that may judge a token of this issuer found at this location:
    /// those that name the issuer, else those that name none. An issuer that any provider names, at
    /// whatever location, is never accepted by another one.
    fn candidates(&self, location: usize, issuer: Option<&str>) -> impl Iterator<Item = usize> {
        let names_issuer = move |provider: &Provider| match &provider.issuer {
            None => false,
            named => named.as_deref() == issuer,
        };
        let is_named = self.providers.iter().any(names_issuer);
        let here = self.providers_at.get(location).into_iter().flatten().copied();
        here.filter(move |&number| {
            self.providers.get(number).is_some_and(|provider| {
                if is_named { names_issuer(provider) } else { provider.issuer.is_none() }
            })
        })
    }

    /// What a token says whose signature and claims have been checked.
    fn identity(
        &self,
        number: usize,
        provider: &Provider,
        token: &UntrustedToken<'_>,
    ) -> Result<Rc<Identity>, Refusal> {
        let claims = &token.claims;
        let claim = |path: &ClaimPath| provider.claim(path, claims);
        Ok(Rc::new(Identity {
            provider: number,
            // Most issuers are named, so that all their tokens share one.
            issuer: provider.issuer.clone().or_else(|| claims.issuer().map(Rc::from)),
            subject: claims.subject().map(str::to_owned),
            granted: provider.grants.read(&claims.all, &self.permission_names)?,
            forward_token: provider.forward_token,
            outputs: outputs::write(&provider.outputs, token, claim),
            claims: self.named_claims.iter().map(claim).collect(),
        }))
    }

    fn keep(&self, located: &Located<'_>, identity: &Rc<Identity>, validity: Validity) {
        if let Ok(mut cache) = self.cache.try_borrow_mut() {
            let verified = Verified { identity: Rc::clone(identity), validity };
            cache.insert(located.location, &located.token, verified);
        }
    }
}
