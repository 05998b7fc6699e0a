//! The fetches of one endpoint by one worker: which call comes next, and what an answer means.
//!
//! It makes no call itself: the host asks when something is due, makes the call that [`Fetch::start`]
//! returns, and hands the answer back. Times are those of [`super::refresh`].

use std::fmt;

use serde_json::Value;

use super::fetched_keys::Fetched;
use super::http_url::{HttpUrl, HttpUrlError};
use super::key_set::{FetchedKeySet, KeySetError, LIMITS, MAX_SIZE};
use super::key_source::{Address, Endpoint, Timing};
use super::refresh::Refresh;
use crate::json::{self, JsonError};

/// The keys of one endpoint, as far as one worker has fetched them.
#[derive(Debug)]
pub struct Fetch {
    endpoint: Endpoint,
    refresh: Refresh,
    /// Where the issuer said that its keys are.
    discovered: Option<HttpUrl>,
    key_set: Option<FetchedKeySet>,
    /// How many different key sets there were.
    generation: u32,
}

/// A call that is to be made: a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The name of Envoy's cluster.
    pub cluster: String,
    /// What is asked for.
    pub url: HttpUrl,
    /// How long it may take, in milliseconds.
    pub timeout: u64,
}

/// The answer to a call.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// `cache-control`
    pub cache_control: Option<&'a [u8]>,
    /// The body, of at most [`MAX_SIZE`].
    pub body: &'a [u8],
}

/// What came of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The issuer has said where its keys are: another call.
    Discovered(Call),
    /// The key set is another one than before.
    NewKeys,
    /// The key set is that of before.
    SameKeys,
}

/// Why a fetch has brought no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// Envoy has no such cluster.
    Cluster(String),
    /// There was no answer.
    Unreachable,
    /// The status is not 200; redirects are not followed.
    Status(u16),
    /// The answer is larger than [`MAX_SIZE`].
    Size(usize),
    /// The discovery document can't be used.
    Discovery(DiscoveryError),
    /// The key set can't be used.
    KeySet(KeySetError),
}

/// Why a discovery document can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoveryError {
    /// It is not JSON.
    Json(JsonError),
    /// It is that of another issuer (OIDC Discovery 1.0 §4.3).
    Issuer,
    /// It has no `jwks_uri`.
    KeySetUri,
    /// Its `jwks_uri` is no URL that keys are fetched from.
    Url(HttpUrlError),
    /// Its `jwks_uri` is `http:`.
    Insecure,
}

impl FetchFailure {
    /// The words of [`Self::cause`].
    pub const CAUSES: &[&str] =
        &["cluster", "unreachable", "status", "size", "discovery", "body", "keys"];

    /// One word for it, for metrics.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Cluster(_) => "cluster",
            // What Envoy answers where it has no connection, or no answer in time.
            Self::Unreachable | Self::Status(503 | 504) => "unreachable",
            Self::Status(_) => "status",
            Self::Size(_) => "size",
            Self::Discovery(_) => "discovery",
            Self::KeySet(KeySetError::Json(_) | KeySetError::Form) => "body",
            Self::KeySet(KeySetError::TooMany(_) | KeySetError::NoneUsable(_)) => "keys",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Cluster(_) => {
                "apply a ServiceEntry (and for https a DestinationRule with `tls`) for the host, or name \
                 the cluster in jwksCluster"
            }
            Self::Unreachable | Self::Status(_) => {
                "ask for the URL from the pod of the proxy; look at the ServiceEntry, the \
                 DestinationRule and the egress rules"
            }
            Self::Size(_) | Self::KeySet(_) => {
                "write the URL that serves the issuer's key set, the `jwks_uri` of its discovery \
                 document"
            }
            Self::Discovery(_) => "write the key set's URL in jwksUri",
        }
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(name) => write!(f, "Envoy has no cluster `{name}`"),
            Self::Unreachable => f.write_str("no answer"),
            Self::Status(status @ (503 | 504)) => {
                write!(f, "status {status}, which is also Envoy's for no connection and no answer")
            }
            Self::Status(status @ 300..400) => {
                write!(f, "status {status}, and redirects are not followed")
            }
            Self::Status(status) => write!(f, "status {status}, expected 200"),
            Self::Size(size) => write!(f, "{size} bytes, expected at most {MAX_SIZE}"),
            Self::Discovery(error) => error.fmt(f),
            Self::KeySet(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "expected a discovery document: {error}"),
            Self::Issuer => f.write_str("the discovery document is that of another `issuer`"),
            Self::KeySetUri => f.write_str("the discovery document has no `jwks_uri`"),
            Self::Url(error) => write!(f, "the `jwks_uri` of the discovery document: {error}"),
            Self::Insecure => f.write_str(
                "the `jwks_uri` of the discovery document is `http:`, which needs \
                 `allowInsecureJwks: true`",
            ),
        }
    }
}

