//! `requestPrincipals`: `<iss>/<sub>` of the token (Istio's `requestPrincipalGenerator`).

use std::fmt;

use super::pattern::Pattern;

/// A pattern for the issuer of a token and one for its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPrincipal {
    issuer: Pattern,
    subject: Pattern,
}

impl RequestPrincipal {
    /// Reads `iss/sub`; the last slash parts the two, so a subject with a slash can't be named.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let exact = |text: &str| Pattern::Exact(text.to_owned());
        let (issuer, subject) = match text.rsplit_once('/') {
            _ if text == "*" => (Pattern::Any, Pattern::Any),
            // An asterisk at the start is the issuer's; one at the end is then a character.
            Some((issuer, subject)) if issuer.starts_with('*') => {
                (Pattern::parse(issuer), exact(subject))
            }
            Some((issuer, subject)) if subject.ends_with('*') => {
                (exact(issuer), prefix_or_any(subject))
            }
            Some((issuer, subject)) => (exact(issuer), exact(subject)),
            None if text.starts_with('*') => (Pattern::Any, Pattern::parse(text)),
            None if text.ends_with('*') => (prefix_or_any(text), Pattern::Any),
            None => (exact(text), exact("")),
        };
        Self { issuer, subject }
    }

    /// Whether a token is of such an issuer and subject. It needs both.
    #[must_use]
    pub fn matches(&self, issuer: &str, subject: &str) -> bool {
        self.issuer.matches(issuer.as_bytes()) && self.subject.matches(subject.as_bytes())
    }
}

/// As it is written.
impl fmt::Display for RequestPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { issuer: Pattern::Any, subject: Pattern::Any } => f.write_str("*"),
            Self { issuer: Pattern::Any, subject: Pattern::Suffix(subject) } => {
                write!(f, "*{subject}")
            }
            Self { issuer, subject: Pattern::Any } if !matches!(issuer, Pattern::Exact(_)) => {
                issuer.fmt(f)
            }
            Self { issuer, subject } => write!(f, "{issuer}/{subject}"),
        }
    }
}

fn prefix_or_any(text: &str) -> Pattern {
    match text.strip_suffix('*') {
        Some("") => Pattern::Any,
        Some(prefix) => Pattern::Prefix(prefix.to_owned()),
        None => Pattern::Exact(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_slash_parts_issuer_and_subject() {
        for (pattern, issuer, subject, expected) in [
            ("*", "i", "s", true),
            ("*", "", "s", false),
            ("*", "i", "", false),
            ("*/x", "i", "x", true),
            ("*/x", "i", "y", false),
            ("*s/x", "iss", "x", true),
            ("*s/x", "i", "x", false),
            ("*s", "i", "subs", true),
            ("*s", "i", "sub", false),
            ("i/*", "i", "any", true),
            ("i/*", "j", "any", false),
            ("i/*", "i", "", false),
            ("i/p*", "i", "pq", true),
            ("i/p*", "i", "q", false),
            ("p*", "pi", "any", true),
            ("p*", "i", "any", false),
            ("i/x", "i", "x", true),
            ("i/x", "i", "xy", false),
            ("https://a/x", "https://a", "x", true),
            ("x", "x", "", true),
            ("x", "x", "x", false),
            // Traps of Istio's.
            ("*/*", "i", "s", false),
            ("*/*", "i", "*", true),
            ("https://foo*", "https://foo", "s", false),
            ("i/a/b", "i", "a/b", false),
        ] {
            let found = RequestPrincipal::parse(pattern).matches(issuer, subject);
            assert_eq!(found, expected, "{pattern} {issuer} {subject}");
        }
    }
}
