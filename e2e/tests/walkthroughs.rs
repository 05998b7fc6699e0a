//! The walk-throughs in `docs/`: every configuration loads, every token opens what its page says, and
//! without what it grants it does not.

use std::fs;
use std::process::Command;

use jwt_rbac_config::PLACEHOLDER;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::{artifacts, manifests, verdict};
use serde_json::{Value, json};

/// What stands between fences of a page: what is behind the backticks, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let path = artifacts::root().join("docs").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let inside: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info.to_owned(), inside.join("\n")));
        }
    }
    blocks
}

/// A document of a page, with the test keys.
fn document(text: &str) -> Value {
    let value: Value = serde_saphyr::from_str(text).unwrap_or_else(|it| panic!("{it}: {text}"));
    let mut document = value.pointer("/spec/pluginConfig").unwrap_or(&value).clone();
    assert_eq!(document["jwtRules"][0]["jwks"], PLACEHOLDER, "{text}");
    document["jwtRules"][0]["jwks"] = artifacts::jwks().into();
    document
}

fn documents(page: &str) -> Vec<Value> {
    let yaml = blocks(page).into_iter().filter(|(info, _)| info == "yaml");
    yaml.map(|(_, text)| document(&text)).collect()
}

fn mint(command: &str) -> String {
    let arguments = command.strip_prefix("$ jwt-rbac ").expect("a command of jwt-rbac");
    let output = Command::new("sh")
        .args(["-c", &format!("cargo run --locked --quiet --package jwt-rbac-cli -- {arguments}")])
        .current_dir(artifacts::root())
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The slug of the denial of a request with this token.
fn denied(document: &Value, path: &str, token: &str) -> Option<&'static str> {
    let document = verdict::compile(document);
    let request = Request::get(path).bearer(token);
    verdict::denial(&document, &request).map(|denial| denial.refusal.slug())
}

#[test]
fn each_issuer_opens_the_route_by_what_its_token_grants() {
    let blocks = blocks("issuers.md");
    let mut count = 0;
    for pair in blocks.chunks(2) {
        let [(yaml, text), (console, command)] = pair else { panic!("pairs of blocks: {pair:?}") };
        assert_eq!((yaml.as_str(), console.as_str()), ("yaml", "console"), "{text}");
        let document = document(text);
        let token = mint(command);
        assert_eq!(denied(&document, "/reviews/0", &token), None, "{command}");
        let (without, _) = command.rsplit_once(" --").expect("a last argument");
        let reason = denied(&document, "/reviews/0", &mint(without));
        assert_eq!(reason, Some("permission_missing"), "{without}");
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn bookinfo_and_customers_are_what_the_manifests_are() {
    let shown = documents("auth0.md");
    let manifests = manifests::plugins();
    let of = |file: &str, name: &str| {
        let plugin = manifests.iter().find(|it| it.file == file && it.name() == name);
        plugin.expect("a plugin").filled().document().expect("a document").clone()
    };
    let expected = [
        of("bookinfo", "details-jwt-rbac"),
        of("customers", "customers-jwt-rbac"),
        of("customers", "web-frontend-jwt-rbac"),
    ];
    assert_eq!(shown, expected);
    // The token that the page shows, of a moderator with permissions.
    let blocks = blocks("auth0.md");
    let (_, claims) = blocks.iter().find(|(info, _)| info == "json").expect("a token");
    let claims: Value = serde_json::from_str(claims).expect("JSON");
    let mut recipe = Recipe::of_caller("user");
    for (name, value) in claims.as_object().expect("an object") {
        recipe = recipe.claim(name, value.clone());
    }
    assert_eq!(denied(&shown[0], "/details/0", &recipe.mint()), None);
}

#[test]
fn the_page_about_migration_shows_what_runs_in_istio() {
    let blocks = blocks("migration.md");
    let shown = blocks.iter().filter(|(info, _)| info == "yaml istio");
    let shown: Vec<Value> =
        shown.map(|(_, text)| serde_saphyr::from_str(text).expect("YAML")).collect();
    let tested = fs::read_to_string(artifacts::root().join("e2e/istio/native.yaml"))
        .expect("the resources of make test-istio")
        .replace("'JWKS'", PLACEHOLDER)
        .replace("WORKLOAD", "details")
        .replace("PERMISSION", "read:book-details");
    let tested: Vec<Value> = serde_saphyr::from_multiple(&tested).expect("YAML");
    assert_eq!(shown, tested);
    let documents = documents("migration.md");
    let [ours, tried] = documents.as_slice() else { panic!("two documents") };
    let token = Recipe::of_caller("user").mint();
    assert_eq!(denied(ours, "/details/0", &token), None);
    assert_eq!(denied(ours, "/details/0/x", &token), Some("route_unmatched"));
    let mut enforced = tried.clone();
    assert_eq!(enforced["dryRun"].take(), json!(true));
    enforced.as_object_mut().expect("an object").remove("dryRun");
    assert_eq!(&enforced, ours, "the trial is of the same document");
}
