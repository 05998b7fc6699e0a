//! What the page gets.

use jwt_rbac_explain::ask::{Ask, Caller};
use jwt_rbac_explain::check::{self, File, Finding, Severity};
use jwt_rbac_explain::check::{only_document, resource};
use jwt_rbac_explain::example::{Example, examples};
use jwt_rbac_explain::matrix::{self, Matrix};
use jwt_rbac_explain::policy::{ANY_KEYS, Policy, Signatures};
use jwt_rbac_explain::report::Report;
use jwt_rbac_explain::source::position::position;
use jwt_rbac_explain::{explain, source};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::question::{Question, Sender};

/// The name of who sends no token.
const ANONYMOUS: &str = "anonymous";
/// How many routes are shown.
const MOST_ROUTES: usize = 100;

/// Everything that the page shows.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What `check` says of the document.
    pub findings: Vec<Shown>,
    /// The names of the resources that it has, if they have names.
    pub resources: Vec<String>,
    /// What is wrong with the callers.
    pub callers_problem: Option<String>,
    /// What is wrong with the request, or with who sends it.
    pub request_problem: Option<String>,
    /// What becomes of the request; none where something is wrong.
    pub report: Option<Report>,
    /// Who may do what.
    pub matrix: Option<Table>,
    /// A request for each route, with claims that it lets through.
    pub examples: Vec<Fitting>,
}

/// A finding, and where it stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    severity: Severity,
    rule: &'static str,
    message: String,
    help: Option<String>,
    line: usize,
    column: usize,
    /// In UTF-16 code units, as the page counts.
    start: usize,
    end: usize,
}

/// Callers × routes.
#[derive(Debug, Serialize)]
pub struct Table {
    /// The callers, in their order.
    pub callers: Vec<String>,
    /// A row for each path of each route, and each of its methods.
    pub rows: Vec<Row>,
    /// How many more routes there are.
    #[serde(rename = "leftOut")]
    pub left_out: usize,
}

/// What one request comes to for each caller.
#[derive(Debug, Serialize)]
pub struct Row {
    route: String,
    request: String,
    cells: Vec<Cell>,
}

/// What becomes of a request of one caller.
#[derive(Debug, Serialize)]
pub struct Cell {
    #[serde(flatten)]
    cell: matrix::Cell,
    /// The request to ask for the way to it.
    request: String,
}

/// A request that fits a route.
#[derive(Debug, Serialize)]
pub struct Fitting {
    route: String,
    request: String,
    claims: Option<Map<String, Value>>,
}

impl Answer {
    /// The answer to a question.
    #[must_use]
    pub fn to(question: &Question) -> Self {
        let mut answer = Self::default();
        let key_set = Some(question.key_set.trim()).filter(|text| !text.is_empty());
        let file = File {
            name: "document".to_owned(),
            text: question.document.clone(),
            from_folder: false,
        };
        let checked = check::check(std::slice::from_ref(&file), Some(key_set.unwrap_or(ANY_KEYS)));
        let findings = checked.into_iter().flat_map(|checked| checked.findings);
        answer.findings = findings.map(|finding| Shown::new(&file.text, finding)).collect();
        answer.resources = resources(&file.text);
        let callers = match callers(&question.callers) {
            Ok(callers) => callers,
            Err(problem) => {
                answer.callers_problem = Some(problem);
                Vec::new()
            }
        };
        let wanted = question.resource.as_ref().filter(|name| answer.resources.contains(name));
        let wanted = wanted.or(answer.resources.first());
        // What is wrong with the document is among the findings.
        let Ok(config) = only_document(&file.text, wanted.map(String::as_str)) else {
            return answer;
        };
        let compile = |signatures| Policy::compile(config.clone(), signatures, key_set).ok();
        let Some(mut policy) = compile(Signatures::Assumed) else { return answer };
        let asked = Ask::parse(&question.request).and_then(|ask| {
            let (caller, is_checked) = sender(&question.sender, &callers)?;
            Ok((ask.by(caller), is_checked))
        });
        match asked {
            Ok((ask, false)) => answer.report = Some(explain(&policy, &ask, question.now)),
            Ok((ask, true)) => {
                let checking = compile(Signatures::Checked);
                answer.report = checking.map(|policy| explain(&policy, &ask, question.now));
            }
            Err(problem) => answer.request_problem = Some(problem),
        }
        let left_out = leave_out(&mut policy);
        answer.matrix = Some(table(&matrix::matrix(&policy, &callers, question.now), left_out));
        answer.examples = examples(&policy, question.now).into_iter().map(Fitting::from).collect();
        answer
    }

    /// The answer to something that is no question.
    #[must_use]
    pub fn unreadable(error: &serde_json::Error) -> Self {
        Self { request_problem: Some(format!("no question: {error}")), ..Self::default() }
    }
}