impl std::error::Error for FetchFailure {}
impl std::error::Error for DiscoveryError {}

impl Fetch {
    /// Nothing is fetched yet, and the first fetch is due now.
    #[must_use]
    pub fn new(endpoint: Endpoint, now: u64) -> Self {
        let refresh = Refresh::new(now);
        Self { endpoint, refresh, discovered: None, key_set: None, generation: 0 }
    }

    /// What is fetched.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// When.
    #[must_use]
    pub fn refresh(&self) -> &Refresh {
        &self.refresh
    }

    /// When, to be told of requests.
    pub fn refresh_mut(&mut self) -> &mut Refresh {
        &mut self.refresh
    }

    /// What it has come to.
    #[must_use]
    pub fn fetched(&self, timing: Timing, now: u64) -> Fetched<'_> {
        Fetched {
            availability: self.refresh.availability(timing, now),
            key_set: self.key_set.as_ref(),
            generation: self.generation,
        }
    }

    /// Starts a fetch.
    pub fn start(&mut self, timing: Timing, now: u64) -> Call {
        self.refresh.start(now);
        let url = match (&self.endpoint.address, &self.discovered) {
            (Address::KeySet(url), _) | (_, Some(url)) => url,
            (Address::Issuer { document, .. }, None) => document,
        };
        let cluster = self.endpoint.cluster.clone().unwrap_or_else(|| url.istio_cluster());
        Call { cluster, url: url.clone(), timeout: timing.timeout }
    }

    /// A call has ended.
    ///
    /// # Errors
    /// Why there are no new keys. Those of before stay.
    pub fn end(
        &mut self,
        answer: Result<Answer<'_>, FetchFailure>,
        timing: Timing,
        now: u64,
        random: u64,
    ) -> Result<Outcome, FetchFailure> {
        let outcome = answer.and_then(|answer| self.read(answer, timing, now, random));
        if outcome.is_err() {
            // The issuer may have moved its keys.
            self.discovered = None;
            self.refresh.fail(timing, now, random);
        }
        outcome
    }

    fn read(
        &mut self,
        answer: Answer<'_>,
        timing: Timing,
        now: u64,
        random: u64,
    ) -> Result<Outcome, FetchFailure> {
        if answer.status != 200 {
            return Err(FetchFailure::Status(answer.status));
        }
        if let (Address::Issuer { issuer, .. }, None) = (&self.endpoint.address, &self.discovered) {
            let found = key_set_uri(answer.body, issuer, self.endpoint.allows_insecure);
            self.discovered = Some(found.map_err(FetchFailure::Discovery)?);
            return Ok(Outcome::Discovered(self.start(timing, now)));
        }
        let key_set = FetchedKeySet::parse(answer.body).map_err(FetchFailure::KeySet)?;
        self.refresh.succeed(timing, now, answer.cache_control.and_then(max_age), random);
        if self.key_set.as_ref() == Some(&key_set) {
            return Ok(Outcome::SameKeys);
        }
        self.key_set = Some(key_set);
        self.generation = self.generation.saturating_add(1);
        Ok(Outcome::NewKeys)
    }
}

/// Where an issuer says that its keys are (OIDC Discovery 1.0 §4.3).
fn key_set_uri(
    text: &[u8],
    issuer: &str,
    allows_insecure: bool,
) -> Result<HttpUrl, DiscoveryError> {
    let document = json::parse(text, LIMITS).map(Value::from).map_err(DiscoveryError::Json)?;
    if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(DiscoveryError::Issuer);
    }
    let uri = document.get("jwks_uri").and_then(Value::as_str).ok_or(DiscoveryError::KeySetUri)?;
    let url = HttpUrl::parse(uri).map_err(DiscoveryError::Url)?;
    if url.is_secure() || allows_insecure { Ok(url) } else { Err(DiscoveryError::Insecure) }
}

/// How long caches may keep an answer, in milliseconds (RFC 9111 §5.2.2.1).
fn max_age(cache_control: &[u8]) -> Option<u64> {
    let seconds = cache_control.split(|&byte| byte == b',').find_map(|directive| {
        let directive = std::str::from_utf8(directive).ok()?.trim();
        let (name, value) = directive.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse::<u64>().ok())
    })??;
    Some(seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests;
