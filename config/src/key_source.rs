//! Where the keys of a provider come from: `jwks`, `jwksUri`, or what its issuer says.

use std::ops::RangeInclusive;

use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
use super::schema::{JwtRule, KeySet};
use super::shape::value::Duration;
use super::{checks, key_set};
use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::http_url::HttpUrl;
use jwt_rbac::authn::key_source::{Address, Endpoint, FetchedFrom, KeySource, Timing};
use jwt_rbac::authn::keys::Keys;
use jwt_rbac::authn::signature::SignatureVerifier;

/// How often keys are fetched where the document does not say, in seconds; as istiod
/// (`PILOT_JWT_PUB_KEY_REFRESH_INTERVAL`).
const DEFAULT_INTERVAL: u64 = 20 * 60;
/// How often keys can be fetched, in seconds.
const INTERVALS: RangeInclusive<u64> = 5..=24 * 60 * 60;
/// How long a fetch may take where the document does not say, in seconds; as Istio.
const DEFAULT_TIMEOUT: u64 = 5;
/// How long a fetch may take, in seconds. Requests wait for the first one.
const TIMEOUTS: RangeInclusive<u64> = 1..=60;
/// How long keys can be used that can't be fetched anew, in seconds: a year is for ever.
const STALE: RangeInclusive<u64> = 0..=366 * 24 * 60 * 60;

/// The keys of a provider that lists these algorithms, or none. `jwks` is that of the rule.
#[inline(never)]
pub fn compile(
    place: &Place,
    jwks: Option<KeySet>,
    rule: &JwtRule,
    allowed: Option<&[Algorithm]>,
    verifier: &mut dyn SignatureVerifier,
    problems: &mut Problems,
) -> Option<KeySource> {
    let errors_before = problems.errors.len();
    let is_inline = jwks.is_some();
    let inline = jwks.and_then(|KeySet(jwks)| {
        let keys = key_set::compile(&place.field("jwks"), jwks, allowed, problems)?;
        Some(Keys::prepare(&keys, verifier))
    });
    if is_inline && rule.jwks_uri.is_none() {
        refuse_options(place, rule, problems);
        return inline.map(KeySource::Inline);
    }
    let timing = timing(place, rule, problems);
    let cluster = rule.jwks_cluster.clone();
    if cluster.as_deref() == Some("") {
        problems.error(place.field("jwksCluster"), Fault::EmptyText);
    }
    refuse_secrets(place, allowed, problems);
    let address = match &rule.jwks_uri {
        Some(uri) => key_set_address(place, uri, rule.allow_insecure_jwks, problems),
        None if rule.tenants.is_some() => {
            let expected = "`jwks` or `jwksUri`: the tenants have one key set";
            problems.error(place.clone(), Fault::expected(expected));
            None
        }
        None => issuer_address(place, rule.issuer.as_deref(), problems),
    }?;
    if problems.errors.len() > errors_before {
        return None;
    }
    let endpoint = Endpoint { address, cluster, allows_insecure: rule.allow_insecure_jwks };
    Some(KeySource::Fetched { from: FetchedFrom { endpoint, timing }, until_fetched: inline })
}

fn key_set_address(
    place: &Place,
    uri: &str,
    allows_insecure: bool,
    problems: &mut Problems,
) -> Option<Address> {
    let place = place.field("jwksUri");
    let url = HttpUrl::parse(uri).map_err(|error| Fault::Url { found: uri.to_owned(), error });
    let url = problems.check(&place, url)?;
    if !url.is_secure() && !allows_insecure {
        let why = "expected `https://`: over `http://` anybody in between can replace the keys; \
                   `allowInsecureJwks: true` allows it inside a mesh";
        problems.error(place, Fault::unsuitable(uri, why));
        return None;
    }
    Some(Address::KeySet(url))
}

/// Without `jwks` and `jwksUri` the issuer says where its keys are, as in Istio.
fn issuer_address(place: &Place, issuer: Option<&str>, problems: &mut Problems) -> Option<Address> {
    const EXPECTED: &str = "`jwks`, `jwksUri`, or an `issuer` that is an `https://` URL and serves \
                            `/.well-known/openid-configuration`";
    let address = issuer.and_then(|issuer| Address::of_issuer(issuer).ok());
    match address {
        Some(Address::Issuer { document, .. }) if !document.is_secure() => {
            problems.error(place.clone(), Fault::expected(EXPECTED));
            None
        }
        Some(address) => Some(address),
        None => {
            problems.error(place.clone(), Fault::expected(EXPECTED));
            None
        }
    }
}

fn timing(place: &Place, rule: &JwtRule, problems: &mut Problems) -> Timing {
    let mut milliseconds = |name, text: Option<&Duration>, bounds, expected| {
        let bounded = |text| checks::bounded_duration(text, bounds, expected);
        let seconds =
            text.and_then(|Duration(text)| problems.check(&place.field(name), bounded(text)));
        seconds.map(|seconds: u64| seconds.saturating_mul(1_000))
    };
    let interval = milliseconds(
        "jwksRefreshInterval",
        rule.jwks_refresh_interval.as_ref(),
        INTERVALS,
        "`5s` to `24h`",
    );
    let timeout = milliseconds("timeout", rule.timeout.as_ref(), TIMEOUTS, "`1s` to `60s`");
    let stale = rule.jwks_stale_if_error.as_ref();
    let stale_if_error =
        milliseconds("jwksStaleIfError", stale, STALE, "`0s` to `8784h`, or nothing for no limit");
    Timing {
        interval: interval.unwrap_or(DEFAULT_INTERVAL * 1_000),
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT * 1_000),
        stale_if_error,
    }
}

/// What only has a meaning where keys are fetched.
fn refuse_options(place: &Place, rule: &JwtRule, problems: &mut Problems) {
    for (name, is_set) in [
        ("jwksCluster", rule.jwks_cluster.is_some()),
        ("jwksRefreshInterval", rule.jwks_refresh_interval.is_some()),
        ("jwksStaleIfError", rule.jwks_stale_if_error.is_some()),
        ("timeout", rule.timeout.is_some()),
        ("allowInsecureJwks", rule.allow_insecure_jwks),
    ] {
        if is_set {
            let why = ", where it has no meaning: keys in `jwks` are not fetched";
            problems.error(place.field(name), Fault::Useless { without: "jwksUri", why });
        }
    }
}

/// A secret that everybody can fetch is none.
fn refuse_secrets(place: &Place, allowed: Option<&[Algorithm]>, problems: &mut Problems) {
    let is_secret = |algorithm: &&Algorithm| algorithm.is_hmac();
    if let Some(found) = allowed.into_iter().flatten().find(is_secret) {
        let found = Found::Text(found.to_string());
        let expected =
            "algorithms with public keys: secrets are not fetched, only read from `jwks`";
        problems.error(place.field("algorithms"), Fault::found(found, expected));
    }
}
