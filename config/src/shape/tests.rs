//! What an object of the schema makes of good and bad members.

use serde_json::json;

use super::*;
use crate::declare::object;

object! {
    /// An object.
    #[derive(Default)]
    pub struct Thing {
        /// its name
        #[field("name", example = "a", refuses = "nothing")]
        pub name: String,
        /// its paths
        #[field("paths", example = "[/a]", refuses = "nothing")]
        pub paths: Option<Vec<String>>,
        /// whether it is open
        #[field("isOpen", example = "false", refuses = "nothing")]
        pub is_open: bool = true,
    }
    not implemented: "later";
    misplaced: "selector";
}

fn decoded(value: Value) -> (Option<Thing>, Vec<String>) {
    let mut problems = Problems::default();
    let place = Place::root().field("routes").index(3);
    let decoded = decode(&place, Entry::new(value), &mut problems);
    (decoded, problems.errors.iter().map(ToString::to_string).collect())
}

fn errors(value: Value) -> Vec<String> {
    let (decoded, errors) = decoded(value);
    assert_eq!(decoded.is_some(), errors.is_empty());
    errors
}

#[test]
fn fields_are_read_and_have_defaults() {
    let (thing, errors) = decoded(json!({"name": "a", "paths": ["/b"]}));
    let thing = thing.unwrap();
    assert_eq!((thing.name.as_str(), thing.is_open), ("a", true));
    assert_eq!(thing.paths, Some(vec!["/b".to_owned()]));
    assert!(errors.is_empty());
    let (thing, _) = decoded(json!({"name": "a", "isOpen": false}));
    assert!(!thing.unwrap().is_open);
}

#[test]
fn every_faulty_field_of_an_object_is_an_error() {
    let found = errors(json!({
        "name": 7, "paths": ["/a", true, {}], "isOpen": "true", "hots": [], "later": 1, "selector": {},
    }));
    assert_eq!(
        found,
        [
            "routes[3].name: found 7, expected a string".to_owned(),
            "routes[3].paths[1]: found true, expected a string".to_owned(),
            "routes[3].paths[2]: found an object, expected a string".to_owned(),
            "routes[3].isOpen: found the string `true`, expected a boolean: true or false"
                .to_owned(),
            "routes[3].hots: unknown field `hots`, expected one of `name`, `paths`, `isOpen`"
                .to_owned(),
            format!("routes[3].later: {}", Fault::NotImplemented),
            format!("routes[3].selector: {}", Fault::Misplaced),
        ]
    );
}

#[test]
fn what_is_missing_is_an_error_of_the_object() {
    assert_eq!(errors(json!({})), ["routes[3]: expected the field `name`"]);
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    for (written, meant) in [("path", "paths"), ("isopen", "isOpen"), ("is_open", "isOpen")] {
        let expected =
            format!("routes[3].{written}: unknown field `{written}`, did you mean `{meant}`?");
        assert_eq!(errors(json!({"name": "a", written: 1})), [expected]);
    }
}

#[test]
fn other_values_are_no_objects() {
    assert_eq!(errors(json!(["a"])), ["routes[3]: found a list, expected an object"]);
    assert_eq!(errors(json!("a")), ["routes[3]: found a string, expected an object"]);
}

#[test]
fn strings_stand_in_a_list() {
    let found = errors(json!({"name": "a", "paths": "/a"}));
    assert_eq!(found, ["routes[3].paths: found the string `/a`, expected a list of strings: […]"]);
}

#[test]
fn not_every_fault_of_many_is_named() {
    let many = vec![json!(1); 200];
    let found = errors(json!({"name": "a", "paths": many}));
    assert_eq!(found.len(), MAX_FAULTS + 1);
    assert_eq!(found.last().unwrap(), "routes[3]: found more than 50 faults");
}
