//! A command to copy for each route, and the token that it sends.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use jwt_rbac::authn::provider::Provider;
use jwt_rbac_explain::ask::{Ask, Caller};
use jwt_rbac_explain::example::examples;
use jwt_rbac_explain::outcome;
use jwt_rbac_explain::token::{self, Placed};
use serde_json::{Map, Value, json};

use super::document::Trial;
use super::keys::Keys;
use crate::error::Error;
use crate::style::padded;

/// How many routes are shown. A document can have thousands, and a signature takes a millisecond.
const MOST: usize = 20;
/// How long a token lives, in seconds, unless its provider wants it to live shorter.
const LIFETIME: u64 = 3600;

/// The commands for the routes of a document, in their order.
pub struct Requests {
    shown: Vec<Request>,
    /// How many more routes there are.
    left_out: usize,
}

/// A command for one route.
struct Request {
    route: String,
    command: String,
    /// What else than an answer of the workload is to be expected.
    answer: Option<String>,
}

impl Requests {
    /// Mints a token for each route, and writes it to a file of this folder.
    ///
    /// # Errors
    ///
    /// When a token can't be signed or written.
    pub fn mint(
        trial: &Trial,
        keys: &Keys,
        folder: &Path,
        address: SocketAddr,
        now: u64,
    ) -> Result<Self, Error> {
        let examples = examples(&trial.unsigned, now);
        let left_out = examples.len().saturating_sub(MOST);
        let shown = examples.into_iter().take(MOST).map(|example| {
            let mut ask = example.ask;
            let mut file = None;
            if let Caller::Claims(claims) = &ask.caller
                && let Some(token) = sign(trial, keys, claims, now)?
            {
                let path = folder.join(format!("{}.jwt", file_name(&example.route)));
                replace(&path, &token)
                    .map_err(|source| Error::Save { path: path.clone(), source })?;
                file = Some(path);
                ask.caller = Caller::Token(token);
            }
            let outcome = outcome(&trial.policy, &ask, now);
            let answer = outcome.refusal.filter(|_| outcome.decision == "deny").map(|refusal| {
                format!("{} {}", outcome.status.unwrap_or_default(), refusal.slug())
            });
            let command = command(trial, &ask, file.as_deref(), address);
            Ok(Request { route: example.route, command, answer })
        });
        Ok(Self { shown: shown.collect::<Result<_, Error>>()?, left_out })
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.shown.iter().map(|request| request.route.chars().count()).max();
        for request in &self.shown {
            let route = padded(&request.route, width.unwrap_or_default());
            write!(f, "\n{route}  {}", request.command)?;
            if let Some(answer) = &request.answer {
                write!(f, "   # {answer}")?;
            }
        }
        match self.left_out {
            0 => Ok(()),
            number => write!(f, "\n… and {number} more routes"),
        }
    }
}

/// A token of these claims, as its provider wants it; `None` without a provider.
fn sign(
    trial: &Trial,
    keys: &Keys,
    claims: &Map<String, Value>,
    now: u64,
) -> Result<Option<String>, Error> {
    let rule = token::rule(&trial.policy, claims);
    let Some(key) = keys.of(rule) else { return Ok(None) };
    let providers = trial.policy.document.authenticator.providers().iter();
    let lifetimes = providers.filter_map(|provider: &Provider| provider.max_lifetime);
    let lifetime = lifetimes.chain([LIFETIME]).min().unwrap_or(LIFETIME);
    let mut claims = claims.clone();
    claims.entry("exp").or_insert_with(|| now.saturating_add(lifetime).into());
    let claims = token::complete(&trial.policy, &claims, now);
    let token_type = rule["tokenTypes"][0].as_str().unwrap_or("JWT");
    let mut header = json!({"typ": token_type, "alg": key.public.algorithm.name()});
    if let Some(kid) = &key.public.kid {
        header["kid"] = kid.as_str().into();
    }
    key.sign(&header, &claims).map(Some).map_err(Error::Key)
}

/// The line for a shell.
fn command(trial: &Trial, ask: &Ask, token_file: Option<&Path>, address: SocketAddr) -> String {
    let mut words = vec!["curl -i".to_owned()];
    match ask.method.as_str() {
        "GET" => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {method}")),
    }
    if let Some(host) = &ask.host {
        words.push(format!("-H 'Host: {host}'"));
    }
    let mut url = format!("http://{address}{}", ask.target);
    if let (Caller::Token(token), Some(file)) = (&ask.caller, token_file) {
        // In the place of the token, the shell reads its file.
        let read = |text: &str| quoted(text).replace(token, &format!("$(cat {})", file.display()));
        match token::place(&trial.policy, &token::payload(token), token) {
            Placed::Header(name, value) => {
                let name = if name == "authorization" { "Authorization" } else { &name };
                words.push(format!("-H \"{name}: {}\"", read(&value)));
            }
            Placed::Parameter(parameter) => url = format!("\"{url}?{}\"", read(&parameter)),
        }
    }
    words.push(url);
    words.join(" ")
}

/// A text between double quotes of a shell.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// The name of a route, or its place, as the name of a file.
fn file_name(route: &str) -> String {
    let kept = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let characters = route.trim_end_matches(']').chars();
    characters.map(|it| if kept(it) { it } else { '-' }).collect()
}

/// Nobody reads half of a token while it is written again.
fn replace(path: &Path, token: &str) -> io::Result<()> {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, token)?;
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_document_is_read_by_the_shell() {
        assert_eq!(quoted("a\"`$(x)\\"), "a\\\"\\`\\$(x)\\\\");
        assert_eq!(file_name("routes[3]"), "routes-3");
        assert_eq!(file_name("../x"), "..-x");
    }
}
