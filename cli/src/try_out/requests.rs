//! A command to copy for each route, and the token that it sends.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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

/// A signed token, and the file that has it.
struct Minted {
    text: String,
    file: PathBuf,
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
            let mut tokens = Vec::new();
            if let Caller::Claims(claims) = &example.ask.caller {
                let beside = token::beside(&trial.policy, claims);
                for (number, claims) in [claims].into_iter().chain(&beside).enumerate() {
                    let Some(text) = sign(trial, keys, claims, now)? else { continue };
                    let number = if number == 0 { String::new() } else { format!(".{number}") };
                    let name = format!("{}{number}.jwt", file_name(&example.route));
                    let file = folder.join(name);
                    replace(&file, &text)
                        .map_err(|source| Error::Save { path: file.clone(), source })?;
                    tokens.push(Minted { text, file });
                }
            }
            let outcome = outcome(&trial.policy, &sent(trial, &example.ask, &tokens), now);
            let answer = outcome.refusal.filter(|_| outcome.decision == "deny").map(|refusal| {
                format!("{} {}", outcome.status.unwrap_or_default(), refusal.slug())
            });
            let command = command(trial, &example.ask, &tokens, address);
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

/// A request with its tokens in their places.
fn sent(trial: &Trial, ask: &Ask, tokens: &[Minted]) -> Ask {
    let mut ask = ask.clone().by(Caller::Anonymous);
    for token in tokens {
        ask.send(token::place(&trial.policy, &token::payload(&token.text), &token.text));
    }
    ask
}

/// The line for a shell.
fn command(trial: &Trial, ask: &Ask, tokens: &[Minted], address: SocketAddr) -> String {
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
    let mut is_quoted = false;
    for Minted { text: token, file } in tokens {
        // In the place of the token, the shell reads its file.
        let read = |text: &str| quoted(text).replace(token, &format!("$(cat {})", file.display()));
        match token::place(&trial.policy, &token::payload(token), token) {
            Placed::Header(name, value) => {
                let name = if name == "authorization" { "Authorization" } else { &name };
                words.push(format!("-H \"{name}: {}\"", read(&value)));
            }
            Placed::Parameter(parameter) => {
                let separator = if url.contains('?') { '&' } else { '?' };
                url = format!("{url}{separator}{}", read(&parameter));
                is_quoted = true;
            }
        }
    }
    words.push(if is_quoted { format!("\"{url}\"") } else { url });
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
