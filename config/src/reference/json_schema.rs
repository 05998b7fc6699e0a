//! The JSON Schema (draft 2020-12) of a document, with which editors complete and check it.
//!
//! It says what an editor can check while one types: names, types, words and forms. What depends on two
//! fields, or on what is in a key set, is for `compile` alone. Whatever `compile` accepts fits the schema.

#![allow(clippy::indexing_slicing, reason = "members are added to objects that are made here")]

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::form::{Field, Form, Object};

/// Numbers and units of Go's durations.
const DURATION: &str = "^\\+?(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$";
/// Sizes of Kubernetes, as text.
const SIZE: &str = "^[0-9]+(Ki|Mi)?$";

/// The schema of a file: a document, or a resource of Istio around one. `yaml` reads an example.
#[must_use]
pub fn json_schema(document: &Object, yaml: &dyn Fn(&str) -> Value) -> Value {
    let mut writer = Writer { yaml, definitions: Map::new() };
    let document = writer.object(document);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jwt-rbac",
        "description": "A pluginConfig of jwt-rbac, or the WasmPlugin or TrafficExtension around one",
        "if": {"required": ["kind"]},
        "then": {"properties": {"spec": {"properties": {
            "pluginConfig": document,
            "wasm": {"properties": {"pluginConfig": document}},
        }}}},
        "else": document,
        "$defs": writer.definitions,
    })
}

struct Writer<'y> {
    yaml: &'y dyn Fn(&str) -> Value,
    definitions: Map<String, Value>,
}

impl Writer<'_> {
    /// Defines an object, and refers to it.
    fn object(&mut self, object: &Object) -> Value {
        let mut properties = Map::new();
        for field in &object.fields {
            properties.insert(field.name.to_owned(), self.field(field));
        }
        let required = object.fields.iter().filter(|field| field.is_required);
        let required: Vec<_> = required.map(|field| field.name).collect();
        let mut schema = json!({
            "description": plain(&object.doc()),
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        self.definitions.insert(object.name.to_owned(), schema);
        json!({"$ref": format!("#/$defs/{}", object.name)})
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = self.form(&field.form, field.pattern);
        let mut description = plain(&field.meaning());
        if let Some(default) = field.default.filter(|default| !default.is_empty()) {
            let _ = write!(description, "\n\nDefault: {default}");
        }
        if let Some(refuses) = field.refuses {
            let _ = write!(description, "\n\nRefused: {refuses}");
        }
        schema["description"] = description.into();
        schema["examples"] = json!([(self.yaml)(field.example)]);
        schema
    }

    fn form(&mut self, form: &Form, pattern: Option<&str>) -> Value {
        match form {
            Form::AnyObject => json!({"type": "object"}),
            Form::Boolean => json!({"type": "boolean"}),
            Form::Duration => json!({"type": "string", "pattern": DURATION}),
            Form::Integer => json!({"type": "integer", "minimum": 0}),
            Form::List(element) => json!({"type": "array", "items": self.form(element, pattern)}),
            Form::Map(member) => {
                json!({"type": "object", "additionalProperties": self.form(member, pattern)})
            }
            Form::Object(object) => self.object(object),
            Form::OneOf(forms) => {
                let forms: Vec<_> = forms.iter().map(|form| self.form(form, pattern)).collect();
                json!({"anyOf": forms})
            }
            Form::Scalar => json!({"type": ["string", "number", "boolean"]}),
            Form::Size => json!({"anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": SIZE},
            ]}),
            Form::Text => match pattern {
                Some(pattern) => json!({"type": "string", "pattern": pattern}),
                None => json!({"type": "string"}),
            },
            Form::Words(words) => json!({"enum": words}),
        }
    }
}

/// The text without links, which lead nowhere from an editor.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once("](") {
        let (start, shown) = before.rsplit_once('[').unwrap_or(("", before));
        text.extend([start, shown]);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_their_text() {
        for (markdown, text) in [
            ("`[a]` and (b)", "`[a]` and (b)"),
            ("see [this](x.md#y), and [that](z).", "see this, and that."),
        ] {
            assert_eq!(plain(markdown), text);
        }
    }
}
