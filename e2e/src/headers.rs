//! Headers as a case writes them: a mapping that keeps its order, each value a text, a list of
//! texts for a repeated header, or `null` for "none".

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// Names and the values of each. A `null` in the file is a name without values.
#[derive(Clone, Debug, Default)]
pub struct HeaderMap(pub Vec<(String, Vec<String>)>);

impl HeaderMap {
    /// Every value, in order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.0.iter_mut().flat_map(|(_, values)| values)
    }

    /// One pair for each line.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| {
            values.iter().map(move |value| (name.as_str(), value.as_str()))
        })
    }
}

impl<'de> Deserialize<'de> for HeaderMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = HeaderMap;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping of header names to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap, A::Error> {
        let mut headers = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            let values = match value {
                Value::Null => Vec::new(),
                Value::Array(values) => values.into_iter().map(text).collect::<Result<_, _>>()?,
                value => vec![text(value)?],
            };
            headers.push((name, values));
        }
        Ok(HeaderMap(headers))
    }
}

fn text<E: Error>(value: Value) -> Result<String, E> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(E::custom("a header value is a text or a list of texts")),
    }
}
