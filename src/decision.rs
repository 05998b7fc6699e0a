//! The decision about one request: shape, route, token, authorization, in this order.

use std::rc::Rc;

use crate::authn::identity::Identity;
use crate::authz::routes::{Access, Match, RouteTable, TokenUse};
use crate::authz::{self, Caller, Permit};
use crate::document::{CorsPreflight, Document};
use crate::refusal::{Kind, Refusal};
use crate::request::Request;

/// What becomes of a request, and who and what it is about as far as that is known.
#[derive(Debug)]
pub struct Decision<'d, 'r> {
    /// What becomes of it.
    pub verdict: Verdict,
    /// The row of the table that it has.
    pub route: Option<Match<'d, 'r>>,
    /// Who sent it, if its token was verified.
    pub identity: Option<Rc<Identity>>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// It continues.
    Allow(Permit),
    /// It is answered in place of the workload.
    Deny(Refusal),
    /// It continues because of a dry run, and would be denied without.
    WouldDeny(Refusal, Permit),
}

impl<'d> Decision<'d, '_> {
    /// A denial about which nothing else is known.
    #[must_use]
    pub fn deny(refusal: Refusal) -> Self {
        Self { verdict: Verdict::Deny(refusal), route: None, identity: None }
    }

    /// The name of the row that it has.
    #[must_use]
    pub fn rule(&self) -> Option<&'d str> {
        self.route.as_ref().map(|route| route.row.name.as_str())
    }
}

/// Decides about a request. `now` is in seconds since 1970. Everything that does not end in a
/// [`Permit`] ends in a denial.
#[must_use]
pub fn decide<'d, 'r>(document: &'d Document, request: &Request<'r>, now: u64) -> Decision<'d, 'r> {
    let mut decision = Decision::deny(Refusal::RequestMalformed);
    decision.verdict = match judge(document, request, now, &mut decision) {
        Ok(permit) => Verdict::Allow(permit),
        Err(refusal) if is_dry_run(document, refusal, decision.route.as_ref()) => {
            Verdict::WouldDeny(refusal, authz::permit_dry_run())
        }
        Err(refusal) => Verdict::Deny(refusal),
    };
    decision
}

/// Judges a request, and notes in `found` what is found out about it on the way.
fn judge<'d, 'r>(
    document: &'d Document,
    request: &Request<'r>,
    now: u64,
    found: &mut Decision<'d, 'r>,
) -> Result<Permit, Refusal> {
    found.route = match &document.routes {
        None => None,
        Some(_) if request.method == b"CONNECT" => return Err(Refusal::ConnectRefused),
        Some(routes)
            if document.cors_preflight == CorsPreflight::Allow && request.is_preflight() =>
        {
            return allow_preflight(routes, request);
        }
        Some(routes) => routes.find(request)?,
    };
    let route = found.route.as_ref();
    // What the table denies whoever asks is denied before the token is looked at; unless that is
    // only tried, because then the token's refusal is not.
    if route.is_some_and(|it| matches!(it.row.access, Access::Denied) && !it.row.dry_run) {
        return Err(Refusal::RouteDenied);
    }
    let caller = caller(document, request, route, now)?;
    if let Caller::Identified(identity) = &caller {
        found.identity = Some(Rc::clone(identity));
    }
    authz::authorize(route, caller)
}

/// Who sent the request, as far as its route wants to know.
fn caller(
    document: &Document,
    request: &Request<'_>,
    route: Option<&Match<'_, '_>>,
    now: u64,
) -> Result<Caller, Refusal> {
    let token_use = match route.map(|route| &route.row.access) {
        Some(Access::Public(token_use)) => *token_use,
        Some(Access::Denied | Access::Required(_)) | None => TokenUse::Strict,
    };
    if token_use == TokenUse::Ignore {
        return Ok(Caller::Unasked);
    }
    // Envoy passes preflights by (`bypass_cors_preflight`, which Istio sets); a token in one is
    // removed too, because nobody verified it.
    if request.is_preflight() {
        return Ok(Caller::Anonymous { remove_token: true });
    }
    match document.authenticator.authenticate(request, now) {
        Ok(Some(identity)) if token_use == TokenUse::Optional && identity.outputs.is_err() => {
            Ok(Caller::Anonymous { remove_token: true })
        }
        Ok(Some(identity)) => Ok(Caller::Identified(identity)),
        Ok(None) => Ok(Caller::Anonymous { remove_token: false }),
        Err(_) if token_use == TokenUse::Optional => Ok(Caller::Anonymous { remove_token: true }),
        Err(refusal) => Err(refusal),
    }
}

fn allow_preflight(routes: &RouteTable, request: &Request<'_>) -> Result<Permit, Refusal> {
    routes.check_path(request)?;
    Ok(authz::permit_preflight())
}

/// Whether a denial is only tried. The dry run of a row is about what the row asks, that of the
/// document about everything but what no row and no token can mend.
fn is_dry_run(document: &Document, refusal: Refusal, route: Option<&Match<'_, '_>>) -> bool {
    let of_document = document.dry_run.is_some_and(|dry_run| match refusal.kind() {
        Kind::Shape => false,
        Kind::Token => dry_run.includes_tokens,
        Kind::Output | Kind::Requirement | Kind::Table => true,
    });
    let of_row =
        refusal.kind() == Kind::Requirement && route.is_some_and(|route| route.row.dry_run);
    of_document || of_row
}

#[cfg(test)]
mod tests;
