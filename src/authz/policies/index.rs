//! Which rules can match a request, found by what can be looked up, so that a request does not pay for
//! policies about other paths, hosts or methods.

use std::borrow::Cow;

use super::condition::{Condition, Test};
use super::pattern::Pattern;
use super::subject::Subject;
use crate::by_name::ByName;

/// How many segments of a path are looked up. APIs begin their paths with some that say little, such as
/// `/api/v1/`; behind these, policies differ.
const DEPTH: usize = 8;
/// Those of [`Index`] that are not by folder.
const OTHERS: usize = 4;

/// The numbers of rules, each under what a request must have for the rule to match.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Rules that any request may match.
    always: Vec<usize>,
    by_path: ByName<Vec<usize>>,
    /// By the whole segments with which the path begins, [`DEPTH`] at most.
    by_folder: ByName<Vec<usize>>,
    /// In lower case.
    by_host: ByName<Vec<usize>>,
    by_method: ByName<Vec<usize>>,
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
                    (start, false) => Some((Key::Folder, folders(start.as_bytes()).last()?.into())),
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
        let keys: Option<Vec<(Key, Cow<'_, [u8]>)>> = keys;
        let Some(keys) = keys else { return self.always.push(rule) };
        for (key, value) in keys {
            let map = match key {
                Key::Folder => &mut self.by_folder,
                Key::Host => &mut self.by_host,
                Key::Method => &mut self.by_method,
                Key::Path => &mut self.by_path,
            };
            map.entry(&value, Vec::new).push(rule);
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
        let mut lists: [&[usize]; OTHERS + DEPTH] = [&[]; OTHERS + DEPTH];
        let others = [
            self.always.as_slice(),
            look_up(&self.by_path, subject.path),
            by_host,
            look_up(&self.by_method, subject.request.method),
        ];
        let folders = folders(subject.path).filter(|_| !self.by_folder.is_empty());
        let by_folder = folders.map(|folder| look_up(&self.by_folder, folder));
        let found = others.into_iter().chain(by_folder).filter(|list| !list.is_empty());
        let mut count = 0_usize;
        for (list, found) in lists.iter_mut().zip(found) {
            *list = found;
            count = count.saturating_add(1);
        }
        let lists = lists.get_mut(..count)?;
        loop {
            // Each list is sorted: the smallest of the firsts is next.
            let next = lists.iter().filter_map(|list| list.first()).min().copied()?;
            for list in lists.iter_mut() {
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

fn look_up<'m>(map: &'m ByName<Vec<usize>>, key: &[u8]) -> &'m [usize] {
    map.get(key).map_or(&[], Vec::as_slice)
}

enum Key {
    Folder,
    Host,
    Method,
    Path,
}

/// The starts of a path that end in a slash, but for the first slash, the shortest first.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = memchr::memchr_iter(b'/', path).skip(1).take(DEPTH);
    slashes.filter_map(|slash| path.get(..=slash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_ends_in_a_slash() {
        let of = |path: &'static str| {
            folders(path.as_bytes()).map(|it| str::from_utf8(it).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of("/api/v1/orders/7"), ["/api/", "/api/v1/", "/api/v1/orders/"]);
        assert_eq!(of("//a"), ["//"]);
        for short in ["", "/", "/a", "*", "a"] {
            assert_eq!(of(short), [""; 0], "{short}");
        }
        let deep = "/a".repeat(DEPTH + 5);
        assert_eq!(of(Box::leak(deep.into_boxed_str())).len(), DEPTH);
    }
}
