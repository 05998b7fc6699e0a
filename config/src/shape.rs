//! The first pass over a document: from JSON to the types of [`super::schema`].

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::{Fault, Found};
use super::place::{Place, Step};
use super::problem::Problems;
use super::schema::{Entries, Entry};

/// How many faulty fields of one entry are named: finding each takes reading the entry again.
pub const MAX_FAULTS: usize = 50;

/// Decodes one entry. Each faulty field of it becomes an error; only a faultless entry is returned.
pub fn decode<T: DeserializeOwned>(
    place: &Place,
    entry: Entry<T>,
    problems: &mut Problems,
) -> Option<T> {
    let errors_before = problems.errors.len();
    let entry = entry.into_value();
    // serde would also read a list as the fields of an entry, in their order.
    if !entry.is_object() {
        problems.error(place.clone(), Fault::found(Found::Value(entry), "an object"));
        return None;
    }
    decode_leniently(place, entry, problems).filter(|_| problems.errors.len() == errors_before)
}

/// Decodes a list of strings.
pub fn decode_strings(place: &Place, value: Value, problems: &mut Problems) -> Option<Vec<String>> {
    let errors_before = problems.errors.len();
    decode_leniently(place, value, problems).filter(|_| problems.errors.len() == errors_before)
}

/// Decodes what is left of an entry without its faulty fields, each of which becomes an error.
pub fn decode_leniently<T: DeserializeOwned>(
    place: &Place,
    mut entry: Value,
    problems: &mut Problems,
) -> Option<T> {
    for _ in 0..MAX_FAULTS {
        let error = match serde_path_to_error::deserialize(&entry) {
            Ok(decoded) => return Some(decoded),
            Err(error) => error,
        };
        let steps: Vec<_> = error.path().iter().filter_map(step).collect();
        let fault = Fault::Shape(error.inner().to_string());
        let field = match steps.first() {
            Some(Step::Field(name)) => Some(name.clone()),
            _ => None,
        };
        let place = steps.into_iter().fold(place.clone(), |place, step| place.step(step));
        problems.error(place, fault);
        // serde stops at the first fault: without the field that has it, the next one shows.
        field.and_then(|name| entry.as_object_mut()?.remove(&name))?;
    }
    let fault = Fault::TooMany { found: None, of: "faulty fields", limit: MAX_FAULTS };
    problems.error(place.clone(), fault);
    None
}

/// Decodes every entry of a list on its own.
pub fn decode_all<T: DeserializeOwned>(
    place: &Place,
    entries: Entries<T>,
    problems: &mut Problems,
) -> Vec<(Place, T)> {
    let decode_one = |(index, entry)| {
        let place = place.index(index);
        decode(&place, entry, problems).map(|decoded| (place, decoded))
    };
    entries.into_iter().enumerate().filter_map(decode_one).collect()
}

fn step(segment: &serde_path_to_error::Segment) -> Option<Step> {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Field(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
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
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Fields {
        #[expect(dead_code, reason = "only decoded")]
        name: String,
        #[expect(dead_code, reason = "only decoded")]
        paths: Option<Vec<String>>,
    }

    fn errors(entry: Value) -> Vec<String> {
        let mut problems = Problems::default();
        let place = Place::root().field("routes").index(3);
        let decoded: Option<Fields> = decode(&place, Entry::new(entry), &mut problems);
        assert_eq!(decoded.is_some(), problems.errors.is_empty());
        problems.errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_faulty_field_of_an_entry_is_an_error() {
        assert!(errors(json!({"name": "a"})).is_empty());
        let found = errors(json!({"name": 7, "paths": ["/a", true], "hots": [], "zzz": 1}));
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found.iter().any(|error| error.starts_with("routes[3].name: ")));
        assert!(found.iter().any(|error| error.starts_with("routes[3].paths[1]: ")));
        assert!(found.iter().any(|error| error.starts_with("routes[3].hots: unknown field")));
        assert_eq!(errors(json!([])).len(), 1);
    }
}
