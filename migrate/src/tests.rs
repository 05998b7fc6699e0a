use std::fs;
use std::path::Path;

use jwt_rbac_config::PLACEHOLDER;
use jwt_rbac_explain::check::{self, File, Severity};
use jwt_rbac_explain::source;

use super::{Kind, Migrated, Options, migrate};
use crate::target::Target;

fn options() -> Options {
    Options {
        kind: Kind::WasmPlugin,
        url: "oci://registry.example.com/team/jwt-rbac:0.1.0".to_owned(),
        namespace: "default".to_owned(),
        root_namespace: "istio-system".to_owned(),
        trust_domains: Vec::new(),
        workloads: Vec::new(),
    }
}

fn file(text: &str) -> File {
    File { name: "istio.yaml".to_owned(), text: text.to_owned(), from_folder: false }
}

fn of(text: &str, options: &Options) -> Migrated {
    migrate(&[file(text)], options)
}

fn policy(name: &str, spec: &str) -> String {
    format!("kind: AuthorizationPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n")
}

/// The rules of the findings, and the texts that they point at.
fn told<'t>(migrated: &Migrated, text: &'t str) -> Vec<(&'static str, &'t str)> {
    let findings = migrated.checked.iter().flat_map(|checked| &checked.findings);
    findings.map(|it| (it.rule, &text[it.span.clone()])).collect()
}

/// What `e2e/tests/istio_samples.rs` sends requests to, in Envoy.
#[test]
fn the_samples_of_istio_become_the_plugins_beside_them() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let keys = fs::read_to_string(testdata.join("jwks.json")).unwrap().replace('\n', "");
    let read =
        |path: &Path| fs::read_to_string(path).unwrap().replace(PLACEHOLDER, &format!("'{keys}'"));
    let mut count = 0;
    for entry in fs::read_dir(testdata.join("istio")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("istio.yaml").exists() {
            continue;
        }
        let migrated = of(&read(&folder.join("istio.yaml")), &options());
        assert_eq!(migrated.checked[0].findings, [], "{}", folder.display());
        let written = migrated.yaml().unwrap();
        let plugins = [&written, &read(&folder.join("plugin.yaml"))].map(|text| {
            let mut plugin = source::parse(text).documents.remove(0).to_json();
            // They are for one workload, and have one name for it.
            plugin["metadata"]["name"].take();
            plugin
        });
        assert_eq!(plugins[0], plugins[1], "{}", folder.display());
        let checked = check::check(&[file(&written)], None);
        let errors = checked[0].findings.iter().filter(|it| it.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{written}");
        count += 1;
    }
    assert!(count >= 10, "{count} samples");
}

#[test]
fn what_is_for_a_workload_becomes_one_plugin() {
    let text = "kind: List\nitems:\n\
                - {kind: AuthorizationPolicy, metadata: {name: a, namespace: istio-system}, spec: {action: DENY, rules: [{}]}}\n\
                - {kind: AuthorizationPolicy, metadata: {name: a, namespace: x}, spec: {selector: {matchLabels: {app: one}}}}\n\
                - {kind: AuthorizationPolicy, metadata: {name: b, namespace: b}, spec: {selector: {matchLabels: {app: one}}}}\n";
    let mut options = options();
    options.workloads.push(Target::parse("b/app=two", "default").unwrap());
    let migrated = of(text, &options);
    let sources: Vec<_> = migrated.plugins.iter().map(|plugin| plugin.sources.join(" ")).collect();
    assert_eq!(
        sources,
        [
            "AuthorizationPolicy istio-system/a AuthorizationPolicy x/a",
            "AuthorizationPolicy istio-system/a AuthorizationPolicy b/b",
            "AuthorizationPolicy istio-system/a",
        ]
    );
    // The user has named the other workloads, so this is no error.
    assert!(!migrated.has_errors());
    assert_eq!(told(&migrated, text), [("overlap", "a")]);
    let yaml = migrated.yaml().unwrap();
    for name in ["name: one-jwt-rbac\n", "name: one-jwt-rbac-2\n", "name: a-2\n"] {
        assert!(yaml.contains(name), "{name}: {yaml}");
    }
}

#[test]
fn two_plugins_never_judge_one_workload() {
    let narrow = policy("narrow", "{selector: {matchLabels: {app: a}}}");
    for (wide, plugins) in [
        ("{}", 1),
        ("{selector: {matchLabels: {version: v1}}}", 0),
        ("{selector: {matchLabels: {app: b}}}", 2),
    ] {
        let text = narrow.clone() + &policy("wide", wide);
        let migrated = of(&text, &options());
        assert_eq!(migrated.plugins.len(), plugins, "{wide}");
        assert_eq!(migrated.has_errors(), plugins < 2, "{wide}");
    }
}

