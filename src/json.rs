//! JSON as RFC 8259 has it and stricter: no name twice in one object, at any depth, and bounds on
//! depth and on the number of members. Documents and tokens are both read with it.
//!
//! Two readers that disagree about `{"exp":1,"exp":2}` disagree about a token, so such a text is
//! refused instead of being interpreted (RFC 8725 §2.4).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

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
            Self::DuplicateName(name) => write!(f, "the name `{name}` stands twice in one object"),
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
pub fn parse(text: &[u8], limits: Limits) -> Result<Value, JsonError> {
    let state = State { members_left: Cell::new(limits.members), error: Cell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = ValueSeed { state: &state, depth_left: limits.depth };
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
struct ValueSeed<'s> {
    state: &'s State,
    depth_left: usize,
}

impl ValueSeed<'_> {
    fn nested<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.state.refuse(JsonError::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let seed = self.nested()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(seed)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let seed = self.nested()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Some(members_left) = self.state.members_left.get().checked_sub(1) else {
                return Err(self.state.refuse(JsonError::TooManyMembers));
            };
            self.state.members_left.set(members_left);
            if object.contains_key(&name) {
                return Err(self.state.refuse(JsonError::DuplicateName(name)));
            }
            let value = members.next_value_seed(seed)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { depth: 3, members: 4 };

    fn parse_text(text: &str) -> Result<Value, JsonError> {
        parse(text.as_bytes(), LIMITS)
    }

    #[test]
    fn values_of_every_kind_are_read() {
        let text = r#"{"a":[null,true,-1,2,1.5],"b":"\u00e9"}"#;
        assert_eq!(parse_text(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
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
