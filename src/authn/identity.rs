//! Who sent a request: what a verified token says.

use std::sync::Arc;

use serde_json::Value;

use super::grants::Granted;
use super::heap::{allocated, heap_size};
use super::outputs::Outputs;

/// What a verified token says.
///
/// Only [`super::Authenticator`] makes one, and only of a token that passed every check.
#[derive(Debug)]
pub struct Identity {
    /// The number of its provider.
    pub(super) provider: usize,
    /// Which token of the request it was.
    pub token: TokenNumber,
    /// The `iss` of the token.
    pub issuer: Option<Arc<str>>,
    /// The `sub` of the token.
    pub subject: Option<String>,
    /// What it grants.
    pub granted: Granted,
    /// Whether the workload receives the token.
    pub forward_token: bool,
    /// The headers that it writes, or the name of one that can't be written.
    pub outputs: Result<Outputs, Arc<str>>,
    /// The claims that the document names, by [`ClaimId`].
    pub(super) claims: Vec<Option<Value>>,
    /// The claims that logs show, as they show them, in the order of the document.
    pub(super) logged_claims: Vec<Option<Box<str>>>,
}

/// A token of a request. Number 0 is that of all providers that require none; each provider that does
/// has one of its own, 1 and up in the order of the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenNumber(pub(super) usize);

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
        let logged = self.logged_claims.iter().flatten().map(|text| allocated(text.len()));
        [
            // Behind an `Rc`, with its two counts.
            allocated(size_of::<Self>().saturating_add(size_of::<[usize; 2]>())),
            self.issuer.as_deref().map_or(0, |issuer| allocated(issuer.len())),
            self.subject.as_ref().map_or(0, |subject| allocated(subject.capacity())),
            self.granted.size(),
            allocated(lists.saturating_mul(size_of::<(Arc<str>, Vec<u8>)>())),
            outputs.fold(0, usize::saturating_add),
            allocated(self.claims.capacity().saturating_mul(size_of::<Option<Value>>())),
            claims.fold(0, usize::saturating_add),
            allocated(self.logged_claims.capacity().saturating_mul(size_of::<Option<Box<str>>>())),
            logged.fold(0, usize::saturating_add),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}
