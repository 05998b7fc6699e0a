//! The first pass over a document: from JSON to the types of [`super::schema`].
//!
//! An object takes its fields out of the JSON one by one ([`Fields`]); what is left then has a name that
//! the schema does not know. A field that is faulty counts as absent, so that one pass reports them all.

mod nearest;
pub mod value;

use std::marker::PhantomData;

use serde_json::{Map, Value};

use self::value::{FieldValue, FromField, Misfit};
use super::fault::{Fault, Found};
use super::place::Place;
use super::problem::Problems;

/// How many faults of one object are named.
pub const MAX_FAULTS: usize = 50;

/// An object that the schema declares.
pub trait Object: Sized {
    /// What its members are called.
    const NAMES: Names;

    /// Takes its fields.
    fn read(fields: &mut Fields<'_>) -> Self;

    /// Its declaration, for the JSON Schema and the reference.
    #[cfg(feature = "schema")]
    fn describe() -> crate::reference::Object;
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
    let mut faults = Faults { place, problems, count: 0 };
    value::strings(value).map_err(|misfit| faults.report(place, misfit)).ok()
}

/// The members of an object that are not decoded yet.
pub struct Fields<'p> {
    members: Map<String, Value>,
    faults: Faults<'p>,
}

impl<'p> Fields<'p> {
    fn new(place: &'p Place, value: Value, problems: &'p mut Problems) -> Option<Self> {
        let mut faults = Faults { place, problems, count: 0 };
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
            } else {
                let nearest = nearest::nearest(&name, names.fields);
                Fault::UnknownField { name, nearest, known: names.fields }
            };
            self.faults.add(place, fault);
        }
    }
}

/// What is wrong with one object, up to a bound.
struct Faults<'p> {
    place: &'p Place,
    problems: &'p mut Problems,
    count: usize,
}

impl Faults<'_> {
    fn report(&mut self, place: &Place, misfit: Misfit) {
        match misfit {
            Misfit::Whole(fault) => self.add(place.clone(), fault),
            Misfit::Elements(faults) => {
                for (index, fault) in faults {
                    self.add(place.index(index), fault);
                }
            }
        }
    }

    fn add(&mut self, place: Place, fault: Fault) {
        if self.count < MAX_FAULTS {
            self.problems.error(place, fault);
        } else if self.count == MAX_FAULTS {
            let fault = Fault::TooMany { found: None, of: "faults", limit: MAX_FAULTS };
            self.problems.error(self.place.clone(), fault);
        }
        self.count = self.count.saturating_add(1);
    }
}

/// A `null` says nothing, and what it is taken for is seldom what was meant: `routes:` with nothing
/// behind it is not a table without routes. Key sets are other people's, so they may hold them.
pub fn refuse_nulls(place: &Place, value: &Value, problems: &mut Problems) {
    match value {
        Value::Null => {
            let found = Found::Words("nothing (null)");
            problems.error(place.clone(), Fault::found(found, "a value"));
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                refuse_nulls(&place.index(index), element, problems);
            }
        }
        Value::Object(members) => {
            for (name, member) in
                members.iter().filter(|(name, member)| *name != "jwks" || member.is_null())
            {
                refuse_nulls(&place.field(name), member, problems);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