impl Shown {
    fn new(text: &str, finding: Finding) -> Self {
        let place = position(text, finding.span.start);
        let units = |end: usize| text.get(..end).unwrap_or(text).encode_utf16().count();
        Self {
            severity: finding.severity,
            rule: finding.rule,
            message: finding.message,
            help: finding.help,
            line: place.line,
            column: place.column,
            start: units(finding.span.start),
            end: units(finding.span.end),
        }
    }
}

/// The names of the documents in a file, in their order; none where one of them has no name.
fn resources(text: &str) -> Vec<String> {
    let parsed = source::parse(text);
    let nodes = parsed.documents.iter().flat_map(resource::flattened);
    let ours = nodes.filter(|node| resource::config(node).is_some());
    let names: Option<Vec<_>> = ours.map(|node| resource::name(node).map(str::to_owned)).collect();
    names.unwrap_or_default()
}

/// The callers, those without a token first.
fn callers(text: &str) -> Result<Vec<(String, Caller)>, String> {
    const EXPECTED: &str = "expected names and claims, such as `clerk: {roles: [clerk]}`";
    let parsed = source::parse(text);
    if let Some(fault) = parsed.faults.first() {
        let place = position(text, fault.span.start);
        return Err(format!("line {}, column {}: {}", place.line, place.column, fault.message));
    }
    let anonymous = (ANONYMOUS.to_owned(), Caller::Anonymous);
    let mut callers = vec![anonymous];
    let named = match parsed.documents.as_slice() {
        [] => return Ok(callers),
        [node] if matches!(node.value, source::Value::Object(_)) => node.members(),
        _ => return Err(EXPECTED.to_owned()),
    };
    for member in named {
        let Value::Object(claims) = member.node.to_json() else {
            return Err(format!("{}: {EXPECTED}", member.name));
        };
        callers.push((member.name.clone(), Caller::Claims(claims)));
    }
    Ok(callers)
}

/// Who sends the request, and whether the signature of a token is checked.
fn sender(sender: &Sender, callers: &[(String, Caller)]) -> Result<(Caller, bool), String> {
    match sender {
        Sender::Anonymous => Ok((Caller::Anonymous, false)),
        Sender::Caller(name) => {
            let caller = callers.iter().find(|(known, _)| known == name);
            let caller = caller.ok_or_else(|| format!("there is no caller `{name}`"))?;
            Ok((caller.1.clone(), false))
        }
        Sender::Token { token, checked } => {
            let token = token.trim();
            let start = token.get(..7).filter(|start| start.eq_ignore_ascii_case("bearer "));
            let token = start.map_or(token, |start| token[start.len()..].trim_start());
            if token.is_empty() {
                return Err("paste a token, or choose a caller".to_owned());
            }
            Ok((Caller::Token(token.to_owned()), *checked))
        }
    }
}

/// Leaves out routes that nobody would look at, and returns how many: a table of all takes seconds where a
/// document has thousands.
fn leave_out(policy: &mut Policy) -> usize {
    let routes = policy.config.get_mut("routes").and_then(Value::as_array_mut);
    routes.map_or(0, |routes| routes.drain(routes.len().min(MOST_ROUTES)..).count())
}

fn table(matrix: &Matrix, left_out: usize) -> Table {
    let rows = matrix.rows.iter().map(|row| {
        let method = row.request.split(' ').next().unwrap_or("GET");
        let host = row.host.as_deref().map(matrix::plain_host);
        let cells = row.cells.iter().map(|cell| Cell {
            cell: cell.clone(),
            request: request(method, host.as_deref(), &cell.target),
        });
        let host = row.host.as_ref().map_or_else(String::new, |host| format!(" ({host})"));
        Row {
            route: row.route.clone(),
            request: format!("{}{host}", row.request),
            cells: cells.collect(),
        }
    });
    Table { callers: matrix.callers.clone(), rows: rows.collect(), left_out }
}

/// A request as people write it.
fn request(method: &str, host: Option<&str>, target: &str) -> String {
    match host {
        Some(host) => format!("{method} https://{host}{target}"),
        None => format!("{method} {target}"),
    }
}

