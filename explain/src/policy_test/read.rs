//! From the text of a file to a [`Suite`], or to everything that is wrong with it.

use std::collections::BTreeMap;

use jwt_rbac::refusal::Refusal;

use super::{Expected, Suite, Test};
use crate::ask::{Ask, Caller};
use crate::check::{Finding, Severity, syntax};
use crate::nearest::nearest;
use crate::source::{self, Node, Value, first_line};

const FIELDS: &[&str] = &["policy", "resource", "callers", "now", "tests"];
const TEST_FIELDS: &[&str] = &[
    "name", "request", "caller", "claims", "token", "host", "headers", "expect", "status",
    "reason", "route",
];
const DECISIONS: &[&str] = &["allow", "deny", "would_deny"];
const ANONYMOUS: &str = "anonymous";

/// Reads a suite.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str) -> Result<Suite, Vec<Finding>> {
    let parsed = source::parse(text);
    let mut reader = Reader { text, findings: parsed.faults.iter().map(syntax).collect() };
    let suite = match parsed.documents.as_slice() {
        [node] => reader.suite(node),
        documents => {
            let message = format!("found {} documents, expected one", documents.len());
            reader.error("", 0..0, message, None);
            None
        }
    };
    match suite {
        Some(suite) if reader.findings.is_empty() => Ok(suite),
        _ => Err(reader.findings),
    }
}

