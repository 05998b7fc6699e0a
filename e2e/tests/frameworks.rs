//! Programs on real frameworks behind the filter (`e2e/workloads/`): whatever one of them understands
//! of a request is what the filter judged. A protected thing is reached by those alone who may, and
//! no identity and no token is visible that nobody verified.
//!
//! The requests are those of `docs/workloads.md`, all but what is passed on. `make test-workloads`
//! runs the programs that need more than python3.

use std::path::Path;
use std::process::Command;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::{self, HOST, Request};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::with_tunnels;
use jwt_rbac_e2e::other_names::{self, Rule, Sent, TOKEN};
use jwt_rbac_e2e::sent::send;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::workload::{Understood, Workload};
use serde_json::{Value, json};

/// The subject of the caller.
const SUBJECT: &str = "auth0|user";

#[test]
fn the_loosest_reader_understands_what_was_judged() {
    check(&mut loosest());
}

/// Otherwise nothing would be shown by that.
#[test]
fn the_loosest_reader_is_fooled_by_each_request_without_the_filter() {
    let workload = Workload::start(&mut loosest());
    for (rule, sent) in requests() {
        // Envoy takes these away, and Python knows no HTTP/2 to change to.
        if rule == Rule::RemovedByEnvoy {
            continue;
        }
        let (request, body) = sent.request("POST", "/item/admin");
        // As the filter would write it.
        let request = request.header("x-sub", SUBJECT);
        let bytes = [request.bytes(), body.into_bytes()].concat();
        let response = client::exchange(workload.address, &bytes, false);
        let understood = Understood::of(&response.expect("an answer"));
        let wrongs = understood.as_ref().map(|understood| wrongs(understood, Some(SUBJECT)));
        assert!(wrongs.is_some_and(|wrongs| !wrongs.is_empty()), "{sent:?}: {understood:?}");
    }
}

#[test]
#[ignore = "make test-workloads"]
fn flask_understands_what_was_judged() {
    check(&mut flask());
}

#[test]
#[ignore = "make test-workloads"]
fn flask_on_gunicorn_understands_what_was_judged() {
    check(flask().arg("--gunicorn"));
}

#[test]
#[ignore = "make test-workloads"]
fn express_understands_what_was_judged() {
    check(Command::new("node").arg(artifacts::root().join("e2e/workloads/express/workload.js")));
}

#[test]
#[ignore = "make test-workloads"]
fn go_understands_what_was_judged() {
    check(&mut Command::new(artifacts::root().join("target/workloads/go")));
}

/// Puts a program behind the filter and sends it every request, with a token and without.
fn check(command: &mut Command) {
    let workload = Workload::start(command);
    let envoy = before(&workload);
    reach_all(&envoy);
    let user = Recipe::of_caller("user").mint();
    let mut failures = Vec::new();
    let requests = requests().into_iter().flat_map(|(_, sent)| {
        // A form may override its method, and a WebSocket begins with GET.
        ["GET", "POST"].map(|method| (sent.request(method, "/item/admin"), sent.clone()))
    });
    for ((request, body), sent) in requests {
        let callers = [(request.clone(), None), (request.bearer(&user), Some(SUBJECT))];
        for (request, subject) in callers {
            let response = send(envoy.address("ours"), &request, &body);
            let response = response.unwrap_or_else(|error| panic!("{sent:?}: {error}"));
            let Some(understood) = Understood::of(&response) else { continue };
            for wrong in wrongs(&understood, subject) {
                failures.push(
                    format!("{} {sent:?} by {subject:?}: {wrong}", request.method)
                        .replace(TOKEN, "{token}"),
                );
            }
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

/// What the workload understood and must not have, for a caller with this subject who may neither
/// delete nor see the administration.
fn wrongs(understood: &Understood, subject: Option<&str>) -> Vec<String> {
    let Understood { area, method, path, host, token, cookie, .. } = understood;
    let is_admin = area.as_deref() == Some("admin");
    let deletes = method == "DELETE";
    let wrongs = [
        is_admin.then(|| format!("{path} was reached")),
        deletes.then(|| format!("{path} was deleted")),
        (understood.subject.as_deref() != subject)
            .then(|| format!("the subject is {:?}", understood.subject)),
        (!token.is_null()).then(|| format!("the token is {token}")),
        cookie.as_ref().map(|cookie| format!("the cookie is {cookie}")),
        (host.split(':').next() != Some(HOST)).then(|| format!("the host is {host}")),
    ];
    wrongs.into_iter().flatten().collect()
}

/// Who may do everything can: the program is there, and has what must be protected.
fn reach_all(envoy: &Envoy) {
    let permissions = json!(["see:admin", "delete:items"]);
    let token = Recipe::of_caller("user").claim("permissions", permissions).mint();
    for (method, path, area) in [
        ("GET", "/item/7", "item"),
        ("POST", "/item/7", "item"),
        ("DELETE", "/item/7", "item"),
        ("GET", "/admin", "admin"),
    ] {
        let request = Request::new(method, path).bearer(&token);
        let response = envoy.answer("ours", &request);
        let understood = Understood::of(&response);
        let understood = understood.unwrap_or_else(|| panic!("{method} {path}: {response:?}"));
        assert_eq!(understood.area.as_deref(), Some(area));
        assert_eq!((understood.method.as_str(), understood.path.as_str()), (method, path));
        assert_eq!(understood.subject.as_deref(), Some(SUBJECT));
        assert_eq!((understood.token, understood.cookie), (Value::Null, None));
    }
}

/// The requests of the page, all but those that the workload must deal with.
fn requests() -> Vec<(Rule, Sent)> {
    let rows = other_names::rows().into_iter().filter(|row| row.rule != Rule::PassedOn);
    rows.flat_map(|row| row.sent.into_iter().map(move |sent| (row.rule, sent))).collect()
}

fn before(workload: &Workload) -> Envoy {
    let module = artifacts::wasm().unwrap();
    let filter = filters::jwt_rbac("ours", &document(), &module);
    let bootstrap = bootstrap(workload.address, &[with_tunnels("ours", &[filter])], None);
    Envoy::start(&artifacts::envoy().unwrap(), &bootstrap).unwrap()
}

fn document() -> Value {
    let mut routes = json!([
        {"paths": ["/item/{id}"], "methods": ["DELETE"], "permissions": ["delete:items"]},
        {"paths": ["/item/{id}"], "access": "PUBLIC"},
        {"paths": ["/admin"], "permissions": ["see:admin"]},
    ]);
    for route in routes.as_array_mut().unwrap() {
        route["hosts"] = json!([HOST]);
    }
    json!({"jwtRules": [other_names::provider()], "routes": routes})
}

fn loosest() -> Command {
    python(Path::new("python3"), "loosest")
}

fn flask() -> Command {
    python(&artifacts::root().join(".venv/bin/python"), "flask")
}

fn python(interpreter: &Path, program: &str) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(artifacts::root().join("e2e/workloads").join(program).join("workload.py"));
    command
}
