//! A challenge of a response, parsed as strictly as RFC 9110 §11.6.1 defines it, so that no client
//! can read something else in it.

/// The parameters of a challenge whose scheme is `Bearer`, in their order.
///
/// # Errors
///
/// What is wrong with it: it has no parameters, another scheme, or anything but quoted strings with
/// commas between.
pub fn parameters(challenge: &str) -> Result<Vec<(String, String)>, String> {
    let fault = |what: &str| format!("{what}: {challenge}");
    let mut rest = challenge.strip_prefix("Bearer ").ok_or_else(|| fault("another scheme"))?;
    let mut parameters = Vec::new();
    loop {
        let (name, quoted) = rest.split_once("=\"").ok_or_else(|| fault("no quoted string"))?;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
        if !is_name {
            return Err(fault("no name"));
        }
        let (value, after) = quoted_string(quoted).ok_or_else(|| fault("an open string"))?;
        parameters.push((name.to_owned(), value));
        if after.is_empty() {
            return Ok(parameters);
        }
        rest = after.strip_prefix(", ").ok_or_else(|| fault("no comma"))?;
    }
}

/// A text after its opening quotation mark (RFC 9110 §5.6.4), and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    loop {
        match characters.next()? {
            (end, '"') => return Some((value, &text[end + 1..])),
            (_, '\\') => value.push(characters.next()?.1),
            (_, character) if character.is_control() && character != '\t' => return None,
            (_, character) => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quoted_strings_are_parameters() {
        let read = |text: &str| parameters(text).unwrap();
        assert_eq!(read("Bearer realm=\"a, b=\""), [("realm".into(), "a, b=".into())]);
        let two = [("realm".into(), "a\"\\b".into()), ("error".into(), String::new())];
        assert_eq!(read(r#"Bearer realm="a\"\\b", error="""#), two);
        for text in [
            "Basic realm=\"a\"",
            "Bearer",
            "Bearer realm=a",
            "Bearer realm=\"a",
            "Bearer realm=\"a\\\"",
            "Bearer realm=\"a\"error=\"b\"",
            "Bearer realm=\"a\",",
            "Bearer realm=\"a\", \"b\"",
            "Bearer realm=\"a\u{1}\"",
        ] {
            assert!(parameters(text).is_err(), "{text}");
        }
    }
}
