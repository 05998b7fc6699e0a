//! Whose tokens a provider accepts.

use std::sync::Arc;

use crate::in_order::each_once;

/// The `iss` of a provider's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuers {
    /// Any that no other provider names.
    Any,
    /// Exactly this one.
    One(Arc<str>),
    /// One for each tenant of an issuer that has many and one key set for all.
    Tenants(Tenants),
}

/// The issuers of the tenants, in order, so that one is found among thousands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenants(Box<[Arc<str>]>);

impl FromIterator<String> for Tenants {
    fn from_iter<I: IntoIterator<Item = String>>(issuers: I) -> Self {
        let issuers: Vec<_> = issuers.into_iter().collect();
        let issuers = each_once(issuers.iter().map(String::as_str));
        Self(issuers.into_iter().map(Arc::from).collect())
    }
}

impl Issuers {
    /// The issuers by name; none where any is accepted.
    #[must_use]
    pub fn named(&self) -> &[Arc<str>] {
        match self {
            Self::Any => &[],
            Self::One(issuer) => std::slice::from_ref(issuer),
            Self::Tenants(Tenants(issuers)) => issuers,
        }
    }

    /// The issuer of this name; `None` where it is not named.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<str>> {
        match self {
            Self::Any => None,
            Self::One(issuer) => (**issuer == *name).then_some(issuer),
            Self::Tenants(Tenants(issuers)) => {
                let found = issuers.binary_search_by(|issuer| (**issuer).cmp(name));
                issuers.get(found.ok()?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_found_by_its_whole_name() {
        let tenants = ["https://b/", "https://c/", "https://a/", "https://b/"];
        let issuers = Issuers::Tenants(tenants.into_iter().map(str::to_owned).collect());
        assert_eq!(issuers.named().len(), 3);
        for tenant in tenants {
            assert_eq!(issuers.find(tenant).map(|found| &**found), Some(tenant));
        }
        for other in ["", "https://", "https://a", "https://A/", "https://a/x", "https://{tenant}/"]
        {
            assert_eq!(issuers.find(other), None, "{other}");
        }
        assert_eq!(Issuers::Any.find("https://a/"), None);
    }
}