impl From<Example> for Fitting {
    fn from(example: Example) -> Self {
        let Example { route, ask, .. } = example;
        let request = request(&ask.method, ask.host.as_deref(), &ask.target);
        let claims = match ask.caller {
            Caller::Claims(claims) => Some(claims),
            Caller::Anonymous | Caller::Token(_) => None,
        };
        Self { route, request, claims }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = "
jwtRules:
- issuer: https://a.test
  audiences: [b]
  jwks: REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER
  roleClaims: [roles]
  rolePermissions: {clerk: [read]}
routes:
- {name: orders, hosts: ['*.a.test'], paths: ['/o/{id}'], permissions: [read], claims: [{claim: id, pathVariable: id}]}
";

    fn answer(document: &str, request: &str, sender: &Value) -> Value {
        let question = json!({
            "document": document,
            "request": request,
            "callers": "clerk: {roles: [clerk], id: '7'}\nguest: {}\n",
            "sender": sender,
            "now": 1_800_000_000,
        });
        serde_json::from_slice(&crate::ask(question.to_string().as_bytes())).unwrap()
    }

    #[test]
    fn a_question_has_the_decision_and_the_matrix() {
        let answer = answer(DOCUMENT, "GET https://x.a.test/o/7", &json!({"caller": "clerk"}));
        assert_eq!(answer["report"]["decision"], "allow", "{answer:#}");
        assert_eq!(answer["findings"], json!([]));
        assert_eq!(answer["matrix"]["callers"], json!(["anonymous", "clerk", "guest"]));
        let cells = answer["matrix"]["rows"][0]["cells"].as_array().unwrap();
        let cells = cells.iter().map(|it| (it["decision"].as_str(), it["request"].as_str()));
        let target = |id| format!("GET https://any.a.test/o/{id}");
        let (x, seven) = (target("x"), target("7"));
        assert_eq!(
            cells.collect::<Vec<_>>(),
            [(Some("deny"), Some(&*x)), (Some("allow"), Some(&*seven)), (Some("deny"), Some(&*x))]
        );
        assert_eq!(answer["examples"][0]["request"], "GET https://any.a.test/o/1");
    }

    #[test]
    fn a_mistake_has_its_place_in_the_units_of_the_page() {
        let document = DOCUMENT.replace("name: orders", "name: orders, /* 🦀 */ pat: 1");
        let document = document.replace("/* 🦀 */ ", "\"🦀\": 1, ");
        let answer = answer(&document, "GET /", &json!("anonymous"));
        assert!(answer["report"].is_null() && answer["matrix"].is_null());
        let finding = answer["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["message"].as_str().unwrap().contains("`pat`"));
        let finding = finding.unwrap_or_else(|| panic!("{answer:#}"));
        assert_eq!(finding["line"], 9);
        let units: Vec<u16> = document.encode_utf16().collect();
        let place = |name: &str| usize::try_from(finding[name].as_u64().unwrap()).unwrap();
        assert_eq!(String::from_utf16(&units[place("start")..place("end")]).unwrap(), "pat");
    }

    #[test]
    fn what_is_wrong_beside_the_document_is_told() {
        let said = |sender| answer(DOCUMENT, "GET /", &sender)["requestProblem"].clone();
        assert_eq!(said(json!({"caller": "chief"})), "there is no caller `chief`");
        let empty = json!({"token": {"token": " ", "checked": true}});
        assert_eq!(said(empty), "paste a token, or choose a caller");
        assert!(answer(DOCUMENT, "", &json!("anonymous"))["requestProblem"].is_string());
        for (callers, expected) in
            [("a: [", "line 1, column 4: "), ("- a", "expected names"), ("a: 1", "a: expected")]
        {
            let problem = super::callers(callers).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn a_token_is_checked_or_not() {
        let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2EudGVzdCIsImF1ZCI6ImIiLCJleHAiOjE5MDAwMDAwMDAsInJvbGVzIjpbImNsZXJrIl0sImlkIjoiNyJ9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let document = DOCUMENT.replace(
            "REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER",
            &format!("'{}'", ANY_KEYS.replace('\n', " ")),
        );
        for (checked, decision) in [(false, "allow"), (true, "deny")] {
            let sender = json!({"token": {"token": format!("Bearer {token}"), "checked": checked}});
            let answer = answer(&document, "GET https://x.a.test/o/7", &sender);
            assert_eq!(answer["report"]["decision"], decision, "{answer:#}");
        }
    }

    #[test]
    fn a_large_table_is_cut() {
        let routes =
            (0..150).map(|number| json!({"paths": [format!("/{number}")], "access": "PUBLIC"}));
        let document = json!({"routes": routes.collect::<Vec<_>>()}).to_string();
        let answer = answer(&document, "GET /149", &json!("anonymous"));
        assert_eq!(answer["report"]["rule"], "routes[149]");
        assert_eq!(answer["matrix"]["rows"].as_array().unwrap().len(), 100);
        assert_eq!(answer["matrix"]["leftOut"], 50);
    }

    #[test]
    fn of_several_resources_one_is_asked() {
        let plugin = |name: &str, path: &str| {
            format!(
                "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: {name}}}\nspec:\n  pluginConfig:\n    routes: [{{paths: [{path}], access: PUBLIC}}]\n---\n"
            )
        };
        let text = plugin("a", "/a") + &plugin("b", "/b");
        assert_eq!(resources(&text), ["a", "b"]);
        let mut question =
            Question { document: text, request: "/b".to_owned(), ..Question::default() };
        assert_eq!(Answer::to(&question).report.unwrap().decision, "deny");
        question.resource = Some("b".to_owned());
        assert_eq!(Answer::to(&question).report.unwrap().decision, "allow");
    }
}
