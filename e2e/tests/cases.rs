//! Every suite of `testdata/cases` in one Envoy, each document on two listeners: ours and the
//! native pair.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::cases::{self, Case, Native, Suite};
use jwt_rbac_e2e::check;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::lds::ListenerFile;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::native;
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::Value;

#[test]
fn every_case_is_answered_as_written_and_as_by_the_native_pair() {
    let suites = cases::load();
    let module = artifacts::wasm().unwrap();
    // Why the pair has no words for a document, by the name of its listener.
    let mut inexpressible = BTreeMap::new();
    let mut listeners = Vec::new();
    for suite in &suites {
        for (document, config) in &suite.documents {
            let name = name(suite, document);
            let ours = filters::jwt_rbac(&name, config, &module);
            listeners.push(listener(&name, &[ours]));
            match native::filters(config) {
                Ok(filters) => listeners.push(listener(&twin(&name), &filters)),
                Err(reason) => drop(inexpressible.insert(name, reason)),
            }
        }
    }
    let upstream = Upstream::start();
    let file = ListenerFile::create(&listeners);
    let bootstrap = bootstrap(upstream.address, &[], Some(file.path()));
    let envoy = Envoy::start(&artifacts::envoy().unwrap(), &bootstrap).unwrap();

    let mut failures = unnamed_differences(&suites);
    let (refused, told) = refused(&envoy, &listeners);
    failures.extend(told);
    let mut count = 0;
    for suite in &suites {
        for case in &suite.cases {
            let name = name(suite, &case.document);
            if refused.contains(&name) || refused.contains(&twin(&name)) {
                continue;
            }
            if let Err(failure) = judge(&envoy, case, &name, inexpressible.get(&name)) {
                failures.push(format!("{}.yaml: {}\n{failure}", suite.name, case.name));
            }
            count += 1;
        }
    }
    println!("{count} cases of {} suites ran", suites.len());
    let number = failures.len();
    assert!(failures.is_empty(), "{}\n\n{number} failures", failures.join("\n\n"));
}

fn name(suite: &Suite, document: &str) -> String {
    format!("{}.{document}", suite.name)
}

fn twin(name: &str) -> String {
    format!("{name}.native")
}

/// Runs a case on both listeners.
fn judge(
    envoy: &Envoy,
    case: &Case,
    name: &str,
    inexpressible: Option<&String>,
) -> Result<(), String> {
    let case = &case.mint();
    let request = case.request();
    let ours = answer(&request, envoy.address(name))?;
    let mut failures = check::failures(case, &request, &ours);
    let theirs = match (&case.native, inexpressible) {
        (Native::None(_), _) => None,
        (_, Some(reason)) => {
            failures.push(format!("native: none is needed: {reason}"));
            None
        }
        _ => Some(answer(&request, envoy.address(&twin(name)))?),
    };
    if let Some(theirs) = &theirs {
        let same = Outcome::of(&ours) == Outcome::of(theirs);
        match &case.native {
            Native::Same if !same && !native::misreads(&request) => {
                failures.push("the native pair answers otherwise".to_owned());
            }
            Native::Differs(name) if same => {
                failures.push(format!("no difference, though {name} is one"));
            }
            _ => {}
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = failures.iter().map(|line| format!("    {line}")).collect();
    lines.insert(0, format!("  {}", request_line(&request)));
    lines.push(format!("    ours:   {}", check::summary(&ours)));
    if let Some(theirs) = &theirs {
        lines.push(format!("    native: {}", check::summary(theirs)));
    }
    Err(lines.join("\n"))
}

/// The listeners that Envoy did not take, and what it said about each.
fn refused(envoy: &Envoy, listeners: &[Value]) -> (BTreeSet<String>, Vec<String>) {
    let names = listeners.iter().filter_map(|listener| listener["name"].as_str());
    let names = names.filter(|name| !envoy.has_listener(name)).map(str::to_owned);
    let names: BTreeSet<String> = names.collect();
    let log = envoy.log();
    let told = names.iter().map(|name| {
        let told = log.lines().filter(|line| line.contains(&format!(" {name}")));
        let told: Vec<&str> = told.collect();
        format!("Envoy refused {name}; its cases did not run:\n    {}", told.join("\n    "))
    });
    let told = told.collect();
    (names, told)
}

fn answer(request: &Request, address: SocketAddr) -> Result<Response, String> {
    request.send(address).map_err(|error| format!("  {}: {error}", request_line(request)))
}

fn request_line(request: &Request) -> String {
    let mut line = format!("{} {}", request.method, request.target);
    line.truncate(line.char_indices().nth(200).map_or(line.len(), |(index, _)| index));
    line
}

/// `differences.yaml` and the cases name the same differences.
fn unnamed_differences(suites: &[Suite]) -> Vec<String> {
    let named: BTreeSet<String> = cases::differences().into_keys().collect();
    let mut used = BTreeSet::new();
    for case in suites.iter().flat_map(|suite| &suite.cases) {
        if let Native::Differs(name) = &case.native {
            used.insert(name.clone());
        }
    }
    let missing = used.difference(&named).map(|name| format!("{name} is not in differences.yaml"));
    let idle = named.difference(&used).map(|name| format!("no case shows the difference {name}"));
    missing.chain(idle).collect()
}
