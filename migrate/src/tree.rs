//! Values as they are read and written: each keeps where it stood in its file, so that what is wrong with
//! the result can be shown in the source.

use jwt_rbac_explain::source::{Member, Node, Value};

/// A value that stands in no file.
fn made(value: Value) -> Node {
    Node { span: 0..0, value }
}

/// A text.
pub fn text(text: impl Into<String>) -> Node {
    made(Value::Text(text.into()))
}

/// `true`
pub fn yes() -> Node {
    made(Value::Bool(true))
}

/// A list.
pub fn list(elements: impl IntoIterator<Item = Node>) -> Node {
    made(Value::List(elements.into_iter().collect()))
}

/// An object with these members.
pub fn object<'m>(members: impl IntoIterator<Item = (&'m str, Node)>) -> Node {
    let members = members.into_iter().map(|(name, node)| member(name, node));
    made(Value::Object(members.collect()))
}

/// A member of an object.
pub fn member(name: &str, node: Node) -> Member {
    Member { name: name.to_owned(), name_span: 0..0, node }
}

/// The strings of a list.
pub fn texts<'n>(node: &'n Node, name: &str) -> impl Iterator<Item = &'n Node> {
    let values = node.get(name).map_or(&[][..], Node::elements);
    values.iter().filter(|value| value.text().is_some())
}

/// Without members that say nothing: null, and the empty lists and texts that protobuf can't tell from
/// fields that are not there.
pub fn pruned(node: &Node) -> Node {
    let value = match &node.value {
        Value::List(elements) => Value::List(elements.iter().map(pruned).collect()),
        Value::Object(members) => {
            let members = members.iter().filter(|member| says_something(&member.node));
            let members = members.map(|it| Member { node: pruned(&it.node), ..it.clone() });
            Value::Object(members.collect())
        }
        value => value.clone(),
    };
    Node { span: node.span.clone(), value }
}

fn says_something(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::List(elements) => !elements.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}
