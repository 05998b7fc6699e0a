//! The parameters of a query: their names and values, and the ones that workloads read in different
//! ways.

use std::borrow::Cow;

use crate::percent;

/// How many parameters a query may have for a condition to read one of them: PHP and Node's `qs` leave
/// out what comes behind the first thousand, and each takes time.
const MAX_PARAMETERS: usize = 256;

/// Something that workloads can read in more than one way, so that no condition about it can be
/// trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;

/// The name of a parameter that a document asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterName {
    name: String,
    loose: Vec<u8>,
}

impl ParameterName {
    /// The parameter with this name, percent-decoded.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), loose: loose(name.as_bytes(), false) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

/// The parameters of one request, to be asked for by name.
#[derive(Clone, Debug)]
pub struct Query(Result<Vec<Parameter>, Unclear>);

#[derive(Clone, Debug)]
struct Parameter {
    name: Vec<u8>,
    loose: Vec<u8>,
    value: Vec<u8>,
    /// Whether `;` stands beside it, at which some workloads split a query too.
    is_part: bool,
}

impl Query {
    /// Reads a query, without its `?`.
    #[cold] // Most documents ask for no parameter.
    #[must_use]
    pub fn read(query: &[u8]) -> Self {
        let parts = query.split(|&byte| byte == b'&').flat_map(|text| {
            let is_part = text.contains(&b';');
            text.split(|&byte| byte == b';').map(move |text| {
                let (name, value) = split_parameter(text);
                let loose = loose(&forgivingly_decoded(name), false);
                let name = percent::decode(name).0.into_owned();
                Parameter { loose, name, value: value.to_vec(), is_part }
            })
        });
        let parameters: Vec<_> = parts.take(MAX_PARAMETERS.saturating_add(1)).collect();
        Self(if parameters.len() > MAX_PARAMETERS { Err(Unclear) } else { Ok(parameters) })
    }

    /// The decoded value of a parameter; `None` where there is none.
    ///
    /// # Errors
    /// [`Unclear`], where workloads can read different values: the parameter is there more than once or
    /// under another spelling of its name (`tenant[]`, `Tenant`), `;` stands beside it, or the value has
    /// a `+`, a broken escape, or what is no text.
    #[cold]
    pub fn value(&self, wanted: &ParameterName) -> Result<Option<String>, Unclear> {
        let parameters = self.0.as_ref().map_err(|unclear| *unclear)?;
        let mut found = parameters.iter().filter(|parameter| parameter.loose == wanted.loose);
        let Some(Parameter { name, value, is_part, .. }) = found.next() else { return Ok(None) };
        let (decoded, is_well_formed) = percent::decode(value);
        let is_clear = is_well_formed
            && !is_part
            && name == wanted.name.as_bytes()
            && found.next().is_none()
            && !value.contains(&b'+')
            && !decoded.iter().any(u8::is_ascii_control);
        if !is_clear {
            return Err(Unclear);
        }
        String::from_utf8(decoded.into_owned()).map(Some).map_err(|_| Unclear)
    }
}

/// Whether the most forgiving readers take a name for another one.
pub(crate) fn is_loosely(name: &[u8], known: &str) -> bool {
    // Each byte may be an escape, and some may come before; the rest can only be an index.
    let longest = known.len().saturating_mul(6).saturating_add(32);
    let start = name.get(..longest);
    loose(&forgivingly_decoded(start.unwrap_or(name)), start.is_some())
        == loose(known.as_bytes(), false)
}

/// A name with its escapes decoded, and with those of ASP.NET: `%u0061` is `%61` (`HttpUtility.UrlDecode`).
fn forgivingly_decoded(name: &[u8]) -> Cow<'_, [u8]> {
    // As nearly every name is.
    if !name.contains(&b'%') {
        return Cow::Borrowed(name);
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        plain.push(byte);
        let long = after.strip_prefix(b"u00").or_else(|| after.strip_prefix(b"U00"));
        rest = long.filter(|_| byte == b'%').unwrap_or(after);
    }
    Cow::Owned(percent::decode(&plain).0.into_owned())
}

