//! `jwt-rbac explain`: what becomes of a request, and the way to it; of many requests, in sum; of every
//! caller at every route.

pub mod draw;
mod page;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use jwt_rbac_explain::ask::{Ask, Caller};
use jwt_rbac_explain::matrix::matrix;
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::traffic::{self, Summary};
use serde::Serialize;

use crate::caller::{CallerOptions, parse_named};
use crate::document;
use crate::error::Error;
use crate::files;
use crate::now::{self, now};
use crate::output::{Color, Output};

/// Explain what a document decides about a request, step by step
#[derive(clap::Args)]
#[command(after_help = "Examples:
  jwt-rbac explain orders.yaml --request 'GET /customers/acme/orders/7' --claims '{\"roles\": [\"clerk\"]}'
  jwt-rbac explain orders.yaml --request 'POST /orders' --token - < token.jwt
  jwt-rbac explain orders.yaml --matrix --caller clerk='{\"roles\": [\"clerk\"]}'
  kubectl logs deploy/orders -c istio-proxy | jwt-rbac explain orders.yaml --access-log -

Claims are taken as those of a verified token; `iss`, `aud` and `exp` that the document asks for are added,
null leaves one out, and times may be written \"now-60\".

Exit status: 0 whatever the decision is, 1 for a file that can't be used, 2 for a wrong command line.")]
pub struct Options {
    /// A `WasmPlugin`, a `TrafficExtension` or a bare `pluginConfig`; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the resource, where the file has several
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// What is asked for, such as `GET /reviews/7` or `GET https://api.example.com/reviews/7`; repeatable
    #[arg(long, value_name = "REQUEST", required_unless_present_any = ["har", "access_log", "matrix"], value_parser = Ask::parse)]
    request: Vec<Ask>,
    /// A header of the request, `name: value`; repeatable
    #[arg(long, short = 'H', value_name = "HEADER", value_parser = parse_header)]
    header: Vec<(String, String)>,
    /// The host of the request; default: one that the document has routes for
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    #[command(flatten)]
    caller: CallerOptions,
    /// The workload that sends it, as `principals` name it: cluster.local/ns/demo/sa/web
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,
    /// The address of the client
    #[arg(long, value_name = "ADDRESS")]
    remote_ip: Option<IpAddr>,
    /// Sum up what would become of the requests of an HTTP Archive, as browsers export it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "matrix"])]
    har: Option<PathBuf>,
    /// Sum up what would become of the requests of an access log of Envoy in JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "matrix", "har"])]
    access_log: Option<PathBuf>,
    /// Show what becomes of each route for each caller
    #[arg(long, conflicts_with = "request")]
    matrix: bool,
    /// A caller of the matrix, `NAME=CLAIMS` or `NAME=@FILE`; repeatable. `anonymous` is always one
    #[arg(long = "caller", value_name = "NAME=CLAIMS", requires = "matrix", value_parser = parse_named)]
    callers: Vec<(String, Caller)>,
    /// The key set that stands where the document has `jwksUri`, or the placeholder of the manifests
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Take every signature as good, also those of tokens
    #[arg(long)]
    any_signature: bool,
    /// When the request is sent, such as 2026-01-01T00:00:00Z; default: now
    #[arg(long, value_name = "TIME", value_parser = now::parse_time)]
    at: Option<u64>,
    /// How the answer is written; `html` for the matrix alone
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    color: Color,
}

#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON value
    Json,
    /// One page
    Html,
}

/// Asks the document.
///
/// # Errors
///
/// When a file can't be used.
pub fn run(options: &Options) -> Result<Output, Error> {
    if options.format == Format::Html && !options.matrix {
        return Err(Error::Usage("`--format html` is for `--matrix` alone".to_owned()));
    }
    let caller = options.caller.caller()?;
    let has_token = matches!(caller, Caller::Token(_)) || options.har.is_some();
    let signatures =
        if has_token && !options.any_signature { Signatures::Checked } else { Signatures::Assumed };
    let file = files::read(&options.file)?;
    let policy =
        document::compile(&file, options.resource.as_deref(), signatures, options.jwks.as_deref())?;
    let now = options.at.map_or_else(now, Ok)?;
    if options.matrix {
        return show_matrix(options, &policy, now);
    }
    if let Some(path) = &options.har {
        let har = files::read(path)?;
        let traffic = traffic::from_har(&har.text)
            .map_err(|problem| Error::Content { path: path.clone(), problem })?;
        return show_summary(options, &traffic::summarize(&policy, &traffic, &caller, now));
    }
    if let Some(path) = &options.access_log {
        let traffic = traffic::from_access_log(&files::read(path)?.text);
        return show_summary(options, &traffic::summarize(&policy, &traffic, &caller, now));
    }
    let reports = options.request.iter().map(|ask| {
        let mut ask = ask.clone().by(caller.clone());
        ask.headers.extend(options.header.iter().cloned());
        ask.host = options.host.clone().or(ask.host);
        ask.peer.principal.clone_from(&options.principal);
        ask.peer.remote_ip = options.remote_ip;
        jwt_rbac_explain::explain(&policy, &ask, now)
    });
    let reports: Vec<_> = reports.collect();
    if options.format == Format::Json {
        return match reports.as_slice() {
            [report] => json(report),
            reports => json(reports),
        };
    }
    let is_colored = options.color.is_on();
    let drawn = reports.iter().map(|report| draw::report(report, is_colored));
    Ok(drawn.collect::<Vec<_>>().join("\n").into())
}

fn show_matrix(options: &Options, policy: &Policy, now: u64) -> Result<Output, Error> {
    let anonymous = ("anonymous".to_owned(), Caller::Anonymous);
    let callers: Vec<_> = [anonymous].into_iter().chain(options.callers.iter().cloned()).collect();
    let matrix = matrix(policy, &callers, now);
    match options.format {
        Format::Json => json(&matrix),
        Format::Html => Ok(page::matrix(&matrix).into()),
        Format::Text => Ok(draw::matrix(&matrix, options.color.is_on()).into()),
    }
}

fn show_summary(options: &Options, summary: &Summary) -> Result<Output, Error> {
    match options.format {
        Format::Json => json(summary),
        Format::Html | Format::Text => Ok(draw::summary(summary, options.color.is_on()).into()),
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Output, Error> {
    Ok((serde_json::to_string_pretty(value).map_err(Error::Json)? + "\n").into())
}

fn parse_header(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        }
        _ => Err("expected a header, such as `x-forwarded-proto: https`"),
    }
}
