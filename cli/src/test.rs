//! `jwt-rbac test`: runs the tests of policies.

mod junit;

use std::path::{Path, PathBuf};

use jwt_rbac_explain::check::File;
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::policy_test::coverage::Coverage;
use jwt_rbac_explain::policy_test::result::TestResult;
use jwt_rbac_explain::policy_test::run::{Run, run as run_suite};
use jwt_rbac_explain::policy_test::{Suite, is_suite, outcome_words, read};
use jwt_rbac_explain::report::Mark;
use jwt_rbac_explain::source;
use jwt_rbac_explain::source::position::position;
use serde_json::json;

use crate::check::draw;
use crate::document;
use crate::error::Error;
use crate::files;
use crate::now::now;
use crate::output::{Color, Output};
use crate::style::Style;
use crate::usage::without_control_characters;

/// Run tests of policies: requests, who sends them, and what must become of them
#[derive(clap::Args)]
#[command(after_help = "A file of tests:
  policy: orders.yaml
  callers:
    clerk: {roles: [clerk], customer: acme}
  tests:
  - {request: GET /customers/acme/orders/7, caller: clerk, expect: allow}
  - {request: GET /customers/other/orders/7, caller: clerk, expect: deny, reason: claim_mismatch}
  - {request: GET /health, expect: allow}

Examples:
  jwt-rbac test orders-test.yaml
  jwt-rbac test policies/ --junit report.xml --require-coverage

Exit status: 0 when every test passed, 1 when one failed or a file can't be used, 2 for a wrong command line.")]
pub struct Options {
    /// Files of tests; a folder stands for all files of tests in it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write a report in the XML of `JUnit`
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail when a route, a permission or a policy is not tested
    #[arg(long)]
    require_coverage: bool,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    color: Color,
}

/// A suite and what it is about.
struct Loaded {
    file: File,
    policy: Policy,
    suite: Suite,
}

/// Runs the tests.
///
/// # Errors
///
/// When a file can't be used.
pub fn run(options: &Options) -> Result<Output, Error> {
    let is_colored = options.color.is_on();
    let mut loaded = Vec::new();
    let mut broken = String::new();
    for file in files::read_all(&options.files)? {
        let is_other = || !source::parse(&file.text).documents.iter().any(is_suite);
        if file.from_folder && is_other() {
            continue;
        }
        match read(&file.text) {
            Ok(suite) => {
                let policy = Path::new(&file.name).parent().unwrap_or(Path::new(""));
                let policy = files::read(&policy.join(&suite.policy))?;
                let policy = document::compile(
                    &policy,
                    suite.resource.as_deref(),
                    Signatures::Assumed,
                    None,
                )?;
                loaded.push(Loaded { file, policy, suite });
            }
            Err(findings) => {
                broken.push_str(&draw::findings(&file.name, &file.text, &findings, is_colored));
            }
        }
    }
    if !broken.is_empty() {
        return Ok(Output { text: broken, has_failed: true });
    }
    let now = now()?;
    let runs = loaded.iter().map(|it| (it, run_suite(&it.policy, &it.suite, now)));
    let runs: Vec<_> = runs.collect();
    if let Some(path) = &options.junit {
        let report =
            junit::report(runs.iter().map(|(loaded, run)| (loaded.file.name.as_str(), run)));
        std::fs::write(path, report)
            .map_err(|source| Error::Save { path: path.clone(), source })?;
    }
    let results = || runs.iter().flat_map(|(_, run)| &run.results);
    let failed = results().filter(|result| !result.is_met()).count();
    let is_covered = runs.iter().all(|(_, run)| run.coverage.is_complete());
    let has_failed =
        failed > 0 || results().count() == 0 || (options.require_coverage && !is_covered);
    let text = if options.json {
        json(&runs)?
    } else {
        let style = Style::new(is_colored);
        let drawn = runs.iter().map(|(loaded, run)| draw_run(loaded, run, now, style));
        drawn.collect::<Vec<_>>().concat() + &summary(results().count(), failed, style)
    };
    Ok(Output { text, has_failed })
}

