//! Where the keys of a provider come from.

use std::fmt;

use super::http_url::{HttpUrl, HttpUrlError};
use super::keys::Keys;

/// The keys of a provider.
pub enum KeySource {
    /// Those that the document holds.
    Inline(Keys),
    /// Those that each worker fetches.
    Fetched {
        /// Where, and how often.
        from: FetchedFrom,
        /// What the document holds beside: it counts until the first fetch has succeeded.
        until_fetched: Option<Keys>,
    },
}

impl KeySource {
    /// The keys that the document holds.
    #[must_use]
    pub fn inline(&self) -> Option<&Keys> {
        match self {
            Self::Inline(keys) => Some(keys),
            Self::Fetched { until_fetched, .. } => until_fetched.as_ref(),
        }
    }

    /// Where the keys are fetched; `None` where the document holds them.
    #[must_use]
    pub fn fetched_from(&self) -> Option<&FetchedFrom> {
        match self {
            Self::Inline(_) => None,
            Self::Fetched { from, .. } => Some(from),
        }
    }
}

/// Where keys are fetched, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedFrom {
    /// Where.
    pub endpoint: Endpoint,
    /// How often, and for how long.
    pub timing: Timing,
}

/// What is fetched once for all providers and documents of a worker that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the key set is, or where it is said.
    pub address: Address,
    /// The name of Envoy's cluster; `None` for the one that Istio makes for the host.
    pub cluster: Option<String>,
    /// Whether `http:` will do, for a `jwks_uri` that an issuer names too.
    pub allows_insecure: bool,
}

/// Where a key set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Here.
    KeySet(HttpUrl),
    /// Where the discovery document of this issuer says (OIDC Discovery 1.0 §4).
    Issuer {
        /// The issuer, as its tokens have it.
        issuer: String,
        /// Its discovery document.
        document: HttpUrl,
    },
}

impl fmt::Display for Endpoint {
    /// The URL that is asked first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::KeySet(url) | Address::Issuer { document: url, .. } => url.fmt(f),
        }
    }
}

/// How often keys are fetched. All in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The longest time between two fetches.
    pub interval: u64,
    /// How long a fetch may take.
    pub timeout: u64,
    /// How long keys may be used that could not be fetched anew, from their last fetch on; `None` for as
    /// long as it takes (as `stale-if-error` of RFC 5861 §4).
    pub stale_if_error: Option<u64>,
}

impl Timing {
    /// What satisfies both of two documents that name one endpoint.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let stale_if_error = self.stale_if_error.into_iter().chain(other.stale_if_error).min();
        Self {
            interval: self.interval.min(other.interval),
            timeout: self.timeout.max(other.timeout),
            stale_if_error,
        }
    }
}

impl Address {
    /// Where the keys of an issuer are said to be (OIDC Discovery 1.0 §4.1).
    ///
    /// # Errors
    /// If the issuer is no URL.
    pub fn of_issuer(issuer: &str) -> Result<Self, HttpUrlError> {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let document = HttpUrl::parse(&format!("{base}/.well-known/openid-configuration"))?;
        Ok(Self::Issuer { issuer: issuer.to_owned(), document })
    }
}
