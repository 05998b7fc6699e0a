//! The fetched keys of the providers of one document, as one worker has them.
//!
//! The document never changes; the keys do. Each change makes another generation, and a token that was
//! verified in another generation is verified again: a key that an issuer has removed stops working at
//! once, for tokens in the cache too.

use super::algorithm::Algorithm;
use super::jwk::Jwk;
use super::jwk_error::JwkError;
use super::key_set::FetchedKeySet;
use super::key_source::KeySource;
use super::keys::Keys;
use super::refresh::Availability;
use super::signature::SignatureVerifier;

/// The fetched keys of the providers of one document.
#[derive(Default)]
pub struct FetchedKeys {
    /// By provider; empty where none of them fetches keys.
    slots: Vec<Slot>,
    /// How often any of them changed.
    generation: u32,
    /// Whether a token named a key that is not there.
    has_misses: bool,
}

#[derive(Default)]
struct Slot {
    state: State,
    /// Which key set the keys are of; 0 before the first fetch.
    key_set: u32,
    keys: Option<Keys>,
    /// Whether a token named a key that is not there, since this was last asked.
    is_missed: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// The provider does not fetch keys, or has others until it has fetched some.
    #[default]
    Inline,
    Pending,
    Ready,
    Unavailable,
}

/// Why a provider has no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKeys {
    /// They are on their way.
    Pending,
    /// They could not be fetched.
    Unavailable,
}

impl FetchedKeys {
    /// Those of providers with these sources, none of them fetched yet.
    #[must_use]
    pub fn new<'s>(sources: impl Iterator<Item = &'s KeySource> + Clone) -> Self {
        let fetches = |source: &KeySource| matches!(source, KeySource::Fetched { .. });
        if !sources.clone().any(fetches) {
            return Self::default();
        }
        let slot = |source: &KeySource| {
            let state = match source {
                KeySource::Fetched { until_fetched: None, .. } => State::Pending,
                KeySource::Fetched { .. } | KeySource::Inline(_) => State::Inline,
            };
            Slot { state, ..Slot::default() }
        };
        Self { slots: sources.map(slot).collect(), ..Self::default() }
    }

    /// Takes over what the fetch of a provider's keys has come to. If the key set is another one than
    /// before, its keys are prepared for this provider and returned.
    pub fn update(
        &mut self,
        provider: usize,
        fetched: Fetched<'_>,
        algorithms: Option<&[Algorithm]>,
        verifier: &mut dyn SignatureVerifier,
    ) -> Option<NewKeys> {
        let slot = self.slots.get_mut(provider)?;
        let before = slot.state;
        let key_set = fetched.key_set.filter(|_| slot.key_set != fetched.generation);
        let new = key_set.map(|key_set| {
            let (usable, skipped) = key_set.keys(algorithms);
            slot.keys = Some(Keys::prepare(&usable, verifier));
            slot.key_set = fetched.generation;
            NewKeys { usable, skipped }
        });
        slot.state = match (fetched.availability, &slot.keys) {
            // Until a fetch has brought some, those of the document are used.
            (_, None) if before == State::Inline => State::Inline,
            (Availability::Pending, _) => State::Pending,
            (Availability::Ready, Some(_)) => State::Ready,
            (Availability::Ready | Availability::Unavailable, _) => State::Unavailable,
        };
        if new.is_some() || slot.state != before {
            self.generation = self.generation.wrapping_add(1);
        }
        new
    }

    /// The providers whose keys did not have one that a token named, since this was last asked.
    pub fn take_misses(&mut self) -> Vec<usize> {
        if !std::mem::take(&mut self.has_misses) {
            return Vec::new();
        }
        let slots = self.slots.iter_mut().enumerate();
        let missed = slots
            .filter_map(|(number, slot)| std::mem::take(&mut slot.is_missed).then_some(number));
        missed.collect()
    }

    /// How often any of the keys changed.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The keys of a provider.
    pub(super) fn keys<'k>(
        &'k self,
        provider: usize,
        source: &'k KeySource,
    ) -> Result<&'k Keys, NoKeys> {
        let inline = match source {
            KeySource::Inline(keys) => return Ok(keys),
            KeySource::Fetched { until_fetched, .. } => until_fetched.as_ref(),
        };
        let Some(slot) = self.slots.get(provider) else { return Err(NoKeys::Unavailable) };
        match slot.state {
            State::Inline => inline.ok_or(NoKeys::Unavailable),
            State::Ready => slot.keys.as_ref().ok_or(NoKeys::Unavailable),
            State::Pending => Err(NoKeys::Pending),
            State::Unavailable => Err(NoKeys::Unavailable),
        }
    }

    /// A token named a key that the keys of a provider do not have.
    #[cold]
    pub(super) fn miss(&mut self, provider: usize) {
        if let Some(slot) = self.slots.get_mut(provider) {
            slot.is_missed = true;
            self.has_misses = true;
        }
    }
}

/// What a fetch has come to.
#[derive(Clone, Copy, Debug)]
pub struct Fetched<'f> {
    /// What can be done with the keys.
    pub availability: Availability,
    /// The last key set that could be used.
    pub key_set: Option<&'f FetchedKeySet>,
    /// Its number.
    pub generation: u32,
}

/// The keys of a key set that a provider did not have before.
pub struct NewKeys {
    /// Those that can be used.
    pub usable: Vec<Jwk>,
    /// Why the others can't, by their place in the set.
    pub skipped: Vec<(usize, JwkError)>,
}

#[cfg(test)]
mod tests;
