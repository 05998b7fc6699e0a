//! What a document can have, as data: for the JSON Schema, the tables of docs/configuration.md and the
//! tools that check documents. The filter is built without it.

pub mod form;
pub mod json_schema;

pub use form::{Field, Form, Object};

use crate::schema;
use crate::shape;

/// The document, with all that is in it.
#[must_use]
pub fn document() -> Object {
    <schema::Document as shape::Object>::describe()
}
