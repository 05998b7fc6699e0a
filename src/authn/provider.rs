//! One issuer: its keys, and what it asks of a token.

use std::fmt;

use serde_json::Value;

use super::algorithm::Algorithm;
use super::claim_path::ClaimPath;
use super::claims::{Claims, Validity};
use super::grants::Grants;
use super::issuers::Issuers;
use super::jws::Header;
use super::key_source::KeySource;
use super::outputs::OutputHeader;
use crate::refusal::Refusal;
use crate::scalar::Scalars;

/// One entry of `jwtRules`.
pub struct Provider {
    /// Shown in logs.
    pub name: String,
    /// The `iss` of its tokens.
    pub issuers: Issuers,
    /// Whether every request needs a token of it.
    pub presence: Presence,
    /// One of which a token must name; `None` for any.
    pub audiences: Option<Vec<Audience>>,
    /// The algorithms that it lists; `None` for all that its keys allow.
    pub algorithms: Option<Vec<Algorithm>>,
    /// The types of token that it accepts; `None` for any.
    pub token_types: Option<Vec<TokenType>>,
    /// Whether its tokens may have the padding of base64.
    pub padded_tokens: bool,
    /// How far the clocks of issuer and proxy may differ, in seconds.
    pub clock_skew: u64,
    /// Whether tokens must expire.
    pub require_expiration: bool,
    /// How long a token may still be valid, in seconds; `None` for any time.
    pub max_lifetime: Option<u64>,
    /// Claims that a token must have; with values, one of them.
    pub required_claims: Vec<(ClaimPath, Option<Scalars>)>,
    /// The keys that sign its tokens.
    pub keys: KeySource,
    /// What its tokens grant.
    pub grants: Grants,
    /// Claims that are lists even when they are strings.
    pub space_delimited_claims: Vec<String>,
    /// Whether the workload receives the token.
    pub forward_token: bool,
    /// The headers that it writes.
    pub outputs: Vec<OutputHeader>,
}

/// Whether a request needs a token of a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It may have one, and where it has one it must verify.
    #[default]
    Optional,
    /// It needs one, beside those of other providers (istio/istio#60823).
    Required,
}

/// An audience as Envoy compares it (`check_audience.cc`): without a leading `http://` or
/// `https://` and without one trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(String);

impl Audience {
    /// Reads an audience of a document.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Self::significant(text).to_owned())
    }

    /// Whether a token means it.
    fn matches(&self, found: &str) -> bool {
        self.0 == Self::significant(found)
    }

    fn significant(text: &str) -> &str {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.unwrap_or(text);
        rest.strip_suffix('/').unwrap_or(rest)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A media type as RFC 7515 §4.1.9 compares it: without case, `application/` is optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenType(String);

impl TokenType {
    /// Reads a type, of a document or of a token.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        Self(text.strip_prefix("application/").unwrap_or(&text).to_owned())
    }
}

/// Why a provider refuses a token.
#[derive(Debug)]
pub struct Failure<'p> {
    /// The reason.
    pub refusal: Refusal,
    /// The claim of [`Provider::required_claims`] that the token lacks.
    pub claim: Option<&'p ClaimPath>,
}

impl From<Refusal> for Failure<'_> {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, claim: None }
    }
}

impl Provider {
    /// The issuer that its keys must be of, where they say whose they are. Tenants share one key set, and
    /// some of its keys are of one tenant alone: in 2023 a key for personal accounts of Microsoft signed
    /// tokens of companies, and mail was read with them because nobody compared (Storm-0558). Other issuers write into the member
    /// `issuer` what they like.
    #[must_use]
    pub fn issuer_of_keys<'c>(&self, claims: &'c Claims<'_>) -> Option<&'c str> {
        match self.issuers {
            Issuers::Any | Issuers::One(_) => None,
            Issuers::Tenants(_) => claims.issuer(),
        }
    }

