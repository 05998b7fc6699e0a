//! Values by name: the one kind of hash table of documents, because each kind is code that every sidecar loads
//! (docs/costs.md).

use foldhash::HashMap;

/// Values, each with a name of its own.
#[derive(Clone, Debug)]
pub struct ByName<T> {
    numbers: HashMap<Box<[u8]>, usize>,
    /// By number.
    values: Vec<T>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), values: Vec::new() }
    }
}

impl<T> ByName<T> {
    /// The value with this name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&T> {
        self.number(name).and_then(|number| self.values.get(number))
    }

    /// The number of the value with this name; the values are numbered as they were added.
    #[must_use]
    pub fn number(&self, name: &[u8]) -> Option<usize> {
        // Most tables of a document are empty, and a name need not be hashed to know that.
        if self.values.is_empty() { None } else { self.numbers.get(name).copied() }
    }

    /// The value with this name, a new one if there is none yet.
    pub fn entry(&mut self, name: &[u8], new: impl FnOnce() -> T) -> &mut T {
        let number = self.number(name).unwrap_or_else(|| self.add(name, new()));
        #[allow(clippy::indexing_slicing, reason = "every number is that of a value")]
        &mut self.values[number]
    }

    /// Adds a value, in the place of another one with its name, which is returned.
    pub fn insert(&mut self, name: &[u8], value: T) -> Option<T> {
        if let Some(known) = self.number(name).and_then(|number| self.values.get_mut(number)) {
            return Some(std::mem::replace(known, value));
        }
        self.add(name, value);
        None
    }

    fn add(&mut self, name: &[u8], value: T) -> usize {
        let number = self.values.len();
        self.numbers.insert(name.into(), number);
        self.values.push(value);
        number
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All of them with their names, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &T)> {
        let named = |(name, number)| Some((name, self.values.get(number)?));
        self.numbers.iter().map(|(name, number)| (&**name, *number)).filter_map(named)
    }

    /// All of them, as they were added.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T, N: AsRef<[u8]>> FromIterator<(N, T)> for ByName<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(entries: I) -> Self {
        let mut all = Self::default();
        for (name, value) in entries {
            all.insert(name.as_ref(), value);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_value() {
        let mut all = ByName::default();
        assert_eq!((all.get(b"a"), all.is_empty()), (None, true));
        *all.entry(b"a", || 1) += 1;
        *all.entry(b"a", || 9) += 1;
        all.entry(b"b", || 7);
        assert_eq!((all.get(b"a"), all.get(b"b"), all.get(b"c")), (Some(&3), Some(&7), None));
        assert_eq!((all.insert(b"b", 8), all.insert(b"c", 9)), (Some(7), None));
        assert_eq!((all.number(b"c"), all.values()), (Some(2), &[3, 8, 9][..]));
    }
}
