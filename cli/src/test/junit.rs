//! Results in the XML of `JUnit`, which CI systems read.

use jwt_rbac_explain::policy_test::outcome_words;
use jwt_rbac_explain::policy_test::run::Run;

/// The report on all suites, each with the name of its file.
pub fn report<'r>(runs: impl Iterator<Item = (&'r str, &'r Run<'r>)>) -> String {
    let mut lines =
        vec!["<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned(), "<testsuites>".to_owned()];
    for (name, run) in runs {
        let failed = run.results.iter().filter(|result| !result.is_met()).count();
        let name = escaped(name);
        lines.push(format!(
            "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\">",
            run.results.len()
        ));
        for result in &run.results {
            let test = escaped(&result.test.name);
            if result.is_met() {
                lines.push(format!("<testcase classname=\"{name}\" name=\"{test}\"/>"));
                continue;
            }
            let wanted = result.test.expected.words();
            let message = format!("expected {wanted}; decided {}", outcome_words(&result.outcome));
            lines.push(format!("<testcase classname=\"{name}\" name=\"{test}\">"));
            lines.push(format!("<failure message=\"{}\"/>", escaped(&message)));
            lines.push("</testcase>".to_owned());
        }
        lines.push("</testsuite>".to_owned());
    }
    lines.push("</testsuites>".to_owned());
    lines.join("\n") + "\n"
}

/// Text in an attribute; what XML 1.0 can't hold (§2.2) is replaced.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.chars().map(|it| if it.is_control() { '\u{FFFD}' } else { it }).collect()
}
