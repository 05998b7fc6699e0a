//! The routes of one set of hosts, by path: a tree of segments.
//!
//! Of all paths that match a request the most specific one counts, compared segment by segment from
//! the left: a literal before a variable before the rest, and the end of the path before an empty
//! rest. Walking the tree in that order, the first match is the most specific one.

use super::path::Segment;
use super::template::{Part, Template};
use crate::by_name::ByName;

/// How many nodes one lookup may visit; a table that could need more is refused at load.
pub const MAX_VISITS: usize = 256;

/// What each path holds, by path.
#[derive(Clone, Debug)]
pub struct Trie<T> {
    root: Node<T>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    literals: ByName<Node<T>>,
    variable: Option<Box<Node<T>>>,
    /// The path ends here.
    end: Option<T>,
    /// Anything, or nothing, may follow.
    rest: Option<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: ByName::default(), variable: None, end: None, rest: None }
    }
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

impl<T: Default> Trie<T> {
    /// What this path holds; templates that differ only in the names of variables are one path.
    pub fn entry(&mut self, template: &Template) -> &mut T {
        let mut node = &mut self.root;
        for part in &template.parts {
            node = match part {
                Part::Literal(text) => node.literals.entry(text.as_bytes(), Node::default),
                Part::Variable(_) => node.variable.get_or_insert_default(),
            };
        }
        let held = if template.rest { &mut node.rest } else { &mut node.end };
        held.get_or_insert_default()
    }
}

impl<T> Trie<T> {
    /// What the most specific path that matches these segments holds.
    #[must_use]
    pub fn find(&self, segments: &[Segment<'_>]) -> Option<&T> {
        self.root.find(segments)
    }

    /// How many nodes a lookup can visit at most.
    #[must_use]
    pub fn max_visits(&self) -> usize {
        self.root.max_visits()
    }
}

impl<T> Node<T> {
    /// The depth of the recursion is that of the tree, not that of the request's path.
    fn find(&self, segments: &[Segment<'_>]) -> Option<&T> {
        let Some((segment, following)) = segments.split_first() else {
            return self.end.as_ref().or(self.rest.as_ref());
        };
        let variable = self.variable.as_deref();
        let (literal, variable) = match segment {
            Segment::Ambiguous | Segment::Deep => (None, variable),
            Segment::Empty => (None, None),
            Segment::Plain(text) => (self.literals.get(text.as_bytes()), variable),
        };
        literal
            .and_then(|node| node.find(following))
            .or_else(|| variable?.find(following))
            .or(self.rest.as_ref())
    }

    /// A segment equals at most one literal, so a lookup visits the most expensive literal child
    /// and the variable at worst.
    fn max_visits(&self) -> usize {
        let literal = self.literals.values().iter().map(Self::max_visits).max().unwrap_or(0);
        let variable = self.variable.as_ref().map_or(0, |node| node.max_visits());
        literal.saturating_add(variable).saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
