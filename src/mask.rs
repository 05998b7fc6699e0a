//! What a client wrote, as it may be shown in the log and in access logs: cut, on one line, and without
//! anything that looks like a token.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How much of a client's text is shown, in bytes.
pub const MAX_SHOWN: usize = 128;
/// How much of a client's text is searched for secrets, in bytes.
const WINDOW: usize = 2_048;
/// Shorter values of a location are no secrets, and could be part of any word.
const MIN_SECRET: usize = 8;
/// What is shown for what is left out.
const MASK: char = '…';

/// A client's bytes as text: without these secrets and what looks like a token, cut where they get long,
/// and without characters that end a line or turn its direction for some readers. JSON escapes the
/// others.
#[must_use]
pub fn shown(bytes: &[u8], secrets: &[Cow<'_, [u8]>]) -> String {
    let window = bytes.get(..WINDOW).unwrap_or(bytes);
    let is_cut = window.len() < bytes.len();
    let window = if is_cut { without_start(window, secrets) } else { window };
    let text = without(window, secrets);
    let text = String::from_utf8_lossy(&text);
    let mut text = without_tokens(&text).replace(is_treacherous, "\u{fffd}");
    let end = text.floor_char_boundary(MAX_SHOWN);
    if is_cut || end < text.len() {
        text.truncate(end);
        text.push(MASK);
    }
    text
}

/// As [`shown`], with nothing in it that ends a field of an access log.
#[cold] // Few words need it.
#[must_use]
pub fn shown_word(text: &str) -> String {
    shown(text.as_bytes(), &[]).replace(ends_field, "_")
}

/// Whether there is nothing in a text that [`shown_word`] would change; most words have nothing.
#[must_use]
pub fn is_plain_word(word: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !ends_field(char::from(byte));
    word.len() <= MAX_SHOWN && word.bytes().all(is_plain) && token_start(word.as_bytes()).is_none()
}

/// A text without the start of a secret at its end, where it was cut.
fn without_start<'t>(text: &'t [u8], secrets: &[Cow<'_, [u8]>]) -> &'t [u8] {
    let begins_secret = |end: &[u8]| secrets.iter().any(|secret| secret.starts_with(end));
    let mut parts = (0..text.len()).filter_map(|start| text.split_at_checked(start));
    parts.find(|(_, end)| begins_secret(end)).map_or(text, |(whole, _)| whole)
}

/// A text without these secrets.
fn without<'t>(text: &'t [u8], secrets: &[Cow<'_, [u8]>]) -> Cow<'t, [u8]> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_SECRET) {
        if !text.windows(secret.len()).any(|part| part == &**secret) {
            continue;
        }
        let mut kept = Vec::new();
        let mut rest = &*text;
        while let Some((byte, after)) = rest.split_first() {
            if let Some(after) = rest.strip_prefix(&**secret) {
                kept.extend_from_slice(MASK.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            } else {
                kept.push(*byte);
                rest = after;
            }
        }
        text = Cow::Owned(kept);
    }
    text
}

fn ends_field(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '\\')
}

fn is_treacherous(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text with `…` for each run of characters that begins like a token.
fn without_tokens(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(start) = token_start(rest.as_bytes()) {
        let (before, token) = rest.split_at_checked(start).unwrap_or((rest, ""));
        shown.push_str(before);
        shown.push(MASK);
        rest = token.trim_start_matches(is_token_char);
    }
    if shown.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(shown + rest) }
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=')
}

/// Where a token begins: the base64url of a JSON object, however it is spaced (RFC 8259 §2).
pub(crate) fn token_start(text: &[u8]) -> Option<usize> {
    // The first byte of an object is `{` or white space, in base64url one of these.
    let may_start = |byte: u8| matches!(byte, b'e' | b'I' | b'C' | b'D');
    let starts = text.iter().enumerate().filter(|(_, byte)| may_start(**byte));
    starts.map(|(start, _)| start).find(|&start| text.get(start..).is_some_and(begins_object))
}

/// Whether a text begins with the base64url of `{` and what may follow it.
fn begins_object(text: &[u8]) -> bool {
    /// Enough for more white space than anybody writes.
    const LOOKED_AT: usize = 32;
    let mut decoded = Vec::with_capacity(LOOKED_AT);
    for quantum in text.chunks_exact(4).take(LOOKED_AT / 4) {
        if URL_SAFE_NO_PAD.decode_vec(quantum, &mut decoded).is_err() {
            break;
        }
        match decoded.trim_ascii_start().split_first() {
            None | Some((b'{', [])) => {}
            Some((b'{', [next, ..])) => {
                return matches!(next, b'"' | b'}') || next.is_ascii_whitespace();
            }
            Some(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_are_found_however_their_header_is_spaced() {
        for header in [
            r#"{"alg":"RS256"}"#,
            r#"{ "alg":"RS256"}"#,
            "{\n  \"alg\": \"RS256\"}",
            "{\t\"alg\":\"none\"}",
            "  \r\n {\r\n\"alg\":\"none\"}",
            "{}   ",
        ] {
            let token = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header));
            for (text, expected) in [
                (token.clone(), "…".to_owned()),
                (format!("/a/{token}/b"), "/a/…/b".to_owned()),
                (format!("x{token} {token}="), "x… …".to_owned()),
                (format!("{token},{token}"), "…,…".to_owned()),
            ] {
                assert_eq!(without_tokens(&text), expected, "{header:?}");
            }
        }
    }

    #[test]
    fn words_are_no_tokens() {
        for text in [
            "/keys/of/eye",
            "reviews.default.svc.cluster.local",
            "api.example.com",
            "/Data/Icons/DX/CSS/eyes.css",
            "DELETE",
            "eyewitness",
        ] {
            assert_eq!(without_tokens(text), text);
        }
    }

    #[test]
    fn nothing_ends_a_field() {
        for (text, expected) in [
            ("joe\"_200_evil=\"", "joe__200_evil=_"),
            ("a b\tc\u{85}d\\e'f`g", "a_b_c\u{fffd}d_e_f_g"),
            ("auth0|user", "auth0|user"),
        ] {
            assert_eq!(shown_word(text), expected);
            assert_eq!(is_plain_word(text), text == expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_left_out_wherever_they_are() {
        let secrets = [Cow::Borrowed(&b"opaque-secret"[..]), Cow::Borrowed(b"short")];
        let shown = without(b"/a/opaque-secret/short/opaque-secret", &secrets);
        assert_eq!(String::from_utf8_lossy(&shown), "/a/…/short/…");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shown("é".repeat(200).as_bytes(), &[]), format!("{}…", "é".repeat(64)));
        assert_eq!(shown("a".repeat(128).as_bytes(), &[]), "a".repeat(128));
        let secret = [Cow::Borrowed(&b"opaque-secret"[..])];
        let many = "opaque-secret/".repeat(1_000);
        assert!(!shown(many.as_bytes(), &secret).contains("opaque"));
        assert_eq!(shown("a".repeat(9_000).as_bytes(), &secret), format!("{}…", "a".repeat(128)));
        let long = [Cow::Owned(b"b".repeat(9_000))];
        assert_eq!(shown(&[&b"/a/"[..], &long[0], b"/c"].concat(), &long), "/a/…");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_or_stretch(bytes: Vec<u8>) {
            prop_assert!(shown(&bytes, &[]).len() <= 3 * MAX_SHOWN);
        }

        #[test]
        fn what_is_plain_is_shown_as_it_is(word in "[a-zA-Z0-9|_./\"' -]{0,20}") {
            if is_plain_word(&word) {
                prop_assert_eq!(shown_word(&word), word);
            }
        }
    }
}
