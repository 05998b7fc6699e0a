//! The reference of the configuration, as tables and as a JSON Schema: both come from the declarations of
//! the package `config`, and agree with what it accepts. `make docs` writes them.

use std::fs;
use std::path::PathBuf;

use jsonschema::Validator;
use jwt_rbac_config::reference::json_schema::json_schema;
use jwt_rbac_config::reference::{self, Field, Form, Object};
use jwt_rbac_e2e::page::{blocks, check_file, check_table};
use jwt_rbac_e2e::{artifacts, cases, verdict};
use serde_json::{Value, json};

/// What people read.
const PAGE: &str = "docs/configuration.md";
/// What editors read.
const SCHEMA: &str = "docs/pluginconfig.schema.json";
/// The objects that have a table of their own; others are rows of the table that names them.
const TABLES: [&str; 5] = ["Document", "JwtRule", "Route", "AuthorizationPolicy", "Responses"];

#[test]
fn the_schema_is_what_is_declared() {
    let text = serde_json::to_string_pretty(&schema()).expect("a schema is JSON");
    check_file(SCHEMA, &(text + "\n"));
}

#[test]
fn the_tables_of_the_reference_hold_every_field() {
    let mut objects = vec![reference::document()];
    let mut written = Vec::new();
    while let Some(object) = objects.pop() {
        let mut rows = Vec::new();
        add_rows(&object, "", &mut rows, &mut objects);
        check_table(
            PAGE,
            object.name,
            "field | default | meaning | example | refused",
            rows.into_iter(),
        );
        written.push(object.name);
    }
    written.sort_unstable();
    let mut expected = TABLES;
    expected.sort_unstable();
    assert_eq!(written, expected);
}