struct Reader<'t> {
    text: &'t str,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn error(
        &mut self,
        place: &str,
        span: std::ops::Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let span = first_line(span, self.text);
        let finding = Finding::new(Severity::Error, "test", place, span, message);
        self.findings.push(Finding { help, ..finding });
    }

    fn check_fields(&mut self, node: &Node, place: &str, known: &[&str]) {
        for member in node.members().iter().filter(|it| !known.contains(&it.name.as_str())) {
            let name = &member.name;
            let help = nearest(name, known.iter().copied());
            let help = match help {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            let message = format!("unknown field `{name}`");
            self.error(&format!("{place}{name}"), member.name_span.clone(), message, Some(help));
        }
    }

    fn suite(&mut self, node: &Node) -> Option<Suite> {
        let Some(policy) = node.get("policy").and_then(Node::text).map(str::to_owned) else {
            let message = "expected tests, with `policy`, the file of the document that is tested";
            let help = "`jwt-rbac test --help` shows a file of tests".to_owned();
            self.error("policy", node.span.clone(), message, Some(help));
            return None;
        };
        self.check_fields(node, "", FIELDS);
        let resource = node.get("resource").and_then(Node::text).map(str::to_owned);
        let now = node.get("now").and_then(|value| {
            let time = value.text().and_then(|text| humantime::parse_rfc3339_weak(text).ok());
            let time = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            if time.is_none() {
                let message = "expected a time such as `2026-01-01T00:00:00Z`";
                self.error("now", value.span.clone(), message, None);
            }
            Some(time?.as_secs())
        });
        let callers = self.callers(node.get("callers"));
        let tests = node.get("tests").map_or(&[][..], Node::elements);
        if tests.is_empty() {
            let span = node.get("tests").map_or(node.span.clone(), |tests| tests.span.clone());
            self.error("tests", span, "expected a list of tests", None);
        }
        let mut all = Vec::new();
        for (number, test) in tests.iter().enumerate() {
            self.test(number, test, &callers, &mut all);
        }
        Some(Suite { policy, resource, now, tests: all })
    }

    fn callers(&mut self, node: Option<&Node>) -> BTreeMap<String, Caller> {
        let mut callers = BTreeMap::from([(ANONYMOUS.to_owned(), Caller::Anonymous)]);
        for member in node.map_or(&[][..], Node::members) {
            if let Some(claims) = claims(&member.node) {
                callers.insert(member.name.clone(), Caller::Claims(claims));
                continue;
            }
            let place = format!("callers.{}", member.name);
            let message =
                format!("found {}, expected the claims of the caller", member.node.kind());
            self.error(&place, member.node.span.clone(), message, None);
        }
        callers
    }

    fn test(
        &mut self,
        number: usize,
        node: &Node,
        callers: &BTreeMap<String, Caller>,
        tests: &mut Vec<Test>,
    ) {
        let place = format!("tests[{number}].");
        self.check_fields(node, &place, TEST_FIELDS);
        let expected = self.expected(node, &place);
        let senders = self.senders(node, &place, callers);
        let requests = self.texts(node, &place, "request");
        if requests.is_empty() {
            let message = "expected `request`, such as `GET /reviews/7`";
            self.error(&format!("{place}request"), node.span.clone(), message, None);
        }
        let headers = node.get("headers").map_or(&[][..], Node::members).iter();
        let headers = headers.flat_map(|member| {
            let values = match &member.node.value {
                Value::List(values) => values.iter().filter_map(Node::text).collect(),
                _ => member.node.text().into_iter().collect::<Vec<_>>(),
            };
            values.into_iter().map(|value| (member.name.clone(), value.to_owned()))
        });
        let headers: Vec<_> = headers.collect();
        let name = node.get("name").and_then(Node::text);
        for (span, request) in requests {
            let ask = match Ask::parse(&request) {
                Ok(ask) => ask,
                Err(message) => {
                    self.error(&format!("{place}request"), span, message, None);
                    continue;
                }
            };
            for (caller_name, caller) in &senders {
                let host = node.get("host").and_then(Node::text).map(str::to_owned);
                let ask = Ask {
                    host: host.or(ask.host.clone()),
                    headers: headers.clone(),
                    caller: caller.clone(),
                    ..ask.clone()
                };
                let name =
                    name.map_or_else(|| format!("{request} by {caller_name}"), str::to_owned);
                tests.push(Test {
                    name,
                    span: first_line(node.span.clone(), self.text),
                    caller: caller_name.clone(),
                    ask,
                    expected: expected.clone(),
                });
            }
        }
    }

    /// A text, or each of a list of them.
    fn texts(
        &mut self,
        node: &Node,
        place: &str,
        name: &str,
    ) -> Vec<(std::ops::Range<usize>, String)> {
        let Some(value) = node.get(name) else { return Vec::new() };
        let nodes = match &value.value {
            Value::List(nodes) => nodes.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::new();
        for node in nodes {
            if let Some(text) = node.text() {
                texts.push((node.span.clone(), text.to_owned()));
                continue;
            }
            let message = format!("found {}, expected a string", node.kind());
            self.error(&format!("{place}{name}"), node.span.clone(), message, None);
        }
        texts
    }

    fn senders(
        &mut self,
        node: &Node,
        place: &str,
        callers: &BTreeMap<String, Caller>,
    ) -> Vec<(String, Caller)> {
        if let Some(token) = node.get("token").and_then(Node::text) {
            return vec![("the token".to_owned(), Caller::Token(token.to_owned()))];
        }
        if let Some(value) = node.get("claims") {
            if let Some(claims) = claims(value) {
                return vec![("the claims".to_owned(), Caller::Claims(claims))];
            }
            let message = format!("found {}, expected claims", value.kind());
            self.error(&format!("{place}claims"), value.span.clone(), message, None);
        }
        let names = self.texts(node, place, "caller");
        if names.is_empty() {
            return vec![(ANONYMOUS.to_owned(), Caller::Anonymous)];
        }
        let mut senders = Vec::new();
        for (span, name) in names {
            if let Some(caller) = callers.get(&name) {
                senders.push((name, caller.clone()));
                continue;
            }
            let near = nearest(&name, callers.keys().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.error(&format!("{place}caller"), span, format!("no caller is `{name}`"), help);
        }
        senders
    }

    fn expected(&mut self, node: &Node, place: &str) -> Expected {
        let reasons: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.slug()).collect();
        let decision = self.word(node, place, "expect", DECISIONS);
        let reason = self.word(node, place, "reason", &reasons);
        let status = node.get("status").and_then(|value| {
            let status = value.to_json().as_u64().and_then(|status| u16::try_from(status).ok());
            if status.is_none() {
                let message = format!("found {}, expected a status such as 403", value.kind());
                self.error(&format!("{place}status"), value.span.clone(), message, None);
            }
            status
        });
        let route = node.get("route").and_then(Node::text).map(str::to_owned);
        let expected = Expected { decision, status, reason, route };
        let names = ["expect", "status", "reason", "route"];
        if names.iter().all(|name| node.get(name).is_none()) {
            let message = "expected `expect`: allow or deny";
            self.error(&format!("{place}expect"), node.span.clone(), message, None);
        }
        expected
    }

    fn word(&mut self, node: &Node, place: &str, name: &str, words: &[&str]) -> Option<String> {
        let value = node.get(name)?;
        let found = value.text().unwrap_or_default();
        if words.contains(&found) {
            return Some(found.to_owned());
        }
        let near = nearest(found, words.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if words.len() > 5 => "docs/refusals.md lists the reasons".to_owned(),
            None => format!("expected {}", words.join(", ")),
        };
        let message = format!("`{found}` is no word for `{name}`");
        self.error(&format!("{place}{name}"), value.span.clone(), message, Some(help));
        None
    }
}

fn claims(node: &Node) -> Option<serde_json::Map<String, serde_json::Value>> {
    match node.to_json() {
        serde_json::Value::Object(claims) => Some(claims),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_made_of_each_request_and_caller() {
        let suite = read(
            "policy: p.yaml\ncallers: {a: {sub: a}}\ntests:\n\
             - {request: [GET /x, GET /y], caller: [anonymous, a], expect: allow}\n\
             - {request: /z, claims: {sub: b}, reason: expired}\n",
        )
        .unwrap();
        let names: Vec<_> = suite.tests.iter().map(|test| test.name.as_str()).collect();
        let expected = [
            "GET /x by anonymous",
            "GET /x by a",
            "GET /y by anonymous",
            "GET /y by a",
            "/z by the claims",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_place() {
        let findings = read(
            "policy: p.yaml\ncallers: {clerk: 7, clark: {}}\ntests:\n\
             - {request: GET /x, caller: clarc, expcet: allow}\n- {reason: expird}\n",
        )
        .unwrap_err();
        let told: Vec<_> =
            findings.iter().map(|it| (it.place.as_str(), it.help.as_deref())).collect();
        let expected = [
            ("callers.clerk", None),
            ("tests[0].expcet", Some("did you mean `expect`?")),
            ("tests[0].expect", None),
            ("tests[0].caller", Some("did you mean `clark`?")),
            ("tests[1].reason", Some("did you mean `expired`?")),
            ("tests[1].request", None),
        ];
        assert_eq!(told, expected);
    }
}