    /// What is checked of the claims but the issuer, in the order of Envoy's `Authenticator`; the
    /// first failure decides. `now` is in seconds since 1970.
    pub(super) fn check_claims(&self, claims: &Claims<'_>, now: u64) -> Result<(), Failure<'_>> {
        self.check_time(claims.validity, now)?;
        self.check_audience(claims)?;
        self.check_lifetime(claims.validity, now)?;
        self.check_required_claims(claims)
    }

    /// The checks that change with time.
    pub(super) fn check_validity(&self, validity: Validity, now: u64) -> Result<(), Refusal> {
        self.check_time(validity, now)?;
        self.check_lifetime(validity, now)
    }

    /// `nbf` and `exp`. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Refusal::NotYetValid`] or [`Refusal::Expired`]
    pub fn check_time(&self, validity: Validity, now: u64) -> Result<(), Refusal> {
        if validity.not_before.is_some_and(|start| now.saturating_add(self.clock_skew) < start) {
            return Err(Refusal::NotYetValid);
        }
        if validity.expires_at.is_some_and(|end| now > end.saturating_add(self.clock_skew)) {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    /// `aud`
    ///
    /// # Errors
    /// [`Refusal::AudienceNotAllowed`]
    pub fn check_audience(&self, claims: &Claims<'_>) -> Result<(), Refusal> {
        let Some(allowed) = &self.audiences else { return Ok(()) };
        let named =
            claims.audiences().any(|found| allowed.iter().any(|allowed| allowed.matches(found)));
        if named { Ok(()) } else { Err(Refusal::AudienceNotAllowed) }
    }

    /// A bound on the lifetime needs a token that ends, as in Envoy (`max_lifetime`).
    ///
    /// # Errors
    /// [`Refusal::LifetimeTooLong`] or [`Refusal::ExpirationMissing`]
    pub fn check_lifetime(&self, validity: Validity, now: u64) -> Result<(), Refusal> {
        match (validity.expires_at, self.max_lifetime) {
            (Some(end), Some(most)) if end.saturating_sub(now) > most => {
                Err(Refusal::LifetimeTooLong)
            }
            (None, most) if self.require_expiration || most.is_some() => {
                Err(Refusal::ExpirationMissing)
            }
            _ => Ok(()),
        }
    }

    /// The claims of [`Self::required_claims`].
    ///
    /// # Errors
    /// [`Refusal::RequiredClaimMissing`], with the first claim that is missing or has another value.
    pub fn check_required_claims(&self, claims: &Claims<'_>) -> Result<(), Failure<'_>> {
        let holds = |(path, values): &&(ClaimPath, Option<Scalars>)| {
            let claim = self.claim(path, claims).filter(|claim| !claim.is_null());
            match (claim, values) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(claim), Some(values)) => values.one_is_in(&claim),
            }
        };
        match self.required_claims.iter().find(|required| !holds(required)) {
            None => Ok(()),
            Some((claim, _)) => {
                Err(Failure { refusal: Refusal::RequiredClaimMissing, claim: Some(claim) })
            }
        }
    }

    /// `typ` and `alg`
    ///
    /// # Errors
    /// [`Refusal::TokenTypeNotAllowed`] or [`Refusal::AlgorithmNotAllowed`]
    pub fn check_header(&self, header: &Header<'_>) -> Result<(), Refusal> {
        let is_type = |found: &str, allowed: &[TokenType]| allowed.contains(&TokenType::new(found));
        let found = header.token_type.as_deref();
        let types = self.token_types.as_deref();
        if types.is_some_and(|types| !found.is_some_and(|found| is_type(found, types))) {
            return Err(Refusal::TokenTypeNotAllowed);
        }
        let algorithms = self.algorithms.as_ref();
        if algorithms.is_some_and(|algorithms| !algorithms.contains(&header.algorithm)) {
            return Err(Refusal::AlgorithmNotAllowed);
        }
        Ok(())
    }

    /// A claim; one that is delimited by spaces as the list that it is.
    pub(super) fn claim(&self, path: &ClaimPath, claims: &Claims<'_>) -> Option<Value> {
        let claim = path.find(&claims.all)?;
        let is_list = path
            .top_level()
            .is_some_and(|name| self.space_delimited_claims.iter().any(|known| known == name));
        Some(match claim.as_text() {
            Some(text) if is_list => {
                text.split(' ').filter(|part| !part.is_empty()).map(Value::from).collect()
            }
            _ => claim.into_owned().into(),
        })
    }
}
