//! The decision about one request: shape, route, token, authorization, in this order.

use crate::authz::routes::{Access, Match, RouteTable, TokenUse};
use crate::authz::{self, Caller, Permit};
use crate::document::{CorsPreflight, Document};
use crate::refusal::Refusal;
use crate::request::Request;

/// A request that is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial<'d> {
    /// Why.
    pub refusal: Refusal,
    /// The name of the row that decided, if one did.
    pub rule: Option<&'d str>,
}

impl From<Refusal> for Denial<'_> {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, rule: None }
    }
}

/// Decides about a request. `now` is in seconds since 1970.
///
/// # Errors
/// Why the request is denied. Everything that does not end in a [`Permit`] ends here.
pub fn decide<'d>(
    document: &'d Document,
    request: &Request<'_>,
    now: u64,
) -> Result<Permit, Denial<'d>> {
    let route = match &document.routes {
        None => None,
        Some(_) if request.method == b"CONNECT" => return Err(Refusal::ConnectRefused.into()),
        Some(routes)
            if document.cors_preflight == CorsPreflight::Allow && request.is_preflight() =>
        {
            return Ok(allow_preflight(routes, request)?);
        }
        Some(routes) => routes.find(request)?,
    };
    let denied = |refusal| Denial { refusal, rule: route.as_ref().map(|it| it.row.name.as_str()) };
    // What the table denies whoever asks is denied before the token is looked at.
    if route.as_ref().is_some_and(|route| matches!(route.row.access, Access::Denied)) {
        return Err(denied(Refusal::RouteDenied));
    }
    let caller = caller(document, request, route.as_ref(), now)?;
    authz::authorize(route.as_ref(), caller).map_err(denied)
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
        return Ok(Caller::Anonymous { remove_token: false });
    }
    // A browser sends no token with a preflight, so one that is there is not worth a look.
    if request.is_preflight() {
        return Ok(Caller::Anonymous { remove_token: true });
    }
    match document.authenticator.authenticate(request, now) {
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

#[cfg(test)]
mod tests;