fn draw_run(loaded: &Loaded, run: &Run<'_>, now: u64, style: Style) -> String {
    let name = without_control_characters(&loaded.file.name);
    let mut lines = Vec::new();
    for result in run.results.iter().filter(|result| !result.is_met()) {
        lines.extend(draw_failure(loaded, result, &name, now, style));
    }
    lines.extend(draw_coverage(&name, &run.coverage));
    lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
}

/// What was expected, what became of the request, and the step that decided.
fn draw_failure(
    loaded: &Loaded,
    result: &TestResult<'_>,
    name: &str,
    now: u64,
    style: Style,
) -> Vec<String> {
    let test = result.test;
    let line = position(&loaded.file.text, test.span.start).line;
    let title = without_control_characters(&test.name);
    let request = format!("{} {} by {}", test.ask.method, test.ask.target, test.caller);
    let title_line = style.bold(&format!("{name}:{line}: {title}"));
    let mut lines = vec![format!("{} {title_line}", style.marked(Mark::Failed, "✗"))];
    if test.name != request {
        lines.push(format!("    {}", without_control_characters(&request)));
    }
    lines.push(style.marked(Mark::Failed, &format!("  - {}", test.expected.words())));
    lines.push(style.marked(Mark::Passed, &format!("  + {}", outcome_words(&result.outcome))));
    let now = loaded.suite.now.unwrap_or(now);
    let report = jwt_rbac_explain::explain(&loaded.policy, &test.ask, now);
    for step in report.steps.iter().filter(|step| step.mark == Mark::Failed) {
        lines.push(format!("    {}: {}", step.name, without_control_characters(&step.text)));
        for note in &step.notes {
            let found = without_control_characters(&note.text);
            lines.push(format!("      {} {found}", style.sign(note.mark)));
        }
    }
    lines.push(String::new());
    lines
}

fn draw_coverage(name: &str, coverage: &Coverage) -> Vec<String> {
    let list = |what: &str, names: &[String]| {
        let names: Vec<_> = names.iter().map(|it| without_control_characters(it)).collect();
        (!names.is_empty()).then(|| format!("{name}: {what}: {}", names.join(", ")))
    };
    let lines = [
        list("routes without a test", &coverage.untested_routes),
        list("routes that let nobody pass in any test", &coverage.never_allowed),
        list("routes that deny nobody in any test", &coverage.never_denied),
        list("permissions that nobody has in any test", &coverage.untested_permissions),
        list("policies that match no request in any test", &coverage.untested_policies),
    ];
    lines.into_iter().flatten().collect()
}

fn summary(tests: usize, failed: usize, style: Style) -> String {
    if tests == 0 {
        return "no test found: expected files with `policy` and `tests`\n".to_owned();
    }
    let passed = style.marked(Mark::Passed, &format!("{} passed", tests - failed));
    let failed = match failed {
        0 => "0 failed".to_owned(),
        failed => style.marked(Mark::Failed, &format!("{failed} failed")),
    };
    format!("{tests} tests: {passed}, {failed}\n")
}

fn json(runs: &[(&Loaded, Run<'_>)]) -> Result<String, Error> {
    let suites = runs.iter().map(|(loaded, run)| {
        let tests = run.results.iter().map(|result| {
            json!({
                "name": result.test.name,
                "line": position(&loaded.file.text, result.test.span.start).line,
                "passed": result.is_met(),
                "expected": result.test.expected.words(),
                "decided": outcome_words(&result.outcome),
            })
        });
        json!({
            "file": loaded.file.name,
            "tests": tests.collect::<Vec<_>>(),
            "coverage": run.coverage,
        })
    });
    let suites: Vec<_> = suites.collect();
    Ok(serde_json::to_string_pretty(&json!({"suites": suites})).map_err(Error::Json)? + "\n")
}
