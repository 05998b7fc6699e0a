//! Authentication: from a request to an identity, or to anonymous, or to a refusal.
//!
//! [`locate`] finds the token, [`jws`] and [`claims`] read it, [`provider`] judges it with the keys
//! of [`keys`], which check signatures through [`signature`]. What comes of it is an
//! [`identity`], kept in the [`cache`].
//!
//! Keys that the document does not hold are fetched by each worker: [`key_source`] says where, [`refresh`]
//! when, [`fetch`] what an answer means, and [`fetched_keys`] has what came of it.
//!
//! The steps of a new token are `inline(never)`: what V8 takes to compile a large function stays with Envoy
//! as memory (docs/costs.md).

pub mod algorithm;
pub mod cache;
pub mod claim_path;
pub mod claims;
pub mod cookies;
pub mod credential;
pub mod elliptic_curve;
pub mod fetch;
pub mod fetched_keys;
mod fixed_point;
pub mod grants;
pub mod heap;
pub mod http_url;
pub mod identity;
pub mod issuers;
pub mod jwk;
pub mod jwk_error;
pub mod jws;
pub mod key_set;
pub mod key_source;
pub mod keys;
pub mod locate;
pub mod logged;
pub mod outputs;
pub mod price;
pub mod provider;
pub mod refresh;
pub mod rejection;
pub mod revocation;
pub mod signature;

use std::rc::Rc;
use std::sync::Arc;

use cache::{TokenCache, Verified};
use claim_path::ClaimPath;
use claims::Claims;
use fetched_keys::{FetchedKeys, NoKeys};
use identity::{ClaimId, Identity, TokenNumber};
use issuers::Issuers;
use jws::{DecodedParts, UntrustedToken};
use locate::{Located, Location};
use logged::LoggedClaim;
use price::Budget;
use provider::{Failure, Presence, Provider};
use rejection::{Rejection, Unverified};
use revocation::Revocation;

use crate::json::Limits;
use crate::permissions::PermissionNames;
use crate::refusal::Refusal;
use crate::request::Request;

/// All providers of a document, and what it says of tokens in general.
pub struct Authenticator {
    providers: Vec<Provider>,
    /// The distinct locations of all providers, and beside each the providers that use it and the token
    /// that is found there.
    locations: Vec<Location>,
    providers_at: Vec<Vec<usize>>,
    tokens_at: Vec<TokenNumber>,
    /// The last of the tokens of a request, whose claims count.
    main_token: TokenNumber,
    /// The claims that rules of the document name, by [`ClaimId`].
    named_claims: Vec<ClaimPath>,
    /// The claims that logs show.
    logged_claims: Vec<LoggedClaim>,
    /// The permissions that routes of the document ask for.
    permission_names: PermissionNames,
    options: TokenOptions,
}

/// What the tokens of a request prove.
#[derive(Debug, Default)]
pub struct Authenticated {
    /// Who sent it, by the token whose claims count; `None` if it has no such token.
    pub identity: Option<Rc<Identity>>,
    /// What its other tokens say, which only their headers tell.
    pub others: Vec<Rc<Identity>>,
}

impl Authenticated {
    /// Whether one of its tokens has a claim that its output header can't hold.
    #[must_use]
    pub fn has_unwritable(&self) -> bool {
        self.identity.iter().chain(&self.others).any(|identity| identity.outputs.is_err())
    }
}

