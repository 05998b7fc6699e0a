//! What each provider that may judge a token says of it, check by check.

use jwt_rbac::authn::jws::UntrustedToken;
use jwt_rbac::authn::keys::Keys;
use jwt_rbac::authn::price::Budget;
use jwt_rbac::authn::provider::Provider;
use jwt_rbac::refusal::Refusal;

use super::{list, short_list};
use crate::policy::{Policy, Signatures};
use crate::report::Note;

/// What one provider says of a token.
pub struct Trial<'p> {
    /// The provider.
    pub provider: &'p Provider,
    /// Why it refuses the token.
    pub refusal: Option<Refusal>,
    /// Every check, also those behind the first that fails.
    pub notes: Vec<Note>,
}

/// The trials of a token found at this location, in the order in which the filter makes them.
pub fn all<'p>(
    policy: &'p Policy,
    location: usize,
    token: &UntrustedToken<'_>,
    now: u64,
) -> Vec<Trial<'p>> {
    let authenticator = &policy.document.authenticator;
    let mut budget = Budget::default();
    let candidates = authenticator.candidates(location, token.claims.issuer());
    let providers = candidates.filter_map(|number| authenticator.providers().get(number));
    providers.map(|provider| trial(policy, provider, token, now, &mut budget)).collect()
}

fn trial<'p>(
    policy: &Policy,
    provider: &'p Provider,
    token: &UntrustedToken<'_>,
    now: u64,
    budget: &mut Budget,
) -> Trial<'p> {
    let claims = &token.claims;
    let padding = token.padding.filter(|_| !provider.padded_tokens);
    let header = provider.check_header(&token.header);
    let signature = header.and_then(|()| match provider.keys.inline() {
        Some(keys) => keys.verify(token, provider.issuer_of_keys(claims), budget),
        None => Err(Refusal::KeysUnavailable),
    });
    // In the order of `Authenticator::check`: the first that fails decides.
    let checks = [
        (padding.map_or(Ok(()), Err), padding.map(|_| "encoding: padded".to_owned())),
        (provider.check_time(claims.validity, now), Some(time(token, now))),
        (provider.check_audience(claims), Some(audience(token, provider))),
        (provider.check_lifetime(claims.validity, now), lifetime(token, provider)),
        (
            provider.check_required_claims(claims).map_err(|failure| failure.refusal),
            required(token, provider),
        ),
        (policy.document.authenticator.check_revocation(claims), Some("not revoked".to_owned())),
        (header, Some(kind(token))),
        (signature, header.is_ok().then(|| key(policy, token, provider, signature))),
    ];
    let refusal = checks.iter().find_map(|(result, _)| result.err());
    let accepted = format!("issuer: {}, provider `{}`", issuer(token), provider.name);
    let mut notes = vec![Note::check(true, accepted)];
    for (result, text) in checks {
        match (result, text) {
            (Ok(()), Some(text)) => notes.push(Note::check(true, text)),
            (_, None) => {}
            (Err(refusal), Some(text)) => {
                notes.push(Note::check(false, format!("{text}: {}", refusal.meaning())));
            }
        }
    }
    Trial { provider, refusal, notes }
}

/// The issuer of a token in words.
pub fn issuer(token: &UntrustedToken<'_>) -> String {
    token.claims.issuer().map_or_else(|| "no `iss`".to_owned(), |issuer| format!("`{issuer}`"))
}

fn time(token: &UntrustedToken<'_>, now: u64) -> String {
    let away = |time: u64| match (time.checked_sub(now), now.saturating_sub(time)) {
        (Some(left), _) => format!("in {}", duration(left)),
        (None, past) => format!("{} ago", duration(past)),
    };
    let validity = token.claims.validity;
    let parts = [
        validity.not_before.map(|time| format!("`nbf` {}", away(time))),
        validity.expires_at.map(|time| format!("`exp` {}", away(time))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "time: no `exp`".to_owned()
    } else {
        format!("time: {}", parts.join(", "))
    }
}

fn duration(seconds: u64) -> String {
    // The largest two units tell enough.
    let text = humantime::format_duration(std::time::Duration::from_secs(seconds)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn audience(token: &UntrustedToken<'_>, provider: &Provider) -> String {
    let found: Vec<_> = token.claims.audiences().collect();
    match &provider.audiences {
        None => "audience: any".to_owned(),
        Some(allowed) => {
            let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
            format!("audience: {}, of {}", list(&found), list(&allowed))
        }
    }
}

fn lifetime(token: &UntrustedToken<'_>, provider: &Provider) -> Option<String> {
    if let Some(most) = provider.max_lifetime {
        return Some(format!("lifetime: at most {}", duration(most)));
    }
    let is_endless = token.claims.validity.expires_at.is_none();
    is_endless.then(|| "lifetime".to_owned())
}

fn required(token: &UntrustedToken<'_>, provider: &Provider) -> Option<String> {
    if provider.required_claims.is_empty() {
        return None;
    }
    let failure = provider.check_required_claims(&token.claims).err();
    if let Some(claim) = failure.and_then(|failure| failure.claim) {
        return Some(format!("required claim `{claim}`"));
    }
    let names = provider.required_claims.iter().map(|(claim, _)| claim.to_string());
    Some(format!("required claims: {}", list(&names.collect::<Vec<_>>())))
}

fn kind(token: &UntrustedToken<'_>) -> String {
    let algorithm = token.header.algorithm.name();
    match token.header.token_type.as_deref() {
        Some(kind) => format!("header: algorithm {algorithm}, type `{kind}`"),
        None => format!("header: algorithm {algorithm}, no type"),
    }
}

fn key(
    policy: &Policy,
    token: &UntrustedToken<'_>,
    provider: &Provider,
    signature: Result<(), Refusal>,
) -> String {
    let id = token.header.key_id.as_deref();
    let id = id.map_or_else(|| "no `kid`".to_owned(), |id| format!("`kid` `{id}`"));
    if signature == Err(Refusal::KeyUnknown) {
        let keys = provider.keys.inline().into_iter().flat_map(Keys::names);
        let keys = keys.map(|(id, algorithm)| match id {
            Some(id) => format!("{id} ({})", algorithm.name()),
            None => format!("no kid ({})", algorithm.name()),
        });
        let keys: Vec<_> = keys.collect();
        return format!("key: {id}; the key set has {}", short_list(&keys));
    }
    match policy.signatures {
        Signatures::Assumed => "signature: taken as good, nothing was checked".to_owned(),
        Signatures::Checked => format!("signature: key with {id}"),
    }
}
