//! How a document names a claim.

use std::fmt;

use crate::json::{Json, Object};

/// A claim: a name at the top of the payload, or a walk through objects, as in Istio's
/// `request.auth.claims[a][b]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// Reads `permissions`, `https://example.com/roles`, `cognito:groups` (each one literal name)
    /// or `[realm_access][roles]` (a walk).
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let malformed = || format!("found `{text}`, expected a claim such as `sub` or `[a][b]`");
        let Some(inner) = text.strip_prefix('[') else {
            return if text.is_empty() {
                Err(malformed())
            } else {
                Ok(Self(vec![text.to_owned()]))
            };
        };
        let inner = inner.strip_suffix(']').ok_or_else(malformed)?;
        let names: Vec<_> = inner.split("][").map(str::to_owned).collect();
        if names.iter().any(|name| name.is_empty() || name.contains(['[', ']'])) {
            return Err(malformed());
        }
        Ok(Self(names))
    }

    /// The claim in these claims. Lists are not walked through.
    #[must_use]
    pub fn find<'c, 't>(&self, claims: &'c Object<'t>) -> Option<&'c Json<'t>> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, name| value.as_object()?.get(name))
    }

    /// As [`Self::find`]; a single name that is no claim is then read as a dotted path, as Envoy
    /// reads the names of `claim_to_headers`.
    #[must_use]
    pub fn find_dotted<'c, 't>(&self, claims: &'c Object<'t>) -> Option<&'c Json<'t>> {
        self.find(claims).or_else(|| match self.0.as_slice() {
            [name] if name.contains('.') => {
                let names = Self(name.split('.').map(str::to_owned).collect());
                names.find(claims)
            }
            _ => None,
        })
    }

    /// The name, if it is a single one at the top of the payload.
    #[must_use]
    pub fn top_level(&self) -> Option<&str> {
        match self.0.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [name] => f.write_str(name),
            names => names.iter().try_for_each(|name| write!(f, "[{name}]")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::{self, Limits};

    #[test]
    fn names_are_literal_and_brackets_walk() {
        let text = br#"{"a.b": 1, "a": {"b": 2, "c": [{"d": 3}]}, "https://x/y": 4}"#;
        let claims = json::parse(text, Limits { depth: 9, members: 9 }).unwrap();
        let claims = claims.as_object().unwrap();
        let find = |text| ClaimPath::parse(text).unwrap().find(claims).cloned().map(Value::from);
        assert_eq!(find("a.b"), Some(json!(1)));
        assert_eq!(find("[a][b]"), Some(json!(2)));
        assert_eq!(find("[a.b]"), Some(json!(1)));
        assert_eq!(find("https://x/y"), Some(json!(4)));
        assert_eq!(find("[a][c][d]"), None);
        assert_eq!(find("a.c"), None);
        let dotted = ClaimPath::parse("a.c").unwrap().find_dotted(claims).cloned().map(Value::from);
        assert_eq!(dotted, Some(json!([{"d": 3}])));
    }

    #[test]
    fn broken_brackets_are_refused() {
        for text in ["", "[", "[]", "[a", "[a][]", "[a]b", "[a]b[c]", "[[a]]"] {
            assert!(ClaimPath::parse(text).is_err(), "{text}");
        }
    }
}
