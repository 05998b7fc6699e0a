//! Texts in order. Whatever is sorted is sorted here: each type that is sorted is another 3 KB of code that every
//! sidecar loads (docs/costs.md).

/// Texts in order, each with its place before; of the same ones the first comes first.
pub fn in_order<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<(&'t str, usize)> {
    let mut ordered: Vec<_> = texts.into_iter().zip(0..).collect();
    sort(&mut ordered);
    ordered
}

/// The first text that is there before; `None` if there is none twice.
pub fn first_repeated<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
    let ordered = in_order(texts);
    let same = |pair: &[(&'t str, usize)]| match pair {
        [(text, _), (same, place)] if text == same => Some((*place, *same)),
        _ => None,
    };
    ordered.windows(2).filter_map(same).min().map(|(_, text)| text)
}

#[inline(never)]
fn sort(texts: &mut [(&str, usize)]) {
    texts.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_texts_keep_their_order() {
        assert_eq!(in_order(["b", "a", "b", ""]), [("", 3), ("a", 1), ("b", 0), ("b", 2)]);
    }

    #[test]
    fn the_first_repetition_is_found() {
        assert_eq!(first_repeated(["b", "a", "c", "a", "b"]), Some("a"));
        assert_eq!(first_repeated(["a", "b", "aa", "ab"]), None);
        assert_eq!(first_repeated([]), None);
    }
}
