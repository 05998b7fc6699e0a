//! How a document names a claim.

use std::borrow::Cow;
use std::fmt;

use crate::json::{Json, Object};

/// A claim: a name at the top of the payload, or a walk through objects, as in Istio's
/// `request.auth.claims[a][b]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    names: Vec<String>,
    /// Whether the walk ends at a list, as in Istio's policies.
    ends_at_lists: bool,
}

impl ClaimPath {
    /// Reads `permissions`, `https://example.com/roles`, `cognito:groups` (each one literal name)
    /// or `[realm_access][roles]` (a walk).
    ///
    /// # Errors
    /// [`ClaimPathError`], for an empty text or brackets that are no walk.
    pub fn parse(text: &str) -> Result<Self, ClaimPathError> {
        let malformed = || ClaimPathError { found: text.to_owned() };
        let Some(inner) = text.strip_prefix('[') else {
            // Brackets anywhere else are a walk that was written wrong, such as `a[b]`.
            return if text.is_empty() || text.contains(['[', ']']) {
                Err(malformed())
            } else {
                Ok(Self { names: vec![text.to_owned()], ends_at_lists: false })
            };
        };
        let inner = inner.strip_suffix(']').ok_or_else(malformed)?;
        let names: Vec<_> = inner.split("][").map(str::to_owned).collect();
        if names.iter().any(|name| name.is_empty() || name.contains(['[', ']'])) {
            return Err(malformed());
        }
        Ok(Self { names, ends_at_lists: false })
    }

    /// A walk through objects alone, as a policy writes it behind `request.auth.claims`: `[a][b]`. As in
    /// Istio (`extractNameInNestedBrackets`), what is no such walk is one name.
    #[must_use]
    pub fn of_policy(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let names: Vec<_> = inner.split("][").map(str::to_owned).collect();
        let is_walk = !names.iter().any(|name| name.contains(['[', ']']));
        let names = if is_walk { names } else { vec![inner.to_owned()] };
        Some(Self { names, ends_at_lists: true })
    }

    /// The claim in these claims. A walk that meets a list goes on in each of its objects, and all that
    /// it finds there is one list (Keycloak's `[authorization][permissions][scopes]`).
    #[must_use]
    pub fn find<'c, 't>(&self, claims: &'c Object<'t>) -> Option<Cow<'c, Json<'t>>> {
        let (first, rest) = self.names.split_first()?;
        find_in(claims.get(first)?, rest, self.ends_at_lists)
    }

    /// As [`Self::find`]; a single name that is no claim is then read as a dotted path through objects,
    /// as Envoy reads the names of `claim_to_headers`.
    #[must_use]
    pub fn find_dotted<'c, 't>(&self, claims: &'c Object<'t>) -> Option<Cow<'c, Json<'t>>> {
        self.find(claims).or_else(|| match self.names.as_slice() {
            [name] if name.contains('.') => {
                let (first, rest) = name.split_once('.')?;
                let walk = |value: &'c Json<'t>, name| value.as_object()?.get(name);
                rest.split('.').try_fold(claims.get(first)?, walk).map(Cow::Borrowed)
            }
            _ => None,
        })
    }

    /// The names of the walk; one for a name at the top of the payload.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name, if it is a single one at the top of the payload.
    #[must_use]
    pub fn top_level(&self) -> Option<&str> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }
}

/// A text that names no claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPathError {
    /// The text.
    pub found: String,
}

impl fmt::Display for ClaimPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "found `{}`, expected a claim such as `sub` or `[a][b]`", self.found)
    }
}

impl std::error::Error for ClaimPathError {}

/// What a walk by these names finds from a value on.
fn find_in<'c, 't>(
    value: &'c Json<'t>,
    names: &[String],
    ends_at_lists: bool,
) -> Option<Cow<'c, Json<'t>>> {
    let Some((name, rest)) = names.split_first() else { return Some(Cow::Borrowed(value)) };
    match value {
        Json::Object(object) => find_in(object.get(name)?, rest, ends_at_lists),
        Json::List(elements) if !ends_at_lists => {
            let objects = elements.iter().filter_map(Json::as_object);
            let found = objects.filter_map(|object| find_in(object.get(name)?, rest, false));
            let mut all = Vec::new();
            let mut is_found = false;
            for value in found {
                is_found = true;
                match value.into_owned() {
                    Json::List(elements) => all.extend(elements),
                    value => all.push(value),
                }
            }
            is_found.then_some(Cow::Owned(Json::List(all)))
        }
        _ => None,
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names.as_slice() {
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
        let value = |found: Cow<'_, Json<'_>>| Value::from(found.into_owned());
        let find = |text| ClaimPath::parse(text).unwrap().find(claims).map(value);
        assert_eq!(find("a.b"), Some(json!(1)));
        assert_eq!(find("[a][b]"), Some(json!(2)));
        assert_eq!(find("[a.b]"), Some(json!(1)));
        assert_eq!(find("https://x/y"), Some(json!(4)));
        assert_eq!(find("a.c"), None);
        let find_dotted = |text| ClaimPath::parse(text).unwrap().find_dotted(claims).map(value);
        assert_eq!(find_dotted("a.c"), Some(json!([{"d": 3}])));
        assert_eq!(find_dotted("a.c.d"), None, "Envoy walks through objects alone");
    }

    #[test]
    fn a_walk_goes_on_in_the_objects_of_a_list() {
        let claims = json!({
            "uma": [{"scopes": ["a", "b"]}, {"rsname": "x"}, 7, {"scopes": "c"}, {"scopes": []}],
            "deep": [{"in": [{"it": 1}, {"it": [2, [3]]}]}, {"in": {"it": null}}],
            "none": [{"x": 1}, []],
            "empty": [],
        });
        let text = claims.to_string();
        let claims = json::parse(text.as_bytes(), Limits { depth: 9, members: 99 }).unwrap();
        for (path, expected) in [
            ("[uma][scopes]", Some(json!(["a", "b", "c"]))),
            ("[deep][in][it]", Some(json!([1, 2, [3], null]))),
            ("[none][y]", None),
            ("[empty][y]", None),
            ("[uma][scopes][z]", None),
        ] {
            let found = ClaimPath::parse(path).unwrap();
            let found = found.find(claims.as_object().unwrap());
            assert_eq!(found.map(|it| Value::from(it.into_owned())), expected, "{path}");
        }
    }

    #[test]
    fn broken_brackets_are_refused() {
        for text in
            ["", "a[b]", "a.b[c]", "a]", "[", "[]", "[a", "[a][]", "[a]b", "[a]b[c]", "[[a]]"]
        {
            assert!(ClaimPath::parse(text).is_err(), "{text}");
        }
    }
}
