//! Resources as YAML that `kubectl` reads as it was meant.

use jwt_rbac_explain::source::{Node, Value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_saphyr::FlowSeq;
pub use serde_saphyr::ser::Error;

/// The longest list that is written on one line, in characters.
const LINE: usize = 80;

/// The text of a resource.
///
/// # Errors
///
/// When it can't be written.
pub fn write(resource: &Node) -> Result<String, Error> {
    // A key set stays one line, as it was.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&Written(resource), options)
}

struct Written<'n>(&'n Node);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::List(elements) if is_short(elements) => {
                FlowSeq(elements.iter().map(Self::of).collect::<Vec<_>>()).serialize(serializer)
            }
            Value::List(elements) => {
                let mut list = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    list.serialize_element(&Written(element))?;
                }
                list.end()
            }
            Value::Null => serializer.serialize_unit(),
            Value::Number(number) => number.serialize(serializer),
            Value::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for member in members {
                    object.serialize_entry(&member.name, &Written(&member.node))?;
                }
                object.end()
            }
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'n> Written<'n> {
    fn of(node: &'n Node) -> Self {
        Self(node)
    }
}

/// Whether these are texts that fit on a line together.
fn is_short(elements: &[Node]) -> bool {
    let lengths = elements.iter().map(|it| it.text().map(|text| text.chars().count() + 4));
    lengths.sum::<Option<usize>>().is_some_and(|length| length <= LINE)
}

#[cfg(test)]
mod tests {
    use jwt_rbac_explain::source::parse;
    use proptest::prelude::*;

    use super::*;
    use crate::tree;

    /// What YAML 1.1 reads as no text, and what can't stand without quotes.
    const WORDS: &[&str] =
        &["yes", "on", "0x10", "010", "1_000", "~", "null", "*", "- a", "a: b", "#", "1e3"];

    fn values() -> impl Strategy<Value = Node> {
        let text = prop_oneof![
            prop::sample::select(WORDS).prop_map(str::to_owned),
            "\\PC{0,12}",
            "[ -~\\n\\t]{0,12}",
        ];
        let leaf = prop_oneof![text.clone().prop_map(tree::text), Just(tree::yes())];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let member = (text.clone(), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(tree::list),
                prop::collection::vec(member, 0..4).prop_map(|mut members| {
                    members.sort_by(|one, other| one.0.cmp(&other.0));
                    members.dedup_by(|one, other| one.0 == other.0);
                    let members = members.iter().map(|(name, node)| (name.as_str(), node.clone()));
                    tree::object(members.collect::<Vec<_>>())
                }),
            ]
        })
    }

    proptest! {
        /// Also what YAML 1.1 reads as another type.
        #[test]
        fn what_is_written_is_read_as_it_was(value in values()) {
            let resource = tree::object([("spec", value)]);
            let written = write(&resource).unwrap();
            let read = parse(&written);
            prop_assert!(read.faults.is_empty(), "{:?}\n{written}", read.faults);
            prop_assert_eq!(read.documents[0].to_json(), resource.to_json(), "\n{}", written);
        }
    }

    #[test]
    fn short_lists_of_texts_are_on_one_line() {
        let resource = tree::object([
            ("paths", tree::list(["/a", "/b/*"].map(tree::text))),
            ("rules", tree::list([tree::object([("methods", tree::list([tree::text("GET")]))])])),
        ]);
        assert_eq!(write(&resource).unwrap(), "paths: [/a, /b/*]\nrules:\n- methods: [GET]\n");
    }
}
