//! Pages are written in Markdown, in `bench/pages`. What is measured is filled in where they have a
//! marker: `<!-- rounds -->` in a sentence, `<!-- table: targets -->` on a line of its own.

use std::collections::BTreeSet;

/// What is filled in: the text of a marker, and what takes its place.
pub type Parts<'a> = &'a [(&'a str, String)];

/// Fills in a page.
///
/// # Panics
///
/// When the page has a marker that is not in `parts`, or lacks one that is: pages are part of the
/// program, and a test fills in each of them.
pub fn fill(template: &str, parts: Parts<'_>) -> String {
    let mut page = String::new();
    let mut filled = BTreeSet::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("<!-- ") {
        let (marker, after) = after.split_once(" -->").expect("a marker ends with -->");
        let part = parts.iter().find(|(name, _)| *name == marker);
        let (name, text) = part.unwrap_or_else(|| panic!("nothing to fill in for {marker}"));
        page += before;
        page += text.trim_end();
        filled.insert(*name);
        rest = after;
    }
    for (name, _) in parts {
        assert!(filled.contains(name), "the page has no marker {name}");
    }
    page + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_filled_in() {
        let parts = [("rounds", "9".to_owned()), ("table: steps", "| a |\n| b |\n".to_owned())];
        let page = fill("<!-- rounds --> rounds.\n\n<!-- table: steps -->\n\nThe end.\n", &parts);
        assert_eq!(page, "9 rounds.\n\n| a |\n| b |\n\nThe end.\n");
    }

    #[test]
    #[should_panic(expected = "nothing to fill in for seconds")]
    fn every_marker_needs_a_value() {
        fill("<!-- seconds -->", &[]);
    }

    #[test]
    #[should_panic(expected = "the page has no marker seconds")]
    fn every_value_needs_a_marker() {
        fill("", &[("seconds", "5".to_owned())]);
    }
}
