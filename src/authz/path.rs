//! The path of a request in segments, each percent-decoded once, and which of them can be read in
//! more than one way.
//!
//! A filter that reads `/a;b/..%2fadmin` otherwise than the workload behind it protects nothing, so
//! a segment that software is known to read in different ways is *ambiguous* and never equals a
//! literal.

use std::borrow::Cow;

use crate::percent;

/// How many segments a path of a document can have: the tree of paths is walked by recursion. What a
/// request has beyond is read as one.
pub const MAX_SEGMENTS: usize = 64;

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// It can be read in more than one way; its text must not decide anything.
    Ambiguous,
    /// What lies deeper than any path of a document, and everybody reads alike: a client can send ten
    /// thousand segments.
    Deep,
    /// Nothing between two slashes: ambiguous too, and nothing that a variable could hold.
    Empty,
    /// Everybody reads it like this. Never empty.
    Plain(Cow<'a, str>),
}

/// The segments of a path without its query. A trailing slash does not count; an empty segment
/// anywhere else is ambiguous. What is beyond [`MAX_SEGMENTS`] is one segment. `None` for a path that
/// does not start with a slash, which has no segments.
#[must_use]
pub fn segments(path: &[u8]) -> Option<Vec<Segment<'_>>> {
    let path = path.strip_prefix(b"/")?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix(b"/").unwrap_or(path);
    // Room for the segments of most paths.
    let mut segments = Vec::with_capacity(8);
    let mut raw = path.splitn(MAX_SEGMENTS.saturating_add(1), |&byte| byte == b'/');
    segments.extend(raw.by_ref().take(MAX_SEGMENTS).map(segment));
    segments.extend(raw.next().map(deep_segment));
    Some(segments)
}

/// Several segments with their slashes, decoded at once.
#[cold] // No path of a document has as many.
fn deep_segment(raw: &[u8]) -> Segment<'static> {
    let slashes = |text: &[u8]| memchr::memchr_iter(b'/', text).count();
    let (decoded, well_formed) = percent::decode(raw);
    let is_plain = raw.iter().all(|&byte| matches!(byte, b'/' | b'%') || is_literal(byte))
        && well_formed
        && slashes(&decoded) == slashes(raw)
        && std::str::from_utf8(&decoded).is_ok_and(|text| {
            text.split('/').all(|segment| !segment.is_empty() && is_plain(segment))
        });
    if is_plain { Segment::Deep } else { Segment::Ambiguous }
}

fn segment(raw: &[u8]) -> Segment<'_> {
    if raw.iter().copied().all(is_literal) {
        return match std::str::from_utf8(raw) {
            Ok("") => Segment::Empty,
            Ok("." | "..") | Err(_) => Segment::Ambiguous,
            Ok(text) => Segment::Plain(Cow::Borrowed(text)),
        };
    }
    decoded_segment(raw)
}

#[cold] // Few paths have escapes.
fn decoded_segment(raw: &[u8]) -> Segment<'_> {
    if !raw.iter().all(|&byte| byte == b'%' || is_literal(byte)) {
        return Segment::Ambiguous;
    }
    let (decoded, well_formed) = percent::decode(raw);
    match String::from_utf8(decoded.into_owned()) {
        Ok(text) if well_formed && is_plain(&text) => Segment::Plain(text.into()),
        _ => Segment::Ambiguous,
    }
}

/// A byte that RFC 3986 §3.3 allows in a segment and that means itself there; not `;`, which some
/// servers cut at.
fn is_literal(byte: u8) -> bool {
    matches!(
        byte,
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&'
            | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
    )
}

