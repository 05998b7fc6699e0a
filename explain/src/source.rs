//! A file of YAML or JSON as a tree that knows where each value stands, so that what is wrong can be
//! shown there.

pub mod position;
pub mod scalar;
pub mod yaml;

use std::ops::Range;

use jwt_rbac_config::place::{Place, Step};
use serde_json::Number;

pub use yaml::parse;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its bytes in the text, from the first to behind the last.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// Nothing.
    Null,
    /// A number.
    Number(Number),
    /// Members, in their order.
    Object(Vec<Member>),
    /// A text.
    Text(String),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Its value.
    pub node: Node,
}

/// What a text holds, and what of it is no YAML.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Its documents, without empty ones.
    pub documents: Vec<Node>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

/// Something that is no YAML, or that YAML reads in another way than people do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub span: Range<usize>,
    /// What it is.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Another place that it is about, with a word for it.
    pub other: Option<(Range<usize>, &'static str)>,
}

impl Node {
    /// The member with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.member(name).map(|member| &member.node)
    }

    /// The same with its name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }

    /// The members of an object; none of any other value.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of a list; none of any other value.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where a place in this value is: the value there, or that of the last step that is there.
    #[must_use]
    pub fn find(&self, place: &Place) -> Found<'_> {
        let mut found = Found { node: self, name: None, is_whole: true };
        for step in place.steps() {
            let next = match step {
                Step::Field(name) => {
                    found.node.member(name).map(|member| (&member.node, Some(&member.name_span)))
                }
                Step::Index(index) => found.node.elements().get(*index).map(|node| (node, None)),
            };
            let Some((node, name)) = next else {
                found.is_whole = false;
                return found;
            };
            found.node = node;
            found.name = name;
        }
        found
    }

    /// The value as JSON; of two members with one name, the last.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Bool(value) => (*value).into(),
            Value::List(elements) => elements.iter().map(Self::to_json).collect(),
            Value::Null => serde_json::Value::Null,
            Value::Number(number) => number.clone().into(),
            Value::Object(members) => {
                let members = members.iter();
                members.map(|member| (member.name.clone(), member.node.to_json())).collect()
            }
            Value::Text(text) => text.as_str().into(),
        }
    }

    /// What kind of value it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Bool(_) => "`true` or `false`",
            Value::List(_) => "a list",
            Value::Null => "nothing",
            Value::Number(_) => "a number",
            Value::Object(_) => "an object",
            Value::Text(_) => "a string",
        }
    }
}

/// What [`Node::find`] finds.
#[derive(Clone, Copy, Debug)]
pub struct Found<'n> {
    /// The value.
    pub node: &'n Node,
    /// Where its name stands, if it is a member.
    pub name: Option<&'n Range<usize>>,
    /// Whether it is what was looked for, and not what should hold it.
    pub is_whole: bool,
}

impl Found<'_> {
    /// What to point at: the value, if it is short, else its name, else its first line in `text`.
    #[must_use]
    pub fn span(&self, text: &str) -> Range<usize> {
        match (&self.node.value, self.name) {
            (Value::List(_) | Value::Object(_) | Value::Null, Some(name)) => name.clone(),
            _ => first_line(self.node.span.clone(), text),
        }
    }
}

/// The part of a span that is on its first line.
#[must_use]
pub fn first_line(span: Range<usize>, text: &str) -> Range<usize> {
    let part = text.get(span.clone()).unwrap_or_default();
    let line = part.lines().next().unwrap_or_default().trim_end();
    span.start..span.start + line.len()
}
