//! A line of the filter's log, as people read it: what became of a request, and why.

use jwt_rbac::refusal::Refusal;
use jwt_rbac_explain::report::Mark;
use serde_json::Value;

use crate::style::{Style, padded};
use crate::usage::without_control_characters;

/// What a line says beside the refusal, and the word for it.
const DETAILS: &[(&str, &str)] = &[
    ("missing", "missing"),
    ("claim", "claim"),
    ("issuers", "expected the issuer"),
    ("header", "header"),
    ("not_written", "not written"),
];
/// What a refused token says of itself.
const UNVERIFIED: &[(&str, &str)] =
    &[("issuer", "issuer"), ("subject", "subject"), ("audiences", "audience"), ("key_id", "kid")];

/// The text for a line; `None` for one that is not about a request.
pub fn draw(line: &Value, style: Style) -> Option<String> {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    let (mark, word) = match text("jwt_rbac") {
        "allow" => (Mark::Passed, "allowed".to_owned()),
        "would_deny" => (Mark::Skipped, "dry run".to_owned()),
        "deny" => (Mark::Failed, line["status"].to_string()),
        _ => return None,
    };
    let refusal = Refusal::ALL.iter().find(|refusal| refusal.slug() == text("reason"));
    let host = text("host");
    let request = format!("{} {}", text("method"), text("path"));
    let about = [
        refusal.map(|refusal| refusal.slug().to_owned()),
        line["rule"].as_str().map(|rule| format!("route {rule}")),
        line["subject"].as_str().map(str::to_owned),
        // The address that the commands call says nothing.
        Some(host.to_owned()).filter(|host| !host.is_empty() && !host.starts_with("127.0.0.1")),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let sign = style.sign(mark);
    let word = style.marked(mark, &padded(&word, 7));
    let first = format!("{} ({})", request, about.join(", "));
    let mut drawn = format!("{sign} {word}  {}\n", without_control_characters(&first));
    if let Some(refusal) = refusal {
        let meaning = [refusal.meaning().to_owned()].into_iter().chain(details(line));
        let meaning = meaning.collect::<Vec<_>>().join("; ");
        for said in [meaning, format!("→ {}", refusal.remedy())] {
            drawn.push_str(&indented(&without_control_characters(&said)));
        }
    }
    if let Some(number) = line["suppressed"].as_u64() {
        drawn.push_str(&indented(&format!("{number} more of this kind were not logged")));
    }
    Some(drawn)
}

fn indented(text: &str) -> String {
    format!("           {text}\n")
}

fn details(line: &Value) -> impl Iterator<Item = String> {
    let of = |object: &Value, names: &[(&str, &str)]| -> Vec<String> {
        let found = names.iter().filter_map(|(name, word)| Some((word, object.get(name)?)));
        found.map(|(word, value)| format!("{word} {}", list(value))).collect()
    };
    of(line, DETAILS).into_iter().chain(of(&line["unverified"], UNVERIFIED))
}

fn list(value: &Value) -> String {
    match value {
        Value::Array(values) => values.iter().map(list).collect::<Vec<_>>().join(", "),
        Value::String(text) => format!("`{text}`"),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_became_of_a_request_and_what_to_do() {
        let line = json!({
            "jwt_rbac": "deny", "status": 403, "reason": "permission_missing", "rule": "orders",
            "subject": "joe\u{1b}", "method": "GET", "host": "127.0.0.1:9080", "path": "/orders/1",
            "missing": ["read:orders"], "suppressed": 3,
        });
        let drawn = draw(&line, Style::new(false)).unwrap();
        let lines: Vec<_> = drawn.lines().map(str::trim).collect();
        assert_eq!(
            lines[0],
            "✗ 403      GET /orders/1 (permission_missing, route orders, joe\u{fffd})"
        );
        assert!(lines[1].ends_with("; missing `read:orders`"), "{drawn}");
        assert!(lines[2].starts_with("→ "), "{drawn}");
        assert_eq!(lines[3], "3 more of this kind were not logged");
        assert_eq!(draw(&json!({"jwt_rbac": "document_warning"}), Style::new(false)), None);
    }
}