/// Whether no reader could take the decoded segment for something else: another segment, a
/// parameter, the query, the fragment, or an escape that a second decoding would resolve.
fn is_plain(decoded: &str) -> bool {
    decoded != "."
        && decoded != ".."
        && !decoded
            .contains(|c: char| matches!(c, '/' | '\\' | ';' | '?' | '#') || c.is_ascii_control())
        && !percent::has_escape(decoded.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(path: &str) -> Option<Vec<String>> {
        segments(path.as_bytes())?
            .into_iter()
            .map(|segment| match segment {
                Segment::Plain(text) => Some(text.into_owned()),
                Segment::Ambiguous | Segment::Deep | Segment::Empty => None,
            })
            .collect()
    }

    fn last(path: &str) -> Segment<'_> {
        segments(path.as_bytes()).unwrap().pop().unwrap()
    }

    #[test]
    fn what_is_deeper_than_any_document_is_one_segment() {
        let path = |count: usize, end: &str| format!("{}{end}", "/%61".repeat(count));
        let count = |path: &str| segments(path.as_bytes()).unwrap().len();
        assert_eq!(last(&path(MAX_SEGMENTS, "")), Segment::Plain("a".into()));
        assert_eq!(last(&path(MAX_SEGMENTS, "/")), Segment::Plain("a".into()));
        assert_eq!(last(&path(MAX_SEGMENTS + 1, "")), Segment::Deep);
        assert_eq!(count(&path(10_000, "/b/")), MAX_SEGMENTS + 1);
        for end in
            ["/b%2fc", "/..", "/%2e", "//", "//a", "/a;b", "/%", "/%2561", "/%ff", "/%C3/%A9"]
        {
            assert_eq!(last(&path(MAX_SEGMENTS + 5, end)), Segment::Ambiguous, "{end}");
        }
    }

    #[test]
    fn segments_are_decoded_once() {
        for (path, expected) in [
            ("/", vec![]),
            ("/a", vec!["a"]),
            ("/a/", vec!["a"]),
            ("/a/b%20c", vec!["a", "b c"]),
            ("/%61/caf%C3%A9", vec!["a", "café"]),
            ("/100%25", vec!["100%"]),
            ("/a=b,c:d@e!$&'()*+", vec!["a=b,c:d@e!$&'()*+"]),
            ("/...", vec!["..."]),
        ] {
            assert_eq!(
                plain(path),
                Some(expected.into_iter().map(String::from).collect()),
                "{path}"
            );
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_ambiguous() {
        for path in [
            "",
            "*",
            "a",
            "a/b",
            "http://x/a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/%2e",
            "/%2E%2e/a",
            "/.%2e",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a;b",
            "/a%3bb",
            "/a%3Fb",
            "/a%23",
            "/a#b",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a%ff",
            "/caf\u{e9}",
            "/a%252f",
            "/%2561",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a b",
            "/a\"b",
            "/a|b",
            "/a<b",
            "/a[b]",
            "/a{b}",
            "/a^b",
            "/a`b",
        ] {
            assert_eq!(plain(path), None, "{path}");
        }
        assert_eq!(segments(b"/a\x7f/\xff").unwrap(), [Segment::Ambiguous, Segment::Ambiguous]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(path: Vec<u8>) {
            let _ = segments(&path);
        }

        #[test]
        fn deep_segments_are_judged_like_others(path in "[/.%a-f0-9;éA]{0,24}") {
            let alone: Vec<_> = path.split('/').map(|raw| segment(raw.as_bytes())).collect();
            let is_plain = alone.iter().all(|segment| matches!(segment, Segment::Plain(_)));
            prop_assert_eq!(deep_segment(path.as_bytes()) == Segment::Deep, is_plain);
        }

        #[test]
        fn plain_segments_never_hold_a_separator(path in "[/.%a-f0-9;?#\\\\]{0,12}") {
            for segment in segments(path.as_bytes()).unwrap_or_default() {
                if let Segment::Plain(text) = segment {
                    prop_assert!(!text.is_empty() && !text.contains(['/', '\\', ';', '?', '#']));
                    prop_assert!(text != "." && text != "..");
                }
            }
        }
    }
}
