//! The manifests of `wasmplugin/` do what their comments say: every `pluginConfig` runs in Envoy, before
//! the callers of its example, and every policy behind its plugin and without it.

use std::collections::BTreeSet;

use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, listener};
use jwt_rbac_e2e::manifests::{self, Resource};
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::{artifacts, filters, native};
use serde_json::json;

/// A request to a workload, and the answer that each caller gets.
struct Row {
    /// The files whose plugin answers so.
    files: &'static [&'static str],
    plugin: &'static str,
    host: &'static str,
    request: (&'static str, &'static str),
    /// Of anonymous, user, moderator, and user with a token that has expired.
    statuses: [u16; 4],
}

const BOOKINFO: &[&str] = &["bookinfo", "chart", "fenced", "trafficextension"];

const ROWS: &[Row] = &[
    row(BOOKINFO, "details-jwt-rbac", ("GET", "/details/0"), [403, 200, 200, 401]),
    row(BOOKINFO, "details-jwt-rbac", ("DELETE", "/details/0"), [403, 403, 403, 403]),
    row(BOOKINFO, "details-jwt-rbac", ("GET", "/health"), [200, 200, 200, 401]),
    row(BOOKINFO, "reviews-jwt-rbac", ("GET", "/reviews/0"), [403, 403, 200, 401]),
    row(BOOKINFO, "reviews-jwt-rbac", ("GET", "/other"), [403, 403, 403, 403]),
    row(BOOKINFO, "productpage-jwt-rbac", ("GET", "/productpage?u=normal"), [200, 200, 200, 401]),
    row(&["waypoint"], "reviews-jwt-rbac", ("GET", "/reviews/0"), [403, 403, 200, 401]),
    row(&["customers"], "customers-jwt-rbac", ("GET", "/"), [403, 403, 200, 401]),
    row(&["customers"], "customers-jwt-rbac", ("POST", "/"), [403, 403, 403, 403]),
    row(&["customers"], "web-frontend-jwt-rbac", ("GET", "/login"), [200, 200, 200, 401]),
    at("bookinfo.example.com", ("GET", "/productpage"), [200, 200, 200, 401]),
    at("bookinfo.example.com", ("GET", "/api/v1/products/0"), [403, 200, 200, 401]),
    at("bookinfo.example.com", ("GET", "/reviews/0"), [403, 403, 403, 403]),
    at("admin.example.com", ("GET", "/anything"), [403, 403, 200, 401]),
    at("other.example.com", ("GET", "/productpage"), [403, 403, 403, 403]),
];

const fn row(
    files: &'static [&'static str],
    plugin: &'static str,
    request: (&'static str, &'static str),
    statuses: [u16; 4],
) -> Row {
    Row { files, plugin, host: "bookinfo.test", request, statuses }
}

const fn at(host: &'static str, request: (&'static str, &'static str), statuses: [u16; 4]) -> Row {
    Row { files: &["gateway"], plugin: "ingress-jwt-rbac", host, request, statuses }
}

#[test]
fn every_plugin_answers_the_callers_of_its_example() {
    let plugins: Vec<_> = manifests::plugins().iter().map(Resource::filled).collect();
    let listeners: Vec<_> =
        plugins.iter().map(|it| listener(&listener_name(it), &[filter(it)])).collect();
    let envoy = Envoy::before_upstream(&listeners, None);
    let mut asked = BTreeSet::new();
    for row in ROWS {
        for file in row.files {
            let name = format!("{file}/{}", row.plugin);
            for (caller, status) in callers(file).into_iter().zip(row.statuses) {
                let response = envoy.answer(&name, &request(row, caller.as_ref()));
                let (method, path) = row.request;
                assert_eq!(response.status, status, "{name}: {method} {path}, {caller:?}");
            }
            asked.insert(name);
        }
    }
    let all: BTreeSet<_> = plugins.iter().map(listener_name).collect();
    assert_eq!(asked, all, "every plugin is asked");
}

/// Productpage, web-frontend and the gateway hand the token on, the others do not.
#[test]
fn only_callers_of_others_receive_the_token() {
    let plugins: Vec<_> = manifests::plugins().iter().map(Resource::filled).collect();
    let listeners: Vec<_> =
        plugins.iter().map(|it| listener(&listener_name(it), &[filter(it)])).collect();
    let envoy = Envoy::before_upstream(&listeners, None);
    for row in ROWS.iter().filter(|row| row.statuses[2] == 200) {
        for file in row.files {
            let moderator = &callers(file)[2];
            let response =
                envoy.answer(&format!("{file}/{}", row.plugin), &request(row, moderator.as_ref()));
            let seen = Seen::of(&response).expect("the workload answers");
            let has_token = seen.headers.iter().any(|(name, _)| name == "authorization");
            let calls_others =
                ["productpage-jwt-rbac", "web-frontend-jwt-rbac", "ingress-jwt-rbac"];
            assert_eq!(has_token, calls_others.contains(&row.plugin), "{file} {}", row.plugin);
        }
    }
}

