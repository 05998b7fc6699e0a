//! `null`, which is no value.

use serde_json::Value;

use crate::fault::{Fault, Found};
use crate::place::Place;
use crate::problem::Problems;

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
