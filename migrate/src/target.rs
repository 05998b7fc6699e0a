//! The workloads that a resource is for, as Istio selects them (`pilot/pkg/model/policyattachment.go`).

use std::collections::BTreeMap;
use std::fmt;

/// The label by which Istio knows the gateways of the Gateway API.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Workloads of a namespace, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The namespace; `None` for all: the resource is in Istio's root namespace.
    pub namespace: Option<String>,
    /// Which of its workloads.
    pub selects: Selects,
}

/// Which workloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selects {
    /// Those with all these labels; all of them, if there is none.
    Labels(BTreeMap<String, String>),
    /// What a reference names.
    Reference(Reference),
}

/// An entry of `targetRefs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its API group; none for a Service.
    pub group: String,
    /// What it is.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Target {
    /// Reads `[NAMESPACE/]LABEL=VALUE[,LABEL=VALUE…]`.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub fn parse(text: &str, default_namespace: &str) -> Result<Self, String> {
        let expected =
            || format!("found `{text}`, expected [NAMESPACE/]LABEL=VALUE[,LABEL=VALUE…]");
        // A label may have a slash too, but only before its `=`: `example.com/app=x`.
        let first = text.split(',').next().unwrap_or_default();
        let name = first.split('=').next().unwrap_or_default();
        let has_namespace = match name.matches('/').count() {
            0 => false,
            1 => !name.split('/').next().unwrap_or_default().contains('.'),
            _ => true,
        };
        let (namespace, labels) = match text.split_once('/') {
            Some((namespace, labels)) if has_namespace => (namespace, labels),
            _ => (default_namespace, text),
        };
        let label = |label: &str| {
            let (name, value) = label.split_once('=')?;
            let is_empty = name.is_empty() || value.is_empty();
            (!is_empty).then(|| (name.to_owned(), value.to_owned()))
        };
        let labels: Option<BTreeMap<_, _>> = labels.split(',').map(label).collect();
        let labels = labels.filter(|_| !namespace.is_empty()).ok_or_else(expected)?;
        Ok(Self { namespace: Some(namespace.to_owned()), selects: Selects::Labels(labels) })
    }

    /// Whether what is for this target is for everything of another.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let same_namespace = self.namespace.is_none() || self.namespace == other.namespace;
        same_namespace
            && match (&self.selects, &other.selects) {
                (Selects::Labels(few), Selects::Labels(many)) => is_subset(few, many),
                (Selects::Labels(labels), Selects::Reference(reference)) => {
                    reference.has_selectors() && is_subset(labels, &reference.labels())
                }
                (Selects::Reference(one), Selects::Reference(other)) => {
                    one == other || one.is_class() && other.is_at_waypoint()
                }
                (Selects::Reference(_), Selects::Labels(_)) => false,
            }
    }

    /// Whether a workload can be of both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (&self.namespace, &other.namespace);
        let same_namespace = one.is_none() || two.is_none() || one == two;
        same_namespace
            && match (&self.selects, &other.selects) {
                (Selects::Labels(one), Selects::Labels(other)) => {
                    one.iter().all(|(name, value)| other.get(name).is_none_or(|it| it == value))
                }
                (Selects::Labels(labels), Selects::Reference(reference))
                | (Selects::Reference(reference), Selects::Labels(labels)) => {
                    reference.has_selectors() && is_subset(labels, &reference.labels())
                }
                (Selects::Reference(one), Selects::Reference(other)) => {
                    one == other || one.serves(other) || other.serves(one)
                }
            }
    }

    /// A name for a resource that is for it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.selects {
            Selects::Labels(labels) if labels.is_empty() => {
                self.namespace.clone().unwrap_or_else(|| "mesh".to_owned())
            }
            Selects::Labels(labels) => {
                labels.values().map(String::as_str).collect::<Vec<_>>().join("-")
            }
            Selects::Reference(reference) => reference.name.clone(),
        }
    }
}

impl Reference {
    fn is_class(&self) -> bool {
        self.kind == "GatewayClass"
    }

