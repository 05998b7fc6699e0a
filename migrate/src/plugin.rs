//! The plugin of a target: its entries, the resource around them, and what the filter's own code says of them.

use std::collections::BTreeSet;

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac_config::place::{Place, Step};
use jwt_rbac_explain::check::{self, Finding, Severity};
use jwt_rbac_explain::source::{Node, Value};

use crate::native::{Native, NativeKind};
use crate::target::{Selects, Target};
use crate::{Kind, Notes, Options, Plugin, jwt_rules, policy, tree};

/// The longest name of a policy.
const LONGEST_NAME: usize = 63;

/// The names that are taken.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// A free name that begins like this one, with a number behind it if it has to be.
    fn take(&mut self, wanted: &str, longest: usize) -> String {
        let cut = |room: usize| {
            let cut: String = wanted.chars().take(room).collect();
            cut.trim_end_matches(['-', '.', '_']).to_owned()
        };
        let mut name = cut(longest);
        let mut number = 2;
        while self.0.contains(&name) {
            name = format!("{}-{number}", cut(longest.saturating_sub(4)));
            number += 1;
        }
        self.0.insert(name.clone());
        name
    }
}

/// An entry of the document and the resource that it is from.
struct Carried<'n> {
    native: &'n Native,
    node: Node,
}

/// The plugin, unless nothing is left for it.
pub fn of(
    target: &Target,
    natives: &[&Native],
    options: &Options,
    names: &mut Names,
    notes: &mut Notes,
) -> Option<Plugin> {
    let mut rules: Vec<Carried<'_>> = Vec::new();
    let mut policies: Vec<Carried<'_>> = Vec::new();
    let mut domain = None;
    let mut policy_names = Names::default();
    // The root namespace first, as Istio joins them.
    let (root, own): (Vec<&&Native>, Vec<_>) =
        natives.iter().partition(|it| it.namespace == options.root_namespace);
    for native in root.into_iter().chain(own) {
        match native.kind {
            NativeKind::RequestAuthentication => {
                for node in jwt_rules::entries(native, notes) {
                    // Two resources with the same rule are common, and verify one token twice.
                    if !rules.iter().any(|it| it.node.to_json() == node.to_json()) {
                        rules.push(Carried { native, node });
                    }
                }
            }
            NativeKind::AuthorizationPolicy => {
                let name = policy_names.take(&native.name, LONGEST_NAME);
                let Some(entry) = policy::entry(native, &name, notes) else { continue };
                domain = domain.or(entry.domain.map(|span| (native.file, span)));
                policies.push(Carried { native, node: entry.node });
            }
        }
    }
    if rules.is_empty() && policies.is_empty() {
        return None;
    }
    jwt_rules::order(&mut rules, |rule| &rule.node);
    let mut config = Vec::new();
    if !rules.is_empty() {
        config.push(("jwtRules", tree::list(rules.iter().map(|it| it.node.clone()))));
    }
    if let Some((file, span)) = domain {
        if options.trust_domains.is_empty() {
            let message = "istiod puts the trust domain of the mesh in place of this one, and its aliases beside it";
            let finding =
                Finding::new(Severity::Error, "trust-domain", "principals", span, message);
            let help = "say which: --trust-domain cluster.local, unless `trustDomain` of meshConfig is another; \
                        then each of `trustDomainAliases`";
            notes.add(file, finding.help(help));
        } else {
            let domains = options.trust_domains.iter().map(tree::text);
            config.push(("trustDomains", tree::list(domains)));
        }
    }
    if !policies.is_empty() {
        let entries = policies.iter().map(|it| it.node.clone());
        config.push(("authorizationPolicies", tree::list(entries)));
    }
    let config = tree::object(config);
    tell_of_problems(&config, &rules, &policies, notes);
    let mut sources: Vec<_> = rules.iter().chain(&policies).map(|it| it.native.title()).collect();
    sources.dedup();
    let name = names.take(&format!("{}-jwt-rbac", target.name()), 253);
    Some(Plugin { sources, resource: around(target, &name, config, options) })
}

/// The resource around a document.
fn around(target: &Target, name: &str, config: Node, options: &Options) -> Node {
    let namespace = target.namespace.as_ref().unwrap_or(&options.root_namespace);
    let metadata = tree::object([("name", tree::text(name)), ("namespace", tree::text(namespace))]);
    let mut spec = Vec::new();
    match &target.selects {
        Selects::Labels(labels) if labels.is_empty() => {}
        Selects::Labels(labels) => {
            let labels = labels.iter().map(|(name, value)| (name.as_str(), tree::text(value)));
            spec.push(("selector", tree::object([("matchLabels", tree::object(labels))])));
        }
        Selects::Reference(reference) => {
            let mut members =
                vec![("kind", tree::text(&reference.kind)), ("name", tree::text(&reference.name))];
            if !reference.group.is_empty() {
                members.insert(0, ("group", tree::text(&reference.group)));
            }
            spec.push(("targetRefs", tree::list([tree::object(members)])));
        }
    }
    let is_gateway = check::is_gateway(&tree::object(spec.clone()));
    spec.push(("phase", tree::text("AUTHN")));
    if !is_gateway {
        let inbound = tree::object([("mode", tree::text("SERVER"))]);
        spec.push(("match", tree::list([inbound])));
    }
    let wasm = [
        ("url", tree::text(&options.url)),
        ("failStrategy", tree::text("FAIL_RELOAD")),
        ("pluginConfig", config),
    ];
    let kind = match options.kind {
        Kind::WasmPlugin => {
            spec.extend(wasm);
            "WasmPlugin"
        }
        Kind::TrafficExtension => {
            spec.push(("wasm", tree::object(wasm)));
            "TrafficExtension"
        }
    };
    tree::object([
        ("apiVersion", tree::text("extensions.istio.io/v1alpha1")),
        ("kind", tree::text(kind)),
        ("metadata", metadata),
        ("spec", tree::object(spec)),
    ])
}

/// Tells of what the filter refuses, where it stands in the source.
fn tell_of_problems(
    config: &Node,
    rules: &[Carried<'_>],
    policies: &[Carried<'_>],
    notes: &mut Notes,
) {
    let text = config.to_json().to_string();
    let Err(problems) = jwt_rbac_config::compile(text.as_bytes(), &mut RustCrypto) else { return };
    for problem in &problems.errors {
        // An absent trust domain is told with its remedy.
        let message = problem.fault.to_string();
        if config.get("trustDomains").is_none() && message.contains("`trustDomains`") {
            continue;
        }
        let [Step::Field(field), Step::Index(index), ..] = problem.place.steps() else { continue };
        let carried = if *field == "jwtRules" { rules } else { policies };
        let Some(carried) = carried.get(*index) else { continue };
        let mut inner = Place::root();
        for step in problem.place.steps().iter().skip(2) {
            inner = match step {
                Step::Field(name) => inner.field(name),
                Step::Index(index) => inner.index(*index),
            };
        }
        let found = carried.node.find(&inner);
        let is_whole = matches!(found.node.value, Value::List(_) | Value::Object(_));
        let span = match found.name {
            Some(name) if is_whole => name.clone(),
            _ if is_whole => 0..0,
            _ => found.node.span.clone(),
        };
        let place = problem.place.to_string();
        let help = "the filter refuses this; change it here, or in what is written";
        let finding = if span.is_empty() {
            // What was written anew stands nowhere in the source.
            carried.native.finding(Severity::Error, "refused", message)
        } else {
            Finding::new(Severity::Error, "refused", place, span, message)
        };
        notes.add(carried.native.file, finding.help(help));
    }
}
