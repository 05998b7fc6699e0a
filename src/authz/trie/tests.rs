//! The tree against a matcher that looks at every template.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::path::segments;
use super::*;

/// The rule of the module's first paragraph, written down once more without a tree.
fn find_linear<'t>(templates: &'t [Template], path: &[Segment<'_>]) -> Option<&'t Template> {
    let matching = templates.iter().filter(|template| matches(template, path));
    matching.min_by(|left, right| specificity(left, right))
}

fn matches(template: &Template, path: &[Segment<'_>]) -> bool {
    let enough = if template.rest {
        path.len() >= template.parts.len()
    } else {
        path.len() == template.parts.len()
    };
    enough
        && template.parts.iter().zip(path).all(|(part, segment)| match (part, segment) {
            (Part::Literal(literal), Segment::Plain(text)) => literal == text,
            (Part::Literal(_), _) => false,
            (Part::Variable(_), segment) => *segment != Segment::Empty,
        })
}

fn specificity(left: &Template, right: &Template) -> Ordering {
    let ranks = |template: &Template| -> Vec<u8> {
        let parts = template.parts.iter().map(|part| match part {
            Part::Literal(_) => 0,
            Part::Variable(_) => 1,
        });
        // The end before an empty rest; a literal or a variable before a rest.
        parts.chain([if template.rest { 3 } else { 2 }]).collect()
    };
    ranks(left).cmp(&ranks(right))
}

fn trie(templates: &[Template]) -> Trie<Option<usize>> {
    let mut trie = Trie::<Option<usize>>::default();
    for (number, template) in templates.iter().enumerate() {
        trie.entry(template).get_or_insert(number);
    }
    trie
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

#[test]
fn the_most_specific_path_counts() {
    let texts =
        ["/", "/{**}", "/a/{**}", "/a", "/a/b/d", "/a/{x}/c", "/a/{x}", "/{y}/b", "/a/b/{**}"];
    let templates: Vec<_> = texts.iter().map(|text| template(text)).collect();
    let trie = trie(&templates);
    for (path, expected) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("/a/b/d", "/a/b/d"),
        ("/a/b", "/a/b/{**}"),
        ("/a/b/c", "/a/b/{**}"),
        ("/a/x/c", "/a/{x}/c"),
        ("/a/x/d", "/a/{**}"),
        ("/x/b", "/{y}/b"),
        ("/x", "/{**}"),
        ("/x/y/z", "/{**}"),
    ] {
        let found = trie.find(&segments(path.as_bytes()).unwrap()).copied().flatten();
        assert_eq!(found.map(|number| texts[number]), Some(expected), "{path}");
    }
}

/// The example of the specification: a literal that leads nowhere is left again.
#[test]
fn a_literal_that_leads_nowhere_is_left_again() {
    let templates = [template("/a/b/d"), template("/a/{x}/c")];
    assert_eq!(trie(&templates).find(&segments(b"/a/b/c").unwrap()), Some(&Some(1)));
}

#[test]
fn ambiguous_segments_match_no_literal() {
    let templates = [template("/admin/{**}"), template("/{x}/y"), template("/{**}")];
    let trie = trie(&templates);
    assert_eq!(trie.find(&segments(b"/%2561dmin/y").unwrap()), Some(&Some(1)));
    assert_eq!(trie.find(&segments(b"//admin/z").unwrap()), Some(&Some(2)));
}

#[test]
fn visits_are_counted() {
    assert_eq!(trie(&[template("/a/b"), template("/a/c"), template("/{x}/c")]).max_visits(), 5);
    let mut both_ways = Trie::<Option<usize>>::default();
    for number in 0..256_u32 {
        let parts: String =
            (0..8).map(|bit| if number >> bit & 1 == 1 { "/a" } else { "/{*}" }).collect();
        both_ways.entry(&template(&parts));
    }
    assert_eq!(both_ways.max_visits(), 511);
    assert!(both_ways.max_visits() > MAX_VISITS);
}

fn any_template() -> impl Strategy<Value = String> {
    let part = prop_oneof![3 => "[a-e]", 1 => Just("{*}".to_owned())];
    (proptest::collection::vec(part, 0..6), any::<bool>()).prop_map(|(parts, rest)| {
        let parts: String = parts.iter().flat_map(|part| ["/", part.as_str()]).collect();
        match (rest, parts.is_empty()) {
            (true, _) => parts + "/{**}",
            (false, true) => "/".to_owned(),
            (false, false) => parts,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Tables of up to 10,000 paths.
    #[test]
    fn the_tree_agrees_with_the_linear_matcher(
        texts in prop_oneof![
            proptest::collection::vec(any_template(), 0..20),
            proptest::collection::vec(any_template(), 9_000..10_000),
        ],
        paths in proptest::collection::vec("(/[a-f]|/%2f|/){0,8}", 50),
    ) {
        let templates: Vec<_> = texts.iter().map(|text| template(text)).collect();
        let trie = trie(&templates);
        for path in &paths {
            let path = segments(path.as_bytes()).unwrap_or_default();
            let found = trie.find(&path).copied().flatten().map(|number| &templates[number]);
            prop_assert_eq!(found, find_linear(&templates, &path), "{:?}", path);
        }
    }
}
