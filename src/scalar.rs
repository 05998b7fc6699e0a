//! Values of a document that claims are compared with, typed: 7 is not "7", but it is 7.0.

use serde_json::{Number, Value};

use crate::by_name::ByName;

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
        // A larger double is the nearest of several integers, one of which the token has.
        if float.fract() == 0.0 && float.abs() < 2_f64.powi(53) {
            #[allow(clippy::cast_possible_truncation, reason = "2^53 fits")]
            return Self::Integer(float as i128);
        }
        Self::Float(float)
    }

    /// Bytes that are the same for equal values alone: each kind has a length of its own.
    fn key(&self) -> Vec<u8> {
        match self {
            Self::Bool(value) => vec![u8::from(*value)],
            Self::Float(value) => value.to_bits().to_le_bytes().to_vec(),
            Self::Integer(value) => value.to_le_bytes().to_vec(),
            Self::Text(text) => text.as_bytes().to_vec(),
        }
    }
}

/// Several such values, looked up rather than gone through: a client chooses how long the list is that they
/// are compared with.
#[derive(Clone, Debug, Default)]
pub struct Scalars {
    all: Vec<Scalar>,
    texts: ByName<()>,
    /// Numbers and booleans, by [`Scalar::key`].
    others: ByName<()>,
}

impl From<Vec<Scalar>> for Scalars {
    fn from(all: Vec<Scalar>) -> Self {
        let (mut texts, mut others) = <(ByName<()>, ByName<()>)>::default();
        for scalar in &all {
            match scalar {
                Scalar::Text(text) => texts.insert(text.as_bytes(), ()),
                other => others.insert(&other.key(), ()),
            };
        }
        Self { all, texts, others }
    }
}

/// Two are the same if their values are, in the same order.
impl PartialEq for Scalars {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Scalars {
    /// All of them, as they were written.
    #[must_use]
    pub fn all(&self) -> &[Scalar] {
        &self.all
    }

    /// Whether a claim has one of these values, or is a list that has an element with one.
    #[must_use]
    pub fn one_is_in(&self, claim: &Value) -> bool {
        elements(claim).iter().any(|element| self.place(element).is_some())
    }

    /// Whether a claim is a list that has an element with each of these values, or has the only one.
    #[must_use]
    pub fn all_are_in(&self, claim: &Value) -> bool {
        let texts = self.texts.values().len();
        let mut missing = vec![true; texts.saturating_add(self.others.values().len())];
        for place in elements(claim).iter().filter_map(|element| self.place(element)) {
            if let Some(missing) = missing.get_mut(place) {
                *missing = false;
            }
        }
        !missing.contains(&true)
    }

    /// The place of a value among them: texts first.
    fn place(&self, value: &Value) -> Option<usize> {
        match value {
            Value::String(text) => self.texts.number(text.as_bytes()),
            _ if self.others.is_empty() => None,
            value => {
                let place = self.others.number(&Scalar::new(value)?.key())?;
                Some(place.saturating_add(self.texts.values().len()))
            }
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
        Scalars::from(vec![Scalar::new(value).unwrap()]).one_is_in(claim)
    }

    /// The same, without looking anything up.
    fn is_in_each(scalar: &Scalar, claim: &Value) -> bool {
        elements(claim).iter().any(|element| Scalar::new(element).as_ref() == Some(scalar))
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
    fn many_are_looked_up_as_each_alone() {
        let values = [json!("a"), json!(7), json!(true), json!(1.5), json!("7"), json!(1e300)];
        let claims = [
            json!("a"),
            json!(7.0),
            json!(["x", "7"]),
            json!(false),
            json!([1.5, "b"]),
            json!(["a", 7, true, 1.5, "7", 1e300, "more"]),
            json!(["a", 7, true, 1.5, "7"]),
            json!({"a": 7}),
            json!(null),
            json!([]),
        ];
        let each: Vec<_> = values.iter().map(|value| Scalar::new(value).unwrap()).collect();
        let all = Scalars::from(each.clone());
        for claim in &claims {
            let is_in = |scalar: &Scalar| is_in_each(scalar, claim);
            assert_eq!(all.one_is_in(claim), each.iter().any(is_in), "{claim}");
            assert_eq!(all.all_are_in(claim), each.iter().all(is_in), "{claim}");
        }
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
            (json!(18_446_744_073_709_551_616.0), "18446744073709551616", false),
        ] {
            assert_eq!(has_text(&claim, text), expected, "{claim} {text}");
        }
    }
}
