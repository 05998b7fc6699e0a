//! The decision about one request: shape, route, token, authorization, in this order.

use std::rc::Rc;

use crate::authn::Authenticated;
use crate::authn::identity::Identity;
use crate::authn::rejection::Rejection;
use crate::authz::policies::{Judgement, Policies};
use crate::authz::routes::{Access, Match, TokenUse};
use crate::authz::{self, Caller, Permit};
use crate::denial::{Denial, Detail};
use crate::document::{CorsPreflight, Document};
use crate::refusal::{Kind, Refusal};
use crate::request::Request;
use crate::worker::Worker;

/// What becomes of a request, and who and what it is about as far as that is known.
#[derive(Debug)]
pub struct Decision<'d, 'r> {
    /// What becomes of it.
    pub verdict: Verdict<'d>,
    /// The route that it has.
    pub route: Option<Match<'d, 'r>>,
    /// Who sent it, if its token was verified.
    pub identity: Option<Rc<Identity>>,
    /// The AUDIT policy that matches it.
    pub audit: Option<&'d str>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict<'d> {
    /// It continues.
    Allow(Permit),
    /// It is answered in place of the workload.
    Deny(Denial<'d>),
    /// It continues because of a dry run, and would be denied without.
    WouldDeny(Denial<'d>, Permit),
    /// It is held until the keys of its token's issuer have been fetched, and then decided anew.
    Wait,
}

impl<'d> Verdict<'d> {
    /// The denial that it is or would be.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial<'d>> {
        match self {
            Self::Allow(_) | Self::Wait => None,
            Self::Deny(denial) | Self::WouldDeny(denial, _) => Some(denial),
        }
    }

    /// The refusal of a denial.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.denial().map(|denial| denial.refusal)
    }

    /// The word for it: in the log, in access logs, in the names of counters.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Deny(_) => "deny",
            Self::WouldDeny(..) => "would_deny",
            Self::Wait => "wait",
        }
    }
}

impl<'d, 'r> Decision<'d, 'r> {
    /// A denial about which nothing else is known.
    #[must_use]
    pub fn deny(refusal: Refusal) -> Self {
        let (route, identity, audit) = Default::default();
        Self { verdict: Verdict::Deny(refusal.into()), route, identity, audit }
    }

    fn wait(route: Option<Match<'d, 'r>>) -> Self {
        Self { verdict: Verdict::Wait, route, identity: None, audit: None }
    }

    /// The name of what decided: the policy that denies or would, else the route.
    #[must_use]
    pub fn rule(&self) -> Option<&'d str> {
        match self.verdict.denial() {
            Some(Denial { detail: Detail::Policy(policy), .. }) => return Some(&policy.name),
            Some(denial) if denial.refusal.kind() == Kind::Policy => return None,
            Some(_) | None => {}
        }
        self.route.as_ref().map(|route| route.route.name.as_str())
    }
}

/// Decides about a request. `worker` is one of this document, and `now` is in seconds since 1970.
/// Everything that does not end in a [`Permit`] ends in a denial, or waits for keys to be decided anew.
#[must_use]
pub fn decide<'d, 'r>(
    document: &'d Document,
    worker: &mut Worker,
    request: &Request<'r>,
    now: u64,
) -> Decision<'d, 'r> {
    decide_with(document, worker, request, now, Patience::Waits)
}

/// What a request does whose keys are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It is refused: it has waited long enough, or can't.
    Refuses,
    /// It waits for them.
    Waits,
}

/// The same as [`decide`], where the caller says whether the request can wait for keys.
#[must_use]
pub fn decide_with<'d, 'r>(
    document: &'d Document,
    worker: &mut Worker,
    request: &Request<'r>,
    now: u64,
    patience: Patience,
) -> Decision<'d, 'r> {
    // A dry run that leaves tokens out refuses them also where the table would have denied the request.
    let enforces_tokens = document.dry_run.is_some_and(|dry_run| !dry_run.includes_tokens);
    let route = match find_route(document, request) {
        Ok(route) => route,
        Err(denial) if enforces_tokens && denial.refusal.kind() == Kind::Table => {
            let denial = match caller(document, worker, request, None, now, patience) {
                Err(rejection) if rejection.waits_for_keys => return Decision::wait(None),
                Err(rejection) => rejection.into(),
                Ok(_) => denial,
            };
            return conclude(document, None, None, Err(denial));
        }
        Err(denial) => return conclude(document, None, None, Err(denial)),
    };
    if document.cors_preflight == CorsPreflight::Allow && request.is_preflight() {
        let permit = match route.as_ref().map(|route| &route.route.access) {
            Some(Access::Denied) => Err(Refusal::RouteDenied.into()),
            Some(Access::Public(_) | Access::Required(_)) | None => {
                let policies = document.policies.as_ref();
                let denial = policies.and_then(|policies| policies.judge_preflight(request));
                denial.map_or_else(|| Ok(authz::permit_preflight()), Err)
            }
        };
        return conclude(document, route, None, permit);
    }
    // A closed route is denied before the token is looked at; not where a dry run covers the route but
    // not tokens, because then a refusal of the token still counts.
    let is_closed =
        |it: &Match<'_, '_>| matches!(it.route.access, Access::Denied) && !it.route.dry_run;
    if route.as_ref().is_some_and(is_closed) && !enforces_tokens {
        return conclude(document, route, None, Err(Refusal::RouteDenied.into()));
    }
    let caller = match caller(document, worker, request, route.as_ref(), now, patience) {
        Ok(caller) => caller,
        Err(rejection) if rejection.waits_for_keys => return Decision::wait(route),
        Err(rejection) => return conclude(document, route, None, Err(rejection.into())),
    };
    let identity = match &caller {
        Caller::Identified { identity, .. } => Some(Rc::clone(identity)),
        Caller::Anonymous { .. } | Caller::TokenIgnored => None,
    };
    let policies = document.policies.as_ref();
    let judge = |policies: &'d Policies| policies.judge(request, caller.identity());
    let Judgement { audit, denial } = policies.map(judge).unwrap_or_default();
    let (of_dry_run, denial) = match denial {
        Some(denial) if denial.is_of_dry_policy() => (Some(denial), None),
        denial => (None, denial),
    };
    let permit = authz::authorize(request, route.as_ref(), caller, denial);
    let decision = conclude(document, route, identity, permit);
    let verdict = match (decision.verdict, of_dry_run) {
        // As if the policy were not there, as in Istio: the request keeps its identity.
        (Verdict::Allow(permit), Some(denial)) => Verdict::WouldDeny(denial, permit),
        (verdict, _) => verdict,
    };
    Decision { verdict, audit, ..decision }
}

