//! Which rules can match a request, found by what can be looked up, so that a request does not pay for
//! policies about other paths, hosts or methods.

use foldhash::HashMap;

use super::condition::{Condition, Test};
use super::pattern::Pattern;
use super::subject::Subject;

/// The numbers of rules, each under what a request must have for the rule to match.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Rules that any request may match.
    always: Vec<usize>,
    by_path: HashMap<Box<[u8]>, Vec<usize>>,
    /// By the path up to its second slash.
    by_first_segment: HashMap<Box<[u8]>, Vec<usize>>,
    /// In lower case.
    by_host: HashMap<Box<[u8]>, Vec<usize>>,
    by_method: HashMap<Box<[u8]>, Vec<usize>>,
}

impl Index {
    /// Adds a rule; `operations` are its alternatives, none of them where it takes any.
    pub fn add(&mut self, rule: usize, operations: &[Vec<Condition>]) {
        if operations.is_empty() {
            self.always.push(rule);
        }
        for operation in operations {
            self.add_operation(rule, operation);
        }
    }

    fn add_operation(&mut self, rule: usize, operation: &[Condition]) {
        let tests = || operation.iter().filter(|it| !it.negated).map(|it| &it.test);
        let keys = tests().find_map(|test| match test {
            Test::Path(patterns) => {
                let keys = patterns.iter().map(|pattern| match pattern.start() {
                    (path, true) => Some((Key::Path, path.as_bytes().into())),
                    (start, false) => {
                        Some((Key::FirstSegment, first_segment(start.as_bytes())?.into()))
                    }
                });
                keys.collect::<Option<Vec<_>>>()
            }
            _ => None,
        });
        let keys = keys.or_else(|| {
            tests().find_map(|test| match test {
                Test::Host(patterns) => {
                    let literals = patterns.iter().map(Pattern::literal);
                    let keys = literals.map(|host| {
                        Some((Key::Host, host?.to_ascii_lowercase().into_bytes().into()))
                    });
                    keys.collect::<Option<Vec<_>>>()
                }
                _ => None,
            })
        });
        let keys = keys.or_else(|| {
            tests().find_map(|test| match test {
                Test::Method(patterns) => {
                    let literals = patterns.iter().map(Pattern::literal);
                    let keys =
                        literals.map(|method| Some((Key::Method, method?.as_bytes().into())));
                    keys.collect::<Option<Vec<_>>>()
                }
                _ => None,
            })
        });
        let Some(keys) = keys else { return self.always.push(rule) };
        for (key, value) in keys {
            let map = match key {
                Key::FirstSegment => &mut self.by_first_segment,
                Key::Host => &mut self.by_host,
                Key::Method => &mut self.by_method,
                Key::Path => &mut self.by_path,
            };
            let rules: &mut Vec<usize> = map.entry(value).or_default();
            rules.push(rule);
        }
    }

    /// The first of the rules that can match, in their order, for which this says so.
    pub fn find(
        &self,
        subject: &Subject<'_, '_>,
        mut matches: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let by_host = if self.by_host.is_empty() {
            &[]
        } else {
            look_up(&self.by_host, &subject.request.authority.to_ascii_lowercase())
        };
        let first = first_segment(subject.path).unwrap_or_default();
        let mut lists = [
            self.always.as_slice(),
            look_up(&self.by_path, subject.path),
            look_up(&self.by_first_segment, first),
            by_host,
            look_up(&self.by_method, subject.request.method),
        ];
        loop {
            // Each list is sorted: the smallest of the firsts is next.
            let next = lists.iter().filter_map(|list| list.first()).min().copied()?;
            for list in &mut lists {
                while let Some((first, rest)) = list.split_first()
                    && *first == next
                {
                    *list = rest;
                }
            }
            if matches(next) {
                return Some(next);
            }
        }
    }
}

/// Most documents have but one kind of these.
fn look_up<'m>(map: &'m HashMap<Box<[u8]>, Vec<usize>>, key: &[u8]) -> &'m [usize] {
    if map.is_empty() { &[] } else { map.get(key).map_or(&[], Vec::as_slice) }
}

enum Key {
    FirstSegment,
    Host,
    Method,
    Path,
}

/// The start of a path up to and with its second slash; `None` where it has but one.
fn first_segment(path: &[u8]) -> Option<&[u8]> {
    let behind = path.strip_prefix(b"/")?;
    let end = behind.iter().position(|byte| *byte == b'/')?;
    path.get(..end.saturating_add(2))
}
