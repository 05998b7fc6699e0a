//! A path of the route table, as it is written in a document: `/reviews/{id}`.

use std::fmt;

use super::path::{self, MAX_SEGMENTS, Segment};

/// A path of literals and variables, with or without a rest at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The segments before the rest.
    pub parts: Vec<Part>,
    /// Whether any further segments, or none, may follow.
    pub rest: bool,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Exactly this text, decoded.
    Literal(String),
    /// Any one segment that is not empty: `{name}`, or `{*}` without a name.
    Variable(Option<String>),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`], for the first segment that is wrong.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let Some(inner) = text.strip_prefix('/') else {
            return Err(TemplateError::Start(text.to_owned()));
        };
        let mut template = Self { parts: Vec::new(), rest: false };
        if inner.is_empty() {
            return Ok(template);
        }
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.split('/').count() > MAX_SEGMENTS {
            return Err(TemplateError::TooLong);
        }
        for segment in inner.split('/') {
            if template.rest {
                return Err(TemplateError::AfterRest(text.to_owned()));
            }
            match variable(segment) {
                Some("**") => template.rest = true,
                Some("*") => template.parts.push(Part::Variable(None)),
                Some(name) => match name.strip_suffix("=**") {
                    Some(name) if is_name(name) => template.rest = true,
                    None if is_name(name) => template.add_variable(name, text)?,
                    _ => return Err(TemplateError::Variable(segment.to_owned())),
                },
                None => template.parts.push(Part::Literal(literal(segment)?)),
            }
        }
        Ok(template)
    }

    fn add_variable(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        if self.variable(name).is_some() {
            return Err(TemplateError::Twice { path: text.to_owned(), name: name.to_owned() });
        }
        self.parts.push(Part::Variable(Some(name.to_owned())));
        Ok(())
    }

    /// Which segment the variable of this name is.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<usize> {
        self.parts
            .iter()
            .position(|part| matches!(part, Part::Variable(Some(known)) if known.as_str() == name))
    }
}

/// Why a text is no path of the route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// This path does not start with `/`.
    Start(String),
    /// It has too many segments.
    TooLong,
    /// Something follows the rest of this path.
    AfterRest(String),
    /// Two segments have one name.
    Twice {
        /// The path.
        path: String,
        /// The name.
        name: String,
    },
    /// This segment has braces, but is no variable.
    Variable(String),
    /// This segment has an asterisk outside braces.
    Asterisk(String),
    /// This segment can be read in more than one way.
    Ambiguous(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(path) => {
                write!(f, "found `{path}`, expected a path that starts with `/`")
            }
            Self::TooLong => write!(f, "found a path of more than {MAX_SEGMENTS} segments"),
            Self::AfterRest(path) => {
                write!(f, "found `{path}`, where something follows the rest `{{**}}`")
            }
            Self::Twice { path, name } => {
                write!(f, "found `{path}`, which has the variable `{name}` twice")
            }
            Self::Variable(segment) => write!(
                f,
                "found `{segment}`, expected `{{name}}` or `{{*}}` for one segment, or `{{**}}` or \
                 `{{name=**}}` for the rest"
            ),
            Self::Asterisk(segment) => write!(
                f,
                "found `{segment}`, expected `{{*}}` for one segment or `{{**}}` for the rest; a \
                 literal asterisk is `%2A`"
            ),
            Self::Ambiguous(segment) => write!(
                f,
                "found the segment `{segment}`, which can be read in more than one way; a byte that \
                 RFC 3986 does not allow is percent-encoded once"
            ),
        }
    }
}

impl std::error::Error for TemplateError {}

/// The text between the braces of a segment.
fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn literal(segment: &str) -> Result<String, TemplateError> {
    if segment.contains(['{', '}']) {
        return Err(TemplateError::Variable(segment.to_owned()));
    }
    if segment.contains('*') {
        return Err(TemplateError::Asterisk(segment.to_owned()));
    }
    match path::segments(format!("/{segment}").as_bytes()).as_deref() {
        Some([Segment::Plain(text)]) => Ok(text.clone().into_owned()),
        _ => Err(TemplateError::Ambiguous(segment.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Part {
        Part::Literal(text.into())
    }

    #[test]
    fn segments_are_literals_variables_or_the_rest() {
        let template = Template::parse("/a%20b/{id}/{*}/{path=**}").unwrap();
        let parts = [literal("a b"), Part::Variable(Some("id".into())), Part::Variable(None)];
        assert_eq!((template.parts.as_slice(), template.rest), (&parts[..], true));
        assert_eq!((template.variable("id"), template.variable("path")), (Some(1), None));
        assert_eq!(Template::parse("/").unwrap(), Template::parse("/").unwrap());
        assert_eq!(Template::parse("/a/").unwrap(), Template::parse("/a").unwrap());
        assert_eq!(Template::parse("/%2A").unwrap().parts, [literal("*")]);
        assert!(Template::parse("/{**}").unwrap().rest);
    }

    #[test]
    fn everything_else_is_refused() {
        assert!(Template::parse(&"/a".repeat(MAX_SEGMENTS)).is_ok());
        assert!(Template::parse(&"/a".repeat(MAX_SEGMENTS + 1)).is_err());
        for text in [
            "",
            "a",
            "//",
            "/a//b",
            "/{**}/a",
            "/{a=**}/b",
            "/{a}/{a}",
            "/{}",
            "/{a b}",
            "/{a*}",
            "/a{*}",
            "/{a",
            "/a}",
            "/a*",
            "/*",
            "/{a=*}",
            "/{1a}",
            "/..",
            "/a;b",
            "/a?b",
            "/a#b",
            "/a%2fb",
            "/a%25zz%2541",
            "/é",
            "/a b",
            "/%",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
