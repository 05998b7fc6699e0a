//! The first pass over a document: from JSON to the types of [`super::schema`].
//!
//! An object takes its fields out of the JSON one by one ([`Fields`]); what is left then has a name that
//! the schema does not know. A field that is faulty counts as absent, so that one pass reports them all.

mod faults;
mod nearest;
mod nulls;
pub mod value;

use std::marker::PhantomData;

use serde_json::{Map, Value};

use self::faults::Faults;
#[cfg(test)]
pub use self::faults::MAX_FAULTS;
pub use self::nulls::refuse_nulls;
use self::value::{FieldValue, Misfit, unexpected};
use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;
#[cfg(feature = "schema")]
use super::reference::form::{self, Form};

/// An object that the schema declares.
pub trait Object: Sized {
    /// What its members are called.
    const NAMES: Names;

    /// Takes its fields.
    fn read(fields: &mut Fields<'_>) -> Self;

    /// Its declaration, for the JSON Schema and the reference.
    #[cfg(feature = "schema")]
    fn describe() -> form::Object;
}

/// The names that have a meaning in an object.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Those of its fields.
    pub fields: &'static [&'static str],
    /// Fields of the specification that this version does not have.
    pub not_implemented: &'static [&'static str],
    /// Fields of Istio's resources that do not belong into `pluginConfig`.
    pub misplaced: &'static [&'static str],
    /// Fields of Istio's resources that this filter can't have, each with how the sentence goes on.
    pub refused: &'static [(&'static str, &'static str)],
}

/// An object that is not decoded yet, so that a fault in it does not hide others.
#[derive(Debug)]
pub struct Entry<T>(Value, PhantomData<fn() -> T>);

/// A list of such objects.
#[derive(Debug)]
pub struct Entries<T>(Vec<Value>, PhantomData<fn() -> T>);

impl<T> Entry<T> {
    /// A value that is meant to be one.
    pub fn new(value: Value) -> Self {
        Self(value, PhantomData)
    }
}

impl<T> Entries<T> {
    /// Values that are meant to be some.
    pub fn new(values: Vec<Value>) -> Self {
        Self(values, PhantomData)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Decodes one object. Each faulty field of it becomes an error; only a faultless one is returned.
pub fn decode<T: Object>(place: &Place, entry: Entry<T>, problems: &mut Problems) -> Option<T> {
    let errors_before = problems.errors.len();
    let decoded = decode_leniently(place, entry, problems)?;
    (problems.errors.len() == errors_before).then_some(decoded)
}

/// Decodes what is left of an object without its faulty fields, each of which becomes an error.
pub fn decode_leniently<T: Object>(
    place: &Place,
    entry: Entry<T>,
    problems: &mut Problems,
) -> Option<T> {
    let mut fields = Fields::new(place, entry.0, problems)?;
    let decoded = T::read(&mut fields);
    fields.refuse_the_rest(&T::NAMES);
    Some(decoded)
}

/// Decodes every object of a list on its own.
pub fn decode_all<T: Object>(
    place: &Place,
    entries: Entries<T>,
    problems: &mut Problems,
) -> Vec<(Place, T)> {
    let mut decoded = Vec::with_capacity(entries.len());
    for (index, value) in entries.0.into_iter().enumerate() {
        let place = place.index(index);
        if let Some(object) = decode(&place, Entry::new(value), problems) {
            decoded.push((place, object));
        }
    }
    decoded
}

/// Decodes a list of strings.
pub fn decode_strings(place: &Place, value: Value, problems: &mut Problems) -> Option<Vec<String>> {
    let mut faults = Faults::new(place, problems);
    value::strings(value).map_err(|misfit| faults.report(place, misfit)).ok()
}

impl<T: Object> FieldValue for Entry<T> {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        Ok(Self::new(value))
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::Object(T::describe())
    }
}

impl<T: Object> FieldValue for Entries<T> {
    fn from_value(value: Value) -> Result<Self, Misfit> {
        match value {
            Value::Array(values) => Ok(Self::new(values)),
            other => Err(unexpected(other, "a list of objects: [{…}]")),
        }
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        Form::List(Box::new(Form::Object(T::describe())))
    }
}

/// The members of an object that are not decoded yet.
pub struct Fields<'p> {
    members: Map<String, Value>,
    faults: Faults<'p>,
}

impl<'p> Fields<'p> {
    fn new(place: &'p Place, value: Value, problems: &'p mut Problems) -> Option<Self> {
        let mut faults = Faults::new(place, problems);
        match value {
            Value::Object(members) => Some(Self { members, faults }),
            // Reported by `refuse_nulls`.
            Value::Null => None,
            other => {
                // What is there may be a secret: only an object says which of its members is one.
                let found = Found::Words(match other {
                    Value::Array(_) => "a list",
                    Value::String(_) => "a string",
                    _ => "a number or a boolean",
                });
                faults.add(place.clone(), Fault::found(found, "an object"));
                None
            }
        }
    }

    /// The value of a field of any type of the schema.
    pub fn read<T: FromField>(&mut self, name: &'static str) -> T {
        T::from_field(self, name)
    }

    /// The value of a field that may be absent.
    pub fn optional<T: FieldValue>(&mut self, name: &'static str) -> Option<T> {
        match T::from_value(self.take(name)?) {
            Ok(value) => Some(value),
            Err(misfit) => {
                self.report(name, misfit);
                None
            }
        }
    }

    /// The value of a field that must be there, or an error and a value that nobody uses.
    pub fn required<T: FieldValue + Default>(&mut self, name: &'static str) -> T {
        if !self.members.contains_key(name) {
            self.faults.add(self.faults.place.clone(), Fault::MissingField { name });
        }
        self.optional(name).unwrap_or_default()
    }

    /// A `null` is reported by [`refuse_nulls`].
    #[inline(never)]
    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    #[inline(never)]
    fn report(&mut self, name: &str, misfit: Misfit) {
        self.faults.report(&self.faults.place.field(name), misfit);
    }

    #[inline(never)]
    fn refuse_the_rest(mut self, names: &Names) {
        for name in std::mem::take(&mut self.members).into_iter().map(|(name, _)| name) {
            let place = self.faults.place.field(&name);
            let fault = if names.not_implemented.contains(&name.as_str()) {
                Fault::NotImplemented
            } else if names.misplaced.contains(&name.as_str()) {
                Fault::Misplaced
            } else if let Some((_, why)) = names.refused.iter().find(|(known, _)| *known == name) {
                Fault::unsuitable(&name, why)
            } else {
                let nearest = nearest::nearest(&name, names.fields);
                Fault::UnknownField { name, nearest, known: names.fields }
            };
            self.faults.add(place, fault);
        }
    }
}

/// What a field of a struct can be: an `Option` may be absent, any other type must be there.
pub trait FromField: Sized {
    #[cfg(feature = "schema")]
    const IS_REQUIRED: bool;

    fn from_field(fields: &mut Fields<'_>, name: &'static str) -> Self;

    #[cfg(feature = "schema")]
    fn form() -> Form;
}

impl<T: FieldValue + Default> FromField for T {
    #[cfg(feature = "schema")]
    const IS_REQUIRED: bool = true;

    fn from_field(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields.required(name)
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        <T as FieldValue>::form()
    }
}

impl<T: FieldValue> FromField for Option<T> {
    #[cfg(feature = "schema")]
    const IS_REQUIRED: bool = false;

    fn from_field(fields: &mut Fields<'_>, name: &'static str) -> Self {
        fields.optional(name)
    }

    #[cfg(feature = "schema")]
    fn form() -> Form {
        T::form()
    }
}

#[cfg(test)]
mod tests;
