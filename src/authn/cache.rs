//! Verified tokens, so that a token that comes again is not verified again.
//!
//! A cache belongs to one compiled document and one worker: a new document starts with an empty
//! one, so that nothing outlives the keys and rules that vouched for it. Tokens that failed are
//! never in it, and a token that is found is compared as a whole: its hash only says where to look.

use std::hash::BuildHasher as _;
use std::rc::Rc;

use foldhash::HashMap;
use foldhash::fast::RandomState;

use super::claims::Validity;
use super::heap::allocated;
use super::identity::Identity;

/// How much of a token's end is hashed, as one number. The end of a token is its signature. Two tokens with
/// the same hash replace each other; neither is taken for the other.
const HASHED: usize = 16;

/// A verified token.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says.
    pub identity: Rc<Identity>,
    /// When it may be used; to be checked at every use.
    pub validity: Validity,
    /// The generation of the fetched keys that it was verified with; so too.
    pub key_generation: u32,
}

/// The verified tokens of one document, bounded in bytes.
///
/// They live in two generations, each at most half of the bound: when the young one is full, it
/// becomes the old one and the old one is dropped. A token that is found in the old one moves to
/// the young one, so that what is in use stays.
#[derive(Debug)]
pub struct TokenCache {
    /// Since they were last taken.
    pub counts: CacheCounts,
    seed: RandomState,
    max_size: usize,
    young: Generation,
    old: Generation,
}

/// How often the cache had a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Tokens that were in it.
    pub hits: u64,
    /// Tokens that were not, or are no longer valid.
    pub misses: u64,
}

#[derive(Debug, Default)]
struct Generation {
    /// By hash; of two tokens with one hash only the later is kept.
    entries: HashMap<u64, Entry>,
    size: usize,
}

#[derive(Debug)]
struct Entry {
    /// The same token at another location can belong to other providers.
    location: usize,
    token: Box<[u8]>,
    verified: Verified,
}

impl Entry {
    fn size(&self) -> usize {
        // A table that has just grown is less than half full, and each slot has a byte of its own.
        let slot = size_of::<(u64, Self)>().saturating_add(1).saturating_mul(16).div_ceil(7);
        let token = allocated(self.token.len());
        slot.saturating_add(token).saturating_add(self.verified.identity.size())
    }
}

impl TokenCache {
    /// A cache of at most `max_size` bytes; 0 keeps nothing.
    #[must_use]
    pub fn new(max_size: usize) -> Self {
        let (young, old) = Default::default();
        let counts = CacheCounts::default();
        Self { counts, seed: RandomState::default(), max_size, young, old }
    }

    /// The token, if it was verified before at the same location.
    pub fn find(&mut self, location: usize, token: &[u8]) -> Option<Verified> {
        let hash = self.hash(token);
        let is_it = |entry: &&Entry| entry.location == location && is_same(&entry.token, token);
        if let Some(entry) = self.young.entries.get(&hash).filter(is_it) {
            return Some(entry.verified.clone());
        }
        self.old.entries.get(&hash).filter(is_it)?;
        let entry = self.old.remove(hash)?;
        let verified = entry.verified.clone();
        self.insert_entry(hash, entry);
        Some(verified)
    }

    /// Keeps a token that has been verified.
    pub fn insert(&mut self, location: usize, token: &[u8], verified: Verified) {
        let hash = self.hash(token);
        self.insert_entry(hash, Entry { location, token: token.into(), verified });
    }

    /// Forgets a token.
    pub fn remove(&mut self, token: &[u8]) {
        let hash = self.hash(token);
        self.young.remove(hash);
        self.old.remove(hash);
    }

    /// How many bytes the kept tokens take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.young.size.saturating_add(self.old.size)
    }

    fn insert_entry(&mut self, hash: u64, entry: Entry) {
        let size = entry.size();
        let half = self.max_size / 2;
        if size > half {
            return;
        }
        self.young.remove(hash);
        self.old.remove(hash);
        if self.young.size.saturating_add(size) > half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.size = self.young.size.saturating_add(size);
        self.young.entries.insert(hash, entry);
    }

    fn hash(&self, token: &[u8]) -> u64 {
        match token.last_chunk::<HASHED>() {
            Some(end) => self.seed.hash_one(u128::from_le_bytes(*end)),
            None => self.seed.hash_one(token),
        }
    }
}

