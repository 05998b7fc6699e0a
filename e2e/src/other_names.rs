//! The table of `docs/workloads.md` as data: what clients send so that a workload sees another
//! target or token than the filter judged. A row that this file does not understand fails the
//! tests.

use std::fs;

use serde_json::{Value, json};

use crate::artifacts;
use crate::tokens;

/// Where the table is.
pub const PAGE: &str = "docs/workloads.md";

/// The text of `{token}`. It is never verified, because it is sent where no token is looked for.
pub const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl";

/// A provider whose tokens, and headers, are where the page says.
pub fn provider() -> Value {
    let mut provider = tokens::provider();
    provider["fromHeaders"] =
        json!([{"name": "authorization", "prefix": "Bearer "}, {"name": "x-jwt"}]);
    provider["fromParams"] = json!(["access_token"]);
    provider["fromCookies"] = json!(["session_id"]);
    provider["outputClaimToHeaders"] = json!([{"header": "x-sub", "claim": "sub"}]);
    provider
}

/// A row of the page.
#[derive(Clone, Debug)]
pub struct Row {
    /// Everything that its first column has between backticks.
    pub sent: Vec<Sent>,
    /// Its third column.
    pub rule: Rule,
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// `name: value`.
    Header(String, String),
    /// `?…`: a parameter of the query.
    Parameter(String),
    /// `body: …`: a form.
    Form(String),
    /// A path, or a method and a path.
    Target(String, String),
}

/// What the page says that the filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Always.
    Removed,
    /// Under a document with routes.
    RemovedWhereRoutes,
    /// Unless a route or a dry run leaves tokens alone.
    RemovedAsToken,
    /// Its name is taken out of `connection`.
    RemovedFromConnection,
    /// Whatever the filter does.
    RemovedByEnvoy,
    /// By the filter, or by Envoy before it.
    Refused,
    /// It needs what `/admin` needs.
    JudgedAsAdmin,
    /// The workload receives it.
    PassedOn,
}

/// The words of the page for each.
pub const RULES: [(&str, Rule); 8] = [
    ("removed", Rule::Removed),
    ("removed where there are routes", Rule::RemovedWhereRoutes),
    ("removed as a token", Rule::RemovedAsToken),
    ("removed from `connection`", Rule::RemovedFromConnection),
    ("removed by Envoy", Rule::RemovedByEnvoy),
    ("refused", Rule::Refused),
    ("judged as `/admin`", Rule::JudgedAsAdmin),
    ("passed on", Rule::PassedOn),
];

/// The rows of the page, in order.
///
/// # Panics
///
/// When the page has none, or one that this file does not understand.
pub fn rows() -> Vec<Row> {
    let page = fs::read_to_string(artifacts::root().join(PAGE)).expect("the page");
    let (_, table) = page.split_once("<!-- table: workloads -->\n").expect("the table");
    let (table, _) = table.split_once("<!-- end -->").expect("the end of the table");
    let rows: Vec<_> = table.lines().skip(2).map(row).collect();
    assert!(rows.len() > 20, "{PAGE} has {} rows", rows.len());
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [sent, _, done, _] = cells.as_slice() else {
        panic!("{} cells and not four: {line}", cells.len());
    };
    let rule = RULES.iter().find(|(word, _)| word == done);
    let (_, rule) = rule.unwrap_or_else(|| panic!("no test knows {done:?}: {line}"));
    // Every other part is between backticks.
    let sent = sent.split('`').skip(1).step_by(2).map(parse);
    Row { sent: sent.collect(), rule: *rule }
}

fn parse(text: &str) -> Sent {
    let text = text.replace("{token}", TOKEN).replace("{nbsp}", "\u{a0}");
    if let Some(parameter) = text.strip_prefix('?') {
        return Sent::Parameter(parameter.to_owned());
    }
    if text.starts_with('/') {
        return Sent::Target("GET".to_owned(), text);
    }
    match text.split_once(": ") {
        Some(("body", form)) => Sent::Form(form.to_owned()),
        Some((name, value)) => Sent::Header(name.to_owned(), value.to_owned()),
        None => {
            let (method, path) = text.split_once(" /").expect("a method and a path");
            Sent::Target(method.to_owned(), format!("/{path}"))
        }
    }
}