/// The route of a request; `None` where the document has no table, or lets what no route has pass.
///
/// # Errors
/// Why the table denies the request.
pub fn find_route<'d, 'r>(
    document: &'d Document,
    request: &Request<'r>,
) -> Result<Option<Match<'d, 'r>>, Denial<'d>> {
    let Some(routes) = &document.routes else { return Ok(None) };
    if request.method == b"CONNECT" {
        return Err(Refusal::ConnectRefused.into());
    }
    // Methods are case-sensitive (RFC 9110 §9.1), but many workloads read them in upper case.
    if request.method.iter().any(u8::is_ascii_lowercase) {
        return Err(Refusal::MethodMalformed.into());
    }
    if document.cors_preflight == CorsPreflight::Allow && request.is_preflight() {
        return routes.find_for_preflight(request);
    }
    routes.find(request)
}

/// Who sent the request, as far as its route wants to know.
fn caller(
    document: &Document,
    worker: &mut Worker,
    request: &Request<'_>,
    route: Option<&Match<'_, '_>>,
    now: u64,
    patience: Patience,
) -> Result<Caller, Rejection> {
    let (token_use, is_public) = match route.map(|route| &route.route.access) {
        Some(Access::Public(token_use)) => (*token_use, true),
        Some(Access::Denied | Access::Required(_)) | None => (TokenUse::Strict, false),
    };
    if token_use == TokenUse::Ignore {
        return Ok(Caller::TokenIgnored);
    }
    // Envoy lets preflights pass (`bypass_cors_preflight`, which Istio sets); a token in one is
    // removed too, because nothing verified it.
    if request.is_preflight() {
        return Ok(Caller::Anonymous { remove_token: true });
    }
    let Worker { token_cache, fetched_keys } = worker;
    match document.authenticator.authenticate(token_cache, fetched_keys, request, !is_public, now) {
        Ok(found) if token_use == TokenUse::Optional && found.has_unwritable() => {
            Ok(Caller::Anonymous { remove_token: true })
        }
        Ok(Authenticated { identity: Some(identity), others, .. }) => {
            Ok(Caller::Identified { identity, others })
        }
        // What the other tokens prove names nobody.
        Ok(found) => Ok(Caller::Anonymous { remove_token: !found.others.is_empty() }),
        Err(rejection) if rejection.waits_for_keys && patience == Patience::Waits => Err(rejection),
        Err(_) if token_use == TokenUse::Optional => Ok(Caller::Anonymous { remove_token: true }),
        Err(rejection) => Err(Rejection { waits_for_keys: false, ..rejection }),
    }
}

/// The decision, with what a dry run makes of a denial.
fn conclude<'d, 'r>(
    document: &Document,
    route: Option<Match<'d, 'r>>,
    identity: Option<Rc<Identity>>,
    permit: Result<Permit, Denial<'d>>,
) -> Decision<'d, 'r> {
    let kept = |permit: Permit| match document.dry_run {
        None => permit,
        Some(_) => permit.keeping_token(),
    };
    let verdict = match permit {
        Ok(permit) => Verdict::Allow(kept(permit)),
        Err(denial) if is_dry_run(document, &denial, route.as_ref()) => {
            // The workload receives a token where it would also receive that of an allowed request.
            let is_kept = identity.as_ref().is_none_or(|identity| identity.forward_token);
            Verdict::WouldDeny(denial, kept(authz::permit_dry_run(!is_kept)))
        }
        Err(denial) => Verdict::Deny(denial),
    };
    Decision { verdict, route, identity, audit: None }
}

/// Whether a dry run covers a denial. That of a route covers what the route asks, that of a policy what
/// the policy says, that of the document everything but the shape of the request.
fn is_dry_run(document: &Document, denial: &Denial<'_>, route: Option<&Match<'_, '_>>) -> bool {
    let refusal = denial.refusal;
    let of_document = document.dry_run.is_some_and(|dry_run| match refusal.kind() {
        Kind::Shape => false,
        Kind::Token => dry_run.includes_tokens,
        Kind::Output | Kind::Policy | Kind::Requirement | Kind::Table => true,
    });
    let of_route = refusal.kind() == Kind::Requirement && route.is_some_and(|it| it.route.dry_run);
    of_document || of_route || denial.is_of_dry_policy()
}
