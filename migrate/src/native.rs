//! Istio's resources, as they are read: what they are, what they are for, and what in them Istio does not know.

use std::collections::BTreeMap;

use jwt_rbac_explain::check::{Finding, Severity, resource};
use jwt_rbac_explain::source::Node;

use crate::target::{Reference, Selects, Target};
use crate::{Notes, Options};

/// A `RequestAuthentication` or an `AuthorizationPolicy`.
#[derive(Debug)]
pub struct Native {
    pub kind: NativeKind,
    /// The number of its file.
    pub file: usize,
    pub namespace: String,
    pub name: String,
    /// One, or one for each of its references.
    pub targets: Vec<Target>,
    pub node: Node,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeKind {
    AuthorizationPolicy,
    RequestAuthentication,
}

impl Native {
    /// Whether it is for everything of a target.
    pub fn is_for(&self, target: &Target) -> bool {
        self.targets.iter().any(|own| own.covers(target))
    }

    /// `AuthorizationPolicy default/httpbin`
    pub fn title(&self) -> String {
        let kind = match self.kind {
            NativeKind::AuthorizationPolicy => "AuthorizationPolicy",
            NativeKind::RequestAuthentication => "RequestAuthentication",
        };
        format!("{kind} {}/{}", self.namespace, self.name)
    }

    /// A finding at its name.
    pub fn finding(&self, severity: Severity, rule: &'static str, message: String) -> Finding {
        let name = self.node.get("metadata").and_then(|metadata| metadata.get("name"));
        let span = name.or_else(|| self.node.get("kind")).map_or(0..0, |node| node.span.clone());
        Finding::new(severity, rule, "metadata.name", span, message)
    }

    /// Whether Istio only reports what it would do (`istio.io/dry-run`, read as Go's `ParseBool` does).
    pub fn is_dry_run(&self) -> bool {
        let annotations = self.node.get("metadata").and_then(|it| it.get("annotations"));
        let value = annotations.and_then(|it| it.get("istio.io/dry-run")).and_then(Node::text);
        value.is_some_and(|it| matches!(it, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    }
}

/// Reads the resources of a file.
pub struct Reader<'r> {
    pub options: &'r Options,
    pub file: usize,
    pub notes: &'r mut Notes,
}

impl Reader<'_> {
    /// The resource of Istio's that this is, if it is one.
    pub fn read(&mut self, node: &Node) -> Option<Native> {
        let (kind, fields): (_, &[&str]) = match resource::kind(node) {
            resource::Kind::Native("RequestAuthentication") => {
                (NativeKind::RequestAuthentication, &["jwtRules"])
            }
            resource::Kind::Native(_) => {
                (NativeKind::AuthorizationPolicy, &["action", "provider", "rules"])
            }
            _ => return None,
        };
        let metadata = node.get("metadata");
        let text = |name: &str| metadata.and_then(|it| it.get(name)).and_then(Node::text);
        let Some(name) = text("name") else {
            let span = node.get("kind").map_or(0..0, |it| it.span.clone());
            self.error("metadata.name", span, "expected `metadata.name`".to_owned());
            return None;
        };
        let namespace = metadata.and_then(|it| it.get("namespace"));
        let namespace = match namespace.map(|node| (node, node.text())) {
            None => self.options.namespace.clone(),
            Some((_, Some(namespace))) => namespace.to_owned(),
            Some((node, None)) => {
                let message = format!("found {}, expected a string in quotes", node.kind());
                self.error("metadata.namespace", node.span.clone(), message);
                return None;
            }
        };
        let spec = node.get("spec");
        let known = |it: &str| {
            fields.contains(&it) || ["selector", "targetRef", "targetRefs"].contains(&it)
        };
        for member in spec.map_or(&[][..], Node::members).iter().filter(|it| !known(&it.name)) {
            let name = &member.name;
            let message = format!("unknown field `{name}`, which the API server drops");
            self.error(&format!("spec.{name}"), member.name_span.clone(), message);
        }
        let targets = self.targets(spec, &namespace);
        let (name, node, file) = (name.to_owned(), node.clone(), self.file);
        Some(Native { kind, file, namespace, name, targets, node })
    }

    fn targets(&mut self, spec: Option<&Node>, namespace: &str) -> Vec<Target> {
        let is_root = namespace == self.options.root_namespace;
        let namespace = (!is_root).then(|| namespace.to_owned());
        let field = |name: &str| spec.and_then(|spec| spec.get(name));
        let references = field("targetRefs").map_or(&[][..], Node::elements).iter();
        let references: Vec<_> = references.chain(field("targetRef")).collect();
        if references.is_empty() {
            let labels = field("selector").and_then(|it| it.get("matchLabels"));
            let labels = labels.map_or(&[][..], Node::members).iter();
            let mut selected = BTreeMap::new();
            for label in labels {
                let Some(value) = label.node.text() else {
                    let message =
                        format!("found {}, expected a string in quotes", label.node.kind());
                    self.error("spec.selector", label.node.span.clone(), message);
                    // Without the label it would be for more than was meant.
                    return Vec::new();
                };
                selected.insert(label.name.clone(), value.to_owned());
            }
            let selects = Selects::Labels(selected);
            return vec![Target { namespace, selects }];
        }
        let mut targets = Vec::new();
        for reference in references {
            let text = |name: &str| reference.get(name).and_then(Node::text).unwrap_or_default();
            let (group, kind, name) =
                (text("group").to_owned(), text("kind").to_owned(), text("name").to_owned());
            let is_known =
                matches!(kind.as_str(), "Gateway" | "GatewayClass" | "Service" | "ServiceEntry");
            if !is_known || name.is_empty() {
                let message = "expected a Gateway, GatewayClass, Service or ServiceEntry, by name";
                self.error("spec.targetRefs", reference.span.clone(), message.to_owned());
                continue;
            }
            // What is in the root namespace and refers to something of it is for that alone.
            let namespace = namespace
                .clone()
                .or_else(|| (kind != "GatewayClass").then(|| self.options.root_namespace.clone()));
            let selects = Selects::Reference(Reference { group, kind, name });
            targets.push(Target { namespace, selects });
        }
        targets
    }

    fn error(&mut self, place: &str, span: std::ops::Range<usize>, message: String) {
        let finding = Finding::new(Severity::Error, "resource", place, span, message);
        self.notes.add(self.file, finding);
    }
}
