//! The name that was meant.

/// Names of the schema are shorter.
const MAX_LENGTH: usize = 40;

/// The known name that is nearest to this one, if one is near: the same but for case and punctuation
/// (`jwks_uri`), or with two changes for every five letters.
pub fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let letters = letters(name);
    if letters.len() > MAX_LENGTH {
        return None;
    }
    let distances = known.iter().map(|known| (distance(&letters, &self::letters(known)), *known));
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance.saturating_mul(5) <= letters.len().saturating_mul(2)).then_some(nearest)
}

fn letters(name: &str) -> Vec<u8> {
    let letters = name.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' '));
    letters.map(|byte| byte.to_ascii_lowercase()).collect()
}

/// How many letters must be inserted, removed or replaced to get from one name to the other
/// (Levenshtein's distance).
fn distance(from: &[u8], to: &[u8]) -> usize {
    // The distance of each start of `to`, but the empty one, from the start of `from` that was read.
    let mut row: Vec<usize> = (1..=to.len()).collect();
    for (read, letter) in from.iter().enumerate() {
        let mut diagonal = read;
        let mut left = read.saturating_add(1);
        for (above, other) in row.iter_mut().zip(to) {
            let replaced = diagonal.saturating_add(usize::from(letter != other));
            diagonal = *above;
            left = replaced.min(left.saturating_add(1)).min(above.saturating_add(1));
            *above = left;
        }
    }
    row.last().copied().unwrap_or(from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (from, to, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(distance(from.as_bytes(), to.as_bytes()), expected, "{from} {to}");
            assert_eq!(distance(to.as_bytes(), from.as_bytes()), expected, "{to} {from}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["permissions", "paths", "jwksUri", "name"];
        for (written, meant) in [
            ("permisions", Some("permissions")),
            ("permission", Some("permissions")),
            ("jwks_uri", Some("jwksUri")),
            ("JWKSURI", Some("jwksUri")),
            ("pahts", Some("paths")),
            ("path", Some("paths")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &known), meant, "{written}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), &known), None);
    }
}
