//! JSON as RFC 8259 has it and stricter: no name twice in one object, at any depth, and bounds on
//! depth and on the number of members. Documents and tokens are both read with it.
//!
//! Two readers that disagree about `{"exp":1,"exp":2}` disagree about a token, so such a text is
//! refused instead of being interpreted (RFC 8725 §2.4).

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::in_order::first_repeated;

/// A JSON value. Its texts are parts of the text that it was read from, unless they had escapes:
/// most of what a token says is read once, without a copy.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'t, str>),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Object<'t>),
}

/// The members of a JSON object, in the order of the text; no name is there twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'t>(Vec<(Cow<'t, str>, Json<'t>)>);

impl<'t> Json<'t> {
    /// The text of a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object<'t>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl<'t> Object<'t> {
    /// The member with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json<'t>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names of the members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }
}

impl From<Json<'_>> for Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number),
            Json::Text(text) => Self::String(text.into_owned()),
            Json::List(elements) => {
                // With room for no more: some of these are kept.
                let mut values = Vec::with_capacity(elements.len());
                values.extend(elements.into_iter().map(Self::from));
                Self::Array(values)
            }
            Json::Object(Object(members)) => {
                let mut map = Map::new();
                // Collecting them would sort them first, with 5 KB of code in the module.
                for (name, value) in members {
                    map.insert(name.into_owned(), value.into());
                }
                Self::Object(map)
            }
        }
    }
}

/// A value as JSON. The one way to write one: what `Display` needs on top is code that every sidecar loads.
#[must_use]
pub fn written(value: &Value) -> String {
    // Only a map with keys that are no strings can't be written.
    serde_json::to_string(value).unwrap_or_default()
}

/// Up to how many members of an object are gone through, one by one, for a name; the names of more
/// are sorted, so that a client can't make us go through a thousand a thousand times.
const FEW: usize = 16;

/// Bounds on a JSON text. A text that exceeds one of them is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep objects and lists may be nested; the outermost one counts as 1.
    pub depth: usize,
    /// How many members all objects of the text may have together.
    pub members: usize,
}

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// An object has this name twice.
    DuplicateName(String),
    /// The text is not JSON; what the parser said, with line and column.
    Syntax(String),
    /// Objects and lists are nested deeper than [`Limits::depth`].
    TooDeep,
    /// There are more members than [`Limits::members`].
    TooManyMembers,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName(name) => write!(f, "found the name `{name}` twice in one object"),
            Self::Syntax(message) => write!(f, "not JSON: {message}"),
            Self::TooDeep => write!(f, "nested too deep"),
            Self::TooManyMembers => write!(f, "too many members"),
        }
    }
}

/// Reads one JSON text.
///
/// # Errors
/// [`JsonError`], for the first thing that is wrong with it.
pub fn parse(text: &[u8], limits: Limits) -> Result<Json<'_>, JsonError> {
    let state = State { members_left: Cell::new(limits.members), error: Cell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = JsonSeed { state: &state, depth_left: limits.depth };
    let parsed =
        seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    parsed
        .map_err(|error| state.error.take().unwrap_or_else(|| JsonError::Syntax(error.to_string())))
}

/// What one parse keeps track of.
struct State {
    members_left: Cell<usize>,
    error: Cell<Option<JsonError>>,
}

impl State {
    /// Stops the parse; the message is never shown, [`State::error`] is.
    fn refuse<E: serde::de::Error>(&self, error: JsonError) -> E {
        self.error.set(Some(error));
        E::custom("refused")
    }
}

#[derive(Clone, Copy)]
struct JsonSeed<'s> {
    state: &'s State,
    depth_left: usize,
}

impl JsonSeed<'_> {
    fn nested<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.state.refuse(JsonError::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for JsonSeed<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonSeed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(value.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json<'de>, A::Error> {
        let seed = self.nested()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(seed)? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let seed = self.nested()?;
        let mut object = Object::default();
        while let Some(name) = members.next_key_seed(NameSeed)? {
            let Some(members_left) = self.state.members_left.get().checked_sub(1) else {
                return Err(self.state.refuse(JsonError::TooManyMembers));
            };
            self.state.members_left.set(members_left);
            if object.0.len() < FEW && object.get(&name).is_some() {
                return Err(self.state.refuse(JsonError::DuplicateName(name.into_owned())));
            }
            let value = members.next_value_seed(seed)?;
            if object.0.is_empty() {
                object.0.reserve(FEW);
            }
            object.0.push((name, value));
        }
        if object.0.len() > FEW
            && let Some(name) = first_repeated(object.names())
        {
            return Err(self.state.refuse(JsonError::DuplicateName(name.to_owned())));
        }
        Ok(Json::Object(object))
    }
}

/// The name of a member.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(name.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { depth: 3, members: 4 };

    fn parse_text(text: &str) -> Result<Json<'_>, JsonError> {
        parse(text.as_bytes(), LIMITS)
    }

    #[test]
    fn values_of_every_kind_are_read() {
        let text = r#"{"a":[null,true,-1,2,1.5],"b":"\u00e9"}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::from(parse_text(text).unwrap()), expected);
    }

    #[test]
    fn only_texts_with_escapes_are_copied() {
        let Ok(Json::Object(object)) = parse_text(r#"{"a":"b","\u0063":"\u0064"}"#) else {
            panic!()
        };
        assert!(matches!(object.get("a"), Some(Json::Text(Cow::Borrowed("b")))));
        assert!(matches!(object.get("c"), Some(Json::Text(Cow::Owned(text))) if text == "d"));
    }

    #[test]
    fn a_name_twice_is_found_among_many() {
        let limits = Limits { depth: 1, members: 100 };
        let object = |last: usize| {
            let members: Vec<_> =
                (0..50).chain([last]).map(|name| format!("\"{name}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(parse(object(50).as_bytes(), limits).is_ok());
        for known in 0..50 {
            let expected = JsonError::DuplicateName(known.to_string());
            assert_eq!(parse(object(known).as_bytes(), limits), Err(expected));
        }
    }

    #[test]
    fn a_name_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"a":2}}"#, r#"[{"a":1,"\u0061":2}]"#] {
            assert_eq!(parse_text(text), Err(JsonError::DuplicateName("a".into())), "{text}");
        }
    }

    #[test]
    fn depth_and_members_are_bounded() {
        assert!(parse_text("[[[1]]]").is_ok());
        assert_eq!(parse_text("[[[[1]]]]"), Err(JsonError::TooDeep));
        assert!(parse_text(r#"{"a":1,"b":{"c":1,"d":1}}"#).is_ok());
        assert_eq!(
            parse_text(r#"{"a":1,"b":{"c":1,"d":1,"e":1}}"#),
            Err(JsonError::TooManyMembers)
        );
        let deep = "[".repeat(100_000);
        assert_eq!(parse_text(&deep), Err(JsonError::TooDeep));
    }

    #[test]
    fn what_other_parsers_forgive_is_refused() {
        for text in ["", "{'a':1}", "[1,]", "{} {}", "\u{feff}{}", "\"\u{1}\"", "1e999", "[01]"] {
            assert!(matches!(parse_text(text), Err(JsonError::Syntax(_))), "{text}");
        }
        assert!(parse(b"\"\xff\"", LIMITS).is_err());
        assert!(parse(br#""\ud800""#, LIMITS).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes, LIMITS);
        }
    }
}