/// An editor must not call wrong what the filter accepts.
#[test]
fn every_document_fits_the_schema() {
    let validator = validator();
    for (name, document) in documents() {
        let errors: Vec<_> = validator.iter_errors(&document).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn every_example_is_accepted() {
    check_examples(&reference::document(), &validator(), &|document| document);
}

#[test]
fn a_field_that_is_mistyped_is_refused_at_its_place() {
    let validator = validator();
    let root = reference::document();
    let mut count = 0;
    for (name, document) in documents() {
        let mut fields = Vec::new();
        find_fields(&root, &document, "", "", &mut fields);
        for (pointer, place, field) in fields {
            let mistyped = mistyped(&field);
            let mut document = document.clone();
            let object = document.pointer_mut(&pointer).and_then(Value::as_object_mut);
            let object = object.expect("the object of the field");
            let value = object.remove(&field).expect("the field");
            object.insert(mistyped.clone(), value);
            // Of two letters, one that is right names nothing.
            let meant =
                if field.len() > 2 { format!("did you mean `{field}`?") } else { String::new() };
            let expected = format!("{place}{mistyped}: unknown field `{mistyped}`, {meant}");
            let errors = verdict::errors(&document);
            assert!(
                errors.iter().any(|error| error.starts_with(&expected)),
                "{name}: no {expected:?} in {errors:#?}"
            );
            assert!(!validator.is_valid(&document), "{name}: the schema accepts {place}{mistyped}");
            count += 1;
        }
    }
    assert!(count > 1_000, "{count} fields");
}

fn schema() -> Value {
    json_schema(&reference::document(), &yaml)
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).expect("the schema is one")
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The rows of an object and of the objects in it; those with a table of their own go to `others`.
fn add_rows(object: &Object, prefix: &str, rows: &mut Vec<String>, others: &mut Vec<Object>) {
    for field in &object.fields {
        let name = format!("{prefix}{}", field.name);
        let default = match (field.default, field.is_required) {
            (Some(default), _) => default,
            (None, true) => "required",
            (None, false) => "none",
        };
        let cells = [
            format!("`{name}`"),
            default.to_owned(),
            field.meaning(),
            format!("`{}`", field.example),
            field.refuses.unwrap_or_default().to_owned(),
        ];
        rows.push(format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        for (inner, step) in objects_in(&field.form) {
            if TABLES.contains(&inner.name) {
                others.push(inner.clone());
            } else {
                add_rows(inner, &format!("{name}{step}"), rows, others);
            }
        }
    }
}

/// The objects that a value can be or have, each with the step from the value to its fields.
fn objects_in(form: &Form) -> Vec<(&Object, &'static str)> {
    match form {
        Form::Object(object) => vec![(object, ".")],
        Form::List(element) => {
            objects_in(element).into_iter().map(|(object, _)| (object, "[].")).collect()
        }
        Form::OneOf(forms) => forms.iter().flat_map(objects_in).collect(),
        _ => Vec::new(),
    }
}

/// Every document that is shown to users or accepted in a test, with its name: those of the suites, of
/// the manifests and of the docs.
fn documents() -> Vec<(String, Value)> {
    let mut documents = Vec::new();
    for suite in cases::load() {
        let of_suite = suite.documents.iter();
        documents.extend(of_suite.map(|(name, it)| (format!("{} {name}", suite.name), it.clone())));
    }
    for path in files_of(&artifacts::root().join("wasmplugin/rendered"), "yaml") {
        let text = fs::read_to_string(&path).expect("a manifest");
        let resources: Vec<Value> = serde_saphyr::from_multiple(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Beside the resources are tests of them.
        let resources = resources.into_iter().filter(|it| it.get("kind").is_some());
        documents.extend(resources.map(|it| (path.display().to_string(), it)));
    }
    let mut pages = files_of(&artifacts::root().join("docs"), "md");
    pages.push(artifacts::root().join("README.md"));
    for path in pages {
        let text = fs::read_to_string(&path).expect("a page");
        let blocks = blocks(&text).into_iter();
        // A page that shows a mistake calls the file broken.
        let is_shown = |info: &str| info.starts_with("yaml") && !info.contains("broken");
        for block in blocks.filter(|it| is_shown(&it.info)) {
            let value = yaml(&block.lines.join("\n"));
            let is_document =
                reference::document().fields.iter().any(|field| value.get(field.name).is_some());
            if is_document || value.get("kind").is_some() {
                documents.push((path.display().to_string(), value));
            }
        }
    }
    let bare = |(name, value): (String, Value)| {
        let spec = value.get("spec")?;
        let config = spec.get("pluginConfig").or_else(|| spec.pointer("/wasm/pluginConfig"))?;
        Some((name, config.clone()))
    };
    let inner: Vec<_> = documents.iter().cloned().filter_map(bare).collect();
    assert!(inner.len() > 2, "{} manifests", inner.len());
    documents.retain(|(_, value)| value.get("kind").is_none());
    documents.extend(inner);
    documents
}

fn files_of(directory: &PathBuf, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            files.extend(files_of(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The fields that a value has, and the objects in it: the pointer to the object, its place as errors
/// write it, and the name.
fn find_fields(
    object: &Object,
    value: &Value,
    pointer: &str,
    place: &str,
    found: &mut Vec<(String, String, String)>,
) {
    for field in &object.fields {
        let Some(member) = value.get(field.name) else { continue };
        found.push((pointer.to_owned(), place.to_owned(), field.name.to_owned()));
        let (pointer, place) =
            (format!("{pointer}/{}", field.name), format!("{place}{}", field.name));
        for (inner, step) in objects_in(&field.form) {
            match member {
                Value::Array(elements) if step == "[]." => {
                    for (index, element) in elements.iter().enumerate() {
                        let pointer = format!("{pointer}/{index}");
                        find_fields(inner, element, &pointer, &format!("{place}[{index}]."), found);
                    }
                }
                Value::Object(_) if step == "." => {
                    find_fields(inner, member, &pointer, &format!("{place}."), found);
                }
                _ => {}
            }
        }
    }
}

/// The name with another letter in the middle.
fn mistyped(name: &str) -> String {
    let middle = name.len() / 2;
    let letter = if &name[middle..=middle] == "q" { "z" } else { "q" };
    [&name[..middle], letter, &name[middle + 1..]].concat()
}

/// Compiles a document for the example of each field; `around` puts an object into one.
fn check_examples(object: &Object, validator: &Validator, around: &dyn Fn(Value) -> Value) {
    for field in &object.fields {
        let with = |value: Value| {
            let mut object = companions(object, field);
            object[field.name] = value;
            around(object)
        };
        let document = with(yaml(field.example));
        let errors = verdict::errors(&document);
        let name = format!("{}.{}", object.name, field.name);
        assert!(errors.is_empty(), "the example of {name} is refused: {errors:#?} in {document:#}");
        assert!(validator.is_valid(&document), "the example of {name} does not fit the schema");
        for (inner, step) in objects_in(&field.form) {
            check_examples(inner, validator, &|value| {
                with(if step == "[]." { json!([value]) } else { value })
            });
        }
    }
}

/// What an object needs beside one of its fields to be accepted.
fn companions(object: &Object, field: &Field) -> Value {
    let rule = json!({
        "issuer": "https://tenant.auth0.com/",
        "audiences": ["https://bookinfo.io"],
        "jwks": artifacts::jwks(),
    });
    match (object.name, field.name) {
        ("Document", "dryRunTokens") => json!({"jwtRules": [rule], "dryRun": true}),
        ("Document", "trustDomains") => json!({
            "jwtRules": [rule],
            "authorizationPolicies": [{"name": "a", "rules": [{}]}],
        }),
        ("AuthorizationPolicy", _) => json!({"name": "a", "rules": [{}]}),
        ("When", "key") => json!({"values": ["a"]}),
        ("Document", _) => {
            json!({"jwtRules": [rule], "routes": [{"paths": ["/health"], "access": "PUBLIC"}]})
        }
        ("JwtRule", "tenants") => {
            let mut rule = rule;
            rule["issuer"] = json!("https://login.microsoftonline.com/{tenant}/v2.0");
            rule
        }
        ("JwtRule", "anyAudience") => json!({"issuer": rule["issuer"], "jwks": rule["jwks"]}),
        ("JwtRule", "roleClaims") => {
            let mut rule = rule;
            rule["rolePermissions"] = json!({"user": ["read:book-details"]});
            rule
        }
        ("JwtRule", "rolePermissions") => {
            let mut rule = rule;
            rule["roleClaims"] = json!(["roles"]);
            rule
        }
        (
            "JwtRule",
            "jwksCluster"
            | "jwksRefreshInterval"
            | "jwksStaleIfError"
            | "timeout"
            | "allowInsecureJwks",
        ) => {
            let mut rule = rule;
            rule["jwksUri"] = json!("https://tenant.auth0.com/.well-known/jwks.json");
            rule
        }
        ("JwtRule", _) => rule,
        ("Route", "permissions" | "claims" | "issuers" | "access") => {
            json!({"paths": ["/{tenant}"]})
        }
        ("Route", "token") => json!({"paths": ["/{tenant}"], "access": "PUBLIC"}),
        ("Route", _) => json!({"paths": ["/{tenant}"], "access": "AUTHENTICATED"}),
        ("ClaimRule", "claim") => json!({"values": [7]}),
        ("Unauthenticated" | "Forbidden", "body" | "contentType") => {
            json!({"format": "CUSTOM", "body": ""})
        }
        // Whatever else must be there has its example.
        _ => {
            let others = object.fields.iter().filter(|other| other.is_required);
            let example = |other: &Field| (other.name.to_owned(), yaml(other.example));
            Value::Object(others.map(example).collect())
        }
    }
}
