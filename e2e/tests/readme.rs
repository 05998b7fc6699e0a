//! README and docs say what is so: their commands are run and give what is shown, and their tables
//! hold what the code and the data hold. `make docs` writes the tables.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use jwt_rbac::refusal::Refusal;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::cases;
use jwt_rbac_e2e::command_line;
use jwt_rbac_e2e::page::{self, Block, blocks, check_table};
use jwt_rbac_e2e::temporary::TemporaryDirectory;
use jwt_rbac_explain::source;

/// A command of a page and the output that is shown for it.
struct Step {
    command: String,
    output: String,
}

#[test]
fn the_commands_of_the_readme_give_what_it_shows() {
    let page = page::page("README.md");
    let blocks = blocks(&page);
    let directory = TemporaryDirectory::create().expect("a folder");
    for block in &blocks {
        if let Some((_, file)) = block.info.split_once(' ') {
            fs::write(directory.path().join(file), block.lines.join("\n")).expect("a file");
        }
    }
    let port = free_port();
    let mut running: Option<Trial> = None;
    let mut run = 0;
    for step in blocks.iter().filter(|block| block.info == "console").flat_map(steps) {
        let words: Vec<_> = step.command.split(' ').collect();
        match words.as_slice() {
            ["make", "run"] => check_matrix(&page),
            ["make", "try", config] => {
                let file = config.strip_prefix("CONFIG=").expect("make try takes CONFIG=");
                running = Some(Trial::start(&directory.path().join(file), port));
            }
            ["make", target] => check_target(target),
            ["kubectl", "apply", "-k", path] => {
                let path = artifacts::root().join(path).join("kustomization.yaml");
                assert!(path.is_file(), "{}", path.display());
            }
            _ => {
                assert!(running.is_some(), "`{}` stands before `make try`", step.command);
                check_output(&step, &directory, port);
                run += 1;
            }
        }
    }
    assert_eq!(run, 6, "commands whose output is compared");
    let shown = blocks.iter().find(|block| block.info == "text").expect("what `make try` shows");
    running.expect("`make try` runs").check_that_it_says(&shown.lines);
}

#[test]
fn the_mistake_that_the_readme_shows_is_named_as_it_says() {
    let page = page::page("README.md");
    let policy = blocks(&page).into_iter().find(|block| block.info == "yaml orders.yaml");
    let policy = policy.expect("the README has a policy").lines.join("\n");
    let broken = policy.replace("pathVariable: customer", "pathVariable: client");
    assert_ne!(broken, policy);
    let directory = TemporaryDirectory::create().expect("a folder");
    let file = directory.path().join("orders.yaml");
    fs::write(&file, broken).expect("a file");
    let output = Command::new(command_line::binary()).arg("try").arg(&file).output();
    let output = output.expect("jwt-rbac runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let shown = "expected the variable `{client}` as one segment";
    assert!(!output.status.success() && said.contains(shown), "{said}");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(shown), "the README shows another message");
}

#[test]
fn the_tables_hold_what_there_is() {
    let rows = Refusal::ALL.iter().map(|refusal| {
        let (slug, status, text) = (refusal.slug(), refusal.status(), refusal.text());
        let (meaning, remedy) = (refusal.meaning(), refusal.remedy());
        format!("| `{slug}` | {status} | `{text}` | {meaning} | {remedy} |")
    });
    check_table(
        "docs/refusals.md",
        "refusals",
        "reason | status | body | what happened | remedy",
        rows,
    );
    let differences = cases::differences();
    let rows = differences.iter().map(|(name, difference)| {
        format!("| {name} | {} | {} | {} |", difference.native, difference.ours, difference.why)
    });
    check_table("README.md", "differences", " | Istio | this filter | why", rows);
}

#[test]
fn the_commands_of_the_docs_are_targets_of_make() {
    let blocks = blocks(&page::page("docs/operations.md"));
    let steps: Vec<_> =
        blocks.iter().filter(|block| block.info == "console").flat_map(steps).collect();
    assert!(!steps.is_empty());
    for step in steps {
        check_target(step.command.strip_prefix("make ").expect("a target of make"));
    }
}

