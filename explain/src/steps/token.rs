//! Where the token of a request was found, and what each check says of it.

use jwt_rbac::authn::identity::TokenNumber;
use jwt_rbac::authn::jws::DecodedParts;
use jwt_rbac::authn::locate::{self, Located, Location, Prefix};
use jwt_rbac::authz::routes::{Access, TokenUse};
use jwt_rbac::decision::Decision;
use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac::request::Request;

use super::checks;
use super::permissions;
use super::{plain_notes, short_list};
use crate::policy::Policy;
use crate::report::{Mark, Note, Step};

/// The name of the step.
const NAME: &str = "token";

/// The steps in which the token is found and verified, and its permissions are read.
pub fn steps(
    policy: &Policy,
    request: &Request<'_>,
    decision: &Decision<'_, '_>,
    now: u64,
) -> Vec<Step> {
    let access = decision.route.as_ref().map(|route| &route.route.access);
    let refusal = decision.verdict.refusal();
    if matches!(refusal.map(Refusal::kind), Some(Kind::Shape | Kind::Table)) {
        return vec![Step::skipped(NAME, "not looked at: the request is denied before")];
    }
    if refusal == Some(Refusal::RouteDenied) {
        return vec![Step::skipped(NAME, "not looked at: the route is closed")];
    }
    if matches!(access, Some(Access::Public(TokenUse::Ignore))) {
        return vec![Step::skipped(NAME, "not looked at: the route has `token: IGNORE`")];
    }
    if request.is_preflight() {
        return vec![Step::skipped(NAME, "not looked at: browsers send CORS preflights without")];
    }
    let authenticator = &policy.document.authenticator;
    if authenticator.locations().is_empty() {
        return vec![Step::skipped(NAME, "the document has no `jwtRules`: no token is looked for")];
    }
    let is_public = matches!(access, Some(Access::Public(_)));
    let is_optional = matches!(access, Some(Access::Public(TokenUse::Optional)));
    let mut steps = Vec::new();
    for token in authenticator.tokens() {
        let places: Vec<_> =
            authenticator.locations_of(token).map(|(_, location)| place(location)).collect();
        let places = places.join(" or in ");
        match locate::locate(request, authenticator.locations_of(token)) {
            // Every entry requires a token of its own.
            Ok(None) if places.is_empty() => {}
            Ok(None) if token == TokenNumber::default() || is_public => {
                steps.push(Step::skipped(NAME, format!("none in {places}")));
            }
            Ok(None) => {
                let notes = plain_notes([format!("none in {places}")]);
                steps.push(refused(false, Refusal::TokenMissing.meaning(), notes));
            }
            Ok(Some(located)) => steps.extend(verified(policy, &located, now, is_optional)),
            Err(refusal) => steps.push(refused(is_optional, refusal.meaning(), Vec::new())),
        }
        if steps.iter().any(|step| step.mark == Mark::Failed) {
            break;
        }
    }
    steps
}

/// The same for a token alone, as if it stood where its issuer's are looked for.
pub fn of_token(policy: &Policy, token: &str, now: u64) -> Vec<Step> {
    let authenticator = &policy.document.authenticator;
    let issuer =
        crate::token::payload(token).get("iss").and_then(|it| it.as_str().map(str::to_owned));
    let mut locations = 0..authenticator.locations().len();
    let is_its =
        |location: &usize| authenticator.candidates(*location, issuer.as_deref()).next().is_some();
    let location = locations.find(is_its).unwrap_or_default();
    if authenticator.locations().is_empty() {
        return vec![Step::failed(NAME, "the document has no `jwtRules`: it accepts no token")];
    }
    let located = Located { location, token: token.as_bytes().into() };
    verified(policy, &located, now, false)
}

fn refused(is_optional: bool, text: &str, notes: Vec<Note>) -> Step {
    if is_optional {
        return Step::skipped(NAME, format!("{text}; counts as none (`token: OPTIONAL`)"))
            .with(notes);
    }
    Step::failed(NAME, text).with(notes)
}