/// Whether two tokens are equal, byte for byte; eight bytes at a time, because the `==` of slices
/// compares one byte after the other in Wasm.
fn is_same(kept: &[u8], token: &[u8]) -> bool {
    let ((kept_words, kept_rest), (words, rest)) = (kept.as_chunks(), token.as_chunks());
    let difference = kept_words.iter().zip(words).fold(0, |difference, (kept, token)| {
        difference | (u64::from_le_bytes(*kept) ^ u64::from_le_bytes(*token))
    });
    kept.len() == token.len() && difference == 0 && kept_rest == rest
}

impl Generation {
    fn remove(&mut self, hash: u64) -> Option<Entry> {
        let entry = self.entries.remove(&hash)?;
        self.size = self.size.saturating_sub(entry.size());
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::authn::grants::Granted;
    use crate::authn::identity::TokenNumber;
    use crate::permissions::PermissionSet;

    fn verified(subject: &str) -> Verified {
        let identity = Identity {
            provider: 0,
            token: TokenNumber::default(),
            issuer: None,
            subject: Some(subject.to_owned()),
            granted: Granted::Set(PermissionSet::default()),
            forward_token: false,
            outputs: Ok(Vec::new()),
            claims: Vec::new(),
            logged_claims: Vec::new(),
        };
        Verified { identity: Rc::new(identity), validity: Validity::default(), key_generation: 0 }
    }

    fn subject(cache: &mut TokenCache, location: usize, token: &str) -> Option<String> {
        cache.find(location, token.as_bytes())?.identity.subject.clone()
    }

    #[test]
    fn only_the_same_token_at_the_same_location_is_found() {
        let mut cache = TokenCache::new(10_000);
        let token = format!("a.{}", "x".repeat(HASHED));
        cache.insert(0, token.as_bytes(), verified("joe"));
        assert_eq!(subject(&mut cache, 0, &token), Some("joe".to_owned()));
        assert_eq!(subject(&mut cache, 1, &token), None);
        // The same end, so the same hash.
        assert_eq!(subject(&mut cache, 0, &format!("b{token}")), None);
        cache.insert(0, format!("b{token}").as_bytes(), verified("ann"));
        assert_eq!(subject(&mut cache, 0, &token), None);
        cache.remove(format!("b{token}").as_bytes());
        assert_eq!(cache.size(), 0);
    }

    #[test]
    fn no_byte_of_a_token_may_differ() {
        let mut cache = TokenCache::new(10_000);
        let token = vec![b'a'; 2 * HASHED + 3];
        cache.insert(0, &token, verified("joe"));
        assert!(cache.find(0, &token).is_some());
        for place in 0..token.len() {
            let mut other = token.clone();
            other[place] = b'b';
            assert!(cache.find(0, &other).is_none(), "{place}");
        }
    }

    #[test]
    fn what_is_in_use_stays() {
        let mut cache = TokenCache::new(10_000);
        cache.insert(0, b"used", verified("joe"));
        for number in 0..1_000 {
            cache.insert(0, format!("token {number}").as_bytes(), verified("ann"));
            assert_eq!(subject(&mut cache, 0, "used"), Some("joe".to_owned()), "{number}");
        }
        assert_eq!(subject(&mut cache, 0, "token 0"), None);
    }

    #[test]
    fn a_cache_of_nothing_keeps_nothing() {
        let mut cache = TokenCache::new(0);
        cache.insert(0, b"token", verified("joe"));
        assert_eq!(subject(&mut cache, 0, "token"), None);
    }

    proptest! {
        #[test]
        fn tokens_are_the_same_when_all_bytes_are(token: Vec<u8>, place: usize, bit in 0_u32..8) {
            prop_assert!(is_same(&token, &token));
            let longer = [&token[..], b"a"].concat();
            prop_assert!(!is_same(&token, &longer) && !is_same(&longer, &token));
            if let Some(place) = place.checked_rem(token.len()) {
                let mut other = token.clone();
                other[place] ^= 1_u8 << bit;
                prop_assert!(!is_same(&token, &other));
            }
        }

        #[test]
        fn the_size_is_bounded_and_right(
            max_size in 0_usize..20_000,
            steps in proptest::collection::vec((0_u8..3, "[a-d]{0,3}", 0_usize..2_000), 0..200),
        ) {
            let mut cache = TokenCache::new(max_size);
            for (step, token, length) in steps {
                match step {
                    0 => cache.insert(0, token.as_bytes(), verified(&"x".repeat(length))),
                    1 => drop(cache.find(0, token.as_bytes())),
                    _ => cache.remove(token.as_bytes()),
                }
                let entries = cache.young.entries.values().chain(cache.old.entries.values());
                prop_assert_eq!(cache.size(), entries.map(Entry::size).sum::<usize>());
                prop_assert!(cache.size() <= max_size);
            }
        }
    }
}
