//! Values of a document that claims are compared with, typed: 7 is not "7", but it is 7.0.

use serde_json::{Number, Value};

/// One such value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `true` or `false`
    Bool(bool),
    /// A number that is no integer, or too large to be held as one.
    Float(f64),
    /// A whole number, whether it is written `7` or `7.0`.
    Integer(i128),
    /// Text, compared exactly.
    Text(String),
}

impl Scalar {
    /// The scalar that a JSON value is; `None` for null, lists and objects.
    #[must_use]
    pub fn new(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => Some(Self::number(number)),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(_) | Value::Null | Value::Object(_) => None,
        }
    }

    fn number(number: &Number) -> Self {
        if let Some(integer) = number.as_i128() {
            return Self::Integer(integer);
        }
        let float = number.as_f64().unwrap_or(f64::NAN);
        // Doubles of this size are exact as integers.
        if float.fract() == 0.0 && float.abs() < 2_f64.powi(100) {
            #[allow(clippy::cast_possible_truncation, reason = "2^100 fits")]
            return Self::Integer(float as i128);
        }
        Self::Float(float)
    }

    /// Whether a claim has this value, or is a list that has an element with it.
    #[must_use]
    pub fn is_in(&self, claim: &Value) -> bool {
        elements(claim).iter().any(|element| self.equals(element))
    }

    fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text == value,
            (_, Value::String(_)) => false,
            (scalar, value) => Self::new(value).is_some_and(|value| value == *scalar),
        }
    }
}

/// Whether a claim, or an element of a list, is this text, or the integer whose decimal text it is.
#[must_use]
pub fn has_text(claim: &Value, text: &str) -> bool {
    elements(claim).iter().any(|element| match element {
        Value::String(element) => element == text,
        element => {
            matches!(Scalar::new(element), Some(Scalar::Integer(found)) if found.to_string() == text)
        }
    })
}

/// Whether a claim is a scalar or a list of scalars, so that all of it can be compared.
#[must_use]
pub fn is_plain(claim: &Value) -> bool {
    let is_scalar = |value: &Value| !(value.is_null() || value.is_array() || value.is_object());
    elements(claim).iter().all(is_scalar)
}

/// The texts among the elements of a list, or the text that a claim is.
pub fn texts(claim: &Value) -> impl Iterator<Item = &str> {
    elements(claim).iter().filter_map(Value::as_str)
}

/// The elements of a list; of any other value, itself.
#[must_use]
pub fn elements(claim: &Value) -> &[Value] {
    match claim {
        Value::Array(elements) => elements,
        value => std::slice::from_ref(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_in(value: &Value, claim: &Value) -> bool {
        Scalar::new(value).unwrap().is_in(claim)
    }

    #[test]
    fn values_are_typed() {
        for (value, claim, expected) in [
            (json!(7), json!(7), true),
            (json!(7), json!(7.0), true),
            (json!(7), json!("7"), false),
            (json!("7"), json!(7), false),
            (json!("acme"), json!("acme"), true),
            (json!("acme"), json!("Acme"), false),
            (json!(true), json!(true), true),
            (json!(true), json!("true"), false),
            (json!(1.5), json!(1.5), true),
            (json!(7), json!(["x", 7]), true),
            (json!("acme"), json!([["acme"]]), false),
            (json!("acme"), json!([]), false),
            (json!("acme"), json!({"acme": 7}), false),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_993_u64), true),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), false),
        ] {
            assert_eq!(is_in(&value, &claim), expected, "{value} in {claim}");
        }
        assert!(
            [json!(null), json!([]), json!({})].iter().all(|value| Scalar::new(value).is_none())
        );
    }

    #[test]
    fn text_is_a_string_or_an_integer() {
        for (claim, text, expected) in [
            (json!("acme"), "acme", true),
            (json!(7), "7", true),
            (json!(7.0), "7", true),
            (json!(-7), "-7", true),
            (json!(7), "07", false),
            (json!(7.5), "7.5", false),
            (json!(true), "true", false),
            (json!(["x", "acme", 7]), "7", true),
            (json!({"acme": 1}), "acme", false),
        ] {
            assert_eq!(has_text(&claim, text), expected, "{claim} {text}");
        }
    }
}