    /// Istio names a waypoint `waypoint` unless told otherwise; a reference to a gateway does not say which
    /// kind it is.
    #[must_use]
    pub fn is_waypoint(&self) -> bool {
        self.kind == "Gateway" && self.name.ends_with("waypoint")
    }

    fn is_at_waypoint(&self) -> bool {
        self.is_waypoint() || matches!(self.kind.as_str(), "Service" | "ServiceEntry")
    }

    /// Whether what selects by labels, or all, is for it too: waypoints have what refers to them alone.
    fn has_selectors(&self) -> bool {
        self.kind == "Gateway" && !self.is_waypoint()
    }

    /// Whether requests to `other` may pass this one.
    fn serves(&self, other: &Self) -> bool {
        self.is_class() && other.is_at_waypoint()
            || self.is_waypoint() && matches!(other.kind.as_str(), "Service" | "ServiceEntry")
    }

    fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(GATEWAY_NAME.to_owned(), self.name.clone())])
    }
}

fn is_subset(few: &BTreeMap<String, String>, many: &BTreeMap<String, String>) -> bool {
    few.iter().all(|(name, value)| many.get(name) == Some(value))
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.selects {
            Selects::Labels(labels) if labels.is_empty() => "every workload".to_owned(),
            Selects::Labels(labels) => {
                let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
                format!("the workloads with {}", labels.collect::<Vec<_>>().join(","))
            }
            Selects::Reference(reference) => {
                format!("the {} `{}`", reference.kind, reference.name)
            }
        };
        match &self.namespace {
            Some(namespace) => write!(formatter, "{what} of namespace `{namespace}`"),
            None => write!(formatter, "{what} of the mesh"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(namespace: &str, text: &str) -> Target {
        Target::parse(text, namespace).unwrap()
    }

    fn every(namespace: Option<&str>) -> Target {
        let selects = Selects::Labels(BTreeMap::new());
        Target { namespace: namespace.map(str::to_owned), selects }
    }

    fn reference(kind: &str, name: &str) -> Target {
        let reference = Reference { group: String::new(), kind: kind.into(), name: name.into() };
        Target { namespace: Some("a".into()), selects: Selects::Reference(reference) }
    }

    #[test]
    fn a_target_covers_what_it_selects_all_of() {
        for (one, other, covers, overlaps) in [
            (every(None), every(Some("a")), true, true),
            (every(Some("a")), every(Some("b")), false, false),
            (every(Some("a")), labels("a", "app=x"), true, true),
            (labels("a", "app=x"), every(Some("a")), false, true),
            (labels("a", "app=x"), labels("a", "app=y"), false, false),
            (labels("a", "app=x"), labels("a", "app=x,version=v1"), true, true),
            (labels("a", "app=x"), labels("a", "version=v1"), false, true),
            (every(Some("a")), reference("Gateway", "ingress"), true, true),
            (every(Some("a")), reference("Gateway", "waypoint"), false, false),
            (every(Some("a")), reference("Service", "x"), false, false),
            (labels("a", "app=x"), reference("Gateway", "ingress"), false, false),
            (reference("Gateway", "waypoint"), reference("Service", "x"), false, true),
            (reference("GatewayClass", "istio-waypoint"), reference("Service", "x"), true, true),
        ] {
            assert_eq!(one.covers(&other), covers, "{one} covers {other}");
            assert_eq!(one.overlaps(&other), overlaps, "{one} overlaps {other}");
            assert_eq!(other.overlaps(&one), overlaps, "{other} overlaps {one}");
        }
    }

    #[test]
    fn a_workload_is_named_by_its_labels() {
        assert_eq!(
            labels("a", "b/app=x,version=v1").to_string(),
            "the workloads with app=x,version=v1 of namespace `b`"
        );
        assert_eq!(labels("a", "example.com/app=x").namespace.as_deref(), Some("a"));
        for wrong in ["", "app", "app=", "=x", "/app=x", "app=x,"] {
            assert!(Target::parse(wrong, "a").is_err(), "{wrong}");
        }
    }
}
