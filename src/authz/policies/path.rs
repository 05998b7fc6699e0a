//! `paths` of an AuthorizationPolicy: patterns and templates (Istio's `matcher/template.go`, Envoy's
//! `source/extensions/path/uri_template_lib`). They see the path as it came, without the query.

use std::fmt;

use super::pattern::Pattern;

/// What a path is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// A text with or without an asterisk at one end.
    Text(Pattern),
    /// A text with `{*}` or `{**}`.
    Template(PathTemplate),
}

/// A path with `{*}` for one segment and at last `{**}` for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    /// What stands before each `{*}`.
    segments: Vec<String>,
    /// What stands behind the last `{*}`, or at all.
    literal: String,
    /// What stands behind `{**}`, if the template has it.
    behind_rest: Option<String>,
}

/// A text that is no path of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPatternError {
    /// The text.
    pub found: String,
}

impl fmt::Display for PathPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "found `{}`, expected a template that begins with `/`, in which `{{*}}` and `{{**}}` each \
             fill a segment, `{{**}}` is the last of them, and no other `*`, `{{` or `}}` stands",
            self.found
        )
    }
}

impl std::error::Error for PathPatternError {}

impl PathPattern {
    /// Reads a path.
    ///
    /// # Errors
    /// [`PathPatternError`], for a template that Istio refuses too (`CheckValidPathTemplate`).
    pub fn parse(text: &str) -> Result<Self, PathPatternError> {
        if !text.contains("{*}") && !text.contains("{**}") {
            return Ok(Self::Text(Pattern::parse(text)));
        }
        let template = PathTemplate::parse(text);
        let template = template.ok_or_else(|| PathPatternError { found: text.to_owned() })?;
        Ok(Self::Template(template))
    }

    /// Whether a path, without its query, is like this.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Text(pattern) => pattern.matches(path),
            Self::Template(template) => template.matches(path),
        }
    }

    /// What every path that it matches begins with, and whether it is all of the path.
    #[must_use]
    pub fn start(&self) -> (&str, bool) {
        match self {
            Self::Text(Pattern::Exact(text)) => (text, true),
            Self::Text(Pattern::Prefix(text)) => (text, false),
            Self::Text(Pattern::Any | Pattern::Suffix(_)) => ("", false),
            Self::Template(PathTemplate { segments, literal, .. }) => {
                (segments.first().unwrap_or(literal), false)
            }
        }
    }
}

/// As it is written.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PathTemplate { segments, literal, behind_rest } = match self {
            Self::Text(pattern) => return pattern.fmt(f),
            Self::Template(template) => template,
        };
        segments.iter().try_for_each(|before| write!(f, "{before}{{*}}"))?;
        f.write_str(literal)?;
        behind_rest.iter().try_for_each(|behind| write!(f, "{{**}}{behind}"))
    }
}

impl PathTemplate {
    fn parse(text: &str) -> Option<Self> {
        let mut template = Self { segments: Vec::new(), literal: String::new(), behind_rest: None };
        for segment in text.strip_prefix('/')?.split('/') {
            let is_last = template.behind_rest.is_some();
            let literal = template.behind_rest.as_mut().unwrap_or(&mut template.literal);
            literal.push('/');
            match segment {
                "{*}" | "{**}" if is_last => return None,
                "{*}" => template.segments.push(std::mem::take(&mut template.literal)),
                "{**}" => template.behind_rest = Some(String::new()),
                _ if segment.bytes().all(is_pchar) => literal.push_str(segment),
                _ => return None,
            }
        }
        Some(template)
    }

    fn matches(&self, path: &[u8]) -> bool {
        let mut rest = path;
        for before in &self.segments {
            let Some(behind) = rest.strip_prefix(before.as_bytes()) else { return false };
            let end = behind.iter().position(|byte| !is_filled_with(*byte)).unwrap_or(behind.len());
            let Some((1.., behind)) = behind.get(end..).map(|behind| (end, behind)) else {
                return false;
            };
            rest = behind;
        }
        let Some(rest) = rest.strip_prefix(self.literal.as_bytes()) else { return false };
        match &self.behind_rest {
            None => rest.is_empty(),
            Some(last) => rest
                .strip_suffix(last.as_bytes())
                .is_some_and(|rest| rest.iter().all(|byte| is_filled_with(*byte) || *byte == b'/')),
        }
    }
}

/// What a literal of a template can hold: `kLiteral` of `uri_template_internal.cc`.
fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@=".contains(&byte)
}

/// What `{*}` and `{**}` take of a request: an asterisk too (the same file).
fn is_filled_with(byte: u8) -> bool {
    is_pchar(byte) || byte == b'*'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_match_segments_and_a_rest() {
        for (pattern, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a/{*}", "/a/*", true),
            ("/a/{**}", "/a/*/b", true),
            ("/a/*", "/a/b/c", true),
            ("*/info", "/a/info", true),
            ("*", "/", true),
            ("/a/{*}", "/a/b", true),
            ("/a/{*}", "/a/", false),
            ("/a/{*}", "/a/b/", false),
            ("/a/{*}", "/a/b/c", false),
            ("/{*}/b/{*}", "/x/b/y", true),
            ("/{*}/b/{*}", "/x/c/y", false),
            ("/a/{**}", "/a/", true),
            ("/a/{**}", "/a/b/c", true),
            ("/a/{**}", "/a", false),
            ("/a/{**}/b", "/a/x/y/b", true),
            ("/a/{**}/b", "/a//b", true),
            ("/a/{**}/b", "/a/b", false),
            ("/{*}/{**}", "/a/b/c", true),
            ("/{*}/{**}", "//b", false),
            // Istio's templates do not match what RFC 3986 forbids in a path.
            ("/a/{*}", "/a/b|c", false),
            ("/a/{**}", "/a/\"", false),
            ("/a.b/{*}", "/axb/c", false),
        ] {
            let found = PathPattern::parse(pattern).unwrap().matches(path.as_bytes());
            assert_eq!(found, expected, "{pattern} {path}");
        }
        assert!(!PathPattern::parse("/a/{*}").unwrap().matches(b"/a/\xff"));
    }

    #[test]
    fn templates_that_istio_refuses_are_refused() {
        for text in [
            "{*}",
            "/a{*}",
            "/{**}/{*}",
            "/{**}/{**}",
            "/{*}/b*",
            "/{*}/{name}",
            "/{*}/a b",
            "*/{*}",
        ] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_start_is_what_an_index_can_look_up() {
        for (pattern, expected) in [
            ("/a", ("/a", true)),
            ("/a/*", ("/a/", false)),
            ("*/a", ("", false)),
            ("/a/{*}/b", ("/a/", false)),
            ("/a/{**}", ("/a/", false)),
        ] {
            assert_eq!(PathPattern::parse(pattern).unwrap().start(), expected, "{pattern}");
        }
    }
}