#[test]
fn what_is_not_carried_over_is_told() {
    let rule_without = "{to: [{operation: {paths: [/a]}}]}";
    for (spec, expected) in [
        // The direct peer: an ALLOW policy loses the rule.
        (
            format!("{{rules: [{rule_without}, {{from: [{{source: {{ipBlocks: [10.0.0.1]}}}}]}}]}}"),
            vec![("not-carried", "ipBlocks")],
        ),
        // A DENY policy that reads no token works beside the filter.
        (
            "{action: DENY, rules: [{when: [{key: source.ip, values: [10.0.0.1]}]}]}".to_owned(),
            vec![("stays", "p")],
        ),
        (
            "{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ['*'], notIpBlocks: [10.0.0.1]}}]}]}".to_owned(),
            vec![("not-carried", "notIpBlocks")],
        ),
        ("{action: CUSTOM, provider: {name: x}, rules: [{}]}".to_owned(), vec![("stays", "p")]),
        (
            "{rules: [{from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]}]}".to_owned(),
            vec![("trust-domain", "cluster.local/ns/a/sa/b")],
        ),
        (
            "{rules: [{to: [{operation: {paths: ['/{*']}}]}], rule: []}".to_owned(),
            vec![("resource", "rule")],
        ),
        // Without the label the selector would select more.
        ("{selector: {matchLabels: {app: a, version: 1}}}".to_owned(), vec![("resource", "1")]),
        (
            "{rules: [{to: [{operation: {ports: [http]}}]}]}".to_owned(),
            vec![("refused", "http")],
        ),
    ] {
        let text = policy("p", &spec);
        let migrated = of(&text, &options());
        assert_eq!(told(&migrated, &text), expected, "{spec}");
    }
}

#[test]
fn a_policy_that_stays_needs_no_plugin() {
    let text = policy("wide", "{rules: [{}]}")
        + &policy(
            "custom",
            "{action: CUSTOM, provider: {name: x}, selector: {matchLabels: {app: a}}, rules: [{}]}",
        );
    let migrated = of(&text, &options());
    assert_eq!(told(&migrated, &text), [("stays", "custom")]);
    assert_eq!(migrated.plugins.len(), 1);
}

#[test]
fn what_istiod_fills_in_is_written() {
    let text = policy(
        "p",
        "{rules: [{from: [{source: {principals: [cluster.local/ns/a/sa/b]}}, {source: {serviceAccounts: [c]}}]}]}",
    );
    let mut options = options();
    options.trust_domains = vec!["mesh.example".to_owned(), "old.example".to_owned()];
    options.kind = Kind::TrafficExtension;
    let migrated = of(&text, &options);
    assert_eq!(told(&migrated, &text), []);
    let yaml = migrated.yaml().unwrap();
    for line in [
        "trustDomains: [mesh.example, old.example]",
        "namespace: default",
        "kind: TrafficExtension",
    ] {
        assert!(yaml.contains(line), "{line}: {yaml}");
    }
}

#[test]
fn empty_fields_are_as_absent_and_both_spellings_are_known() {
    let text = "kind: RequestAuthentication\nmetadata: {name: r}\nspec: {jwtRules: [{issuer: '', audiences: [], \
                jwks_uri: 'http://keys.auth.svc.cluster.local/keys', fromHeaders: null}]}\n";
    let migrated = of(text, &options());
    assert_eq!(told(&migrated, text), []);
    let yaml = migrated.yaml().unwrap();
    assert!(yaml.contains("- anyAudience: true\n      jwksUri: http://"), "{yaml}");
    assert!(yaml.contains("allowInsecureJwks: true"), "{yaml}");
}

#[test]
fn rules_of_several_tokens_have_the_order_of_istiod() {
    let rules = |presence| {
        format!(
            "kind: RequestAuthentication\nmetadata: {{name: r}}\nspec:\n  jwtRules:\n  - {{issuer: b.test, jwks: \
             '{{}}', fromHeaders: [{{name: x-b}}]{presence}}}\n  - {{issuer: a.test, jwks: '{{}}'}}\n"
        )
    };
    let first = |text: &str| {
        let yaml = of(text, &options()).yaml().unwrap();
        let place = |issuer| yaml.find(issuer).unwrap_or_else(|| panic!("{yaml}"));
        if place("a.test") < place("b.test") { "a.test" } else { "b.test" }
    };
    assert_eq!(first(&rules("")), "b.test");
    assert_eq!(first(&rules(", presence: REQUIRED")), "a.test");
}

#[test]
fn a_name_does_not_end_the_comment() {
    let text = policy("\"a\\nb: c\"", "{}");
    let yaml = of(&text, &options()).yaml().unwrap();
    assert!(yaml.starts_with("# From AuthorizationPolicy default/a b: c.\napiVersion"), "{yaml}");
}
