//! Which set of routes a host has.
//!
//! The set is chosen before the path is looked at, and it alone counts: the exact host, the longest
//! `*.x`, then `*`, as Envoy's router chooses a virtual host (`config_impl.cc`,
//! `RouteMatcher::findVirtualHost`). A port does not count, because Istio's proxies ignore it there
//! (`ignore_port_in_host_matching`). What the router could read as another host than we do is
//! no host here: it is never turned into one.

use std::fmt;

use crate::by_name::ByName;

/// The longest host name there is, and its port (RFC 1035 §2.3.4).
const MAX_AUTHORITY: usize = 253 + 1 + 1 + 5;

/// A host of a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `*`
    Any,
    /// `api.example.com`, in lower case.
    Exact(String),
    /// What follows the asterisk of `*.example.com`, with its dot: one or more labels before it.
    Suffix(String),
}

impl HostPattern {
    /// Reads a host. Case does not count.
    ///
    /// # Errors
    /// [`HostError`], for what is no host or has a port.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (is_wildcard, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        match Authority::parse(host.as_bytes()) {
            Some(Authority { has_port: true, name }) => {
                Err(HostError::Port { found: text.to_owned(), host: name })
            }
            Some(Authority { name, .. }) if is_wildcard && !name.starts_with('[') => {
                Ok(Self::Suffix(format!(".{name}")))
            }
            Some(Authority { name, .. }) if !is_wildcard => Ok(Self::Exact(name)),
            _ => Err(HostError::Form { found: text.to_owned() }),
        }
    }
}

/// Why a text is no host of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// It is no host, or none in its canonical form.
    Form {
        /// The text.
        found: String,
    },
    /// It has a port, which proxies do not look at.
    Port {
        /// The text.
        found: String,
        /// The host in it.
        host: String,
    },
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { found } => write!(
                f,
                "found `{found}`, expected a host such as `api.example.com`, `*.example.com`, \
                 `[::1]` or `*`, without a dot at its end"
            ),
            Self::Port { found, host } => write!(
                f,
                "found `{found}`, expected a host without a port, `{host}`: Istio's proxies choose \
                 the virtual host without it, so a client could choose the port"
            ),
        }
    }
}

impl std::error::Error for HostError {}

/// What each host has.
#[derive(Clone, Debug)]
pub struct Hosts<T> {
    exact: ByName<T>,
    suffixes: ByName<T>,
    any: Option<T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: ByName::default(), suffixes: ByName::default(), any: None }
    }
}

impl<T: Default> Hosts<T> {
    /// What this host has.
    pub fn entry(&mut self, pattern: HostPattern) -> &mut T {
        match pattern {
            HostPattern::Any => self.any.get_or_insert_default(),
            HostPattern::Exact(host) => self.exact.entry(host.as_bytes(), T::default),
            HostPattern::Suffix(suffix) => self.suffixes.entry(suffix.as_bytes(), T::default),
        }
    }
}

impl<T> Hosts<T> {
    /// What the host of a request has. `None` for a host that no pattern matches, and for an
    /// authority that is empty or holds more than a host and a port.
    #[must_use]
    pub fn find(&self, authority: &[u8]) -> Option<&T> {
        let Authority { name, .. } = Authority::parse(authority)?;
        self.exact
            .get(name.as_bytes())
            .or_else(|| {
                // From the left, so that the longest suffix is found first. A suffix at 0 would
                // leave no label for the asterisk.
                let dots = name.match_indices('.').filter(|(dot, _)| *dot > 0);
                dots.filter_map(|(dot, _)| name.get(dot..))
                    .find_map(|suffix| self.suffixes.get(suffix.as_bytes()))
            })
            .or(self.any.as_ref())
    }

    /// What all hosts have.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.exact.values().iter().chain(self.suffixes.values()).chain(&self.any)
    }
}

/// A host (RFC 3986 §3.2.2), in lower case.
struct Authority {
    name: String,
    has_port: bool,
}

impl Authority {
    /// `None` for what a router could read otherwise: user info, no host, a dot at its end, an
    /// address that is not in its canonical form, a port that is not a number without leading zeros,
    /// or a byte that no host has.
    fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_AUTHORITY {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
        let is_address = text.starts_with('[');
        let (name, port) = if is_address {
            let end = text.find(']')?.checked_add(1)?;
            text.split_at_checked(end)?
        } else {
            text.split_at_checked(text.find(':').unwrap_or(text.len()))?
        };
        let has_port = match port.strip_prefix(':') {
            None => port.is_empty().then_some(false)?,
            Some(digits) => is_port(digits).then_some(true)?,
        };
        let is_host =
            if is_address { is_canonical_address(name) } else { name.split('.').all(is_label) };
        is_host.then(|| Self { name: name.to_owned(), has_port })
    }
}

/// A number from 1 to 65535 in its shortest form.
fn is_port(digits: &str) -> bool {
    digits.parse::<u16>().is_ok_and(|port| port != 0 && port.to_string() == digits)
}

/// An IPv6 address in brackets as RFC 5952 §4 writes it.
fn is_canonical_address(text: &str) -> bool {
    let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let parsed = address.and_then(|address| address.parse::<std::net::Ipv6Addr>().ok());
    parsed.zip(address).is_some_and(|(parsed, address)| parsed.to_string() == address)
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
    fn the_most_specific_host_counts_whatever_its_port() {
        let hosts = hosts(&["api.example.com", "*.example.com", "*.eu.example.com", "[::1]"]);
        for (authority, expected) in [
            ("api.example.com", Some("api.example.com")),
            ("API.Example.COM", Some("api.example.com")),
            ("api.example.com:80", Some("api.example.com")),
            ("api.example.com:65535", Some("api.example.com")),
            ("www.example.com", Some("*.example.com")),
            ("a.b.example.com:1", Some("*.example.com")),
            ("x.eu.example.com", Some("*.eu.example.com")),
            ("eu.example.com", Some("*.example.com")),
            ("example.com", None),
            ("[::1]:80", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("badexample.com", None),
        ] {
            assert_eq!(hosts.find(authority.as_bytes()).copied(), expected, "{authority}");
        }
    }

    #[test]
    fn what_a_router_could_read_otherwise_is_no_host() {
        let hosts = hosts(&["*"]);
        assert_eq!(hosts.find(b"x.test"), Some(&"*"));
        assert_eq!(hosts.find(b"[2001:db8::1]:443"), Some(&"*"));
        for authority in [
            "",
            ".",
            "user@x.test",
            "x.test.",
            "x.test.:80",
            "x.test:",
            "x.test:y",
            "x.test:0",
            "x.test:080",
            "x.test:99999",
            "x.test:+80",
            "x.test:80:80",
            "x..test",
            ".x.test",
            "x/y",
            "[x]",
            "[::1]x",
            "[::1]:",
            "[::1",
            "[0::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::0001]",
            "[::ffff:7f00:1]",
            "x.test..",
            "é.test",
            "x.test\t",
        ] {
            assert_eq!(hosts.find(authority.as_bytes()), None, "{authority}");
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for text in [
            "",
            "*x.test",
            "*.",
            "a.*.test",
            "*.x.test:80",
            "x.test:80",
            "[::1]:80",
            "[0::1]",
            "*.[::1]",
            "x.test.",
            "http://x.test",
            "x.test/a",
            "u@x",
        ] {
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
