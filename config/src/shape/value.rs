//! What the value of a field can be.

use std::fmt;

use serde_json::{Map, Value};

use crate::fault::{Fault, Found};
#[cfg(feature = "schema")]
use crate::reference::form::Form;

/// A value that is not what the field is for.
#[derive(Debug)]
pub enum Misfit {
    /// All of it.
    Whole(Fault),
    /// Elements of a list, by number.
    Elements(Vec<(usize, Fault)>),
}

/// A type of fields.
pub trait FieldValue: Sized {
    /// Makes one of a value, which is not `null`.
    fn from_value(value: Value) -> Result<Self, Misfit>;

    /// The values that it is made of.
    #[cfg(feature = "schema")]
    fn form() -> Form;
}

/// The value is not what was expected.
pub fn unexpected(found: Value, expected: &'static str) -> Misfit {
    Misfit::Whole(Fault::found(Found::Value(found), expected))
}

/// The elements of a list of strings.
pub fn strings(value: Value) -> Result<Vec<String>, Misfit> {
    let Value::Array(elements) = value else {
        return Err(unexpected(value, "a list of strings: […]"));
    };
    let mut strings = Vec::with_capacity(elements.len());
    let mut faults = Vec::new();
    for (index, element) in elements.into_iter().enumerate() {
        match element {
            Value::String(text) => strings.push(text),
            // Reported by `refuse_nulls`.
            Value::Null => {}
            other => faults.push((index, Fault::found(Found::Value(other), "a string"))),
        }
    }
    if faults.is_empty() { Ok(strings) } else { Err(Misfit::Elements(faults)) }
}

/// The number of a word.
pub fn word(value: Value, words: &'static [&'static str]) -> Result<usize, Misfit> {
    let known = value.as_str().and_then(|text| words.iter().position(|word| *word == text));
    known.ok_or(Misfit::Whole(Fault::UnknownWord { found: Found::Value(value), words }))
}

impl FieldValue for bool {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        value.as_bool().ok_or_else(|| unexpected(value, "a boolean: true or false"))
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Boolean
    }
}

impl FieldValue for u64 {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        value.as_u64().ok_or_else(|| unexpected(value, "a number, an integer"))
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Integer
    }
}

impl FieldValue for String {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(unexpected(other, "a string")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Text
    }
}

impl FieldValue for Vec<String> {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        strings(value)
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::List(Box::new(Form::Text))
    }
}

/// Strings, numbers and booleans; each is checked where it is compiled.
impl FieldValue for Vec<Value> {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::Array(elements) => Ok(elements),
            other => Err(unexpected(other, "a list: […]")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::List(Box::new(Form::Scalar))
    }
}

/// Lists of strings by names that the user chooses; each is checked where it is compiled.
impl FieldValue for Map<String, Value> {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::Object(members) => Ok(members),
            other => Err(unexpected(other, "an object of lists: {name: […]}")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Map(Box::new(Form::List(Box::new(Form::Text))))
    }
}

/// A duration as it is written, such as `60s`.
#[derive(Debug, Default)]
pub struct Duration(pub String);

impl FieldValue for Duration {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(unexpected(other, "a string such as `60s`")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Duration
    }
}

/// A size as it is written: Kubernetes writes `16Ki` and `16384` alike.
#[derive(Debug, Default)]
pub struct Size(pub String);

impl FieldValue for Size {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) if number.is_u64() => Ok(Self(number.to_string())),
            other => Err(unexpected(other, "a size such as `16384`, `16Ki` or `4Mi`")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Size
    }
}

/// A string that no message repeats.
#[derive(Default)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FieldValue for Secret {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::String(text) => Ok(Self(text)),
            _ => Err(Misfit::Whole(Fault::expected("a string (what is there is not shown)"))),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Text
    }
}
