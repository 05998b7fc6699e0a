//! Who sends the requests that are asked about.

use std::fs;
use std::io;

use jwt_rbac_explain::ask::Caller;
use serde_json::{Map, Value};

use crate::error::Error;

/// The options that say who sends a request.
#[derive(clap::Args)]
pub struct CallerOptions {
    /// The token of the request; `@FILE` reads a file, `-` standard input
    #[arg(long, value_name = "TOKEN", conflicts_with = "claims")]
    token: Option<String>,
    /// The claims of the caller, in place of a token: a JSON object, or `@FILE`
    #[arg(long, value_name = "CLAIMS")]
    claims: Option<String>,
}

impl CallerOptions {
    /// The caller.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or the claims are no object.
    pub fn caller(&self) -> Result<Caller, Error> {
        match (&self.token, &self.claims) {
            (Some(token), _) => Ok(Caller::Token(read_token(token)?)),
            (None, Some(claims)) => parse_claims(claims).map(Caller::Claims).map_err(Error::Usage),
            (None, None) => Ok(Caller::Anonymous),
        }
    }
}

/// A token as it is given: itself, `@FILE`, or `-`. A scheme in front of it is left out.
///
/// # Errors
///
/// When a file can't be read.
pub fn read_token(text: &str) -> Result<String, Error> {
    let text = match text.strip_prefix('@') {
        Some(path) => {
            fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?
        }
        None if text == "-" => io::read_to_string(io::stdin())
            .map_err(|source| Error::Read { path: "-".into(), source })?,
        None => text.to_owned(),
    };
    let text = text.trim();
    let is_scheme = |start: &str| start.eq_ignore_ascii_case("bearer ");
    let token = text.split_at_checked(7).filter(|(start, _)| is_scheme(start));
    Ok(token.map_or(text, |(_, token)| token.trim_start()).to_owned())
}

/// `NAME=CLAIMS` or `NAME=@FILE`.
pub fn parse_named(text: &str) -> Result<(String, Caller), String> {
    match text.split_once('=') {
        Some((name, claims)) if !name.is_empty() => {
            Ok((name.to_owned(), Caller::Claims(parse_claims(claims)?)))
        }
        _ => Err("expected NAME=CLAIMS, such as `clerk={\"roles\": [\"clerk\"]}`".to_owned()),
    }
}

fn parse_claims(text: &str) -> Result<Map<String, Value>, String> {
    let text = match text.strip_prefix('@') {
        Some(path) => {
            fs::read_to_string(path).map_err(|error| format!("`{path}` cannot be read: {error}"))?
        }
        None => text.to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(claims)) => Ok(claims),
        Ok(_) => Err("expected claims as a JSON object, such as {\"sub\": \"user\"}".to_owned()),
        Err(error) => Err(format!("the claims are not JSON: {error}")),
    }
}
