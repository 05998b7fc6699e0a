//! What of a request a claim is compared with: a header, or a parameter of the query.

use std::borrow::Cow;

use serde_json::Value;

use crate::header_names::HeaderNames;
use crate::query::{ParameterName, Unclear};
use crate::request::Request;
use crate::scalar;

/// A value that the client sends and that its token must confirm.
#[derive(Clone, Debug, PartialEq)]
pub enum Counterpart {
    /// A header.
    Header(HeaderName),
    /// A parameter of the query.
    Parameter(ParameterName),
}

/// The name of a header, with the spellings that a workload may take for it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderName {
    name: String,
    spellings: HeaderNames,
}

impl HeaderName {
    /// The header with this name, in lower case.
    #[must_use]
    pub fn new(name: String) -> Self {
        Self { spellings: HeaderNames::new([name.as_str()]), name }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl Counterpart {
    /// Whether a claim is the one value that the request has there: the same text, an integer whose
    /// decimal text it is, or a list with one of these. An empty value is none.
    ///
    /// # Errors
    /// [`Unclear`], where the request has more than one value, or can be read in more than one way.
    pub fn equals(&self, claim: &Value, request: &Request<'_>) -> Result<bool, Unclear> {
        let text = self.text(request)?.filter(|text| !text.is_empty());
        Ok(text.is_some_and(|text| scalar::has_text(claim, &text)))
    }

    /// The value that the request has there.
    ///
    /// # Errors
    /// As [`Self::equals`].
    pub fn text<'r>(&self, request: &Request<'r>) -> Result<Option<Cow<'r, str>>, Unclear> {
        let HeaderName { name, spellings } = match self {
            Self::Parameter(name) => {
                return request.parameters().value(name).map(|text| text.map(Cow::Owned));
            }
            Self::Header(name) => name,
        };
        // `x_tenant` beside `x-tenant` is one header for many workloads, so either is one too many.
        let mut lines = request.headers().iter().filter(|(name, _)| spellings.contains(name));
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some((found, value)), None) if *found == name.as_bytes() => {
                str::from_utf8(value.trim_ascii())
                    .map(|text| Some(Cow::Borrowed(text)))
                    .map_err(|_| Unclear)
            }
            (Some(_), _) => Err(Unclear),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Header;

    fn equals(
        counterpart: &Counterpart,
        claim: &Value,
        target: &str,
        headers: &[Header<'_>],
    ) -> Result<bool, Unclear> {
        let mut lines: Vec<Header<'_>> = vec![(b":method", b"GET"), (b":path", target.as_bytes())];
        lines.extend(headers);
        counterpart.equals(claim, &Request::read(&lines).unwrap())
    }

    #[test]
    fn a_header_is_there_once_in_one_spelling() {
        let header = Counterpart::Header(HeaderName::new("x-tenant".to_owned()));
        let acme = json!("acme");
        for (headers, expected) in [
            (&[(&b"x-tenant"[..], &b"acme"[..])][..], Ok(true)),
            (&[(b"x-tenant", b" acme\t")], Ok(true)),
            (&[(b"x-tenant", b"other")], Ok(false)),
            (&[(b"x-tenant", b"Acme")], Ok(false)),
            (&[(b"x-tenant", b"acme,acme")], Ok(false)),
            (&[(b"x-tenants", b"acme")], Ok(false)),
            (&[(b"x-tenant", b"")], Ok(false)),
            (&[], Ok(false)),
            (&[(b"x-tenant", b"acme"), (b"x-tenant", b"acme")], Err(Unclear)),
            (&[(b"x-tenant", b"acme"), (b"x_tenant", b"other")], Err(Unclear)),
            (&[(b"x_tenant", b"acme")], Err(Unclear)),
            (&[(b"x-tenant", b"\xff")], Err(Unclear)),
        ] {
            assert_eq!(equals(&header, &acme, "/", headers), expected, "{headers:?}");
        }
        assert_eq!(equals(&header, &json!(""), "/", &[(b"x-tenant", b"")]), Ok(false));
    }

    #[test]
    fn a_claim_is_text_an_integer_or_a_list() {
        let parameter = Counterpart::Parameter(ParameterName::new("tenant"));
        for (claim, target, expected) in [
            (json!("acme"), "/?tenant=acme", Ok(true)),
            (json!("a b"), "/?tenant=a%20b", Ok(true)),
            (json!(7), "/?tenant=7", Ok(true)),
            (json!(7), "/?tenant=07", Ok(false)),
            (json!(["x", "acme"]), "/?tenant=acme", Ok(true)),
            (json!(["x"]), "/?tenant=acme", Ok(false)),
            (json!(true), "/?tenant=true", Ok(false)),
            (json!({"acme": 1}), "/?tenant=acme", Ok(false)),
            (json!("acme"), "/", Ok(false)),
            (json!("acme"), "/?tenant=acme&tenant=other", Err(Unclear)),
        ] {
            assert_eq!(equals(&parameter, &claim, target, &[]), expected, "{claim} {target}");
        }
    }
}
