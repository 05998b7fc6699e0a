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

    /// How much memory it takes, in bytes, with what the allocator adds; rather more than less.
    pub(super) fn size(&self) -> usize {
        let outputs = self.outputs.iter().flatten();
        let outputs = outputs.map(|(_, value)| allocated(value.capacity()));
        let lists = self.outputs.as_ref().map_or(0, Vec::capacity);
        let claims = self.claims.iter().flatten().map(heap_size);
        [
            // Behind an `Rc`, with its two counts.
            allocated(size_of::<Self>().saturating_add(size_of::<[usize; 2]>())),
            self.issuer.as_deref().map_or(0, |issuer| allocated(issuer.len())),
            self.subject.as_ref().map_or(0, |subject| allocated(subject.capacity())),
            self.granted.size(),
            allocated(lists.saturating_mul(size_of::<(Rc<str>, Vec<u8>)>())),
            outputs.fold(0, usize::saturating_add),
            allocated(self.claims.capacity().saturating_mul(size_of::<Option<Value>>())),
            claims.fold(0, usize::saturating_add),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

/// What a block of this size takes from the allocator, which rounds it up and writes its size beside
/// it (dlmalloc, the one of `wasm32-wasip1`).
pub(super) fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        bytes => bytes.saturating_add(15).max(24) & !7,
    }
}

/// What a value takes beside its own size.
fn heap_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => allocated(text.capacity()),
        Value::Array(elements) => {
            let list = allocated(elements.capacity().saturating_mul(size_of::<Value>()));
            elements.iter().map(heap_size).fold(list, usize::saturating_add)
        }
        Value::Object(members) => {
            // A leaf of a `BTreeMap` has room for eleven members, and may have as few as five.
            let leaf = allocated(size_of::<(String, Value)>().saturating_mul(12));
            let leaves = leaf.saturating_mul(members.len().div_ceil(5));
            let sizes = members
                .iter()
                .map(|(name, member)| allocated(name.capacity()).saturating_add(heap_size(member)));
            sizes.fold(leaves, usize::saturating_add)
        }
    }
}
