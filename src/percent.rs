//! Percent-encoding (RFC 3986 §2.1), decoded once.

use std::borrow::Cow;

/// The bytes that `text` means, and whether every `%` was followed by two hex digits; one that
/// was not stays as it is.
#[must_use]
pub fn decode(text: &[u8]) -> (Cow<'_, [u8]>, bool) {
    if !text.contains(&b'%') {
        return (Cow::Borrowed(text), true);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut well_formed = true;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
        } else if let Some((byte, after)) = escaped(after) {
            decoded.push(byte);
            rest = after;
        } else {
            decoded.push(byte);
            well_formed = false;
        }
    }
    (Cow::Owned(decoded), well_formed)
}

/// Whether `text` still holds an escape: what a second decoding would change.
#[must_use]
pub fn has_escape(text: &[u8]) -> bool {
    text.windows(3)
        .any(|window| window.strip_prefix(b"%").is_some_and(|digits| escaped(digits).is_some()))
}

/// The byte that two hex digits mean, and what follows them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], after) = text.split_first_chunk()?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(((digit(high)? << 4) | digit(low)?, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        for (text, expected, well_formed) in [
            ("plain", "plain", true),
            ("%41%2f%2F", "A//", true),
            ("%2541", "%41", true),
            ("%", "%", false),
            ("%4", "%4", false),
            ("a%zz%41", "a%zzA", false),
        ] {
            let decoded = decode(text.as_bytes());
            assert_eq!((&*decoded.0, decoded.1), (expected.as_bytes(), well_formed), "{text}");
        }
        assert!(has_escape(b"x%41") && !has_escape(b"x%4") && !has_escape(b"100%"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let (decoded, _) = decode(&bytes);
            prop_assert!(decoded.len() <= bytes.len());
        }
    }
}