/// The fence: behind its plugin a policy changes nothing, without it everything is denied.
#[test]
fn the_policies_of_fences_deny_what_has_not_passed() {
    let resources: Vec<_> = manifests::rendered().iter().map(Resource::filled).collect();
    let mut pairs = Vec::new();
    for policy in resources.iter().filter(|it| it.name().ends_with("-fence")) {
        let name = policy.name().trim_end_matches("-fence");
        let plugin = resources.iter().find(|it| it.file == policy.file && it.name() == name);
        let plugin = plugin.unwrap_or_else(|| panic!("{} has no plugin", policy.name()));
        let selectors = [policy, plugin].map(|it| &it.value["spec"]["selector"]);
        assert_eq!(selectors[0], selectors[1], "{name}: both are of one workload");
        assert_eq!(plugin.value["spec"]["phase"], "AUTHN", "{name}: before authorization");
        pairs.push((plugin, native::fence::filter(&policy.value)));
    }
    assert_eq!(pairs.len(), 4, "three of Bookinfo, one of the chart");
    let mut listeners = Vec::new();
    for (plugin, policy) in &pairs {
        let name = listener_name(plugin);
        listeners.push(listener(&name, &[filter(plugin), policy.clone()]));
        listeners.push(listener(&format!("{name} absent"), std::slice::from_ref(policy)));
    }
    let envoy = Envoy::before_upstream(&listeners, None);
    for (plugin, _) in &pairs {
        let name = listener_name(plugin);
        let rows = ROWS.iter();
        let of_plugin =
            rows.filter(|it| it.plugin == plugin.name() && it.files.contains(&"fenced"));
        for row in of_plugin {
            for (caller, status) in callers(&plugin.file).into_iter().zip(row.statuses) {
                let forged = request(row, caller.as_ref()).header("x-jwt-rbac", "forged");
                assert_eq!(envoy.answer(&name, &forged).status, status, "{name}: {caller:?}");
                assert_is_denied_natively(&envoy.answer(&format!("{name} absent"), &forged));
            }
        }
    }
}

fn assert_is_denied_natively(response: &Response) {
    assert_eq!((response.status, response.text().as_str()), (403, "RBAC: access denied"));
    let details = response.header(DETAILS_HEADER).unwrap_or_default();
    assert!(details.ends_with("-rule[0]]"), "not the filter's: {details}");
}

/// A gateway leaves `match` out, a sidecar says `SERVER`, and a waypoint is chosen by `targetRefs`.
#[test]
fn every_plugin_is_where_istio_puts_it() {
    for plugin in manifests::plugins() {
        let spec = &plugin.value["spec"];
        let name = listener_name(&plugin);
        let (has_match, has_targets) = (!spec["match"].is_null(), !spec["targetRefs"].is_null());
        match plugin.file.as_str() {
            "gateway" => assert!(!has_match && !has_targets, "{name}"),
            "waypoint" => assert!(!has_match && has_targets, "{name}"),
            _ => assert_eq!(spec["match"], json!([{"mode": "SERVER"}]), "{name}"),
        }
        let module = if plugin.kind() == "WasmPlugin" { spec } else { &spec["wasm"] };
        assert_eq!(module["failStrategy"], "FAIL_RELOAD", "{name}");
        // The API server refuses what is no digest.
        assert_eq!(module["sha256"], "REPLACE_WITH_WHAT_MAKE_PUSH_PRINTS", "{name}");
    }
}

fn listener_name(plugin: &Resource) -> String {
    format!("{}/{}", plugin.file, plugin.name())
}

fn filter(plugin: &Resource) -> serde_json::Value {
    let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
    let document = plugin.document().expect("a document");
    filters::jwt_rbac(&listener_name(plugin), document, &module)
}

/// Their tokens: anonymous, user, moderator, expired.
fn callers(file: &str) -> [Option<String>; 4] {
    let recipe = |caller: &str| match file {
        "customers" => {
            let recipe =
                Recipe::of_caller("user").claim("aud", json!(["https://customers.example.com"]));
            let granted = if caller == "moderator" { "read:customers" } else { "read:products" };
            recipe.claim("permissions", json!([granted]))
        }
        _ => Recipe::of_caller(caller),
    };
    let expired = recipe("user").claim("exp", json!("now-3600"));
    [None, Some(recipe("user").mint()), Some(recipe("moderator").mint()), Some(expired.mint())]
}

fn request(row: &Row, token: Option<&String>) -> Request {
    let request = Request::new(row.request.0, row.request.1).header("host", row.host);
    match token {
        Some(token) => request.bearer(token),
        None => request,
    }
}
