//! The headers of a request as Envoy hands them to a filter.

/// A name and a value, as bytes.
pub type Line = (Vec<u8>, Vec<u8>);

/// The lines for a request with these headers, in their order: names in lower case, and the lines of
/// `authorization` and of `cookie` joined. A header `host` is left out: it is the authority.
#[must_use]
pub fn lines<'h>(
    method: &str,
    target: &str,
    authority: &str,
    headers: impl IntoIterator<Item = (&'h str, &'h str)>,
) -> Vec<Line> {
    let mut lines = vec![
        (":method".to_owned(), method.to_owned()),
        (":path".to_owned(), target.to_owned()),
        (":authority".to_owned(), authority.to_owned()),
        (":scheme".to_owned(), "http".to_owned()),
    ];
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let value = value.trim_matches([' ', '\t']);
        let separator = match name.as_str() {
            "host" => continue,
            "authorization" => Some(","),
            "cookie" => Some("; "),
            _ => None,
        };
        let known = lines.iter_mut().find(|(known, _)| *known == name);
        match (separator, known) {
            (Some(separator), Some((_, first))) => *first = format!("{first}{separator}{value}"),
            _ => lines.push((name, value.to_owned())),
        }
    }
    lines.iter().map(|(name, value)| (bytes(name), bytes(value))).collect()
}

/// The bytes of a text: a character up to U+00FF is one byte (ISO 8859-1, so that every byte of a header
/// can be written), any other is its UTF-8.
#[must_use]
pub fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_of_a_credential_are_one() {
        let headers =
            [("Cookie", "a=1"), ("X", " 1\t"), ("cookie", "b=2"), ("x", "2"), ("Host", "h")];
        let lines = lines("GET", "/", "a.test", headers);
        let lines = lines[4..].iter().map(|(name, value)| (&name[..], &value[..]));
        let expected: [(&[u8], &[u8]); 3] = [(b"cookie", b"a=1; b=2"), (b"x", b"1"), (b"x", b"2")];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_byte_can_be_written() {
        assert_eq!(bytes("\u{ff}\u{20ac}"), [&[0xff][..], "\u{20ac}".as_bytes()].concat());
    }
}
