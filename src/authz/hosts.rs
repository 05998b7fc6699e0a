//! Which set of rows a host has.
//!
//! The set is chosen before the path is looked at, and it alone counts: the exact host with its
//! port, the exact host, the longest `*.x`, then `*`.

use foldhash::HashMap;

/// The longest host name there is, and its port (RFC 1035 §2.3.4).
const MAX_AUTHORITY: usize = 253 + 1 + 1 + 5;

/// A host of a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `*`
    Any,
    /// `api.example.com` or `api.example.com:8443`, in lower case.
    Exact(String),
    /// What follows the asterisk of `*.example.com`, with its dot: one or more labels before it.
    Suffix(String),
}

impl HostPattern {
    /// Reads a host. Case and one trailing dot do not count.
    ///
    /// # Errors
    /// What was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let malformed = || {
            format!(
                "found `{text}`, expected a host such as `api.example.com`, \
                 `api.example.com:8443`, `*.example.com` or `*`"
            )
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        let (wildcard, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        let host = Authority::parse(host.as_bytes()).ok_or_else(malformed)?;
        match (wildcard, host.port) {
            (true, Some(_)) => Err(malformed()),
            (true, None) => Ok(Self::Suffix(format!(".{}", host.name))),
            (false, None) => Ok(Self::Exact(host.name)),
            (false, Some(port)) => Ok(Self::Exact(format!("{}:{port}", host.name))),
        }
    }
}

/// What each host has.
#[derive(Clone, Debug)]
pub struct Hosts<T> {
    exact: HashMap<String, T>,
    suffixes: HashMap<String, T>,
    any: Option<T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: HashMap::default(), suffixes: HashMap::default(), any: None }
    }
}

impl<T: Default> Hosts<T> {
    /// What this host has.
    pub fn entry(&mut self, pattern: HostPattern) -> &mut T {
        match pattern {
            HostPattern::Any => self.any.get_or_insert_default(),
            HostPattern::Exact(host) => self.exact.entry(host).or_default(),
            HostPattern::Suffix(suffix) => self.suffixes.entry(suffix).or_default(),
        }
    }
}

impl<T> Hosts<T> {
    /// What the host of a request has. `None` for a host that no pattern matches, and for an
    /// authority that is empty or holds more than a host and a port.
    #[must_use]
    pub fn find(&self, authority: &[u8]) -> Option<&T> {
        let Authority { name, port } = Authority::parse(authority)?;
        port.and_then(|port| self.exact.get(&format!("{name}:{port}")))
            .or_else(|| self.exact.get(&name))
            .or_else(|| {
                // From the left, so that the longest suffix is found first. A suffix at 0 would
                // leave no label for the asterisk.
                let dots = name.match_indices('.').filter(|(dot, _)| *dot > 0);
                dots.filter_map(|(dot, _)| name.get(dot..))
                    .find_map(|suffix| self.suffixes.get(suffix))
            })
            .or(self.any.as_ref())
    }

    /// What all hosts have.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.exact.values().chain(self.suffixes.values()).chain(&self.any)
    }
}

/// A host and its port (RFC 3986 §3.2), in lower case and without a trailing dot.
struct Authority {
    name: String,
    port: Option<u16>,
}

impl Authority {
    /// `None` where there is user info, an empty host, a port that is no number, or a byte that no
    /// host has.
    fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_AUTHORITY {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => split_address(rest)?,
            None => split_name(&text)?,
        };
        let port = match port {
            None => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { name, port })
    }
}

/// An IPv6 address in brackets, after the first of them, and the text of its port.
fn split_address(rest: &str) -> Option<(String, Option<&str>)> {
    let (address, after) = rest.split_once(']')?;
    let address: std::net::Ipv6Addr = address.parse().ok()?;
    let port = match after {
        "" => None,
        after => Some(after.strip_prefix(':')?),
    };
    Some((format!("[{address}]"), port))
}

/// A host name and the text of its port.
fn split_name(text: &str) -> Option<(String, Option<&str>)> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.split('.').all(is_label).then(|| (name.to_owned(), port))
}

/// A label of a host name; `_` is in use though RFC 1123 does not have it.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(patterns: &[&'static str]) -> Hosts<&'static str> {
        let mut hosts = Hosts::default();
        for &pattern in patterns {
            *hosts.entry(HostPattern::parse(pattern).unwrap()) = pattern;
        }
        hosts
    }

    #[test]
    fn the_most_specific_host_counts() {
        let hosts = hosts(&[
            "api.example.com",
            "api.example.com:8443",
            "*.example.com",
            "*.eu.example.com",
            "[::1]:80",
        ]);
        for (authority, expected) in [
            ("api.example.com", Some("api.example.com")),
            ("API.Example.COM.", Some("api.example.com")),
            ("api.example.com:80", Some("api.example.com")),
            ("api.example.com:8443", Some("api.example.com:8443")),
            ("api.example.com.:08443", Some("api.example.com:8443")),
            ("www.example.com", Some("*.example.com")),
            ("a.b.example.com:1", Some("*.example.com")),
            ("x.eu.example.com", Some("*.eu.example.com")),
            ("eu.example.com", Some("*.example.com")),
            ("example.com", None),
            ("[::1]:80", Some("[::1]:80")),
            ("[::1]:81", None),
            ("badexample.com", None),
        ] {
            assert_eq!(hosts.find(authority.as_bytes()).copied(), expected, "{authority}");
        }
    }

    #[test]
    fn any_host_is_still_a_host() {
        let hosts = hosts(&["*"]);
        assert_eq!(hosts.find(b"x.test"), Some(&"*"));
        for authority in [
            "",
            ".",
            "user@x.test",
            "x.test:",
            "x.test:y",
            "x.test:99999",
            "x..test",
            "x/y",
            "[x]",
            "[::1]x",
            "x.test..",
            "é.test",
            "x:+80",
        ] {
            assert_eq!(hosts.find(authority.as_bytes()), None, "{authority}");
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for text in
            ["", "*x.test", "*.", "a.*.test", "*.x.test:80", "http://x.test", "x.test/a", "u@x"]
        {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(authority: Vec<u8>) {
            let _ = hosts(&["*.x", "*"]).find(&authority);
        }
    }
}
