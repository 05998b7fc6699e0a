//! The claims of a minted token. `--claim` wins over the options for single claims, these over the
//! file of `--claims`, and all of them over the computed times.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::Error;
use jwt_rbac_config::duration::parse_seconds;

/// The options that make claims.
#[derive(clap::Args)]
pub struct ClaimOptions {
    /// JSON object with claims; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// One claim; a value that is JSON counts as JSON (`level="7"` is a string); repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_claim)]
    claim: Vec<(String, Value)>,
    /// The claim `iss`
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// The claim `aud`; repeatable: several make a list
    #[arg(long, value_name = "TEXT")]
    audience: Vec<String>,
    /// The claim `sub`
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// An element of the claim `permissions`; repeatable
    #[arg(long, value_name = "TEXT")]
    permission: Vec<String>,
    /// Time until the token expires, such as 90s or 1h30m; -5m makes one that expired five minutes
    /// ago. `exp` and `iat` that are given as claims are kept
    #[arg(long, value_name = "DURATION", default_value = "1h", allow_hyphen_values = true, value_parser = parse_seconds)]
    lifetime: i64,
    /// Leave `exp` out
    #[arg(long, conflicts_with = "lifetime")]
    no_expiration: bool,
}

impl ClaimOptions {
    /// The claims of a token that is minted at `now` (seconds since 1970).
    ///
    /// # Errors
    ///
    /// When the file of `--claims` can't be used, or `exp` is given beside `--no-expiration`.
    pub fn claims(&self, now: i64) -> Result<Map<String, Value>, Error> {
        let mut claims = match &self.claims {
            Some(path) => parse_object(path, &read(path)?)?,
            None => Map::new(),
        };
        self.add_named(&mut claims);
        claims.extend(self.claim.iter().cloned());
        self.add_times(&mut claims, now)?;
        Ok(claims)
    }

    fn add_named(&self, claims: &mut Map<String, Value>) {
        let mut add = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        if let Some(issuer) = &self.issuer {
            add("iss", Value::from(issuer.as_str()));
        }
        match self.audience.as_slice() {
            [] => {}
            [one] => _ = add("aud", Value::from(one.as_str())),
            several => _ = add("aud", Value::from(several)),
        }
        if let Some(subject) = &self.subject {
            add("sub", Value::from(subject.as_str()));
        }
        if !self.permission.is_empty() {
            add("permissions", Value::from(self.permission.as_slice()));
        }
    }

    fn add_times(&self, claims: &mut Map<String, Value>, now: i64) -> Result<(), Error> {
        if self.no_expiration && claims.contains_key("exp") {
            return Err(Error::ExpirationTwice);
        }
        if !self.no_expiration {
            claims.entry("exp").or_insert_with(|| Value::from(now.saturating_add(self.lifetime)));
        }
        // A verifier could refuse a token that expires before it was issued, for that reason.
        let issued = match claims.get("exp").and_then(Value::as_i64) {
            Some(exp) if exp <= now => exp.saturating_sub(3600),
            _ => now,
        };
        claims.entry("iat").or_insert_with(|| Value::from(issued));
        Ok(())
    }
}

fn parse_claim(text: &str) -> Result<(String, Value), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            Ok((name.to_owned(), value))
        }
        _ => Err("expected NAME=VALUE, such as `sub=user` or `groups=[\"a\", \"b\"]`"),
    }
}

fn read(path: &Path) -> Result<String, Error> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn parse_object(path: &Path, text: &str) -> Result<Map<String, Value>, Error> {
    let wrong_type = |found| Err(Error::ClaimsType { path: path.to_owned(), found });
    match serde_json::from_str(text) {
        Ok(Value::Object(claims)) => Ok(claims),
        Ok(Value::Array(_)) => wrong_type("a list"),
        Ok(Value::String(_)) => wrong_type("a string"),
        Ok(Value::Number(_)) => wrong_type("a number"),
        Ok(Value::Bool(_)) => wrong_type("a boolean"),
        Ok(Value::Null) => wrong_type("null"),
        Err(source) => Err(Error::ClaimsSyntax { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: ClaimOptions,
    }

    fn claims(arguments: &[&str]) -> Value {
        let line = Line::try_parse_from([&["token"], arguments].concat()).unwrap();
        Value::Object(line.options.claims(NOW).unwrap())
    }

    #[test]
    fn a_token_lives_an_hour_unless_told_otherwise() {
        let cases: [(&[&str], Value); 6] = [
            (&[], json!({"iat": NOW, "exp": NOW + 3600})),
            (&["--lifetime", "1m30s"], json!({"iat": NOW, "exp": NOW + 90})),
            (&["--lifetime", "-5m"], json!({"iat": NOW - 3900, "exp": NOW - 300})),
            (&["--lifetime=-5m"], json!({"iat": NOW - 3900, "exp": NOW - 300})),
            (&["--lifetime", "0s"], json!({"iat": NOW - 3600, "exp": NOW})),
            (&["--no-expiration"], json!({"iat": NOW})),
        ];
        for (arguments, expected) in cases {
            assert_eq!(claims(arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn times_given_as_claims_win() {
        let cases: [(&[&str], Value); 4] = [
            (&["--claim", "exp=5000"], json!({"iat": 1400, "exp": 5000})),
            (&["--claim", "iat=7"], json!({"iat": 7, "exp": NOW + 3600})),
            (&["--claim", "exp=1", "--claim", "iat=2"], json!({"iat": 2, "exp": 1})),
            (&["--claim", "exp=soon"], json!({"iat": NOW, "exp": "soon"})),
        ];
        for (arguments, expected) in cases {
            assert_eq!(claims(arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn options_with_a_name_make_their_claims() {
        let once = ["--issuer", "i", "--audience", "a", "--subject", "s", "--permission", "p"];
        let expected = json!({
            "iss": "i", "aud": "a", "sub": "s", "permissions": ["p"], "iat": NOW, "exp": NOW + 3600,
        });
        assert_eq!(claims(&once), expected);
        let twice = claims(&[
            "--audience",
            "a",
            "--audience",
            "b",
            "--permission",
            "p",
            "--permission",
            "q",
        ]);
        assert_eq!(twice["aud"], json!(["a", "b"]));
        assert_eq!(twice["permissions"], json!(["p", "q"]));
    }

    #[test]
    fn values_are_json_where_they_parse() {
        let cases = [
            ("c=7", json!(7)),
            ("c=007", json!("007")),
            ("c=\"7\"", json!("7")),
            ("c=true", json!(true)),
            ("c=null", json!(null)),
            ("c=", json!("")),
            ("c=a=b", json!("a=b")),
            ("c=[1, \"a\"]", json!([1, "a"])),
            ("c={\"d\": {}}", json!({"d": {}})),
        ];
        for (text, expected) in cases {
            assert_eq!(claims(&["--claim", text])["c"], expected, "{text}");
        }
    }

    #[test]
    fn a_claim_wins_over_an_option_and_the_last_one_over_the_first() {
        let claims = claims(&["--claim", "sub=a", "--claim", "sub=b", "--subject", "c"]);
        assert_eq!(claims["sub"], json!("b"));
    }
}
