//! Who sent a request: what a verified token says.

use std::rc::Rc;

use serde_json::Value;

use super::grants::Granted;
use super::outputs::Outputs;

/// What a verified token says.
///
/// Only [`super::Authenticator`] makes one, and only of a token that passed every check.
#[derive(Debug)]
pub struct Identity {
    /// The number of its provider.
    pub(super) provider: usize,
    /// The `iss` of the token.
    pub issuer: Option<Rc<str>>,
    /// The `sub` of the token.
    pub subject: Option<String>,
    /// What it grants.
    pub granted: Granted,
    /// Whether the workload receives the token.
    pub forward_token: bool,
    /// The headers that it writes, or the name of one that can't be written.
    pub outputs: Result<Outputs, Rc<str>>,
    /// The claims that the document names, by [`ClaimId`].
    pub(super) claims: Vec<Option<Value>>,
}

/// The number of a claim that some rule of the document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimId(pub(super) usize);

impl Identity {
    /// The value of a claim; `None` if the token lacks it.
    #[must_use]
    pub fn claim(&self, ClaimId(id): ClaimId) -> Option<&Value> {
        self.claims.get(id)?.as_ref()
    }

    /// How much memory it takes, in bytes; an estimate that is rather too large.
    pub(super) fn size(&self) -> usize {
        let outputs =
            self.outputs.iter().flatten().map(|(_, value)| value.len().saturating_add(48));
        let claims = self.claims.iter().map(|claim| claim.as_ref().map_or(32, value_size));
        [
            size_of::<Self>(),
            self.issuer.as_deref().map_or(0, str::len),
            self.subject.as_deref().map_or(0, str::len),
            self.granted.size(),
            outputs.fold(0, usize::saturating_add),
            claims.fold(0, usize::saturating_add),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

fn value_size(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(value_size).fold(0, usize::saturating_add),
        // A leaf of a `BTreeMap` has room for eleven members, however few there are.
        Value::Object(members) if members.is_empty() => 0,
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| value_size(member).saturating_add(name.len()).saturating_add(32))
            .fold(size_of::<(String, Value)>().saturating_mul(11), usize::saturating_add),
    };
    inside.saturating_add(size_of::<Value>())
}
