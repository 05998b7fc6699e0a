//! The decision about one request: shape, route, token, authorization, in this order.

use crate::authz::routes::RouteTable;
use crate::authz::{self, Permit};
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
        Self {
            refusal,
            rule: None,
        }
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
    let is_preflight = request.is_preflight();
    let route = match &document.routes {
        None => None,
        Some(_) if request.method == b"CONNECT" => return Err(Refusal::ConnectRefused.into()),
        Some(routes) if is_preflight && document.cors_preflight == CorsPreflight::Allow => {
            return Ok(allow_preflight(routes, request)?);
        }
        Some(routes) => routes.find(request)?,
    };
    // The token of a preflight is not looked at: browsers send none.
    let identity = if is_preflight {
        None
    } else {
        document.authenticator.authenticate(request, now)?
    };
    authz::authorize(route.as_ref(), identity).map_err(|refusal| Denial {
        refusal,
        rule: route.map(|route| route.row.name.as_str()),
    })
}

fn allow_preflight(routes: &RouteTable, request: &Request<'_>) -> Result<Permit, Refusal> {
    routes.check_path(request)?;
    Ok(authz::permit_preflight())
}

#[cfg(test)]
mod tests;
