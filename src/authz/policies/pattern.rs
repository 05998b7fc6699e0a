//! The patterns of an AuthorizationPolicy for texts: `x`, `x*`, `*x`, `*` (Istio's
//! `pilot/pkg/security/authz/matcher/string.go` and `header.go`).

use std::fmt;

/// A pattern for a text. A `*` that is not at its start or end is a character like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: any text that is not empty, and has no line feed (Istio writes it as `.+`).
    Any,
    /// `x`: this text.
    Exact(String),
    /// `x*`: what begins with this text.
    Prefix(String),
    /// `*x`: what ends with this text.
    Suffix(String),
}

impl Pattern {
    /// Reads a pattern. Only the first form that fits counts: `*a*` is what ends with `a*`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Any;
        }
        if let Some(suffix) = text.strip_prefix('*') {
            return Self::Suffix(suffix.to_owned());
        }
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(text.to_owned()),
        }
    }

    /// Whether a text is like this.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => is_some(text),
            Self::Exact(exact) => text == exact.as_bytes(),
            Self::Prefix(prefix) => text.starts_with(prefix.as_bytes()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_bytes()),
        }
    }

    /// Whether the value of a header is like this: `*` asks only that the header is there.
    #[must_use]
    pub fn matches_header(&self, value: &[u8]) -> bool {
        matches!(self, Self::Any) || self.matches(value)
    }

    /// The same for a host, whose letters have no case (RFC 9110 §4.2.3).
    #[must_use]
    pub fn matches_host(&self, host: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => host.eq_ignore_ascii_case(exact.as_bytes()),
            Self::Prefix(prefix) => host
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())),
            Self::Suffix(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .and_then(|start| host.get(start..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes())),
        }
    }

    /// The text that it alone matches.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Exact(text) => Some(text),
            Self::Any | Self::Prefix(_) | Self::Suffix(_) => None,
        }
    }
}

/// As it is written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(text) => f.write_str(text),
            Self::Prefix(text) => write!(f, "{text}*"),
            Self::Suffix(text) => write!(f, "*{text}"),
        }
    }
}

/// What RE2 matches with `.+`.
fn is_some(text: &[u8]) -> bool {
    !text.is_empty() && !text.contains(&b'\n') && str::from_utf8(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_form_that_fits_counts() {
        for (pattern, text, expected) in [
            ("*", "a", true),
            ("*", "", false),
            ("*", "a\nb", false),
            ("a", "a", true),
            ("a", "A", false),
            ("a.c", "abc", false),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*a", "a", true),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("*a*", "xa*", true),
            ("*a*", "xab", false),
            ("a*b", "a*b", true),
            ("a*b", "axb", false),
            ("**", "x*", true),
            ("**", "x", false),
        ] {
            let found = Pattern::parse(pattern).matches(text.as_bytes());
            assert_eq!(found, expected, "{pattern} {text:?}");
        }
        assert!(!Pattern::Any.matches(b"\xff"));
        assert!(!Pattern::parse("a").matches(b"a\0"));
    }

    #[test]
    fn headers_may_be_empty_and_hosts_have_no_case() {
        assert!(Pattern::Any.matches_header(b""));
        assert!(Pattern::parse("a*").matches_header(b"ab"));
        for (pattern, host, expected) in [
            ("example.com", "EXAMPLE.com", true),
            ("example.com", "example.com:8080", false),
            ("example.com:*", "Example.com:8080", true),
            ("*.example.com", "a.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "m", false),
            ("example.com.*", "example.com", false),
        ] {
            let found = Pattern::parse(pattern).matches_host(host.as_bytes());
            assert_eq!(found, expected, "{pattern} {host}");
        }
    }
}
