//! An `AuthorizationPolicy` as an entry of `authorizationPolicies`, or why it can't be one.

use std::ops::Range;

use jwt_rbac_explain::check::{Finding, Severity};
use jwt_rbac_explain::source::{Member, Node, Value};

use crate::Notes;
use crate::native::Native;
use crate::tree;

/// A policy that the filter takes over.
pub struct Entry {
    pub node: Node,
    /// Whether it names a trust domain, which has to be known then.
    pub domain: Option<Range<usize>>,
}

/// Whether a policy stays with Istio and works there beside the filter, which is told.
pub fn stays(native: &Native, notes: &mut Notes) -> bool {
    let Spec { action, rules, .. } = &Spec::of(native);
    let (message, help) = if action == "CUSTOM" {
        let message =
            "CUSTOM asks another service, which the filter can't: this policy stays with Istio";
        (message.to_owned(), "keep the resource; it decides before the filter")
    } else {
        let lost = rules.iter().find_map(Lost::in_rule);
        let is_additional = matches!(action.as_str(), "DENY" | "AUDIT");
        let Some(lost) = lost.filter(|_| is_additional && !rules.iter().any(reads_token)) else {
            return false;
        };
        let message = format!("{} can't be had in Wasm: this policy stays with Istio", lost.what);
        (message, "keep the resource: it reads no token, so it works beside the filter")
    };
    let finding = native.finding(Severity::Warning, "stays", message);
    notes.add(native.file, finding.help(help));
    true
}

/// What a policy says.
struct Spec {
    action: String,
    action_node: Option<Node>,
    rules: Vec<Node>,
    span: Range<usize>,
}

impl Spec {
    fn of(native: &Native) -> Self {
        let spec = native.node.get("spec").map(tree::pruned);
        let field = |name: &str| spec.as_ref().and_then(|spec| spec.get(name));
        let rules = field("rules");
        Self {
            action: field("action").and_then(Node::text).unwrap_or("ALLOW").to_owned(),
            action_node: field("action").cloned(),
            rules: rules.map_or(&[][..], Node::elements).to_vec(),
            span: rules.map_or(0..0, |rules| rules.span.clone()),
        }
    }
}

/// The entry, under this name; `None` if nothing is left of it.
pub fn entry(native: &Native, name: &str, notes: &mut Notes) -> Option<Entry> {
    let Spec { action, action_node, rules, span } = Spec::of(native);
    let lost: Vec<Option<Lost>> = rules.iter().map(Lost::in_rule).collect();
    let is_additional = matches!(action.as_str(), "DENY" | "AUDIT");
    for lost in lost.iter().flatten() {
        let what = lost.what;
        let message = format!("{what} can't be had in Wasm: the rule is left out");
        let help = if is_additional {
            "write `remoteIpBlocks` if that is meant, or give the rules that read no token a policy of their own, \
             which stays with Istio"
        } else {
            "write `remoteIpBlocks` if that is meant; without the rule its requests are denied"
        };
        let finding =
            Finding::new(Severity::Error, "not-carried", lost.what, lost.span.clone(), message);
        notes.add(native.file, finding.help(help));
    }
    let carried = rules.iter().zip(&lost).filter(|(_, lost)| lost.is_none());
    let carried: Vec<Node> = carried.map(|(rule, _)| rule.clone()).collect();
    if carried.is_empty() && action == "DENY" {
        return None;
    }
    let mut members = vec![
        tree::member("name", tree::text(name)),
        tree::member("namespace", tree::text(&native.namespace)),
    ];
    members.extend(action_node.map(|action| tree::member("action", action)));
    if native.is_dry_run() {
        members.push(tree::member("dryRun", tree::yes()));
    }
    let domain = carried.iter().flat_map(principals).find(|it| names_domain(it));
    let domain = domain.map(|node| node.span.clone());
    if !carried.is_empty() {
        let node = Node { span, value: Value::List(carried) };
        members.push(Member { name: "rules".to_owned(), name_span: 0..0, node });
    }
    let node = Node { span: native.node.span.clone(), value: Value::Object(members) };
    Some(Entry { node, domain })
}

/// What of a rule Envoy does not tell a Wasm filter.
struct Lost {
    what: &'static str,
    span: Range<usize>,
}

impl Lost {
    fn in_rule(rule: &Node) -> Option<Self> {
        let fields = sources(rule).flat_map(Node::members).find_map(|member| {
            let what = match member.name.as_str() {
                "ipBlocks" => "`ipBlocks`, the direct peer,",
                "notIpBlocks" => "`notIpBlocks`, the direct peer,",
                _ => return None,
            };
            Some(Self { what, span: member.name_span.clone() })
        });
        fields.or_else(|| {
            conditions(rule).find_map(|key| {
                let what = match key.text()? {
                    "source.ip" => "`source.ip`, the direct peer,",
                    text if text.starts_with("experimental.") => {
                        "`experimental.…`, dynamic metadata,"
                    }
                    _ => return None,
                };
                Some(Self { what, span: key.span.clone() })
            })
        })
    }
}

fn sources(rule: &Node) -> impl Iterator<Item = &Node> {
    let from = rule.get("from").map_or(&[][..], Node::elements);
    from.iter().filter_map(|from| from.get("source"))
}

/// The keys of `when`.
fn conditions(rule: &Node) -> impl Iterator<Item = &Node> {
    let when = rule.get("when").map_or(&[][..], Node::elements);
    when.iter().filter_map(|when| when.get("key"))
}

fn reads_token(rule: &Node) -> bool {
    let names = ["requestPrincipals", "notRequestPrincipals"];
    sources(rule).any(|source| names.iter().any(|name| source.get(name).is_some()))
        || conditions(rule).any(|key| key.text().is_some_and(|it| it.starts_with("request.auth.")))
}

/// The values of `source.principal`, under each of its names.
fn principals(rule: &Node) -> Vec<&Node> {
    let names = ["principals", "notPrincipals"];
    let of_sources = sources(rule)
        .flat_map(move |source| names.into_iter().flat_map(|it| tree::texts(source, it)));
    of_sources.chain(values_of(rule, "source.principal")).collect()
}

fn values_of<'n>(rule: &'n Node, key: &'static str) -> impl Iterator<Item = &'n Node> {
    let when = rule.get("when").map_or(&[][..], Node::elements).iter();
    let named = when.filter(move |it| it.get("key").and_then(Node::text) == Some(key));
    let values = ["values", "notValues"];
    named.flat_map(move |it| values.into_iter().flat_map(|name| tree::texts(it, name)))
}

/// Whether a principal names a trust domain, so that istiod puts the mesh's own for it.
fn names_domain(principal: &Node) -> bool {
    let domain = principal.text().and_then(|text| text.split_once('/'));
    domain.is_some_and(|(domain, rest)| rest.split('/').count() == 4 && !domain.starts_with('*'))
}