#[test]
fn the_workflows_are_yaml_and_run_targets_of_make() {
    for name in ["ci", "release"] {
        let text = page::page(&format!(".github/workflows/{name}.yml"));
        let faults = source::parse(&text).faults;
        assert!(faults.is_empty(), "{name}: {faults:?}");
        let targets = text.lines().filter_map(|line| line.trim().strip_prefix("- run: make "));
        targets.filter_map(|line| line.split(' ').next()).for_each(check_target);
    }
}

/// Every promise of SECURITY.md names its tests: a file, and functions of it.
#[test]
fn every_promise_names_tests_that_there_are() {
    let page = page::page("SECURITY.md");
    let (_, promises) = page.split_once("| promise | tests |\n").expect("the table");
    let promises = promises.lines().take_while(|line| line.starts_with('|')).skip(1);
    let mut count = 0;
    for promise in promises {
        let (_, cell) = promise.trim_end_matches(" |").rsplit_once(" | ").expect("two columns");
        for tests in cell.split("<br>") {
            let (file, names) = tests.split_once(": ").expect("a file and its tests");
            let source = page::page(file.trim_matches('`'));
            for name in names.split(", ").map(|name| name.trim_matches('`')) {
                let is_there = source.contains(&format!("fn {name}("));
                assert!(is_there, "SECURITY.md names `{name}` of {file}, which is not there");
                count += 1;
            }
        }
    }
    assert!(count > 50, "SECURITY.md names {count} tests");
}

/// Every line that `make run` shows about who may do what is in the page.
fn check_matrix(page: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_bookinfo")).arg("--once").output();
    let output = output.expect("bookinfo runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<_> =
        said.lines().skip_while(|line| !line.starts_with("caller")).take(5).collect();
    assert_eq!(lines.len(), 5, "{said}");
    for line in lines {
        assert!(page.contains(line.trim_end()), "the README does not show: {line}");
    }
}

fn check_target(target: &str) {
    let makefile = page::page("Makefile");
    let is_there = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    assert!(is_there, "the Makefile has no target {target}");
}

/// Runs a command as it stands, but for the port, and compares its output.
fn check_output(step: &Step, directory: &TemporaryDirectory, port: u16) {
    let root = artifacts::root();
    let tokens = env::temp_dir().join(format!("jwt-rbac-{port}"));
    let command = step
        .command
        .replace("127.0.0.1:9080", &format!("127.0.0.1:{port}"))
        .replace("/tmp/jwt-rbac-9080", &tokens.to_string_lossy())
        .replace("orders.yaml", &directory.path().join("orders.yaml").to_string_lossy());
    let output = Command::new("sh").arg("-c").arg(&command).current_dir(root).output();
    let output = output.expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command}\n{said}{problem}");
    assert_eq!(said.trim_end(), step.output.trim_end(), "{command}");
}

/// A running `make try` and its output. It ends with the test.
struct Trial {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Trial {
    fn start(policy: &Path, port: u16) -> Self {
        let mut process = Command::new(command_line::binary())
            .arg("try")
            .arg(policy)
            .args(["--port", &port.to_string(), "--wasm"])
            .arg(artifacts::built_module().expect("the module"))
            .env("ENVOY", artifacts::envoy().expect("an Envoy"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("try runs");
        let output = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut trial = Self { process, output };
        let is_last = |line: String| line.ends_with("Decisions, as they are made:");
        assert!(trial.output.by_ref().map_while(Result::ok).any(is_last), "it does not get ready");
        trial
    }

    /// Reads on until all of these lines were there, one after the other.
    fn check_that_it_says(&mut self, lines: &[String]) {
        for wanted in lines {
            let mut said = self.output.by_ref().map_while(Result::ok);
            assert!(said.any(|line| line == *wanted), "`make try` does not say: {wanted}");
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in &block.lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push(Step { command: command.to_owned(), output: String::new() });
            }
            (None, Some(step)) => {
                step.output.push_str(line);
                step.output.push('\n');
            }
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    steps
}