fn verified(policy: &Policy, located: &Located<'_>, now: u64, is_optional: bool) -> Vec<Step> {
    let authenticator = &policy.document.authenticator;
    let found_in = authenticator.locations().get(located.location).map_or_else(String::new, place);
    let most = authenticator.options().max_token_size;
    if located.token.len() > most {
        let size = located.token.len();
        let notes =
            plain_notes([format!("{size} bytes, at most {most} are read (`maxTokenSize`)")]);
        return vec![refused(is_optional, Refusal::TokenTooLarge.meaning(), notes)];
    }
    let mut decoded = DecodedParts::default();
    let token = match authenticator.read(located, &mut decoded) {
        Ok(token) => token,
        Err(refusal) => {
            let notes = plain_notes([format!("found in {found_in}")]);
            return vec![refused(is_optional, refusal.meaning(), notes)];
        }
    };
    let trials = checks::all(policy, located.location, &token, now);
    let Some(accepted) = trials.iter().find(|trial| trial.refusal.is_none()) else {
        let text = match trials.last().and_then(|trial| trial.refusal) {
            Some(refusal) => refusal.meaning().to_owned(),
            None => format!("no provider accepts {}", checks::issuer(&token)),
        };
        let mut notes = if trials.is_empty() { unknown_issuer(policy, &token) } else { Vec::new() };
        notes.extend(trials.into_iter().flat_map(|trial| trial.notes));
        return vec![refused(is_optional, &text, notes)];
    };
    let provider = accepted.provider;
    let subject = token.claims.subject().map_or_else(String::new, |sub| format!(" of `{sub}`"));
    let text = format!("the token{subject} in {found_in} is one of `{}`", provider.name);
    let mut notes = Vec::new();
    // What other providers said matters only until one accepts the token.
    for trial in trials {
        let is_accepted = trial.refusal.is_none();
        notes.extend(trial.notes);
        if is_accepted {
            break;
        }
    }
    if authenticator.token_at(located.location) != authenticator.main_token() {
        notes.push(Note::plain("claims and permissions are those of another token"));
        return vec![Step::passed(NAME, text).with(notes)];
    }
    let granted = permissions::step(policy, provider, &token);
    vec![Step::passed(NAME, text).with(notes), granted]
}

fn unknown_issuer(policy: &Policy, token: &jwt_rbac::authn::jws::UntrustedToken<'_>) -> Vec<Note> {
    let providers = policy.document.authenticator.providers();
    let issuers: Vec<&str> =
        providers.iter().flat_map(|it| it.issuers.named()).map(|issuer| &**issuer).collect();
    let mut notes = vec![Note::check(false, format!("issuer: {}", checks::issuer(token)))];
    notes.push(Note::plain(format!("the document accepts {}", short_list(&issuers))));
    let slash = |text: &str| text.trim_end_matches('/').to_owned();
    let issuer = token.claims.issuer();
    if let Some(found) = issuer
        && issuers.iter().any(|known| *known != found && slash(known) == slash(found))
    {
        notes.push(Note::plain(
            "the two differ in a slash at the end, and issuers are compared as they stand",
        ));
    }
    let rules = policy.config["jwtRules"].as_array().into_iter().flatten();
    for template in rules.filter_map(|rule| rule["issuer"].as_str()) {
        let tenant = template
            .split_once("{tenant}")
            .and_then(|(before, after)| issuer?.strip_prefix(before)?.strip_suffix(after));
        if let Some(tenant) = tenant {
            notes.push(Note::plain(format!("`{tenant}` is not in `tenants` of `{template}`")));
        }
    }
    notes
}

/// A location in words.
pub fn place(location: &Location) -> String {
    match location {
        Location::Cookie(name) => format!("the cookie `{name}`"),
        Location::Header(name, Prefix::Scheme(scheme)) => {
            format!("the header `{name}` behind `{scheme}`")
        }
        Location::Header(name, Prefix::Literal(prefix)) if prefix.is_empty() => {
            format!("the header `{name}`")
        }
        Location::Header(name, Prefix::Literal(prefix)) => {
            format!("the header `{name}` behind `{prefix}`")
        }
        Location::Parameter(name) => format!("the parameter `{name}`"),
    }
}
