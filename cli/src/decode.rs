//! `jwt-rbac decode`: what a token says, and which checks of a document it passes.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_rbac_explain::policy::Signatures;
use jwt_rbac_explain::report::{Mark, Step};
use serde_json::{Value, json};

use crate::caller::read_token;
use crate::document;
use crate::error::Error;
use crate::explain::draw;
use crate::files;
use crate::now::{self, now};
use crate::output::{Color, Output};
use crate::style::Style;
use crate::usage::without_control_characters;

/// Show what a token says, and which checks of a document it passes
#[derive(clap::Args)]
#[command(after_help = "Examples:
  jwt-rbac decode - < token.jwt
  jwt-rbac decode @token.jwt --policy orders.yaml

Without --policy nothing is verified: anybody can have written anything into the token.

Exit status: 0, or 1 for what is no token and, with --policy, for one that is refused.")]
pub struct Options {
    /// The token; `@FILE` reads a file, `-` standard input
    #[arg(value_name = "TOKEN", default_value = "-")]
    token: String,
    /// The document whose checks are made
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The name of the resource, where the file has several
    #[arg(long, value_name = "NAME", requires = "policy")]
    resource: Option<String>,
    /// The key set that stands where the document has `jwksUri`, or the placeholder of the manifests
    #[arg(long, value_name = "FILE", requires = "policy")]
    jwks: Option<PathBuf>,
    /// When the token is judged, such as 2026-01-01T00:00:00Z; default: now
    #[arg(long, value_name = "TIME", value_parser = now::parse_time)]
    at: Option<u64>,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    color: Color,
}

/// Decodes the token.
///
/// # Errors
///
/// When it is none, or the document can't be used.
pub fn run(options: &Options) -> Result<Output, Error> {
    let token = read_token(&options.token)?;
    let [header, payload] = parts(&token)?;
    let now = options.at.map_or_else(now, Ok)?;
    let steps = match &options.policy {
        None => None,
        Some(path) => {
            let file = files::read(path)?;
            let policy = document::compile(
                &file,
                options.resource.as_deref(),
                Signatures::Checked,
                options.jwks.as_deref(),
            )?;
            Some(jwt_rbac_explain::verify(&policy, &token, now))
        }
    };
    let is_refused = |steps: &Vec<Step>| steps.iter().any(|step| step.mark == Mark::Failed);
    let has_failed = steps.as_ref().is_some_and(is_refused);
    if options.json {
        let value = json!({"header": header, "payload": payload, "steps": steps});
        let text = serde_json::to_string_pretty(&value).map_err(Error::Json)? + "\n";
        return Ok(Output { text, has_failed });
    }
    let style = Style::new(options.color.is_on());
    let pretty = |value| serde_json::to_string_pretty(value).map_err(Error::Json);
    let mut lines = vec![
        format!("{} {}", style.bold("header"), printable(&pretty(&header)?)),
        format!("{} {}", style.bold("payload"), printable(&pretty(&payload)?)),
    ];
    for name in ["iat", "nbf", "exp"] {
        lines.extend(payload[name].as_u64().map(|time| format!("{name}: {}", moment(time, now))));
    }
    let mut text = lines.join("\n") + "\n";
    if let (Some(steps), Some(path)) = (&steps, &options.policy) {
        let name = without_control_characters(&path.display().to_string());
        let title = style.bold(&format!("against {name}"));
        text = format!("{text}\n{title}\n{}", draw::steps(steps, style));
    }
    Ok(Output { text, has_failed })
}

/// Header and payload.
fn parts(token: &str) -> Result<[Value; 2], Error> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, _] = parts.as_slice() else {
        let found = parts.len();
        return Err(Error::Token(match found {
            5 => "an encrypted token (JWE) with 5 parts; expected a signed one with 3".to_owned(),
            1 => "no dot; an opaque token can't be decoded".to_owned(),
            _ => format!("{found} parts; expected 3 with dots between them"),
        }));
    };
    Ok([part("header", header)?, part("payload", payload)?])
}

fn part(name: &str, text: &str) -> Result<Value, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    let bytes = bytes.map_err(|_| Error::Token(format!("a {name} that is no base64url")))?;
    serde_json::from_slice(&bytes).map_err(|_| Error::Token(format!("a {name} that is no JSON")))
}

/// Text of several lines without escape sequences.
fn printable(text: &str) -> String {
    let lines = text.lines().map(without_control_characters);
    lines.collect::<Vec<_>>().join("\n")
}

fn moment(time: u64, now: u64) -> String {
    let length = |seconds| humantime::format_duration(Duration::from_secs(seconds)).to_string();
    let short = |text: String| text.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(time));
    let is_shown = time < 253_402_300_800; // The year 10000, which RFC 3339 can't write.
    let date = date.filter(|_| is_shown).map_or_else(
        || time.to_string(),
        |date| humantime::format_rfc3339_seconds(date).to_string(),
    );
    match time.checked_sub(now) {
        Some(left) => format!("{date}, in {}", short(length(left))),
        None => format!("{date}, {} ago", short(length(now - time))),
    }
}
