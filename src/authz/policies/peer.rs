//! The workload at the other end of the connection: `principals`, `namespaces`, `serviceAccounts` and
//! `trustDomains` are all patterns for one text, the SPIFFE identity of its certificate (Istio's
//! `model/generator.go`).

use std::fmt;

use super::pattern::Pattern;

const SCHEME: &str = "spiffe://";

/// A pattern for `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerPattern {
    /// `namespaces`: what stands between `/ns/` and the next `/`, with asterisks anywhere.
    Namespace(Wildcards),
    /// `principals`: what follows the scheme.
    Principal(Pattern),
    /// `serviceAccounts`.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// `trustDomains`
    TrustDomain(Pattern),
}

impl PeerPattern {
    /// The pattern of `namespaces`.
    #[must_use]
    pub fn namespace(text: &str) -> Self {
        Self::Namespace(Wildcards::new(&["*/ns/", text, "/*"].concat()))
    }

    /// Whether an identity is like this.
    #[must_use]
    pub fn matches(&self, identity: &str) -> bool {
        // Certificates with a NUL or a line feed in a name have been used to deceive matchers.
        if identity.bytes().any(|byte| byte.is_ascii_control()) {
            return false;
        }
        let named = identity.strip_prefix(SCHEME);
        match self {
            Self::Namespace(wildcards) => wildcards.match_all_of(identity),
            // Any identity, of whatever scheme.
            Self::Principal(Pattern::Any) => !identity.is_empty(),
            Self::Principal(pattern) => named.is_some_and(|it| pattern.matches(it.as_bytes())),
            Self::ServiceAccount { namespace, name } => {
                named.is_some_and(|it| is_service_account(it, namespace, name))
            }
            Self::TrustDomain(Pattern::Any) => named.is_some(),
            Self::TrustDomain(pattern) => named
                .and_then(|it| it.split_once('/'))
                .is_some_and(|(domain, _)| pattern.matches(domain.as_bytes())),
        }
    }
}

/// As an identity with asterisks, without the scheme.
impl fmt::Display for PeerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(wildcards) => write!(f, "{wildcards}"),
            Self::Principal(pattern) => write!(f, "{pattern}"),
            Self::ServiceAccount { namespace, name } => {
                write!(f, "*/ns/{namespace}/sa/{name}")
            }
            Self::TrustDomain(pattern) => write!(f, "{pattern}/*"),
        }
    }
}

/// `.+/ns/<namespace>/(.+/|)sa/<name>(/.+)?`
fn is_service_account(identity: &str, namespace: &str, name: &str) -> bool {
    let namespace = ["/ns/", namespace, "/"].concat();
    identity.match_indices(&namespace).filter(|(start, _)| *start > 0).any(|(start, found)| {
        let behind = identity.get(start.saturating_add(found.len())..).unwrap_or_default();
        // At the start, or behind at least one character and a slash.
        let accounts = behind.match_indices("sa/").filter(|(place, _)| {
            *place == 0 || (*place > 1 && behind.get(..*place).is_some_and(|it| it.ends_with('/')))
        });
        accounts.filter_map(|(place, found)| behind.get(place.saturating_add(found.len())..)).any(
            |account| match account.strip_prefix(name) {
                Some("") => true,
                Some(more) => more.len() > 1 && more.starts_with('/'),
                None => false,
            },
        )
    })
}

/// A text in which each `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcards {
    first: String,
    /// The texts behind each asterisk.
    others: Vec<String>,
}

impl Wildcards {
    fn new(text: &str) -> Self {
        let mut parts = text.split('*').map(str::to_owned);
        Self { first: parts.next().unwrap_or_default(), others: parts.collect() }
    }

    fn match_all_of(&self, text: &str) -> bool {
        let Some(mut rest) = text.strip_prefix(self.first.as_str()) else { return false };
        let Some((last, between)) = self.others.split_last() else { return rest.is_empty() };
        for part in between {
            match rest.split_once(part.as_str()) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

/// As it is written.
impl fmt::Display for Wildcards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        self.others.iter().try_for_each(|part| write!(f, "*{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "spiffe://cluster.local/ns/demo/sa/web.app";

    #[test]
    fn principals_follow_the_scheme() {
        for (pattern, expected) in [
            ("cluster.local/ns/demo/sa/web.app", true),
            ("cluster.local/ns/demo/sa/webxapp", false),
            ("cluster.local/ns/demo/*", true),
            ("*/sa/web.app", true),
            ("*", true),
            ("*cluster.local/ns/demo/sa/web.app", true),
            ("*spiffe://cluster.local/ns/demo/sa/web.app", false),
            ("spiffe://cluster.local/ns/demo/sa/web.app", false),
        ] {
            let found = PeerPattern::Principal(Pattern::parse(pattern)).matches(PEER);
            assert_eq!(found, expected, "{pattern}");
        }
        let any = PeerPattern::Principal(Pattern::Any);
        assert!(any.matches("urn:x"));
        assert!(!any.matches("spiffe://a\0b"));
    }

    #[test]
    fn namespaces_have_asterisks_anywhere() {
        for (pattern, expected) in
            [("demo", true), ("d*o", true), ("*", true), ("dem", false), ("d.mo", false)]
        {
            assert_eq!(PeerPattern::namespace(pattern).matches(PEER), expected, "{pattern}");
        }
    }

    #[test]
    fn service_accounts_are_literal() {
        for (namespace, name, expected) in [
            ("demo", "web.app", true),
            ("demo", "webxapp", false),
            ("demo", "web", false),
            ("dem", "web.app", false),
        ] {
            let pattern = PeerPattern::ServiceAccount {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            assert_eq!(pattern.matches(PEER), expected, "{namespace}/{name}");
        }
        let pattern =
            PeerPattern::ServiceAccount { namespace: "a".to_owned(), name: "b".to_owned() };
        for (identity, expected) in [
            ("spiffe://td/ns/a/x/sa/b", true),
            ("spiffe://td/ns/a/sa/b/c", true),
            ("spiffe://td/ns/a/sa/b/", false),
            ("spiffe:///ns/a/sa/b", false),
            ("spiffe://td/ns/a/xsa/b", false),
            ("spiffe://td/ns/a//sa/b", false),
            ("td/ns/a/sa/b", false),
        ] {
            assert_eq!(pattern.matches(identity), expected, "{identity}");
        }
    }

    #[test]
    fn trust_domains_end_at_the_slash() {
        for (pattern, expected) in [
            ("cluster.local", true),
            ("cluster", false),
            ("cluster*", true),
            ("*.local", true),
            ("*demo", false),
            ("*", true),
        ] {
            let found = PeerPattern::TrustDomain(Pattern::parse(pattern)).matches(PEER);
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
