//! What is matched, what is refused, and the same answers as the crate `regex`.

use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, texts: &[&[u8]]) -> Result<bool, Unclear> {
    Regex::parse(pattern).unwrap().matches_any(texts.iter().copied(), &Work::default())
}

#[test]
fn the_whole_text_is_matched() {
    for (pattern, text, expected) in [
        ("a|ab", "ab", true),
        ("a", "ab", false),
        ("a", "ba", false),
        ("a", "a\n", false),
        ("^a$", "a", true),
        (r"a\$", "a$", true),
        (r"[a-z0-9-]+\.example\.com", "a-1.example.com", true),
        (r"[a-z0-9-]+\.example\.com", "a.example.com.evil", false),
        ("(?i)acme[^b]", "ACMEa", true),
        ("(?i)acme[^b]", "ACMEB", false),
        (".*", "", true),
        (".", "ä", true),
        (".", "\n", false),
        (r"\w+@\d{2,3}", "a_B9@123", true),
        (r"\w+@\d{2,3}", "a@1", false),
        ("(a|b){2}c?", "ab", true),
        ("(?:a*)*b", "aaab", true),
        ("|a", "", true),
        ("(a*?)+", "aa", true),
        ("[^/]+/[]/]", "x", false),
    ] {
        let Ok(regex) = Regex::parse(pattern) else {
            assert!(!expected, "{pattern}");
            continue;
        };
        let found = regex.matches_any([text.as_bytes()].into_iter(), &Work::default());
        assert_eq!(found, Ok(expected), "{pattern} {text:?}");
    }
}

#[test]
fn what_was_not_looked_at_is_unclear() {
    let long = "a".repeat(MAX_TEXT);
    assert_eq!(matches("a+", &[long.as_bytes()]), Ok(true));
    assert_eq!(matches("b", &[long.as_bytes()]), Ok(false));
    assert_eq!(matches("b", &[long.as_bytes(), b"b"]), Err(Unclear));
    assert_eq!(matches("b", &[b"\xff", b"a"]), Err(Unclear));
    assert_eq!(matches("b", &[b"\xff", b"b"]), Ok(true));
    assert_eq!(matches("b", &[]), Ok(false));
}

#[test]
fn what_is_none_or_costs_too_much_is_refused() {
    let long = "a".repeat(MAX_PATTERN.saturating_add(1));
    let deep = ["(".repeat(40), ")".repeat(40)].concat();
    for pattern in [
        "",
        &long,
        &deep,
        "(",
        ")",
        "a)|(b",
        "[",
        "[]",
        "[b-a]",
        "[a-",
        "*",
        "a|*",
        "(?=a)",
        "(?P<n>a)",
        r"\1",
        r"\p{L}",
        "\\",
        "a{",
        "a{,2}",
        "a{2,1}",
        "a{x}",
        "a^b",
        "a$b",
        "a{1000}",
        "(a{99}){99}",
        "((((a{9}){9}){9}){9}){9}",
        "[[:alpha:]]",
        r"[\D]",
        "[a-z&&b]",
    ] {
        assert!(Regex::parse(pattern).is_err(), "{pattern}");
    }
    assert!(Regex::parse(&"a".repeat(MAX_PATTERN)).is_ok());
    let error = Regex::parse("a(").unwrap_err().to_string();
    assert_eq!(error, "found `a(`, which is no regular expression here: a `(` is not closed");
}

#[test]
fn what_takes_too_much_work_is_unclear() {
    let long = "a".repeat(MAX_TEXT);
    assert_eq!(matches("a{200}", &[long.as_bytes()]), Ok(false));
    assert_eq!(matches("(.*a){60}x", &[long.as_bytes()]), Err(Unclear));
    // All expressions of a request have one bound.
    let regex = Regex::parse(".*a.*a.*x").unwrap();
    let work = Work::default();
    let found = || regex.matches_any([long.as_bytes()].into_iter(), &work);
    assert_eq!(found(), Ok(false));
    assert!((0..20).any(|_| found() == Err(Unclear)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn another_engine_agrees(
        pattern in r"(\(\?i\))?([abAB.|*+?()^-]|\[\^?[ab0-2-]{1,3}\]|\{[0-2],?[0-3]?\}|\\[dwsDWS.]|\(|\)){0,10}",
        texts in prop::collection::vec(r"[abAB01. \n-]{0,6}", 8),
    ) {
        let Ok(regex) = Regex::parse(&pattern) else { return Ok(()) };
        // There, it takes the second class from the first.
        prop_assume!(!pattern.contains("--"));
        // `regex-lite` folds the case of one alphabet alone in a range such as `0-a`.
        let other = regex::Regex::new(&["^(?:", &pattern, ")$"].concat()).unwrap();
        for text in texts {
            prop_assert_eq!(regex.matches(&text, &Work::default()), Ok(other.is_match(&text)), "{} {:?}", pattern, text);
        }
    }

    #[test]
    fn no_text_panics(pattern: String, text: String) {
        let _ = Regex::parse(&pattern).map(|regex| regex.matches(&text, &Work::default()));
    }
}