/// What is left of a name, which may go on if `is_cut`.
fn loose(name: &[u8], is_cut: bool) -> Vec<u8> {
    // What some language takes for white space counts at neither end.
    let is_kept = |byte: &u8| byte.is_ascii_graphic() && *byte != b'+';
    let start = name.iter().position(is_kept).unwrap_or(name.len());
    let name = name.get(start..).unwrap_or_default();
    // PHP ends a name at NUL.
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let end = name.iter().rposition(is_kept).map_or(0, |last| last.saturating_add(1));
    let name = name.get(..end).unwrap_or(name);
    let end = match name.iter().position(|&byte| byte == b'[') {
        Some(bracket) if is_cut || name.contains(&b']') => bracket,
        _ => name.len(),
    };
    let loose = name.iter().take(end).map(|byte| match byte {
        b'.' | b' ' | b'+' | b'[' => b'_',
        byte => byte.to_ascii_lowercase(),
    });
    loose.collect()
}

/// Names and values of a query, as they are written in it.
pub fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|&byte| byte == b'&').map(split_parameter)
}

/// Name and value of one parameter.
#[must_use]
pub fn split_parameter(parameter: &[u8]) -> (&[u8], &[u8]) {
    match parameter.iter().position(|&byte| byte == b'=') {
        Some(sign) => {
            let (name, value) = parameter.split_at(sign);
            (name, value.get(1..).unwrap_or_default())
        }
        None => (parameter, &[][..]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_everybody_reads_alike_is_a_value() {
        for (query, expected) in [
            ("tenant=acme", Ok(Some("acme"))),
            ("a=1&tenant=a%20b&b", Ok(Some("a b"))),
            ("%74enant=%61cme", Ok(Some("acme"))),
            ("tenant=%2561", Ok(Some("%61"))),
            ("tenant=a=b", Ok(Some("a=b"))),
            ("tenant=a%2Bb%3Bc", Ok(Some("a+b;c"))),
            ("tenant=", Ok(Some(""))),
            ("tenant", Ok(Some(""))),
            ("", Ok(None)),
            ("tenants=a&xtenant=b&x=tenant", Ok(None)),
            ("x;y=1", Ok(None)),
        ] {
            let found = Query::read(query.as_bytes()).value(&ParameterName::new("tenant"));
            assert_eq!(found, expected.map(|text| text.map(str::to_owned)), "{query}");
        }
    }

    #[test]
    fn what_somebody_reads_otherwise_is_unclear() {
        for query in [
            "tenant=a&tenant=b",
            "tenant=a&tenant=a",
            "tenant=a&%74enant=b",
            "tenant=a&Tenant=b",
            "Tenant=a",
            "tenant[]=a",
            "tenant%5B%5D=a",
            "tenant[0]=a",
            "x=1;tenant=a",
            "tenant=a;x",
            "tenant=a+b",
            "tenant=%zz",
            "tenant=%ff",
            "tenant=a%00",
            "+tenant=a",
            "%20%00tenant=a",
            "tenant+=a",
            "tenant%a0=a",
            "t%u0065nant=a",
        ] {
            let found = Query::read(query.as_bytes()).value(&ParameterName::new("tenant"));
            assert_eq!(found, Err(Unclear), "{query}");
        }
        let many = |count: usize| ["tenant=a", &"&x".repeat(count)].concat();
        let value =
            |query: &str| Query::read(query.as_bytes()).value(&ParameterName::new("tenant"));
        assert_eq!(value(&many(255)), Ok(Some("a".to_owned())));
        assert_eq!(value(&many(256)), Err(Unclear));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(query: Vec<u8>) {
            let _ = Query::read(&query).value(&ParameterName::new("a"));
        }
    }
}
