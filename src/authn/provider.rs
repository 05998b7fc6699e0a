//! One issuer: its keys, where its tokens are found, and what it asks of them.

use std::rc::Rc;

use serde_json::Value;

use super::claim_path::ClaimPath;
use super::claims::Claims;
use super::grants::{Granted, Grants};
use super::jws::UntrustedToken;
use super::keys::Keys;
use super::outputs::{self, OutputHeader, Outputs};
use crate::permissions::PermissionNames;
use crate::refusal::Refusal;

/// One entry of `jwtRules`.
pub struct Provider {
    /// Shown in logs.
    pub name: String,
    /// The `iss` of its tokens; `None` takes any that no other provider names.
    pub issuer: Option<String>,
    /// One of which a token must name; `None` for any.
    pub audiences: Option<Vec<Audience>>,
    /// How far the clocks of issuer and proxy may differ, in seconds.
    pub clock_skew: u64,
    /// Whether tokens must expire.
    pub require_expiration: bool,
    /// The keys that sign its tokens.
    pub keys: Keys,
    /// What its tokens grant.
    pub grants: Grants,
    /// Claims that are lists even when they are strings.
    pub space_delimited_claims: Vec<String>,
    /// Whether the workload receives the token.
    pub forward_token: bool,
    /// The headers that it writes.
    pub outputs: Vec<OutputHeader>,
}

/// An audience as Envoy compares it (`check_audience.cc`): without a leading `http://` or
/// `https://` and without one trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(String);

impl Audience {
    /// Reads an audience, of a document or of a token.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let rest = rest.unwrap_or(text);
        Self(rest.strip_suffix('/').unwrap_or(rest).to_owned())
    }
}

/// Who sent the request: what a verified token says.
///
/// Only [`super::Authenticator`] makes one, and only of a token that passed every check.
#[derive(Debug)]
pub struct Identity {
    /// The `iss` of the token.
    pub issuer: Option<String>,
    /// The `sub` of the token.
    pub subject: Option<String>,
    /// What it grants.
    pub granted: Granted,
    /// Whether the workload receives the token.
    pub forward_token: bool,
    /// The headers that it writes, or the name of one that can't be written.
    pub outputs: Result<Outputs, Rc<str>>,
    /// The claims that the document names, by [`ClaimId`].
    claims: Vec<Option<Value>>,
}

/// The number of a claim that some rule of the document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimId(pub(super) usize);

impl Identity {
    /// The value of a claim; `None` if the token lacks it.
    #[must_use]
    pub fn claim(&self, ClaimId(id): ClaimId) -> Option<&Value> {
        self.claims.get(id)?.as_ref()
    }
}

impl Provider {
    /// Everything that is checked of a token but its issuer, in the order of Envoy's
    /// `Authenticator`; the first failure decides. `now` is in seconds since 1970.
    pub(super) fn verify(
        &self,
        token: &UntrustedToken<'_>,
        now: u64,
        checks_left: &mut usize,
    ) -> Result<(), Refusal> {
        self.check_time(&token.claims, now)?;
        self.check_audience(&token.claims)?;
        if self.require_expiration && token.claims.expires_at.is_none() {
            return Err(Refusal::ExpirationMissing);
        }
        self.keys.verify(token, checks_left)
    }

    fn check_time(&self, claims: &Claims, now: u64) -> Result<(), Refusal> {
        if claims
            .not_before
            .is_some_and(|start| now.saturating_add(self.clock_skew) < start)
        {
            return Err(Refusal::NotYetValid);
        }
        if claims
            .expires_at
            .is_some_and(|end| now > end.saturating_add(self.clock_skew))
        {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Refusal> {
        let Some(allowed) = &self.audiences else {
            return Ok(());
        };
        let named = claims
            .audiences
            .iter()
            .any(|found| allowed.contains(&Audience::new(found)));
        if named {
            Ok(())
        } else {
            Err(Refusal::AudienceNotAllowed)
        }
    }

    /// What a verified token says.
    pub(super) fn identity(
        &self,
        token: &UntrustedToken<'_>,
        named_claims: &[ClaimPath],
        names: &PermissionNames,
    ) -> Result<Identity, Refusal> {
        let claims = &token.claims;
        Ok(Identity {
            issuer: claims.issuer.clone(),
            subject: claims.subject.clone(),
            granted: self.grants.read(&claims.all, names)?,
            forward_token: self.forward_token,
            outputs: outputs::write(&self.outputs, token),
            claims: named_claims
                .iter()
                .map(|claim| self.claim(claim, claims))
                .collect(),
        })
    }

    fn claim(&self, path: &ClaimPath, claims: &Claims) -> Option<Value> {
        let value = path.find(&claims.all)?;
        let is_list = path.top_level().is_some_and(|name| {
            self.space_delimited_claims
                .iter()
                .any(|known| known == name)
        });
        Some(match value {
            Value::String(text) if is_list => text
                .split(' ')
                .filter(|part| !part.is_empty())
                .map(Value::from)
                .collect(),
            value => value.clone(),
        })
    }
}