/// What a document says of tokens in general.
#[derive(Debug)]
pub struct TokenOptions {
    /// The size of the longest token that is read, in bytes.
    pub max_token_size: usize,
    /// Bounds on the JSON of its header and of its payload.
    pub json: Limits,
    /// How many permissions and roles it may list.
    pub max_permissions: usize,
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
            tokens_at: Vec::new(),
            main_token: TokenNumber::default(),
            named_claims: Vec::new(),
            logged_claims: Vec::new(),
            permission_names: PermissionNames::default(),
            options,
        }
    }

    /// Adds a provider whose tokens are found at these locations. One that requires a token shares none
    /// of them with another.
    pub fn add_provider(&mut self, provider: Provider, locations: Vec<Location>) {
        let number = self.providers.len();
        let token = match provider.presence {
            Presence::Optional => TokenNumber::default(),
            Presence::Required => {
                let TokenNumber(last) = &mut self.main_token;
                *last = last.saturating_add(1);
                self.main_token
            }
        };
        self.providers.push(provider);
        for location in locations {
            let known = self.locations.iter().position(|known| *known == location);
            if let Some(providers) = known.and_then(|known| self.providers_at.get_mut(known)) {
                providers.push(number);
            } else {
                self.locations.push(location);
                self.providers_at.push(vec![number]);
                self.tokens_at.push(token);
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

    /// Lets logs show these claims.
    pub fn log_claims(&mut self, claims: Vec<LoggedClaim>) {
        self.logged_claims = claims;
    }

    /// The claims of an identity that logs show, each with its text.
    pub fn logged_claims<'a>(
        &'a self,
        identity: &'a Identity,
    ) -> impl Iterator<Item = (&'a LoggedClaim, &'a str)> {
        let texts = identity.logged_claims.iter().map(Option::as_deref);
        self.logged_claims.iter().zip(texts).filter_map(|(claim, text)| Some((claim, text?)))
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

    /// The headers that the provider of an identity writes, and its token has no claim for.
    #[must_use]
    pub fn unwritten_headers(&self, identity: &Identity) -> Vec<&str> {
        let outputs = self.providers.get(identity.provider).map(|provider| &provider.outputs);
        let is_written = |name: &str| {
            let written = identity.outputs.as_ref();
            written.is_ok_and(|written| written.iter().any(|(known, _)| **known == *name))
        };
        let names = outputs.into_iter().flatten().map(|header| &*header.name);
        names.filter(|name| !is_written(name)).collect()
    }

    /// A cache for the verified tokens of one worker.
    #[must_use]
    pub fn new_cache(&self) -> TokenCache {
        TokenCache::new(self.options.max_cache_size)
    }

    /// The fetched keys of one worker, none of them fetched yet.
    #[must_use]
    pub fn new_fetched_keys(&self) -> FetchedKeys {
        FetchedKeys::new(self.providers.iter().map(|provider| &provider.keys))
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

    /// The tokens that a request can have; the last is the one whose claims count.
    pub fn tokens(&self) -> impl Iterator<Item = TokenNumber> {
        let TokenNumber(last) = self.main_token;
        (0..=last).map(TokenNumber)
    }

    /// The token whose claims count: as behind Envoy's `requires_all`, that of the last provider that
    /// requires one, or the only one where none does.
    #[must_use]
    pub fn main_token(&self) -> TokenNumber {
        self.main_token
    }

    /// The token that is found at a location.
    #[must_use]
    pub fn token_at(&self, location: usize) -> TokenNumber {
        self.tokens_at.get(location).copied().unwrap_or_default()
    }

    /// Where a token is looked for, each location with its number.
    pub fn locations_of(&self, token: TokenNumber) -> impl Iterator<Item = (usize, &Location)> {
        let numbered = self.locations.iter().enumerate().zip(&self.tokens_at);
        numbered.filter(move |(_, of)| **of == token).map(|(location, _)| location)
    }

    /// What the document says of tokens in general.
    #[must_use]
    pub fn options(&self) -> &TokenOptions {
        &self.options
    }

    /// What the tokens of a request prove; `needs_all` says whether it needs those that providers require.
    /// `cache` is one of [`Self::new_cache`], `fetched_keys` of [`Self::new_fetched_keys`], and `now` is in
    /// seconds since 1970.
    ///
    /// # Errors
    /// Why a token is refused, or that one is missing: the first that Envoy's `requires_all` finds too.
    pub fn authenticate(
        &self,
        cache: &mut TokenCache,
        fetched_keys: &mut FetchedKeys,
        request: &Request<'_>,
        needs_all: bool,
        now: u64,
    ) -> Result<Authenticated, Rejection> {
        let mut authenticated = Authenticated::default();
        for token in self.tokens() {
            match self.authenticate_token(token, cache, fetched_keys, request, now)? {
                Some(identity) if token == self.main_token => {
                    authenticated.identity = Some(identity);
                }
                Some(identity) => authenticated.others.push(identity),
                None if needs_all && token != TokenNumber::default() => {
                    return Err(Refusal::TokenMissing.into());
                }
                None => {}
            }
        }
        Ok(authenticated)
    }

    /// What one of the tokens of a request says; `None` if the request lacks it.
    fn authenticate_token(
        &self,
        token: TokenNumber,
        cache: &mut TokenCache,
        fetched_keys: &mut FetchedKeys,
        request: &Request<'_>,
        now: u64,
    ) -> Result<Option<Rc<Identity>>, Rejection> {
        let located = locate::locate(request, self.locations_of(token))?;
        let Some(located) = located else { return Ok(None) };
        if located.token.len() > self.options.max_token_size {
            return Err(Refusal::TokenTooLarge.into());
        }
        if let Some(identity) = self.find_verified(cache, fetched_keys, &located, now) {
            cache.counts.hits = cache.counts.hits.saturating_add(1);
            return Ok(Some(identity));
        }
        cache.counts.misses = cache.counts.misses.saturating_add(1);
        self.verify(cache, fetched_keys, &located, now).map(Some)
    }

    /// A token that was verified before, is still in time, and has been verified with the keys of now.
    /// Nothing else about it can have changed: the cache is the document's.
    fn find_verified(
        &self,
        cache: &mut TokenCache,
        fetched_keys: &FetchedKeys,
        located: &Located<'_>,
        now: u64,
    ) -> Option<Rc<Identity>> {
        let found = cache.find(located.location, &located.token)?;
        let Verified { identity, validity, key_generation } = found;
        let provider = self.providers.get(identity.provider)?;
        if provider.check_validity(validity, now).is_err()
            || fetched_keys.generation() != key_generation
        {
            cache.remove(&located.token);
            return None;
        }
        Some(identity)
    }

    #[inline(never)]
    fn verify(
        &self,
        cache: &mut TokenCache,
        fetched_keys: &mut FetchedKeys,
        located: &Located<'_>,
        now: u64,
    ) -> Result<Rc<Identity>, Rejection> {
        let mut decoded = DecodedParts::default();
        let token = self.read(located, &mut decoded)?;
        let mut budget = Budget::default();
        let mut failure = (None, Failure::from(Refusal::IssuerUnknown));
        // Whether time could make a provider accept the token that comes before the one that does.
        let mut is_settled = true;
        let mut waits_for_keys = false;
        for number in self.candidates(located.location, token.claims.issuer()) {
            let Some(provider) = self.providers.get(number) else { continue };
            match self.check(number, provider, fetched_keys, &token, now, &mut budget) {
                Ok(()) => {
                    let identity = self.identity(number, provider, located.location, &token);
                    let identity = identity
                        .map_err(|refusal| rejection(&token, Some(provider), &refusal.into()))?;
                    if is_settled {
                        let validity = token.claims.validity;
                        let key_generation = fetched_keys.generation();
                        let identity = Rc::clone(&identity);
                        let verified = Verified { identity, validity, key_generation };
                        cache.insert(located.location, &located.token, verified);
                    }
                    return Ok(identity);
                }
                Err(reason) => failure = (Some(provider), reason),
            }
            let refusal = failure.1.refusal;
            is_settled &= !matches!(refusal, Refusal::NotYetValid | Refusal::LifetimeTooLong);
            waits_for_keys |= refusal == Refusal::KeysUnavailable
                && fetched_keys.keys(number, &provider.keys).err() == Some(NoKeys::Pending);
        }
        Err(Rejection { waits_for_keys, ..rejection(&token, failure.0, &failure.1) })
    }

    /// Reads a token that was found at one of [`Self::locations`]; what it decodes is left in `decoded`.
    ///
    /// # Errors
    /// As [`UntrustedToken::parse`].
    pub fn read<'a>(
        &self,
        located: &'a Located<'_>,
        decoded: &'a mut DecodedParts,
    ) -> Result<UntrustedToken<'a>, Refusal> {
        let here = self.providers_at.get(located.location).into_iter().flatten();
        let mut here = here.filter_map(|&number| self.providers.get(number));
        let is_padding_possible = here.any(|provider| provider.padded_tokens);
        UntrustedToken::parse(&located.token, is_padding_possible, self.options.json, decoded)
    }

    fn check<'p>(
        &self,
        number: usize,
        provider: &'p Provider,
        fetched_keys: &mut FetchedKeys,
        token: &UntrustedToken<'_>,
        now: u64,
        budget: &mut Budget,
    ) -> Result<(), Failure<'p>> {
        if let Some(refusal) = token.padding.filter(|_| !provider.padded_tokens) {
            return Err(refusal.into());
        }
        provider.check_claims(&token.claims, now)?;
        self.check_revocation(&token.claims)?;
        provider.check_header(&token.header)?;
        let keys = fetched_keys.keys(number, &provider.keys);
        let keys = keys.map_err(|_| Refusal::KeysUnavailable)?;
        let checked = keys.verify(token, provider.issuer_of_keys(&token.claims), budget);
        if checked.is_err() && !keys.know(token.header.key_id.as_deref()) {
            fetched_keys.miss(number);
        }
        Ok(checked?)
    }

    /// Whether the document lets tokens with these claims work.
    ///
    /// # Errors
    /// [`Refusal::TokenRevoked`]
    pub fn check_revocation(&self, claims: &Claims<'_>) -> Result<(), Refusal> {
        if self.options.revocation.covers(claims) { Err(Refusal::TokenRevoked) } else { Ok(()) }
    }

    /// The numbers of the providers that may judge a token of this issuer found at this location:
    /// those that name the issuer, else those that name none. An issuer that any provider names, at
    /// whatever location, is never accepted by another one.
    pub fn candidates(&self, location: usize, issuer: Option<&str>) -> impl Iterator<Item = usize> {
        let names_issuer = move |provider: &Provider| {
            issuer.is_some_and(|issuer| provider.issuers.find(issuer).is_some())
        };
        let is_named = self.providers.iter().any(names_issuer);
        let here = self.providers_at.get(location).into_iter().flatten().copied();
        here.filter(move |&number| {
            self.providers.get(number).is_some_and(|provider| {
                if is_named { names_issuer(provider) } else { provider.issuers == Issuers::Any }
            })
        })
    }

    /// What a token says whose signature and claims have been checked.
    #[inline(never)]
    fn identity(
        &self,
        number: usize,
        provider: &Provider,
        location: usize,
        token: &UntrustedToken<'_>,
    ) -> Result<Rc<Identity>, Refusal> {
        let claims = &token.claims;
        let claim = |path: &ClaimPath| provider.claim(path, claims);
        Ok(Rc::new(Identity {
            provider: number,
            token: self.token_at(location),
            // Most issuers are named, so that all their tokens share one.
            issuer: claims.issuer().map(|issuer| {
                provider.issuers.find(issuer).cloned().unwrap_or_else(|| Arc::from(issuer))
            }),
            subject: claims.subject().map(str::to_owned),
            granted: provider.grants.read(
                &claims.all,
                &self.permission_names,
                self.options.max_permissions,
            )?,
            forward_token: provider.forward_token,
            outputs: outputs::write(&provider.outputs, token, claim),
            claims: self.named_claims.iter().map(claim).collect(),
            logged_claims: self
                .logged_claims
                .iter()
                .map(|logged| claim(&logged.path).as_ref().and_then(logged::shown))
                .collect(),
        }))
    }
}

/// What the log says of a token that is refused, and of the provider that refused it last.
#[cold]
fn rejection(
    token: &UntrustedToken<'_>,
    provider: Option<&Provider>,
    failure: &Failure<'_>,
) -> Rejection {
    let Failure { refusal, claim } = failure;
    let is_about_audience = *refusal == Refusal::AudienceNotAllowed;
    let audiences = token.claims.audiences().filter(|_| is_about_audience);
    let unverified = Unverified {
        provider: provider.map(|provider| provider.name.clone()),
        issuer: token.claims.issuer().map(str::to_owned),
        subject: token.claims.subject().map(str::to_owned),
        // The first few tell what kind of token it is.
        audiences: audiences.take(4).map(str::to_owned).collect(),
        key_id: token.header.key_id.as_deref().map(str::to_owned),
        lacks: claim.map(ToString::to_string),
    };
    Rejection { refusal: *refusal, unverified: Some(Box::new(unverified)), waits_for_keys: false }
}
