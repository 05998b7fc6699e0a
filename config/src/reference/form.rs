//! The declaration of an object as data.

/// An object of the document.
#[derive(Clone, Debug)]
pub struct Object {
    /// The name of its type.
    pub name: &'static str,
    /// What it is; lines of Markdown.
    pub doc: &'static [&'static str],
    /// What it can have.
    pub fields: Vec<Field>,
}

/// A field of an object.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in the document.
    pub name: &'static str,
    /// What it means; lines of Markdown.
    pub meaning: &'static [&'static str],
    /// What counts where the field is absent, in Markdown; `None` where nothing does.
    pub default: Option<&'static str>,
    /// A value, in YAML.
    pub example: &'static str,
    /// Which values of the right form are refused, in Markdown; `None` where none is.
    pub refuses: Option<&'static str>,
    /// What the value, or each element of a list, matches if it is a string.
    pub pattern: Option<&'static str>,
    /// What its value can be.
    pub form: Form,
    /// Whether it must be there.
    pub is_required: bool,
}

/// What a value can be.
#[derive(Clone, Debug)]
pub enum Form {
    /// An object that is not ours.
    AnyObject,
    /// `true` or `false`
    Boolean,
    /// A duration such as `60s`.
    Duration,
    /// A whole number that is not negative.
    Integer,
    /// A list.
    List(Box<Form>),
    /// An object whose names the user chooses.
    Map(Box<Form>),
    /// An object of the document.
    Object(Object),
    /// Any of these.
    OneOf(Vec<Form>),
    /// A string, a number or a boolean.
    Scalar,
    /// A size such as `16Ki`.
    Size,
    /// A string.
    Text,
    /// One of these strings.
    Words(&'static [&'static str]),
}

impl Object {
    /// What it is, in one line.
    #[must_use]
    pub fn doc(&self) -> String {
        joined(self.doc)
    }
}

impl Field {
    /// What it means, in one line.
    #[must_use]
    pub fn meaning(&self) -> String {
        joined(self.meaning)
    }
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
