//! How long the command line takes: `check` with a document of 10,000 routes, `test` with 10,000 tests of
//! it. Each is read from text, as the command reads it; the best of five runs counts.

use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_explain::check::{self, File};
use jwt_rbac_explain::policy::{Policy, Signatures};
use jwt_rbac_explain::policy_test::result::TestResult;
use jwt_rbac_explain::policy_test::{read, run};

const ROUTES: usize = 10_000;
const TESTS: usize = 10_000;
/// What each may take at most.
const CHECK: Duration = Duration::from_secs(1);
const TEST: Duration = Duration::from_secs(2);

fn main() {
    let document = document();
    let suite = suite();
    let now = 1_800_000_000;
    let check_time = best(|| {
        let file =
            File { name: "routes.yaml".to_owned(), text: document.clone(), from_folder: false };
        let checked = check::check(&[file], None);
        assert_eq!((checked[0].documents, checked[0].findings.len()), (1, 0));
    });
    println!(
        "check: {ROUTES} routes, {} ms, at most {}",
        check_time.as_millis(),
        CHECK.as_millis()
    );
    let test_time = best(|| {
        let config = check::only_document(&document, None).expect("one document");
        let policy = Policy::compile(config, Signatures::Assumed, None).expect("a good document");
        let suite = read(&suite).expect("good tests");
        let run = run::run(&policy, &suite, now);
        assert_eq!(run.results.len(), TESTS);
        assert!(run.results.iter().all(TestResult::is_met));
    });
    println!("test: {TESTS} tests, {} ms, at most {}", test_time.as_millis(), TEST.as_millis());
    assert!(check_time < CHECK && test_time < TEST, "too slow");
}

fn best(mut work: impl FnMut()) -> Duration {
    let runs = (0..5).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    runs.min().expect("five runs")
}

/// Routes as an API has them: a collection and its elements, with and without variables before.
fn document() -> String {
    let mut lines = vec![
        "jwtRules:".to_owned(),
        "- issuer: https://tenant.auth0.com/".to_owned(),
        "  audiences: [https://bookinfo.io]".to_owned(),
        format!("  jwks: '{}'", artifacts::jwks().replace('\n', " ")),
        "routes:".to_owned(),
    ];
    for number in 0..ROUTES {
        let path = match number % 3 {
            0 => format!("/v1/things-{number}"),
            1 => format!("/v1/things-{number}/{{id}}"),
            _ => format!("/tenants/{{tenant}}/things-{number}/{{**}}"),
        };
        lines.push(format!(
            "- {{name: r{number}, paths: [\"{path}\"], permissions: [\"read:{number}\"]}}"
        ));
    }
    lines.join("\n") + "\n"
}

fn suite() -> String {
    let mut lines = vec!["policy: routes.yaml".to_owned(), "tests:".to_owned()];
    for number in 0..TESTS {
        let path = match number % 3 {
            0 => format!("/v1/things-{number}"),
            1 => format!("/v1/things-{number}/7"),
            _ => format!("/tenants/acme/things-{number}/a/b"),
        };
        let (permission, expected) =
            if number % 2 == 0 { (number, "allow") } else { (number + 1, "deny") };
        lines.push(format!(
            "- {{request: GET {path}, claims: {{sub: user-{number}, permissions: [\"read:{permission}\"]}}, expect: {expected}, route: r{number}}}"
        ));
    }
    lines.join("\n") + "\n"
}
