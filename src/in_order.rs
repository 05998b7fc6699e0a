//! Texts in order. Whatever is sorted is sorted here: each type that is sorted is another 3 KB of code that every
//! sidecar loads (docs/costs.md).

/// Texts in order, each with its place before; of the same ones the first comes first.
pub fn in_order<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<(&'t str, usize)> {
    let mut ordered: Vec<_> = texts.into_iter().zip(0..).collect();
    sort(&mut ordered);
    ordered
}

/// Each text once, in order.
pub fn each_once<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let mut once: Vec<_> = in_order(texts).into_iter().map(|(text, _)| text).collect();
    once.dedup();
    once
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
    fn the_same_texts_are_there_once() {
        assert_eq!(each_once(["b", "a", "b", "", "a"]), ["", "a", "b"]);
    }

    #[test]
    fn the_first_repetition_is_found() {
        assert_eq!(first_repeated(["b", "a", "c", "a", "b"]), Some("a"));
        assert_eq!(first_repeated(["a", "b", "aa", "ab"]), None);
        assert_eq!(first_repeated([]), None);
    }
}
