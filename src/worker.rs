//! What one worker remembers between requests, beside the document, which never changes.

use crate::authn::cache::{CacheCounts, TokenCache};
use crate::authn::fetched_keys::FetchedKeys;
use crate::document::Document;

/// The memory of one worker for one document.
pub struct Worker {
    /// The tokens that it has verified.
    pub(crate) token_cache: TokenCache,
    /// The keys that it has fetched.
    pub fetched_keys: FetchedKeys,
}

impl Worker {
    /// A worker that has seen nothing yet. It belongs to this document alone: another one has other
    /// keys and rules.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        let authenticator = &document.authenticator;
        let (token_cache, fetched_keys) =
            (authenticator.new_cache(), authenticator.new_fetched_keys());
        Self { token_cache, fetched_keys }
    }

    /// How many tokens were found in the cache and how many were not, since this was last asked.
    pub fn take_cache_counts(&mut self) -> CacheCounts {
        std::mem::take(&mut self.token_cache.counts)
    }
}
