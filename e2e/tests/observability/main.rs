//! The dashboard and the alerts of `observability/`: they name metrics that there are, and each query
//! of the dashboard has an answer in a real Prometheus that scrapes real Envoys under traffic.
//!
//! `make test-observability` runs what needs Prometheus; `UPDATE_DOCS=1` writes the picture of its
//! answers, `docs/dashboard.svg`.

mod picture;
mod prometheus;
mod traffic;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac_e2e::artifacts;
use serde_json::Value;

use prometheus::{Prometheus, Series};
use traffic::Traffic;

/// The time that the traffic has to show in every panel.
const OBSERVED: Duration = Duration::from_mins(1);

/// What Grafana writes in place of these when somebody looks at the traffic of the test.
const VARIABLES: [(&str, &str); 4] = [
    ("$__rate_interval:15s", "10s:1s"),
    ("$__rate_interval", "10s"),
    ("$namespace", ".*"),
    ("$app", ".*"),
];

/// A panel of the dashboard.
struct Panel {
    title: String,
    unit: String,
    /// Each query, and how its series are called.
    queries: Vec<(String, String)>,
}

fn dashboard() -> Vec<Panel> {
    let dashboard: Value = serde_json::from_str(&file("dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let panel = |panel: &Value| Panel {
        title: text(&panel["title"]),
        unit: text(&panel["fieldConfig"]["defaults"]["unit"]),
        queries: panel["targets"]
            .as_array()
            .expect("queries")
            .iter()
            .map(|target| (text(&target["expr"]), text(&target["legendFormat"])))
            .collect(),
    };
    panels.iter().filter(|panel| panel["type"] != "row").map(panel).collect()
}

fn file(name: &str) -> String {
    let path = artifacts::root().join("observability").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn dashboard_and_alerts_name_metrics_that_there_are() {
    let known = metrics();
    let queries: Vec<String> =
        dashboard().into_iter().flat_map(|panel| panel.queries).map(|(query, _)| query).collect();
    let mut names = 0;
    for text in queries.iter().chain([&file("alerts.yaml")]) {
        for (start, _) in text.match_indices("jwt_rbac_") {
            let name = &text[start..];
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let (name, rest) = name.split_at(name.find(|c| !is_name(c)).unwrap_or(name.len()));
            // `jwt_rbac_denied_.+`, and `jwt_rbac_would_deny_*` in prose.
            let is_prefix = rest.starts_with(['.', '(', '*']);
            let is_known = |known: &String| {
                if is_prefix { known.starts_with(name) } else { known == name }
            };
            assert!(known.iter().any(is_known), "no metric is called {name} in {text}");
            names += 1;
        }
    }
    assert!(names > 30, "{names} names");
}

/// All metrics of the filter: the names in its source, with all that can stand in their gaps.
fn metrics() -> BTreeSet<String> {
    let sources = fs::read_dir(artifacts::root().join("filter/src")).expect("the filter");
    let sources = sources.map(|entry| fs::read_to_string(entry.expect("a file").path()));
    let sources: String = sources.map(|source| source.expect("a source")).collect();
    let slugs = || Refusal::ALL.iter().map(|refusal| refusal.slug());
    let literals = sources.split("\"jwt_rbac_").skip(1);
    let literals = literals.filter_map(|literal| Some(literal.split_once('"')?.0));
    let expand = |literal: &str| -> Vec<String> {
        match literal {
            "{word}_{}" => ["denied", "would_deny"]
                .iter()
                .flat_map(|word| slugs().map(move |slug| format!("{word}_{slug}")))
                .collect(),
            "jwks_refresh_failed_{}" => CAUSES.map(|cause| literal.replace("{}", cause)).to_vec(),
            _ => vec![literal.replace("{route}", "reviews")],
        }
    };
    let names: BTreeSet<String> =
        literals.flat_map(expand).map(|name| format!("jwt_rbac_{name}")).collect();
    let gap = names.iter().find(|name| name.contains('{'));
    assert_eq!(gap, None, "say here what stands in its gap");
    names
}

/// Why a fetch of keys fails.
const CAUSES: [&str; 7] = ["cluster", "unreachable", "status", "size", "discovery", "body", "keys"];

/// Of all denials those are refused tokens that are in no other list.
#[test]
fn refused_tokens_are_counted_apart() {
    let others = Refusal::ALL.iter().filter(|refusal| refusal.kind() != Kind::Token);
    let others: Vec<_> = others.map(|refusal| refusal.slug()).collect();
    let list = format!("__name__!~\"jwt_rbac_denied_({})\"", others.join("|"));
    let panels = dashboard();
    let panel = panels.iter().find(|panel| panel.title == "Refused tokens").expect("the panel");
    for (place, text) in
        [("dashboard.json", &panel.queries[0].0), ("alerts.yaml", &file("alerts.yaml"))]
    {
        assert!(text.contains(&list), "{place} of observability has not {list}");
    }
}

#[test]
#[ignore = "make test-observability"]
fn every_query_of_the_dashboard_has_an_answer() {
    let traffic = Traffic::start();
    let prometheus =
        Prometheus::start(&traffic.targets(), &artifacts::root().join("observability/alerts.yaml"));
    let start = prometheus.now();
    traffic.run(OBSERVED);
    let end = prometheus.now();
    assert_eq!(prometheus.unhealthy_rules(), Vec::<String>::new());
    let mut drawn = Vec::new();
    let mut silent = Vec::new();
    for panel in dashboard() {
        let mut lines: Vec<(String, Series)> = Vec::new();
        for (query, legend) in &panel.queries {
            let query = VARIABLES.iter().fold(query.clone(), |it, (from, to)| it.replace(from, to));
            let found = prometheus.query_range(&query, start, end);
            println!("{}: {} series of {query}", panel.title, found.len());
            if found.iter().all(|series| series.points.is_empty()) {
                silent.push(format!("{}: {query}", panel.title));
            }
            lines.extend(found.into_iter().map(|series| (series.name(legend), series)));
        }
        drawn.push((panel, lines));
    }
    assert!(silent.is_empty(), "no answer to\n{}", silent.join("\n"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = artifacts::root().join("docs/dashboard.svg");
        fs::write(path, picture::svg(&drawn, start, end)).expect("the picture can be written");
    }
}
