//! Permissions as numbers: only the names that some route asks for are known, everything else that
//! a token grants can't matter.

use crate::by_name::ByName;

/// The number of a permission in its [`PermissionNames`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermissionId(usize);

/// Every permission that a document's routes ask for.
#[derive(Clone, Debug, Default)]
pub struct PermissionNames {
    names: ByName<String>,
}

impl PermissionNames {
    /// The number of a permission, a new one if it has none yet.
    pub fn intern(&mut self, name: &str) -> PermissionId {
        self.find(name).unwrap_or_else(|| {
            let id = PermissionId(self.names.values().len());
            self.names.insert(name.as_bytes(), name.to_owned());
            id
        })
    }

    /// The name of a permission.
    #[must_use]
    pub fn name(&self, PermissionId(id): PermissionId) -> Option<&str> {
        self.names.values().get(id).map(String::as_str)
    }

    /// All of them, by number.
    pub fn all(&self) -> impl Iterator<Item = (PermissionId, &str)> {
        self.names.values().iter().enumerate().map(|(id, name)| (PermissionId(id), name.as_str()))
    }

    /// The number of a permission, if any route asks for it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PermissionId> {
        self.names.number(name.as_bytes()).map(PermissionId)
    }
}

/// What a token grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    /// One bit a permission; words that would be zero at the end may be missing.
    words: Vec<u64>,
}

impl PermissionSet {
    /// Adds one permission.
    pub fn insert(&mut self, PermissionId(id): PermissionId) {
        let word = id / 64;
        if self.words.len() <= word {
            self.words.resize(word.saturating_add(1), 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (id % 64);
        }
    }

    /// Adds every permission of another set.
    pub fn extend(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, added) in self.words.iter_mut().zip(&other.words) {
            *word |= added;
        }
    }

    /// How much memory its bits take, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.words.capacity().saturating_mul(size_of::<u64>())
    }

    /// Whether the permission is granted.
    #[must_use]
    pub fn contains(&self, PermissionId(id): PermissionId) -> bool {
        self.words.get(id / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_has_one_number() {
        let mut names = PermissionNames::default();
        let (read, write) = (names.intern("read"), names.intern("write"));
        assert_ne!(read, write);
        assert_eq!(names.intern("read"), read);
        assert_eq!(names.find("write"), Some(write));
        assert_eq!(names.find("delete"), None);
        assert_eq!((names.name(read), names.name(write)), (Some("read"), Some("write")));
    }

    proptest! {
        #[test]
        fn a_set_holds_what_was_put_in(
            left: BTreeSet<u8>, right: BTreeSet<u8>, asked: u8,
        ) {
            let set = |ids: &BTreeSet<u8>| {
                let mut set = PermissionSet::default();
                for &id in ids {
                    set.insert(PermissionId(id.into()));
                }
                set
            };
            let mut both = set(&left);
            both.extend(&set(&right));
            let expected = left.contains(&asked) || right.contains(&asked);
            prop_assert_eq!(both.contains(PermissionId(asked.into())), expected);
        }
    }
}
